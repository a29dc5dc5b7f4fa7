//! What is wrong, where, and what to do: a problem document for everything.

use serde_json::{Value, json};

use super::{Folder, Running, faults, merged, picture};

const CREATE: &str = "/api/v1/generations";

/// Line, column and offset of a problem's one fault.
fn place(problem: &Value) -> (u64, u64, u64) {
    let of = |name: &str| problem["errors"][0][name].as_u64().unwrap();
    (of("line"), of("column"), of("offset"))
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cannot_be_read() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let http = &server.http;
    for path in [CREATE, "/api/v1/generations/validate", "/api/v1/generations/preflight"] {
        let broken = http.post_text(path, b"{\"config\": {\"prompt\": }}").await;
        let problem = broken.assert_problem(400, "MALFORMED_JSON");
        assert_eq!(problem["errors"][0]["pointer"], "/config/prompt", "{problem}");
        assert_eq!(place(&problem), (1, 23, 22), "{problem}");
        http.post_text(path, b"").await.assert_problem(400, "MALFORMED_JSON");
        let later = "{\"name\": \"é\",\n \"config\" 1}";
        let problem = http.post_text(path, later.as_bytes()).await;
        let problem = problem.assert_problem(400, "MALFORMED_JSON");
        assert_eq!(place(&problem), (2, 11, 25), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("line 2, column 11"), "{problem}");
        let not_utf8 = http.post_text(path, b"{\"name\": \"\xff\"}").await;
        let problem = not_utf8.assert_problem(400, "MALFORMED_JSON");
        assert!(problem["detail"].as_str().unwrap().contains("UTF-8"), "{problem}");
        assert_eq!(place(&problem), (1, 11, 10), "{problem}");
        let plain = http.send("POST", path, &[("content-type", "text/plain")], b"{}").await;
        plain.assert_problem(415, "UNSUPPORTED_MEDIA");
        http.send("POST", path, &[], b"{}").await.assert_problem(415, "UNSUPPORTED_MEDIA");
        let media = [("content-type", "application/json"), ("content-length", "1048577")];
        http.send("POST", path, &media, b"").await.assert_problem(413, "PAYLOAD_TOO_LARGE");
        let media = [("content-type", "application/json"), ("transfer-encoding", "chunked")];
        let chunk = format!("100000\r\n{}\r\n1\r\n \r\n0\r\n\r\n", " ".repeat(0x10_0000));
        let large = http.send("POST", path, &media, chunk.as_bytes()).await;
        large.assert_problem(413, "PAYLOAD_TOO_LARGE");
        let list = http.post(path, &json!([])).await;
        list.assert_problem(422, "VALIDATION_ERROR");
    }
    // JSON by its suffix, and in chunks, is read.
    let wish = picture("a house").to_string();
    let chunks = format!("{:x}\r\n{wish}\r\n0\r\n\r\n", wish.len());
    let media = [("content-type", "application/x+json; a=b"), ("transfer-encoding", "chunked")];
    assert_eq!(http.send("POST", CREATE, &media, chunks.as_bytes()).await.status, 202);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flat_payloads_are_told_what_to_send() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let flat = json!({ "operation_type": "text_to_image", "prompt": "a house", "params": {} });
    for path in [CREATE, "/api/v1/generations/validate", "/api/v1/generations/preflight"] {
        for payload in [&flat, &json!({}), &json!({ "provider_id": "local" })] {
            let problem = server.http.post(path, payload).await;
            let problem = problem.assert_problem(400, "STRUCTURED_CONFIG_REQUIRED");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("`config`") && detail.contains("/schema/"), "{detail}");
        }
    }
    // What the help names is there.
    let schema = server.http.get("/schema/create-generation-request.schema.json").await;
    assert_eq!((schema.status, schema.json()["type"].as_str()), (200, Some("object")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_an_envelope_is_pointed_at() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = merged(
        picture("a house"),
        json!({
            "nmae": "x",
            "priority": 11,
            "scheduled_at": "tomorrow",
            "name": "x".repeat(256),
            "config": { "promt": "y", "duration": { "min": "1" }, "strategy": "twice" },
            "world": { "meta": { "generation": { "maxContentRating": "none" } } },
        }),
    );
    let reply = server.http.post(CREATE, &wish).await;
    reply.assert_problem(422, "VALIDATION_ERROR");
    let mut found = faults(&reply);
    found.sort();
    let expected = [
        ("envelope/name-too-long", "/name"),
        ("envelope/not-a-time", "/scheduled_at"),
        ("envelope/priority-range", "/priority"),
        ("json/unknown-field", "/config/promt"),
        ("json/unknown-field", "/nmae"),
        ("json/unknown-word", "/config/strategy"),
        ("json/wrong-type", "/config/duration/min"),
        ("rating/unknown-maximum", "/world/meta/generation/maxContentRating"),
    ];
    let expected = expected.map(|(code, pointer)| (code.to_owned(), pointer.to_owned()));
    assert_eq!(found, expected);
    let help = reply.json()["errors"].to_string();
    assert!(help.contains("did you mean `prompt`"), "{help}");

    let problem = async |wish| {
        let reply = server.http.post(CREATE, &wish).await;
        reply.assert_problem(422, "VALIDATION_ERROR");
        faults(&reply).remove(0)
    };
    let mut nobody = picture("a house");
    nobody["provider_id"] = json!(null);
    assert_eq!(problem(nobody).await, ("provider/missing".into(), "/provider_id".into()));
    let other = merged(picture("a house"), json!({ "provider_id": "moon" }));
    assert_eq!(problem(other).await, ("provider/unknown".into(), "/provider_id".into()));
    let built = super::built(&picture("a house")["config"], &json!({ "providerId": "local" }));
    let both = merged(picture("a house"), json!({ "request": built["request"] }));
    assert_eq!(problem(both).await, ("envelope/both".into(), "/request".into()));
    let template = json!({
        "config": {
            "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
            "templateId": "family", "fallback": { "mode": "skip" },
        },
        "provider_id": "local",
    });
    assert_eq!(problem(template).await, ("template/unknown".into(), "/config/templateId".into()));
    let list = server.http.get(CREATE).await.json();
    assert_eq!(list["generations"], json!([]), "nothing of it was stored");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_asked_for_everywhere_but_where_nothing_is_to_hide() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let anybody = server.http.without_key();
    let id = "01990000-0000-7000-8000-000000000000";
    for (method, path) in [
        ("POST", CREATE.to_owned()),
        ("GET", CREATE.to_owned()),
        ("POST", format!("{CREATE}/validate")),
        ("POST", format!("{CREATE}/preflight")),
        ("GET", format!("{CREATE}/{id}")),
        ("POST", format!("{CREATE}/{id}/cancel")),
        ("GET", format!("/api/v1/assets/{id}/file")),
        ("GET", "/api/v1/generation-operations".to_owned()),
        ("GET", "/api/v1/providers".to_owned()),
    ] {
        let reply = anybody.send(method, &path, &[], b"").await;
        reply.assert_problem(401, "UNAUTHENTICATED");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        for header in ["Bearer wrong", "Bearer ", "Basic YTpi", "backend", ""] {
            let reply = anybody.send(method, &path, &[("authorization", header)], b"").await;
            reply.assert_problem(401, "UNAUTHENTICATED");
        }
    }
    for path in ["/healthz", "/readyz", "/version", "/openapi.json"] {
        assert_eq!(anybody.get(path).await.status, 200, "{path}");
    }
    for path in ["/api/v1/generation-operations", "/api/v1/providers"] {
        assert_eq!(server.http.get(path).await.status, 200, "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_anothers_look_the_same() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let own = merged(
        picture("for one"),
        json!({
            "config": { "strategy": "per_player" }, "player_context": { "playerId": "p1" },
        }),
    );
    let own = server.created(&own).await;
    server.when_over(&own).await;
    let shared = server.created(&picture("for all")).await;
    let nothing = "01990000-0000-7000-8000-000000000000";
    let seen = async |key: &str, id: &str| {
        let http = server.http.with_key(key);
        let got = http.get(&format!("{CREATE}/{id}")).await;
        let got = got.assert_problem(404, "NOT_FOUND");
        let cancel = http.send("POST", &format!("{CREATE}/{id}/cancel"), &[], b"").await;
        assert_eq!(cancel.assert_problem(404, "NOT_FOUND"), got);
        got
    };
    let expected = seen("ada", nothing).await;
    assert_eq!(seen("ada", &own).await, expected);
    assert_eq!(seen("elsewhere", &own).await, expected);
    assert_eq!(seen("elsewhere", &shared).await, expected);
    for id in ["x", "..", "%00", "%FF", "a%2Fb", "'%20OR%201=1"] {
        let reply = server.http.get(&format!("{CREATE}/{id}")).await;
        reply.assert_problem(404, "NOT_FOUND");
        let reply = server.http.get(&format!("/api/v1/assets/{id}/file")).await;
        reply.assert_problem(404, "NOT_FOUND");
        let reply = server.http.get(&format!("/schema/{id}")).await;
        reply.assert_problem(404, "NOT_FOUND");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_paths_and_methods() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    for path in ["/", "/api", "/api/v1/generation", "/api/v1/generations/", "/nothing/here"] {
        let problem = server.http.get(path).await.assert_problem(404, "NOT_FOUND");
        assert!(problem["detail"].as_str().unwrap().contains("/openapi.json"));
    }
    for (method, path, allowed) in [
        ("PUT", CREATE, "GET,HEAD,POST"),
        ("PUT", "/api/v1/generations/x", "DELETE,GET,HEAD,PATCH"),
        ("GET", "/api/v1/generations/x/cancel", "POST"),
        ("POST", "/healthz", "GET,HEAD"),
    ] {
        let reply = server.http.send(method, path, &[], b"").await;
        reply.assert_problem(405, "METHOD_NOT_ALLOWED");
        let mut found: Vec<&str> =
            reply.header("allow").unwrap_or("").split(',').map(str::trim).collect();
        found.sort_unstable();
        assert_eq!(found.join(","), allowed, "{method} {path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_acts_for_themselves_only() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let for_player = |player: &str, more| {
        let wish = merged(picture("a portrait"), json!({ "config": { "strategy": "per_player" } }));
        merged(wish, merged(json!({ "player_context": { "playerId": player } }), more))
    };
    let ada = server.http.with_key("ada");
    assert_eq!(ada.post(CREATE, &for_player("ada", json!({}))).await.status, 202);
    for path in [CREATE, "/api/v1/generations/preflight"] {
        let reply = ada.post(path, &for_player("ben", json!({}))).await;
        reply.assert_problem(403, "FORBIDDEN");
        let mut session = for_player("x", json!({ "session": { "user_id": "ben" } }));
        session["player_context"] = json!(null);
        ada.post(path, &session).await.assert_problem(403, "FORBIDDEN");
    }
    let config = &for_player("ben", json!({}))["config"];
    let options = json!({ "providerId": "local", "playerContext": { "playerId": "ben" } });
    let sent = super::built(config, &options);
    ada.post(CREATE, &sent).await.assert_problem(403, "FORBIDDEN");
    let backend = server.http.post(CREATE, &sent).await;
    assert_eq!(backend.status, 202, "a backend acts for its players: {}", backend.text());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_character_that_cannot_be_kept_is_refused_at_the_door() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = merged(picture("a house"), json!({ "name": "a\u{0}b", "world_id": "\u{0}" }));
    let problem = server.http.post(CREATE, &wish).await.assert_problem(422, "VALIDATION_ERROR");
    let pointers: Vec<&serde_json::Value> =
        problem["errors"].as_array().unwrap().iter().map(|fault| &fault["pointer"]).collect();
    assert_eq!(pointers, ["/name", "/world_id"]);
    server.http.get("/api/v1/generations?q=%00").await.assert_problem(422, "VALIDATION_ERROR");
    server.http.get("/api/v1/generations/a%00b").await.assert_problem(404, "NOT_FOUND");
    server.stop().await;
}
