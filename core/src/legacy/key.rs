//! The old TypeScript cache key: parts joined by `|`, without any escaping.

use crate::canonical::number_text;
use crate::codes::Code;
use crate::decode::Decode as _;
use crate::finding::{Finding, Refusal};
use crate::json::locate;
use crate::json::reader::{Profile, Reader};
use crate::json::value::{Map, Value};

/// The key that the old editor computed, from the text of `{"config": …, "options"?: …}`.
///
/// Ids with `|` collide in it: that is why it is only reproduced.
///
/// ```
/// use onepath_core::legacy::legacy_key;
///
/// let key = legacy_key(r#"{"config": {"generationType": "transition", "purpose": "gap_fill",
///     "strategy": "per_player", "version": 2}, "options": {"toSceneId": "t", "seed": "x|y"}}"#);
/// assert_eq!(key.unwrap(), "transition|gap_fill||t|per_player|x|y|v2");
/// ```
///
/// # Errors
///
/// Parts of another JSON type than text (the version: a number).
pub fn legacy_key(text: &str) -> Result<String, Refusal> {
    let mut reader = Reader::new(text, Profile::Any);
    let line = Map::decode(&mut reader);
    reader.end();
    let faults = reader.into_faults();
    let (Some(line), []) = (line, faults.as_slice()) else {
        return Err(Refusal::new(locate::resolve(text, faults)));
    };
    let empty = Map::new();
    let mut faults = Vec::new();
    let mut object = |name: &'static str| -> &Map<'_> {
        match line.get(name) {
            Some(Value::Map(map)) => map,
            None | Some(Value::Null) if name == "options" => &empty,
            other => {
                faults.push(wrong_type(format!("/{name}"), "an object", other));
                &empty
            }
        }
    };
    let (config, options) = (object("config"), object("options"));
    let mut part = |map: &Map<'_>, of: &str, name: &str| -> String {
        match map.get(name) {
            Some(Value::Text(text)) => text.clone().into_owned(),
            None | Some(Value::Null) => String::new(),
            other => {
                faults.push(wrong_type(format!("/{of}/{name}"), "text", other));
                String::new()
            }
        }
    };
    let strategy = part(config, "config", "strategy");
    let mut parts = vec![
        part(config, "config", "generationType"),
        part(config, "config", "purpose"),
        part(options, "options", "fromSceneId"),
        part(options, "options", "toSceneId"),
        strategy.clone(),
    ];
    let seed = part(options, "options", "seed");
    if strategy != "once" {
        parts.push(seed);
    }
    let band = part(options, "options", "intimacyBand");
    if !band.is_empty() {
        parts.push(band);
    }
    let mut version = "v".to_owned();
    match config.get("version") {
        Some(Value::Number(number)) => version.push_str(&number_text(*number)),
        None => version.push_str("undefined"),
        Some(Value::Null) => version.push_str("null"),
        other => faults.push(wrong_type("/config/version".to_owned(), "a number", other)),
    }
    parts.push(version);
    if faults.is_empty() { Ok(parts.join("|")) } else { Err(Refusal::new(faults)) }
}

fn wrong_type(pointer: String, expected: &'static str, found: Option<&Value<'_>>) -> Finding {
    let found = found.map_or("nothing", Value::kind);
    Finding::new(Code::JsonWrongType, pointer).arg(expected).arg(found)
}
