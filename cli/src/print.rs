//! Writing to standard output.

use std::io::{IsTerminal as _, Write as _};

use onepath_core::canonicalize;

use crate::input::{self, Source};
use crate::render::{Format, Renderer};
use crate::{Outcome, Run};

/// Says that whoever read our output went away.
pub(crate) const BROKEN_PIPE: &str = "broken pipe";

/// Standard output, locked and buffered.
pub(crate) struct Out(std::io::BufWriter<std::io::StdoutLock<'static>>);

impl Out {
    pub(crate) fn new() -> Self {
        Self(std::io::BufWriter::with_capacity(64 * 1024, std::io::stdout().lock()))
    }

    pub(crate) fn write(&mut self, text: &str) -> Result<(), String> {
        self.0.write_all(text.as_bytes()).map_err(|error| fail(&error))
    }

    pub(crate) fn line(&mut self, text: &str) -> Result<(), String> {
        self.write(text)?;
        self.write("\n")
    }

    pub(crate) fn finish(mut self) -> Result<(), String> {
        self.0.flush().map_err(|error| fail(&error))
    }
}

/// Writes one line to standard output, at once.
pub(crate) fn line(text: &str) -> Result<(), String> {
    let mut out = Out::new();
    out.line(text)?;
    out.finish()
}

/// Writes to standard error; if nobody listens there, that is no fault of ours.
pub(crate) fn note(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn fail(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        BROKEN_PIPE.to_owned()
    } else {
        format!("standard output: {error}")
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct CanonArgs {
    /// A JSON file; standard input if absent or `-`
    #[arg(default_value = "-")]
    file: String,
}

/// Writes the canonical text: these bytes are what is hashed, so nothing is added behind them
/// unless a person reads them.
pub(crate) fn canon(args: &CanonArgs) -> Run {
    let source = Source { path: args.file.clone().into(), named: true };
    let text = input::read(&source)?;
    match canonicalize(&text) {
        Ok(canonical) => {
            let mut out = Out::new();
            out.write(&canonical)?;
            if std::io::stdout().is_terminal() {
                out.write("\n")?;
            }
            out.finish()?;
            Ok(Outcome::Clean)
        }
        Err(refusal) => {
            let mut renderer = Renderer::stderr(Format::Full);
            renderer.document(&source.name(), &text, refusal.findings());
            Ok(Outcome::Findings)
        }
    }
}
