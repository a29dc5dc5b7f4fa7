//! T1: server and worker are killed with `kill -9` at any moment, again and again, under load.

use std::time::Duration;

use onepath_testkit::Fallible;
use onepath_testkit::random::Random;

use super::stage::{Kind, Stage};
use super::{Context, Verdict};
use crate::judge::Counts;
use crate::load::{Load, Mix};

/// Kills on one database; the next has a fresh one and another kind of provider.
const BLOCK: u64 = 50;

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for kind in Kind::BOTH {
        let cycles = context.rounds(12, 1000);
        let (mut counts, mut verdict, mut kills) = (Counts::default(), Verdict::default(), [0; 2]);
        for block in 0..cycles.div_ceil(BLOCK) {
            let seed = context.seed + block;
            let wanted = BLOCK.min(cycles - block * BLOCK);
            let (more, faults) = one(context, kind, seed, wanted, &mut kills).await?;
            counts += more;
            verdict.faults.extend(faults);
        }
        verdict.line = format!(
            "T1 {}: {cycles} cycles of kill -9 ({} at work, {} while starting), {counts}",
            kind.name(),
            kills[0],
            kills[1]
        );
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

async fn one(
    context: &Context,
    kind: Kind,
    seed: u64,
    cycles: u64,
    kills: &mut [u64; 2],
) -> Fallible<(Counts, Vec<crate::judge::Fault>)> {
    let mut random = Random::new(seed);
    let name = format!("kills-{}-{seed}", kind.name());
    let stage = Stage::new(context, kind, &name, seed).await?;
    let mut server = stage.serve(0, &[]).await?;
    stage.truth.watch().await?;
    let load = Load::start(&stage.caller, 6, seed, Mix::All);
    for _ in 0..cycles {
        tokio::time::sleep(Duration::from_micros(random.below(250_000))).await;
        server.kill()?;
        kills[0] += 1;
        while random.chance(20) {
            let mut starting = stage.program.begin("serve", &[])?;
            tokio::time::sleep(Duration::from_micros(random.below(90_000))).await;
            starting.kill()?;
            kills[1] += 1;
        }
        server = stage.serve(0, &[]).await?;
    }
    let acknowledged = load.end().await?;
    let (counts, faults) = stage.judge(&acknowledged).await?;
    server.end().await?;
    if !faults.is_empty() {
        eprintln!("  {name}: again with --only T1 --seed {seed} --rounds {cycles}");
    }
    stage.clear(&faults)?;
    Ok((counts, faults))
}
