//! What is kept of every run that ended.

use async_trait::async_trait;
use onepath_core::Operation;
use onepath_core::lifecycle::{Effect, ErrorCode, State};

use super::Result;
use super::row::{Millis, Row};
use crate::telemetry::bin;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunEnd {
    /// It was made.
    Completed,
    /// Something stands in for it.
    Fallback,
    /// It was not made.
    Failed,
    /// Nobody wanted it any more.
    Cancelled,
}

impl RunEnd {
    /// Every end.
    pub const ALL: [Self; 4] = [Self::Completed, Self::Fallback, Self::Failed, Self::Cancelled];

    /// The word of the column and of metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Fallback => "fallback",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The end of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.word() == word)
    }
}

/// A run that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRun {
    /// Its number.
    pub run: u32,
    /// The provider's model, if the request names one.
    pub model: Option<String>,
    /// The version of the prompt's template, if the request names one.
    pub prompt: Option<String>,
    /// How it ended.
    pub end: RunEnd,
    /// What it ran into, unless it was made or cancelled.
    pub error: Option<ErrorCode>,
    /// Milliseconds from the create to the first attempt, of a first run that had one.
    pub wait: Option<Millis>,
    /// Milliseconds from the first attempt to the end.
    pub latency: Option<Millis>,
    /// What was paid, in micro-dollars.
    pub micros: i64,
}

impl EndedRun {
    /// Of a row whose run just ended with these effects.
    pub(crate) fn of(row: &Row, effects: &[Effect]) -> Option<Self> {
        let (end, error) = match row.state {
            State::Completed { fallback: None, .. } => (RunEnd::Completed, None),
            State::Completed { fallback: Some((_, error)), .. } => (RunEnd::Fallback, Some(error)),
            State::Failed { error, .. } => (RunEnd::Failed, Some(error)),
            State::Cancelled { .. } => (RunEnd::Cancelled, None),
            State::Pending { .. } | State::Processing { .. } => return None,
        };
        let wanted_at = row.created_at.max(row.scheduled_at.unwrap_or(row.created_at));
        let first = row.state.run() == 1;
        let paid = effects.contains(&Effect::Debit);
        let named = row.named();
        Some(Self {
            run: row.state.run(),
            model: named.model,
            prompt: named.prompt_version,
            end,
            error,
            wait: row.started_at.filter(|_| first).map(|at| (at - wanted_at).max(0)),
            latency: row.started_at.zip(row.completed_at).map(|(from, to)| (to - from).max(0)),
            micros: if paid { row.reserved_micros() } else { 0 },
        })
    }

    /// The bin of the wait.
    #[must_use]
    pub fn wait_bin(&self) -> Option<i64> {
        self.wait.map(bin)
    }

    /// The bin of the latency; of what was made only.
    #[must_use]
    pub fn latency_bin(&self) -> Option<i64> {
        self.latency.filter(|_| self.end == RunEnd::Completed).map(bin)
    }
}

/// Runs that ended alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCount {
    /// Who was asked.
    pub provider: String,
    /// The provider's model, if the requests named one.
    pub model: Option<String>,
    /// What was asked for.
    pub operation: Operation,
    /// How they ended.
    pub end: RunEnd,
    /// What they ran into.
    pub error: Option<ErrorCode>,
    /// How many.
    pub runs: u64,
    /// What they cost together, in micro-dollars.
    pub micros: i64,
}

/// Runs whose time lies in one bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunTimes {
    /// Who was asked.
    pub provider: String,
    /// The provider's model, if the requests named one.
    pub model: Option<String>,
    /// What was asked for.
    pub operation: Operation,
    /// Whether it is the time that they waited, not the time that they took.
    pub waits: bool,
    /// The bin.
    pub bin: i64,
    /// How many.
    pub runs: u64,
}

/// The part of the store that remembers how runs ended.
#[async_trait]
pub trait TelemetryStore {
    /// The runs of a tenant, or of all, that ended since a time: counts, and times by bin.
    async fn ended_runs(
        &self,
        tenant: Option<&str>,
        since: Millis,
    ) -> Result<(Vec<RunCount>, Vec<RunTimes>)>;

    /// Generations that are not over, by provider and status.
    async fn in_flight(&self) -> Result<Vec<(String, String, u64)>>;

    /// Forgets runs that ended before a time; says how many.
    async fn forget_runs(&self, before: Millis) -> Result<u64>;
}
