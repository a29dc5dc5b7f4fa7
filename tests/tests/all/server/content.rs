//! What engines of before know: `GenerateContentResponse`, for whoever accepts its media type.

use serde_json::{Value, json};

use super::http::Reply;
use super::{Folder, Running, merged, picture, picture_with};

const CREATE: &str = "/api/v1/generations";
const CONTENT: &str = "application/vnd.onepath.content+json";

fn fits(value: &Value) {
    let document = onepath_server::http::openapi();
    let schema = json!({
        "$ref": "#/components/schemas/GenerateContentResponse",
        "components": document["components"],
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?} in {value:#}");
}

async fn ask(server: &Running, method: &str, path: &str, body: &[u8], prefer: &str) -> Reply {
    let accept = format!("text/html;q=0.1, {CONTENT};q=0.9");
    let headers =
        [("accept", accept.as_str()), ("content-type", "application/json"), ("prefer", prefer)];
    let reply = server.http.send(method, path, &headers, body).await;
    assert_eq!(reply.header("content-type"), Some(CONTENT), "{}", reply.text());
    assert_eq!(reply.header("vary"), Some("accept"));
    fits(&reply.json());
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_is_answered_as_engines_of_before_know_it() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = merged(
        picture("a house"),
        json!({
            "config": {
                "generationType": "npc_response", "imageUrl": "asset:1", "duration": { "target": 2 },
                "style": { "moodTo": "calm" },
            },
            "npcs": [{ "id": "bram", "expression": "smile", "intensity": 0.7 }],
            "npc_ids": ["bram"],
        }),
    );
    let later = merged(wish.clone(), json!({ "scheduled_at": "2999-01-01T00:00:00Z" }));
    let waits = ask(&server, "POST", CREATE, later.to_string().as_bytes(), "").await;
    assert_eq!(waits.status, 202);
    let queued = waits.json();
    assert_eq!((&queued["status"], queued.get("content")), (&json!("queued"), None));
    let id = queued["job_id"].as_str().unwrap().to_owned();
    assert_eq!(waits.header("location"), Some(format!("{CREATE}/{id}").as_str()));
    // Joined without the schedule: it is made now, and this call waits for it.
    let done = ask(&server, "POST", CREATE, wish.to_string().as_bytes(), "wait=30").await;
    assert_eq!((done.status, done.header("preference-applied")), (200, Some("wait")));
    let done = done.json();
    assert_eq!((&done["status"], &done["job_id"]), (&json!("complete"), &json!(id)));
    assert_eq!(done["deterministic"], true);
    assert!(done["cost"]["time_ms"].is_u64());
    let content = &done["content"];
    assert_eq!((&content["type"], &content["duration"]), (&json!("npc_response"), &json!(2.0)));
    assert_eq!((&content["expression"], &content["emotion"]), (&json!("smile"), &json!("neutral")));
    assert_eq!(
        (&content["intensity"], &content["metadata"]["mood"]),
        (&json!(0.7), &json!("calm"))
    );
    assert_eq!(content["metadata"]["cache_key"], done["cache_key"]);
    let url = content["url"].as_str().unwrap();
    assert_eq!(server.http.without_key().get(url).await.status, 200);
    // The same under its own path, and what everybody else gets is as ever.
    let path = format!("{CREATE}/{id}");
    let again = ask(&server, "GET", &path, b"", "").await.json();
    assert_eq!(again["content"]["type"], "npc_response");
    assert_eq!(server.get(&id).await["status"], "completed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_not_be_there_says_why() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    for (mode, fail, code) in [
        ("retry", "content_prompt_rejected", "content_prompt_rejected"),
        ("placeholder", "param_invalid", "param_invalid"),
    ] {
        let wish = picture_with(mode, json!({ "fail": fail }));
        let wish = merged(wish, json!({ "config": { "fallback": { "mode": mode } } }));
        let id = server.created(&wish).await;
        server.when_over(&id).await;
        let seen = ask(&server, "GET", &format!("{CREATE}/{id}"), b"", "").await.json();
        assert_eq!((&seen["status"], &seen["error"]["code"]), (&json!("failed"), &json!(code)));
        assert!(seen["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!(seen.get("content"), None);
    }
    let id = server.created(&picture_with("x", json!({ "fail": "hang" }))).await;
    server.http.send("POST", &format!("{CREATE}/{id}/cancel"), &[], b"").await;
    server.when_over(&id).await;
    let seen = ask(&server, "GET", &format!("{CREATE}/{id}"), b"", "").await.json();
    assert_eq!((&seen["status"], &seen["error"]["code"]), (&json!("failed"), &json!("cancelled")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_is_a_page_of_the_server() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let http = server.http.without_key();
    for (path, media_type) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/page.js", "text/javascript; charset=utf-8"),
        ("/docs/page.css", "text/css; charset=utf-8"),
        ("/openapi.json", "application/json"),
        ("/schema/create-generation-request.schema.json", "application/schema+json"),
    ] {
        let reply = http.get(path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(media_type)), "{path}");
        let tag = reply.header("etag").unwrap().to_owned();
        let known = http.send("GET", path, &[("if-none-match", &tag)], b"").await;
        assert_eq!((known.status, known.body.len()), (304, 0), "{path}");
        let other = http.send("GET", path, &[("if-none-match", "\"x\"")], b"").await;
        assert_eq!(other.status, 200);
        if path.starts_with("/docs") {
            let policy = reply.header("content-security-policy").unwrap();
            assert!(
                policy.contains("default-src 'none'") && !policy.contains("unsafe"),
                "{policy}"
            );
            assert!(!reply.text().contains("https://"), "nothing comes from elsewhere");
            assert!(!reply.text().contains("innerHTML"), "texts are set as text");
        }
    }
    server.stop().await;
}
