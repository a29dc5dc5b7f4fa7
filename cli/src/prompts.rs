//! `onepath prompts`: the families of a server, and files of templates beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use onepath_client::{
    Client, NewPromptVersion, Piece, PromptTerms, PromptVariable, PromptVersion, VersionUsage,
};
use onepath_core::{Named, Template, Terms, decode};
use serde_json::{Map, Value, json};

use crate::money::dollars;
use crate::remote::ServerArgs;
use crate::render::{Format, Renderer};
use crate::{Outcome, Run, print};

/// What is done with prompts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the families with their newest versions
    List(List),
    /// Add the templates of a file as versions; what a family says already is left alone
    Push(Push),
    /// Write the newest versions to a file, as `--prompts` takes it
    Pull(Pull),
    /// Show in what two versions differ, word by word
    ///
    /// Exit code 1 means that they differ.
    Diff(Diff),
    /// Show how the runs of a family's versions ended, and what moderation refused
    Usage(Family),
    /// Print what the tenant blocks and flags, or set it from a file
    Terms(TermsArgs),
}

/// Options of `onepath prompts list`.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `onepath prompts push`.
#[derive(Debug, clap::Args)]
pub(crate) struct Push {
    /// Templates by id, as a JSON file
    file: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
    /// Who wrote them; the key's user if absent
    #[arg(long)]
    author: Option<String>,
    /// Why
    #[arg(long)]
    notes: Option<String>,
}

