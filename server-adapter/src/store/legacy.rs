//! Who still calls the API of the system before.

use async_trait::async_trait;

use super::Result;
use super::row::Millis;

/// Calls of one route with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldCalls {
    /// The id of the key.
    pub key: String,
    /// Method and path, such as `POST /api/v1/jobs`.
    pub route: String,
    /// How many.
    pub calls: u64,
    /// The first one.
    pub first_at: Millis,
    /// The last one.
    pub last_at: Millis,
}

/// The part of the store that counts calls of the old API.
#[async_trait]
pub trait LegacyStore {
    /// Counts a call.
    async fn count_old_call(&self, key: &str, route: &str, at: Millis) -> Result<()>;

    /// All that were counted, by key and route.
    async fn old_calls(&self) -> Result<Vec<OldCalls>>;
}
