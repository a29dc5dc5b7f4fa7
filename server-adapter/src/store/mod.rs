//! The store: all truth of the service. Rows, queue, leases, reuse, events, keys.
//!
//! [`Store`] is the port. Every operation is one transaction; what it comes to is decided by the
//! pure functions of [`decide`], so that every implementation decides the same. The suite of the
//! feature `conformance` runs over each of them.

pub mod account;
pub mod assets;
mod cache;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod decide;
pub mod endpoints;
mod examined;
mod memory;
mod postgres;
mod predictions;
pub mod prompts;
pub mod row;
mod sql;
mod sqlite;
mod telemetry;
#[cfg(test)]
mod tests;
mod transition;
pub mod webhooks;

use std::sync::Arc;

use async_trait::async_trait;
use onepath_core::GenerationStatus;
use onepath_core::Operation;
use onepath_core::lifecycle::{Effect, Event as Happening, RunPolicy};
use tokio::sync::watch;

use decide::LimitHit;

pub use account::{
    Account, AccountNow, AccountQuery, AccountStore, CreditsRead, Deferral, Health, KeySource,
};
pub use assets::{
    ASSET_EVENTS, Asset, AssetCopy, AssetPage, AssetPatch, AssetQuery, AssetState, AssetStore,
    Blob, Child, Input, Lineage, Media, Origin, SyncStatus, Uploaded,
};
pub use cache::{AnswerCount, CacheStore, Kept};
pub use decide::Patch;
pub use endpoints::EndpointStore;
pub use examined::Examined;
pub use memory::MemoryStore;
pub use postgres::{PostgresStore, Time, examine_postgres};
pub use predictions::PredictionStore;
pub use prompts::PromptStore;
pub use row::{
    Asked, Attempt, Event, Generation, Key, Millis, Other, Reader, Role, Row, Subject, Used, User,
    Viewer, World,
};
pub use sqlite::{SqliteStore, blobs_of_sqlite, copy_sqlite, examine_sqlite};
pub use telemetry::{EndedRun, RunCount, RunEnd, RunTimes, TelemetryStore};
pub use transition::{EVENTS, Step, Transition, known_event, transition};
pub use webhooks::WebhookStore;

/// Why the store could not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It does not answer, or not in time; the same call may succeed later.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// There is no space left.
    #[error("the store is full: {0}")]
    Full(String),
    /// What lies in it cannot be read.
    #[error("the store holds what cannot be read: {0}")]
    Corrupt(String),
}

/// What an operation of the store gives.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A generation to create.
#[derive(Debug, Clone, PartialEq)]
pub struct NewGeneration {
    /// Its id, if a row is inserted.
    pub id: String,
    /// Who asks, and pays if a row is inserted.
    pub owner: Reader,
    /// What is asked.
    pub asked: Asked,
    /// How the run is carried out.
    pub policy: RunPolicy,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// 0 to 10; 0 goes first.
    pub priority: i64,
    /// Not before this time.
    pub scheduled_at: Option<Millis>,
    /// The assets that it starts from.
    pub inputs: Vec<Input>,
    /// The time.
    pub now: Millis,
}

impl NewGeneration {
    /// Its owner, who may be shown what they ask for.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        Viewer { reader: self.owner.clone(), bound: self.asked.rating.effective }
    }
}

/// How a create was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// A run was started.
    Created,
    /// A run of the same was on its way.
    Joined,
    /// It lay under its key.
    Cache,
    /// The owner's own with the same hash.
    Hash,
}

/// The row that answers a create.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// How it answers.
    pub answer: Answer,
    /// The row.
    pub row: Row,
}

/// What a plan allows; an absent limit limits nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Limits {
    /// Generations at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<i64>,
    /// Runs a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs_month: Option<i64>,
    /// Micro-dollars a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micros_month: Option<i64>,
    /// Bytes of assets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_bytes: Option<i64>,
}

impl Limits {
    /// Whether anything is limited.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.in_flight.is_some()
            || self.runs_month.is_some()
            || self.micros_month.is_some()
            || self.storage_bytes.is_some()
    }
}

/// A user's plan at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanNow {
    /// What it allows.
    pub limits: Limits,
    /// Since when runs and money count.
    pub since: Millis,
}

/// A create with everything that its one transaction needs.
#[derive(Debug, Clone)]
pub struct Creation {
    /// What is created.
    pub new: NewGeneration,
    /// The plan of its owner.
    pub plan: PlanNow,
    /// Kept, if the caller sent an idempotency key.
    pub receipt: Option<ReceiptWish>,
}

impl Creation {
    /// Without a plan's limits and without a receipt.
    #[must_use]
    pub fn of(new: NewGeneration) -> Self {
        Self { new, plan: PlanNow::default(), receipt: None }
    }
}

/// Makes the answer that is kept of a create.
pub type Render = Arc<dyn Fn(&Created) -> Receipt + Send + Sync>;

