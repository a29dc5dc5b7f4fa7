//! The calls of Replicate's HTTP API, version 1.

use std::time::Duration;

use serde_json::Value;

use crate::provider::account::Secret;
use crate::provider::wire::{Ask, Payload};

/// How long a file may take on its way.
const UPLOAD: Duration = Duration::from_secs(300);

/// Where and as whom the API is called.
#[derive(Debug, Clone)]
pub(super) struct Api {
    /// Such as `https://api.replicate.com/v1`, without a `/` at the end.
    pub(super) base: String,
    /// The token; without one the API refuses.
    pub(super) token: Option<Secret>,
}

impl Api {
    fn with_token(&self, ask: Ask) -> Ask {
        match &self.token {
            Some(token) => ask.secret("authorization", "Bearer ", token),
            None => ask,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Creates a prediction. There is no `Prefer: wait`: a call that waits is one that can be lost.
    pub(super) fn create(&self, path: &str, body: &Value) -> Ask {
        self.with_token(Ask::post(self.url(path))).json(body)
    }

    pub(super) fn get(&self, id: &str) -> Ask {
        self.with_token(Ask::get(self.url(&format!("/predictions/{id}"))))
    }

    pub(super) fn cancel(&self, id: &str) -> Ask {
        self.with_token(Ask::post(self.url(&format!("/predictions/{id}/cancel"))))
    }

    /// A page of predictions; `next` is what the page before says.
    pub(super) fn list(&self, next: Option<&str>) -> Option<Ask> {
        let url = match next {
            None => self.url("/predictions"),
            // The token goes nowhere but to this API.
            Some(next) => {
                let ours = next.strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/'));
                ours.then(|| next.to_owned())?
            }
        };
        Some(self.with_token(Ask::get(url)).at_most(32 << 20))
    }

    /// Hands a file over, for inputs that are too large for a data URL.
    pub(super) fn upload(&self, form: Payload) -> Ask {
        self.with_token(Ask::post(self.url("/files"))).payload(form).within(UPLOAD)
    }

    /// The secret that webhooks are signed with.
    pub(super) fn secret(&self) -> Ask {
        self.with_token(Ask::get(self.url("/webhooks/default/secret")))
    }

    /// A file that was made.
    pub(super) fn file(&self, url: &str) -> Ask {
        self.with_token(Ask::get(url.to_owned()))
    }
}
