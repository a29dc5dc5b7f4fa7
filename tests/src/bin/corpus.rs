//! Prints the corpus of documents for judges that are not ours: JSON lines `{kind, valid, value}`.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for document in onepath_tests::corpus::documents() {
        let line = serde_json::json!({
            "kind": document.kind, "valid": document.faults.is_empty(), "value": document.value,
        });
        if writeln!(out, "{line}").is_err() {
            return ExitCode::FAILURE;
        }
    }
    if out.flush().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