/// A wish to have the answer kept under an idempotency key.
#[derive(Clone)]
pub struct ReceiptWish {
    /// The route it was sent to.
    pub route: &'static str,
    /// The key.
    pub key: String,
    /// Hash of what was sent.
    pub fingerprint: String,
    /// Makes the answer.
    pub render: Render,
}

impl std::fmt::Debug for ReceiptWish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceiptWish").field("route", &self.route).finish_non_exhaustive()
    }
}

/// An answer as it was given, and is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The HTTP status.
    pub status: u16,
    /// Where the generation is.
    pub location: String,
    /// The body.
    pub body: String,
}

/// What a create came to.
#[derive(Debug, Clone, PartialEq)]
pub enum CreateOutcome {
    /// It is answered.
    Done(Box<Created>),
    /// The same call was answered before.
    Replayed(Receipt),
    /// The idempotency key came with other content before.
    Mismatch,
    /// The plan does not allow it.
    Limited(LimitHit),
}

/// What a wish of the owner came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// There is none, or it is not theirs.
    NotThere,
    /// Its state does not allow it.
    NotNow(Box<Row>),
    /// It is not as the caller knows it.
    Changed,
    /// The plan does not allow it.
    Limited(LimitHit),
    /// It is done: the row with what belongs to it, and what happened.
    Done(Box<Generation>, Vec<Step>),
}

/// A line of what was used: one day, one provider, one operation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct UsageLine {
    /// The day in UTC, such as `2026-11-23`.
    pub day: String,
    /// Who was asked.
    pub provider_id: String,
    /// What was asked for.
    pub operation_type: Operation,
    /// Runs that count.
    pub runs: i64,
    /// Micro-dollars reserved and paid.
    pub micros: i64,
}

/// Which generations to list, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListQuery {
    /// Only this status.
    pub status: Option<GenerationStatus>,
    /// Only this operation.
    pub operation: Option<Operation>,
    /// Only this provider.
    pub provider: Option<String>,
    /// Only this hash of identity and seed.
    pub request_hash: Option<String>,
    /// Only this number.
    pub number: Option<i64>,
    /// Only this world.
    pub world: Option<String>,
    /// Only this folder.
    pub workspace: Option<String>,
    /// Only what was created at this time or later.
    pub created_after: Option<Millis>,
    /// Only what was created before this time.
    pub created_before: Option<Millis>,
    /// Only what has this text in its name or description.
    pub text: Option<String>,
    /// Passed over first.
    pub offset: usize,
    /// At most so many.
    pub limit: usize,
    /// Those behind this place.
    pub after: Option<(Millis, String)>,
    /// Whether all that fit are counted, whatever the page.
    pub count: bool,
}

/// Rows of a list, and whether more follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The rows with what belongs to them.
    pub generations: Vec<Generation>,
    /// Where the next page starts.
    pub next: Option<(Millis, String)>,
    /// How many there are on all pages, if that was asked for.
    pub total: Option<i64>,
}

/// A wish for work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The time.
    pub now: Millis,
    /// Until when the rows are held.
    pub lease_until: Millis,
    /// At most so many rows.
    pub limit: usize,
}

/// A row that is held, and what is to be done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The row with its new fence.
    pub row: Row,
    /// What is to be carried out.
    pub effects: Vec<Effect>,
    /// What happened to it by being taken.
    pub steps: Vec<Step>,
}

/// Something that happened to a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Advance {
    /// The row.
    pub id: String,
    /// The fence of whoever holds it; none for what comes from outside, such as a webhook.
    pub fence: Option<i64>,
    /// What happened.
    pub event: Happening,
    /// The time.
    pub now: Millis,
    /// With a stored intent: the attempt's token.
    pub token: Option<String>,
    /// With a stored intent: when the run counts as stuck.
    pub deadline_at: Option<Millis>,
    /// The provider's own id, once known.
    pub prediction: Option<String>,
    /// When it is due again, if it goes on.
    pub next_run_at: Option<Millis>,
    /// Until when the provider wants to be left alone.
    pub not_before: Option<Millis>,
    /// Chance, so that what failed together does not come again together.
    pub jitter: u8,
    /// Whether the holder lets go of it.
    pub gives_back: bool,
    /// With stored outputs: what was kept, unless it is written already.
    pub assets: Vec<Asset>,
    /// The blobs among them that are new.
    pub blobs: Vec<Blob>,
}

impl Advance {
    /// An event of a holder, with nothing beside it.
    #[must_use]
    pub fn new(row: &Row, event: Happening, now: Millis) -> Self {
        Self {
            id: row.id.clone(),
            fence: Some(row.fence),
            event,
            now,
            token: None,
            deadline_at: None,
            prediction: None,
            next_run_at: None,
            not_before: None,
            jitter: 0,
            gives_back: false,
            assets: Vec::new(),
            blobs: Vec::new(),
        }
    }
}

