//! The server against its peers: a program of its own, because it needs the server's dependencies.

use std::path::Path;
use std::process::Stdio;

use super::Fallible;
use crate::run::{Outcome, cargo, need_postgresql, program, step};

/// Builds the servers, and the peer that is no part of the product's dependencies.
pub(super) fn build(home: &Path) -> Outcome {
    need_postgresql()?;
    step("build the servers", cargo().args(["build", "--release", "--package", "onepath-bench"]))?;
    step(
        "build the peer on sqlx",
        cargo()
            .env("CARGO_TARGET_DIR", home.join("sqlx"))
            .args(["build", "--release", "--locked", "--manifest-path"])
            .arg("bench/peers/sqlx/Cargo.toml"),
    )
}

/// All parts of the table, or some: `create`, `durable`, `hits`, `queue`, `streams`.
pub(super) fn measure(home: &Path, parts: &[String]) -> Fallible<String> {
    let output = program("target/release/onepath-bench-http")
        .arg("bench/payload/path.jsonl")
        .arg(home)
        .args(parts)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("onepath-bench-http: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("onepath-bench-http: {}", output.status))
    }
}
