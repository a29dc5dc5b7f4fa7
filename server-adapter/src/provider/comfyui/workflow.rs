//! Workflows: graphs that ComfyUI runs, with slots for what a request says. Everything that can be
//! wrong with one is told when the server starts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use onepath_core::{GenerateContentRequest, Operation};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::provider::models::operations;
use crate::provider::params::{Settings, invalid};
use crate::provider::port::Refusal;

/// What the operator says of a workflow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfFile {
    /// The file of the graph, as the editor exports it for the API.
    file: Option<PathBuf>,
    /// Or the graph itself.
    graph: Option<Value>,
    /// What it can be asked for.
    #[serde(deserialize_with = "operations")]
    operations: Vec<Operation>,
    /// Where what a request says goes: `node.input`, or several.
    #[serde(default)]
    slots: BTreeMap<String, Spots>,
    /// The nodes whose outputs count, in order; all that save something, if none is named.
    #[serde(default)]
    outputs: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Spots {
    One(String),
    Many(Vec<String>),
}

/// Slots that are filled from the request itself.
const OWN: &[&str] = &["prompt", "negative_prompt", "seed", "duration", "images", "video"];

/// An input of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spot {
    node: String,
    input: String,
}

/// A workflow that was looked at.
#[derive(Debug, Clone)]
pub(super) struct Workflow {
    pub(super) name: String,
    graph: Map<String, Value>,
    operations: Vec<Operation>,
    slots: BTreeMap<String, Vec<Spot>>,
    pub(super) outputs: Vec<String>,
}

/// All of them, by name.
#[derive(Debug, Clone)]
pub(super) struct Workflows(BTreeMap<String, Workflow>);

impl Workflows {
    /// Looks at every workflow. `settings` are the names that the provider declares; `read` gives
    /// the text of a file.
    pub(super) fn new(
        of_file: BTreeMap<String, OfFile>,
        settings: &[&str],
        read: impl Fn(&PathBuf) -> Result<String, String>,
    ) -> Result<Self, String> {
        if of_file.is_empty() {
            return Err("no workflow is set up: name one under `workflows`".to_owned());
        }
        let mut all = BTreeMap::new();
        for (name, of_file) in of_file {
            let workflow = Workflow::new(&name, of_file, settings, &read)
                .map_err(|error| format!("the workflow `{name}`: {error}"))?;
            all.insert(name, workflow);
        }
        Ok(Self(all))
    }

    /// The workflow that a request asks for: by its name, or the one for its operation.
    pub(super) fn of(&self, request: &GenerateContentRequest<'_>) -> Result<&Workflow, Refusal> {
        let operation = request.operation();
        if let Some(name) = Settings::of(request).text("workflow")? {
            let workflow = self.0.get(name).ok_or_else(|| {
                let all: Vec<&str> = self.0.keys().map(String::as_str).collect();
                invalid(format!(
                    "the workflow `{name}` is not set up here; there are: {}",
                    all.join(", ")
                ))
            })?;
            if !workflow.operations.contains(&operation) {
                return Err(invalid(format!("the workflow `{name}` does not offer {operation}")));
            }
            return Ok(workflow);
        }
        if let Some(own) = self.0.get(operation.word()).filter(|one| one.offers(operation)) {
            return Ok(own);
        }
        let mut fitting = self.0.values().filter(|one| one.offers(operation));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(invalid(format!("no workflow is set up for {operation}"))),
            (Some(_), Some(_)) => {
                let all: Vec<&str> = self
                    .0
                    .values()
                    .filter(|one| one.offers(operation))
                    .map(|one| one.name.as_str())
                    .collect();
                Err(invalid(format!(
                    "several workflows offer {operation}: say one in the setting `workflow`: {}",
                    all.join(", ")
                )))
            }
        }
    }
}

impl Workflow {
    fn new(
        name: &str,
        of_file: OfFile,
        settings: &[&str],
        read: impl Fn(&PathBuf) -> Result<String, String>,
    ) -> Result<Self, String> {
        let graph = match (of_file.file, of_file.graph) {
            (Some(file), None) => {
                let text = read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
                serde_json::from_str(&text)
                    .map_err(|error| format!("{}: {error}", file.display()))?
            }
            (None, Some(graph)) => graph,
            (Some(_), Some(_)) => return Err("say either `file` or `graph`, not both".to_owned()),
            (None, None) => return Err("say its `file`".to_owned()),
        };
        let graph = check_graph(graph)?;
        let mut slots = BTreeMap::new();
        for (slot, spots) in of_file.slots {
            let known = OWN.contains(&slot.as_str())
                || (slot != "workflow" && settings.contains(&slot.as_str()));
            if !known {
                let settings = settings.iter().filter(|one| **one != "workflow");
                let all: Vec<&str> = OWN.iter().chain(settings).copied().collect();
                return Err(format!("there is no slot `{slot}`; there are: {}", all.join(", ")));
            }
            let spots = match spots {
                Spots::One(one) => vec![one],
                Spots::Many(many) => many,
            };
            if spots.is_empty() {
                return Err(format!("the slot `{slot}` names no input"));
            }
            let spots: Result<Vec<_>, _> =
                spots.iter().map(|spot| Spot::of(&graph, spot)).collect();
            let spots = spots.map_err(|error| format!("the slot `{slot}`: {error}"))?;
            slots.insert(slot, spots);
        }
        for output in &of_file.outputs {
            if !graph.contains_key(output) {
                return Err(format!("the output `{output}` is no node: {}", nodes(&graph)));
            }
        }
        let (name, outputs) = (name.to_owned(), of_file.outputs);
        let workflow = Self { name, graph, operations: of_file.operations, slots, outputs };
        workflow.check_operations()?;
        Ok(workflow)
    }

