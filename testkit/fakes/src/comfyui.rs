//! ComfyUI: a queue of prompts, a history, files and a web socket with news.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use axum::http::Method;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use crate::book::{Prediction, fresh};
use crate::http::{Asked, Reply};
use crate::media;
use crate::switches::{Call, Output};
use crate::{Shared, Stand};

/// Its line in the table of fakes.
pub(crate) const STAND: Stand = Stand {
    id: "comfyui",
    base: "",
    ends: &["error", "out_of_memory", "interrupted", "dreaming", "never"],
    call,
    refused,
    answer,
    hook: |_, _, _| None,
    socket: Some(("/ws", listen)),
};

fn call(asked: &Asked) -> Call {
    let path = asked.path.strip_prefix("/api").unwrap_or(&asked.path);
    match (&asked.method, path) {
        (&Method::POST, "/prompt") => Call::Create,
        (&Method::GET, "/queue") => Call::List,
        (&Method::POST, "/queue" | "/interrupt") => Call::Cancel,
        (&Method::POST, "/upload/image") => Call::Upload,
        (&Method::GET, "/view") => Call::File,
        (&Method::GET, _) if path.starts_with("/history/") => Call::Status,
        (&Method::POST, _) if path.starts_with("/jobs/") && path.ends_with("/cancel") => {
            Call::Cancel
        }
        _ => Call::Other,
    }
}

/// What it says with a status. Nothing in front of it says more than that.
fn refused(status: u32) -> Reply {
    let status = u16::try_from(status).unwrap_or(500);
    match status {
        400 => invalid("invalid_prompt", "Cannot execute because a node is missing"),
        307 => Reply::json(307, &json!({})).with("location", "/elsewhere"),
        _ => Reply::json(status, &json!({ "error": "refused" })),
    }
}

fn invalid(kind: &str, message: &str) -> Reply {
    let error = json!({ "type": kind, "message": message, "details": "", "extra_info": {} });
    Reply::json(400, &json!({ "error": error, "node_errors": {} }))
}

