//! TypeScript declarations of every type that crosses a door, from the schemas of the same types.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use onepath_core::Code;
use onepath_core::schema::definitions;
use serde_json::{Map, Value};

/// Types that TypeScript has a word of its own for.
fn own_word(name: &str) -> Option<&'static str> {
    match name {
        "OpenMap" => Some("Record<string, unknown>"),
        "OpenValue" => Some("unknown"),
        "OptionalId" => Some("Id"),
        _ => None,
    }
}

/// Types that keep the name editors know them by.
fn known_name(name: &str) -> &str {
    match name {
        "BuildOptions" => "BuildRequestOptions",
        other => other,
    }
}

/// What no schema says: names of old, and unions over what is below.
const BESIDE: &str = r"/** Whether a document may be used as it is. */
export type Status = Report['status'];

/** What the validator is given beside the config; `userPrefs` is another name of `user`. */
export type ValidationContext = BuildRequestOptions & { userPrefs?: User | undefined };

/** Build options that name a provider: a cache key without one does not exist. */
export type CacheKeyOptions = BuildRequestOptions &
  ({ providerId: Id } | { provider: ProviderInfo });

/** What a generation gave, in the form of the system before. */
export interface GenerateContentResponse {
  status: 'complete' | 'queued' | 'processing' | 'failed';
  content?: {
    type: GenerationType;
    url?: string | undefined;
    duration?: number | undefined;
    dialogue?: string[] | undefined;
    choices?: { id: string; text: string }[] | undefined;
    metadata?: Record<string, unknown> | undefined;
  } | undefined;
  cache_key?: string | undefined;
  cost?: { tokens?: number | undefined; time_ms?: number | undefined } | undefined;
  deterministic?: boolean | undefined;
  job_id?: string | undefined;
  error?: { code: string; message: string } | undefined;
}

/** A request was not made; `findings` says why. */
export class OnepathRefusal extends Error {
  constructor(findings: Finding[]);
  readonly name: 'OnepathRefusal';
  /** What stands in the way, at least one finding. */
  readonly findings: Finding[];
}
";

/// The declarations of all types.
#[must_use]
pub fn types() -> String {
    let mut out = String::from("// Made from the types of onepath-core; do not edit.\n\n");
    let all: BTreeMap<String, Value> = definitions().into_iter().collect();
    for (name, schema) in &all {
        if own_word(name).is_some() || name.starts_with("MapOf") {
            continue;
        }
        let note = doc(schema, "");
        let name = known_name(name);
        match schema.get("properties").and_then(Value::as_object) {
            Some(properties) => {
                let _ =
                    writeln!(out, "{note}export interface {name} {}\n", body(schema, properties));
            }
            None => {
                let _ = writeln!(out, "{note}export type {name} = {};\n", word(schema));
            }
        }
    }
    out + BESIDE
}

/// The comment of a declaration.
fn doc(schema: &Value, indent: &str) -> String {
    let Some(text) = schema.get("description").and_then(Value::as_str) else {
        return String::new();
    };
    let text = text.trim().replace("*/", "*\\/");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    match lines.as_slice() {
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let mut out = format!("{indent}/**\n");
            for line in lines {
                let _ = writeln!(out, "{}", format!("{indent} * {line}").trim_end());
            }
            out + indent + " */\n"
        }
    }
}

fn body(schema: &Value, properties: &Map<String, Value>) -> String {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut out = String::from("{\n");
    for (name, property) in properties {
        // Old fields are read, but who writes new code should not meet them.
        if property.get("deprecated").is_some() {
            continue;
        }
        out.push_str(&doc(property, "  "));
        let kind = if required.contains(&name.as_str()) {
            format!("{name}: {}", word(property))
        } else {
            format!("{name}?: {} | undefined", without_null(&word(property)))
        };
        let _ = writeln!(out, "  {kind};");
    }
    if schema.get("patternProperties").is_some() {
        out.push_str("  /** Settings of a provider, by its id. */\n");
        out.push_str("  [provider: string]: Record<string, unknown> | string | undefined;\n");
    }
    out + "}"
}

