//! The operations on rows: read what a decision needs, decide, write what it comes to.

use onepath_core::Rating;
use onepath_core::lifecycle::{ErrorCode, State};

use super::super::decide::{
    CancelDecision, Change, OwnerDecision, Patch, decide_advance, decide_cancel, decide_claim,
    decide_delete, decide_patch, decide_retry, limit_hit,
};
use super::super::row::LedgerEntry;
use super::super::{
    Advance, Advanced, Asset, Blob, Cancelled, Claim, Claimed, Failures, Generation, ListQuery,
    Millis, Outcome, Page, PlanNow, Reader, Result, Row, Viewer,
};
use super::create::{one_at_a_time, used_of, want};
use super::{Tx, Value, assets, columns, first, number, prompts, slots, telemetry};
use crate::{generation_columns, not_stopped};

const ATTEMPTS: &str =
    "SELECT number, run, provider, account, prediction, submitted_at, ended_at, error
    FROM attempts WHERE generation = ?1 ORDER BY number";

/// A row, for reading or inside of a transaction that may change it.
pub(super) async fn by_id<T: Tx>(tx: &mut T, id: &str, to_change: bool) -> Result<Option<Row>> {
    const READ: &str =
        concat!("SELECT ", generation_columns!(), " FROM generations g WHERE g.id = ?1");
    const CHANGE: &str =
        concat!("SELECT ", generation_columns!(), " FROM generations g WHERE g.id = ?1 FOR UPDATE");
    let sql = if to_change && !T::FOR_UPDATE.is_empty() { CHANGE } else { READ };
    first(tx, sql, &[id.into()]).await?.map(columns::generation).transpose()
}

async fn complete<T: Tx>(tx: &mut T, row: Row) -> Result<Generation> {
    let id = [Value::from(&row.id)];
    let attempts = tx.query(ATTEMPTS, &id).await?;
    let assets = assets::of_generation(tx, &row.id).await?;
    Ok(Generation {
        attempts: attempts.into_iter().map(columns::attempt).collect::<Result<_>>()?,
        assets,
        row,
    })
}

pub(crate) async fn get<T: Tx>(
    tx: &mut T,
    viewer: &Viewer,
    id: &str,
) -> Result<Option<Generation>> {
    match by_id(tx, id, false).await?.filter(|row| row.readable_by(viewer)) {
        Some(row) => complete(tx, row).await.map(Some),
        None => Ok(None),
    }
}

/// What a list asks for, whatever the page. Its parameters are the first of every list.
macro_rules! listed {
    () => {
        " FROM generations g
          WHERE g.tenant = ?1 AND g.owner = ?2 AND g.deleted_at IS NULL
            AND (CAST(?3 AS TEXT) IS NULL OR g.status = ?3)
            AND (CAST(?4 AS TEXT) IS NULL OR g.operation = ?4)
            AND (CAST(?5 AS TEXT) IS NULL OR g.provider = ?5)
            AND (CAST(?6 AS TEXT) IS NULL OR g.request_hash = ?6)
            AND (CAST(?7 AS TEXT) IS NULL OR g.world_id = ?7)
            AND (CAST(?8 AS TEXT) IS NULL OR g.workspace_id = ?8)
            AND g.created_at >= ?9 AND g.created_at < ?10
            AND (CAST(?12 AS BIGINT) IS NULL OR g.number = ?12)
            AND (CAST(?11 AS TEXT) IS NULL OR lower(g.name) LIKE lower(?11) ESCAPE '\\'
                 OR lower(g.description) LIKE lower(?11) ESCAPE '\\')"
    };
}

pub(crate) async fn list<T: Tx>(tx: &mut T, reader: &Reader, query: &ListQuery) -> Result<Page> {
    const COUNT: &str = concat!("SELECT count(*)", listed!());
    const SQL: &str = concat!(
        "SELECT ",
        generation_columns!(),
        listed!(),
        " AND (g.created_at, g.id) < (?13, ?14)
          ORDER BY g.created_at DESC, g.id DESC LIMIT ?15 OFFSET ?16"
    );
    let (at, id) = query.after.clone().unwrap_or((Millis::MAX, String::new()));
    let pattern = query.text.as_ref().map(|text| {
        let text = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{text}%")
    });
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut values = vec![
        (&reader.tenant).into(),
        (&reader.user).into(),
        query.status.map(onepath_core::GenerationStatus::word).into(),
        query.operation.map(onepath_core::Operation::word).into(),
        query.provider.as_ref().into(),
        query.request_hash.as_ref().into(),
        query.world.as_ref().into(),
        query.workspace.as_ref().into(),
        query.created_after.unwrap_or(Millis::MIN).into(),
        query.created_before.unwrap_or(Millis::MAX).into(),
        pattern.as_ref().into(),
        query.number.into(),
    ];
    let total = if query.count { Some(number(tx, COUNT, &values).await?) } else { None };
    values.extend([
        Value::from(at),
        (&id).into(),
        limit.into(),
        i64::try_from(query.offset).unwrap_or(i64::MAX).into(),
    ]);
    let rows = tx.query(SQL, &values).await?;
    let mut rows: Vec<Row> = rows.into_iter().map(columns::generation).collect::<Result<_>>()?;
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows.last().filter(|_| more).map(|row| (row.created_at, row.id.clone()));
    let mut generations = Vec::with_capacity(rows.len());
    for row in rows {
        generations.push(complete(tx, row).await?);
    }
    Ok(Page { generations, next, total })
}

