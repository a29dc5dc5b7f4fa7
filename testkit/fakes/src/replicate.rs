//! Replicate, version 1 of its API: predictions, files, webhooks as Standard Webhooks says.

use std::sync::Arc;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::book::{Prediction, fresh};
use crate::hooks::{self, Hook};
use crate::http::{Asked, Reply};
use crate::media;
use crate::switches::{Call, Output, Webhooks};
use crate::{Shared, Stand};

/// Its line in the table of fakes.
pub(crate) const STAND: Stand = Stand {
    id: "replicate",
    base: "/v1",
    ends: &["failed", "sensitive", "overloaded", "canceled", "aborted", "daydreaming", "never"],
    call,
    refused,
    answer,
    hook,
    socket: None,
};

/// The secret that webhooks are signed with, as the API tells it.
pub(crate) const SECRET: &str = "whsec_b25lcGF0aC1mYWtlcy1yZXBsaWNhdGUtc2VjcmV0";

fn call(asked: &Asked) -> Call {
    let path = asked.path.as_str();
    match (&asked.method, path) {
        (&Method::POST, "/v1/predictions") => Call::Create,
        (&Method::GET, "/v1/predictions") => Call::List,
        (&Method::POST, "/v1/files") => Call::Upload,
        (&Method::POST, _) if path.starts_with("/v1/models/") => Call::Create,
        (&Method::POST, _) if path.ends_with("/cancel") => Call::Cancel,
        (&Method::GET, _) if path.starts_with("/v1/predictions/") => Call::Status,
        (&Method::GET, _) if path.starts_with("/files/") => Call::File,
        _ => Call::Other,
    }
}

/// What it says with a status.
fn refused(status: u32) -> Reply {
    let status = u16::try_from(status).unwrap_or(500);
    let title = match status {
        401 => "Unauthenticated",
        402 => "Insufficient credit",
        404 => "Not found",
        422 => "Input validation failed",
        _ => "",
    };
    let body = match status {
        429 => json!({ "detail": "Request was throttled. Your rate limit resets in ~30s." }),
        _ if title.is_empty() => json!({ "detail": "something went wrong", "status": status }),
        _ => json!({ "title": title, "detail": "it is refused", "status": status }),
    };
    Reply::json(status, &body)
}

fn answer(shared: &Arc<Shared>, call: Call, asked: &Asked) -> Reply {
    if call == Call::File {
        return media::file(shared, &asked.path);
    }
    let token = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let wanted = shared.switches().key.clone();
    if token.is_none_or(|token| token.is_empty() || wanted.is_some_and(|key| key != token)) {
        let body = json!({
            "title": "Unauthenticated", "status": 401,
            "detail": "You did not pass a valid authentication token",
        });
        return Reply::json(401, &body);
    }
    match call {
        Call::Create => create(shared, asked),
        Call::Status => {
            let found = shared.book().ask(last(&asked.path));
            found.map_or_else(missing, |found| {
                hooks::tell(shared, &found);
                Reply::json(200, &shown(shared, &found))
            })
        }
        Call::List => list(shared, asked),
        Call::Cancel => {
            let id = asked.path.trim_end_matches("/cancel");
            let found = shared.book().cancel(last(id));
            found.map_or_else(missing, |found| Reply::json(200, &shown(shared, &found)))
        }
        Call::Upload => upload(shared, asked),
        Call::File | Call::Other if asked.path == "/v1/webhooks/default/secret" => {
            Reply::json(200, &json!({ "key": SECRET }))
        }
        Call::File | Call::Other => missing(),
    }
}

