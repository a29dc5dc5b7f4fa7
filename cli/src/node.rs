//! Commands that walk nodes along the path: build, fingerprint, diff, price, walk.

use std::io::IsTerminal as _;

use onepath_core::{
    BuildOptions, Estimate, Fingerprint, GenerateContentRequest, NodeItem, Prepared, Severity,
    Value, canonical_value, estimate_price, explain, read_document,
};
use serde::Serialize;

use crate::context::{BuildContext, Prices};
use crate::input::{self, Part, Source, parts, read, sources};
use crate::money::price as price_text;
use crate::print::Out;
use crate::render::{Format, Renderer};
use crate::{Outcome, Run};

#[derive(Debug, clap::Args)]
pub(crate) struct BuildArgs {
    /// Files, folders, globs, or `-` for standard input
    #[arg(required = true)]
    paths: Vec<String>,
    #[command(flatten)]
    context: BuildContext,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FingerprintArgs {
    #[command(flatten)]
    build: BuildArgs,
    /// Print the canonical text of the identity too
    #[arg(long)]
    canonical: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PriceArgs {
    #[command(flatten)]
    build: BuildArgs,
    /// Prices of your own, as a JSON file; they count before the known ones
    #[arg(long, value_name = "FILE")]
    prices: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WalkArgs {
    #[command(flatten)]
    price: PriceArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DiffArgs {
    /// A file with one node, or `FILE#NODE`
    left: String,
    /// A file with one node, or `FILE#NODE`
    right: String,
    #[command(flatten)]
    context: BuildContext,
    /// Print the differences as JSON
    #[arg(long)]
    json: bool,
}

/// One node of the documents that were named, walked along the path.
pub(crate) struct Node<'n> {
    pub(crate) file: &'n str,
    pub(crate) name: &'n str,
    pub(crate) prepared: &'n Prepared<'n>,
}

/// Reads documents and gives every node to `each`. Findings below `least` are not shown. Gives
/// whether anything was an error.
pub(crate) fn walk_nodes(
    paths: &[String],
    options: &BuildOptions<'_>,
    least: Severity,
    mut each: impl FnMut(&Node<'_>) -> Result<(), String>,
) -> Result<bool, String> {
    let mut renderer = Renderer::stderr(Format::Full);
    let mut refused = false;
    let mut documents = 0_usize;
    for source in sources(paths)? {
        let text = read(&source)?;
        let file = source.name();
        let around = input::faults_around(&text, &source);
        refused |= !around.is_empty();
        renderer.try_document(&file, 0, &text, &around)?;
        for Part { line, text: document, place } in parts(&source, &text) {
            documents += 1;
            let read = read_document(document, options);
            let elsewhere = read.elsewhere();
            refused |= !elsewhere.is_empty();
            renderer.try_document(&file, line, document, &elsewhere)?;
            for item in &read.items {
                let prepared = read.prepare(item);
                let shown: Vec<_> = prepared
                    .report
                    .findings()
                    .iter()
                    .filter(|finding| finding.severity() >= least || finding.code().refuses_build())
                    .cloned()
                    .collect();
                let errors = shown.iter().any(|finding| finding.severity() == Severity::Error);
                if prepared.made.is_none() || errors {
                    refused = true;
                }
                renderer.try_document(&file, line, document, &shown)?;
                // Bare configs have no name; among others they have a place.
                let place = place.as_deref().filter(|_| item.name == "config");
                let name = place.unwrap_or(&item.name);
                each(&Node { file: &file, name, prepared: &prepared })?;
            }
        }
    }
    if documents == 0 {
        return Err(format!("no node in {}", paths.join(" ")));
    }
    Ok(refused)
}

fn outcome(refused: bool) -> Outcome {
    if refused { Outcome::Findings } else { Outcome::Clean }
}

/// What is printed of a node when there are several.
#[derive(Serialize)]
struct Named<'n, T> {
    file: &'n str,
    node: &'n str,
    #[serde(flatten)]
    value: T,
}

/// What is printed of a fingerprint.
#[derive(Serialize)]
struct Shown<'p> {
    #[serde(flatten)]
    print: &'p Fingerprint,
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical: Option<&'p str>,
}

/// Prints one value of each node: whole for one node, as JSON lines for several.
fn print_each(
    args: &BuildArgs,
    value: impl Fn(&GenerateContentRequest<'_>, &Fingerprint, &Printer<'_>) -> Run,
) -> Run {
    let texts = args.context.load()?;
    let options = texts.options()?;
    let mut nodes = 0_usize;
    let mut lines: Vec<(String, String)> = Vec::new();
    let refused = walk_nodes(&args.paths, &options, Severity::Error, |node| {
        nodes += 1;
        if let Some((request, print)) = &node.prepared.made {
            let printed = std::cell::RefCell::new((String::new(), String::new()));
            value(request, print, &Printer { node, printed: &printed })?;
            lines.push(printed.into_inner());
        }
        Ok(())
    })?;
    let mut out = Out::new();
    for (whole, line) in &lines {
        out.line(if nodes == 1 { whole } else { line })?;
    }
    out.finish()?;
    Ok(outcome(refused))
}

/// Takes what is printed of one node, in both forms.
struct Printer<'n> {
    node: &'n Node<'n>,
    printed: &'n std::cell::RefCell<(String, String)>,
}

impl Printer<'_> {
    fn print(&self, value: &impl Serialize) -> Run {
        let fail = |error: serde_json::Error| error.to_string();
        let whole = serde_json::to_string_pretty(value).map_err(fail)?;
        let named = Named { file: self.node.file, node: self.node.name, value };
        *self.printed.borrow_mut() = (whole, serde_json::to_string(&named).map_err(fail)?);
        Ok(Outcome::Clean)
    }
}