/// When a tenant was last served: 0 if never.
macro_rules! served {
    () => {
        "COALESCE((SELECT max(s.started_at) FROM generations s
                     WHERE s.tenant = g.tenant AND s.started_at IS NOT NULL), 0)"
    };
}

pub(crate) async fn claim<T: Tx>(tx: &mut T, claim: &Claim) -> Result<Vec<Claimed>> {
    // Each tenant's rows are numbered in their own order, and every tenant's first comes before
    // any second; among equals the tenant comes first that was served longest ago. So a long queue
    // of one does not keep the others waiting, however few rows are taken at a time.
    const SQL: &str = concat!(
        "SELECT ",
        generation_columns!(),
        " FROM (SELECT id, row_number() OVER (PARTITION BY tenant
                    ORDER BY priority, next_run_at, id) AS turn
                FROM (SELECT id, tenant, priority, next_run_at FROM generations
                      WHERE due_at <= ?1 AND ",
        not_stopped!(),
        " ORDER BY priority, next_run_at LIMIT 1024) AS due) AS t
          JOIN generations g ON g.id = t.id
          WHERE t.turn <= ?2
          ORDER BY g.priority, t.turn, ",
        served!(),
        ", g.next_run_at, g.id LIMIT ?2"
    );
    const SKIPPING: &str = concat!(
        "SELECT ",
        generation_columns!(),
        " FROM (SELECT id, row_number() OVER (PARTITION BY tenant
                    ORDER BY priority, next_run_at, id) AS turn
                FROM (SELECT id, tenant, priority, next_run_at FROM generations
                      WHERE due_at <= ?1 AND ",
        not_stopped!(),
        " ORDER BY priority, next_run_at LIMIT 1024) AS due) AS t
          JOIN generations g ON g.id = t.id
          WHERE g.due_at <= ?1 AND t.turn <= ?2
          ORDER BY g.priority, t.turn, ",
        served!(),
        ", g.next_run_at, g.id LIMIT ?2
          FOR UPDATE OF g SKIP LOCKED"
    );
    let sql = if T::SKIP_LOCKED.is_empty() { SQL } else { SKIPPING };
    let limit = i64::try_from(claim.limit).unwrap_or(i64::MAX);
    let rows = tx.query(sql, &[claim.now.into(), limit.into()]).await?;
    let rows: Vec<Row> = rows.into_iter().map(columns::generation).collect::<Result<_>>()?;
    let mut seats = slots::seats(tx, &rows, claim.now).await?;
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        let change = decide_claim(&row, claim.now, claim.lease_until, |row| {
            seats.take(row.provider(), &row.tenant, row.price_credits(), claim.now)
        });
        write(tx, &change, NOTHING).await?;
        if !matches!(change.row.state, State::Pending { .. }) || !change.steps.is_empty() {
            claimed.push(Claimed { row: change.row, effects: change.effects, steps: change.steps });
        }
    }
    slots::chosen(tx, &seats).await?;
    Ok(claimed)
}

pub(crate) async fn next_due<T: Tx>(tx: &mut T) -> Result<Option<Millis>> {
    const SQL: &str = concat!(
        "SELECT due_at FROM generations WHERE due_at IS NOT NULL AND ",
        not_stopped!(),
        " ORDER BY due_at LIMIT 1"
    );
    match first(tx, SQL, &[]).await? {
        Some(mut cells) => cells.take(),
        None => Ok(None),
    }
}

pub(crate) async fn heartbeat<T: Tx>(
    tx: &mut T,
    id: &str,
    fence: i64,
    now: Millis,
    lease_until: Millis,
) -> Result<bool> {
    // A slot that went with its lease does not come back by a sign of life.
    let sql = "UPDATE generations SET lease_until = ?3, due_at = ?3
               WHERE id = ?1 AND fence = ?2 AND lease_until IS NOT NULL
                 AND (account IS NULL OR stage <> 'claimed' OR lease_until > ?4)";
    let values = [id.into(), fence.into(), lease_until.into(), now.into()];
    Ok(tx.execute(sql, &values).await? == 1)
}

