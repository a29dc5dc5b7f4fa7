//! What OpenAI says, in core's words. Pure.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onepath_core::lifecycle::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::provider::port::{Charged, Standing, SubmitError};
use crate::provider::wire::Answer;

/// Why nothing was made. Without a code that says more the status counts.
pub(super) fn refused(answer: &Answer) -> SubmitError {
    #[derive(Default, Deserialize)]
    struct Body {
        error: Option<Told>,
    }
    if !answer.status.is_client_error() {
        return answer.not_taken();
    }
    let told = answer.json::<Body>().and_then(|body| body.error).unwrap_or_default();
    match told.code() {
        Some(code) => answer.refusal(code).into(),
        None => answer.not_taken(),
    }
}

/// An error as the API words it. Every field may be missing or `null`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    r#type: Option<String>,
    code: Option<String>,
    moderation_details: Option<Value>,
}

impl Told {
    fn code(&self) -> Option<ErrorCode> {
        let kind = self.r#type.as_deref().unwrap_or_default();
        Some(match self.code.as_deref().unwrap_or_default() {
            "content_policy_violation" => ErrorCode::ContentPromptRejected,
            "moderation_blocked" => self.blocked(),
            "rate_limit_exceeded" => ErrorCode::ProviderRateLimit,
            "insufficient_quota" | "billing_hard_limit_reached" | "billing_not_active" => {
                ErrorCode::ProviderQuota
            }
            "invalid_api_key" | "account_deactivated" => ErrorCode::ProviderAuth,
            "string_above_max_length" | "context_length_exceeded" => ErrorCode::ParamTooLong,
            "model_not_found" => ErrorCode::ParamInvalid,
            _ => match kind {
                "insufficient_quota" => ErrorCode::ProviderQuota,
                _ => return None,
            },
        })
    }

    /// The filter looks at what comes in and at what was made, and mostly says at which.
    fn blocked(&self) -> ErrorCode {
        let details = self.moderation_details.as_ref();
        let stage = details.and_then(|details| details.get("moderation_stage")?.as_str());
        match stage {
            Some("input") => ErrorCode::ContentPromptRejected,
            Some("output") => ErrorCode::ContentOutputRejected,
            _ => ErrorCode::ContentFiltered,
        }
    }
}

/// What the API made, as it is kept until it is fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) outputs: Vec<KeptOutput>,
    /// What it cost, in micro-dollars.
    pub(super) micros: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeptOutput {
    /// A file, by its number.
    Here(usize),
    /// Elsewhere, for an hour.
    Url(String),
}

impl Kept {
    /// How many files it has.
    pub(super) fn files(&self) -> usize {
        self.outputs.iter().filter(|output| matches!(output, KeptOutput::Here(_))).count()
    }

    pub(super) fn standing(&self, prediction: &str) -> Standing {
        let outputs = self.outputs.iter().map(|output| match output {
            KeptOutput::Here(number) => format!("kept/{prediction}/{number}"),
            KeptOutput::Url(url) => url.clone(),
        });
        let charged = Charged { micros: self.micros, credits: None };
        Standing { charged, ..Standing::made(outputs) }
    }
}

/// Reads an answer with pictures: what is kept of it, and its files. What cannot be read is no
/// output.
pub(super) fn made(told: &Value, model: &str) -> Option<(Kept, Vec<Vec<u8>>)> {
    let (mut outputs, mut files) = (Vec::new(), Vec::new());
    for picture in told.get("data")?.as_array()? {
        let text = |name: &str| picture.get(name).and_then(Value::as_str);
        if let Some(bytes) = text("b64_json").and_then(|text| STANDARD.decode(text).ok()) {
            outputs.push(KeptOutput::Here(files.len()));
            files.push(bytes);
        } else if let Some(url) = text("url") {
            outputs.push(KeptOutput::Url(url.to_owned()));
        }
    }
    let micros = told.get("usage").and_then(|usage| cost(usage, model));
    Some((Kept { outputs, micros }, files))
}

/// Micro-dollars of a thousand tokens.
#[derive(Deserialize)]
struct Rates {
    text_in: u64,
    image_in: u64,
    image_out: u64,
}

