//! Documents as they lie in a repository: scene files, nodes with context, bare configs.

use std::ops::Range;
use std::sync::OnceLock;

use crate::build::{Prepared, prepare_with};
use crate::config::GenerationNodeConfig;
use crate::context::BuildOptions;
use crate::decode::{Decoded, Source, Text};
use crate::facts::{Facts, Known};
use crate::finding::{Finding, Report};
use crate::json::locate::Index;
use crate::json::reader::{Profile, Reader};
use crate::order::NameSet;
use crate::scene::{GenerationNode, NodeItem, Place, SceneFile};
use crate::validate;

/// What a document is, told by its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// It has `nodes` or `scenes`.
    Scene,
    /// It has `config`.
    Node,
    /// Any other object with a `generationType`, in either spelling.
    Config,
    /// A list of documents.
    List,
    /// An object with a `$schema` of ours, or none of these members.
    Other {
        /// Whether its `$schema` names one of ours.
        ours: bool,
    },
    /// No object and no list.
    Unknown,
}

/// Tells what a document is.
#[must_use]
pub fn document_kind(text: &str) -> DocumentKind {
    let mut reader = Reader::new(text, Profile::Any);
    match reader.peek() {
        b'[' => return DocumentKind::List,
        b'{' => {}
        _ if names_our_members(text) => return DocumentKind::Config,
        _ => return DocumentKind::Unknown,
    }
    let mut kind = DocumentKind::Other { ours: false };
    let mut first = true;
    reader.open_object("");
    while let Some(key) = reader.next_key(&mut first) {
        match key.text.as_ref() {
            "nodes" | "scenes" => return DocumentKind::Scene,
            "config" => kind = DocumentKind::Node,
            "generationType" | "generation_type" if kind != DocumentKind::Node => {
                kind = DocumentKind::Config;
            }
            "$schema" if matches!(kind, DocumentKind::Other { .. }) && reader.peek() == b'"' => {
                let ours = reader.string("").is_some_and(|schema| is_our_schema(&schema));
                kind = DocumentKind::Other { ours };
                continue;
            }
            _ => {}
        }
        reader.skip();
    }
    // What cannot be read to its end is still ours if it speaks our words: its faults must show.
    let broken = reader.is_broken() && kind == DocumentKind::Other { ours: false };
    if broken && names_our_members(text) { DocumentKind::Config } else { kind }
}

/// The first member of a text that is an object.
fn first_member(text: &str) -> Option<Text<'_>> {
    let mut reader = Reader::new(text, Profile::Any);
    let is_object = reader.peek() == b'{' && reader.open_object("");
    if is_object { reader.next_key(&mut true).map(|key| key.text) } else { None }
}

/// Whether a text that is no JSON looks like a document of ours.
fn names_our_members(text: &str) -> bool {
    let quotes = text.bytes().filter(|byte| *byte == b'"').count();
    let between = text.split('"').skip(1).take(quotes.saturating_sub(1));
    let ours = ["generationType", "generation_type", "nodes", "scenes"];
    between.into_iter().any(|name| ours.contains(&name))
}

/// Whether a `$schema` names a document that `check` reads.
fn is_our_schema(schema: &str) -> bool {
    let slash = schema.bytes().rposition(|byte| matches!(byte, b'/' | b'\\'));
    let name = schema.get(slash.map_or(0, |slash| slash + 1)..).unwrap_or(schema);
    ["scene-file", "generation-node", "generation-node-config"]
        .iter()
        .any(|known| name == format!("{known}.schema.json"))
}

/// The documents of a list, as ranges of the text.
#[must_use]
pub fn list_items(text: &str) -> Vec<Range<usize>> {
    let mut reader = Reader::new(text, Profile::Any);
    let mut out = Vec::new();
    let mut first = true;
    if reader.open_list("") {
        while reader.next_item(&mut first) {
            let start = reader.start();
            reader.skip();
            out.push(start..reader.position());
        }
    }
    out
}

