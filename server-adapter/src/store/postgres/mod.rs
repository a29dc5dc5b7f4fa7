//! The store on PostgreSQL: several servers and any number of workers share one database.
//!
//! Every operation is one transaction at READ COMMITTED that locks the rows it changes; what unique
//! indexes refuse because somebody else was first is run again and finds what they left. Creates that
//! come at the same time share one (`group.rs`).

mod clock;
mod examine;
mod group;
mod keeper;
mod many;
mod remote;
mod schema;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError};
use deadpool_postgres::{RecyclingMethod, Runtime};
use tokio::sync::watch;

pub use self::examine::examine_postgres;
use self::group::{Given, Groups};
use self::keeper::Keeper;
use self::remote::{Failed, Fault, Remote};
use self::tls::Way;
use super::sql::{accounts, cache, create, events, number, operations, predictions, telemetry};
use super::{
    Advance, Advanced, Answer, AnswerCount, CacheStore, Cancelled, Claim, Claimed, CreateOutcome,
    Creation, Event, Generation, Kept, Key, ListQuery, Millis, NewGeneration, Outcome, Page, Patch,
    PlanNow, PredictionStore, Reader, Result, Row, RunCount, RunTimes, Store, StoreError,
    TelemetryStore, UsageLine, Used, User, Viewer, World,
};
use crate::clock::{Clock as _, SharedClock, SystemClock};

/// Connections of a process at most, beside the keeper's.
const CONNECTIONS: usize = 16;

/// How long to wait for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often an operation is tried that others stood in the way of, or whose connection broke.
const TRIES: u32 = 7;

const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// Several statements see one state of things.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Whose time decides over leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// The database's: what callers say only tells how long.
    Database,
    /// The callers': for simulations and for the suite, which bring a time of their own.
    Callers,
}

/// The store on PostgreSQL.
#[derive(Debug)]
pub struct PostgresStore {
    pool: Pool,
    groups: Arc<Groups>,
    keeper: Keeper,
    time: Time,
}

impl PostgresStore {
    /// Connects to the database of a URL (`postgres://user:password@host/name`, with
    /// `?sslmode=verify-full` over TLS), and brings its schema up to date. Blocks until that is done.
    ///
    /// # Errors
    ///
    /// The database cannot be reached, is not durable, or was made by a newer version.
    pub fn open(url: &str, time: Time) -> Result<Self> {
        let Way { mut config, tls } = Way::parse(url)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        config.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(20));
        if config.get_application_name().is_none() {
            config.application_name("onepath");
        }
        let keeper = Keeper::start(Way { config: config.clone(), tls: tls.clone() })?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, tls, recycling))
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move {
                    client.batch_execute(schema::SESSION).await.map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { groups: Groups::new(pool.clone()), pool, keeper, time })
    }

    /// The database's time. Every process that shares the database tells the same by it, whatever
    /// their machines say.
    #[must_use]
    pub fn clock(&self) -> SharedClock {
        Arc::clone(self.keeper.clock()) as SharedClock
    }

    /// How a connection of the pool is set.
    #[cfg(test)]
    pub(super) async fn setting(&self, name: &str) -> Result<String> {
        let client = connection(&self.pool).await.map_err(|failed| failed.error)?;
        Ok(client.query_one("SELECT current_setting($1)", &[&name]).await?.try_get(0)?)
    }

    /// There are new events: they get their cursors.
    fn changed<T>(&self, result: Result<T>) -> Result<T> {
        if result.is_ok() {
            self.keeper.ring();
        }
        result
    }
}

async fn connection(pool: &Pool) -> std::result::Result<Object, Failed> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            let fault = remote::fault(&error);
            Failed { error: error.into(), fault }
        }
        other => Failed { error: StoreError::Unavailable(other.to_string()), fault: Fault::Final },
    })
}

/// How often an operation was tried.
#[derive(Debug, Default)]
struct Tries(u32);

