//! Endpoints: where a tenant wants to be told of events.

use onepath_webhook::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Caller, Service};
use crate::clock::{new_id, rfc3339};
use crate::problem::{Fault, Problem, ProblemCode};
use crate::store::endpoints::{Endpoint, Message};
use crate::store::{EVENTS, Role};

/// Endpoints of a tenant at most.
const MOST: usize = 20;

/// How long an old secret signs beside the new one: a day.
const OVERLAP: i64 = 24 * 60 * 60 * 1000;

/// What an endpoint shall be; absent members stay as they are.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointBody {
    /// Where it is: a public `https` URL.
    pub url: Option<String>,
    /// Kinds of events that it is told, such as `generation.completed`; an empty list means all.
    pub events: Option<Vec<String>>,
    /// Whether it is told anything.
    pub enabled: Option<bool>,
}

/// An endpoint.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EndpointView {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub url: String,
    /// Kinds of events; absent if it is told all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// Since when nothing was taken there (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<String>,
    /// The secret: only where it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Creation (RFC 3339).
    pub created_at: String,
}

/// A tenant's endpoints.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EndpointList {
    /// By age.
    pub endpoints: Vec<EndpointView>,
}

/// A delivery.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MessageView {
    /// Its id here.
    pub id: String,
    /// Its id on the wire (`webhook-id`).
    pub message_id: String,
    /// What it tells.
    #[serde(rename = "type")]
    pub kind: String,
    /// `pending`, `delivered` or `failed`.
    pub status: &'static str,
    /// Sendings so far.
    pub attempts: i64,
    /// When it is sent next (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<String>,
    /// The status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_status: Option<i64>,
    /// Why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Creation (RFC 3339).
    pub created_at: String,
}

/// A page of deliveries.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MessageList {
    /// Newest first.
    pub deliveries: Vec<MessageView>,
    /// Where the next page starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl From<&Message> for MessageView {
    fn from(one: &Message) -> Self {
        Self {
            id: one.id.clone(),
            message_id: one.message.clone(),
            kind: one.kind.clone(),
            status: match (one.delivered, one.due_at) {
                (true, _) => "delivered",
                (false, Some(_)) => "pending",
                (false, None) => "failed",
            },
            attempts: one.attempts,
            next_at: one.due_at.map(rfc3339),
            last_status: one.last_status,
            last_error: one.last_error.clone(),
            created_at: rfc3339(one.created_at),
        }
    }
}

fn view(one: &Endpoint, secret: Option<&Secret>) -> EndpointView {
    EndpointView {
        id: one.id.clone(),
        url: one.url.clone(),
        events: one.events.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        enabled: one.disabled.is_none(),
        disabled_reason: one.disabled.as_ref().map(|(_, why)| why.clone()),
        failing_since: one.failing_since.map(rfc3339),
        secret: secret.map(Secret::expose),
        created_at: rfc3339(one.created_at),
    }
}

impl Service {
    /// Makes an endpoint.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for keys of users, `VALIDATION_ERROR` for a URL that is not called or an event
    /// that is not known, `CONFLICT` if the tenant has too many.
    pub async fn create_endpoint(
        &self,
        caller: &Caller,
        body: &EndpointBody,
    ) -> Result<EndpointView, Problem> {
        let tenant = managed(caller)?;
        if self.store.endpoints(Some(tenant)).await?.len() >= MOST {
            let detail = format!("a tenant has up to {MOST} endpoints: delete one first");
            return Err(Problem::new(ProblemCode::Conflict, detail));
        }
        let now = self.clock.now();
        let id = new_id(&*self.clock);
        let (secret, sealed) = self.new_endpoint_secret(&id)?;
        let mut endpoint = Endpoint {
            id,
            tenant: tenant.to_owned(),
            url: String::new(),
            secret: sealed,
            old_secret: None,
            events: None,
            from_cursor: self.store.last_event().await?,
            failing_since: None,
            disabled: None,
            created_at: now,
        };
        if body.url.is_none() {
            return Err(fault("/url", "say where the endpoint is: a public https URL"));
        }
        self.apply(&mut endpoint, body)?;
        self.store.put_endpoint(endpoint.clone()).await?;
        Ok(view(&endpoint, Some(&secret)))
    }

    /// The tenant's endpoints.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for keys of users.
    pub async fn endpoints(&self, caller: &Caller) -> Result<EndpointList, Problem> {
        let all = self.store.endpoints(Some(managed(caller)?)).await?;
        Ok(EndpointList { endpoints: all.iter().map(|one| view(one, None)).collect() })
    }

    /// Changes an endpoint; one that is told something again begins without failures.
    ///
    /// # Errors
    ///
    /// As [`create_endpoint`](Self::create_endpoint), and `NOT_FOUND`.
    pub async fn patch_endpoint(
        &self,
        caller: &Caller,
        id: &str,
        body: &EndpointBody,
    ) -> Result<EndpointView, Problem> {
        let mut endpoint = self.endpoint(caller, id).await?;
        self.apply(&mut endpoint, body)?;
        self.store.put_endpoint(endpoint.clone()).await?;
        Ok(view(&endpoint, None))
    }