/// A row after an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Advanced {
    /// The row as it is now.
    pub row: Row,
    /// What is left to carry out.
    pub effects: Vec<Effect>,
    /// What happened to it.
    pub steps: Vec<Step>,
}

/// What a cancel came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Cancelled {
    /// The row as it is now, with what belongs to it.
    pub generation: Generation,
    /// Whether the user's interest ended with this call.
    pub withdrawn: bool,
    /// What happened to it.
    pub steps: Vec<Step>,
}

/// All truth of the service. Each call is one transaction: it happens whole, durably, or not at all.
#[async_trait]
pub trait Store:
    AssetStore
    + AccountStore
    + CacheStore
    + EndpointStore
    + PredictionStore
    + PromptStore
    + TelemetryStore
    + WebhookStore
{
    /// Answers a create: from a receipt, from the slot of its key, by joining, by hash, or with a
    /// new row, its reservation and its event.
    async fn create(&self, creation: Creation) -> Result<CreateOutcome>;

    /// How a create would be answered, without doing it.
    async fn preview(&self, new: &NewGeneration) -> Result<(Answer, Option<Row>)>;

    /// A generation that the viewer may see.
    async fn get(&self, viewer: &Viewer, id: &str) -> Result<Option<Generation>>;

    /// The reader's own generations.
    async fn list(&self, reader: &Reader, query: &ListQuery) -> Result<Page>;

    /// Takes rows that are due, by priority, then time, and fair between tenants. A row that is to be
    /// submitted gets the slot of an account with it; where there is none it goes on waiting, and
    /// nothing is to be carried out.
    async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>>;

    /// When the next row is due, leases included.
    async fn next_due(&self) -> Result<Option<Millis>>;

    /// Holds a row longer; false if it is held by somebody else meanwhile.
    async fn heartbeat(
        &self,
        id: &str,
        fence: i64,
        now: Millis,
        lease_until: Millis,
    ) -> Result<bool>;

    /// Ends every lease, and says how many: for a worker who knows that all others are gone.
    async fn end_leases(&self, now: Millis) -> Result<u64>;

    /// Applies an event to a row; none if the fence is an old one or the row is gone.
    async fn advance(&self, advance: &Advance) -> Result<Option<Advanced>>;

    /// Ends the reader's interest in a row; none if they have none.
    async fn cancel(&self, reader: &Reader, id: &str, now: Millis) -> Result<Option<Cancelled>>;

    /// A new run of the reader's row that failed or was cancelled.
    async fn retry(&self, reader: &Reader, id: &str, plan: PlanNow, now: Millis)
    -> Result<Outcome>;

    /// Hides the reader's row that is over; ledger and lineage stay.
    async fn delete(&self, reader: &Reader, id: &str, now: Millis) -> Result<Outcome>;

    /// Changes what people may change of the reader's row.
    async fn patch(&self, reader: &Reader, id: &str, patch: &Patch, now: Millis)
    -> Result<Outcome>;

    /// The events of a generation, in order.
    async fn events(&self, viewer: &Viewer, id: &str) -> Result<Vec<Event>>;

    /// Events of everybody behind a place, in the order of commits.
    async fn events_after(&self, cursor: i64, limit: usize) -> Result<Vec<Event>>;

    /// The place of the last event.
    async fn last_event(&self) -> Result<i64>;

    /// Changes when there may be new events: a hint, which may come late or not at all.
    fn changes(&self) -> watch::Receiver<u64>;

    /// What a user used since a time.
    async fn used(&self, reader: &Reader, since: Millis) -> Result<Used>;

    /// What a user used, by day, provider and operation.
    async fn usage(&self, reader: &Reader, since: Millis, until: Millis) -> Result<Vec<UsageLine>>;

    /// Keeps a key; one with the same hash is replaced.
    async fn add_key(&self, key: Key) -> Result<()>;

    /// The key with this hash.
    async fn key(&self, hash: &str) -> Result<Option<Key>>;

    /// All keys, by tenant and time.
    async fn keys(&self) -> Result<Vec<Key>>;

    /// Ends a key; false if there is none of this id.
    async fn revoke_key(&self, id: &str, now: Millis) -> Result<bool>;

    /// Keeps a user; one with the same id is replaced.
    async fn put_user(&self, user: User) -> Result<()>;

    /// A user.
    async fn user(&self, reader: &Reader) -> Result<Option<User>>;

    /// All users of a tenant, or of all.
    async fn users(&self, tenant: Option<&str>) -> Result<Vec<User>>;

    /// Keeps a world; one with the same id is replaced.
    async fn put_world(&self, world: World) -> Result<()>;

    /// A world.
    async fn world(&self, tenant: &str, id: &str) -> Result<Option<World>>;

    /// All worlds of a tenant, or of all.
    async fn worlds(&self, tenant: Option<&str>) -> Result<Vec<World>>;

    /// Removes receipts that are older than a time.
    async fn forget_receipts(&self, before: Millis) -> Result<u64>;

    /// Whether it answers.
    async fn ping(&self) -> Result<()>;
}
