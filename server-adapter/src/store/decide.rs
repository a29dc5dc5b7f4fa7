//! Decisions: what an operation makes of the rows it reads. Pure; every store carries out the same.

use onepath_core::Strategy;
use onepath_core::lifecycle::{
    Attempt as Stage, Effect, ErrorCode, Event as Happening, ProviderReport, Retry, State, step,
};

use super::account::{Deferral, Seat, Verdict, Wait};
use super::assets::{Asset, AssetState};
use super::row::{Attempt, LedgerEntry, LedgerKind, Millis, Reader, Row, Used};
use super::telemetry::EndedRun;
use super::transition::{Step, Transition, transition};
use super::{Advance, Answer, Limits, NewGeneration};

/// What a create comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateDecision {
    /// A row that exists answers it.
    Answered(Answer),
    /// It joins a row on its way.
    Join,
    /// A row is inserted.
    Insert {
        /// Whether it holds the slot from now on.
        holds_slot: bool,
        /// Whether the slot's holder has expired, or is not wanted any more, and gives it up first.
        clears_holder: bool,
    },
}

/// What to look up before a create is decided: the holder of its slot, and the owner's own row
/// with the same hash.
#[must_use]
pub fn decide_create(
    new: &NewGeneration,
    holder: Option<&Row>,
    same_hash: Option<&Row>,
) -> CreateDecision {
    let reusable = new.asked.strategy != Strategy::Always && new.asked.cache_key.is_some();
    let holder = holder.filter(|_| reusable);
    let mut given_up = false;
    if let Some(holder) = holder {
        let readable = holder.readable_by(&new.viewer());
        let is_expired = holder.is_complete() && !holder.answers_at(new.now);
        // Whoever asks anew does not want to share the end of what nobody wants any more.
        if is_expired || holder.is_unwanted() {
            given_up = true;
        } else if readable && !new.asked.force_new {
            return if holder.is_complete() {
                CreateDecision::Answered(Answer::Cache)
            } else {
                CreateDecision::Join
            };
        }
    }
    let by_hash = reusable
        && !new.asked.force_new
        && same_hash.is_some_and(|row| {
            row.tenant == new.owner.tenant
                && row.owner == new.owner.user
                && row.asked.request_hash == new.asked.request_hash
                && row.asked.strategy != Strategy::Always
                && row.answers_at(new.now)
        });
    if by_hash {
        return CreateDecision::Answered(Answer::Hash);
    }
    let free = holder.is_none() || given_up;
    CreateDecision::Insert {
        holds_slot: reusable && free && !new.asked.force_new,
        clears_holder: given_up,
    }
}

/// A row pulled forward by somebody who joins it.
#[must_use]
pub fn joined(row: &Row, new: &NewGeneration) -> Row {
    let mut row = row.clone();
    row.priority = row.priority.min(new.priority);
    if let State::Pending { after: None, .. } = row.state {
        let wanted = new.scheduled_at.unwrap_or(new.now);
        if row.scheduled_at.is_some_and(|at| at > wanted) {
            row.scheduled_at = new.scheduled_at;
            row.next_run_at = wanted;
        }
    }
    row.updated_at = new.now;
    row
}

/// A row after an event, with what has to be written beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The row as it is from now on.
    pub row: Row,
    /// What is left to carry out.
    pub effects: Vec<Effect>,
    /// The attempt that began or changed, with its token if it began.
    pub attempt: Option<(Attempt, Option<String>)>,
    /// What happened, in order: the log is told all of it.
    pub steps: Vec<Step>,
    /// The event that readers are told.
    pub event: Option<&'static str>,
    /// Whether another row gives up the slot that this one takes.
    pub takes_slot: bool,
    /// What is added to the ledger.
    pub ledger: Vec<LedgerEntry>,
    /// The run, if it ended.
    pub ended: Option<EndedRun>,
    /// The account whose slot is free from now on.
    pub released: Option<String>,
    /// What happened with the row's account.
    pub outcome: Option<AccountOutcome>,
    /// Until when the provider wants to be left alone.
    not_before: Option<Millis>,
    /// Chance, for the time until the next attempt.
    jitter: u8,
}

