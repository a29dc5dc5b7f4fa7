//! Events, in the order of commits.
//!
//! With one writer the position of an event is its cursor. Where several transactions commit at the
//! same time, positions are drawn before the commit, and a reader who goes by them could skip one
//! that is committed late: there `publish_events` gives the cursors, to what is committed only.

use super::super::{Event, Result, Viewer};
use super::{Tx, columns, number};

const COLUMNS: &str =
    "SELECT position, tenant, owner, shared, generation, asset, number, kind, status, error, at,
    prediction FROM events WHERE generation = ?1 AND asset IS NULL ORDER BY number";

const PUBLISHED_COLUMNS: &str =
    "SELECT cursor, tenant, owner, shared, generation, asset, number, kind, status, error, at,
    prediction FROM events WHERE generation = ?1 AND asset IS NULL ORDER BY number";

const AFTER: &str =
    "SELECT position, tenant, owner, shared, generation, asset, number, kind, status, error, at,
    prediction FROM events WHERE position > ?1 ORDER BY position LIMIT ?2";

const PUBLISHED_AFTER: &str =
    "SELECT cursor, tenant, owner, shared, generation, asset, number, kind, status, error, at,
    prediction FROM events WHERE cursor > ?1 ORDER BY cursor LIMIT ?2";

/// Gives cursors to what is committed and has none, and says the last one.
const PUBLISH: &str = "SELECT publish_events()";

pub(crate) async fn of_generation<T: Tx>(
    tx: &mut T,
    viewer: &Viewer,
    id: &str,
) -> Result<Vec<Event>> {
    let sql = if T::PUBLISHES { PUBLISHED_COLUMNS } else { COLUMNS };
    let mut rows = tx.query(sql, &[id.into()]).await?;
    let mut events: Vec<Event> = rows.into_iter().map(columns::event).collect::<Result<_>>()?;
    if T::PUBLISHES && events.iter().any(|event| event.cursor == 0) {
        number(tx, PUBLISH, &[]).await?;
        rows = tx.query(sql, &[id.into()]).await?;
        events = rows.into_iter().map(columns::event).collect::<Result<_>>()?;
    }
    // The last event knows the present owner best.
    let readable = events.last().is_some_and(|event| event.readable_by(viewer));
    Ok(if readable { events } else { Vec::new() })
}

pub(crate) async fn after<T: Tx>(tx: &mut T, cursor: i64, limit: usize) -> Result<Vec<Event>> {
    if T::PUBLISHES {
        number(tx, PUBLISH, &[]).await?;
    }
    let sql = if T::PUBLISHES { PUBLISHED_AFTER } else { AFTER };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.query(sql, &[cursor.into(), limit.into()]).await?;
    rows.into_iter().map(columns::event).collect()
}

pub(crate) async fn last<T: Tx>(tx: &mut T) -> Result<i64> {
    let sql = if T::PUBLISHES { PUBLISH } else { "SELECT max(position) FROM events" };
    number(tx, sql, &[]).await
}
