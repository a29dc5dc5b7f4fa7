//! `cargo xtask rivals`: the official clients of providers against the fakes, beside the server: the
//! same wish, the same faults. Writes `docs/rivals.md`.

use std::path::Path;
use std::process::Stdio;

use crate::run::{Outcome, cargo, copy_folder, node, npm_install, python_with, root, step};

/// Measures and writes the table; fails if the server is not as it must be.
pub(crate) fn rivals(args: &[String]) -> Outcome {
    if let Some(other) = args.first() {
        return Err(format!("`{other}` is not known: rivals takes nothing"));
    }
    let home = root().join("target/rivals");
    copy_folder(&root().join("tests/rivals"), &home)?;
    npm_install("rivals", &home)?;
    let wanted = read(&home.join("requirements.txt"))?;
    let python = python_with(&home, &wanted.lines().collect::<Vec<_>>())?.join("python");
    // With what tests are built with, so that nothing is built twice.
    let build = ["build", "--quiet", "--workspace", "--all-features", "--bin", "onepath"];
    step("build onepath", cargo().args(build))?;
    eprintln!("── rivals");
    let output = node()
        .arg(home.join("rivals.mjs"))
        .env("ONEPATH", root().join("target/debug/onepath"))
        .env("PYTHON", python)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("node does not start: {error}"))?;
    if !output.status.success() {
        return Err("rivals: the server is not as it must be, or a client did not start".to_owned());
    }
    let table = String::from_utf8_lossy(&output.stdout);
    let page = root().join("docs/rivals.md");
    let known = read(&page)?;
    let (words, _) =
        known.split_once(MARK).ok_or_else(|| format!("{}: no `{MARK}`", page.display()))?;
    std::fs::write(&page, format!("{words}{MARK}\n\n{}\n", table.trim()))
        .map_err(|error| format!("{}: {error}", page.display()))
}

/// Below this line the table stands.
const MARK: &str = "<!-- written by `cargo xtask rivals` -->";

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}