    /// Every operation has the slots that it cannot do without.
    fn check_operations(&self) -> Result<(), String> {
        if self.operations.is_empty() {
            return Err("it offers nothing: say its `operations`".to_owned());
        }
        for operation in &self.operations {
            let (slot, least) = match operation {
                Operation::TextToImage | Operation::TextToVideo => ("prompt", 1),
                Operation::ImageToImage | Operation::ImageToVideo | Operation::Fusion => {
                    ("images", 1)
                }
                Operation::VideoTransition => ("images", 2),
                Operation::VideoExtend => ("video", 1),
            };
            let has = self.slots.get(slot).map_or(0, Vec::len);
            if has < least {
                return Err(format!(
                    "{operation} needs the slot `{slot}` with {least} or more inputs, and it has {has}"
                ));
            }
        }
        Ok(())
    }

    fn offers(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// Whether it has a slot.
    pub(super) fn has(&self, slot: &str) -> bool {
        self.slots.contains_key(slot)
    }

    /// How many inputs a slot has.
    pub(super) fn count(&self, slot: &str) -> usize {
        self.slots.get(slot).map_or(0, Vec::len)
    }

    /// The graph, to be filled.
    pub(super) fn graph(&self) -> Graph<'_> {
        Graph { workflow: self, nodes: self.graph.clone() }
    }
}

/// A graph while it is filled.
pub(super) struct Graph<'w> {
    workflow: &'w Workflow,
    nodes: Map<String, Value>,
}

impl Graph<'_> {
    /// Puts a value into every input of a slot; nothing, where there is no such slot.
    pub(super) fn put(&mut self, slot: &str, value: &Value) {
        for spot in self.workflow.slots.get(slot).into_iter().flatten() {
            set(&mut self.nodes, spot, value.clone());
        }
    }

    /// Puts one value each into the inputs of a slot, in order.
    pub(super) fn put_each(&mut self, slot: &str, values: impl Iterator<Item = Value>) {
        for (spot, value) in self.workflow.slots.get(slot).into_iter().flatten().zip(values) {
            set(&mut self.nodes, spot, value);
        }
    }

    pub(super) fn into_nodes(self) -> Map<String, Value> {
        self.nodes
    }
}

fn set(nodes: &mut Map<String, Value>, spot: &Spot, value: Value) {
    let inputs = nodes.get_mut(&spot.node).and_then(|node| node.get_mut("inputs"));
    if let Some(inputs) = inputs.and_then(Value::as_object_mut) {
        inputs.insert(spot.input.clone(), value);
    }
}

impl Spot {
    /// Reads `node.input` and looks whether it is there to be filled.
    fn of(graph: &Map<String, Value>, text: &str) -> Result<Self, String> {
        // A node within a group has an id with colons, never with a dot.
        let (node, input) = text
            .split_once('.')
            .ok_or_else(|| format!("`{text}` is no input: write `node.input`, such as `6.text`"))?;
        let inputs = graph
            .get(node)
            .ok_or_else(|| format!("`{text}` names no node: there are {}", nodes(graph)))?
            .get("inputs")
            .and_then(Value::as_object);
        let inputs = inputs.ok_or_else(|| format!("the node `{node}` has no inputs"))?;
        match inputs.get(input) {
            None => {
                let all: Vec<&str> = inputs.keys().map(String::as_str).collect();
                Err(format!("the node `{node}` has no input `{input}`; it has: {}", all.join(", ")))
            }
            Some(Value::Array(_)) => {
                Err(format!("`{text}` is linked to another node and cannot be filled"))
            }
            Some(_) => Ok(Self { node: node.to_owned(), input: input.to_owned() }),
        }
    }
}

