//! Accounts at providers: who pays for a submission, and how many run at the same time.
//!
//! Nothing counts up and down. A slot is the lease of the row that uses it: what is in use is
//! counted from the rows themselves, so that a worker that dies leaves nothing behind. Which account
//! a row gets ([`Seats`]) and what its outcome means for the account ([`Health`]) are pure.

mod health;
mod seats;

use async_trait::async_trait;
use onepath_core::lifecycle::ErrorCode;

use super::{Millis, Result};
use crate::provider::Credits;

pub use health::{Breaker, Health, Verdict};
pub use seats::{Deferral, Seat, Seats, Wait};

/// An account at a provider, as an operator has told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// By which operators name it.
    pub id: String,
    /// Where it is.
    pub provider: String,
    /// Whose it is; none if it works for every tenant.
    pub tenant: Option<String>,
    /// Where the provider is asked, if not at its usual address.
    pub endpoint: Option<String>,
    /// Where its key is.
    pub key: KeySource,
    /// 0 to 10; 0 is used first.
    pub priority: i64,
    /// Submissions that run at the same time; any number if none.
    pub concurrency: Option<i64>,
    /// Submissions of a day (UTC); any number if none.
    pub daily_limit: Option<i64>,
    /// Whether it is used.
    pub enabled: bool,
    /// Creation.
    pub created_at: Millis,
    /// Last change by an operator.
    pub updated_at: Millis,
    /// How it has done lately.
    pub health: Health,
    /// What it had left when the provider was last asked.
    pub credits: Option<CreditsRead>,
}

/// What an account has left, and when the provider said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditsRead {
    /// Whole credits by the provider's name of them.
    pub amounts: Credits,
    /// When.
    pub read_at: Millis,
}

impl CreditsRead {
    /// Whether one kind of credits pays for a run; a price that is not known is more than nothing.
    #[must_use]
    pub fn pay_for(&self, price: Option<i64>) -> bool {
        // Where the provider names no kind it has not told anything.
        let needed = price.unwrap_or(1);
        self.amounts.is_empty() || self.amounts.values().any(|left| *left >= needed)
    }
}

/// Where an account's key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The provider wants none.
    None,
    /// In an environment variable of the process that asks.
    Env(String),
    /// In the row, sealed with a key of the data folder.
    Sealed(String),
}

impl KeySource {
    /// The text it is kept as.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Env(name) => Some(format!("env:{name}")),
            Self::Sealed(text) => Some(format!("sealed:{text}")),
        }
    }

    /// What a text says; none if it is none of ours.
    #[must_use]
    pub fn parse(text: Option<&str>) -> Option<Self> {
        let Some(text) = text else { return Some(Self::None) };
        if let Some(name) = text.strip_prefix("env:") {
            return Some(Self::Env(name.to_owned()));
        }
        text.strip_prefix("sealed:").map(|text| Self::Sealed(text.to_owned()))
    }
}

/// An account with what is counted of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountNow {
    /// The account.
    pub account: Account,
    /// Rows that use it: live leases of rows that were not submitted yet, and all that the provider
    /// has.
    pub in_use: i64,
    /// Submissions of this day (UTC) that the provider did not turn away, and those to come of rows
    /// that hold a slot.
    pub today: i64,
}

/// Which accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountQuery {
    /// Only those that work for this tenant: its own, and shared ones.
    pub tenant: Option<String>,
    /// Only those of this provider.
    pub provider: Option<String>,
}

/// What is kept of accounts. Their slots are taken by [`Store::claim`](super::Store::claim) and
/// given back by [`Store::advance`](super::Store::advance).
#[async_trait]
pub trait AccountStore {
    /// Keeps an account as an operator wants it; of one that is there health, credits and the time
    /// of creation stay. False if the id is that of another provider's account.
    async fn put_account(&self, account: Account) -> Result<bool>;

    /// Removes an account that no row uses; false if there is none, or it is in use.
    async fn remove_account(&self, id: &str, now: Millis) -> Result<bool>;

    /// An account.
    async fn account(&self, id: &str) -> Result<Option<Account>>;

    /// Accounts with what is counted of them, by provider, priority and id.
    async fn accounts(&self, query: &AccountQuery, now: Millis) -> Result<Vec<AccountNow>>;

    /// What the provider says that an account has left.
    async fn put_credits(&self, id: &str, credits: Credits, now: Millis) -> Result<()>;

    /// An account could not be used; it rests until a time, or for as long as its failures ask.
    async fn account_failed(
        &self,
        id: &str,
        error: ErrorCode,
        rests_until: Option<Millis>,
        now: Millis,
    ) -> Result<()>;

    /// An operator has put an account right: it is used again at once.
    async fn heal_account(&self, id: &str, now: Millis) -> Result<bool>;
}
