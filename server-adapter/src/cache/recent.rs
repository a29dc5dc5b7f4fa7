//! Values that are looked up often and change seldom, remembered for a few seconds.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::RwLock;

use crate::store::Millis;

/// How long a value is believed: a change is seen everywhere within this time.
const BELIEVED: Millis = 5_000;

/// Values that are remembered at most.
const MOST: usize = 10_000;

/// Values by key, each with the time until which it is believed.
#[derive(Debug)]
pub struct Recent<K, V> {
    values: RwLock<HashMap<K, (V, Millis)>>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { values: RwLock::default() }
    }
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// The value of a key, if it was put lately.
    #[must_use]
    pub fn get(&self, key: &K, now: Millis) -> Option<V> {
        let values = self.values.read().ok()?;
        let (value, until) = values.get(key)?;
        (*until > now).then(|| value.clone())
    }

    /// Remembers a value.
    pub fn put(&self, key: K, value: V, now: Millis) {
        // A lock that broke elsewhere only costs the memory of this value.
        if let Ok(mut values) = self.values.write() {
            if values.len() >= MOST {
                values.retain(|_, (_, until)| *until > now);
                if values.len() >= MOST {
                    values.clear();
                }
            }
            values.insert(key, (value, now + BELIEVED));
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        if let Ok(mut values) = self.values.write() {
            values.clear();
        }
    }
}
