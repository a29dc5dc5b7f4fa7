//! Create with full durability, against what others do on the same disk with the same statements.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use onepath_server::store::{PostgresStore, Time};
use onepath_testpostgres::Cluster;

use crate::bodies::{TENANTS, bodies};
use crate::figures::{Figures, middle, shown, times};
use crate::load::{self, Load};
use crate::process::Server;
use crate::statements::{json, pgbench, statements};
use crate::{CONNECTIONS, Failure, fresh};

const ROUNDS: usize = 7;
/// How long one form is measured in one round.
const SLICE: Duration = Duration::from_millis(1500);
/// Requests of one round: more than the quickest sends.
const BODIES: usize = 50_000;

/// The path of peers that write the row of the generation alone.
const ONE: &str = "POST /one";

/// How a form is measured.
enum Work {
    /// Requests to a server.
    Http { server: usize, alone: bool, repeats: bool },
    /// A line of the size of a request, and a flush of the disk.
    Flush(File),
    /// A script.
    Script(PathBuf),
}

struct Form {
    name: &'static str,
    work: Work,
    rounds: Vec<Figures>,
}

/// The database that peers share, and what they are told of it.
struct Peers {
    cluster: Cluster,
    name: String,
    statements: PathBuf,
    request: String,
}

impl Peers {
    fn start(&self, command: &mut Command) -> Result<Server, Failure> {
        Server::start(
            command
                .arg(&self.statements)
                .env("DATABASE_SOCKET", self.cluster.socket())
                .env("DATABASE_NAME", &self.name),
        )
    }

    /// Transactions a second of a script under as many clients.
    fn script(&self, file: &Path) -> Result<f64, Failure> {
        let output = Command::new(self.cluster.program("pgbench"))
            .args(["-n", "-M", "prepared", "-U", "onepath", "-j", "2", "-h"])
            .arg(self.cluster.socket())
            .args(["-c", &CONNECTIONS.to_string(), "-T", "2", "-D", "now=1800000000000", "-D"])
            .arg(format!("request={}", self.request))
            .arg("-f")
            .arg(file)
            .arg(&self.name)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(format!("pgbench: {text}{why}").into());
        }
        let tps = text.lines().find_map(|line| line.strip_prefix("tps = "));
        // None where a disk that is busy let no transaction end.
        Ok(tps.and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0.0))
    }
}

