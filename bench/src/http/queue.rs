//! Claim and settle while many rows wait, on both databases.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use onepath_core::lifecycle::{Event, ProviderReport};
use onepath_server::clock::{Clock as _, SystemClock};
use onepath_server::service::{Caller, Service};
use onepath_server::store::{
    Advance, Asset, AssetState, Blob, Claim, Claimed, Creation, Media, NewGeneration,
    PostgresStore, Reader, Role, SqliteStore, Store, Time,
};
use onepath_testpostgres::Cluster;
use tokio::task::JoinSet;

use crate::bodies::{TENANTS, bodies, key};
use crate::figures::{Figures, middle, times};
use crate::{Failure, fresh, servers};

const ROUNDS: usize = 7;
/// Rows that are carried to their end in one round.
const BATCH: usize = 256;
/// Creates at the same time, while rows are put in.
const FILLERS: usize = 512;
/// Rows that one claim takes.
const CLAIM: usize = 32;
/// Rows that wait.
const FEW: usize = 1_000;
const MANY: usize = 100_000;

/// A store in which rows wait.
struct Waiting {
    name: &'static str,
    rows: usize,
    store: Arc<dyn Store>,
    rounds: Vec<Figures>,
}

pub(crate) fn measure(payload: &str, home: &Path) -> Result<(), Failure> {
    let folder = fresh(&home.join("queue"))?;
    let cluster = Cluster::start()?;
    let sqlite = |name: &str| SqliteStore::open(&folder.join(name));
    let postgres =
        || PostgresStore::open(&cluster.database()?, Time::Callers).map_err(Failure::from);
    let stores: [(_, _, Arc<dyn Store>); 4] = [
        ("SQLite", FEW, Arc::new(sqlite("few")?)),
        ("SQLite", MANY, Arc::new(sqlite("many")?)),
        ("PostgreSQL", FEW, Arc::new(postgres()?)),
        ("PostgreSQL", MANY, Arc::new(postgres()?)),
    ];
    let mut stores =
        stores.map(|(name, rows, store)| Waiting { name, rows, store, rounds: Vec::new() });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let pattern = pattern(&servers::service()?, payload).await?;
        for one in &stores {
            fill(&one.store, &pattern, one.rows).await?;
            eprintln!("   {} rows wait in {}", one.rows, one.name);
        }
        for round in 0..=ROUNDS {
            for one in &mut stores {
                let took = settle(&one.store).await?;
                if round > 0 {
                    one.rounds.push(Figures::rate(rate(took)));
                }
                fill(&one.store, &pattern, BATCH).await?;
            }
        }
        Ok::<_, Failure>(())
    })?;
    report(&stores);
    drop(stores);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a count of hundreds")]
fn rate(took: Duration) -> f64 {
    BATCH as f64 / took.as_secs_f64()
}

/// A generation as the service plans it.
async fn pattern(service: &Service, payload: &str) -> Result<NewGeneration, Failure> {
    let body = bodies(payload, 0, 1)?;
    let text = String::from_utf8(body.requests.first().ok_or("no request")?.clone())?;
    let (_, text) = text.split_once("\r\n\r\n").ok_or("a request without a body")?;
    let reader = Reader { tenant: key(0), user: "bench".to_owned() };
    let caller = Caller { reader, role: Role::Backend, key: "bench".to_owned() };
    let plan = service.plan(&caller, text).await.map_err(|problem| problem.to_string())?;
    Ok(plan.0.new)
}

/// Adds rows that wait, each with a key of its own.
async fn fill(store: &Arc<dyn Store>, pattern: &NewGeneration, rows: usize) -> Result<(), Failure> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let left = Arc::new(AtomicU64::new(u64::try_from(rows)?));
    let mut all = JoinSet::new();
    for tenant in 0..FILLERS {
        let (store, left, mut new) = (Arc::clone(store), Arc::clone(&left), pattern.clone());
        new.owner.tenant = key(tenant % TENANTS);
        all.spawn(async move {
            let take = |left: u64| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                new.id = format!("00000000-0000-7000-8000-{number:012}");
                new.asked.request_hash = format!("{number:064}");
                new.asked.cache_key = Some(format!("key|{number}"));
                new.now = SystemClock.now();
                store.create(Creation::of(new.clone())).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(joined) = all.join_next().await {
        joined??;
    }
    Ok(())
}

/// Carries rows to their good end, as a worker does; how long that took.
async fn settle(store: &Arc<dyn Store>) -> Result<Duration, Failure> {
    let (since, mut done) = (Instant::now(), 0);
    while done < BATCH {
        let now = SystemClock.now();
        let claim = Claim { now, lease_until: now + 60_000, limit: CLAIM };
        let claimed = store.claim(&claim).await?;
        if claimed.is_empty() {
            return Err("nothing waits any more".into());
        }
        done += claimed.len();
        let mut all = JoinSet::new();
        for one in claimed {
            let store = Arc::clone(store);
            all.spawn(async move { carry(&*store, one).await });
        }
        while let Some(joined) = all.join_next().await {
            joined??;
        }
    }
    Ok(since.elapsed())
}

/// One row, from its claim to its end.
async fn carry(store: &dyn Store, claimed: Claimed) -> Result<(), Failure> {
    let mut row = claimed.row;
    let succeeded = Event::Reported(ProviderReport::Succeeded { has_output: true });
    for event in [Event::IntentStored, Event::Accepted, succeeded, Event::Stored] {
        let now = SystemClock.now();
        let mut advance = Advance::new(&row, event, now);
        match event {
            Event::IntentStored => advance.token = Some(format!("token {}", row.id)),
            Event::Accepted => advance.prediction = Some(format!("prediction {}", row.id)),
            Event::Stored => {
                let mut asset = Asset::output(&row, format!("asset {}", row.id), 0, now);
                let sha256 = row.asked.request_hash.clone();
                let place = format!("place {}", row.id);
                asset.state = AssetState::Downloaded(Media {
                    media_type: "image/png".to_owned(),
                    width: 640,
                    height: 360,
                    duration_ms: None,
                    bytes: 12_345,
                    sha256: sha256.clone(),
                });
                advance.assets = vec![asset];
                advance.blobs = vec![Blob { sha256, place, bytes: 12_345 }];
            }
            _ => {}
        }
        row = store.advance(&advance).await?.ok_or("somebody else holds the row")?.row;
    }
    if row.is_complete() { Ok(()) } else { Err("a row did not come to its end".into()) }
}

fn report(stores: &[Waiting; 4]) {
    println!(
        "## Claim and settle ({CLAIM} rows a claim, four transitions a row, {ROUNDS} interleaved \
         rounds)\n"
    );
    println!("| database | rows that wait | rows a second |\n|---|---|---|");
    for one in stores {
        let rate = middle(&one.rounds, |one| one.per_second);
        println!("| {} | {} | {rate:.0} |", one.name, one.rows);
    }
    println!("\n| goal | asked | measured |\n|---|---|---|");
    let [few, many, other_few, other_many] = stores;
    for (few, many) in [(few, many), (other_few, other_many)] {
        println!(
            "| {MANY} over {FEW} rows that wait, {} | ≥ 0.8 | {:.2} |",
            few.name,
            times(&many.rounds, &few.rounds)
        );
    }
    println!();
}
