//! The server against its peers: parts of the table that `cargo xtask bench` writes.
//!
//! Usage: `onepath-bench-http PAYLOAD HOME [PART]…` measures and prints all parts or some; `HOME`
//! holds what peers need. The servers are this program again and the peers, as processes of their
//! own. `onepath-bench-http service PAYLOAD` calls the service alone, for a profiler.

mod bodies;
mod durable;
mod figures;
mod hits;
mod load;
mod no_assets;
mod no_database;
mod no_store;
mod process;
mod queue;
mod servers;
mod statements;
mod streams;

use std::path::{Path, PathBuf};

/// As the command `onepath` has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Connections at the same time.
const CONNECTIONS: usize = 64;

/// The parts of the table, in order.
const PARTS: [&str; 5] = ["create", "durable", "hits", "queue", "streams"];

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match *args {
        ["serve", ref what @ ..] => servers::serve(what),
        ["service", payload] => no_database::service(&std::fs::read_to_string(payload)?),
        [payload, home, ref parts @ ..] => {
            let payload = std::fs::read_to_string(payload)?;
            let parts = if parts.is_empty() { &PARTS } else { parts };
            parts.iter().try_for_each(|part| measure(part, &payload, Path::new(home)))
        }
        _ => Err("usage: onepath-bench-http PAYLOAD HOME [PART]…".into()),
    }
}

fn measure(part: &str, payload: &str, home: &Path) -> Result<(), Failure> {
    eprintln!("── server: {part}");
    match part {
        "create" => no_database::measure(payload),
        "durable" => durable::measure(payload, home),
        "hits" => hits::measure(payload, home),
        "queue" => queue::measure(payload, home),
        "streams" => streams::measure(home),
        _ => Err(format!("`{part}` is no part: {}", PARTS.join(", ")).into()),
    }
}

/// An empty folder.
fn fresh(folder: &Path) -> Result<PathBuf, Failure> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => std::fs::create_dir_all(folder)?,
    }
    Ok(folder.to_path_buf())
}
