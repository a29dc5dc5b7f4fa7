//! A server whose files lie in a bucket: what readers are given, and what happens while the bucket
//! does not answer.

use onepath_fakes::bucket::{BUCKET, Bucket, BucketCall, BucketFault, KEY_ID, REGION, SECRET};
use onepath_server::Settings;
use onepath_server::asset::S3;

use super::assets::{png, upload};
use super::http::Http;
use super::{Folder, Running, picture, settings};

fn in_bucket(folder: &Folder, bucket: &Bucket, hands_out: bool) -> Settings {
    let mut settings = settings(folder);
    settings.bucket = Some(S3 {
        bucket: BUCKET.to_owned(),
        region: Some(REGION.to_owned()),
        endpoint: Some(bucket.endpoint().to_owned()),
        access_key_id: Some(KEY_ID.to_owned()),
        secret_access_key: Some(SECRET.to_owned()),
        hands_out,
    });
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn files_lie_in_a_bucket_and_are_read_as_from_a_folder() {
    let (folder, bucket) = (Folder::new(), Bucket::start().await.unwrap());
    let server = Running::with(&in_bucket(&folder, &bucket, false)).await;
    let id = server.created(&picture("a quay")).await;
    let over = server.when_over(&id).await;
    assert_eq!(over["status"], "completed", "{over:#}");
    let url = over["assets"][0]["url"].as_str().unwrap();
    let http = server.http.without_key();
    let file = http.get(url).await;
    assert_eq!(file.status, 200);
    let part = http.send("GET", url, &[("range", "bytes=4-7")], b"").await;
    assert_eq!((part.status, &part.body[..]), (206, &file.body[4..8]));
    let kept: Vec<Vec<u8>> = bucket.objects().into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(kept, [file.body]);
    assert!(!folder.as_ref().join("blobs").exists(), "nothing lies in the folder");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_read_is_sent_to_the_bucket_if_it_hands_out() {
    let (folder, bucket) = (Folder::new(), Bucket::start().await.unwrap());
    let server = Running::with(&in_bucket(&folder, &bucket, true)).await;
    let ada = server.http.with_key("ada");
    let bytes = png(20, 10);
    let asset = upload(&ada, &bytes).await.json();
    let url = asset["url"].as_str().unwrap();
    let sent = server.http.without_key().get(url).await;
    assert_eq!(sent.status, 307);
    let to = sent.header("location").unwrap().to_owned();
    let host = bucket.endpoint().strip_prefix("http://").unwrap();
    let path = to.strip_prefix(bucket.endpoint()).unwrap();
    let file = Http::new(host.parse().unwrap()).get(path).await;
    assert_eq!((file.status, &file.body), (200, &bytes));
    assert_eq!(file.header("content-type"), Some("image/png"));
    // Who may not read is sent nowhere, and a tag that is known needs no bytes.
    let path = format!("/api/v1/assets/{}/file", asset["id"].as_str().unwrap());
    server.http.with_key("ben").get(&path).await.assert_problem(404, "NOT_FOUND");
    let tag = format!("\"{}\"", asset["sha256"].as_str().unwrap());
    let known = ada.send("GET", &path, &[("if-none-match", &tag)], b"").await;
    assert_eq!(known.status, 304);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_does_not_answer_loses_nothing() {
    let (folder, bucket) = (Folder::new(), Bucket::start().await.unwrap());
    let server = Running::with(&in_bucket(&folder, &bucket, false)).await;
    // As a bucket says no: it is not tried again inside of the same call.
    bucket.fail(BucketCall::Put, BucketFault::Status(403), 3);
    let ada = server.http.with_key("ada");
    upload(&ada, &png(20, 10)).await.assert_problem(503, "UNAVAILABLE");
    let id = server.created(&picture("a storm")).await;
    let over = server.when_over(&id).await;
    assert_eq!(over["status"], "completed", "{over:#}");
    assert_eq!(upload(&ada, &png(20, 10)).await.status, 201);
    assert_eq!(bucket.objects().len(), 2);
    bucket.fail(BucketCall::Get, BucketFault::Status(403), 1);
    let url = over["assets"][0]["url"].as_str().unwrap();
    server.http.get(url).await.assert_problem(503, "UNAVAILABLE");
    assert_eq!(server.http.get(url).await.status, 200);
    server.stop().await;
}
