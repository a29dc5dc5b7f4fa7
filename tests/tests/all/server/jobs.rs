//! The job addresses of the system before: a translation onto generations.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Folder, Running, settings, within};

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

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn socket(server: &Running, query: &str) -> String {
    format!("ws://{}/api/v1/ws/jobs{query}", server.http.address())
}

async fn frame(socket: &mut Socket) -> Value {
    let message = within("a frame", socket.next()).await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

/// The frames of a job to its end; no frame of another one may come.
async fn until_over(socket: &mut Socket, job: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let frame = frame(socket).await;
        assert_eq!(frame["job_id"], job["id"], "{frame}");
        let is_over = ["job:completed", "job:failed", "job:cancelled"]
            .contains(&frame["type"].as_str().unwrap());
        all.push(frame);
        if is_over {
            return all;
        }
    }
}

fn words<'f>(frames: &'f [Value], member: &str) -> Vec<&'f str> {
    frames.iter().map(|frame| frame[member].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_tells_of_ones_own_jobs_by_their_numbers() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let (mut of_ada, answer) =
        connect_async(socket(&server, "?token=ada&client=old")).await.unwrap();
    assert!(answer.headers()["deprecation"].to_str().unwrap().starts_with('@'));
    assert_eq!(
        answer.headers()["link"].to_str().unwrap(),
        "</api/v1/generations>; rel=\"successor-version\""
    );
    let hello = frame(&mut of_ada).await;
    assert_eq!((&hello["type"], &hello["user_id"]), (&json!("connected"), &json!("ada")));
    assert!(hello["message"].is_string());
    of_ada.send(Message::text("ping")).await.unwrap();
    assert_eq!(frame(&mut of_ada).await, json!({ "type": "pong" }));

    // What others share is no job of hers, and comes before hers.
    let ben = server.http.with_key("ben");
    let shared = ben.post("/api/v1/generations", &super::picture("for all")).await.json();
    server.when_over(shared["id"].as_str().unwrap()).await;
    let ada = server.http.with_key("ada");
    let made = ada.post(JOBS, &job(&json!({ "prompt": "a pier" }))).await.json();
    let frames = until_over(&mut of_ada, &made).await;
    assert_eq!(
        words(&frames, "type"),
        ["job:created", "job:started", "job:progress", "job:completed"]
    );
    assert_eq!(words(&frames, "stage"), ["created", "started", "submitted", "completed"]);
    assert_eq!(words(&frames, "status"), ["pending", "processing", "processing", "completed"]);
    let [first, .., last] = frames.as_slice() else { panic!("{frames:?}") };
    assert!(first["job_id"].is_i64());
    assert_eq!((&first["progress_percent"], &first["asset_id"]), (&json!(0), &Value::Null));
    assert_eq!((&last["progress_percent"], &last["error"]), (&json!(100), &Value::Null));
    let done = ada.get(&format!("{JOBS}/{}", made["id"])).await.json();
    assert!(last["asset_id"].is_string());
    assert_eq!(last["asset_id"], done["asset_id"]);
    assert_eq!(last["data"]["generation_id"], made["generation_id"]);
    assert_eq!(last["data"]["operation_type"], "text_to_image");

    let wish = job(&json!({ "prompt": "it fails", "fail": "param_invalid" }));
    let made = ada.post(JOBS, &wish).await.json();
    let frames = until_over(&mut of_ada, &made).await;
    let last = frames.last().unwrap();
    assert_eq!(
        (&last["type"], &last["status"], &last["error"], &last["progress_percent"]),
        (&json!("job:failed"), &json!("failed"), &json!("param_invalid"), &Value::Null)
    );
    let made = ada.post(JOBS, &job(&json!({ "prompt": "x", "fail": "hang" }))).await.json();
    ada.send("DELETE", &format!("{JOBS}/{}", made["id"]), &[], b"").await;
    let frames = until_over(&mut of_ada, &made).await;
    assert_eq!(words(&frames, "type").last(), Some(&"job:cancelled"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_closed_without_a_key_and_gone_after_the_sunset() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    for query in ["", "?token=", "?token=nobody"] {
        let (mut refused, _) = connect_async(socket(&server, query)).await.unwrap();
        match refused.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1008, "{query}"),
            other => panic!("{query}: {other:?}"),
        }
    }
    let plain = server.http.get("/api/v1/ws/jobs?token=ada").await;
    plain.assert_problem(422, "VALIDATION_ERROR");
    assert!(plain.header("deprecation").is_some());
    server.stop().await;
    let folder = Folder::new();
    let mut wished = settings(&folder);
    wished.jobs_sunset = Some(1_000);
    let server = Running::with(&wished).await;
    match connect_async(socket(&server, "?token=ada")).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 410),
        other => panic!("{other:?}"),
    }
    server.stop().await;
}
