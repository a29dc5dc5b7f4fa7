//! Telemetry says what rows and ledger say.

use std::collections::BTreeSet;

use onepath_server::telemetry::metrics::NAMES;
use serde_json::{Value, json};

use super::{Folder, Running, picture, picture_with};

const PROVIDERS: &str = "/api/v1/generations/telemetry/providers";

#[tokio::test]
async fn telemetry_agrees_with_the_rows_and_survives_a_restart() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let mut took = Vec::new();
    for number in 0..5 {
        let id = server.created(&picture(&format!("picture {number}"))).await;
        took.push(server.when_over(&id).await);
    }
    let refused = picture_with("refused", json!({ "fail": "content_prompt_rejected" }));
    let id = server.created(&refused).await;
    assert_eq!(server.when_over(&id).await["status"], "failed");
    // Answers from what exists are no runs.
    server.create(&picture("picture 1")).await;

    let told = server.http.get(PROVIDERS).await.json();
    assert_eq!(told["window"], "24h");
    let local = &told["providers"][0];
    assert_eq!(local["provider_id"], "local", "{told}");
    for (name, expected) in [("total", 6), ("completed", 5), ("failed", 1), ("cancelled", 0)] {
        assert_eq!(local[name], expected, "{name}: {local}");
    }
    assert_eq!(local["errors"], json!({ "content_prompt_rejected": 1 }));
    assert_eq!(local["cost_micros"], 0, "`local` costs nothing");
    assert_eq!(local["operations"]["text_to_image"]["total"], 6);
    // The slowest of five is their p99.
    let millis = |row: &Value| {
        let at = |name: &str| {
            let text = row["timings"][name].as_str().unwrap();
            text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
        };
        at("completed_at") - at("started_at")
    };
    let slowest = took.iter().map(millis).max().unwrap().max(1) as f64;
    let p99 = local["latency_ms"]["p99"].as_f64().unwrap();
    assert!((p99 - slowest).abs() <= slowest * 0.01 + 0.1, "{p99} for {slowest}");
    assert_eq!(local["latency_ms"]["count"], 5);
    assert_eq!(local["queue_wait_ms"]["count"], 6);
    server.stop().await;

    let server = Running::start(&folder).await;
    assert_eq!(server.http.get(PROVIDERS).await.json()["providers"][0]["total"], 6);
    let one = server.http.get(&format!("{PROVIDERS}/local?window=1h")).await.json();
    assert_eq!(
        (&one["total"], &one["operations"]["text_to_image"]["failed"]),
        (&json!(6), &json!(1))
    );
    let path = "/api/v1/generations/telemetry/operations/text_to_image?window=7d";
    let operation = server.http.get(path).await.json();
    assert_eq!((&operation["total"], &operation["window"]), (&json!(6), &json!("7d")));
    assert_eq!(operation["providers"]["local"]["completed"], 5);

    let elsewhere = server.http.clone().with_key("elsewhere");
    assert_eq!(elsewhere.get(PROVIDERS).await.json()["providers"], json!([]), "another's wall");
    let user = server.http.clone().with_key("ada");
    assert_eq!(user.get(PROVIDERS).await.status, 403);
    for (path, status) in [
        (format!("{PROVIDERS}/nobody"), 404),
        (format!("{PROVIDERS}?window=1y"), 422),
        (format!("{PROVIDERS}?windows=1h"), 422),
        ("/api/v1/generations/telemetry/operations/sculpt".to_owned(), 404),
    ] {
        assert_eq!(server.http.get(&path).await.status, status, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn prometheus_reads_every_metric_that_is_named() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let id = server.created(&picture("a prompt that no metric may hold")).await;
    server.when_over(&id).await;
    // One that is on its way all the time.
    server.created(&picture_with("waits", json!({ "fail": "hang" }))).await;
    let mut broken = picture("short");
    broken["config"]["duration"] = json!({ "min": 4, "max": 2 });
    assert_eq!(server.http.post("/api/v1/generations/validate", &broken).await.status, 200);
    assert_eq!(server.http.clone().with_key("ada").get("/metrics").await.status, 403);
    assert_eq!(server.http.clone().with_key("nobody").get("/metrics").await.status, 401);
    let text = server.http.get("/metrics").await.text();
    let mut typed = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            typed.insert(name.to_owned());
        }
    }
    for name in NAMES {
        assert!(typed.contains(name), "{name} is not told:\n{text}");
    }
    assert!(
        text.contains(r#"onepath_cache_requests_total{strategy="once",outcome="miss"}"#),
        "{text}"
    );
    assert!(text.contains(r#"code="duration/min-exceeds-max""#), "{text}");
    for secret in ["a prompt", &id, "game", "studio"] {
        assert!(!text.contains(secret), "{secret} stands in a label");
    }
    server.stop().await;
}

/// What the dashboard draws is there.
#[test]
fn every_metric_of_the_dashboard_exists() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/grafana.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut drawn = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
            for name in expression.split(word).filter(|name| name.starts_with("onepath_")) {
                let base = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end))
                    .unwrap_or(name);
                assert!(NAMES.contains(&base), "{name} of {}", panel["title"]);
                drawn.insert(base.to_owned());
            }
        }
    }
    for name in NAMES.iter().filter(|name| **name != "onepath_build_info") {
        assert!(drawn.contains(*name), "nobody draws {name}");
    }
}
