//! Who calls: bearer keys, of which the store knows the hashes only.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use sha2::{Digest as _, Sha256};

use super::App;
use super::door::{StartsRun, Used};
use super::reply::Failure;
use crate::cache::Recent;
use crate::clock::hex;
use crate::problem::{Problem, ProblemCode};
use crate::service::Caller;
use crate::store::{Millis, Role, Store};

/// The header in which a backend says for which user it acts.
const ON_BEHALF: &str = "onepath-user";

/// The keys that were seen lately.
#[derive(Debug, Clone)]
pub struct KeyRing {
    store: Arc<dyn Store>,
    known: Arc<Recent<[u8; 32], Caller>>,
}

impl KeyRing {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, known: Arc::default() }
    }

    /// The caller of a key, by its hash.
    async fn caller(&self, hash: [u8; 32], now: Millis) -> Result<Caller, Problem> {
        if let Some(caller) = self.known.get(&hash, now) {
            return Ok(caller);
        }
        let found = self.store.key(&hex(&hash)).await?;
        let key = found.filter(|key| key.revoked_at.is_none()).ok_or_else(|| {
            let detail = "the key is not known here, or was revoked: `onepath admin key create` \
                          makes one";
            Problem::new(ProblemCode::Unauthenticated, detail)
        })?;
        let caller = Caller { reader: key.reader, role: key.role, key: key.id };
        self.known.put(hash, caller.clone(), now);
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
        let mut caller = app.admit(key.trim(), parts).await?;
        if let Some(user) = parts.headers.get(ON_BEHALF) {
            caller.reader.user = on_behalf(&caller, user.to_str().unwrap_or(""))?;
        }
        Ok(caller)
    }
}

impl App {
    /// The caller of a key, whose call is counted.
    ///
    /// # Errors
    ///
    /// `UNAUTHENTICATED` and `RATE_LIMITED`.
    pub(super) async fn admit(&self, key: &str, parts: &Parts) -> Result<Caller, Problem> {
        let (hash, now) = (Sha256::digest(key).into(), self.service.clock.now());
        let caller = self.keys.caller(hash, now).await?;
        // Whatever the call does, it goes by what operators want at this moment.
        self.service.live.now().await?;
        let starts_run = parts.extensions.get::<StartsRun>().is_some();
        self.count(&hash, starts_run, parts.extensions.get::<Used>(), now).await?;
        Ok(caller)
    }
}

/// The user for whom a backend acts.
fn on_behalf(caller: &Caller, user: &str) -> Result<String, Problem> {
    let user = user.trim();
    if caller.role == Role::User && user != caller.reader.user {
        let detail = "only keys with the role `backend` act for other users";
        return Err(Problem::new(ProblemCode::Forbidden, detail));
    }
    if !(1..=255).contains(&user.len()) {
        let detail = "the header `onepath-user` names a user by 1 to 255 characters";
        return Err(Problem::new(ProblemCode::ValidationError, detail));
    }
    Ok(user.to_owned())
}
