//! Findings as people and machines read them.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, Severity as Level, SourceCode, SourceSpan, SpanContents, ThemeCharacters,
    ThemeStyles,
};
use onepath_core::{Finding, Severity, locate};
use serde::Serialize;

use crate::formats::{self, Entry};
use crate::print::Out;

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// With source excerpts and carets
    Full,
    /// One line a finding
    Concise,
    /// One JSON array
    Json,
    /// One JSON object a line
    JsonLines,
    /// Workflow commands of GitHub Actions
    Github,
    /// A code quality report of GitLab
    Gitlab,
    /// A JUnit report, in XML
    Junit,
    /// A log in SARIF 2.1.0
    Sarif,
    /// Reviewdog's diagnostic format
    Rdjson,
}

impl Format {
    /// What is written if nothing is asked for: workflow commands where they are read.
    pub(crate) fn automatic() -> Self {
        let on_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        if on_github && !std::io::stdout().is_terminal() { Self::Github } else { Self::Full }
    }
}

/// A finding with its place in a file.
#[derive(Debug, Clone, Serialize)]
struct Placed<'f> {
    file: &'f str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    #[serde(flatten)]
    finding: &'f Finding,
}

/// Writes findings in one format, to standard output or standard error.
pub(crate) struct Renderer {
    format: Format,
    out: Option<Out>,
    graphical: GraphicalReportHandler,
    /// Entries of formats that are written at the end.
    entries: Vec<(Severity, String)>,
    /// Findings of the formats of services.
    found: Vec<Entry>,
    /// The least weight that a report calls a failure.
    failure: Severity,
}

impl Renderer {
    /// To standard output.
    pub(crate) fn stdout(format: Format) -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self::new(format, Some(Out::new()), terminal)
    }

    /// To standard error, at once.
    pub(crate) fn stderr(format: Format) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self::new(format, None, terminal)
    }

    fn new(format: Format, out: Option<Out>, terminal: bool) -> Self {
        let graphical = graphical(terminal);
        let (entries, found) = (Vec::new(), Vec::new());
        Self { format, out, graphical, entries, found, failure: Severity::Error }
    }

    /// Calls what weighs this much a failure, where a format has such a thing.
    pub(crate) fn failing(mut self, least: Severity) -> Self {
        self.failure = least;
        self
    }

    /// Writes the findings of one document.
    pub(crate) fn document(&mut self, name: &str, text: &str, findings: &[Finding]) {
        // Errors of output show at `finish`.
        let _ = self.try_document(name, 0, text, findings);
    }

    /// The same; `line_offset` lines stand before the document in its file.
    pub(crate) fn try_document(
        &mut self,
        name: &str,
        line_offset: usize,
        text: &str,
        findings: &[Finding],
    ) -> Result<(), String> {
        let lines = Lines::new(if findings.is_empty() { "" } else { text });
        for finding in findings {
            let span = span(text, finding);
            match self.format {
                Format::Full => {
                    let (source, span) = window(name, text, line_offset, &lines, span);
                    let report = Shown { finding, span, source };
                    let mut rendered = String::new();
                    let _ = self.graphical.render_report(&mut rendered, &report);
                    self.write(&rendered)?;
                    self.write("\n")?;
                }
                Format::Concise => {
                    let at = lines.position(span.start);
                    let line = format!(
                        "{name}:{}:{}: {}[{}] {}\n",
                        at.0 + line_offset,
                        at.1,
                        finding.severity().word(),
                        finding.code(),
                        finding.message()
                    );
                    self.write(&line)?;
                }
                Format::Gitlab | Format::Junit | Format::Sarif | Format::Rdjson => {
                    let (start, end) = (lines.position(span.start), lines.position(span.end));
                    self.found.push(Entry {
                        file: name.to_owned(),
                        start: (start.0 + line_offset, start.1),
                        end: (end.0 + line_offset, end.1),
                        byte_columns: (lines.byte_column(span.start), lines.byte_column(span.end)),
                        finding: finding.clone(),
                    });
                }
                Format::Json | Format::JsonLines | Format::Github => {
                    let placed = place(name, line_offset, &lines, span, finding);
                    let entry = match self.format {
                        Format::Github => github(&placed),
                        _ => serde_json::to_string(&placed).map_err(|error| error.to_string())?,
                    };
                    if self.format == Format::JsonLines {
                        self.write(&entry)?;
                        self.write("\n")?;
                    } else {
                        self.entries.push((finding.severity(), entry));
                    }
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<(), String> {
        match &mut self.out {
            Some(out) => out.write(text),
            None => {
                crate::print::note(text);
                Ok(())
            }
        }
    }

    /// Writes what waits for the end: a JSON array, or workflow commands with the worst first,
    /// because GitHub keeps only ten of each kind.
    pub(crate) fn finish(mut self) -> Result<(), String> {
        let mut entries = std::mem::take(&mut self.entries);
        match self.format {
            Format::Json => {
                let list: Vec<String> = entries.into_iter().map(|(_, entry)| entry).collect();
                self.write(&format!("[{}]\n", list.join(",\n ")))?;
            }
            Format::Github => {
                entries.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
                for (_, entry) in entries {
                    self.write(&entry)?;
                    self.write("\n")?;
                }
            }
            Format::Gitlab => self.write(&formats::gitlab(&self.found))?,
            Format::Junit => self.write(&formats::junit(&self.found, self.failure))?,
            Format::Sarif => self.write(&formats::sarif(&self.found))?,
            Format::Rdjson => self.write(&formats::rdjson(&self.found))?,
            Format::Full | Format::Concise | Format::JsonLines => {}
        }
        match self.out {
            Some(out) => out.finish(),
            None => Ok(()),
        }
    }
}

fn graphical(terminal: bool) -> GraphicalReportHandler {
    let color = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let theme = GraphicalTheme {
        characters: ThemeCharacters::unicode(),
        styles: if color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false)
}

/// The faulty token: where the finding was placed, else what its pointer leads to.
fn span(text: &str, finding: &Finding) -> Range<usize> {
    clip(text, finding.span().unwrap_or_else(|| locate(text, finding.pointer()).span()))
}

/// Objects and lists are shown by their first line.
fn clip(text: &str, span: Range<usize>) -> Range<usize> {
    let shown = text.get(span.clone()).unwrap_or("");
    match shown.find('\n') {
        Some(end) if shown.starts_with(['{', '[']) => span.start..span.start + end,
        _ => span,
    }
}

/// Where the lines of a text start.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// Line and column, from 1; columns count Unicode scalar values.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start =
            line.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or(0);
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or("");
        (line, before.chars().count() + 1)
    }

    /// The column in bytes, from 1.
    fn byte_column(&self, offset: usize) -> usize {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index));
        offset.min(self.text.len()) - start.copied().unwrap_or(0) + 1
    }
}

