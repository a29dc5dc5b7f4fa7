//! The plan as a comment on a pull request.

use std::fmt::Write as _;

use onepath_core::{Plan, PlanChange, PlanNode, PlanPart, PlanSide};

use super::git::Commit;
use super::words::{self, count};

/// The first line: a tool that keeps one comment up to date finds it by this.
const MARK: &str = "<!-- onepath plan -->";
/// Bytes that the tables may take: GitHub refuses comments of more than 65,536 characters.
const ROOM: usize = 56 * 1024;
/// Differences of one node that are shown.
const FIELDS: usize = 8;
/// Nodes of one cause that are named.
const NAMES: usize = 12;

pub(super) fn markdown(plan: &Plan, base: &Commit, notes: &[String]) -> String {
    let mut out = format!("{MARK}\n### {}\n\n", title(plan));
    let _ = writeln!(
        out,
        "Compared with {} at {}: {}.",
        code(&base.revision),
        code(base.short()),
        words::counts(&plan.counts)
    );
    totals(&mut out, plan);
    causes(&mut out, plan);
    let mut left_out = 0;
    for change in PlanChange::ALL {
        left_out += table(&mut out, plan, change);
    }
    if left_out > 0 {
        let _ = writeln!(
            out,
            "\n{} left out here; `onepath plan` prints all of them.",
            if left_out == 1 { "1 node is".to_owned() } else { format!("{left_out} nodes are") }
        );
    }
    let plural = |number: usize, what: &str, verb: [&str; 2]| {
        format!("{} {}", count(number, what), verb.get(usize::from(number != 1)).unwrap_or(&""))
    };
    if !plan.invalidated.is_empty() {
        let stored = plural(plan.invalidated.len(), "stored result", ["is", "are"]);
        let _ = writeln!(out, "\n{stored} no longer asked for.");
    }
    if plan.counts.still_refused > 0 {
        let refused = plural(plan.counts.still_refused, "node", ["was", "were"]);
        let _ = writeln!(
            out,
            "\n{refused} refused before and still {}.",
            if plan.counts.still_refused == 1 { "is" } else { "are" }
        );
    }
    if !notes.is_empty() {
        out.push('\n');
        for note in notes {
            let _ = writeln!(out, "- {}", plain(note));
        }
    }
    out
}

fn title(plan: &Plan) -> String {
    if !plan.changes_keys() {
        return "onepath: no key changes".to_owned();
    }
    let results = words::results(plan);
    let refused = match plan.counts.refused {
        0 => String::new(),
        refused => format!(", {} refused", count(refused, "node")),
    };
    if results == 0 {
        return format!("onepath: nothing to make{refused}");
    }
    format!("onepath: {} to make{refused}", count(results, "result"))
}

fn totals(out: &mut String, plan: &Plan) {
    if plan.totals.is_empty() {
        return;
    }
    out.push_str("\n| provider | to make | price |\n|---|--:|---|\n");
    for total in &plan.totals {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            plain(words::provider(total)),
            total.results,
            words::total(total)
        );
    }
    let unknown = words::unknown(plan);
    if !unknown.is_empty() {
        let _ = writeln!(out, "\nNo known price: {}.", names(&unknown));
    }
}

fn causes(out: &mut String, plan: &Plan) {
    if plan.causes.is_empty() {
        return;
    }
    out.push_str("\n**Causes outside of the nodes**\n\n");
    for shared in &plan.causes {
        let nodes: Vec<&str> = shared.nodes.iter().map(String::as_str).collect();
        let _ = writeln!(
            out,
            "- {} changes {}: {}",
            words::cause(&shared.cause, code),
            count(nodes.len(), "node"),
            names(&nodes)
        );
    }
}

/// Some names, and how many more there are.
fn names(all: &[&str]) -> String {
    let mut shown: Vec<String> = all.iter().take(NAMES).map(|name| code(name)).collect();
    if all.len() > NAMES {
        shown.push(format!("and {} more", all.len() - NAMES));
    }
    shown.join(", ")
}

