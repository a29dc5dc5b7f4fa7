//! `cargo xtask schemathesis`: a real server is asked for everything that its openapi.json describes,
//! and for what it does not.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use crate::run::{Outcome, cargo, copy_folder, program, python_with, root, step};

const VERSION: &str = "schemathesis==4.32.5";

/// The key of the server that is asked.
const KEY: &str = "schemathesis";

/// `schemathesis [EXAMPLES]`: examples for each operation, 100 if nobody says.
pub(crate) fn schemathesis(args: &[String]) -> Outcome {
    let examples = args.first().map_or("100", String::as_str);
    if examples.parse::<u32>().is_err() {
        return Err(format!("`{examples}` is no number of examples"));
    }
    let home = root().join("target/schemathesis");
    copy_folder(&root().join("tests/schemathesis"), &home)?;
    let st = python_with(&home, &[VERSION])?.join("st");
    step("build onepath", cargo().args(["build", "--quiet", "--package", "onepath-cli"]))?;
    let server = Server::start(&home.join("data"))?;
    let ask = |what: &str, more: &[&str], stateful: &str| {
        let mut run = program(&st.to_string_lossy());
        run.current_dir(&home)
            .env("ONEPATH_STATEFUL", stateful)
            .args(["run", &format!("{}/openapi.json", server.address)])
            .args(["-H", &format!("Authorization: Bearer {KEY}"), "-n", examples])
            .args(more);
        step(what, &mut run)
    };
    let each = ask("every operation", &["--phases", "examples,coverage,fuzzing"], "");
    // What was created is followed: only what is taken in leads anywhere.
    let links = ask("one after the other", &["--phases", "stateful", "-m", "positive"], "1");
    each.and(links)
}

/// A server on a fresh folder, killed at the end.
struct Server {
    child: Child,
    /// Kept open: a server that nobody listens to ends.
    _out: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    fn start(data: &Path) -> Result<Self, String> {
        if data.exists() {
            std::fs::remove_dir_all(data)
                .map_err(|error| format!("{}: {error}", data.display()))?;
        }
        let mut child = program("target/debug/onepath")
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("ONEPATH_DEV_KEY", KEY)
            .env("ONEPATH_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("onepath serve: {error}"))?;
        let mut out = BufReader::new(child.stdout.take().ok_or("the server has no output")?);
        let mut line = String::new();
        out.read_line(&mut line).map_err(|error| format!("onepath serve: {error}"))?;
        let address = line.trim().strip_prefix("onepath serves ").unwrap_or_default().to_owned();
        let server = Self { child, _out: out, address };
        if server.address.is_empty() {
            return Err("onepath serve does not start".to_owned());
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
