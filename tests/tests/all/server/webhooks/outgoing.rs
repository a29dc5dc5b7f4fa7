//! What tenants are told, at receivers of their own.

use std::sync::{Arc, Mutex};

use onepath_client::webhook::{Event, Headers, Secret, TOLERANCE, verify};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::super::{Folder, Running, picture, settings, within};

type Got = (Vec<(String, String)>, Vec<u8>);

/// A receiver that answers with what it is told to, one status after the other; the last stays.
#[derive(Clone)]
struct Receiver {
    address: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    async fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let kept = Arc::clone(&got);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let mut bytes = Vec::new();
                    let mut part = [0; 4096];
                    let request = loop {
                        let count = stream.read(&mut part).await.unwrap_or(0);
                        bytes.extend_from_slice(&part[..count]);
                        if let Some(request) = whole(&bytes) {
                            break request;
                        }
                        if count == 0 {
                            return;
                        }
                    };
                    let index = {
                        let mut kept = kept.lock().unwrap();
                        kept.push(request);
                        kept.len() - 1
                    };
                    let status = statuses.get(index).or(statuses.last()).copied();
                    // Without a status it never answers.
                    let Some(status) = status else { return std::future::pending().await };
                    let answer = format!(
                        "HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { address, got }
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    async fn when(&self, count: usize) -> Vec<Got> {
        within("webhooks", async {
            while self.got().len() < count {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        })
        .await;
        self.got()
    }
}

/// A request that is there whole.
fn whole(bytes: &[u8]) -> Option<Got> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let headers: Vec<(String, String)> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.iter().find(|one| one.0 == "content-length")?.1.parse().unwrap();
    let body = bytes[end + 4..].to_vec();
    (body.len() >= length).then_some((headers, body))
}

/// The event of a message that its secret signed.
fn read(secret: &str, (headers, body): &Got) -> (String, Event) {
    let secret = Secret::parse(secret).unwrap();
    let find = |name: &str| headers.iter().find(|one| one.0 == name).map(|one| one.1.as_str());
    let signed = Headers::find(find).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    verify([&secret], signed, body, i64::try_from(now.as_secs()).unwrap(), TOLERANCE).unwrap();
    (signed.id.to_owned(), Event::read(body).unwrap())
}

async fn allowing(folder: &Folder, receivers: &[&Receiver]) -> Running {
    let mut settings = settings(folder);
    settings.guard.allowed = receivers.iter().map(|one| one.address.clone()).collect();
    Running::with(&settings).await
}

const PATH: &str = "/api/v1/webhook-endpoints";

async fn endpoint(server: &Running, receiver: &Receiver, more: Value) -> Value {
    let mut body = json!({ "url": format!("http://{}/hook", receiver.address) });
    super::super::merge(&mut body, more);
    let reply = server.http.post(PATH, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_told_what_happens_signed_and_once() {
    let folder = Folder::new();
    let receiver = Receiver::start(&[200]).await;
    let server = allowing(&folder, &[&receiver]).await;
    let made = endpoint(&server, &receiver, json!({ "events": ["generation.completed"] })).await;
    let secret = made["secret"].as_str().unwrap();
    let id = server.created(&picture("a secret garden")).await;
    // Behind another wall: nobody here is told.
    let other = server.http.with_key("elsewhere");
    assert_eq!(other.post("/api/v1/generations", &picture("a tower")).await.status, 202);
    server.when_over(&id).await;
    let got = receiver.when(1).await;
    let (message, event) = read(secret, &got[0]);
    assert_eq!(event.kind, "generation.completed");
    assert_eq!(event.data.generation_id.as_deref(), Some(id.as_str()));
    assert_eq!(event.data.status.as_deref(), Some("completed"));
    assert!(!String::from_utf8_lossy(&got[0].1).contains("garden"), "no prompt is told");
    // Nothing shows the secret again, and users do not look after endpoints.
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    assert!(!server.http.get(PATH).await.text().contains("whsec_"));
    server.http.with_key("ada").get(PATH).await.assert_problem(403, "FORBIDDEN");
    assert_eq!(other.get(PATH).await.json()["endpoints"], json!([]));
    let foreign = other.get(&format!("{path}/deliveries")).await;
    foreign.assert_problem(404, "NOT_FOUND");
    // By hand, under the same id; and a ping under another.
    let log = server.http.get(&format!("{path}/deliveries")).await.json();
    let delivery = log["deliveries"][0]["id"].as_str().unwrap();
    let again = format!("{path}/deliveries/{delivery}/replay");
    assert_eq!(server.http.post(&again, &json!({})).await.status, 204);
    let got = receiver.when(2).await;
    assert_eq!(read(secret, &got[1]).0, message);
    // Both secrets sign for a day.
    let rotated = server.http.post(&format!("{path}/rotate-secret"), &json!({})).await.json();
    assert_eq!(server.http.post(&format!("{path}/test"), &json!({})).await.status, 200);
    let got = receiver.when(3).await;
    for secret in [secret, rotated["secret"].as_str().unwrap()] {
        assert_eq!(read(secret, &got[2]).1.kind, "webhook.ping");
    }
    assert_eq!(server.http.send("DELETE", &path, &[], b"").await.status, 204);
    assert_eq!(server.http.get(PATH).await.json()["endpoints"], json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_goes_again_and_a_slow_endpoint_holds_nobody() {
    let folder = Folder::new();
    let (slow, shaky) = (Receiver::start(&[]).await, Receiver::start(&[500, 302, 200]).await);
    let gone = Receiver::start(&[410]).await;
    let server = allowing(&folder, &[&slow, &shaky, &gone]).await;
    endpoint(&server, &slow, json!({})).await;
    let completed = json!({ "events": ["generation.completed"] });
    let made = endpoint(&server, &shaky, completed.clone()).await;
    let over = endpoint(&server, &gone, completed).await;
    let id = server.created(&picture("a house")).await;
    server.when_over(&id).await;
    // The second sending comes after five seconds.
    let got = shaky.when(2).await;
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(read(secret, &got[0]).0, read(secret, &got[1]).0);
    gone.when(1).await;
    let all = server.http.get(PATH).await.json();
    let ended = all["endpoints"].as_array().unwrap().iter().find(|one| one["id"] == over["id"]);
    assert_eq!(ended.unwrap()["enabled"], false, "{all:#}");
    assert!(ended.unwrap()["disabled_reason"].as_str().unwrap().contains("410"));
    let path = format!("{PATH}/{}/deliveries", made["id"].as_str().unwrap());
    let log = server.http.get(&path).await.json();
    assert_eq!(log["deliveries"][0]["status"], "pending", "{log:#}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_the_server_call_its_own_network() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    for url in [
        "http://127.0.0.1:1/x",
        "https://localhost/x",
        "https://169.254.169.254/x",
        "https://[::1]/x",
        "file:///etc/passwd",
        "https://a:b@example.com/",
        "x",
    ] {
        let reply = server.http.post(PATH, &json!({ "url": url })).await;
        reply.assert_problem(422, "VALIDATION_ERROR");
    }
    let url = "https://hooks.example.com/x";
    for body in [json!({}), json!({ "url": url, "events": ["x"] }), json!({ "url": url, "x": 1 })] {
        server.http.post(PATH, &body).await.assert_problem(422, "VALIDATION_ERROR");
    }
    server.stop().await;
}
