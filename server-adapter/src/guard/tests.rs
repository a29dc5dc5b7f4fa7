use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Gives one list of addresses after the other, and the last again and again.
#[derive(Debug)]
struct Script(Vec<&'static [&'static str]>, AtomicUsize);

impl Script {
    fn new(answers: Vec<&'static [&'static str]>) -> Arc<Self> {
        Arc::new(Self(answers, AtomicUsize::new(0)))
    }
}

#[async_trait]
impl LookUp for Script {
    async fn look_up(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let turn = self.1.fetch_add(1, Ordering::Relaxed).min(self.0.len() - 1);
        Ok(self.0[turn].iter().map(|text| text.parse().unwrap()).collect())
    }
}

/// A server that gives fixed answers and counts its connections.
async fn canary(
    answers: Vec<String>,
) -> (u16, Arc<AtomicUsize>, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let task = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            seen.fetch_add(1, Ordering::Relaxed);
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        asked
    });
    (port, count, task)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

fn rules(ports: &[u16], allowed: &[String]) -> GuardRules {
    GuardRules { http: true, ports: ports.to_vec(), allowed: allowed.to_vec() }
}

#[test]
fn sec_s1_urls_that_mean_our_own_network_are_refused_in_every_spelling() {
    let guard = Guard::new(&GuardRules { http: true, ..GuardRules::default() }).unwrap();
    let refused = [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://017700000001/",
        "http://0/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://10.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.0.1/",
        "http://192.168.257/",
        "http://192.0.0.192/",
        "http://198.18.0.1/",
        "http://224.0.0.1/",
        "http://240.0.0.1/",
        "http://255.255.255.255/",
        "http://[::1]/",
        "http://[::]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::127.0.0.1]/",
        "http://[fd00::1]/",
        "http://[fc00::1]/",
        "http://[fe80::1]/",
        "http://[ff02::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:db8::1]/",
        "http://[fd00:ec2::254]/",
        "http://localhost/",
        "http://LOCALHOST/",
        "http://localhost./",
        "http://a.localhost/",
        "http://metadata.google.internal/",
        "http://printer.local/",
        "http://router/",
        "http://127。0。0。1/",
        "http://①②⑦.0.0.1/",
        "http://loc%61lhost/",
        "http://127.0.0.1./",
        "http://user@example.com/",
        "http://user:pass@example.com/",
        "http://example.com@127.0.0.1/",
        "https://example.com:22/",
        "https://example.com:6379/",
        "http://example.com:8080/",
        "http://example.com:443/",
        "https://example.com:80/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "data:image/png,x",
        "//example.com/",
        "example.com",
        "",
        "http://",
        "http://[::1",
        "http://\u{0}/",
    ];
    for url in refused {
        assert!(guard.check(url).is_err(), "{url:?}");
    }
    for url in [
        "https://example.com/a?b",
        "http://example.com/",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]/",
        "https://example.com:443/",
        "https://bücher.example/",
    ] {
        assert!(guard.check(url).is_ok(), "{url:?}");
    }
    let strict = Guard::new(&GuardRules::default()).unwrap();
    assert!(strict.check("http://example.com/").is_err(), "http is for those who ask for it");
    let text = guard.check("http://127.0.0.1/?signature=secret").unwrap_err().to_string();
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn sec_s1_names_that_lead_inside_are_refused_without_a_connection() {
    let (port, count, _) = canary(vec![ok("secret")]).await;
    for addresses in [
        &["127.0.0.1"][..],
        &["8.8.8.8", "127.0.0.1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["10.0.0.1"],
    ] {
        let names: Arc<dyn LookUp> = Script::new(vec![addresses]);
        let guard = Guard::with_look_up(&rules(&[port], &[]), &names).unwrap();
        let url = guard.check(&format!("http://looks.example:{port}/")).unwrap();
        let error = guard.fetch(&Fetch::new(&url)).await.unwrap_err();
        assert!(matches!(error, GuardError::Refused(_)), "{error}");
    }
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn sec_s1_a_name_that_changes_its_mind_is_resolved_once_a_call() {
    let (port, count, _) = canary(vec![ok("secret")]).await;
    // Internal only the second time that anybody asks: whoever looks and then resolves again is
    // led inside.
    let names = Script::new(vec![&["192.0.2.1"], &["127.0.0.1"]]);
    let shared: Arc<dyn LookUp> = names.clone();
    let guard = Guard::with_look_up(&rules(&[port], &[]), &shared).unwrap();
    let url = guard.check(&format!("http://rebinds.example:{port}/")).unwrap();
    for calls in 1..=2 {
        let error = guard.fetch(&Fetch::new(&url)).await.unwrap_err();
        assert!(matches!(error, GuardError::Refused(_)), "{error}");
        assert_eq!(names.1.load(Ordering::Relaxed), calls, "one answer is looked at and used");
    }
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn sec_s1_redirects_are_looked_at_hop_by_hop_and_carry_no_secrets() {
    let (inside, count, _) = canary(vec![ok("secret")]).await;
    let (target, _, there) = canary(vec![ok("picture")]).await;
    let (port, _, here) = canary(vec![
        redirect(&format!("http://127.0.0.1:{inside}/")),
        redirect("http://169.254.169.254/"),
        redirect("file:///etc/passwd"),
        redirect("/again"),
        redirect("/again"),
        redirect(&format!("http://127.0.0.1:{target}/picture")),
    ])
    .await;
    let allowed = [format!("127.0.0.1:{port}"), format!("127.0.0.1:{target}")];
    let guard = Guard::new(&rules(&[], &allowed)).unwrap();
    let url = guard.check(&format!("http://127.0.0.1:{port}/")).unwrap();
    let mut ask = Fetch { redirects: 1, ..Fetch::new(&url) };
    ask.headers.insert("authorization", "Bearer secret".parse().unwrap());
    for _ in 0..4 {
        let error = guard.fetch(&ask).await.unwrap_err();
        assert!(matches!(error, GuardError::Refused(_)), "{error}");
    }
    let picture = guard.fetch(&ask).await.unwrap();
    assert_eq!(body(picture, 100).await.unwrap(), b"picture");
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert!(here.await.unwrap().iter().all(|asked| asked.contains("Bearer secret")));
    assert!(!there.await.unwrap().iter().any(|asked| asked.contains("secret")));
}

#[tokio::test]
async fn a_place_is_allowed_with_its_port_only_and_answers_are_bounded() {
    let (port, _, _) = canary(vec![ok("0123456789"), ok("0123456789")]).await;
    let guard = Guard::new(&rules(&[], &[format!("127.0.0.1:{port}")])).unwrap();
    assert!(guard.check(&format!("http://127.0.0.1:{}/", port ^ 1)).is_err());
    let url = guard.check(&format!("http://127.0.0.1:{port}/")).unwrap();
    let answer = guard.post(&url).unwrap().body("{}").send().await.unwrap();
    assert_eq!(body(answer, 10).await.unwrap().len(), 10);
    let answer = guard.fetch(&Fetch::new(&url)).await.unwrap();
    assert!(matches!(body(answer, 9).await, Err(GuardError::TooLarge(9))));
    let none = Hosts::new(["example.com"]);
    let error = guard.fetch(&Fetch { hosts: Some(&none), ..Fetch::new(&url) }).await.unwrap_err();
    assert!(matches!(error, GuardError::Refused(_)), "{error}");
    for wrong in ["example.com", "example.com:", ":80", "a b:80", "x@y:80", "y/z:80"] {
        assert!(Guard::new(&rules(&[], &[wrong.to_owned()])).is_err(), "{wrong}");
    }
}

#[test]
fn hosts_are_named_whole_or_by_their_domain() {
    let hosts = Hosts::new(["replicate.delivery", "*.replicate.delivery"]);
    let named = |url: &str| hosts.name(&Url::parse(url).unwrap());
    assert!(named("https://replicate.delivery/x") && named("https://PBXT.replicate.delivery./x"));
    assert!(
        !named("https://badreplicate.delivery/") && !named("https://replicate.delivery.evil.com/")
    );
}