/// What happened with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountOutcome {
    /// Which.
    pub account: String,
    /// What.
    pub verdict: Verdict,
    /// Until when the provider wants to be left alone.
    pub rests_until: Option<Millis>,
}

/// What claiming a row comes to: a new fence and a lease; a lease that ran out is an event of its
/// own, and a row that waits again is taken at once. `seat` gives a row that is to be submitted the
/// slot of an account; without one it goes on waiting.
///
/// A deadline ends here what waits for another attempt. What a provider may have is asked for once
/// more before the worker gives it up: the server may have been away while it was made.
#[must_use]
pub fn decide_claim(
    row: &Row,
    now: Millis,
    lease_until: Millis,
    mut seat: impl FnMut(&Row) -> Seat,
) -> Change {
    let mut change = Change::of(row);
    change.row.fence += 1;
    change.row.updated_at = now;
    change.row.hinted = false;
    if let Some(until) = row.lease_until {
        if let State::Processing { attempt: Stage::Submitting, .. } = row.state {
            // Whoever held it may have sent it up to the last moment of the lease.
            change.row.submitted_at = change.row.submitted_at.max(Some(until));
        }
        change.apply(Happening::LeaseExpired, now);
    } else if row.account.is_some() && is_claimed(row.state) {
        // It was given back before anything was sent: its slot is free, and may be taken by now.
        change.apply(Happening::LeaseExpired, now);
    }
    if let State::Pending { .. } = change.row.state {
        if row.deadline_at.is_some_and(|at| at <= now) {
            change.apply(Happening::DeadlinePassed, now);
        } else if change.row.next_run_at <= now {
            let mut given = seat(&change.row);
            while let Seat::Wait(wait) = given
                && wait.reason.is_down()
                && change.passes_on(Happening::NoAccount(wait.reason.code()), now)
            {
                given = seat(&change.row);
            }
            match given {
                Seat::Wait(wait) => change.defer(wait, now),
                Seat::Free => change.seat(None, now),
                Seat::Account(id) => change.seat(Some(id), now),
            }
        }
    }
    match change.row.state {
        State::Processing { attempt, cancel_requested, .. } => {
            change.row.lease_until = Some(lease_until);
            if cancel_requested && matches!(attempt, Stage::SubmitUnknown | Stage::Submitted) {
                change.effects.push(Effect::CancelAtProvider);
            }
            let waits =
                |effect: &Effect| !is_done_by_store(*effect) && *effect != Effect::CancelAtProvider;
            if !change.effects.iter().any(waits) {
                // It was given back and is due again: go on where it stands.
                change.effects.extend(match attempt {
                    Stage::Claimed => Some(Effect::StoreIntent),
                    Stage::Submitting | Stage::SubmitUnknown => Some(Effect::LookUp),
                    Stage::Submitted => Some(Effect::Poll),
                    Stage::Settling => Some(Effect::Fetch),
                });
            }
        }
        _ => change.row.lease_until = None,
    }
    change
}

/// Whether a worker holds it and nothing was sent yet.
const fn is_claimed(state: State) -> bool {
    matches!(state, State::Processing { attempt: Stage::Claimed, .. })
}

/// Whether a row uses a slot of its account: while it is held before it is submitted, and for as
/// long as the provider may have it.
#[must_use]
pub fn uses_slot(row: &Row, now: Millis) -> bool {
    row.account.is_some()
        && (!is_claimed(row.state) || row.lease_until.is_some_and(|until| until > now))
}

/// Whether the store carries an effect out with the change itself.
#[must_use]
pub const fn is_done_by_store(effect: Effect) -> bool {
    matches!(
        effect,
        Effect::Schedule | Effect::Reserve | Effect::Debit | Effect::Release | Effect::Announce
    )
}