impl Tries {
    /// Rests before the next one, longer each time and never as long as others; gives up after the
    /// last, and at once where the same would come to the same.
    async fn rest(&mut self, failed: Failed) -> Result<()> {
        self.0 += 1;
        if matches!(failed.fault, Fault::Final | Fault::Unknown) || self.0 >= TRIES {
            return Err(failed.error);
        }
        tracing::debug!(error = %failed.error, fault = ?failed.fault, tries = self.0, "once more");
        let mut random = [0];
        SystemClock.random(&mut random);
        let most = 4_u64 << self.0;
        let millis = most * (64 + u64::from(random[0])) / 256;
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok(())
    }
}

/// Runs an operation until it is done or nothing helps, in a task of its own: a caller who goes away
/// leaves no half transaction, and no connection that must be closed.
macro_rules! run {
    ($store:ident, |$client:ident| $remote:expr, $end:ident, |$tx:ident| $work:expr) => {{
        let pool = $store.pool.clone();
        let task = tokio::spawn(async move {
            let mut tries = Tries::default();
            loop {
                let ended = match connection(&pool).await {
                    Ok($client) => {
                        let mut remote = $remote;
                        let $tx = &mut remote;
                        let done = $work.await;
                        remote.$end(done).await
                    }
                    Err(failed) => Err(failed),
                };
                match ended {
                    Ok(value) => return Ok(value),
                    Err(failed) => tries.rest(failed).await?,
                }
            }
        });
        match task.await {
            Ok(done) => done,
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }};
}

/// Shared statements in a transaction that changes something.
macro_rules! write {
    ($store:ident, |$tx:ident| $work:expr) => {
        run!($store, |client| Remote::begin(client, WRITE).await, end, |$tx| $work)
    };
}

/// Several statements that read one state of things.
macro_rules! read {
    ($store:ident, |$tx:ident| $work:expr) => {
        run!($store, |client| Remote::begin(client, READ).await, end_reading, |$tx| $work)
    };
}

/// Statements that stand for themselves.
macro_rules! ask {
    ($store:ident, |$tx:ident| $work:expr) => {
        run!($store, |client| Remote::new(client), end, |$tx| $work)
    };
}

mod endpoints;
mod legacy;
mod prompts;
mod seats;
mod settings;
mod webhooks;

/// The time that decides over leases, and the end of one that would end at `until` by the caller's.
async fn lease(
    tx: &mut Remote,
    time: Time,
    now: Millis,
    until: Millis,
) -> Result<(Millis, Millis)> {
    match time {
        Time::Callers => Ok((now, until)),
        Time::Database => {
            let db = number(tx, clock::NOW, &[]).await?;
            Ok((db, db.saturating_add(until.saturating_sub(now))))
        }
    }
}

async fn claim_rows(tx: &mut Remote, time: Time, claim: &Claim) -> Result<Vec<Claimed>> {
    let (now, lease_until) = lease(tx, time, claim.now, claim.lease_until).await?;
    operations::claim(tx, &Claim { now, lease_until, limit: claim.limit }).await
}

async fn end_leases(tx: &mut Remote, time: Time, now: Millis) -> Result<u64> {
    let (now, _) = lease(tx, time, now, now).await?;
    operations::end_leases(tx, now).await
}

async fn heartbeat(
    tx: &mut Remote,
    time: Time,
    id: &str,
    fence: i64,
    (now, until): (Millis, Millis),
) -> Result<bool> {
    let (now, until) = lease(tx, time, now, until).await?;
    operations::heartbeat(tx, id, fence, now, until).await
}

mod assets;

#[async_trait]
impl PredictionStore for PostgresStore {
    async fn unclaimed(&self, provider: &str, predictions: &[String]) -> Result<Vec<String>> {
        let (provider, list) = (provider.to_owned(), predictions.to_vec());
        read!(self, |tx| predictions::unclaimed(tx, &provider, &list))
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn create(&self, creation: Creation) -> Result<CreateOutcome> {
        let creation = match self.groups.create(creation).await {
            Given::Done(outcome) => return self.changed(outcome),
            Given::Alone(creation) => creation,
        };
        self.changed(write!(self, |tx| create::create(tx, &creation)))
    }

    async fn preview(&self, new: &NewGeneration) -> Result<(Answer, Option<Row>)> {
        let new = new.clone();
        read!(self, |tx| create::preview(tx, &new))
    }

    async fn get(&self, viewer: &Viewer, id: &str) -> Result<Option<Generation>> {
        let (viewer, id) = (viewer.clone(), id.to_owned());
        read!(self, |tx| operations::get(tx, &viewer, &id))
    }

    async fn list(&self, reader: &Reader, query: &ListQuery) -> Result<Page> {
        let (reader, query) = (reader.clone(), query.clone());
        read!(self, |tx| operations::list(tx, &reader, &query))
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>> {
        let (wish, time) = (claim.clone(), self.time);
        let claimed = write!(self, |tx| claim_rows(tx, time, &wish))?;
        if claimed.is_empty() { Ok(claimed) } else { self.changed(Ok(claimed)) }
    }

    async fn next_due(&self) -> Result<Option<Millis>> {
        ask!(self, |tx| operations::next_due(tx))
    }

    async fn heartbeat(
        &self,
        id: &str,
        fence: i64,
        now: Millis,
        lease_until: Millis,
    ) -> Result<bool> {
        let (id, time) = (id.to_owned(), self.time);
        write!(self, |tx| heartbeat(tx, time, &id, fence, (now, lease_until)))
    }

    async fn end_leases(&self, now: Millis) -> Result<u64> {
        let time = self.time;
        write!(self, |tx| end_leases(tx, time, now))
    }

    async fn advance(&self, advance: &Advance) -> Result<Option<Advanced>> {
        let advance = advance.clone();
        self.changed(write!(self, |tx| operations::advance(tx, &advance)))
    }

    async fn cancel(&self, reader: &Reader, id: &str, now: Millis) -> Result<Option<Cancelled>> {
        let (reader, id) = (reader.clone(), id.to_owned());
        self.changed(write!(self, |tx| operations::cancel(tx, &reader, &id, now)))
    }

    async fn retry(
        &self,
        reader: &Reader,
        id: &str,
        plan: PlanNow,
        now: Millis,
    ) -> Result<Outcome> {
        let (reader, id) = (reader.clone(), id.to_owned());
        self.changed(write!(self, |tx| operations::retry(tx, &reader, &id, plan, now)))
    }

    async fn delete(&self, reader: &Reader, id: &str, now: Millis) -> Result<Outcome> {
        let (reader, id) = (reader.clone(), id.to_owned());
        self.changed(write!(self, |tx| operations::delete(tx, &reader, &id, now)))
    }

    async fn patch(
        &self,
        reader: &Reader,
        id: &str,
        patch: &Patch,
        now: Millis,
    ) -> Result<Outcome> {
        let (reader, id, patch) = (reader.clone(), id.to_owned(), patch.clone());
        self.changed(write!(self, |tx| operations::patch(tx, &reader, &id, &patch, now)))
    }

    async fn events(&self, viewer: &Viewer, id: &str) -> Result<Vec<Event>> {
        let (viewer, id) = (viewer.clone(), id.to_owned());
        ask!(self, |tx| events::of_generation(tx, &viewer, &id))
    }

    async fn events_after(&self, cursor: i64, limit: usize) -> Result<Vec<Event>> {
        ask!(self, |tx| events::after(tx, cursor, limit))
    }

    async fn last_event(&self) -> Result<i64> {
        ask!(self, |tx| events::last(tx))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.keeper.changes()
    }

    async fn used(&self, reader: &Reader, since: Millis) -> Result<Used> {
        let reader = reader.clone();
        read!(self, |tx| create::used_and_stored(tx, &reader, since))
    }

    async fn usage(&self, reader: &Reader, since: Millis, until: Millis) -> Result<Vec<UsageLine>> {
        let reader = reader.clone();
        ask!(self, |tx| accounts::usage(tx, &reader, since, until))
    }

    async fn add_key(&self, key: Key) -> Result<()> {
        write!(self, |tx| accounts::add_key(tx, &key))
    }

    async fn key(&self, hash: &str) -> Result<Option<Key>> {
        let hash = hash.to_owned();
        ask!(self, |tx| accounts::key(tx, &hash))
    }

    async fn keys(&self) -> Result<Vec<Key>> {
        ask!(self, |tx| accounts::keys(tx))
    }

    async fn revoke_key(&self, id: &str, now: Millis) -> Result<bool> {
        let id = id.to_owned();
        write!(self, |tx| accounts::revoke_key(tx, &id, now))
    }

    async fn put_user(&self, user: User) -> Result<()> {
        write!(self, |tx| accounts::put_user(tx, &user))
    }

    async fn user(&self, reader: &Reader) -> Result<Option<User>> {
        let reader = reader.clone();
        ask!(self, |tx| accounts::user(tx, &reader))
    }

    async fn users(&self, tenant: Option<&str>) -> Result<Vec<User>> {
        let tenant = tenant.map(str::to_owned);
        ask!(self, |tx| accounts::users(tx, tenant.as_deref()))
    }

    async fn put_world(&self, world: World) -> Result<()> {
        write!(self, |tx| accounts::put_world(tx, &world))
    }

    async fn world(&self, tenant: &str, id: &str) -> Result<Option<World>> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        ask!(self, |tx| accounts::world(tx, &tenant, &id))
    }

    async fn worlds(&self, tenant: Option<&str>) -> Result<Vec<World>> {
        let tenant = tenant.map(str::to_owned);
        ask!(self, |tx| accounts::worlds(tx, tenant.as_deref()))
    }

    async fn forget_receipts(&self, before: Millis) -> Result<u64> {
        write!(self, |tx| accounts::forget_receipts(tx, before))
    }

    async fn ping(&self) -> Result<()> {
        ask!(self, |tx| operations::ping(tx))
    }
}

#[async_trait]
impl TelemetryStore for PostgresStore {
    async fn ended_runs(
        &self,
        tenant: Option<&str>,
        since: Millis,
    ) -> Result<(Vec<RunCount>, Vec<RunTimes>)> {
        let tenant = tenant.map(str::to_owned);
        read!(self, |tx| telemetry::ended_runs(tx, tenant.as_deref(), since))
    }

    async fn in_flight(&self) -> Result<Vec<(String, String, u64)>> {
        ask!(self, |tx| telemetry::in_flight(tx))
    }

    async fn forget_runs(&self, before: Millis) -> Result<u64> {
        ask!(self, |tx| telemetry::forget_runs(tx, before))
    }
}

#[async_trait]
impl CacheStore for PostgresStore {
    async fn kept(
        &self,
        tenant: &str,
        owner: Option<&str>,
        now: Millis,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Kept>> {
        let (tenant, owner) = (tenant.to_owned(), owner.map(str::to_owned));
        let after = after.to_owned();
        ask!(self, |tx| cache::kept(tx, &tenant, owner.as_deref(), now, &after, limit))
    }

    async fn invalidate(
        &self,
        tenant: &str,
        owner: Option<&str>,
        ids: &[String],
        now: Millis,
    ) -> Result<u64> {
        let (tenant, owner) = (tenant.to_owned(), owner.map(str::to_owned));
        let ids = ids.to_vec();
        write!(self, |tx| cache::invalidate(tx, &tenant, owner.as_deref(), &ids, now))
    }

    async fn add_answers(&self, counts: &[AnswerCount]) -> Result<()> {
        let counts = counts.to_vec();
        write!(self, |tx| cache::add_answers(tx, &counts))
    }

    async fn answers(&self, tenant: &str, since: Millis) -> Result<Vec<AnswerCount>> {
        let tenant = tenant.to_owned();
        ask!(self, |tx| cache::answers(tx, &tenant, since))
    }

    async fn forget_answers(&self, before: Millis) -> Result<u64> {
        write!(self, |tx| cache::forget_answers(tx, before))
    }
}
