//! Create over HTTP without database work, against an axum handler that does nothing.

use std::hint::black_box;
use std::time::{Duration, Instant};

use onepath_server::service::{Call, Caller};
use onepath_server::store::{Reader, Role};
use sha2::{Digest as _, Sha256};

use crate::bodies::{Bodies, bodies};
use crate::figures::{Figures, median, middle, ratio, times};
use crate::load::{self, Load};
use crate::process::Server;
use crate::{CONNECTIONS, Failure, servers};

const ROUNDS: usize = 7;
/// How long one server is measured in one round.
const SLICE: Duration = Duration::from_millis(1500);
/// Requests that differ.
const BODIES: usize = 40_000;

pub(crate) fn measure(payload: &str) -> Result<(), Failure> {
    let bodies = bodies(payload, 0, BODIES)?;
    let servers = [Server::ours(&["nothing"])?, Server::ours(&["create"])?];
    // Nothing is kept, so that the same may come again.
    let load = Load { repeats: true, ..Load::creates(&bodies.requests) };
    let mut series: [Vec<Figures>; 2] = [Vec::new(), Vec::new()];
    let (mut hashes, mut services) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (server, figures) in servers.iter().zip(&mut series) {
            let before = server.cpu()?;
            let run = load::run(&server.address, &load, CONNECTIONS, SLICE)?;
            let cpu = server.cpu()? - before;
            // The first round is for warming up.
            if round > 0 {
                figures.push(Figures::of(&run, cpu));
            }
        }
        hashes.push(hash_cost(&bodies.identities));
        services.push(in_process(bodies.requests.get(..5000).unwrap_or_default())?);
    }
    report(&bodies, &series, median(hashes), median(services));
    Ok(())
}

/// Calls the service alone, for a profiler.
pub(crate) fn service(payload: &str) -> Result<(), Failure> {
    println!("{:.1} µs", in_process(&bodies(payload, 0, 2000)?.requests)? / 1e3);
    Ok(())
}

/// Nanoseconds that hashing the texts of one request takes, with nothing else around it.
#[allow(clippy::cast_precision_loss, reason = "a count of thousands")]
fn hash_cost(texts: &[String]) -> f64 {
    let since = Instant::now();
    for text in texts {
        black_box(Sha256::digest(black_box(text).as_bytes()));
    }
    since.elapsed().as_nanos() as f64 / texts.len().max(1) as f64
}

/// Nanoseconds that a create takes within the service, without HTTP.
#[allow(clippy::cast_precision_loss, reason = "a count of thousands")]
fn in_process(requests: &[Vec<u8>]) -> Result<f64, Failure> {
    let service = servers::service()?;
    let reader = Reader { tenant: "bench".to_owned(), user: "bench".to_owned() };
    let caller = Caller { reader, role: Role::Backend, key: "bench".to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let since = Instant::now();
    for request in requests {
        let text = std::str::from_utf8(request)?;
        let (_, body) = text.split_once("\r\n\r\n").ok_or("a request without a body")?;
        let created = runtime.block_on(service.create(&caller, body, Call::default()));
        black_box(created.map_err(|problem| problem.to_string())?);
    }
    Ok(since.elapsed().as_nanos() as f64 / requests.len().max(1) as f64)
}

fn report(bodies: &Bodies, [nothing, create]: &[Vec<Figures>; 2], hash: f64, service: f64) {
    let through = times(create, nothing);
    // As if the server had spent that much less of its time on each request.
    let unhashed = ratio(create, nothing, &|create, nothing| {
        create.per_second / nothing.per_second * create.cpu_ns / (create.cpu_ns - hash).max(1.0)
    });
    println!(
        "## Create on the server without database work ({CONNECTIONS} connections, \
         {:.1} KB a request, {ROUNDS} interleaved rounds)\n",
        bodies.size / 1000.0
    );
    println!("| server | requests a second | CPU µs a request |\n|---|---|---|");
    for (name, figures) in [("axum handler that does nothing", nothing), ("create", create)] {
        println!(
            "| {name} | {:.0} | {:.1} |",
            middle(figures, |one| one.per_second),
            middle(figures, |one| one.cpu_ns) / 1e3
        );
    }
    println!(
        "\nThe service alone, without HTTP, takes {:.1} µs of that; one SHA-256 of a request's \
         identity ({:.1} KB) takes {:.1} µs.\n",
        service / 1e3,
        bodies.identity / 1000.0,
        hash / 1e3
    );
    println!("| goal | asked | measured |\n|---|---|---|");
    println!("| create over nothing, requests a second | ≥ 0.6 | {through:.2} |");
    println!("| the same, if the hash cost nothing | | {unhashed:.2} |");
    let cpu = ratio(create, nothing, &|create, nothing| nothing.cpu_ns / create.cpu_ns);
    let bare =
        ratio(create, nothing, &|create, nothing| nothing.cpu_ns / (create.cpu_ns - hash).max(1.0));
    println!("| nothing over create, CPU of the server alone | | {cpu:.2} |");
    println!("| the same, if the hash cost nothing | | {bare:.2} |\n");
}
