//! The port: what the service asks of a provider, and the words for what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use bytes::Bytes;
use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_core::{Estimate, GenerateContentRequest, ProviderInfo, estimate_price};
use tokio::sync::broadcast;

use crate::asset::Intake;
use crate::store::Row;

use super::account::{Credentials, Credits};
use super::delivery::{Delivery, WebhookRefused, WebhookReport};
use super::params::{Params, Places};

/// One attempt, as a provider needs to know it: what is submitted, and what every later question
/// about it is asked with.
#[derive(Clone, Default)]
pub struct Submission {
    /// The attempt's token: whatever happens, the provider is charged at most once for it.
    pub token: String,
    /// The request, as JSON text.
    pub request: String,
    /// The request's hash, in hexadecimal.
    pub request_hash: String,
    /// The account that pays; none where the operator has told of none. Whoever asks about the
    /// prediction later comes with the same account.
    pub account: Option<Credentials>,
    /// Where the provider may report to; the token stands in its path. None if nobody outside
    /// reaches this server.
    pub webhook: Option<String>,
    /// When the attempt's intent was stored, in milliseconds since 1970.
    pub submitted_at: i64,
    /// The bytes behind the request's inputs that are assets, by their reference (`asset:<id>`).
    pub files: BTreeMap<String, File>,
    /// Where the world reads those files for a few minutes, by their reference; empty if nobody
    /// outside reaches this server.
    pub urls: BTreeMap<String, String>,
    /// What was handed over to the provider before, under the same account.
    pub copies: Option<Arc<dyn Copies>>,
}

/// Files as a provider has them, so that each is handed over once.
#[async_trait]
pub trait Copies: Send + Sync {
    /// The provider's own name of a file, if it still has it.
    async fn known(&self, reference: &str) -> Option<String>;

    /// Remembers the provider's own name of a file for a while.
    async fn keep(&self, reference: &str, place: &str, lives: Duration);
}

impl Submission {
    /// Of the attempt that a row is at, and the account that pays for it.
    #[must_use]
    pub fn of(row: &Row, account: Option<Credentials>) -> Self {
        Self {
            token: row.token.clone().unwrap_or_default(),
            request: row.request().to_owned(),
            request_hash: row.request_hash().to_owned(),
            account,
            webhook: None,
            submitted_at: row.submitted_at.unwrap_or(row.created_at),
            files: BTreeMap::new(),
            urls: BTreeMap::new(),
            copies: None,
        }
    }
}

/// Who knows a token may ask for its result, and who knows a webhook's URL may knock: neither is
/// shown. The request is its owner's.
impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submission")
            .field("request_hash", &self.request_hash)
            .field("account", &self.account)
            .field("webhook", &self.webhook.is_some())
            .field("submitted_at", &self.submitted_at)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// A file that a generation starts from.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Such as `image/png`, as told from the bytes.
    pub media_type: String,
    /// What is in it.
    pub bytes: Bytes,
    /// Hash of the bytes, in hexadecimal.
    pub sha256: String,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { media_type, bytes, sha256 } = self;
        write!(f, "File({media_type}, {} bytes, {sha256})", bytes.len())
    }
}

/// A no: nothing was taken, and nothing will be charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused as {code}: {detail}")]
pub struct Refusal {
    /// What it means.
    pub code: ErrorCode,
    /// In the provider's words, for operators only.
    pub detail: String,
    /// How long the provider wants to be left alone (`Retry-After`).
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Without a wish about when to ask again.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None }
    }
}

/// Why a submission gave no prediction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The provider does not take it, or was never reached with it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It was sent and the answer did not come: it may have been taken.
    #[error("the answer was lost: {0}")]
    Lost(String),
}

/// A question to the provider that got no answer; asking again may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provider does not answer: {detail}")]
pub struct NoAnswer {
    /// In the provider's words, for operators only.
    pub detail: String,
    /// How long the provider wants to be left alone (`Retry-After`).
    pub retry_after: Option<Duration>,
}

impl NoAnswer {
    /// Without a wish about when to ask again.
    #[must_use]
    pub fn new(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), retry_after: None }
    }
}

/// What a look-up by token found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The provider has it, under this id.
    Prediction(String),
    /// The provider has predictions of exactly this content from the time in question, the newest
    /// first, and cannot say which attempt each belongs to: one that no other attempt has is as good
    /// as its own.
    Alike(Vec<String>),
    /// The provider does not have it.
    NotThere,
    /// The provider has no way to tell: only a webhook, or time, will.
    CannotTell,
}

/// What a provider made: where it lies, as the provider names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// A URL or another name that [`Provider::fetch`] knows.
    pub location: String,
}

impl Output {
    /// Whether it lies elsewhere, at a place that may be gone one day.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.location.starts_with("https://") || self.location.starts_with("http://")
    }
}

/// News of a prediction that came without being asked for: it may have ended. Nothing is believed of
/// it but that it is time to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The provider's own id of the prediction.
    pub prediction: String,
    /// What came; the same again says nothing new.
    pub event: String,
}

/// What a provider says that it charged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charged {
    /// Micro-dollars.
    pub micros: Option<i64>,
    /// The provider's own credits.
    pub credits: Option<i64>,
}

/// How a prediction stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// In core's words.
    pub report: ProviderReport,
    /// What was made, in order.
    pub outputs: Vec<Output>,
    /// The provider's own words about a failure or an unknown status, for operators only.
    pub detail: Option<String>,
    /// What it says that it charged.
    pub charged: Charged,
}