pub(crate) fn build(args: &BuildArgs) -> Run {
    print_each(args, |request, _, printer| printer.print(request))
}

pub(crate) fn fingerprint(args: &FingerprintArgs) -> Run {
    print_each(&args.build, |_, print, printer| {
        let canonical = print.canonical().filter(|_| args.canonical);
        printer.print(&Shown { print, canonical })
    })
}

pub(crate) fn price(args: &PriceArgs) -> Run {
    let prices = Prices::load(args.prices.as_ref())?;
    let table = prices.table()?;
    print_each(&args.build, |request, _, printer| {
        printer.print(&estimate_price(request, table.as_ref()))
    })
}

/// Findings first, then one line a node.
pub(crate) fn walk(args: &WalkArgs) -> Run {
    let build = &args.price.build;
    let texts = build.context.load()?;
    let options = texts.options()?;
    let prices = Prices::load(args.price.prices.as_ref())?;
    let table = prices.table()?;
    let mut rows: Vec<[String; 5]> = Vec::new();
    let mut last_file = String::new();
    let refused = walk_nodes(&build.paths, &options, Severity::Warning, |node| {
        if node.file != last_file {
            node.file.clone_into(&mut last_file);
            rows.push([
                node.file.to_owned(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
            ]);
        }
        rows.push(row(node, |request| estimate_price(request, table.as_ref())));
        Ok(())
    })?;
    let mut out = Out::new();
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| row.iter().skip(1).any(|cell| !cell.is_empty()));
        cells.filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2), width(3)];
    for row in &rows {
        let [name, seed, rating, price, key] = row;
        if seed.is_empty() && key.is_empty() {
            out.line(name)?;
            continue;
        }
        let [w0, w1, w2, w3] = widths;
        out.line(&format!("  {name:<w0$}  seed {seed:<w1$}  {rating:<w2$}  {price:<w3$}  {key}"))?;
    }
    out.finish()?;
    Ok(outcome(refused))
}

fn row(node: &Node<'_>, estimate: impl Fn(&GenerateContentRequest<'_>) -> Estimate) -> [String; 5] {
    let Some((request, print)) = &node.prepared.made else {
        return [
            node.name.to_owned(),
            "-".to_owned(),
            "-".to_owned(),
            "-".to_owned(),
            "refused".to_owned(),
        ];
    };
    let rating = match print.rating.bound_by {
        Some(by) => {
            format!("{} (asked {}, bound by {by})", print.rating.effective, print.rating.asked)
        }
        None => print.rating.effective.to_string(),
    };
    let key = match (&print.cache_key, print.pending.as_slice()) {
        (Some(key), _) => key.clone(),
        (None, []) => "no key: the strategy is always".to_owned(),
        (None, pending) => format!("pending: {}", pending.join(", ")),
    };
    let seed = print.seed.clone().unwrap_or_else(|| "-".to_owned());
    [node.name.to_owned(), seed, rating, price_text(estimate(request)), key]
}

