//! What the server answers, as far as clients need it; members that are not named are passed over.

use std::fmt;

use serde::Deserialize;

/// The answer to a create.
#[derive(Debug, Clone, Deserialize)]
pub struct Created {
    /// The generation that answers.
    pub id: String,
    /// Its status when it answered.
    pub status: String,
    /// `created`, `joined`, `cache` or `hash`.
    pub answer: String,
    /// Hash of identity and seed.
    pub request_hash: String,
    /// Where the result lies; none under `always`.
    pub cache_key: Option<String>,
    /// Whether the server's bounds lowered what takes effect.
    pub lowered: bool,
    /// What a run is expected to cost.
    pub price: Estimate,
}

/// How a create would be answered.
#[derive(Debug, Clone, Deserialize)]
pub struct Preflight {
    /// `created`, `joined`, `cache` or `hash`.
    pub answer: String,
    /// The generation that would answer.
    pub generation_id: Option<String>,
    /// Hash of identity and seed.
    pub request_hash: String,
    /// Where the result lies or would lie; none under `always`.
    pub cache_key: Option<String>,
    /// Whether the server's bounds would lower what takes effect.
    pub lowered: bool,
    /// What it would cost.
    pub price: Estimate,
}

/// What a run is expected to cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Estimate {
    /// Micro-dollars.
    pub micros: Option<u64>,
    /// The provider's credits.
    pub credits: Option<u64>,
    /// Whether a price is known.
    pub known: bool,
}

/// One generation.
#[derive(Debug, Clone, Deserialize)]
pub struct Generation {
    /// Its id.
    pub id: String,
    /// `pending`, `processing`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// Hash of identity and seed.
    pub request_hash: String,
    /// Where the result lies; none under `always`.
    pub cache_key: Option<String>,
    /// Why it failed.
    pub error_code: Option<String>,
    /// What stands in for it.
    pub fallback: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Whether its run takes, or took, longer than it may.
    #[serde(default)]
    pub overdue: bool,
    /// What was made.
    #[serde(default)]
    pub assets: Vec<Asset>,
}

impl Generation {
    /// Whether nothing more happens to it by itself.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed" | "cancelled")
    }
}

/// One picture or animation.
#[derive(Debug, Clone, Deserialize)]
pub struct Asset {
    /// Its id.
    pub id: String,
    /// Whether its bytes are at the server: `remote`, `downloading`, `downloaded` or `error`.
    pub sync_status: String,
    /// Where it is read, for a while: a URL, or a path on the server. This and what follows is
    /// absent until the bytes are there.
    pub url: Option<String>,
    /// Such as `image/png`.
    pub media_type: Option<String>,
    /// Pixels from left to right.
    pub width: Option<u32>,
    /// Pixels from top to bottom.
    pub height: Option<u32>,
    /// Hash of the bytes.
    pub sha256: Option<String>,
}

/// A page of generations.
#[derive(Debug, Clone, Deserialize)]
pub struct Page {
    /// The generations, newest first.
    pub generations: Vec<Generation>,
    /// Where the next page starts.
    pub next_cursor: Option<String>,
}

/// What a user used of their plan.
#[derive(Debug, Clone, Deserialize)]
pub struct Usage {
    /// What the plan allows; what is absent is not limited.
    pub limits: Limits,
    /// What is left of it.
    pub remaining: Limits,
    /// Generations that are on their way.
    pub in_flight: i64,
    /// Runs of this month.
    pub runs_month: i64,
    /// Micro-dollars of this month, reserved and paid.
    pub micros_month: i64,
    /// Bytes of assets.
    pub storage_bytes: i64,
    /// When the month's limits start anew (RFC 3339).
    pub resets_at: String,
}

/// Limits of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Limits {
    /// Generations at the same time.
    pub in_flight: Option<i64>,
    /// Runs a month.
    pub runs_month: Option<i64>,
    /// Micro-dollars a month.
    pub micros_month: Option<i64>,
    /// Bytes of assets.
    pub storage_bytes: Option<i64>,
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, Deserialize)]
pub struct ProblemDocument {
    /// The stable word.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, and what to do.
    pub detail: String,
    /// The faults of the document.
    #[serde(default)]
    pub errors: Vec<Fault>,
}

/// One fault of a document.
#[derive(Debug, Clone, Deserialize)]
pub struct Fault {
    /// RFC 6901 pointer into what was sent.
    pub pointer: String,
    /// A finding's code, or a slug of the envelope.
    pub code: String,
    /// What is wrong.
    pub detail: String,
    /// What to do.
    pub help: Option<String>,
}

impl fmt::Display for ProblemDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)?;
        // A single fault is in the detail already.
        for fault in self.errors.iter().filter(|_| self.errors.len() > 1) {
            write!(f, "\n  {} at `{}` [{}]", fault.detail, fault.pointer, fault.code)?;
        }
        Ok(())
    }
}
