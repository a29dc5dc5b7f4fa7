//! What fal says, in core's words. Pure.
//!
//! A request that failed is `COMPLETED`, with an error beside it or with a result that is one.

use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use serde::Deserialize;
use serde_json::Value;

use crate::provider::port::{NoAnswer, Standing};
use crate::provider::wire::{Answer, short};

/// How a request stands, as far as it matters. Every field may be missing or `null`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    status: Option<String>,
    error: Option<Value>,
    error_type: Option<String>,
}

/// What a status says.
#[derive(Debug, PartialEq)]
pub(super) enum Stage {
    /// It is made: what it made is to be asked for.
    Done,
    /// Anything else.
    Is(Box<Standing>),
}

/// How a request stands. The words are all that the queue's clients know; another one is unknown.
pub(super) fn stage(told: &Status) -> Stage {
    let standing = match told.status.as_deref().unwrap_or_default() {
        "IN_QUEUE" | "IN_PROGRESS" => Standing::of(ProviderReport::Running),
        "COMPLETED" => match (&told.error, &told.error_type) {
            (None, None) => return Stage::Done,
            (error, kind) => failed(error.as_ref(), kind.as_deref()),
        },
        other => Standing::unknown(short(other)),
    };
    Stage::Is(Box::new(standing))
}

/// What an answer to the question for the result says.
pub(super) fn result(answer: &Answer) -> Result<Standing, NoAnswer> {
    let body: Option<Value> = answer.json();
    if answer.status.is_success() {
        let body = body.ok_or_else(|| answer.no_answer())?;
        return Ok(Standing::made(outputs(&body)));
    }
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    // What stands before it may be what says no: only what fal itself says counts.
    let is_fals = header("x-fal-request-id").is_some() && body.is_some();
    match answer.status.as_u16() {
        // Asked a moment too early.
        400 if detail(body.as_ref()).is_some_and(|text| text.contains("in progress")) => {
            Ok(Standing::of(ProviderReport::Running))
        }
        422 => Ok(failed(body.as_ref(), error_type(body.as_ref(), header("x-fal-error-type")))),
        400..=499 if is_fals && !matches!(answer.status.as_u16(), 401 | 403 | 408 | 429) => {
            Ok(failed(body.as_ref(), error_type(body.as_ref(), header("x-fal-error-type"))))
        }
        500..=599 if is_fals => {
            Ok(failed(body.as_ref(), error_type(body.as_ref(), header("x-fal-error-type"))))
        }
        _ => Err(answer.no_answer()),
    }
}

fn error_type<'e>(body: Option<&'e Value>, header: Option<&'e str>) -> Option<&'e str> {
    header.or_else(|| body?.get("error_type")?.as_str())
}

fn detail(body: Option<&Value>) -> Option<&str> {
    body?.get("detail")?.as_str()
}

/// It failed: by the kind of error that fal gives, or by the findings of its validation.
pub(super) fn failed(error: Option<&Value>, kind: Option<&str>) -> Standing {
    let words = match error {
        Some(Value::String(text)) => short(text),
        Some(other) => short(&other.to_string()),
        None => String::new(),
    };
    let code = match kind {
        Some("client_cancelled" | "request_cancelled") => {
            return Standing::of(ProviderReport::Cancelled { charged: false });
        }
        Some("request_timeout" | "startup_timeout" | "generation_timeout") => {
            ErrorCode::ProviderTimeout
        }
        Some(
            "runner_scheduling_failure"
            | "runner_connection_timeout"
            | "runner_disconnected"
            | "runner_connection_refused"
            | "runner_connection_error"
            | "runner_incomplete_response"
            | "runner_server_error"
            | "internal_error",
        ) => ErrorCode::ProviderUnavailable,
        Some("bad_request") => ErrorCode::ParamInvalid,
        Some("content_policy_violation") => ErrorCode::ContentFiltered,
        _ => findings(error).unwrap_or(ErrorCode::ProviderGeneric),
    };
    let kind = kind.map_or_else(String::new, |kind| format!("{}: ", short(kind)));
    Standing::failed(code, format!("{kind}{words}"))
}

/// What a list of `{loc, msg, type}` comes to: the input is wrong, unless one says more.
fn findings(error: Option<&Value>) -> Option<ErrorCode> {
    let list = error?.get("detail").unwrap_or(error?).as_array()?;
    let kinds = list.iter().filter_map(|finding| finding.get("type")?.as_str());
    let mut code = ErrorCode::ParamInvalid;
    for kind in kinds {
        match kind {
            "content_policy_violation" => return Some(ErrorCode::ContentFiltered),
            "no_media_generated" => code = ErrorCode::OutputMissing,
            "string_too_long" | "file_too_large" => code = ErrorCode::ParamTooLong,
            "internal_server_error" | "downstream_service_unavailable" => {
                code = ErrorCode::ProviderUnavailable;
            }
            "generation_timeout" => code = ErrorCode::ProviderTimeout,
            _ => {}
        }
    }
    Some(code)
}

/// Where the outputs lie: in a result every file is an object with a `url`, alone or in a list;
/// some models give bare URLs.
pub(super) fn outputs(result: &Value) -> Vec<String> {
    fn collect(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) if is_place(text) => into.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(members) => match members.get("url") {
                Some(url) => collect(url, into),
                None => members.values().for_each(|value| collect(value, into)),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut all = Vec::new();
    collect(result, &mut all);
    all
}

fn is_place(text: &str) -> bool {
    ["https://", "http://", "data:"].iter().any(|scheme| text.starts_with(scheme))
}

/// What a webhook holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Report {
    pub(super) request_id: Option<String>,
    status: Option<String>,
    payload: Option<Value>,
    error: Option<Value>,
}

