//! What a change of documents makes of their keys: which nodes change theirs, why, what is no
//! longer found, and what making the rest costs.
//!
//! Two trees are compared, the documents of each with the context beside them. A node is the same
//! in both by its file and name; one that left its file is looked for by its key, then by its name.

mod cause;
mod node;
mod pair;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::document::Document;
use crate::explain::{Difference, explain};
use crate::finding::Finding;
use crate::fingerprint::CONTRACT_VERSION;
use crate::price::{Estimate, PriceTable, estimate_price};
use crate::request::GenerateContentRequest;
use node::{Made, nodes};

pub use cause::{PlanCause, PlanPart, SharedCause};
pub use node::NodeKind;

/// What stands for a playthrough or a player that a node needs and nobody gave: any of them.
pub const ANYONE: &str = "*";

/// One document of a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanDocument<'a> {
    /// The file it stands in.
    pub file: String,
    /// Its place among several documents of that file, such as `line 3`.
    pub place: Option<String>,
    /// What it says.
    pub document: Document<'a>,
}

/// What became of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PlanChange {
    /// No request can be made of it: its findings say why.
    Refused,
    /// Its key or its hashes are others than before.
    Changed,
    /// It was not there.
    Added,
    /// It is no longer there.
    Removed,
    /// It stands in another file or has another name; its key is the same.
    Moved,
    /// It differs in fields that no key depends on.
    Edited,
}

impl PlanChange {
    /// Every change, in the order in which they are told.
    pub const ALL: [Self; 6] =
        [Self::Refused, Self::Changed, Self::Added, Self::Removed, Self::Moved, Self::Edited];

    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Moved => "moved",
            Self::Edited => "edited",
        }
    }
}

/// Where the result of a node comes from after the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PlanResult {
    /// It is to be made; its price counts.
    Make,
    /// It is made for another node of the plan, which has the same key.
    Shared,
    /// A node had this key before: what was made for that one serves.
    Exists,
}

/// A node on one side of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanSide {
    /// Its file.
    pub file: String,
    /// Its name there: the id of a node or edge, or its place.
    pub name: String,
    /// Where its result is stored; none for the strategy always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_key: Option<String>,
    /// The hash of its request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_hash: Option<String>,
    /// What is not known, so that there is no key: `template:<id>`, `provider:<id>`, `provider`.
    pub pending: Vec<String>,
    /// Why no request can be made of it.
    pub findings: Vec<Finding>,
}

/// A node that is not as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanNode {
    /// What became of it.
    pub change: PlanChange,
    /// What it is.
    pub kind: NodeKind,
    /// How it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<PlanSide>,
    /// How it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<PlanSide>,
    /// In which fields its request differs, those that matter to the key first.
    pub differences: Vec<Difference>,
    /// What of its document or context changed its key.
    pub causes: Vec<PlanCause>,
    /// Where its result comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<PlanResult>,
    /// What making its result is expected to cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Estimate>,
}

impl PlanNode {
    /// The side to name it by: as it is, else as it was.
    #[must_use]
    pub fn side(&self) -> Option<&PlanSide> {
        self.head.as_ref().or(self.base.as_ref())
    }
}

/// How many nodes there are, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanCounts {
    /// Nodes before.
    pub base: usize,
    /// Nodes after.
    pub head: usize,
    /// Nodes that are as they were, or differ in nothing that a request holds.
    pub unchanged: usize,
    /// Of those, nodes that were and are refused.
    pub still_refused: usize,
    /// Nodes of which no request can be made, unless they are as they were.
    pub refused: usize,
    /// Nodes with another key or other hashes.
    pub changed: usize,
    /// Nodes that were not there.
    pub added: usize,
    /// Nodes that are no longer there.
    pub removed: usize,
    /// Nodes in another file or with another name, and the same key.
    pub moved: usize,
    /// Nodes that differ in fields that no key depends on.
    pub edited: usize,
}

/// What a provider would be asked to make.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanTotal {
    /// The provider; none if nobody said which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// How many results.
    pub results: usize,
    /// Micro-dollars, of those whose price is known in dollars.
    pub micros: u64,
    /// The provider's credits, of those whose price is known in credits alone.
    pub credits: u64,
    /// Nodes whose price is not known, as `file#name`.
    pub unknown: Vec<String>,
}

/// A stored result that no node asks for any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanInvalidated {
    /// Its key.
    pub cache_key: String,
    /// The file of the node that asked for it.
    pub file: String,
    /// The node's name.
    pub name: String,
}

