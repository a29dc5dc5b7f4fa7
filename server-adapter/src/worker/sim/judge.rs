//! What must be true at the end of a world.

use std::collections::BTreeMap;

use onepath_core::lifecycle::State;

use super::people::{PEOPLE, People, reader, viewer};
use super::provider::SimProvider;
use crate::store::Store as _;
use crate::store::row::{LedgerEntry, LedgerKind, Row};

/// The first thing that is not as it must be.
pub(super) async fn judge(people: &People, provider: &SimProvider) -> Option<String> {
    let (rows, ledger) = people.store.kept().everything();
    for row in &rows {
        let entries = ledger.iter().filter(|(id, _)| *id == row.id).map(|(_, entry)| entry);
        if let Some(what) = money(row, &entries.collect::<Vec<_>>()) {
            return Some(format!("I2: {what}: {row:?}"));
        }
        if let Some(what) = told(people, row).await {
            return Some(format!("{what}: {row:?}"));
        }
    }
    for (token, count) in provider.charges() {
        if count > 1 {
            return Some(format!("I3: {count} charges for the token {token}"));
        }
    }
    let attempts: i64 = rows.iter().map(|row| row.attempts).sum();
    let charged = provider.charges().len();
    if i64::try_from(charged).unwrap_or(i64::MAX) > attempts {
        return Some(format!("I3: {charged} charges for {attempts} attempts"));
    }
    for (reader, _, id) in people.told.lock().ok()?.iter() {
        if !rows.iter().any(|row| row.id == *id && row.tenant == reader.tenant) {
            return Some(format!("I1: {id} was acknowledged and is not there"));
        }
    }
    people.again().await
}

/// Every run is reserved once, settled once, and as what it came to.
fn money(row: &Row, entries: &[&LedgerEntry]) -> Option<String> {
    let mut runs: BTreeMap<u32, (u32, u32, u32)> = BTreeMap::new();
    for entry in entries {
        let (reserved, settled, released) = runs.entry(entry.run).or_default();
        match entry.kind {
            LedgerKind::Reserve => *reserved += 1,
            LedgerKind::Settle => *settled += 1,
            LedgerKind::Release => *released += 1,
            LedgerKind::Move | LedgerKind::Adjust => {}
        }
    }
    for run in 1..=row.state.run() {
        let (reserved, settled, released) = runs.get(&run).copied().unwrap_or_default();
        if (reserved, settled + released) != (1, 1) {
            return Some(format!(
                "run {run} has {reserved} reservations, {settled} debits and {released} releases"
            ));
        }
    }
    let (_, settled, _) = runs.get(&row.state.run()).copied().unwrap_or_default();
    let should = match row.state {
        State::Completed { fallback: None, .. } => Some(1),
        State::Completed { .. } | State::Failed { .. } => Some(0),
        // A cancelled run is paid for if the provider charged.
        _ => None,
    };
    if should.is_some_and(|should| should != settled) {
        return Some("the last run was settled as what it was not".to_owned());
    }
    let debits: u32 = runs.values().map(|(_, settled, _)| settled).sum();
    let balance: i64 = entries.iter().map(|entry| entry.micros).sum();
    (balance != i64::from(debits) * row.asked.reserved_micros)
        .then(|| format!("the balance is {balance} after {debits} debits"))
}

/// Readers are told everything, in order, and nobody else is told anything.
async fn told(people: &People, row: &Row) -> Option<String> {
    let store = people.store.kept();
    let owner = crate::store::Reader { tenant: row.tenant.clone(), user: row.owner.clone() };
    let events = store.events(&viewer(&owner), &row.id).await.ok()?;
    let numbers: Vec<i64> = events.iter().map(|event| event.number).collect();
    if !numbers.iter().copied().eq(1..=row.events) {
        return Some(format!("I11: events {numbers:?}"));
    }
    let over = ["generation.completed", "generation.failed", "generation.cancelled"];
    let ends = events.iter().filter(|event| over.contains(&event.kind)).count();
    if ends != row.state.run() as usize {
        return Some(format!("I4: {ends} ends are told"));
    }
    if !row.state.is_terminal() {
        return Some("I1: it has no end".to_owned());
    }
    for index in 0..PEOPLE.len() {
        let reader = reader(index);
        let read = store.get(&viewer(&reader), &row.id).await.ok()?;
        let heard = store.events(&viewer(&reader), &row.id).await.ok()?;
        if reader.tenant != row.tenant && (read.is_some() || !heard.is_empty()) {
            return Some("I8: another tenant sees it".to_owned());
        }
        if let Some(read) = read
            && read.row.is_complete() == read.assets.is_empty()
        {
            return Some("it has not the assets of its end".to_owned());
        }
    }
    None
}
