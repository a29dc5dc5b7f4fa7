//! The real server as a process: started, killed, asked to end.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use onepath_testkit::Fallible;

/// The key of every round.
pub(super) const KEY: &str = "faults";

/// How long a server may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server of a folder.
#[derive(Debug)]
pub(super) struct Place {
    onepath: PathBuf,
    folder: PathBuf,
}

impl Place {
    pub(super) fn new(onepath: &Path, folder: &Path) -> Self {
        Self { onepath: onepath.to_path_buf(), folder: folder.to_path_buf() }
    }

    /// The server's data.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Everything that its processes said on standard error.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Begins a process; it may not listen yet.
    pub(super) fn begin(&self, listen: &str) -> Fallible<Process> {
        let shown = |error: std::io::Error| format!("{}: {error}", self.onepath.display());
        let log = File::options().create(true).append(true).open(self.log()).map_err(shown)?;
        let child = Command::new(&self.onepath)
            .args(["serve", "--dev", "--listen", listen, "--data"])
            .arg(self.data())
            .env("ONEPATH_DEV_KEY", KEY)
            .env("ONEPATH_LOG", "info,onepath_server::provider=debug")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(shown)?;
        Ok(Process { child, output: None })
    }

    /// Starts a server and waits until it says where it listens.
    pub(super) async fn start(&self, listen: &str) -> Fallible<(Process, String)> {
        let mut process = self.begin(listen)?;
        let output = process.child.stdout.take().ok_or("the server has no output")?;
        let line = tokio::task::spawn_blocking(move || {
            let (mut output, mut line) = (BufReader::new(output), String::new());
            output.read_line(&mut line).map(|_| (output, line))
        });
        let line = tokio::time::timeout(PATIENCE, line).await;
        let line = line.map_err(|_| "the server does not start")?;
        let (output, line) = line.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        process.output = Some(output);
        match line.trim().strip_prefix("onepath serves http://") {
            Some(address) => Ok((process, address.to_owned())),
            None => Err(format!("the server did not start: see {}", self.log().display())),
        }
    }
}

/// A process, which ends with this value.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// Kept open: a server that nobody listens to ends.
    output: Option<BufReader<ChildStdout>>,
}

impl Process {
    /// Ends it at once, as `kill -9` does.
    pub(super) fn kill(&mut self) -> Fallible<()> {
        self.child.kill().map_err(|error| error.to_string())?;
        self.child.wait().map(|_| ()).map_err(|error| error.to_string())
    }

    /// Asks it to end, and waits until it has.
    pub(super) async fn end(&mut self) -> Fallible<ExitStatus> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            return Err("the server cannot be asked to end".to_owned());
        }
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Ok(status);
            }
            if since.elapsed() > PATIENCE {
                return Err("the server does not end when it is asked to".to_owned());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
