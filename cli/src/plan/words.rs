//! How changes, causes and values are told, in text and in Markdown alike.

use onepath_core::{
    Difference, Plan, PlanCause, PlanChange, PlanCounts, PlanNode, PlanPart, PlanResult, PlanTotal,
    Value, canonical_value,
};

use crate::money::{dollars, price};

/// Characters of a value that are shown.
const SHOWN: usize = 72;
/// Characters that two long values share before and behind what differs.
const AROUND: usize = 20;

/// `1 node`, `2 nodes`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// What became of all nodes, in a few words.
pub(super) fn counts(counts: &PlanCounts) -> String {
    let parts = [
        (counts.changed, "changed"),
        (counts.added, "added"),
        (counts.removed, "removed"),
        (counts.refused, "refused"),
        (counts.moved, "moved"),
        (counts.edited, "edited with the same key"),
        (counts.unchanged, "unchanged"),
    ];
    let told: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    if told.is_empty() { "no nodes".to_owned() } else { told.join(", ") }
}

/// The two values of a difference; of long ones what differs, with a little around it.
pub(super) fn values(difference: &Difference) -> (String, String) {
    let show = |value: &Option<Value<'static>>| {
        value.as_ref().map_or_else(|| "(absent)".to_owned(), canonical_value)
    };
    let (left, right) = (show(&difference.left), show(&difference.right));
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len() <= SHOWN && right.len() <= SHOWN {
        return (left.into_iter().collect(), right.into_iter().collect());
    }
    let same = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
    let rest = left.len().min(right.len()) - same;
    let ends = left.iter().rev().zip(right.iter().rev());
    let same_end = ends.take(rest).take_while(|(left, right)| left == right).count();
    (cut(&left, same, same_end), cut(&right, same, same_end))
}

/// A text without what is the same before and behind, but for a little.
fn cut(text: &[char], same: usize, same_end: usize) -> String {
    let from = same.saturating_sub(AROUND);
    let to = text.len() - same_end.saturating_sub(AROUND);
    let to_shown = to.min(from + SHOWN);
    let middle: String = text.get(from..to_shown).unwrap_or_default().iter().collect();
    let before = if from > 0 { "…" } else { "" };
    let behind = if to_shown < text.len() { "…" } else { "" };
    format!("{before}{middle}{behind}")
}

/// A cause; `code` marks names.
pub(super) fn cause(cause: &PlanCause, code: impl Fn(&str) -> String) -> String {
    let mut out = match &cause.file {
        Some(file) if cause.part != PlanPart::Node => format!("{}: ", code(file)),
        _ => String::new(),
    };
    let subjects: Vec<String> = cause.subjects.iter().map(|subject| code(subject)).collect();
    let what = match (cause.part, subjects.len()) {
        (PlanPart::Node, _) => "the node itself",
        (PlanPart::Scene, 0 | 1) => "scene",
        (PlanPart::Scene, _) => "scenes",
        (PlanPart::Npcs, 0) => "the npcs",
        (PlanPart::Npcs, 1) => "npc",
        (PlanPart::Npcs, _) => "npcs",
        (PlanPart::Templates, 0) => "the templates",
        (PlanPart::Templates, _) => "template",
        (PlanPart::World, _) => "the world",
        (PlanPart::User, _) => "the user",
        (PlanPart::Session, _) => "the session",
        (PlanPart::Provider, _) => "what the provider declares",
    };
    out.push_str(what);
    if !subjects.is_empty() {
        out.push(' ');
        out.push_str(&subjects.join(", "));
    }
    match (&cause.base_version, &cause.head_version) {
        (Some(before), Some(after)) if before == after => {
            out.push_str(&format!(" (another text under the same version {})", code(after)));
        }
        (Some(before), Some(after)) => {
            out.push_str(&format!(" ({} -> {})", code(before), code(after)));
        }
        (Some(before), None) => out.push_str(&format!(" ({} is gone)", code(before))),
        (None, Some(after)) => out.push_str(&format!(" ({} is new)", code(after))),
        (None, None) => {}
    }
    out
}

