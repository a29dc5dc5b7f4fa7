//! Runs that ended, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use onepath_core::lifecycle::ErrorCode;

use super::super::{Millis, Result, Row, RunCount, RunTimes, TelemetryStore};
use super::MemoryStore;

#[async_trait]
impl TelemetryStore for MemoryStore {
    async fn ended_runs(
        &self,
        tenant: Option<&str>,
        since: Millis,
    ) -> Result<(Vec<RunCount>, Vec<RunTimes>)> {
        let tables = self.tables();
        let asked =
            |row: &Row| row.updated_at >= since && tenant.is_none_or(|tenant| row.tenant == tenant);
        let ended = tables.ended.iter().filter(|(row, _)| asked(row));
        let mut counts = BTreeMap::new();
        let mut times = BTreeMap::new();
        for (row, run) in ended {
            let asked = &row.asked;
            let kind = (row.provider().to_owned(), run.model.clone(), asked.operation.word());
            let error = run.error.map(ErrorCode::word);
            let line = counts.entry((kind.clone(), run.end.word(), error)).or_insert(RunCount {
                provider: row.provider().to_owned(),
                model: run.model.clone(),
                operation: asked.operation,
                end: run.end,
                error: run.error,
                runs: 0,
                micros: 0,
            });
            line.runs += 1;
            line.micros += run.micros;
            for (bin, waits) in [(run.wait_bin(), true), (run.latency_bin(), false)] {
                let Some(bin) = bin else { continue };
                let line = times.entry((!waits, kind.clone(), bin)).or_insert(RunTimes {
                    provider: row.provider().to_owned(),
                    model: run.model.clone(),
                    operation: asked.operation,
                    waits,
                    bin,
                    runs: 0,
                });
                line.runs += 1;
            }
        }
        Ok((counts.into_values().collect(), times.into_values().collect()))
    }

    async fn in_flight(&self) -> Result<Vec<(String, String, u64)>> {
        let tables = self.tables();
        let mut lines: BTreeMap<(String, &str), u64> = BTreeMap::new();
        for row in tables.rows.values() {
            if !row.state.is_terminal() && row.deleted_at.is_none() {
                let key = (row.provider().to_owned(), row.status().word());
                *lines.entry(key).or_default() += 1;
            }
        }
        let line = |((provider, status), count): ((String, &str), u64)| {
            (provider, status.to_owned(), count)
        };
        Ok(lines.into_iter().map(line).collect())
    }

    async fn forget_runs(&self, before: Millis) -> Result<u64> {
        let mut tables = self.tables();
        let count = tables.ended.len();
        tables.ended.retain(|(row, _)| row.updated_at >= before);
        Ok(u64::try_from(count - tables.ended.len()).unwrap_or(0))
    }
}
