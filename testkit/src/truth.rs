//! The database, read with SQL of our own and not with the server's code, and watched from within.

use std::path::PathBuf;

use onepath_testkit::Fallible;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// Where the truth lies.
#[derive(Debug, Clone)]
pub(crate) enum Truth {
    /// A file.
    Sqlite(PathBuf),
    /// The URL of a database.
    Postgres(String),
}

impl Truth {
    /// The rows of a query, as texts; absent values are empty.
    pub(crate) async fn rows(&self, sql: &str) -> Fallible<Vec<Vec<String>>> {
        let failed = |error: &dyn std::fmt::Display| format!("{error}: {sql}");
        match self {
            Self::Sqlite(file) => read(file, sql).map_err(|error| failed(&error)),
            Self::Postgres(url) => {
                let connected = tokio_postgres::connect(url, NoTls).await;
                let (client, connection) = connected.map_err(|error| failed(&error))?;
                let connection = tokio::spawn(connection);
                let answer = client.simple_query(sql).await.map_err(|error| {
                    failed(&error.as_db_error().map_or(error.to_string(), |db| db.to_string()))
                });
                drop(client);
                let _ = connection.await;
                let rows = answer?.into_iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(
                        (0..row.len())
                            .map(|column| row.get(column).unwrap_or_default().to_owned())
                            .collect(),
                    ),
                    _ => None,
                });
                Ok(rows.collect())
            }
        }
    }

    /// One number of a query.
    pub(crate) async fn number(&self, sql: &str) -> Fallible<u64> {
        let rows = self.rows(sql).await?;
        let cell = rows.first().and_then(|row| row.first()).map_or("0", String::as_str);
        if cell.is_empty() { Ok(0) } else { cell.parse().map_err(|_| format!("{sql}: `{cell}`")) }
    }

    /// Sets watchers into the database: whatever breaks an invariant for a moment only is written
    /// down by the database itself.
    pub(crate) async fn watch(&self) -> Fallible<()> {
        match self {
            Self::Sqlite(file) => {
                let sql = include_str!("watch.sqlite.sql");
                let connection = open(file).map_err(|error| error.to_string())?;
                connection.execute_batch(sql).map_err(|error| error.to_string())
            }
            Self::Postgres(_) => self.rows(include_str!("watch.postgres.sql")).await.map(drop),
        }
    }

    /// Faults of the file itself.
    pub(crate) async fn corruption(&self) -> Fallible<Vec<String>> {
        let Self::Sqlite(_) = self else { return Ok(Vec::new()) };
        let mut bad = self.rows("PRAGMA integrity_check").await?;
        bad.retain(|row| row != &["ok"]);
        bad.extend(self.rows("PRAGMA foreign_key_check").await?);
        Ok(bad.into_iter().map(|row| row.join(" ")).collect())
    }
}

fn open(file: &PathBuf) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(connection)
}

fn read(file: &PathBuf, sql: &str) -> rusqlite::Result<Vec<Vec<String>>> {
    let connection = open(file)?;
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns)
            .map(|column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => String::new(),
                    ValueRef::Integer(value) => value.to_string(),
                    ValueRef::Real(value) => value.to_string(),
                    ValueRef::Text(text) | ValueRef::Blob(text) => {
                        String::from_utf8_lossy(text).into_owned()
                    }
                })
            })
            .collect()
    })?;
    rows.collect()
}
