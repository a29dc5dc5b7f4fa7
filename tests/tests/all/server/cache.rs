//! Reuse as an operator sees it: what it saves, and what shall be made anew.

use serde_json::{Value, json};

use super::{Folder, Running, faults, merged, picture};

const CACHE: &str = "/api/v1/generations/cache";

#[tokio::test]
async fn statistics_count_every_create_by_how_it_was_answered() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let id = server.created(&picture("a lighthouse")).await;
    server.when_over(&id).await;
    for _ in 0..3 {
        assert_eq!(server.create(&picture("a lighthouse")).await["answer"], "cache");
    }
    let always = merged(picture("again"), json!({ "config": { "strategy": "always" } }));
    let id = server.created(&always).await;
    server.when_over(&id).await;
    let told = server.http.get(&format!("{CACHE}/stats?window=1h")).await.json();
    assert_eq!((&told["hits"], &told["misses"]), (&json!(3), &json!(2)), "{told}");
    assert_eq!(told["strategies"]["once"]["hit_rate"], 0.75);
    assert_eq!(told["strategies"]["always"]["hits"], 0);
    let elsewhere = server.http.clone().with_key("elsewhere");
    assert_eq!(elsewhere.get(&format!("{CACHE}/stats")).await.json()["hits"], 0);
    server.stop().await;
    // What was counted is kept.
    let server = Running::start(&folder).await;
    assert_eq!(server.http.get(&format!("{CACHE}/stats")).await.json()["hits"], 3);
    server.stop().await;
}

#[tokio::test]
async fn what_is_invalidated_is_made_anew() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let of_scene = |prompt: &str, scene: &str| {
        merged(picture(prompt), json!({ "from_scene": { "id": scene } }))
    };
    let wishes = [of_scene("one", "pier"), of_scene("two", "pier"), of_scene("three", "square")];
    let mut keys = Vec::new();
    for wish in &wishes {
        let id = server.created(wish).await;
        keys.push(server.when_over(&id).await["cache_key"].as_str().unwrap().to_owned());
    }
    let invalidate = async |key: &str, body: Value| {
        let http = server.http.clone().with_key(key);
        http.post(&format!("{CACHE}/invalidate"), &body).await
    };
    let preview =
        invalidate("backend", json!({ "scene_id": "pier", "preview": true })).await.json();
    assert_eq!((&preview["count"], &preview["preview"]), (&json!(2), &json!(true)), "{preview}");
    assert_eq!(preview["price_micros"], 0, "`local` costs nothing");
    for wish in &wishes {
        assert_eq!(server.create(wish).await["answer"], "cache", "a preview does nothing");
    }
    // A user's key reaches that user's rows only, another tenant's none.
    for key in ["ada", "elsewhere"] {
        let none = invalidate(key, json!({ "scene_id": "pier" })).await.json();
        assert_eq!(none["count"], 0, "{key}");
    }
    assert_eq!(invalidate("backend", json!({ "scene_id": "pier" })).await.json()["count"], 2);
    let answers = async |expected: [&str; 3]| {
        for (wish, expected) in wishes.iter().zip(expected) {
            let created = server.create(wish).await;
            assert_eq!(created["answer"], expected);
            server.when_over(created["id"].as_str().unwrap()).await;
        }
    };
    answers(["created", "created", "cache"]).await;
    assert_eq!(invalidate("backend", json!({ "cache_keys": [keys[2]] })).await.json()["count"], 1);
    answers(["cache", "cache", "created"]).await;

    for (body, code) in [
        (json!({}), "cache/nothing-named"),
        (json!({ "cache_keys": ["not a key"] }), "cache/not-a-key"),
        (json!({ "scene": "pier" }), "json/unreadable"),
    ] {
        let reply = invalidate("backend", body).await;
        assert_eq!((reply.status, faults(&reply)[0].0.as_str()), (422, code), "{}", reply.text());
    }
    server.stop().await;
}
