//! OpenAI's images: an answer that comes with what was made.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::book::{Prediction, fresh};
use crate::http::{Asked, Reply};
use crate::media;
use crate::switches::{Call, Output};
use crate::{Shared, Stand};

/// Its line in the table of fakes.
pub(crate) const STAND: Stand = Stand {
    id: "openai",
    base: "/v1",
    ends: &[
        "moderation_blocked",
        "output_blocked",
        "content_policy_violation",
        "rate_limit_exceeded",
        "insufficient_quota",
        "billing_hard_limit_reached",
        "string_above_max_length",
        "model_not_found",
    ],
    call,
    refused,
    answer,
    hook: |_, _, _| None,
    socket: None,
};

fn call(asked: &Asked) -> Call {
    match (&asked.method, asked.path.as_str()) {
        (&Method::POST, "/v1/images/generations" | "/v1/images/edits") => Call::Create,
        (&Method::GET, path) if path.starts_with("/files/") => Call::File,
        _ => Call::Other,
    }
}

/// What it says with a status.
fn refused(status: u32) -> Reply {
    let status = u16::try_from(status).unwrap_or(500);
    let (kind, code) = match status {
        401 => ("invalid_request_error", "invalid_api_key"),
        429 => ("requests", "rate_limit_exceeded"),
        500.. => ("server_error", ""),
        _ => ("invalid_request_error", ""),
    };
    error(status, kind, code, &Value::Null)
}

fn error(status: u16, kind: &str, code: &str, more: &Value) -> Reply {
    let code = if code.is_empty() { Value::Null } else { code.into() };
    let mut error =
        json!({ "message": "it is refused", "type": kind, "param": null, "code": code });
    if let (Some(error), Some(more)) = (error.as_object_mut(), more.as_object()) {
        error.extend(more.clone());
    }
    Reply::json(status, &json!({ "error": error }))
}

/// How a run ends that is not well.
fn ended(end: &str) -> Option<Reply> {
    let blocked = |stage: &str| {
        let details = json!({ "moderation_details": { "moderation_stage": stage } });
        error(400, "image_generation_user_error", "moderation_blocked", &details)
    };
    let invalid =
        |status: u16, code: &str| error(status, "invalid_request_error", code, &json!({}));
    Some(match end {
        "" => return None,
        "moderation_blocked" => blocked("input"),
        "output_blocked" => blocked("output"),
        "rate_limit_exceeded" => error(429, "requests", end, &json!({})).with("retry-after", "1"),
        "insufficient_quota" => error(429, end, end, &json!({})),
        "model_not_found" => invalid(404, end),
        _ => invalid(400, end),
    })
}

fn answer(shared: &Arc<Shared>, call: Call, asked: &Asked) -> Reply {
    if call == Call::File {
        return media::file(shared, &asked.path);
    }
    let key = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let wanted = shared.switches().key.clone();
    if key.is_none_or(|key| key.is_empty() || wanted.is_some_and(|wanted| wanted != key)) {
        return refused(401);
    }
    match call {
        Call::Create => create(shared, asked),
        _ => refused(404),
    }
}

/// The fields of a form whose values are text, and how many files it has; as far as tests need.
fn form(asked: &Asked) -> Option<(Value, usize)> {
    let kind = asked.header("content-type")?;
    let boundary = format!("--{}", kind.strip_prefix("multipart/form-data; boundary=")?);
    let text = String::from_utf8_lossy(&asked.body);
    let (mut fields, mut files) = (json!({}), 0);
    for part in text.split(&boundary) {
        let Some((head, value)) = part.split_once("\r\n\r\n") else { continue };
        let name = head.split("name=\"").nth(1).and_then(|rest| rest.split('"').next())?;
        if head.contains("filename=\"") {
            files += usize::from(matches!(name, "image" | "image[]"));
        } else if let Some(fields) = fields.as_object_mut() {
            fields.insert(name.to_owned(), value.trim_end_matches("\r\n").into());
        }
    }
    Some((fields, files))
}

fn create(shared: &Arc<Shared>, asked: &Asked) -> Reply {
    let invalid = |param: &str| {
        error(400, "invalid_request_error", "invalid_value", &json!({ "param": param }))
    };
    let (body, pictures) = if asked.path.ends_with("/edits") {
        match form(asked) {
            Some((_, 0)) => return invalid("image"),
            Some((body, files)) => (body, files),
            None => return invalid("image"),
        }
    } else {
        match asked.json() {
            Some(body) => (body, 0),
            None => return invalid("body"),
        }
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("prompt").is_empty() {
        return invalid("prompt");
    }
    if text("model").is_empty() {
        return invalid("model");
    }
    let count = body.get("n").map_or(Some(1), |n| {
        n.as_u64().or_else(|| n.as_str()?.parse().ok()).filter(|n| (1..=10).contains(n))
    });
    let Some(count) = count else { return invalid("n") };
    let switches = shared.switches().clone();
    if let Some(refusal) = ended(&switches.end) {
        return refusal;
    }
    let wait = Duration::from_millis(switches.takes_ms);
    let taken = {
        let mut book = shared.book();
        let id = fresh(book.ids().len());
        book.take(id, body.clone(), None, switches)
    };
    let Ok(taken) = taken else { return refused(500) };
    Reply::json(200, &made(shared, &taken, count, pictures)).after(wait)
}

fn made(shared: &Shared, one: &Prediction, count: u64, pictures: usize) -> Value {
    let b64 = |bytes: Vec<u8>| json!({ "b64_json": STANDARD.encode(bytes) });
    let here = |number: u64| b64(media::picture(&format!("{} {number}", one.id)));
    let at = |place: &str| json!({ "url": media::url(shared, one, place, 0, false) });
    let mut data: Vec<Value> = match one.switches.output {
        Output::List => vec![here(0), here(1)],
        Output::Object => vec![at("out")],
        Output::Nothing => Vec::new(),
        Output::Gone => vec![at("gone")],
        Output::Redirect => vec![at("moved")],
        Output::Junk => vec![b64(b"GIF89a<script>".to_vec())],
        Output::Elsewhere => vec![json!({ "url": "https://elsewhere.example/0.png" })],
        _ => (0..count).map(here).collect(),
    };
    let (text, image) = (20, 300 * pictures);
    let out = 1000 * data.len();
    let mut usage = json!({
        "input_tokens": text + image, "output_tokens": out, "total_tokens": text + image + out,
        "input_tokens_details": { "text_tokens": text, "image_tokens": image },
    });
    if one.switches.nulls {
        usage = Value::Null;
        for picture in data.iter_mut().filter_map(Value::as_object_mut) {
            picture.insert("revised_prompt".to_owned(), Value::Null);
        }
    }
    json!({ "created": one.created_at.as_second(), "data": data, "usage": usage })
}
