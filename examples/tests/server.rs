//! The example that embeds the server, run as a reader would run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test code: a failing test is supposed to stop"
)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use onepath_client::Client;

/// Ends the process and removes its folder, also when the test fails.
struct Running {
    child: Child,
    folder: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn the_embedded_server_draws_beside_the_applications_own_route_and_ends_with_it() {
    let folder = std::env::temp_dir().join(format!("onepath-example-{}", std::process::id()));
    let child = Command::new(env!("CARGO_BIN_EXE_server"))
        .arg(&folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let mut running = Running { child, folder };
    let mut lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap();
    let key = lines.next().unwrap().unwrap();

    let client = Client::new(&address, &key).unwrap();
    let text = async |path: &str| {
        let response = reqwest::get(format!("{address}{path}")).await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap())
    };
    assert_eq!(text("/hello").await, (200, "hello from the application\n".into()));
    assert_eq!(text("/api/v1/generations").await.0, 401, "without a key");

    let body = r#"{"provider_id": "local", "config": {"generationType": "text_to_image",
        "purpose": "ambient", "strategy": "once", "prompt": "a lighthouse in fog",
        "style": {"local": {"width": 64}}, "fallback": {"mode": "skip"}}}"#;
    let created = client.create(body).await.unwrap();
    let generation = client.watch(&created.id).await.unwrap();
    assert_eq!(generation.status, "completed");
    let (status, picture) = text(generation.assets.first().unwrap().url.as_deref().unwrap()).await;
    assert_eq!(status, 200);
    assert!(picture.starts_with(b"\x89PNG"), "the URL of an answer leads to the picture");

    let id = running.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert!(running.child.wait().unwrap().success(), "one signal ends the door and the worker");
}

/// A studio: it draws what is asked for at the second question, and loses the answer to a first wish.
fn studio() -> axum::Router {
    use std::sync::{Arc, Mutex};

    use axum::extract::{Path, State};
    use axum::http::StatusCode;
    use axum::routing::get;

    type Jobs = Arc<Mutex<std::collections::BTreeMap<String, (String, u32)>>>;
    let draw = async |State(jobs): State<Jobs>, Path(token): Path<String>, body: String| {
        let mut jobs = jobs.lock().unwrap();
        let is_first = jobs.is_empty();
        jobs.entry(token).or_insert((body, 0));
        if is_first { StatusCode::BAD_GATEWAY } else { StatusCode::CREATED }
    };
    let stand = async |State(jobs): State<Jobs>, Path(token): Path<String>| {
        let mut jobs = jobs.lock().unwrap();
        let Some((_, asked)) = jobs.get_mut(&token) else {
            return (StatusCode::NOT_FOUND, String::new());
        };
        *asked += 1;
        let word = if *asked > 1 { "drawn" } else { "drawing" };
        (StatusCode::OK, format!("{{\"state\": \"{word}\"}}"))
    };
    let picture = async |State(jobs): State<Jobs>, Path(token): Path<String>| {
        let body = jobs.lock().unwrap().get(&token).unwrap().0.clone();
        assert!(body.contains("\"ink\":\"sepia\""), "{body}");
        // The smallest picture there is.
        include_bytes!("../src/studio/pixel.png").to_vec()
    };
    axum::Router::new()
        .route("/jobs/{token}", get(stand).put(draw))
        .route("/jobs/{token}/picture", get(picture))
        .with_state(Jobs::default())
}

#[tokio::test]
async fn a_provider_of_ones_own_is_a_folder_and_a_line() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let studio_at = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, studio()).await });
    let folder = std::env::temp_dir().join(format!("onepath-provider-{}", std::process::id()));
    let child = Command::new(env!("CARGO_BIN_EXE_provider"))
        .arg(&folder)
        .arg(&studio_at)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let mut running = Running { child, folder };
    let mut lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap();
    let key = lines.next().unwrap().unwrap();
    let client = Client::new(&address, &key).unwrap();
    for prompt in ["a lighthouse in fog", "a pier"] {
        let body = format!(
            r#"{{"provider_id": "studio", "config": {{"generationType": "text_to_image",
            "purpose": "ambient", "strategy": "once", "prompt": "{prompt}",
            "style": {{"studio": {{"ink": "sepia"}}}}, "fallback": {{"mode": "skip"}}}}}}"#
        );
        let created = client.create(&body).await.unwrap();
        let generation = client.watch(&created.id).await.unwrap();
        assert_eq!(generation.status, "completed");
        assert_eq!(generation.assets.len(), 1);
    }
}
