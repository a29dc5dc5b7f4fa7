//! Creates that come at the same time share a transaction: its few statements carry the rows of all
//! of them, and one commit makes them durable.
//!
//! What is decided is what a create alone would be decided ([`decide_create`], [`limit_hit`]), from
//! the same statements. A create that has to wait for somebody, or to change a row that is there,
//! is not done here: it gets a transaction of its own, and so does every create of a group that did
//! not commit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Pool;
use tokio::sync::oneshot;

use super::super::decide::{CreateDecision, decide_create, limit_hit};
use super::super::sql::create::{
    self, HOLDER, NUMBERS, ONE_AT_A_TIME, OPEN, RECEIPT, SAME_HASH, SPENT, STORED,
};
use super::super::sql::{Cells, Tx, Value, columns};
use super::super::{
    Answer, CreateOutcome, Created, Creation, Reader, Result, Row, StoreError, Used,
};
use super::remote::{Failed, Fault, Owned, Remote};
use super::{WRITE, connection};

/// Creates in one transaction at most.
const MOST: usize = 128;

/// Groups at the same time: while one is with the database, the next is put together.
const AT_ONCE: usize = 2;

/// What became of a create.
#[derive(Debug)]
pub(super) enum Given {
    /// It is done, or nobody knows whether it is.
    Done(Result<CreateOutcome>),
    /// Nothing was done: it needs a transaction of its own.
    Alone(Box<Creation>),
}

/// A create that waits.
#[derive(Debug)]
struct Job {
    creation: Box<Creation>,
    answer: oneshot::Sender<Given>,
}

impl Job {
    fn give(self, given: impl FnOnce(Box<Creation>) -> Given) {
        // Whoever asked may be gone; what was committed stays.
        let _ = self.answer.send(given(self.creation));
    }
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    groups: usize,
}

/// Puts creates together.
#[derive(Debug)]
pub(super) struct Groups {
    pool: Pool,
    waiting: Mutex<Waiting>,
}

impl Groups {
    pub(super) fn new(pool: Pool) -> Arc<Self> {
        Arc::new(Self { pool, waiting: Mutex::default() })
    }

    /// Does a create together with those that wait beside it: one that comes alone is a group of its
    /// own, and those that come meanwhile are the next.
    pub(super) async fn create(self: &Arc<Self>, creation: Creation) -> Given {
        let (answer, given) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.jobs.push_back(Job { creation: Box::new(creation), answer });
            if waiting.groups < AT_ONCE {
                waiting.groups += 1;
                // A task of its own: a caller who goes away leaves the others their group.
                tokio::spawn(Leader { groups: Arc::clone(self), leads: true }.lead());
            }
        }
        given.await.unwrap_or_else(|_| {
            let gone = "the store closed before the commit".to_owned();
            Given::Done(Err(StoreError::Unavailable(gone)))
        })
    }
}

/// Makes groups until nobody waits.
struct Leader {
    groups: Arc<Groups>,
    leads: bool,
}

impl Drop for Leader {
    /// A leader that ends before its time takes those along who wait for it: they hear of it.
    fn drop(&mut self) {
        if self.leads {
            let mut waiting = self.groups.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.groups -= 1;
            waiting.jobs.clear();
        }
    }
}

impl Leader {
    async fn lead(mut self) {
        while let Some(jobs) = self.next() {
            run(&self.groups.pool, jobs).await;
        }
    }

    /// Those that wait. Without any it leads no more, and whoever comes next makes a leader.
    fn next(&mut self) -> Option<Vec<Job>> {
        let mut waiting = self.groups.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.jobs.len().min(MOST);
        if count == 0 {
            waiting.groups -= 1;
            self.leads = false;
            return None;
        }
        Some(waiting.jobs.drain(..count).collect())
    }
}

async fn run(pool: &Pool, jobs: Vec<Job>) {
    let (mut group, mut later) = (Vec::with_capacity(jobs.len()), Vec::new());
    let mut seen = Seen::default();
    for job in jobs {
        if seen.meets(&job.creation) { later.push(job) } else { group.push(job) }
    }
    let creations: Vec<&Creation> = group.iter().map(|job| &*job.creation).collect();
    let ended = match connection(pool).await {
        Ok(client) => {
            let mut remote = Remote::begin(client, WRITE).await;
            let done = together(&mut remote, &creations).await;
            remote.end(done).await
        }
        Err(failed) => Err(failed),
    };
    match ended {
        Ok(outcomes) => {
            for (job, outcome) in group.into_iter().zip(outcomes) {
                match outcome {
                    Some(outcome) => job.give(|_| Given::Done(Ok(outcome))),
                    None => later.push(job),
                }
            }
        }
        Err(Failed { error, fault: Fault::Unknown }) => {
            for job in group {
                let error = error.clone();
                job.give(|_| Given::Done(Err(error)));
            }
        }
        Err(failed) => {
            tracing::debug!(error = %failed.error, "a group of creates goes one by one");
            later.append(&mut group);
        }
    }
    // After the commit, so that they find what it left.
    for job in later {
        job.give(Given::Alone);
    }
}

