//! Rules about constraints.

use super::Findings;
use crate::codes::Code;
use crate::decode::Text;
use crate::facts::Facts;
use crate::finding::Finding;

fn required<'f>(facts: &Facts<'f>) -> Option<&'f [Text<'f>]> {
    facts.config.constraints.as_ref()?.required_elements.as_deref()
}

fn avoided<'f>(facts: &Facts<'f>) -> Option<&'f [Text<'f>]> {
    facts.config.constraints.as_ref()?.avoid_elements.as_deref()
}

fn empty(list: Option<&[Text<'_>]>, code: Code, pointer: &'static str, out: &mut Findings) {
    if list.is_some_and(<[_]>::is_empty) {
        out.push(Finding::new(code, pointer));
    }
}

fn many(
    list: Option<&[Text<'_>]>,
    limit: usize,
    code: Code,
    pointer: &'static str,
    out: &mut Findings,
) {
    if let Some(list) = list
        && list.len() > limit
    {
        #[allow(clippy::cast_precision_loss, reason = "lists are limited")]
        out.push(Finding::new(code, pointer).arg(list.len() as f64));
    }
}

/// R24: no picture can both show and not show it; one finding an element.
pub(super) fn required_and_avoided(facts: &Facts<'_>, out: &mut Findings) {
    let (Some(required), Some(avoided)) = (required(facts), avoided(facts)) else { return };
    for (index, element) in required.iter().enumerate() {
        let first = !required.iter().take(index).any(|earlier| earlier == element);
        if first && avoided.contains(element) {
            let pointer = format!("/constraints/requiredElements/{index}");
            out.push(
                Finding::new(Code::ConstraintsRequiredAndAvoided, pointer)
                    .arg(element.clone().into_owned()),
            );
        }
    }
}

/// R25: present but empty.
pub(super) fn empty_required(facts: &Facts<'_>, out: &mut Findings) {
    empty(required(facts), Code::ConstraintsEmptyRequired, "/constraints/requiredElements", out);
}

/// R26: present but empty.
pub(super) fn empty_avoided(facts: &Facts<'_>, out: &mut Findings) {
    empty(avoided(facts), Code::ConstraintsEmptyAvoided, "/constraints/avoidElements", out);
}

/// R27: present but empty.
pub(super) fn empty_rules(facts: &Facts<'_>, out: &mut Findings) {
    let rules = facts.config.constraints.as_ref().and_then(|rules| rules.content_rules.as_deref());
    empty(rules, Code::ConstraintsEmptyRules, "/constraints/contentRules", out);
}

/// R28: more than 5.
pub(super) fn many_required(facts: &Facts<'_>, out: &mut Findings) {
    let code = Code::ConstraintsManyRequired;
    many(required(facts), 5, code, "/constraints/requiredElements", out);
}

/// R29: more than 10.
pub(super) fn many_avoided(facts: &Facts<'_>, out: &mut Findings) {
    many(avoided(facts), 10, Code::ConstraintsManyAvoided, "/constraints/avoidElements", out);
}
