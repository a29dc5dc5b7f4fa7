//! Files that were handed over to a provider: each asset once for an account, as long as the
//! provider keeps it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Worker, millis};
use crate::clock::SharedClock;
use crate::provider::Copies;
use crate::signing::Signer;
use crate::store::{AssetCopy, Reader, Result, Row, Store};
use crate::webhook::PublicUrl;

/// For how long a provider may read a file that a submission starts from.
const READ_FOR: i64 = 300_000;

/// Makes URLs under which providers read what a submission starts from.
#[derive(Debug, Clone)]
pub struct InputUrls {
    /// Signs them.
    pub signer: Signer,
    /// Where the world reaches this server.
    pub public_url: PublicUrl,
}

impl InputUrls {
    /// The URL of an asset's file, as the owner of a row may see it, from now on for 300 seconds.
    pub(super) fn url(&self, row: &Row, asset: &str, now: i64) -> String {
        let reader = Reader { tenant: row.tenant.clone(), user: row.owner.clone() };
        self.public_url.join(&self.signer.url_until(&reader, asset, "file", now + READ_FOR))
    }
}

/// What one account of a provider has.
struct OfAccount {
    store: Arc<dyn Store>,
    clock: SharedClock,
    provider: String,
    account: String,
}

/// The asset of a reference.
fn asset_of(reference: &str) -> &str {
    reference.strip_prefix("asset:").unwrap_or(reference)
}

#[async_trait]
impl Copies for OfAccount {
    async fn known(&self, reference: &str) -> Option<String> {
        let now = self.clock.now();
        let found = self.store.copy(asset_of(reference), &self.provider, &self.account, now).await;
        match found {
            Ok(copy) => copy.map(|copy| copy.reference),
            Err(error) => {
                // It is handed over once more: that costs nothing but time.
                tracing::warn!(%error, "what was handed over before is not known now");
                None
            }
        }
    }

    async fn keep(&self, reference: &str, place: &str, lives: Duration) {
        let now = self.clock.now();
        let copy = AssetCopy {
            asset: asset_of(reference).to_owned(),
            provider: self.provider.clone(),
            account: self.account.clone(),
            reference: place.to_owned(),
            expires_at: Some(now + millis(lives)),
        };
        if let Err(error) = self.store.put_copy(copy, now).await {
            tracing::warn!(%error, "what was handed over is not remembered");
        }
    }
}

impl Worker {
    /// What the account of a row has at the row's provider.
    pub(super) fn copies(&self, row: &Row) -> Arc<dyn Copies> {
        Arc::new(OfAccount {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            provider: row.asked.provider.clone(),
            account: row.account.clone().unwrap_or_default(),
        })
    }

    /// A run that failed may have started from what its provider has no more: the next one hands
    /// everything over anew.
    pub(super) async fn forget_copies(&self, row: &Row) -> Result<()> {
        if !row.asked.request.contains("\"asset:") {
            return Ok(());
        }
        let now = self.clock.now();
        let account = row.account.clone().unwrap_or_default();
        for (input, _) in self.store.inputs(&row.id).await? {
            let provider = &row.asked.provider;
            if let Some(copy) = self.store.copy(&input.asset, provider, &account, now).await? {
                self.store.put_copy(AssetCopy { expires_at: Some(now), ..copy }, now).await?;
            }
        }
        Ok(())
    }
}
