//! Small pictures of assets, and assets that anybody may fetch.

use onepath_server::service::PublicAssets;
use onepath_server::store::World;
use serde_json::{Value, json};

use super::assets::{png, upload};
use super::{Folder, Running, faults, merged, picture, settings};

/// The blobs in the data folder.
fn blobs(folder: &Folder) -> usize {
    let mut left = vec![folder.as_ref().join("blobs")];
    let mut files = 0;
    while let Some(path) = left.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                left.push(entry.path());
            } else {
                files += 1;
            }
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_picture_is_made_once_and_served_by_a_url_of_its_own() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let ada = server.http.with_key("ada");
    let asset = upload(&ada, &png(1200, 600)).await.json();
    let (id, url) = (asset["id"].as_str().unwrap(), asset["thumbnail_url"].as_str().unwrap());
    assert_eq!(blobs(&folder), 1);
    let http = server.http.without_key();
    let asked: Vec<_> = (0..8).map(|_| http.get(url)).collect();
    let small = futures_util::future::join_all(asked).await;
    for reply in &small {
        assert_eq!((reply.status, &reply.body), (200, &small[0].body));
        assert_eq!(reply.header("content-type"), Some("image/jpeg"));
        assert_eq!(reply.header("cache-control"), Some("private, max-age=86400, immutable"));
    }
    let seen = image::load_from_memory(&small[0].body).unwrap();
    assert_eq!((seen.width(), seen.height()), (320, 160));
    assert_eq!(blobs(&folder), 2, "it is made once");
    let tag = small[0].header("etag").unwrap();
    let known = http.send("GET", url, &[("if-none-match", tag)], b"").await;
    assert_eq!(known.status, 304);
    // A URL opens the one file that it is for.
    let whole = url.replace("/thumbnail?", "/file?");
    http.get(&whole).await.assert_problem(403, "FORBIDDEN");
    let path = format!("/api/v1/assets/{id}/thumbnail");
    assert_eq!(ada.get(&path).await.status, 200);
    server.http.with_key("ben").get(&path).await.assert_problem(404, "NOT_FOUND");
    http.get(&path).await.assert_problem(401, "UNAUTHENTICATED");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_has_dimensions_and_a_duration_and_a_small_picture_if_it_is_one() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = merged(
        picture("waves at the quay"),
        json!({ "config": { "generationType": "text_to_video" } }),
    );
    let id = server.created(&wish).await;
    let over = server.when_over(&id).await;
    let variant = &over["variants"][0];
    assert_eq!((&variant["index"], &variant["media_type"]), (&json!(0), &json!("image/gif")));
    assert_eq!((&variant["width"], &variant["height"]), (&json!(96), &json!(64)));
    assert!(variant["duration_ms"].as_i64().unwrap() > 0, "{variant}");
    assert_eq!(variant["asset_id"], over["assets"][0]["id"]);
    assert_eq!(variant["url"], over["assets"][0]["url"]);
    let small = server.http.without_key().get(variant["thumbnail_url"].as_str().unwrap()).await;
    assert_eq!(small.status, 200, "{}", small.text());
    let seen = image::load_from_memory(&small.body).unwrap();
    assert_eq!((seen.width(), seen.height()), (96, 64));
    server.stop().await;
}

async fn published(server: &Running, id: &str, public: bool) -> super::http::Reply {
    let body = json!({ "public": public }).to_string();
    let headers = [("content-type", "application/merge-patch+json")];
    server.http.send("PATCH", &format!("/api/v1/assets/{id}"), &headers, body.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_are_private_unless_the_server_says_otherwise() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let wish = merged(picture("a quay"), json!({ "public": true }));
    let refused = server.http.post("/api/v1/generations", &wish).await;
    refused.assert_problem(422, "VALIDATION_ERROR");
    assert_eq!(faults(&refused), [("envelope/private".to_owned(), "/public".to_owned())]);
    let id = server.created(&picture("a quay")).await;
    let over = server.when_over(&id).await;
    let asset = over["assets"][0]["id"].as_str().unwrap();
    published(&server, asset, true).await.assert_problem(403, "FORBIDDEN");
    let path = format!("/api/v1/assets/{asset}/file");
    server.http.without_key().get(&path).await.assert_problem(401, "UNAUTHENTICATED");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_public_is_fetched_by_anybody_under_a_url_that_stays() {
    let folder = Folder::new();
    let mut settings = settings(&folder);
    settings.public_assets = PublicAssets::OnRequest;
    let server = Running::with(&settings).await;
    let private = server.created(&picture("a private quay")).await;
    assert_eq!(server.when_over(&private).await["assets"][0]["public"], json!(false));
    let id = server.created(&merged(picture("a quay"), json!({ "public": true }))).await;
    let over = server.when_over(&id).await;
    let asset = &over["assets"][0];
    let name = asset["id"].as_str().unwrap();
    assert_eq!(asset["public"], json!(true));
    assert_eq!(asset["url"], json!(format!("/api/v1/assets/{name}/file")));
    let anybody = server.http.without_key();
    for url in [&asset["url"], &asset["thumbnail_url"]] {
        let reply = anybody.get(url.as_str().unwrap()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("cache-control"), Some("public, max-age=86400, immutable"));
    }
    // Another tenant may fetch the file, and learns nothing else.
    let path = format!("/api/v1/assets/{name}");
    let elsewhere = server.http.with_key("elsewhere");
    assert_eq!(elsewhere.get(&format!("{path}/file")).await.status, 200);
    elsewhere.get(&path).await.assert_problem(404, "NOT_FOUND");
    // Whoever takes it back has it private again.
    let taken: Value = published(&server, name, false).await.json();
    assert!(taken["url"].as_str().unwrap().contains("signature="), "{taken}");
    anybody.get(&format!("{path}/file")).await.assert_problem(401, "UNAUTHENTICATED");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_says_what_of_it_is_public() {
    let folder = Folder::new();
    let mut settings = settings(&folder);
    settings.public_assets = PublicAssets::OnRequest;
    let server = Running::with(&settings).await;
    for (id, word) in [("open", "always"), ("closed", "never")] {
        let meta = json!({ "generation": { "publicAssets": word } }).to_string();
        let (tenant, id) = ("studio".to_owned(), id.to_owned());
        let world = World { tenant, id, name: None, meta, created_at: 0 };
        server.store.put_world(world).await.unwrap();
    }
    let within =
        |world: &str| merged(picture(&format!("a quay, {world}")), json!({ "world_id": world }));
    let id = server.created(&within("open")).await;
    let over = server.when_over(&id).await;
    assert_eq!(over["assets"][0]["public"], json!(true), "{over:#}");
    let wish = merged(within("closed"), json!({ "public": true }));
    server.http.post("/api/v1/generations", &wish).await.assert_problem(422, "VALIDATION_ERROR");
    let id = server.created(&within("closed")).await;
    let over = server.when_over(&id).await;
    let asset = over["assets"][0]["id"].as_str().unwrap();
    published(&server, asset, true).await.assert_problem(403, "FORBIDDEN");
    server.stop().await;
}
