//! JSON Schema of every wire type, from the same declarations as the readers.
//!
//! The schemas describe the one spelling of each field. What a reader does beyond them is listed:
//! it takes the other spelling too, refuses repeated members, and has limits of size. Everything
//! else that a reader or rule refuses and a schema does not has a code of its own.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::{
    BuildOptions, CacheKeyParts, CreateGenerationRequest, Difference, Estimate, Finding,
    Fingerprint, GenerateContentRequest, GenerationNode, GenerationNodeConfig,
    GenerationSocialContext, Npc, OperationRow, OwnBounds, Plan, PlayerContextSnapshot, Prepared,
    PriceTable, ProviderInfo, Rebound, Report, SceneFile, SceneRef, Session, Template, Terms, User,
    World,
};

/// What happens to members that are no fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// They are faults.
    Refused,
    /// They are faults, but the document may name its `$schema`.
    RefusedInFile,
    /// They belong to the game.
    Ignored,
    /// They are provider blocks.
    Blocks,
}

/// Name, description, schema, and whether it must be there.
pub(crate) type Property = (&'static str, &'static str, Schema, bool);

/// Names of provider blocks: as the reader has them, but for the names of fields in any spelling.
const BLOCK_NAMES: &str =
    "^(?!(?:pacing|mood_from|mood_to|transition_type)$)[a-z][a-z0-9_-]{0,49}$";

pub(crate) fn object(
    description: &str,
    properties: Vec<Property>,
    old: Vec<(&'static str, Schema)>,
    others: Others,
    generator: &mut SchemaGenerator,
) -> Schema {
    let mut members = Map::new();
    let mut required = Vec::new();
    if others == Others::RefusedInFile {
        let schema = json!({ "type": ["string", "null"], "description": "Where the schema of this file stands." });
        members.insert("$schema".to_owned(), schema);
    }
    for (name, description, schema, is_required) in properties {
        let mut value = described(schema, description.trim());
        if is_required {
            // An empty text counts as absent, and this field must be there.
            if let Value::Object(members) = &mut value {
                members.insert("not".to_owned(), json!({ "const": "" }));
            }
            required.push(Value::from(name));
        }
        members.insert(name.to_owned(), value);
    }
    for (name, schema) in old {
        let mut value = described(schema, "An old field, read into its new place.");
        if let Value::Object(members) = &mut value {
            members.insert("deprecated".to_owned(), Value::Bool(true));
        }
        members.insert(name.to_owned(), value);
    }
    let mut out = json_schema!({
        "type": "object",
        "description": description.trim(),
        "properties": members,
    });
    if !required.is_empty() {
        out.insert("required".to_owned(), Value::Array(required));
    }
    match others {
        Others::Refused | Others::RefusedInFile => {
            out.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        Others::Ignored => {}
        Others::Blocks => {
            let block = generator.subschema_for::<Option<crate::Map<'_>>>();
            out.insert("patternProperties".to_owned(), json!({ BLOCK_NAMES: block }));
            out.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    }
    out
}

/// A schema with the field's description; a reference is wrapped, as draft-07 ignores its siblings.
fn described(schema: Schema, description: &str) -> Value {
    let value = schema.to_value();
    match value {
        Value::Object(mut members) if members.contains_key("$ref") => {
            let reference = members.remove("$ref").unwrap_or_default();
            json!({ "description": description, "allOf": [{ "$ref": reference }] })
        }
        Value::Object(mut members) => {
            members.insert("description".to_owned(), Value::from(description));
            Value::Object(members)
        }
        other => other,
    }
}

/// A closed set of words; an empty text counts as absent.
pub(crate) fn words(words: &[(&str, &str)]) -> Schema {
    let mut choices: Vec<Value> = words
        .iter()
        .map(|(word, meaning)| json!({ "const": word, "description": meaning.trim() }))
        .collect();
    choices.push(json!({ "const": "", "description": "The same as absent." }));
    json_schema!({ "oneOf": choices })
}

/// The drafts of JSON Schema that are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draft {
    /// 2020-12: the canonical one.
    Draft202012,
    /// Draft-07: for editors.
    Draft07,
}

/// One published schema.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedSchema {
    /// The type's name.
    pub name: &'static str,
    /// The schema.
    pub schema: Value,
}

impl PublishedSchema {
    /// The name of its file, such as `scene-file.schema.json`.
    #[must_use]
    pub fn file_name(&self) -> String {
        let mut out = String::new();
        for character in self.name.chars() {
            if character.is_ascii_uppercase() && !out.is_empty() {
                out.push('-');
            }
            out.push(character.to_ascii_lowercase());
        }
        out + ".schema.json"
    }
}

/// The schema of every wire type.
#[must_use]
pub fn schemas(draft: Draft) -> Vec<PublishedSchema> {
    macro_rules! each {
        ($($name:ident $(<$lt:lifetime>)?),* $(,)?) => {
            vec![$(PublishedSchema { name: stringify!($name), schema: one::<$name $(<$lt>)?>(draft) },)*]
        };
    }
    each![
        GenerationNodeConfig<'static>,
        BuildOptions<'static>,
        GenerateContentRequest<'static>,
        CreateGenerationRequest<'static>,
        SceneFile<'static>,
        GenerationNode<'static>,
        GenerationSocialContext<'static>,
        PlayerContextSnapshot<'static>,
        SceneRef<'static>,
        Session<'static>,
        World<'static>,
        User<'static>,
        Npc<'static>,
        Template<'static>,
        Terms<'static>,
        ProviderInfo<'static>,
        PriceTable<'static>,
        Report,
        Finding,
        Fingerprint,
        Estimate,
        Plan,
    ]
}

/// Every type that crosses a door, by its name: the published ones, their parts, and what the
/// functions answer. For languages that want declarations.
#[must_use]
pub fn definitions() -> Map<String, Value> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    macro_rules! each {
        ($($name:ident $(<$lt:lifetime>)?),* $(,)?) => {
            $(let _ = generator.subschema_for::<$name $(<$lt>)?>();)*
        };
    }
    each![
        GenerationNodeConfig<'static>,
        BuildOptions<'static>,
        GenerateContentRequest<'static>,
        SceneFile<'static>,
        PriceTable<'static>,
        Report,
        Fingerprint,
        Estimate,
        Difference,
        OperationRow,
        CacheKeyParts,
        OwnBounds,
        Rebound<'static>,
        Prepared<'static>,
    ];
    let mut all = generator.take_definitions(true);
    for definition in all.values_mut() {
        if let Some(Value::Object(properties)) = definition.get_mut("properties") {
            properties.remove("$schema");
        }
    }
    all
}

