//! Generations: create, validate, preflight, get, list, change, cancel, retry, delete.

use std::time::Duration;

use axum::extract::{RawQuery, Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, LINK, LOCATION,
    VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use onepath_core::{GenerationStatus, Operation};

use super::App;
use super::body::JsonText;
use super::multipart;
use super::path::Name;
use super::reply::{Reply, bare, bytes, is_known, json, set};
use crate::clock::parse_rfc3339;
use crate::problem::{Fault, Problem};
use crate::service::{
    Answered, Call, Caller, GenerateContentResponse, idempotency_key, read_patch,
};
use crate::store::{ListQuery, Receipt};
use crate::trace::TraceId;

pub(super) async fn create(State(app): State<App>, caller: Caller, request: Request) -> Reply {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let sent = call(&headers)?;
    let answered = match multipart::boundary(&headers) {
        Some(boundary) => {
            let parts = multipart::parts(&app, boundary, body).await?;
            let envelope = parts.envelope.ok_or_else(|| {
                let detail = "the part `envelope` holds the create as JSON, the others are files";
                Problem::faults(vec![Fault::new("/envelope", "multipart/envelope", detail)])
            })?;
            app.service.create_with_files(&caller, &envelope, parts.files, sent).await?
        }
        None => {
            let JsonText(text) = JsonText::read(&app, &headers, body).await?;
            app.service.create(&caller, &text, sent).await?
        }
    };
    created(&app, &caller, &headers, answered).await
}

pub(super) async fn simple_image_to_video(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    JsonText(text): JsonText,
) -> Reply {
    let answered = app.service.simple_image_to_video(&caller, &text, call(&headers)?).await?;
    created(&app, &caller, &headers, answered).await
}

/// What comes with a call beside its body.
pub(super) fn call(headers: &HeaderMap) -> Result<Call, Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    Ok(Call {
        key: text("idempotency-key").map(idempotency_key).transpose()?,
        trace: text("traceparent").and_then(TraceId::of_traceparent),
        content: None,
    })
}

/// How long a caller would rather wait (RFC 7240): `Prefer: wait=10`, in seconds.
fn wished_wait(headers: &HeaderMap) -> Option<Duration> {
    let prefers = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let seconds = prefers
        .flat_map(|value| value.split(','))
        .find_map(|wish| wish.trim().strip_prefix("wait=")?.trim().parse::<u64>().ok());
    seconds.map(Duration::from_secs)
}

/// The answer to a create; whoever prefers to wait is told how it stands then.
async fn created(app: &App, caller: &Caller, headers: &HeaderMap, answered: Answered) -> Reply {
    let Receipt { mut status, location, mut body } = answered.receipt;
    let id = location.rsplit('/').next().unwrap_or_default();
    let mut waited = false;
    if let Some(wait) = wished_wait(headers).filter(|_| status == 202) {
        let now = app.service.wait_for(caller, id, wait).await?.status;
        waited = true;
        if let Ok(mut answer) = serde_json::from_str::<serde_json::Value>(&body) {
            if let Some(members) = answer.as_object_mut() {
                members.insert("status".to_owned(), now.word().into());
            }
            body = answer.to_string();
        }
        if !matches!(now, GenerationStatus::Pending | GenerationStatus::Processing) {
            status = 200;
        }
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = if wants_content(headers) {
        content(status, &app.service.content(caller, id).await?)
    } else {
        bytes(status, "application/json", body)
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    set(headers, LOCATION, location);
    if answered.replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        headers.insert(name, HeaderValue::from_static("true"));
    }
    if waited {
        let name = HeaderName::from_static("preference-applied");
        headers.insert(name, HeaderValue::from_static("wait"));
    }
    Ok(response)
}

/// The media type of `GenerateContentResponse`, for whoever asks for it.
pub(super) const CONTENT: &str = "application/vnd.onepath.content+json";

/// Whether a caller would rather have what engines of before know.
fn wants_content(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut essences = accepts
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or("").trim());
    essences.any(|essence| essence.eq_ignore_ascii_case(CONTENT))
}

fn content(status: StatusCode, value: &GenerateContentResponse) -> axum::response::Response {
    let mut response = json(status, value);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT));
    response
}

pub(super) async fn social_context(
    State(app): State<App>,
    caller: Caller,
    JsonText(text): JsonText,
) -> Reply {
    Ok(json(StatusCode::OK, &app.service.social_context(&caller, &text).await?))
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

pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Name(id): Name,
) -> Reply {
    let found = match wished_wait(&headers) {
        Some(wait) => app.service.wait_for(&caller, &id, wait).await?,
        None => app.service.get(&caller, &id).await?,
    };
    // Weak: the URLs of assets are signed anew from time to time.
    let tag = format!("W/\"{}\"", found.tag);
    let mut response = if is_known(&headers, &found.tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if wants_content(&headers) {
        content(StatusCode::OK, &app.service.content(&caller, &id).await?)
    } else {
        json(StatusCode::OK, &found)
    };
    set(response.headers_mut(), ETAG, &tag);
    set(response.headers_mut(), VARY, "accept");
    Ok(response)
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
    headers: HeaderMap,
    Name(id): Name,
    JsonText(text): JsonText,
) -> Reply {
    let mut body = read_patch(&text)?;
    let condition = headers.get(IF_MATCH).map(|value| value.to_str().unwrap_or(""));
    body.patch.only_if = condition.map(|tags| tags.split(',').map(bare).collect());
    let mut done = None;
    if body.patch.says_anything() || !body.cancel {
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
    let asked = query.as_deref().unwrap_or("");
    let page = app.service.list(&caller, &list_query(asked)?).await?;
    let mut response = json(StatusCode::OK, &page);
    if let Some(cursor) = &page.next_cursor {
        let next = format!("</api/v1/generations?{}>; rel=\"next\"", turned(asked, cursor));
        set(response.headers_mut(), LINK, &next);
    }
    Ok(response)
}

/// The query of the next page: the cursor says where it starts, an offset nothing any more.
fn turned(query: &str, cursor: &str) -> String {
    let mut next = form_urlencoded::Serializer::new(String::new());
    for (name, value) in super::meta::query_pairs(query) {
        if name != "cursor" && name != "offset" {
            next.append_pair(&name, &value);
        }
    }
    next.append_pair("cursor", cursor).finish()
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
            _ if value.contains('\0') => fault("the character U+0000 is in no text".to_owned()),
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
            "workspace_id" => wanted.workspace = Some(value),
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
            "count" => match value.as_str() {
                "true" => wanted.count = true,
                "false" => wanted.count = false,
                _ => fault(format!("`{value}` is neither `true` nor `false`")),
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
                "`{name}` is not known: status, operation_type, provider_id, request_hash, world_id, \
                 workspace_id, q, created_after, created_before, limit, offset, cursor, count"
            )),
        }
    }
    if faults.is_empty() { Ok(wanted) } else { Err(Problem::faults(faults)) }
}

fn words<T>(all: &[(&'static str, T)]) -> String {
    all.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}

pub(super) fn cursor(text: &str) -> Option<(i64, String)> {
    let (at, id) = text.split_once('.')?;
    let good = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    good.then_some(())?;
    Some((at.parse().ok()?, id.to_owned()))
}
