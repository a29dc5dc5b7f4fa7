//! Calls of the old API: one row for each key and route.

use super::super::Result;
use super::super::legacy::OldCalls;
use super::super::row::Millis;
use super::telemetry::natural;
use super::{Cells, Tx};

/// Servers do not agree on the time to the millisecond: what comes late is no later.
const COUNT: &str = "INSERT INTO old_calls (key_id, route, calls, first_at, last_at)
    VALUES (?1, ?2, 1, ?3, ?3)
    ON CONFLICT (key_id, route) DO UPDATE SET calls = old_calls.calls + 1,
        first_at = CASE WHEN ?3 < old_calls.first_at THEN ?3 ELSE old_calls.first_at END,
        last_at = CASE WHEN ?3 > old_calls.last_at THEN ?3 ELSE old_calls.last_at END";

const ALL: &str = "SELECT key_id, route, calls, first_at, last_at FROM old_calls
    ORDER BY key_id, route";

pub(crate) async fn count<T: Tx>(tx: &mut T, key: &str, route: &str, at: Millis) -> Result<()> {
    tx.execute(COUNT, &[key.into(), route.into(), at.into()]).await.map(drop)
}

pub(crate) async fn all<T: Tx>(tx: &mut T) -> Result<Vec<OldCalls>> {
    let line = |mut cells: Cells| {
        Ok(OldCalls {
            key: cells.take()?,
            route: cells.take()?,
            calls: natural(&mut cells)?,
            first_at: cells.take()?,
            last_at: cells.take()?,
        })
    };
    tx.query(ALL, &[]).await?.into_iter().map(line).collect()
}
