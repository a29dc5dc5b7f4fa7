//! Events, in the order of commits.

use super::super::{Event, Reader, Result};
use super::{Tx, columns, number};

const COLUMNS: &str =
    "SELECT position, tenant, owner, shared, generation, number, kind, status, error, at
    FROM events WHERE generation = ?1 ORDER BY number";

const AFTER: &str =
    "SELECT position, tenant, owner, shared, generation, number, kind, status, error, at
    FROM events WHERE position > ?1 ORDER BY position LIMIT ?2";

pub(crate) async fn of_generation<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    id: &str,
) -> Result<Vec<Event>> {
    let rows = tx.query(COLUMNS, &[id.into()]).await?;
    let events: Vec<Event> = rows.into_iter().map(columns::event).collect::<Result<_>>()?;
    // The last event knows the present owner best.
    let readable = events.last().is_some_and(|event| event.readable_by(reader));
    Ok(if readable { events } else { Vec::new() })
}

pub(crate) async fn after<T: Tx>(tx: &mut T, cursor: i64, limit: usize) -> Result<Vec<Event>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.query(AFTER, &[cursor.into(), limit.into()]).await?;
    rows.into_iter().map(columns::event).collect()
}

pub(crate) async fn last<T: Tx>(tx: &mut T) -> Result<i64> {
    number(tx, "SELECT max(position) FROM events", &[]).await
}
