//! What people change of an asset, as a merge patch (RFC 7396).

use serde_json::Value;

use crate::problem::{Fault, Problem, ProblemCode};
use crate::store::AssetPatch;

/// Reads a merge patch of an asset; every fault at once.
///
/// # Errors
///
/// `MALFORMED_JSON`, and `VALIDATION_ERROR` with every fault.
pub fn read_asset_patch(text: &str) -> Result<AssetPatch, Problem> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Problem::new(ProblemCode::MalformedJson, error.to_string()))?;
    let fault = |pointer: &str, detail: &str| Fault::new(pointer, "patch/not-understood", detail);
    let Some(members) = value.as_object() else {
        return Err(Problem::faults(vec![fault("", "an object is wanted")]));
    };
    let mut patch = AssetPatch::default();
    let mut faults = Vec::new();
    for (name, value) in members {
        let pointer = format!("/{name}");
        match (name.as_str(), value) {
            ("name", Value::Null) => patch.name = Some(None),
            ("name", Value::String(text)) if is_text(text, 255) => {
                patch.name = Some(Some(text.clone()));
            }
            ("name", _) => faults.push(fault(&pointer, "a text of 1 to 255 characters, or null")),
            ("tags", Value::Null) => patch.tags = Some(Vec::new()),
            ("tags", Value::Array(list)) if list.len() <= 50 => {
                let tags = list
                    .iter()
                    .map(|tag| tag.as_str().filter(|tag| is_text(tag, 64)).map(str::to_owned));
                match tags.collect::<Option<Vec<String>>>() {
                    Some(mut tags) => {
                        tags.sort();
                        tags.dedup();
                        patch.tags = Some(tags);
                    }
                    None => faults.push(fault(&pointer, "texts of 1 to 64 characters")),
                }
            }
            ("tags", _) => faults.push(fault(&pointer, "a list of at most 50 texts, or null")),
            ("public", Value::Bool(public)) => patch.public = Some(*public),
            ("public", _) => faults.push(fault(&pointer, "true or false")),
            _ => {
                faults.push(fault(&pointer, "only `name`, `tags` and `public` can be changed"));
            }
        }
    }
    if faults.is_empty() { Ok(patch) } else { Err(Problem::faults(faults)) }
}

fn is_text(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.contains('\0')
}
