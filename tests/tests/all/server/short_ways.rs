//! Short ways: waiting instead of asking again, tags, social contexts, a picture that moves.

use onepath_server::store::World;
use serde_json::json;

use super::{Folder, Running, picture, picture_with};

const CREATE: &str = "/api/v1/generations";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_prefers_to_wait_is_answered_at_the_end() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let headers = [("content-type", "application/json"), ("prefer", "respond-async, wait=20")];
    let body = picture("a house").to_string();
    let done = server.http.send("POST", CREATE, &headers, body.as_bytes()).await;
    assert_eq!((done.status, &done.json()["status"]), (200, &json!("completed")));
    assert_eq!(done.header("preference-applied"), Some("wait"));
    let hangs = server.created(&picture_with("hangs", json!({ "fail": "hang" }))).await;
    let path = format!("{CREATE}/{hangs}");
    let waited = server.http.send("GET", &path, &[("prefer", "wait=0")], b"").await;
    assert_eq!((waited.status, &waited.json()["status"]), (200, &json!("processing")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_changes_with_every_change() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let id = server.created(&picture("a house")).await;
    server.when_over(&id).await;
    let path = format!("{CREATE}/{id}");
    let first = server.http.get(&path).await;
    let tag = first.header("etag").unwrap().to_owned();
    let same = server.http.send("GET", &path, &[("if-none-match", &tag)], b"").await;
    assert_eq!((same.status, same.body.len()), (304, 0));
    let patch = async |tag: &str, name: &str| {
        let headers = [("content-type", "application/json"), ("if-match", tag)];
        let body = json!({ "name": name }).to_string();
        server.http.send("PATCH", &path, &headers, body.as_bytes()).await
    };
    assert_eq!(patch(&tag, "one").await.status, 200);
    patch("\"another\"", "two").await.assert_problem(412, "PRECONDITION_FAILED");
    assert_eq!(server.http.get(&path).await.json()["name"], "one");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_social_context_is_built_from_the_servers_world() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let meta = r#"{"generation": {"maxContentRating": "sfw",
        "levels": [{"id": "close", "band": "deep", "rating": "romantic",
            "conditions": {"trust": {"min": 10}}}], "tiers": []}}"#;
    let world = World {
        tenant: "studio".to_owned(),
        id: "harbor".to_owned(),
        name: None,
        meta: meta.to_owned(),
        created_at: 0,
    };
    server.store.put_world(world).await.unwrap();
    let path = format!("{CREATE}/social-context/build");
    let session = json!({ "stats": { "relationships": { "npc:bram": { "trust": 20 } } } });
    let wish = json!({ "world_id": "harbor", "session": session, "npc_ids": ["bram"] });
    let built = server.http.post(&path, &wish).await.json();
    assert_eq!(built["social_context"]["intimacyLevelId"], "close", "{built}");
    assert_eq!(built["social_context"]["contentRating"], "romantic", "as asked");
    assert_eq!(built["bounds"], json!({ "world": "sfw", "user": "romantic" }));
    let without = server.http.post(&path, &json!({ "session_id": 7 })).await;
    let problem = without.assert_problem(422, "VALIDATION_ERROR");
    assert!(problem["errors"][0]["help"].as_str().unwrap().contains("session"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_moved_by_the_same_builder() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let path = format!("{CREATE}/simple-image-to-video");
    let wish = json!({ "provider_id": "local", "prompt": "waves", "image_url": "asset:1" });
    let created = server.http.post(&path, &wish).await;
    assert_eq!(created.status, 202, "{}", created.text());
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let done = server.when_over(&id).await;
    assert_eq!((&done["status"], &done["strategy"]), (&json!("completed"), &json!("always")));
    assert_eq!((&done["priority"], &done["operation_type"]), (&json!(7), &json!("image_to_video")));
    assert_eq!(done["assets"][0]["media_type"], "image/gif");
    let wrong = json!({ "provider_id": "local", "prompt": "", "image_url": "x".repeat(2049) });
    let wrong = server.http.post(&path, &wrong).await;
    let problem = wrong.assert_problem(422, "VALIDATION_ERROR");
    let pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/prompt", "/image_url"]);
    server.stop().await;
}
