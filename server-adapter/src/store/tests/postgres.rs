//! The store on PostgreSQL: the suite, several stores on one database, and what only it can show.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use onepath_core::lifecycle::{Event, ProviderReport};
use onepath_testpostgres::Cluster;
use tokio::time::timeout;

use super::super::conformance::{NOON, done, reader, viewer, wanted};
use super::super::{
    Advance, Answer, Claim, CreateOutcome, Created, Creation, Event as Told, Limits, Millis,
    NewGeneration, PlanNow, PostgresStore, Reader, Receipt, ReceiptWish, Row, Store, StoreError,
    Time,
};
use super::run_suite;
use crate::clock::SystemClock;

/// A new database of this program's own server.
pub(super) fn database() -> String {
    Cluster::shared().unwrap().database().unwrap()
}

/// A new schema, for what looks at nothing but its own tables.
pub(super) fn schema() -> String {
    Cluster::shared().unwrap().schema().unwrap()
}

fn sql(database: &str, sql: &str) -> Result<String, String> {
    Cluster::shared().unwrap().sql(database, sql)
}

/// A store to which the callers say the time.
pub(super) fn store(database: &str) -> PostgresStore {
    PostgresStore::open(database, Time::Callers).unwrap()
}

/// The wish to keep the answer to a call.
fn wish(key: &str, content: &str) -> ReceiptWish {
    ReceiptWish {
        route: "POST /generations",
        key: key.to_owned(),
        fingerprint: content.to_owned(),
        render: Arc::new(|created| Receipt {
            status: 202,
            location: created.row.id.clone(),
            body: created.row.id.clone(),
        }),
    }
}

async fn create(store: &dyn Store, new: NewGeneration) -> Created {
    done(store.create(Creation::of(new)).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_postgresql_passes_the_suite() {
    run_suite(|| ((), Arc::new(store(&schema())) as Arc<dyn Store>)).await;
}

/// Every call goes to another of several stores, as if each came to another process.
#[derive(Debug)]
struct Several(Vec<PostgresStore>);

impl Several {
    fn new(count: usize) -> Self {
        let database = schema();
        Self((0..count).map(|_| store(&database)).collect())
    }

    fn at(&self, index: usize) -> &PostgresStore {
        &self.0[index % self.0.len()]
    }
}

/// Runs `count` calls at once, each on another store, and gives what they came to.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    stores: &Arc<Several>,
    count: usize,
    call: impl Fn(usize, Arc<Several>) -> F,
) -> Vec<T> {
    let tasks: Vec<_> =
        (0..count).map(|index| tokio::spawn(call(index, Arc::clone(stores)))).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn creates_in_several_processes_give_one_row() {
    let stores = Arc::new(Several::new(3));
    for round in 0..8 {
        let new = wanted(&format!("picture {round}"), &reader("ada"), NOON);
        let all = at_once(&stores, 24, |index, stores| {
            let mut new = new.clone();
            new.id = format!("{round} {index}");
            new.owner = reader(if index % 2 == 0 { "ada" } else { "ben" });
            async move { create(stores.at(index), new).await }
        })
        .await;
        let ids: BTreeSet<&str> = all.iter().map(|one| one.row.id.as_str()).collect();
        assert_eq!(ids.len(), 1);
        let made = all.iter().filter(|one| one.answer == Answer::Created).count();
        assert_eq!(made, 1, "one is created, the others join");
    }
    let claim = Claim { now: NOON, lease_until: NOON + 1, limit: 100 };
    let rows: Vec<Row> =
        stores.at(0).claim(&claim).await.unwrap().into_iter().map(|one| one.row).collect();
    let numbers: BTreeSet<i64> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=8).collect(), "no number is lost to a race");
}