fn answer(shared: &Arc<Shared>, call: Call, asked: &Asked) -> Reply {
    let wanted = shared.switches().key.clone();
    if wanted.is_some_and(|key| asked.header("x-api-key") != Some(key.as_str())) {
        return Reply::json(401, &json!({ "error": "unauthorized" }));
    }
    match call {
        Call::Create => create(shared, asked),
        Call::Status => {
            let id = last(&asked.path);
            let found = shared.book().ask(id);
            let ended = found.filter(|one| one.ended_at.is_some() && !is_gone(one));
            let entry = ended.filter(|one| one.end() != "never");
            Reply::json(200, &entry.map_or_else(|| json!({}), |one| json!({ id: history(&one) })))
        }
        Call::List => Reply::json(200, &queue(shared)),
        Call::Cancel => cancel(shared, asked),
        Call::Upload => upload(shared, asked),
        Call::File => file(shared, asked),
        Call::Other => Reply::json(404, &json!({})),
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// What was taken out of the queue before it ran leaves no trace.
fn is_gone(one: &Prediction) -> bool {
    one.cancelled && one.end() == "cancelled" && one.asked_after == 0
}

/// Whether a text is a UUID as the server wants one: canonical, in lower case.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(hex))
}

fn create(shared: &Arc<Shared>, asked: &Asked) -> Reply {
    let Some(body) = asked.json() else {
        return invalid("no_prompt", "No prompt provided");
    };
    let Some(graph) = body.get("prompt").and_then(Value::as_object) else {
        return invalid("no_prompt", "No prompt provided");
    };
    let wanted = body.get("prompt_id").filter(|id| !id.is_null());
    let id = match wanted.map(|id| id.as_str().filter(|id| is_uuid(id))) {
        Some(None) => return invalid("invalid_prompt_id", "prompt_id must be a canonical UUID"),
        Some(Some(id)) => id.to_owned(),
        None => {
            let hex = format!("{:0<32}", fresh(shared.book().ids().len()));
            let (a, rest) = hex.split_at(8);
            let (b, rest) = rest.split_at(4);
            let (c, rest) = rest.split_at(4);
            let (d, rest) = rest.split_at(4);
            format!("{a}-{b}-{c}-{d}-{}", rest.get(..12).unwrap_or_default())
        }
    };
    if let Some(error) = check(graph) {
        return error;
    }
    let switches = shared.switches().clone();
    let partial = switches.partial;
    let mut book = shared.book();
    let number = book.ids().len();
    // The same id twice is two runs: the server does not look.
    if book.take(id.clone(), body.clone(), None, switches).is_err() {
        return refused(500);
    }
    drop(book);
    tell(shared, &id);
    let errors = if partial { node_errors(graph) } else { json!({}) };
    Reply::json(200, &json!({ "prompt_id": id, "number": number, "node_errors": errors }))
}

/// What the server looks at before it queues a graph.
fn check(graph: &Map<String, Value>) -> Option<Reply> {
    let is_output = |node: &Value| {
        let class = node.get("class_type").and_then(Value::as_str).unwrap_or_default();
        class.starts_with("Save") || class.starts_with("Preview") || class.ends_with("Combine")
    };
    if !graph.values().any(is_output) {
        return Some(invalid("prompt_no_outputs", "Prompt has no outputs"));
    }
    for (id, node) in graph {
        if node.get("class_type").and_then(Value::as_str).is_none() {
            return Some(invalid("missing_node_type", &format!("Node {id} has no class_type")));
        }
        let inputs = node.get("inputs").and_then(Value::as_object);
        for value in inputs.into_iter().flat_map(|inputs| inputs.values()) {
            let Some([from, _]) = value.as_array().map(Vec::as_slice) else { continue };
            if !from.as_str().is_some_and(|from| graph.contains_key(from)) {
                return Some(invalid("prompt_outputs_failed_validation", "bad_linked_input"));
            }
        }
    }
    None
}

/// One node does not hold, and what depends on it is left out.
fn node_errors(graph: &Map<String, Value>) -> Value {
    let mut errors = Map::new();
    if let Some((id, node)) = graph.iter().next() {
        let outputs: Vec<&String> = graph.keys().collect();
        let error = json!({
            "errors": [{ "type": "value_not_in_list", "message": "Value not in list",
                "details": "ckpt_name: 'gone.safetensors' not in []", "extra_info": {} }],
            "dependent_outputs": outputs,
            "class_type": node.get("class_type"),
        });
        errors.insert(id.clone(), error);
    }
    Value::Object(errors)
}

/// An entry of the history.
fn history(one: &Prediction) -> Value {
    let graph = one.body.get("prompt").cloned().unwrap_or_default();
    let client = one.body.get("client_id").cloned().unwrap_or_default();
    let message = |event: &str, more: Value| {
        let mut data = json!({ "prompt_id": one.id, "timestamp": 1_700_000_000_000_u64 });
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        json!([event, data])
    };
    let error = |kind: &str, words: &str| {
        message(
            "execution_error",
            json!({ "node_id": "3", "node_type": "KSampler", "executed": [],
                "exception_message": words, "exception_type": kind, "traceback": [] }),
        )
    };
    let (word, outputs, last) = match one.end() {
        "error" => ("error", json!({}), error("RuntimeError", "the model gave up")),
        "out_of_memory" => {
            ("error", json!({}), error("torch.OutOfMemoryError", "Allocation on device"))
        }
        "interrupted" | "cancelled" => (
            "error",
            json!({}),
            message("execution_interrupted", json!({ "node_id": "3", "executed": [] })),
        ),
        "dreaming" => ("dreaming", json!({}), message("execution_start", json!({}))),
        _ => ("success", outputs(one), message("execution_success", json!({}))),
    };
    let mut entry = json!({
        "prompt": [0, one.id, graph, { "client_id": client }, []],
        "outputs": outputs,
        "status": {
            "status_str": word, "completed": word == "success",
            "messages": [message("execution_start", json!({})), last],
        },
        "meta": {},
    });
    if one.switches.nulls
        && let Some(entry) = entry.as_object_mut()
    {
        entry.insert("meta".to_owned(), Value::Null);
    }
    entry
}

/// Whether a graph makes videos: one of its nodes saves them.
fn makes_video(one: &Prediction) -> bool {
    let graph = one.body.get("prompt").and_then(Value::as_object);
    graph.into_iter().flat_map(|graph| graph.values()).any(|node| {
        let class = node.get("class_type").and_then(Value::as_str).unwrap_or_default();
        class.contains("Video") || class.contains("Animated")
    })
}

/// What the nodes put out: files, as each kind of node tells of them.
fn outputs(one: &Prediction) -> Value {
    let moves = makes_video(one);
    let ending = if moves { "gif" } else { "png" };
    let file = |place: &str, number: u32, kind: &str| {
        json!({ "filename": format!("{}_{number:05}_.{ending}", one.id), "subfolder": place,
            "type": kind })
    };
    let node = |files: Vec<Value>| {
        // The built-in nodes put videos under `images` as well.
        let mut node = json!({ "images": files });
        if let Some(node) = node.as_object_mut().filter(|_| moves) {
            node.insert("animated".to_owned(), json!([true]));
        }
        json!({ "9": node })
    };
    match one.switches.output {
        Output::List => node(vec![file("out", 0, "output"), file("out", 1, "output")]),
        // Another maker's node for videos.
        Output::Object => json!({ "9": { "gifs": [file("out", 0, "output")] } }),
        Output::Nothing => json!({ "12": { "text": ["nothing to see"] } }),
        Output::Gone => node(vec![file("gone", 0, "output")]),
        Output::Redirect => node(vec![file("moved", 0, "output")]),
        // It names files of its own, and never those of others.
        Output::Junk | Output::Elsewhere => node(vec![file("junk", 0, "output")]),
        Output::Data => node(vec![file("out", 0, "temp")]),
        _ => node(vec![file("out", 0, "output"), file("out", 1, "temp")]),
    }
}

fn queue(shared: &Shared) -> Value {
    let all = shared.book().list();
    let item = |one: &Prediction| {
        let graph = one.body.get("prompt").cloned().unwrap_or_default();
        json!([0, one.id, graph, {}, []])
    };
    let waits = |one: &&Prediction| {
        one.is_listed() && !is_gone(one) && (one.ended_at.is_none() || one.end() == "never")
    };
    let of = |running: bool| -> Vec<Value> {
        let all = all.iter().rev().filter(waits);
        all.filter(|one| (one.asked_after > 0) == running).map(item).collect()
    };
    json!({ "queue_running": of(true), "queue_pending": of(false) })
}

fn cancel(shared: &Arc<Shared>, asked: &Asked) -> Reply {
    let old = shared.switches().old;
    let path = asked.path.strip_prefix("/api").unwrap_or(&asked.path);
    let body = asked.json().unwrap_or_default();
    let runs = |id: &str| shared.book().get(id).is_some_and(|one| one.asked_after > 0);
    match path {
        "/interrupt" => {
            let id = body.get("prompt_id").and_then(Value::as_str).unwrap_or_default();
            if runs(id) {
                stop(shared, id);
            }
            Reply::json(200, &json!({}))
        }
        "/queue" => {
            let ids = body.get("delete").and_then(Value::as_array).cloned().unwrap_or_default();
            for id in ids.iter().filter_map(Value::as_str).filter(|id| !runs(id)) {
                stop(shared, id);
            }
            Reply::json(200, &json!({}))
        }
        _ if old => Reply::json(404, &json!({})),
        _ => {
            let id = last(path.trim_end_matches("/cancel"));
            let stopped = stop(shared, id);
            Reply::json(200, &json!({ "cancelled": stopped }))
        }
    }
}

fn stop(shared: &Arc<Shared>, id: &str) -> bool {
    let stopped = shared.book().cancel(id).is_some_and(|one| one.cancelled);
    if stopped {
        tell(shared, id);
    }
    stopped
}

fn upload(shared: &Shared, asked: &Asked) -> Reply {
    let is_form = asked.header("content-type").is_some_and(|kind| kind.starts_with("multipart/"));
    let text = String::from_utf8_lossy(&asked.body);
    let name =
        text.split("name=\"image\"; filename=\"").nth(1).and_then(|rest| rest.split('"').next());
    let Some(name) = name.filter(|_| is_form) else { return Reply::json(400, &json!({})) };
    let name = name.to_owned();
    shared.book().keep(name.clone(), asked.body.to_vec());
    Reply::json(200, &json!({ "name": name, "subfolder": "onepath", "type": "input" }))
}

fn file(shared: &Shared, asked: &Asked) -> Reply {
    let of = |name: &str| {
        let pairs = asked.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
    };
    let (Some(name), Some(place)) = (of("filename"), of("subfolder")) else {
        return Reply::json(400, &json!({}));
    };
    match place.as_str() {
        "moved" => {
            let to = format!("{}/view?filename={name}&subfolder=out&type=output", shared.origin);
            Reply::json(302, &json!({})).with("location", to)
        }
        "gone" => Reply::json(404, &json!({})),
        "junk" => Reply::bytes("image/png", b"GIF89a<script>".to_vec()),
        _ if name.ends_with(".gif") => Reply::bytes("image/gif", media::animation(&name)),
        _ => Reply::bytes("image/png", media::picture(&name)),
    }
}

/// Sends news of a prompt to whoever listens, once it ends by itself.
fn tell(shared: &Arc<Shared>, id: &str) {
    let (shared, id) = (Arc::clone(shared), id.to_owned());
    tokio::spawn(async move {
        let wait = shared.book().get(&id).map(|one| {
            (one.switches.polls == 0 || one.cancelled, one.switches.takes_ms, one.end() == "never")
        });
        let Some((true, wait, false)) = wait else { return };
        tokio::time::sleep(Duration::from_millis(wait.max(5))).await;
        let _ = shared.news.send(id);
    });
}

/// A socket: a queue's length, a preview, and an end for each prompt of the client.
fn listen(shared: Arc<Shared>, query: String, mut socket: WebSocket) -> BoxFuture<'static, ()> {
    async move {
        let client = query.strip_prefix("clientId=").unwrap_or_default().to_owned();
        let mut news = shared.news.subscribe();
        let text = |value: Value| Message::Text(value.to_string().into());
        let status = json!({ "type": "status", "data": { "status": { "exec_info": { "queue_remaining": 0 } }, "sid": client } });
        if socket.send(text(status)).await.is_err() {
            return;
        }
        while let Ok(id) = news.recv().await {
            let of = shared.book().get(&id).and_then(|one| {
                one.body.get("client_id").and_then(Value::as_str).map(str::to_owned)
            });
            if of.as_deref() != Some(client.as_str()) {
                continue;
            }
            let cuts = shared.switches().cuts_news;
            if cuts {
                // The socket breaks before anybody hears of it.
                shared.switches().cuts_news = false;
                return;
            }
            let preview = Message::Binary(vec![0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xd8].into());
            let done = json!({ "type": "executing", "data": { "node": null, "prompt_id": id } });
            for message in [preview, text(done)] {
                if socket.send(message).await.is_err() {
                    return;
                }
            }
        }
    }
    .boxed()
}
