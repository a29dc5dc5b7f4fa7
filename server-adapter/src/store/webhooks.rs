//! What the store knows of webhooks of providers: where they report to, and what they told.
//!
//! A webhook changes no state of its own. It is kept once, and the row of its attempt becomes due:
//! whoever holds the row next asks the provider. So no order, no repeat and no lateness of webhooks
//! can do more than make things quicker.

use async_trait::async_trait;
use onepath_core::lifecycle::{Attempt as Stage, State};

use super::{Millis, Result, Row};

/// Where a provider reports to about an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// Hash of the token in the URL's path, in hexadecimal; the token itself is never kept.
    pub hash: String,
    /// The generation.
    pub generation: String,
    /// The attempt's number, over all runs.
    pub attempt: i64,
    /// Who is told of it.
    pub provider: String,
    /// When.
    pub opened_at: Millis,
}

/// The attempt that a webhook is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The generation's row.
    pub row: Row,
    /// The attempt's number.
    pub attempt: i64,
    /// Who was asked.
    pub provider: String,
}

impl Target {
    /// Whether the attempt is on its way: after its end a webhook says nothing new.
    #[must_use]
    pub fn is_live(&self) -> bool {
        is_live(&self.row, self.attempt)
    }
}

/// What a provider told over a webhook that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Who.
    pub provider: String,
    /// The delivery's own id: the same if it comes again.
    pub delivery: String,
    /// The generation.
    pub generation: String,
    /// The attempt's number.
    pub attempt: i64,
    /// The provider's own id of the attempt.
    pub prediction: String,
    /// When it came.
    pub at: Millis,
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is kept, and the row is due.
    New,
    /// It was here before.
    Known,
    /// Its attempt is over, or the row has no use for it.
    TooLate,
}

/// Webhooks of providers.
#[async_trait]
pub trait WebhookStore {
    /// Keeps where a provider reports to; it may be told more than once.
    async fn open_door(&self, door: Door) -> Result<()>;

    /// The attempt behind the hash of a token.
    async fn behind_door(&self, hash: &str) -> Result<Option<Target>>;

    /// The attempt that a provider knows under an id of its own; the last, if it reuses ids.
    async fn by_prediction(&self, provider: &str, prediction: &str) -> Result<Option<Target>>;

    /// Keeps a webhook, if it was not here before, and makes its row due.
    async fn take_webhook(&self, told: Told) -> Result<Taken>;

    /// The provider's own id of an attempt, if a webhook told it.
    async fn prediction_told(&self, generation: &str, attempt: i64) -> Result<Option<String>>;

    /// Removes doors and receipts from before a time whose generation is over, and says how many.
    async fn forget_webhooks(&self, before: Millis) -> Result<u64>;
}

/// Whether an attempt is the row's present one, and was sent or is about to be.
#[must_use]
pub fn is_live(row: &Row, attempt: i64) -> bool {
    row.attempts == attempt
        && matches!(row.state, State::Processing { attempt, .. } if attempt != Stage::Claimed)
}

/// A row whose provider told something about an attempt: due at once, or as soon as its holder lets
/// go. None if it makes no difference.
#[must_use]
pub fn hinted(row: &Row, attempt: i64, now: Millis) -> Option<Row> {
    let settles = matches!(row.state, State::Processing { attempt: Stage::Settling, .. });
    if !is_live(row, attempt) || settles {
        return None;
    }
    let mut row = row.clone();
    if row.lease_until.is_some() {
        row.hinted = true;
    } else {
        row.next_run_at = row.next_run_at.min(now);
    }
    Some(row)
}
