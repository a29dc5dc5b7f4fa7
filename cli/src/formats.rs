//! Findings in the forms that services read: GitLab, JUnit, SARIF, rdjson.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use onepath_core::{Code, Finding, Severity};
use serde_json::{Value, json};

/// A finding with its place, as these forms need it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) file: String,
    /// Line and column of both ends, from 1; columns count Unicode scalar values.
    pub(crate) start: (usize, usize),
    pub(crate) end: (usize, usize),
    /// The same columns in bytes.
    pub(crate) byte_columns: (usize, usize),
    pub(crate) finding: Finding,
}

impl Entry {
    /// The message with its help.
    fn text(&self) -> String {
        match self.finding.help() {
            Some(help) => format!("{} ({help})", self.finding.message()),
            None => self.finding.message(),
        }
    }

    /// A number that stays while the finding does, wherever its line moves: FNV-1a of 64 bits.
    fn print(&self, repeats: &mut BTreeMap<u64, u64>) -> String {
        let finding = &self.finding;
        let parts =
            [self.file.as_str(), finding.code().slug(), finding.pointer(), &finding.message()];
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        for part in parts {
            part.bytes().chain([0xff]).for_each(&mut add);
        }
        // The same twice in a file is two findings.
        let repeat = repeats.entry(hash).or_default();
        hash = hash.wrapping_add(*repeat);
        *repeat += 1;
        format!("{hash:016x}")
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// A report of GitLab's code quality.
pub(crate) fn gitlab(entries: &[Entry]) -> String {
    let mut repeats = BTreeMap::new();
    let list: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let severity = match entry.finding.severity() {
                Severity::Error => "major",
                Severity::Warning => "minor",
                Severity::Suggestion => "info",
            };
            json!({
                "description": entry.text(),
                "check_name": entry.finding.code().slug(),
                "fingerprint": entry.print(&mut repeats),
                "severity": severity,
                "location": {
                    "path": entry.file,
                    "lines": { "begin": entry.start.0, "end": entry.end.0 },
                },
            })
        })
        .collect();
    pretty(&Value::Array(list))
}

/// A JUnit report: one suite a file, one case a finding. What weighs less than `least` is told, but
/// is no failure.
pub(crate) fn junit(entries: &[Entry], least: Severity) -> String {
    let mut files: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        files.entry(&entry.file).or_default().push(entry);
    }
    let fails = |entry: &&Entry| entry.finding.severity() >= least;
    let failures = entries.iter().filter(fails).count();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"onepath\" tests=\"{}\" \
         failures=\"{failures}\" errors=\"0\">\n",
        entries.len().max(1)
    );
    if entries.is_empty() {
        out.push_str(
            "  <testsuite name=\"onepath\" tests=\"1\" failures=\"0\" errors=\"0\" \
             skipped=\"0\">\n    <testcase name=\"no findings\" classname=\"onepath\"/>\n  \
             </testsuite>\n",
        );
    }
    for (file, found) in files {
        let failures = found.iter().copied().filter(fails).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">",
            xml(file),
            found.len()
        );
        for entry in found {
            let finding = &entry.finding;
            let (line, column) = entry.start;
            let _ = writeln!(
                out,
                "    <testcase name=\"{}\" classname=\"{}\">",
                xml(&format!("{} {}", finding.code(), finding.pointer())),
                xml(file),
            );
            let told = xml(&format!("line {line}, column {column}: {}", entry.text()));
            if fails(&entry) {
                let _ = writeln!(
                    out,
                    "      <failure message=\"{}\" type=\"{}\">{told}</failure>",
                    xml(&finding.message()),
                    finding.severity().word()
                );
            } else {
                let _ = writeln!(
                    out,
                    "      <system-out>{}: {told}</system-out>",
                    finding.severity().word()
                );
            }
            out.push_str("    </testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

/// Text in XML; what XML cannot hold is left out.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            one => out.push(one),
        }
    }
    out
}

/// A log in SARIF 2.1.0.
pub(crate) fn sarif(entries: &[Entry]) -> String {
    let level = |severity: Severity| match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Suggestion => "note",
    };
    // The rules that have results, each once.
    let mut rules: Vec<Code> = Vec::new();
    let mut repeats = BTreeMap::new();
    let results: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let finding = &entry.finding;
            let code = finding.code();
            let index = rules.iter().position(|known| *known == code).unwrap_or_else(|| {
                rules.push(code);
                rules.len() - 1
            });
            let (end_line, end_column) = entry.end;
            json!({
                "ruleId": code.slug(),
                "ruleIndex": index,
                "level": level(finding.severity()),
                "message": { "text": entry.text() },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(&entry.file) },
                        "region": {
                            "startLine": entry.start.0,
                            "startColumn": entry.start.1,
                            "endLine": end_line,
                            "endColumn": end_column,
                        },
                    },
                    "logicalLocations": [{ "fullyQualifiedName": finding.pointer() }],
                }],
                "partialFingerprints": { "onepath/v1": entry.print(&mut repeats) },
            })
        })
        .collect();
    let rules: Vec<Value> = rules
        .into_iter()
        .map(|code| {
            json!({
                "id": code.slug(),
                "shortDescription": { "text": code.explanation() },
                "defaultConfiguration": { "level": level(code.severity()) },
            })
        })
        .collect();
    pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "onepath",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

/// A path as a reference: `%` before what a URI cannot hold.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// A result of reviewdog's diagnostic format; its columns count bytes.
pub(crate) fn rdjson(entries: &[Entry]) -> String {
    let diagnostics: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let severity = match entry.finding.severity() {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
                Severity::Suggestion => "INFO",
            };
            json!({
                "message": entry.text(),
                "severity": severity,
                "code": { "value": entry.finding.code().slug() },
                "location": {
                    "path": entry.file,
                    "range": {
                        "start": { "line": entry.start.0, "column": entry.byte_columns.0 },
                        "end": { "line": entry.end.0, "column": entry.byte_columns.1 },
                    },
                },
            })
        })
        .collect();
    pretty(&json!({ "source": { "name": "onepath" }, "diagnostics": diagnostics }))
}

#[cfg(test)]
mod tests {
    use super::{uri, xml};

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(xml("a<b>&\"\u{0}\n"), "a&lt;b&gt;&amp;&quot;&#10;");
        assert_eq!(uri("scenes/a b#ø.json"), "scenes/a%20b%23%C3%B8.json");
    }
}
