//! `onepath plan`: which nodes changed their key since a revision, why, and what that costs.

mod git;
mod markdown;
mod text;
mod tree;
mod words;

use onepath_core::{Finding, Plan, PlanDocument, Severity, plan, read_document};
use serde::Serialize;

use crate::context::{BuildContext, Prices, Texts};
use crate::input::{self, Part, Source, parts};
use crate::money::read_dollars;
use crate::print::Out;
use crate::render::{Format as FindingFormat, Renderer};
use crate::{Outcome, Run, print};
use git::{Commit, Repository};
use tree::{File, Selection, Side};

/// How the plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For a comment on a pull request
    Markdown,
    /// For machines: everything, as one JSON object
    Json,
}

/// What makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FailOn {
    /// A key that is not as it was, or a node that is refused
    Changed,
    /// A node that is refused
    Refused,
    /// Neither of them
    Never,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The revision to compare with: a branch, a tag, a commit
    #[arg(long, value_name = "REV")]
    base: String,
    /// Another revision instead of the working tree
    #[arg(long, value_name = "REV")]
    head: Option<String>,
    /// Compare with the commit at which the work left REV, as a pull request does
    #[arg(long)]
    merge_base: bool,
    /// Files, folders or globs
    #[arg(default_value = ".")]
    paths: Vec<String>,
    #[command(flatten)]
    context: BuildContext,
    /// Prices of your own, as a JSON file; they count before the known ones
    #[arg(long, value_name = "FILE")]
    prices: Option<String>,
    /// How the plan is written
    #[arg(long, value_enum, default_value = "text")]
    output_format: Format,
    /// What makes the exit code 1
    #[arg(long, value_enum, default_value = "changed")]
    fail_on: FailOn,
    /// Exit with 1 if what is to be made costs more, or if a price is not known in dollars
    #[arg(long, value_name = "DOLLARS", value_parser = read_dollars)]
    max_cost: Option<u64>,
}

/// The plan with what it compares.
#[derive(Debug, Serialize)]
struct Planned<'p> {
    base: Named<'p>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Named<'p>>,
    #[serde(flatten)]
    plan: &'p Plan,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'p [String],
}

#[derive(Debug, Serialize)]
struct Named<'p> {
    revision: &'p str,
    commit: &'p str,
}

impl<'p> Named<'p> {
    fn new(commit: &'p Commit) -> Self {
        Self { revision: &commit.revision, commit: &commit.id }
    }
}

pub(crate) fn run(args: &Args) -> Run {
    let repository = Repository::open()?;
    let head = args.head.as_deref().map(|head| repository.commit(head)).transpose()?;
    let mut base = repository.commit(&args.base)?;
    if args.merge_base {
        let tip = repository.commit(args.head.as_deref().unwrap_or("HEAD"))?;
        base = repository.merge_base(&base, &tip)?;
    }
    let side = head.as_ref().map_or(Side::Here, Side::Commit);
    let selection = Selection::new(&repository, &args.paths)?;
    let mut notes = Vec::new();
    let [before, after] = tree::read_both(&repository, &selection, &base, side, &mut notes)?;
    let contexts = [
        context(args, &repository, Side::Commit(&base), &mut notes)?,
        context(args, &repository, side, &mut notes)?,
    ];
    let [base_texts, head_texts] = &contexts;
    let options = [base_texts.options()?, head_texts.options()?];
    let [base_options, head_options] = &options;
    let base_documents = documents(&before, base_options);
    let head_documents = documents(&after, head_options);
    if base_documents.is_empty() && head_documents.is_empty() {
        return Err(format!("no node in {}, neither before nor now", args.paths.join(" ")));
    }
    for name in unread(&base_documents) {
        notes.push(format!(
            "{name} could not be read at {}: its nodes count as added",
            base.short()
        ));
    }
    let broken = show_faults(&after, &head_documents)?;
    let prices = Prices::load(args.prices.as_ref())?;
    let files: Vec<_> = args
        .context
        .files()
        .into_iter()
        .map(|(part, file)| (part, repository.path(file).unwrap_or_else(|| file.to_owned())))
        .collect();
    let plan = plan(&base_documents, &head_documents, &files, prices.table()?.as_ref());
    let asks_nobody =
        |side: &onepath_core::PlanSide| side.pending.iter().any(|what| what == "provider");
    if plan.nodes.iter().filter_map(|node| node.head.as_ref()).any(asks_nobody) {
        notes.push("no provider is named, so keys and prices are not known: --provider".to_owned());
    }
    let mut out = Out::new();
    match args.output_format {
        Format::Text => out.write(&text::text(&plan, &base, &notes))?,
        Format::Markdown => out.write(&markdown::markdown(&plan, &base, &notes))?,
        Format::Json => {
            let planned = Planned {
                base: Named::new(&base),
                head: head.as_ref().map(Named::new),
                plan: &plan,
                notes: &notes,
            };
            out.line(&serde_json::to_string_pretty(&planned).map_err(|error| error.to_string())?)?;
        }
    }
    out.finish()?;
    Ok(outcome(args, &plan, broken))
}

