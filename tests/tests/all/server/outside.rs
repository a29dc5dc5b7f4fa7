//! What came from outside is not called, and URLs that were changed open nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::net::TcpListener;

use super::assets::{png, upload};
use super::{Folder, Running, merged, picture};

/// Listens, and counts whoever connects.
async fn canary() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            seen.fetch_add(1, Ordering::Relaxed);
        }
    });
    (port, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_s1_nothing_of_our_own_network_is_called() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let (port, count) = canary().await;
    let hosts = [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "172.16.0.1",
        "198.18.0.1",
        "[fd00::1]",
        "[fe80::1]",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "metadata.google.internal",
        "router",
        "127。0。0。1",
        "user@127.0.0.1",
        "example.com@127.0.0.1",
    ];
    let mut refused = 0;
    for host in hosts {
        for url in [
            format!("http://{host}:{port}/"),
            format!("https://{host}:{port}/"),
            format!("https://{host}/"),
        ] {
            let reply = server.http.post("/api/v1/webhook-endpoints", &json!({ "url": url })).await;
            assert_eq!(reply.status, 422, "{url}: {}", reply.text());
            refused += 1;
        }
    }
    assert!(refused >= 60, "{refused}");
    // A picture that a wish names is its provider's to fetch, never this server's.
    let wish = merged(
        picture("waves"),
        json!({ "config": {
            "generationType": "image_to_video", "imageUrl": format!("http://127.0.0.1:{port}/x.png"),
        } }),
    );
    let reply = server.http.post("/api/v1/generations", &wish).await;
    if reply.status == 202 {
        server.when_over(reply.json()["id"].as_str().unwrap()).await;
    }
    assert_eq!(count.load(Ordering::Relaxed), 0, "nobody was called");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_s7_a_signed_url_opens_what_it_was_signed_for() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let ada = server.http.with_key("ada");
    let asset = upload(&ada, &png(20, 10)).await.json();
    let other = upload(&server.http.with_key("ben"), &png(21, 10)).await.json();
    let url = asset["url"].as_str().unwrap();
    let http = server.http.without_key();
    assert_eq!(http.get(url).await.status, 200);
    let query = url.find('?').unwrap() + 1;
    for at in query..url.len() {
        let old = url.as_bytes()[at];
        let new = if old == b'0' { "1" } else { "0" };
        if matches!(old, b'&' | b'=') {
            continue;
        }
        let mut forged = url.to_owned();
        forged.replace_range(at..=at, new);
        http.get(&forged).await.assert_problem(403, "FORBIDDEN");
    }
    let (id, others) = (asset["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    for forged in [
        url.replace(id, others),
        url.replace("/file?", "/thumbnail?"),
        url.replace("reader=", "reader=00"),
        url.replace("expires=", "expires=9"),
        format!("{url}&expires=9999999999999"),
        url.replace("signature=", "x="),
    ] {
        let reply = http.get(&forged).await;
        assert!(
            matches!(reply.status, 403) || forged.ends_with("&expires=9999999999999"),
            "{forged}: {}",
            reply.status
        );
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let reply = http.send(method, url, &[], b"").await;
        assert!(matches!(reply.status, 401 | 405), "{method}: {}", reply.status);
    }
    for path in ["", "/lineage", "/sync"] {
        let open = format!("/api/v1/assets/{id}{path}?{}", url.split_once('?').unwrap().1);
        let reply = http.get(&open).await;
        assert!(matches!(reply.status, 401 | 405), "{path}: {}", reply.status);
    }
    // Whoever lost the asset has a URL that opens nothing.
    assert_eq!(ada.send("DELETE", &format!("/api/v1/assets/{id}"), &[], b"").await.status, 204);
    let gone = http.get(url).await;
    assert!(matches!(gone.status, 401 | 404), "{}", gone.text());
    server.stop().await;
}
