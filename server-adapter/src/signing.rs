//! Signed URLs: whoever has one may read that one asset until it expires.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::clock::{hex, unhex};
use crate::store::{Millis, Reader};

/// Signs and checks the URLs of assets.
#[derive(Clone)]
pub struct Signer {
    secret: [u8; 32],
    lifetime: Millis,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

impl Signer {
    /// With a secret; URLs live for `lifetime` milliseconds.
    #[must_use]
    pub const fn new(secret: [u8; 32], lifetime: Millis) -> Self {
        Self { secret, lifetime }
    }

    fn mac(
        &self,
        reader: &Reader,
        asset: &str,
        file: &str,
        expires: Millis,
    ) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        // Lengths stand before what comes from outside, so that no two tuples read the same.
        for part in [&reader.tenant, &reader.user, asset, file] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.update(&expires.to_be_bytes());
        Some(mac)
    }

    /// The URL's path and query for a file of an asset, as this reader may see it. A URL is for
    /// reading, and for the one file.
    #[must_use]
    pub fn url(&self, reader: &Reader, asset: &str, file: &str, now: Millis) -> String {
        // Full minutes: the same URL for a while, so that browsers keep what they fetched.
        let expires = (now + self.lifetime) / 60_000 * 60_000;
        self.url_until(reader, asset, file, expires)
    }

    /// The URL's path and query for a file of an asset, until a time.
    #[must_use]
    pub fn url_until(&self, reader: &Reader, asset: &str, file: &str, expires: Millis) -> String {
        let signature = self
            .mac(reader, asset, file, expires)
            .map(|mac| hex(&mac.finalize().into_bytes()))
            .unwrap_or_default();
        let reader = format!("{}~{}", encode(&reader.tenant), encode(&reader.user));
        format!(
            "/api/v1/assets/{asset}/{file}?expires={expires}&reader={reader}&signature={signature}"
        )
    }

    /// The reader of a signed URL, if its signature holds and it has not expired.
    #[must_use]
    pub fn check(
        &self,
        (asset, file): (&str, &str),
        reader: &str,
        expires: Millis,
        signature: &str,
        now: Millis,
    ) -> Option<Reader> {
        let (tenant, user) = reader.split_once('~')?;
        let reader = Reader { tenant: decode(tenant)?, user: decode(user)? };
        let bytes = unhex(signature)?;
        // Compared in constant time.
        self.mac(&reader, asset, file, expires)?.verify_slice(&bytes).ok()?;
        (expires > now).then_some(reader)
    }
}

/// Text that stands in a query as it is.
fn encode(text: &str) -> String {
    hex(text.as_bytes())
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(unhex(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_s7_every_changed_character_of_a_signed_url_is_refused() {
        let signer = Signer::new([7; 32], 300_000);
        let reader = Reader { tenant: "a".to_owned(), user: "é~&".to_owned() };
        let url = signer.url(&reader, "0199", "file", 1_000_000);
        let check = |url: &str, now: Millis| {
            let (_, query) = url.split_once('?')?;
            let part = |name: &str| {
                query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
            };
            signer.check(
                ("0199", "file"),
                part("reader")?,
                part("expires")?.parse().ok()?,
                part("signature")?,
                now,
            )
        };
        assert_eq!(check(&url, 1_000_000), Some(reader));
        assert_eq!(check(&url, 2_000_000), None, "expired");
        let query = url.find('?').unwrap() + 1;
        for at in query..url.len() {
            for other in ["0", "f", "="] {
                let mut forged = url.clone();
                forged.replace_range(at..=at, other);
                if forged != url {
                    assert_eq!(check(&forged, 1_000_000), None, "{forged}");
                }
            }
        }
        assert!(signer.check(("0200", "file"), "61~62", 1, "", 0).is_none());
    }
}
