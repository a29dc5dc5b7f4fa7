//! Findings: what is wrong with a document, where, and what to do.
//!
//! A [`Finding`] carries a [`Code`] and values; its message is made when it is read, so that a
//! document without faults pays nothing for texts. The three lists of a [`Report`] are made when
//! read too.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::Range;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeStruct};

use crate::canonical;
use crate::codes::Code;
use crate::json::locate::Located;

/// Several things in one value of a message.
pub(crate) fn listed<'t>(items: impl Iterator<Item = &'t str>) -> String {
    let mut out = String::new();
    for (index, item) in items.enumerate() {
        add_to_list(&mut out, item, index == 0);
    }
    out
}

/// Compiled once.
#[inline(never)]
fn add_to_list(out: &mut String, item: &str, first: bool) {
    if !first {
        out.push_str(", ");
    }
    out.push_str(item);
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Severity {
    /// Could be better; nothing is wrong.
    Suggestion,
    /// Probably not what was meant.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Suggestion => "suggestion",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One value of a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Arg {
    /// Text of the document or a name.
    Text(Cow<'static, str>),
    /// A number, printed as JavaScript prints it.
    Number(f64),
}

impl From<&'static str> for Arg {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<f64> for Arg {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// What is wrong, where, and what to do about it.
///
/// On the wire: `{code, severity, pointer, message, help?}`. The pointer is an RFC 6901 pointer
/// into the document the finding is about, spelled as that document spells its members; for
/// something absent it says where that would be.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    code: Code,
    pointer: Cow<'static, str>,
    args: Vec<Arg>,
    nearest: Option<Cow<'static, str>>,
    span: Option<(usize, usize)>,
}

impl Finding {
    pub(crate) fn new(code: Code, pointer: impl Into<Cow<'static, str>>) -> Self {
        Self { code, pointer: pointer.into(), args: Vec::new(), nearest: None, span: None }
    }

    #[must_use]
    pub(crate) fn arg(mut self, arg: impl Into<Arg>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// The known name or word nearest to an unknown one.
    #[must_use]
    pub(crate) fn nearest(mut self, nearest: Option<impl Into<Cow<'static, str>>>) -> Self {
        self.nearest = nearest.map(Into::into);
        self
    }

    #[must_use]
    pub(crate) fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some((span.start, span.end));
        self
    }

    /// Puts the finding where it stands in a text.
    pub(crate) fn locate(&mut self, place: &Located) {
        let span = place.span();
        self.pointer = Cow::Owned(place.pointer.clone());
        self.span = Some((span.start, span.end));
    }

    /// The same without its place in the text.
    pub(crate) fn without_span(self) -> Self {
        Self { span: None, ..self }
    }

    pub(crate) fn set_pointer(&mut self, pointer: String) {
        self.pointer = Cow::Owned(pointer);
    }

    /// Puts the finding's pointer below `base`, for a document that is part of a larger one.
    pub fn rebase(&mut self, base: &str) {
        if !base.is_empty() {
            self.pointer = Cow::Owned(format!("{base}{}", self.pointer));
        }
    }

    /// Moves the byte range behind `offset` bytes, for a document that is part of a larger one.
    pub fn shift(&mut self, offset: usize) {
        if let Some((start, end)) = &mut self.span {
            *start += offset;
            *end += offset;
        }
    }

    /// The stable code: a slug such as `duration/min-exceeds-max`.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// How much it weighs.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// RFC 6901 pointer to the place.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Byte range of the faulty token, where the finding was placed in a text.
    #[must_use]
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.map(|(start, end)| start..end)
    }

    /// What is wrong: lower case, no full stop.
    #[must_use]
    pub fn message(&self) -> String {
        self.fill(self.code.message_template())
    }

    /// What to do, where the code or a near name tells.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        if let Some(nearest) = &self.nearest {
            return Some(format!("did you mean `{nearest}`?"));
        }
        let template = self.code.help_template();
        (!template.is_empty()).then(|| self.fill(template))
    }

    fn fill(&self, template: &str) -> String {
        let mut out = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((index, tail)) = after.split_once('}') else {
                out.push('{');
                rest = after;
                break;
            };
            match index.parse::<usize>().ok().and_then(|index| self.args.get(index)) {
                Some(Arg::Text(text)) => out.push_str(text),
                Some(Arg::Number(number)) => out.push_str(&canonical::number_text(*number)),
                None => {
                    let _ = write!(out, "{{{index}}}");
                }
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] {}", self.severity().word(), self.code, self.message())?;
        if !self.pointer.is_empty() {
            write!(f, " at `{}`", self.pointer)?;
        }
        Ok(())
    }
}

impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code.slug())?;
        map.serialize_entry("severity", &self.severity())?;
        map.serialize_entry("pointer", self.pointer())?;
        map.serialize_entry("message", &self.message())?;
        if let Some(help) = self.help() {
            map.serialize_entry("help", &help)?;
        }
        map.end()
    }
}

#[cfg(feature = "schema")]
mod schema {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Finding, Report, Severity};

    impl JsonSchema for Finding {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Finding".into()
        }
        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "object",
                "description": "What is wrong, where, and what to do about it.",
                "properties": {
                    "code": { "type": "string", "description": "Stable slug; `onepath explain CODE` tells more." },
                    "severity": generator.subschema_for::<Severity>(),
                    "pointer": { "type": "string", "description": "RFC 6901 pointer to the place." },
                    "message": { "type": "string" },
                    "help": { "type": "string" },
                },
                "required": ["code", "severity", "pointer", "message"],
                "additionalProperties": false,
            })
        }
    }

    impl JsonSchema for Report {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Report".into()
        }
        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let texts = json_schema!({ "type": "array", "items": { "type": "string" } });
            json_schema!({
                "type": "object",
                "description": "All findings of one document, in order, with their status.",
                "properties": {
                    "status": { "enum": ["ok", "warning", "error"] },
                    "summary": { "type": "string" },
                    "findings": { "type": "array", "items": generator.subschema_for::<Finding>() },
                    "errors": texts.clone(),
                    "warnings": texts.clone(),
                    "suggestions": texts,
                },
                "required": ["status", "summary", "findings", "errors", "warnings", "suggestions"],
                "additionalProperties": false,
            })
        }
    }
}

/// Whether a document may be used as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// No error and no warning (suggestions do not count).
    Ok,
    /// No error, at least one warning.
    Warning,
    /// At least one error.
    Error,
}

/// All findings of one document: reading first in document order, then rules in table order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(findings: Vec<Finding>) -> Self {
        Self { findings }
    }

    /// The findings in order.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Gives the findings away.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Whether nothing is an error.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.status() != Status::Error
    }

    /// The worst of error and warning, else ok.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.findings.iter().map(Finding::severity).max() {
            Some(Severity::Error) => Status::Error,
            Some(Severity::Warning) => Status::Warning,
            Some(Severity::Suggestion) | None => Status::Ok,
        }
    }

    /// Such as `2 errors, 1 warning, 3 suggestions`, or `All checks passed`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut out = String::new();
        for severity in [Severity::Error, Severity::Warning, Severity::Suggestion] {
            let count = self.of(severity).count();
            if count > 0 {
                let plural = if count == 1 { "" } else { "s" };
                let first = out.is_empty();
                add_to_list(&mut out, &format!("{count} {}{plural}", severity.word()), first);
            }
        }
        if out.is_empty() { "All checks passed".to_owned() } else { out }
    }

    /// The messages of one severity.
    #[must_use]
    pub fn messages(&self, severity: Severity) -> Vec<String> {
        self.of(severity).map(Finding::message).collect()
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity() == severity)
    }
}

impl Serialize for Report {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Report", 6)?;
        out.serialize_field("status", &self.status())?;
        out.serialize_field("summary", &self.summary())?;
        out.serialize_field("findings", &self.findings)?;
        out.serialize_field("errors", &self.messages(Severity::Error))?;
        out.serialize_field("warnings", &self.messages(Severity::Warning))?;
        out.serialize_field("suggestions", &self.messages(Severity::Suggestion))?;
        out.end()
    }
}

impl From<Vec<Finding>> for Report {
    fn from(findings: Vec<Finding>) -> Self {
        Self::new(findings)
    }
}

/// Why a request was not made: the faults of reading and the rules that stop a build.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the request is refused: {}", .findings.first().map(Finding::to_string).unwrap_or_default())]
pub struct Refusal {
    findings: Vec<Finding>,
}

impl Refusal {
    pub(crate) fn new(findings: Vec<Finding>) -> Self {
        Self { findings }
    }

    /// What stands in the way of the request of a document that has none.
    #[must_use]
    pub fn from_findings(findings: Vec<Finding>) -> Self {
        Self { findings }
    }

    /// Those findings of a report that stand in the way of a request.
    #[must_use]
    pub fn from_report(report: Report) -> Self {
        let mut findings = report.into_findings();
        findings.retain(|finding| finding.code().refuses_build());
        Self { findings }
    }

    /// What stands in the way, at least one finding.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Gives the findings away.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}
