//! Webhooks of Replicate: a prediction, signed as Standard Webhooks says, with a secret that the API
//! tells whoever has the token.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use onepath_webhook::Secret;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::client::Api;
use super::is_id;
use super::status::{Prediction, standing};
use crate::provider::delivery::{Delivery, WebhookRefused, WebhookReport};
use crate::provider::wire::Wire;
use crate::webhook::verify;

/// A secret that does not hold is asked for again, and not sooner after the last time, in
/// milliseconds: whoever forges webhooks has nobody asked for each of them.
const AGAIN: i64 = 60_000;

/// Secrets that hold at the same time: the last one and the one before.
const AT_ONCE: usize = 2;

/// The secrets of accounts, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    known: RwLock<BTreeMap<String, Known>>,
    asking: Mutex<()>,
}

/// The secrets of an account, the newest first, and when they were asked for.
#[derive(Debug, Clone)]
struct Known {
    secrets: Vec<Secret>,
    at: i64,
}

impl Secrets {
    fn get(&self, whose: &str) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(whose).cloned()
    }

    /// What is known, asked for anew if that is older than a moment that was seen before.
    async fn fetch(
        &self,
        wire: &Wire,
        api: &Api,
        whose: &str,
        now: i64,
    ) -> Result<Known, WebhookRefused> {
        #[derive(Deserialize)]
        struct Told {
            key: String,
        }
        let before = self.get(whose).map(|known| known.at);
        let _one_by_one = self.asking.lock().await;
        let mut secrets = match self.get(whose) {
            Some(known) if before != Some(known.at) => return Ok(known),
            Some(known) => known.secrets,
            None => Vec::new(),
        };
        let not_now = |why: String| WebhookRefused::NotNow(why);
        let answer = wire.send(api.webhook_secret()).await;
        let answer = answer.map_err(|error| not_now(error.to_string()))?;
        let told = answer.json::<Told>().filter(|_| answer.status.is_success());
        let told = told.ok_or_else(|| not_now(answer.seen()))?;
        let fresh = Secret::parse(&told.key).map_err(|error| not_now(error.to_string()))?;
        if secrets.first() != Some(&fresh) {
            secrets.insert(0, fresh);
            secrets.truncate(AT_ONCE);
        }
        let known = Known { secrets, at: now };
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(whose.to_owned(), known.clone());
        Ok(known)
    }

    /// Verifies a webhook, and reads what it reports.
    pub(super) async fn read(
        &self,
        wire: &Wire,
        api: &Api,
        delivery: &Delivery<'_>,
    ) -> Result<WebhookReport, WebhookRefused> {
        let account = delivery.submission.account.as_ref();
        let account = account.map_or("", |account| account.account.as_str());
        let whose = format!("{} {account}", api.base);
        let now = delivery.now;
        let known = match self.get(&whose) {
            Some(known) => known,
            None => self.fetch(wire, api, &whose, now).await?,
        };
        let check = |known: &Known| {
            let id = verify::standard(delivery.headers, delivery.body, &known.secrets, now);
            id.map(str::to_owned)
        };
        let id = match check(&known) {
            Err(WebhookRefused::Forged(_)) if now - known.at >= AGAIN => {
                // It may have been replaced.
                check(&self.fetch(wire, api, &whose, now).await?)?
            }
            checked => checked?,
        };
        let unreadable = |why: &str| WebhookRefused::Unreadable(why.to_owned());
        let told: Prediction = serde_json::from_slice(delivery.body)
            .map_err(|error| unreadable(&error.to_string()))?;
        let prediction = told.id.clone().filter(|id| is_id(id));
        let prediction = prediction.ok_or_else(|| unreadable("it names no prediction"))?;
        Ok(WebhookReport { id: Some(id), prediction, standing: standing(&told) })
    }
}

/// The prediction that a body speaks of, which nobody has verified yet.
pub(super) fn about(body: &[u8]) -> Option<String> {
    let told: Prediction = serde_json::from_slice(body).ok()?;
    told.id.filter(|id| is_id(id))
}