fn one<T: JsonSchema>(draft: Draft) -> Value {
    let settings = match draft {
        Draft::Draft202012 => SchemaSettings::draft2020_12(),
        Draft::Draft07 => SchemaSettings::draft07(),
    };
    let mut generator: SchemaGenerator = settings.into_generator();
    // Blocks of a style refer to it by name.
    let _ = generator.subschema_for::<crate::Map<'_>>();
    let mut value = generator.into_root_schema_for::<T>().to_value();
    if let Value::Object(members) = &mut value {
        only_at_the_top(members);
        drop_unused(members);
    }
    if draft == Draft::Draft07 { editor_form(value) } else { value }
}

/// Draft-07 keeps its definitions elsewhere.
fn editor_form(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("#/$defs/", "#/definitions/")),
        Value::Array(items) => Value::Array(items.into_iter().map(editor_form).collect()),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    (
                        if name == "$defs" { "definitions".to_owned() } else { name },
                        editor_form(value),
                    )
                })
                .collect(),
        ),
        other => other,
    }
}

/// Only the document itself may name its schema.
fn only_at_the_top(root: &mut Map<String, Value>) {
    for home in ["$defs", "definitions"] {
        let Some(Value::Object(all)) = root.get_mut(home) else { continue };
        for definition in all.values_mut() {
            if let Some(Value::Object(properties)) = definition.get_mut("properties") {
                properties.remove("$schema");
            }
        }
    }
}

/// Drops definitions that nothing refers to.
fn drop_unused(root: &mut Map<String, Value>) {
    let home = if root.contains_key("$defs") { "$defs" } else { "definitions" };
    loop {
        let text = Value::Object(root.clone()).to_string();
        let Some(Value::Object(all)) = root.get_mut(home) else { return };
        let unused: Vec<String> =
            all.keys().filter(|name| !text.contains(&format!("/{name}\""))).cloned().collect();
        if unused.is_empty() {
            break;
        }
        for name in unused {
            all.remove(&name);
        }
    }
    if root.get(home).and_then(Value::as_object).is_some_and(Map::is_empty) {
        root.remove(home);
    }
}
