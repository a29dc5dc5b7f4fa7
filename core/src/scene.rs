//! Scene files: scenes, generation nodes and the edges between them, with their context.

use crate::codes::Code;
use crate::config::{FallbackConfig, GenerationNodeConfig, SceneRef};
use crate::context::{BuildOptions, Npc, Session, User, World};
use crate::decode::{Decode, Merge, Text, record};
use crate::finding::Finding;
use crate::id::{self, Id};
use crate::json::reader::Reader;
use crate::json::value::Map;
use crate::order::NameSet;

/// A list whose items are read each for itself: a fault in one leaves the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Items<T>(Vec<Option<T>>);

impl<T> Items<T> {
    /// The items that could be read, each with its place in the list.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        read_of(Some(self))
    }

    fn has_unread(&self) -> bool {
        self.0.iter().any(Option::is_none)
    }

    /// How many items the list has, those that could not be read included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the list has no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The same of a list that may be absent.
fn read_of<T>(items: Option<&Items<T>>) -> impl Iterator<Item = (usize, &T)> {
    let items = items.map_or(&[][..], |items| items.0.as_slice());
    items.iter().enumerate().filter_map(|(index, item)| Some((index, item.as_ref()?)))
}

impl<T: Clone> Merge for Items<T> {}

impl<T: serde::Serialize> serde::Serialize for Items<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().flatten())
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a, T: Decode<'a>> Decode<'a> for Items<T> {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        let at = reader.start();
        if !reader.open_list("a list") {
            return None;
        }
        let mut items = Vec::new();
        let mut first = true;
        while reader.next_item(&mut first) {
            items.push(T::decode(reader));
        }
        if items.len() > crate::limits::ITEMS {
            crate::json::value::too_large(reader, at, "the list", crate::limits::ITEMS);
        }
        Some(Self(items))
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Items<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("ItemsOf{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let item = generator.subschema_for::<T>();
        schemars::json_schema!({ "type": "array", "items": item })
    }
}

record! {
    /// A game's scenes, the nodes that generate content for them, and the edges between.
    #[derive(Default)]
    pub struct SceneFile<'a>("a scene file", unknown: file) {
        /// The scenes.
        scenes: Option<Items<SceneRef<'a>>> = "scenes";
        /// The nodes.
        nodes: Option<Items<GenerationNode<'a>>> = "nodes";
        /// The edges.
        edges: Option<Items<SceneEdge<'a>>> = "edges";
        /// What is known about npcs.
        npcs: Option<Vec<Npc<'a>>> = "npcs";
        /// The world.
        world: Option<World<'a>> = "world";
        /// A playthrough to try things with.
        session: Option<Session<'a>> = "session";
        /// A user to try things with.
        user: Option<User<'a>> = "user";
        /// An open map for tools.
        ui: Option<Map<'a>> = "ui";
    }
}

record! {
    /// A node that generates content.
    pub struct GenerationNode<'a>("a node", unknown: file) {
        /// Its id.
        id: Option<Id<'a>> = "id" with id::optional as Option<id::Optional>;
        /// The scene it leads from: an id of the file, or a whole scene.
        from_scene: Option<SceneLink<'a>> = "fromScene";
        /// The scene it leads to.
        to_scene: Option<SceneLink<'a>> = "toScene";
        /// What a designer edits.
        config: GenerationNodeConfig<'a> = "config", required JsonWrongType;
        /// What the build is given beside the config and the file's context.
        options: Option<BuildOptions<'a>> = "options";
        /// Kept and ignored.
        cache_key: Option<Text<'a>> = "cacheKey";
        /// Kept and ignored.
        health: Option<Map<'a>> = "health";
        /// An open map for tools.
        ui: Option<Map<'a>> = "ui";
    }
}

record! {
    /// From one place of the graph to another.
    pub struct SceneEdge<'a>("an edge", unknown: refuse) {
        /// Its id.
        id: Option<Id<'a>> = "id" with id::optional as Option<id::Optional>;
        /// A scene or a node.
        from: Id<'a> = "from", required JsonEmptyId;
        /// A scene or a node.
        to: Id<'a> = "to", required JsonEmptyId;
        /// Whether and how it generates.
        meta: Option<GenerationEdgeMeta<'a>> = "meta";
        /// An open map for tools.
        ui: Option<Map<'a>> = "ui";
    }
}

