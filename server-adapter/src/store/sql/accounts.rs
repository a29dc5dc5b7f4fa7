//! Who there is: keys, users, worlds; and what they used.

use onepath_core::Operation;

use super::super::{Key, Millis, Reader, Result, UsageLine, User, World};
use super::{Tx, columns, first};
use crate::clock::rfc3339;

const KEY: &str = "SELECT hash, id, name, tenant, user_id, role, created_at, revoked_at
    FROM api_keys WHERE hash = ?1";

const KEYS: &str = "SELECT hash, id, name, tenant, user_id, role, created_at, revoked_at
    FROM api_keys ORDER BY tenant, created_at, id";

const USER: &str = "SELECT tenant, id, max_rating, reduce_intensity, price_id, created_at
    FROM users WHERE tenant = ?1 AND id = ?2";

const USERS: &str = "SELECT tenant, id, max_rating, reduce_intensity, price_id, created_at
    FROM users WHERE CAST(?1 AS TEXT) IS NULL OR tenant = ?1 ORDER BY tenant, id";

const WORLD: &str = "SELECT tenant, id, name, meta, created_at FROM worlds
    WHERE tenant = ?1 AND id = ?2";

const WORLDS: &str = "SELECT tenant, id, name, meta, created_at FROM worlds
    WHERE CAST(?1 AS TEXT) IS NULL OR tenant = ?1 ORDER BY tenant, id";

pub(crate) async fn add_key<T: Tx>(tx: &mut T, key: &Key) -> Result<()> {
    let sql = "INSERT INTO api_keys (hash, id, name, tenant, user_id, role, created_at, revoked_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (hash) DO UPDATE SET name = ?3, tenant = ?4, user_id = ?5, role = ?6,
                   revoked_at = ?8";
    let values = [
        (&key.hash).into(),
        (&key.id).into(),
        (&key.name).into(),
        (&key.reader.tenant).into(),
        (&key.reader.user).into(),
        key.role.word().into(),
        key.created_at.into(),
        key.revoked_at.into(),
    ];
    tx.execute(sql, &values).await.map(drop)
}

pub(crate) async fn key<T: Tx>(tx: &mut T, hash: &str) -> Result<Option<Key>> {
    first(tx, KEY, &[hash.into()]).await?.map(columns::key).transpose()
}

pub(crate) async fn keys<T: Tx>(tx: &mut T) -> Result<Vec<Key>> {
    tx.query(KEYS, &[]).await?.into_iter().map(columns::key).collect()
}

pub(crate) async fn revoke_key<T: Tx>(tx: &mut T, id: &str, now: Millis) -> Result<bool> {
    let sql = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1";
    Ok(tx.execute(sql, &[id.into(), now.into()]).await? == 1)
}

pub(crate) async fn put_user<T: Tx>(tx: &mut T, user: &User) -> Result<()> {
    let sql = "INSERT INTO users (tenant, id, max_rating, reduce_intensity, price_id, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (tenant, id) DO UPDATE SET max_rating = ?3, reduce_intensity = ?4,
                   price_id = ?5";
    let values = [
        (&user.reader.tenant).into(),
        (&user.reader.user).into(),
        user.max_rating.map(onepath_core::Rating::word).into(),
        user.reduce_intensity.into(),
        user.price_id.as_ref().into(),
        user.created_at.into(),
    ];
    tx.execute(sql, &values).await.map(drop)
}

pub(crate) async fn user<T: Tx>(tx: &mut T, reader: &Reader) -> Result<Option<User>> {
    let values = [(&reader.tenant).into(), (&reader.user).into()];
    first(tx, USER, &values).await?.map(columns::user).transpose()
}

pub(crate) async fn users<T: Tx>(tx: &mut T, tenant: Option<&str>) -> Result<Vec<User>> {
    tx.query(USERS, &[tenant.into()]).await?.into_iter().map(columns::user).collect()
}

pub(crate) async fn put_world<T: Tx>(tx: &mut T, world: &World) -> Result<()> {
    let sql = "INSERT INTO worlds (tenant, id, name, meta, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (tenant, id) DO UPDATE SET name = ?3, meta = ?4";
    let values = [
        (&world.tenant).into(),
        (&world.id).into(),
        world.name.as_ref().into(),
        (&world.meta).into(),
        world.created_at.into(),
    ];
    tx.execute(sql, &values).await.map(drop)
}

pub(crate) async fn world<T: Tx>(tx: &mut T, tenant: &str, id: &str) -> Result<Option<World>> {
    first(tx, WORLD, &[tenant.into(), id.into()]).await?.map(columns::world).transpose()
}

pub(crate) async fn worlds<T: Tx>(tx: &mut T, tenant: Option<&str>) -> Result<Vec<World>> {
    tx.query(WORLDS, &[tenant.into()]).await?.into_iter().map(columns::world).collect()
}

/// Days are those of UTC: 86,400,000 milliseconds each.
const USAGE: &str = "SELECT l.at / 86400000, g.provider, g.operation,
        CAST(sum(l.runs) AS BIGINT), CAST(sum(l.micros) AS BIGINT)
    FROM ledger l JOIN generations g ON g.id = l.generation
    WHERE l.tenant = ?1 AND l.user_id = ?2 AND l.at >= ?3 AND l.at < ?4
    GROUP BY l.at / 86400000, g.provider, g.operation
    ORDER BY l.at / 86400000, g.provider, g.operation";

pub(crate) async fn usage<T: Tx>(
    tx: &mut T,
    reader: &Reader,
    since: Millis,
    until: Millis,
) -> Result<Vec<UsageLine>> {
    let values = [(&reader.tenant).into(), (&reader.user).into(), since.into(), until.into()];
    let rows = tx.query(USAGE, &values).await?;
    let line = |mut cells: super::Cells| {
        let day: i64 = cells.take()?;
        let day = rfc3339(day.saturating_mul(86_400_000));
        Ok(UsageLine {
            day: day.split('T').next().unwrap_or_default().to_owned(),
            provider_id: cells.take()?,
            operation_type: cells.word(Operation::parse)?,
            runs: cells.take()?,
            micros: cells.take()?,
        })
    };
    rows.into_iter().map(line).collect()
}

pub(crate) async fn forget_receipts<T: Tx>(tx: &mut T, before: Millis) -> Result<u64> {
    tx.execute("DELETE FROM receipts WHERE created_at < ?1", &[before.into()]).await
}
