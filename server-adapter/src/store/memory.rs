//! The store in memory: the model that the others are compared with, and a store for tests.

mod assets;
mod cache;
mod endpoints;
mod legacy;
mod prompts;
mod seats;
mod settings;
mod telemetry;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use onepath_core::Strategy;
use onepath_core::lifecycle::State;
use tokio::sync::watch;

use super::decide::{
    CancelDecision, Change, CreateDecision, OwnerDecision, decide_advance, decide_cancel,
    decide_claim, decide_create, decide_delete, decide_patch, decide_retry, first_reservation,
    joined, limit_hit, uses_slot,
};
use super::row::LedgerEntry;
use super::{
    Account, Advance, Advanced, Answer, AnswerCount, Asset, AssetCopy, Attempt, Blob, Cancelled,
    Claim, Claimed, CreateOutcome, Created, Creation, EndedRun, Event, Failures, Generation, Input,
    Key, ListQuery, Millis, NewGeneration, Outcome, Page, Patch, PlanNow, PredictionStore, Reader,
    Receipt, Result, Row, Store, StoreError, Subject, UsageLine, Used, User, Viewer, World,
};
use crate::clock::rfc3339;

/// A store whose rows vanish with it.
#[derive(Debug)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    changes: watch::Sender<u64>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { tables: Mutex::default(), changes: watch::channel(0).0 }
    }
}

#[derive(Debug, Default)]
struct Tables {
    rows: BTreeMap<String, Row>,
    attempts: BTreeMap<String, Vec<Attempt>>,
    answers: BTreeMap<(Millis, String, &'static str, &'static str), AnswerCount>,
    assets: BTreeMap<String, Asset>,
    /// By hash, each with its creation.
    blobs: BTreeMap<String, (Blob, Millis)>,
    /// What generations start from.
    inputs: BTreeMap<String, Vec<Input>>,
    /// By asset, provider and account.
    copies: BTreeMap<(String, String, String), AssetCopy>,
    events: Vec<Event>,
    /// Users who want a row, and since when; closed when it is over.
    interests: BTreeMap<String, Vec<Interest>>,
    ledger: Vec<(String, LedgerEntry, String, Millis)>,
    ended: Vec<(Row, EndedRun)>,
    receipts: BTreeMap<ReceiptKey, (String, Receipt, Millis)>,
    keys: BTreeMap<String, Key>,
    /// By key and route.
    old_calls: BTreeMap<(String, String), super::OldCalls>,
    users: BTreeMap<(String, String), User>,
    worlds: BTreeMap<(String, String), World>,
    accounts: BTreeMap<String, Account>,
    settings: settings::Settings,
    webhooks: webhooks::Webhooks,
    endpoints: endpoints::Endpoints,
    prompts: prompts::Prompts,
}

/// A change that keeps nothing that was made.
const NOTHING: (&[Asset], &[Blob]) = (&[], &[]);

/// Since when, who, and whether the row is not over.
type Interest = (Millis, String, bool);

/// Tenant, user, route and key.
type ReceiptKey = (String, String, &'static str, String);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every row, and every entry of the ledger with its row's id: for whoever judges.
    #[cfg(any(test, feature = "conformance"))]
    pub(crate) fn everything(&self) -> (Vec<Row>, Vec<(String, LedgerEntry)>) {
        let tables = self.tables();
        let ledger = tables.ledger.iter().map(|(_, entry, id, _)| (id.clone(), entry.clone()));
        (tables.rows.values().cloned().collect(), ledger.collect())
    }

    /// A panic elsewhere leaves whole operations behind, never halves: the tables stay good.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The tables, for an operation that may tell readers something.
    fn changing(&self) -> MutexGuard<'_, Tables> {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        self.tables()
    }
}

