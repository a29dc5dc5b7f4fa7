//! Rows of the tables, read and written column by column.

use std::fmt::Write as _;
use std::sync::LazyLock;

use onepath_core::lifecycle::{ErrorCode, GenerationStatus, RunPolicy};
use onepath_core::{
    BoundBy, FallbackMode, GenerationType, Operation, Rating, RatingTrail, Strategy,
};

use super::super::account::Deferral;
use super::super::assets::SyncStatus;
use super::super::row::{
    Asked, Attempt, Event, Key, Millis, Other, Role, Row, StateColumns, StateText, Subject, User,
    World, unknown_policy, unknown_word,
};
use super::super::{Reader, Result, known_event};
use super::{Cells, Tx, Value, unreadable};

/// Columns of a generation that are written once.
const FIXED: &[&str] = &[
    "number",
    "tenant",
    "request",
    "generation_type",
    "operation",
    "provider",
    "strategy",
    "request_hash",
    "family_hash",
    "cache_key",
    "seed",
    "rating_asked",
    "rating_effective",
    "rating_bound_by",
    "ttl_seconds",
    "force_new",
    "price_micros",
    "price_credits",
    "reserved_micros",
    "world_id",
    "workspace_id",
    "trace_id",
    "others",
    "public",
    "policy_attempts",
    "policy_fallback",
    "policy_unknown",
    "created_at",
];

/// Columns of a generation that change.
const CHANGING: &[&str] = &[
    "owner",
    "status",
    "run",
    "spent",
    "stage",
    "error",
    "fallback",
    "resubmitted",
    "cancel_requested",
    "reuse_key",
    "expires_at",
    "name",
    "description",
    "tags",
    "priority",
    "scheduled_at",
    "fence",
    "lease_until",
    "next_run_at",
    "hinted",
    "token",
    "submitted_at",
    "prediction",
    "serving",
    "account",
    "deferred",
    "deadline_at",
    "overdue_at",
    "overdue",
    "attempts",
    "events",
    "updated_at",
    "started_at",
    "completed_at",
    "deleted_at",
    "due_at",
];

/// The columns of a generation, in the order of [`generation`].
#[macro_export]
#[doc(hidden)]
macro_rules! generation_columns {
    () => {
        "g.id, g.number, g.tenant, g.request, g.generation_type, g.operation, g.provider, \
         g.strategy, g.request_hash, g.family_hash, g.cache_key, g.seed, g.rating_asked, \
         g.rating_effective, g.rating_bound_by, g.ttl_seconds, g.force_new, g.price_micros, \
         g.price_credits, g.reserved_micros, g.world_id, g.workspace_id, g.trace_id, g.others, g.public, g.policy_attempts, g.policy_fallback, g.policy_unknown, \
         g.created_at, g.owner, g.status, g.run, g.spent, g.stage, g.error, g.fallback, \
         g.resubmitted, g.cancel_requested, g.reuse_key, g.expires_at, g.name, g.description, g.tags, \
         g.priority, g.scheduled_at, g.fence, g.lease_until, g.next_run_at, g.hinted, g.token, \
         g.submitted_at, g.prediction, g.serving, g.account, g.deferred, g.deadline_at, \
         g.overdue_at, g.overdue, g.attempts, g.events, g.updated_at, \
         g.started_at, g.completed_at, g.deleted_at"
    };
}

