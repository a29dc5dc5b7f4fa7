//! The plan as people read it in a terminal.

use std::fmt::Write as _;

use onepath_core::{Plan, PlanChange, PlanNode, PlanPart, PlanSide};

use super::git::Commit;
use super::words::{self, count};

pub(super) fn text(plan: &Plan, base: &Commit, notes: &[String]) -> String {
    let mut out =
        format!("since {} ({}): {}\n", base.revision, base.short(), words::counts(&plan.counts));
    for change in PlanChange::ALL {
        let nodes: Vec<&PlanNode> =
            plan.nodes.iter().filter(|node| node.change == change).collect();
        if nodes.is_empty() {
            continue;
        }
        let title = match change {
            PlanChange::Edited => "edited, with the same key",
            PlanChange::Moved => "moved, with the same key",
            other => other.word(),
        };
        let _ = writeln!(out, "\n{title}");
        if change == PlanChange::Moved {
            for (from, to, number) in words::moves(plan) {
                let _ = writeln!(out, "  {from} -> {to}: {}", count(number, "node"));
            }
        }
        for one in nodes.into_iter().filter(|one| !words::moved_with_file(one)) {
            node(&mut out, one);
        }
    }
    if !plan.causes.is_empty() {
        out.push_str("\ncauses outside of the nodes\n");
        for shared in &plan.causes {
            let what = words::cause(&shared.cause, |name| format!("`{name}`"));
            let _ = writeln!(out, "  {}  {what}", count(shared.nodes.len(), "node"));
        }
    }
    if !plan.totals.is_empty() {
        out.push_str("\nto make\n");
        let width = plan.totals.iter().map(|one| words::provider(one).len()).max().unwrap_or(0);
        for total in &plan.totals {
            let _ = writeln!(
                out,
                "  {:<width$}  {:<11}  {}",
                words::provider(total),
                count(total.results, "result"),
                words::total(total)
            );
        }
        for name in words::unknown(plan) {
            let _ = writeln!(out, "  price not known: {name}");
        }
    }
    if !plan.invalidated.is_empty() {
        let _ = writeln!(
            out,
            "\nno longer asked for: {}",
            count(plan.invalidated.len(), "stored result")
        );
    }
    if plan.counts.still_refused > 0 {
        let _ =
            writeln!(out, "\nrefused before and now: {}", count(plan.counts.still_refused, "node"));
    }
    for note in notes {
        let _ = writeln!(out, "note: {note}");
    }
    out
}

fn name(side: &PlanSide) -> String {
    format!("{}#{}", side.file, side.name)
}

fn node(out: &mut String, node: &PlanNode) {
    let Some(side) = node.side() else { return };
    let result = words::result(node);
    let gap = if result.is_empty() { "" } else { "  " };
    let _ = writeln!(out, "  {}{gap}{result}", name(side));
    if let (Some(base), Some(head)) = (&node.base, &node.head)
        && name(base) != name(head)
    {
        let _ = writeln!(out, "    was    {}", name(base));
    }
    keys(out, node);
    for finding in node.head.iter().flat_map(|head| &head.findings) {
        let _ = writeln!(out, "    {finding}");
    }
    for difference in &node.differences {
        if difference.changes_key || node.change != PlanChange::Changed {
            let (left, right) = words::values(difference);
            let _ = writeln!(out, "    field  {}  {left} -> {right}", difference.pointer);
        }
    }
    for cause in node.causes.iter().filter(|cause| cause.part != PlanPart::Node) {
        let _ = writeln!(out, "    cause  {}", words::cause(cause, |name| format!("`{name}`")));
    }
}

/// The keys, where they say something that the other lines do not.
fn keys(out: &mut String, node: &PlanNode) {
    let key = |side: Option<&PlanSide>| -> Option<String> {
        let side = side?;
        if let Some(key) = &side.cache_key {
            return Some(key.clone());
        }
        if !side.pending.is_empty() {
            return Some(format!("pending: {}", side.pending.join(", ")));
        }
        Some(match &side.request_hash {
            Some(hash) => format!("no key: the strategy is always, request {hash}"),
            None => "refused".to_owned(),
        })
    };
    let (base, head) = (key(node.base.as_ref()), key(node.head.as_ref()));
    match node.change {
        PlanChange::Changed => {
            if let (Some(base), Some(head)) = (base, head) {
                let _ = writeln!(out, "    key    {base}\n        -> {head}");
            }
        }
        PlanChange::Added | PlanChange::Removed => {
            if let Some(key) = head.or(base) {
                let _ = writeln!(out, "    key    {key}");
            }
        }
        PlanChange::Refused | PlanChange::Moved | PlanChange::Edited => {}
    }
}
