//! Rows of the tables, read and written column by column.

use onepath_core::lifecycle::{ErrorCode, RunPolicy};
use onepath_core::{
    BoundBy, FallbackMode, GenerationType, Operation, Rating, RatingTrail, Strategy,
};
use rusqlite::types::{FromSql, Type};
use rusqlite::{CachedStatement, Connection, Error, Row as SqlRow, ToSql, named_params};

use super::super::row::{
    Asked, Asset, Attempt, Event, Millis, Row, StateColumns, StateText, unknown_policy,
    unknown_word,
};
use super::super::{Key, Reader, Result, Role};

/// The columns of a generation, in the order of [`generation`].
pub(super) const GENERATION: &str = "id, number, tenant, owner, request, generation_type, operation, provider, \
    strategy, request_hash, family_hash, cache_key, seed, rating_asked, rating_effective, \
    rating_bound_by, ttl_seconds, force_new, price_micros, status, run, spent, stage, error, \
    fallback, resubmitted, cancel_requested, reuse_key, expires_at, name, description, priority, \
    scheduled_at, policy_attempts, policy_fallback, policy_unknown, fence, lease_until, \
    next_run_at, token, submitted_at, prediction, deadline_at, attempts, events, created_at, \
    updated_at, started_at, completed_at";

/// Reads columns one after the other.
struct Columns<'r> {
    row: &'r SqlRow<'r>,
    next: usize,
}

impl Columns<'_> {
    fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let value = self.row.get(self.next);
        self.next += 1;
        value
    }

    /// A word of a closed set.
    fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
        let at = self.next;
        let word: String = self.take()?;
        parse(&word).ok_or_else(|| unreadable(at, &word))
    }

    fn optional_word<T>(
        &mut self,
        parse: impl Fn(&str) -> Option<T>,
    ) -> rusqlite::Result<Option<T>> {
        let at = self.next;
        match self.take::<Option<String>>()? {
            Some(word) => parse(&word).map(Some).ok_or_else(|| unreadable(at, &word)),
            None => Ok(None),
        }
    }
}

fn unreadable(column: usize, word: &str) -> Error {
    let message = format!("`{word}` is no word of this column");
    Error::FromSqlConversionFailure(column, Type::Text, message.into())
}

/// A generation from the columns of [`GENERATION`].
pub(super) fn generation(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    let mut columns = Columns { row, next: 0 };
    let c = &mut columns;
    let (id, number, tenant, owner) = (c.take()?, c.take()?, c.take()?, c.take()?);
    let request = c.take()?;
    let generation_type = c.word(GenerationType::parse)?;
    let operation = c.word(Operation::parse)?;
    let provider = c.take()?;
    let strategy = c.word(Strategy::parse)?;
    let (request_hash, family_hash, cache_key, seed) = (c.take()?, c.take()?, c.take()?, c.take()?);
    let rating = RatingTrail {
        asked: c.word(Rating::parse)?,
        effective: c.word(Rating::parse)?,
        bound_by: c.optional_word(BoundBy::parse)?,
    };
    let (ttl_seconds, force_new, price_micros) = (c.take()?, c.take()?, c.take()?);
    let at = c.next;
    let text = StateText {
        status: c.take()?,
        run: c.take()?,
        spent: c.take()?,
        stage: c.take()?,
        error: c.take()?,
        fallback: c.take()?,
        resubmitted: c.take()?,
        cancel_requested: c.take()?,
    };
    let state = text.state().ok_or_else(|| unreadable(at, &text.status))?;
    Ok(Row {
        id,
        number,
        tenant,
        owner,
        asked: Asked {
            request,
            generation_type,
            operation,
            provider,
            strategy,
            request_hash,
            family_hash,
            cache_key,
            seed,
            rating,
            ttl_seconds,
            force_new,
            price_micros,
        },
        state,
        reuse_key: c.take()?,
        expires_at: c.take()?,
        name: c.take()?,
        description: c.take()?,
        priority: c.take()?,
        scheduled_at: c.take()?,
        policy: RunPolicy {
            attempts: c.take()?,
            fallback: c.optional_word(FallbackMode::parse)?,
            unknown: unknown_policy(&c.take::<String>()?),
        },
        fence: c.take()?,
        lease_until: c.take()?,
        next_run_at: c.take()?,
        token: c.take()?,
        submitted_at: c.take()?,
        prediction: c.take()?,
        deadline_at: c.take()?,
        attempts: c.take()?,
        events: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        started_at: c.take()?,
        completed_at: c.take()?,
    })
}

