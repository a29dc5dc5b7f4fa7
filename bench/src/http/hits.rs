//! A create that an earlier result answers, from memory, with key and rate counted.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::bodies::{TENANTS, bodies};
use crate::figures::{Figures, middle, shown, times};
use crate::load::{self, Load};
use crate::process::Server;
use crate::{CONNECTIONS, Failure, fresh};

const ROUNDS: usize = 7;
const SLICE: Duration = Duration::from_millis(1500);
/// Requests whose results are asked for again and again.
const KNOWN: usize = TENANTS;
/// How long the provider `local` may draw them.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) fn measure(payload: &str, home: &Path) -> Result<(), Failure> {
    let folder = fresh(&home.join("hits"))?;
    let bodies = bodies(payload, 0, KNOWN)?;
    let servers =
        [Server::ours(&["nothing"])?, Server::ours(&["hits", &folder.to_string_lossy()])?];
    let known = servers.get(1).ok_or("no server")?;
    let load = Load { repeats: true, ..Load::creates(&bodies.requests) };
    make(&known.address, &load)?;
    let mut series: [Vec<Figures>; 2] = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for ((server, figures), status) in servers.iter().zip(&mut series).zip(["202", "200"]) {
            let load = Load { status, ..load.clone() };
            let before = server.cpu()?;
            let run = load::run(&server.address, &load, CONNECTIONS, SLICE)?;
            let cpu = server.cpu()? - before;
            if round > 0 {
                figures.push(Figures::of(&run, cpu));
            }
        }
    }
    let [nothing, hit] = &series;
    println!(
        "## A result that is there, asked for again ({CONNECTIONS} connections, {KNOWN} results, \
         keys checked, rates counted, SQLite, {ROUNDS} interleaved rounds)\n"
    );
    println!("| server | a second | p99 ms | CPU µs a request |\n|---|---|---|---|");
    for (name, rounds) in [("axum handler that does nothing", nothing), ("hit", hit)] {
        let of = |figure, digits| shown(middle(rounds, figure), digits);
        println!(
            "| {name} | {} | {} | {} |",
            of(|one| one.per_second, 0),
            of(|one| one.p99, 1),
            of(|one| one.cpu_ns / 1e3, 1)
        );
    }
    println!("\n| goal | asked | measured |\n|---|---|---|");
    println!("| hit over nothing, requests a second | ≥ 0.5 | {:.2} |\n", times(hit, nothing));
    drop(servers);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Asks for everything until it is there.
fn make(address: &str, load: &Load) -> Result<(), Failure> {
    let since = Instant::now();
    for request in load.requests.iter() {
        while status(address, load.to, request)? != "200" {
            if since.elapsed() > PATIENCE {
                return Err("the results are not made in time".into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

/// The status of one call.
fn status(address: &str, to: &str, request: &[u8]) -> Result<String, Failure> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(&[to.as_bytes(), request].concat())?;
    let mut answer = [0; 512];
    let count = stream.read(&mut answer)?;
    let head = String::from_utf8_lossy(answer.get(..count).unwrap_or_default()).into_owned();
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}
