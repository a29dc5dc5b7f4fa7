//! The store on SQLite: one file, one writer that commits in groups, readers beside it.

mod columns;
mod operations;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use self::writer::Writer;
use super::{
    Advance, Advanced, Answer, Asset, Cancelled, Claim, Claimed, Created, Event, Generation, Key,
    ListQuery, Millis, NewGeneration, Page, Reader, Result, Row, Store, StoreError,
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
        Ok(Self { writer: Writer::start(connection)?, readers: Readers::new(file) })
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write(work).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.readers.read(work).await
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
    connection.set_prepared_statement_cache_capacity(64);
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
            let result = work(&connection);
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

#[async_trait]
impl Store for SqliteStore {
    async fn create(&self, new: NewGeneration) -> Result<Created> {
        self.write(move |connection| operations::create(connection, &new)).await
    }

    async fn preview(&self, new: &NewGeneration) -> Result<(Answer, Option<Row>)> {
        let new = new.clone();
        self.read(move |connection| operations::preview(connection, &new)).await
    }

    async fn get(&self, reader: &Reader, id: &str) -> Result<Option<Generation>> {
        let (reader, id) = (reader.clone(), id.to_owned());
        self.read(move |connection| operations::get(connection, &reader, &id)).await
    }

    async fn list(&self, reader: &Reader, query: &ListQuery) -> Result<Page> {
        let (reader, query) = (reader.clone(), query.clone());
        self.read(move |connection| operations::list(connection, &reader, &query)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>> {
        let claim = claim.clone();
        self.write(move |connection| operations::claim(connection, &claim)).await
    }

    async fn next_due(&self) -> Result<Option<Millis>> {
        self.read(operations::next_due).await
    }

    async fn heartbeat(&self, id: &str, fence: i64, lease_until: Millis) -> Result<bool> {
        let id = id.to_owned();
        self.write(move |connection| operations::heartbeat(connection, &id, fence, lease_until))
            .await
    }

    async fn end_leases(&self, now: Millis) -> Result<u64> {
        self.write(move |connection| operations::end_leases(connection, now)).await
    }

    async fn advance(&self, advance: &Advance) -> Result<Option<Advanced>> {
        let advance = advance.clone();
        self.write(move |connection| operations::advance(connection, &advance)).await
    }

    async fn cancel(&self, reader: &Reader, id: &str, now: Millis) -> Result<Option<Cancelled>> {
        let (reader, id) = (reader.clone(), id.to_owned());
        self.write(move |connection| operations::cancel(connection, &reader, &id, now)).await
    }

    async fn asset(&self, reader: &Reader, id: &str) -> Result<Option<Asset>> {
        let (reader, id) = (reader.clone(), id.to_owned());
        self.read(move |connection| operations::asset(connection, &reader, &id)).await
    }

    async fn events(&self, reader: &Reader, id: &str) -> Result<Vec<Event>> {
        let (reader, id) = (reader.clone(), id.to_owned());
        self.read(move |connection| operations::events(connection, &reader, &id)).await
    }

    async fn add_key(&self, key: Key) -> Result<()> {
        self.write(move |connection| operations::add_key(connection, &key)).await
    }

    async fn key(&self, hash: &str) -> Result<Option<Key>> {
        let hash = hash.to_owned();
        self.read(move |connection| operations::key(connection, &hash)).await
    }

    async fn count_keys(&self) -> Result<u64> {
        self.read(operations::count_keys).await
    }

    async fn ping(&self) -> Result<()> {
        self.read(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?)).await
    }
}
