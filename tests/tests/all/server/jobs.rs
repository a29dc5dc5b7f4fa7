//! The job addresses of the system before: a translation onto generations.

use serde_json::{Value, json};

use super::{Folder, Running, settings};

const JOBS: &str = "/api/v1/jobs";

fn job(params: &Value) -> Value {
    json!({ "operation_type": "text_to_image", "provider_id": "local", "params": params })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_a_generation_under_its_number() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let made = server
        .http
        .post(
            JOBS,
            &json!({ "operation_type": "image_to_video", "provider_id": "local",
            "workspace_id": 7, "priority": 3,
            "params": { "prompt": "waves", "image_url": "asset:1", "frames": 4 } }),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(made.header("deprecation").unwrap().starts_with('@'));
    assert_eq!(made.header("link"), Some("</api/v1/generations>; rel=\"successor-version\""));
    assert_eq!(made.header("sunset"), None);
    let job = made.json();
    let number = job["id"].as_i64().unwrap();
    assert_eq!(made.header("location").unwrap(), format!("{JOBS}/{number}"));
    assert_eq!(
        (&job["workspace_id"], &job["priority"], &job["operation_type"]),
        (&json!(7), &json!(3), &json!("image_to_video"))
    );
    assert_eq!(job["params"]["image_url"], "asset:1");
    assert_eq!((&job["params"]["prompt"], &job["params"]["frames"]), (&json!("waves"), &json!(4)));
    // The row is one like any other, made by the one builder.
    let id = job["generation_id"].as_str().unwrap();
    let generation = server.get(id).await;
    assert_eq!(generation["number"], number);
    assert_eq!(generation["request"]["inputs"], json!([{ "role": "image", "ref": "asset:1" }]));
    assert!(generation["request_hash"].as_str().unwrap().len() == 64);
    server.when_over(id).await;
    let done = server.http.get(&format!("{JOBS}/{number}")).await;
    assert_eq!((done.status, &done.json()["status"]), (200, &json!("completed")));
    let page = server.http.get(&format!("{JOBS}?status=completed&workspace_id=7&limit=1")).await;
    let page = page.json();
    assert_eq!(
        (&page["total"], &page["limit"], &page["offset"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(page["jobs"][0]["id"], number);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_cancels_and_others_see_nothing() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let made = server.http.post(JOBS, &job(&json!({ "prompt": "x", "fail": "hang" }))).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let path = format!("{JOBS}/{}", made["id"]);
    for key in ["ada", "elsewhere"] {
        let other = server.http.clone().with_key(key);
        other.get(&path).await.assert_problem(404, "NOT_FOUND");
        other.send("DELETE", &path, &[], b"").await.assert_problem(404, "NOT_FOUND");
    }
    let ended = server.http.send("DELETE", &path, &[], b"").await;
    assert_eq!((ended.status, ended.body.len()), (204, 0));
    let id = made["generation_id"].as_str().unwrap();
    server.when_over(id).await;
    // It is cancelled, not gone.
    assert_eq!(server.http.get(&path).await.json()["status"], "cancelled");
    let again = server.http.send("DELETE", &path, &[], b"").await;
    again.assert_problem(400, "CONFLICT");
    assert!(again.header("deprecation").is_some());
    server.http.get(&format!("{JOBS}/x")).await.assert_problem(404, "NOT_FOUND");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_points_into_the_job_that_was_sent() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let refused = server.http.post(JOBS, &job(&json!({ "quality": "540p" }))).await;
    refused.assert_problem(422, "VALIDATION_ERROR");
    let problem = refused.json();
    assert_eq!(problem["errors"][0]["pointer"], "/params/prompt", "{problem}");
    assert!(problem["detail"].is_string());
    let refused = server.http.post(JOBS, &json!({ "operation_type": "sing" })).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/operation_type");
    server.http.get(&format!("{JOBS}?limit=101")).await.assert_problem(422, "VALIDATION_ERROR");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_sunset_they_are_gone_and_before_it_says_when() {
    let folder = Folder::new();
    let mut wished = settings(&folder);
    wished.jobs_sunset = Some(4_102_444_800_000);
    let server = Running::with(&wished).await;
    let page = server.http.get(JOBS).await;
    assert_eq!((page.status, page.header("sunset")), (200, Some("Fri, 01 Jan 2100 00:00:00 GMT")));
    server.stop().await;
    let folder = Folder::new();
    let mut wished = settings(&folder);
    wished.jobs_sunset = Some(1_000);
    let server = Running::with(&wished).await;
    let gone = server.http.post(JOBS, &job(&json!({ "prompt": "x" }))).await;
    gone.assert_problem(410, "GONE");
    assert!(gone.header("sunset").is_some() && gone.header("link").is_some());
    server.stop().await;
}
