//! Prompts: placeholders and values, in one pass.
//!
//! `{{ name }}` writes the value of `name`, `{{{{` writes `{{`, any other `{{` is a fault, and `}}`
//! alone is text. A value is data: what it holds is never expanded. (The system before replaced
//! one variable after the other, so that a value could smuggle in a placeholder.)

use std::borrow::Cow;

use crate::canonical;
use crate::codes::Code;
use crate::decode::Text;
use crate::finding::{Finding, Refusal, listed};
use crate::json::scan::find_byte;
use crate::json::value::{Map, Value};

/// Longest name of a variable.
const NAME: usize = 64;

/// What rendering a text needs and finds.
#[derive(Debug, Default)]
pub(crate) struct Rendering {
    /// Faults of the text, below the pointer it was rendered with.
    pub(crate) faults: Vec<Finding>,
    /// Names that a text used.
    pub(crate) used: Vec<String>,
}

impl Rendering {
    /// Renders one text. `lookup` gives the value of a name; `pointer` is where the text stands.
    pub(crate) fn render<'t, 'v>(
        &mut self,
        text: &'t str,
        pointer: &dyn Fn() -> Cow<'static, str>,
        lookup: &dyn Fn(&str) -> Option<&'v Value<'v>>,
    ) -> Text<'t> {
        let Some(first) = braces(text) else { return Cow::Borrowed(text) };
        let mut out = String::with_capacity(text.len() + 32);
        let mut missing: Vec<&str> = Vec::new();
        let (before, mut rest) = text.split_at_checked(first).unwrap_or((text, ""));
        out.push_str(before);
        while let Some(after) = rest.strip_prefix("{{") {
            if let Some(literal) = after.strip_prefix("{{") {
                out.push_str("{{");
                rest = literal;
            } else if let Some((name, behind)) = placeholder(after) {
                if !self.used.iter().any(|used| used == name) {
                    self.used.push(name.to_owned());
                }
                match lookup(name) {
                    Some(Value::Text(value)) => out.push_str(value),
                    Some(Value::Number(number)) => out.push_str(&canonical::number_text(*number)),
                    Some(Value::Bool(value)) => out.push_str(if *value { "true" } else { "false" }),
                    Some(other) => self.faults.push(
                        Finding::new(Code::PromptVariableType, pointer())
                            .arg(name.to_owned())
                            .arg(other.kind())
                            .arg("which has no text"),
                    ),
                    None if missing.contains(&name) => {}
                    None => missing.push(name),
                }
                rest = behind;
            } else {
                let offset = text.len() - rest.len();
                let characters = crate::unicode::count(text.get(..offset).unwrap_or(""));
                #[allow(clippy::cast_precision_loss, reason = "texts are far shorter than 2^53")]
                let finding =
                    Finding::new(Code::PromptBadPlaceholder, pointer()).arg(characters as f64);
                self.faults.push(finding);
                rest = after;
            }
            let next = braces(rest).unwrap_or(rest.len());
            let (plain, tail) = rest.split_at_checked(next).unwrap_or((rest, ""));
            out.push_str(plain);
            rest = tail;
        }
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
            self.faults.push(
                Finding::new(Code::PromptUnknownVariable, pointer())
                    .arg(listed(names.iter().map(String::as_str))),
            );
        }
        Cow::Owned(out)
    }
}

/// Where the first `{{` stands. One byte is looked for first: most prompts hold none.
fn braces(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = find_byte(bytes, from, b'{') {
        if bytes.get(at + 1) == Some(&b'{') {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// After `{{`: the name and what stands behind the `}}`.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let space = [' ', '\t', '\r', '\n'];
    let text = text.trim_start_matches(space);
    let length = text
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        .count();
    let (name, rest) = text.split_at_checked(length)?;
    let first = name.bytes().next()?;
    if !(first.is_ascii_alphabetic() || first == b'_') || name.len() > NAME {
        return None;
    }
    let rest = rest.trim_start_matches(space).strip_prefix("}}")?;
    Some((name, rest))
}

/// Renders a template with variables.
///
/// ```
/// use onepath_core::{Map, render_prompt};
///
/// let mut variables = Map::new();
/// variables.insert("name", "Mira {{n}}");
/// assert_eq!(render_prompt("Hello {{ name }}, {{{{raw}}", &variables).unwrap(), "Hello Mira {{n}}, {{raw}}");
/// ```
///
/// # Errors
///
/// Malformed placeholders, variables without a value (all named in one finding), and values that
/// have no one text.
pub fn render_prompt(template: &str, variables: &Map<'_>) -> Result<String, Refusal> {
    let mut rendering = Rendering::default();
    let text =
        rendering.render(template, &|| Cow::Borrowed("/template"), &|name| variables.get(name));
    if rendering.faults.is_empty() {
        Ok(text.into_owned())
    } else {
        Err(Refusal::new(rendering.faults))
    }
}

/// The names of the variables that a text uses, each once, in order.
///
/// ```
/// use onepath_core::prompt_variables;
///
/// assert_eq!(prompt_variables("{{ who }} and {{n}}, {{who}}, {{{{raw").unwrap(), ["who", "n"]);
/// assert!(prompt_variables("{{ }}").is_err());
/// ```
///
/// # Errors
///
/// Malformed placeholders.
pub fn prompt_variables(text: &str) -> Result<Vec<String>, Refusal> {
    const ANY: Value<'static> = Value::Bool(true);
    let mut rendering = Rendering::default();
    rendering.render(text, &|| Cow::Borrowed("/text"), &|_| Some(&ANY));
    if rendering.faults.is_empty() {
        Ok(rendering.used)
    } else {
        Err(Refusal::new(rendering.faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(template: &str) -> Vec<(&'static str, String)> {
        let mut variables = Map::new();
        variables.insert("o", Value::Map(Map::new()));
        variables.insert("t", true);
        match render_prompt(template, &variables) {
            Ok(text) => vec![("", text)],
            Err(refusal) => {
                refusal.findings().iter().map(|f| (f.code().slug(), f.message())).collect()
            }
        }
    }

    #[test]
    fn braces_are_text_unless_they_open_a_placeholder() {
        assert_eq!(codes("}} { {x} }"), [("", "}} { {x} }".to_owned())]);
        assert_eq!(codes("{{{{{{t}}"), [("", "{{true".to_owned())]);
        assert_eq!(codes("{{\t t\r\n}}!"), [("", "true!".to_owned())]);
    }

    #[test]
    fn every_fault_is_found() {
        assert_eq!(
            codes("é {{}} {{a}} {{o}} {{b}} {{a}}"),
            [
                (
                    "prompt/bad-placeholder",
                    "a malformed placeholder starts at character 2".to_owned()
                ),
                (
                    "prompt/variable-type",
                    "the variable `o` is an object, which has no text".to_owned()
                ),
                ("prompt/unknown-variable", "the prompt uses `a`, `b` without a value".to_owned()),
            ]
        );
    }
}