/// When a worker may take a row.
fn due_at(row: &Row) -> Option<Millis> {
    (!row.state.is_terminal()).then(|| row.lease_until.unwrap_or(row.next_run_at))
}

/// Inserts a generation.
pub(super) fn insert(connection: &Connection, row: &Row) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO generations (id, number, tenant, request, generation_type, operation, provider,
            strategy, request_hash, family_hash, cache_key, seed, rating_asked, rating_effective,
            rating_bound_by, ttl_seconds, force_new, price_micros, name, description, policy_attempts,
            policy_fallback, policy_unknown, created_at, owner, status, run, spent, stage, error,
            fallback, resubmitted, cancel_requested, reuse_key, expires_at, priority, scheduled_at,
            fence, lease_until, next_run_at, token, submitted_at, prediction, deadline_at, attempts,
            events, updated_at, started_at, completed_at, due_at)
         VALUES (:id, :number, :tenant, :request, :generation_type, :operation, :provider,
            :strategy, :request_hash, :family_hash, :cache_key, :seed, :rating_asked,
            :rating_effective, :rating_bound_by, :ttl_seconds, :force_new, :price_micros, :name,
            :description, :policy_attempts, :policy_fallback, :policy_unknown, :created_at, :owner,
            :status, :run, :spent, :stage, :error, :fallback, :resubmitted, :cancel_requested,
            :reuse_key, :expires_at, :priority, :scheduled_at, :fence, :lease_until, :next_run_at,
            :token, :submitted_at, :prediction, :deadline_at, :attempts, :events, :updated_at,
            :started_at, :completed_at, :due_at)",
    )?;
    let asked = &row.asked;
    bind(
        &mut statement,
        named_params! {
            ":number": row.number,
            ":tenant": row.tenant,
            ":request": asked.request,
            ":generation_type": asked.generation_type.word(),
            ":operation": asked.operation.word(),
            ":provider": asked.provider,
            ":strategy": asked.strategy.word(),
            ":request_hash": asked.request_hash,
            ":family_hash": asked.family_hash,
            ":cache_key": asked.cache_key,
            ":seed": asked.seed,
            ":rating_asked": asked.rating.asked.word(),
            ":rating_effective": asked.rating.effective.word(),
            ":rating_bound_by": asked.rating.bound_by.map(BoundBy::word),
            ":ttl_seconds": asked.ttl_seconds,
            ":force_new": asked.force_new,
            ":price_micros": asked.price_micros,
            ":policy_attempts": row.policy.attempts,
            ":policy_fallback": row.policy.fallback.map(FallbackMode::word),
            ":policy_unknown": unknown_word(row.policy.unknown),
            ":name": row.name,
            ":description": row.description,
            ":created_at": row.created_at,
        },
    )?;
    bind_changing(&mut statement, row)?;
    statement.raw_execute()?;
    Ok(())
}

/// Writes what may change of a generation.
pub(super) fn update(connection: &Connection, row: &Row) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE generations SET owner = :owner, status = :status, run = :run, spent = :spent,
            stage = :stage, error = :error, fallback = :fallback, resubmitted = :resubmitted,
            cancel_requested = :cancel_requested, reuse_key = :reuse_key, expires_at = :expires_at,
            priority = :priority, scheduled_at = :scheduled_at, fence = :fence,
            lease_until = :lease_until, next_run_at = :next_run_at, token = :token,
            submitted_at = :submitted_at, prediction = :prediction, deadline_at = :deadline_at,
            attempts = :attempts, events = :events, updated_at = :updated_at,
            started_at = :started_at, completed_at = :completed_at, due_at = :due_at
         WHERE id = :id",
    )?;
    bind_changing(&mut statement, row)?;
    statement.raw_execute()?;
    Ok(())
}