/// What an event makes of a row; none if the fence is an old one.
#[must_use]
pub fn decide_advance(row: &Row, advance: &Advance) -> Option<Change> {
    if advance.fence.is_some_and(|fence| fence != row.fence) {
        return None;
    }
    if advance.event == Happening::IntentStored
        && row.account.is_some()
        && !uses_slot(row, advance.now)
    {
        // Its slot went with its lease, whoever has taken it since.
        return None;
    }
    let mut change = Change::of(row);
    (change.not_before, change.jitter) = (advance.not_before, advance.jitter);
    if row.state.is_terminal() && advance.event != Happening::RetryRequested {
        // What is over stays as it is, to the last column.
        return Some(change);
    }
    change.row.updated_at = advance.now;
    if let Some(prediction) = &advance.prediction {
        change.row.prediction = Some(prediction.clone());
    }
    if advance.event == Happening::IntentStored
        && matches!(row.state, State::Processing { attempt: Stage::Claimed, .. })
    {
        change.row.token.clone_from(&advance.token);
        change.row.prediction = None;
        // The first attempt's stands for all, but not the long one of whoever waited for an account.
        let both = [change.row.deadline_at, advance.deadline_at];
        change.row.deadline_at = both.into_iter().flatten().min();
    }
    match (advance.event, row.state) {
        _ if is_down(row.state, advance.event)
            .is_some_and(|event| change.passes_on(event, advance.now)) => {}
        // A worker says so where nobody speaks for the provider.
        (Happening::NoAccount(_), State::Processing { attempt: Stage::Claimed, .. }) => {
            let until = advance.next_run_at.unwrap_or(advance.now);
            change.defer(Wait { reason: Deferral::NoProvider, until }, advance.now);
        }
        _ => change.apply(advance.event, advance.now),
    }
    if let Some(at) = advance.next_run_at
        && !change.row.state.is_terminal()
        && change.row.serving == row.serving
    {
        change.row.next_run_at = at;
    }
    if advance.gives_back {
        change.row.lease_until = None;
        if row.hinted && !change.row.state.is_terminal() {
            // What its provider told meanwhile came too late for this look.
            change.row.next_run_at = change.row.next_run_at.min(advance.now);
        }
    }
    Some(change)
}

impl Change {
    /// Whether what was made is kept with this change: with the one that completes the row.
    #[must_use]
    pub fn keeps_assets(&self) -> bool {
        self.event == Some(Transition::Completed.word()) && self.row.is_complete()
    }

    /// No change yet.
    fn of(row: &Row) -> Self {
        Self {
            row: row.clone(),
            effects: Vec::new(),
            attempt: None,
            steps: Vec::new(),
            event: None,
            takes_slot: false,
            ledger: Vec::new(),
            ended: None,
            released: None,
            outcome: None,
            not_before: None,
            jitter: 0,
        }
    }

    /// The row is held, with the slot of an account if its provider has some.
    fn seat(&mut self, account: Option<String>, now: Millis) {
        if self.row.deferred.is_some() {
            // Whoever waited was not stuck: the next submission has its own time.
            self.row.deadline_at = None;
        }
        self.apply(Happening::Claimed, now);
        if self.released == account {
            self.released = None;
        }
        self.row.account = account;
    }

    /// The provider is down, as an event says: the next one is asked from now on, at its own price.
    /// False if there is none.
    fn passes_on(&mut self, event: Happening, now: Millis) -> bool {
        let Some(next) = self.row.others_left().first() else { return false };
        let (next, price) = (next.provider.clone(), self.row.reserved_micros());
        // Whoever waited for the one before was not stuck.
        let deadline = self.row.deadline_at.filter(|_| self.row.deferred.is_none());
        self.apply(event, now);
        if !matches!(self.row.state, State::Pending { .. }) {
            return true;
        }
        let row = &mut self.row;
        (row.serving, row.deferred, row.deadline_at) = (Some(next), None, deadline);
        (row.lease_until, row.next_run_at) = (None, now);
        let micros = self.row.reserved_micros() - price;
        if micros != 0 {
            let (user, run) = (self.row.owner.clone(), self.row.state.run());
            let kind = LedgerKind::Adjust;
            self.ledger.push(LedgerEntry { user, run, kind, runs: 0, micros });
        }
        true
    }

