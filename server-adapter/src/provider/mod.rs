//! Providers: who makes what is asked for.
//!
//! [`Provider`] is the port. An adapter maps what its provider says, status and errors, totally
//! onto core's words; what a provider says in its own words is kept for operators only.

mod account;
mod local;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use onepath_core::ProviderInfo;
use onepath_core::lifecycle::{ErrorCode, ProviderReport};

pub use account::{Credentials, Credits, Secret};
pub use local::Local;

/// One submission.
#[derive(Debug, Clone)]
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
}

/// Why a submission gave no prediction.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError {
    /// The provider does not take it.
    #[error("refused as {code}: {detail}")]
    Refused {
        /// What that means.
        code: ErrorCode,
        /// In the provider's words.
        detail: String,
        /// How long the provider wants to be left alone (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The answer did not come: it may have been taken.
    #[error("the answer was lost: {0}")]
    Lost(String),
}

/// A question to the provider that got no answer; asking again may help.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the provider does not answer: {detail}")]
pub struct NoAnswer {
    /// In the provider's words.
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

/// What a provider made: where it lies, as the provider names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// A URL or another name that [`Provider::fetch`] knows.
    pub location: String,
}

/// How a prediction stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// In core's words.
    pub report: ProviderReport,
    /// What was made, in order.
    pub outputs: Vec<Output>,
}

/// One provider. Every question about a prediction comes with the account that submitted it.
#[async_trait]
pub trait Provider: std::fmt::Debug + Send + Sync + 'static {
    /// What it declares about itself.
    fn info(&self) -> &ProviderInfo<'static>;

    /// Submits; gives the provider's own id of the prediction.
    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError>;

    /// Asks how a prediction stands.
    async fn status(
        &self,
        prediction: &str,
        account: Option<&Credentials>,
    ) -> Result<Standing, NoAnswer>;

    /// Asks for the prediction of a token; `Ok(None)` if the provider does not know it.
    async fn find(
        &self,
        token: &str,
        account: Option<&Credentials>,
    ) -> Result<Option<String>, NoAnswer>;

    /// Asks it to stop. What became of it is told by [`status`](Self::status).
    async fn cancel(&self, prediction: &str, account: Option<&Credentials>)
    -> Result<(), NoAnswer>;

    /// Fetches what it made.
    async fn fetch(
        &self,
        output: &Output,
        account: Option<&Credentials>,
    ) -> Result<Vec<u8>, NoAnswer>;

    /// Everything of a prediction is kept: the provider may forget it.
    async fn settled(&self, prediction: &str, account: Option<&Credentials>);

    /// What an account has left; `Ok(None)` where the provider does not tell. Asked once
    /// before a submission.
    async fn credits(&self, account: Option<&Credentials>) -> Result<Option<Credits>, NoAnswer> {
        let _ = account;
        Ok(None)
    }

    /// How long a submission may be on its way before `find` knows it for certain.
    fn visibility(&self) -> Duration;
}

/// The providers of a server, by id.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    by_id: BTreeMap<String, Arc<dyn Provider>>,
}

impl Providers {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more; one with the same id is replaced.
    #[must_use]
    pub fn with(mut self, provider: impl Provider) -> Self {
        self.by_id.insert(provider.info().id.as_str().to_owned(), Arc::new(provider));
        self
    }

    /// The provider of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<dyn Provider>> {
        self.by_id.get(id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.by_id.values()
    }
}
