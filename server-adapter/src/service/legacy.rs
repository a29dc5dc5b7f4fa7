//! Who still calls the API of the system before, and when it may go.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Caller, Service};
use crate::clock::rfc3339;
use crate::problem::Problem;
use crate::store::{Key, Millis, OldCalls};

const DAY: Millis = 86_400_000;

/// Who still calls the old API, and when it may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LegacyReport {
    /// One for each key and route that was ever called, the last call first.
    pub callers: Vec<LegacyUse>,
    /// The last call with a key that still works.
    pub last_call_at: Option<String>,
    /// How many days nobody may have called.
    pub quiet_days: u16,
    /// When it may go if nobody calls until then.
    pub safe_at: String,
    /// Whether it may go now.
    pub safe: bool,
    /// When it ends for callers, if the server was told.
    pub sunset: Option<String>,
}

/// Calls of one route with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LegacyUse {
    /// The key's id, as `onepath admin key list` shows it.
    pub key_id: String,
    /// What people call it.
    pub key_name: Option<String>,
    /// Whether it was revoked: nobody calls with it any more.
    pub revoked: bool,
    /// The tenant behind whose wall it works.
    pub tenant: Option<String>,
    /// The user for whom it speaks.
    pub user_id: Option<String>,
    /// Method and path.
    pub route: String,
    /// How many calls there were.
    pub calls: u64,
    /// The first one.
    pub first_at: String,
    /// The last one.
    pub last_at: String,
}

/// The last call that may be followed by another one, and when all were quiet for long enough. Where
/// nobody called, they are quiet since there are keys.
fn verdict(
    calls: &[OldCalls],
    keys: &[Key],
    quiet: Millis,
    now: Millis,
) -> (Option<Millis>, Millis) {
    let is_over = |id: &str| keys.iter().any(|key| key.id == id && key.revoked_at.is_some());
    let last = calls.iter().filter(|one| !is_over(&one.key)).map(|one| one.last_at).max();
    let since = last.or_else(|| keys.iter().map(|key| key.created_at).min()).unwrap_or(now);
    (last, since.saturating_add(quiet))
}

impl Service {
    /// When the old API ends for its callers: what an operator said last, else what the server was
    /// started with.
    pub(crate) fn sunset(&self) -> Option<Millis> {
        self.live.last().jobs_sunset().or(self.jobs_sunset)
    }

    /// Counts a call of the old API. It is answered also if it cannot be counted.
    pub async fn count_old_call(&self, caller: &Caller, route: &'static str) {
        let counted = self.store.count_old_call(&caller.key, route, self.clock.now()).await;
        if let Err(error) = counted {
            tracing::warn!(%error, route, "a call of the old API is not counted");
        }
    }

    /// Who still calls the old API. It may go when nobody called for so many days.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn legacy_report(&self, quiet_days: u16) -> Result<LegacyReport, Problem> {
        let mut calls = self.store.old_calls().await?;
        let keys = self.store.keys().await?;
        let now = self.clock.now();
        let (last, safe_at) = verdict(&calls, &keys, DAY.saturating_mul(quiet_days.into()), now);
        let by_id: BTreeMap<&str, &Key> = keys.iter().map(|key| (key.id.as_str(), key)).collect();
        calls.sort_by_key(|one| std::cmp::Reverse(one.last_at));
        let callers = calls.into_iter().map(|one| {
            let key = by_id.get(one.key.as_str());
            LegacyUse {
                key_name: key.map(|key| key.name.clone()),
                revoked: key.is_some_and(|key| key.revoked_at.is_some()),
                tenant: key.map(|key| key.reader.tenant.clone()),
                user_id: key.map(|key| key.reader.user.clone()),
                key_id: one.key,
                route: one.route,
                calls: one.calls,
                first_at: rfc3339(one.first_at),
                last_at: rfc3339(one.last_at),
            }
        });
        Ok(LegacyReport {
            callers: callers.collect(),
            last_call_at: last.map(rfc3339),
            quiet_days,
            safe_at: rfc3339(safe_at),
            safe: safe_at <= now,
            sunset: self.sunset().map(rfc3339),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Reader, Role};

    const NOW: Millis = 100 * DAY;

    fn key(id: &str, created_at: Millis, revoked_at: Option<Millis>) -> Key {
        Key {
            hash: id.to_owned(),
            id: id.to_owned(),
            name: id.to_owned(),
            reader: Reader { tenant: "studio".to_owned(), user: "game".to_owned() },
            role: Role::Backend,
            created_at,
            revoked_at,
        }
    }

    fn called(key: &str, last_at: Millis) -> OldCalls {
        OldCalls {
            key: key.to_owned(),
            route: "GET /api/v1/jobs".to_owned(),
            calls: 2,
            first_at: 1,
            last_at,
        }
    }

    #[test]
    fn it_may_go_when_every_key_that_works_was_quiet() {
        let keys = [key("a", DAY, None), key("b", 2 * DAY, None), key("c", DAY, Some(99 * DAY))];
        let told = |calls: &[OldCalls]| verdict(calls, &keys, 30 * DAY, NOW);
        // Nobody ever called: quiet since the first key.
        assert_eq!(told(&[]), (None, 31 * DAY));
        let calls = [called("a", 60 * DAY), called("b", 80 * DAY)];
        assert_eq!(told(&calls), (Some(80 * DAY), 110 * DAY));
        // With a key that was revoked nobody calls again; what nobody knows counts.
        let calls = [called("a", 60 * DAY), called("c", 98 * DAY)];
        assert_eq!(told(&calls), (Some(60 * DAY), 90 * DAY));
        assert_eq!(told(&[called("unknown", 98 * DAY)]), (Some(98 * DAY), 128 * DAY));
        assert_eq!(verdict(&[], &[], DAY, NOW), (None, 101 * DAY), "nothing is known yet");
    }
}
