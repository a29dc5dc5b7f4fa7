//! Accounts at providers: their rows, the slots that are counted from generations, and what
//! outcomes mean for them.

use std::collections::BTreeSet;

use onepath_core::lifecycle::{ErrorCode, State};

use super::super::account::{
    Account, AccountNow, AccountQuery, CreditsRead, Health, KeySource, Seats, Verdict,
};
use super::super::decide::AccountOutcome;
use super::super::{Millis, Result, Row, StoreError};
use super::{Cells, Tx, first, unreadable};
use crate::provider::Credits;

const DAY: Millis = 24 * 60 * 60_000;

/// The columns of an account, in the order of [`account`].
macro_rules! account_columns {
    () => {
        "a.id, a.provider, a.tenant, a.endpoint, a.key_source, a.priority, a.concurrency, \
         a.daily_limit, a.enabled, a.created_at, a.updated_at, a.streak, a.cooldown_until, \
         a.last_error, a.last_used_at, a.credits, a.credits_read_at"
    };
}

fn account(mut c: Cells) -> Result<Account> {
    let (id, provider, tenant, endpoint) = (c.take()?, c.take()?, c.take()?, c.take()?);
    let key: Option<String> = c.take()?;
    Ok(Account {
        id,
        provider,
        tenant,
        endpoint,
        key: KeySource::parse(key.as_deref()).ok_or_else(|| {
            // What it says may be a secret.
            StoreError::Corrupt("the key of an account is nowhere that is known".to_owned())
        })?,
        priority: c.take()?,
        concurrency: c.take()?,
        daily_limit: c.take()?,
        enabled: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        health: Health {
            streak: c.take()?,
            cooldown_until: c.take()?,
            last_error: c.optional_word(ErrorCode::parse)?,
            last_used_at: c.take()?,
        },
        credits: credits(c.take()?, c.take()?)?,
    })
}

fn credits(amounts: Option<String>, read_at: Option<Millis>) -> Result<Option<CreditsRead>> {
    let (Some(amounts), Some(read_at)) = (amounts, read_at) else { return Ok(None) };
    let amounts = serde_json::from_str(&amounts).map_err(|_| unreadable(&amounts))?;
    Ok(Some(CreditsRead { amounts, read_at }))
}

/// The accounts that rows may get, each kept as it is until the end where others write too.
pub(super) async fn seats<T: Tx>(tx: &mut T, rows: &[Row], now: Millis) -> Result<Seats> {
    const READ: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM provider_accounts a WHERE a.provider = ?1 ORDER BY a.id"
    );
    const KEEP: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM provider_accounts a WHERE a.provider = ?1 ORDER BY a.id FOR UPDATE"
    );
    let sql = if T::FOR_UPDATE.is_empty() { READ } else { KEEP };
    let wanting = |row: &&Row| {
        use onepath_core::lifecycle::Attempt::Claimed;
        matches!(row.state, State::Pending { .. } | State::Processing { attempt: Claimed, .. })
    };
    // In one order everywhere, so that nobody waits for somebody who waits for them.
    let asked = |row| {
        let others = Row::others_left(row).iter().map(|other| other.provider.as_str());
        others.chain([row.provider()])
    };
    let providers: BTreeSet<&str> = rows.iter().filter(wanting).flat_map(asked).collect();
    let mut seats = Seats::default();
    for provider in providers {
        let found = tx.query(sql, &[provider.into()]).await?;
        let found: Vec<Account> = found.into_iter().map(account).collect::<Result<_>>()?;
        if !found.is_empty() {
            let limited = found.iter().any(|account| account.daily_limit.is_some());
            let counted = counted(tx, found, Some(provider), now, limited).await?;
            seats.add(provider.to_owned(), counted);
        }
    }
    Ok(seats)
}

/// Accounts with what is counted of them.
async fn counted<T: Tx>(
    tx: &mut T,
    accounts: Vec<Account>,
    provider: Option<&str>,
    now: Millis,
    counts_day: bool,
) -> Result<Vec<AccountNow>> {
    // As `uses_slot` has it.
    let slots = "SELECT g.account, count(*),
            CAST(sum(CASE WHEN g.stage = 'claimed' THEN 1 ELSE 0 END) AS BIGINT)
        FROM generations g
        WHERE g.account IS NOT NULL AND (CAST(?1 AS TEXT) IS NULL OR COALESCE(g.serving, g.provider) = ?1)
          AND (g.stage <> 'claimed' OR g.lease_until > ?2)
        GROUP BY g.account";
    let days = "SELECT t.account, count(*) FROM attempts t
        WHERE t.account IS NOT NULL AND t.submitted_at >= ?2
          AND (CAST(?1 AS TEXT) IS NULL OR t.provider = ?1)
          AND (t.error IS NULL OR t.error NOT IN
               ('provider_quota', 'provider_rate_limit', 'provider_concurrent_limit'))
        GROUP BY t.account";
    let mut all: Vec<AccountNow> =
        accounts.into_iter().map(|account| AccountNow { account, in_use: 0, today: 0 }).collect();
    for mut cells in tx.query(slots, &[provider.into(), now.into()]).await? {
        let id: String = cells.take()?;
        if let Some(one) = all.iter_mut().find(|one| one.account.id == id) {
            one.in_use = cells.take()?;
            one.today = cells.take()?;
        }
    }
    if counts_day {
        let midnight = now.div_euclid(DAY) * DAY;
        for mut cells in tx.query(days, &[provider.into(), midnight.into()]).await? {
            let id: String = cells.take()?;
            if let Some(one) = all.iter_mut().find(|one| one.account.id == id) {
                one.today += cells.take::<i64>()?;
            }
        }
    }
    Ok(all)
}