    fn apply(&self, endpoint: &mut Endpoint, body: &EndpointBody) -> Result<(), Problem> {
        if let Some(url) = &body.url {
            let url = self.guard.check(url).map_err(|error| fault("/url", &error.to_string()))?;
            endpoint.url = url.to_string();
        }
        if let Some(events) = &body.events {
            for (index, event) in events.iter().enumerate() {
                if !EVENTS.contains(&event.as_str()) {
                    let detail = format!("`{event}` is no event: {}", EVENTS.join(", "));
                    return Err(fault(&format!("/events/{index}"), &detail));
                }
            }
            let text = serde_json::to_string(events).unwrap_or_default();
            endpoint.events = (!events.is_empty()).then_some(text);
        }
        match body.enabled {
            Some(true) => (endpoint.disabled, endpoint.failing_since) = (None, None),
            Some(false) => {
                let why = "it was switched off".to_owned();
                endpoint.disabled.get_or_insert((self.clock.now(), why));
            }
            None => {}
        }
        Ok(())
    }

    /// Removes an endpoint.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, `NOT_FOUND`.
    pub async fn delete_endpoint(&self, caller: &Caller, id: &str) -> Result<(), Problem> {
        let gone = self.store.remove_endpoint(managed(caller)?, id).await?;
        if gone { Ok(()) } else { Err(Problem::not_found("endpoint")) }
    }

    /// Makes a new secret; the old one signs beside it for a day.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, `NOT_FOUND`.
    pub async fn rotate_secret(&self, caller: &Caller, id: &str) -> Result<EndpointView, Problem> {
        let mut endpoint = self.endpoint(caller, id).await?;
        let (secret, sealed) = self.new_endpoint_secret(id)?;
        let old = std::mem::replace(&mut endpoint.secret, sealed);
        endpoint.old_secret = Some((old, self.clock.now() + OVERLAP));
        self.store.put_endpoint(endpoint.clone()).await?;
        Ok(view(&endpoint, Some(&secret)))
    }

    /// Sends `webhook.ping` to an endpoint.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, `NOT_FOUND`.
    pub async fn ping_endpoint(&self, caller: &Caller, id: &str) -> Result<MessageView, Problem> {
        let endpoint = self.endpoint(caller, id).await?;
        let now = self.clock.now();
        let payload = serde_json::json!({
            "type": "webhook.ping", "timestamp": rfc3339(now), "data": { "endpoint_id": id },
        });
        let ping = new_id(&*self.clock);
        let message = Message {
            message: format!("msg_{ping}"),
            id: ping,
            endpoint: endpoint.id,
            kind: "webhook.ping".to_owned(),
            payload: payload.to_string(),
            attempts: 0,
            due_at: Some(now),
            leased: false,
            fence: 0,
            delivered: false,
            last_status: None,
            last_error: None,
            created_at: now,
            sent_at: None,
        };
        self.store.add_messages(vec![message.clone()], 0).await?;
        Ok(MessageView::from(&message))
    }

    /// What an endpoint was told.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, `NOT_FOUND`.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        id: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<MessageList, Problem> {
        let endpoint = self.endpoint(caller, id).await?;
        let page = self.store.messages(&endpoint.id, before, limit).await?;
        let next_cursor = page.last().filter(|_| page.len() == limit).map(|one| one.id.clone());
        Ok(MessageList { deliveries: page.iter().map(MessageView::from).collect(), next_cursor })
    }

    /// Sends a delivery again, under the same id on the wire.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, `NOT_FOUND`.
    pub async fn replay(&self, caller: &Caller, id: &str, delivery: &str) -> Result<(), Problem> {
        let endpoint = self.endpoint(caller, id).await?;
        let known = !delivery.contains('\0')
            && self.store.replay_message(&endpoint.id, delivery, self.clock.now()).await?;
        if known { Ok(()) } else { Err(Problem::not_found("delivery")) }
    }

    async fn endpoint(&self, caller: &Caller, id: &str) -> Result<Endpoint, Problem> {
        let all = self.store.endpoints(Some(managed(caller)?)).await?;
        let found = all.into_iter().find(|one| one.id == id);
        found.ok_or_else(|| Problem::not_found("endpoint"))
    }

    fn new_endpoint_secret(&self, id: &str) -> Result<(Secret, String), Problem> {
        let mut random = [0; 32];
        self.clock.random(&mut random);
        let secret = Secret::of(random);
        let sealed = self.vault.seal_text(&secret.expose(), id, &self.clock);
        let broken = || Problem::new(ProblemCode::InternalError, "a secret cannot be sealed");
        Ok((secret, sealed.ok_or_else(broken)?))
    }
}

/// The tenant whose endpoints a caller looks after.
fn managed(caller: &Caller) -> Result<&str, Problem> {
    if caller.role == Role::User {
        let detail = "only keys with the role `backend` or `admin` look after endpoints";
        return Err(Problem::new(ProblemCode::Forbidden, detail));
    }
    Ok(&caller.reader.tenant)
}

fn fault(pointer: &str, detail: &str) -> Problem {
    Problem::faults(vec![Fault::new(pointer, "webhook/endpoint", detail)])
}
