//! A store that keeps nothing and answers at once: what is left is the path itself.

use async_trait::async_trait;
use onepath_core::lifecycle::ErrorCode;
use onepath_server::provider::Credits;
use onepath_server::store::endpoints::{Endpoint, EndpointStore, Message};
use onepath_server::store::webhooks::{Door, Taken, Target, Told, WebhookStore};
use onepath_server::store::{
    Account, AccountNow, AccountQuery, AccountStore, Advance, Advanced, Answer, AnswerCount,
    CacheStore, Cancelled, Claim, Claimed, CreateOutcome, Created, Creation, Event, Generation,
    Kept, Key, LegacyStore, ListQuery, Millis, NewGeneration, OldCalls, Outcome, Page, Patch,
    PlanNow, PredictionStore, Reader, Result, Role, Row, RunCount, RunTimes, Setting, SettingStore,
    Store, TelemetryStore, UsageLine, Used, User, Viewer, World,
};
use tokio::sync::watch;

/// Keeps nothing. Every key is known.
#[derive(Debug)]
pub(crate) struct NoStore {
    changes: watch::Sender<u64>,
}

impl NoStore {
    pub(crate) fn new() -> Self {
        Self { changes: watch::channel(0).0 }
    }
}

#[async_trait]
impl LegacyStore for NoStore {
    async fn count_old_call(&self, _: &str, _: &str, _: Millis) -> Result<()> {
        Ok(())
    }

    async fn old_calls(&self) -> Result<Vec<OldCalls>> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl PredictionStore for NoStore {
    async fn unclaimed(&self, _: &str, predictions: &[String]) -> Result<Vec<String>> {
        Ok(predictions.to_vec())
    }
}

#[async_trait]
impl Store for NoStore {
    async fn create(&self, creation: Creation) -> Result<CreateOutcome> {
        let created = Created { answer: Answer::Created, row: creation.new.into_row(1) };
        Ok(CreateOutcome::Done(Box::new(created)))
    }

    async fn preview(&self, _: &NewGeneration) -> Result<(Answer, Option<Row>)> {
        Ok((Answer::Created, None))
    }

    async fn get(&self, _: &Viewer, _: &str) -> Result<Option<Generation>> {
        Ok(None)
    }

    async fn list(&self, _: &Reader, _: &ListQuery) -> Result<Page> {
        Ok(Page { generations: Vec::new(), next: None, total: None })
    }

    async fn claim(&self, _: &Claim) -> Result<Vec<Claimed>> {
        Ok(Vec::new())
    }

    async fn next_due(&self) -> Result<Option<Millis>> {
        Ok(None)
    }

    async fn heartbeat(&self, _: &str, _: i64, _: Millis, _: Millis) -> Result<bool> {
        Ok(false)
    }

    async fn end_leases(&self, _: Millis) -> Result<u64> {
        Ok(0)
    }

    async fn advance(&self, _: &Advance) -> Result<Option<Advanced>> {
        Ok(None)
    }

    async fn cancel(&self, _: &Reader, _: &str, _: Millis) -> Result<Option<Cancelled>> {
        Ok(None)
    }

    async fn retry(&self, _: &Reader, _: &str, _: PlanNow, _: Millis) -> Result<Outcome> {
        Ok(Outcome::NotThere)
    }

    async fn delete(&self, _: &Reader, _: &str, _: Millis) -> Result<Outcome> {
        Ok(Outcome::NotThere)
    }

    async fn patch(&self, _: &Reader, _: &str, _: &Patch, _: Millis) -> Result<Outcome> {
        Ok(Outcome::NotThere)
    }

    async fn events(&self, _: &Viewer, _: &str) -> Result<Vec<Event>> {
        Ok(Vec::new())
    }

    async fn events_after(&self, _: i64, _: usize) -> Result<Vec<Event>> {
        Ok(Vec::new())
    }

