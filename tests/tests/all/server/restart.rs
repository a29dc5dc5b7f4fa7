//! What was acknowledged outlives the process.

use std::time::Duration;

use onepath_core::Rating;
use onepath_core::lifecycle::Event;
use onepath_server::Server;
use onepath_server::provider::Submission;
use onepath_server::service::{Call, Caller};
use onepath_server::store::{Advance, Claim, Reader, Role, Viewer};
use serde_json::json;

use super::{Folder, Running, picture, picture_with, settings};

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_there_after_a_restart() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = picture("a house");
    let id = server.created(&wish).await;
    let before = server.when_over(&id).await;
    let url = before["assets"][0]["url"].as_str().unwrap().to_owned();
    server.stop().await;
    // Without adding keys: they were kept, and so was the secret of the URLs.
    let server = Running::serve(Server::open(&settings(&folder)).unwrap()).await;
    let mut after = server.get(&id).await;
    after["assets"][0]["url"] = before["assets"][0]["url"].clone();
    assert_eq!(after, before);
    assert_eq!(server.http.without_key().get(&url).await.status, 200);
    let hit = server.create(&wish).await;
    assert_eq!((&hit["answer"], &hit["id"]), (&json!("cache"), &json!(id)));
    server
        .http
        .with_key("unknown")
        .get("/api/v1/providers")
        .await
        .assert_problem(401, "UNAUTHENTICATED");
    server.stop().await;
}

/// Crashes again and again in the middle of the work: nothing is lost, nothing is drawn twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_its_way_goes_on_after_a_crash() {
    let folder = Folder::new();
    let mut settings = settings(&folder);
    settings.worker.lease = Duration::from_millis(150);
    settings.worker.parallel = 3;
    let mut server = Running::with(&settings).await;
    let mut ids = Vec::new();
    for index in 0..10 {
        ids.push(server.created(&picture(&format!("picture {index}"))).await);
    }
    let hangs = server.created(&picture_with("for ever", json!({ "fail": "hang" }))).await;
    for round in 0..4 {
        // Not before some more are done, so that the crash comes in between.
        for id in ids.iter().take(round * 2) {
            server.when_over(id).await;
        }
        server.crash().await;
        server = Running::serve(Server::open(&settings).unwrap()).await;
    }
    let mut numbers = Vec::new();
    for id in &ids {
        let done = server.when_over(id).await;
        assert_eq!(done["status"], "completed", "{done:#}");
        assert_eq!(done["attempts"].as_array().unwrap().len(), 1, "{done:#}");
        assert_eq!(done["assets"].as_array().unwrap().len(), 1);
        let file = server.http.get(done["assets"][0]["url"].as_str().unwrap()).await;
        assert_eq!(done["assets"][0]["bytes"], file.body.len());
        numbers.push(done["number"].as_i64().unwrap());
    }
    assert_eq!(numbers, (1..=10).collect::<Vec<i64>>());
    let runs = server.when(&hangs, "asked again", |seen| seen["stage"] == "submitted").await;
    assert_eq!(runs["attempts"].as_array().unwrap().len(), 1);
    server.stop().await;
}

/// A server that was away for longer than the deadline asks before it gives up.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_while_nobody_looked_is_fetched() {
    let folder = Folder::new();
    let server = Server::open(&settings(&folder)).unwrap();
    let service = server.service();
    let reader = Reader { tenant: "studio".to_owned(), user: "game".to_owned() };
    let viewer = Viewer { reader: reader.clone(), bound: Rating::Sfw };
    let caller = Caller { reader, role: Role::Backend, key: "backend".to_owned() };
    let mut ids = Vec::new();
    // A worker that dies after it stored its intent, and one that dies after it submitted.
    for (index, submits) in [false, true].into_iter().enumerate() {
        let wish = picture(&format!("picture {index}")).to_string();
        let answered = service.create(&caller, &wish, Call::default()).await.unwrap();
        ids.push(answered.receipt.location.rsplit('/').next().unwrap().to_owned());
        let now = service.clock.now();
        let claim = Claim { now, lease_until: now, limit: 1 };
        let row = service.store.claim(&claim).await.unwrap().remove(0).row;
        assert_eq!(row.id, ids[index]);
        let mut intent = Advance::new(&row, Event::IntentStored, now);
        intent.token = Some(format!("token {index}"));
        intent.deadline_at = Some(now);
        let row = service.store.advance(&intent).await.unwrap().unwrap().row;
        if submits {
            let submission = Submission::of(&row, None);
            assert_eq!(submission.token, format!("token {index}"));
            service.providers.get("local").unwrap().submit(&submission).await.unwrap();
        }
        // Held until the other one is there too.
        assert!(service.store.heartbeat(&row.id, row.fence, 0, i64::MAX).await.unwrap());
    }
    for id in &ids {
        // Both workers are dead for long.
        let row = service.store.get(&viewer, id).await.unwrap().unwrap().row;
        assert!(service.store.heartbeat(id, row.fence, 0, 1).await.unwrap());
    }
    drop(server);
    let server = Running::start(&folder).await;
    for id in &ids {
        let done = server.when_over(id).await;
        assert_eq!(done["status"], "completed", "{done:#}");
        assert_eq!(done["attempts"].as_array().unwrap().len(), 1, "the same attempt");
    }
    server.stop().await;
}
