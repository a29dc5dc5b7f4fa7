//! Rounds against the command as it is shipped, with the provider `local` on SQLite.
//!
//! Every round starts `onepath serve` on a fresh folder, creates ten generations over HTTP, kills the
//! server without warning, starts it again, and looks at what is there when everything has ended. The
//! moments come from the seed, one number a round, as far as a machine's timing lets it.

mod judge;
mod plan;
mod round;
mod serve;

use std::collections::BTreeMap;
use std::time::Instant;

use onepath_testkit::Fallible;

use self::plan::Plan;
use crate::judge::Fault;
use crate::scenario::{Context, Verdict};

/// What all rounds came to.
#[derive(Debug, Default)]
struct Figures {
    rounds: u64,
    generations: usize,
    acknowledged: usize,
    draws: usize,
    kills: BTreeMap<&'static str, usize>,
    stages: BTreeMap<String, usize>,
    leftovers: usize,
    lost: usize,
    twice: usize,
    stuck: usize,
    other: usize,
}

impl Figures {
    fn add(&mut self, seen: &round::Seen) {
        self.rounds += 1;
        self.generations += plan::GENERATIONS;
        self.acknowledged += seen.acknowledged;
        self.draws += seen.draws;
        self.leftovers += seen.leftovers;
        for kill in &seen.kills {
            *self.kills.entry(kill).or_default() += 1;
        }
        for (stage, count) in &seen.stages {
            *self.stages.entry(stage.clone()).or_default() += count;
        }
        for fault in &seen.faults {
            let counter = match fault {
                Fault::Lost(_) => &mut self.lost,
                Fault::Twice(_) => &mut self.twice,
                Fault::Stuck(_) => &mut self.stuck,
                Fault::Other(_) => &mut self.other,
            };
            *counter += 1;
        }
    }

    fn line(&self) -> String {
        let listed = |counts: Vec<String>| counts.join(", ");
        format!(
            "rounds SQLite, `local`: {} rounds, {} generations ({} acknowledged before the kill), {} draws logged; kills: {}; \
             where generations stood at the kill: {}; spool files left {}; lost {}, drawn twice {}, \
             stuck {}, other faults {}",
            self.rounds,
            self.generations,
            self.acknowledged,
            self.draws,
            listed(self.kills.iter().map(|(what, count)| format!("{what} {count}")).collect()),
            listed(self.stages.iter().map(|(what, count)| format!("{what} {count}")).collect()),
            self.leftovers,
            self.lost,
            self.twice,
            self.stuck,
            self.other
        )
    }
}

/// Plays the rounds.
pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let (mut figures, mut faults) = (Figures::default(), Vec::new());
    let rounds = usize::try_from(context.rounds(4, 100)).unwrap_or(usize::MAX);
    for seed in (context.seed..).take(rounds) {
        let started = Instant::now();
        let folder = context.data.join(format!("round-{seed}"));
        let seen =
            round::play(&context.onepath, &folder, &Plan::of(seed)).await.map_err(|error| {
                format!("round {seed}: {error}; its folder is {}", folder.display())
            })?;
        eprintln!(
            "round {seed}: killed {}; {} of {} acknowledged, {} draws, {:.1} s",
            seen.kills.join(", then "),
            seen.acknowledged,
            plan::GENERATIONS,
            seen.draws,
            started.elapsed().as_secs_f64()
        );
        figures.add(&seen);
        if seen.faults.is_empty() {
            std::fs::remove_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        } else {
            eprintln!(
                "  again: --only rounds --rounds 1 --seed {seed}; its folder is {}",
                folder.display()
            );
            faults.extend(seen.faults);
        }
    }
    Ok(vec![Verdict { line: figures.line(), faults }])
}