/// Keeps when accounts were chosen.
pub(super) async fn chosen<T: Tx>(tx: &mut T, seats: &Seats) -> Result<()> {
    for (id, at) in seats.taken() {
        let sql = "UPDATE provider_accounts SET last_used_at = ?2 WHERE id = ?1";
        tx.send(sql, &[id.into(), (*at).into()]).await?;
    }
    Ok(())
}

/// What happened with an account.
pub(super) async fn outcome<T: Tx>(
    tx: &mut T,
    outcome: &AccountOutcome,
    now: Millis,
) -> Result<()> {
    let Some(account) = by_id(tx, &outcome.account, false).await? else { return Ok(()) };
    let after = account.health.after(outcome.verdict, outcome.rests_until, now);
    if after == account.health {
        return Ok(());
    }
    // It changes: what others made of it meanwhile counts.
    let Some(account) = by_id(tx, &outcome.account, true).await? else { return Ok(()) };
    let after = account.health.after(outcome.verdict, outcome.rests_until, now);
    write_health(tx, &account.id, &after).await?;
    if after.cooldown_until.is_none() && account.health.cooldown_until.is_some() {
        wake_all(tx, &account.provider, now).await?;
    }
    Ok(())
}

async fn write_health<T: Tx>(tx: &mut T, id: &str, health: &Health) -> Result<()> {
    let sql = "UPDATE provider_accounts SET streak = ?2, cooldown_until = ?3, last_error = ?4
               WHERE id = ?1";
    let values = [
        id.into(),
        health.streak.into(),
        health.cooldown_until.into(),
        health.last_error.map(ErrorCode::word).into(),
    ];
    tx.send(sql, &values).await
}

/// A slot is free: of those who wait for one, the first by priority and age looks at once, and
/// keeps its place before what came later.
pub(super) async fn wake<T: Tx>(tx: &mut T, account: &str, now: Millis) -> Result<()> {
    const SQL: &str = "UPDATE generations SET next_run_at = created_at, due_at = created_at
        WHERE id IN (SELECT g.id FROM generations g JOIN provider_accounts a ON a.id = ?1
            WHERE COALESCE(g.serving, g.provider) = a.provider AND g.deferred = 'accounts_busy' AND g.due_at > ?2
              AND (a.tenant IS NULL OR a.tenant = g.tenant)
            ORDER BY g.priority, g.created_at, g.id LIMIT 1)";
    const SKIPPING: &str = "UPDATE generations SET next_run_at = created_at, due_at = created_at
        WHERE id IN (SELECT g.id FROM generations g JOIN provider_accounts a ON a.id = ?1
            WHERE COALESCE(g.serving, g.provider) = a.provider AND g.deferred = 'accounts_busy' AND g.due_at > ?2
              AND (a.tenant IS NULL OR a.tenant = g.tenant)
            ORDER BY g.priority, g.created_at, g.id LIMIT 1 FOR UPDATE OF g SKIP LOCKED)";
    let sql = if T::SKIP_LOCKED.is_empty() { SQL } else { SKIPPING };
    tx.send(sql, &[account.into(), now.into()]).await
}

/// Something about the accounts of a provider is better than it was: everybody who waits for them
/// looks again. Whoever is held by a claim at this moment looks after it.
async fn wake_all<T: Tx>(tx: &mut T, provider: &str, now: Millis) -> Result<()> {
    const SQL: &str = "UPDATE generations SET next_run_at = created_at, due_at = created_at
        WHERE id IN (SELECT g.id FROM generations g
            WHERE COALESCE(g.serving, g.provider) = ?1 AND g.due_at > ?2 AND g.deferred IN
              ('accounts_busy', 'accounts_cooling', 'out_of_credits', 'daily_limit', 'no_account'))";
    const SKIPPING: &str = "UPDATE generations SET next_run_at = created_at, due_at = created_at
        WHERE id IN (SELECT g.id FROM generations g
            WHERE COALESCE(g.serving, g.provider) = ?1 AND g.due_at > ?2 AND g.deferred IN
              ('accounts_busy', 'accounts_cooling', 'out_of_credits', 'daily_limit', 'no_account')
            ORDER BY g.id FOR UPDATE OF g SKIP LOCKED)";
    let sql = if T::SKIP_LOCKED.is_empty() { SQL } else { SKIPPING };
    tx.send(sql, &[provider.into(), now.into()]).await
}

