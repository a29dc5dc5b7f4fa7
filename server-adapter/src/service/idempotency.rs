//! Idempotency: the same call twice is one call.

use onepath_core::{CreateGenerationRequest, canonicalize, decode, to_json};
use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::problem::{Problem, ProblemCode};

/// An idempotency key as the header carries it: quoted (a structured string) or bare.
///
/// # Errors
///
/// It is empty, too long, or holds what is not printable ASCII.
pub fn idempotency_key(header: &str) -> Result<String, Problem> {
    let text = header.trim();
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let good = (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    if good {
        return Ok(text.to_owned());
    }
    let detail = "an Idempotency-Key has 1 to 255 printable characters without quotes and spaces";
    Err(Problem::new(ProblemCode::ValidationError, detail))
}

/// The hash of what was sent: of the decoded envelope's canonical text, so that spelling and order
/// do not count.
#[must_use]
pub fn content_fingerprint(text: &str) -> String {
    let read = decode::<CreateGenerationRequest<'_>>(text);
    let decoded = read.value.and_then(|envelope| to_json(&envelope).ok());
    let canonical = canonicalize(decoded.as_deref().unwrap_or(text));
    hex(&Sha256::digest(canonical.as_deref().unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_quoted_and_bare() {
        assert_eq!(idempotency_key("\"abc\"").unwrap(), "abc");
        assert_eq!(idempotency_key(" abc-1 ").unwrap(), "abc-1");
        for wrong in ["", "\"\"", "a b", "\"a", "é", &"x".repeat(256)] {
            assert!(idempotency_key(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn spelling_and_order_do_not_count() {
        let left =
            r#"{"provider_id": "local", "config": {"moodFrom": 1, "generationType": "dialogue"}}"#;
        let same =
            r#"{ "config": {"generation_type": "dialogue", "moodFrom": 1}, "providerId": "local"}"#;
        let other = r#"{"provider_id": "local", "config": {"generationType": "variation"}}"#;
        assert_eq!(content_fingerprint(left), content_fingerprint(same));
        assert_ne!(content_fingerprint(left), content_fingerprint(other));
    }
}
