//! The store on SQLite: one file, one writer that commits in groups, readers beside it.

mod examine;
mod writer;

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, watch};

pub use self::examine::{blobs_of_sqlite, copy_sqlite, examine_sqlite};
use self::writer::Writer;
use super::sql::{
    Cell, Cells, Tx, Value, accounts, cache, create, events, operations, predictions, telemetry,
};
use super::{
    Advance, Advanced, Answer, AnswerCount, CacheStore, Cancelled, Claim, Claimed, CreateOutcome,
    Creation, Event, Generation, Kept, Key, ListQuery, Millis, NewGeneration, Outcome, Page, Patch,
    PlanNow, PredictionStore, Reader, Result, Row, RunCount, RunTimes, Store, StoreError,
    TelemetryStore, UsageLine, Used, User, Viewer, World,
};

/// Steps from one version of the schema to the next; `user_version` counts those done.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// The first version without the WAL-reset fault that corrupts a database with several
/// connections (sqlite.org/wal.html#walresetbug).
const OLDEST_SQLITE: i32 = 3_051_003;

/// Connections that read at the same time.
const READERS: usize = 4;

/// The store on SQLite.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    changes: watch::Sender<u64>,
}

impl SqliteStore {
    /// Opens the database of a file, makes it if it is not there, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, is no database, or was made by a newer version.
    pub fn open(file: &Path) -> Result<Self> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(StoreError::Unavailable(format!(
                "SQLite {} corrupts databases; 3.51.3 or newer is needed",
                rusqlite::version()
            )));
        }
        let mut connection = connect(file, true)?;
        migrate(&mut connection)?;
        Ok(Self {
            writer: Writer::start(connection)?,
            readers: Readers::new(file),
            changes: watch::channel(0).0,
        })
    }
}

impl SqliteStore {
    /// When the last event was written.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn last_written(&self) -> Result<Option<Millis>> {
        use rusqlite::OptionalExtension as _;
        let sql = "SELECT at FROM events ORDER BY position DESC LIMIT 1";
        Ok(connect(&self.readers.file, false)?.query_row(sql, [], |row| row.get(0)).optional()?)
    }
}

/// A connection with our settings: durable at every commit.
fn connect(file: &Path, writes: bool) -> Result<Connection> {
    let flags = if writes {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(128);
    // One plan for each statement: without this, statistics have the engine compile a statement anew
    // for other values of its parameters.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Kilobytes. Every create touches some twenty pages all over the file.
    let kept = if writes { "PRAGMA cache_size = -65536" } else { "PRAGMA cache_size = -8192" };
    connection.execute_batch(kept)?;
    if writes {
        connection.execute_batch(
            "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 2000; PRAGMA temp_store = MEMORY;",
        )?;
    }
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<()> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let done: usize = transaction.query_row("PRAGMA user_version", [], |row| {
        row.get::<_, u32>(0).map(|version| version as usize)
    })?;
    let Some(missing) = MIGRATIONS.get(done..) else {
        return Err(StoreError::Corrupt(format!(
            "the database has schema {done}, this program knows up to {}: use a newer program",
            MIGRATIONS.len()
        )));
    };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(
        None,
        "user_version",
        i64::try_from(MIGRATIONS.len()).unwrap_or(0),
    )?;
    transaction.commit()?;
    Ok(())
}

/// Connections for reading, opened as they are needed.
#[derive(Debug)]
struct Readers {
    file: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    fn new(file: &Path) -> Self {
        Self {
            file: file.to_path_buf(),
            idle: Arc::default(),
            turns: Arc::new(Semaphore::new(READERS)),
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let gone = |_| StoreError::Unavailable("the store is closed".to_owned());
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(gone)?;
        let (file, idle) = (self.file.clone(), Arc::clone(&self.idle));
        tokio::task::spawn_blocking(move || {
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match kept {
                Some(connection) => connection,
                None => connect(&file, false)?,
            };
            // Several statements see one state of things.
            let result = connection
                .unchecked_transaction()
                .map_err(StoreError::from)
                .and_then(|transaction| work(&transaction));
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            drop(turn);
            result
        })
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::TooBig) => Self::Full(error.to_string()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// A connection as the shared statements see it: everything is ready at once.
struct Local<'c>(&'c Connection);

impl Local<'_> {
    fn bind(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<rusqlite::CachedStatement<'_>> {
        let mut statement = self.0.prepare_cached(sql)?;
        for (index, value) in values.iter().enumerate() {
            match value {
                Value::Null => statement.raw_bind_parameter(index + 1, rusqlite::types::Null)?,
                Value::Int(value) => statement.raw_bind_parameter(index + 1, value)?,
                Value::Text(value) => statement.raw_bind_parameter(index + 1, value)?,
            }
        }
        Ok(statement)
    }
}

impl Tx for Local<'_> {
    const SKIP_LOCKED: &'static str = "";
    const FOR_UPDATE: &'static str = "";
    const PUBLISHES: bool = false;

    async fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Cells>> {
        let mut statement = self.bind(sql, values)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let mut cells = Vec::with_capacity(columns);
            for column in 0..columns {
                cells.push(match row.get_ref(column)? {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(value) => Cell::Int(value),
                    ValueRef::Text(bytes) => {
                        Cell::Text(String::from_utf8_lossy(bytes).into_owned())
                    }
                    ValueRef::Real(_) | ValueRef::Blob(_) => {
                        return Err(StoreError::Corrupt("a value of a strange kind".to_owned()));
                    }
                });
            }
            out.push(Cells::new(cells));
        }
        Ok(out)
    }

    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64> {
        Ok(self.bind(sql, values)?.raw_execute()? as u64)
    }
}