/// A document that was read: its configs with their context, and what was found so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Document<'a> {
    /// Every config of the document with its context.
    pub items: Vec<NodeItem<'a>>,
    /// Faults of reading, then those of the file's ids.
    pub findings: Vec<Finding>,
    places: Places<'a>,
}

/// Reads a scene file, a node with context or a bare config; `base` is the context known beside it.
#[must_use]
pub fn read_document<'a>(text: &'a str, base: &BuildOptions<'a>) -> Document<'a> {
    let (items, findings) = read(&Source::borrowed(text), base);
    Document { items, findings, places: Places::of(text) }
}

/// The items of a document, and the faults of reading it.
pub(crate) fn read<'a>(
    source: &Source<'_, 'a>,
    base: &BuildOptions<'a>,
) -> (Vec<NodeItem<'a>>, Vec<Finding>) {
    // Most documents are configs, and a config without a fault is nothing else: `nodes`, `scenes`
    // and `config` are none of its fields. Only what has faults is looked at twice, and what starts
    // with a member that no config has is not read as one.
    let text = source.text;
    let first = first_member(text);
    let is_first = |names: &[&str]| first.as_deref().is_some_and(|first| names.contains(&first));
    let other = is_first(&["config", "id", "nodes", "scenes", "options", "$schema"]);
    if is_first(&["config", "id", "options"]) {
        // A node without a fault is nothing else either.
        let read: Decoded<GenerationNode<'a>> = source.decode();
        if let (Some(node), []) = (read.value, read.faults.as_slice()) {
            return (vec![node.into_item(base)], Vec::new());
        }
    }
    let read: Decoded<GenerationNodeConfig<'a>> =
        if other { Decoded { value: None, faults: Vec::new() } } else { source.decode() };
    let mut kind = DocumentKind::Config;
    if other || !read.faults.is_empty() {
        kind = document_kind(text);
    }
    match kind {
        DocumentKind::Scene => {
            let read: Decoded<SceneFile<'a>> = source.decode();
            let mut findings = read.faults;
            let items = read.value.as_ref().map(|file| file.items(base)).unwrap_or_default();
            if let Some(file) = &read.value {
                let mut ids = file.findings(&findings);
                if !ids.is_empty() {
                    let index = Index::new(text);
                    for finding in &mut ids {
                        finding.locate(&index.locate(finding.pointer()));
                    }
                }
                findings.extend(ids);
            }
            (items, findings)
        }
        DocumentKind::Node => {
            let read: Decoded<GenerationNode<'a>> = source.decode();
            (read.value.into_iter().map(|node| node.into_item(base)).collect(), read.faults)
        }
        _ => {
            let read = if other { source.decode() } else { read };
            let item = |config| NodeItem {
                name: "config".to_owned(),
                config,
                options: base.clone(),
                place: Place::Config,
            };
            (read.value.map(item).into_iter().collect(), read.faults)
        }
    }
}

/// Where things stand in a text, worked out when it is asked for first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Places<'t> {
    text: &'t str,
    index: OnceLock<Index>,
}

impl<'t> Places<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Self { text, index: OnceLock::new() }
    }

    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(self.text))
    }
}

/// Puts a rule's finding where the document has its cause, spelled as the document does.
fn place(index: &Index, item: &NodeItem<'_>, finding: &mut Finding) {
    let candidates = item.place.pointers(finding.pointer());
    let located: Vec<_> = candidates.iter().map(|pointer| index.locate(pointer)).collect();
    // What is absent is shown where it would be: a part of the context beside the config, a
    // part of the config in the node.
    let absent =
        if finding.pointer().starts_with("/options") { located.first() } else { located.last() };
    let place = located.iter().find(|place| place.found).or(absent);
    if let Some(place) = place {
        finding.locate(place);
    }
}

/// The faults of reading that lie in what this config reads, with pointers as rules have them.
fn faults_of(findings: &[Finding], item: &NodeItem<'_>) -> Vec<Finding> {
    let as_rule = |fault: &Finding| {
        let mut fault = fault.clone();
        fault.set_pointer(item.place.rule_pointer(fault.pointer())?);
        Some(fault)
    };
    findings.iter().filter_map(as_rule).collect()
}

