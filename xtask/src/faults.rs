//! `cargo xtask faults`: the real server, killed at any moment, loses nothing and draws nothing
//! twice.

use std::process::Command;

use crate::run::{Outcome, cargo, need, program, root, step};

/// Builds the server and plays rounds of kills: `--rounds N`, `--seed S`, `--data DIR`.
pub(crate) fn faults(args: &[String]) -> Outcome {
    need("cc", &["gcc", "libc6-dev"])?;
    let packages = ["--package", "onepath-cli", "--package", "onepath-testkit"];
    step("build onepath and its testkit", cargo().args(["build", "--release"]).args(packages))?;
    step("rounds of kills", rounds("release").args(args))
}

/// The program that plays rounds against the server, both built under a profile before.
pub(crate) fn rounds(profile: &str) -> Command {
    let built = root().join("target").join(profile);
    let mut rounds = program(&built.join("onepath-faults").to_string_lossy());
    rounds.arg(built.join("onepath"));
    rounds
}
