//! The calls of PixVerse's platform API, version 2.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::provider::account::Secret;
use crate::provider::wire::{Ask, Payload};

/// How long a file may take on its way.
const UPLOAD: Duration = Duration::from_secs(300);

/// Where and as whom the API is called.
#[derive(Debug, Clone)]
pub(super) struct Api {
    /// Such as `https://app-api.pixverse.ai`, without a `/` at the end.
    pub(super) base: String,
    /// The key; without one the API refuses.
    pub(super) key: Option<Secret>,
}

impl Api {
    /// With the key, and with a trace that no other call has.
    fn with(&self, ask: Ask, trace: &str) -> Ask {
        let ask = ask.header("ai-trace-id", trace);
        match &self.key {
            Some(key) => ask.secret("api-key", "", key),
            None => ask,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Asks for something to be made. An attempt has one trace, however often it is sent: where the
    /// API looks at it, it takes the attempt once.
    pub(super) fn create(&self, path: &str, body: &Value, attempt: &str) -> Ask {
        self.with(Ask::post(self.url(path)), &trace_of(attempt)).json(body)
    }

    /// How something stands; `kind` is `video` or `image`.
    pub(super) fn result(&self, kind: &str, id: &str) -> Ask {
        self.with(Ask::get(self.url(&format!("/openapi/v2/{kind}/result/{id}"))), &new_trace())
    }

    pub(super) fn balance(&self) -> Ask {
        self.with(Ask::get(self.url("/openapi/v2/account/balance")), &new_trace())
    }

    /// Hands a file over; `kind` is `image` or `media`.
    pub(super) fn upload(&self, kind: &str, form: Payload) -> Ask {
        let url = self.url(&format!("/openapi/v2/{kind}/upload"));
        self.with(Ask::post(url), &new_trace()).payload(form).within(UPLOAD)
    }
}

/// The trace of an attempt.
fn trace_of(attempt: &str) -> String {
    let hash = Sha256::digest(format!("onepath/v1/trace\n{attempt}"));
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash).for_each(|(byte, of)| *byte = of);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// A trace that no other call has.
fn new_trace() -> String {
    let mut bytes = [0; 16];
    // Where the system has no randomness nothing secret is lost: traces may only be alike.
    let _ = getrandom::fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_has_one_trace_and_every_other_call_its_own() {
        assert_eq!(trace_of("one"), trace_of("one"));
        assert_ne!(trace_of("one"), trace_of("two"));
        assert_ne!(new_trace(), new_trace());
        let dashes = |trace: &str| trace.split('-').map(str::len).collect::<Vec<_>>();
        assert_eq!(dashes(&trace_of("one")), [8, 4, 4, 4, 12]);
        assert_eq!(dashes(&new_trace()), [8, 4, 4, 4, 12]);
    }
}
