//! Webhooks of providers: what came in, and what it reports.

use axum::http::HeaderMap;

use super::port::{Standing, Submission};

/// A webhook as it came in, about the attempt whose token stood in its path.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'d> {
    /// The attempt.
    pub submission: &'d Submission,
    /// Every header.
    pub headers: &'d HeaderMap,
    /// The body's bytes, as they came.
    pub body: &'d [u8],
    /// The time, in milliseconds since 1970.
    pub now: i64,
}

impl Delivery<'_> {
    /// A header's value, if it is there once and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        let (first, second) = (all.next()?, all.next());
        first.to_str().ok().filter(|_| second.is_none())
    }
}

/// What a webhook reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookReport {
    /// The delivery's own id: the same when the same delivery comes again. None if the provider
    /// gives none.
    pub id: Option<String>,
    /// The provider's own id of the prediction: adopted if the submission's answer was lost.
    pub prediction: String,
    /// How it stands.
    pub standing: Standing,
}

/// Why a webhook is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefused {
    /// This provider sends none, or has no secret here to verify them with.
    #[error("no webhooks are taken for this provider")]
    NotSupported,
    /// The signature is missing, wrong, or too old or too new.
    #[error("the signature does not hold: {0}")]
    Forged(&'static str),
    /// It is signed and cannot be read.
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
    /// It is about another prediction than the attempt's.
    #[error("it is about another prediction")]
    Foreign,
    /// The keys to verify it with cannot be had now: the same delivery may be taken later.
    #[error("it cannot be verified now: {0}")]
    NotNow(String),
}
