//! The store in memory, reached over a way on which calls come late, and answers get lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use onepath_core::lifecycle::{ErrorCode, State};
use tokio::sync::watch;

use super::world::World;
use crate::provider::Credits;
// All of the port: whatever it speaks of.
use crate::store::World as Place;
use crate::store::endpoints::{Endpoint, Message};
use crate::store::prompts::{Added, NewVersion, PromptFamily, PromptUse, PromptVersion, Which};
use crate::store::webhooks::{Door, Taken, Target, Told};
use crate::store::*;

/// The store.
#[derive(Debug, Clone)]
pub(super) struct SimStore {
    world: World,
    kept: Arc<MemoryStore>,
    seen: Arc<Mutex<BTreeMap<String, Row>>>,
}

impl SimStore {
    pub(super) fn new(world: &World) -> Self {
        Self { world: world.clone(), kept: Arc::default(), seen: Arc::default() }
    }

    /// What is kept, at once and as it is.
    pub(super) fn kept(&self) -> &MemoryStore {
        &self.kept
    }

    async fn call<T>(&self, answer: impl Future<Output = Result<T>>) -> Result<T> {
        let lost = || StoreError::Unavailable("lost on the way".to_owned());
        self.way().await;
        if self.world.trouble() {
            return Err(lost());
        }
        let answer = answer.await;
        self.look();
        self.way().await;
        if self.world.trouble() { Err(lost()) } else { answer }
    }

    /// Most calls are quick; some take long.
    async fn way(&self) {
        let most = if self.world.trouble() { 20_000 } else { 20 };
        self.world.pause(self.world.below(most)).await;
    }

    /// What may never change has not: I4, I5 and I13.
    fn look(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for row in self.kept.everything().0 {
            if let Some(before) = seen.get(&row.id) {
                let what = changed(before, &row);
                if let Some(what) = what {
                    self.world.broken(&format!("{what}: {before:?} became {row:?}"));
                }
            }
            seen.insert(row.id.clone(), row);
        }
    }
}

fn changed(before: &Row, row: &Row) -> Option<&'static str> {
    let same_run = before.state.run() == row.state.run();
    if row.fence < before.fence {
        Some("I5: a fence fell")
    } else if before.state.is_terminal() && same_run && before.state != row.state {
        Some("I4: an end changed")
    } else if before.state.run() > row.state.run() {
        Some("I4: a run was undone")
    } else if (&before.asked, &before.tenant) != (&row.asked, &row.tenant) {
        Some("I13: what was asked changed")
    } else if let (State::Pending { .. }, true) = (row.state, row.lease_until.is_some()) {
        Some("a row that waits is held")
    } else {
        None
    }
}

/// Every call of a part of the port goes over the way. A new method of the port is one more line here.
macro_rules! over_the_way {
    ($port:ident { $(fn $name:ident(&self $(, $argument:ident: $kind:ty)*) -> $answer:ty;)* $(at_once $quick:ident -> $quickly:ty;)? }) => {
        #[async_trait]
        impl $port for SimStore {
            $(async fn $name(&self $(, $argument: $kind)*) -> Result<$answer> {
                self.call(self.kept.$name($($argument),*)).await
            })*

            $(fn $quick(&self) -> $quickly {
                self.kept.$quick()
            })?
        }
    };
}

