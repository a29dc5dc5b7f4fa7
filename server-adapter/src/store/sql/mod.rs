//! What the databases share: one set of statements, in the dialect that both speak.
//!
//! A statement numbers its parameters `?1`, `?2`, …; whole numbers are 64 bits, flags are 0 and 1,
//! times are milliseconds since 1970. [`Tx`] is what a database must be able to do with it.

pub(super) mod accounts;
pub(super) mod assets;
pub(super) mod cache;
pub(super) mod columns;
pub(super) mod create;
pub(super) mod endpoints;
pub(super) mod events;
pub(super) mod legacy;
pub(super) mod operations;
pub(super) mod predictions;
pub(super) mod prompts;
pub(super) mod settings;
pub(super) mod slots;
pub(super) mod telemetry;
pub(super) mod webhooks;

use super::{Result, StoreError};

/// A value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'v> {
    /// Nothing.
    Null,
    /// A whole number, a flag or a time.
    Int(i64),
    /// Text.
    Text(&'v str),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(value: &'v str) -> Self {
        Self::Text(value)
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(value: &'v String) -> Self {
        Self::Text(value)
    }
}

impl<'v, T> From<Option<T>> for Value<'v>
where
    Value<'v>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// Nothing.
    Null,
    /// A whole number, a flag or a time.
    Int(i64),
    /// Text.
    Text(String),
}

/// A row of cells, read from the first to the last.
#[derive(Debug)]
pub(super) struct Cells(std::vec::IntoIter<Cell>);

impl Cells {
    pub(super) fn new(cells: Vec<Cell>) -> Self {
        Self(cells.into_iter())
    }

    /// The next cell.
    pub(super) fn take<T: FromCell>(&mut self) -> Result<T> {
        T::from_cell(self.0.next().unwrap_or(Cell::Null))
    }

    /// The next cell, a word of a closed set.
    pub(super) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        let word: String = self.take()?;
        parse(&word).ok_or_else(|| unreadable(&word))
    }

    /// The next cell, a word of a closed set or nothing.
    pub(super) fn optional_word<T>(
        &mut self,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.take::<Option<String>>()? {
            Some(word) => parse(&word).map(Some).ok_or_else(|| unreadable(&word)),
            None => Ok(None),
        }
    }
}

pub(super) fn unreadable(word: &str) -> StoreError {
    StoreError::Corrupt(format!("`{word}` is no word of its column"))
}

/// What is read from a cell.
pub(super) trait FromCell: Sized {
    fn from_cell(cell: Cell) -> Result<Self>;
}

fn wrong(cell: &Cell, wanted: &str) -> StoreError {
    StoreError::Corrupt(format!("{wanted} is wanted, the column holds {cell:?}"))
}

impl FromCell for i64 {
    fn from_cell(cell: Cell) -> Result<Self> {
        match cell {
            Cell::Int(value) => Ok(value),
            other => Err(wrong(&other, "a number")),
        }
    }
}

impl FromCell for u32 {
    fn from_cell(cell: Cell) -> Result<Self> {
        let value = i64::from_cell(cell)?;
        Self::try_from(value).map_err(|_| wrong(&Cell::Int(value), "a small number"))
    }
}

impl FromCell for bool {
    fn from_cell(cell: Cell) -> Result<Self> {
        Ok(i64::from_cell(cell)? != 0)
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell) -> Result<Self> {
        match cell {
            Cell::Text(value) => Ok(value),
            other => Err(wrong(&other, "text")),
        }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell) -> Result<Self> {
        match cell {
            Cell::Null => Ok(None),
            other => T::from_cell(other).map(Some),
        }
    }
}

/// A transaction, or a connection that only reads.
pub(super) trait Tx {
    /// What a statement ends with that takes rows for itself, past those that others hold.
    const SKIP_LOCKED: &'static str;

    /// What a statement ends with that keeps a row for itself until the end.
    const FOR_UPDATE: &'static str;

    /// Whether events get their cursors after the commit: where several transactions commit at the
    /// same time.
    const PUBLISHES: bool;

    /// The rows of a statement.
    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Cells>>>;

    /// How many rows a statement changed.
    fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64>>;

    /// A statement whose outcome nobody looks at. It may still be on its way afterwards; if it is
    /// refused, whatever comes next fails, and at the latest the commit.
    fn send(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<()>> {
        async move { self.execute(sql, values).await.map(drop) }
    }
}

/// The first row of a statement.
pub(super) async fn first<T: Tx>(
    tx: &mut T,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<Option<Cells>> {
    Ok(tx.query(sql, values).await?.into_iter().next())
}

/// One whole number of a statement that always gives a row.
pub(super) async fn number<T: Tx>(
    tx: &mut T,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<i64> {
    match first(tx, sql, values).await? {
        Some(mut cells) => Ok(cells.take::<Option<i64>>()?.unwrap_or(0)),
        None => Ok(0),
    }
}
