//! What nobody is told: what people wrote, and what opens doors.

use onepath_server::provider::ProviderSettings;
use onepath_server::{Server, Settings};
use serde_json::{Value, json};

use super::super::logs::Captured;
use super::super::{Folder, Running, assets, merged, picture, settings};

const CREATE: &str = "/api/v1/generations";

/// Puts a canary into every text of a value, and counts them; words that must be known stay.
fn canaries(value: &mut Value, count: &mut usize) {
    match value {
        Value::String(text) if text.is_empty() || text.starts_with("*") => {
            *count += 1;
            *text = format!("canary{count}x{}", text.trim_start_matches('*'));
        }
        Value::Array(all) => all.iter_mut().for_each(|one| canaries(one, count)),
        Value::Object(all) => all.values_mut().for_each(|one| canaries(one, count)),
        _ => {}
    }
}

/// S8: whatever people write into whichever field, and whatever opens a door, stands in no log line,
/// metric or trace, however much is logged.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s8_what_people_write_stands_in_no_log() {
    let captured = Captured::start();
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let mut whole = merged(
        picture("*"),
        json!({
            "name": "*", "description": "*", "world_id": "*", "workspace_id": "*",
            "config": {
                "negativePrompt": "*",
                "style": { "local": { "mood": "*", "note": "*" }, "pixverse": { "model": "*" } },
            },
            "from_scene": { "id": "*", "name": "*", "tags": ["*"] },
            "to_scene": { "id": "*", "name": "*" },
            "player_context": { "playerId": "*", "playthroughId": "*", "flags": { "*": "*" } },
            "session": { "id": "*", "stats": { "*": { "affinity": 1 } }, "flags": { "a": "*" } },
            "npc_ids": ["*"],
            "npcs": [{ "id": "*", "name": "*" }],
            "variables": { "who": "*" },
        }),
    );
    let mut count = 0;
    canaries(&mut whole, &mut count);
    assert!(count > 20);
    let http = &server.http;
    let headers = [("content-type", "application/json"), ("idempotency-key", "canary-idempotency")];
    let sent = http.send("POST", CREATE, &headers, whole.to_string().as_bytes()).await;
    assert!([202, 422].contains(&sent.status), "{}", sent.text());
    // The same without what this provider does not take: it is carried out, fails, and is tried again.
    let mut plain = merged(
        picture("*"),
        json!({
            "name": "*", "description": "*", "workspace_id": "*",
            "config": { "strategy": "always", "style": { "local": { "fail": "content_filtered" } } },
            "player_context": { "playerId": "*", "flags": { "met": "*" } },
        }),
    );
    canaries(&mut plain, &mut count);
    let id = server.created(&plain).await;
    server.when_over(&id).await;
    let path = format!("{CREATE}/{id}");
    let patch = json!({ "name": "canary-name", "tags": ["canary-tag"], "description": "canary-d" });
    http.send("PATCH", &path, &headers[..1], patch.to_string().as_bytes()).await;
    http.get(&format!("{CREATE}?q=canary-query&workspace_id=canary-space")).await;
    http.get("/api/v1/canary-path?token=canary-token").await;
    http.with_key("canary-key").get(CREATE).await.assert_problem(401, "UNAUTHENTICATED");
    http.post_text(CREATE, b"{\"config\": canary-broken").await;
    http.send(
        "POST",
        CREATE,
        &[("content-type", "application/json"), ("onepath-user", "some-player")],
        picture("canary-prompt").to_string().as_bytes(),
    )
    .await;
    let png = assets::png(5, 4);
    let upload =
        [("content-type", "image/png"), ("content-disposition", "filename=canary-file.png")];
    http.send("POST", "/api/v1/assets", &upload, &png).await;
    http.send("POST", "/api/v1/assets", &[("content-type", "image/png")], b"canary-bytes").await;
    let endpoint = json!({ "url": "https://hooks.example.com/canary-hook?secret=canary-secret" });
    http.post("/api/v1/webhook-endpoints", &endpoint).await;
    let text = captured.text();
    assert!(text.contains(&id), "the log is looked at");
    let metrics = http.get("/metrics").await.text();
    assert!(metrics.contains("onepath_"));
    for (what, text) in [("a log line", &text), ("a metric", &metrics)] {
        let found = text.lines().find(|line| line.contains("canary"));
        assert_eq!(found, None, "{what} tells what somebody wrote");
    }
    server.stop().await;
}

/// S15: what is told of a configuration has no secret in it, and a secret that everybody can read is
/// none.
#[tokio::test(flavor = "multi_thread")]
async fn sec_s15_a_configuration_tells_no_secret() {
    let folder = Folder::new();
    let mut told = settings(&folder);
    told.database = Some("postgres://onepath:canary@db.example/onepath".to_owned());
    told.providers = ProviderSettings::default().with_variable("REPLICATE_API_TOKEN", "canary");
    assert!(!format!("{told:?}").contains("canary"), "{told:?}");
    let server = Server::open(&settings(&folder)).unwrap();
    let key = std::fs::read(folder.as_ref().join("signing.key")).unwrap();
    let shown = format!("{server:?} {:?}", server.service());
    let bytes = format!("{key:?}");
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
    drop(server);
    #[cfg(unix)]
    for name in ["signing.key", "accounts.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        let file = folder.as_ref().join(name);
        let mode = |mode: u32| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            Server::open(&Settings::new(folder.as_ref())).map(drop)
        };
        let kept = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(kept & 0o777, 0o600, "{name}");
        let refused = mode(0o604).unwrap_err().to_string();
        assert!(refused.contains(name) && refused.contains("chmod"), "{refused}");
        mode(0o600).unwrap();
    }
}
