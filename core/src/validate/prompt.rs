//! Rules about prompts: placeholders, variables, length and terms.

use std::borrow::Cow;

use super::Findings;
use crate::codes::Code;
use crate::decode::Text;
use crate::facts::{Facts, TemplateState};
use crate::finding::Finding;
use crate::json::locate::escape;
use crate::terms;

fn of(facts: &Facts<'_>, code: Code, out: &mut Findings) {
    out.extend(facts.texts().rendering.faults.iter().filter(|fault| fault.code() == code).cloned());
}

/// A placeholder without a value.
pub(super) fn unknown_variable(facts: &Facts<'_>, out: &mut Findings) {
    // The template's defaults may give it.
    if facts.all() || !matches!(facts.template(), TemplateState::Missing) {
        of(facts, Code::PromptUnknownVariable, out);
    }
}

/// A `{{` that opens nothing.
pub(super) fn bad_placeholder(facts: &Facts<'_>, out: &mut Findings) {
    of(facts, Code::PromptBadPlaceholder, out);
}

/// A value without a text.
pub(super) fn variable_type(facts: &Facts<'_>, out: &mut Findings) {
    of(facts, Code::PromptVariableType, out);
}

/// A variable of the config that none of the node's texts uses; silent while a template is not
/// known.
pub(super) fn unused_variable(facts: &Facts<'_>, out: &mut Findings) {
    let Some(variables) = &facts.config.variables else { return };
    if matches!(facts.template(), TemplateState::Missing) {
        return;
    }
    for (name, _) in variables.iter() {
        if !facts.texts().rendering.used.iter().any(|used| used == name) {
            let pointer = format!("/variables/{}", escape(name));
            out.push(Finding::new(Code::PromptUnusedVariable, pointer).arg(name.to_owned()));
        }
    }
}

/// The texts that say what is to be seen, each with its pointer. The negative prompt is not one of
/// them: it may well name what must not be seen.
fn each_text<'t>(facts: &'t Facts<'_>, mut visit: impl FnMut(&'t Text<'t>, Cow<'static, str>)) {
    if let Some(prompt) = &facts.texts().prompt {
        visit(prompt, facts.texts().prompt_pointer.clone());
    }
    for (index, prompt) in facts.texts().prompts.as_deref().unwrap_or_default().iter().enumerate() {
        visit(prompt, Cow::Owned(format!("/prompts/{index}")));
    }
}

/// Longer than the provider takes.
pub(super) fn too_long(facts: &Facts<'_>, out: &mut Findings) {
    let Some(limit) = facts.provider().and_then(|provider| provider.prompt_max) else { return };
    each_text(facts, |text, pointer| {
        // There are never more characters than bytes.
        if i64::try_from(text.len()).is_ok_and(|bytes| bytes <= limit.get()) {
            return;
        }
        let count = crate::unicode::count(text);
        if i64::try_from(count).is_ok_and(|count| count > limit.get()) {
            #[allow(clippy::cast_precision_loss, reason = "texts are limited")]
            out.push(
                Finding::new(Code::PromptTooLong, pointer)
                    .arg(count as f64)
                    .arg(limit.get() as f64),
            );
        }
    });
}

fn with_terms(facts: &Facts<'_>, code: Code, out: &mut Findings) {
    if facts.terms().next().is_none() {
        return;
    }
    each_text(facts, |text, pointer| {
        let words = terms::words(text);
        let found = terms::matches(&words, facts.terms(), |terms| match code {
            Code::PromptBlocked => terms.blocked.as_deref(),
            _ => terms.flagged.as_deref(),
        });
        for term in found {
            out.push(Finding::new(code, pointer.clone()).arg(term.to_owned()));
        }
    });
}

/// A term to look at.
pub(super) fn flagged(facts: &Facts<'_>, out: &mut Findings) {
    with_terms(facts, Code::PromptFlagged, out);
}

/// A term that is refused.
pub(super) fn blocked(facts: &Facts<'_>, out: &mut Findings) {
    with_terms(facts, Code::PromptBlocked, out);
}