async fn by_id<T: Tx>(tx: &mut T, id: &str, to_change: bool) -> Result<Option<Account>> {
    const READ: &str =
        concat!("SELECT ", account_columns!(), " FROM provider_accounts a WHERE a.id = ?1");
    const CHANGE: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM provider_accounts a WHERE a.id = ?1 FOR UPDATE"
    );
    let sql = if to_change && !T::FOR_UPDATE.is_empty() { CHANGE } else { READ };
    first(tx, sql, &[id.into()]).await?.map(account).transpose()
}

pub(crate) async fn get<T: Tx>(tx: &mut T, id: &str) -> Result<Option<Account>> {
    by_id(tx, id, false).await
}

pub(crate) async fn list<T: Tx>(
    tx: &mut T,
    query: &AccountQuery,
    now: Millis,
) -> Result<Vec<AccountNow>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM provider_accounts a
          WHERE (CAST(?1 AS TEXT) IS NULL OR a.provider = ?1)
            AND (CAST(?2 AS TEXT) IS NULL OR a.tenant IS NULL OR a.tenant = ?2)
          ORDER BY a.provider, a.priority, a.id"
    );
    let values = [query.provider.as_ref().into(), query.tenant.as_ref().into()];
    let found = tx.query(SQL, &values).await?;
    let found: Vec<Account> = found.into_iter().map(account).collect::<Result<_>>()?;
    counted(tx, found, query.provider.as_deref(), now, true).await
}

pub(crate) async fn put<T: Tx>(tx: &mut T, account: &Account) -> Result<bool> {
    let sql = "INSERT INTO provider_accounts (id, provider, tenant, endpoint, key_source, priority,
                   concurrency, daily_limit, enabled, created_at, updated_at, streak)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)
               ON CONFLICT (id) DO UPDATE SET tenant = ?3, endpoint = ?4, key_source = ?5,
                   priority = ?6, concurrency = ?7, daily_limit = ?8, enabled = ?9, updated_at = ?11
                   WHERE provider_accounts.provider = ?2";
    let key = account.key.text();
    let values = [
        (&account.id).into(),
        (&account.provider).into(),
        account.tenant.as_ref().into(),
        account.endpoint.as_ref().into(),
        key.as_ref().into(),
        account.priority.into(),
        account.concurrency.into(),
        account.daily_limit.into(),
        account.enabled.into(),
        account.created_at.into(),
        account.updated_at.into(),
    ];
    let kept = tx.execute(sql, &values).await? == 1;
    if kept {
        wake_all(tx, &account.provider, account.updated_at).await?;
    }
    Ok(kept)
}

pub(crate) async fn remove<T: Tx>(tx: &mut T, id: &str, now: Millis) -> Result<bool> {
    let Some(account) = by_id(tx, id, true).await? else { return Ok(false) };
    let sql = "DELETE FROM provider_accounts WHERE id = ?1
               AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.account = ?1)";
    let removed = tx.execute(sql, &[id.into()]).await? == 1;
    if removed {
        wake_all(tx, &account.provider, now).await?;
    }
    Ok(removed)
}

pub(crate) async fn put_credits<T: Tx>(
    tx: &mut T,
    id: &str,
    credits: &Credits,
    now: Millis,
) -> Result<()> {
    let Some(before) = by_id(tx, id, true).await? else { return Ok(()) };
    let text =
        serde_json::to_string(credits).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let sql = "UPDATE provider_accounts SET credits = ?2, credits_read_at = ?3 WHERE id = ?1";
    tx.send(sql, &[id.into(), (&text).into(), now.into()]).await?;
    let gains = |(kind, left): (&String, &i64)| {
        before.credits.as_ref().is_some_and(|old| old.amounts.get(kind).unwrap_or(&0) < left)
    };
    if credits.iter().any(gains) {
        wake_all(tx, &before.provider, now).await?;
    }
    Ok(())
}

pub(crate) async fn failed<T: Tx>(
    tx: &mut T,
    id: &str,
    error: ErrorCode,
    rests_until: Option<Millis>,
    now: Millis,
) -> Result<()> {
    let verdict = Verdict::Failed(error);
    outcome(tx, &AccountOutcome { account: id.to_owned(), verdict, rests_until }, now).await
}

pub(crate) async fn heal<T: Tx>(tx: &mut T, id: &str, now: Millis) -> Result<bool> {
    let Some(account) = by_id(tx, id, true).await? else { return Ok(false) };
    write_health(tx, id, &account.health.after(Verdict::Works, None, now)).await?;
    let sql = "UPDATE provider_accounts SET credits = NULL, credits_read_at = NULL WHERE id = ?1";
    tx.send(sql, &[id.into()]).await?;
    wake_all(tx, &account.provider, now).await?;
    Ok(true)
}
