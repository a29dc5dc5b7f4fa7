//! The ways in which a provider fails, and what becomes of them (contract §10).

use std::time::Duration;

use onepath_server::Settings;
use serde_json::{Value, json};

use super::{Folder, Running, merged, picture_with, settings};

/// Settings under which runs end soon.
fn impatient(folder: &Folder) -> Settings {
    let mut settings = settings(folder);
    settings.attempts = 2;
    settings.worker.deadline = Duration::from_millis(300);
    settings
}

fn failing(fail: &str, mode: &Value) -> Value {
    let wish = picture_with(&format!("{fail} {mode}"), json!({ "fail": fail }));
    merged(wish, json!({ "config": { "fallback": mode } }))
}

fn modes() -> [(Value, &'static str); 4] {
    [
        (json!({ "mode": "retry", "maxRetries": 5 }), "failed"),
        (json!({ "mode": "skip" }), "completed"),
        (json!({ "mode": "placeholder" }), "completed"),
        (json!({ "mode": "default_content", "defaultContentId": "still" }), "completed"),
    ]
}

/// Codes of attempts.
fn attempts(seen: &Value) -> Vec<&str> {
    let list = seen["attempts"].as_array().unwrap();
    list.iter().map(|one| one["error_code"].as_str().unwrap_or("none")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_the_same_again_ends_at_once() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    for fail in [
        "param_invalid",
        "param_too_long",
        "content_prompt_rejected",
        "content_image_rejected",
        "provider_auth",
    ] {
        let wish = failing(fail, &json!({ "mode": "retry", "maxRetries": 5 }));
        let id = server.created(&wish).await;
        let ended = server.when_over(&id).await;
        assert_eq!((&ended["status"], &ended["error_code"]), (&json!("failed"), &json!(fail)));
        assert_eq!(attempts(&ended), [fail]);
        assert_eq!((&ended["assets"], &ended["reusable"]), (&json!([]), &json!(false)));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_help_again_spends_the_attempts_and_falls_back_as_asked() {
    let folder = Folder::new();
    let mut settings = settings(&folder);
    settings.attempts = 2;
    let server = Running::with(&settings).await;
    let fail = "content_output_rejected";
    let mut ids = Vec::new();
    for (mode, status) in modes() {
        ids.push((server.created(&failing(fail, &mode)).await, mode, status));
    }
    for other in [
        "content_filtered",
        "provider_timeout",
        "output_missing",
        "provider_unavailable",
        "provider_generic",
    ] {
        let mode = json!({ "mode": "retry" });
        ids.push((server.created(&failing(other, &mode)).await, mode, "failed"));
    }
    for (id, mode, status) in ids {
        let ended = server.when_over(&id).await;
        assert_eq!(ended["status"], status, "{ended:#}");
        let code = ended["error_code"].as_str().unwrap();
        assert_eq!(attempts(&ended), [code, code], "two, as the operator allows");
        assert_eq!(ended["assets"], json!([]));
        if status == "completed" {
            assert_eq!((&ended["fallback"], code), (&mode["mode"], fail));
            // It stands in for its own node, and answers nobody else.
            assert_eq!(ended["reusable"], false);
            let again = server.created(&failing(fail, &mode)).await;
            assert_ne!(again, id);
        } else {
            assert_eq!(ended.get("fallback"), None);
        }
    }
    // A budget of one's own within the operator's.
    let once = failing("content_filtered", &json!({ "mode": "retry", "maxRetries": 0 }));
    let id = server.created(&once).await;
    assert_eq!(attempts(&server.when_over(&id).await), ["content_filtered"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_room_defers_without_spending() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    for fail in ["provider_quota", "provider_rate_limit", "provider_concurrent_limit"] {
        let id = server.created(&failing(fail, &json!({ "mode": "retry" }))).await;
        let waits = server
            .when(&id, "deferred", |seen| seen["error_code"] == fail && seen["status"] == "pending")
            .await;
        assert!(waits["deferred_until"].is_string(), "{waits:#}");
        let path = format!("/api/v1/generations/{id}/cancel");
        let ended = server.http.send("POST", &path, &[], b"").await.json();
        assert_eq!(ended["status"], "cancelled");
    }
    server.stop().await;
}

/// Nothing is sent again before the provider was asked; what stays unknown ends without a charge.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_ends_as_unknown() {
    let folder = Folder::new();
    let server = Running::with(&impatient(&folder)).await;
    let retry = json!({ "mode": "retry", "maxRetries": 5 });
    let id = server.created(&failing("submit_unknown", &retry)).await;
    let ended = server.when_over(&id).await;
    assert_eq!(
        (&ended["status"], &ended["error_code"]),
        (&json!("failed"), &json!("submit_unknown"))
    );
    assert_eq!(attempts(&ended), ["submit_unknown"], "one attempt, whatever its policy");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_stopped() {
    let folder = Folder::new();
    let server = Running::with(&impatient(&folder)).await;
    let retry = json!({ "mode": "retry" });
    let mut ids = Vec::new();
    for (fail, code) in [
        ("hang", "provider_timeout"),
        ("unknown", "provider_timeout"),
        ("storage_failed", "storage_failed"),
    ] {
        ids.push((server.created(&failing(fail, &retry)).await, code));
    }
    for (id, code) in ids {
        let ended = server.when_over(&id).await;
        assert_eq!((&ended["status"], &ended["error_code"]), (&json!("failed"), &json!(code)));
        assert_eq!(attempts(&ended), [code]);
    }
    server.stop().await;
}
