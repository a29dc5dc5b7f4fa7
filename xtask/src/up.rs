//! `cargo xtask up`: build the command and walk the example game with it.

use crate::run::{Outcome, cargo, need, program, root, step};

/// Builds `onepath` and walks `examples/scenes`: findings first, then one line a node.
pub(crate) fn up(_: &[String]) -> Outcome {
    need("cc", &["gcc", "libc6-dev"])?;
    step("build onepath", cargo().args(["build", "--release", "--package", "onepath-cli"]))?;
    let onepath = root().join("target/release/onepath");
    let onepath = onepath.to_string_lossy();
    let prompts = ["--prompts", "examples/scenes/prompts.json"];
    step(
        "onepath check examples/scenes",
        program(&onepath).args(["check", "examples/scenes"]).args(prompts),
    )?;
    step(
        "onepath walk examples/scenes",
        program(&onepath).args(["walk", "examples/scenes", "--provider", "local"]).args(prompts),
    )
}
