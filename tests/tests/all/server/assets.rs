//! Assets: uploads, creates with files, lists, lineage, parts of files.

use std::io::Cursor;

use serde_json::{Value, json};

use super::http::{Http, Reply};
use super::{Folder, Running, faults, merged, picture, settings};

/// A picture of a size.
pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let image = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 7]));
    image::DynamicImage::ImageRgb8(image).write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

pub(super) async fn upload(http: &Http, bytes: &[u8]) -> Reply {
    http.send("POST", "/api/v1/assets", &[("content-type", "image/png")], bytes).await
}

pub(super) async fn uploaded(http: &Http, bytes: &[u8]) -> String {
    let reply = upload(http, bytes).await;
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// A body of several parts: name, file name and bytes of each.
pub(super) fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, bytes) in parts {
        let file = file.map_or(String::new(), |file| format!("; filename=\"{file}\""));
        let head =
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

pub(super) const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=edge");

fn moved(image: &str) -> Value {
    merged(
        picture("waves"),
        json!({ "config": { "generationType": "image_to_video", "imageUrl": image } }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_private_kept_once_and_served_as_it_came() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let ada = server.http.with_key("ada");
    let bytes = png(40, 30);
    let first = upload(&ada, &bytes).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let asset = first.json();
    let id = asset["id"].as_str().unwrap();
    assert_eq!(first.header("location"), Some(&*format!("/api/v1/assets/{id}")));
    assert_eq!((&asset["media_type"], &asset["width"]), (&json!("image/png"), &json!(40)));
    assert_eq!(asset["sync_status"], "downloaded");
    let again = upload(&ada, &bytes).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &asset["id"]));
    let other = upload(&server.http.with_key("ben"), &bytes).await;
    assert_eq!(other.status, 201, "everybody has their own");
    assert_ne!(other.json()["id"], asset["id"]);
    let file = server.http.without_key().get(asset["url"].as_str().unwrap()).await;
    assert_eq!((file.status, &file.body), (200, &bytes));
    for key in ["ben", "elsewhere"] {
        let http = server.http.with_key(key);
        for path in ["", "/file", "/lineage"] {
            let path = format!("/api/v1/assets/{id}{path}");
            http.get(&path).await.assert_problem(404, "NOT_FOUND");
        }
        let gone = http.send("DELETE", &format!("/api/v1/assets/{id}"), &[], b"").await;
        gone.assert_problem(404, "NOT_FOUND");
    }
    let usage = ada.get("/api/v1/usage").await.json();
    assert_eq!(usage["storage_bytes"], bytes.len());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_s4_a_files_name_is_for_people_and_no_place() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    for (index, (name, shown)) in [
        ("../../etc/passwd", Some("passwd")),
        ("%2e%2e%2fx.png", Some("%2e%2e%2fx.png")),
        ("/absolute/a.png", Some("a.png")),
        ("CON", Some("CON")),
        ("portrait of Mira.png", Some("portrait of Mira.png")),
        ("gnp.\u{202e}exe.png", Some("gnp.exe.png")),
        (&*"x".repeat(4096), Some(&*"x".repeat(255))),
        ("..", Some("..")),
        ("/", None),
    ]
    .into_iter()
    .enumerate()
    {
        let bytes = png(10 + u32::try_from(index).unwrap(), 5);
        let body = form(&[("file", Some(name), &bytes)]);
        let reply = server.http.send("POST", "/api/v1/assets", &[FORM], &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!(reply.json()["name"].as_str(), shown);
    }
    let mut kept = 9;
    for (index, name) in
        ["..\\..\\windows\\x.png", "nul\u{0}l.png", "a\u{1b}[31m.png"].into_iter().enumerate()
    {
        let bytes = png(40 + u32::try_from(index).unwrap(), 5);
        let body = form(&[("file", Some(name), &bytes)]);
        let reply = server.http.send("POST", "/api/v1/assets", &[FORM], &body).await;
        // What no header can hold may be refused as a whole.
        assert!(matches!(reply.status, 201 | 400 | 422), "{}", reply.text());
        if reply.status == 201 {
            kept += 1;
            let shown = reply.json()["name"].as_str().unwrap().to_owned();
            assert!(!shown.contains(|c: char| c.is_control() || "/\\".contains(c)), "{shown:?}");
        }
    }
    let mut left = vec![folder.as_ref().join("blobs")];
    let mut files = 0;
    while let Some(path) = left.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                left.push(entry.path());
                continue;
            }
            let name = entry.file_name().into_string().unwrap();
            let (hash, chance) = name.split_once('-').unwrap();
            let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(hash.len() == 64 && hex(hash) && hex(chance), "{name}");
            files += 1;
        }
    }
    assert_eq!(files, kept);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_s6_what_is_no_media_is_refused() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    for bytes in [&b"<svg/>"[..], b"<html>", b"GIF89a/*<script>*/", b"\x89PNG\r\n\x1a\n<html>", b""]
    {
        upload(&server.http, bytes).await.assert_problem(415, "UNSUPPORTED_MEDIA");
    }
    let text = server.http.send("POST", "/api/v1/assets", &[("content-type", "text/html")], b"x");
    text.await.assert_problem(415, "UNSUPPORTED_MEDIA");
    assert_eq!(server.http.get("/api/v1/assets").await.json()["assets"], json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_s5_a_body_that_is_too_large_is_refused_and_leaves_nothing() {
    let folder = Folder::new();
    let mut settings = settings(&folder);
    settings.most_upload = 3_000_000;
    let server = Running::with(&settings).await;
    let large = vec![7; 3_000_001];
    upload(&server.http, &large).await.assert_problem(413, "PAYLOAD_TOO_LARGE");
    let body = form(&[("file", None, &large)]);
    let reply = server.http.send("POST", "/api/v1/assets", &[FORM], &body).await;
    reply.assert_problem(413, "PAYLOAD_TOO_LARGE");
    let left = std::fs::read_dir(folder.as_ref().join("uploads")).unwrap().count();
    assert_eq!(left, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_file_is_what_was_asked_for() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let bytes = png(64, 64);
    let path = format!("/api/v1/assets/{}/file", uploaded(&server.http, &bytes).await);
    let size = bytes.len();
    let ask = async |headers: &[(&str, &str)]| server.http.send("GET", &path, headers, b"").await;
    let part = ask(&[("range", "bytes=8-15")]).await;
    assert_eq!((part.status, &part.body[..]), (206, &bytes[8..16]));
    assert_eq!(part.header("content-range"), Some(&*format!("bytes 8-15/{size}")));
    let end = ask(&[("range", "bytes=-4")]).await;
    assert_eq!((end.status, &end.body[..]), (206, &bytes[size - 4..]));
    let whole = ask(&[("range", "bytes=0-3,8-9")]).await;
    assert_eq!((whole.status, &whole.body), (200, &bytes));
    let behind = ask(&[("range", &format!("bytes={size}-"))]).await;
    behind.assert_problem(416, "RANGE_NOT_SATISFIABLE");
    assert_eq!(behind.header("content-range"), Some(&*format!("bytes */{size}")));
    let tag = whole.header("etag").unwrap();
    let same = ask(&[("range", "bytes=0-0"), ("if-range", tag)]).await;
    assert_eq!(same.status, 206);
    let other = ask(&[("range", "bytes=0-0"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status, &other.body), (200, &bytes));
    let head = server.http.send("HEAD", &path, &[], b"").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some(&*size.to_string())));
    assert_eq!(head.header("accept-ranges"), Some("bytes"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_brings_its_files_along() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let (first, second) = (png(20, 10), png(21, 10));
    let create = async |envelope: &Value, parts: &[(&str, &[u8])], headers: &[(&str, &str)]| {
        let text = envelope.to_string();
        let mut all = vec![("envelope", None, text.as_bytes())];
        all.extend(parts.iter().map(|(name, bytes)| (*name, Some("a.png"), *bytes)));
        let headers: Vec<_> = std::iter::once(FORM).chain(headers.iter().copied()).collect();
        server.http.send("POST", "/api/v1/generations", &headers, &form(&all)).await
    };
    let key = [("idempotency-key", "one")];
    let made = create(&moved("input1"), &[("input1", &first)], &key).await;
    assert_eq!(made.status, 202, "{}", made.text());
    let done = server.when_over(made.json()["id"].as_str().unwrap()).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    let asset = uploaded(&server.http, &first).await;
    assert_eq!(done["request"]["inputs"][0]["ref"], format!("asset:{asset}"));

    // The same call is the same answer; other bytes under the same key are another call.
    let again = create(&moved("input1"), &[("input1", &first)], &key).await;
    assert_eq!((again.status, again.json()["id"].clone()), (202, made.json()["id"].clone()));
    let other = create(&moved("input1"), &[("input1", &second)], &key).await;
    other.assert_problem(422, "IDEMPOTENCY_MISMATCH");

    // A part that nothing names is what the config starts from, if that is nothing else.
    let mut bare = moved("");
    bare["config"].as_object_mut().unwrap().remove("imageUrl");
    let reply = create(&bare, &[("input1", &first)], &[]).await;
    assert_eq!(reply.json()["answer"], "cache", "{}", reply.text());
    let refused = create(&moved("https://example.com/a.png"), &[("input1", &first)], &[]).await;
    assert_eq!(faults(&refused), [("input/not-named".to_owned(), "/input1".to_owned())]);
    let refused = create(&moved("input2"), &[], &[]).await;
    let expected = ("input/part-missing".to_owned(), "/config/imageUrl".to_owned());
    assert_eq!(faults(&refused), [expected]);
    let refused = create(&moved("input1"), &[("input1", b"<html>")], &[]).await;
    refused.assert_problem(415, "UNSUPPORTED_MEDIA");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_generation_starts_from_is_ones_own_and_stays_while_it_is_needed() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let ada = server.http.with_key("ada");
    let theirs = uploaded(&ada, &png(9, 9)).await;
    let refused = server.http.post("/api/v1/generations", &moved(&format!("asset:{theirs}"))).await;
    assert_eq!(faults(&refused), [("input/asset".to_owned(), "/config".to_owned())]);
    let nobodys = moved("asset:01a20ba4-4b9c-7d94-84b3-2de398322f93");
    server.http.post("/api/v1/generations", &nobodys).await.assert_problem(422, "VALIDATION_ERROR");

    let own = uploaded(&server.http, &png(8, 8)).await;
    let id = server.created(&moved(&format!("asset:{own}"))).await;
    let made = server.when_over(&id).await["asset_id"].as_str().unwrap().to_owned();
    let lineage =
        async |id: &str| server.http.get(&format!("/api/v1/assets/{id}/lineage")).await.json();
    let up = lineage(&made).await;
    assert_eq!(up["generation"]["generation_id"], id.as_str());
    assert_eq!(
        (&up["parents"][0]["asset_id"], &up["parents"][0]["role"]),
        (&json!(own), &json!("image"))
    );
    let down = lineage(&own).await;
    assert_eq!(down["children"][0]["generation"]["generation_id"], id.as_str());
    assert_eq!(down["children"][0]["asset_ids"], json!([made]));

    let gone = server.http.send("DELETE", &format!("/api/v1/assets/{own}"), &[], b"").await;
    assert_eq!(gone.status, 204);
    server.http.get(&format!("/api/v1/assets/{own}")).await.assert_problem(404, "NOT_FOUND");
    let up = lineage(&made).await;
    assert_eq!(
        (&up["parents"][0]["asset_id"], &up["parents"][0]["asset"]),
        (&json!(own), &Value::Null)
    );
    let deleted = moved(&format!("asset:{own}"));
    let refused = server.http.post("/api/v1/generations", &deleted).await;
    refused.assert_problem(422, "VALIDATION_ERROR");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_are_listed_named_and_tagged() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let id = server.created(&picture("a house")).await;
    let made = server.when_over(&id).await["asset_id"].as_str().unwrap().to_owned();
    let own = uploaded(&server.http, &png(8, 8)).await;
    let patch = json!({ "name": "Mira", "tags": ["npc:mira", "door", "door"] });
    let headers = [("content-type", "application/json")];
    let path = format!("/api/v1/assets/{own}");
    let text = patch.to_string();
    let patched = server.http.send("PATCH", &path, &headers, text.as_bytes()).await;
    assert_eq!(patched.json()["tags"], json!(["door", "npc:mira"]), "{}", patched.text());
    let wrong = json!({ "name": 1, "tags": [""], "url": "x" }).to_string();
    let refused = server.http.send("PATCH", &path, &headers, wrong.as_bytes()).await;
    assert_eq!(faults(&refused).len(), 3);
    let list = async |query: &str| {
        let page = server.http.get(&format!("/api/v1/assets?{query}")).await.json();
        let all = page["assets"].as_array().unwrap().clone();
        all.iter().map(|asset| asset["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, [own.as_str(), &made]);
    assert_eq!(list("tag=npc%3Amira").await, [own.as_str()]);
    assert_eq!(list("q=mir").await, [own.as_str()]);
    assert_eq!(list("provider_id=local").await, [made.as_str()]);
    assert_eq!(list(&format!("generation_id={id}")).await, [made.as_str()]);
    assert_eq!(list("media=video").await, Vec::<String>::new());
    assert_eq!(list("source=generation&media=image").await, [made.as_str()]);
    let page = server.http.get("/api/v1/assets?limit=1").await.json();
    let next = page["next_cursor"].as_str().unwrap();
    assert_eq!(list(&format!("cursor={next}")).await, [made.as_str()]);
    let wrong = server.http.get("/api/v1/assets?media=sound&limit=0&x=y").await;
    assert_eq!(faults(&wrong).len(), 3);
    // What is here is not fetched again.
    let synced = server.http.send("POST", &format!("/api/v1/assets/{made}/sync"), &[], b"").await;
    assert_eq!((synced.status, synced.json()["sync_status"].clone()), (200, json!("downloaded")));
    server.stop().await;
}
