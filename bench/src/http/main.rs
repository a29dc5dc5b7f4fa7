//! Create over HTTP without database work, against an axum handler that does nothing.
//!
//! Usage: `onepath-bench-http PAYLOAD` measures and prints a part of the table; the servers are
//! this program again, as processes of their own. `onepath-bench-http service PAYLOAD` calls the
//! service alone, for a profiler.

mod bodies;
mod load;
mod no_assets;
mod no_store;
mod servers;

use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use load::Run;
use onepath_server::service::{Call, Caller};
use onepath_server::store::{Reader, Role};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Connections at the same time.
const CONNECTIONS: usize = 64;
const ROUNDS: usize = 7;
/// How long one server is measured in one round.
const SLICE: Duration = Duration::from_millis(1500);
/// Requests that differ: more than one slice sends.
const BODIES: usize = 40_000;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("serve") => servers::serve(&args.next().unwrap_or_default()),
        Some("service") => {
            let payload = std::fs::read_to_string(args.next().unwrap_or_default())?;
            println!("{:.1} µs", in_process(&bodies::bodies(&payload, 2000)?.requests)? / 1e3);
            Ok(())
        }
        Some(payload) => measure(&std::fs::read_to_string(payload)?),
        None => Err("usage: onepath-bench-http PAYLOAD".into()),
    }
}

/// A server in a process of its own.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(what: &str) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", what])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let output = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(output).read_line(&mut address)?;
        let address = address.trim().to_owned();
        if address.is_empty() {
            Err("the server did not start".into())
        } else {
            Ok(Self { child, address })
        }
    }

    /// CPU time of all its threads, in nanoseconds, as the kernel's scheduler counts it.
    fn cpu(&self) -> Result<u64, Failure> {
        let mut sum = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let stat = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            sum += stat.split(' ').next().ok_or("empty schedstat")?.parse::<u64>()?;
        }
        Ok(sum)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One round of one server.
struct Figures {
    per_second: f64,
    cpu_ns: f64,
}

fn measure(payload: &str) -> Result<(), Failure> {
    let bodies = bodies::bodies(payload, BODIES)?;
    let servers = [Server::start("nothing")?, Server::start("create")?];
    let next = Arc::new(AtomicUsize::new(0));
    let mut series: [Vec<Figures>; 2] = [Vec::new(), Vec::new()];
    let (mut hashes, mut services) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (server, figures) in servers.iter().zip(&mut series) {
            let before = server.cpu()?;
            let run = load::run(&server.address, &bodies.requests, &next, CONNECTIONS, SLICE)?;
            let cpu = server.cpu()? - before;
            // The first round is for warming up.
            if round > 0 {
                figures.push(of(&run, cpu));
            }
        }
        hashes.push(hash_cost(&bodies.identities));
        services.push(in_process(bodies.requests.get(..5000).unwrap_or_default())?);
    }
    report(&bodies, &series, median(hashes), median(services));
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "figures of a few seconds")]
fn of(run: &Run, cpu: u64) -> Figures {
    let requests = run.requests as f64;
    Figures { per_second: requests / run.wall.as_secs_f64(), cpu_ns: cpu as f64 / requests }
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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn report(bodies: &bodies::Bodies, [nothing, create]: &[Vec<Figures>; 2], hash: f64, service: f64) {
    let middle =
        |figures: &[Figures], of: fn(&Figures) -> f64| median(figures.iter().map(of).collect());
    let pairs = || create.iter().zip(nothing);
    let ratio =
        |of: &dyn Fn(&Figures, &Figures) -> f64| median(pairs().map(|(c, n)| of(c, n)).collect());
    let through = ratio(&|create, nothing| create.per_second / nothing.per_second);
    // As if the server had spent that much less of its time on each request.
    let unhashed = ratio(&|create, nothing| {
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
    let cpu = ratio(&|create, nothing| nothing.cpu_ns / create.cpu_ns);
    let bare = ratio(&|create, nothing| nothing.cpu_ns / (create.cpu_ns - hash).max(1.0));
    println!("| nothing over create, CPU of the server alone | | {cpu:.2} |");
    println!("| the same, if the hash cost nothing | | {bare:.2} |\n");
}
