//! Load: a fixed number of connections that are kept, one request after the other on each. All of
//! them live on one thread, and answers are read no further than needed, so that the load itself
//! costs little.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Failure;

/// What is sent, and what must come back.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// Method and path.
    pub(crate) to: &'static str,
    /// Everything behind them.
    pub(crate) requests: Arc<Vec<Vec<u8>>>,
    /// The place of the next request.
    pub(crate) next: Arc<AtomicUsize>,
    /// The status of every answer.
    pub(crate) status: &'static str,
    /// Whether a request may be sent twice.
    pub(crate) repeats: bool,
}

impl Load {
    /// Creates from the first request on, answered with 202.
    pub(crate) fn creates(requests: &Arc<Vec<Vec<u8>>>) -> Self {
        Self {
            to: "POST /api/v1/generations",
            requests: Arc::clone(requests),
            next: Arc::default(),
            status: "202",
            repeats: false,
        }
    }
}

/// What was sent and answered.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) requests: usize,
    pub(crate) wall: Duration,
    /// Microseconds of each answer.
    pub(crate) latencies: Vec<u32>,
}

/// Sends for a while.
pub(crate) fn run(
    address: &str,
    load: &Load,
    connections: usize,
    slice: Duration,
) -> Result<Run, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let started = Instant::now();
    let latencies = runtime.block_on(async {
        let mut all = JoinSet::new();
        for _ in 0..connections {
            let (address, load) = (address.to_owned(), load.clone());
            all.spawn(async move { one(&address, &load, started + slice).await });
        }
        let mut latencies = Vec::new();
        while let Some(joined) = all.join_next().await {
            latencies.extend(joined??);
        }
        Ok::<_, Failure>(latencies)
    })?;
    Ok(Run { requests: latencies.len(), wall: started.elapsed(), latencies })
}

/// One connection, until the end.
async fn one(address: &str, load: &Load, end: Instant) -> Result<Vec<u32>, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sent, mut answer) = (Vec::with_capacity(16 * 1024), Vec::with_capacity(16 * 1024));
    let mut latencies = Vec::with_capacity(4096);
    let mut since = Instant::now();
    while since < end {
        let place = load.next.fetch_add(1, Ordering::Relaxed);
        if place >= load.requests.len() && !load.repeats {
            return Err("there are too few requests for so quick a server".into());
        }
        let request = load.requests.get(place % load.requests.len()).ok_or("no requests")?;
        sent.clear();
        sent.extend_from_slice(load.to.as_bytes());
        sent.extend_from_slice(request);
        stream.write_all(&sent).await?;
        answer.clear();
        while !is_whole(&answer, load.status)? {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err("the server hung up".into());
            }
        }
        let now = Instant::now();
        latencies.push(u32::try_from((now - since).as_micros()).unwrap_or(u32::MAX));
        since = now;
    }
    Ok(latencies)
}

/// Whether an answer is there to its end; an error if it is not the one that was asked for.
fn is_whole(answer: &[u8], status: &str) -> Result<bool, Failure> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(false);
    };
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
    if head.split(' ').nth(1) != Some(status) {
        return Err(String::from_utf8_lossy(answer).into_owned().into());
    }
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .ok_or("an answer without a length")?
        .parse()?;
    Ok(answer.len() >= end + 4 + length)
}
