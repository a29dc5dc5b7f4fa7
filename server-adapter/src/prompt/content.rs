//! What a version says: its text, and what its variables may be.

use std::borrow::Cow;
use std::collections::BTreeMap;

use onepath_core::{
    Finding, Id, Integer, Map, Number, Template, Value, VariableType, canonicalize,
    prompt_variables,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::problem::Fault;

/// Characters of a text at most.
pub(crate) const TEXT: usize = 20_000;

/// Characters of a default, of notes and of descriptions at most.
pub(crate) const NOTE: usize = 10_000;

/// Variables of a version at most.
const VARIABLES: usize = 100;

/// The value of a variable where nobody gives one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a text, a number, true or false")]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A number.
    Number(serde_json::Number),
    /// Yes or no.
    Bool(bool),
}

/// What a version says of one of its variables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What it may be; any text, number, true or false if absent.
    #[serde(
        rename = "type",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "kind"
    )]
    pub kind: Option<VariableType>,
    /// Its value where nobody gives one; it must be given if this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Scalar>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

fn kind<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<VariableType>, D::Error> {
    let word: Option<String> = Option::deserialize(reader)?;
    let Some(word) = word.filter(|word| !word.is_empty()) else { return Ok(None) };
    let known = VariableType::parse(&word);
    let unknown = || {
        let words: Vec<&str> = VariableType::ALL.iter().map(|(word, _)| *word).collect();
        serde::de::Error::custom(format!("`{word}` is no type: {}", words.join(", ")))
    };
    known.map(Some).ok_or_else(unknown)
}

/// A variable as it is sent: all that is said of it, or its default alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a default (text, number, true or false) or {type, default, about}")]
pub enum VariableBody {
    /// Its default.
    Default(Scalar),
    /// All that is said of it.
    Whole(Variable),
}

/// Variables by name.
pub type Variables = BTreeMap<String, Variable>;

/// What a version says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The text, with placeholders.
    pub text: String,
    /// What is not to be seen, with placeholders.
    pub negative_text: Option<String>,
    /// What its variables may be.
    pub variables: Variables,
}

impl Content {
    /// Of what was sent; an empty negative text is none.
    #[must_use]
    pub fn new(
        text: String,
        negative_text: Option<String>,
        variables: Option<BTreeMap<String, VariableBody>>,
    ) -> Self {
        let whole = |body| match body {
            VariableBody::Default(default) => {
                Variable { default: Some(default), ..Variable::default() }
            }
            VariableBody::Whole(variable) => variable,
        };
        let variables = variables.unwrap_or_default().into_iter();
        let variables = variables.map(|(name, body)| (name, tidy(whole(body)))).collect();
        Self { text, negative_text: negative_text.filter(|text| !text.is_empty()), variables }
    }

    /// Everything that is wrong with it.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.text.trim().is_empty() {
            faults.push(Fault::new("/text", "prompt/empty", "a version has a text"));
        }
        let texts = [("/text", Some(&self.text)), ("/negative_text", self.negative_text.as_ref())];
        for (pointer, text) in texts {
            let Some(text) = text else { continue };
            faults.extend(too_long(pointer, text, TEXT));
            faults.extend(null_character(pointer, text));
            if let Err(refusal) = prompt_variables(text) {
                let here = |finding: &Finding| Fault {
                    pointer: pointer.to_owned(),
                    ..Fault::from(finding)
                };
                faults.extend(refusal.findings().iter().map(here));
            }
        }
        if self.variables.len() > VARIABLES {
            let detail = format!("a version has up to {VARIABLES} variables");
            faults.push(Fault::new("/variables", "prompt/too-many-variables", detail));
        }
        for (name, variable) in &self.variables {
            let pointer = format!("/variables/{}", name.replace('~', "~0").replace('/', "~1"));
            faults.extend(variable.faults(&pointer, name));
        }
        faults
    }

    /// The names that its texts use, in order.
    #[must_use]
    pub fn placeholders(&self) -> Vec<String> {
        let mut names = prompt_variables(&self.text).unwrap_or_default();
        let negative = self.negative_text.as_deref().map(prompt_variables);
        for name in negative.and_then(Result::ok).unwrap_or_default() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The same for the same content, whatever its family.
    #[must_use]
    pub fn hash(&self) -> String {
        let text = serde_json::json!([self.text, self.negative_text, self.variables]).to_string();
        hex(&Sha256::digest(canonicalize(&text).unwrap_or(text)))
    }

    /// The template that core renders.
    #[must_use]
    pub fn template(&self, version_id: &str) -> Option<Template<'static>> {
        let owned = |text: &String| Cow::Owned(text.clone());
        let mut defaults = Map::new();
        let mut types = Vec::new();
        for (name, variable) in &self.variables {
            if let Some(default) = &variable.default {
                defaults.insert(name.clone(), default.value()?);
            }
            if let Some(kind) = variable.kind {
                types.push((owned(name), kind));
            }
        }
        Some(Template {
            version_id: Id::new(version_id.to_owned())?,
            text: Some(owned(&self.text)),
            negative_text: self.negative_text.as_ref().map(owned),
            variables: (!defaults.is_empty()).then_some(defaults),
            types: (!types.is_empty()).then(|| types.into_iter().collect()),
        })
    }
}

