//! The keys of accounts: in the environment, or sealed with a key of the data folder.
//!
//! A sealed key is bound to its account and to where the account is asked: whoever can write rows
//! can neither move it to another account nor have it sent elsewhere.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::clock::{SharedClock, hex};
use crate::provider::Secret;
use crate::store::{Account, KeySource};

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The variable is not set for this process.
    #[error("the environment variable `{0}` is not set for this process")]
    NoVariable(String),
    /// It was sealed with another key, for another account or another endpoint.
    #[error(
        "it was sealed by another data folder, for another account or another endpoint: set it again"
    )]
    NotOpened,
    /// The system's cipher refused to seal.
    #[error("it cannot be sealed")]
    NotSealed,
}

/// Seals and opens keys.
#[derive(Clone)]
pub struct Vault {
    key: [u8; 32],
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Vault {
    /// With the key of a data folder.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.key).ok().map(LessSafeKey::new)
    }

    /// Seals a key for an account that is asked at an endpoint.
    ///
    /// # Errors
    ///
    /// The cipher does not work.
    pub fn seal(
        &self,
        secret: &Secret,
        account: &str,
        endpoint: Option<&str>,
        clock: &SharedClock,
    ) -> Result<KeySource, VaultError> {
        let cipher = self.cipher().ok_or(VaultError::NotSealed)?;
        let mut nonce = [0; NONCE_LEN];
        clock.random(&mut nonce);
        let mut bytes = secret.expose().as_bytes().to_vec();
        cipher
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to(account, endpoint)),
                &mut bytes,
            )
            .map_err(|_| VaultError::NotSealed)?;
        Ok(KeySource::Sealed(format!("{}{}", hex(&nonce), hex(&bytes))))
    }

    /// Seals a text for one purpose: what is sealed for another does not open.
    #[must_use]
    pub fn seal_text(&self, text: &str, purpose: &str, clock: &SharedClock) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        clock.random(&mut nonce);
        let mut bytes = text.as_bytes().to_vec();
        let sealing = Nonce::assume_unique_for_key(nonce);
        let aad = Aad::from(format!("onepath/text/v1\n{purpose}"));
        self.cipher()?.seal_in_place_append_tag(sealing, aad, &mut bytes).ok()?;
        Some(format!("{}{}", hex(&nonce), hex(&bytes)))
    }

    /// What was sealed for a purpose.
    #[must_use]
    pub fn open_text(&self, sealed: &str, purpose: &str) -> Option<String> {
        let bytes = from_hex(sealed)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let aad = Aad::from(format!("onepath/text/v1\n{purpose}"));
        let opened = self.cipher()?.open_in_place(nonce, aad, &mut sealed).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }

    /// The key of an account; none if its provider wants none.
    ///
    /// # Errors
    ///
    /// It is not where it should be, or is not meant for this account.
    pub fn open(&self, account: &Account) -> Result<Option<Secret>, VaultError> {
        match &account.key {
            KeySource::None => Ok(None),
            KeySource::Env(name) => match std::env::var(name) {
                Ok(text) if !text.is_empty() => Ok(Some(Secret::new(text))),
                _ => Err(VaultError::NoVariable(name.clone())),
            },
            KeySource::Sealed(text) => {
                let opened = self.opened(text, account).ok_or(VaultError::NotOpened)?;
                Ok(Some(Secret::new(opened)))
            }
        }
    }

    fn opened(&self, text: &str, account: &Account) -> Option<String> {
        let bytes = from_hex(text)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let aad = Aad::from(bound_to(&account.id, account.endpoint.as_deref()));
        let opened = self.cipher()?.open_in_place(nonce, aad, &mut sealed).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

/// What a sealed key is bound to; lengths stand before what comes from outside.
fn bound_to(account: &str, endpoint: Option<&str>) -> Vec<u8> {
    let mut bytes = b"onepath/account/v1\n".to_vec();
    for part in [account, endpoint.unwrap_or("")] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::store::Health;

    fn account(id: &str, endpoint: Option<&str>, key: KeySource) -> Account {
        Account {
            id: id.to_owned(),
            provider: "maker".to_owned(),
            tenant: None,
            endpoint: endpoint.map(str::to_owned),
            key,
            priority: 5,
            concurrency: None,
            daily_limit: None,
            enabled: true,
            created_at: 0,
            updated_at: 0,
            health: Health::default(),
            credits: None,
        }
    }

    #[test]
    fn what_is_sealed_opens_for_its_account_and_endpoint_only() {
        let clock: SharedClock = Arc::new(SystemClock);
        let (vault, secret) = (Vault::new([7; 32]), Secret::new("r8_canary-ключ"));
        let at = Some("https://gpu.example");
        let seal = || vault.seal(&secret, "main", at, &clock).unwrap();
        let key = seal();
        assert_ne!(key, seal(), "never twice the same");
        let text = key.text().unwrap();
        assert!(!text.contains("canary") && !format!("{vault:?}").contains('7'));
        assert_eq!(KeySource::parse(Some(&text)), Some(key.clone()));
        let opened = vault.open(&account("main", at, key.clone())).unwrap();
        assert_eq!(opened, Some(secret));
        let no = Err(VaultError::NotOpened);
        assert_eq!(vault.open(&account("other", at, key.clone())), no);
        assert_eq!(vault.open(&account("main", Some("https://thief.example"), key.clone())), no);
        assert_eq!(vault.open(&account("main", None, key.clone())), no);
        assert_eq!(Vault::new([8; 32]).open(&account("main", at, key)), no);
        for broken in
            ["", "00", "zz", "ключ", &"0".repeat(80), text.get(7..text.len() - 2).unwrap()]
        {
            let key = KeySource::Sealed(broken.to_owned());
            assert_eq!(vault.open(&account("main", at, key)), no, "{broken}");
        }
    }

    #[test]
    fn a_variable_is_read_when_it_is_needed() {
        let vault = Vault::new([7; 32]);
        let path = account("main", None, KeySource::Env("PATH".to_owned()));
        let found = vault.open(&path).unwrap().unwrap();
        assert_eq!(found.expose(), std::env::var("PATH").unwrap());
        assert_eq!(format!("{found:?}"), "Secret");
        let gone = account("main", None, KeySource::Env("ONEPATH_NO_SUCH_KEY".to_owned()));
        let error = vault.open(&gone).unwrap_err();
        assert!(error.to_string().contains("ONEPATH_NO_SUCH_KEY"));
        assert_eq!(vault.open(&account("main", None, KeySource::None)), Ok(None));
    }
}
