//! `onepath legacy`: what still speaks to the system before.

mod report;

use std::path::{Path, PathBuf};

use onepath_core::legacy::{OldUse, find_old_names};
use serde::Serialize;

use crate::input::is_looked_into;
use crate::print::Out;
use crate::{Outcome, Run, print};

/// Bytes of a file that is still looked at: source text is smaller.
const LARGEST: u64 = 2 * 1024 * 1024;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Find calls of old addresses, old names, and requests that are put together by hand
    ///
    /// Exit code 1 means that something was found. A line with `onepath-legacy: allow` is passed
    /// over.
    Scan(ScanArgs),
    /// Say which keys still call the old API of a server, and when it is safe to remove
    ///
    /// Exit code 1 means that it is not safe yet.
    Report(report::ReportArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ScanArgs {
    /// Files or folders with source text
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    output_format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One line a place
    Text,
    /// One JSON array
    Json,
    /// Workflow commands of GitHub Actions
    Github,
}

/// A place in a file.
#[derive(Debug, Serialize)]
struct Placed {
    file: String,
    #[serde(flatten)]
    found: OldUse,
}

pub(crate) fn run(command: &Command) -> Run {
    match command {
        Command::Scan(args) => scan(args),
        Command::Report(args) => report::run(args),
    }
}

fn scan(args: &ScanArgs) -> Run {
    let mut files = Vec::new();
    for path in &args.paths {
        if path.is_dir() {
            folder(path, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    let mut found = Vec::new();
    let mut read = 0_usize;
    for file in files {
        let name = file.display().to_string();
        let fail = |error: std::io::Error| format!("{name}: {error}");
        if std::fs::metadata(&file).map_err(fail)?.len() > LARGEST {
            continue;
        }
        // What is no text is no source.
        let Ok(text) = String::from_utf8(std::fs::read(&file).map_err(fail)?) else { continue };
        read += 1;
        let name = name.strip_prefix("./").unwrap_or(&name).to_owned();
        let places = find_old_names(&text).into_iter();
        found.extend(places.map(|found| Placed { file: name.clone(), found }));
    }
    let mut out = Out::new();
    if args.output_format == Format::Json {
        out.line(&serde_json::to_string_pretty(&found).map_err(|error| error.to_string())?)?;
    } else {
        for place in &found {
            out.line(&line(place, args.output_format))?;
        }
    }
    out.finish()?;
    if found.is_empty() {
        print::note(&format!("{read} files: nothing of the system before\n"));
        return Ok(Outcome::Clean);
    }
    let mut places: Vec<&str> = found.iter().map(|place| place.file.as_str()).collect();
    places.dedup();
    print::note(&format!("{read} files: {} places in {} files\n", found.len(), places.len()));
    Ok(Outcome::Findings)
}

fn line(place: &Placed, format: Format) -> String {
    let OldUse { line, column, kind, old, new, note } = &place.found;
    let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
    let said = format!("`{old}` is now `{new}`{note}");
    match format {
        Format::Github => {
            let escape = |text: &str| text.replace('%', "%25").replace('\n', "%0A");
            let file = escape(&place.file).replace(':', "%3A").replace(',', "%2C");
            let title = format!("onepath(legacy/{})", kind.word());
            format!("::error file={file},line={line},col={column},title={title}::{}", escape(&said))
        }
        _ => format!("{}:{line}:{column}: {}: {said}", place.file, kind.word()),
    }
}

/// The files of a folder, without hidden ones and what others made.
fn folder(path: &Path, out: &mut Vec<PathBuf>) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        entries.push((entry.path(), entry.file_type().map_err(fail)?));
    }
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    for (entry, kind) in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if kind.is_dir() && is_looked_into(&name) && name != "dist" {
            folder(&entry, out)?;
        } else if kind.is_file() && !name.starts_with('.') {
            out.push(entry);
        }
    }
    Ok(())
}
