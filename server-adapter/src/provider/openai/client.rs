//! The calls of OpenAI's images API, version 1.

use std::time::Duration;

use serde_json::Value;

use crate::provider::account::Secret;
use crate::provider::wire::{Ask, Payload};

/// An answer holds its pictures, a third larger than they are.
const MOST: usize = 192 << 20;

/// Where and as whom the API is called.
#[derive(Debug, Clone)]
pub(super) struct Api {
    /// Such as `https://api.openai.com/v1`, without a `/` at the end.
    pub(super) base: String,
    /// The key; without one the API refuses.
    pub(super) key: Option<Secret>,
    /// How long it may take to make a picture.
    pub(super) patience: Duration,
}

impl Api {
    fn post(&self, path: &str) -> Ask {
        let ask = Ask::post(format!("{}{path}", self.base)).at_most(MOST).within(self.patience);
        match &self.key {
            Some(key) => ask.secret("authorization", "Bearer ", key),
            None => ask,
        }
    }

    /// Makes pictures from a text; answers when they are there.
    pub(super) fn generate(&self, path: &str, body: &Value) -> Ask {
        self.post(path).json(body)
    }

    /// Makes pictures from others.
    pub(super) fn edit(&self, path: &str, form: Payload) -> Ask {
        self.post(path).payload(form)
    }
}