pub(crate) async fn end_leases<T: Tx>(tx: &mut T, now: Millis) -> Result<u64> {
    let sql = "UPDATE generations SET lease_until = ?1, due_at = ?1
               WHERE lease_until > ?1 AND due_at IS NOT NULL";
    tx.execute(sql, &[now.into()]).await
}

pub(crate) async fn advance<T: Tx>(tx: &mut T, advance: &Advance) -> Result<Option<Advanced>> {
    let Some(row) = by_id(tx, &advance.id, true).await? else { return Ok(None) };
    let failed = match advance.event.may_fail() {
        true => failures(tx, &row).await?,
        false => Failures::default(),
    };
    let Some(change) = decide_advance(&row, advance, &failed) else { return Ok(None) };
    write(tx, &change, (&advance.assets, &advance.blobs)).await?;
    Ok(Some(Advanced { row: change.row, effects: change.effects, steps: change.steps }))
}

/// What the earlier attempts of the row's run failed with.
async fn failures<T: Tx>(tx: &mut T, row: &Row) -> Result<Failures> {
    let sql = "SELECT error FROM attempts WHERE generation = ?1 AND run = ?2 AND error IS NOT NULL";
    let rows = tx.query(sql, &[(&row.id).into(), row.state.run().into()]).await?;
    let codes = rows.into_iter().map(|mut cells| cells.word(ErrorCode::parse));
    Ok(Failures::of(codes.collect::<Result<Vec<_>>>()?))
}

pub(crate) async fn cancel<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    id: &str,
    now: Millis,
) -> Result<Option<Cancelled>> {
    let Some(row) = by_id(tx, id, true).await? else { return Ok(None) };
    let sql = "SELECT user_id FROM interests WHERE generation = ?1 AND open = 1
               ORDER BY since, user_id";
    let rows = tx.query(sql, &[id.into()]).await?;
    let interests: Vec<String> =
        rows.into_iter().map(|mut cells| cells.take()).collect::<Result<_>>()?;
    let (mut withdrawn, mut steps) = (true, Vec::new());
    match decide_cancel(&row, &interests, reader, now) {
        CancelDecision::NotThere => return Ok(None),
        CancelDecision::Nothing => withdrawn = false,
        CancelDecision::Withdrawn(change) | CancelDecision::Cancelled(change) => {
            write(tx, &change, NOTHING).await?;
            if change.row.owner != row.owner {
                assets::move_outputs(tx, id, &change.row.owner).await?;
            }
            steps = change.steps;
        }
    }
    if withdrawn {
        let sql = "DELETE FROM interests WHERE generation = ?1 AND user_id = ?2";
        tx.send(sql, &[id.into(), (&reader.user).into()]).await?;
    }
    let Some(row) = by_id(tx, id, false).await? else { return Ok(None) };
    Ok(Some(Cancelled { generation: complete(tx, row).await?, withdrawn, steps }))
}

/// Carries out what an owner wishes.
async fn wish<T: Tx>(tx: &mut T, row: Row, decision: OwnerDecision) -> Result<Outcome> {
    match decision {
        OwnerDecision::NotThere => Ok(Outcome::NotThere),
        OwnerDecision::NotNow => Ok(Outcome::NotNow(Box::new(row))),
        OwnerDecision::Changed => Ok(Outcome::Changed),
        OwnerDecision::Done(change) => {
            write(tx, &change, NOTHING).await?;
            let Change { row, steps, .. } = *change;
            Ok(Outcome::Done(Box::new(complete(tx, row).await?), steps))
        }
    }
}

pub(crate) async fn retry<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    id: &str,
    plan: PlanNow,
    now: Millis,
) -> Result<Outcome> {
    let Some(row) = by_id(tx, id, true).await? else { return Ok(Outcome::NotThere) };
    let decision = decide_retry(&row, reader, now);
    if matches!(decision, OwnerDecision::Done(_)) {
        if plan.limits.any() {
            one_at_a_time(tx, reader).await?;
            let used = used_of(tx, reader, plan).await?;
            if let Some(hit) = limit_hit(&plan.limits, used, Some(row.asked.reserved_micros)) {
                return Ok(Outcome::Limited(hit));
            }
        }
        want(tx, id, reader, now).await?;
    }
    wish(tx, row, decision).await
}

