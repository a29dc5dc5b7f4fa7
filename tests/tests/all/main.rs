//! One binary for everything that crosses rooms: linking is what costs.
#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code: a failing test is supposed to stop"
)]

mod canonical;
mod contract;
mod corpus;
mod edited;
mod lifecycle;
mod names;
mod plan;
mod predecessor;
mod properties;
mod providers;
mod purity;
mod schemas;
mod server;
mod vectors;
mod webhooks;

use serde_json::Value;

/// Reads a JSON file of golden data.
fn json(path: &str) -> Value {
    let path = onepath_tests::vectors().join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// One batch line, parsed.
fn batch(op: onepath_core::BatchOp, line: &Value) -> Value {
    let answer = onepath_core::batch(op, &line.to_string());
    serde_json::from_str(&answer).unwrap_or(Value::String(answer))
}

/// The codes of an answer's findings, of a report or of an error.
fn codes(answer: &Value) -> Vec<String> {
    let findings = answer.get("error").unwrap_or(answer)["findings"].as_array();
    let code = |finding: &Value| finding["code"].as_str().unwrap().to_owned();
    findings.map(|list| list.iter().map(code).collect()).unwrap_or_default()
}
