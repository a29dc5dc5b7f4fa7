//! `cargo xtask fuzz`: random texts against what must hold for any text.

use std::process::Stdio;

use crate::run::{Outcome, cargo, has, need, program, root, step};

/// The targets, each with a check in `fuzz/checks.rs` and inputs in `fuzz/corpus/`.
const TARGETS: [&str; 6] = ["decode", "canonical", "key", "prompt", "scene", "batch"];

/// Tries one target, or each of them, for some seconds: `[TARGET] [SECONDS]`.
///
/// New inputs are kept in `fuzz/target/corpus/`; what fails is kept in `fuzz/artifacts/`.
pub(crate) fn fuzz(args: &[String]) -> Outcome {
    let (targets, seconds) = read(args)?;
    if !has_nightly() {
        return Err("fuzzing needs a nightly toolchain, and none is installed: \
                    `rustup toolchain install nightly` (the inputs in `fuzz/corpus/` are replayed \
                    by `cargo xtask test`, which does not)"
            .to_owned());
    }
    need("c++", &["g++"])?;
    if !has("cargo-fuzz") {
        step(
            "install cargo-fuzz (two minutes, once)",
            cargo().args(["install", "cargo-fuzz", "--locked"]),
        )?;
    }
    let mut failed = Vec::new();
    for target in targets {
        // The first folder takes new inputs; the second holds those that are written by hand.
        let kept = root().join("fuzz/target/corpus").join(target);
        std::fs::create_dir_all(&kept).map_err(|error| format!("{}: {error}", kept.display()))?;
        let mut command = program("cargo");
        // The toolchain of this process must not win over `+nightly`.
        command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
        // Without unsafe code there is nothing for a sanitizer to find, and it takes most of the time.
        command.args(["+nightly", "fuzz", "run", target, "--sanitizer", "none"]);
        command.arg(&kept).arg(root().join("fuzz/corpus").join(target)).arg("--");
        command.arg(format!("-max_total_time={seconds}"));
        command.arg(format!("-dict={}", root().join("fuzz/words.dict").display()));
        command.args(["-max_len=4096", "-timeout=10"]);
        if let Err(message) = step(&format!("fuzz {target} for {seconds} s"), &mut command) {
            failed.push(message);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// Targets and seconds, in either order.
fn read(args: &[String]) -> Result<(Vec<&'static str>, u32), String> {
    let (mut targets, mut seconds) = (TARGETS.to_vec(), 60);
    for arg in args {
        if let Ok(number) = arg.parse() {
            seconds = number;
        } else if let Some(target) = TARGETS.iter().find(|target| *target == arg) {
            targets = vec![target];
        } else {
            return Err(format!(
                "`{arg}` is neither a target ({}) nor a number of seconds",
                TARGETS.join(", ")
            ));
        }
    }
    Ok((targets, seconds))
}

fn has_nightly() -> bool {
    let list = program("rustup").args(["toolchain", "list"]).stderr(Stdio::null()).output();
    list.is_ok_and(|list| {
        String::from_utf8_lossy(&list.stdout).lines().any(|line| line.starts_with("nightly"))
    })
}
