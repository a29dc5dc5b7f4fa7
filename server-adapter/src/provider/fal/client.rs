//! The calls of fal's queue, and of its storage.

use std::time::Duration;

use serde_json::{Value, json};

use crate::provider::account::Secret;
use crate::provider::wire::{Ask, Payload};

/// How long a file may take on its way.
const UPLOAD: Duration = Duration::from_secs(300);

/// What the operator wishes of the queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    /// `normal` or `low`.
    pub(super) priority: Option<String>,
    /// Seconds until a request must have begun.
    pub(super) start_seconds: Option<u32>,
    /// Seconds for which what is made is kept there.
    pub(super) keep_seconds: Option<u32>,
}

/// Where and as whom fal is called.
#[derive(Debug, Clone)]
pub(super) struct Api {
    /// Such as `https://queue.fal.run`, without a `/` at the end.
    pub(super) base: String,
    /// Such as `https://rest.fal.ai`.
    pub(super) rest: String,
    /// The key; without one the API refuses.
    pub(super) key: Option<Secret>,
}

impl Api {
    fn with_key(&self, ask: Ask) -> Ask {
        match &self.key {
            Some(key) => ask.secret("authorization", "Key ", key),
            None => ask,
        }
    }

    /// Puts a request into the queue. It is not tried again there: an attempt is one attempt.
    pub(super) fn create(
        &self,
        path: &str,
        input: &Value,
        webhook: Option<&str>,
        wishes: &Wishes,
    ) -> Ask {
        let mut url = format!("{}{path}", self.base);
        if let Some(webhook) = webhook {
            let query = form_urlencoded(webhook);
            url = format!("{url}?fal_webhook={query}");
        }
        let mut ask = self.with_key(Ask::post(url)).json(input).header("x-fal-no-retry", "1");
        if let Some(priority) = &wishes.priority {
            ask = ask.header("x-fal-queue-priority", priority);
        }
        if let Some(seconds) = wishes.start_seconds {
            ask = ask.header("x-fal-request-timeout", &seconds.to_string());
        }
        if let Some(seconds) = wishes.keep_seconds {
            let wish = json!({ "expiration_duration_seconds": seconds }).to_string();
            ask = ask.header("x-fal-object-lifecycle-preference", &wish);
        }
        ask
    }

    /// How a request stands; `place` is where it lies, from the first `/` on.
    pub(super) fn status(&self, place: &str) -> Ask {
        self.with_key(Ask::get(format!("{}{place}/status", self.base)))
    }

    /// What it made.
    pub(super) fn result(&self, place: &str) -> Ask {
        self.with_key(Ask::get(format!("{}{place}", self.base))).at_most(32 << 20)
    }

    pub(super) fn cancel(&self, place: &str) -> Ask {
        self.with_key(Ask::put(format!("{}{place}/cancel", self.base)))
    }

    /// Asks where a file may be put.
    pub(super) fn initiate(&self, name: &str, media_type: &str) -> Ask {
        let url = format!("{}/storage/upload/initiate?storage_type=fal-cdn-v3", self.rest);
        let body = json!({ "file_name": name, "content_type": media_type });
        self.with_key(Ask::post(url)).json(&body)
    }

    /// Puts a file where it may be put: the place itself is the permission, no key goes there.
    pub(super) fn put(url: &str, payload: Payload) -> Ask {
        Ask::put(url.to_owned()).payload(payload).within(UPLOAD)
    }

    /// The keys that webhooks are signed with.
    pub(super) fn keys(&self) -> Ask {
        Ask::get(format!("{}/.well-known/jwks.json", self.rest)).at_most(1 << 20)
    }

    /// A file that was made.
    pub(super) fn file(&self, url: &str) -> Ask {
        self.with_key(Ask::get(url.to_owned()))
    }
}

/// A text as a value of a query.
fn form_urlencoded(text: &str) -> String {
    let mut url = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}
