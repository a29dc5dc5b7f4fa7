//! T12: worlds in which everything goes wrong, one for each seed, each the same whenever it is played.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use onepath_server::worker::sim::{Seen, play as world};
use onepath_testkit::Fallible;
use tokio::task::JoinSet;

use super::{Context, Verdict};
use crate::judge::Fault;

/// Every so many worlds one is played again, to see that it is the same.
const AGAIN: u64 = 1000;

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let rounds = context.rounds(4_000, 100_000);
    let (first, next) = (context.seed, Arc::new(AtomicU64::new(0)));
    let mut threads = JoinSet::new();
    for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
        let next = Arc::clone(&next);
        threads.spawn_blocking(move || {
            let (mut sum, mut faults) = (Seen::default(), Vec::new());
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                if turn >= rounds || faults.len() >= 5 {
                    return (sum, faults);
                }
                let seed = first + turn;
                let seen = world(seed);
                if turn % AGAIN == 0 && world(seed) != seen {
                    faults.push(Fault::Other(format!("the world of --seed {seed} is another")));
                }
                sum.steps += seen.steps;
                sum.generations += seen.generations;
                sum.charges += seen.charges;
                sum.kills += seen.kills;
                let again = format!("(again: --only T12 --rounds 1 --seed {seed})");
                faults.extend(seen.fault.map(|what| match what {
                    what if what.starts_with("I1") => Fault::Stuck(format!("{what} {again}")),
                    what if what.starts_with("I3") => Fault::Twice(format!("{what} {again}")),
                    what => Fault::Other(format!("{what} {again}")),
                }));
            }
        });
    }
    let (mut sum, mut faults) = (Seen::default(), Vec::new());
    while let Some(thread) = threads.join_next().await {
        let (seen, more) = thread.map_err(|error| error.to_string())?;
        sum.steps += seen.steps;
        sum.generations += seen.generations;
        sum.charges += seen.charges;
        sum.kills += seen.kills;
        faults.extend(more);
    }
    let line = format!(
        "T12: {rounds} simulated worlds from --seed {first}: {} generations, {} charges, {} processes \
         killed, {} steps",
        sum.generations, sum.charges, sum.kills, sum.steps
    );
    Ok(vec![Verdict { line, faults }])
}