impl Tables {
    fn decide(&self, new: &NewGeneration) -> (CreateDecision, Option<&Row>, Option<&Row>) {
        let key = new.asked.cache_key.as_ref();
        let mine = |row: &&Row| row.tenant == new.owner.tenant;
        let holder = self
            .rows
            .values()
            .filter(mine)
            .find(|row| key.is_some() && row.reuse_key.as_ref() == key);
        let same = self.rows.values().filter(mine).filter(|row| {
            row.owner == new.owner.user
                && row.asked.request_hash == new.asked.request_hash
                && row.asked.strategy != Strategy::Always
                && row.deleted_at.is_none()
                && row.answers_at(new.now)
        });
        let same = same.max_by_key(|row| (row.created_at, &row.id));
        (decide_create(new, holder, same), holder, same)
    }

    fn generation(&self, row: &Row) -> Generation {
        Generation {
            row: row.clone(),
            attempts: self.attempts.get(&row.id).cloned().unwrap_or_default(),
            assets: self.outputs(&row.id),
        }
    }

    fn write(&mut self, change: &Change, (assets, blobs): (&[Asset], &[Blob])) {
        let row = &change.row;
        if change.takes_slot {
            for other in self.rows.values_mut() {
                if other.id != row.id
                    && other.tenant == row.tenant
                    && other.reuse_key == row.reuse_key
                {
                    other.reuse_key = None;
                }
            }
        }
        if let Some((attempt, _)) = &change.attempt {
            let attempts = self.attempts.entry(row.id.clone()).or_default();
            attempts.retain(|known| known.number != attempt.number);
            attempts.push(attempt.clone());
        }
        for entry in &change.ledger {
            self.enter(row, entry.clone());
        }
        if let Some(ended) = &change.ended {
            self.prompts.ended(row, ended);
            self.ended.push((row.clone(), ended.clone()));
        }
        if let Some(kind) = change.event {
            self.event(row, kind);
        }
        if change.is_over() {
            for (_, _, open) in self.interests.entry(row.id.clone()).or_default() {
                *open = false;
            }
        }
        if change.keeps_assets() {
            self.put_all(assets, blobs, row.updated_at);
            self.move_outputs(&row.id, &row.owner);
        }
        self.rows.insert(row.id.clone(), row.clone());
        if let Some(outcome) = &change.outcome {
            self.outcome(outcome, row.updated_at);
        }
        if let Some(account) = &change.released {
            self.wake(account, row.updated_at);
        }
    }

    fn enter(&mut self, row: &Row, entry: LedgerEntry) {
        self.ledger.push((row.tenant.clone(), entry, row.id.clone(), row.updated_at));
    }

    fn event(&mut self, row: &Row, kind: &'static str) {
        let cursor = self.events.last().map_or(0, |last| last.cursor) + 1;
        self.events.push(Event {
            cursor,
            tenant: row.tenant.clone(),
            owner: row.owner.clone(),
            shared: row.shared(),
            subject: Subject::Generation {
                id: row.id.clone(),
                status: row.status(),
                prediction: row.prediction.clone(),
            },
            number: row.events,
            kind,
            error: row.error_code(),
            at: row.updated_at,
        });
    }

    fn want(&mut self, id: &str, user: &str, now: Millis) {
        let interests = self.interests.entry(id.to_owned()).or_default();
        match interests.iter_mut().find(|(_, known, _)| known == user) {
            Some((_, _, open)) => *open = true,
            None => interests.push((now, user.to_owned(), true)),
        }
        interests.sort();
    }

