//! A connection as the shared statements see it.
//!
//! Statements whose outcome nobody looks at are sent without waiting, and so is the beginning of a
//! transaction: the database answers in order, and the first refusal is the one that counts.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::task::Poll;

use bytes::BytesMut;
use deadpool_postgres::Object;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Error, Statement};

use super::super::sql::{Cell, Cells, Tx, Value};
use super::super::{Result, StoreError};
use super::many::{Column, Many};

/// What a failed transaction may come to when it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Others were in the way: the same again finds what they left.
    Raced,
    /// The connection is gone, and nothing was committed.
    Lost,
    /// The same again would come to the same.
    Final,
    /// The connection went while the end was on its way: nobody knows what it came to.
    Unknown,
}

/// A failure, and what to make of it.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: StoreError,
    pub(super) fault: Fault,
}

/// What an error of the database says about trying again.
pub(super) fn fault(error: &Error) -> Fault {
    let Some(db) = error.as_db_error() else {
        // What has no code comes from the connection, unless a value did not fit.
        let ours = std::error::Error::source(error).is_some_and(|why| why.is::<WrongType>());
        return if ours { Fault::Final } else { Fault::Lost };
    };
    let races = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    let lost = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    if races.contains(db.code()) || is_race(db) {
        Fault::Raced
    } else if lost.contains(db.code()) || db.code().code().starts_with("08") {
        Fault::Lost
    } else {
        Fault::Final
    }
}

/// Whether somebody else took the slot, or answered the same call, at the same moment.
fn is_race(db: &DbError) -> bool {
    *db.code() == SqlState::UNIQUE_VIOLATION
        && matches!(db.constraint(), Some("generations_reuse" | "receipts_pkey" | "assets_upload"))
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let mut text = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            text = format!("{text}: {source}");
        }
        let Some(db) = error.as_db_error() else { return Self::Unavailable(text) };
        text = db.message().to_owned();
        match db.code().code().get(..2) {
            // Data and index corruption, and text that cannot be read.
            Some("XX") => Self::Corrupt(text),
            _ if *db.code() == SqlState::DISK_FULL => Self::Full(text),
            _ => Self::Unavailable(text),
        }
    }
}

/// A value for a parameter of a kind that it does not fit.
#[derive(Debug, thiserror::Error)]
#[error("a value does not fit a parameter of type {0}")]
struct WrongType(Type);

pub(super) type Encoded = std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Encoded {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *kind == Type::INT8 => value.to_sql(kind, out),
            Self::Text(value) if *kind == Type::TEXT => value.to_sql(kind, out),
            Self::Int(_) | Self::Text(_) => Err(Box::new(WrongType(kind.clone()))),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT)
    }

    to_sql_checked!();
}

/// A value that outlives the call which sends it.
#[derive(Debug, Clone)]
pub(super) enum Owned {
    Null,
    Int(i64),
    Text(String),
}

impl From<&Value<'_>> for Owned {
    fn from(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(value) => Self::Int(*value),
            Value::Text(value) => Self::Text((*value).to_owned()),
        }
    }
}

impl ToSql for Owned {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Encoded {
        match self {
            Self::Null => Value::Null,
            Self::Int(value) => Value::Int(*value),
            Self::Text(value) => Value::Text(value),
        }
        .to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <Value<'_> as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

/// A shared statement as PostgreSQL numbers its parameters: `$1` for `?1`.
fn dollars(sql: &'static str) -> Arc<str> {
    static KNOWN: LazyLock<RwLock<HashMap<&'static str, Arc<str>>>> =
        LazyLock::new(RwLock::default);
    if let Some(known) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(sql) {
        return Arc::clone(known);
    }
    // No shared statement has a question mark that is not a parameter.
    let text: Arc<str> = sql.replace('?', "$").into();
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(sql, Arc::clone(&text));
    text
}

type Answer = std::result::Result<u64, Error>;

/// A statement that was sent.
enum Sent {
    Waiting(Pin<Box<dyn Future<Output = Answer> + Send>>),
    Answered(Answer),
}

/// A connection on loan, in a transaction or without one.
pub(super) struct Remote {
    /// There until the connection is given back or given up.
    client: Option<Arc<Object>>,
    sent: VecDeque<Sent>,
    /// The first fault.
    fault: Option<Fault>,
    /// Whether a transaction is open that nobody has ended.
    open: bool,
    /// Whether its end was sent.
    ending: bool,
}

impl Remote {
    /// A connection for single statements.
    pub(super) fn new(client: Object) -> Self {
        Self {
            client: Some(Arc::new(client)),
            sent: VecDeque::new(),
            fault: None,
            open: false,
            ending: false,
        }
    }

