//! Who calls: bearer keys, of which the store knows the hashes only.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use sha2::{Digest as _, Sha256};

use super::App;
use super::reply::Failure;
use crate::clock::{SharedClock, hex};
use crate::problem::{Problem, ProblemCode};
use crate::service::Caller;
use crate::store::{Millis, Store};

/// How long a key is known without asking the store again: a revoked one works so long.
const KNOWN_FOR: Millis = 5_000;

/// Callers that are remembered at most.
const MOST: usize = 10_000;

/// Callers by the hash of their key, and until when they are known.
type Known = HashMap<[u8; 32], (Caller, Millis)>;

/// The keys that were seen lately.
#[derive(Debug, Clone)]
pub struct KeyRing {
    store: Arc<dyn Store>,
    clock: SharedClock,
    known: Arc<RwLock<Known>>,
}

impl KeyRing {
    pub(super) fn new(store: Arc<dyn Store>, clock: SharedClock) -> Self {
        Self { store, clock, known: Arc::default() }
    }

    /// The caller of a key.
    async fn caller(&self, key: &str) -> Result<Caller, Problem> {
        let hash: [u8; 32] = Sha256::digest(key).into();
        let now = self.clock.now();
        if let Ok(known) = self.known.read()
            && let Some((caller, until)) = known.get(&hash)
            && *until > now
        {
            return Ok(caller.clone());
        }
        let found = self.store.key(&hex(&hash)).await?;
        let key = found.ok_or_else(|| {
            let detail = "the key is not known here: `onepath admin key create` makes one";
            Problem::new(ProblemCode::Unauthenticated, detail)
        })?;
        let caller = Caller { reader: key.reader, role: key.role };
        if let Ok(mut known) = self.known.write() {
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(hash, (caller.clone(), now + KNOWN_FOR));
        }
        Ok(caller)
    }
}

/// The hash under which a key is kept.
#[must_use]
pub fn hash_key(key: &str) -> String {
    hex(&Sha256::digest(key))
}

impl FromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let missing = || {
            let detail = "send the header `Authorization: Bearer KEY`";
            Problem::new(ProblemCode::Unauthenticated, detail)
        };
        let header = parts.headers.get(AUTHORIZATION).ok_or_else(missing)?;
        let header = header.to_str().map_err(|_| missing())?;
        let (scheme, key) = header.split_once(' ').ok_or_else(missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(missing().into());
        }
        Ok(app.keys.caller(key.trim()).await?)
    }
}
