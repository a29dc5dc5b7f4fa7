//! `onepath check`.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use onepath_core::{
    BuildOptions, DocumentKind, Finding, Severity, check, document_kind, list_items,
};

use crate::context::CheckContext;
use crate::input::{self, Block, Blocks, Source, read, sources};
use crate::pool::ordered;
use crate::render::{Format, Renderer};
use crate::{Outcome, Run};

/// The least weight of a finding that makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FailOn {
    /// Errors only
    Error,
    /// Errors and warnings
    Warning,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders, globs, or `-` for standard input
    #[arg(default_value = ".")]
    paths: Vec<String>,
    #[command(flatten)]
    context: CheckContext,
    /// How findings are written
    #[arg(long, value_enum, env = "ONEPATH_OUTPUT_FORMAT")]
    output_format: Option<Format>,
    /// The least weight of a finding that makes the exit code 1
    #[arg(long, value_enum, default_value = "error")]
    fail_on: FailOn,
    /// Print no summary
    #[arg(long, short)]
    quiet: bool,
}

/// A piece of work.
enum Job {
    File(Source),
    Lines(Source, Block),
}

/// What came of it.
enum Checked {
    /// Documents with findings, how many documents there were, and the lines that are no text.
    Done { name: String, documents: usize, found: Vec<Found>, failures: Vec<String> },
    /// A file of a folder that is none of ours.
    Skipped,
    /// A file that could not be read.
    Failed(String),
}

/// Findings of one document.
struct Found {
    line_offset: usize,
    text: String,
    findings: Vec<Finding>,
}

#[derive(Default)]
struct Totals {
    files: usize,
    documents: usize,
    skipped: usize,
    counts: [usize; 3],
    failures: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Run {
    let texts = args.context.load()?;
    let options = texts.options()?;
    let sources = sources(&args.paths)?;
    let least = match args.fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
    };
    let format = args.output_format.unwrap_or_else(Format::automatic);
    let mut renderer = Renderer::stdout(format).failing(least);
    let mut totals = Totals::default();
    let progress = Progress::new();
    let mut whole = Vec::new();
    for source in sources {
        if source.is_lines() {
            lines(&source, &options, &mut renderer, &mut totals, &progress)?;
        } else {
            whole.push(source);
        }
    }
    let work = |job: Job| work(job, &options);
    ordered(whole.into_iter().map(Job::File), work, |checked| {
        progress.step(totals.documents);
        totals.files += 1;
        totals.take(checked, &mut renderer)
    })?;
    progress.end();
    renderer.finish()?;
    if let Some(failure) = totals.failures.first() {
        for other in totals.failures.iter().skip(1) {
            crate::print::note(&format!("onepath: {other}\n"));
        }
        return Err(failure.clone());
    }
    if totals.documents == 0 {
        let skipped = if totals.skipped > 0 {
            format!(" ({} other files)", totals.skipped)
        } else {
            String::new()
        };
        return Err(format!("nothing to check in {}{skipped}", args.paths.join(" ")));
    }
    if !args.quiet {
        crate::print::note(&format!("{}\n", totals.summary()));
    }
    let [_, warnings, errors] = totals.counts;
    let fails = errors > 0 || (args.fail_on == FailOn::Warning && warnings > 0);
    Ok(if fails { Outcome::Findings } else { Outcome::Clean })
}

fn lines(
    source: &Source,
    options: &BuildOptions<'_>,
    renderer: &mut Renderer,
    totals: &mut Totals,
    progress: &Progress,
) -> Result<(), String> {
    let mut blocks = Blocks::open(source)?;
    let before = totals.documents;
    let jobs = (&mut blocks).map(|block| Job::Lines(source.clone(), block));
    ordered(
        jobs,
        |job| work(job, options),
        |checked| {
            progress.step(totals.documents);
            totals.take(checked, renderer)
        },
    )?;
    totals.files += 1;
    if !source.named && totals.documents == before {
        totals.skipped += 1;
    }
    totals.failures.extend(blocks.failure());
    Ok(())
}

fn work(job: Job, options: &BuildOptions<'_>) -> Checked {
    match job {
        Job::File(source) => file(&source, options),
        Job::Lines(source, block) => {
            let name = source.name();
            let mut found = Vec::new();
            let mut documents = 0;
            let mut failures = Vec::new();
            for (number, line) in block.lines() {
                let text = match line {
                    Ok(text) if text.trim().is_empty() => continue,
                    Ok(text) => text,
                    Err(error) => {
                        let at = error.valid_up_to();
                        failures.push(format!("{name}:{number}: not UTF-8 text at byte {at}"));
                        continue;
                    }
                };
                let findings = check(text, options).into_findings();
                // In a folder a line that is none of ours is passed over; only one with findings can be.
                if !findings.is_empty() && !source.named && is_foreign(document_kind(text)) {
                    continue;
                }
                documents += 1;
                if !findings.is_empty() {
                    found.push(Found { line_offset: number - 1, text: text.to_owned(), findings });
                }
            }
            Checked::Done { name, documents, found, failures }
        }
    }
}

