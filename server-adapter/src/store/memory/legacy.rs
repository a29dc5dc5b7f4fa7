//! Calls of the old API, in memory.

use async_trait::async_trait;

use super::super::legacy::{LegacyStore, OldCalls};
use super::super::{Millis, Result};
use super::MemoryStore;

#[async_trait]
impl LegacyStore for MemoryStore {
    async fn count_old_call(&self, key: &str, route: &str, at: Millis) -> Result<()> {
        let (key, route) = (key.to_owned(), route.to_owned());
        let mut tables = self.tables();
        let line = tables.old_calls.entry((key.clone(), route.clone())).or_insert(OldCalls {
            key,
            route,
            calls: 0,
            first_at: at,
            last_at: at,
        });
        line.calls += 1;
        line.first_at = line.first_at.min(at);
        line.last_at = line.last_at.max(at);
        Ok(())
    }

    async fn old_calls(&self) -> Result<Vec<OldCalls>> {
        Ok(self.tables().old_calls.values().cloned().collect())
    }
}