    /// The row goes on waiting, for something outside.
    fn defer(&mut self, wait: Wait, now: Millis) {
        let deadline = self.row.deadline_at.filter(|_| self.row.deferred.is_some());
        let until = deadline.unwrap_or(self.row.started_at.unwrap_or(now) + MOST_DEFERRED);
        self.apply(Happening::NoAccount(wait.reason.code()), now);
        if !matches!(self.row.state, State::Pending { .. }) {
            return;
        }
        self.row.deferred = Some(wait.reason);
        self.row.deadline_at = Some(until);
        self.row.next_run_at = wait.until.max(now + 1);
        self.row.lease_until = None;
    }

    /// Whether the run is over with this change.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.row.state.is_terminal()
    }

    /// A transition that is no step of the run.
    fn tell(&mut self, transition: Transition) {
        self.steps.push(Step { transition, status: self.row.status() });
    }

    /// One step of the lifecycle, and what it means for the other columns.
    fn apply(&mut self, event: Happening, now: Millis) {
        let before = self.row.state;
        let (after, effects) = step(before, event, self.row.policy);
        let row = &mut self.row;
        row.state = after;
        let is_sent =
            |state: State| matches!(state, State::Processing { attempt: Stage::Submitting, .. });
        if is_sent(after) && !is_sent(before) {
            // Also when it goes again: from now on the provider may have it without showing it.
            row.submitted_at = Some(now);
        }
        if after != before {
            row.deferred = None;
        }
        if let Some(transition) = transition(before, after) {
            self.steps.push(Step { transition, status: row.status() });
            if transition.is_told() {
                row.events += 1;
                self.event = Some(transition.word());
            }
        }
        self.attempt = attempt_change(row, before, after, now).or(self.attempt.take());
        let outcome = account_outcome(row, before, event, self.not_before);
        self.outcome = outcome.or(self.outcome.take());
        if !matches!(after, State::Processing { .. })
            && let Some(account) = row.account.take()
        {
            self.released = Some(account);
        }
        match after {
            State::Pending { run, after: error, .. } if after != before => {
                row.lease_until = None;
                if run != before.run() {
                    row.serving = None;
                    row.deadline_at = None;
                    row.started_at = None;
                    row.completed_at = None;
                }
                let wait = error.map_or(0, |_| backoff(row.attempts, self.jitter));
                row.next_run_at = now + wait;
                let is_deferred = error.is_some_and(|code| code.retry() == Retry::Defer);
                if is_deferred {
                    // Whoever waits for a free account is not stuck.
                    row.deadline_at = Some(row.started_at.unwrap_or(now) + MOST_DEFERRED);
                    row.deferred = Some(Deferral::ProviderLimit);
                }
                if self.released.is_none() {
                    row.next_run_at = row.next_run_at.max(self.not_before.unwrap_or(now));
                } else if is_deferred {
                    // It is the account that rests: another one may be free.
                    row.next_run_at = now;
                }
            }
            State::Completed { fallback, .. } if after != before => {
                row.completed_at = Some(now);
                row.lease_until = None;
                match fallback {
                    Some(_) => row.reuse_key = None,
                    // What another provider made is no answer to what was asked.
                    None if row.serving.is_some() => row.reuse_key = None,
                    None => {
                        let ttl = row.asked.ttl_seconds;
                        row.expires_at = ttl.map(|ttl| now + i64::from(ttl) * 1000);
                        if row.asked.force_new && row.asked.strategy != Strategy::Always {
                            row.reuse_key.clone_from(&row.asked.cache_key);
                            self.takes_slot = row.reuse_key.is_some();
                        }
                    }
                }
            }
            State::Failed { .. } | State::Cancelled { .. } if after != before => {
                row.completed_at = Some(now);
                row.lease_until = None;
                row.reuse_key = None;
            }
            _ => {}
        }
        self.ledger.extend(effects.iter().filter_map(|effect| ledger_entry(&self.row, *effect)));
        if after != before {
            self.ended = EndedRun::of(&self.row, &effects).or(self.ended.take());
        }
        self.effects.extend(effects);
    }
}

/// What an effect adds to the ledger.
fn ledger_entry(row: &Row, effect: Effect) -> Option<LedgerEntry> {
    let (kind, runs, micros) = match effect {
        Effect::Reserve => (LedgerKind::Reserve, 1, row.reserved_micros()),
        Effect::Debit => (LedgerKind::Settle, 0, 0),
        Effect::Release => (LedgerKind::Release, -1, -row.reserved_micros()),
        _ => return None,
    };
    Some(LedgerEntry { user: row.owner.clone(), run: row.state.run(), kind, runs, micros })
}