/// Binds the columns that may change, and the id.
fn bind_changing(statement: &mut CachedStatement<'_>, row: &Row) -> Result<()> {
    let state = StateColumns::from(row.state);
    bind(
        statement,
        named_params! {
            ":id": row.id,
            ":owner": row.owner,
            ":status": state.status,
            ":run": state.run,
            ":spent": state.spent,
            ":stage": state.stage,
            ":error": state.error,
            ":fallback": state.fallback,
            ":resubmitted": state.resubmitted,
            ":cancel_requested": state.cancel_requested,
            ":reuse_key": row.reuse_key,
            ":expires_at": row.expires_at,
            ":priority": row.priority,
            ":scheduled_at": row.scheduled_at,
            ":fence": row.fence,
            ":lease_until": row.lease_until,
            ":next_run_at": row.next_run_at,
            ":token": row.token,
            ":submitted_at": row.submitted_at,
            ":prediction": row.prediction,
            ":deadline_at": row.deadline_at,
            ":attempts": row.attempts,
            ":events": row.events,
            ":updated_at": row.updated_at,
            ":started_at": row.started_at,
            ":completed_at": row.completed_at,
            ":due_at": due_at(row),
        },
    )
}

fn bind(statement: &mut CachedStatement<'_>, values: &[(&str, &dyn ToSql)]) -> Result<()> {
    for (name, value) in values {
        let index = statement.parameter_index(name)?;
        let missing = || Error::InvalidParameterName((*name).to_owned());
        statement.raw_bind_parameter(index.ok_or_else(missing)?, value)?;
    }
    Ok(())
}

/// The columns of an attempt, in the order of [`attempt`].
pub(super) const ATTEMPT: &str = "number, run, provider, prediction, submitted_at, ended_at, error";

/// An attempt from the columns of [`ATTEMPT`].
pub(super) fn attempt(row: &SqlRow<'_>) -> rusqlite::Result<Attempt> {
    let mut c = Columns { row, next: 0 };
    Ok(Attempt {
        number: c.take()?,
        run: c.take()?,
        provider: c.take()?,
        prediction: c.take()?,
        submitted_at: c.take()?,
        ended_at: c.take()?,
        error: c.optional_word(ErrorCode::parse)?,
    })
}

/// The columns of an asset, in the order of [`asset`].
pub(super) const ASSET: &str =
    "id, generation, idx, media_type, width, height, bytes, sha256, created_at";

/// An asset from the columns of [`ASSET`].
pub(super) fn asset(row: &SqlRow<'_>) -> rusqlite::Result<Asset> {
    let mut c = Columns { row, next: 0 };
    Ok(Asset {
        id: c.take()?,
        generation: c.take()?,
        index: c.take()?,
        media_type: c.take()?,
        width: c.take()?,
        height: c.take()?,
        bytes: c.take()?,
        sha256: c.take()?,
        created_at: c.take()?,
    })
}

/// An event from its columns `generation, number, kind, at`.
pub(super) fn event(row: &SqlRow<'_>) -> rusqlite::Result<Event> {
    let mut c = Columns { row, next: 0 };
    Ok(Event {
        generation: c.take()?,
        number: c.take()?,
        kind: c.word(super::super::decide::known_event)?,
        at: c.take()?,
    })
}

/// A key from its columns `hash, name, tenant, user, role, created_at`.
pub(super) fn key(row: &SqlRow<'_>) -> rusqlite::Result<Key> {
    let mut c = Columns { row, next: 0 };
    Ok(Key {
        hash: c.take()?,
        name: c.take()?,
        reader: Reader { tenant: c.take()?, user: c.take()? },
        role: c.word(Role::parse)?,
        created_at: c.take()?,
    })
}