over_the_way! { Store {
    fn create(&self, creation: Creation) -> CreateOutcome;
    fn preview(&self, new: &NewGeneration) -> (Answer, Option<Row>);
    fn get(&self, viewer: &Viewer, id: &str) -> Option<Generation>;
    fn list(&self, reader: &Reader, query: &ListQuery) -> Page;
    fn claim(&self, claim: &Claim) -> Vec<Claimed>;
    fn next_due(&self) -> Option<Millis>;
    fn heartbeat(&self, id: &str, fence: i64, now: Millis, lease_until: Millis) -> bool;
    fn end_leases(&self, now: Millis) -> u64;
    fn advance(&self, advance: &Advance) -> Option<Advanced>;
    fn cancel(&self, reader: &Reader, id: &str, now: Millis) -> Option<Cancelled>;
    fn retry(&self, reader: &Reader, id: &str, plan: PlanNow, now: Millis) -> Outcome;
    fn delete(&self, reader: &Reader, id: &str, now: Millis) -> Outcome;
    fn patch(&self, reader: &Reader, id: &str, patch: &Patch, now: Millis) -> Outcome;
    fn events(&self, viewer: &Viewer, id: &str) -> Vec<Event>;
    fn events_after(&self, cursor: i64, limit: usize) -> Vec<Event>;
    fn last_event(&self) -> i64;
    fn used(&self, reader: &Reader, since: Millis) -> Used;
    fn usage(&self, reader: &Reader, since: Millis, until: Millis) -> Vec<UsageLine>;
    fn add_key(&self, key: Key) -> ();
    fn key(&self, hash: &str) -> Option<Key>;
    fn keys(&self) -> Vec<Key>;
    fn revoke_key(&self, id: &str, now: Millis) -> bool;
    fn put_user(&self, user: User) -> ();
    fn user(&self, reader: &Reader) -> Option<User>;
    fn users(&self, tenant: Option<&str>) -> Vec<User>;
    fn put_world(&self, world: Place) -> ();
    fn world(&self, tenant: &str, id: &str) -> Option<Place>;
    fn worlds(&self, tenant: Option<&str>) -> Vec<Place>;
    fn forget_receipts(&self, before: Millis) -> u64;
    fn ping(&self) -> ();
    at_once changes -> watch::Receiver<u64>;
} }

over_the_way! { AssetStore {
    fn asset(&self, viewer: &Viewer, id: &str) -> Option<Asset>;
    fn public_asset(&self, id: &str) -> Option<Asset>;
    fn assets(&self, reader: &Reader, query: &AssetQuery) -> AssetPage;
    fn asset_with(&self, reader: &Reader, sha256: &str) -> Option<Asset>;
    fn keep_upload(&self, asset: Asset, blob: Option<Blob>, plan: PlanNow) -> Uploaded;
    fn blob(&self, sha256: &str) -> Option<Blob>;
    fn outputs(&self, generation: &str) -> Vec<Asset>;
    fn put_outputs(&self, generation: &str, fence: i64, assets: Vec<Asset>, blobs: Vec<Blob>, now: Millis) -> bool;
    fn put_sync(&self, asset: Asset, blob: Option<Blob>, now: Millis) -> bool;
    fn hurry(&self, generation: &str, now: Millis) -> bool;
    fn put_thumbnail(&self, id: &str, sha256: &str, blob: Option<Blob>, now: Millis) -> ();
    fn patch_asset(&self, reader: &Reader, id: &str, patch: &AssetPatch, now: Millis) -> Option<Asset>;
    fn delete_asset(&self, reader: &Reader, id: &str, now: Millis) -> bool;
    fn inputs(&self, generation: &str) -> Vec<(Input, Asset)>;
    fn lineage(&self, viewer: &Viewer, id: &str) -> Option<Lineage>;
    fn copy(&self, asset: &str, provider: &str, account: &str, now: Millis) -> Option<AssetCopy>;
    fn put_copy(&self, copy: AssetCopy, now: Millis) -> ();
    fn collect_blobs(&self, before: Millis, limit: usize) -> Vec<String>;
    fn unknown_places(&self, places: &[String]) -> Vec<String>;
} }

over_the_way! { AccountStore {
    fn put_account(&self, account: Account) -> bool;
    fn remove_account(&self, id: &str, now: Millis) -> bool;
    fn account(&self, id: &str) -> Option<Account>;
    fn accounts(&self, query: &AccountQuery, now: Millis) -> Vec<AccountNow>;
    fn put_credits(&self, id: &str, credits: Credits, now: Millis) -> ();
    fn account_failed(&self, id: &str, error: ErrorCode, rests_until: Option<Millis>, now: Millis) -> ();
    fn heal_account(&self, id: &str, now: Millis) -> bool;
} }

over_the_way! { TelemetryStore {
    fn ended_runs(&self, tenant: Option<&str>, since: Millis) -> (Vec<RunCount>, Vec<RunTimes>);
    fn in_flight(&self) -> Vec<(String, String, u64)>;
    fn forget_runs(&self, before: Millis) -> u64;
} }

