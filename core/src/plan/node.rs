//! The nodes of a tree, each walked along the path.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ANYONE, PlanDocument, PlanSide};
use crate::build::Prepared;
use crate::codes::Code;
use crate::context::PlayerContextSnapshot;
use crate::document::Document;
use crate::explain::explain;
use crate::finding::{Finding, Severity};
use crate::id::Id;
use crate::json::number::Integer;
use crate::request::GenerateContentRequest;
use crate::scene::{NodeItem, Place};

/// What a node is in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum NodeKind {
    /// A node.
    Node,
    /// An edge that generates.
    Edge,
    /// A config without a node around it.
    Config,
}

/// A node with what it is known by.
#[derive(Debug)]
pub(super) struct Node<'n> {
    pub(super) file: &'n str,
    pub(super) name: String,
    pub(super) kind: NodeKind,
    /// Whether its name is its own, rather than a place.
    pub(super) named: bool,
    /// How many nodes of its file have the same name before it.
    pub(super) occurrence: usize,
    pub(super) item: NodeItem<'n>,
    pub(super) document: &'n Document<'n>,
}

/// The nodes of all documents, in order.
pub(super) fn nodes<'n>(documents: &'n [PlanDocument<'n>]) -> Vec<Node<'n>> {
    let mut seen: BTreeMap<(&str, NodeKind, String), usize> = BTreeMap::new();
    let mut out = Vec::new();
    for PlanDocument { file, place, document } in documents {
        for item in &document.items {
            let (kind, nameless) = match item.place {
                Place::Config => (NodeKind::Config, true),
                Place::Node => (NodeKind::Node, item.name == "node"),
                Place::SceneNode(at) => (NodeKind::Node, item.name == format!("nodes[{at}]")),
                Place::SceneEdge(..) => (NodeKind::Edge, false),
            };
            let name = match place {
                Some(place) if nameless => place.clone(),
                _ => item.name.clone(),
            };
            let count = seen.entry((file, kind, name.clone())).or_default();
            let occurrence = *count;
            *count += 1;
            let mut item = item.clone();
            stand_in(&mut item, document);
            out.push(Node { file, name, kind, named: !nameless, occurrence, item, document });
        }
    }
    out
}

/// Gives a node the playthrough, player and time that it needs and lacks.
fn stand_in(item: &mut NodeItem<'_>, document: &Document<'_>) {
    let prepared = document.prepare(item);
    let lacks = |code: Code| prepared.report.findings().iter().any(|found| found.code() == code);
    let (playthrough, player, now) = (
        lacks(Code::ScopePlaythroughMissing),
        lacks(Code::ScopePlayerMissing),
        lacks(Code::SeedNowMissing),
    );
    drop(prepared);
    if playthrough || player {
        let context =
            item.options.player_context.get_or_insert_with(PlayerContextSnapshot::default);
        if playthrough {
            context.playthrough_id = Id::new(ANYONE);
        }
        if player {
            context.player_id = Id::new(ANYONE);
        }
    }
    if now {
        item.options.now = Some(Integer::from(0));
    }
}

impl Node<'_> {
    /// Whether config and context are the same as those of another.
    pub(super) fn same_text(&self, other: &Node<'_>) -> bool {
        self.item.config == other.item.config && self.item.options == other.item.options
    }
}

/// A node and what comes of it.
#[derive(Debug)]
pub(super) struct Made<'m> {
    pub(super) node: &'m Node<'m>,
    pub(super) prepared: Prepared<'m>,
}

impl<'m> Made<'m> {
    pub(super) fn new(node: &'m Node<'m>) -> Self {
        Self { node, prepared: node.document.prepare(&node.item) }
    }

    pub(super) fn request(&self) -> Option<&GenerateContentRequest<'m>> {
        self.prepared.made.as_ref().map(|(request, _)| request)
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.prepared.made.as_ref()?.1.cache_key.as_deref()
    }

    fn hash(&self) -> Option<String> {
        Some(self.prepared.made.as_ref()?.1.hashes?.request.to_string())
    }

    pub(super) fn seed_follows(&self) -> bool {
        self.prepared.made.as_ref().is_some_and(|(request, print)| print.seed_follows(request))
    }

    /// Whether a template is pending.
    pub(super) fn awaits_template(&self) -> bool {
        let pending = self.prepared.made.iter().flat_map(|(_, print)| &print.pending);
        pending.into_iter().any(|what| what.starts_with("template:"))
    }

    /// What its result goes by: its key, or the request's hash where there is no key; nothing while
    /// something is pending.
    pub(super) fn result(&self) -> Option<String> {
        self.key().map(str::to_owned).or_else(|| self.hash())
    }

    /// Whether hashes and key are the same; while something is pending, whether the same is pending
    /// and no field differs that matters to them.
    pub(super) fn same(&self, other: &Made<'_>) -> bool {
        same(&self.prepared, self.node, &other.prepared, other.node)
    }

    pub(super) fn side(&self) -> PlanSide {
        let print = self.prepared.made.as_ref().map(|(_, print)| print);
        PlanSide {
            file: self.node.file.to_owned(),
            name: self.node.name.clone(),
            cache_key: self.key().map(str::to_owned),
            request_hash: self.hash(),
            pending: print.map(|print| print.pending.clone()).unwrap_or_default(),
            findings: if print.is_some() { Vec::new() } else { refusing(&self.prepared) },
        }
    }
}

/// The findings that stand in the way of a request.
pub(super) fn refusing(prepared: &Prepared<'_>) -> Vec<Finding> {
    let all = prepared.report.findings();
    let refusing: Vec<Finding> =
        all.iter().filter(|finding| finding.code().refuses_build()).cloned().collect();
    if refusing.is_empty() {
        // A part that could not be read stands in the way, too.
        let error = |finding: &&Finding| finding.severity() == Severity::Error;
        return all.iter().filter(error).cloned().collect();
    }
    refusing
}

/// See [`Made::same`].
pub(super) fn same(
    one: &Prepared<'_>,
    one_node: &Node<'_>,
    other: &Prepared<'_>,
    other_node: &Node<'_>,
) -> bool {
    match (&one.made, &other.made) {
        (Some((left, left_print)), Some((right, right_print))) => {
            match (&left_print.hashes, &right_print.hashes) {
                (Some(left), Some(right)) => {
                    left == right && left_print.cache_key == right_print.cache_key
                }
                (None, None) => {
                    let providers =
                        [one_node, other_node].map(|node| node.item.options.provider.as_ref());
                    left_print.pending == right_print.pending
                        && !explain(left, right, providers).iter().any(|row| row.changes_key)
                }
                _ => false,
            }
        }
        (None, None) => {
            let codes = |prepared: &Prepared<'_>| -> Vec<Code> {
                refusing(prepared).iter().map(Finding::code).collect()
            };
            codes(one) == codes(other)
        }
        _ => false,
    }
}
