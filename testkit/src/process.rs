//! The server's processes: started, killed, stopped and gone on with, asked to end.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use onepath_testkit::Fallible;

/// How long a process may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How processes of a scenario are started.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The program.
    pub(crate) path: PathBuf,
    /// What stands behind `serve` or `worker`.
    pub(crate) args: Vec<String>,
    /// Set for every process.
    pub(crate) env: Vec<(String, String)>,
    /// Everything that processes say on standard error.
    pub(crate) log: PathBuf,
}

impl Program {
    /// Begins a process; it may not be ready yet.
    pub(crate) fn begin(&self, what: &str, more: &[&str]) -> Fallible<Process> {
        let shown = |error: std::io::Error| format!("{}: {error}", self.path.display());
        let log = File::options().create(true).append(true).open(&self.log).map_err(shown)?;
        let child = Command::new(&self.path)
            .arg(what)
            .args(&self.args)
            .args(more)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(shown)?;
        Ok(Process { child, output: None, address: None })
    }

    /// Starts a process and waits until it says that it is ready; `None` if it ended before.
    pub(crate) async fn try_start(&self, what: &str, more: &[&str]) -> Fallible<Option<Process>> {
        let mut process = self.begin(what, more)?;
        let output = process.child.stdout.take().ok_or("the process has no output")?;
        let line = tokio::task::spawn_blocking(move || {
            let (mut output, mut line) = (BufReader::new(output), String::new());
            output.read_line(&mut line).map(|_| (output, line))
        });
        let line = tokio::time::timeout(PATIENCE, line).await;
        let line = line.map_err(|_| "a process does not start")?;
        let (output, line) = line.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        process.output = Some(output);
        process.address = line.trim().strip_prefix("onepath serves http://").map(str::to_owned);
        Ok((!line.is_empty()).then_some(process))
    }

    /// Starts a process and waits until it says that it is ready.
    pub(crate) async fn start(&self, what: &str, more: &[&str]) -> Fallible<Process> {
        let started = self.try_start(what, more).await?;
        started.ok_or_else(|| format!("a process did not start: see {}", self.log.display()))
    }
}

/// A process, which ends with this value.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Kept open: a server that nobody listens to ends.
    output: Option<BufReader<ChildStdout>>,
    address: Option<String>,
}

impl Process {
    /// Where it listens, if it does.
    pub(crate) fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) -> Fallible<()> {
        self.child.kill().map_err(|error| error.to_string())?;
        self.child.wait().map(|_| ()).map_err(|error| error.to_string())
    }

    /// Sends a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) -> Fallible<()> {
        signal(self.child.id(), name)
    }

    /// Bytes of memory that it holds now.
    pub(crate) fn memory(&self) -> Fallible<u64> {
        let file = format!("/proc/{}/statm", self.child.id());
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        pages.map(|pages| pages * 4096).ok_or_else(|| format!("{file}: `{text}`"))
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Fallible<Option<ExitStatus>> {
        self.child.try_wait().map_err(|error| error.to_string())
    }

    /// Asks it to end, and waits until it has; how long that took.
    pub(crate) async fn end(&mut self) -> Fallible<Duration> {
        self.signal("TERM")?;
        let since = Instant::now();
        loop {
            match self.ended()? {
                Some(status) if status.success() => return Ok(since.elapsed()),
                Some(status) => return Err(format!("a process ended with {status}")),
                None if since.elapsed() > PATIENCE => {
                    return Err("a process does not end when it is asked to".to_owned());
                }
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(id: u32, name: &str) -> Fallible<()> {
    let sent = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status();
    match sent {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("the process {id} takes no {name}")),
    }
}

/// An empty folder.
pub(crate) fn fresh(folder: &Path) -> Fallible<()> {
    let shown = |error: std::io::Error| format!("{}: {error}", folder.display());
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(shown(error)),
        _ => std::fs::create_dir_all(folder).map_err(shown),
    }
}
