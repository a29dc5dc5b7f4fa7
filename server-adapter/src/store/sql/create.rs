//! Create: idempotency, reuse, limits, reservation, row and event in one transaction.

use super::super::decide::{CreateDecision, decide_create, first_reservation, joined, limit_hit};
use super::super::{
    Answer, CreateOutcome, Created, Creation, Millis, NewGeneration, PlanNow, Reader, Receipt,
    ReceiptWish, Result, Row, StoreError, Used,
};
use super::assets::put_inputs;
use super::operations::{event, ledger};
use super::{Cells, Tx, Value, columns, first, number};
use crate::generation_columns;

/// The holder of a slot.
pub(crate) const HOLDER: &str = concat!(
    "SELECT ",
    generation_columns!(),
    " FROM generations g WHERE g.tenant = ?1 AND g.reuse_key = ?2"
);

/// The parameters of [`HOLDER`]; none for what takes no slot.
pub(crate) fn slot(new: &NewGeneration) -> Option<[Value<'_>; 2]> {
    let key = new.asked.cache_key.as_ref()?;
    Some([(&new.owner.tenant).into(), key.into()])
}

/// The owner's own result of the same hash.
pub(crate) const SAME_HASH: &str = concat!(
    "SELECT ",
    generation_columns!(),
    " FROM generations g
      WHERE g.tenant = ?1 AND g.request_hash = ?2 AND g.owner = ?3 AND g.status = 'completed'
        AND g.fallback IS NULL AND g.serving IS NULL AND g.strategy <> 'always' AND g.deleted_at IS NULL
        AND (g.expires_at IS NULL OR g.expires_at > ?4)
      ORDER BY g.created_at DESC, g.id DESC LIMIT 1"
);

/// The parameters of [`SAME_HASH`].
pub(crate) fn hash(new: &NewGeneration) -> [Value<'_>; 4] {
    let owner = &new.owner;
    [(&owner.tenant).into(), (&new.asked.request_hash).into(), (&owner.user).into(), new.now.into()]
}

/// The decision of a create, with the rows that were looked at; `to_change` keeps the slot's holder
/// as it is until the end.
async fn decided<T: Tx>(
    tx: &mut T,
    new: &NewGeneration,
    to_change: bool,
) -> Result<(CreateDecision, Option<Row>, Option<Row>)> {
    let holder = match slot(new) {
        Some(values) => {
            const CHANGE: &str = concat!(
                "SELECT ",
                generation_columns!(),
                " FROM generations g WHERE g.tenant = ?1 AND g.reuse_key = ?2 FOR UPDATE"
            );
            let sql = if to_change && !T::FOR_UPDATE.is_empty() { CHANGE } else { HOLDER };
            first(tx, sql, &values).await?.map(columns::generation).transpose()?
        }
        None => None,
    };
    let decision = decide_create(new, holder.as_ref(), None);
    if !matches!(decision, CreateDecision::Insert { .. }) || new.asked.cache_key.is_none() {
        return Ok((decision, holder, None));
    }
    let same = first(tx, SAME_HASH, &hash(new)).await?.map(columns::generation).transpose()?;
    Ok((decide_create(new, holder.as_ref(), same.as_ref()), holder, same))
}

/// The row that a decision speaks of, which was read for it.
fn found(row: Option<Row>) -> Result<Row> {
    row.ok_or_else(|| StoreError::Corrupt("a decision without its row".to_owned()))
}

pub(crate) async fn preview<T: Tx>(
    tx: &mut T,
    new: &NewGeneration,
) -> Result<(Answer, Option<Row>)> {
    let (decision, holder, same) = decided(tx, new, false).await?;
    Ok(match decision {
        CreateDecision::Answered(Answer::Hash) => (Answer::Hash, same),
        CreateDecision::Answered(answer) => (answer, holder),
        CreateDecision::Join => (Answer::Joined, holder),
        CreateDecision::Insert { .. } => (Answer::Created, None),
    })
}

pub(crate) async fn create<T: Tx>(tx: &mut T, creation: &Creation) -> Result<CreateOutcome> {
    if let Some(wish) = &creation.receipt
        && let Some(outcome) = replayed(tx, &creation.new.owner, wish).await?
    {
        return Ok(outcome);
    }
    let outcome = answered(tx, &creation.new, creation.plan).await?;
    if let (Some(wish), CreateOutcome::Done(created)) = (&creation.receipt, &outcome) {
        keep(tx, &creation.new, wish, &(wish.render)(created)).await?;
    }
    Ok(outcome)
}

