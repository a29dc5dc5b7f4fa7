//! Documents, good and broken, on which schema and reader must agree.

use onepath_core::{
    BuildOptions, Decode, GenerateContentRequest, GenerationNode, GenerationNodeConfig, Npc,
    ProviderInfo, SceneFile, Template, decode,
};
use serde_json::{Value, json};

use crate::json::set;
use crate::v1;

/// One document, what it is, and whether the reader takes it.
#[derive(Debug, Clone)]
pub struct Document {
    /// The name of the type.
    pub kind: &'static str,
    /// The document.
    pub value: Value,
    /// The reader's verdict: codes of its faults.
    pub faults: Vec<&'static str>,
}

fn faults<'a, T: Decode<'a>>(text: &'a str) -> Vec<&'static str> {
    decode::<T>(text).faults.iter().map(|fault| fault.code().slug()).collect()
}

fn read(kind: &str, text: &str) -> Vec<&'static str> {
    match kind {
        "GenerationNodeConfig" => faults::<GenerationNodeConfig<'_>>(text),
        "BuildOptions" => faults::<BuildOptions<'_>>(text),
        "GenerateContentRequest" => faults::<GenerateContentRequest<'_>>(text),
        "SceneFile" => faults::<SceneFile<'_>>(text),
        "GenerationNode" => faults::<GenerationNode<'_>>(text),
        "Npc" => faults::<Npc<'_>>(text),
        "ProviderInfo" => faults::<ProviderInfo<'_>>(text),
        "Template" => faults::<Template<'_>>(text),
        _ => Vec::new(),
    }
}

/// The whole corpus: documents of every kind, and each with each part replaced by other things.
#[must_use]
pub fn documents() -> Vec<Document> {
    let mut seeds: Vec<(&'static str, Value)> = Vec::new();
    for case in v1::cases() {
        for (member, kind) in [
            ("config", "GenerationNodeConfig"),
            ("options", "BuildOptions"),
            ("request", "GenerateContentRequest"),
        ] {
            if let Some(value) = case.input.get(member) {
                // A second spelling is one of the listed differences.
                let text = value.to_string();
                let second = text.contains("\"mood_from\"") || text.contains("\"min_value\"");
                if !second && !seeds.iter().any(|(known, other)| *known == kind && other == value) {
                    seeds.push((kind, value.clone()));
                }
            }
        }
    }
    seeds.push(("SceneFile", scene()));
    seeds.push((
        "GenerationNode",
        json!({
            "$schema": "x", "id": "n", "fromScene": "a", "toScene": { "id": 1 },
            "config": { "generationType": "dialogue" }, "options": { "now": 1 }, "cacheKey": "k",
            "health": { "errors": [] }, "ui": { "x": 1 },
        }),
    ));
    seeds.push((
        "Npc",
        json!({ "id": 1, "name": "N", "intensity": 0.5, "artStyle": "anime", "loras": [] }),
    ));
    seeds.push(("Template", json!({ "versionId": "v", "text": "t", "variables": { "a": 1 } })));
    for info in onepath_core::providers() {
        if let Ok(value) = serde_json::to_value(info) {
            seeds.push(("ProviderInfo", value));
        }
    }
    let mut out = Vec::new();
    let mut add = |kind: &'static str, value: Value| {
        let faults = read(kind, &value.to_string());
        out.push(Document { kind, value, faults });
    };
    for (index, (kind, value)) in seeds.iter().enumerate() {
        add(kind, value.clone());
        // Every part of the rich documents is replaced; of the others a sample.
        let rich = *kind != "GenerationNodeConfig"
            && *kind != "BuildOptions"
            && *kind != "GenerateContentRequest";
        if rich || index % 9 == 0 {
            for pointer in pointers(value) {
                for other in others() {
                    let mut changed = value.clone();
                    set(&mut changed, &pointer, other);
                    add(kind, changed);
                }
                if value.pointer(&pointer).is_some_and(Value::is_object) {
                    let mut changed = value.clone();
                    set(&mut changed, &format!("{pointer}/nobody_reads_this"), json!({ "a": [1] }));
                    add(kind, changed);
                }
            }
        }
    }
    out
}

/// What a part is replaced with.
fn others() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(5.0),
        json!(9_007_199_254_740_991_u64),
        json!(9_007_199_254_740_992_u64),
        json!(1e300),
        json!(""),
        json!("a word"),
        json!("dialogue"),
        json!("x".repeat(129)),
        json!([]),
        json!([null]),
        json!([1, "a", { "b": null }]),
        json!([{}]),
        json!({}),
        json!({ "id": "" }),
        json!({ "a": { "b": [null] } }),
        json!({ "id": "x", "deep": { "er": [1e300] } }),
    ]
}

/// Every pointer of a value.
fn pointers(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, out: &mut Vec<String>) {
        let below: Vec<(String, &Value)> = match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
                .collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
            }
            _ => return,
        };
        for (name, value) in below {
            let pointer = format!("{at}/{name}");
            walk(value, &pointer, out);
            out.push(pointer);
        }
    }
    let mut out = Vec::new();
    walk(value, "", &mut out);
    out
}

fn scene() -> Value {
    json!({
        "$schema": "scene-file.schema.json",
        "scenes": [{ "id": "a", "ui": { "x": 1 } }, { "id": 2, "mood": "m" }],
        "nodes": [{ "id": "n", "fromScene": "a", "toScene": { "id": "z" }, "config": { "generationType": "fusion",
            "fusionAssets": [{ "ref": "asset:1", "kind": "subject" }], "style": { "pacing": "slow", "local": { "width": 1 } } } }],
        "edges": [{ "id": "e", "from": "a", "to": "n", "meta": { "generate": true, "rules": { "prompt": "p", "duration": { "min": 1 } },
            "fallback": { "mode": "skip" } }, "ui": {} }],
        "npcs": [{ "id": 12, "name": "N" }],
        "world": { "id": 1, "meta": { "generation": { "maxContentRating": "sfw", "levels": [{ "id": "l", "band": "deep",
            "rating": "romantic", "conditions": { "trust": { "min": 1 } }, "priority": 1 }], "tiers": [{ "id": "t", "axis": "trust", "min": 0 }],
            "terms": { "blocked": ["x"] } } }, "anything": { "else": [null] } },
        "session": { "id": 1, "user_id": 2, "flags": { "f": [1] }, "stats": {} },
        "user": { "id": 3, "maxContentRating": "restricted", "reduceRomanticIntensity": false },
        "ui": { "zoom": 1 },
    })
}
