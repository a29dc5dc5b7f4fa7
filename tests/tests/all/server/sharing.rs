//! What a tenant shares is shown to those whose bounds allow its rating, and to nobody else.

use onepath_core::Rating;
use onepath_server::store::{Reader, User};
use serde_json::{Value, json};

use super::events::Stream;
use super::http::Reply;
use super::{Folder, Running, merged, picture};

/// A picture that its owner shares, rated romantic, with what others are not shown.
fn wish() -> Value {
    merged(
        picture("they meet again"),
        json!({
            "config": { "socialContext": { "contentRating": "romantic", "intimacyBand": "light" } },
            "name": "a secret name", "description": "a secret note",
            "player_context": { "playerId": "ada", "flags": { "met_bram": true } },
        }),
    )
}

async fn bound(server: &Running, user: &str, max_rating: Option<Rating>) {
    let reader = Reader { tenant: "studio".to_owned(), user: user.to_owned() };
    let user = User { reader, max_rating, reduce_intensity: false, price_id: None, created_at: 0 };
    server.store.put_user(user).await.unwrap();
}

/// Everything through which a user may come to see a generation.
async fn doors(server: &Running, key: &str, id: &str, asset: &str) -> Vec<Reply> {
    let http = server.http.with_key(key);
    vec![
        http.get(&format!("/api/v1/generations/{id}")).await,
        http.get(&format!("/api/v1/assets/{asset}/file")).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_shown_within_the_readers_own_bounds() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    bound(&server, "ben", Some(Rating::Sfw)).await;
    let mut told = Stream::open(&server, "backend", "", None).await;
    let mut told_ben = Stream::open(&server, "ben", "", None).await;
    let ada = server.http.with_key("ada");
    let reply = ada.post("/api/v1/generations", &wish()).await;
    assert_eq!(reply.json()["rating"]["effective"], "romantic", "{}", reply.text());
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    told.until_over(&id).await;
    let asset = server.get(&id).await["asset_id"].as_str().unwrap().to_owned();
    for key in ["ada", "backend"] {
        for reply in doors(&server, key, &id, &asset).await {
            assert_eq!(reply.status, 200, "{key}: {}", reply.text());
        }
    }
    let others = server.get(&id).await;
    for member in ["name", "description"] {
        assert_eq!(others[member], Value::Null, "{member}");
    }
    assert_eq!(others["request"]["player_context"], Value::Null);
    assert!(!others.to_string().contains("secret"));
    for reply in doors(&server, "ben", &id, &asset).await {
        reply.assert_problem(404, "NOT_FOUND");
    }
    let ben = server.http.with_key("ben");
    let listed = ben.get("/api/v1/generations").await.json();
    assert_eq!(listed["generations"], json!([]));
    for (method, path) in [("POST", "/cancel"), ("POST", "/retry"), ("DELETE", "")] {
        let reply = ben.send(method, &format!("/api/v1/generations/{id}{path}"), &[], b"").await;
        reply.assert_problem(404, "NOT_FOUND");
    }
    // His own create is another one: lower bounds are another request, and he hears of that only.
    let own = merged(wish(), json!({ "player_context": { "playerId": "ben" } }));
    let own = ben.post("/api/v1/generations", &own).await.json();
    assert_eq!((&own["answer"], &own["rating"]["effective"]), (&json!("created"), &json!("sfw")));
    assert_eq!(told_ben.next().await["generation_id"], own["id"], "nothing was told before");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_that_is_lowered_ends_what_was_handed_out() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let id = server.http.with_key("ada").post("/api/v1/generations", &wish()).await;
    let id = id.json()["id"].as_str().unwrap().to_owned();
    server.when_over(&id).await;
    let ben = server.http.with_key("ben");
    let seen = ben.get(&format!("/api/v1/generations/{id}")).await.json();
    let url = seen["assets"][0]["url"].as_str().unwrap().to_owned();
    assert_eq!(server.http.without_key().get(&url).await.status, 200);
    bound(&server, "ben", Some(Rating::Sfw)).await;
    server.stop().await;
    // A server that remembers nothing of before.
    let server = Running::start(&folder).await;
    server.http.without_key().get(&url).await.assert_problem(404, "NOT_FOUND");
    let ben = server.http.with_key("ben");
    ben.get(&format!("/api/v1/generations/{id}")).await.assert_problem(404, "NOT_FOUND");
    // What is one's own stays one's own, whatever the bound is now.
    bound(&server, "ada", Some(Rating::Sfw)).await;
    let ada = server.http.with_key("ada");
    assert_eq!(ada.get(&format!("/api/v1/generations/{id}")).await.status, 200);
    server.stop().await;
}
