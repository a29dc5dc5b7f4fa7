//! Kills the real server at any moment, and counts what became of its work.
//!
//! Usage: `onepath-faults ONEPATH [--rounds N] [--seed S] [--data DIR]`. Every round starts the
//! command `ONEPATH serve` on a fresh folder, creates ten generations over HTTP, kills the server
//! without warning, starts it again, and looks at what is there when everything has ended. The
//! moments come from the seed, one number a round: `--rounds 1 --seed S` plays the round of `S`
//! again, as far as a machine's timing lets it.

mod judge;
mod plan;
mod round;
mod serve;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use plan::Plan;

/// What anything gives that can go wrong for reasons of its own.
type Fallible<T> = Result<T, String>;

/// What the arguments say.
struct Args {
    onepath: PathBuf,
    data: PathBuf,
    rounds: u64,
    seed: u64,
}

impl Args {
    fn read() -> Fallible<Self> {
        let mut words = std::env::args().skip(1);
        let usage = "usage: onepath-faults ONEPATH [--rounds N] [--seed S] [--data DIR]";
        let onepath = PathBuf::from(words.next().ok_or(usage)?);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut args = Self {
            onepath,
            data: PathBuf::from("target/faults"),
            rounds: 100,
            seed: since.as_secs(),
        };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word}: a value is missing"))?;
            let number = || value.parse().map_err(|_| format!("{word}: `{value}` is no number"));
            match word.as_str() {
                "--rounds" => args.rounds = number()?,
                "--seed" => args.seed = number()?,
                "--data" => args.data = PathBuf::from(&value),
                _ => return Err(format!("`{word}` is not known\n{usage}")),
            }
        }
        Ok(args)
    }
}

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
                judge::Fault::Lost(_) => &mut self.lost,
                judge::Fault::Twice(_) => &mut self.twice,
                judge::Fault::Stuck(_) => &mut self.stuck,
                judge::Fault::Other(_) => &mut self.other,
            };
            *counter += 1;
        }
    }

    fn line(&self) -> String {
        let listed = |counts: Vec<String>| counts.join(", ");
        format!(
            "{} rounds, {} generations ({} acknowledged before the kill), {} draws logged; kills: {}; \
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

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("onepath-faults: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the rounds; false if any of them found a fault.
fn run() -> Fallible<bool> {
    let args = Args::read()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    let mut figures = Figures::default();
    let mut bad = 0_u64;
    eprintln!("{} rounds from --seed {}", args.rounds, args.seed);
    for seed in (args.seed..).take(usize::try_from(args.rounds).unwrap_or(usize::MAX)) {
        let started = Instant::now();
        let folder = args.data.join(format!("round-{seed}"));
        let seen = runtime.block_on(round::play(&args.onepath, &folder, &Plan::of(seed))).map_err(
            |error| format!("round {seed}: {error}; its folder is {}", folder.display()),
        )?;
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
            bad += 1;
            for fault in &seen.faults {
                eprintln!("  {fault}");
            }
            eprintln!("  again: --rounds 1 --seed {seed}; its folder is {}", folder.display());
        }
    }
    println!("{}", figures.line());
    println!(
        "test result: {}. {} passed; {} failed",
        if bad == 0 { "ok" } else { "FAILED" },
        u64::from(bad == 0),
        u64::from(bad > 0)
    );
    Ok(bad == 0)
}
