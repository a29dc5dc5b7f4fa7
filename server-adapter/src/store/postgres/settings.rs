//! Settings of operators.

use async_trait::async_trait;

use super::super::settings::{Setting, SettingStore};
use super::super::sql::settings;
use super::super::{Result, StoreError};
use super::{PostgresStore, Remote, Tries, WRITE, connection};

#[async_trait]
impl SettingStore for PostgresStore {
    async fn put_settings(&self, changes: Vec<Setting>) -> Result<()> {
        write!(self, |tx| settings::put(tx, &changes))
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        ask!(self, |tx| settings::all(tx))
    }

    async fn setting_history(&self, name: Option<&str>, limit: usize) -> Result<Vec<Setting>> {
        let name = name.map(str::to_owned);
        ask!(self, |tx| settings::history(tx, name.as_deref(), limit))
    }
}