    async fn last_event(&self) -> Result<i64> {
        Ok(0)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn used(&self, _: &Reader, _: Millis) -> Result<Used> {
        Ok(Used::default())
    }

    async fn usage(&self, _: &Reader, _: Millis, _: Millis) -> Result<Vec<UsageLine>> {
        Ok(Vec::new())
    }

    async fn add_key(&self, _: Key) -> Result<()> {
        Ok(())
    }

    async fn key(&self, hash: &str) -> Result<Option<Key>> {
        Ok(Some(Key {
            hash: hash.to_owned(),
            id: "bench".to_owned(),
            name: "bench".to_owned(),
            reader: Reader { tenant: "bench".to_owned(), user: "bench".to_owned() },
            role: Role::Backend,
            created_at: 0,
            revoked_at: None,
        }))
    }

    async fn keys(&self) -> Result<Vec<Key>> {
        Ok(Vec::new())
    }

    async fn revoke_key(&self, _: &str, _: Millis) -> Result<bool> {
        Ok(false)
    }

    async fn put_user(&self, _: User) -> Result<()> {
        Ok(())
    }

    async fn user(&self, _: &Reader) -> Result<Option<User>> {
        Ok(None)
    }

    async fn users(&self, _: Option<&str>) -> Result<Vec<User>> {
        Ok(Vec::new())
    }

    async fn put_world(&self, _: World) -> Result<()> {
        Ok(())
    }

    async fn world(&self, _: &str, _: &str) -> Result<Option<World>> {
        Ok(None)
    }

    async fn worlds(&self, _: Option<&str>) -> Result<Vec<World>> {
        Ok(Vec::new())
    }

    async fn forget_receipts(&self, _: Millis) -> Result<u64> {
        Ok(0)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl AccountStore for NoStore {
    async fn put_account(&self, _: Account) -> Result<bool> {
        Ok(false)
    }

    async fn remove_account(&self, _: &str, _: Millis) -> Result<bool> {
        Ok(false)
    }

    async fn account(&self, _: &str) -> Result<Option<Account>> {
        Ok(None)
    }

    async fn accounts(&self, _: &AccountQuery, _: Millis) -> Result<Vec<AccountNow>> {
        Ok(Vec::new())
    }

    async fn put_credits(&self, _: &str, _: Credits, _: Millis) -> Result<()> {
        Ok(())
    }

    async fn account_failed(
        &self,
        _: &str,
        _: ErrorCode,
        _: Option<Millis>,
        _: Millis,
    ) -> Result<()> {
        Ok(())
    }

    async fn heal_account(&self, _: &str, _: Millis) -> Result<bool> {
        Ok(false)
    }
}

#[async_trait]
impl SettingStore for NoStore {
    async fn put_settings(&self, _: Vec<Setting>) -> Result<()> {
        Ok(())
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        Ok(Vec::new())
    }

    async fn setting_history(&self, _: Option<&str>, _: usize) -> Result<Vec<Setting>> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl TelemetryStore for NoStore {
    async fn ended_runs(
        &self,
        _: Option<&str>,
        _: Millis,
    ) -> Result<(Vec<RunCount>, Vec<RunTimes>)> {
        Ok((Vec::new(), Vec::new()))
    }

    async fn in_flight(&self) -> Result<Vec<(String, String, u64)>> {
        Ok(Vec::new())
    }

    async fn forget_runs(&self, _: Millis) -> Result<u64> {
        Ok(0)
    }
}

#[async_trait]
impl CacheStore for NoStore {
    async fn kept(
        &self,
        _: &str,
        _: Option<&str>,
        _: Millis,
        _: &str,
        _: usize,
    ) -> Result<Vec<Kept>> {
        Ok(Vec::new())
    }

    async fn invalidate(&self, _: &str, _: Option<&str>, _: &[String], _: Millis) -> Result<u64> {
        Ok(0)
    }

    async fn add_answers(&self, _: &[AnswerCount]) -> Result<()> {
        Ok(())
    }

    async fn answers(&self, _: &str, _: Millis) -> Result<Vec<AnswerCount>> {
        Ok(Vec::new())
    }

    async fn forget_answers(&self, _: Millis) -> Result<u64> {
        Ok(0)
    }
}

#[async_trait]
impl WebhookStore for NoStore {
    async fn open_door(&self, _: Door) -> Result<()> {
        Ok(())
    }

    async fn behind_door(&self, _: &str) -> Result<Option<Target>> {
        Ok(None)
    }

    async fn by_prediction(&self, _: &str, _: &str) -> Result<Option<Target>> {
        Ok(None)
    }

    async fn take_webhook(&self, _: Told) -> Result<Taken> {
        Ok(Taken::TooLate)
    }

    async fn prediction_told(&self, _: &str, _: i64) -> Result<Option<String>> {
        Ok(None)
    }

    async fn forget_webhooks(&self, _: Millis) -> Result<u64> {
        Ok(0)
    }
}

#[async_trait]
impl EndpointStore for NoStore {
    async fn put_endpoint(&self, _: Endpoint) -> Result<()> {
        Ok(())
    }

    async fn mark_endpoint(
        &self,
        _: &str,
        _: Option<Millis>,
        _: Option<(Millis, String)>,
    ) -> Result<()> {
        Ok(())
    }

    async fn endpoints(&self, _: Option<&str>) -> Result<Vec<Endpoint>> {
        Ok(Vec::new())
    }

    async fn remove_endpoint(&self, _: &str, _: &str) -> Result<bool> {
        Ok(false)
    }

    async fn told_until(&self) -> Result<i64> {
        Ok(0)
    }

    async fn add_messages(&self, _: Vec<Message>, _: i64) -> Result<()> {
        Ok(())
    }

    async fn claim_messages(
        &self,
        _: Millis,
        _: Millis,
        _: usize,
        _: usize,
    ) -> Result<Vec<Message>> {
        Ok(Vec::new())
    }

    async fn end_message(&self, _: Message) -> Result<bool> {
        Ok(false)
    }

    async fn messages(&self, _: &str, _: Option<&str>, _: usize) -> Result<Vec<Message>> {
        Ok(Vec::new())
    }

    async fn replay_message(&self, _: &str, _: &str, _: Millis) -> Result<bool> {
        Ok(false)
    }

    async fn forget_messages(&self, _: Millis) -> Result<u64> {
        Ok(0)
    }
}
