//! What comes in at the door: bombs, forged origins, floods.

use onepath_server::http::{Door, Origins, Rates};
use onepath_server::limit::Rate;
use onepath_server::store::{ListQuery, Reader};
use serde_json::{Value, json};

use super::super::{Folder, Running, picture, picture_with, settings};

const CREATE: &str = "/api/v1/generations";

/// S9: depth, members, items, texts and sizes are bounded, and a bomb is told what it is.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s9_bombs_of_json_are_refused() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let deep = |open: &str, close: &str| {
        format!("{{\"config\": {}1{}}}", open.repeat(100_000), close.repeat(100_000))
    };
    let members: Vec<String> = (0..20_000).map(|number| format!("\"k{number}\":1")).collect();
    let items = format!("{{\"npc_ids\": [{}]}}", vec!["\"a\""; 50_000].join(","));
    let text = json!({ "config": { "prompt": "x".repeat(200_000) } }).to_string();
    for (what, body) in [
        ("lists in lists", deep("[", "]")),
        ("objects in objects", deep("{\"a\":", "}")),
        ("members", format!("{{\"config\": {{{}}}}}", members.join(","))),
        ("items", items),
        ("a text", text),
    ] {
        let reply = server.http.post_text(CREATE, body.as_bytes()).await;
        assert!([400, 422].contains(&reply.status), "{what}: {} {}", reply.status, reply.text());
        assert!(reply.body.len() < 1 << 20, "{what}: the answer is no bomb either");
    }
    // What is too large is not read to its end, with a length and without.
    let head = |more: &str| {
        format!(
            "POST {CREATE} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer backend\r\n\
             content-type: application/json\r\n{more}\r\nconnection: close\r\n\r\n"
        )
    };
    let declared = server.http.raw(head("content-length: 100000000").as_bytes()).await;
    declared.assert_problem(413, "PAYLOAD_TOO_LARGE");
    let mut chunked = head("transfer-encoding: chunked").into_bytes();
    for _ in 0..40 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend(std::iter::repeat_n(b' ', 0x1_0000));
        chunked.extend_from_slice(b"\r\n");
    }
    server.http.raw(&chunked).await.assert_problem(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(server.http.get("/readyz").await.status, 200);
    server.stop().await;
}

/// S14: no page of another origin makes a call count: not as a form, not as a simple request, not
/// from nowhere, and no cookie is ever a key.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s14_pages_of_other_origins_do_nothing() {
    let folder = Folder::new();
    let mut settings = settings(&folder);
    let origins = Origins::parse(["https://studio.example"]).unwrap();
    settings.door = Door { origins, ..Door::default() };
    let server = Running::with(&settings).await;
    let wish = picture("a house").to_string();
    for origin in ["https://evil.example", "null", "https://studio.example.evil"] {
        let asked = [("origin", origin), ("access-control-request-method", "POST")];
        let asked = server.http.without_key().send("OPTIONS", CREATE, &asked, b"").await;
        assert_eq!(asked.header("access-control-allow-origin"), None, "{origin}");
        let list = server.http.send("GET", CREATE, &[("origin", origin)], b"").await;
        assert_eq!(list.header("access-control-allow-origin"), None, "{origin}");
        assert_eq!(list.header("access-control-allow-credentials"), None);
        for media in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]
        {
            let headers = [("origin", origin), ("content-type", media)];
            let sent = server.http.send("POST", CREATE, &headers, wish.as_bytes()).await;
            assert!([415, 422].contains(&sent.status), "{media}: {}", sent.status);
        }
        // What a browser sends by itself is no key.
        let headers = [
            ("origin", origin),
            ("cookie", "key=backend; authorization=Bearer backend"),
            ("content-type", "application/json"),
        ];
        let sent = server.http.without_key().send("POST", CREATE, &headers, wish.as_bytes()).await;
        sent.assert_problem(401, "UNAUTHENTICATED");
    }
    assert_eq!(server.http.get(CREATE).await.json()["generations"], json!([]));
    server.stop().await;
}

/// S18: who calls too often is told so, and a long queue of one tenant keeps nobody else waiting.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s18_a_flood_of_one_harms_nobody_else() {
    let folder = Folder::new();
    let mut settings = settings(&folder);
    settings.worker.parallel = 1;
    settings.door.rates = Rates { calls: Rate::parse("120/3600").ok(), creates: None };
    let server = Running::with(&settings).await;
    let flood = server.http.with_key("ada");
    let mut limited = 0;
    for number in 0..130 {
        let wish = picture_with(&format!("flood {number}"), json!({ "width": 512, "height": 512 }));
        match flood.post(CREATE, &wish).await.status {
            202 => {}
            429 => limited += 1,
            other => panic!("{other}"),
        }
    }
    assert!(limited >= 1, "the door says when it is enough");
    let calm = server.http.with_key("elsewhere");
    let mine = calm.post(CREATE, &picture("a house")).await;
    assert_eq!(mine.status, 202, "{}", mine.text());
    let path = format!("{CREATE}/{}", mine.json()["id"].as_str().unwrap());
    let wait = [("prefer", "wait=25")];
    let done: Value = calm.send("GET", &path, &wait, b"").await.json();
    assert_eq!(done["status"], "completed", "the other tenant has its turn: {done}");
    // At most what was in hand when it came, and one of the flood for each of its own, came before.
    let end = done["timings"]["completed_at"].as_str().unwrap();
    let came = done["timings"]["created_at"].as_str().unwrap();
    let flooded = Reader { tenant: "studio".to_owned(), user: "ada".to_owned() };
    let all = ListQuery { limit: 500, ..ListQuery::default() };
    let all = server.store.list(&flooded, &all).await.unwrap();
    let between = all.generations.into_iter().filter(|one| {
        let ended = one.row.completed_at.map(onepath_server::clock::rfc3339);
        ended.is_some_and(|at| at.as_str() > came && at.as_str() < end)
    });
    let between = between.count();
    assert!(between <= 3, "{between} of the flood came first");
    server.stop().await;
}
