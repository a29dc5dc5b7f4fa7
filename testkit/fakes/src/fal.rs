//! fal: the queue, the storage and the keys of webhooks, which are signed with Ed25519.

use std::sync::Arc;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::book::{Prediction, fresh, hex};
use crate::hooks::{self, Hook};
use crate::http::{Asked, Reply};
use crate::media;
use crate::switches::{Call, Output, Webhooks};
use crate::{Shared, Stand};

/// Its line in the table of fakes.
pub(crate) const STAND: Stand = Stand {
    id: "fal",
    base: "",
    ends: &["failed", "late", "sensitive", "invalid", "broken", "daydreaming", "never"],
    call,
    refused,
    answer,
    hook,
    socket: None,
};

/// The seeds of keys: two that are published, and one that is not.
const SEEDS: [u8; 3] = [1, 2, 3];

fn call(asked: &Asked) -> Call {
    let path = asked.path.as_str();
    let is_request = path.contains("/requests/");
    match asked.method {
        Method::POST if path.starts_with("/storage/") => Call::Upload,
        Method::POST => Call::Create,
        Method::PUT if is_request && path.ends_with("/cancel") => Call::Cancel,
        Method::GET if is_request && path.ends_with("/status") => Call::Status,
        Method::GET if path.starts_with("/files/") => Call::File,
        _ => Call::Other,
    }
}

fn refused(status: u32) -> Reply {
    let status = u16::try_from(status).unwrap_or(500);
    let detail = match status {
        422 => findings("value_error"),
        429 => json!("Too many requests"),
        _ => json!("it is refused"),
    };
    Reply::json(status, &json!({ "detail": detail }))
}

fn findings(kind: &str) -> Value {
    json!([{ "loc": ["body", "prompt"], "msg": "it is refused", "type": kind }])
}

fn answer(shared: &Arc<Shared>, call: Call, asked: &Asked) -> Reply {
    let path = asked.path.as_str();
    if call == Call::File {
        return media::file(shared, path);
    }
    if path == "/.well-known/jwks.json" {
        let public = |seed| key(seed).map(|key| URL_SAFE_NO_PAD.encode(key.public_key()));
        let keys = SEEDS.iter().take(2).filter_map(|seed| public(*seed));
        let keys: Vec<Value> =
            keys.map(|x| json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig" })).collect();
        return Reply::json(200, &json!({ "keys": keys }));
    }
    if let Some(id) = path.strip_prefix("/put/") {
        shared.book().keep(id.to_owned(), asked.body.to_vec());
        return Reply::json(200, &json!({}));
    }
    let key = asked.header("authorization").and_then(|value| value.strip_prefix("Key "));
    let wanted = shared.switches().key.clone();
    if key.is_none_or(|key| key.is_empty() || wanted.is_some_and(|wanted| wanted != key)) {
        return Reply::json(401, &json!({ "detail": "Cannot access application" }));
    }
    match call {
        Call::Upload => {
            let id = fresh(shared.book().files());
            let place = |kind: &str| format!("{}/{kind}/{id}", shared.origin);
            Reply::json(200, &json!({ "upload_url": place("put"), "file_url": place("kept") }))
        }
        Call::Create => create(shared, asked),
        Call::Status => status(shared, path.trim_end_matches("/status")),
        Call::Cancel => cancel(shared, path.trim_end_matches("/cancel")),
        _ if path.contains("/requests/") => result(shared, path),
        _ => refused(404),
    }
}

/// The model's path without what comes after owner and name.
fn app(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).take(2).collect::<Vec<_>>().join("/")
}

/// The request at a place; its path must be the one that the queue named.
fn found(shared: &Shared, place: &str) -> Option<String> {
    let (at, id) = place.rsplit_once("/requests/")?;
    let mut book = shared.book();
    let of = book.get(id)?.body.get("_path").and_then(Value::as_str).map(app)?;
    (at.trim_start_matches('/') == of).then(|| id.to_owned())
}

fn place(shared: &Shared, one: &Prediction) -> String {
    let path = one.body.get("_path").and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}/requests/{}", shared.origin, app(path), one.id)
}

fn create(shared: &Arc<Shared>, asked: &Asked) -> Reply {
    let Some(Value::Object(mut body)) = asked.json() else {
        return refused(422);
    };
    if app(&asked.path).split('/').count() < 2 {
        return refused(404);
    }
    if body.get("prompt").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Reply::json(422, &json!({ "detail": findings("missing") }));
    }
    body.insert("_path".to_owned(), asked.path.as_str().into());
    let webhook = asked.query.split('&').find_map(|pair| pair.strip_prefix("fal_webhook="));
    let switches = shared.switches().clone();
    let taken = {
        let mut book = shared.book();
        let id = fresh(book.ids().len());
        book.take(id, Value::Object(body), webhook.map(decoded), switches)
    };
    let Ok(taken) = taken else {
        return refused(500);
    };
    hooks::report(shared, &taken, false);
    let at = place(shared, &taken);
    Reply::json(
        200,
        &json!({
            "request_id": taken.id, "gateway_request_id": taken.id, "status": "IN_QUEUE",
            "queue_position": 0, "response_url": at, "status_url": format!("{at}/status"),
            "cancel_url": format!("{at}/cancel"),
        }),
    )
}