fn missing() -> Reply {
    refused(404)
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn invalid(detail: &str) -> Reply {
    let body = json!({
        "title": "Input validation failed", "status": 422, "detail": detail,
        "invalid_fields": [{ "type": "invalid", "field": "input", "description": detail }],
    });
    Reply::json(422, &body)
}

fn create(shared: &Arc<Shared>, asked: &Asked) -> Reply {
    let Some(Value::Object(mut body)) = asked.json() else {
        return Reply::json(400, &json!({ "detail": "JSON parse error", "status": 400 }));
    };
    let known = ["version", "input", "webhook", "webhook_events_filter", "stream"];
    if let Some(other) = body.keys().find(|name| !known.contains(&name.as_str())) {
        return invalid(&format!("additional property {other} is not allowed"));
    }
    let of_path = asked.path.strip_prefix("/v1/models/");
    let of_path = of_path.and_then(|rest| rest.strip_suffix("/predictions"));
    if let Some(model) = of_path {
        body.insert("version".to_owned(), model.into());
    }
    let version = body.get("version").and_then(Value::as_str).unwrap_or_default();
    if !is_version(version) {
        return invalid("version: it is neither owner/name, owner/name:id nor id");
    }
    let Some(input) = body.get("input").and_then(Value::as_object) else {
        return invalid("input is required");
    };
    if input.get("prompt").and_then(Value::as_str).is_none_or(str::is_empty) {
        return invalid("prompt is required");
    }
    let webhook = body.get("webhook").and_then(Value::as_str).map(str::to_owned);
    let filter = body.get("webhook_events_filter").and_then(Value::as_array).cloned();
    let waits = asked.header("prefer").is_some_and(|prefer| prefer.starts_with("wait"));
    let switches = shared.switches().clone();
    let quirk = switches.blocking_quirk && waits;
    let outwaits = switches.outwaits && waits;
    let taken = {
        let mut book = shared.book();
        let id = fresh(book.ids().len());
        book.take(id, Value::Object(body), webhook, switches)
    };
    let Ok(taken) = taken else {
        return refused(500);
    };
    let starts = filter.is_none_or(|events| events.contains(&json!("start")));
    hooks::report(shared, &taken, starts);
    let mut body = shown(shared, &taken);
    if outwaits && let Some(members) = body.as_object_mut() {
        members.insert("status".to_owned(), "processing".into());
    }
    if quirk && let Some(members) = body.as_object_mut() {
        members.insert("status".to_owned(), "processing".into());
        members.insert("output".to_owned(), output(shared, &taken));
    }
    Reply::json(if quirk { 201 } else { 202 }, &body)
}

fn is_version(text: &str) -> bool {
    let is_id = |id: &str| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_name = |name: &str| name.split('/').filter(|part| !part.is_empty()).count() == 2;
    match text.split_once(':') {
        Some((name, id)) => is_name(name) && is_id(id),
        None => is_id(text) || is_name(text),
    }
}

/// A prediction as the API shows it.
fn shown(shared: &Shared, one: &Prediction) -> Value {
    let origin = &shared.origin;
    let at = |time: Timestamp| Value::from(time.to_string());
    let mut body = json!({
        "id": one.id,
        "model": one.body.get("version"),
        "version": "hidden",
        "input": one.body.get("input"),
        "output": null,
        "logs": "",
        "error": null,
        "status": if one.asked_after == 0 { "starting" } else { "processing" },
        "created_at": at(one.created_at),
        "data_removed": false,
        "source": "api",
        "urls": {
            "get": format!("{origin}/v1/predictions/{}", one.id),
            "cancel": format!("{origin}/v1/predictions/{}/cancel", one.id),
            "web": format!("https://replicate.com/p/{}", one.id),
        },
    });
    let Some(members) = body.as_object_mut() else { return body };
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    if one.switches.nulls {
        for name in ["logs", "metrics", "started_at", "completed_at", "deadline", "deployment"] {
            put(name, Value::Null);
        }
    }
    if one.switches.echo_webhook && one.webhook.is_some() {
        put("webhook", json!(one.webhook));
    }
    let Some(ended) = one.ended_at else { return body };
    let started = !one.cancelled && one.end() != "aborted";
    if started {
        put("started_at", at(one.created_at));
        put("metrics", json!({ "predict_time": 1.5, "total_time": 1.6 }));
    }
    put("completed_at", at(ended));
    let failed = |put: &mut dyn FnMut(&str, Value), error: &str| {
        put("status", "failed".into());
        put("error", error.into());
    };
    match one.end() {
        "failed" => failed(&mut put, "the model gave up"),
        "sensitive" => failed(
            &mut put,
            "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
        ),
        "overloaded" => failed(&mut put, "Service is unavailable due to high demand (E003)"),
        "cancelled" | "canceled" => put("status", "canceled".into()),
        "aborted" => put("status", "aborted".into()),
        "daydreaming" => put("status", "daydreaming".into()),
        "never" => put("status", "processing".into()),
        _ => {
            put("status", "succeeded".into());
            put("data_removed", (one.switches.output == Output::Nothing).into());
            put("output", output(shared, one));
        }
    }
    body
}

/// Whether a prediction's model makes videos: its inputs say so.
fn is_video(one: &Prediction) -> bool {
    let version = one.body.get("version").and_then(Value::as_str).unwrap_or_default();
    ["seedance", "video", "wan-", "kling"].iter().any(|word| version.contains(word))
}

fn output(shared: &Shared, one: &Prediction) -> Value {
    let url = |place, number| media::url(shared, one, place, number, is_video(one));
    match one.switches.output {
        Output::Single => json!(url("out", 0)),
        Output::List => json!([url("out", 0), url("out", 1)]),
        Output::Object => json!({ "media": url("out", 0), "seed": 7 }),
        Output::Data => {
            let bytes = media::picture(&one.id);
            json!(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
        }
        Output::Nothing => Value::Null,
        Output::Gone => json!(url("gone", 0)),
        Output::Redirect => json!(url("moved", 0)),
        Output::Junk => json!(url("junk", 0)),
        Output::Elsewhere => json!("https://elsewhere.example/0.png"),
    }
}

fn list(shared: &Shared, asked: &Asked) -> Reply {
    const PAGE: usize = 100;
    let all: Vec<Prediction> =
        shared.book().list().into_iter().filter(Prediction::is_listed).collect();
    let cursor = asked.query.strip_prefix("cursor=").and_then(|text| text.parse().ok());
    let from: usize = cursor.unwrap_or(0);
    let page: Vec<Value> = all.iter().skip(from).take(PAGE).map(|one| shown(shared, one)).collect();
    let more = all.len() > from + PAGE;
    let next = more.then(|| format!("{}/v1/predictions?cursor={}", shared.origin, from + PAGE));
    Reply::json(200, &json!({ "previous": null, "next": next, "results": page }))
}

fn upload(shared: &Shared, asked: &Asked) -> Reply {
    let is_form = asked.header("content-type").is_some_and(|kind| kind.starts_with("multipart/"));
    if !is_form {
        return Reply::json(400, &json!({ "detail": "content is required" }));
    }
    if asked.body.len() > 100 << 20 {
        let body = json!({ "detail": "Files must be less than 100MB in size" });
        return Reply::json(413, &body);
    }
    let mut book = shared.book();
    let id = fresh(book.ids().len());
    let size = asked.body.len();
    book.keep(id.clone(), asked.body.to_vec());
    let get = format!("{}/v1/files/{id}", shared.origin);
    Reply::json(201, &json!({ "id": id, "size": size, "urls": { "get": get } }))
}

/// A webhook as Standard Webhooks says: the prediction itself, signed; while the secret changes, with
/// the old one too.
fn hook(shared: &Shared, one: &Prediction, event: &str) -> Option<Hook> {
    let body = shown(shared, one).to_string();
    let id = format!("msg_{}_{event}", one.id);
    let timestamp = Timestamp::now().as_second().to_string();
    let signed = |secret: &str| {
        let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    let old = signed("whsec_YW5vdGhlciBzZWNyZXQsIG5vdCB0aGUgb25l")?;
    let signature = match one.switches.webhooks {
        Webhooks::Forged => old,
        Webhooks::Rotated => format!("{old} {}", signed(SECRET)?),
        _ => signed(SECRET)?,
    };
    let headers = vec![
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signature),
    ];
    Some(Hook { headers, body })
}