pub(crate) async fn delete<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    id: &str,
    now: Millis,
) -> Result<Outcome> {
    let Some(row) = by_id(tx, id, true).await? else { return Ok(Outcome::NotThere) };
    let decision = decide_delete(&row, reader, now);
    if matches!(decision, OwnerDecision::Done(_)) {
        assets::delete_outputs(tx, id, now).await?;
    }
    wish(tx, row, decision).await
}

pub(crate) async fn patch<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    id: &str,
    patch: &Patch,
    now: Millis,
) -> Result<Outcome> {
    let Some(row) = by_id(tx, id, true).await? else { return Ok(Outcome::NotThere) };
    let decision = decide_patch(&row, patch, reader, now);
    wish(tx, row, decision).await
}

/// Adds an event to a row.
pub(crate) async fn event<T: Tx>(tx: &mut T, row: &Row, kind: &str) -> Result<()> {
    let sql =
        "INSERT INTO events (tenant, owner, shared, generation, number, kind, status, error, at,
                   prediction)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let values = [
        (&row.tenant).into(),
        (&row.owner).into(),
        row.shared().map(Rating::word).into(),
        (&row.id).into(),
        row.events.into(),
        kind.into(),
        row.status().word().into(),
        row.error_code().map(ErrorCode::word).into(),
        row.updated_at.into(),
        row.prediction.as_ref().into(),
    ];
    tx.send(sql, &values).await
}

/// Adds an entry to the ledger. A second settlement of a run is refused by an index.
pub(crate) async fn ledger<T: Tx>(tx: &mut T, row: &Row, entry: &LedgerEntry) -> Result<()> {
    let sql = "INSERT INTO ledger (tenant, user_id, generation, run, kind, runs, micros, at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = [
        (&row.tenant).into(),
        (&entry.user).into(),
        (&row.id).into(),
        entry.run.into(),
        entry.kind.word().into(),
        entry.runs.into(),
        entry.micros.into(),
        row.updated_at.into(),
    ];
    tx.send(sql, &values).await
}

/// A change that keeps nothing that was made.
const NOTHING: (&[Asset], &[Blob]) = (&[], &[]);

/// Writes a change with everything that belongs to it.
async fn write<T: Tx>(tx: &mut T, change: &Change, made: (&[Asset], &[Blob])) -> Result<()> {
    let row = &change.row;
    let id = Value::from(&row.id);
    if change.takes_slot {
        let sql = "UPDATE generations SET reuse_key = NULL
                   WHERE tenant = ?1 AND reuse_key = ?2 AND id <> ?3";
        tx.send(sql, &[(&row.tenant).into(), row.reuse_key.as_ref().into(), id]).await?;
    }
    columns::update(tx, row).await?;
    if let Some((attempt, token)) = &change.attempt {
        if let Some(token) = token {
            let sql = "INSERT INTO attempts (generation, number, run, provider, account, token,
                       submitted_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let values = [
                id,
                attempt.number.into(),
                attempt.run.into(),
                (&attempt.provider).into(),
                attempt.account.as_ref().into(),
                token.into(),
                attempt.submitted_at.into(),
            ];
            tx.send(sql, &values).await?;
        } else {
            let sql =
                "UPDATE attempts SET prediction = ?3, ended_at = ?4, error = ?5, submitted_at = ?6
                       WHERE generation = ?1 AND number = ?2";
            let values = [
                id,
                attempt.number.into(),
                attempt.prediction.as_ref().into(),
                attempt.ended_at.into(),
                attempt.error.map(ErrorCode::word).into(),
                attempt.submitted_at.into(),
            ];
            tx.send(sql, &values).await?;
        }
    }
    for entry in &change.ledger {
        ledger(tx, row, entry).await?;
    }
    if let Some(ended) = &change.ended {
        telemetry::insert(tx, row, ended).await?;
        prompts::ended(tx, row, ended).await?;
    }
    if let Some(kind) = change.event {
        event(tx, row, kind).await?;
    }
    if change.is_over() {
        let sql = "UPDATE interests SET open = 0 WHERE generation = ?1 AND open = 1";
        tx.send(sql, &[id]).await?;
    }
    if let Some(outcome) = &change.outcome {
        slots::outcome(tx, outcome, row.updated_at).await?;
    }
    if let Some(account) = &change.released {
        slots::wake(tx, account, row.updated_at).await?;
    }
    if change.keeps_assets() {
        assets::put_all(tx, made.0, made.1, row.updated_at).await?;
        assets::own_outputs(tx, &row.id, made.0, &row.owner).await?;
    }
    Ok(())
}

pub(crate) async fn ping<T: Tx>(tx: &mut T) -> Result<()> {
    number(tx, "SELECT CAST(1 AS BIGINT)", &[]).await.map(drop)
}