/// A value of a query as text.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        if byte != b'%' {
            bytes.push(byte);
        } else if let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) {
            bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn status(shared: &Arc<Shared>, place_of: &str) -> Reply {
    let one = found(shared, place_of).and_then(|id| shared.book().ask(&id));
    let Some(one) = one else { return refused(404) };
    hooks::tell(shared, &one);
    let at = place(shared, &one);
    let mut body = json!({ "request_id": one.id, "response_url": at });
    let Some(members) = body.as_object_mut() else { return refused(500) };
    if one.switches.nulls {
        for name in ["logs", "metrics", "error", "error_type", "queue_position"] {
            members.insert(name.to_owned(), Value::Null);
        }
    }
    let failed = |text: &str, kind: &str| Some((json!(text), json!(kind)));
    let (status, word, error) = match (one.ended_at, one.end()) {
        (None, _) if one.asked_after < 2 => (202, "IN_QUEUE", None),
        (None, _) | (_, "never") => (202, "IN_PROGRESS", None),
        (_, "cancelled") => (200, "COMPLETED", failed("it was cancelled", "client_cancelled")),
        (_, "failed") => (200, "COMPLETED", failed("the runner is gone", "runner_disconnected")),
        (_, "late") => (200, "COMPLETED", failed("it did not begin in time", "request_timeout")),
        (_, "daydreaming") => (200, "DAYDREAMING", None),
        _ => (200, "COMPLETED", None),
    };
    members.insert("status".to_owned(), word.into());
    if let Some((error, kind)) = error {
        members.insert("error".to_owned(), error);
        members.insert("error_type".to_owned(), kind);
    }
    Reply::json(status, &body)
}

fn cancel(shared: &Arc<Shared>, place_of: &str) -> Reply {
    let Some(id) = found(shared, place_of) else {
        return Reply::json(404, &json!({ "status": "NOT_FOUND" }));
    };
    let is_over = shared.book().get(&id).is_some_and(|one| one.ended_at.is_some());
    if is_over {
        return Reply::json(400, &json!({ "status": "ALREADY_COMPLETED" }));
    }
    shared.book().cancel(&id);
    Reply::json(202, &json!({ "status": "CANCELLATION_REQUESTED" }))
}

fn result(shared: &Shared, place_of: &str) -> Reply {
    let one = found(shared, place_of).and_then(|id| shared.book().get(&id).cloned());
    let Some(one) = one else { return refused(404) };
    let (status, body) = made(shared, &one);
    Reply::json(status, &body).with("x-fal-request-id", one.id.clone())
}

/// What it made, or what is said instead.
fn made(shared: &Shared, one: &Prediction) -> (u16, Value) {
    match (one.ended_at, one.end()) {
        (None, _) | (_, "never") => (400, json!({ "detail": "Request is still in progress" })),
        (_, "sensitive") => (422, json!({ "detail": findings("content_policy_violation") })),
        (_, "invalid") => (422, json!({ "detail": findings("missing") })),
        (_, "broken" | "failed" | "late" | "cancelled") => (500, json!({ "detail": "it broke" })),
        _ => (200, output(shared, one)),
    }
}

fn output(shared: &Shared, one: &Prediction) -> Value {
    let path = one.body.get("_path").and_then(Value::as_str).unwrap_or_default();
    let moves = path.contains("video");
    let file = |place: &str, number: u32| {
        let url = media::url(shared, one, place, number, moves);
        json!({ "url": url, "content_type": "image/png", "file_name": null, "width": 96 })
    };
    let alone = |file: Value| match moves {
        true => json!({ "video": file, "seed": 7 }),
        false => json!({ "images": [file], "seed": 7, "has_nsfw_concepts": [false] }),
    };
    match one.switches.output {
        Output::Single => alone(file("out", 0)),
        Output::List => json!({ "images": [file("out", 0), file("out", 1)], "description": "" }),
        Output::Object => json!({ "image": file("out", 0), "timings": { "inference": 2.5 } }),
        Output::Data => {
            let bytes = STANDARD.encode(media::picture(&one.id));
            json!({ "images": [{ "url": format!("data:image/png;base64,{bytes}") }] })
        }
        Output::Nothing => json!({ "images": [], "seed": null }),
        Output::Gone => alone(file("gone", 0)),
        Output::Redirect => alone(file("moved", 0)),
        Output::Junk => alone(file("junk", 0)),
        Output::Elsewhere => {
            let url = "https://elsewhere.example/0.png";
            alone(json!({ "url": url, "content_type": "image/png" }))
        }
    }
}

fn key(seed: u8) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).ok()
}

/// The end, as the queue reports it, signed with a published key; the second one while keys change.
fn hook(shared: &Shared, one: &Prediction, _: &str) -> Option<Hook> {
    let (status, payload) = made(shared, one);
    let mut body = json!({
        "request_id": one.id, "gateway_request_id": one.id, "payload": payload,
        "status": if status == 200 { "OK" } else { "ERROR" },
    });
    if status != 200
        && let Some(members) = body.as_object_mut()
    {
        members.insert("error".to_owned(), format!("Unexpected status code: {status}").into());
    }
    let body = body.to_string();
    let seed = match one.switches.webhooks {
        Webhooks::Forged => SEEDS[2],
        Webhooks::Rotated => SEEDS[1],
        _ => SEEDS[0],
    };
    let (user, at) = ("user-1", Timestamp::now().as_second().to_string());
    let message = format!("{}\n{user}\n{at}\n{}", one.id, hex(&Sha256::digest(&body)));
    let signature = hex(key(seed)?.sign(message.as_bytes()).as_ref());
    let headers = vec![
        ("x-fal-webhook-request-id", one.id.clone()),
        ("x-fal-webhook-user-id", user.to_owned()),
        ("x-fal-webhook-timestamp", at),
        ("x-fal-webhook-signature", signature),
    ];
    Some(Hook { headers, body })
}
