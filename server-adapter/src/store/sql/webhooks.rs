//! Webhooks of providers.

use super::super::webhooks::{Door, Taken, Target, Told, hinted};
use super::super::{Millis, Result};
use super::operations::by_id;
use super::{Cells, Tx, columns, first};

pub(crate) async fn open_door<T: Tx>(tx: &mut T, door: &Door) -> Result<()> {
    let sql = "INSERT INTO webhook_doors (hash, generation, attempt, provider, opened_at)
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (hash) DO NOTHING";
    let values = [
        (&door.hash).into(),
        (&door.generation).into(),
        door.attempt.into(),
        (&door.provider).into(),
        door.opened_at.into(),
    ];
    tx.send(sql, &values).await
}

pub(crate) async fn behind_door<T: Tx>(tx: &mut T, hash: &str) -> Result<Option<Target>> {
    let sql = "SELECT generation, attempt, provider FROM webhook_doors WHERE hash = ?1";
    let found = first(tx, sql, &[hash.into()]).await?;
    target(tx, found).await
}

pub(crate) async fn by_prediction<T: Tx>(
    tx: &mut T,
    provider: &str,
    prediction: &str,
) -> Result<Option<Target>> {
    let sql = "SELECT generation, number, provider FROM attempts
               WHERE provider = ?1 AND prediction = ?2 ORDER BY submitted_at DESC LIMIT 1";
    let found = first(tx, sql, &[provider.into(), prediction.into()]).await?;
    target(tx, found).await
}

async fn target<T: Tx>(tx: &mut T, found: Option<Cells>) -> Result<Option<Target>> {
    let Some(mut cells) = found else { return Ok(None) };
    let generation: String = cells.take()?;
    let (attempt, provider) = (cells.take()?, cells.take()?);
    let row = by_id(tx, &generation, false).await?;
    Ok(row.map(|row| Target { row, attempt, provider }))
}

pub(crate) async fn take<T: Tx>(tx: &mut T, told: &Told) -> Result<Taken> {
    // The row first, as everybody else: whoever waits for a row holds nothing else.
    let Some(row) = by_id(tx, &told.generation, true).await? else { return Ok(Taken::TooLate) };
    let Some(row) = hinted(&row, told.attempt, told.at) else { return Ok(Taken::TooLate) };
    let sql =
        "INSERT INTO webhook_receipts (provider, delivery, generation, attempt, prediction, at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (provider, delivery) DO NOTHING";
    let values = [
        (&told.provider).into(),
        (&told.delivery).into(),
        (&told.generation).into(),
        told.attempt.into(),
        (&told.prediction).into(),
        told.at.into(),
    ];
    if tx.execute(sql, &values).await? == 0 {
        return Ok(Taken::Known);
    }
    columns::update(tx, &row).await?;
    Ok(Taken::New)
}

/// Whether a delivery was here before: most of what comes again is told so without a write.
pub(crate) async fn is_known<T: Tx>(tx: &mut T, told: &Told) -> Result<bool> {
    let sql = "SELECT attempt FROM webhook_receipts WHERE provider = ?1 AND delivery = ?2";
    let values = [(&told.provider).into(), (&told.delivery).into()];
    Ok(first(tx, sql, &values).await?.is_some())
}

pub(crate) async fn prediction_told<T: Tx>(
    tx: &mut T,
    generation: &str,
    attempt: i64,
) -> Result<Option<String>> {
    let sql = "SELECT prediction FROM webhook_receipts
               WHERE generation = ?1 AND attempt = ?2 ORDER BY at, delivery LIMIT 1";
    let found = first(tx, sql, &[generation.into(), attempt.into()]).await?;
    found.map(|mut cells| cells.take()).transpose()
}

pub(crate) async fn forget<T: Tx>(tx: &mut T, before: Millis) -> Result<u64> {
    let doors = "DELETE FROM webhook_doors WHERE opened_at < ?1 AND EXISTS
                   (SELECT 1 FROM generations g WHERE g.id = webhook_doors.generation
                        AND g.status IN ('completed', 'failed', 'cancelled'))";
    let receipts = "DELETE FROM webhook_receipts WHERE at < ?1 AND EXISTS
                      (SELECT 1 FROM generations g WHERE g.id = webhook_receipts.generation
                           AND g.status IN ('completed', 'failed', 'cancelled'))";
    let doors = tx.execute(doors, &[before.into()]).await?;
    Ok(doors + tx.execute(receipts, &[before.into()]).await?)
}
