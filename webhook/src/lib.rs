#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod secret;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

pub use secret::{BadSecret, PREFIX, Secret};

/// The header with the message's id: the same however often the message is sent.
pub const ID: &str = "webhook-id";

/// The header with the time of sending, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";

/// The header with the signatures, one for each secret that is valid, between spaces.
pub const SIGNATURE: &str = "webhook-signature";

/// Seconds by which the time of sending may differ from ours, either way.
pub const TOLERANCE: i64 = 5 * 60;

/// The version of the scheme that is known here: HMAC-SHA256.
const VERSION: &str = "v1,";

/// The longest id that is believed.
const LONGEST_ID: usize = 256;

/// The headers of a signed message, as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers<'h> {
    /// [`ID`].
    pub id: &'h str,
    /// [`TIMESTAMP`].
    pub timestamp: &'h str,
    /// [`SIGNATURE`].
    pub signature: &'h str,
}

impl<'h> Headers<'h> {
    /// The three headers of a message, by a function that finds one by its name in lower case.
    ///
    /// # Errors
    ///
    /// One of them is missing.
    pub fn find(get: impl Fn(&'static str) -> Option<&'h str>) -> Result<Self, Refused> {
        let find = |name| get(name).ok_or(Refused::Missing(name));
        Ok(Self { id: find(ID)?, timestamp: find(TIMESTAMP)?, signature: find(SIGNATURE)? })
    }
}

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A header is not there.
    #[error("the header `{0}` is missing")]
    Missing(&'static str),
    /// The id is empty, too long, or holds what separates it from the time.
    #[error("the header `webhook-id` holds no id")]
    BadId,
    /// The time is no whole number of seconds.
    #[error("the header `webhook-timestamp` holds no time")]
    BadTimestamp,
    /// It was sent too long ago: somebody may have kept it.
    #[error("it was sent too long ago")]
    TooOld,
    /// It was sent in the future: the clocks differ too much.
    #[error("it was sent in the future")]
    TooNew,
    /// No signature is that of a secret we know.
    #[error("no signature holds")]
    NoMatch,
}

/// The value of [`SIGNATURE`]: a signature with each of the secrets, so that receivers may go over
/// from one to the next. `timestamp` is in seconds since 1970.
pub fn sign<'s>(
    secrets: impl IntoIterator<Item = &'s Secret>,
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> String {
    let timestamp = timestamp.to_string();
    let signed = secrets.into_iter().filter_map(|secret| {
        let bytes = mac(secret, id, &timestamp, body)?.finalize().into_bytes();
        Some(format!("{VERSION}{}", STANDARD.encode(bytes)))
    });
    signed.collect::<Vec<_>>().join(" ")
}

/// Whether a message was signed with one of the secrets, not longer than `tolerance` seconds ago by
/// `now` (seconds since 1970). The body is taken as it came: read it as JSON only afterwards.
///
/// # Errors
///
/// Why it is not believed. Without a secret nothing is.
pub fn verify<'s>(
    secrets: impl IntoIterator<Item = &'s Secret>,
    headers: Headers<'_>,
    body: &[u8],
    now: i64,
    tolerance: i64,
) -> Result<(), Refused> {
    let Headers { id, timestamp, signature } = headers;
    if id.is_empty() || id.len() > LONGEST_ID || id.contains('.') {
        return Err(Refused::BadId);
    }
    let digits = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let at: i64 = timestamp.parse().ok().filter(|_| digits).ok_or(Refused::BadTimestamp)?;
    if now.saturating_sub(at) > tolerance {
        return Err(Refused::TooOld);
    }
    if at.saturating_sub(now) > tolerance {
        return Err(Refused::TooNew);
    }
    let given: Vec<Vec<u8>> = signature
        .split(' ')
        .filter_map(|one| STANDARD.decode(one.strip_prefix(VERSION)?).ok())
        .collect();
    for secret in secrets {
        let Some(mac) = mac(secret, id, timestamp, body) else { continue };
        // Compared in constant time.
        if given.iter().any(|bytes| mac.clone().verify_slice(bytes).is_ok()) {
            return Ok(());
        }
    }
    Err(Refused::NoMatch)
}

fn mac(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes()).ok()?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(mac)
}
