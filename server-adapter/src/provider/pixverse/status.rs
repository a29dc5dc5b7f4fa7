//! What PixVerse says, in core's words. Pure.
//!
//! Every answer is `{ErrCode, ErrMsg, Resp}`, with HTTP 200 also when it says no.

use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use serde::Deserialize;
use serde_json::Value;

use crate::provider::account::Credits;
use crate::provider::port::{Charged, NoAnswer, Refusal, Standing, SubmitError};
use crate::provider::wire::{Answer, short};

#[derive(Debug, Deserialize)]
struct Envelope {
    #[serde(rename = "ErrCode")]
    code: i64,
    #[serde(rename = "ErrMsg", default)]
    message: Option<String>,
    #[serde(rename = "Resp", default)]
    response: Option<Value>,
}

/// Why an answer gives nothing.
pub(super) enum No {
    /// The API says so itself, with a number of its own.
    Said(i64, Refusal),
    /// What came is none of the API's answers.
    Other,
}

/// What an answer holds.
pub(super) fn opened(answer: &Answer) -> Result<Value, No> {
    let envelope: Envelope = answer.json().ok_or(No::Other)?;
    match envelope.code {
        0 if answer.status.is_success() => Ok(envelope.response.unwrap_or_default()),
        0 => Err(No::Other),
        code => {
            let words = short(envelope.message.as_deref().unwrap_or_default());
            let detail = format!("{code}: {words}");
            let refusal =
                Refusal { code: code_of(code), detail, retry_after: answer.retry_after() };
            Err(No::Said(code, refusal))
        }
    }
}

/// What an answer to a submission or to a file holds.
pub(super) fn taken(answer: &Answer) -> Result<Value, SubmitError> {
    opened(answer).map_err(|no| match no {
        No::Said(_, refusal) => refusal.into(),
        No::Other if answer.status.is_success() => SubmitError::Lost(answer.seen()),
        No::Other => answer.not_taken(),
    })
}

/// What an answer to a question holds.
pub(super) fn told(answer: &Answer) -> Result<Value, NoAnswer> {
    opened(answer).map_err(|no| match no {
        No::Said(code, refusal) => {
            NoAnswer { detail: format!("it says {code}"), retry_after: refusal.retry_after }
        }
        No::Other => answer.no_answer(),
    })
}

/// What the API's numbers mean. Those that are not known are an error like any other.
fn code_of(code: i64) -> ErrorCode {
    match code {
        400_018 | 400_019 => ErrorCode::ParamTooLong,
        400_012 | 10_003 | 10_005 | 500_020 | 500_070 | 500_071 => ErrorCode::ProviderAuth,
        400_000..500_000 => ErrorCode::ParamInvalid,
        500_054 => ErrorCode::ContentOutputRejected,
        500_063 => ErrorCode::ContentPromptRejected,
        500_043 | 500_090 => ErrorCode::ProviderQuota,
        500_044 => ErrorCode::ProviderConcurrentLimit,
        500_069 => ErrorCode::ProviderUnavailable,
        _ => ErrorCode::ProviderGeneric,
    }
}

/// An id or a number, as text: ids are whole numbers here and texts there.
pub(super) fn id(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let plain = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    plain.then_some(text)
}

