//! Two servers and three workers on one PostgreSQL, 2,000 creates of 500 requests from 32 clients,
//! and any of the five processes is killed at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use onepath_testkit::Fallible;
use onepath_testkit::random::Random;
use tokio::task::JoinSet;

use super::stage::{Kind, Stage};
use super::{Context, Verdict};
use crate::caller::{Acknowledged, Caller};
use crate::judge::Fault;
use crate::load::picture;

const SERVERS: usize = 2;
const WORKERS: usize = 3;
const CLIENTS: u64 = 32;

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let (creates, requests) = if context.short { (200, 50) } else { (2000, 500) };
    let mut verdicts = Vec::new();
    for turn in 0..context.rounds(1, 1) {
        verdicts.push(one(context, context.seed + turn, creates, requests).await?);
    }
    Ok(verdicts)
}

async fn one(context: &Context, seed: u64, creates: u64, requests: u64) -> Fallible<Verdict> {
    let mut random = Random::new(seed);
    let stage = Stage::new(context, Kind::Postgres, &format!("fleet-{seed}"), seed).await?;
    let mut fleet = Vec::new();
    for place in 0..SERVERS {
        fleet.push(stage.serve(place, &["--no-worker"]).await?);
    }
    stage.truth.watch().await?;
    for _ in 0..WORKERS {
        fleet.push(stage.program.start("worker", &[]).await?);
    }
    let next = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let own = Random::new(seed ^ (client << 32));
        clients.spawn(work(stage.caller.clone(), Arc::clone(&next), own, creates, requests));
    }
    let mut kills: BTreeMap<&str, u64> = BTreeMap::new();
    // Killed until the last create is answered.
    while !clients.is_empty() && next.load(Ordering::Relaxed) < creates {
        tokio::time::sleep(Duration::from_micros(random.below(500_000))).await;
        let which = usize::try_from(random.below(fleet.len() as u64)).unwrap_or(0);
        let is_server = which < SERVERS;
        let Some(process) = fleet.get_mut(which) else { continue };
        process.kill()?;
        *kills.entry(if is_server { "servers" } else { "workers" }).or_default() += 1;
        tokio::time::sleep(Duration::from_micros(random.below(200_000))).await;
        *process = if is_server {
            stage.serve(which, &["--no-worker"]).await?
        } else {
            stage.program.start("worker", &[]).await?
        };
    }
    let mut acknowledged: Vec<Acknowledged> = Vec::new();
    while let Some(client) = clients.join_next().await {
        acknowledged.extend(client.map_err(|error| error.to_string())??);
    }
    let (counts, mut faults) = stage.judge(&acknowledged).await?;
    let ids: BTreeSet<&str> = acknowledged.iter().map(|one| one.id.as_str()).collect();
    if counts.charges != requests || counts.completed != requests || ids.len() as u64 != requests {
        faults.push(Fault::Twice(format!(
            "{requests} requests came to {} charges, {} completed generations, {} ids",
            counts.charges,
            counts.completed,
            ids.len()
        )));
    }
    if acknowledged.len() as u64 != creates {
        faults.push(Fault::Lost(format!("{} of {creates} are answered", acknowledged.len())));
    }
    for mut process in fleet {
        process.end().await?;
    }
    stage.clear(&faults)?;
    let line = format!(
        "fleet: {SERVERS} servers and {WORKERS} workers on one PostgreSQL, {creates} creates of \
         {requests} requests from {CLIENTS} clients, kill -9 of {kills:?}, {counts}"
    );
    Ok(Verdict { line, faults })
}

/// One client: takes the next create until all are taken, and sees each to its end.
async fn work(
    caller: Caller,
    next: Arc<AtomicU64>,
    mut random: Random,
    creates: u64,
    requests: u64,
) -> Fallible<Vec<Acknowledged>> {
    let mut kept = Vec::new();
    loop {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        if turn >= creates {
            return Ok(kept);
        }
        let user = random.of(&["game", "ada", "ben"]);
        let made = caller.create(user, &format!("fleet-{turn}"), &picture(turn % requests)).await?;
        let end = caller.follow(user, &made.id, Duration::from_secs(90)).await?;
        let status = end.as_ref().and_then(|end| end.get("status")?.as_str());
        if status != Some("completed") {
            return Err(format!("{} has not its answer: {end:?}", made.id));
        }
        kept.push(made);
    }
}