pub(crate) fn measure(payload: &str, home: &Path) -> Result<(), Failure> {
    let folder = fresh(&home.join("durable"))?;
    let cluster = Cluster::start()?;
    let (own, shared) = (cluster.database()?, cluster.database()?);
    // Peers use our tables.
    drop(PostgresStore::open(&shared, Time::Database)?);
    let list = statements(&cluster, &shared)?;
    let file = folder.join("statements.json");
    std::fs::write(&file, json(&list))?;
    let peers = Peers {
        cluster,
        name: shared.rsplit('/').next().unwrap_or_default().to_owned(),
        statements: file,
        request: bodies(payload, 0, 1)?.request,
    };
    let (all, one) = (folder.join("all.sql"), folder.join("one.sql"));
    std::fs::write(&all, pgbench(&list, false, TENANTS))?;
    std::fs::write(&one, pgbench(&list, true, TENANTS))?;
    let python = home.join("venv/bin/python");
    let servers = [
        Server::ours(&["nothing"])?,
        Server::ours(&["sqlite", &folder.join("sqlite").to_string_lossy()])?,
        Server::ours(&["postgres", &folder.join("postgres").to_string_lossy(), &own])?,
        peers.start(&mut Command::new(home.join("sqlx/release/onepath-bench-sqlx")))?,
        peers.start(Command::new("node").arg(home.join("peers/node/create.mjs")))?,
        peers.start(Command::new(python).arg(home.join("peers/python/create.py")))?,
    ];
    let http = |name, server| Form {
        name,
        work: Work::Http { server, alone: false, repeats: server == 0 },
        rounds: Vec::new(),
    };
    let alone = |name, server| Form {
        name,
        work: Work::Http { server, alone: true, repeats: false },
        rounds: Vec::new(),
    };
    let flushed = File::create(folder.join("flushed"))?;
    let mut forms = vec![
        http("axum handler that does nothing", 0),
        http("onepath on SQLite", 1),
        http("onepath on PostgreSQL", 2),
        Form {
            name: "3 KB and fdatasync, one after the other",
            work: Work::Flush(flushed),
            rounds: Vec::new(),
        },
        Form { name: "pgbench, all rows", work: Work::Script(all), rounds: Vec::new() },
        http("axum and sqlx, all rows", 3),
        http("Fastify and pg, all rows", 4),
        http("FastAPI, SQLAlchemy and asyncpg, all rows", 5),
        Form { name: "pgbench, one row", work: Work::Script(one), rounds: Vec::new() },
        alone("axum and sqlx, one row", 3),
        alone("Fastify and pg, one row", 4),
        alone("FastAPI, SQLAlchemy and asyncpg, one row", 5),
    ];
    for round in 0..=ROUNDS {
        let bodies = bodies(payload, round * BODIES, BODIES)?;
        for form in &mut forms {
            let figures = match &mut form.work {
                Work::Http { server, alone, repeats } => {
                    let server = servers.get(*server).ok_or("no such server")?;
                    let mut load = Load::creates(&bodies.requests);
                    load.repeats = *repeats;
                    if *alone {
                        load.to = ONE;
                    }
                    let before = server.cpu()?;
                    let run = load::run(&server.address, &load, CONNECTIONS, SLICE)
                        .map_err(|error| format!("{}: {error}", form.name))?;
                    Figures::of(&run, server.cpu()? - before)
                }
                Work::Flush(file) => Figures::rate(flushes(file)?),
                Work::Script(file) => Figures::rate(peers.script(file)?),
            };
            // The first round is for warming up.
            if round > 0 {
                form.rounds.push(figures);
            }
        }
        eprintln!("   round {round} of {ROUNDS}");
    }
    report(&forms);
    drop(servers);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// How often a second 3 KB are written and flushed to the disk.
fn flushes(file: &mut File) -> Result<f64, Failure> {
    let (line, since, mut count) = ([b'x'; 3072], Instant::now(), 0.0);
    while since.elapsed() < SLICE / 3 {
        file.write_all(&line)?;
        file.sync_data()?;
        count += 1.0;
    }
    Ok(count / since.elapsed().as_secs_f64())
}

fn report(forms: &[Form]) {
    println!(
        "## Create with full durability ({CONNECTIONS} connections, every request another, {TENANTS} \
         tenants, {ROUNDS} interleaved rounds)\n\n\
         Peers write to the same tables of the same PostgreSQL: a transaction and a commit a \
         request, with all rows of a create, or with the row of the generation alone. They check \
         no keys and no limits.\n"
    );
    println!("| form | a second | p50 ms | p99 ms | CPU µs a request |\n|---|---|---|---|---|");
    for form in forms {
        let of = |figure, digits| shown(middle(&form.rounds, figure), digits);
        println!(
            "| {} | {} | {} | {} | {} |",
            form.name,
            of(|one| one.per_second, 0),
            of(|one| one.p50, 1),
            of(|one| one.p99, 1),
            of(|one| one.cpu_ns / 1e3, 0),
        );
    }
    let [nothing, sqlite, postgres, flush, script, sqlx, fastify, fastapi, ..] = forms else {
        return;
    };
    println!("\n| goal | asked | measured |\n|---|---|---|");
    let over = |what: &str, asked: &str, above: &Form, below: &Form, digits| {
        println!("| {what} | {asked} | {:.digits$} |", times(&above.rounds, &below.rounds));
    };
    over("SQLite over axum and sqlx", "≥ 3", sqlite, sqlx, 2);
    over("SQLite over Fastify and pg", "≥ 4", sqlite, fastify, 2);
    over("SQLite over FastAPI and SQLAlchemy", "≥ 30", sqlite, fastapi, 1);
    over("SQLite over the handler that does nothing", "≥ 0.08", sqlite, nothing, 3);
    over("SQLite over single flushes of the disk", "", sqlite, flush, 2);
    println!(
        "| 99 of 100 answers on SQLite within, ms | ≤ 20 | {:.1} |",
        middle(&sqlite.rounds, |one| one.p99)
    );
    over("PostgreSQL over pgbench, all rows", "≥ 1", postgres, script, 2);
    over("PostgreSQL over axum and sqlx", "≥ 2", postgres, sqlx, 2);
    println!();
}
