//! What Replicate says, in core's words. Pure.

use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use serde::Deserialize;
use serde_json::Value;

use crate::provider::port::Standing;
use crate::provider::wire::short;

/// A prediction, as far as it matters. Every field may be missing or `null`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Prediction {
    pub(super) id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) input: Option<Value>,
    pub(super) webhook: Option<String>,
    pub(super) created_at: Option<String>,
    output: Option<Value>,
    error: Option<Value>,
    started_at: Option<String>,
    completed_at: Option<String>,
    deadline: Option<String>,
}

/// One page of a list of predictions, the newest first.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Page {
    pub(super) results: Vec<Prediction>,
    pub(super) next: Option<String>,
}

/// How a prediction stands. The words are all that the API's description has; another one is
/// unknown.
pub(super) fn standing(prediction: &Prediction) -> Standing {
    let error = prediction.error.as_ref().map(words).unwrap_or_default();
    match prediction.status.as_deref().unwrap_or_default() {
        "starting" | "processing" => Standing::of(ProviderReport::Running),
        "succeeded" => Standing::made(outputs(prediction.output.as_ref())),
        "failed" => Standing::failed(code_of(&error), error),
        // Ended before it ran: nothing was charged.
        "aborted" => ended(prediction, false),
        "canceled" => ended(prediction, prediction.started_at.is_some()),
        other => Standing::unknown(short(other)),
    }
}

/// Ended from outside: by us, or by the deadline that the prediction was given.
fn ended(prediction: &Prediction, charged: bool) -> Standing {
    let time = |text: &Option<String>| text.as_ref()?.parse::<jiff::Timestamp>().ok();
    let deadline = time(&prediction.deadline).zip(time(&prediction.completed_at));
    if deadline.is_some_and(|(deadline, end)| end >= deadline) {
        return Standing::failed(ErrorCode::ProviderTimeout, "its deadline passed");
    }
    Standing::of(ProviderReport::Cancelled { charged })
}

/// Where the outputs lie: a URL, a list of them, or an object that holds them. Text that is no URL
/// is no media.
fn outputs(output: Option<&Value>) -> Vec<String> {
    fn collect(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) if is_place(text) => into.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(members) => members.values().for_each(|value| collect(value, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut all = Vec::new();
    output.into_iter().for_each(|output| collect(output, &mut all));
    all
}

fn is_place(text: &str) -> bool {
    ["https://", "http://", "data:"].iter().any(|scheme| text.starts_with(scheme))
}

fn words(error: &Value) -> String {
    short(&error.as_str().map_or_else(|| error.to_string(), str::to_owned))
}

/// What a failure means, by the code in its words (`E` and digits), which Replicate documents; the
/// words themselves are nobody's contract.
fn code_of(error: &str) -> ErrorCode {
    let mut words = error.split(|c: char| !c.is_ascii_alphanumeric());
    let is_code = |word: &&str| {
        let digits = word.strip_prefix('E').unwrap_or_default();
        (3..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    match words.find(is_code).unwrap_or_default() {
        // The input or the output was flagged as sensitive.
        "E005" => ErrorCode::ContentFiltered,
        "E006" => ErrorCode::ParamInvalid,
        // High demand, temporarily unavailable, interrupted, unhealthy, not started.
        "E003" | "E004" | "E8367" | "E8765" | "E9243" => ErrorCode::ProviderUnavailable,
        "E6716" => ErrorCode::ProviderTimeout,
        _ => ErrorCode::ProviderGeneric,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Standing {
        standing(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn every_status_has_its_meaning() {
        use ProviderReport::{Cancelled, Failed, Running, Succeeded, Unknown};
        let url = "https://replicate.delivery/x.jpg";
        for (value, report) in [
            (json!({ "status": "starting" }), Running),
            (json!({ "status": "processing", "output": url }), Running),
            (json!({ "status": "succeeded", "output": url }), Succeeded { has_output: true }),
            (json!({ "status": "succeeded", "output": null }), Succeeded { has_output: false }),
            (
                json!({ "status": "succeeded", "output": ["some ", "text"] }),
                Succeeded { has_output: false },
            ),
            (json!({ "status": "failed", "error": null }), Failed(ErrorCode::ProviderGeneric)),
            (
                json!({ "status": "failed", "error": "flagged as sensitive. (E005)" }),
                Failed(ErrorCode::ContentFiltered),
            ),
            (
                json!({ "status": "failed", "error": "E8765: unhealthy" }),
                Failed(ErrorCode::ProviderUnavailable),
            ),
            (
                json!({ "status": "failed", "error": { "code": "E6716" } }),
                Failed(ErrorCode::ProviderTimeout),
            ),
            (
                json!({ "status": "failed", "error": "EEE (E1001) E005" }),
                Failed(ErrorCode::ProviderGeneric),
            ),
            (json!({ "status": "canceled" }), Cancelled { charged: false }),
            (
                json!({ "status": "canceled", "started_at": "2026-01-01T00:00:00Z" }),
                Cancelled { charged: true },
            ),
            (json!({ "status": "aborted" }), Cancelled { charged: false }),
            (
                json!({ "status": "aborted", "deadline": "2026-01-01T00:00:00Z",
                "completed_at": "2026-01-01T00:00:01Z" }),
                Failed(ErrorCode::ProviderTimeout),
            ),
            (json!({ "status": "daydreaming" }), Unknown),
            (json!({ "status": null }), Unknown),
            (json!({}), Unknown),
        ] {
            assert_eq!(of(value.clone()).report, report, "{value}");
        }
    }

    #[test]
    fn outputs_come_in_every_form() {
        for (output, count) in [
            (json!("https://a/1"), 1),
            (json!(["https://a/1", "https://a/2"]), 2),
            (json!({ "video": "https://a/1", "images": ["https://a/2"], "seed": 4 }), 2),
            (json!("data:image/png;base64,AAAA"), 1),
            (json!([null, "", 3]), 0),
        ] {
            let standing = of(json!({ "status": "succeeded", "output": output }));
            assert_eq!(standing.outputs.len(), count, "{output}");
        }
    }
}
