//! Following a generation to its end: events as they happen, and looks now and then, which are the
//! guarantee.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde::Deserialize;

use crate::patience::poll_pause;
use crate::stream::Frames;
use crate::{Client, Error, Generation};

/// A stream that says nothing for so long is gone: a server says that it lives every 15 seconds.
const SILENT: Duration = Duration::from_secs(45);

/// While a stream is open a look is taken so often all the same.
const LOOK: Duration = Duration::from_secs(30);

/// What was told about a generation while it was followed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Progress {
    /// What happened, such as `generation.submitted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The generation.
    pub generation_id: Option<String>,
    /// Its status after it.
    pub status: Option<String>,
    /// What went wrong.
    pub error_code: Option<String>,
    /// When (RFC 3339).
    pub at: String,
}

/// What listening came to.
enum Heard {
    /// The generation is over.
    End,
    /// Nothing for a while: a look is due.
    Nothing,
    /// The stream broke.
    Broken,
}

impl Client {
    /// Follows a generation to its end, through restarts of the server.
    ///
    /// # Errors
    ///
    /// A problem of the server other than being away.
    pub async fn watch(&self, id: &str) -> Result<Generation, Error> {
        self.follow(id, |_| ()).await
    }

    /// The same, and `told` hears what happens to it on the way. A stream that breaks is taken up
    /// behind the last event (`Last-Event-ID`); where there is none, looks alone carry it, often at
    /// first and seldom later.
    ///
    /// # Errors
    ///
    /// As [`watch`](Self::watch).
    pub async fn follow(
        &self,
        id: &str,
        mut told: impl FnMut(&Progress),
    ) -> Result<Generation, Error> {
        let since = Instant::now();
        let (mut last, mut is_over) = (None, false);
        loop {
            // The stream first, then the look: what happens between the two is in the stream.
            let stream = if is_over { None } else { self.open_events(last.as_deref()).await };
            match self.get(id).await {
                Ok(generation) if generation.is_over() => return Ok(generation),
                Ok(_) | Err(Error::Unreachable { .. }) => {}
                Err(error) => return Err(error),
            }
            let Some(stream) = stream else {
                tokio::time::sleep(poll_pause(since.elapsed())).await;
                continue;
            };
            match self.listen(stream, id, &mut last, &mut told).await {
                Heard::End => is_over = true,
                Heard::Nothing => {}
                Heard::Broken => tokio::time::sleep(poll_pause(since.elapsed())).await,
            }
        }
    }

    async fn open_events(&self, last: Option<&str>) -> Option<reqwest::Response> {
        let url = format!("{}/api/v1/generations/events", self.server());
        let mut request = self.http.get(url).timeout(Duration::from_secs(24 * 60 * 60));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let opened = tokio::time::timeout(Duration::from_secs(10), request.send()).await;
        opened.ok()?.ok().filter(|response| response.status() == StatusCode::OK)
    }

    /// Reads events until the generation is over or a look is due.
    async fn listen(
        &self,
        mut stream: reqwest::Response,
        id: &str,
        last: &mut Option<String>,
        told: &mut impl FnMut(&Progress),
    ) -> Heard {
        let mut frames = Frames::default();
        let look = Instant::now() + LOOK;
        loop {
            let left = look.saturating_duration_since(Instant::now()).min(SILENT);
            let piece = match tokio::time::timeout(left, stream.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None) | Err(_)) => return Heard::Broken,
                Err(_) => return Heard::Nothing,
            };
            let Some(read) = frames.take(&piece) else { return Heard::Broken };
            for frame in read {
                if let Some(id) = frame.id {
                    *last = Some(id);
                }
                let Ok(event) = serde_json::from_str::<Progress>(&frame.data) else { continue };
                if event.generation_id.as_deref() != Some(id) {
                    continue;
                }
                told(&event);
                let over = ["completed", "failed", "cancelled"];
                if event.status.is_some_and(|status| over.contains(&status.as_str())) {
                    return Heard::End;
                }
            }
        }
    }
}
