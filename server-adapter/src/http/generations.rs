//! Generations: create, validate, preflight, get, list, cancel.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use onepath_core::{GenerationStatus, Operation};

use super::App;
use super::body::JsonText;
use super::path::Name;
use super::reply::{Reply, json, set};
use crate::problem::{Fault, Problem};
use crate::service::Caller;
use crate::store::{Answer, ListQuery};

pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    JsonText(text): JsonText,
) -> Reply {
    let created = app.service.create(&caller, &text).await?;
    let status = match created.answer {
        Answer::Created | Answer::Joined => StatusCode::ACCEPTED,
        Answer::Cache | Answer::Hash => StatusCode::OK,
    };
    let mut response = json(status, &created);
    set(response.headers_mut(), LOCATION, &format!("/api/v1/generations/{}", created.id));
    Ok(response)
}

pub(super) async fn validate(State(app): State<App>, _: Caller, JsonText(text): JsonText) -> Reply {
    Ok(json(StatusCode::OK, &app.service.validate(&text)?))
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
                "`{name}` is not known: status, operation_type, provider_id, request_hash, limit, cursor"
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
