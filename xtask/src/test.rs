//! `cargo xtask test`: everything that must hold before a change lands.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::editor;
use crate::faults;
use crate::pkg;
use crate::run::{
    Outcome, cargo, copy_folder, need, need_postgresql, node, npm_install, program, root, step,
};

/// A part of the test command: its name, and what it runs.
type Part = (&'static str, fn(&mut Count) -> Outcome);

/// The parts, in the order in which they run: what is quick to fail comes first.
const PARTS: [Part; 8] = [
    ("format", format),
    ("clippy", clippy),
    ("rust", rust),
    ("judges", judges),
    ("kills", kills),
    ("package", package),
    ("editor", page),
    ("docs", documents),
];

/// Runs every part, or those that are named, and prints a plain count of tests.
pub(crate) fn test(wanted: &[String]) -> Outcome {
    let known = |name: &String| PARTS.iter().any(|(part, _)| part == name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        let names: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
        return Err(format!("`{unknown}` is no part of test: {}", names.join(", ")));
    }
    need("cc", &["gcc", "libc6-dev"])?;
    let mut count = Count::default();
    for (name, run) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|part| part == name) {
            run(&mut count)?;
        }
    }
    println!("{} passed, {} failed", count.passed, count.failed);
    if count.failed == 0 { Ok(()) } else { Err(format!("{} tests failed", count.failed)) }
}

fn format(_: &mut Count) -> Outcome {
    step("format", cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(_: &mut Count) -> Outcome {
    step(
        "clippy",
        cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ]),
    )
}

fn rust(count: &mut Count) -> Outcome {
    need("curl", &["curl"])?;
    need_postgresql()?;
    count.run("tests", cargo().args(["test", "--workspace", "--all-features", "--no-fail-fast"]))
}

fn documents(_: &mut Count) -> Outcome {
    step(
        "documents of the crates",
        cargo().env("RUSTDOCFLAGS", "-D warnings").args([
            "doc",
            "--workspace",
            "--no-deps",
            "--quiet",
        ]),
    )
}

/// Writes the generated files; a test proves that they are current.
pub(crate) fn generate() -> Outcome {
    step(
        "generate",
        cargo().args(["run", "--quiet", "--package", "onepath-tests", "--bin", "generate"]),
    )
}

/// Ajv judges what our readers judged, and Node recomputes a million numbers.
fn judges(count: &mut Count) -> Outcome {
    let home = root().join("target/judges");
    copy_folder(&root().join("tests/judges"), &home)?;
    npm_install("judges that are not ours", &home)?;
    let corpus = root().join("target/judges/corpus.jsonl");
    let file = File::create(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    step(
        "corpus for the judges",
        cargo()
            .args(["run", "--quiet", "--package", "onepath-tests", "--bin", "corpus"])
            .stdout(Stdio::from(file)),
    )?;
    count.run(
        "ajv on the schemas",
        node().arg(home.join("ajv.mjs")).args([
            "schemas",
            "target/judges/corpus.jsonl",
            "examples/scenes",
        ]),
    )?;
    step("build onepath", cargo().args(["build", "--quiet", "--package", "onepath-cli"]))?;
    count.run(
        "a million numbers in Node and in onepath",
        node().arg(home.join("numbers.mjs")).args(["target/debug/onepath", "1000000"]),
    )
}

/// The server is killed in the middle of its work; `cargo xtask faults` does it a hundred times.
fn kills(count: &mut Count) -> Outcome {
    step(
        "build the server and its testkit",
        cargo().args([
            "build",
            "--quiet",
            "--package",
            "onepath-cli",
            "--package",
            "onepath-testkit",
        ]),
    )?;
    let mut rounds = faults::rounds("debug");
    count.run("the server survives kill -9", rounds.args(["--rounds", "6"]))
}

/// The npm package: built, measured, and run in Node against the crate and against others.
fn package(count: &mut Count) -> Outcome {
    need("chromium", &["chromium"])?;
    let built = pkg::build(pkg::Snapshot::Check)?;
    pkg::sizes(&built)?;
    let tools = pkg::tools()?;
    pkg::unpack(&built, &tools)?;
    for suite in pkg::SUITES {
        let mut run = node();
        run.current_dir(&tools)
            .env("ONEPATH_ROOT", root())
            .env("ONEPATH_TARBALL", &built.tarball)
            .args(["--test", "--test-reporter=./reporter.mjs"])
            .arg(format!("{suite}.test.mjs"));
        count.run(&format!("package: {suite}"), &mut run)?;
    }
    let python = pkg::python()?;
    let mut check = program(&python.to_string_lossy());
    count.run(
        "canonical text in Python",
        check.arg("tests/pkg/canonical.py").arg("tests/vectors/v1.jsonl"),
    )
}

/// The editor in a browser, served by `onepath` as it is built.
fn page(count: &mut Count) -> Outcome {
    let home = editor::build()?;
    step(
        "build onepath with its editor",
        cargo().args(["build", "--quiet", "--package", "onepath-cli"]),
    )?;
    let mut run = node();
    run.current_dir(&home)
        .env("ONEPATH_ROOT", root())
        .args(["--test", "--test-reporter"])
        .arg(root().join("tests/pkg/reporter.mjs"))
        .arg("tests/editor.test.mjs");
    count.run("the editor in Chromium", &mut run)
}

/// Tests that ran.
#[derive(Debug, Default)]
struct Count {
    passed: u64,
    failed: u64,
}

impl Count {
    /// Runs a test program, passes its output on and adds up its closing lines.
    fn run(&mut self, what: &str, command: &mut Command) -> Outcome {
        eprintln!("── {what}");
        let before = self.failed;
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{what}: did not start: {error}"))?;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                println!("{line}");
                self.add(&line);
            }
        }
        let status = child.wait().map_err(|error| format!("{what}: {error}"))?;
        if status.success() || self.failed > before {
            Ok(())
        } else {
            Err(format!("{what}: failed ({status})"))
        }
    }

    /// `test result: ok. 12 passed; 0 failed; …`
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let number = |word: &str| {
            let (before, _) = result.split_once(word)?;
            before.trim_end().rsplit(' ').next()?.parse::<u64>().ok()
        };
        self.passed += number(" passed").unwrap_or(0);
        self.failed += number(" failed").unwrap_or(0);
    }
}