/// What the creates of a group are about, so that no two of them meet: each is decided as if it
/// were the only one.
#[derive(Debug, Default)]
struct Seen(BTreeSet<(u8, String, String, String)>);

impl Seen {
    /// Whether a create meets one of those before it.
    fn meets(&mut self, creation: &Creation) -> bool {
        let Creation { new, plan, receipt } = creation;
        let Reader { tenant, user } = &new.owner;
        let mut all = Vec::new();
        if let Some(key) = &new.asked.cache_key {
            all.push((0, tenant.clone(), key.clone(), String::new()));
        }
        if let Some(wish) = receipt {
            all.push((1, tenant.clone(), user.clone(), format!("{} {}", wish.route, wish.key)));
        }
        if plan.limits.any() {
            all.push((2, tenant.clone(), user.clone(), String::new()));
        }
        let meets = all.iter().any(|one| self.0.contains(one));
        if !meets {
            self.0.extend(all);
        }
        meets
    }
}

/// The outcome of each create; none for those that need a transaction of their own.
async fn together(
    remote: &mut Remote,
    creations: &[&Creation],
) -> Result<Vec<Option<CreateOutcome>>> {
    let news: Vec<_> = creations.iter().map(|one| &one.new).collect();
    let wishes =
        || creations.iter().map(|one| one.receipt.as_ref().map(|wish| (&one.new.owner, wish)));
    let receipt = |(owner, wish)| owned(&create::receipt(owner, wish));
    let mut receipts = look(remote, RECEIPT, wishes(), receipt).await?;
    let slots = news.iter().map(|new| create::slot(new));
    let mut holders = rows(look(remote, HOLDER, slots, |slot| owned(&slot)).await?)?;
    // As alone: nobody's own result is asked for where the slot answers, or nothing is reused.
    let hashes = news.iter().enumerate().map(|(place, new)| {
        let decision = decide_create(new, holders.get(&place), None);
        let asks =
            matches!(decision, CreateDecision::Insert { .. }) && new.asked.cache_key.is_some();
        asks.then(|| create::hash(new))
    });
    let mut same = rows(look(remote, SAME_HASH, hashes, |hash| owned(&hash)).await?)?;
    let mut used = used(remote, creations).await?;

    let mut outcomes: Vec<Option<CreateOutcome>> = Vec::with_capacity(creations.len());
    let mut inserts = Vec::new();
    for (place, creation) in creations.iter().enumerate() {
        if let (Some(cells), Some(wish)) = (receipts.remove(&place), &creation.receipt) {
            outcomes.push(Some(create::replay(cells, wish)?));
            continue;
        }
        let (holder, same) = (holders.remove(&place), same.remove(&place));
        let answered = |answer, row: Option<Row>| {
            row.map(|row| CreateOutcome::Done(Box::new(Created { answer, row })))
        };
        outcomes.push(match decide_create(&creation.new, holder.as_ref(), same.as_ref()) {
            CreateDecision::Answered(Answer::Hash) => answered(Answer::Hash, same),
            CreateDecision::Answered(answer) => answered(answer, holder),
            CreateDecision::Join | CreateDecision::Insert { clears_holder: true, .. } => None,
            CreateDecision::Insert { holds_slot, .. } => {
                let used = used.remove(&place).unwrap_or_default();
                let reserved = Some(creation.new.asked.reserved_micros);
                let hit = limit_hit(&creation.plan.limits, used, reserved);
                if hit.is_none() {
                    inserts.push((place, holds_slot));
                }
                hit.map(CreateOutcome::Limited)
            }
        });
    }
    write(remote, creations, &inserts, &mut outcomes).await?;
    Ok(outcomes)
}

/// Writes the rows of those that are inserted, and the receipts of all that are done.
async fn write(
    remote: &mut Remote,
    creations: &[&Creation],
    inserts: &[(usize, bool)],
    outcomes: &mut [Option<CreateOutcome>],
) -> Result<()> {
    let mut numbers = numbers(remote, creations, inserts).await?;
    let mut collected = Collected::default();
    for (place, holds_slot) in inserts {
        let (Some(creation), Some(outcome)) = (creations.get(*place), outcomes.get_mut(*place))
        else {
            continue;
        };
        let next = numbers.get_mut(creation.new.owner.tenant.as_str());
        let next =
            next.ok_or_else(|| StoreError::Corrupt("a tenant without numbers".to_owned()))?;
        *next += 1;
        let row = create::insert(&mut collected, &creation.new, *next, *holds_slot).await?;
        *outcome = Some(CreateOutcome::Done(Box::new(Created { answer: Answer::Created, row })));
    }
    for (creation, outcome) in creations.iter().zip(&*outcomes) {
        if let (Some(wish), Some(CreateOutcome::Done(created))) = (&creation.receipt, outcome) {
            let receipt = (wish.render)(created);
            create::keep(&mut collected, &creation.new, wish, &receipt).await?;
        }
    }
    for (sql, rows) in collected.statements {
        remote.send_many(sql, rows).await?;
    }
    Ok(())
}

