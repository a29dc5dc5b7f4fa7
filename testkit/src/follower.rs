//! A reader of the stream of events, who comes back after every end with the place it saw last.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onepath_testkit::Fallible;
use serde_json::Value;

use crate::caller::Servers;

/// What was told: cursor, generation, number and kind.
pub(crate) type Told = (i64, String, i64, String);

/// A reader; it ends with this value.
#[derive(Debug)]
pub(crate) struct Follower {
    told: Arc<Mutex<Vec<Told>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Follower {
    /// Reads everything from the beginning, for a user.
    pub(crate) fn start(servers: &Servers, user: &str) -> Fallible<Self> {
        let http = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
        let told = Arc::new(Mutex::new(Vec::new()));
        let (servers, user, kept) = (servers.clone(), user.to_owned(), Arc::clone(&told));
        let task = tokio::spawn(async move {
            let mut turn = 0;
            loop {
                let server = servers.at(turn).unwrap_or_default();
                turn += 1;
                // It ends when the server does; what was told until then is kept.
                let _ = read(&http, &server, &user, &kept).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Ok(Self { told, task })
    }

    /// What was told so far.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(
    http: &reqwest::Client,
    server: &str,
    user: &str,
    kept: &Mutex<Vec<Told>>,
) -> reqwest::Result<()> {
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    let last = lock().last().map_or(0, |told| told.0);
    let mut response = http
        .get(format!("http://{server}/api/v1/generations/events"))
        .header("authorization", "Bearer faults")
        .header("onepath-user", user)
        .header("last-event-id", last.to_string())
        .send()
        .await?
        .error_for_status()?;
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        text.extend_from_slice(&chunk);
        while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
            let frame: Vec<u8> = text.drain(..end + 2).collect();
            if let Some(told) = told(&frame) {
                lock().push(told);
            }
        }
    }
    Ok(())
}

fn told(frame: &[u8]) -> Option<Told> {
    let frame = String::from_utf8_lossy(frame);
    let data = frame.lines().find_map(|line| line.strip_prefix("data:"))?;
    let data: Value = serde_json::from_str(data.trim()).ok()?;
    let text = |name: &str| Some(data.get(name)?.as_str()?.to_owned());
    let number = |name: &str| data.get(name)?.as_i64();
    let generation = text("generation_id").unwrap_or_default();
    Some((number("cursor")?, generation, number("number")?, text("type")?))
}
