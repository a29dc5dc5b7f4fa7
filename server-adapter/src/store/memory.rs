//! The store in memory: the model that the others are compared with, and a store for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use onepath_core::lifecycle::State;

use super::decide::{
    CancelDecision, Change, CreateDecision, decide_advance, decide_cancel, decide_claim,
    decide_create, joined,
};
use super::{
    Advance, Advanced, Answer, Asset, Attempt, Cancelled, Claim, Claimed, Created, Event,
    Generation, Key, ListQuery, Millis, NewGeneration, Page, Reader, Result, Row, Store,
};

/// A store whose rows vanish with it.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    rows: BTreeMap<String, Row>,
    attempts: BTreeMap<String, Vec<Attempt>>,
    assets: BTreeMap<String, Vec<Asset>>,
    events: BTreeMap<String, Vec<Event>>,
    /// Users who want a row, the oldest first.
    interests: BTreeMap<String, Vec<String>>,
    keys: BTreeMap<String, Key>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic elsewhere leaves whole operations behind, never halves: the tables stay good.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
        let same = self.rows.values().rev().filter(mine).find(|row| {
            row.owner == new.owner.user
                && row.asked.request_hash == new.asked.request_hash
                && row.asked.strategy != onepath_core::Strategy::Always
                && row.answers_at(new.now)
        });
        (decide_create(new, holder, same), holder, same)
    }

    fn generation(&self, row: &Row) -> Generation {
        Generation {
            row: row.clone(),
            attempts: self.attempts.get(&row.id).cloned().unwrap_or_default(),
            assets: self.assets.get(&row.id).cloned().unwrap_or_default(),
        }
    }

    fn write(&mut self, change: &Change, assets: &[Asset]) {
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
        if let Some(kind) = change.event {
            self.event(row, kind);
        }
        if row.is_complete() && !assets.is_empty() {
            self.assets.insert(row.id.clone(), assets.to_vec());
        }
        self.rows.insert(row.id.clone(), row.clone());
    }

    fn event(&mut self, row: &Row, kind: &'static str) {
        self.events.entry(row.id.clone()).or_default().push(Event {
            generation: row.id.clone(),
            number: row.events,
            kind,
            at: row.updated_at,
        });
    }

    fn want(&mut self, id: &str, user: &str) {
        let interests = self.interests.entry(id.to_owned()).or_default();
        if !interests.iter().any(|known| known == user) {
            interests.push(user.to_owned());
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create(&self, new: NewGeneration) -> Result<Created> {
        let mut tables = self.tables();
        let (decision, holder, same) = tables.decide(&new);
        match decision {
            CreateDecision::Answered(Answer::Hash) if same.is_some() => Ok(Created {
                answer: Answer::Hash,
                row: same.cloned().unwrap_or_else(|| new.row(0)),
            }),
            CreateDecision::Answered(answer) => {
                let row = holder.cloned().unwrap_or_else(|| new.row(0));
                Ok(Created { answer, row })
            }
            CreateDecision::Join => {
                let row = holder.map_or_else(|| new.row(0), |holder| joined(holder, &new));
                tables.want(&row.id, &new.owner.user);
                tables.rows.insert(row.id.clone(), row.clone());
                Ok(Created { answer: Answer::Joined, row })
            }
            CreateDecision::Insert { holds_slot, clears_holder } => {
                let holder = holder.map(|holder| holder.id.clone());
                if let Some(holder) = holder.filter(|_| clears_holder)
                    && let Some(row) = tables.rows.get_mut(&holder)
                {
                    row.reuse_key = None;
                }
                let in_tenant = tables.rows.values().filter(|row| row.tenant == new.owner.tenant);
                let number = in_tenant.map(|row| row.number).max().unwrap_or(0) + 1;
                let mut row = new.row(number);
                row.reuse_key = row.asked.cache_key.clone().filter(|_| holds_slot);
                tables.want(&row.id, &new.owner.user);
                tables.event(&row, "generation.created");
                tables.rows.insert(row.id.clone(), row.clone());
                Ok(Created { answer: Answer::Created, row })
            }
        }
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

    async fn get(&self, reader: &Reader, id: &str) -> Result<Option<Generation>> {
        let tables = self.tables();
        let row = tables.rows.get(id).filter(|row| row.readable_by(reader));
        Ok(row.map(|row| tables.generation(row)))
    }

    async fn list(&self, reader: &Reader, query: &ListQuery) -> Result<Page> {
        let tables = self.tables();
        let mut rows: Vec<&Row> = tables
            .rows
            .values()
            .filter(|row| row.tenant == reader.tenant && row.owner == reader.user)
            .filter(|row| query.status.is_none_or(|status| row.status() == status))
            .filter(|row| query.operation.is_none_or(|op| row.asked.operation == op))
            .filter(|row| query.provider.as_ref().is_none_or(|id| row.asked.provider == *id))
            .filter(|row| {
                query.request_hash.as_ref().is_none_or(|hash| row.asked.request_hash == *hash)
            })
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, &row.id)));
        if let Some((at, id)) = &query.after {
            rows.retain(|row| (row.created_at, &row.id) < (*at, id));
        }
        let more = rows.len() > query.limit;
        rows.truncate(query.limit);
        Ok(Page {
            next: rows.last().filter(|_| more).map(|row| (row.created_at, row.id.clone())),
            generations: rows.into_iter().map(|row| tables.generation(row)).collect(),
        })
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>> {
        let mut tables = self.tables();
        let mut due: Vec<&Row> = tables
            .rows
            .values()
            .filter(|row| due_at(row).is_some_and(|at| at <= claim.now))
            .collect();
        due.sort_by_key(|row| (row.priority, row.next_run_at, &row.id));
        due.truncate(claim.limit);
        let changes: Vec<Change> =
            due.into_iter().map(|row| decide_claim(row, claim.now, claim.lease_until)).collect();
        let mut claimed = Vec::new();
        for change in changes {
            tables.write(&change, &[]);
            claimed.push(Claimed { row: change.row, effects: change.effects });
        }
        Ok(claimed)
    }

    async fn next_due(&self) -> Result<Option<Millis>> {
        Ok(self.tables().rows.values().filter_map(due_at).min())
    }

    async fn heartbeat(&self, id: &str, fence: i64, lease_until: Millis) -> Result<bool> {
        let mut tables = self.tables();
        let row =
            tables.rows.get_mut(id).filter(|row| row.fence == fence && row.lease_until.is_some());
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
        let mut tables = self.tables();
        let change = tables.rows.get(&advance.id).and_then(|row| decide_advance(row, advance));
        Ok(change.map(|change| {
            tables.write(&change, &advance.assets);
            Advanced { row: change.row, effects: change.effects }
        }))
    }

    async fn cancel(&self, reader: &Reader, id: &str, now: Millis) -> Result<Option<Cancelled>> {
        let mut tables = self.tables();
        let Some(row) = tables.rows.get(id) else { return Ok(None) };
        let interests = tables.interests.get(id).cloned().unwrap_or_default();
        let decision = decide_cancel(row, &interests, reader, now);
        let mut withdrawn = true;
        match decision {
            CancelDecision::NotThere => return Ok(None),
            CancelDecision::Nothing => withdrawn = false,
            CancelDecision::Withdrawn(row) => {
                tables.rows.insert(row.id.clone(), *row);
            }
            CancelDecision::Cancelled(change) => tables.write(&change, &[]),
        }
        if withdrawn && let Some(interests) = tables.interests.get_mut(id) {
            interests.retain(|user| *user != reader.user);
        }
        Ok(tables
            .rows
            .get(id)
            .map(|row| Cancelled { generation: tables.generation(row), withdrawn }))
    }

    async fn asset(&self, reader: &Reader, id: &str) -> Result<Option<Asset>> {
        let tables = self.tables();
        let asset = tables.assets.values().flatten().find(|asset| asset.id == id);
        Ok(asset
            .filter(|asset| {
                tables.rows.get(&asset.generation).is_some_and(|row| row.readable_by(reader))
            })
            .cloned())
    }

    async fn events(&self, reader: &Reader, id: &str) -> Result<Vec<Event>> {
        let tables = self.tables();
        let readable = tables.rows.get(id).is_some_and(|row| row.readable_by(reader));
        Ok(tables.events.get(id).filter(|_| readable).cloned().unwrap_or_default())
    }

    async fn add_key(&self, key: Key) -> Result<()> {
        self.tables().keys.insert(key.hash.clone(), key);
        Ok(())
    }

    async fn key(&self, hash: &str) -> Result<Option<Key>> {
        Ok(self.tables().keys.get(hash).cloned())
    }

    async fn count_keys(&self) -> Result<u64> {
        Ok(self.tables().keys.len() as u64)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
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
    pub fn row(&self, number: i64) -> Row {
        Row {
            id: self.id.clone(),
            number,
            tenant: self.owner.tenant.clone(),
            owner: self.owner.user.clone(),
            asked: self.asked.clone(),
            state: State::NEW,
            reuse_key: None,
            expires_at: None,
            name: self.name.clone(),
            description: self.description.clone(),
            priority: self.priority,
            scheduled_at: self.scheduled_at,
            policy: self.policy,
            fence: 0,
            lease_until: None,
            next_run_at: self.scheduled_at.unwrap_or(self.now).max(self.now),
            token: None,
            submitted_at: None,
            prediction: None,
            deadline_at: None,
            attempts: 0,
            events: 1,
            created_at: self.now,
            updated_at: self.now,
            started_at: None,
            completed_at: None,
        }
    }
}
