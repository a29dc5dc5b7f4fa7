//! Providers: who makes what is asked for.
//!
//! [`Provider`] is the port. An adapter maps what its provider says, status and errors, totally
//! onto core's words; what a provider says in its own words is kept for operators only.

mod local;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use onepath_core::ProviderInfo;
use onepath_core::lifecycle::{ErrorCode, ProviderReport};

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
    },
    /// The answer did not come: it may have been taken.
    #[error("the answer was lost: {0}")]
    Lost(String),
}

/// A question to the provider that got no answer; asking again may help.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the provider does not answer: {0}")]
pub struct NoAnswer(pub String);

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

/// One provider.
#[async_trait]
pub trait Provider: std::fmt::Debug + Send + Sync + 'static {
    /// What it declares about itself.
    fn info(&self) -> &ProviderInfo<'static>;

    /// Submits; gives the provider's own id of the prediction.
    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError>;

    /// Asks how a prediction stands.
    async fn status(&self, prediction: &str) -> Result<Standing, NoAnswer>;

    /// Asks for the prediction of a token; `Ok(None)` if the provider does not know it.
    async fn find(&self, token: &str) -> Result<Option<String>, NoAnswer>;

    /// Asks it to stop. What became of it is told by [`status`](Self::status).
    async fn cancel(&self, prediction: &str) -> Result<(), NoAnswer>;

    /// Fetches what it made.
    async fn fetch(&self, output: &Output) -> Result<Vec<u8>, NoAnswer>;

    /// Everything of a prediction is kept: the provider may forget it.
    async fn settled(&self, prediction: &str);

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
