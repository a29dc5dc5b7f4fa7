//! Settings of operators.

use async_trait::async_trait;

use super::super::Result;
use super::super::settings::{Setting, SettingStore};
use super::super::sql::settings;
use super::{Local, SqliteStore, at_once};

#[async_trait]
impl SettingStore for SqliteStore {
    async fn put_settings(&self, changes: Vec<Setting>) -> Result<()> {
        write!(self, |tx| settings::put(tx, &changes))
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        read!(self, |tx| settings::all(tx))
    }

    async fn setting_history(&self, name: Option<&str>, limit: usize) -> Result<Vec<Setting>> {
        let name = name.map(str::to_owned);
        read!(self, |tx| settings::history(tx, name.as_deref(), limit))
    }
}