record! {
    /// How an edge generates.
    #[derive(Default)]
    pub struct GenerationEdgeMeta<'a>("an edge's meta", unknown: refuse) {
        /// Whether the edge generates: its node's config with `rules` merged in.
        generate: Option<bool> = "generate";
        /// Parts of a config, merged member by member: objects deep, lists replaced.
        rules: Option<GenerationNodeConfig<'a>> = "rules";
        /// Replaces the config's fallback.
        fallback: Option<FallbackConfig<'a>> = "fallback";
    }
}

/// A scene, by its id or whole.
#[derive(Debug, Clone, PartialEq)]
pub enum SceneLink<'a> {
    /// An id of the file's scenes.
    Id(Id<'a>),
    /// The scene itself.
    Scene(SceneRef<'a>),
}

impl Merge for SceneLink<'_> {}

impl serde::Serialize for SceneLink<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(id) => id.serialize(serializer),
            Self::Scene(scene) => scene.serialize(serializer),
        }
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a> Decode<'a> for SceneLink<'a> {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        if reader.peek() == b'{' {
            SceneRef::decode(reader).map(Self::Scene)
        } else {
            Id::decode(reader).map(Self::Id)
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SceneLink<'_> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SceneLink".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (id, scene) =
            (generator.subschema_for::<Id<'_>>(), generator.subschema_for::<SceneRef<'_>>());
        schemars::json_schema!({
            "description": "A scene, by its id in this file or whole.",
            "anyOf": [id, scene],
        })
    }
}

/// One config of a document with its whole context.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeItem<'a> {
    /// The node's id, the edge's id or ends, or the place in the list.
    pub name: String,
    /// What is built.
    pub config: GenerationNodeConfig<'a>,
    /// With what it is built.
    pub options: BuildOptions<'a>,
    /// Where the config stands.
    pub(crate) place: Place,
}

/// Where a config and its context stand in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The document is the config.
    Config,
    /// The document is the node.
    Node,
    /// A node of a scene file.
    SceneNode(usize),
    /// An edge of a scene file: the edge, and its node.
    SceneEdge(usize, usize),
}

impl Place {
    /// Where a rule's pointer leads in the document; for an edge first in its rules.
    pub(crate) fn pointers(self, pointer: &str) -> Vec<String> {
        match (self, pointer.strip_prefix("/options")) {
            (Self::Config, _) => vec![pointer.to_owned()],
            (Self::Node, None) => vec![format!("/config{pointer}")],
            (Self::Node, Some(rest)) => {
                vec![format!("/options{rest}"), rest.to_owned(), pointer.to_owned()]
            }
            (Self::SceneNode(node), None) => vec![format!("/nodes/{node}/config{pointer}")],
            (Self::SceneEdge(edge, node), None) => vec![
                format!("/edges/{edge}/meta{pointer}"),
                format!("/edges/{edge}/meta/rules{pointer}"),
                format!("/nodes/{node}/config{pointer}"),
            ],
            (Self::SceneNode(node) | Self::SceneEdge(_, node), Some(rest)) => vec![
                format!("/nodes/{node}/options{rest}"),
                format!("/nodes/{node}{rest}"),
                rest.to_owned(),
                pointer.to_owned(),
            ],
        }
    }