/// What the exit code says. A file that cannot be read counts as a node that is refused.
fn outcome(args: &Args, plan: &Plan, broken: bool) -> Outcome {
    let refused = broken || plan.counts.refused > 0;
    let fails = match args.fail_on {
        FailOn::Changed => refused || plan.changes_keys(),
        FailOn::Refused => refused,
        FailOn::Never => false,
    };
    let (micros, all) = plan.dollars();
    let dear = args.max_cost.is_some_and(|most| micros > most || !all);
    if let (true, Some(most)) = (dear, args.max_cost) {
        print::note(&format!(
            "onepath: {} is more than --max-cost {}\n",
            words::bill(plan),
            crate::money::dollars(most)
        ));
    }
    if fails || dear { Outcome::Findings } else { Outcome::Clean }
}

/// The context of one side; says which of its files that side lacks.
fn context(
    args: &Args,
    repository: &Repository,
    side: Side<'_>,
    notes: &mut Vec<String>,
) -> Result<Texts, String> {
    let missing = std::cell::RefCell::new(Vec::new());
    let read = |path: &str| {
        let text = tree::read_one(repository, side, path)?;
        if text.is_none() {
            missing.borrow_mut().push(path.to_owned());
        }
        Ok(text.map(|text| (Source { path: path.into(), named: true }, text)))
    };
    let texts = args.context.load_with(&read)?;
    if let Side::Commit(commit) = side {
        for path in missing.into_inner() {
            notes.push(format!("{path} is not there at {}: nothing stands for it", commit.short()));
        }
    }
    Ok(texts)
}

/// The documents of all files.
fn documents<'t>(
    files: &'t [File],
    options: &onepath_core::BuildOptions<'t>,
) -> Vec<PlanDocument<'t>> {
    let mut out = Vec::new();
    for File { source, text } in files {
        for Part { text, place, .. } in parts(source, text) {
            out.push(PlanDocument {
                file: source.name(),
                place,
                document: read_document(text, options),
            });
        }
    }
    out
}

/// The files of which nothing could be read.
fn unread(documents: &[PlanDocument<'_>]) -> Vec<String> {
    let mut out: Vec<String> = documents
        .iter()
        .filter(|one| one.document.items.is_empty() && !one.document.findings.is_empty())
        .map(|one| one.file.clone())
        .collect();
    out.dedup();
    out
}

/// Shows what is wrong with documents around their nodes; gives whether anything is.
fn show_faults(files: &[File], documents: &[PlanDocument<'_>]) -> Result<bool, String> {
    let mut renderer = Renderer::stderr(FindingFormat::Full);
    let mut broken = false;
    let mut documents = documents.iter();
    for File { source, text } in files {
        let around = input::faults_around(text, source);
        broken |= around.iter().any(is_error);
        renderer.try_document(&source.name(), 0, text, &around)?;
        for (Part { text, line, .. }, read) in parts(source, text).into_iter().zip(&mut documents) {
            let elsewhere = read.document.elsewhere();
            broken |= elsewhere.iter().any(is_error);
            renderer.try_document(&source.name(), line, text, &elsewhere)?;
        }
    }
    Ok(broken)
}

fn is_error(finding: &Finding) -> bool {
    finding.severity() == Severity::Error
}
