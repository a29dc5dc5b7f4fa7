//! The schemas of the types as a client of the API needs them.
//!
//! The schemas of core say what its reader takes: null and the empty text count as absent. That is
//! true of what is sent, and never of what is answered.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

const AT: &str = "#/components/schemas/";

/// Answers in the form of the system before, in which what is absent is null.
const WITH_NULL: [&str; 1] = ["JobResponse"];

/// The schemas of the document: words without the empty one, answers without null.
pub(super) fn tidy(schemas: Map<String, Value>, paths: &Map<String, Value>) -> Map<String, Value> {
    let sent = sent(&schemas, paths);
    let mut words = BTreeSet::new();
    let mut tidied = Map::new();
    for (name, mut schema) in schemas {
        if drop_empty_word(&mut schema) {
            words.insert(name.clone());
        }
        tidied.insert(name, schema);
    }
    for (name, schema) in &mut tidied {
        drop_marker(schema);
        let is_sent = sent.contains(name);
        let with_null = WITH_NULL.contains(&name.as_str());
        each(schema, &mut |schema| {
            if is_sent {
                take_empty_word(schema, &words);
            } else if !with_null {
                drop_null(schema);
            }
        });
    }
    // Clients in TypeScript cannot name a type that holds itself: deeper values are of any kind.
    for (name, kind) in [("array", "items"), ("object", "additionalProperties")] {
        let choices = tidied.get_mut("OpenValue").and_then(|value| value.get_mut("anyOf"));
        for choice in choices.and_then(Value::as_array_mut).into_iter().flatten() {
            if choice.get("type").and_then(Value::as_str) == Some(name)
                && let Some(members) = choice.as_object_mut()
            {
                members.insert(kind.to_owned(), json!({}));
            }
        }
    }
    tidied
}

/// Calls a function for every object in a value, the outer first.
fn each(value: &mut Value, see: &mut impl FnMut(&mut Value)) {
    if value.is_object() {
        see(value);
    }
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| each(member, see)),
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, see)),
        _ => {}
    }
}

/// The names of schemas that stand in a value, and in what those lead to.
fn reach(value: &Value, schemas: &BTreeMap<&str, &Value>, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Value::as_str)
                && let Some(name) = name.strip_prefix(AT)
                && found.insert(name.to_owned())
                && let Some(schema) = schemas.get(name)
            {
                reach(schema, schemas, found);
            }
            members.values().for_each(|member| reach(member, schemas, found));
        }
        Value::Array(items) => items.iter().for_each(|item| reach(item, schemas, found)),
        _ => {}
    }
}

/// The names of schemas of what is sent.
fn sent(schemas: &Map<String, Value>, paths: &Map<String, Value>) -> BTreeSet<String> {
    let schemas: BTreeMap<&str, &Value> =
        schemas.iter().map(|(name, schema)| (name.as_str(), schema)).collect();
    let mut found = BTreeSet::new();
    let operations = paths.values().filter_map(Value::as_object).flat_map(Map::values);
    for operation in operations {
        if let Some(body) = operation.get("requestBody") {
            reach(body, &schemas, &mut found);
        }
    }
    found
}

/// Whether a schema is a closed set of words with the empty one, which is taken out.
fn drop_empty_word(schema: &mut Value) -> bool {
    let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { return false };
    let before = choices.len();
    choices.retain(|choice| choice.get("const") != Some(&json!("")));
    choices.len() < before
}

/// A word that may be left out may be empty as well.
fn take_empty_word(schema: &mut Value, words: &BTreeSet<String>) {
    let Some(choices) = schema.get_mut("anyOf").and_then(Value::as_array_mut) else { return };
    let is_word = |choice: &Value| {
        let name = choice.get("$ref").and_then(Value::as_str);
        name.and_then(|name| name.strip_prefix(AT)).is_some_and(|name| words.contains(name))
    };
    let is_optional = choices.contains(&json!({ "type": "null" }));
    if is_optional && choices.iter().any(is_word) {
        choices.push(json!({ "const": "" }));
    }
}

/// What may be absent is never null.
fn drop_null(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(types) = members.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|word| word != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(choices) = members.get_mut("anyOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| *choice != json!({ "type": "null" }));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            members.remove("anyOf");
            for (name, value) in only {
                members.entry(name).or_insert(value);
            }
        }
    }
}

/// `$schema` names the dialect of files; within the document there is one dialect.
fn drop_marker(schema: &mut Value) {
    if let Some(properties) = schema.pointer_mut("/properties").and_then(Value::as_object_mut) {
        properties.remove("$schema");
    }
}
