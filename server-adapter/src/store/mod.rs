//! The store: all truth of the service. Rows, queue, leases, reuse, events, keys.
//!
//! [`Store`] is the port. Every operation is one transaction; what it comes to is decided by the
//! pure functions of [`decide`], so that every implementation decides the same. The suite in
//! [`conformance`] runs over each of them.

pub mod conformance;
pub mod decide;
mod memory;
pub mod row;
mod sqlite;

use async_trait::async_trait;
use onepath_core::GenerationStatus;
use onepath_core::Operation;
use onepath_core::lifecycle::{Effect, Event as Happening, RunPolicy};

pub use memory::MemoryStore;
pub use row::{Asked, Asset, Attempt, Event, Generation, Millis, Reader, Row};
pub use sqlite::SqliteStore;

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
    /// The time.
    pub now: Millis,
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
    /// At most so many.
    pub limit: usize,
    /// Those behind this place.
    pub after: Option<(Millis, String)>,
}

/// Rows of a list, and whether more follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The rows with what belongs to them.
    pub generations: Vec<Generation>,
    /// Where the next page starts.
    pub next: Option<(Millis, String)>,
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
    /// Whether the holder lets go of it.
    pub gives_back: bool,
    /// With stored outputs: what was kept.
    pub assets: Vec<Asset>,
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
            gives_back: false,
            assets: Vec::new(),
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
}

/// What a cancel came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Cancelled {
    /// The row as it is now, with what belongs to it.
    pub generation: Generation,
    /// Whether the user's interest ended with this call.
    pub withdrawn: bool,
}

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A user: for themselves only.
    User,
    /// A backend: on behalf of its players.
    Backend,
}

impl Role {
    /// The word it is kept as.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Backend => "backend",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::User, Self::Backend].into_iter().find(|role| role.word() == word)
    }
}

/// An API key. The key itself is never kept, only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// SHA-256 of the key's text, in hexadecimal.
    pub hash: String,
    /// What people call it.
    pub name: String,
    /// For whom it speaks.
    pub reader: Reader,
    /// What it allows.
    pub role: Role,
    /// Creation.
    pub created_at: Millis,
}

/// All truth of the service. Each call is one transaction: it happens whole, durably, or not at all.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Answers a create: from the slot of its key, by joining, by hash, or with a new row.
    async fn create(&self, new: NewGeneration) -> Result<Created>;

    /// How a create would be answered, without doing it.
    async fn preview(&self, new: &NewGeneration) -> Result<(Answer, Option<Row>)>;

    /// A generation that the reader may see.
    async fn get(&self, reader: &Reader, id: &str) -> Result<Option<Generation>>;

    /// The reader's own generations.
    async fn list(&self, reader: &Reader, query: &ListQuery) -> Result<Page>;

    /// Takes rows that are due, by priority, then time.
    async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>>;

    /// When the next row is due, leases included.
    async fn next_due(&self) -> Result<Option<Millis>>;

    /// Holds a row longer; false if it is held by somebody else meanwhile.
    async fn heartbeat(&self, id: &str, fence: i64, lease_until: Millis) -> Result<bool>;

    /// Ends every lease, and says how many: for a worker who knows that all others are gone.
    async fn end_leases(&self, now: Millis) -> Result<u64>;

    /// Applies an event to a row; none if the fence is an old one or the row is gone.
    async fn advance(&self, advance: &Advance) -> Result<Option<Advanced>>;

    /// Ends the reader's interest in a row; none if they have none.
    async fn cancel(&self, reader: &Reader, id: &str, now: Millis) -> Result<Option<Cancelled>>;

    /// An asset of a generation that the reader may see.
    async fn asset(&self, reader: &Reader, id: &str) -> Result<Option<Asset>>;

    /// The events of a generation, in order.
    async fn events(&self, reader: &Reader, id: &str) -> Result<Vec<Event>>;

    /// Keeps a key; one with the same hash is replaced.
    async fn add_key(&self, key: Key) -> Result<()>;

    /// The key with this hash.
    async fn key(&self, hash: &str) -> Result<Option<Key>>;

    /// How many keys there are.
    async fn count_keys(&self) -> Result<u64>;

    /// Whether it answers.
    async fn ping(&self) -> Result<()>;
}
