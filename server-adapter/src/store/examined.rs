//! What a look at a database finds, without changing it.

use super::Millis;

/// A database as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Which one, without its password.
    pub place: String,
    /// The version of its schema; none before the first start.
    pub schema: Option<usize>,
    /// The version that this program brings a database to.
    pub known: usize,
    /// Keys that are not revoked.
    pub keys: Option<i64>,
    /// The database's own time, if it has one.
    pub now: Option<Millis>,
    /// What is wrong with it.
    pub damage: Vec<String>,
}