/// How something stands. The numbers are those of the API's description.
pub(super) fn standing(told: &Value) -> Standing {
    let status = match told.get("status") {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let credits = told.get("credits").and_then(Value::as_i64);
    let mut standing = match status {
        Some(1) => {
            let url = told.get("url").and_then(Value::as_str).filter(|url| !url.is_empty());
            Standing::made(url.map(str::to_owned))
        }
        Some(5) => Standing::of(ProviderReport::Running),
        // It was made, and somebody deleted it there.
        Some(6) => Standing::failed(ErrorCode::OutputMissing, "it was deleted"),
        Some(7) => Standing::failed(ErrorCode::ContentFiltered, "moderation"),
        Some(8) => Standing::failed(ErrorCode::ProviderGeneric, "the generation failed"),
        Some(other) => Standing::unknown(format!("status {other}")),
        None => Standing::unknown("no status"),
    };
    standing.charged = Charged { micros: None, credits };
    standing
}

/// What an account has left, by type.
pub(super) fn credits(told: &Value) -> Credits {
    let of = |name: &str| told.get(format!("credit_{name}")).and_then(Value::as_i64);
    let types = ["monthly", "package"].into_iter();
    types.filter_map(|name| Some((name.to_owned(), of(name)?))).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers: HeaderMap::new(), body: body.to_string().into_bytes() }
    }

    #[test]
    fn an_error_comes_with_200() {
        let no = answer(200, &json!({ "ErrCode": 500_044, "ErrMsg": "too\nmany", "Resp": {} }));
        let SubmitError::Refused(refusal) = taken(&no).unwrap_err() else { panic!() };
        assert_eq!(refusal.code, ErrorCode::ProviderConcurrentLimit);
        assert_eq!(refusal.detail, "500044: too many");
        // The same with another status is as much of a no.
        let no = answer(500, &json!({ "ErrCode": 500_044 }));
        assert!(matches!(taken(&no), Err(SubmitError::Refused(_))));
        // A success that does not look like one may have been taken.
        for odd in [json!({ "code": 0 }), json!([]), json!({ "ErrCode": null })] {
            assert!(matches!(taken(&answer(200, &odd)), Err(SubmitError::Lost(_))), "{odd}");
        }
        let odd = answer(502, &json!({ "ErrCode": 0, "Resp": { "video_id": 1 } }));
        assert!(matches!(taken(&odd), Err(SubmitError::Lost(_))));
        let fine = answer(200, &json!({ "ErrCode": 0, "ErrMsg": "success", "Resp": { "a": 1 } }));
        assert_eq!(taken(&fine).unwrap(), json!({ "a": 1 }));
    }

    #[test]
    fn every_number_has_its_meaning() {
        for (code, means) in [
            (400_011, ErrorCode::ParamInvalid),
            (400_012, ErrorCode::ProviderAuth),
            (400_017, ErrorCode::ParamInvalid),
            (400_018, ErrorCode::ParamTooLong),
            (500_020, ErrorCode::ProviderAuth),
            (500_043, ErrorCode::ProviderQuota),
            (500_044, ErrorCode::ProviderConcurrentLimit),
            (500_054, ErrorCode::ContentOutputRejected),
            (500_063, ErrorCode::ContentPromptRejected),
            (500_069, ErrorCode::ProviderUnavailable),
            (500_090, ErrorCode::ProviderQuota),
            (999_999, ErrorCode::ProviderGeneric),
            (-1, ErrorCode::ProviderGeneric),
        ] {
            assert_eq!(code_of(code), means, "{code}");
        }
    }

    #[test]
    fn every_status_has_its_meaning() {
        use ProviderReport::{Failed, Running, Succeeded, Unknown};
        for (told, report) in [
            (json!({ "status": 1, "url": "https://a/x.mp4" }), Succeeded { has_output: true }),
            (json!({ "status": "1", "url": "https://a/x.mp4" }), Succeeded { has_output: true }),
            (json!({ "status": 1, "url": "" }), Succeeded { has_output: false }),
            (json!({ "status": 1, "url": null }), Succeeded { has_output: false }),
            (json!({ "status": 5 }), Running),
            (json!({ "status": 6 }), Failed(ErrorCode::OutputMissing)),
            (json!({ "status": 7 }), Failed(ErrorCode::ContentFiltered)),
            (json!({ "status": 8 }), Failed(ErrorCode::ProviderGeneric)),
            (json!({ "status": 3 }), Unknown),
            (json!({ "status": 1.5 }), Unknown),
            (json!({ "status": null }), Unknown),
            (json!(null), Unknown),
        ] {
            assert_eq!(standing(&told).report, report, "{told}");
        }
        let charged = standing(&json!({ "status": 1, "url": "https://a/x", "credits": 45 }));
        assert_eq!(charged.charged, Charged { micros: None, credits: Some(45) });
    }

    #[test]
    fn ids_are_numbers_here_and_texts_there() {
        assert_eq!(id(Some(&json!(343_252_978_602_905_u64))).unwrap(), "343252978602905");
        assert_eq!(id(Some(&json!("4712-a"))).unwrap(), "4712-a");
        for odd in [json!(null), json!(""), json!("../x"), json!(1.5), json!({})] {
            assert_eq!(id(Some(&odd)), None, "{odd}");
        }
    }

    #[test]
    fn credits_come_by_type() {
        let told = json!({ "account_id": 7, "credit_monthly": 120, "credit_package": 30 });
        let all: Vec<_> = credits(&told).into_iter().collect();
        assert_eq!(all, [("monthly".to_owned(), 120), ("package".to_owned(), 30)]);
        assert!(credits(&json!({ "credit_monthly": "many" })).is_empty());
    }
}
