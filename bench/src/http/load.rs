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

/// What was sent and answered.
pub(crate) struct Run {
    pub(crate) requests: usize,
    pub(crate) wall: Duration,
}

/// Sends for a while; `next` is the place of the next request.
pub(crate) fn run(
    address: &str,
    requests: &Arc<Vec<Vec<u8>>>,
    next: &Arc<AtomicUsize>,
    connections: usize,
    slice: Duration,
) -> Result<Run, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let first = next.load(Ordering::Relaxed);
    let started = Instant::now();
    runtime.block_on(async {
        let mut all = JoinSet::new();
        for _ in 0..connections {
            let (address, requests, next) =
                (address.to_owned(), Arc::clone(requests), Arc::clone(next));
            all.spawn(async move { one(&address, &requests, &next, started + slice).await });
        }
        while let Some(joined) = all.join_next().await {
            joined??;
        }
        Ok::<(), Failure>(())
    })?;
    Ok(Run { requests: next.load(Ordering::Relaxed) - first, wall: started.elapsed() })
}

/// One connection, until the end.
async fn one(
    address: &str,
    requests: &[Vec<u8>],
    next: &AtomicUsize,
    end: Instant,
) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answer = Vec::with_capacity(16 * 1024);
    while Instant::now() < end {
        let place = next.fetch_add(1, Ordering::Relaxed) % requests.len();
        let request = requests.get(place).ok_or("no requests")?;
        stream.write_all(request).await?;
        answer.clear();
        while !is_whole(&answer)? {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err("the server hung up".into());
            }
        }
    }
    Ok(())
}

/// Whether an answer is there to its end; an error if it is not the one that was asked for.
fn is_whole(answer: &[u8]) -> Result<bool, Failure> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(false);
    };
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
    if !head.starts_with("HTTP/1.1 202 ") {
        return Err(String::from_utf8_lossy(answer).into_owned().into());
    }
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .ok_or("an answer without a length")?
        .parse()?;
    Ok(answer.len() >= end + 4 + length)
}
