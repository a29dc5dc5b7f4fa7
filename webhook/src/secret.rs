//! Secrets, as the scheme spells them.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What a secret's text begins with.
pub const PREFIX: &str = "whsec_";

/// Bytes that a secret has at least and at most.
const SIZES: std::ops::RangeInclusive<usize> = 16..=128;

/// Standard base64, with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A shared secret. Debug output hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// A text that is no secret. The text itself is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no secret of a webhook: `whsec_` and 16 to 128 bytes in base64 are wanted")]
pub struct BadSecret;

impl Secret {
    /// From `whsec_…`; the prefix may be left out.
    ///
    /// # Errors
    ///
    /// It is no base64, or too short or too long.
    pub fn parse(text: &str) -> Result<Self, BadSecret> {
        let text = text.trim();
        let bytes = BASE64.decode(text.strip_prefix(PREFIX).unwrap_or(text));
        bytes.ok().filter(|bytes| SIZES.contains(&bytes.len())).map(Self).ok_or(BadSecret)
    }

    /// Of 32 bytes that nobody can guess.
    #[must_use]
    pub fn of(random: [u8; 32]) -> Self {
        Self(random.to_vec())
    }

    /// As [`parse`](Self::parse) reads it. For whoever shares it, and for nobody else.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
