//! What operators change while everything runs: rows with author and time, and all that they were
//! before.

use async_trait::async_trait;

use super::{Millis, Result};

/// One change of a setting; the last one of a name counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Of the change: UUID, version 7.
    pub id: String,
    /// What was changed, such as `submission` or `retry:provider_timeout`.
    pub name: String,
    /// Its value as JSON text; none if it is again as the server was set up.
    pub value: Option<String>,
    /// Who changed it.
    pub author: String,
    /// When.
    pub at: Millis,
    /// What is not begun any more while it has this value.
    pub stops: Option<Stop>,
}

/// What is not begun: nothing of it is claimed that is not on its way already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Anything.
    All,
    /// What a tenant asks for.
    Tenant(String),
    /// What a provider would make.
    Provider(String),
}

impl Stop {
    /// The word of the column.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Tenant(_) => "tenant",
            Self::Provider(_) => "provider",
        }
    }

    /// Which; empty for everything.
    #[must_use]
    pub fn what(&self) -> &str {
        match self {
            Self::All => "",
            Self::Tenant(id) | Self::Provider(id) => id,
        }
    }

    /// From the columns.
    #[must_use]
    pub fn parse(word: &str, what: String) -> Option<Self> {
        match word {
            "all" => Some(Self::All),
            "tenant" => Some(Self::Tenant(what)),
            "provider" => Some(Self::Provider(what)),
            _ => None,
        }
    }

    /// Whether it keeps a row of this tenant and provider from being begun.
    #[must_use]
    pub fn covers(&self, tenant: &str, provider: &str) -> bool {
        match self {
            Self::All => true,
            Self::Tenant(id) => id == tenant,
            Self::Provider(id) => id == provider,
        }
    }
}

/// Settings of operators. What a [`Stop`] covers is passed over by
/// [`Store::claim`](super::Store::claim) until it is taken back; what is on its way goes on.
#[async_trait]
pub trait SettingStore {
    /// Keeps changes, all of them or none.
    async fn put_settings(&self, changes: Vec<Setting>) -> Result<()>;

    /// The last change of every name that was ever changed, by name.
    async fn settings(&self) -> Result<Vec<Setting>>;

    /// Changes, of one name or of all, newest first.
    async fn setting_history(&self, name: Option<&str>, limit: usize) -> Result<Vec<Setting>>;
}