/// The entry of a new row's first run.
#[must_use]
pub fn first_reservation(row: &Row) -> LedgerEntry {
    LedgerEntry {
        user: row.owner.clone(),
        run: row.state.run(),
        kind: LedgerKind::Reserve,
        runs: 1,
        micros: row.reserved_micros(),
    }
}

/// What an event means for a row whose provider is down by it, if another one may be asked: nothing
/// is on its way, or what was is known to have come to nothing.
fn is_down(state: State, event: Happening) -> Option<Happening> {
    let State::Processing { attempt, .. } = state else { return None };
    match (attempt, event) {
        (Stage::Claimed, Happening::NoAccount(code)) if code.is_down() => Some(event),
        (Stage::Submitting, Happening::Refused(code))
        | (
            Stage::Submitting | Stage::Submitted,
            Happening::Reported(ProviderReport::Failed(code)),
        ) if code.is_down() => Some(Happening::PassedOn(code)),
        _ => None,
    }
}

/// Which limit stands in the way of a create or a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitHit {
    /// Which.
    pub limit: LimitKind,
    /// How much is allowed.
    pub allowed: i64,
    /// How much is used.
    pub used: i64,
}

/// What a plan limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Generations at the same time.
    InFlight,
    /// Runs a month.
    Runs,
    /// Micro-dollars a month.
    Micros,
    /// Bytes of assets.
    Storage,
}

/// Whether a plan allows one more generation in flight and, if `run` gives a price, one more run.
#[must_use]
pub fn limit_hit(limits: &Limits, used: Used, run: Option<i64>) -> Option<LimitHit> {
    let over = |limit, allowed: Option<i64>, used: i64, more: i64| {
        let allowed = allowed?;
        (used.saturating_add(more) > allowed).then_some(LimitHit { limit, allowed, used })
    };
    let in_flight = over(LimitKind::InFlight, limits.in_flight, used.in_flight, 1);
    let Some(price) = run else { return in_flight };
    over(LimitKind::Runs, limits.runs_month, used.runs, 1)
        .or_else(|| over(LimitKind::Micros, limits.micros_month, used.micros, price))
        .or_else(|| over(LimitKind::Storage, limits.storage_bytes, used.storage, 1))
        .or(in_flight)
}

/// Whether a plan allows to keep so many bytes more.
#[must_use]
pub fn storage_hit(allowed: i64, used: i64, more: i64) -> Option<LimitHit> {
    let full = used.saturating_add(more) > allowed;
    full.then_some(LimitHit { limit: LimitKind::Storage, allowed, used })
}

/// What readers are told when an asset is written as it is now.
#[must_use]
pub fn asset_event(asset: &Asset) -> Option<&'static str> {
    if asset.deleted_at.is_some() {
        return Some("asset.deleted");
    }
    match asset.state {
        _ if asset.events == 0 => Some("asset.created"),
        AssetState::Downloaded(_) => Some("asset.downloaded"),
        AssetState::Failed(_) => Some("asset.download_failed"),
        AssetState::Remote | AssetState::Downloading | AssetState::Gone => None,
    }
}

/// Milliseconds until the next attempt: one second, doubled, at most five minutes; and up to a
/// quarter more by chance, so that what failed together does not come again together.
fn backoff(attempts: i64, jitter: u8) -> Millis {
    let wait = (1000_i64 << attempts.saturating_sub(1).clamp(0, 9)).min(300_000);
    wait + wait * i64::from(jitter) / 1024
}

