//! The schema, brought up to date by whoever comes first, and what a database must be like.

use tokio_postgres::Client;

use super::super::{Result, StoreError};

/// Steps from one version of the schema to the next; the table `onepath_schema` counts those done.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// The version that [`migrate`] brings a database to.
pub(super) const fn known() -> usize {
    MIGRATIONS.len()
}

/// How every connection is set up. A commit is on disk before anybody hears of it, also where the
/// database's own default is weaker; whoever stops in the middle of a transaction does not keep its
/// locks for ever.
pub(super) const SESSION: &str = "SELECT set_config('synchronous_commit', 'on', false)
         WHERE current_setting('synchronous_commit') IN ('off', 'local');
     SET statement_timeout = '30s'; SET lock_timeout = '15s';
     SET idle_in_transaction_session_timeout = '20s'";

/// Locked by whoever changes the schema.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7311040222000)";

/// Refuses a database that would lose what it acknowledged, or that cannot keep every text.
pub(super) async fn check(client: &Client) -> Result<()> {
    for (name, allowed, why) in [
        ("fsync", &["on"][..], "it would lose what it acknowledged"),
        ("full_page_writes", &["on"], "it would lose what it acknowledged"),
        (
            "synchronous_commit",
            &["on", "remote_write", "remote_apply"],
            "it would lose what it acknowledged",
        ),
        ("server_encoding", &["UTF8"], "it cannot keep every text"),
    ] {
        let row = client.query_one("SELECT current_setting($1)", &[&name]).await?;
        let value: String = row.try_get(0)?;
        if !allowed.contains(&value.as_str()) {
            return Err(StoreError::Unavailable(format!(
                "the database has `{name} = {value}`, so that {why}: set it to {}",
                allowed.join(" or ")
            )));
        }
    }
    Ok(())
}

/// Carries out the steps that are missing, in one transaction, one process at a time.
pub(super) async fn migrate(client: &mut Client) -> Result<()> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    transaction
        .batch_execute("CREATE TABLE IF NOT EXISTS onepath_schema (version BIGINT NOT NULL)")
        .await?;
    let row =
        transaction.query_one("SELECT coalesce(max(version), 0) FROM onepath_schema", &[]).await?;
    let done = usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or(usize::MAX);
    let Some(missing) = MIGRATIONS.get(done..) else {
        return Err(StoreError::Corrupt(format!(
            "the database has schema {done}, this program knows up to {}: use a newer program",
            MIGRATIONS.len()
        )));
    };
    for (step, version) in missing.iter().zip(done + 1..) {
        transaction.batch_execute(step).await?;
        let version = i64::try_from(version).unwrap_or(i64::MAX);
        transaction.execute("INSERT INTO onepath_schema VALUES ($1)", &[&version]).await?;
    }
    transaction.commit().await?;
    Ok(())
}
