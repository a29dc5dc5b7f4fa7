//! Kills, stops and starves the real server, and counts what became of its work.
//!
//! Usage: `onepath-faults ONEPATH [--only NAME,…] [--short] [--rounds N] [--seed S] [--data DIR]`.
//! `ONEPATH` is the command; `onepath-testserver` is expected beside this program. Chance comes from the
//! seed, as far as a machine's timing lets it.

mod caller;
mod follower;
mod judge;
mod load;
mod process;
mod rounds;
mod scenario;
mod truth;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use onepath_testkit::{Fallible, ready};
use scenario::{Context, SCENARIOS};

/// What the arguments say.
struct Args {
    only: Vec<String>,
    context: Context,
}

const USAGE: &str =
    "usage: onepath-faults ONEPATH [--only NAME,…] [--short] [--rounds N] [--seed S] [--data DIR]";

impl Args {
    fn read() -> Fallible<Self> {
        let mut words = std::env::args().skip(1);
        let onepath = PathBuf::from(words.next().ok_or(USAGE)?);
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (mut only, mut rounds, mut short) = (Vec::new(), None, false);
        let (mut seed, mut data) = (since.as_secs(), PathBuf::from("target/faults"));
        while let Some(word) = words.next() {
            if word == "--short" {
                short = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word}: a value is missing"))?;
            let number = || value.parse().map_err(|_| format!("{word}: `{value}` is no number"));
            match word.as_str() {
                "--only" => only = value.split(',').map(str::to_owned).collect(),
                "--rounds" => rounds = Some(number()?),
                "--seed" => seed = number()?,
                "--data" => data = PathBuf::from(&value),
                _ => return Err(format!("`{word}` is not known\n{USAGE}")),
            }
        }
        let names = || SCENARIOS.iter().map(|one| one.name).collect::<Vec<_>>();
        if let Some(other) = only.iter().find(|name| !names().contains(&name.as_str())) {
            return Err(format!("`{other}` is none of {}", names().join(", ")));
        }
        std::fs::create_dir_all(&data).map_err(|e| format!("{}: {e}", data.display()))?;
        let data = data.canonicalize().map_err(|e| format!("{}: {e}", data.display()))?;
        let testserver = own.with_file_name("onepath-testserver");
        let context = Context::new(onepath, testserver, data, rounds, seed, short);
        Ok(Self { only, context })
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

/// Plays the scenarios; false if any of them found a fault.
fn run() -> Fallible<bool> {
    let Args { only, context } = Args::read()?;
    ready();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    let (mut good, mut bad) = (0, 0);
    eprintln!("from --seed {}", context.seed);
    for scenario in SCENARIOS {
        if !only.is_empty() && !only.iter().any(|name| name == scenario.name) {
            continue;
        }
        eprintln!("{}: {}", scenario.name, scenario.about);
        let started = Instant::now();
        let verdicts = runtime.block_on((scenario.play)(&context));
        let verdicts = verdicts
            .map_err(|error| format!("{} with --seed {}: {error}", scenario.name, context.seed))?;
        for verdict in verdicts {
            let seconds = started.elapsed().as_secs();
            println!("{}; faults {}; {seconds} s", verdict.line, verdict.faults.len());
            for fault in &verdict.faults {
                eprintln!("  {fault}");
            }
            if verdict.faults.is_empty() {
                good += 1;
            } else {
                bad += 1;
            }
        }
    }
    println!(
        "test result: {}. {good} passed; {bad} failed",
        if bad == 0 { "ok" } else { "FAILED" }
    );
    Ok(bad == 0)
}