/// A generation from the columns of [`generation_columns`].
pub(in super::super) fn generation(mut c: Cells) -> Result<Row> {
    let (id, number, tenant) = (c.take()?, c.take()?, c.take()?);
    let asked = Asked {
        request: c.take()?,
        generation_type: c.word(GenerationType::parse)?,
        operation: c.word(Operation::parse)?,
        provider: c.take()?,
        strategy: c.word(Strategy::parse)?,
        request_hash: c.take()?,
        family_hash: c.take()?,
        cache_key: c.take()?,
        seed: c.take()?,
        rating: RatingTrail {
            asked: c.word(Rating::parse)?,
            effective: c.word(Rating::parse)?,
            bound_by: c.optional_word(BoundBy::parse)?,
        },
        ttl_seconds: c.take()?,
        force_new: c.take()?,
        price_micros: c.take()?,
        price_credits: c.take()?,
        reserved_micros: c.take()?,
        world: c.take()?,
        workspace: c.take()?,
        trace: c.take()?,
        others: others(c.take()?)?,
        public: c.take()?,
    };
    let policy = RunPolicy {
        attempts: c.take()?,
        fallback: c.optional_word(FallbackMode::parse)?,
        unknown: unknown_policy(&c.take::<String>()?),
    };
    let (created_at, owner) = (c.take()?, c.take()?);
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
    let state = text.state().ok_or_else(|| unreadable(&text.status))?;
    Ok(Row {
        id,
        number,
        tenant,
        owner,
        asked,
        state,
        policy,
        created_at,
        reuse_key: c.take()?,
        expires_at: c.take()?,
        name: c.take()?,
        description: c.take()?,
        tags: c.take()?,
        priority: c.take()?,
        scheduled_at: c.take()?,
        fence: c.take()?,
        lease_until: c.take()?,
        next_run_at: c.take()?,
        hinted: c.take()?,
        token: c.take()?,
        submitted_at: c.take()?,
        prediction: c.take()?,
        serving: c.take()?,
        account: c.take()?,
        deferred: c.optional_word(Deferral::parse)?,
        deadline_at: c.take()?,
        overdue_at: c.take()?,
        overdue: c.take()?,
        attempts: c.take()?,
        events: c.take()?,
        updated_at: c.take()?,
        started_at: c.take()?,
        completed_at: c.take()?,
        deleted_at: c.take()?,
    })
}

/// Other providers as a column has them: none, or a JSON list.
fn others(text: Option<String>) -> Result<Vec<Other>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|_| unreadable("the other providers of a generation"))
}

fn others_text(others: &[Other]) -> Option<String> {
    // A list of texts and numbers can be written.
    (!others.is_empty()).then(|| serde_json::to_string(others).unwrap_or_default())
}

/// When a worker may take a row.
fn due_at(row: &Row) -> Option<Millis> {
    (!row.state.is_terminal()).then(|| row.lease_until.unwrap_or(row.next_run_at))
}

fn fixed<'v>(row: &'v Row, others: Option<&'v String>) -> Vec<Value<'v>> {
    let asked = &row.asked;
    vec![
        row.number.into(),
        (&row.tenant).into(),
        (&asked.request).into(),
        asked.generation_type.word().into(),
        asked.operation.word().into(),
        (&asked.provider).into(),
        asked.strategy.word().into(),
        (&asked.request_hash).into(),
        (&asked.family_hash).into(),
        asked.cache_key.as_ref().into(),
        asked.seed.as_ref().into(),
        asked.rating.asked.word().into(),
        asked.rating.effective.word().into(),
        asked.rating.bound_by.map(BoundBy::word).into(),
        asked.ttl_seconds.into(),
        asked.force_new.into(),
        asked.price_micros.into(),
        asked.price_credits.into(),
        asked.reserved_micros.into(),
        asked.world.as_ref().into(),
        asked.workspace.as_ref().into(),
        (&asked.trace).into(),
        others.into(),
        asked.public.into(),
        row.policy.attempts.into(),
        row.policy.fallback.map(FallbackMode::word).into(),
        unknown_word(row.policy.unknown).into(),
        row.created_at.into(),
    ]
}

fn changing(row: &Row) -> Vec<Value<'_>> {
    let state = StateColumns::from(row.state);
    vec![
        (&row.owner).into(),
        state.status.into(),
        state.run.into(),
        state.spent.into(),
        state.stage.into(),
        state.error.into(),
        state.fallback.into(),
        state.resubmitted.into(),
        state.cancel_requested.into(),
        row.reuse_key.as_ref().into(),
        row.expires_at.into(),
        row.name.as_ref().into(),
        row.description.as_ref().into(),
        row.tags.as_ref().into(),
        row.priority.into(),
        row.scheduled_at.into(),
        row.fence.into(),
        row.lease_until.into(),
        row.next_run_at.into(),
        row.hinted.into(),
        row.token.as_ref().into(),
        row.submitted_at.into(),
        row.prediction.as_ref().into(),
        row.serving.as_ref().into(),
        row.account.as_ref().into(),
        row.deferred.map(Deferral::word).into(),
        row.deadline_at.into(),
        row.overdue_at.into(),
        row.overdue.into(),
        row.attempts.into(),
        row.events.into(),
        row.updated_at.into(),
        row.started_at.into(),
        row.completed_at.into(),
        row.deleted_at.into(),
        due_at(row).into(),
    ]
}

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let names: Vec<&str> = ["id"].iter().chain(FIXED).chain(CHANGING).copied().collect();
    let places: Vec<String> = (1..=names.len()).map(|place| format!("?{place}")).collect();
    format!("INSERT INTO generations ({}) VALUES ({})", names.join(", "), places.join(", "))
});