/// Numbers that are the same are written the same.
fn tidy(mut variable: Variable) -> Variable {
    if let Some(Scalar::Number(number)) = &mut variable.default
        && let Some(whole) = number.as_f64().and_then(Integer::from_f64)
    {
        *number = whole.get().into();
    }
    variable
}

impl Scalar {
    fn value(&self) -> Option<Value<'static>> {
        Some(match self {
            Self::Text(text) => text.clone().into(),
            Self::Number(number) => Number::new(number.as_f64()?)?.into(),
            Self::Bool(value) => (*value).into(),
        })
    }
}

impl Variable {
    fn faults(&self, pointer: &str, name: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        // A name is one if a placeholder can say it.
        let is_name =
            prompt_variables(&format!("{{{{{name}}}}}")).is_ok_and(|names| names == [name]);
        if !is_name {
            let detail = "a variable's name is a letter or `_`, then letters, digits, `_`, `.` and \
                          `-`, up to 64";
            faults.push(Fault::new(pointer, "prompt/variable-name", detail));
        }
        if let Some(about) = &self.about {
            let pointer = format!("{pointer}/about");
            faults.extend(too_long(&pointer, about, NOTE));
            faults.extend(null_character(&pointer, about));
        }
        let Some(default) = &self.default else { return faults };
        let at = format!("{pointer}/default");
        if let Scalar::Text(text) = default {
            faults.extend(too_long(&at, text, NOTE));
            faults.extend(null_character(&at, text));
        }
        match (default.value(), self.kind) {
            (None, _) => {
                let detail = "the number is beyond what is exact";
                faults.push(Fault::new(&at, "json/number-range", detail));
            }
            (Some(value), Some(kind)) if !kind.takes(&value) => {
                let detail = format!("the default of a {kind} is a {kind}");
                faults.push(Fault::new(&at, "prompt/variable-type", detail));
            }
            _ => {}
        }
        faults
    }
}

pub(crate) fn too_long(pointer: &str, text: &str, most: usize) -> Option<Fault> {
    let detail = || format!("it has up to {most} characters");
    (text.chars().count() > most).then(|| Fault::new(pointer, "prompt/too-long", detail()))
}

/// One of the databases cannot keep it, and nobody can read it.
pub(crate) fn null_character(pointer: &str, text: &str) -> Option<Fault> {
    let detail = "the character U+0000 cannot be kept";
    text.contains('\0').then(|| Fault::new(pointer, "envelope/null-character", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(variables: &str) -> Content {
        let text = "{{ who }} at {{hour}}".to_owned();
        Content::new(text, Some("{{what}}".to_owned()), serde_json::from_str(variables).unwrap())
    }

    #[test]
    fn a_default_alone_says_nothing_of_the_type() {
        let said = content(r#"{"who": "Noor", "n": 5.0, "hour": {"type": "text"}}"#);
        assert_eq!(said.faults(), []);
        assert_eq!(said.placeholders(), ["who", "hour", "what"]);
        assert_eq!(
            said.hash(),
            content(r#"{"hour": {"type": "text"}, "n": 5, "who": {"default": "Noor"}}"#).hash()
        );
        assert_ne!(said.hash(), content(r#"{"who": "Noor", "n": 5}"#).hash());
        let template = serde_json::to_value(said.template("quay@1").unwrap()).unwrap();
        assert_eq!(
            template,
            serde_json::json!({
                "versionId": "quay@1", "text": "{{ who }} at {{hour}}", "negativeText": "{{what}}",
                "variables": { "n": 5, "who": "Noor" }, "types": { "hour": "text" },
            })
        );
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        let mut said = content(
            r#"{"a b": 1, "n": {"type": "number", "default": "five"}, "big": 9007199254740993}"#,
        );
        said.text = "{{ }}".to_owned();
        let told: Vec<String> =
            said.faults().iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect();
        assert_eq!(
            told,
            [
                "prompt/bad-placeholder /text",
                "prompt/variable-name /variables/a b",
                "json/number-range /variables/big/default",
                "prompt/variable-type /variables/n/default",
            ]
        );
    }
}
