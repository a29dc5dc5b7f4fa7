//! What ComfyUI says, in core's words. Pure.

use std::collections::BTreeSet;

use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use serde_json::Value;

use crate::provider::port::{Refusal, Standing, SubmitError};
use crate::provider::wire::{Answer, short};

/// Where outputs of a node stand in the history: pictures, and videos of the built-in nodes, are
/// `images`, videos of others `gifs` or `videos`.
const MEDIA: &[&str] = &["images", "gifs", "videos", "video"];

/// Why a graph was not taken. The server looks at it before it queues it: nothing runs.
pub(super) fn refused(answer: &Answer) -> SubmitError {
    let told: Option<Value> = answer.json();
    let error = told.as_ref().and_then(|told| told.get("error"));
    let kind = error.and_then(|error| error.get("type")).and_then(Value::as_str);
    let code = match kind {
        Some("exception_during_validation") => ErrorCode::ProviderGeneric,
        _ => return answer.not_taken(),
    };
    answer.refusal(code).into()
}

/// What became of a graph that was queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Queued {
    /// It runs as it is, under this id.
    Whole(String),
    /// It runs without outputs that are wanted: the words say why.
    Partly(String, String),
}

/// Reads the answer to a graph that was taken. Some outputs may have been left out, because a node
/// on their way does not hold; `wanted` are the nodes that count, all if none is named.
pub(super) fn queued(told: &Value, wanted: &[String]) -> Option<Queued> {
    let id = told.get("prompt_id")?.as_str()?.to_owned();
    let errors = told.get("node_errors").and_then(Value::as_object);
    let errors = errors.filter(|errors| !errors.is_empty());
    let Some(errors) = errors else { return Some(Queued::Whole(id)) };
    let dropped: BTreeSet<&str> = errors
        .values()
        .filter_map(|error| error.get("dependent_outputs")?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let all_there = !wanted.is_empty() && wanted.iter().all(|id| !dropped.contains(id.as_str()));
    if all_there {
        return Some(Queued::Whole(id));
    }
    let words = errors.iter().flat_map(|(node, error)| {
        let class = text(error, "class_type");
        let all = error.get("errors").and_then(Value::as_array);
        all.into_iter().flatten().map(move |error| {
            let (kind, details) = (text(error, "type"), text(error, "details"));
            format!("node {node} ({class}): {kind}: {details}")
        })
    });
    Some(Queued::Partly(id, short(&words.collect::<Vec<_>>().join("; "))))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A graph that would run without outputs that are wanted.
pub(super) fn incomplete(words: String) -> Refusal {
    Refusal::new(ErrorCode::ParamInvalid, words)
}

/// Whether a queue has a prompt, running or waiting. A queue is a list of
/// `[number, id, graph, extra, outputs]`.
pub(super) fn is_queued(queue: &Value, id: &str) -> Option<Place> {
    let has = |name: &str| -> Option<bool> {
        let all = queue.get(name)?.as_array()?;
        let of = |item: &Value| item.get(1).and_then(Value::as_str) == Some(id);
        Some(all.iter().any(of))
    };
    let (running, pending) = (has("queue_running")?, has("queue_pending")?);
    Some(match (running, pending) {
        (true, _) => Place::Running,
        (false, true) => Place::Pending,
        (false, false) => Place::Nowhere,
    })
}

/// Where a prompt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Running,
    Pending,
    Nowhere,
}

/// How a prompt ended, by its entry in the history; `wanted` are the nodes that count.
pub(super) fn standing(entry: &Value, wanted: &[String]) -> Standing {
    let status = entry.get("status").filter(|status| !status.is_null());
    let made = || Standing::made(outputs(entry.get("outputs"), wanted));
    let Some(status) = status else {
        // Servers of before kept nothing but the outputs.
        return made();
    };
    match text(status, "status_str") {
        "success" => made(),
        "error" => failed(status),
        other => Standing::unknown(short(other)),
    }
}

/// An error, or somebody's wish.
fn failed(status: &Value) -> Standing {
    let messages = status.get("messages").and_then(Value::as_array);
    let mut messages = messages.into_iter().flatten().rev();
    let last = messages.find_map(|message| {
        let event = message.get(0)?.as_str()?;
        let ends = matches!(event, "execution_error" | "execution_interrupted");
        ends.then(|| (event, message.get(1).unwrap_or(&Value::Null)))
    });
    match last {
        // A machine of one's own sends no bill.
        Some(("execution_interrupted", _)) => {
            Standing::of(ProviderReport::Cancelled { charged: false })
        }
        Some((_, error)) => {
            let kind = text(error, "exception_type");
            let code = match kind.rsplit('.').next().unwrap_or_default() {
                // Others may use the card's memory now, and not later.
                "OutOfMemoryError" | "OOM_EXCEPTION" => ErrorCode::ProviderUnavailable,
                _ => ErrorCode::ProviderGeneric,
            };
            let (node, class) = (text(error, "node_id"), text(error, "node_type"));
            let words = text(error, "exception_message");
            Standing::failed(code, short(&format!("node {node} ({class}): {kind}: {words}")))
        }
        None => Standing::failed(ErrorCode::ProviderGeneric, "an error without words"),
    }
}

/// Where the outputs lie, as paths below the server's address: those that were saved; those that
/// were only shown, if nothing was saved.
fn outputs(outputs: Option<&Value>, wanted: &[String]) -> Vec<String> {
    let Some(nodes) = outputs.and_then(Value::as_object) else { return Vec::new() };
    let mut order: Vec<&str> = if wanted.is_empty() {
        nodes.keys().map(String::as_str).collect()
    } else {
        wanted.iter().map(String::as_str).collect()
    };
    if wanted.is_empty() {
        // `9` before `12`.
        order.sort_by_key(|id| (id.len(), id.to_owned()));
    }
    let files = || {
        let nodes = order.iter().filter_map(|id| nodes.get(*id));
        nodes
            .flat_map(|node| MEDIA.iter().filter_map(|kind| node.get(*kind)?.as_array()).flatten())
            .filter(|file| file.get("filename").is_some_and(Value::is_string))
    };
    let of = |kind: &'static str| files().filter(move |file| kind_of(file) == kind).map(location);
    let saved: Vec<String> = of("output").collect();
    if saved.is_empty() { of("temp").collect() } else { saved }
}

fn kind_of(file: &Value) -> &str {
    file.get("type").and_then(Value::as_str).unwrap_or("output")
}

fn location(file: &Value) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("filename", text(file, "filename"))
        .append_pair("subfolder", text(file, "subfolder"))
        .append_pair("type", kind_of(file))
        .finish();
    format!("/view?{query}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_end_has_its_meaning() {
        use ProviderReport::{Cancelled, Failed, Succeeded, Unknown};
        let ended = |event: &str, more: Value| {
            json!({ "outputs": {}, "status": { "status_str": "error", "completed": false,
                "messages": [["execution_start", {}], [event, more]] } })
        };
        let image = json!({ "9": { "images": [{ "filename": "a.png", "type": "output" }] } });
        for (entry, report) in [
            (
                json!({ "outputs": image, "status": { "status_str": "success" } }),
                Succeeded { has_output: true },
            ),
            (json!({ "outputs": image, "status": null }), Succeeded { has_output: true }),
            (json!({ "outputs": image }), Succeeded { has_output: true }),
            (
                json!({ "outputs": {}, "status": { "status_str": "success" } }),
                Succeeded { has_output: false },
            ),
            (
                json!({ "outputs": null, "status": { "status_str": "success" } }),
                Succeeded { has_output: false },
            ),
            (ended("execution_interrupted", json!({})), Cancelled { charged: false }),
            (ended("execution_error", json!({})), Failed(ErrorCode::ProviderGeneric)),
            (
                ended("execution_error", json!({ "exception_type": "torch.OutOfMemoryError" })),
                Failed(ErrorCode::ProviderUnavailable),
            ),
            (ended("execution_cached", json!({})), Failed(ErrorCode::ProviderGeneric)),
            (
                json!({ "status": { "status_str": "error", "messages": null } }),
                Failed(ErrorCode::ProviderGeneric),
            ),
            (json!({ "status": { "status_str": "dreaming" } }), Unknown),
            (json!({ "status": {} }), Unknown),
        ] {
            assert_eq!(standing(&entry, &[]).report, report, "{entry}");
        }
    }

    #[test]
    fn outputs_come_from_every_kind_of_node_in_order() {
        let told = json!({
            "12": { "gifs": [{ "filename": "c d.mp4", "subfolder": "v", "type": "output" }] },
            "9": { "images": [{ "filename": "a.png", "subfolder": "", "type": "output" },
                { "filename": "b&c.png", "subfolder": "../x", "type": "output" }],
                "animated": [true] },
            "10": { "images": [{ "filename": "t.png", "subfolder": "", "type": "temp" }],
                "text": ["words"] },
        });
        assert_eq!(
            outputs(Some(&told), &[]),
            [
                "/view?filename=a.png&subfolder=&type=output",
                "/view?filename=b%26c.png&subfolder=..%2Fx&type=output",
                "/view?filename=c+d.mp4&subfolder=v&type=output",
            ]
        );
        let of = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|id| (*id).to_owned()).collect();
            outputs(Some(&told), &wanted).len()
        };
        assert_eq!((of(&["12"]), of(&["10"]), of(&["7"])), (1, 1, 0));
    }

    #[test]
    fn a_graph_that_lost_an_output_is_not_whole() {
        let told = |errors: Value| json!({ "prompt_id": "p", "number": 1, "node_errors": errors });
        let lost = told(json!({ "4": {
            "errors": [{ "type": "value_not_in_list", "message": "Value not in list",
                "details": "ckpt_name: 'x' not in []" }],
            "dependent_outputs": ["9"], "class_type": "CheckpointLoaderSimple" } }));
        let whole = Some(Queued::Whole("p".to_owned()));
        assert_eq!(queued(&told(json!({})), &[]), whole);
        assert_eq!(queued(&told(Value::Null), &[]), whole);
        assert_eq!(queued(&json!({ "prompt_id": "p" }), &[]), whole);
        assert_eq!(queued(&json!({ "number": 1 }), &[]), None);
        // Another output than the one that counts was left out.
        assert_eq!(queued(&lost, &["12".to_owned()]), whole);
        for wanted in [vec![], vec!["9".to_owned()]] {
            let Some(Queued::Partly(id, words)) = queued(&lost, &wanted) else {
                panic!("{wanted:?}")
            };
            assert_eq!(id, "p");
            assert!(
                words.contains("node 4 (CheckpointLoaderSimple): value_not_in_list"),
                "{words}"
            );
        }
    }

    #[test]
    fn a_queue_tells_where_a_prompt_is() {
        let queue = json!({
            "queue_running": [[0, "a", {}, {}, []]], "queue_pending": [[1, "b", {}, {}, []]],
        });
        assert_eq!(is_queued(&queue, "a"), Some(Place::Running));
        assert_eq!(is_queued(&queue, "b"), Some(Place::Pending));
        assert_eq!(is_queued(&queue, "c"), Some(Place::Nowhere));
        assert_eq!(is_queued(&json!({}), "a"), None);
    }
}