/// What a step says about the row's account.
fn account_outcome(
    row: &Row,
    before: State,
    event: Happening,
    rests_until: Option<Millis>,
) -> Option<AccountOutcome> {
    let account = row.account.clone().filter(|_| row.state != before)?;
    let verdict = match (event, stage(before)) {
        (Happening::Accepted | Happening::Found, _) => Verdict::Taken,
        (Happening::Reported(ProviderReport::Succeeded { has_output: true }), _) => Verdict::Works,
        (Happening::Reported(ProviderReport::Succeeded { has_output: false }), _) => {
            Verdict::Failed(ErrorCode::OutputMissing)
        }
        (
            Happening::Refused(code)
            | Happening::PassedOn(code)
            | Happening::Reported(ProviderReport::Failed(code)),
            _,
        ) => Verdict::of(code)?,
        (Happening::DeadlinePassed, Some(Stage::Submitted)) => {
            Verdict::Failed(ErrorCode::ProviderTimeout)
        }
        (Happening::DeadlinePassed, Some(Stage::SubmitUnknown)) => {
            Verdict::Failed(ErrorCode::SubmitUnknown)
        }
        _ => return None,
    };
    Some(AccountOutcome { account, verdict, rests_until })
}

/// How far the attempt of a state is.
const fn stage(state: State) -> Option<Stage> {
    match state {
        State::Processing { attempt, .. } => Some(attempt),
        _ => None,
    }
}

/// How long a run may wait for a free account: a day.
const MOST_DEFERRED: Millis = 24 * 60 * 60 * 1000;

/// The attempt that a step begins or ends.
fn attempt_change(
    row: &mut Row,
    before: State,
    after: State,
    now: Millis,
) -> Option<(Attempt, Option<String>)> {
    let (was, is) = (stage(before), stage(after));
    let begins = was == Some(Stage::Claimed) && is == Some(Stage::Submitting);
    if begins {
        row.attempts += 1;
        row.started_at.get_or_insert(now);
    }
    let runs = |stage: Option<Stage>| stage.is_some_and(|stage| stage != Stage::Claimed);
    let ends = runs(was) && !runs(is);
    if !begins && !runs(was) || row.attempts == 0 {
        return None;
    }
    let error = match after {
        State::Pending { after, .. } => after,
        State::Failed { error, .. } | State::Completed { fallback: Some((_, error)), .. } => {
            Some(error)
        }
        State::Cancelled { .. } => Some(ErrorCode::Cancelled),
        State::Processing { .. } | State::Completed { fallback: None, .. } => None,
    };
    let attempt = Attempt {
        number: row.attempts,
        run: after.run(),
        provider: row.provider().to_owned(),
        account: row.account.clone(),
        prediction: row.prediction.clone(),
        submitted_at: row.submitted_at.unwrap_or(now),
        ended_at: ends.then_some(now),
        error: error.filter(|_| ends),
    };
    Some((attempt, row.token.clone().filter(|_| begins)))
}

/// What becomes of a row when a user does not want it any more.
#[derive(Debug, Clone, PartialEq)]
pub enum CancelDecision {
    /// The user has no interest in it: for them it is not there.
    NotThere,
    /// It is over, or its end is already wished for: nothing changes.
    Nothing,
    /// Others still want it: the user's interest ends, and the owner may change.
    Withdrawn(Box<Change>),
    /// Nobody wants it any more.
    Cancelled(Box<Change>),
}

/// Decides a cancel; `interests` are the users who want the row, the oldest first.
#[must_use]
pub fn decide_cancel(
    row: &Row,
    interests: &[String],
    reader: &Reader,
    now: Millis,
) -> CancelDecision {
    let wants = interests.contains(&reader.user);
    if row.tenant != reader.tenant
        || row.deleted_at.is_some()
        || !(wants || row.owner == reader.user)
    {
        return CancelDecision::NotThere;
    }
    if row.state.is_terminal() {
        return CancelDecision::Nothing;
    }
    let mut change = Change::of(row);
    change.row.updated_at = now;
    match interests.iter().find(|user| **user != reader.user) {
        Some(next) => {
            if row.owner == reader.user {
                change.row.owner.clone_from(next);
                change.ledger = moved(row, next);
            }
            change.tell(Transition::Withdrawn);
            CancelDecision::Withdrawn(Box::new(change))
        }
        None => {
            change.apply(Happening::CancelRequested, now);
            if change.row.state == row.state {
                return CancelDecision::Nothing;
            }
            // A worker that waits for the provider looks at it now.
            change.row.next_run_at = change.row.next_run_at.min(now);
            CancelDecision::Cancelled(Box::new(change))
        }
    }
}

