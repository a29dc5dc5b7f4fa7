//! What of a document or its context changed a key.
//!
//! Found by trying: a part counts as a cause if the node as it was comes to another key with that
//! part alone as it is now, or the node as it is does with that part alone as it was.

use std::collections::BTreeMap;

use serde::Serialize;

use super::PlanNode;
use super::node::{Made, Node, same};
use crate::config::SceneRef;
use crate::context::{BuildOptions, Npc};
use crate::scene::NodeItem;

/// A part of what a node is built of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PlanPart {
    /// The node itself: its config and its own options, for an edge its rules too.
    Node,
    /// A scene that it leads from or to.
    Scene,
    /// The world.
    World,
    /// The user.
    User,
    /// The playthrough's state.
    Session,
    /// The npcs.
    Npcs,
    /// The templates of prompts.
    Templates,
    /// What a provider declares.
    Provider,
}

impl PlanPart {
    const ALL: [Self; 8] = [
        Self::Node,
        Self::Scene,
        Self::World,
        Self::User,
        Self::Session,
        Self::Npcs,
        Self::Templates,
        Self::Provider,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Scene => "scene",
            Self::World => "world",
            Self::User => "user",
            Self::Session => "session",
            Self::Npcs => "npcs",
            Self::Templates => "templates",
            Self::Provider => "provider",
        }
    }

    /// Where rules would point to it.
    fn pointer(self) -> &'static str {
        match self {
            Self::Node => "",
            Self::Scene => "/options/fromScene",
            Self::World => "/options/world",
            Self::User => "/options/user",
            Self::Session => "/options/session",
            Self::Npcs => "/options/npcs",
            Self::Templates => "/options/templates",
            Self::Provider => "/options/provider",
        }
    }
}

/// What changed a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanCause {
    /// The part.
    pub part: PlanPart,
    /// The file it stands in, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What of the part: the id of a scene or template, the ids of npcs.
    pub subjects: Vec<String>,
    /// The version of a template before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_version: Option<String>,
    /// The version of a template after; if it is the one before, its text was changed under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_version: Option<String>,
}

/// A cause outside of the nodes, with every node whose key it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SharedCause {
    /// The cause.
    #[serde(flatten)]
    pub cause: PlanCause,
    /// The nodes, as `file#name`.
    pub nodes: Vec<String>,
}

/// Collects the causes that lie outside of the nodes, those of most nodes first.
pub(super) fn shared(nodes: &[PlanNode]) -> Vec<SharedCause> {
    let mut by_cause: BTreeMap<&PlanCause, Vec<String>> = BTreeMap::new();
    for node in nodes {
        let Some(side) = node.side() else { continue };
        for cause in node.causes.iter().filter(|cause| cause.part != PlanPart::Node) {
            by_cause.entry(cause).or_default().push(format!("{}#{}", side.file, side.name));
        }
    }
    let all: Vec<SharedCause> = by_cause
        .into_iter()
        .map(|(cause, nodes)| SharedCause { cause: cause.clone(), nodes })
        .collect();
    let count = |at: usize| all.get(at).map_or(0, |shared| shared.nodes.len());
    let order = crate::order::sorted(all.len(), &mut |one, other| count(other).cmp(&count(one)));
    order.into_iter().filter_map(|at| all.get(at).cloned()).collect()
}

/// The parts that made one node into the other.
pub(super) fn causes(
    before: &Made<'_>,
    after: &Made<'_>,
    files: &[(PlanPart, String)],
) -> Vec<PlanCause> {
    let differs = |from: &Made<'_>, into: &Made<'_>, part: PlanPart| {
        let mut item = into.node.item.clone();
        swap(part, &from.node.item, &mut item);
        let tried = into.node.document.prepare(&item);
        !same(&into.prepared, into.node, &tried, into.node)
    };
    let mut out: Vec<PlanCause> = PlanPart::ALL
        .into_iter()
        .filter(|part| !equal(*part, before.node, after.node))
        .filter(|part| differs(after, before, *part) || differs(before, after, *part))
        .map(|part| cause(part, before.node, after.node, files))
        .collect();
    if out.is_empty() {
        // Several parts that do nothing alone, or a fault of the document around.
        out.push(cause(PlanPart::Node, before.node, after.node, files));
    }
    out
}

/// Whether somebody edited the node or its scenes, rather than the context of all nodes.
pub(super) fn is_edited(before: &Node<'_>, after: &Node<'_>) -> bool {
    !(equal(PlanPart::Node, before, after) && equal(PlanPart::Scene, before, after))
}

/// Whether a part is the same on both sides.
fn equal(part: PlanPart, before: &Node<'_>, after: &Node<'_>) -> bool {
    let (one, other) = (&before.item.options, &after.item.options);
    match part {
        PlanPart::Node => {
            // With the other parts out of sight.
            before.item.config == after.item.config && without_parts(one) == without_parts(other)
        }
        PlanPart::Scene => changed_scenes(one, other).is_empty(),
        PlanPart::World => one.world == other.world,
        PlanPart::User => one.user == other.user,
        PlanPart::Session => one.session == other.session,
        PlanPart::Npcs => one.npcs == other.npcs && one.npc_ids == other.npc_ids,
        PlanPart::Templates => one.templates == other.templates,
        PlanPart::Provider => one.provider == other.provider,
    }
}

