//! What is kept as an answer, and how creates were answered.

use async_trait::async_trait;
use onepath_core::Strategy;

use super::row::Millis;
use super::{Answer, Result};

/// A row that answers creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// Its cache key, if it holds the slot of one.
    pub cache_key: Option<String>,
    /// The request, as JSON text.
    pub request: String,
    /// What it would cost to make again, in micro-dollars, if that is known.
    pub price_micros: Option<Millis>,
}

/// Creates that were answered alike within a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerCount {
    /// When the minute began.
    pub minute: Millis,
    /// Who asked.
    pub tenant: String,
    /// Who shares the result.
    pub strategy: Strategy,
    /// How they were answered.
    pub answer: Answer,
    /// How many.
    pub count: i64,
    /// What runs would have cost that were not needed, in micro-dollars.
    pub saved_micros: i64,
}

/// The part of the store that looks after reuse.
#[async_trait]
pub trait CacheStore {
    /// Rows of a tenant that answer creates, of one owner or of all, by id behind a place.
    async fn kept(
        &self,
        tenant: &str,
        owner: Option<&str>,
        now: Millis,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Kept>>;

    /// Rows that answer no create from now on; says how many did before.
    async fn invalidate(
        &self,
        tenant: &str,
        owner: Option<&str>,
        ids: &[String],
        now: Millis,
    ) -> Result<u64>;

    /// Adds to the counts of answers.
    async fn add_answers(&self, counts: &[AnswerCount]) -> Result<()>;

    /// How the creates of a tenant were answered since a time; the minutes are summed up.
    async fn answers(&self, tenant: &str, since: Millis) -> Result<Vec<AnswerCount>>;

    /// Forgets answers of minutes before a time; says how many lines.
    async fn forget_answers(&self, before: Millis) -> Result<u64>;
}

impl Answer {
    /// Every answer.
    pub const ALL: [Self; 4] = [Self::Created, Self::Joined, Self::Cache, Self::Hash];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Joined => "joined",
            Self::Cache => "cache",
            Self::Hash => "hash",
        }
    }

    /// The answer of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.word() == word)
    }
}