/// Nodes that stand in another file and kept their name: from where, to where, and how many.
pub(super) fn moves(plan: &Plan) -> Vec<(&str, &str, usize)> {
    let mut out: Vec<(&str, &str, usize)> = Vec::new();
    for node in plan.nodes.iter().filter(|node| moved_with_file(node)) {
        let (Some(base), Some(head)) = (&node.base, &node.head) else { continue };
        match out.iter_mut().find(|(from, to, _)| *from == base.file && *to == head.file) {
            Some((_, _, number)) => *number += 1,
            None => out.push((&base.file, &head.file, 1)),
        }
    }
    out
}

/// Whether a node is one that [`moves`] counts.
pub(super) fn moved_with_file(node: &PlanNode) -> bool {
    let same_name = match (&node.base, &node.head) {
        (Some(base), Some(head)) => base.name == head.name && base.file != head.file,
        _ => false,
    };
    node.change == PlanChange::Moved && same_name && node.differences.is_empty()
}

/// What comes of a node's result.
pub(super) fn result(node: &PlanNode) -> String {
    match (node.result, node.price) {
        (Some(PlanResult::Make), Some(estimate)) => price(estimate),
        (Some(PlanResult::Make), None) => "price unknown".to_owned(),
        (Some(PlanResult::Shared), _) => "made with another node".to_owned(),
        (Some(PlanResult::Exists), _) => "exists".to_owned(),
        (None, _) => String::new(),
    }
}

/// What a provider's part costs.
pub(super) fn total(total: &PlanTotal) -> String {
    let known = total.results - total.unknown.len();
    let mut parts = Vec::new();
    if total.micros > 0 {
        parts.push(dollars(total.micros));
    }
    if total.credits > 0 {
        parts.push(format!("{} credits", total.credits));
    }
    if parts.is_empty() && known > 0 {
        parts.push("free".to_owned());
    }
    if !total.unknown.is_empty() {
        parts.push(format!("{} without a known price", total.unknown.len()));
    }
    parts.join(", ")
}

/// What everything costs.
pub(super) fn bill(plan: &Plan) -> String {
    let parts: Vec<String> = plan
        .totals
        .iter()
        .filter(|one| one.micros > 0 || one.credits > 0 || !one.unknown.is_empty())
        .map(|one| format!("{} ({})", total(one), provider(one)))
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" + ") }
}

/// The provider's name.
pub(super) fn provider(total: &PlanTotal) -> &str {
    total.provider.as_deref().unwrap_or("no provider named")
}

/// How many results are to be made.
pub(super) fn results(plan: &Plan) -> usize {
    plan.totals.iter().map(|total| total.results).sum()
}

/// What has no price, as `file#name`.
pub(super) fn unknown(plan: &Plan) -> Vec<&str> {
    plan.totals.iter().flat_map(|total| &total.unknown).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use onepath_core::{Difference, Policy};

    use super::values;

    #[test]
    fn long_values_show_what_differs() {
        let difference = |left: &str, right: &str| Difference {
            pointer: "/prompt".to_owned(),
            left: Some(left.to_owned().into()),
            right: Some(right.to_owned().into()),
            policy: Policy::Identity,
            changes_key: true,
        };
        let (left, right) = values(&difference("a lamp", "a brass lamp"));
        assert_eq!((left.as_str(), right.as_str()), (r#""a lamp""#, r#""a brass lamp""#));
        let long = "x".repeat(500);
        let (left, right) =
            values(&difference(&format!("{long}calm{long}"), &format!("{long}wild{long}")));
        let around = "x".repeat(20);
        assert_eq!(left, format!("…{around}calm{around}…"));
        assert_eq!(right, format!("…{around}wild{around}…"));
        // One is the beginning of the other.
        let (left, right) = values(&difference(&long, &format!("{long}y")));
        assert_eq!(left, format!("…{around}\""));
        assert_eq!(right, format!("…{around}y\""));
        let (left, _) = values(&difference(&long, "z"));
        assert!(left.chars().count() <= 74, "{left}");
    }
}
