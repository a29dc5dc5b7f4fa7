//! Generations: create, validate, preflight, get, list, cancel.

use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, HeaderName, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use onepath_core::{GenerationStatus, Operation};

use super::App;
use super::body::JsonText;
use super::path::Name;
use super::reply::{Reply, bytes, json, set};
use crate::clock::parse_rfc3339;
use crate::problem::{Fault, Problem};
use crate::service::{Caller, idempotency_key, read_patch};
use crate::store::ListQuery;

pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    JsonText(text): JsonText,
) -> Reply {
    let key = match headers.get("idempotency-key") {
        Some(value) => Some(idempotency_key(value.to_str().unwrap_or(""))?),
        None => None,
    };
    let answered = app.service.create(&caller, &text, key).await?;
    let status = StatusCode::from_u16(answered.receipt.status).unwrap_or(StatusCode::OK);
    let mut response = bytes(status, "application/json", answered.receipt.body);
    let headers = response.headers_mut();
    set(headers, CACHE_CONTROL, "no-store");
    set(headers, LOCATION, &answered.receipt.location);
    if answered.replayed {
        set(headers, HeaderName::from_static("idempotency-replayed"), "true");
    }
    Ok(response)
}

pub(super) async fn validate(
    State(app): State<App>,
    caller: Caller,
    JsonText(text): JsonText,
) -> Reply {
    Ok(json(StatusCode::OK, &app.service.validate(&caller, &text).await?))
}

pub(super) async fn preflight(
    State(app): State<App>,
    caller: Caller,
    JsonText(text): JsonText,
) -> Reply {
    Ok(json(StatusCode::OK, &app.service.preflight(&caller, &text).await?))
}

pub(super) async fn get(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    Ok(json(StatusCode::OK, &app.service.get(&caller, &id).await?))
}

pub(super) async fn cancel(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    Ok(json(StatusCode::OK, &app.service.cancel(&caller, &id).await?))
}

pub(super) async fn retry(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    Ok(json(StatusCode::ACCEPTED, &app.service.retry(&caller, &id).await?))
}

pub(super) async fn delete(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    app.service.delete(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn patch(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    JsonText(text): JsonText,
) -> Reply {
    let body = read_patch(&text)?;
    let mut done = None;
    if body.patch != crate::store::Patch::default() || !body.cancel {
        done = Some(app.service.patch(&caller, &id, &body.patch).await?);
    }
    if body.cancel {
        done = Some(app.service.cancel(&caller, &id).await?);
    }
    match done {
        Some(done) => Ok(json(StatusCode::OK, &done)),
        None => Err(Problem::not_found("generation").into()),
    }
}

pub(super) async fn usage(State(app): State<App>, caller: Caller) -> Reply {
    Ok(json(StatusCode::OK, &app.service.usage(&caller).await?))
}

pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Reply {
    let query = list_query(query.as_deref().unwrap_or(""))?;
    Ok(json(StatusCode::OK, &app.service.list(&caller, &query).await?))
}

/// Generations a page has if nobody says.
const PAGE: usize = 50;

/// Reads the query of a list; every fault at once.
fn list_query(query: &str) -> Result<ListQuery, Problem> {
    let mut wanted = ListQuery { limit: PAGE, ..ListQuery::default() };
    let mut faults = Vec::new();
    for (name, value) in super::meta::query_pairs(query) {
        let mut fault = |detail: String| {
            faults.push(Fault::new(&format!("/{name}"), "query/not-understood", detail));
        };
        match name.as_str() {
            "status" => match GenerationStatus::parse(&value) {
                Some(status) => wanted.status = Some(status),
                None => fault(format!("`{value}` is no status: {}", words(GenerationStatus::ALL))),
            },
            "operation_type" => match Operation::parse(&value) {
                Some(operation) => wanted.operation = Some(operation),
                None => fault(format!("`{value}` is no operation: {}", words(Operation::ALL))),
            },
            "provider_id" => wanted.provider = Some(value),
            "request_hash" => wanted.request_hash = Some(value),
            "world_id" => wanted.world = Some(value),
            "q" => wanted.text = Some(value).filter(|text| !text.is_empty()),
            "created_after" | "created_before" => match parse_rfc3339(&value) {
                Some(at) if name == "created_after" => wanted.created_after = Some(at),
                Some(at) => wanted.created_before = Some(at),
                None => fault(format!("`{value}` is no time: RFC 3339 with an offset")),
            },
            "offset" => match value.parse::<usize>() {
                Ok(offset @ 0..=100_000) => wanted.offset = offset,
                _ => fault(format!("`{value}` is no offset: 0 to 100000; a cursor goes further")),
            },
            "limit" => match value.parse::<usize>() {
                Ok(limit @ 1..=200) => wanted.limit = limit,
                _ => fault(format!("`{value}` is no limit: 1 to 200")),
            },
            "cursor" => match cursor(&value) {
                Some(after) => wanted.after = Some(after),
                None => {
                    fault("the cursor is none of ours: pass `next_cursor` on as it is".to_owned());
                }
            },
            _ => fault(format!(
                "`{name}` is not known: status, operation_type, provider_id, request_hash, world_id, q, \
                 created_after, created_before, limit, offset, cursor"
            )),
        }
    }
    if faults.is_empty() { Ok(wanted) } else { Err(Problem::faults(faults)) }
}

fn words<T>(all: &[(&'static str, T)]) -> String {
    all.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}

fn cursor(text: &str) -> Option<(i64, String)> {
    let (at, id) = text.split_once('.')?;
    let good = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    good.then_some(())?;
    Some((at.parse().ok()?, id.to_owned()))
}