/// Whether a document is none of ours.
fn is_foreign(kind: DocumentKind) -> bool {
    matches!(kind, DocumentKind::Other { ours: false } | DocumentKind::Unknown)
}

fn file(source: &Source, options: &BuildOptions<'_>) -> Checked {
    let text = match read(source) {
        Ok(text) => text,
        Err(message) => return Checked::Failed(message),
    };
    let name = source.name();
    if source.is_stdin() && input::is_json_lines(&text) {
        let block = Block { first_line: 1, bytes: text.into_bytes() };
        return work(Job::Lines(source.clone(), block), options);
    }
    let mut documents = 1;
    let mut findings = Vec::new();
    match document_kind(&text) {
        DocumentKind::List => {
            let items = list_items(&text);
            let kind = |range: &std::ops::Range<usize>| {
                document_kind(text.get(range.clone()).unwrap_or(""))
            };
            let foreign = |kind| is_foreign(kind) || kind == DocumentKind::List;
            if !source.named && !items.is_empty() && items.iter().all(|item| foreign(kind(item))) {
                return Checked::Skipped;
            }
            documents = items.len();
            for (index, range) in items.iter().enumerate() {
                let item = text.get(range.clone()).unwrap_or("");
                for mut finding in check(item, options).into_findings() {
                    finding.rebase(&format!("/{index}"));
                    finding.shift(range.start);
                    findings.push(finding);
                }
            }
            findings.extend(input::faults_around(&text, source));
        }
        DocumentKind::Other { ours: false } | DocumentKind::Unknown if !source.named => {
            return Checked::Skipped;
        }
        _ => findings = check(&text, options).into_findings(),
    }
    let found = if findings.is_empty() {
        Vec::new()
    } else {
        vec![Found { line_offset: 0, text, findings }]
    };
    Checked::Done { name, documents, found, failures: Vec::new() }
}

impl Totals {
    fn take(&mut self, checked: Checked, renderer: &mut Renderer) -> Result<(), String> {
        match checked {
            Checked::Skipped => self.skipped += 1,
            Checked::Failed(message) => self.failures.push(message),
            Checked::Done { name, documents, found, failures } => {
                self.documents += documents;
                self.failures.extend(failures);
                for document in found {
                    for finding in &document.findings {
                        let [suggestions, warnings, errors] = &mut self.counts;
                        match finding.severity() {
                            Severity::Suggestion => *suggestions += 1,
                            Severity::Warning => *warnings += 1,
                            Severity::Error => *errors += 1,
                        }
                    }
                    renderer.try_document(
                        &name,
                        document.line_offset,
                        &document.text,
                        &document.findings,
                    )?;
                }
            }
        }
        Ok(())
    }

    fn summary(&self) -> String {
        let plural = |count: usize, what: &str| {
            format!("{count} {what}{}", if count == 1 { "" } else { "s" })
        };
        let mut out = format!(
            "checked {} in {}",
            plural(self.documents, "document"),
            plural(self.files - self.skipped, "file")
        );
        if self.skipped > 0 {
            out.push_str(&format!(", skipped {}", plural(self.skipped, "other file")));
        }
        let [suggestions, warnings, errors] = self.counts;
        if suggestions + warnings + errors == 0 {
            return out + ": all checks passed";
        }
        let parts: Vec<String> =
            [(errors, "error"), (warnings, "warning"), (suggestions, "suggestion")]
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| plural(count, what))
                .collect();
        format!("{out}: {}", parts.join(", "))
    }
}

/// A line on standard error for work that takes longer than a second, where a person sees it.
struct Progress {
    started: Instant,
    bar: ProgressBar,
}

impl Progress {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self { started: Instant::now(), bar }
    }

    fn step(&self, documents: usize) {
        if self.bar.is_hidden() {
            use std::io::IsTerminal as _;
            if self.started.elapsed() < Duration::from_secs(1) || !std::io::stderr().is_terminal() {
                return;
            }
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {human_pos} documents, {per_sec}")
            {
                self.bar.set_style(style);
            }
        }
        self.bar.set_position(u64::try_from(documents).unwrap_or(u64::MAX));
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
