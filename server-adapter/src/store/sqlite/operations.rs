//! The operations: read what a decision needs, decide, write what it comes to.

use rusqlite::{Connection, OptionalExtension as _, Params, params};

use super::super::decide::{
    CancelDecision, Change, CreateDecision, decide_advance, decide_cancel, decide_claim,
    decide_create, joined,
};
use super::super::{
    Advance, Advanced, Answer, Asset, Cancelled, Claim, Claimed, Created, Event, Generation, Key,
    ListQuery, Millis, NewGeneration, Page, Reader, Result, Row,
};
use super::columns::{self, ASSET, ATTEMPT, GENERATION};

/// One generation by a condition.
fn one(connection: &Connection, condition: &str, values: impl Params) -> Result<Option<Row>> {
    let sql = format!("SELECT {GENERATION} FROM generations WHERE {condition}");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row(values, columns::generation).optional()?)
}

fn by_id(connection: &Connection, id: &str) -> Result<Option<Row>> {
    one(connection, "id = ?1", [id])
}

fn complete(connection: &Connection, row: Row) -> Result<Generation> {
    let mut attempts = connection.prepare_cached(&format!(
        "SELECT {ATTEMPT} FROM attempts WHERE generation = ?1 ORDER BY number"
    ))?;
    let mut assets = connection.prepare_cached(&format!(
        "SELECT {ASSET} FROM assets WHERE generation = ?1 ORDER BY idx"
    ))?;
    Ok(Generation {
        attempts: attempts
            .query_map([&row.id], columns::attempt)?
            .collect::<rusqlite::Result<_>>()?,
        assets: assets.query_map([&row.id], columns::asset)?.collect::<rusqlite::Result<_>>()?,
        row,
    })
}

/// The decision of a create, with the rows that were looked at.
fn decided(
    connection: &Connection,
    new: &NewGeneration,
) -> Result<(CreateDecision, Option<Row>, Option<Row>)> {
    let tenant = &new.owner.tenant;
    let holder = match &new.asked.cache_key {
        Some(key) => one(connection, "tenant = ?1 AND reuse_key = ?2", [tenant, key])?,
        None => None,
    };
    let decision = decide_create(new, holder.as_ref(), None);
    if !matches!(decision, CreateDecision::Insert { .. }) {
        return Ok((decision, holder, None));
    }
    let same = one(
        connection,
        "tenant = ?1 AND request_hash = ?2 AND owner = ?3 AND status = 'completed'
         AND fallback IS NULL AND strategy <> 'always' AND (expires_at IS NULL OR expires_at > ?4)
         ORDER BY created_at DESC LIMIT 1",
        params![tenant, new.asked.request_hash, new.owner.user, new.now],
    )?;
    Ok((decide_create(new, holder.as_ref(), same.as_ref()), holder, same))
}

/// The row that a decision speaks of, which was read for it.
fn found(row: Option<Row>) -> Result<Row> {
    row.ok_or_else(|| super::StoreError::Corrupt("a decision without its row".to_owned()))
}

pub(super) fn preview(
    connection: &Connection,
    new: &NewGeneration,
) -> Result<(Answer, Option<Row>)> {
    let (decision, holder, same) = decided(connection, new)?;
    Ok(match decision {
        CreateDecision::Answered(Answer::Hash) => (Answer::Hash, same),
        CreateDecision::Answered(answer) => (answer, holder),
        CreateDecision::Join => (Answer::Joined, holder),
        CreateDecision::Insert { .. } => (Answer::Created, None),
    })
}

pub(super) fn create(connection: &Connection, new: &NewGeneration) -> Result<Created> {
    let (decision, holder, same) = decided(connection, new)?;
    match decision {
        CreateDecision::Answered(Answer::Hash) => {
            Ok(Created { answer: Answer::Hash, row: found(same)? })
        }
        CreateDecision::Answered(answer) => Ok(Created { answer, row: found(holder)? }),
        CreateDecision::Join => {
            let row = joined(&found(holder)?, new);
            columns::update(connection, &row)?;
            want(connection, &row.id, new)?;
            Ok(Created { answer: Answer::Joined, row })
        }
        CreateDecision::Insert { holds_slot, clears_holder } => {
            if let Some(mut holder) = holder.filter(|_| clears_holder) {
                holder.reuse_key = None;
                columns::update(connection, &holder)?;
            }
            let mut numbers = connection.prepare_cached(
                "INSERT INTO numbers (tenant, last) VALUES (?1, 1)
                 ON CONFLICT (tenant) DO UPDATE SET last = last + 1 RETURNING last",
            )?;
            let number = numbers.query_row([&new.owner.tenant], |row| row.get(0))?;
            let mut row = new.row(number);
            row.reuse_key = row.asked.cache_key.clone().filter(|_| holds_slot);
            columns::insert(connection, &row)?;
            want(connection, &row.id, new)?;
            event(connection, &row, "generation.created")?;
            Ok(Created { answer: Answer::Created, row })
        }
    }
}

