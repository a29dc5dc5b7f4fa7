//! `cargo xtask test`: everything that must hold before a change lands.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::run::{Outcome, cargo, need, step};

/// Runs every check in order of cost and prints a plain count of tests.
pub(crate) fn test(_: &[String]) -> Outcome {
    need("cc", &["gcc", "libc6-dev"])?;
    step("format", cargo().args(["fmt", "--all", "--check"]))?;
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
    )?;
    let mut count = Count::default();
    count
        .run("tests", cargo().args(["test", "--workspace", "--all-features", "--no-fail-fast"]))?;
    println!("{} passed, {} failed", count.passed, count.failed);
    if count.failed == 0 { Ok(()) } else { Err(format!("{} tests failed", count.failed)) }
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