/// Whether it is a graph in the format of the API, and not in that of the editor.
fn check_graph(graph: Value) -> Result<Map<String, Value>, String> {
    let Value::Object(nodes) = graph else {
        return Err("the graph is no object of nodes".to_owned());
    };
    if nodes.get("nodes").is_some_and(Value::is_array) {
        return Err(
            "the graph is in the editor's format: export it with `Export (API)` instead".to_owned()
        );
    }
    if nodes.is_empty() {
        return Err("the graph has no nodes".to_owned());
    }
    let known: BTreeSet<String> = nodes.keys().cloned().collect();
    for (id, node) in &nodes {
        if node.get("class_type").and_then(Value::as_str).is_none() {
            return Err(format!("the node `{id}` has no `class_type`"));
        }
        let inputs = node.get("inputs").and_then(Value::as_object);
        for (input, value) in inputs.into_iter().flatten() {
            let Some([from, _]) = value.as_array().map(Vec::as_slice) else { continue };
            let from = from.as_str().unwrap_or_default();
            if !known.contains(from) {
                return Err(format!("the input `{id}.{input}` comes from no node of the graph"));
            }
        }
    }
    Ok(nodes)
}

/// The nodes of a graph, for messages.
fn nodes(graph: &Map<String, Value>) -> String {
    let told = graph.iter().take(20).map(|(id, node)| {
        let class = node.get("class_type").and_then(Value::as_str).unwrap_or_default();
        format!("{id} ({class})")
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn graph() -> Value {
        json!({
            "3": { "class_type": "KSampler", "inputs": { "seed": 1, "steps": 20, "positive": ["6", 0] } },
            "6": { "class_type": "CLIPTextEncode", "inputs": { "text": "" } },
            "9": { "class_type": "SaveImage", "inputs": { "images": ["3", 0] } },
        })
    }

    fn error(workflow: &Value) -> String {
        let read = |file: &PathBuf| {
            if file.ends_with("broken.json") { Ok("{".to_owned()) } else { Err("gone".to_owned()) }
        };
        let all: BTreeMap<String, OfFile> =
            serde_json::from_value(json!({ "picture": workflow })).unwrap();
        Workflows::new(all, &["workflow", "steps"], read).unwrap_err()
    }

    #[test]
    fn what_is_wrong_with_a_workflow_is_told() {
        let of = |slots: Value, more: Value| {
            let mut workflow = json!({
                "graph": graph(), "operations": ["text_to_image"], "slots": slots,
            });
            for (name, value) in more.as_object().unwrap() {
                workflow[name] = value.clone();
            }
            error(&workflow)
        };
        let good = json!({ "prompt": "6.text" });
        for (told, says) in [
            (of(json!({}), json!({})), "needs the slot `prompt`"),
            (of(json!({ "prompt": "6" }), json!({})), "write `node.input`"),
            (of(json!({ "prompt": "7.text" }), json!({})), "there are 3 (KSampler), 6 (CLIP"),
            (of(json!({ "prompt": "6.words" }), json!({})), "has no input `words`; it has: text"),
            (of(json!({ "prompt": "3.positive" }), json!({})), "is linked to another node"),
            (of(json!({ "prompt": [] }), json!({})), "names no input"),
            (
                of(json!({ "mood": "6.text" }), json!({})),
                "there is no slot `mood`; there are: prom",
            ),
            (of(json!({ "workflow": "6.text" }), json!({})), "there is no slot `workflow`"),
            (of(good.clone(), json!({ "outputs": ["8"] })), "the output `8` is no node"),
            (of(good.clone(), json!({ "operations": [] })), "offers nothing"),
            (
                of(good.clone(), json!({ "operations": ["video_transition"] })),
                "video_transition needs the slot `images` with 2 or more inputs, and it has 0",
            ),
            (of(good.clone(), json!({ "graph": { "nodes": [] } })), "Export (API)"),
            (of(good.clone(), json!({ "graph": [] })), "no object of nodes"),
            (of(good.clone(), json!({ "graph": {} })), "has no nodes"),
            (of(good.clone(), json!({ "graph": { "6": {} } })), "no `class_type`"),
            (
                of(
                    good.clone(),
                    json!({ "graph": {
                    "6": { "class_type": "A", "inputs": { "a": ["7", 0] } } } }),
                ),
                "`6.a` comes from no node",
            ),
            (of(good.clone(), json!({ "file": "a.json" })), "not both"),
            (error(&json!({ "operations": ["text_to_image"] })), "say its `file`"),
            (error(&json!({ "operations": ["text_to_image"], "file": "a.json" })), "a.json: gone"),
            (
                error(&json!({ "operations": ["text_to_image"], "file": "broken.json" })),
                "broken.json: EOF",
            ),
        ] {
            assert!(told.starts_with("the workflow `picture`: "), "{told}");
            assert!(told.contains(says), "{told}: {says}");
        }
        let none = Workflows::new(BTreeMap::new(), &[], |_| Err(String::new())).unwrap_err();
        assert!(none.contains("no workflow is set up"), "{none}");
    }
}