/// What stands before the first number of each tenant.
async fn numbers<'c>(
    remote: &mut Remote,
    creations: &[&'c Creation],
    inserts: &[(usize, bool)],
) -> Result<BTreeMap<String, i64>> {
    // In one order everywhere, so that two groups never wait for each other.
    let mut counts: BTreeMap<&'c str, i64> = BTreeMap::new();
    for creation in inserts.iter().filter_map(|(place, _)| creations.get(*place)) {
        *counts.entry(&creation.new.owner.tenant).or_default() += 1;
    }
    if counts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let values = |(tenant, count): (&&str, &i64)| owned(&[(*tenant).into(), (*count).into()]);
    let found = remote.query_many(NUMBERS, counts.iter().map(values).collect()).await?;
    let mut before = BTreeMap::new();
    for mut cells in found {
        let (last, tenant): (i64, String) = (cells.take()?, cells.take()?);
        let count = counts.get(tenant.as_str()).copied().unwrap_or(0);
        before.insert(tenant, last - count);
    }
    Ok(before)
}

/// What the owners used whose plans limit anything, by the place of their create. They wait for
/// their turns, in one order everywhere.
async fn used(remote: &mut Remote, creations: &[&Creation]) -> Result<BTreeMap<usize, Used>> {
    let limited = || creations.iter().map(|one| one.plan.limits.any().then_some(*one));
    let who = |one: &Creation| -> [Owned; 2] {
        let Reader { tenant, user } = &one.new.owner;
        [Owned::Text(tenant.clone()), Owned::Text(user.clone())]
    };
    let mut used: BTreeMap<usize, Used> = BTreeMap::new();
    let mut turns: Vec<&Creation> = limited().flatten().collect();
    if turns.is_empty() {
        return Ok(used);
    }
    turns.sort_by_key(|one| (&one.new.owner.tenant, &one.new.owner.user));
    for turn in turns {
        let Reader { tenant, user } = &turn.new.owner;
        remote.send(ONE_AT_A_TIME, &[tenant.into(), user.into()]).await?;
    }
    for (place, mut cells) in look(remote, OPEN, limited(), |one| who(one).to_vec()).await? {
        used.entry(place).or_default().in_flight = cells.take()?;
    }
    let since = |one: &Creation| {
        let mut values = who(one).to_vec();
        values.push(Owned::Int(one.plan.since));
        values
    };
    for (place, mut cells) in look(remote, SPENT, limited(), since).await? {
        let used = used.entry(place).or_default();
        (used.runs, used.micros) = (cells.take()?, cells.take()?);
    }
    let stores = limited().map(|one| one.filter(|one| one.plan.limits.storage_bytes.is_some()));
    for (place, mut cells) in look(remote, STORED, stores, |one| who(one).to_vec()).await? {
        used.entry(place).or_default().storage = cells.take()?;
    }
    Ok(used)
}

/// What a shared statement gives for each create that asks, by the place of the create.
async fn look<T>(
    remote: &mut Remote,
    sql: &'static str,
    asks: impl Iterator<Item = Option<T>>,
    values: impl Fn(T) -> Vec<Owned>,
) -> Result<BTreeMap<usize, Cells>> {
    let (mut places, mut all) = (Vec::new(), Vec::new());
    for (place, ask) in asks.enumerate() {
        if let Some(ask) = ask {
            places.push(place);
            all.push(values(ask));
        }
    }
    let found = remote.each(sql, all).await?;
    let place = |(index, cells): (usize, Cells)| Some((*places.get(index)?, cells));
    Ok(found.into_iter().filter_map(place).collect())
}

fn rows(found: BTreeMap<usize, Cells>) -> Result<BTreeMap<usize, Row>> {
    found.into_iter().map(|(place, cells)| Ok((place, columns::generation(cells)?))).collect()
}

fn owned(values: &[Value<'_>]) -> Vec<Owned> {
    values.iter().map(Owned::from).collect()
}

/// Statements that are only sent, kept until they are sent together: the first comes first.
#[derive(Debug, Default)]
struct Collected {
    statements: Vec<(&'static str, Vec<Vec<Owned>>)>,
}

impl Tx for Collected {
    const SKIP_LOCKED: &'static str = <Remote as Tx>::SKIP_LOCKED;
    const FOR_UPDATE: &'static str = <Remote as Tx>::FOR_UPDATE;
    const PUBLISHES: bool = <Remote as Tx>::PUBLISHES;

    async fn query(&mut self, sql: &'static str, _: &[Value<'_>]) -> Result<Vec<Cells>> {
        Err(StoreError::Unavailable(format!("nothing is asked while rows are written: {sql}")))
    }

    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64> {
        self.query(sql, values).await.map(|_| 0)
    }

    async fn send(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<()> {
        let values = owned(values);
        match self.statements.iter_mut().find(|(known, _)| *known == sql) {
            Some((_, rows)) => rows.push(values),
            None => self.statements.push((sql, vec![values])),
        }
        Ok(())
    }
}
