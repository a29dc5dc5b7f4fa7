//! Telling tenants: events become messages, and messages are sent until they are taken.

use std::time::Duration;

use onepath_webhook::{ID, SIGNATURE, Secret, TIMESTAMP, sign};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::new_id;
use crate::event::{Frame, Words};
use crate::service::Service;
use crate::store::endpoints::{Endpoint, Message};
use crate::store::{Event, Millis, Result};

/// Messages that are sent at the same time, and those to one endpoint.
const PARALLEL: usize = 32;
const EACH: usize = 4;

/// How long an endpoint may take to answer, and how long a message is held for it.
const PATIENCE: Duration = Duration::from_secs(15);
const LEASE: Millis = 60_000;

/// Events that become messages at once.
const PAGE: usize = 500;

const SECOND: Millis = 1000;
const HOUR: Millis = 3600 * SECOND;

/// How long to wait after each failure; after the last there is no other.
const WAITS: [Millis; 9] = [
    5 * SECOND,
    300 * SECOND,
    1800 * SECOND,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

/// An endpoint that took nothing for so long is told nothing more: five days.
const GIVEN_UP: Millis = 120 * HOUR;

/// Tells tenants until `stop` is true, then lets what is on its way end.
pub(crate) async fn deliver(service: &Service, mut stop: watch::Receiver<bool>) {
    let mut sending = JoinSet::new();
    while !*stop.borrow() {
        if let Err(error) = round(service, &mut sending).await {
            tracing::warn!(%error, "no webhooks were sent");
        }
        let rest = if sending.is_empty() { 500 } else { 100 };
        tokio::select! {
            _ = stop.changed() => {}
            Some(_) = sending.join_next() => {}
            () = tokio::time::sleep(Duration::from_millis(rest)) => {}
        }
    }
    while sending.join_next().await.is_some() {}
}

async fn round(service: &Service, sending: &mut JoinSet<()>) -> Result<()> {
    let endpoints = service.store.endpoints(None).await?;
    if endpoints.is_empty() {
        return Ok(());
    }
    tell(service, &endpoints).await?;
    let free = PARALLEL.saturating_sub(sending.len());
    if free == 0 {
        return Ok(());
    }
    let now = service.clock.now();
    for message in service.store.claim_messages(now, now + LEASE, free, EACH).await? {
        let Some(endpoint) = endpoints.iter().find(|one| one.id == message.endpoint) else {
            continue;
        };
        let (service, endpoint) = (service.clone(), endpoint.clone());
        sending.spawn(async move {
            if let Err(error) = send(&service, &endpoint, message).await {
                // Its lease runs out, and it is sent again.
                tracing::warn!(%error, endpoint = %endpoint.id, "a webhook's end was not kept");
            }
        });
    }
    Ok(())
}

/// Makes messages of new events. Each is one for an endpoint, however many processes do so.
async fn tell(service: &Service, endpoints: &[Endpoint]) -> Result<()> {
    let first = endpoints.iter().map(|one| one.from_cursor).min().unwrap_or(0);
    let mut last = service.store.told_until().await?.max(first);
    loop {
        let events = service.store.events_after(last, PAGE).await?;
        let Some(newest) = events.last() else { return Ok(()) };
        last = newest.cursor;
        let mut messages = Vec::new();
        for event in &events {
            for endpoint in endpoints.iter().filter(|one| wants(one, event)) {
                messages.push(message(service, endpoint, event));
            }
        }
        service.store.add_messages(messages, last).await?;
        if events.len() < PAGE {
            return Ok(());
        }
    }
}

fn wants(endpoint: &Endpoint, event: &Event) -> bool {
    let named = |text: &String| {
        serde_json::from_str::<Vec<String>>(text)
            .is_ok_and(|all| all.iter().any(|one| one == event.kind))
    };
    endpoint.disabled.is_none()
        && endpoint.tenant == event.tenant
        && event.cursor > endpoint.from_cursor
        && endpoint.events.as_ref().is_none_or(named)
}

/// What an endpoint is told of an event: the frame of the streams, and who pays. No prompt is in it.
fn message(service: &Service, endpoint: &Endpoint, event: &Event) -> Message {
    let frame = Frame::new(event, Words::New);
    let mut data = serde_json::to_value(&frame).unwrap_or_default();
    let mut timestamp = serde_json::Value::Null;
    if let Some(data) = data.as_object_mut() {
        data.remove("type");
        timestamp = data.remove("at").unwrap_or_default();
        data.insert("user_id".to_owned(), event.owner.clone().into());
    }
    let payload = serde_json::json!({ "type": event.kind, "timestamp": timestamp, "data": data });
    let now = service.clock.now();
    Message {
        id: new_id(&*service.clock),
        endpoint: endpoint.id.clone(),
        message: format!("msg_{}", event.cursor),
        kind: event.kind.to_owned(),
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
    }
}

/// What an endpoint answered.
struct Answer {
    status: Option<u16>,
    error: Option<String>,
    retry_after: Option<Millis>,
}

async fn send(service: &Service, endpoint: &Endpoint, mut message: Message) -> Result<()> {
    let answer = ask(service, endpoint, &message).await;
    let now = service.clock.now();
    let taken = answer.status.is_some_and(|status| (200..300).contains(&status));
    message.attempts += 1;
    message.sent_at = Some(now);
    message.delivered = taken;
    message.last_status = answer.status.map(i64::from);
    message.last_error = answer.error;
    let gone = answer.status == Some(410);
    message.due_at = if taken || gone { None } else { next(&message, answer.retry_after, now) };
    if !service.store.end_message(message).await? {
        return Ok(());
    }
    let failing_since = if taken { None } else { Some(endpoint.failing_since.unwrap_or(now)) };
    let too_long = failing_since.is_some_and(|since| now - since >= GIVEN_UP);
    let disabled = if gone {
        Some((now, "it answered 410: it wants to be told nothing more".to_owned()))
    } else if too_long {
        Some((now, "it took nothing for five days".to_owned()))
    } else {
        None
    };
    if failing_since != endpoint.failing_since || disabled.is_some() {
        service.store.mark_endpoint(&endpoint.id, failing_since, disabled).await?;
    }
    Ok(())
}

/// When a message that was not taken goes again.
fn next(message: &Message, retry_after: Option<Millis>, now: Millis) -> Option<Millis> {
    let index = usize::try_from(message.attempts - 1).ok()?;
    let wait = *WAITS.get(index)?;
    Some(now + wait.max(retry_after.unwrap_or(0).min(24 * HOUR)))
}

async fn ask(service: &Service, endpoint: &Endpoint, message: &Message) -> Answer {
    let failed = |error: String| Answer { status: None, error: Some(error), retry_after: None };
    let now = service.clock.now();
    let open = |sealed: &str| {
        let text = service.vault.open_text(sealed, &endpoint.id)?;
        Secret::parse(&text).ok()
    };
    let old = endpoint.old_secret.as_ref().filter(|(_, until)| *until > now);
    let secrets: Vec<Secret> = [Some(&endpoint.secret), old.map(|(old, _)| old)]
        .into_iter()
        .flatten()
        .filter_map(|one| open(one))
        .collect();
    if secrets.is_empty() {
        return failed("its secret does not open here: make a new one".to_owned());
    }
    let body = message.payload.clone();
    let at = now.div_euclid(1000);
    let signature = sign(&secrets, &message.message, at, body.as_bytes());
    let request = service.guard.check(&endpoint.url).and_then(|url| service.guard.post(&url));
    let request = match request {
        Ok(request) => request,
        Err(refused) => return failed(refused.to_string()),
    };
    let sent = request
        .timeout(PATIENCE)
        .header("content-type", "application/json")
        .header(ID, &message.message)
        .header(TIMESTAMP, at.to_string())
        .header(SIGNATURE, signature)
        .body(body)
        .send()
        .await;
    match sent {
        // What it says beside its status is not read.
        Ok(answer) => Answer {
            status: Some(answer.status().as_u16()),
            error: None,
            retry_after: answer
                .headers()
                .get("retry-after")
                .and_then(|value| value.to_str().ok()?.parse::<Millis>().ok())
                .map(|seconds| seconds.clamp(0, 86_400) * SECOND),
        },
        Err(error) => failed(crate::guard::GuardError::from(error).to_string()),
    }
}