    /// A document's pointer as rules have it, if it lies in what this place reads. What no rule
    /// reads, but the item is made of, lies below `/document`.
    pub(crate) fn rule_pointer(self, pointer: &str) -> Option<String> {
        let other = |rest: &str| Some(format!("/document{rest}"));
        let node_part = |rest: &str| -> Option<String> {
            if let Some(config) = below(rest, "/config") {
                return Some(config.to_owned());
            }
            if let Some(options) = below(rest, "/options") {
                return Some(format!("/options{options}"));
            }
            for (camel, snake) in [("/fromScene", "/from_scene"), ("/toScene", "/to_scene")] {
                if let Some(scene) = below(rest, camel).or_else(|| below(rest, snake)) {
                    return Some(format!("/options{camel}{scene}"));
                }
            }
            other(rest)
        };
        let in_scene = |node: usize| -> Option<String> {
            if let Some(rest) = below(pointer, "/nodes") {
                let rest =
                    below(rest, &format!("/{node}")).or_else(|| rest.is_empty().then_some(""))?;
                return node_part(rest);
            }
            if below(pointer, "/edges").is_some() {
                return None;
            }
            let context = ["/session", "/world", "/user", "/npcs"];
            if context.iter().any(|part| below(pointer, part).is_some()) {
                return Some(format!("/options{pointer}"));
            }
            other(pointer)
        };
        match self {
            Self::Config => Some(pointer.to_owned()),
            Self::Node => node_part(pointer),
            Self::SceneNode(node) => in_scene(node),
            Self::SceneEdge(edge, node) => match below(pointer, &format!("/edges/{edge}")) {
                Some(rest) => match below(rest, "/meta/rules").or_else(|| below(rest, "/meta")) {
                    Some(rule) => Some(rule.to_owned()),
                    None => other(rest),
                },
                None => in_scene(node),
            },
        }
    }
}