/// Walks one config along the whole path; see [`Document::prepare`].
pub(crate) fn prepare<'i>(
    item: &'i NodeItem<'_>,
    findings: &[Finding],
    index: &dyn Fn() -> &'i Index,
    refusals_only: bool,
) -> Prepared<'i> {
    let faults = faults_of(findings, item);
    let prepared = prepare_with(&item.config, &item.options, &faults, refusals_only);
    let mut out: Vec<Finding> = findings
        .iter()
        .filter(|finding| item.place.rule_pointer(finding.pointer()).is_some())
        .cloned()
        .collect();
    for mut finding in prepared.report.into_findings() {
        place(index(), item, &mut finding);
        out.push(finding);
    }
    Prepared { report: Report::new(out), made: prepared.made }
}

/// Checks every config; see [`Document::check`].
pub(crate) fn check_items<'i>(
    items: &[NodeItem<'_>],
    findings: &[Finding],
    index: &dyn Fn() -> &'i Index,
) -> Report {
    let mut out = findings.to_vec();
    let mut seen = NameSet::default();
    for item in items {
        let faults = faults_of(findings, item);
        let facts = Facts::new(&item.config, &item.options, Known::Given);
        let session = facts.social().as_ref().err().cloned().unwrap_or_default();
        for mut finding in session.into_iter().chain(validate::run(&facts, &faults, false)) {
            place(index(), item, &mut finding);
            // An edge's config is its node's but for the rules: the same finding is shown once.
            let (code, pointer) = (finding.code().slug(), finding.pointer());
            if seen.insert(format!("{code} {pointer} {}", finding.message()).into()) {
                out.push(finding);
            }
        }
    }
    Report::new(out)
}

impl Document<'_> {
    /// Puts a rule's finding where the document has its cause, spelled as the document does.
    pub fn place(&self, item: &NodeItem<'_>, finding: &mut Finding) {
        place(self.places.index(), item, finding);
    }

    /// Whether the document itself holds what a rule's pointer names.
    pub(crate) fn holds(&self, item: &NodeItem<'_>, pointer: &str) -> bool {
        let index = self.places.index();
        item.place.pointers(pointer).iter().any(|pointer| index.locate(pointer).found)
    }

    /// Walks one config along the whole path. The report holds the faults of reading that lie in
    /// it, then what the rules find, all with pointers into the document.
    #[must_use]
    pub fn prepare<'i>(&'i self, item: &'i NodeItem<'_>) -> Prepared<'i> {
        prepare(item, &self.findings, &|| self.places.index(), false)
    }

    /// The findings that lie in none of the configs.
    #[must_use]
    pub fn elsewhere(&self) -> Vec<Finding> {
        let of_item = |finding: &Finding| {
            self.items.iter().any(|item| item.place.rule_pointer(finding.pointer()).is_some())
        };
        self.findings.iter().filter(|finding| !of_item(finding)).cloned().collect()
    }

    /// Checks every config with as much of its context as is given.
    #[must_use]
    pub fn check(self) -> Report {
        check_items(&self.items, &self.findings, &|| self.places.index())
    }
}

/// Checks a document: [`read_document`], then every rule on every config.
///
/// ```
/// use onepath_core::{BuildOptions, check};
///
/// let text = r#"{"generation_type": "dialogue", "purpose": "adaptive", "strategy": "once",
///     "seed_source": "player", "prompt": "hello", "duration": {"min": -1}, "social_context": {},
///     "fallback": {"mode": "skip"}, "promt": "x"}"#;
/// let found: Vec<_> = check(text, &BuildOptions::default()).into_findings();
/// assert_eq!(found[0].to_string(), "error[json/unknown-field] `promt` is not a field of a node config at `/promt`");
/// assert_eq!(found[1].pointer(), "/duration/min");
/// ```
#[must_use]
pub fn check<'a>(text: &'a str, base: &BuildOptions<'a>) -> Report {
    read_document(text, base).check()
}
