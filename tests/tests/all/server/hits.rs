//! Results that answer from memory: never longer than what changes them allows.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use onepath_core::Rating;
use onepath_server::store::{Outcome, Reader, User};
use serde_json::{Value, json};

use super::{Folder, PATIENCE, Running, merged, picture};

/// A server on which a picture was made, asked for again, and answered from memory since.
async fn known(folder: &Folder, wish: &Value) -> (Running, String) {
    let server = Running::start(folder).await;
    let id = server.created(wish).await;
    server.when_over(&id).await;
    for _ in 0..3 {
        let again = server.create(wish).await;
        assert_eq!((&again["answer"], &again["id"]), (&json!("cache"), &json!(id)));
    }
    (server, id)
}

/// Asks until the answer is as it should be.
async fn asked_until(server: &Running, wish: &Value, good: impl Fn(u16, &Value) -> bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let reply = server.http.post("/api/v1/generations", wish).await;
        let (status, answer) = (reply.status, reply.json());
        if good(status, &answer) {
            return;
        }
        assert!(Instant::now() < end, "{status}: {answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn game() -> Reader {
    Reader { tenant: "studio".to_owned(), user: "game".to_owned() }
}

#[tokio::test]
async fn what_was_deleted_answers_no_more() {
    let (folder, wish) = (Folder::new(), picture("a lighthouse"));
    let (server, id) = known(&folder, &wish).await;
    let gone = server.http.send("DELETE", &format!("/api/v1/generations/{id}"), &[], b"").await;
    assert_eq!(gone.status, 204, "{}", gone.text());
    let id = server.created(&wish).await;
    // In another process, of which this one hears nothing.
    server.when_over(&id).await;
    assert_eq!(server.create(&wish).await["answer"], "cache");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let gone = server.store.delete(&game(), &id, i64::try_from(now).unwrap()).await.unwrap();
    assert!(matches!(gone, Outcome::Done(..)), "{gone:?}");
    asked_until(&server, &wish, |_, answer| answer["answer"] == "created").await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_made_anew_answers_from_then_on() {
    let (folder, wish) = (Folder::new(), picture("a lighthouse"));
    let (server, _) = known(&folder, &wish).await;
    let anew = server.created(&merged(wish.clone(), json!({ "force_new": true }))).await;
    server.when_over(&anew).await;
    asked_until(&server, &wish, |_, answer| answer["id"] == json!(anew)).await;
    server.stop().await;
}

#[tokio::test]
async fn bounds_and_keys_that_change_are_heeded() {
    let (folder, wish) = (Folder::new(), picture("a lighthouse"));
    let wish =
        merged(wish, json!({ "config": { "socialContext": { "contentRating": "romantic" } } }));
    let (server, id) = known(&folder, &wish).await;
    let user = User {
        reader: game(),
        max_rating: Some(Rating::Sfw),
        reduce_intensity: false,
        price_id: None,
        created_at: 0,
    };
    server.store.put_user(user).await.unwrap();
    asked_until(&server, &wish, |_, answer| answer["id"] != json!(id)).await;
    let keys = server.store.keys().await.unwrap();
    let key = keys.iter().find(|key| key.name == "backend").unwrap();
    assert!(server.store.revoke_key(&key.id, 1).await.unwrap());
    asked_until(&server, &wish, |status, _| status == 401).await;
    server.stop().await;
}
