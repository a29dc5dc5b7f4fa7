//! The door: whose pages may call, how often a key may, and how long it waits.

use std::time::Duration;

use onepath_server::http::{Door, Origins, Patience, Rates};
use onepath_server::limit::Rate;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::http::Reply;
use super::{Folder, Running, picture, settings, within};

const CREATE: &str = "/api/v1/generations";

async fn with_door(folder: &Folder, door: Door) -> Running {
    let mut settings = settings(folder);
    settings.door = door;
    Running::with(&settings).await
}

fn words(reply: &Reply, header: &str) -> Vec<String> {
    let text = reply.header(header).unwrap_or_default();
    text.split(',').map(|word| word.trim().to_ascii_lowercase()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_named_origins_may_call() {
    let folder = Folder::new();
    let origins = Origins::parse(["https://studio.example", "http://localhost:5173"]).unwrap();
    let server = with_door(&folder, Door { origins, ..Door::default() }).await;
    let ask = async |method: &str, origin: &str, more: &[(&str, &str)], body: &[u8]| {
        let headers = [&[("origin", origin)], more].concat();
        server.http.send(method, CREATE, &headers, body).await
    };
    let before = [
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type,idempotency-key"),
    ];
    for origin in ["https://studio.example", "http://localhost:5173"] {
        // A browser asks first, and without the key.
        let headers = [&[("origin", origin)], before.as_slice()].concat();
        let asked = server.http.without_key().send("OPTIONS", CREATE, &headers, b"").await;
        assert_eq!((asked.status, asked.body.len()), (204, 0));
        assert_eq!(asked.header("access-control-allow-origin"), Some(origin));
        assert!(words(&asked, "access-control-allow-methods").contains(&"post".to_owned()));
        let sent = words(&asked, "access-control-allow-headers");
        for name in ["authorization", "content-type", "idempotency-key", "onepath-user", "prefer"] {
            assert!(sent.contains(&name.to_owned()), "{name}");
        }
        let list = ask("GET", origin, &[], b"").await;
        assert_eq!(list.status, 200);
        assert_eq!(list.header("access-control-allow-origin"), Some(origin));
        assert!(words(&list, "vary").contains(&"origin".to_owned()));
        let read = words(&list, "access-control-expose-headers");
        for name in ["location", "etag", "link", "retry-after", "ratelimit"] {
            assert!(read.contains(&name.to_owned()), "{name}");
        }
        // A page also reads what went wrong.
        let wrong = ask("POST", origin, &[("content-type", "application/json")], b"{").await;
        wrong.assert_problem(400, "MALFORMED_JSON");
        assert_eq!(wrong.header("access-control-allow-origin"), Some(origin));
        assert_eq!(list.header("access-control-allow-credentials"), None);
    }
    for origin in ["https://evil.example", "https://studio.example.evil", "null", "*"] {
        let headers = [&[("origin", origin)], before.as_slice()].concat();
        let asked = server.http.without_key().send("OPTIONS", CREATE, &headers, b"").await;
        asked.assert_problem(405, "METHOD_NOT_ALLOWED");
        for reply in [asked, ask("GET", origin, &[], b"").await] {
            for name in ["origin", "methods", "headers", "credentials"] {
                let header = format!("access-control-allow-{name}");
                assert_eq!(reply.header(&header), None, "{origin}");
            }
            assert!(words(&reply, "vary").contains(&"origin".to_owned()), "one answer an origin");
        }
    }
    server.stop().await;
    // Without a list nobody else's page may call.
    let server = Running::start(&folder).await;
    let list = server.http.send("GET", CREATE, &[("origin", "https://studio.example")], b"").await;
    assert_eq!((list.status, list.header("access-control-allow-origin")), (200, None));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_calls_as_often_as_it_may() {
    let folder = Folder::new();
    let rate = |quota| Rate::new(quota, Duration::from_secs(3600));
    let rates = Rates { calls: rate(5), creates: rate(2) };
    let server = with_door(&folder, Door { rates, ..Door::default() }).await;
    let first = server.http.post(CREATE, &picture("one")).await;
    assert_eq!(first.status, 202);
    assert_eq!(
        first.header("ratelimit-policy"),
        Some("\"creates\";q=2;w=3600, \"calls\";q=5;w=3600")
    );
    assert_eq!(first.header("ratelimit"), Some("\"creates\";r=1;t=1800, \"calls\";r=4;t=720"));
    // A call that the path refuses was a call all the same.
    server.http.post(CREATE, &json!({})).await.assert_problem(400, "STRUCTURED_CONFIG_REQUIRED");
    let refused = server.http.post(CREATE, &picture("two")).await;
    let problem = refused.assert_problem(429, "RATE_LIMITED");
    assert_eq!(problem["limit"]["name"], "creates");
    assert_eq!(
        (&problem["limit"]["allowed"], &problem["limit"]["remaining"]),
        (&json!(2), &json!(0))
    );
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1790..=1800).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").unwrap().starts_with("\"creates\";r=0;"));
    // Reading goes on until its own rate ends, for each key.
    for left in [2, 1, 0] {
        let list = server.http.get(CREATE).await;
        assert_eq!(list.status, 200);
        let told = list.header("ratelimit").unwrap().to_owned();
        assert!(told.starts_with(&format!("\"calls\";r={left};")), "{told}");
    }
    let problem = server.http.get(CREATE).await.assert_problem(429, "RATE_LIMITED");
    assert_eq!(problem["limit"]["name"], "calls");
    let events = format!("{CREATE}/events?token=backend");
    server.http.without_key().get(&events).await.assert_problem(429, "RATE_LIMITED");
    let ada = server.http.with_key("ada").get(CREATE).await;
    assert_eq!(ada.header("ratelimit").map(|told| told.starts_with("\"calls\";r=4;")), Some(true));
    // Whoever has no key is not counted, and health never is.
    server.http.without_key().get(CREATE).await.assert_problem(401, "UNAUTHENTICATED");
    let health = server.http.get("/healthz").await;
    assert_eq!((health.status, health.header("ratelimit")), (200, None));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_endless_requests_end() {
    let folder = Folder::new();
    let patience = Patience { head: Duration::from_millis(300), body: Duration::from_millis(100) };
    let server = with_door(&folder, Door { patience, ..Door::default() }).await;
    let address = server.http.address();
    let begin = |head: &str| format!("POST {CREATE} HTTP/1.1\r\nhost: {address}\r\n{head}");
    let key = "authorization: Bearer backend\r\ncontent-type: application/json\r\n";
    // A body that does not come to its end is told so.
    let slow = begin(&format!("{key}content-length: 100\r\nconnection: close\r\n\r\n{{\"config\""));
    let reply = server.http.raw(slow.as_bytes()).await;
    reply.assert_problem(408, "REQUEST_TIMEOUT");
    // A head that does not is not waited for.
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(begin("x-slow: ").as_bytes()).await.unwrap();
    let mut said = Vec::new();
    within("the connection ends", connection.read_to_end(&mut said)).await.unwrap();
    assert_eq!(said, b"");
    // Nor is a long one read to its end.
    let long = begin(&format!("x-long: {}\r\n\r\n", "x".repeat(300_000)));
    assert_eq!(server.http.raw(long.as_bytes()).await.status, 431);
    let many = begin(&format!("{}\r\n", "x-one: 1\r\n".repeat(101)));
    assert_eq!(server.http.raw(many.as_bytes()).await.status, 431);
    assert_eq!(server.http.get("/healthz").await.status, 200);
    server.stop().await;
}