/// The result of a future that waits for nothing.
fn at_once<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::Unavailable("a local statement waited".to_owned())),
    }
}

/// Runs shared statements on the writer's connection, in its transaction.
macro_rules! write {
    ($store:ident, |$tx:ident| $work:expr) => {
        $store
            .writer
            .write(move |connection| {
                let $tx = &mut Local(connection);
                at_once($work)
            })
            .await
    };
}

/// Runs shared statements on a connection that only reads.
macro_rules! read {
    ($store:ident, |$tx:ident| $work:expr) => {
        $store
            .readers
            .read(move |connection| {
                let $tx = &mut Local(connection);
                at_once($work)
            })
            .await
    };
}

mod endpoints;
mod legacy;
mod prompts;
mod seats;
mod settings;
mod webhooks;

impl SqliteStore {
    /// There may be new events.
    fn changed<T>(&self, result: Result<T>) -> Result<T> {
        if result.is_ok() {
            self.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
        result
    }
}

mod assets;

#[async_trait]
impl PredictionStore for SqliteStore {
    async fn unclaimed(&self, provider: &str, predictions: &[String]) -> Result<Vec<String>> {
        let (provider, list) = (provider.to_owned(), predictions.to_vec());
        read!(self, |tx| predictions::unclaimed(tx, &provider, &list))
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn create(&self, creation: Creation) -> Result<CreateOutcome> {
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
        let claim = claim.clone();
        self.changed(write!(self, |tx| operations::claim(tx, &claim)))
    }

    async fn next_due(&self) -> Result<Option<Millis>> {
        read!(self, |tx| operations::next_due(tx))
    }

    async fn heartbeat(
        &self,
        id: &str,
        fence: i64,
        now: Millis,
        lease_until: Millis,
    ) -> Result<bool> {
        let id = id.to_owned();
        write!(self, |tx| operations::heartbeat(tx, &id, fence, now, lease_until))
    }

    async fn end_leases(&self, now: Millis) -> Result<u64> {
        write!(self, |tx| operations::end_leases(tx, now))
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
        read!(self, |tx| events::of_generation(tx, &viewer, &id))
    }

    async fn events_after(&self, cursor: i64, limit: usize) -> Result<Vec<Event>> {
        read!(self, |tx| events::after(tx, cursor, limit))
    }

    async fn last_event(&self) -> Result<i64> {
        read!(self, |tx| events::last(tx))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn used(&self, reader: &Reader, since: Millis) -> Result<Used> {
        let reader = reader.clone();
        read!(self, |tx| create::used_and_stored(tx, &reader, since))
    }

    async fn usage(&self, reader: &Reader, since: Millis, until: Millis) -> Result<Vec<UsageLine>> {
        let reader = reader.clone();
        read!(self, |tx| accounts::usage(tx, &reader, since, until))
    }

    async fn add_key(&self, key: Key) -> Result<()> {
        write!(self, |tx| accounts::add_key(tx, &key))
    }

    async fn key(&self, hash: &str) -> Result<Option<Key>> {
        let hash = hash.to_owned();
        read!(self, |tx| accounts::key(tx, &hash))
    }

    async fn keys(&self) -> Result<Vec<Key>> {
        read!(self, |tx| accounts::keys(tx))
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
        read!(self, |tx| accounts::user(tx, &reader))
    }

    async fn users(&self, tenant: Option<&str>) -> Result<Vec<User>> {
        let tenant = tenant.map(str::to_owned);
        read!(self, |tx| accounts::users(tx, tenant.as_deref()))
    }

    async fn put_world(&self, world: World) -> Result<()> {
        write!(self, |tx| accounts::put_world(tx, &world))
    }

    async fn world(&self, tenant: &str, id: &str) -> Result<Option<World>> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        read!(self, |tx| accounts::world(tx, &tenant, &id))
    }

    async fn worlds(&self, tenant: Option<&str>) -> Result<Vec<World>> {
        let tenant = tenant.map(str::to_owned);
        read!(self, |tx| accounts::worlds(tx, tenant.as_deref()))
    }

    async fn forget_receipts(&self, before: Millis) -> Result<u64> {
        write!(self, |tx| accounts::forget_receipts(tx, before))
    }

    async fn ping(&self) -> Result<()> {
        read!(self, |tx| operations::ping(tx))
    }
}

#[async_trait]
impl TelemetryStore for SqliteStore {
    async fn ended_runs(
        &self,
        tenant: Option<&str>,
        since: Millis,
    ) -> Result<(Vec<RunCount>, Vec<RunTimes>)> {
        let tenant = tenant.map(str::to_owned);
        read!(self, |tx| telemetry::ended_runs(tx, tenant.as_deref(), since))
    }

    async fn in_flight(&self) -> Result<Vec<(String, String, u64)>> {
        read!(self, |tx| telemetry::in_flight(tx))
    }

    async fn forget_runs(&self, before: Millis) -> Result<u64> {
        write!(self, |tx| telemetry::forget_runs(tx, before))
    }
}

#[async_trait]
impl CacheStore for SqliteStore {
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
        read!(self, |tx| cache::kept(tx, &tenant, owner.as_deref(), now, &after, limit))
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
        read!(self, |tx| cache::answers(tx, &tenant, since))
    }

    async fn forget_answers(&self, before: Millis) -> Result<u64> {
        write!(self, |tx| cache::forget_answers(tx, before))
    }
}
