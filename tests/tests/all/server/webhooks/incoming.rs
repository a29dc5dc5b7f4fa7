//! One webhook at a time, in every way that one can be wrong.

use std::time::Duration;

use onepath_client::webhook::Secret;
use serde_json::json;

use super::remote::{Habits, Remote, Status, signed};
use super::{deliver, far_picture, path, patient, secret, with_remote};
use crate::server::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_webhook_ends_a_generation_that_nobody_would_ask_for() {
    let folder = Folder::new();
    let remote = Remote::new(&[secret()], Habits::default());
    let server = with_remote(&patient(&folder), &remote).await;
    let id = server.created(&far_picture("a house")).await;
    let made = remote.when_submitted(1).await.remove(0);
    let url = made.webhook.unwrap();
    assert!(url.starts_with("https://media.example.com/api/v1/webhooks/replicate/"), "{url}");
    server.when(&id, "it is submitted", |seen| seen["stage"] == "submitted").await;
    // Still on its way: the provider is asked, and nothing else happens.
    let sent = signed(&secret(), path(&url), "msg_1", &made.id, Status::Processing);
    assert_eq!(deliver(&server, &sent).await.status, 204);
    remote.end(&made.id, Status::Succeeded);
    let sent = signed(&secret(), path(&url), "msg_2", &made.id, Status::Succeeded);
    let reply = deliver(&server, &sent).await;
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    let done = server.when_over(&id).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    let file = done["assets"][0]["url"].as_str().unwrap();
    assert_eq!(server.http.without_key().get(path(file)).await.status, 200);
    // Once more, and late: it is taken, and says nothing new.
    let before = server.get(&id).await;
    for delivery in ["msg_2", "msg_3"] {
        let sent = signed(&secret(), path(&url), delivery, &made.id, Status::Failed);
        assert_eq!(deliver(&server, &sent).await.status, 204);
    }
    assert_eq!(server.get(&id).await, before);
    assert_eq!((remote.made().len(), remote.fetched()["p0"]), (1, 1));
    server.stop().await;
}

/// The token is a secret: whoever reads the database or the log cannot knock.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_webhook_lies_nowhere() {
    let folder = Folder::new();
    let remote = Remote::new(&[secret()], Habits::default());
    let server = with_remote(&patient(&folder), &remote).await;
    let id = server.created(&far_picture("a house")).await;
    let made = remote.when_submitted(1).await.remove(0);
    server.when(&id, "it is submitted", |seen| seen["stage"] == "submitted").await;
    let url = made.webhook.unwrap();
    let token = url.rsplit('/').next().unwrap();
    assert_eq!(token.len(), 64);
    assert_ne!(token, made.token);
    server.stop().await;
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(token.len()).any(|text| text == token.as_bytes());
            assert!(!found, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 2, "the database and its journal were read");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_public_url_nobody_is_asked_for_webhooks_and_polling_carries_everything() {
    let folder = Folder::new();
    let remote = Remote::new(&[secret()], Habits::default());
    let mut settings = patient(&folder);
    settings.public_url = None;
    settings.worker.poll = Duration::from_millis(20);
    let server = with_remote(&settings, &remote).await;
    let id = server.created(&far_picture("a house")).await;
    let made = remote.when_submitted(1).await.remove(0);
    assert_eq!(made.webhook, None);
    remote.end(&made.id, Status::Succeeded);
    let done = server.when_over(&id).await;
    assert_eq!(done["status"], "completed");
    let url = done["assets"][0]["url"].as_str().unwrap();
    assert!(url.starts_with("/api/v1/assets/"), "{url}");
    server.stop().await;
}

