//! T6: many clients ask for the same at once, and many workers want the same row.

use std::collections::BTreeSet;

use onepath_testkit::Fallible;
use tokio::task::JoinSet;

use super::stage::{Kind, Stage};
use super::{Context, Verdict};
use crate::judge::Fault;
use crate::load::picture;

/// Clients that ask at once.
const CLIENTS: usize = 64;

/// Workers that want the row.
const WORKERS: usize = 8;

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for kind in Kind::BOTH {
        verdicts.push(one(context, kind).await?);
    }
    Ok(verdicts)
}

async fn one(context: &Context, kind: Kind) -> Fallible<Verdict> {
    let rounds = context.rounds(3, 100);
    let name = format!("races-{}-{}", kind.name(), context.seed);
    // Whoever submits twice is charged twice.
    let stage = Stage::new(context, kind, &name, 1).await?;
    let servers = if kind == Kind::Postgres { 2 } else { 1 };
    let mut processes = Vec::new();
    for place in 0..servers {
        processes.push(stage.serve(place, &["--no-worker"]).await?);
    }
    stage.truth.watch().await?;
    for _ in 0..WORKERS {
        processes.push(stage.program.start("worker", &[]).await?);
    }
    let mut acknowledged = Vec::new();
    let mut faults = Vec::new();
    for round in 0..rounds {
        let mut asking = JoinSet::new();
        for (client, user) in (0..CLIENTS).zip(["game", "ada", "ben"].into_iter().cycle()) {
            let caller = stage.caller.clone();
            asking.spawn(async move {
                caller.create(user, &format!("{round}-{client}"), &picture(round)).await
            });
        }
        let mut ids = BTreeSet::new();
        let mut made = 0;
        while let Some(answer) = asking.join_next().await {
            let answer = answer.map_err(|error| error.to_string())??;
            ids.insert(answer.id.clone());
            made += u32::from(answer.answer == "created");
            acknowledged.push(answer);
        }
        if (made, ids.len()) != (1, 1) {
            let what = format!("{made} were created for {CLIENTS} that ask for the same: {ids:?}");
            faults.push(Fault::Twice(what));
        }
    }
    let (counts, more) = stage.judge(&acknowledged).await?;
    faults.extend(more);
    if counts.charges != rounds {
        faults.push(Fault::Twice(format!("{} charges for {rounds} requests", counts.charges)));
    }
    for mut process in processes {
        process.end().await?;
    }
    stage.clear(&faults)?;
    let line = format!(
        "T6 {}: {rounds} times {CLIENTS} clients on one hash, {WORKERS} worker processes on its row, \
         {counts}",
        kind.name()
    );
    Ok(Verdict { line, faults })
}