/// A named field that is null counts as absent; TypeScript says so by leaving it out.
fn without_null(word: &str) -> String {
    word.split(" | ").filter(|part| *part != "null").collect::<Vec<_>>().join(" | ")
}

/// The type of a schema.
fn word(schema: &Value) -> String {
    let Some(members) = schema.as_object() else { return "unknown".to_owned() };
    if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        if let Some(of) = name.strip_prefix("MapOf") {
            return format!("Record<string, {}>", known_name(of));
        }
        return own_word(name).unwrap_or_else(|| known_name(name)).to_owned();
    }
    if let Some(value) = members.get("const") {
        return literal(value);
    }
    if let Some(values) = members.get("enum").and_then(Value::as_array) {
        return union(values.iter().filter(|value| !is_empty_text(value)).map(literal));
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = members.get(key).and_then(Value::as_array) {
            let real =
                choices.iter().filter(|choice| !choice.get("const").is_some_and(is_empty_text));
            return union(real.map(word));
        }
    }
    match members.get("type") {
        Some(Value::String(kind)) => of_kind(kind, schema),
        Some(Value::Array(kinds)) => {
            union(kinds.iter().filter_map(Value::as_str).map(|kind| of_kind(kind, schema)))
        }
        _ => "unknown".to_owned(),
    }
}

fn of_kind(kind: &str, schema: &Value) -> String {
    match kind {
        "integer" | "number" => "number".to_owned(),
        "array" => {
            let item = schema.get("items").map_or_else(|| "unknown".to_owned(), word);
            if item.contains(' ') { format!("({item})[]") } else { format!("{item}[]") }
        }
        "object" => match schema.get("properties").and_then(Value::as_object) {
            Some(properties) => body(schema, properties),
            None => "Record<string, unknown>".to_owned(),
        },
        other => other.to_owned(),
    }
}

/// An empty text counts as absent; nobody should write it on purpose.
fn is_empty_text(value: &Value) -> bool {
    value.as_str() == Some("")
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

fn union(parts: impl Iterator<Item = String>) -> String {
    let mut out: Vec<String> = Vec::new();
    for part in parts {
        if !out.contains(&part) {
            out.push(part);
        }
    }
    out.join(" | ")
}

/// Every code with its explanation, as a module of its own: long texts are not in the wasm.
#[must_use]
pub fn codes() -> String {
    let mut out = String::from(
        "// Made from the codes of onepath-core; do not edit.\n\n/** Every code, in the order of findings. */\nexport const codes = [\n",
    );
    for code in Code::ALL {
        let row = serde_json::json!({
            "code": code.slug(), "severity": code.severity().word(),
            "refuses": code.refuses_build(), "explanation": code.explanation(),
        });
        let _ = writeln!(out, "  {row},");
    }
    out + "];\n\n/** What a code means; undefined if there is none of that name. */\n\
        export function explainCode(code) {\n  return codes.find((row) => row.code === code);\n}\n"
}

/// The declarations of [`codes`].
#[must_use]
pub fn codes_types() -> String {
    let words: Vec<String> = Code::ALL.iter().map(|code| format!("  | '{code}'")).collect();
    format!(
        "// Made from the codes of onepath-core; do not edit.\n\n/** The stable slug of a finding. */\nexport type Code =\n{};\n\n\
         /** One code and what it means. */\nexport interface CodeRow {{\n  code: Code;\n  severity: 'error' | 'warning' | 'suggestion';\n  \
         /** Whether no request is made while it stands. */\n  refuses: boolean;\n  explanation: string;\n}}\n\n\
         /** Every code, in the order of findings. */\nexport const codes: readonly CodeRow[];\n\n\
         /** What a code means; undefined if there is none of that name. */\nexport function explainCode(code: Code): CodeRow;\n\
         export function explainCode(code: string): CodeRow | undefined;\n",
        words.join("\n")
    )
}