/// The answer that was given before under the same key.
async fn replayed<T: Tx>(
    tx: &mut T,
    owner: &Reader,
    wish: &ReceiptWish,
) -> Result<Option<CreateOutcome>> {
    let found = first(tx, RECEIPT, &receipt(owner, wish)).await?;
    found.map(|cells| replay(cells, wish)).transpose()
}

/// The answer to a call.
pub(crate) const RECEIPT: &str = "SELECT fingerprint, status, location, body FROM receipts
    WHERE tenant = ?1 AND user_id = ?2 AND route = ?3 AND key = ?4";

/// The parameters of [`RECEIPT`].
pub(crate) fn receipt<'v>(owner: &'v Reader, wish: &'v ReceiptWish) -> [Value<'v>; 4] {
    [(&owner.tenant).into(), (&owner.user).into(), wish.route.into(), (&wish.key).into()]
}

/// What a call comes to that was answered before.
pub(crate) fn replay(mut cells: Cells, wish: &ReceiptWish) -> Result<CreateOutcome> {
    if cells.take::<String>()? != wish.fingerprint {
        return Ok(CreateOutcome::Mismatch);
    }
    let status = u16::try_from(cells.take::<i64>()?).unwrap_or(200);
    Ok(CreateOutcome::Replayed(Receipt { status, location: cells.take()?, body: cells.take()? }))
}

/// Keeps the answer to a call.
pub(crate) async fn keep<T: Tx>(
    tx: &mut T,
    new: &NewGeneration,
    wish: &ReceiptWish,
    receipt: &Receipt,
) -> Result<()> {
    let sql = "INSERT INTO receipts (tenant, user_id, route, key, fingerprint, status, location,
                   body, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = [
        (&new.owner.tenant).into(),
        (&new.owner.user).into(),
        wish.route.into(),
        (&wish.key).into(),
        (&wish.fingerprint).into(),
        i64::from(receipt.status).into(),
        (&receipt.location).into(),
        (&receipt.body).into(),
        new.now.into(),
    ];
    tx.send(sql, &values).await
}

async fn answered<T: Tx>(tx: &mut T, new: &NewGeneration, plan: PlanNow) -> Result<CreateOutcome> {
    let (mut decision, mut holder, mut same) = decided(tx, new, false).await?;
    let answered = matches!(decision, CreateDecision::Answered(_));
    if !T::FOR_UPDATE.is_empty() && holder.is_some() && !answered {
        // What is changed is held first, and may have become another meanwhile.
        (decision, holder, same) = decided(tx, new, true).await?;
    }
    let done = |answer, row| Ok(CreateOutcome::Done(Box::new(Created { answer, row })));
    match decision {
        CreateDecision::Answered(Answer::Hash) => done(Answer::Hash, found(same)?),
        CreateDecision::Answered(answer) => done(answer, found(holder)?),
        CreateDecision::Join => {
            let holder = found(holder)?;
            let wants = wants(tx, &holder.id, &new.owner.user).await?;
            if !wants && plan.limits.in_flight.is_some() {
                one_at_a_time(tx, &new.owner).await?;
                let used = used(tx, &new.owner, plan.since).await?;
                if let Some(hit) = limit_hit(&plan.limits, used, None) {
                    return Ok(CreateOutcome::Limited(hit));
                }
            }
            let row = joined(&holder, new);
            columns::update(tx, &row).await?;
            want(tx, &row.id, &new.owner, new.now).await?;
            done(Answer::Joined, row)
        }
        CreateDecision::Insert { holds_slot, clears_holder } => {
            if plan.limits.any() {
                one_at_a_time(tx, &new.owner).await?;
                let used = used_of(tx, &new.owner, plan).await?;
                if let Some(hit) = limit_hit(&plan.limits, used, Some(new.asked.reserved_micros)) {
                    return Ok(CreateOutcome::Limited(hit));
                }
            }
            if let Some(mut holder) = holder.filter(|_| clears_holder) {
                holder.reuse_key = None;
                columns::update(tx, &holder).await?;
            }
            let next = number(tx, NUMBERS, &[(&new.owner.tenant).into(), 1_i64.into()]).await?;
            done(Answer::Created, insert(tx, new, next, holds_slot).await?)
        }
    }
}

/// Takes so many numbers of a tenant, and says the last of them.
pub(crate) const NUMBERS: &str = "INSERT INTO numbers (tenant, last) VALUES (?1, ?2)
    ON CONFLICT (tenant) DO UPDATE SET last = numbers.last + excluded.last
    RETURNING last, tenant";

