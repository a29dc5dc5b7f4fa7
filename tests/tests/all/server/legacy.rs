//! Who still calls the old API: counted by key and route, told to operators, kept over restarts.

use onepath_server::Server;
use onepath_server::store::{Reader, Role};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;

use super::{Folder, KEYS, Running, settings};

const REPORT: &str = "/api/v1/legacy/report";

async fn start(folder: &Folder) -> Running {
    let server = Server::open(&settings(folder)).unwrap();
    let admin = ("operator", "operators", "eve", Role::Admin);
    for (key, tenant, user, role) in KEYS.into_iter().chain([admin]) {
        let reader = Reader { tenant: tenant.to_owned(), user: user.to_owned() };
        server.add_key(key, key, reader, role).await.unwrap();
    }
    Running::serve(server).await
}

/// Who called what how often.
fn lines(report: &Value) -> Vec<(String, String, u64)> {
    let word = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let callers = report["callers"].as_array().unwrap().iter();
    let mut lines: Vec<_> = callers
        .map(|line| (word(line, "key_name"), word(line, "route"), line["calls"].as_u64().unwrap()))
        .collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_told_who_still_calls_what() {
    let folder = Folder::new();
    let server = start(&folder).await;
    let (operator, ada) = (server.http.with_key("operator"), server.http.with_key("ada"));
    let report = operator.get(REPORT).await.json();
    assert_eq!((&report["callers"], &report["last_call_at"]), (&json!([]), &Value::Null));
    let wish = json!({ "operation_type": "text_to_image", "provider_id": "local",
        "params": { "prompt": "a pier" } });
    let made = ada.post("/api/v1/jobs", &wish).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = format!("/api/v1/jobs/{}", made.json()["id"]);
    ada.get(&path).await;
    ada.get(&path).await;
    // Who calls in vain calls too; who has no key is nobody.
    server.http.get("/api/v1/jobs/0").await.assert_problem(404, "NOT_FOUND");
    server.http.send("DELETE", "/api/v1/jobs/0", &[], b"").await;
    server.http.get("/api/v1/jobs").await;
    server.http.without_key().get("/api/v1/jobs").await.assert_problem(401, "UNAUTHENTICATED");
    for token in ["ben", "nobody"] {
        let url = format!("ws://{}/api/v1/ws/jobs?token={token}", server.http.address());
        drop(connect_async(url).await.unwrap());
    }
    // The new addresses count for nothing.
    ada.get("/api/v1/generations").await;
    let report = operator.get(REPORT).await.json();
    let all = [
        ("ada", "GET /api/v1/jobs/{id}", 2),
        ("ada", "POST /api/v1/jobs", 1),
        ("backend", "DELETE /api/v1/jobs/{id}", 1),
        ("backend", "GET /api/v1/jobs", 1),
        ("backend", "GET /api/v1/jobs/{id}", 1),
        ("ben", "GET /api/v1/ws/jobs", 1),
    ]
    .map(|(key, route, calls)| (key.to_owned(), route.to_owned(), calls));
    assert_eq!(lines(&report), all);
    assert_eq!((&report["safe"], &report["quiet_days"]), (&json!(false), &json!(30)));
    assert!(report["safe_at"].as_str() > report["last_call_at"].as_str());
    assert!(report["callers"][0].get("tenant").is_some_and(|tenant| tenant == "studio"));
    operator.get(&format!("{REPORT}?days=0")).await.assert_problem(422, "VALIDATION_ERROR");
    ada.get(REPORT).await.assert_problem(403, "FORBIDDEN");
    server.stop().await;

    // It is kept.
    let server = start(&folder).await;
    let operator = server.http.with_key("operator");
    assert_eq!(lines(&operator.get(REPORT).await.json()), all);
    server.stop().await;
}
