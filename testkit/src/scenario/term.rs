//! T18: the server is asked to end while two hundred calls are on their way.

use std::time::{Duration, Instant};

use onepath_testkit::Fallible;
use onepath_testkit::random::Random;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::stage::{Kind, Stage};
use super::{Context, Verdict};
use crate::judge::{Counts, Fault};

/// Calls that are on their way.
const CALLS: u64 = 200;

/// How long the end may take: what is on its way at the provider is answered or given up by then.
const PATIENCE: Duration = Duration::from_secs(2);

/// What became of a call.
enum Call {
    /// It was answered whole.
    Answered(u16),
    /// Nobody took it.
    NotTaken,
    /// It was taken, and its answer is cut off.
    Cut(String),
}

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for kind in Kind::BOTH {
        let rounds = context.rounds(3, 60);
        let (mut answered, mut not_taken, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
        let (mut counts, mut faults) = (Counts::default(), Vec::new());
        let name = format!("term-{}-{}", kind.name(), context.seed);
        let stage = Stage::new(context, kind, &name, 0).await?;
        let mut random = Random::new(context.seed);
        let mut server = stage.serve(0, &[]).await?;
        stage.truth.watch().await?;
        for round in 0..rounds {
            let address = stage.servers.at(0).unwrap_or_default();
            let mut calls = JoinSet::new();
            for call in 0..CALLS {
                let (address, body) = (address.clone(), crate::load::picture(round * CALLS + call));
                let wait = Duration::from_micros(random.below(100_000));
                calls.spawn(async move {
                    tokio::time::sleep(wait).await;
                    speak(&address, &format!("term-{round}-{call}"), &body).await
                });
            }
            tokio::time::sleep(Duration::from_micros(random.below(100_000))).await;
            slowest = slowest.max(server.end().await?);
            let held = "SELECT count(*) FROM generations WHERE lease_until IS NOT NULL";
            let held = stage.truth.number(held).await?;
            if held > 0 {
                faults.push(Fault::Other(format!("{held} leases are left behind")));
            }
            while let Some(call) = calls.join_next().await {
                match call.map_err(|error| error.to_string())? {
                    Call::Answered(200 | 202) => answered += 1,
                    Call::NotTaken => not_taken += 1,
                    Call::Answered(status) => {
                        faults.push(Fault::Other(format!("a call was answered {status}")));
                    }
                    Call::Cut(what) => faults.push(Fault::Lost(format!("a call was cut: {what}"))),
                }
            }
            server = stage.serve(0, &[]).await?;
        }
        if slowest > PATIENCE {
            faults.push(Fault::Stuck(format!("the end took {slowest:?}")));
        }
        let (more, found) = stage.judge(&[]).await?;
        counts += more;
        faults.extend(found);
        server.end().await?;
        stage.clear(&faults)?;
        let line = format!(
            "T18 {}: {rounds} times SIGTERM among {CALLS} calls: {answered} answered, {not_taken} not \
             taken, the end took up to {} ms; {counts}",
            kind.name(),
            slowest.as_millis()
        );
        verdicts.push(Verdict { line, faults });
    }
    Ok(verdicts)
}

/// One call on a connection of its own.
async fn speak(address: &str, key: &str, body: &str) -> Call {
    let since = Instant::now();
    let Ok(mut stream) = TcpStream::connect(address).await else { return Call::NotTaken };
    let request = format!(
        "POST /api/v1/generations HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer faults\r\n\
         idempotency-key: \"{key}\"\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    let cut =
        |what: &dyn std::fmt::Display| Call::Cut(format!("{what}, after {:?}", since.elapsed()));
    if let Err(error) = stream.write_all(request.as_bytes()).await {
        return cut(&error);
    }
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer).await {
        return cut(&error);
    }
    let text = String::from_utf8_lossy(&answer);
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    match status {
        Some(status) if text.trim_end().ends_with('}') => Call::Answered(status),
        _ => cut(&format!("{} bytes", answer.len())),
    }
}
