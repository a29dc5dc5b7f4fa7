//! What was made: files by key and by signed URL.

use serde_json::{Value, json};

use super::{Folder, Running, merged, picture, picture_with};

async fn drawn(server: &Running, wish: &Value) -> Value {
    let id = server.created(wish).await;
    let mut done = server.when_over(&id).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(done["asset_id"], done["assets"][0]["id"]);
    done["assets"][0].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_what_it_says() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let asset = drawn(&server, &picture("a house")).await;
    let path = format!("/api/v1/assets/{}/file", asset["id"].as_str().unwrap());
    let file = server.http.get(&path).await;
    assert_eq!((file.status, file.header("content-type")), (200, Some("image/png")));
    let png = image::load_from_memory_with_format(&file.body, image::ImageFormat::Png).unwrap();
    assert_eq!((png.width(), png.height()), (96, 64));
    assert_eq!((&asset["width"], &asset["height"]), (&json!(96), &json!(64)));
    assert_eq!(asset["bytes"], file.body.len());
    let hash = onepath_server::clock::hex(&<sha2::Sha256 as sha2::Digest>::digest(&file.body));
    assert_eq!(asset["sha256"], hash.as_str());
    assert_eq!(file.header("etag"), Some(&*format!("\"{hash}\"")));
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"));

    let tag = file.header("etag").unwrap();
    for known in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let again = server.http.send("GET", &path, &[("if-none-match", &known)], b"").await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), Some(tag));
    }
    let other = server.http.send("GET", &path, &[("if-none-match", "\"other\"")], b"").await;
    assert_eq!((other.status, &other.body), (200, &file.body));
    let head = server.http.send("HEAD", &path, &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));

    let video = picture_with("a house", json!({ "frames": 3 }));
    let video = merged(video, json!({ "config": { "generationType": "text_to_video" } }));
    let asset = drawn(&server, &video).await;
    assert_eq!(asset["media_type"], "image/gif");
    let file = server.http.get(asset["url"].as_str().unwrap()).await;
    let gif = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(&file.body)).unwrap();
    let frames = image::AnimationDecoder::into_frames(gif).collect_frames().unwrap();
    assert_eq!(frames.len(), 3);
    assert_eq!(frames[0].buffer().dimensions(), (96, 64));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_url_works_without_a_key_and_only_as_it_is() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let asset = drawn(&server, &picture("a house")).await;
    let other = drawn(&server, &picture("a ship")).await;
    let url = asset["url"].as_str().unwrap();
    let anybody = server.http.without_key();
    assert_eq!(anybody.get(url).await.status, 200);
    let query = url.find('?').unwrap() + 1;
    for at in query..url.len() {
        let old = url.as_bytes()[at];
        let mut forged = url.to_owned();
        forged.replace_range(at..=at, if old == b'0' { "1" } else { "0" });
        anybody.get(&forged).await.assert_problem(403, "FORBIDDEN");
    }
    // Another asset with this one's signature.
    let (_, signed) = url.split_once('?').unwrap();
    let path = format!("/api/v1/assets/{}/file", other["id"].as_str().unwrap());
    anybody.get(&format!("{path}?{signed}")).await.assert_problem(403, "FORBIDDEN");
    anybody.get(&path).await.assert_problem(401, "UNAUTHENTICATED");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_url_lives_for_a_while() {
    let folder = Folder::new();
    let mut settings = super::settings(&folder);
    settings.url_lifetime = std::time::Duration::ZERO;
    let server = Running::with(&settings).await;
    let asset = drawn(&server, &picture("a house")).await;
    let late = server.http.without_key().get(asset["url"].as_str().unwrap()).await;
    late.assert_problem(403, "FORBIDDEN");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_the_row_does_not_see_the_file() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let shared = drawn(&server, &picture("for all")).await;
    let own = merged(
        picture("for one"),
        json!({
            "config": { "strategy": "per_player" }, "player_context": { "playerId": "p1" },
        }),
    );
    let own = drawn(&server, &own).await;
    let status = async |key: &str, asset: &Value| {
        let path = format!("/api/v1/assets/{}/file", asset["id"].as_str().unwrap());
        server.http.with_key(key).get(&path).await.status
    };
    assert_eq!(status("ada", &shared).await, 200);
    assert_eq!(status("ada", &own).await, 404);
    assert_eq!(status("elsewhere", &shared).await, 404);
    assert_eq!(status("backend", &own).await, 200);
    server.stop().await;
}