/// `FILE#NODE`: the file and the node.
fn split(argument: &str) -> (&str, Option<&str>) {
    match argument.rsplit_once('#') {
        Some((file, node)) if !std::path::Path::new(argument).exists() => (file, Some(node)),
        _ => (argument, None),
    }
}

fn choose<'i, 'a>(
    items: &'i [NodeItem<'a>],
    argument: &str,
    node: Option<&str>,
) -> Result<&'i NodeItem<'a>, String> {
    let names = || items.iter().map(|item| item.name.as_str()).collect::<Vec<_>>().join(", ");
    match (node, items) {
        (Some(node), _) => items
            .iter()
            .find(|item| item.name == node)
            .ok_or_else(|| format!("`{argument}`: no such node; there are {}", names())),
        (None, [item]) => Ok(item),
        (None, []) => Err(format!("`{argument}`: no node")),
        (None, _) => {
            Err(format!("`{argument}` has several nodes; name one behind `#`: {}", names()))
        }
    }
}

pub(crate) fn diff(args: &DiffArgs) -> Run {
    let texts = args.context.load()?;
    let options = texts.options()?;
    let mut renderer = Renderer::stderr(Format::Full);
    let read_side = |argument: &str| -> Result<(Source, String), String> {
        let (file, _) = split(argument);
        let source = Source { path: file.into(), named: true };
        let text = read(&source)?;
        Ok((source, text))
    };
    let (left, right) = (read_side(&args.left)?, read_side(&args.right)?);
    let documents = (read_document(&left.1, &options), read_document(&right.1, &options));
    let left_item = choose(&documents.0.items, &args.left, split(&args.left).1);
    let right_item = choose(&documents.1.items, &args.right, split(&args.right).1);
    for (side, document) in [(&left, &documents.0), (&right, &documents.1)] {
        renderer.document(&side.0.name(), &side.1, &document.elsewhere());
    }
    let (left_item, right_item) = (left_item?, right_item?);
    let prepared = (documents.0.prepare(left_item), documents.1.prepare(right_item));
    for (side, prepared) in [(&left, &prepared.0), (&right, &prepared.1)] {
        let refusing: Vec<_> = prepared
            .report
            .findings()
            .iter()
            .filter(|finding| finding.code().refuses_build())
            .cloned()
            .collect();
        renderer.document(&side.0.name(), &side.1, &refusing);
    }
    let (Some(left_made), Some(right_made)) = (&prepared.0.made, &prepared.1.made) else {
        return Ok(Outcome::Findings);
    };
    let providers = [left_item.options.provider.as_ref(), right_item.options.provider.as_ref()];
    let found = explain(&left_made.0, &right_made.0, providers);
    let differs = found.iter().any(|row| row.changes_key);
    let mut out = Out::new();
    if args.json {
        out.line(&serde_json::to_string_pretty(&found).map_err(|error| error.to_string())?)?;
    } else {
        let show = |value: &Option<Value<'static>>| {
            value.as_ref().map_or_else(|| "(absent)".to_owned(), canonical_value)
        };
        for (title, changes) in [("changes the key:", true), ("does not change the key:", false)] {
            let part: Vec<_> = found.iter().filter(|row| row.changes_key == changes).collect();
            if part.is_empty() {
                continue;
            }
            out.line(title)?;
            for row in part {
                out.line(&format!(
                    "  {}  {} -> {}",
                    row.pointer,
                    show(&row.left),
                    show(&row.right)
                ))?;
            }
        }
        if found.is_empty() {
            out.line("no difference: same key")?;
        }
        let keys = (&left_made.1.cache_key, &right_made.1.cache_key);
        if std::io::stdout().is_terminal()
            && let (Some(left), Some(right)) = keys
        {
            out.line(&format!("left   {left}\nright  {right}"))?;
        }
    }
    out.finish()?;
    Ok(outcome(differs))
}
