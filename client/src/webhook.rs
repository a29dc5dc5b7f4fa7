//! What a server tells over webhooks: verify a message, then read it.
//!
//! ```
//! use onepath_client::webhook::{Event, Headers, Secret, TOLERANCE, verify};
//!
//! # fn receive(find: impl Fn(&str) -> Option<&'static str>, body: &[u8], now: i64)
//! #     -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let headers = Headers::find(|name| find(name))?;
//! verify([&secret], headers, body, now, TOLERANCE)?;
//! // The same message may come twice, under the same id: pass over one that you had.
//! let event = Event::read(body)?;
//! println!("{} {:?}", event.kind, event.data.generation_id);
//! # Ok(()) }
//! ```

pub use onepath_webhook::{
    BadSecret, Headers, ID, Refused, SIGNATURE, Secret, TIMESTAMP, TOLERANCE, sign, verify,
};
use serde::Deserialize;

/// What a message tells; members that are not named are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// What happened, such as `generation.completed`; `webhook.ping` for a test.
    #[serde(rename = "type")]
    pub kind: String,
    /// When (RFC 3339).
    pub timestamp: String,
    /// What it is about.
    pub data: Data,
}

/// What an event is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Data {
    /// The generation.
    pub generation_id: Option<String>,
    /// Its status after the event.
    pub status: Option<String>,
    /// What went wrong.
    pub error_code: Option<String>,
    /// Its events are numbered from 1, without gaps: what comes late has a smaller number.
    pub number: Option<i64>,
    /// Who pays for it.
    pub user_id: Option<String>,
}

impl Event {
    /// Reads the body of a message that was verified.
    ///
    /// # Errors
    ///
    /// It is no JSON of an event.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }
}