/// Writes a new row with everything that belongs to it; nothing is read.
pub(crate) async fn insert<T: Tx>(
    tx: &mut T,
    new: &NewGeneration,
    number: i64,
    holds_slot: bool,
) -> Result<Row> {
    let mut row = new.clone().into_row(number);
    row.reuse_key = row.asked.cache_key.clone().filter(|_| holds_slot);
    columns::insert(tx, &row).await?;
    put_inputs(tx, &row.id, &new.inputs).await?;
    want(tx, &row.id, &new.owner, new.now).await?;
    ledger(tx, &row, &first_reservation(&row)).await?;
    event(tx, &row, "generation.created").await?;
    Ok(row)
}

async fn wants<T: Tx>(tx: &mut T, id: &str, user: &str) -> Result<bool> {
    let sql = "SELECT open FROM interests WHERE generation = ?1 AND user_id = ?2 AND open = 1";
    Ok(first(tx, sql, &[id.into(), user.into()]).await?.is_some())
}

/// A user wants a row from now on.
pub(crate) async fn want<T: Tx>(tx: &mut T, id: &str, user: &Reader, now: Millis) -> Result<()> {
    let sql = "INSERT INTO interests (generation, tenant, user_id, since, open)
               VALUES (?1, ?2, ?3, ?4, 1)
               ON CONFLICT (generation, user_id) DO UPDATE SET open = 1";
    let values = [id.into(), (&user.tenant).into(), (&user.user).into(), now.into()];
    tx.send(sql, &values).await
}

/// What a user used is counted for one of their wishes at a time, until its transaction ends;
/// otherwise two at once would both be the last that is allowed.
pub(crate) async fn one_at_a_time<T: Tx>(tx: &mut T, user: &Reader) -> Result<()> {
    if T::FOR_UPDATE.is_empty() {
        return Ok(());
    }
    tx.send(ONE_AT_A_TIME, &[(&user.tenant).into(), (&user.user).into()]).await
}

/// Waits for a user's turn, by tenant and user.
pub(crate) const ONE_AT_A_TIME: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended(?1 || chr(31) || ?2, 7311040222))";

/// What a user used of everything that their plan limits.
pub(crate) async fn used_of<T: Tx>(tx: &mut T, reader: &Reader, plan: PlanNow) -> Result<Used> {
    let mut used = used(tx, reader, plan.since).await?;
    if plan.limits.storage_bytes.is_some() {
        used.storage = stored(tx, reader).await?;
    }
    Ok(used)
}

/// What a user used since a time, and what they have.
pub(crate) async fn used_and_stored<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    since: Millis,
) -> Result<Used> {
    let storage = stored(tx, reader).await?;
    Ok(Used { storage, ..used(tx, reader, since).await? })
}

/// Bytes of a user's assets.
pub(crate) async fn stored<T: Tx>(tx: &mut T, user: &Reader) -> Result<i64> {
    number(tx, STORED, &[(&user.tenant).into(), (&user.user).into()]).await
}

/// Bytes of a user's assets, by tenant and user.
pub(crate) const STORED: &str = "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM assets
    WHERE tenant = ?1 AND owner = ?2 AND deleted_at IS NULL";

/// Generations that a user wants and that are not over, by tenant and user.
pub(crate) const OPEN: &str =
    "SELECT count(*) FROM interests WHERE tenant = ?1 AND user_id = ?2 AND open = 1";

/// Runs and money of a user, by tenant, user and since when.
pub(crate) const SPENT: &str =
    "SELECT CAST(coalesce(sum(runs), 0) AS BIGINT), CAST(coalesce(sum(micros), 0) AS BIGINT)
    FROM ledger WHERE tenant = ?1 AND user_id = ?2 AND at >= ?3";

/// Runs and money of a user since a time, and what they want now.
async fn used<T: Tx>(tx: &mut T, reader: &Reader, since: Millis) -> Result<Used> {
    let who = [Value::from(&reader.tenant), Value::from(&reader.user)];
    let in_flight = number(tx, OPEN, &who).await?;
    let [tenant, user] = who;
    let mut used = Used { in_flight, ..Used::default() };
    if let Some(mut cells) = first(tx, SPENT, &[tenant, user, since.into()]).await? {
        used.runs = cells.take()?;
        used.micros = cells.take()?;
    }
    Ok(used)
}