    /// A transaction that begins together with its first statement.
    pub(super) async fn begin(client: Object, how: &'static str) -> Self {
        let mut remote = Self::new(client);
        remote.open = true;
        remote.post_batch(how).await;
        remote
    }

    /// Ends what was begun: commits what went well, and leaves no trace of what did not.
    pub(super) async fn end<T>(mut self, done: Result<T>) -> std::result::Result<T, Failed> {
        let ended = match done {
            Ok(value) if self.open => {
                self.ending = true;
                self.post_batch("COMMIT").await;
                self.settle().await.map(|()| value)
            }
            done => done,
        };
        match ended {
            Ok(value) => {
                self.open = false;
                Ok(value)
            }
            Err(error) => {
                let fault = self.fault.unwrap_or(Fault::Final);
                if self.open && fault != Fault::Lost {
                    self.roll_back().await;
                }
                let unknown = self.ending && fault == Fault::Lost;
                Err(Failed { error, fault: if unknown { Fault::Unknown } else { fault } })
            }
        }
    }

    /// Ends a transaction that only read: nobody waits for the answer.
    pub(super) async fn end_reading<T>(
        mut self,
        done: Result<T>,
    ) -> std::result::Result<T, Failed> {
        if done.is_err() {
            return self.end(done).await;
        }
        self.post_batch("COMMIT").await;
        self.open = false;
        done.map_err(|error| Failed { error, fault: Fault::Final })
    }

    async fn roll_back(&mut self) {
        self.sent.clear();
        if let Some(client) = &self.client
            && client.batch_execute("ROLLBACK").await.is_ok()
        {
            self.open = false;
        }
    }

    /// Sends without waiting for the answer.
    async fn post(&mut self, work: impl Future<Output = Answer> + Send + 'static) {
        let mut work = Box::pin(work);
        let first = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
        self.sent.push_back(match first {
            Poll::Ready(answer) => Sent::Answered(answer),
            Poll::Pending => Sent::Waiting(work),
        });
    }

    async fn post_batch(&mut self, sql: &'static str) {
        if let Some(client) = self.client.clone() {
            self.post(async move { client.batch_execute(sql).await.map(|()| 0) }).await;
        }
    }

    /// Waits until everything that was sent is answered; the first refusal counts.
    async fn settle(&mut self) -> Result<()> {
        while let Some(sent) = self.sent.pop_front() {
            let answer = match sent {
                Sent::Answered(answer) => answer,
                Sent::Waiting(work) => work.await,
            };
            if let Err(error) = answer {
                self.sent.clear();
                return Err(self.failed(error));
            }
        }
        Ok(())
    }

    fn failed(&mut self, error: Error) -> StoreError {
        self.fault.get_or_insert(fault(&error));
        error.into()
    }

    /// Sends, and waits for the answers to everything that was sent before it, then for its own. In
    /// any other order the connection would wait for somebody to take the first answer.
    async fn answered<T>(
        &mut self,
        work: impl Future<Output = std::result::Result<T, Error>>,
    ) -> Result<T> {
        let mut work = pin!(work);
        let answer = match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
            Poll::Ready(answer) => {
                self.settle().await?;
                answer
            }
            Poll::Pending => {
                self.settle().await?;
                work.await
            }
        };
        answer.map_err(|error| self.failed(error))
    }

    fn client(&self) -> Result<Arc<Object>> {
        self.client.clone().ok_or_else(|| StoreError::Unavailable("no connection".to_owned()))
    }

    async fn prepare(&mut self, sql: &'static str) -> Result<Statement> {
        self.prepare_text(&dollars(sql)).await
    }

