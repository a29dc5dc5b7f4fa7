//! With what a provider is asked: the operator's account there.

use std::collections::BTreeMap;
use std::fmt;

/// A text that is shown to nobody: it has no way onto the wire, and debug output hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// An account at a provider, as an adapter needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account's id, for log lines and for what an adapter remembers of each.
    pub account: String,
    /// Where it is asked, if not at the provider's usual address: one of several ComfyUI machines,
    /// a proxy. An `https` or `http` URL without a path's last `/`.
    pub endpoint: Option<String>,
    /// The key, if the provider wants one.
    pub secret: Option<Secret>,
}

/// What an account has left, by the provider's name of the credits, such as `web` or `openapi`;
/// whole credits.
pub type Credits = BTreeMap<String, i64>;
