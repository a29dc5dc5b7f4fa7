//! Servers as processes of their own: started, and looked at from outside.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::Failure;

/// A server that says on its first line where it listens, and ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    /// One of our own, which are this program again.
    pub(crate) fn ours(args: &[&str]) -> Result<Self, Failure> {
        Self::start(Command::new(std::env::current_exe()?).arg("serve").args(args))
    }

    /// Starts a program, and waits until it listens.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        let shown = format!("{command:?}");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        let output = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(output).read_line(&mut address)?;
        let server = Self { child, address: address.trim().to_owned() };
        if server.address.is_empty() {
            Err(format!("{shown} did not start").into())
        } else {
            Ok(server)
        }
    }

    /// CPU time of all its threads, in nanoseconds, as the kernel's scheduler counts it.
    pub(crate) fn cpu(&self) -> Result<u64, Failure> {
        let mut sum = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let stat = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            sum += stat.split(' ').next().ok_or("empty schedstat")?.parse::<u64>()?;
        }
        Ok(sum)
    }

    /// Kilobytes of memory that it has.
    pub(crate) fn memory(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kilobytes.ok_or("no memory is told")?.trim().parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
