//! News of providers that came over a connection of ours: like a webhook, a reason to ask.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Service;
use crate::provider::Hint;
use crate::store::StoreError;
use crate::store::webhooks::{Taken, Told};

/// How long a hint waits for a row that does not know its prediction yet: its submission's answer
/// may be slower than its news.
const EARLY: Duration = Duration::from_millis(500);

impl Service {
    /// Takes hints of all providers, for ever.
    pub async fn take_hints(&self) {
        let providers = self.providers.iter();
        let with_hints = providers.filter_map(|provider| {
            let id = provider.info().id.as_str().to_owned();
            Some((id, provider.hints()?))
        });
        join_all(with_hints.map(|(id, hints)| self.take_hints_of(id, hints))).await;
        // Without hints everything is polled.
        std::future::pending::<()>().await;
    }

    async fn take_hints_of(&self, provider: String, mut hints: Receiver<Hint>) {
        loop {
            match hints.recv().await {
                Ok(hint) => {
                    if let Err(error) = self.take_hint(&provider, &hint).await {
                        tracing::debug!(%error, provider, "a hint is lost");
                    }
                }
                // What was too much is polled.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Makes the row of a prediction due, if it is on its way and the hint is new.
    async fn take_hint(&self, provider: &str, hint: &Hint) -> Result<(), StoreError> {
        let mut target = self.store.by_prediction(provider, &hint.prediction).await?;
        if target.is_none() {
            tokio::time::sleep(EARLY).await;
            target = self.store.by_prediction(provider, &hint.prediction).await?;
        }
        let Some(target) = target.filter(|target| target.is_live()) else { return Ok(()) };
        let told = Told {
            provider: provider.to_owned(),
            delivery: format!("hint {} {}", hint.event, hint.prediction),
            generation: target.row.id,
            attempt: target.attempt,
            prediction: hint.prediction.clone(),
            at: self.clock.now(),
        };
        if self.store.take_webhook(told).await? == Taken::New {
            self.bell.notify_one();
        }
        Ok(())
    }
}