/// What stands behind `base` in a pointer that is `base` or lies below it.
fn below<'p>(pointer: &'p str, base: &str) -> Option<&'p str> {
    pointer.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl<'a> SceneFile<'a> {
    /// Ids that stand twice, and ids that lead nowhere. Lists of which something could not be read
    /// are not looked at for what they lack.
    pub(crate) fn findings(&self, faults: &[Finding]) -> Vec<Finding> {
        let mut out = Vec::new();
        let whole = |list: &str, unread: bool| {
            !unread && !faults.iter().any(|fault| fault.pointer() == list)
        };
        let scenes_whole = whole("/scenes", self.scenes.as_ref().is_some_and(Items::has_unread));
        let nodes_whole = whole("/nodes", self.nodes.as_ref().is_some_and(Items::has_unread));
        let scenes: Vec<(usize, &Id<'a>)> =
            read_of(self.scenes.as_ref()).map(|(at, scene)| (at, &scene.id)).collect();
        let nodes: Vec<(usize, &Id<'a>)> = read_of(self.nodes.as_ref())
            .filter_map(|(at, node)| Some((at, node.id.as_ref()?)))
            .collect();
        for (what, list, ids) in [("scene", "scenes", &scenes), ("node", "nodes", &nodes)] {
            let mut seen = NameSet::default();
            for (at, id) in ids {
                if !seen.insert(id.as_str().into()) {
                    out.push(
                        Finding::new(Code::NodeDuplicateId, format!("/{list}/{at}/id"))
                            .arg(what)
                            .arg(id.to_string()),
                    );
                }
            }
        }
        let mut unknown = |id: &Id<'a>, what: &'static str, pointer: String| {
            out.push(Finding::new(Code::SceneUnknown, pointer).arg(id.to_string()).arg(what));
        };
        let is_scene = |id: &Id<'a>| scenes.iter().any(|(_, known)| *known == id);
        let is_node = |id: &Id<'a>| nodes.iter().any(|(_, known)| *known == id);
        for (at, node) in read_of(self.nodes.as_ref()) {
            for (link, name) in [(&node.from_scene, "fromScene"), (&node.to_scene, "toScene")] {
                if let Some(SceneLink::Id(id)) = link
                    && scenes_whole
                    && !is_scene(id)
                {
                    unknown(id, "scene", format!("/nodes/{at}/{name}"));
                }
            }
        }
        for (at, edge) in read_of(self.edges.as_ref()) {
            for (id, name) in [(&edge.from, "from"), (&edge.to, "to")] {
                if scenes_whole && nodes_whole && !is_scene(id) && !is_node(id) {
                    unknown(id, "scene or node", format!("/edges/{at}/{name}"));
                }
            }
            let generates = edge.meta.as_ref().and_then(|meta| meta.generate) == Some(true);
            if generates && is_scene(&edge.from) && is_scene(&edge.to) {
                unknown(&edge.to, "node", format!("/edges/{at}/to"));
            }
        }
        out
    }

    /// Every config of the file with its context: nodes first, then the edges that generate.
    ///
    /// An edge's node is the one it leads to, else the one it comes from. `base` is what is known
    /// beside the file; the file's own context counts before it, a node's `options` before that.
    #[must_use]
    pub fn items(&self, base: &BuildOptions<'a>) -> Vec<NodeItem<'a>> {
        let mut context = base.clone();
        replace(&mut context.session, self.session.as_ref());
        replace(&mut context.world, self.world.as_ref());
        replace(&mut context.user, self.user.as_ref());
        replace(&mut context.npcs, self.npcs.as_ref());
        let mut out = Vec::new();
        let nodes: Vec<(usize, &GenerationNode<'a>)> = read_of(self.nodes.as_ref()).collect();
        for &(at, node) in &nodes {
            let name = node.id.as_ref().map_or_else(|| format!("nodes[{at}]"), Id::to_string);
            out.push(NodeItem {
                name,
                config: node.config.clone(),
                options: self.options(node, &context),
                place: Place::SceneNode(at),
            });
        }
        for (at, edge) in read_of(self.edges.as_ref()) {
            let Some(meta) = edge.meta.as_ref().filter(|meta| meta.generate == Some(true)) else {
                continue;
            };
            let named = |id: &Id<'a>| nodes.iter().find(|(_, node)| node.id.as_ref() == Some(id));
            // Only a scene at its end leaves the edge to the node it comes from: a node that could
            // not be read has no stand-in.
            let scenes = || read_of(self.scenes.as_ref());
            let to_scene = || scenes().any(|(_, scene)| scene.id == edge.to);
            let from = || if to_scene() { named(&edge.from) } else { None };
            let Some(&(node_at, node)) = named(&edge.to).or_else(from) else {
                continue;
            };
            let mut config = node.config.clone();
            if let Some(rules) = &meta.rules {
                config.merge(rules);
            }
            if meta.fallback.is_some() {
                config.fallback.clone_from(&meta.fallback);
            }
            let name = edge
                .id
                .as_ref()
                .map_or_else(|| format!("{}->{}", edge.from, edge.to), Id::to_string);
            out.push(NodeItem {
                name,
                config,
                options: self.options(node, &context),
                place: Place::SceneEdge(at, node_at),
            });
        }
        out
    }

    fn options(&self, node: &GenerationNode<'a>, context: &BuildOptions<'a>) -> BuildOptions<'a> {
        let mut options = with_context(node.options.clone(), context);
        let scene = |link: Option<&SceneLink<'a>>| match link? {
            SceneLink::Scene(scene) => Some(scene.clone()),
            SceneLink::Id(id) => {
                let mut scenes = read_of(self.scenes.as_ref());
                scenes.find(|(_, scene)| scene.id == *id).map(|(_, scene)| scene.clone())
            }
        };
        options.from_scene = scene(node.from_scene.as_ref()).or(options.from_scene);
        options.to_scene = scene(node.to_scene.as_ref()).or(options.to_scene);
        options
    }
}

fn replace<T: Clone>(into: &mut Option<T>, from: Option<&T>) {
    if from.is_some() {
        *into = from.cloned();
    }
}

/// A node's own options, with the context where they say nothing.
fn with_context<'a>(own: Option<BuildOptions<'a>>, context: &BuildOptions<'a>) -> BuildOptions<'a> {
    let mut options = context.clone();
    if let Some(own) = own {
        options.replace_with(own);
    }
    options
}

impl<'a> GenerationNode<'a> {
    /// The config with its context, for a document that is one node.
    #[must_use]
    pub fn into_item(self, base: &BuildOptions<'a>) -> NodeItem<'a> {
        let mut options = with_context(self.options, base);
        let scene = |link: SceneLink<'a>| match link {
            SceneLink::Scene(scene) => scene,
            SceneLink::Id(id) => SceneRef::new(id),
        };
        options.from_scene = self.from_scene.map(scene).or(options.from_scene);
        options.to_scene = self.to_scene.map(scene).or(options.to_scene);
        let name = self.id.as_ref().map_or_else(|| "node".to_owned(), Id::to_string);
        NodeItem { name, config: self.config, options, place: Place::Node }
    }
}