    async fn prepare_text(&mut self, sql: &str) -> Result<Statement> {
        let client = self.client()?;
        let mut work = pin!(client.prepare_cached(sql));
        match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
            // It is known: nothing was sent.
            Poll::Ready(Ok(statement)) => Ok(statement),
            Poll::Ready(Err(error)) => self.answered(std::future::ready(Err(error))).await,
            Poll::Pending => self.answered(work).await,
        }
    }
}

impl Remote {
    /// The rows of a shared `SELECT` for each of many rows of parameters, with the place of those.
    pub(super) async fn each(
        &mut self,
        sql: &'static str,
        rows: Vec<Vec<Owned>>,
    ) -> Result<Vec<(usize, Cells)>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let place = |mut cells: Cells| {
            let place: i64 = cells.take()?;
            Ok((usize::try_from(place - 1).unwrap_or(usize::MAX), cells))
        };
        self.query_many(sql, rows).await?.into_iter().map(place).collect()
    }

    /// The rows of a shared statement for many rows of parameters.
    pub(super) async fn query_many(
        &mut self,
        sql: &'static str,
        rows: Vec<Vec<Owned>>,
    ) -> Result<Vec<Cells>> {
        let (statement, columns) = self.many(sql, rows).await?;
        let client = self.client()?;
        let parameters: Vec<_> = columns.iter().map(|one| one as &(dyn ToSql + Sync)).collect();
        let found = self.answered(client.query(&statement, &parameters)).await?;
        found.iter().map(cells).collect()
    }

    /// A shared `INSERT` for many rows of parameters; nobody looks at its outcome, as with `send`.
    pub(super) async fn send_many(
        &mut self,
        sql: &'static str,
        rows: Vec<Vec<Owned>>,
    ) -> Result<()> {
        let (statement, columns) = self.many(sql, rows).await?;
        let client = self.client()?;
        self.post(async move { client.execute_raw(&statement, columns).await }).await;
        Ok(())
    }

    async fn many(
        &mut self,
        sql: &'static str,
        rows: Vec<Vec<Owned>>,
    ) -> Result<(Statement, Vec<Column>)> {
        let one = self.prepare(sql).await?;
        let many = Many::of(sql, &one)?;
        let statement = self.prepare_text(&many.sql).await?;
        Ok((statement, many.columns(rows)?))
    }
}

impl Drop for Remote {
    /// A connection whose transaction nobody ended does not go back to the others: closing it ends
    /// the transaction.
    fn drop(&mut self) {
        self.sent.clear();
        if self.open
            && let Some(client) = self.client.take().and_then(Arc::into_inner)
        {
            drop(Object::take(client));
        }
    }
}

fn parameters<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Tx for Remote {
    const SKIP_LOCKED: &'static str = "FOR UPDATE SKIP LOCKED";
    const FOR_UPDATE: &'static str = "FOR UPDATE";
    const PUBLISHES: bool = true;

    async fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Cells>> {
        let statement = self.prepare(sql).await?;
        let client = self.client()?;
        let rows = self.answered(client.query(&statement, &parameters(values))).await?;
        rows.iter().map(cells).collect()
    }

    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64> {
        let statement = self.prepare(sql).await?;
        let client = self.client()?;
        self.answered(client.execute(&statement, &parameters(values))).await
    }

    async fn send(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<()> {
        let statement = self.prepare(sql).await?;
        let client = self.client()?;
        let values: Vec<Owned> = values.iter().map(Owned::from).collect();
        self.post(async move { client.execute_raw(&statement, values).await }).await;
        Ok(())
    }
}

fn cells(row: &tokio_postgres::Row) -> Result<Cells> {
    let mut cells = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        cells.push(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map_or(Cell::Null, Cell::Int),
            Type::TEXT => row.try_get::<_, Option<String>>(index)?.map_or(Cell::Null, Cell::Text),
            ref other => {
                return Err(StoreError::Corrupt(format!(
                    "the column `{}` is of the strange type {other}",
                    column.name()
                )));
            }
        });
    }
    Ok(Cells::new(cells))
}
