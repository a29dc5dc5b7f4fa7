//! Where providers report to: URLs that the server makes of its public address and of an attempt.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::clock::hex;

/// Where the world reaches this server, such as `https://media.example.com`. It is a setting: what a
/// request says about its host is never believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// A text that is no public URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no public URL: such as https://media.example.com, without query and fragment")]
pub struct BadPublicUrl(String);

impl PublicUrl {
    /// Reads one; a path is kept, for servers that stand behind one.
    ///
    /// # Errors
    ///
    /// It is no `http` or `https` URL, or says more than where the server is.
    pub fn parse(text: &str) -> Result<Self, BadPublicUrl> {
        let bad = || BadPublicUrl(text.to_owned());
        let url = reqwest::Url::parse(text.trim()).map_err(|_| bad())?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if plain { Ok(Self(url.as_str().trim_end_matches('/').to_owned())) } else { Err(bad()) }
    }

    /// A path of this server as a URL.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Without a `/` at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes the URLs of webhooks. Each attempt has one of its own, whose token nobody can guess: it
/// comes of the attempt's token and of a secret that is not in the store, where only its hash is.
#[derive(Clone)]
pub struct Doors {
    public_url: PublicUrl,
    secret: [u8; 32],
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl Doors {
    /// At a public address, with the server's secret.
    #[must_use]
    pub const fn new(public_url: PublicUrl, secret: [u8; 32]) -> Self {
        Self { public_url, secret }
    }

    /// The URL for an attempt, by the attempt's own token, and the hash by which its token is known.
    #[must_use]
    pub fn open(&self, provider: &str, attempt: &str) -> Option<(String, String)> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        // What else is signed with the secret begins with a length, and never with these words.
        mac.update(b"onepath/v1/webhook\n");
        mac.update(attempt.as_bytes());
        let token = hex(&mac.finalize().into_bytes());
        let url = self.public_url.join(&format!("/api/v1/webhooks/{provider}/{token}"));
        Some((url, hash_token(&token)))
    }
}

/// The hash under which a webhook's token is kept.
#[must_use]
pub fn hash_token(token: &str) -> String {
    hex(&Sha256::digest(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_says_where_the_server_is_and_nothing_else() {
        for (text, url) in [
            ("https://media.example.com", "https://media.example.com/x"),
            (" https://media.example.com/ ", "https://media.example.com/x"),
            ("https://example.com:8443/media/", "https://example.com:8443/media/x"),
            ("http://127.0.0.1:7700", "http://127.0.0.1:7700/x"),
        ] {
            assert_eq!(PublicUrl::parse(text).unwrap().join("/x"), url);
        }
        for text in [
            "",
            "media.example.com",
            "ftp://example.com",
            "https://",
            "https://a@example.com",
            "https://example.com?x",
            "https://example.com#x",
            "https://example.com/?",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_attempt_has_a_door_of_its_own() {
        let public = PublicUrl::parse("https://media.example.com").unwrap();
        let doors = Doors::new(public.clone(), [7; 32]);
        let (url, hash) = doors.open("fal", "attempt").unwrap();
        let token = url.strip_prefix("https://media.example.com/api/v1/webhooks/fal/").unwrap();
        assert_eq!((token.len(), hash_token(token)), (64, hash.clone()));
        assert_eq!(doors.open("fal", "attempt").unwrap(), (url.clone(), hash.clone()), "the same");
        assert_ne!(doors.open("fal", "another").unwrap().1, hash);
        assert_ne!(Doors::new(public, [8; 32]).open("fal", "attempt").unwrap().1, hash);
        assert!(!format!("{doors:?}").contains('7'));
    }
}
