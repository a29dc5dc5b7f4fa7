//! The account of a row: its key, and what it has left.

use std::sync::Arc;
use std::time::Duration;

use onepath_core::lifecycle::{Attempt as Stage, ErrorCode, Event, ProviderReport, State};

use super::carry::Load;
use crate::provider::{Credentials, Provider};
use crate::store::{CreditsRead, Result};

/// How long a provider may take to tell what is left: a submission does not wait for it for ever.
const CREDITS: Duration = Duration::from_secs(10);

impl Load<'_> {
    /// Whether the provider can be asked: with the key of the row's account, if it has one.
    pub(super) async fn has_key(&mut self) -> Result<bool> {
        let Some(id) = &self.row.account else { return Ok(true) };
        if self.credentials.as_ref().is_some_and(|known| known.account == *id) {
            return Ok(true);
        }
        let now = self.worker.clock.now();
        let account = match self.worker.accounts.get(id, now) {
            Some(known) => Some(known),
            None => {
                let found = self.worker.store.account(id).await?.map(Arc::new);
                if let Some(account) = &found {
                    self.worker.accounts.put(id.clone(), Arc::clone(account), now);
                }
                found
            }
        };
        let Some(account) = account else {
            tracing::error!(generation = %self.row.id, account = %id, "the account is not there");
            return Ok(false);
        };
        match self.worker.vault.open(&account) {
            Ok(secret) => {
                self.credentials = Some(Credentials {
                    account: account.id.clone(),
                    endpoint: account.endpoint.clone(),
                    secret,
                });
                Ok(true)
            }
            Err(error) => {
                tracing::error!(%error, account = %id, "the key of an account cannot be used");
                Ok(false)
            }
        }
    }

    /// Nobody can ask with the row's account for now. What was not sent yet gets another one; what
    /// was is asked for later.
    pub(super) async fn without_key(&mut self) -> Result<bool> {
        let State::Processing { attempt, .. } = self.row.state else { return Ok(false) };
        match attempt {
            Stage::Claimed => {
                if let Some(id) = &self.row.account {
                    let (store, now) = (&self.worker.store, self.worker.clock.now());
                    store.account_failed(id, ErrorCode::ProviderAuth, None, now).await?;
                }
                self.gives_up_seat().await
            }
            Stage::Submitting | Stage::SubmitUnknown => {
                self.wait(Event::AnswerLost, self.pause()).await
            }
            Stage::Submitted => {
                self.wait(Event::Reported(ProviderReport::Running), self.pause()).await
            }
            Stage::Settling => self.wait(Event::StoreFailed, self.pause()).await,
        }
    }

    /// Whether the account has enough left for the row. The provider is asked once before a
    /// submission; where it does not tell, it has.
    pub(super) async fn has_credits(&self, provider: &Arc<dyn Provider>) -> Result<bool> {
        let Some(account) = &self.credentials else { return Ok(true) };
        let told = tokio::time::timeout(CREDITS, provider.credits(Some(account))).await;
        let amounts = match told {
            Ok(Ok(Some(amounts))) => amounts,
            Ok(Ok(None)) => return Ok(true),
            Ok(Err(error)) => {
                tracing::warn!(%error, account = %account.account, "nobody knows what is left");
                return Ok(true);
            }
            Err(_) => {
                tracing::warn!(account = %account.account, "what is left was not told in time");
                return Ok(true);
            }
        };
        let read_at = self.worker.clock.now();
        self.worker.store.put_credits(&account.account, amounts.clone(), read_at).await?;
        Ok(CreditsRead { amounts, read_at }.pay_for(self.row.price_credits()))
    }

    /// Nothing was sent: the row looks for another account at once.
    pub(super) async fn gives_up_seat(&mut self) -> Result<bool> {
        self.credentials = None;
        self.advance(self.event(Event::LeaseExpired)).await?;
        self.worker.bell.notify_one();
        Ok(false)
    }
}
