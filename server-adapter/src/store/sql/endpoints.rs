//! Endpoints of tenants, and the messages to them.

use super::super::endpoints::{Endpoint, Message};
use super::super::{Millis, Result};
use super::{Cells, Tx, number};

const ENDPOINTS: &str =
    "SELECT id, tenant, url, secret, old_secret, old_until, events, from_cursor,
        failing_since, disabled_at, disabled_reason, created_at
    FROM webhook_endpoints WHERE CAST(?1 AS TEXT) IS NULL OR tenant = ?1 ORDER BY created_at, id";

const MESSAGES: &str =
    "SELECT id, endpoint, message, kind, payload, attempts, due_at, leased, fence,
        delivered, last_status, last_error, created_at, sent_at
    FROM webhook_messages WHERE endpoint = ?1 AND (CAST(?2 AS TEXT) IS NULL OR id < ?2)
    ORDER BY id DESC LIMIT ?3";

const DUE: &str = "SELECT d.id, d.endpoint, d.message, d.kind, d.payload, d.attempts, d.due_at,
        d.leased, d.fence, d.delivered, d.last_status, d.last_error, d.created_at, d.sent_at
    FROM webhook_endpoints e JOIN webhook_messages d ON d.endpoint = e.id
    WHERE e.disabled_at IS NULL AND d.due_at <= ?1
      AND (SELECT count(*) FROM webhook_messages y
           WHERE y.endpoint = e.id AND y.leased = 1 AND y.due_at > ?1) < ?3
      AND d.id IN (SELECT x.id FROM webhook_messages x
                   WHERE x.endpoint = e.id AND x.due_at <= ?1 ORDER BY x.due_at, x.id LIMIT ?3)
    ORDER BY d.due_at, d.id LIMIT ?2";

const DUE_SKIPPING: &str = "SELECT d.id, d.endpoint, d.message, d.kind, d.payload, d.attempts,
        d.due_at, d.leased, d.fence, d.delivered, d.last_status, d.last_error, d.created_at, d.sent_at
    FROM webhook_endpoints e JOIN webhook_messages d ON d.endpoint = e.id
    WHERE e.disabled_at IS NULL AND d.due_at <= ?1
      AND (SELECT count(*) FROM webhook_messages y
           WHERE y.endpoint = e.id AND y.leased = 1 AND y.due_at > ?1) < ?3
      AND d.id IN (SELECT x.id FROM webhook_messages x
                   WHERE x.endpoint = e.id AND x.due_at <= ?1 ORDER BY x.due_at, x.id LIMIT ?3)
    ORDER BY d.due_at, d.id LIMIT ?2 FOR UPDATE OF d SKIP LOCKED";

fn endpoint(mut c: Cells) -> Result<Endpoint> {
    let (id, tenant, url, secret) = (c.take()?, c.take()?, c.take()?, c.take()?);
    let old: (Option<String>, Option<Millis>) = (c.take()?, c.take()?);
    let (events, from_cursor, failing_since) = (c.take()?, c.take()?, c.take()?);
    let disabled: (Option<Millis>, Option<String>) = (c.take()?, c.take()?);
    Ok(Endpoint {
        id,
        tenant,
        url,
        secret,
        old_secret: old.0.zip(old.1),
        events,
        from_cursor,
        failing_since,
        disabled: disabled.0.zip(disabled.1),
        created_at: c.take()?,
    })
}

fn message(mut c: Cells) -> Result<Message> {
    Ok(Message {
        id: c.take()?,
        endpoint: c.take()?,
        message: c.take()?,
        kind: c.take()?,
        payload: c.take()?,
        attempts: c.take()?,
        due_at: c.take()?,
        leased: c.take()?,
        fence: c.take()?,
        delivered: c.take()?,
        last_status: c.take()?,
        last_error: c.take()?,
        created_at: c.take()?,
        sent_at: c.take()?,
    })
}

pub(crate) async fn put<T: Tx>(tx: &mut T, endpoint: &Endpoint) -> Result<()> {
    let sql = "INSERT INTO webhook_endpoints (id, tenant, url, secret, old_secret, old_until, events,
                   from_cursor, failing_since, disabled_at, disabled_reason, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
               ON CONFLICT (id) DO UPDATE SET url = ?3, secret = ?4, old_secret = ?5, old_until = ?6,
                   events = ?7, failing_since = ?9, disabled_at = ?10, disabled_reason = ?11";
    let values = [
        (&endpoint.id).into(),
        (&endpoint.tenant).into(),
        (&endpoint.url).into(),
        (&endpoint.secret).into(),
        endpoint.old_secret.as_ref().map(|(old, _)| old).into(),
        endpoint.old_secret.as_ref().map(|(_, until)| *until).into(),
        endpoint.events.as_ref().into(),
        endpoint.from_cursor.into(),
        endpoint.failing_since.into(),
        endpoint.disabled.as_ref().map(|(at, _)| *at).into(),
        endpoint.disabled.as_ref().map(|(_, why)| why).into(),
        endpoint.created_at.into(),
    ];
    tx.send(sql, &values).await
}

