//! Settings of operators, and their history.

use super::super::settings::{Setting, Stop};
use super::super::{Result, StoreError};
use super::{Cells, Tx};

/// Whether a row may be taken: it is on its way, or nothing keeps it from being begun.
#[macro_export]
#[doc(hidden)]
macro_rules! not_stopped {
    () => {
        "(COALESCE(stage, 'claimed') <> 'claimed'
          OR (tenant NOT IN (SELECT stopped FROM settings WHERE stops = 'tenant')
              AND COALESCE(serving, provider) NOT IN (SELECT stopped FROM settings WHERE stops = 'provider')
              AND NOT EXISTS (SELECT 1 FROM settings WHERE stops = 'all')))"
    };
}

const NOW: &str =
    "SELECT change, name, value, author, at, stops, stopped FROM settings ORDER BY name";

const HISTORY: &str = "SELECT id, name, value, author, at, stops, stopped FROM setting_changes
    WHERE (CAST(?1 AS TEXT) IS NULL OR name = ?1) ORDER BY at DESC, id DESC LIMIT ?2";

fn setting(mut c: Cells) -> Result<Setting> {
    let (id, name, value) = (c.take()?, c.take()?, c.take()?);
    let (author, at) = (c.take()?, c.take()?);
    let (word, what): (Option<String>, String) = (c.take()?, c.take()?);
    let wrong = |word: &str| StoreError::Corrupt(format!("`{word}` stops nothing that is known"));
    let stops =
        word.map(|word| Stop::parse(&word, what).ok_or_else(|| wrong(&word))).transpose()?;
    Ok(Setting { id, name, value, author, at, stops })
}

pub(crate) async fn put<T: Tx>(tx: &mut T, changes: &[Setting]) -> Result<()> {
    let now = "INSERT INTO settings (name, change, value, author, at, stops, stopped)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (name) DO UPDATE SET change = ?2, value = ?3, author = ?4, at = ?5, stops = ?6,
            stopped = ?7";
    let change = "INSERT INTO setting_changes (name, id, value, author, at, stops, stopped)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    for one in changes {
        let values = [
            (&one.name).into(),
            (&one.id).into(),
            one.value.as_ref().into(),
            (&one.author).into(),
            one.at.into(),
            one.stops.as_ref().map(Stop::word).into(),
            one.stops.as_ref().map_or("", Stop::what).into(),
        ];
        tx.send(now, &values).await?;
        tx.send(change, &values).await?;
    }
    Ok(())
}

pub(crate) async fn all<T: Tx>(tx: &mut T) -> Result<Vec<Setting>> {
    tx.query(NOW, &[]).await?.into_iter().map(setting).collect()
}

pub(crate) async fn history<T: Tx>(
    tx: &mut T,
    name: Option<&str>,
    limit: usize,
) -> Result<Vec<Setting>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    tx.query(HISTORY, &[name.into(), limit.into()]).await?.into_iter().map(setting).collect()
}