#[tokio::test(flavor = "multi_thread")]
async fn creates_at_the_same_time_share_a_commit() {
    let database = database();
    let stores = Arc::new(Several(vec![store(&database)]));
    let all = at_once(&stores, 64, |index, stores| {
        let mut new = wanted(&format!("picture {index}"), &reader("ada"), NOON);
        new.id = format!("{index}");
        new.owner.tenant = format!("studio {}", index % 3);
        let receipt = wish(&format!("call {index}"), "content");
        let creation = Creation { receipt: Some(receipt), ..Creation::of(new) };
        async move { done(stores.at(0).create(creation).await.unwrap()) }
    })
    .await;
    for tenant in 0..3 {
        let of_tenant = all.iter().filter(|one| one.row.tenant == format!("studio {tenant}"));
        let numbers: BTreeSet<i64> = of_tenant.clone().map(|one| one.row.number).collect();
        let count = i64::try_from(of_tenant.count()).unwrap();
        assert_eq!(numbers, (1..=count).collect(), "every number once");
    }
    let count = |table: &str| sql(&database, &format!("SELECT count(*) FROM {table}")).unwrap();
    for table in ["generations", "interests", "ledger", "events", "receipts"] {
        assert_eq!(count(table), "64", "{table}");
    }
    let commits = count("(SELECT DISTINCT xmin::text FROM generations) AS commits");
    assert!(commits.parse::<u32>().unwrap() < 64, "{commits}");
    for (index, one) in all.iter().enumerate() {
        let owner = Reader { tenant: one.row.tenant.clone(), user: one.row.owner.clone() };
        let read = stores.at(0).get(&viewer(&owner), &one.row.id).await.unwrap();
        assert_eq!(read.unwrap().row, one.row, "{index}: what was said is what is kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_refused_leaves_its_group_alone() {
    let stores = Arc::new(Several::new(1));
    let all = at_once(&stores, 32, |index, stores| {
        let mut new = wanted(&format!("picture {index}"), &reader("ada"), NOON);
        new.id = format!("{index}");
        // What this database cannot keep; the service refuses it before.
        new.name = (index == 20).then(|| "\0".to_owned());
        async move { stores.at(0).create(Creation::of(new)).await }
    })
    .await;
    for (index, one) in all.into_iter().enumerate() {
        assert_eq!(one.is_ok(), index != 20, "{index}: {one:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_across_processes() {
    let stores = Arc::new(Several::new(3));
    let limits = Limits { in_flight: Some(3), ..Limits::default() };
    let all = at_once(&stores, 24, |index, stores| {
        let mut new = wanted(&format!("picture {index}"), &reader("ada"), NOON);
        new.id = format!("{index}");
        let plan = PlanNow { limits, since: 0 };
        let creation = Creation { new, plan, receipt: None };
        async move { stores.at(index).create(creation).await.unwrap() }
    })
    .await;
    let made = all.iter().filter(|one| matches!(one, CreateOutcome::Done(_))).count();
    let limited = all.iter().filter(|one| matches!(one, CreateOutcome::Limited(_))).count();
    assert_eq!((made, limited), (3, 21));
    assert_eq!(stores.at(0).used(&reader("ada"), 0).await.unwrap().in_flight, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_answered_once_across_processes() {
    let stores = Arc::new(Several::new(2));
    let all = at_once(&stores, 12, |index, stores| {
        let mut new = wanted("a house", &reader("ada"), NOON);
        new.id = format!("{index}");
        (new.asked.strategy, new.asked.cache_key) = (onepath_core::Strategy::Always, None);
        let receipt = wish("key", "content");
        let creation = Creation { new, plan: PlanNow::default(), receipt: Some(receipt) };
        async move { stores.at(index).create(creation).await.unwrap() }
    })
    .await;
    let mut ids = BTreeSet::new();
    let mut made = 0;
    for outcome in all {
        match outcome {
            CreateOutcome::Done(created) => {
                made += 1;
                ids.insert(created.row.id);
            }
            CreateOutcome::Replayed(receipt) => {
                ids.insert(receipt.body);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((made, ids.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_has_one_holder_across_processes() {
    let stores = Arc::new(Several::new(4));
    for index in 0..40 {
        create(stores.at(index), wanted(&format!("picture {index}"), &reader("ada"), NOON)).await;
    }
    let held = at_once(&stores, 8, |index, stores| async move {
        let claim = Claim { now: NOON, lease_until: NOON + 1, limit: 3 };
        let mut held = Vec::new();
        loop {
            let claimed = stores.at(index).claim(&claim).await.unwrap();
            if claimed.is_empty() {
                return held;
            }
            held.extend(claimed.into_iter().map(|one| (one.row.id, one.row.fence)));
        }
    })
    .await
    .concat();
    assert_eq!(held.len(), 40, "nobody goes away while there is work");
    assert!(held.iter().all(|(_, fence)| *fence == 1));
    assert_eq!(held.iter().collect::<BTreeSet<_>>().len(), 40);
}

/// Positions are drawn in one order and committed in the other.
#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_committed_in_reverse_order_are_all_seen() {
    let database = database();
    let (store, config) = (store(&database), database.parse::<tokio_postgres::Config>().unwrap());
    let first = create(&store, wanted("a house", &reader("ada"), NOON)).await.row;
    let start = store.last_event().await.unwrap();
    let (slow, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let event = format!(
        "INSERT INTO events (tenant, owner, shared, generation, number, kind, status, at)
         VALUES ('studio', 'ada', 'sfw', '{}', 2, 'generation.started', 'processing', 1)",
        first.id
    );
    slow.batch_execute("BEGIN").await.unwrap();
    slow.batch_execute(&event).await.unwrap();
    // It has its position, and is not committed; what comes behind it is.
    let second = create(&store, wanted("a ship", &reader("ada"), NOON)).await.row;
    let told = store.events_after(start, 10).await.unwrap();
    let ids = |told: &[Told]| {
        told.iter().map(|one| one.generation().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(ids(&told), [Some(second.id)]);
    let resume = told[0].cursor;
    slow.batch_execute("COMMIT").await.unwrap();
    let late = store.events_after(resume, 10).await.unwrap();
    assert_eq!(ids(&late), [Some(first.id)], "a reader who goes on skips nothing");
    assert!(late[0].cursor > resume);
    let all = store.events_after(0, 10).await.unwrap();
    assert_eq!(all.iter().map(|one| one.cursor).collect::<Vec<_>>(), [1, 2, 3]);
    let positions =
        sql(&database, "SELECT string_agg(position::text, ',' ORDER BY cursor) FROM events");
    assert_eq!(positions.unwrap(), "1,3,2", "the order of commits is not that of positions");
    drop(slow);
    connection.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_follows_many_writers_and_misses_nothing() {
    let stores = Arc::new(Several::new(3));
    let reading = {
        let stores = Arc::clone(&stores);
        tokio::spawn(async move {
            let mut changes = stores.at(2).changes();
            let (mut cursor, mut seen) = (0, Vec::new());
            while seen.len() < 120 {
                let events = stores.at(2).events_after(cursor, 7).await.unwrap();
                cursor = events.last().map_or(cursor, |last| last.cursor);
                if events.is_empty() {
                    changes.changed().await.unwrap();
                }
                seen.extend(
                    events.into_iter().map(|one| (one.cursor, one.generation().map(str::to_owned))),
                );
            }
            seen
        })
    };
    at_once(&stores, 120, |index, stores| async move {
        create(stores.at(index), wanted(&format!("picture {index}"), &reader("ada"), NOON)).await;
    })
    .await;
    let seen = timeout(Duration::from_secs(30), reading).await.unwrap().unwrap();
    assert!(seen.is_sorted_by(|one, next| one.0 < next.0), "cursors only grow");
    assert_eq!(seen.iter().map(|(_, id)| id).collect::<BTreeSet<_>>().len(), 120);
}

/// I13, whoever writes: the database itself refuses.
#[tokio::test]
async fn sql_does_not_change_what_was_asked_nor_the_ledger() {
    let database = database();
    let store = store(&database);
    let row = create(&store, wanted("a house", &reader("ada"), NOON)).await.row;
    for column in [
        "id",
        "number",
        "tenant",
        "request",
        "generation_type",
        "operation",
        "provider",
        "strategy",
        "request_hash",
        "family_hash",
        "cache_key",
        "seed",
        "rating_asked",
        "rating_effective",
        "rating_bound_by",
        "ttl_seconds",
        "force_new",
        "price_micros",
        "price_credits",
        "reserved_micros",
        "world_id",
        "workspace_id",
        "public",
        "trace_id",
        "others",
        "created_at",
    ] {
        let changed = sql(&database, &format!("UPDATE generations SET {column} = '99'"));
        let refused = changed.unwrap_err();
        assert!(refused.contains("what was asked never changes"), "{column}: {refused}");
    }
    for change in ["UPDATE ledger SET micros = 0", "DELETE FROM ledger", "TRUNCATE ledger"] {
        let refused = sql(&database, change).unwrap_err();
        assert!(refused.contains("the ledger is only added to"), "{change}: {refused}");
    }
    sql(&database, "UPDATE generations SET priority = 1").unwrap();
    let read = store.get(&viewer(&reader("ada")), &row.id).await.unwrap().unwrap();
    assert_eq!((read.row.asked, read.row.priority), (row.asked, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_are_made_anew() {
    let database = database();
    let store = Arc::new(store(&database));
    let working = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut made = Vec::new();
            for index in 0..60 {
                let mut new = wanted(&format!("picture {index}"), &reader("ada"), NOON);
                new.id = format!("{index:03}");
                match store.create(Creation::of(new)).await {
                    Ok(outcome) => made.push(done(outcome).row.id),
                    // Nobody knows whether it was committed.
                    Err(StoreError::Unavailable(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            made
        })
    };
    let mut cuts = 0;
    while !working.is_finished() {
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        cuts += sql(&database, cut).unwrap().parse::<u32>().unwrap();
    }
    let made = working.await.unwrap();
    assert!(cuts > 0, "connections were cut in the middle");
    for id in &made {
        let there = store.get(&viewer(&reader("ada")), id).await.unwrap();
        assert!(there.is_some(), "what was acknowledged is there: {id}");
    }
    let whole = "SELECT count(*) FROM generations g WHERE
        1 <> (SELECT count(*) FROM ledger l WHERE l.generation = g.id AND l.kind = 'reserve')
        OR 1 <> (SELECT count(*) FROM events e WHERE e.generation = g.id AND e.asset IS NULL)
        OR 1 <> (SELECT count(*) FROM interests i WHERE i.generation = g.id)";
    assert_eq!(sql(&database, whole).unwrap(), "0", "everything happened whole or not at all");
    // The keeper comes back as well, and hints again.
    let mut changes = store.changes();
    changes.mark_unchanged();
    let beside = self::store(&database);
    create(&beside, wanted("one more", &reader("ada"), NOON)).await;
    timeout(Duration::from_secs(20), changes.changed()).await.unwrap().unwrap();
}

/// The worker says a time that is an hour early or late; the database's decides.
#[tokio::test]
async fn leases_go_by_the_databases_time() {
    const HOUR: Millis = 3_600_000;
    let database = database();
    let open = || PostgresStore::open(&database, Time::Database).unwrap();
    let (server, early, late) = (open(), open(), open());
    let now = server.clock().now();
    let create_one = |what: &str| wanted(what, &reader("ada"), now);
    create(&server, create_one("a house")).await;
    let claim = |now: Millis| Claim { now, lease_until: now + 30_000, limit: 10 };
    let held = early.claim(&claim(now - HOUR)).await.unwrap();
    assert_eq!(held.len(), 1, "it is due, whatever the worker believes");
    let lease = held[0].row.lease_until.unwrap();
    assert!((now + 29_000..now + 60_000).contains(&lease), "half a minute from now: {lease}");
    assert_eq!(late.claim(&claim(now + HOUR)).await.unwrap(), vec![], "it is held");
    let row = &held[0].row;
    assert!(early.heartbeat(&row.id, row.fence, now - HOUR, now - HOUR + 60_000).await.unwrap());
    assert_eq!(late.claim(&claim(now + HOUR)).await.unwrap(), vec![], "it is held longer");
    let read = server.get(&viewer(&reader("ada")), &row.id).await.unwrap().unwrap().row;
    assert!(read.lease_until.unwrap() > now + 55_000);
    // A lease that ran out by the database's time is taken, whatever the next one believes.
    assert!(early.heartbeat(&row.id, row.fence, now, now - 1).await.unwrap());
    let taken = late.claim(&claim(now - 2 * HOUR)).await.unwrap();
    assert_eq!(taken[0].row.fence, row.fence + 1);
    let old = Advance::new(row, Event::Reported(ProviderReport::Running), now);
    assert_eq!(early.advance(&old).await.unwrap(), None, "whoever held it is late");
    // And the time that everything else goes by is the database's as well.
    let said = sql(&database, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
    let said: Millis = said.unwrap().parse().unwrap();
    assert!((said - 1_000..said + 60_000).contains(&server.clock().now()));
    let system = crate::clock::Clock::now(&SystemClock);
    assert!(said.abs_diff(system) < 60_000, "this test runs on the database's machine");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_start_at_once_on_an_empty_database() {
    let database = database();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let database = database.clone();
            std::thread::spawn(move || PostgresStore::open(&database, Time::Callers).map(drop))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    assert_eq!(sql(&database, "SELECT version FROM onepath_schema").unwrap(), "1");
}

#[tokio::test]
async fn a_database_that_is_not_fit_is_refused() {
    let database = database();
    drop(store(&database));
    sql(&database, "INSERT INTO onepath_schema VALUES (999)").unwrap();
    match PostgresStore::open(&database, Time::Database).unwrap_err() {
        StoreError::Corrupt(why) => assert!(why.contains("use a newer program"), "{why}"),
        other => panic!("{other}"),
    }
    for url in ["postgres://nobody@127.0.0.1:1/none", "no url", &format!("{database}_not_there")] {
        let refused = PostgresStore::open(url, Time::Database).unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    }
    // A weaker default is made good for our own connections.
    let weak = self::database();
    let name = weak.rsplit('/').next().unwrap();
    sql(&weak, &format!("ALTER DATABASE {name} SET synchronous_commit = off")).unwrap();
    let store = store(&weak);
    create(&store, wanted("a house", &reader("ada"), NOON)).await;
    let set = store.setting("synchronous_commit").await.unwrap();
    assert_eq!(set, "on");
}

/// A create that fails leaves nothing behind, and no connection in the middle of anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_fails_leaves_nothing_behind() {
    let database = database();
    let store = store(&database);
    let first = wanted("a house", &reader("ada"), NOON);
    create(&store, first.clone()).await;
    for index in 0..40 {
        let mut twice = wanted(&format!("a ship {index}"), &reader("ada"), NOON);
        twice.id.clone_from(&first.id);
        let failed = store.create(Creation::of(twice)).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))));
    }
    let next = create(&store, wanted("a tree", &reader("ada"), NOON)).await.row;
    assert_eq!(next.number, 2, "not even a number is lost");
    let idle = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    assert_eq!(sql(&database, idle).unwrap(), "0");
}