/// Options of `onepath prompts pull`.
#[derive(Debug, clap::Args)]
pub(crate) struct Pull {
    /// Where to write
    file: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `onepath prompts diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The family
    family: String,
    /// The first: `latest`, a number or an id; what the second was made from if absent
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,
    /// The second; the newest if absent
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `onepath prompts usage`.
#[derive(Debug, clap::Args)]
pub(crate) struct Family {
    /// The family
    family: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `onepath prompts terms`.
#[derive(Debug, clap::Args)]
pub(crate) struct TermsArgs {
    /// The terms to set, as a JSON file: `{"blocked": […], "flagged": […]}`
    #[arg(long, value_name = "FILE")]
    set: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) fn run(command: &Command) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    runtime.block_on(async {
        match command {
            Command::List(args) => list(&args.server.client()?).await,
            Command::Push(args) => push(args).await,
            Command::Pull(args) => pull(args).await,
            Command::Diff(args) => diff(args).await,
            Command::Usage(args) => usage(args).await,
            Command::Terms(args) => terms(args).await,
        }
    })
}

fn fail(error: impl std::fmt::Display) -> String {
    error.to_string()
}

async fn list(client: &Client) -> Run {
    for family in client.all_prompts().await.map_err(fail)? {
        let split = family.split.map_or(String::new(), |split| {
            let arms = split.arms.iter().map(|arm| format!("{} {}", arm.version_id, arm.weight));
            format!("  split {}", arms.collect::<Vec<_>>().join(" : "))
        });
        let name = family.name.map_or(String::new(), |name| format!("  {name}"));
        print::line(&format!("{}  {}{split}{name}", family.id, family.version.id))?;
    }
    Ok(Outcome::Clean)
}

/// The text of a file, and what it is called.
fn read(file: &Path) -> Result<(String, String), String> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, text))
}

async fn push(args: &Push) -> Run {
    let (name, text) = read(&args.file)?;
    let read = decode::<Named<'_, Template<'_>>>(&text);
    let Some(templates) = read.value.filter(|_| read.faults.is_empty()) else {
        Renderer::stderr(Format::Full).document(&name, &text, &read.faults);
        return Err(format!("{name} cannot be used"));
    };
    let client = args.server.client()?;
    for (family, template) in templates.iter() {
        let mut version = new_version(template)?;
        (version.author, version.notes) = (args.author.clone(), args.notes.clone());
        let before = match client.prompt_version(family, "latest").await {
            Ok(latest) => latest.number,
            Err(onepath_client::Error::Problem(problem)) if problem.status == 404 => 0,
            Err(error) => return Err(fail(error)),
        };
        let kept = client
            .add_prompt_version(family, &version)
            .await
            .map_err(|error| format!("{family}: {error}"))?;
        let word = if kept.number > before { "added" } else { "there already" };
        print::line(&format!("{family}  {}  {word}", kept.id))?;
    }
    Ok(Outcome::Clean)
}

fn new_version(template: &Template<'_>) -> Result<NewPromptVersion, String> {
    let mut variables: BTreeMap<String, PromptVariable> = BTreeMap::new();
    let defaults = template.variables.iter().flat_map(onepath_core::Map::iter);
    for (name, value) in defaults {
        let default = serde_json::to_value(value).map_err(fail)?;
        variables.entry(name.to_owned()).or_default().default = Some(default);
    }
    for (name, kind) in template.types.iter().flat_map(Named::iter) {
        variables.entry(name.to_owned()).or_default().kind = Some(kind.word().to_owned());
    }
    Ok(NewPromptVersion {
        text: template.text.as_deref().unwrap_or("").to_owned(),
        negative_text: template.negative_text.as_deref().map(str::to_owned),
        variables,
        ..NewPromptVersion::default()
    })
}

async fn pull(args: &Pull) -> Run {
    let families = args.server.client()?.all_prompts().await.map_err(fail)?;
    let all: Map<String, Value> =
        families.iter().map(|family| (family.id.clone(), template(&family.version))).collect();
    let text = serde_json::to_string_pretty(&all).map_err(fail)? + "\n";
    let name = args.file.display();
    std::fs::write(&args.file, text).map_err(|error| format!("{name}: {error}"))?;
    let count = all.len();
    let words = if count == 1 { "family" } else { "families" };
    print::line(&format!("{name}: {count} {words}"))?;
    Ok(Outcome::Clean)
}

/// A version as builders take it.
fn template(version: &PromptVersion) -> Value {
    let mut out = json!({ "versionId": version.id, "text": version.text });
    let Some(members) = out.as_object_mut() else { return out };
    if let Some(negative) = &version.negative_text {
        members.insert("negativeText".to_owned(), negative.as_str().into());
    }
    let said = |of: fn(&PromptVariable) -> Option<Value>| -> Map<String, Value> {
        let all = version.variables.iter();
        all.filter_map(|(name, variable)| Some((name.clone(), of(variable)?))).collect()
    };
    let types = said(|variable| variable.kind.clone().map(Value::from));
    for (name, map) in [("variables", said(|variable| variable.default.clone())), ("types", types)]
    {
        if !map.is_empty() {
            members.insert(name.to_owned(), map.into());
        }
    }
    out
}

async fn diff(args: &Diff) -> Run {
    let client = args.server.client()?;
    let told = client.prompt_diff(&args.family, args.from.as_deref(), args.to.as_deref());
    let told = told.await.map_err(fail)?;
    print::line(&format!("{} → {}", told.from.id, told.to.id))?;
    print::line(&pieces(&told.text))?;
    if told.negative_text.iter().any(|piece| piece.kind != "same") {
        print::line(&format!("negative: {}", pieces(&told.negative_text)))?;
    }
    let said = |variable: Option<&PromptVariable>| {
        variable.map_or("nothing".to_owned(), |variable| json!(variable).to_string())
    };
    for one in &told.variables {
        let (from, to) = (said(one.from.as_ref()), said(one.to.as_ref()));
        print::line(&format!("variable {}: {from} → {to}", one.name))?;
    }
    Ok(if told.same { Outcome::Clean } else { Outcome::Findings })
}

/// Pieces in one line, as `wdiff` writes them.
fn pieces(all: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece.kind.as_str() {
        "removed" => format!("[-{}-]", piece.text),
        "added" => format!("{{+{}+}}", piece.text),
        _ => piece.text.clone(),
    };
    all.iter().map(piece).collect()
}

async fn usage(args: &Family) -> Run {
    let told = args.server.client()?.prompt_usage(&args.family).await.map_err(fail)?;
    for version in &told.versions {
        print::line(&line(version))?;
    }
    if let Some(arms) = &told.arms {
        print::line("since the versions share:")?;
        for version in arms {
            print::line(&line(version))?;
        }
    }
    Ok(Outcome::Clean)
}

fn line(usage: &VersionUsage) -> String {
    let counts = |counts: &BTreeMap<String, i64>| {
        let some = counts.iter().filter(|(_, count)| **count > 0);
        some.map(|(word, count)| format!("  {word} {count}")).collect::<String>()
    };
    format!(
        "{}  runs {}{}{}  {}",
        usage.version_id,
        usage.runs,
        counts(&usage.outcomes),
        counts(&usage.moderation),
        dollars(u64::try_from(usage.micros).unwrap_or(0))
    )
}

async fn terms(args: &TermsArgs) -> Run {
    let client = args.server.client()?;
    let told = match &args.set {
        Some(file) => client.put_terms(&read_terms(file)?).await,
        None => client.terms().await,
    };
    print::line(&serde_json::to_string_pretty(&told.map_err(fail)?).map_err(fail)?)?;
    Ok(Outcome::Clean)
}

/// The terms of a file.
pub(crate) fn read_terms(file: &Path) -> Result<PromptTerms, String> {
    let (name, text) = read(file)?;
    let read = decode::<Terms<'_>>(&text);
    let Some(terms) = read.value.filter(|_| read.faults.is_empty()) else {
        Renderer::stderr(Format::Full).document(&name, &text, &read.faults);
        return Err(format!("{name} cannot be used"));
    };
    let list = |list: Option<Vec<onepath_core::Text<'_>>>| {
        list.into_iter().flatten().map(std::borrow::Cow::into_owned).collect()
    };
    Ok(PromptTerms { blocked: list(terms.blocked), flagged: list(terms.flagged) })
}
