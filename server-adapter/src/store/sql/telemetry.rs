//! How runs ended: one row for each, written with the change that ends it.

use onepath_core::Operation;
use onepath_core::lifecycle::ErrorCode;

use super::super::row::{Millis, Row};
use super::super::telemetry::{EndedRun, RunCount, RunEnd, RunTimes};
use super::super::{Result, StoreError};
use super::{Cells, Tx};

pub(crate) async fn insert<T: Tx>(tx: &mut T, row: &Row, run: &EndedRun) -> Result<()> {
    let sql =
        "INSERT INTO ended_runs (generation, run, tenant, provider, model, operation, outcome,
            error, wait_bin, latency_bin, micros, at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let values = [
        (&row.id).into(),
        run.run.into(),
        (&row.tenant).into(),
        row.provider().into(),
        run.model.as_ref().into(),
        row.asked.operation.word().into(),
        run.end.word().into(),
        run.error.map(ErrorCode::word).into(),
        run.wait_bin().into(),
        run.latency_bin().into(),
        run.micros.into(),
        row.updated_at.into(),
    ];
    tx.send(sql, &values).await
}

const COUNTS: &str = "SELECT provider, model, operation, outcome, error, count(*),
        CAST(sum(micros) AS BIGINT)
    FROM ended_runs WHERE at >= ?1 AND (CAST(?2 AS TEXT) IS NULL OR tenant = ?2)
    GROUP BY provider, model, operation, outcome, error
    ORDER BY provider, model, operation, outcome, error";

const WAITS: &str = "SELECT provider, model, operation, wait_bin, count(*)
    FROM ended_runs
    WHERE at >= ?1 AND (CAST(?2 AS TEXT) IS NULL OR tenant = ?2) AND wait_bin IS NOT NULL
    GROUP BY provider, model, operation, wait_bin ORDER BY provider, model, operation, wait_bin";

const LATENCIES: &str = "SELECT provider, model, operation, latency_bin, count(*)
    FROM ended_runs
    WHERE at >= ?1 AND (CAST(?2 AS TEXT) IS NULL OR tenant = ?2) AND latency_bin IS NOT NULL
    GROUP BY provider, model, operation, latency_bin
    ORDER BY provider, model, operation, latency_bin";

pub(crate) async fn ended_runs<T: Tx>(
    tx: &mut T,
    tenant: Option<&str>,
    since: Millis,
) -> Result<(Vec<RunCount>, Vec<RunTimes>)> {
    let values = [since.into(), tenant.into()];
    let counts = tx.query(COUNTS, &values).await?.into_iter().map(count).collect::<Result<_>>()?;
    let mut times = Vec::new();
    for (sql, waits) in [(WAITS, true), (LATENCIES, false)] {
        for mut cells in tx.query(sql, &values).await? {
            times.push(RunTimes {
                provider: cells.take()?,
                model: cells.take()?,
                operation: cells.word(Operation::parse)?,
                waits,
                bin: cells.take()?,
                runs: natural(&mut cells)?,
            });
        }
    }
    Ok((counts, times))
}

fn count(mut cells: Cells) -> Result<RunCount> {
    Ok(RunCount {
        provider: cells.take()?,
        model: cells.take()?,
        operation: cells.word(Operation::parse)?,
        end: cells.word(RunEnd::parse)?,
        error: cells.optional_word(ErrorCode::parse)?,
        runs: natural(&mut cells)?,
        micros: cells.take()?,
    })
}

fn natural(cells: &mut Cells) -> Result<u64> {
    let number: i64 = cells.take()?;
    u64::try_from(number).map_err(|_| StoreError::Corrupt(format!("{number} is no count")))
}

const IN_FLIGHT: &str = "SELECT COALESCE(serving, provider) AS maker, status, count(*)
    FROM generations WHERE due_at IS NOT NULL AND deleted_at IS NULL
    GROUP BY maker, status ORDER BY maker, status";

pub(crate) async fn in_flight<T: Tx>(tx: &mut T) -> Result<Vec<(String, String, u64)>> {
    let rows = tx.query(IN_FLIGHT, &[]).await?;
    let line = |mut cells: Cells| Ok((cells.take()?, cells.take()?, natural(&mut cells)?));
    rows.into_iter().map(line).collect()
}

pub(crate) async fn forget_runs<T: Tx>(tx: &mut T, before: Millis) -> Result<u64> {
    tx.execute("DELETE FROM ended_runs WHERE at < ?1", &[before.into()]).await
}
