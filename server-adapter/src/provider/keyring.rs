//! Keys with which webhooks are verified: told by the provider, kept for a while, and asked for
//! anew when none of them fits, because providers replace them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::delivery::WebhookRefused;
use super::port::NoAnswer;
use crate::store::Millis;

/// How long keys are believed.
const BELIEVED: Millis = 24 * 60 * 60 * 1000;

/// How long the provider is not asked again, however many webhooks do not fit.
const REST: Millis = 60_000;

/// Keys by whose they are.
#[derive(Debug)]
pub(crate) struct Keyring<K> {
    rings: Mutex<BTreeMap<String, Ring<K>>>,
}

impl<K> Default for Keyring<K> {
    fn default() -> Self {
        Self { rings: Mutex::default() }
    }
}

/// What was told at one time, and what it replaced: webhooks may still be on their way.
#[derive(Debug, Clone)]
struct Ring<K> {
    keys: Vec<K>,
    replaced: Vec<K>,
    read_at: Millis,
}

impl<K: Clone + PartialEq> Keyring<K> {
    /// Verifies with the keys of `of`, every one of them; `ask` fetches them.
    pub(crate) async fn verify<T>(
        &self,
        of: &str,
        now: Millis,
        verified: impl Fn(&[K]) -> Result<T, WebhookRefused>,
        ask: impl Future<Output = Result<Vec<K>, NoAnswer>>,
    ) -> Result<T, WebhookRefused> {
        let known = self.known(of).filter(|ring| now.saturating_sub(ring.read_at) < BELIEVED);
        let refused = match &known {
            None => None,
            Some(ring) => {
                let all = [ring.keys.as_slice(), ring.replaced.as_slice()].concat();
                match verified(&all) {
                    Ok(good) => return Ok(good),
                    Err(refused) if now.saturating_sub(ring.read_at) < REST => return Err(refused),
                    Err(refused) => Some(refused),
                }
            }
        };
        let keys = match ask.await {
            Ok(keys) => keys,
            Err(error) => {
                return Err(refused.unwrap_or(WebhookRefused::NotNow(error.detail)));
            }
        };
        let replaced = match known {
            Some(ring) if ring.keys == keys => ring.replaced,
            Some(ring) => ring.keys,
            None => Vec::new(),
        };
        let all = [keys.as_slice(), replaced.as_slice()].concat();
        let ring = Ring { keys, replaced, read_at: now };
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).insert(of.to_owned(), ring);
        verified(&all)
    }

    fn known(&self, of: &str) -> Option<Ring<K>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).get(of).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn keys_are_asked_for_when_none_fits_and_not_all_the_time() {
        let ring = Keyring::default();
        let asked = Cell::new(0);
        let told = Cell::new(1_u8);
        let ask = async |wanted: u8, now: Millis| {
            let fits = |keys: &[u8]| match keys.contains(&wanted) {
                true => Ok(()),
                false => Err(WebhookRefused::Forged("no")),
            };
            let answer = async {
                asked.set(asked.get() + 1);
                match told.get() {
                    0 => Err(NoAnswer::new("away")),
                    key => Ok(vec![key]),
                }
            };
            ring.verify("account", now, fits, answer).await
        };
        told.set(0);
        assert_eq!(ask(1, 0).await, Err(WebhookRefused::NotNow("away".to_owned())));
        told.set(1);
        assert_eq!((ask(1, 0).await, asked.get()), (Ok(()), 2));
        assert_eq!((ask(1, REST * 2).await, asked.get()), (Ok(()), 2), "it is known");
        // A flood of forgeries asks once a minute.
        for _ in 0..3 {
            assert!(ask(9, REST * 2).await.is_err());
        }
        assert_eq!(asked.get(), 3);
        // While the provider is away what is known still holds, and what is not is forged.
        told.set(0);
        assert_eq!(ask(9, REST * 4).await, Err(WebhookRefused::Forged("no")));
        assert_eq!(ask(1, REST * 4).await, Ok(()));
        // Replaced: both hold, the old one until it is replaced again.
        told.set(2);
        assert_eq!(ask(2, REST * 5).await, Ok(()));
        assert_eq!(ask(1, REST * 5).await, Ok(()));
        told.set(3);
        assert_eq!(ask(3, REST * 7).await, Ok(()));
        assert!(ask(1, REST * 7).await.is_err());
        // After a day nothing is believed any more.
        told.set(0);
        assert!(ask(3, REST * 7 + BELIEVED).await.is_err());
    }
}
