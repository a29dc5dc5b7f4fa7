//! Webhooks of providers: verified, kept once, and a hint to look.

use axum::http::HeaderMap;
use sha2::{Digest as _, Sha256};

use super::Service;
use crate::clock::hex;
use crate::problem::{Problem, ProblemCode};
use crate::provider::{Credentials, Delivery, Submission, WebhookRefused, WebhookReport};
use crate::store::webhooks::{Taken, Target, Told};
use crate::webhook::hash_token;

/// The longest id of a delivery or a prediction.
const LONGEST_ID: usize = 512;

impl Service {
    /// A path of this server as the world sees it; the path alone where nobody said how.
    #[must_use]
    pub fn outside(&self, path: String) -> String {
        match &self.public_url {
            Some(url) => url.join(&path),
            None => path,
        }
    }

    /// The attempt behind the token in a webhook's path.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`: the token is not known, or was given to another provider.
    pub async fn webhook_target(&self, provider: &str, token: &str) -> Result<Target, Problem> {
        self.hears(provider).await?;
        let found = self.store.behind_door(&hash_token(token)).await?;
        found.filter(|target| target.provider == provider).ok_or_else(nobody_waits)
    }

    /// The attempt that a webhook without a token is about, by what it says of itself. Nothing in
    /// it is believed yet.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`: the provider is not known, takes no such webhooks, or speaks of what we do not
    /// know.
    pub async fn webhook_named(
        &self,
        provider: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Target, Problem> {
        self.hears(provider).await?;
        let id = self.providers.get(provider).and_then(|known| known.webhook_about(headers, body));
        let id = id.filter(|id| is_plain(id)).ok_or_else(nobody_waits)?;
        self.store.by_prediction(provider, &id).await?.ok_or_else(nobody_waits)
    }

    /// Whether a provider is listened to: an operator may have switched that off. It is told to come
    /// again, because that may end any moment.
    async fn hears(&self, provider: &str) -> Result<(), Problem> {
        if self.live.now().await?.hears(provider) {
            return Ok(());
        }
        let mut problem =
            Problem::new(ProblemCode::Unavailable, "webhooks are switched off for now");
        problem.retry_after = Some(60);
        Err(problem)
    }

    /// Takes a webhook about an attempt: verified first, over the bytes as they came.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` if it is forged, `VALIDATION_ERROR` if it is signed and about something else,
    /// `NOT_FOUND` if the provider's webhooks are not taken, `UNAVAILABLE` if it may be taken later.
    pub async fn take_webhook(
        &self,
        target: Target,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Problem> {
        let provider = self.providers.get(&target.provider).ok_or_else(nobody_waits)?;
        let now = self.clock.now();
        let submission = Submission::of(&target.row, self.credentials(&target).await?);
        let delivery = Delivery { submission: &submission, headers, body, now };
        let (generation, provider_id) = (&target.row.id, &target.provider);
        let report = provider.webhook(&delivery).await.and_then(|report| fitting(&target, report));
        let report = report.map_err(|refused| {
            tracing::warn!(%refused, %generation, provider = %provider_id, "a webhook is not taken");
            problem(&refused)
        })?;
        if !target.is_live() {
            return Ok(());
        }
        let told = Told {
            provider: provider_id.clone(),
            delivery: report.id.unwrap_or_else(|| digest(&target, body)),
            generation: generation.clone(),
            attempt: target.attempt,
            prediction: report.prediction,
            at: now,
        };
        let taken = self.store.take_webhook(told).await?;
        tracing::debug!(?taken, %generation, "a webhook");
        if taken == Taken::New {
            self.bell.notify_one();
        }
        Ok(())
    }

    /// The account that an attempt was submitted with: some providers tell the secret of their
    /// webhooks to whoever has its key. Without the key what else proves a webhook may still do.
    async fn credentials(&self, target: &Target) -> Result<Option<Credentials>, Problem> {
        let Some(id) = &target.row.account else { return Ok(None) };
        let Some(account) = self.store.account(id).await? else { return Ok(None) };
        let secret = self.vault.open(&account).unwrap_or_else(|error| {
            tracing::warn!(%error, account = %id, "the key of an account cannot be used");
            None
        });
        Ok(Some(Credentials { account: account.id, endpoint: account.endpoint, secret }))
    }
}

/// What a webhook reports, if it is about the attempt that it came for.
fn fitting(target: &Target, report: WebhookReport) -> Result<WebhookReport, WebhookRefused> {
    let plain = is_plain(&report.prediction) && report.id.as_deref().is_none_or(is_plain);
    if !plain {
        return Err(WebhookRefused::Unreadable("an id is no text that can be kept".to_owned()));
    }
    let known = target.row.prediction.as_ref().filter(|_| target.is_live());
    if known.is_some_and(|known| *known != report.prediction) {
        return Err(WebhookRefused::Foreign);
    }
    Ok(report)
}

/// Whether every database keeps it.
fn is_plain(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && !id.contains('\0')
}

/// An id for a delivery that has none: the same bytes about the same attempt are the same.
fn digest(target: &Target, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{}\n{}\n", target.row.id, target.attempt));
    hash.update(body);
    format!("sha256:{}", hex(&hash.finalize()))
}

fn nobody_waits() -> Problem {
    Problem::new(ProblemCode::NotFound, "nobody waits for a webhook here")
}

fn problem(refused: &WebhookRefused) -> Problem {
    match refused {
        WebhookRefused::NotSupported => nobody_waits(),
        WebhookRefused::Forged(why) => {
            Problem::new(ProblemCode::Forbidden, format!("the webhook is not believed: {why}"))
        }
        WebhookRefused::Unreadable(_) => {
            Problem::new(ProblemCode::ValidationError, "the webhook cannot be read")
        }
        WebhookRefused::Foreign => {
            Problem::new(ProblemCode::ValidationError, "the webhook is about another prediction")
        }
        WebhookRefused::NotNow(_) => Problem::new(
            ProblemCode::Unavailable,
            "the webhook cannot be verified now: send it again",
        ),
    }
}
