//! T7: somebody sets the machine's clock, ahead and back, while everything works.

use std::path::Path;
use std::time::{Duration, Instant};

use onepath_testkit::Fallible;
use onepath_testkit::random::Random;

use super::shim::Shim;
use super::stage::{Kind, Stage};
use super::{Context, Verdict};
use crate::judge::Fault;
use crate::load::{Load, Mix};

/// By how many seconds the clock is off.
const STEPS: [i64; 6] = [3600, -3600, -600, 0, 86_400, -86_400];

/// How long what was asked for under a wrong clock may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let shim = Shim::build(&context.data)?;
    let mut verdicts = Vec::new();
    for kind in Kind::BOTH {
        verdicts.push(one(context, &shim, kind).await?);
    }
    Ok(verdicts)
}

async fn one(context: &Context, shim: &Shim, kind: Kind) -> Fallible<Verdict> {
    let rounds = context.rounds(6, 60);
    let mut random = Random::new(context.seed);
    let name = format!("clock-{}-{}", kind.name(), context.seed);
    // With tokens as keys: how long a list lags is told by the clock.
    let mut stage = Stage::new(context, kind, &name, 0).await?;
    let clock = stage.folder.join("clock");
    set(&clock, 0)?;
    let clocked = shim.env(&[("ONEPATH_CLOCK", clock.display().to_string())]);
    stage.program.env.extend(clocked);
    let mut server = stage.serve(0, &[]).await?;
    stage.truth.watch().await?;
    let load = Load::start(&stage.caller, 6, context.seed, Mix::Good);
    let mut restarts = 0;
    for round in 0..rounds {
        tokio::time::sleep(Duration::from_micros(random.below(600_000))).await;
        let step = usize::try_from(round).unwrap_or(0) % STEPS.len();
        set(&clock, STEPS.get(step).copied().unwrap_or(0))?;
        if random.chance(30) {
            // One that starts has never known another time.
            server.kill()?;
            server = stage.serve(0, &[]).await?;
            restarts += 1;
        }
    }
    let acknowledged = load.end().await?;
    let since = Instant::now();
    let (counts, mut faults) = stage.judge(&acknowledged).await?;
    if since.elapsed() > PATIENCE {
        let what = format!("what was on its way took {:?} more", since.elapsed());
        faults.push(Fault::Stuck(what));
    }
    server.end().await?;
    stage.clear(&faults)?;
    let line = format!(
        "T7 {}: the clock set {rounds} times by up to a day, {restarts} kills in between, {counts}",
        kind.name()
    );
    Ok(Verdict { line, faults })
}

/// Writes by how many seconds the clock is off; the file stays the same one.
fn set(file: &Path, seconds: i64) -> Fallible<()> {
    use std::io::Write as _;
    let shown = |error: std::io::Error| format!("{}: {error}", file.display());
    let mut options = std::fs::OpenOptions::new();
    let opened = options.create(true).write(true).truncate(false).open(file);
    opened.map_err(shown)?.write_all(&seconds.to_ne_bytes()).map_err(shown)
}
