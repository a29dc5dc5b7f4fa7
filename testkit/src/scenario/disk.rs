//! T10: the disk is full, or broken, for a while, and for a single call.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onepath_testkit::Fallible;
use onepath_testkit::random::Random;
use onepath_testpostgres::Cluster;

use super::shim::Shim;
use super::stage::{Kind, Stage};
use super::{Context, Verdict};
use crate::caller::Acknowledged;
use crate::judge::{Counts, Fault};
use crate::load::{Load, Mix};

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let shim = Shim::build(&context.data)?;
    Ok(vec![
        singles(context, &shim).await?,
        whiles(context, &shim, Kind::Sqlite).await?,
        whiles(context, &shim, Kind::Postgres).await?,
    ])
}

/// The first call on a file fails, then the second, and so on; the server lives on.
async fn singles(context: &Context, shim: &Shim) -> Fallible<Verdict> {
    let (mut counts, mut faults, mut refused) = (Counts::default(), Vec::new(), 0);
    let stride = if context.short { 25 } else { 1 };
    let points = context.rounds(160, 160);
    let mut tried = 0;
    for at in (1 + context.seed % stride..=points).step_by(stride as usize) {
        for with in ["ENOSPC", "EIO"] {
            tried += 1;
            let name = format!("disk-{with}-{at}");
            let mut stage = Stage::new(context, Kind::Sqlite, &name, 0).await?;
            // What cannot start says so, and starts the next time.
            let at = at.to_string();
            let env = shim.env(&[("ONEPATH_FAIL_AT", at), ("ONEPATH_FAIL_WITH", with.to_owned())]);
            let kept = std::mem::replace(&mut stage.program.env, env);
            let started = stage.program.try_start("serve", &[]).await?;
            stage.program.env = kept;
            let mut server = match started {
                Some(server) => {
                    stage.servers.set(0, server.address().unwrap_or_default());
                    server
                }
                None => {
                    refused += 1;
                    stage.serve(0, &[]).await?
                }
            };
            stage.truth.watch().await?;
            let mut acknowledged = Vec::new();
            for index in 0..3 {
                let body = crate::load::picture(index);
                let made = stage.caller.create("game", &format!("disk-{index}"), &body).await?;
                stage.caller.follow("game", &made.id, Duration::from_secs(30)).await?;
                acknowledged.push(made);
            }
            let (more, found) = stage.judge(&acknowledged).await?;
            counts += more;
            faults.extend(found.iter().cloned());
            server.end().await?;
            stage.clear(&found)?;
        }
    }
    let line = format!(
        "T10 SQLite: {tried} single calls on a file fail, the server starts not {refused} times and \
         lives on otherwise; {counts}"
    );
    Ok(Verdict { line, faults })
}

/// Calls on files fail for a while; clients are told, nothing is lost, and it goes on without a
/// restart when there is space.
async fn whiles(context: &Context, shim: &Shim, kind: Kind) -> Fallible<Verdict> {
    let rounds = context.rounds(4, 60);
    let mut random = Random::new(context.seed);
    let name = format!("disk-{}-{}", kind.name(), context.seed);
    let switch = std::env::temp_dir().join(format!("onepath-disk-{}", std::process::id()));
    let fails = shim.env(&[("ONEPATH_FAIL_WHILE", switch.display().to_string())]);
    let mut cluster = None;
    let database = match kind {
        Kind::Sqlite => None,
        Kind::Postgres => {
            let mut own = Cluster::start()?;
            for (name, value) in &fails {
                own.set(name, value);
            }
            own.restart()?;
            let database = own.database()?;
            cluster = Some(own);
            Some(database)
        }
    };
    let mut stage = Stage::on(context, database, &name, 0).await?;
    if kind == Kind::Sqlite {
        stage.program.env.extend(fails);
    }
    let mut server = stage.serve(0, &[]).await?;
    stage.truth.watch().await?;
    let load = Load::start(&stage.caller, 6, context.seed, Mix::Good);
    let told = Told::start(&stage);
    for round in 0..rounds {
        tokio::time::sleep(Duration::from_micros(random.below(400_000))).await;
        let with = if round % 2 == 0 { "ENOSPC" } else { "EIO" };
        write(&switch, with)?;
        tokio::time::sleep(Duration::from_micros(random.below(400_000))).await;
        std::fs::remove_file(&switch).map_err(|e| format!("{}: {e}", switch.display()))?;
        if server.ended()?.is_some() {
            return Err("the server ended when the disk was full".to_owned());
        }
    }
    let (statuses, mut acknowledged) = told.end().await?;
    acknowledged.extend(load.end().await?);
    let (counts, mut faults) = stage.judge(&acknowledged).await?;
    let strange: Vec<&u16> =
        statuses.keys().filter(|status| !matches!(**status, 200 | 202 | 503 | 507)).collect();
    if !strange.is_empty() {
        faults.push(Fault::Other(format!("clients were told {strange:?}")));
    }
    server.end().await?;
    drop(cluster);
    stage.clear(&faults)?;
    let line = format!(
        "T10 {}: {rounds} times nothing could be written for up to 0.4 s, one client was told \
         {statuses:?}; {counts}",
        kind.name()
    );
    Ok(Verdict { line, faults })
}

fn write(file: &Path, text: &str) -> Fallible<()> {
    // It is there whole or not at all, and readable by the database's user.
    let draft = file.with_extension("draft");
    std::fs::write(&draft, text)
        .and_then(|()| std::fs::rename(&draft, file))
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// A client that writes down what it is told, and asks for something new every time.
struct Told {
    stop: Arc<AtomicBool>,
    statuses: Arc<Mutex<BTreeMap<u16, u64>>>,
    task: tokio::task::JoinHandle<Fallible<Vec<Acknowledged>>>,
}

impl Told {
    fn start(stage: &Stage) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let statuses: Arc<Mutex<BTreeMap<u16, u64>>> = Arc::default();
        let (caller, servers) = (stage.caller.clone(), stage.servers.clone());
        let (stopped, kept) = (Arc::clone(&stop), Arc::clone(&statuses));
        let task = tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            let mut turn = 1_000_000;
            while !stopped.load(Ordering::Relaxed) {
                turn += 1;
                let (key, body) = (format!("told-{turn}"), crate::load::picture(turn));
                let server = servers.at(0).unwrap_or_default();
                let who = ("game", Some(key.as_str()));
                let path = "/api/v1/generations";
                let once = caller.once(&server, "POST", path, who, Some(&body)).await;
                let status = once.map_or(0, |reply| reply.status);
                if status > 0 {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    *kept.entry(status).or_default() += 1;
                }
                // Whatever it was told: the same call is answered in the end.
                acknowledged.push(caller.create("game", &key, &body).await?);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(acknowledged)
        });
        Self { stop, statuses, task }
    }

    async fn end(self) -> Fallible<(BTreeMap<u16, u64>, Vec<Acknowledged>)> {
        self.stop.store(true, Ordering::Relaxed);
        let acknowledged = self.task.await.map_err(|error| error.to_string())??;
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok((statuses, acknowledged))
    }
}
