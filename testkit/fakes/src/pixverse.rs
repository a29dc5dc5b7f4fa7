//! PixVerse, version 2 of its platform's API: videos, pictures, files, balance. Errors come with
//! 200 and a number of their own. It knows no webhooks here, no lists and no wish to stop.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};

use crate::book::Prediction;
use crate::http::{Asked, Reply};
use crate::media;
use crate::switches::{Call, Output};
use crate::{Shared, Stand};

/// Its line in the table of fakes.
pub(crate) const STAND: Stand = Stand {
    id: "pixverse",
    base: "",
    ends: &["failed", "moderated", "deleted", "paused", "never"],
    call,
    refused,
    answer,
    hook: |_, _, _| None,
    socket: None,
};

/// Calls that make something, by what stands between `/openapi/v2/` and `/generate`.
const MAKES: &[&str] = &[
    "video/text",
    "video/img",
    "video/extend",
    "video/transition",
    "video/multi_transition",
    "video/fusion",
    "image",
    "image/template",
];

fn call(asked: &Asked) -> Call {
    let path = asked.path.strip_prefix("/openapi/v2/").unwrap_or_default();
    match asked.method {
        Method::POST if path.ends_with("/upload") => Call::Upload,
        Method::POST if path.ends_with("/generate") => Call::Create,
        Method::GET if path.contains("/result/") => Call::Status,
        Method::GET if asked.path.starts_with("/files/") => Call::File,
        _ => Call::Other,
    }
}

/// Numbers from 1000 on are the API's own.
fn refused(status: u32) -> Reply {
    match u16::try_from(status) {
        Ok(status) if status < 1000 => Reply::json(status, &json!({ "message": "it is refused" })),
        _ => said(i64::from(status), "it is refused"),
    }
}

/// An error, in the only form that the API has.
fn said(code: i64, message: &str) -> Reply {
    Reply::json(200, &json!({ "ErrCode": code, "ErrMsg": message, "Resp": null }))
}

fn fine(response: &Value) -> Reply {
    Reply::json(200, &json!({ "ErrCode": 0, "ErrMsg": "success", "Resp": response }))
}

fn answer(shared: &Arc<Shared>, call: Call, asked: &Asked) -> Reply {
    if call == Call::File {
        return media::file(shared, &asked.path);
    }
    let wanted = shared.switches().key.clone();
    let key = asked.header("api-key").filter(|key| !key.is_empty());
    if key.is_none_or(|key| wanted.is_some_and(|wanted| wanted != key)) {
        return said(400_012, "invalid account");
    }
    let trace = asked.header("ai-trace-id").unwrap_or_default();
    if trace.len() != 36 {
        return said(400_011, "empty parameter: Ai-trace-id");
    }
    if !shared.book().is_first(trace) {
        return said(400_017, "invalid parameter: Ai-trace-id was used before");
    }
    match call {
        Call::Create => create(shared, asked),
        Call::Status => result(shared, asked),
        Call::Upload => upload(shared, asked),
        _ if asked.path == "/openapi/v2/account/balance" => {
            let left = shared.switches().credits;
            fine(&json!({ "account_id": 7, "credit_monthly": left, "credit_package": 0 }))
        }
        _ => Reply::json(404, &json!({ "message": "not found" })),
    }
}

fn create(shared: &Shared, asked: &Asked) -> Reply {
    let path = asked.path.trim_start_matches("/openapi/v2/").trim_end_matches("/generate");
    let Some(Value::Object(mut body)) = asked.json() else {
        return said(400_017, "invalid parameter: no JSON");
    };
    if !MAKES.contains(&path) {
        return Reply::json(404, &json!({ "message": "not found" }));
    }
    if let Some(missing) = wanted(path).iter().find(|name| !body.contains_key(**name)) {
        return said(400_011, &format!("empty parameter: {missing}"));
    }
    if let Err(unknown) = files(shared, &Value::Object(body.clone())) {
        return said(400_017, &format!("invalid parameter: {unknown} was not handed over"));
    }
    body.insert("_path".to_owned(), path.into());
    let credits = 5;
    let switches = shared.switches().clone();
    let taken = {
        let mut book = shared.book();
        let id = whole(book.ids().len());
        book.take(id.to_string(), Value::Object(body), None, switches).map(|_| id)
    };
    match taken {
        Ok(id) if path.starts_with("image") => fine(&json!({ "image_id": id, "credit": credits })),
        Ok(id) => fine(&json!({ "video_id": id, "credits": credits })),
        Err(_) => Reply::json(500, &json!({ "message": "something went wrong" })),
    }
}