static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let mut sql = "UPDATE generations SET ".to_owned();
    for (index, name) in CHANGING.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing into a text cannot fail.
        let _ = write!(sql, "{comma}{name} = ?{}", index + 2);
    }
    sql.push_str(" WHERE id = ?1");
    sql
});

/// Inserts a generation.
pub(super) async fn insert<T: Tx>(tx: &mut T, row: &Row) -> Result<()> {
    let others = others_text(&row.asked.others);
    let mut values = vec![Value::from(&row.id)];
    values.extend(fixed(row, others.as_ref()));
    values.extend(changing(row));
    tx.send(INSERT.as_str(), &values).await
}

/// Writes what may change of a generation.
pub(super) async fn update<T: Tx>(tx: &mut T, row: &Row) -> Result<()> {
    let mut values = vec![Value::from(&row.id)];
    values.extend(changing(row));
    tx.send(UPDATE.as_str(), &values).await
}

/// An attempt from `number, run, provider, account, prediction, submitted_at, ended_at, error`.
pub(super) fn attempt(mut c: Cells) -> Result<Attempt> {
    Ok(Attempt {
        number: c.take()?,
        run: c.take()?,
        provider: c.take()?,
        account: c.take()?,
        prediction: c.take()?,
        submitted_at: c.take()?,
        ended_at: c.take()?,
        error: c.optional_word(ErrorCode::parse)?,
    })
}

/// An event from `position, tenant, owner, shared, generation, asset, number, kind, status, error,
/// at, prediction`.
pub(super) fn event(mut c: Cells) -> Result<Event> {
    let cursor = c.take::<Option<i64>>()?.unwrap_or(0);
    let (tenant, owner) = (c.take()?, c.take()?);
    let shared = c.optional_word(Rating::parse)?;
    let (generation, asset): (Option<String>, Option<String>) = (c.take()?, c.take()?);
    let (number, kind) = (c.take()?, c.word(known_event)?);
    let mut subject = match (asset, generation) {
        (Some(id), generation) => {
            Subject::Asset { id, generation, sync: c.word(SyncStatus::parse)? }
        }
        (None, Some(id)) => {
            let status = c.word(GenerationStatus::parse)?;
            Subject::Generation { id, status, prediction: None }
        }
        (None, None) => return Err(unreadable("an event of nothing")),
    };
    let (error, at) = (c.optional_word(ErrorCode::parse)?, c.take()?);
    if let Subject::Generation { prediction, .. } = &mut subject {
        *prediction = c.take()?;
    }
    Ok(Event { cursor, tenant, owner, shared, subject, number, kind, error, at })
}

/// A key from `hash, id, name, tenant, user_id, role, created_at, revoked_at`.
pub(super) fn key(mut c: Cells) -> Result<Key> {
    Ok(Key {
        hash: c.take()?,
        id: c.take()?,
        name: c.take()?,
        reader: Reader { tenant: c.take()?, user: c.take()? },
        role: c.word(Role::parse)?,
        created_at: c.take()?,
        revoked_at: c.take()?,
    })
}

/// A user from `tenant, id, max_rating, reduce_intensity, price_id, created_at`.
pub(super) fn user(mut c: Cells) -> Result<User> {
    Ok(User {
        reader: Reader { tenant: c.take()?, user: c.take()? },
        max_rating: c.optional_word(Rating::parse)?,
        reduce_intensity: c.take()?,
        price_id: c.take()?,
        created_at: c.take()?,
    })
}

/// A world from `tenant, id, name, meta, created_at`.
pub(super) fn world(mut c: Cells) -> Result<World> {
    Ok(World {
        tenant: c.take()?,
        id: c.take()?,
        name: c.take()?,
        meta: c.take()?,
        created_at: c.take()?,
    })
}