/// What a change does to keys and results.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    /// The version of the contract by which keys are made.
    pub contract: u32,
    /// Counts.
    pub counts: PlanCounts,
    /// The nodes that are not as they were: in the order of their documents, those removed last.
    pub nodes: Vec<PlanNode>,
    /// Causes outside of the nodes, with the nodes whose keys they change; most nodes first.
    pub causes: Vec<SharedCause>,
    /// Results that no node asks for any more.
    pub invalidated: Vec<PlanInvalidated>,
    /// What is to be made, by provider.
    pub totals: Vec<PlanTotal>,
}

impl Plan {
    /// Whether anything is made, lost or refused that was not before.
    #[must_use]
    pub fn changes_keys(&self) -> bool {
        let counts = &self.counts;
        counts.refused + counts.changed + counts.added + counts.removed > 0
    }

    /// Micro-dollars of everything that is to be made, and whether that is all of it: false if a
    /// price is not known, or is known in credits alone.
    #[must_use]
    pub fn dollars(&self) -> (u64, bool) {
        let micros = self.totals.iter().fold(0_u64, |sum, total| sum.saturating_add(total.micros));
        let all = self.totals.iter().all(|total| total.unknown.is_empty() && total.credits == 0);
        (micros, all)
    }
}

/// Compares two trees.
///
/// `files` says in which file a part of the context stood that the documents were read with, so
/// that a cause can be named. A playthrough, a player or a time that a node needs and that nobody
/// gave is taken to be [`ANYONE`], and the start of 1970, on both sides.
///
/// ```
/// use onepath_core::{BuildOptions, PlanChange, PlanDocument, decode, plan, read_document};
///
/// let options = decode::<BuildOptions>(r#"{"providerId": "local"}"#).into_result().unwrap();
/// let tree = |text| vec![PlanDocument {
///     file: "lamp.json".to_owned(), place: None, document: read_document(text, &options),
/// }];
/// let base = tree(r#"{"generationType": "text_to_image", "purpose": "ambient",
///     "strategy": "once", "prompt": "a lamp", "fallback": {"mode": "skip"}}"#);
/// let head = tree(r#"{"generationType": "text_to_image", "purpose": "ambient",
///     "strategy": "once", "prompt": "a brass lamp", "fallback": {"mode": "skip"}}"#);
/// let plan = plan(&base, &head, &[], None);
/// assert_eq!(plan.nodes[0].change, PlanChange::Changed);
/// assert_eq!(plan.nodes[0].differences[0].pointer, "/prompt");
/// assert_eq!(plan.totals[0].micros, 0);
/// ```
#[must_use]
pub fn plan(
    base: &[PlanDocument<'_>],
    head: &[PlanDocument<'_>],
    files: &[(PlanPart, String)],
    prices: Option<&PriceTable<'_>>,
) -> Plan {
    let (base_nodes, head_nodes) = (nodes(base), nodes(head));
    let (base, head): (Vec<Made<'_>>, Vec<Made<'_>>) =
        (base_nodes.iter().map(Made::new).collect(), head_nodes.iter().map(Made::new).collect());
    let mut counts = PlanCounts { base: base.len(), head: head.len(), ..PlanCounts::default() };
    let mut listed = Vec::new();
    for (before, after) in pair::pairs(&base, &head) {
        let before = before.and_then(|at| base.get(at));
        let after = after.and_then(|at| head.get(at));
        let refused = |made: Option<&Made<'_>>| made.is_some_and(|made| made.request().is_none());
        let Some(mut node) = compare(before, after) else {
            counts.unchanged += 1;
            counts.still_refused += usize::from(refused(after));
            continue;
        };
        let count = match node.change {
            PlanChange::Refused => &mut counts.refused,
            PlanChange::Changed => &mut counts.changed,
            PlanChange::Added => &mut counts.added,
            PlanChange::Removed => &mut counts.removed,
            PlanChange::Moved => &mut counts.moved,
            PlanChange::Edited => &mut counts.edited,
        };
        *count += 1;
        if let (Some(before), Some(after)) = (before, after)
            && matches!(node.change, PlanChange::Changed | PlanChange::Refused)
        {
            node.causes = cause::causes(before, after, files);
        }
        listed.push((node, after));
    }
    let results = |nodes: &[Made<'_>]| -> BTreeSet<String> {
        nodes.iter().filter_map(Made::result).collect()
    };
    let totals = price(&mut listed, &results(&base), prices);
    let wanted = results(&head);
    let mut seen = BTreeSet::new();
    let invalidated = base
        .iter()
        .filter_map(|made| {
            let key = made.key()?;
            (!wanted.contains(key) && seen.insert(key)).then(|| PlanInvalidated {
                cache_key: key.to_owned(),
                file: made.node.file.to_owned(),
                name: made.node.name.clone(),
            })
        })
        .collect();
    let nodes: Vec<PlanNode> = listed.into_iter().map(|(node, _)| node).collect();
    let causes = cause::shared(&nodes);
    Plan { contract: CONTRACT_VERSION, counts, nodes, causes, invalidated, totals }
}

/// What became of a node; none if it is as it was.
fn compare(before: Option<&Made<'_>>, after: Option<&Made<'_>>) -> Option<PlanNode> {
    let moved = match (before, after) {
        (Some(before), Some(after)) => {
            before.node.file != after.node.file
                || (before.node.named && before.node.name != after.node.name)
        }
        _ => false,
    };
    let mut differences = Vec::new();
    let change = match (before, after) {
        (None, None) => return None,
        (Some(_), None) => PlanChange::Removed,
        (None, Some(after)) if after.request().is_none() => PlanChange::Refused,
        (None, Some(_)) => PlanChange::Added,
        (Some(before), Some(after)) => match (before.request(), after.request()) {
            (None, None)
                if !moved && before.same(after) && !cause::is_edited(before.node, after.node) =>
            {
                return None;
            }
            (_, None) => PlanChange::Refused,
            (None, Some(_)) => PlanChange::Changed,
            (Some(left), Some(right)) => {
                if !before.node.same_text(after.node) {
                    differences = explained(before, after, left, right);
                }
                match (before.same(after), moved, differences.is_empty()) {
                    (false, _, _) => PlanChange::Changed,
                    (true, true, _) => PlanChange::Moved,
                    (true, false, false) if cause::is_edited(before.node, after.node) => {
                        PlanChange::Edited
                    }
                    (true, false, _) => return None,
                }
            }
        },
    };
    let kind = after.or(before).map_or(NodeKind::Config, |made| made.node.kind);
    Some(PlanNode {
        change,
        kind,
        base: before.map(Made::side),
        head: after.map(Made::side),
        differences,
        causes: Vec::new(),
        result: None,
        price: None,
    })
}

/// The fields in which two requests differ, without those that only follow from others.
fn explained(
    before: &Made<'_>,
    after: &Made<'_>,
    left: &GenerateContentRequest<'_>,
    right: &GenerateContentRequest<'_>,
) -> Vec<Difference> {
    let providers = [before, after].map(|made| made.node.item.options.provider.as_ref());
    let mut out = explain(left, right, providers);
    // A derived seed follows the identity.
    let others = out.iter().any(|found| found.changes_key && found.pointer != "/seed");
    let follows = others && before.seed_follows() && after.seed_follows();
    // What a template says is not known while it is pending, which says nothing about the prompt.
    let texts = before.awaits_template() != after.awaits_template();
    out.retain(|found| match found.pointer.as_str() {
        "/seed" => !(follows || texts),
        "/prompt" | "/negative_prompt" => !texts,
        _ => true,
    });
    out
}

/// Says where every new result comes from, and adds up what is to be made.
fn price(
    listed: &mut [(PlanNode, Option<&Made<'_>>)],
    existing: &BTreeSet<String>,
    prices: Option<&PriceTable<'_>>,
) -> Vec<PlanTotal> {
    let mut made = BTreeSet::new();
    let mut totals: BTreeMap<Option<String>, PlanTotal> = BTreeMap::new();
    for (node, after) in listed {
        if !matches!(node.change, PlanChange::Changed | PlanChange::Added) {
            continue;
        }
        let Some((request, after)) = after.and_then(|after| Some((after.request()?, after))) else {
            continue;
        };
        let result = after.result();
        node.result = Some(match &result {
            Some(result) if existing.contains(result) => PlanResult::Exists,
            Some(result) if !made.insert(result.clone()) => PlanResult::Shared,
            _ => PlanResult::Make,
        });
        if node.result != Some(PlanResult::Make) {
            continue;
        }
        let estimate = estimate_price(request, prices);
        node.price = Some(estimate);
        let provider = request.provider_id.as_ref().map(ToString::to_string);
        let total = totals.entry(provider.clone()).or_insert_with(|| PlanTotal {
            provider,
            results: 0,
            micros: 0,
            credits: 0,
            unknown: Vec::new(),
        });
        total.results += 1;
        match (estimate.micros, estimate.credits) {
            (Some(micros), _) => total.micros = total.micros.saturating_add(micros),
            (None, Some(credits)) => total.credits = total.credits.saturating_add(credits),
            (None, None) => total.unknown.push(format!("{}#{}", after.node.file, after.node.name)),
        }
    }
    totals.into_values().collect()
}