fn want(connection: &Connection, id: &str, new: &NewGeneration) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO interests (generation, user, since) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![id, new.owner.user, new.now])?;
    Ok(())
}

fn event(connection: &Connection, row: &Row, kind: &str) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO events (generation, number, kind, at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![row.id, row.events, kind, row.updated_at])?;
    Ok(())
}

/// Writes a change with everything that belongs to it.
fn write(connection: &Connection, change: &Change, assets: &[Asset]) -> Result<()> {
    let row = &change.row;
    if change.takes_slot {
        connection
            .prepare_cached(
                "UPDATE generations SET reuse_key = NULL
                 WHERE tenant = ?1 AND reuse_key = ?2 AND id <> ?3",
            )?
            .execute(params![row.tenant, row.reuse_key, row.id])?;
    }
    columns::update(connection, row)?;
    if let Some((attempt, token)) = &change.attempt {
        let error = attempt.error.map(onepath_core::lifecycle::ErrorCode::word);
        match token {
            Some(token) => connection
                .prepare_cached(
                    "INSERT INTO attempts (generation, number, run, provider, token, submitted_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    row.id,
                    attempt.number,
                    attempt.run,
                    attempt.provider,
                    token,
                    attempt.submitted_at
                ])?,
            None => connection
                .prepare_cached(
                    "UPDATE attempts SET prediction = ?3, ended_at = ?4, error = ?5
                     WHERE generation = ?1 AND number = ?2",
                )?
                .execute(params![
                    row.id,
                    attempt.number,
                    attempt.prediction,
                    attempt.ended_at,
                    error
                ])?,
        };
    }
    if let Some(kind) = change.event {
        event(connection, row, kind)?;
    }
    for asset in assets.iter().filter(|_| row.is_complete()) {
        connection
            .prepare_cached(
                "INSERT INTO assets (id, generation, idx, media_type, width, height, bytes, sha256,
                    created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (generation, idx) DO NOTHING",
            )?
            .execute(params![
                asset.id,
                asset.generation,
                asset.index,
                asset.media_type,
                asset.width,
                asset.height,
                asset.bytes,
                asset.sha256,
                asset.created_at
            ])?;
    }
    Ok(())
}

pub(super) fn get(
    connection: &Connection,
    reader: &Reader,
    id: &str,
) -> Result<Option<Generation>> {
    match by_id(connection, id)?.filter(|row| row.readable_by(reader)) {
        Some(row) => complete(connection, row).map(Some),
        None => Ok(None),
    }
}

pub(super) fn list(connection: &Connection, reader: &Reader, query: &ListQuery) -> Result<Page> {
    let (at, id) = query.after.clone().unwrap_or((Millis::MAX, String::new()));
    let sql = format!(
        "SELECT {GENERATION} FROM generations
         WHERE tenant = ?1 AND owner = ?2 AND (created_at, id) < (?3, ?4)
           AND (?5 IS NULL OR status = ?5) AND (?6 IS NULL OR operation = ?6)
           AND (?7 IS NULL OR provider = ?7) AND (?9 IS NULL OR request_hash = ?9)
         ORDER BY created_at DESC, id DESC LIMIT ?8"
    );
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows: Vec<Row> = statement
        .query_map(
            params![
                reader.tenant,
                reader.user,
                at,
                id,
                query.status.map(onepath_core::GenerationStatus::word),
                query.operation.map(onepath_core::Operation::word),
                query.provider,
                limit,
                query.request_hash
            ],
            columns::generation,
        )?
        .collect::<rusqlite::Result<_>>()?;
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows.last().filter(|_| more).map(|row| (row.created_at, row.id.clone()));
    let generations =
        rows.into_iter().map(|row| complete(connection, row)).collect::<Result<_>>()?;
    Ok(Page { generations, next })
}