/// What a call cannot do without.
fn wanted(path: &str) -> &'static [&'static str] {
    match path {
        "video/text" => &["prompt", "model", "quality", "duration", "aspect_ratio"],
        "video/img" | "video/extend" => &["prompt", "model", "quality", "duration"],
        "video/transition" => {
            &["prompt", "model", "quality", "duration", "first_frame_img", "last_frame_img"]
        }
        "video/multi_transition" => &["multi_transition", "model", "quality"],
        "video/fusion" => {
            &["prompt", "model", "quality", "duration", "aspect_ratio", "image_references"]
        }
        "image/template" => &["img_ids", "template_id"],
        _ => &["prompt", "model", "quality", "aspect_ratio"],
    }
}

/// Whether every file that a body names was handed over.
fn files(shared: &Shared, body: &Value) -> Result<(), String> {
    let book = shared.book();
    let is_file = |name: &str| {
        matches!(
            name,
            "img_id" | "img_ids" | "video_media_id" | "first_frame_img" | "last_frame_img"
        )
    };
    let mut open = vec![body];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let ids =
                        value.as_array().map_or_else(|| vec![value], |all| all.iter().collect());
                    let unknown = ids.iter().find(|id| is_file(name) && !book.has(&id.to_string()));
                    if let Some(id) = unknown {
                        return Err(id.to_string());
                    }
                    open.push(value);
                }
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    Ok(())
}

/// A whole number that was never there before, and that a double holds.
fn whole(number: usize) -> u64 {
    let now = jiff::Timestamp::now().as_microsecond();
    let now = u64::try_from(now).unwrap_or_default() % 8_000_000_000_000;
    now * 1000 + u64::try_from(number).unwrap_or_default() % 1000
}

fn upload(shared: &Shared, asked: &Asked) -> Reply {
    let form = String::from_utf8_lossy(&asked.body);
    let of_media = asked.path == "/openapi/v2/media/upload";
    let (file, url) = if of_media { ("file", "file_url") } else { ("image", "image_url") };
    let has = |name: &str| form.contains(&format!("name=\"{name}\""));
    if !has(file) && !has(url) {
        return said(400_011, &format!("empty parameter: {file}"));
    }
    let mut book = shared.book();
    let id = whole(book.files());
    book.keep(id.to_string(), asked.body.to_vec());
    if of_media {
        return fine(&json!({ "media_id": id, "media_type": "video", "url": "" }));
    }
    fine(&json!({ "img_id": id, "img_url": format!("https://media.pixverse.ai/{id}") }))
}

fn result(shared: &Shared, asked: &Asked) -> Reply {
    let id = asked.path.rsplit('/').next().unwrap_or_default();
    let of_pictures = asked.path.starts_with("/openapi/v2/image/");
    let found = shared.book().ask(id);
    let found = found.filter(|one| is_picture(one) == of_pictures);
    found.map_or_else(
        || said(400_017, "invalid parameter: there is no such id"),
        |one| fine(&shown(shared, &one)),
    )
}

fn is_picture(one: &Prediction) -> bool {
    one.body.get("_path").and_then(Value::as_str).is_some_and(|path| path.starts_with("image"))
}

fn shown(shared: &Shared, one: &Prediction) -> Value {
    let status = match (one.ended_at, one.end()) {
        (None, _) | (_, "never") => 5,
        (_, "failed") => 8,
        (_, "moderated") => 7,
        (_, "deleted") => 6,
        (_, "paused") => 3,
        _ => 1,
    };
    let url = |place| media::url(shared, one, place, 0, !is_picture(one));
    let url = match one.switches.output {
        _ if status != 1 => String::new(),
        Output::Gone => url("gone"),
        Output::Redirect => url("moved"),
        Output::Junk => url("junk"),
        Output::Nothing => String::new(),
        Output::Elsewhere => "https://elsewhere.example/0.mp4".to_owned(),
        _ => url("out"),
    };
    let id: u64 = one.id.parse().unwrap_or_default();
    let mut body = json!({
        "id": id, "status": status, "url": url, "prompt": one.body.get("prompt"),
        "outputWidth": 48, "outputHeight": 32, "size": 1000, "seed": 7, "credits": 5,
        "has_audio": false, "create_time": one.created_at.to_string(),
        "modify_time": one.created_at.to_string(),
    });
    if let Some(members) = body.as_object_mut().filter(|_| one.switches.nulls) {
        for name in ["prompt", "outputWidth", "outputHeight", "size", "seed", "credits"] {
            members.insert(name.to_owned(), Value::Null);
        }
    }
    body
}
