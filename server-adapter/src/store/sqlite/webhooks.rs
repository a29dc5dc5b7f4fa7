//! Webhooks of providers.

use async_trait::async_trait;

use super::super::sql::webhooks;
use super::super::webhooks::{Door, Taken, Target, Told, WebhookStore};
use super::super::{Millis, Result};
use super::{Local, SqliteStore, at_once};

#[async_trait]
impl WebhookStore for SqliteStore {
    async fn open_door(&self, door: Door) -> Result<()> {
        write!(self, |tx| webhooks::open_door(tx, &door))
    }

    async fn behind_door(&self, hash: &str) -> Result<Option<Target>> {
        let hash = hash.to_owned();
        read!(self, |tx| webhooks::behind_door(tx, &hash))
    }

    async fn by_prediction(&self, provider: &str, prediction: &str) -> Result<Option<Target>> {
        let (provider, prediction) = (provider.to_owned(), prediction.to_owned());
        read!(self, |tx| webhooks::by_prediction(tx, &provider, &prediction))
    }

    async fn take_webhook(&self, told: Told) -> Result<Taken> {
        let asked = told.clone();
        if read!(self, |tx| webhooks::is_known(tx, &asked))? {
            return Ok(Taken::Known);
        }
        write!(self, |tx| webhooks::take(tx, &told))
    }

    async fn prediction_told(&self, generation: &str, attempt: i64) -> Result<Option<String>> {
        let generation = generation.to_owned();
        read!(self, |tx| webhooks::prediction_told(tx, &generation, attempt))
    }

    async fn forget_webhooks(&self, before: Millis) -> Result<u64> {
        write!(self, |tx| webhooks::forget(tx, before))
    }
}