over_the_way! { CacheStore {
    fn kept(&self, tenant: &str, owner: Option<&str>, now: Millis, after: &str, limit: usize) -> Vec<Kept>;
    fn invalidate(&self, tenant: &str, owner: Option<&str>, ids: &[String], now: Millis) -> u64;
    fn add_answers(&self, counts: &[AnswerCount]) -> ();
    fn answers(&self, tenant: &str, since: Millis) -> Vec<AnswerCount>;
    fn forget_answers(&self, before: Millis) -> u64;
} }

over_the_way! { SettingStore {
    fn put_settings(&self, changes: Vec<Setting>) -> ();
    fn settings(&self) -> Vec<Setting>;
    fn setting_history(&self, name: Option<&str>, limit: usize) -> Vec<Setting>;
} }

over_the_way! { LegacyStore {
    fn count_old_call(&self, key: &str, route: &str, at: Millis) -> ();
    fn old_calls(&self) -> Vec<OldCalls>;
} }

over_the_way! { PredictionStore {
    fn unclaimed(&self, provider: &str, predictions: &[String]) -> Vec<String>;
} }

over_the_way! { PromptStore {
    fn add_version(&self, new: NewVersion) -> Added;
    fn put_family(&self, family: PromptFamily) -> bool;
    fn families(&self, tenant: &str, after: &str, limit: usize) -> Vec<(PromptFamily, PromptVersion)>;
    fn prompt(&self, tenant: &str, family: &str, which: Which<'_>) -> Option<(PromptFamily, PromptVersion)>;
    fn prompt_version(&self, tenant: &str, id: &str) -> Option<PromptVersion>;
    fn prompts_with(&self, tenant: &str, content_hash: &str) -> Vec<PromptVersion>;
    fn versions(&self, tenant: &str, family: &str, before: i64, limit: usize) -> Vec<PromptVersion>;
    fn prompt_uses(&self, tenant: &str, family: &str, since: Millis) -> Vec<PromptUse>;
    fn put_terms(&self, tenant: &str, terms: Option<String>, now: Millis) -> ();
    fn terms(&self, tenant: &str) -> Option<String>;
} }

over_the_way! { WebhookStore {
    fn open_door(&self, door: Door) -> ();
    fn behind_door(&self, hash: &str) -> Option<Target>;
    fn by_prediction(&self, provider: &str, prediction: &str) -> Option<Target>;
    fn take_webhook(&self, told: Told) -> Taken;
    fn prediction_told(&self, generation: &str, attempt: i64) -> Option<String>;
    fn forget_webhooks(&self, before: Millis) -> u64;
} }

#[async_trait]
impl EndpointStore for SimStore {
    async fn put_endpoint(&self, endpoint: Endpoint) -> Result<()> {
        self.call(self.kept.put_endpoint(endpoint)).await
    }

    async fn mark_endpoint(
        &self,
        id: &str,
        failing_since: Option<Millis>,
        disabled: Option<(Millis, String)>,
    ) -> Result<()> {
        self.call(self.kept.mark_endpoint(id, failing_since, disabled)).await
    }

    async fn endpoints(&self, tenant: Option<&str>) -> Result<Vec<Endpoint>> {
        self.call(self.kept.endpoints(tenant)).await
    }

    async fn remove_endpoint(&self, tenant: &str, id: &str) -> Result<bool> {
        self.call(self.kept.remove_endpoint(tenant, id)).await
    }

    async fn told_until(&self) -> Result<i64> {
        self.call(self.kept.told_until()).await
    }

    async fn add_messages(&self, messages: Vec<Message>, told_until: i64) -> Result<()> {
        self.call(self.kept.add_messages(messages, told_until)).await
    }

    async fn claim_messages(
        &self,
        now: Millis,
        lease_until: Millis,
        limit: usize,
        each: usize,
    ) -> Result<Vec<Message>> {
        self.call(self.kept.claim_messages(now, lease_until, limit, each)).await
    }

    async fn end_message(&self, message: Message) -> Result<bool> {
        self.call(self.kept.end_message(message)).await
    }

    async fn messages(
        &self,
        endpoint: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Message>> {
        self.call(self.kept.messages(endpoint, before, limit)).await
    }

    async fn replay_message(&self, endpoint: &str, id: &str, now: Millis) -> Result<bool> {
        self.call(self.kept.replay_message(endpoint, id, now)).await
    }

    async fn forget_messages(&self, before: Millis) -> Result<u64> {
        self.call(self.kept.forget_messages(before)).await
    }
}