    fn wanting(&self, id: &str) -> Vec<String> {
        let all = self.interests.get(id).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|(_, _, open)| *open).map(|(_, user, _)| user.clone()).collect()
    }

    fn used(&self, reader: &Reader, since: Millis) -> Used {
        let open = self.interests.iter().filter(|(id, users)| {
            let mine = self.rows.get(*id).is_some_and(|row| row.tenant == reader.tenant);
            mine && users.iter().any(|(_, user, open)| *open && *user == reader.user)
        });
        let mut used =
            Used { in_flight: i64::try_from(open.count()).unwrap_or(i64::MAX), ..Used::default() };
        used.storage = self.stored(reader);
        for (tenant, entry, _, at) in &self.ledger {
            if *tenant == reader.tenant && entry.user == reader.user && *at >= since {
                used.runs += entry.runs;
                used.micros += entry.micros;
            }
        }
        used
    }

    fn create(&mut self, new: &NewGeneration, plan: PlanNow) -> Result<CreateOutcome> {
        let (decision, holder, same) = self.decide(new);
        let (holder, same) = (holder.cloned(), same.cloned());
        let lost = || StoreError::Corrupt("a decision without its row".to_owned());
        let done = |answer, row| Ok(CreateOutcome::Done(Box::new(Created { answer, row })));
        match decision {
            CreateDecision::Answered(Answer::Hash) => done(Answer::Hash, same.ok_or_else(lost)?),
            CreateDecision::Answered(answer) => done(answer, holder.ok_or_else(lost)?),
            CreateDecision::Join => {
                let row = joined(&holder.ok_or_else(lost)?, new);
                if !self.wanting(&row.id).contains(&new.owner.user)
                    && let Some(hit) =
                        limit_hit(&plan.limits, self.used(&new.owner, plan.since), None)
                {
                    return Ok(CreateOutcome::Limited(hit));
                }
                self.want(&row.id, &new.owner.user, new.now);
                self.rows.insert(row.id.clone(), row.clone());
                done(Answer::Joined, row)
            }
            CreateDecision::Insert { holds_slot, clears_holder } => {
                let used = self.used(&new.owner, plan.since);
                if let Some(hit) = limit_hit(&plan.limits, used, Some(new.asked.reserved_micros)) {
                    return Ok(CreateOutcome::Limited(hit));
                }
                if let Some(holder) = holder.filter(|_| clears_holder)
                    && let Some(row) = self.rows.get_mut(&holder.id)
                {
                    row.reuse_key = None;
                }
                let in_tenant = self.rows.values().filter(|row| row.tenant == new.owner.tenant);
                let number = in_tenant.map(|row| row.number).max().unwrap_or(0) + 1;
                let mut row = new.clone().into_row(number);
                row.reuse_key = row.asked.cache_key.clone().filter(|_| holds_slot);
                self.want(&row.id, &new.owner.user, new.now);
                self.inputs.insert(row.id.clone(), new.inputs.clone());
                self.enter(&row, first_reservation(&row));
                self.event(&row, "generation.created");
                self.rows.insert(row.id.clone(), row.clone());
                done(Answer::Created, row)
            }
        }
    }

    fn wish(&mut self, row: Row, decision: OwnerDecision) -> Outcome {
        match decision {
            OwnerDecision::NotThere => Outcome::NotThere,
            OwnerDecision::NotNow => Outcome::NotNow(Box::new(row)),
            OwnerDecision::Changed => Outcome::Changed,
            OwnerDecision::Done(change) => {
                self.write(&change, NOTHING);
                Outcome::Done(Box::new(self.generation(&change.row)), change.steps)
            }
        }
    }
}

