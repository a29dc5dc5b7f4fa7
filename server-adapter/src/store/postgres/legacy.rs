//! Calls of the old API.

use async_trait::async_trait;

use super::super::legacy::{LegacyStore, OldCalls};
use super::super::sql::legacy;
use super::super::{Millis, Result, StoreError};
use super::{PostgresStore, Remote, Tries, WRITE, connection};

#[async_trait]
impl LegacyStore for PostgresStore {
    async fn count_old_call(&self, key: &str, route: &str, at: Millis) -> Result<()> {
        let (key, route) = (key.to_owned(), route.to_owned());
        write!(self, |tx| legacy::count(tx, &key, &route, at))
    }

    async fn old_calls(&self) -> Result<Vec<OldCalls>> {
        ask!(self, |tx| legacy::all(tx))
    }
}