/// What a run cost, by the tokens that it used; rounded up. None if nobody stated the model's rates,
/// or the answer does not tell tokens of text from those of pictures. Tokens that the API had in its
/// cache cost less than it says.
fn cost(usage: &Value, model: &str) -> Option<i64> {
    let rates: BTreeMap<String, Rates> = serde_json::from_str(include_str!("rates.json")).ok()?;
    let rates = rates.get(model)?;
    let details = usage.get("input_tokens_details")?;
    let text = details.get("text_tokens")?.as_u64()?;
    let image = details.get("image_tokens")?.as_u64()?;
    let out = usage.get("output_tokens")?.as_u64()?;
    let parts = [(text, rates.text_in), (image, rates.image_in), (out, rates.image_out)];
    let sum = parts
        .into_iter()
        .try_fold(0_u64, |sum, (tokens, rate)| sum.checked_add(tokens.checked_mul(rate)?))?;
    i64::try_from(sum.div_ceil(1000)).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    fn code(status: u16, error: &Value) -> Option<ErrorCode> {
        let status = StatusCode::from_u16(status).unwrap();
        let body = json!({ "error": error }).to_string().into_bytes();
        match refused(&Answer { status, headers: HeaderMap::new(), body }) {
            SubmitError::Refused(refusal) => Some(refusal.code),
            SubmitError::Lost(_) => None,
        }
    }

    #[test]
    fn errors_are_told_by_their_code() {
        let stage = |stage: Value| json!({ "code": "moderation_blocked", "moderation_details": { "moderation_stage": stage } });
        for (status, error, wanted) in [
            (400, stage(json!("input")), Some(ErrorCode::ContentPromptRejected)),
            (400, stage(json!("output")), Some(ErrorCode::ContentOutputRejected)),
            (400, stage(Value::Null), Some(ErrorCode::ContentFiltered)),
            (
                400,
                json!({ "code": "content_policy_violation", "type": null, "param": null }),
                Some(ErrorCode::ContentPromptRejected),
            ),
            (429, json!({ "code": "rate_limit_exceeded" }), Some(ErrorCode::ProviderRateLimit)),
            (429, json!({ "code": null }), Some(ErrorCode::ProviderRateLimit)),
            (429, json!({ "code": "insufficient_quota" }), Some(ErrorCode::ProviderQuota)),
            (429, json!({ "type": "insufficient_quota" }), Some(ErrorCode::ProviderQuota)),
            (400, json!({ "code": "billing_hard_limit_reached" }), Some(ErrorCode::ProviderQuota)),
            (400, json!({ "code": "string_above_max_length" }), Some(ErrorCode::ParamTooLong)),
            (404, json!({ "code": "model_not_found" }), Some(ErrorCode::ParamInvalid)),
            (400, json!({ "code": "unknown_parameter" }), Some(ErrorCode::ParamInvalid)),
            (401, json!("words"), Some(ErrorCode::ProviderAuth)),
            (403, Value::Null, Some(ErrorCode::ProviderAuth)),
            (500, json!({ "type": "server_error", "code": "moderation_blocked" }), None),
        ] {
            assert_eq!(code(status, &error), wanted, "{status} {error}");
        }
    }

    #[test]
    fn pictures_come_as_bytes_or_urls_and_cost_what_their_tokens_do() {
        let usage = json!({ "input_tokens": 30, "output_tokens": 1000, "total_tokens": 1030,
            "input_tokens_details": { "text_tokens": 10, "image_tokens": 20 } });
        let told = json!({ "created": 1, "usage": usage, "data": [
            { "b64_json": "AAEC", "revised_prompt": null },
            { "b64_json": null, "url": "https://pictures.example/1.png" },
            { "b64_json": "?" }, {} ] });
        let (kept, files) = made(&told, "gpt-image-2.6-sunburst").unwrap();
        assert_eq!(files, [[0, 1, 2]]);
        assert_eq!(kept.files(), 1);
        // 10 at $5, 20 at $8 and 1000 at $30 a million.
        assert_eq!(kept.micros, Some(50 + 160 + 30_000));
        let standing = kept.standing("p");
        let places: Vec<_> = standing.outputs.iter().map(|one| one.location.as_str()).collect();
        assert_eq!(places, ["kept/p/0", "https://pictures.example/1.png"]);
        assert_eq!(standing.charged.micros, kept.micros);
        assert_eq!(made(&told, "another").unwrap().0.micros, None);
        assert_eq!(made(&json!({ "data": [] }), "x").unwrap(), (Kept::default(), Vec::new()));
        assert!(made(&json!({ "error": {} }), "x").is_none());
    }

    #[test]
    fn rates_have_a_source() {
        let rates: BTreeMap<String, Value> =
            serde_json::from_str(include_str!("rates.json")).unwrap();
        assert!(rates.values().all(|rate| rate["source"].as_str().is_some()));
    }
}