fn place<'f>(
    file: &'f str,
    line_offset: usize,
    lines: &Lines<'_>,
    span: Range<usize>,
    finding: &'f Finding,
) -> Placed<'f> {
    let (line, column) = lines.position(span.start);
    let (end_line, end_column) = lines.position(span.end);
    Placed {
        file,
        line: line + line_offset,
        column,
        end_line: end_line + line_offset,
        end_column,
        finding,
    }
}

/// `::error file=…,line=…::message`, escaped as GitHub's toolkit does.
fn github(placed: &Placed<'_>) -> String {
    let command = match placed.finding.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Suggestion => "notice",
    };
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut out = format!("::{command} file={}", property(placed.file));
    let _ = write!(out, ",line={},col={}", placed.line, placed.column);
    if placed.line == placed.end_line {
        let _ = write!(out, ",endColumn={}", placed.end_column);
    }
    let title = property(&format!("onepath({})", placed.finding.code()));
    let mut message = placed.finding.message();
    if let Some(help) = placed.finding.help() {
        let _ = write!(message, "\n{help}");
    }
    let _ = write!(out, ",endLine={},title={title}::{}", placed.end_line, data(&message));
    out
}

/// A finding as miette shows it.
#[derive(Debug)]
struct Shown<'f> {
    finding: &'f Finding,
    span: Range<usize>,
    source: Source<'f>,
}

/// A document that stands somewhere in a file: lines are counted in the file.
#[derive(Debug)]
struct Source<'f> {
    name: &'f str,
    text: &'f str,
    line_offset: usize,
    column_offset: usize,
}

/// Longest line that is shown whole, in bytes.
const LONG_LINE: usize = 400;

/// The part of a document that an excerpt is taken from: all of it, or a part of one long line.
fn window<'f>(
    name: &'f str,
    text: &'f str,
    line_offset: usize,
    lines: &Lines<'_>,
    span: Range<usize>,
) -> (Source<'f>, Range<usize>) {
    let start = text.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let end = text
        .get(span.start..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |at| span.start + at);
    if end - start <= LONG_LINE {
        return (Source { name, text, line_offset, column_offset: 0 }, span);
    }
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let from = boundary(span.start.saturating_sub(LONG_LINE / 4).max(start));
    let to = boundary((span.start + LONG_LINE / 2).min(end));
    let (line, _) = lines.position(span.start);
    let source = Source {
        name,
        text: text.get(from..to).unwrap_or(""),
        line_offset: line_offset + line - 1,
        column_offset: text.get(start..from).unwrap_or("").chars().count(),
    };
    (source, span.start - from..span.end.min(to) - from)
}

impl SourceCode for Source<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        // Columns count characters, as everywhere; the handler asks for them without context.
        let ahead = self.text.get(..span.offset()).unwrap_or("");
        let on_line = ahead.rsplit('\n').next().unwrap_or(ahead).chars().count();
        let column = if before == 0 && after == 0 { on_line } else { inner.column() };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.to_owned(),
            inner.data(),
            *inner.span(),
            inner.line() + self.line_offset,
            column + self.column_offset,
            inner.line_count(),
        )))
    }
}

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.finding.message())
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(self.finding.code()))
    }

    fn severity(&self) -> Option<Level> {
        Some(match self.finding.severity() {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
            Severity::Suggestion => Level::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.finding.help().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let pointer = self.finding.pointer();
        let label = if pointer.is_empty() { "here".to_owned() } else { pointer.to_owned() };
        let span = (self.span.start, self.span.len());
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some(label), span))))
    }
}