/// The nodes with one kind of change; gives how many there was no room for.
fn table(out: &mut String, plan: &Plan, change: PlanChange) -> usize {
    let nodes: Vec<&PlanNode> = plan.nodes.iter().filter(|node| node.change == change).collect();
    if nodes.is_empty() {
        return 0;
    }
    let title = match change {
        PlanChange::Refused => "Refused",
        PlanChange::Changed => "Changed",
        PlanChange::Added => "Added",
        PlanChange::Removed => "Removed",
        PlanChange::Moved => "Moved, same key",
        PlanChange::Edited => "Edited, same key",
    };
    // What needs an eye is open; the rest is there for those who look.
    let open = matches!(change, PlanChange::Refused | PlanChange::Changed);
    let open = if open && nodes.len() <= 20 { " open" } else { "" };
    let _ = writeln!(out, "\n<details{open}><summary>{title}: {}</summary>\n", nodes.len());
    out.push_str(match change {
        PlanChange::Refused => "| node | why |\n|---|---|\n",
        PlanChange::Changed => "| node | what changes the key | price |\n|---|---|---|\n",
        PlanChange::Added => "| node | key | price |\n|---|---|---|\n",
        PlanChange::Removed => "| node | key |\n|---|---|\n",
        PlanChange::Moved => "| node | was |\n|---|---|\n",
        PlanChange::Edited => "| node | what differs |\n|---|---|\n",
    });
    if change == PlanChange::Moved {
        for (from, to, number) in words::moves(plan) {
            let (from, to) = (cell_code(from), cell_code(to));
            let _ = writeln!(out, "| {} in {to} | {from} |", count(number, "node"));
        }
    }
    let mut left_out = 0;
    for node in nodes.into_iter().filter(|node| !words::moved_with_file(node)) {
        let row = row(node);
        if out.len() + row.len() > ROOM {
            left_out += 1;
        } else {
            out.push_str(&row);
        }
    }
    out.push_str("\n</details>\n");
    left_out
}

fn row(node: &PlanNode) -> String {
    let Some(side) = node.side() else { return String::new() };
    let name = format!("{}<br>{}", cell_code(&side.name), plain(&side.file));
    let was = node.base.as_ref().map(|base| format!("{}#{}", base.file, base.name));
    match node.change {
        PlanChange::Refused => {
            let why: Vec<String> = side
                .findings
                .iter()
                .take(FIELDS)
                .map(|finding| {
                    let code = cell_code(finding.code().slug());
                    format!(
                        "{code} at {}: {}",
                        cell_code(finding.pointer()),
                        plain(&finding.message())
                    )
                })
                .chain(causes_of(node))
                .collect();
            format!("| {name} | {} |\n", why.join("<br>"))
        }
        PlanChange::Changed => {
            let mut what = fields(node, true);
            if what.is_empty() && node.base.as_ref().is_some_and(|base| !base.findings.is_empty()) {
                what.push("was refused".to_owned());
            }
            what.extend(tails(node));
            what.extend(causes_of(node));
            format!("| {name} | {} | {} |\n", what.join("<br>"), words::result(node))
        }
        PlanChange::Added => {
            format!("| {name} | {} | {} |\n", key(side), words::result(node))
        }
        PlanChange::Removed => format!("| {name} | {} |\n", key(side)),
        PlanChange::Moved => {
            format!("| {name} | {} |\n", was.as_deref().map(cell_code).unwrap_or_default())
        }
        PlanChange::Edited => format!("| {name} | {} |\n", fields(node, false).join("<br>")),
    }
}

fn causes_of(node: &PlanNode) -> Vec<String> {
    let outside = node.causes.iter().filter(|cause| cause.part != PlanPart::Node);
    outside.map(|cause| format!("because of {}", words::cause(cause, cell_code))).collect()
}

/// The fields that differ; of a changed key only those that change it.
fn fields(node: &PlanNode, of_key: bool) -> Vec<String> {
    let all: Vec<_> =
        node.differences.iter().filter(|found| found.changes_key || !of_key).collect();
    let mut out: Vec<String> = all
        .iter()
        .take(FIELDS)
        .map(|found| {
            let (left, right) = words::values(found);
            format!("{}: {} → {}", cell_code(&found.pointer), cell_code(&left), cell_code(&right))
        })
        .collect();
    if all.len() > FIELDS {
        out.push(format!("and {} more", count(all.len() - FIELDS, "field")));
    }
    out
}

/// The ends of both keys: what stands before them is long, and mostly the same.
fn tails(node: &PlanNode) -> Option<String> {
    let tail = |side: &PlanSide| -> Option<String> {
        let text = side.cache_key.as_deref().or(side.request_hash.as_deref())?;
        let tail = text.rsplit('|').next()?;
        Some(cell_code(tail.get(..8).unwrap_or(tail)))
    };
    Some(format!("{} → {}", tail(node.base.as_ref()?)?, tail(node.head.as_ref()?)?))
}

fn key(side: &PlanSide) -> String {
    match &side.cache_key {
        Some(key) => cell_code(key),
        None if !side.pending.is_empty() => format!("pending: {}", plain(&side.pending.join(", "))),
        None if side.request_hash.is_some() => "none: the strategy is always".to_owned(),
        None => "refused".to_owned(),
    }
}

/// A code span that holds any text.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    let longest = text.split(|one| one != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// The same in a table, where a bar ends the cell even there.
fn cell_code(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Text that is only text.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for one in text.chars() {
        match one {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' => {
                out.push('\\');
                out.push(one);
            }
            one if one.is_control() => out.push(' '),
            one => out.push(one),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{cell_code, code, plain};

    #[test]
    fn any_text_stays_where_it_stands() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(cell_code("a|b\nc"), "`a\\|b c`");
        assert_eq!(plain("<b>|*x*\n@all"), "&lt;b&gt;\\|\\*x\\* \\@all");
    }
}