#[async_trait]
impl PredictionStore for MemoryStore {
    async fn unclaimed(&self, provider: &str, predictions: &[String]) -> Result<Vec<String>> {
        let tables = self.tables();
        let claimed = |prediction: &&String| {
            let mut attempts = tables.attempts.values().flatten();
            attempts
                .any(|one| one.provider == provider && one.prediction.as_ref() == Some(prediction))
        };
        Ok(predictions.iter().filter(|prediction| !claimed(prediction)).cloned().collect())
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create(&self, creation: Creation) -> Result<CreateOutcome> {
        let mut tables = self.changing();
        let (owner, now) = (creation.new.owner.clone(), creation.new.now);
        let key = creation
            .receipt
            .as_ref()
            .map(|wish| (owner.tenant, owner.user, wish.route, wish.key.clone()));
        if let (Some(key), Some(wish)) = (&key, &creation.receipt)
            && let Some((fingerprint, receipt, _)) = tables.receipts.get(key)
        {
            return Ok(if *fingerprint == wish.fingerprint {
                CreateOutcome::Replayed(receipt.clone())
            } else {
                CreateOutcome::Mismatch
            });
        }
        let outcome = tables.create(&creation.new, creation.plan)?;
        if let (Some(key), Some(wish), CreateOutcome::Done(created)) =
            (key, creation.receipt, &outcome)
        {
            tables.receipts.insert(key, (wish.fingerprint, (wish.render)(created), now));
        }
        Ok(outcome)
    }

    async fn preview(&self, new: &NewGeneration) -> Result<(Answer, Option<Row>)> {
        let tables = self.tables();
        let (decision, holder, same) = tables.decide(new);
        Ok(match decision {
            CreateDecision::Answered(Answer::Hash) => (Answer::Hash, same.cloned()),
            CreateDecision::Answered(answer) => (answer, holder.cloned()),
            CreateDecision::Join => (Answer::Joined, holder.cloned()),
            CreateDecision::Insert { .. } => (Answer::Created, None),
        })
    }

    async fn get(&self, viewer: &Viewer, id: &str) -> Result<Option<Generation>> {
        let tables = self.tables();
        let row = tables.rows.get(id).filter(|row| row.readable_by(viewer));
        Ok(row.map(|row| tables.generation(row)))
    }

    async fn list(&self, reader: &Reader, query: &ListQuery) -> Result<Page> {
        let tables = self.tables();
        let mut rows: Vec<&Row> = tables
            .rows
            .values()
            .filter(|row| row.tenant == reader.tenant && row.owner == reader.user)
            .filter(|row| row.deleted_at.is_none() && matches(row, query))
            .collect();
        let total = query.count.then(|| i64::try_from(rows.len()).unwrap_or(i64::MAX));
        rows.retain(|row| {
            query.after.as_ref().is_none_or(|(at, id)| (row.created_at, &row.id) < (*at, id))
        });
        rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, &row.id)));
        rows.drain(..query.offset.min(rows.len()));
        let more = rows.len() > query.limit;
        rows.truncate(query.limit);
        Ok(Page {
            next: rows.last().filter(|_| more).map(|row| (row.created_at, row.id.clone())),
            generations: rows.into_iter().map(|row| tables.generation(row)).collect(),
            total,
        })
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>> {
        let mut tables = self.changing();
        let mut due: Vec<&Row> = tables
            .rows
            .values()
            .filter(|row| due_at(row).is_some_and(|at| at <= claim.now))
            .filter(|row| tables.may_begin(row))
            .collect();
        due.sort_by_key(|row| (row.priority, row.next_run_at, &row.id));
        // Every tenant's first comes before any second.
        let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
        let served = |tenant: &str| {
            let mine = tables.rows.values().filter(|row| row.tenant == tenant);
            mine.filter_map(|row| row.started_at).max().unwrap_or(0)
        };
        let mut due: Vec<((i64, usize, Millis, Millis, String), &Row)> = due
            .into_iter()
            .map(|row| {
                let turn = turns.entry(&row.tenant).or_default();
                *turn += 1;
                let last = served(&row.tenant);
                ((row.priority, *turn, last, row.next_run_at, row.id.clone()), row)
            })
            .collect();
        due.sort_by(|(left, _), (right, _)| left.cmp(right));
        due.truncate(claim.limit);
        let mut seats = tables.seats(claim.now);
        let changes: Vec<Change> = due
            .into_iter()
            .map(|(_, row)| {
                decide_claim(row, claim.now, claim.lease_until, |row| {
                    seats.take(row.provider(), &row.tenant, row.price_credits(), claim.now)
                })
            })
            .collect();
        let mut claimed = Vec::new();
        for change in changes {
            tables.write(&change, NOTHING);
            if !matches!(change.row.state, State::Pending { .. }) || !change.steps.is_empty() {
                claimed.push(Claimed {
                    row: change.row,
                    effects: change.effects,
                    steps: change.steps,
                });
            }
        }
        tables.chosen(&seats);
        Ok(claimed)
    }

    async fn next_due(&self) -> Result<Option<Millis>> {
        let tables = self.tables();
        Ok(tables.rows.values().filter(|row| tables.may_begin(row)).filter_map(due_at).min())
    }

    async fn heartbeat(
        &self,
        id: &str,
        fence: i64,
        now: Millis,
        lease_until: Millis,
    ) -> Result<bool> {
        let mut tables = self.tables();
        let row = tables.rows.get_mut(id).filter(|row| {
            // A slot that went with its lease does not come back by a sign of life.
            let keeps = row.account.is_none() || uses_slot(row, now);
            row.fence == fence && row.lease_until.is_some() && keeps
        });
        Ok(row.map(|row| row.lease_until = Some(lease_until)).is_some())
    }

    async fn end_leases(&self, now: Millis) -> Result<u64> {
        let mut tables = self.tables();
        let mut count = 0;
        for row in tables.rows.values_mut().filter(|row| !row.state.is_terminal()) {
            if row.lease_until.is_some_and(|until| until > now) {
                row.lease_until = Some(now);
                count += 1;
            }
        }
        Ok(count)
    }

    async fn advance(&self, advance: &Advance) -> Result<Option<Advanced>> {
        let mut tables = self.changing();
        let failed = |row: &Row| {
            let attempts = tables.attempts.get(&row.id).into_iter().flatten();
            Failures::of(
                attempts.filter(|one| one.run == row.state.run()).filter_map(|one| one.error),
            )
        };
        let change =
            tables.rows.get(&advance.id).and_then(|row| decide_advance(row, advance, &failed(row)));
        Ok(change.map(|change| {
            tables.write(&change, (&advance.assets, &advance.blobs));
            Advanced { row: change.row, effects: change.effects, steps: change.steps }
        }))
    }

    async fn cancel(&self, reader: &Reader, id: &str, now: Millis) -> Result<Option<Cancelled>> {
        let mut tables = self.changing();
        let Some(row) = tables.rows.get(id) else { return Ok(None) };
        let (mut withdrawn, mut steps) = (true, Vec::new());
        match decide_cancel(row, &tables.wanting(id), reader, now) {
            CancelDecision::NotThere => return Ok(None),
            CancelDecision::Nothing => withdrawn = false,
            CancelDecision::Withdrawn(change) | CancelDecision::Cancelled(change) => {
                tables.write(&change, NOTHING);
                tables.move_outputs(id, &change.row.owner);
                steps = change.steps;
            }
        }
        if withdrawn && let Some(interests) = tables.interests.get_mut(id) {
            interests.retain(|(_, user, _)| *user != reader.user);
        }
        let row = tables.rows.get(id);
        Ok(row.map(|row| Cancelled { generation: tables.generation(row), withdrawn, steps }))
    }

    async fn retry(
        &self,
        reader: &Reader,
        id: &str,
        plan: PlanNow,
        now: Millis,
    ) -> Result<Outcome> {
        let mut tables = self.changing();
        let Some(row) = tables.rows.get(id).cloned() else { return Ok(Outcome::NotThere) };
        let decision = decide_retry(&row, reader, now);
        if matches!(decision, OwnerDecision::Done(_)) {
            let used = tables.used(reader, plan.since);
            if let Some(hit) = limit_hit(&plan.limits, used, Some(row.asked.reserved_micros)) {
                return Ok(Outcome::Limited(hit));
            }
            tables.want(id, &reader.user, now);
        }
        Ok(tables.wish(row, decision))
    }

    async fn delete(&self, reader: &Reader, id: &str, now: Millis) -> Result<Outcome> {
        let mut tables = self.changing();
        let Some(row) = tables.rows.get(id).cloned() else { return Ok(Outcome::NotThere) };
        let decision = decide_delete(&row, reader, now);
        if matches!(decision, OwnerDecision::Done(_)) {
            tables.delete_outputs(id, now);
        }
        Ok(tables.wish(row, decision))
    }

    async fn patch(
        &self,
        reader: &Reader,
        id: &str,
        patch: &Patch,
        now: Millis,
    ) -> Result<Outcome> {
        let mut tables = self.changing();
        let Some(row) = tables.rows.get(id).cloned() else { return Ok(Outcome::NotThere) };
        let decision = decide_patch(&row, patch, reader, now);
        Ok(tables.wish(row, decision))
    }

    async fn events(&self, viewer: &Viewer, id: &str) -> Result<Vec<Event>> {
        let tables = self.tables();
        let all: Vec<Event> =
            tables.events.iter().filter(|event| event.is_of(id)).cloned().collect();
        let readable = all.last().is_some_and(|event| event.readable_by(viewer));
        Ok(if readable { all } else { Vec::new() })
    }

    async fn events_after(&self, cursor: i64, limit: usize) -> Result<Vec<Event>> {
        let tables = self.tables();
        Ok(tables
            .events
            .iter()
            .filter(|event| event.cursor > cursor)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn last_event(&self) -> Result<i64> {
        Ok(self.tables().events.last().map_or(0, |event| event.cursor))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn used(&self, reader: &Reader, since: Millis) -> Result<Used> {
        let tables = self.tables();
        Ok(tables.used(reader, since))
    }

    async fn usage(&self, reader: &Reader, since: Millis, until: Millis) -> Result<Vec<UsageLine>> {
        let tables = self.tables();
        let mut lines: BTreeMap<(Millis, String, &str), UsageLine> = BTreeMap::new();
        for (tenant, entry, id, at) in &tables.ledger {
            let mine = *tenant == reader.tenant && entry.user == reader.user;
            let Some(row) = tables.rows.get(id).filter(|_| mine && (since..until).contains(at))
            else {
                continue;
            };
            let day = at.div_euclid(86_400_000);
            let key = (day, row.asked.provider.clone(), row.asked.operation.word());
            let line = lines.entry(key).or_insert_with(|| UsageLine {
                day: rfc3339(day * 86_400_000).split('T').next().unwrap_or_default().to_owned(),
                provider_id: row.asked.provider.clone(),
                operation_type: row.asked.operation,
                runs: 0,
                micros: 0,
            });
            line.runs += entry.runs;
            line.micros += entry.micros;
        }
        Ok(lines.into_values().collect())
    }

    async fn add_key(&self, key: Key) -> Result<()> {
        self.tables().keys.insert(key.hash.clone(), key);
        Ok(())
    }

    async fn key(&self, hash: &str) -> Result<Option<Key>> {
        Ok(self.tables().keys.get(hash).cloned())
    }

    async fn keys(&self) -> Result<Vec<Key>> {
        let mut keys: Vec<Key> = self.tables().keys.values().cloned().collect();
        keys.sort_by_key(|key| (key.reader.tenant.clone(), key.created_at, key.id.clone()));
        Ok(keys)
    }

    async fn revoke_key(&self, id: &str, now: Millis) -> Result<bool> {
        let mut tables = self.tables();
        let key = tables.keys.values_mut().find(|key| key.id == id);
        Ok(key.map(|key| key.revoked_at.get_or_insert(now)).is_some())
    }

    async fn put_user(&self, user: User) -> Result<()> {
        let mut tables = self.tables();
        let id = (user.reader.tenant.clone(), user.reader.user.clone());
        let created_at = tables.users.get(&id).map_or(user.created_at, |known| known.created_at);
        tables.users.insert(id, User { created_at, ..user });
        Ok(())
    }

    async fn user(&self, reader: &Reader) -> Result<Option<User>> {
        Ok(self.tables().users.get(&(reader.tenant.clone(), reader.user.clone())).cloned())
    }

    async fn users(&self, tenant: Option<&str>) -> Result<Vec<User>> {
        let tables = self.tables();
        let of = |user: &&User| tenant.is_none_or(|tenant| user.reader.tenant == tenant);
        Ok(tables.users.values().filter(of).cloned().collect())
    }

    async fn put_world(&self, world: World) -> Result<()> {
        let mut tables = self.tables();
        let id = (world.tenant.clone(), world.id.clone());
        let created_at = tables.worlds.get(&id).map_or(world.created_at, |known| known.created_at);
        tables.worlds.insert(id, World { created_at, ..world });
        Ok(())
    }

    async fn world(&self, tenant: &str, id: &str) -> Result<Option<World>> {
        Ok(self.tables().worlds.get(&(tenant.to_owned(), id.to_owned())).cloned())
    }

    async fn worlds(&self, tenant: Option<&str>) -> Result<Vec<World>> {
        let tables = self.tables();
        let of = |world: &&World| tenant.is_none_or(|tenant| world.tenant == tenant);
        Ok(tables.worlds.values().filter(of).cloned().collect())
    }

    async fn forget_receipts(&self, before: Millis) -> Result<u64> {
        let mut tables = self.tables();
        let count = tables.receipts.len();
        tables.receipts.retain(|_, (_, _, at)| *at >= before);
        Ok((count - tables.receipts.len()) as u64)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

/// Whether a row is one that a list asks for.
fn matches(row: &Row, query: &ListQuery) -> bool {
    let has = |text: &Option<String>, part: &str| {
        text.as_ref().is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase()))
    };
    query.status.is_none_or(|status| row.status() == status)
        && query.operation.is_none_or(|operation| row.asked.operation == operation)
        && query.provider.as_ref().is_none_or(|id| row.asked.provider == *id)
        && query.request_hash.as_ref().is_none_or(|hash| row.asked.request_hash == *hash)
        && query.number.is_none_or(|number| row.number == number)
        && (query.world.is_none() || query.world == row.asked.world)
        && (query.workspace.is_none() || query.workspace == row.asked.workspace)
        && query.created_after.is_none_or(|at| row.created_at >= at)
        && query.created_before.is_none_or(|at| row.created_at < at)
        && query
            .text
            .as_ref()
            .is_none_or(|part| has(&row.name, part) || has(&row.description, part))
}

/// When a row is due: its lease's end while it is held.
fn due_at(row: &Row) -> Option<Millis> {
    match row.state {
        State::Pending { .. } | State::Processing { .. } => {
            Some(row.lease_until.unwrap_or(row.next_run_at))
        }
        State::Completed { .. } | State::Failed { .. } | State::Cancelled { .. } => None,
    }
}

impl NewGeneration {
    /// The row that is inserted.
    #[must_use]
    pub fn into_row(self, number: i64) -> Row {
        let mut row = Row {
            id: self.id,
            number,
            tenant: self.owner.tenant,
            owner: self.owner.user,
            asked: self.asked,
            state: State::NEW,
            reuse_key: None,
            expires_at: None,
            name: self.name,
            description: self.description,
            tags: None,
            priority: self.priority,
            scheduled_at: self.scheduled_at,
            policy: self.policy,
            fence: 0,
            lease_until: None,
            next_run_at: self.scheduled_at.unwrap_or(self.now).max(self.now),
            hinted: false,
            token: None,
            submitted_at: None,
            prediction: None,
            serving: None,
            account: None,
            deferred: None,
            deadline_at: None,
            overdue_at: None,
            overdue: false,
            attempts: 0,
            events: 1,
            created_at: self.now,
            updated_at: self.now,
            started_at: None,
            completed_at: None,
            deleted_at: None,
        };
        row.overdue_at = Some(row.overdue_from(row.next_run_at));
        row
    }
}
