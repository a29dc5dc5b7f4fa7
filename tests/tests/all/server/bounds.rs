//! What a request declares is recomputed; what the server allows is a bound.

use onepath_core::Rating;
use onepath_server::service::ServerBounds;
use serde_json::{Value, json};

use super::{Folder, Running, built, faults, merged, settings};

const CREATE: &str = "/api/v1/generations";

/// A scene between two people, rated as asked.
fn scene(rating: &str) -> Value {
    json!({
        "generationType": "dialogue", "purpose": "adaptive", "strategy": "once",
        "prompt": "they meet again", "fallback": { "mode": "skip" },
        "style": { "local": { "width": 64, "height": 48, "frames": 2 } },
        "socialContext": { "contentRating": rating, "intimacyBand": "deep" },
    })
}

fn unbounded() -> Value {
    json!({ "providerId": "local", "bounds": "unbounded" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_from_elsewhere_is_taken_as_it_was_hashed() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let sent = built(&scene("romantic"), &json!({ "providerId": "local" }));
    let created = server.create(&sent).await;
    assert_eq!(created["request_hash"], sent["request_hash"]);
    assert_eq!((&created["lowered"], &created["answer"]), (&json!(false), &json!("created")));
    // The same from a config joins it: one road.
    let same = json!({ "config": scene("romantic"), "provider_id": "local" });
    assert_eq!(server.create(&same).await["id"], created["id"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_hashes_and_keys_are_named() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let sent = built(&scene("romantic"), &json!({ "providerId": "local" }));
    let mismatch = async |envelope: &Value, pointers: &[&str]| {
        for path in [CREATE, "/api/v1/generations/preflight"] {
            let reply = server.http.post(path, envelope).await;
            reply.assert_problem(409, "CANONICAL_MISMATCH");
            let found: Vec<String> = faults(&reply).into_iter().map(|(_, at)| at).collect();
            assert_eq!(found, pointers);
        }
    };
    let hash = |text: &str| json!({ "request_hash": text });
    mismatch(&merged(sent.clone(), hash(&"0".repeat(64))), &["/request_hash"]).await;
    mismatch(&merged(sent.clone(), hash("short")), &["/request_hash"]).await;
    let upper = sent["request_hash"].as_str().unwrap().to_uppercase();
    mismatch(&merged(sent.clone(), hash(&upper)), &["/request_hash"]).await;
    let prompt = json!({ "request": { "prompt": "something else" } });
    mismatch(&merged(sent.clone(), prompt), &["/request_hash"]).await;
    let key = json!({ "request": { "cache_key": "generation:x|y|-|-|once|-|v1|z" } });
    mismatch(&merged(sent.clone(), key.clone()), &["/request/cache_key"]).await;
    let both = merged(merged(sent.clone(), key), hash("x"));
    mismatch(&both, &["/request_hash", "/request/cache_key"]).await;
    // A social context that was dropped on the way.
    let mut dropped = sent.clone();
    dropped["request"].as_object_mut().unwrap().remove("social_context").unwrap();
    mismatch(&dropped, &["/request_hash"]).await;

    let mut without = sent.clone();
    without.as_object_mut().unwrap().remove("request_hash");
    let reply = server.http.post(CREATE, &without).await;
    reply.assert_problem(422, "VALIDATION_ERROR");
    assert_eq!(faults(&reply), [("envelope/hash-missing".into(), "/request_hash".into())]);
    let beside = merged(sent.clone(), json!({ "world": {}, "seed": 1, "provider_id": "moon" }));
    let reply = server.http.post(CREATE, &beside).await;
    let pointers: Vec<String> = faults(&reply).into_iter().map(|(_, at)| at).collect();
    assert_eq!(pointers, ["/world", "/seed", "/provider_id"]);
    let list = server.http.get(CREATE).await.json();
    assert_eq!(list["generations"], json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_social_context_it_is_for_everybody() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let mut config = scene("romantic");
    config.as_object_mut().unwrap().remove("socialContext");
    let sent = built(&config, &json!({ "providerId": "local" }));
    let created = server.create(&sent).await;
    assert_eq!(created["rating"], json!({ "asked": "sfw", "effective": "sfw" }));
    let with = built(&scene("romantic"), &json!({ "providerId": "local" }));
    assert_ne!(with["request_hash"], sent["request_hash"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rating_above_the_bounds_is_lowered_and_said() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = json!({ "config": scene("mature_implied"), "provider_id": "local" });
    let created = server.create(&wish).await;
    assert_eq!(
        created["rating"],
        json!({ "asked": "mature_implied", "effective": "romantic", "bound_by": "world" })
    );
    assert_eq!(created["lowered"], true);
    let codes = crate::codes(&created);
    assert!(codes.contains(&"rating/exceeds-world".to_owned()), "{codes:?}");
    let strict = merged(wish.clone(), json!({ "strict": true }));
    let reply = server.http.post(CREATE, &strict).await;
    reply.assert_problem(422, "VALIDATION_ERROR");
    let found: Vec<String> = faults(&reply).into_iter().map(|(code, _)| code).collect();
    assert_eq!(found, ["rating/exceeds-world", "rating/exceeds-user"]);
    // A world and a user that come along lower further, and never raise.
    let lower = merged(
        wish.clone(),
        json!({
            "world": { "meta": { "generation": { "maxContentRating": "restricted" } } },
            "user": { "maxContentRating": "sfw" },
        }),
    );
    let lower = server.create(&lower).await;
    assert_eq!(
        lower["rating"],
        json!({ "asked": "mature_implied", "effective": "sfw", "bound_by": "user" })
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_wider_than_the_servers_are_lowered() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wide = built(&scene("mature_implied"), &unbounded());
    let created = server.create(&wide).await;
    assert_eq!((&created["lowered"], &created["answer"]), (&json!(true), &json!("created")));
    assert_eq!(created["rating"]["effective"], "romantic");
    assert_ne!(created["request_hash"], wide["request_hash"]);
    let narrow = built(
        &scene("mature_implied"),
        &json!({
            "providerId": "local", "bounds": { "world": "romantic", "user": "romantic" },
        }),
    );
    assert_eq!(created["request_hash"], narrow["request_hash"], "as if built under the server's");
    let seen = server.get(created["id"].as_str().unwrap()).await;
    assert_eq!(seen["request"]["bounds"], json!({ "world": "romantic", "user": "romantic" }));
    let strict = merged(wide.clone(), json!({ "strict": true }));
    let reply = server.http.post(CREATE, &strict).await;
    reply.assert_problem(409, "CANONICAL_MISMATCH");
    let pointers: Vec<String> = faults(&reply).into_iter().map(|(_, at)| at).collect();
    assert_eq!(pointers, ["/request_hash", "/request/bounds"]);
    // What is within the bounds keeps its hash, whatever bounds it names.
    let modest = built(&scene("romantic"), &unbounded());
    let modest = server.create(&merged(modest, json!({ "strict": true }))).await;
    assert_eq!(modest["lowered"], false);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_allow_more() {
    let folder = Folder::new();
    let mut settings = settings(&folder);
    settings.bounds = ServerBounds { world: Rating::Restricted, user: Rating::MatureImplied };
    let server = Running::with(&settings).await;
    let wide = built(&scene("mature_implied"), &unbounded());
    let created = server.create(&merged(wide.clone(), json!({ "strict": true }))).await;
    assert_eq!(created["request_hash"], wide["request_hash"]);
    let above = built(&scene("restricted"), &unbounded());
    let rating = &server.create(&above).await["rating"];
    assert_eq!(
        *rating,
        json!({ "asked": "restricted", "effective": "mature_implied", "bound_by": "user" })
    );
    server.stop().await;
}