pub(crate) async fn mark<T: Tx>(
    tx: &mut T,
    id: &str,
    failing_since: Option<Millis>,
    disabled: Option<&(Millis, String)>,
) -> Result<()> {
    let sql = "UPDATE webhook_endpoints SET failing_since = ?2, disabled_at = ?3,
                   disabled_reason = ?4
               WHERE id = ?1";
    let values = [
        id.into(),
        failing_since.into(),
        disabled.map(|(at, _)| *at).into(),
        disabled.map(|(_, why)| why).into(),
    ];
    tx.send(sql, &values).await
}

pub(crate) async fn all<T: Tx>(tx: &mut T, tenant: Option<&str>) -> Result<Vec<Endpoint>> {
    tx.query(ENDPOINTS, &[tenant.into()]).await?.into_iter().map(endpoint).collect()
}

pub(crate) async fn remove<T: Tx>(tx: &mut T, tenant: &str, id: &str) -> Result<bool> {
    let messages = "DELETE FROM webhook_messages WHERE endpoint IN
                      (SELECT e.id FROM webhook_endpoints e WHERE e.id = ?1 AND e.tenant = ?2)";
    tx.execute(messages, &[id.into(), tenant.into()]).await?;
    let sql = "DELETE FROM webhook_endpoints WHERE id = ?1 AND tenant = ?2";
    Ok(tx.execute(sql, &[id.into(), tenant.into()]).await? == 1)
}

pub(crate) async fn told_until<T: Tx>(tx: &mut T) -> Result<i64> {
    number(tx, "SELECT max(cursor) FROM webhook_told", &[]).await
}

pub(crate) async fn add<T: Tx>(tx: &mut T, messages: &[Message], until: i64) -> Result<()> {
    let sql =
        "INSERT INTO webhook_messages (id, endpoint, message, kind, payload, attempts, due_at,
                   leased, fence, delivered, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, 0, 0, 0, ?7)
               ON CONFLICT (endpoint, message) DO NOTHING";
    for one in messages {
        let values = [
            (&one.id).into(),
            (&one.endpoint).into(),
            (&one.message).into(),
            (&one.kind).into(),
            (&one.payload).into(),
            one.due_at.into(),
            one.created_at.into(),
        ];
        tx.send(sql, &values).await?;
    }
    let sql = "INSERT INTO webhook_told (one, cursor) VALUES (1, ?1)
               ON CONFLICT (one) DO UPDATE SET cursor = ?1 WHERE webhook_told.cursor < ?1";
    tx.send(sql, &[until.into()]).await
}

pub(crate) async fn claim<T: Tx>(
    tx: &mut T,
    (now, lease_until): (Millis, Millis),
    limit: usize,
    each: usize,
) -> Result<Vec<Message>> {
    let size = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
    let sql = if T::SKIP_LOCKED.is_empty() { DUE } else { DUE_SKIPPING };
    let rows = tx.query(sql, &[now.into(), size(limit).into(), size(each).into()]).await?;
    let mut claimed: Vec<Message> = rows.into_iter().map(message).collect::<Result<_>>()?;
    for one in &mut claimed {
        (one.fence, one.leased, one.due_at) = (one.fence + 1, true, Some(lease_until));
        let sql = "UPDATE webhook_messages SET fence = ?2, leased = 1, due_at = ?3 WHERE id = ?1";
        tx.send(sql, &[(&one.id).into(), one.fence.into(), lease_until.into()]).await?;
    }
    Ok(claimed)
}

pub(crate) async fn end<T: Tx>(tx: &mut T, one: &Message) -> Result<bool> {
    let sql = "UPDATE webhook_messages SET attempts = ?3, due_at = ?4, leased = 0, delivered = ?5,
                   last_status = ?6, last_error = ?7, sent_at = ?8
               WHERE id = ?1 AND fence = ?2 AND leased = 1";
    let values = [
        (&one.id).into(),
        one.fence.into(),
        one.attempts.into(),
        one.due_at.into(),
        one.delivered.into(),
        one.last_status.into(),
        one.last_error.as_ref().into(),
        one.sent_at.into(),
    ];
    Ok(tx.execute(sql, &values).await? == 1)
}

pub(crate) async fn messages<T: Tx>(
    tx: &mut T,
    endpoint: &str,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<Message>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [endpoint.into(), before.into(), limit.into()];
    tx.query(MESSAGES, &values).await?.into_iter().map(message).collect()
}

pub(crate) async fn replay<T: Tx>(
    tx: &mut T,
    endpoint: &str,
    id: &str,
    now: Millis,
) -> Result<bool> {
    let sql = "UPDATE webhook_messages SET due_at = ?3, attempts = 0, delivered = 0, leased = 0,
                   fence = fence + 1
               WHERE endpoint = ?1 AND id = ?2";
    Ok(tx.execute(sql, &[endpoint.into(), id.into(), now.into()]).await? == 1)
}

pub(crate) async fn forget<T: Tx>(tx: &mut T, before: Millis) -> Result<u64> {
    let sql = "DELETE FROM webhook_messages WHERE created_at < ?1 AND due_at IS NULL";
    tx.execute(sql, &[before.into()]).await
}
