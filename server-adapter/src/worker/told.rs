//! What webhooks have to do with carrying a row: where its provider may report to, and what it told.

use std::sync::Arc;

use super::Worker;
use crate::provider::Provider;
use crate::store::webhooks::Door;
use crate::store::{Result, Row};

impl Worker {
    /// The URL to which the provider may report about the row's attempt. Its token is known here
    /// before anybody hears of it.
    pub(super) async fn open_door(
        &self,
        row: &Row,
        provider: &Arc<dyn Provider>,
    ) -> Result<Option<String>> {
        let Some(doors) = self.doors.as_ref().filter(|_| provider.takes_webhooks()) else {
            return Ok(None);
        };
        let id = row.provider();
        let token = row.token.as_deref().unwrap_or_default();
        let Some((url, hash)) = doors.open(id, token) else { return Ok(None) };
        let door = Door {
            hash,
            generation: row.id.clone(),
            attempt: row.attempts,
            provider: id.to_owned(),
            opened_at: self.clock.now(),
        };
        self.store.open_door(door).await?;
        Ok(Some(url))
    }

    /// The provider's own id of an attempt whose submission's answer was lost, if a webhook told it.
    pub(super) async fn told(
        &self,
        row: &Row,
        provider: &Arc<dyn Provider>,
    ) -> Result<Option<String>> {
        if !provider.takes_webhooks() {
            return Ok(None);
        }
        self.store.prediction_told(&row.id, row.attempts).await
    }
}
