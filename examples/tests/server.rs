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
