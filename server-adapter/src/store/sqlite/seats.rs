//! Accounts at providers.

use async_trait::async_trait;
use onepath_core::lifecycle::ErrorCode;

use super::super::account::{Account, AccountNow, AccountQuery, AccountStore};
use super::super::sql::slots;
use super::super::{Millis, Result};
use super::{Local, SqliteStore, at_once};
use crate::provider::Credits;

#[async_trait]
impl AccountStore for SqliteStore {
    async fn put_account(&self, account: Account) -> Result<bool> {
        write!(self, |tx| slots::put(tx, &account))
    }

    async fn remove_account(&self, id: &str, now: Millis) -> Result<bool> {
        let id = id.to_owned();
        write!(self, |tx| slots::remove(tx, &id, now))
    }

    async fn account(&self, id: &str) -> Result<Option<Account>> {
        let id = id.to_owned();
        read!(self, |tx| slots::get(tx, &id))
    }

    async fn accounts(&self, query: &AccountQuery, now: Millis) -> Result<Vec<AccountNow>> {
        let query = query.clone();
        read!(self, |tx| slots::list(tx, &query, now))
    }

    async fn put_credits(&self, id: &str, credits: Credits, now: Millis) -> Result<()> {
        let id = id.to_owned();
        write!(self, |tx| slots::put_credits(tx, &id, &credits, now))
    }

    async fn account_failed(
        &self,
        id: &str,
        error: ErrorCode,
        rests_until: Option<Millis>,
        now: Millis,
    ) -> Result<()> {
        let id = id.to_owned();
        write!(self, |tx| slots::failed(tx, &id, error, rests_until, now))
    }

    async fn heal_account(&self, id: &str, now: Millis) -> Result<bool> {
        let id = id.to_owned();
        write!(self, |tx| slots::heal(tx, &id, now))
    }
}