impl Standing {
    /// A report without anything beside it.
    #[must_use]
    pub fn of(report: ProviderReport) -> Self {
        Self { report, outputs: Vec::new(), detail: None, charged: Charged::default() }
    }

    /// It is made: what lies at these places; nothing, if there are none.
    #[must_use]
    pub fn made(locations: impl IntoIterator<Item = String>) -> Self {
        let outputs: Vec<_> = locations.into_iter().map(|location| Output { location }).collect();
        let report = ProviderReport::Succeeded { has_output: !outputs.is_empty() };
        Self { outputs, ..Self::of(report) }
    }

    /// It is not made, and why in the provider's words.
    #[must_use]
    pub fn failed(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::of(ProviderReport::Failed(code)) }
    }

    /// A status that nobody knows: parked until the run's deadline.
    #[must_use]
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::of(ProviderReport::Unknown) }
    }
}

/// One provider. Every question about an attempt comes with what was submitted, and with the
/// account that submitted it.
#[async_trait]
pub trait Provider: std::fmt::Debug + Send + Sync + 'static {
    /// What it declares about itself: operations, settings with types, ranges and defaults, bounds.
    fn info(&self) -> &ProviderInfo<'static>;

    /// What a run of a request is expected to cost.
    fn estimate(&self, request: &GenerateContentRequest<'_>) -> Estimate {
        estimate_price(request, None)
    }

    /// What is sent for a request whose inputs lie at these places: the request itself, for a
    /// provider that takes it as it is. Pure.
    ///
    /// # Errors
    ///
    /// The provider would refuse it.
    fn params(&self, request: &GenerateContentRequest<'_>, _: &Places) -> Result<Params, Refusal> {
        let body = serde_json::to_value(request);
        let body =
            body.map_err(|error| Refusal::new(ErrorCode::ParamInvalid, error.to_string()))?;
        Ok(Params { path: "/".to_owned(), body, files: Vec::new() })
    }

    /// What whoever asks is shown of what is sent: never a key, a webhook's URL or another secret.
    ///
    /// # Errors
    ///
    /// The provider would refuse it.
    fn settings(&self, request: &GenerateContentRequest<'_>) -> Result<serde_json::Value, Refusal> {
        self.params(request, &Places::preview()).map(|params| params.body)
    }

    /// Hands a file over before a submission that starts from it; gives the provider's own name of
    /// it. Costs nothing: one that is lost is handed over again.
    async fn upload(&self, _submission: &Submission, file: &File) -> Result<String, SubmitError> {
        let detail = format!("{} is not taken", file.media_type);
        Err(Refusal::new(ErrorCode::ParamInvalid, detail).into())
    }

    /// For how long it certainly keeps a file that was handed over, so that other submissions may
    /// start from it; none where each submission hands it over anew.
    fn keeps_uploads(&self) -> Option<Duration> {
        None
    }

    /// Submits; gives the provider's own id of the prediction.
    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError>;

    /// Asks how a prediction stands.
    async fn status(&self, submission: &Submission, prediction: &str)
    -> Result<Standing, NoAnswer>;

    /// Asks for the prediction of a submission whose answer was lost, by its token where the
    /// provider knows such a thing.
    async fn find(&self, submission: &Submission) -> Result<Found, NoAnswer>;

    /// How long a submission may be on its way before [`find`](Self::find) knows it for certain.
    fn visibility(&self) -> Duration;

    /// Asks it to stop. What became of it is told by [`status`](Self::status).
    async fn cancel(&self, submission: &Submission, prediction: &str) -> Result<(), NoAnswer>;

    /// Fetches what it made.
    async fn fetch(&self, submission: &Submission, output: &Output) -> Result<Vec<u8>, NoAnswer>;

    /// Fetches what it made into a place where large files do not lie in memory.
    async fn fetch_into(
        &self,
        submission: &Submission,
        output: &Output,
        intake: &mut Intake,
    ) -> Result<(), NoAnswer> {
        let bytes = self.fetch(submission, output).await?;
        intake.write(&bytes).await.map_err(|error| NoAnswer::new(error.to_string()))
    }

    /// Everything of a prediction is kept: the provider may forget it.
    async fn settled(&self, _submission: &Submission, _prediction: &str) {}

    /// What an account has left; `Ok(None)` where the provider does not tell. Asked once
    /// before a submission.
    async fn credits(&self, _account: Option<&Credentials>) -> Result<Option<Credits>, NoAnswer> {
        Ok(None)
    }

    /// News of predictions, from a provider that tells them over a connection of ours. They may be
    /// lost at any time: polling carries everything.
    fn hints(&self) -> Option<broadcast::Receiver<Hint>> {
        None
    }

    /// Whether it is told of a URL to report to, where the world reaches this server.
    fn takes_webhooks(&self) -> bool {
        true
    }

    /// The provider's own id that a webhook is about, for one that comes without a token: read from
    /// what came, which nobody has verified yet, to find the attempt that it is verified for. `None`
    /// where such webhooks are not taken.
    fn webhook_about(&self, _headers: &HeaderMap, _body: &[u8]) -> Option<String> {
        None
    }

    /// Verifies a webhook and reads what it reports. The signature is checked over the bytes as
    /// they came, before anything in them is believed; a report is a hint like a poll's answer.
    async fn webhook(&self, _delivery: &Delivery<'_>) -> Result<WebhookReport, WebhookRefused> {
        Err(WebhookRefused::NotSupported)
    }
}
