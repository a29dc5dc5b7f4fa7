//! T3: workers stand still for longer than their lease, and go on as if nothing had happened.

use std::time::Duration;

use onepath_testkit::Fallible;
use onepath_testkit::random::Random;

use super::stage::{Kind, Stage};
use super::{Context, Verdict};
use crate::load::{Load, Mix};

/// The lease of the test's workers, in milliseconds.
const LEASE: u64 = 400;

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for (kind, provider) in [(Kind::Sqlite, 0), (Kind::Postgres, 1)] {
        verdicts.push(one(context, kind, provider).await?);
    }
    Ok(verdicts)
}

async fn one(context: &Context, kind: Kind, provider: u64) -> Fallible<Verdict> {
    let rounds = context.rounds(6, 250);
    let mut random = Random::new(context.seed);
    let name = format!("stops-{}-{}", kind.name(), context.seed);
    let mut stage = Stage::new(context, kind, &name, provider).await?;
    // What stood still may send when it goes on: until then nobody believes that it did not.
    stage.program.args.extend(["--visibility".to_owned(), (5 * LEASE).to_string()]);
    let mut server = stage.serve(0, &["--no-worker"]).await?;
    stage.truth.watch().await?;
    let mut workers = Vec::new();
    for _ in 0..2 {
        workers.push(stage.program.start("worker", &[]).await?);
    }
    let load = Load::start(&stage.caller, 6, context.seed, Mix::All);
    for _ in 0..rounds {
        tokio::time::sleep(Duration::from_micros(random.below(300_000))).await;
        let stopped = if random.chance(50) { workers.first() } else { workers.last() };
        let stopped = stopped.ok_or("no worker")?;
        stopped.signal("STOP")?;
        let pause = LEASE + LEASE / 4 + random.below(2 * LEASE);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        stopped.signal("CONT")?;
    }
    let acknowledged = load.end().await?;
    let (counts, faults) = stage.judge(&acknowledged).await?;
    for mut process in workers {
        process.end().await?;
    }
    server.end().await?;
    let line = format!(
        "T3 {}: {rounds} times a worker stood still for 1.25 to 3.25 leases, {counts}",
        kind.name()
    );
    stage.clear(&faults)?;
    Ok(Verdict { line, faults })
}