/// The reservation of the run moves to another user.
fn moved(row: &Row, to: &str) -> Vec<LedgerEntry> {
    let entry = |user: &str, sign: i64| LedgerEntry {
        user: user.to_owned(),
        run: row.state.run(),
        kind: LedgerKind::Move,
        runs: sign,
        micros: sign * row.reserved_micros(),
    };
    vec![entry(&row.owner, -1), entry(to, 1)]
}

/// What a wish of the owner comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnerDecision {
    /// It is not theirs: for them it is not there.
    NotThere,
    /// Its state does not allow it.
    NotNow,
    /// It is not as the caller knows it.
    Changed,
    /// It is done.
    Done(Box<Change>),
}

/// A new run of a row that failed or was cancelled.
#[must_use]
pub fn decide_retry(row: &Row, reader: &Reader, now: Millis) -> OwnerDecision {
    if !is_owners(row, reader) {
        return OwnerDecision::NotThere;
    }
    let mut change = Change::of(row);
    change.row.updated_at = now;
    change.apply(Happening::RetryRequested, now);
    if change.row.state == row.state {
        return OwnerDecision::NotNow;
    }
    OwnerDecision::Done(Box::new(change))
}

/// A row that is over is hidden, and is no answer any more.
#[must_use]
pub fn decide_delete(row: &Row, reader: &Reader, now: Millis) -> OwnerDecision {
    if !is_owners(row, reader) {
        return OwnerDecision::NotThere;
    }
    if !row.state.is_terminal() {
        return OwnerDecision::NotNow;
    }
    let mut change = Change::of(row);
    change.row.updated_at = now;
    change.row.deleted_at = Some(now);
    change.row.reuse_key = None;
    change.tell(Transition::Deleted);
    OwnerDecision::Done(Box::new(change))
}

/// What people may change of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// A new name; `Some(None)` takes it away.
    pub name: Option<Option<String>>,
    /// A new description.
    pub description: Option<Option<String>>,
    /// New tags, as a JSON list.
    pub tags: Option<Option<String>>,
    /// A new priority, while it waits.
    pub priority: Option<i64>,
    /// A new time, while it waits; `Some(None)` means now.
    pub scheduled_at: Option<Option<Millis>>,
    /// Only if the row has one of these tags; `*` is any.
    pub only_if: Option<Vec<String>>,
}

impl Patch {
    /// Whether anything would change, or a condition is to be looked at.
    #[must_use]
    pub fn says_anything(&self) -> bool {
        *self != Self::default()
    }
}

/// Name, description and tags at any time; priority and schedule while it waits.
#[must_use]
pub fn decide_patch(row: &Row, patch: &Patch, reader: &Reader, now: Millis) -> OwnerDecision {
    if !is_owners(row, reader) {
        return OwnerDecision::NotThere;
    }
    let is_same = |tag: &String| tag == "*" || *tag == row.tag();
    if patch.only_if.as_ref().is_some_and(|tags| !tags.iter().any(is_same)) {
        return OwnerDecision::Changed;
    }
    let waits = matches!(row.state, State::Pending { .. });
    if !waits && (patch.priority.is_some() || patch.scheduled_at.is_some()) {
        return OwnerDecision::NotNow;
    }
    let mut change = Change::of(row);
    let new = &mut change.row;
    new.updated_at = now;
    if let Some(name) = &patch.name {
        new.name.clone_from(name);
    }
    if let Some(description) = &patch.description {
        new.description.clone_from(description);
    }
    if let Some(tags) = &patch.tags {
        new.tags.clone_from(tags);
    }
    if let Some(priority) = patch.priority {
        new.priority = priority;
    }
    if let Some(at) = patch.scheduled_at {
        new.scheduled_at = at;
        new.next_run_at = at.unwrap_or(now).max(now);
    }
    OwnerDecision::Done(Box::new(change))
}

fn is_owners(row: &Row, reader: &Reader) -> bool {
    row.tenant == reader.tenant && row.owner == reader.user && row.deleted_at.is_none()
}
