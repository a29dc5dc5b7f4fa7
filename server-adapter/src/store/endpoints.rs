//! Where tenants are told of events, and what each endpoint is told: rows that are delivered under a
//! lease, at least once.

use async_trait::async_trait;

use super::{Millis, Result};

/// Where a tenant is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// UUID, version 7.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
    /// Where it is.
    pub url: String,
    /// The secret, sealed.
    pub secret: String,
    /// The secret before, sealed, and until when it still signs.
    pub old_secret: Option<(String, Millis)>,
    /// Kinds of events, as a JSON list; all if none.
    pub events: Option<String>,
    /// Events behind this place only.
    pub from_cursor: i64,
    /// Since when nothing was taken there.
    pub failing_since: Option<Millis>,
    /// Since when it is told nothing, and why.
    pub disabled: Option<(Millis, String)>,
    /// Creation.
    pub created_at: Millis,
}

/// One message to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// UUID, version 7.
    pub id: String,
    /// The endpoint.
    pub endpoint: String,
    /// The id on the wire: the same however often it is sent.
    pub message: String,
    /// Such as `generation.completed`.
    pub kind: String,
    /// The body.
    pub payload: String,
    /// Sendings so far.
    pub attempts: i64,
    /// When it is sent next, or its lease ends; none when it is over.
    pub due_at: Option<Millis>,
    /// Whether somebody sends it.
    pub leased: bool,
    /// Grows with every lease.
    pub fence: i64,
    /// Whether it was taken.
    pub delivered: bool,
    /// The status of the last answer.
    pub last_status: Option<i64>,
    /// Why there was no answer.
    pub last_error: Option<String>,
    /// Creation.
    pub created_at: Millis,
    /// The last sending.
    pub sent_at: Option<Millis>,
}

/// Endpoints and their messages.
#[async_trait]
pub trait EndpointStore {
    /// Keeps an endpoint; one of the same id is replaced.
    async fn put_endpoint(&self, endpoint: Endpoint) -> Result<()>;

    /// Says how an endpoint does, and nothing else of it.
    async fn mark_endpoint(
        &self,
        id: &str,
        failing_since: Option<Millis>,
        disabled: Option<(Millis, String)>,
    ) -> Result<()>;

    /// Endpoints by age: a tenant's, or everybody's.
    async fn endpoints(&self, tenant: Option<&str>) -> Result<Vec<Endpoint>>;

    /// Removes a tenant's endpoint with its messages.
    async fn remove_endpoint(&self, tenant: &str, id: &str) -> Result<bool>;

    /// The place up to which events became messages.
    async fn told_until(&self) -> Result<i64>;

    /// Adds messages, each to an endpoint once, and moves the place forward.
    async fn add_messages(&self, messages: Vec<Message>, told_until: i64) -> Result<()>;

    /// Leases messages that are due: up to `each` of an endpoint at the same time.
    async fn claim_messages(
        &self,
        now: Millis,
        lease_until: Millis,
        limit: usize,
        each: usize,
    ) -> Result<Vec<Message>>;

    /// Writes a message whose fence is still the newest.
    async fn end_message(&self, message: Message) -> Result<bool>;

    /// Messages to an endpoint, newest first, older than a place.
    async fn messages(
        &self,
        endpoint: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Message>>;

    /// Sends a message again.
    async fn replay_message(&self, endpoint: &str, id: &str, now: Millis) -> Result<bool>;

    /// Removes messages that are over and older than a time.
    async fn forget_messages(&self, before: Millis) -> Result<u64>;
}