/// How a request stands by its webhook. A payload that could not be written is there all the same:
/// whoever asks gets it.
pub(super) fn reported(report: &Report) -> Standing {
    match report.status.as_deref().unwrap_or_default() {
        "OK" => match &report.payload {
            Some(payload) => Standing::made(outputs(payload)),
            None => Standing::of(ProviderReport::Running),
        },
        "ERROR" => failed(report.payload.as_ref().or(report.error.as_ref()), None),
        other => Standing::unknown(short(other)),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;
    use ProviderReport::{Cancelled, Failed, Running, Succeeded, Unknown};

    #[test]
    fn every_status_has_its_meaning() {
        let unavailable = Failed(ErrorCode::ProviderUnavailable);
        for (told, report) in [
            (json!({ "status": "IN_QUEUE", "queue_position": 3 }), Some(Running)),
            (json!({ "status": "IN_PROGRESS", "logs": null }), Some(Running)),
            (json!({ "status": "COMPLETED", "error": null }), None),
            (
                json!({ "status": "COMPLETED", "error": "gone", "error_type": "runner_disconnected" }),
                Some(unavailable),
            ),
            (
                json!({ "status": "COMPLETED", "error": "late", "error_type": "request_timeout" }),
                Some(Failed(ErrorCode::ProviderTimeout)),
            ),
            (
                json!({ "status": "COMPLETED", "error_type": "client_cancelled" }),
                Some(Cancelled { charged: false }),
            ),
            (
                json!({ "status": "COMPLETED", "error": "no" }),
                Some(Failed(ErrorCode::ProviderGeneric)),
            ),
            (json!({ "status": "FAILED" }), Some(Unknown)),
            (json!({}), Some(Unknown)),
        ] {
            let stage = stage(&serde_json::from_value(told.clone()).unwrap());
            let seen = match stage {
                Stage::Done => None,
                Stage::Is(standing) => Some(standing.report),
            };
            assert_eq!(seen, report, "{told}");
        }
    }

    #[test]
    fn a_result_may_be_an_error() {
        let answer = |status: u16, fals: bool, body: &str| {
            let mut headers = HeaderMap::new();
            if fals {
                headers.insert("x-fal-request-id", "r-1".parse().unwrap());
            }
            let status = StatusCode::from_u16(status).unwrap();
            Answer { status, headers, body: body.as_bytes().to_vec() }
        };
        let policy =
            r#"{"detail":[{"loc":["body"],"msg":"no","type":"content_policy_violation"}]}"#;
        let wrong = r#"{"detail":[{"loc":["body","prompt"],"msg":"no","type":"missing"}]}"#;
        for (status, fals, body, report) in [
            (
                200,
                true,
                r#"{"images":[{"url":"https://a/1"}]}"#,
                Some(Succeeded { has_output: true }),
            ),
            (200, true, r#"{"images":[]}"#, Some(Succeeded { has_output: false })),
            (200, true, "<html>", None),
            (400, true, r#"{"detail":"Request is still in progress"}"#, Some(Running)),
            (422, false, policy, Some(Failed(ErrorCode::ContentFiltered))),
            (422, false, wrong, Some(Failed(ErrorCode::ParamInvalid))),
            (500, true, r#"{"detail":"it broke"}"#, Some(Failed(ErrorCode::ProviderGeneric))),
            (500, false, r#"{"detail":"it broke"}"#, None),
            (502, true, "<html>", None),
            (401, true, r#"{"detail":"who"}"#, None),
            (429, true, r#"{"detail":"slowly"}"#, None),
            (404, false, r#"{"detail":"not found"}"#, None),
        ] {
            let said = result(&answer(status, fals, body)).ok();
            assert_eq!(said.map(|said| said.report), report, "{status} {body}");
        }
    }

    #[test]
    fn outputs_come_in_every_form() {
        for (result, count) in [
            (
                json!({ "images": [{ "url": "https://a/1", "width": 3 }, { "url": "https://a/2" }] }),
                2,
            ),
            (
                json!({ "image": { "url": "https://a/1", "content_type": "image/png" }, "seed": 4 }),
                1,
            ),
            (json!({ "video": { "url": "https://a/1" }, "timings": { "inference": 2.5 } }), 1),
            (json!({ "images": ["https://a/1", "data:image/png;base64,AAAA"] }), 2),
            (json!({ "images": [], "prompt": "a lamp", "has_nsfw_concepts": [false] }), 0),
            (json!({ "video": { "url": null } }), 0),
            (json!(null), 0),
        ] {
            assert_eq!(outputs(&result).len(), count, "{result}");
        }
    }

    #[test]
    fn a_webhook_says_how_it_ended() {
        for (report, means) in [
            (
                json!({ "status": "OK", "payload": { "image": { "url": "https://a/1" } } }),
                Succeeded { has_output: true },
            ),
            (json!({ "status": "OK", "payload": null, "payload_error": "too large" }), Running),
            (
                json!({ "status": "ERROR", "error": "Unexpected status code: 422",
                "payload": { "detail": [{ "msg": "no", "type": "content_policy_violation" }] } }),
                Failed(ErrorCode::ContentFiltered),
            ),
            (json!({ "status": "ERROR", "error": "no" }), Failed(ErrorCode::ProviderGeneric)),
            (json!({ "status": "MAYBE" }), Unknown),
        ] {
            let read: Report = serde_json::from_value(report.clone()).unwrap();
            assert_eq!(reported(&read).report, means, "{report}");
        }
    }
}