/// Where the server is is a setting; what a request says about its host is not.
#[tokio::test(flavor = "multi_thread")]
async fn urls_are_made_of_the_setting_and_never_of_a_header() {
    let folder = Folder::new();
    let remote = Remote::new(&[secret()], Habits::default());
    let server = with_remote(&patient(&folder), &remote).await;
    let body = far_picture("a house").to_string();
    let headers = [
        ("content-type", "application/json"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example"),
    ];
    let reply = server.http.send("POST", "/api/v1/generations", &headers, body.as_bytes()).await;
    assert_eq!(reply.status, 202);
    let made = remote.when_submitted(1).await.remove(0);
    assert!(made.webhook.unwrap().starts_with("https://media.example.com/"));
    let id = server.created(&crate::server::picture("another house")).await;
    let url = server.when_over(&id).await["assets"][0]["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("https://media.example.com/api/v1/assets/"), "{url}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_s3_what_is_not_signed_for_this_attempt_is_refused_and_changes_nothing() {
    let folder = Folder::new();
    let remote = Remote::new(&[secret()], Habits::default());
    let server = with_remote(&patient(&folder), &remote).await;
    let id = server.created(&far_picture("a house")).await;
    let other = server.created(&far_picture("a tower")).await;
    let made = remote.when_submitted(2).await;
    for id in [&id, &other] {
        server.when(id, "it is submitted", |seen| seen["stage"] == "submitted").await;
    }
    // The worker looks once, and lets go of them after that.
    crate::server::within("both are asked for", async {
        while remote.made().iter().any(|made| made.asked == 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let submitted = async |id: &str| {
        let mut seen = server.get(id).await;
        seen["timings"] = json!(null);
        seen
    };
    let before = (submitted(&id).await, submitted(&other).await);
    // Which of the two was submitted first is the worker's to choose.
    let (url, foreign) = (made[0].webhook.clone().unwrap(), made[1].webhook.clone().unwrap());
    let prediction = &made[0].id;
    let good = || signed(&secret(), path(&url), "msg_1", prediction, Status::Succeeded);
    let asked: usize = remote.made().iter().map(|made| made.asked).sum();

    let mut forged = Vec::new();
    let mut sent = good();
    sent.body[3] ^= 1;
    forged.push((sent, 403, "one bit of the body"));
    let sent = signed(&Secret::of([8; 32]), path(&url), "msg_1", prediction, Status::Succeeded);
    forged.push((sent, 403, "another secret"));
    let mut sent = good();
    sent.body.push(b' ');
    forged.push((sent, 403, "the same JSON written otherwise"));
    for name in 0..3 {
        let mut sent = good();
        sent.headers.remove(name);
        forged.push((sent, 403, "a header is missing"));
        let mut sent = good();
        let again = sent.headers[name].clone();
        sent.headers.push(again);
        forged.push((sent, 403, "a header twice"));
    }
    let mut sent = good();
    sent.headers[1].1 = "1".to_owned();
    forged.push((sent, 403, "another time"));
    forged.push((
        signed(&secret(), path(&foreign), "msg_1", prediction, Status::Succeeded),
        422,
        "another attempt's token",
    ));
    forged.push((
        signed(&secret(), path(&url), "msg_1", "p77", Status::Succeeded),
        422,
        "a prediction of nobody",
    ));
    let unknown = format!("/api/v1/webhooks/replicate/{}", "0".repeat(64));
    forged.push((signed(&secret(), &unknown, "m", prediction, Status::Succeeded), 404, "no token"));
    let elsewhere = path(&url).replace("replicate", "local");
    let sent = signed(&secret(), &elsewhere, "m", prediction, Status::Succeeded);
    forged.push((sent, 404, "another provider's path"));
    for (path, why) in [
        ("/api/v1/webhooks/nobody", "a provider that is not known"),
        ("/api/v1/webhooks/local", "a provider without webhooks"),
    ] {
        forged.push((signed(&secret(), path, "m", prediction, Status::Succeeded), 404, why));
    }
    for (sent, status, why) in &forged {
        let reply = deliver(&server, sent).await;
        let code = match status {
            403 => "FORBIDDEN",
            404 => "NOT_FOUND",
            _ => "VALIDATION_ERROR",
        };
        assert_eq!(reply.status, *status, "{why}: {}", reply.text());
        reply.assert_problem(*status, code);
    }
    let mut large = good();
    large.body = vec![b' '; (4 << 20) + 1];
    deliver(&server, &large).await.assert_problem(413, "PAYLOAD_TOO_LARGE");
    assert_eq!((submitted(&id).await, submitted(&other).await), before);
    assert_eq!(remote.made().iter().map(|made| made.asked).sum::<usize>(), asked, "nobody asks");
    // The good one is as good as ever.
    remote.end(prediction, Status::Succeeded);
    assert_eq!(deliver(&server, &good()).await.status, 204);
    let ended = async || {
        let (one, two) = (server.get(&id).await, server.get(&other).await);
        [&one, &two].iter().any(|seen| seen["status"] == "completed")
    };
    crate::server::within("the good one counts", async {
        while !ended().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_replaced_both_hold() {
    let folder = Folder::new();
    let (old, new) = (Secret::of([1; 32]), Secret::of([2; 32]));
    let remote = Remote::new(&[new.clone(), old.clone()], Habits::default());
    let server = with_remote(&patient(&folder), &remote).await;
    for (index, secret) in [old, new].iter().enumerate() {
        let id = server.created(&far_picture(&format!("picture {index}"))).await;
        let made = remote.when_submitted(index + 1).await.remove(index);
        server.when(&id, "it is submitted", |seen| seen["stage"] == "submitted").await;
        remote.end(&made.id, Status::Succeeded);
        let url = made.webhook.unwrap();
        let sent = signed(secret, path(&url), "msg", &made.id, Status::Succeeded);
        // Both came as `msg`: the second of the two is not the first one again.
        let sent = if index == 0 {
            sent
        } else {
            signed(secret, path(&url), "msg_2", &made.id, Status::Succeeded)
        };
        assert_eq!(deliver(&server, &sent).await.status, 204);
        assert_eq!(server.when_over(&id).await["status"], "completed");
    }
    server.stop().await;
}

/// What a provider took and never said so is found by its webhook: paid once, made once.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_adopts_a_submission_whose_answer_was_lost() {
    let folder = Folder::new();
    let remote = Remote::new(&[secret()], Habits { loses_answers: true, ..Habits::default() });
    let server = with_remote(&patient(&folder), &remote).await;
    let id = server.created(&far_picture("a house")).await;
    let made = remote.when_submitted(1).await.remove(0);
    server.when(&id, "its answer is lost", |seen| seen["stage"] == "submit_unknown").await;
    remote.end(&made.id, Status::Succeeded);
    // Without a token nobody knows what it is about, yet.
    let sent = signed(&secret(), "/api/v1/webhooks/replicate", "m", &made.id, Status::Succeeded);
    assert_eq!(deliver(&server, &sent).await.status, 404);
    let url = made.webhook.unwrap();
    let sent = signed(&secret(), path(&url), "msg_1", &made.id, Status::Succeeded);
    assert_eq!(deliver(&server, &sent).await.status, 204);
    let done = server.when_over(&id).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(done["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(remote.made().len(), 1, "it is not submitted again");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_may_come_before_the_answer_of_its_submission() {
    let folder = Folder::new();
    let remote = Remote::new(&[secret()], Habits { answers_late: true, ..Habits::default() });
    let server = with_remote(&patient(&folder), &remote).await;
    let id = server.created(&far_picture("a house")).await;
    let made = remote.when_submitted(1).await.remove(0);
    remote.end(&made.id, Status::Succeeded);
    let url = made.webhook.unwrap();
    let sent = signed(&secret(), path(&url), "msg_1", &made.id, Status::Succeeded);
    assert_eq!(deliver(&server, &sent).await.status, 204);
    assert_eq!(server.get(&id).await["stage"], "submitting");
    remote.answer();
    let done = server.when_over(&id).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!((remote.made().len(), remote.fetched()["p0"]), (1, 1));
    server.stop().await;
}

/// Without a token in its path a webhook names its prediction, and is verified for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_may_name_its_prediction() {
    let folder = Folder::new();
    let remote = Remote::new(&[secret()], Habits::default());
    let server = with_remote(&patient(&folder), &remote).await;
    let id = server.created(&far_picture("a house")).await;
    let made = remote.when_submitted(1).await.remove(0);
    server.when(&id, "it is submitted", |seen| seen["stage"] == "submitted").await;
    remote.end(&made.id, Status::Succeeded);
    let send = |secret: &Secret| {
        signed(secret, "/api/v1/webhooks/replicate", "msg_1", &made.id, Status::Succeeded)
    };
    deliver(&server, &send(&Secret::of([9; 32]))).await.assert_problem(403, "FORBIDDEN");
    let mut broken = send(&secret());
    broken.body = b"{".to_vec();
    deliver(&server, &broken).await.assert_problem(404, "NOT_FOUND");
    assert_eq!(deliver(&server, &send(&secret())).await.status, 204);
    assert_eq!(server.when_over(&id).await["status"], "completed");
    server.stop().await;
}

/// A cancel is the owner's: whatever a webhook says afterwards, the provider is asked what is true.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_after_a_cancel_makes_nothing_of_it() {
    let folder = Folder::new();
    let remote = Remote::new(&[secret()], Habits::default());
    let server = with_remote(&patient(&folder), &remote).await;
    let id = server.created(&far_picture("a house")).await;
    let made = remote.when_submitted(1).await.remove(0);
    server.when(&id, "it is submitted", |seen| seen["stage"] == "submitted").await;
    let url = made.webhook.unwrap();
    let cancelled = server.http.post(&format!("/api/v1/generations/{id}/cancel"), &json!({})).await;
    assert_eq!(cancelled.status, 200);
    for delivery in 0..3 {
        let sent = signed(
            &secret(),
            path(&url),
            &format!("msg_{delivery}"),
            &made.id,
            [Status::Succeeded, Status::Processing, Status::Failed][delivery],
        );
        assert_eq!(deliver(&server, &sent).await.status, 204);
    }
    let ended = server.when_over(&id).await;
    assert_eq!((&ended["status"], &ended["assets"]), (&json!("cancelled"), &json!([])));
    server.stop().await;
}