/// The scenes that both sides name and that are not the same.
fn changed_scenes(one: &BuildOptions<'_>, other: &BuildOptions<'_>) -> Vec<String> {
    let ends = [(&one.from_scene, &other.from_scene), (&one.to_scene, &other.to_scene)];
    let mut out: Vec<String> = Vec::new();
    for (one, other) in ends {
        if let (Some(one), Some(other)) = (one, other)
            && one.id == other.id
            && one != other
            && !out.contains(&one.id.to_string())
        {
            out.push(one.id.to_string());
        }
    }
    out
}

/// The options that are the node's own; a scene counts as its id.
fn without_parts<'o>(options: &BuildOptions<'o>) -> BuildOptions<'o> {
    let mut own = BuildOptions {
        world: None,
        user: None,
        session: None,
        npcs: None,
        npc_ids: None,
        templates: None,
        provider: None,
        ..options.clone()
    };
    for (scene, id) in [
        (own.from_scene.take(), &mut own.from_scene_id),
        (own.to_scene.take(), &mut own.to_scene_id),
    ] {
        if let Some(scene) = scene {
            *id = Some(scene.id);
        }
    }
    own
}

/// Takes one part over.
fn swap<'i>(part: PlanPart, from: &NodeItem<'i>, into: &mut NodeItem<'i>) {
    let (own, other) = (&from.options, &mut into.options);
    match part {
        PlanPart::Node => {
            let parts = other.clone();
            into.config = from.config.clone();
            // What leads to another scene is the node's own doing.
            let scene = |own: Option<&SceneRef<'i>>, there: Option<SceneRef<'i>>| {
                let same = |there: &SceneRef<'i>| own.is_some_and(|own| own.id == there.id);
                there.filter(same).or_else(|| own.cloned())
            };
            into.options = BuildOptions {
                from_scene: scene(own.from_scene.as_ref(), parts.from_scene),
                to_scene: scene(own.to_scene.as_ref(), parts.to_scene),
                world: parts.world,
                user: parts.user,
                session: parts.session,
                npcs: parts.npcs,
                npc_ids: parts.npc_ids,
                templates: parts.templates,
                provider: parts.provider,
                ..own.clone()
            };
        }
        PlanPart::Scene => {
            for (own, other) in
                [(&own.from_scene, &mut other.from_scene), (&own.to_scene, &mut other.to_scene)]
            {
                if let (Some(own), Some(scene)) = (own, other.as_ref())
                    && own.id == scene.id
                {
                    *other = Some(own.clone());
                }
            }
        }
        PlanPart::World => other.world.clone_from(&own.world),
        PlanPart::User => other.user.clone_from(&own.user),
        PlanPart::Session => other.session.clone_from(&own.session),
        PlanPart::Npcs => {
            other.npcs.clone_from(&own.npcs);
            other.npc_ids.clone_from(&own.npc_ids);
        }
        PlanPart::Templates => other.templates.clone_from(&own.templates),
        PlanPart::Provider => other.provider.clone_from(&own.provider),
    }
}

/// A part, with the file and what of it changed.
fn cause(
    part: PlanPart,
    before: &Node<'_>,
    after: &Node<'_>,
    files: &[(PlanPart, String)],
) -> PlanCause {
    let (one, other) = (&before.item.options, &after.item.options);
    let mut out = PlanCause {
        part,
        file: file(part, after).or_else(|| file(part, before)).or_else(|| {
            files.iter().find(|(known, _)| *known == part).map(|(_, file)| file.clone())
        }),
        subjects: Vec::new(),
        base_version: None,
        head_version: None,
    };
    match part {
        PlanPart::Scene => out.subjects = changed_scenes(one, other),
        PlanPart::Npcs => out.subjects = changed_npcs(one, other),
        PlanPart::Templates => {
            let id = after.item.config.template_id.as_ref();
            let id = id.or(before.item.config.template_id.as_ref());
            if let Some(id) = id {
                let version = |options: &BuildOptions<'_>| {
                    let template = options.templates.as_ref()?.get(id.as_str())?;
                    Some(template.version_id.to_string())
                };
                out.base_version = version(one);
                out.head_version = version(other);
                out.subjects.push(id.to_string());
            }
        }
        _ => {}
    }
    out
}

/// The file of the document, if the part stands in it.
fn file(part: PlanPart, node: &Node<'_>) -> Option<String> {
    let inside = match part {
        PlanPart::Node | PlanPart::Scene => true,
        part => node.document.holds(&node.item, part.pointer()),
    };
    inside.then(|| node.file.to_owned())
}

/// The npcs that are not as they were.
fn changed_npcs(one: &BuildOptions<'_>, other: &BuildOptions<'_>) -> Vec<String> {
    let list = |options: &BuildOptions<'_>| -> Vec<String> {
        let known = options.npcs.iter().flatten().map(|npc| npc.id.to_string());
        known.chain(options.npc_ids.iter().flatten().map(ToString::to_string)).collect()
    };
    let mut ids = list(one);
    ids.extend(list(other));
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| known(one, id) != known(other, id));
    ids
}

/// What is known of an npc, and whether they are in the scene.
fn known<'o>(options: &'o BuildOptions<'o>, id: &str) -> (Option<&'o Npc<'o>>, bool) {
    let npc = options.npcs.iter().flatten().find(|npc| npc.id.as_str() == id);
    (npc, options.npc_ids.iter().flatten().any(|known| known.as_str() == id))
}
