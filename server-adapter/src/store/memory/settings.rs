//! Settings of operators in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::super::settings::{Setting, SettingStore};
use super::super::{Result, Row};
use super::{MemoryStore, Tables};

/// What is kept of settings.
#[derive(Debug, Default)]
pub(super) struct Settings {
    now: BTreeMap<String, Setting>,
    changes: Vec<Setting>,
}

impl Tables {
    /// Whether a row may be taken: it is on its way, or nothing keeps it from being begun.
    pub(super) fn may_begin(&self, row: &Row) -> bool {
        use onepath_core::lifecycle::{Attempt, State};
        let is_begun = matches!(row.state, State::Processing { attempt, .. }
            if attempt != Attempt::Claimed);
        let mut stops = self.settings.now.values().filter_map(|setting| setting.stops.as_ref());
        is_begun || !stops.any(|stop| stop.covers(&row.tenant, row.provider()))
    }
}

#[async_trait]
impl SettingStore for MemoryStore {
    async fn put_settings(&self, changes: Vec<Setting>) -> Result<()> {
        let kept = &mut self.tables().settings;
        for one in changes {
            kept.now.insert(one.name.clone(), one.clone());
            kept.changes.push(one);
        }
        Ok(())
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        Ok(self.tables().settings.now.values().cloned().collect())
    }

    async fn setting_history(&self, name: Option<&str>, limit: usize) -> Result<Vec<Setting>> {
        let tables = self.tables();
        let of = |one: &&Setting| name.is_none_or(|name| one.name == name);
        let mut found: Vec<Setting> = tables.settings.changes.iter().filter(of).cloned().collect();
        found.sort_by_key(|one| std::cmp::Reverse((one.at, one.id.clone())));
        found.truncate(limit);
        Ok(found)
    }
}