pub(super) fn claim(connection: &Connection, claim: &Claim) -> Result<Vec<Claimed>> {
    let sql = format!(
        "SELECT {GENERATION} FROM generations WHERE due_at <= ?1
         ORDER BY priority, next_run_at, id LIMIT ?2"
    );
    let limit = i64::try_from(claim.limit).unwrap_or(i64::MAX);
    let rows: Vec<Row> = connection
        .prepare_cached(&sql)?
        .query_map(params![claim.now, limit], columns::generation)?
        .collect::<rusqlite::Result<_>>()?;
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        let change = decide_claim(&row, claim.now, claim.lease_until);
        write(connection, &change, &[])?;
        claimed.push(Claimed { row: change.row, effects: change.effects });
    }
    Ok(claimed)
}

pub(super) fn next_due(connection: &Connection) -> Result<Option<Millis>> {
    let sql = "SELECT min(due_at) FROM generations WHERE due_at IS NOT NULL";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

pub(super) fn heartbeat(
    connection: &Connection,
    id: &str,
    fence: i64,
    lease_until: Millis,
) -> Result<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE generations SET lease_until = ?3, due_at = ?3
             WHERE id = ?1 AND fence = ?2 AND lease_until IS NOT NULL",
        )?
        .execute(params![id, fence, lease_until])?;
    Ok(changed == 1)
}

pub(super) fn end_leases(connection: &Connection, now: Millis) -> Result<u64> {
    let changed = connection
        .prepare_cached(
            "UPDATE generations SET lease_until = ?1, due_at = ?1
             WHERE lease_until > ?1 AND due_at IS NOT NULL",
        )?
        .execute([now])?;
    Ok(changed as u64)
}

pub(super) fn advance(connection: &Connection, advance: &Advance) -> Result<Option<Advanced>> {
    let Some(row) = by_id(connection, &advance.id)? else { return Ok(None) };
    let Some(change) = decide_advance(&row, advance) else { return Ok(None) };
    write(connection, &change, &advance.assets)?;
    Ok(Some(Advanced { row: change.row, effects: change.effects }))
}

pub(super) fn cancel(
    connection: &Connection,
    reader: &Reader,
    id: &str,
    now: Millis,
) -> Result<Option<Cancelled>> {
    let Some(row) = by_id(connection, id)? else { return Ok(None) };
    let interests: Vec<String> = connection
        .prepare_cached("SELECT user FROM interests WHERE generation = ?1 ORDER BY since, user")?
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut withdrawn = true;
    match decide_cancel(&row, &interests, reader, now) {
        CancelDecision::NotThere => return Ok(None),
        CancelDecision::Nothing => withdrawn = false,
        CancelDecision::Withdrawn(row) => columns::update(connection, &row)?,
        CancelDecision::Cancelled(change) => write(connection, &change, &[])?,
    }
    if withdrawn {
        connection
            .prepare_cached("DELETE FROM interests WHERE generation = ?1 AND user = ?2")?
            .execute([id, &reader.user])?;
    }
    let generation = complete(connection, found(by_id(connection, id)?)?)?;
    Ok(Some(Cancelled { generation, withdrawn }))
}

pub(super) fn asset(connection: &Connection, reader: &Reader, id: &str) -> Result<Option<Asset>> {
    let sql = format!("SELECT {ASSET} FROM assets WHERE id = ?1");
    let asset = connection.prepare_cached(&sql)?.query_row([id], columns::asset).optional()?;
    let Some(asset) = asset else { return Ok(None) };
    let row = by_id(connection, &asset.generation)?;
    Ok(row.is_some_and(|row| row.readable_by(reader)).then_some(asset))
}

pub(super) fn events(connection: &Connection, reader: &Reader, id: &str) -> Result<Vec<Event>> {
    if by_id(connection, id)?.is_none_or(|row| !row.readable_by(reader)) {
        return Ok(Vec::new());
    }
    let sql =
        "SELECT generation, number, kind, at FROM events WHERE generation = ?1 ORDER BY number";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([id], columns::event)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn add_key(connection: &Connection, key: &Key) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO keys (hash, name, tenant, user, role, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (hash) DO UPDATE SET name = ?2, tenant = ?3, user = ?4, role = ?5",
        )?
        .execute(params![
            key.hash,
            key.name,
            key.reader.tenant,
            key.reader.user,
            key.role.word(),
            key.created_at
        ])?;
    Ok(())
}

pub(super) fn key(connection: &Connection, hash: &str) -> Result<Option<Key>> {
    let sql = "SELECT hash, name, tenant, user, role, created_at FROM keys WHERE hash = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([hash], columns::key).optional()?)
}

pub(super) fn count_keys(connection: &Connection) -> Result<u64> {
    let count: i64 = connection.query_row("SELECT count(*) FROM keys", [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}
