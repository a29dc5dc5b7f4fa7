//! T1 through Replicate: the server is killed while it submits, downloads and settles.

use std::collections::BTreeMap;
use std::time::Duration;

use onepath_fakes::{Call, Fake, Fault as Bad, Kind as Provider, Options, Switches, What};
use onepath_testkit::Fallible;
use onepath_testkit::random::Random;

use super::super::stage::{Kind, Stage};
use super::super::{Context, Verdict};
use crate::judge::Fault;
use crate::load::{Load, Mix};

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for kind in Kind::BOTH {
        // Both together are a thousand.
        verdicts.push(one(context, kind, context.rounds(12, 500)).await?);
    }
    Ok(verdicts)
}

/// How the fake behaves in a cycle: every answer takes its time, so that kills fall on the way, and
/// now and then something goes wrong beside them.
fn habits(random: &mut Random) -> Switches {
    let mut faults = Vec::new();
    if random.chance(30) {
        let what = random.below(4);
        faults.push(match what {
            0 => Bad::new(Call::Create, What::CutAfter),
            1 => Bad::new(Call::File, What::HalfAfter),
            2 => Bad { retry_after: Some("0".to_owned()), ..Bad::status(Call::Create, 429) },
            _ => Bad::status(Call::Status, 502),
        });
    }
    Switches {
        answers_ms: random.below(60),
        takes_ms: random.below(80),
        echo_webhook: random.chance(50),
        faults,
        ..Switches::default()
    }
}

async fn one(context: &Context, kind: Kind, cycles: u64) -> Fallible<Verdict> {
    let mut random = Random::new(context.seed);
    let options = Options { switches: habits(&mut random), ..Options::default() };
    let fake = Fake::start(Provider::Replicate, &options).await.map_err(|e| e.to_string())?;
    let name = format!("replicate-kills-{}-{}", kind.name(), context.seed);
    let stage = Stage::replicate(context, kind, &name, &fake)?;
    let mut server = stage.serve(0, &[]).await?;
    stage.truth.watch().await?;
    let load = Load::start(&stage.caller, 4, context.seed, Mix::Replicate);
    let mut stages: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..cycles {
        fake.set(habits(&mut random));
        tokio::time::sleep(Duration::from_micros(random.below(250_000))).await;
        server.kill()?;
        let sql = "SELECT coalesce(stage, status), count(*) FROM generations
                   WHERE status IN ('pending', 'processing') GROUP BY 1
                   UNION ALL SELECT 'downloading', count(*) FROM assets WHERE sync = 'downloading'";
        for row in stage.truth.rows(sql).await? {
            let [stage, count] = row.as_slice() else { continue };
            *stages.entry(stage.clone()).or_default() += count.parse::<u64>().unwrap_or(0);
        }
        server = stage.serve(0, &[]).await?;
    }
    fake.set(Switches::default());
    let acknowledged = load.end().await?;
    let (counts, mut faults) = stage.judge(&acknowledged).await?;
    faults.extend(super::money(&stage, &fake).await?);
    let (read, lost) = super::bytes(&stage).await?;
    faults.extend(lost);
    let unpaid = "SELECT id FROM generations WHERE status <> 'completed'";
    for row in stage.truth.rows(unpaid).await? {
        faults.push(Fault::Other(format!("{} did not complete", row.join(" "))));
    }
    let charged = fake.charges().len() as u64;
    if charged != counts.rows {
        let what = format!("{charged} charges for {} generations", counts.rows);
        faults.push(Fault::Twice(what));
    }
    server.end().await?;
    stage.clear(&faults)?;
    let stood: Vec<String> =
        stages.iter().map(|(stage, count)| format!("{stage} {count}")).collect();
    let line = format!(
        "T1r {}: {cycles} cycles of kill -9, {counts}, {charged} charged by Replicate, {read} files \
         read; where things stood at the kills: {}",
        kind.name(),
        stood.join(", ")
    );
    Ok(Verdict { line, faults })
}
