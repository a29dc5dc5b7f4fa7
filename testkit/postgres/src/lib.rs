//! A PostgreSQL of a test program's own: its folder, its socket, no port, gone with the program.
//!
//! It is started from the installed binaries, as the user `postgres` where the program runs as root
//! (which PostgreSQL refuses), and writes to the disk as a real one does.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes a cluster, says its folder, and removes it when the program that started it is gone,
/// however it went: its end of the pipe closes.
const SCRIPT: &str = r#"
trap '' INT
cd /
folder=$(mktemp -d "${TMPDIR:-/tmp}/onepath-pg-XXXXXX") || exit 1
chmod 755 "$folder"
end() {
    "$1/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1
    rm -rf "$folder"
}
"$1/initdb" -D "$folder/data" --auth=trust --username=onepath --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync >"$folder/log" 2>&1 &&
cat >>"$folder/data/postgresql.conf" <<END
unix_socket_directories = '$folder'
listen_addresses = ''
max_connections = 300
shared_buffers = 64MB
END
"$1/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 60 start >/dev/null 2>&1 ||
{ tail -20 "$folder/log" >&2; end "$1"; exit 1; }
echo "$folder"
cat >/dev/null
end "$1"
"#;

/// A running PostgreSQL. It ends when this is dropped, or with the program.
#[derive(Debug)]
pub struct Cluster {
    binaries: PathBuf,
    folder: PathBuf,
    guard: Child,
    databases: AtomicU64,
    env: Vec<(String, String)>,
}

impl Cluster {
    /// The program's own, started when it is first asked for.
    ///
    /// # Errors
    ///
    /// As of [`start`](Self::start).
    pub fn shared() -> Result<&'static Self, String> {
        static SHARED: LazyLock<Result<Cluster, String>> = LazyLock::new(Cluster::start);
        SHARED.as_ref().map_err(Clone::clone)
    }

    /// Starts one.
    ///
    /// # Errors
    ///
    /// PostgreSQL is not installed, or does not start.
    pub fn start() -> Result<Self, String> {
        let binaries = binaries().ok_or(
            "PostgreSQL is not installed: `cargo xtask test` installs it, or `apt-get install \
             postgresql`",
        )?;
        let mut guard = as_owner("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(&binaries)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("PostgreSQL was not started: {error}"))?;
        let mut folder = String::new();
        if let Some(output) = guard.stdout.take() {
            let read = BufReader::new(output).read_line(&mut folder);
            read.map_err(|error| format!("PostgreSQL was not started: {error}"))?;
        }
        if folder.is_empty() {
            let mut why = String::new();
            if let Some(mut errors) = guard.stderr.take() {
                // What went wrong is told as far as it can be read.
                let _ = errors.read_to_string(&mut why);
            }
            let _ = guard.wait();
            return Err(format!("PostgreSQL does not start: {why}"));
        }
        Ok(Self {
            binaries,
            folder: PathBuf::from(folder.trim_end()),
            guard,
            databases: AtomicU64::new(0),
            env: Vec::new(),
        })
    }

    /// Sets a variable for the database's processes, from its next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// The folder of its socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.folder
    }

    /// One of the programs that were installed with it.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.binaries.join(name)
    }

    /// The URL of a new, empty database.
    ///
    /// # Errors
    ///
    /// The database cannot be made.
    pub fn database(&self) -> Result<String, String> {
        let name = format!("case{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        let socket = self.folder.to_string_lossy().replace('/', "%2F");
        Ok(format!("postgres://onepath@{socket}/{name}"))
    }

    /// The URL of a new, empty schema of a database that is shared with other schemas: for cases that
    /// look at nothing but their own tables, because a database of their own takes longer.
    ///
    /// # Errors
    ///
    /// The schema cannot be made.
    pub fn schema(&self) -> Result<String, String> {
        let name = format!("case{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE SCHEMA {name}"))?;
        let socket = self.folder.to_string_lossy().replace('/', "%2F");
        Ok(format!("postgres://onepath@{socket}/postgres?options=-c%20search_path%3D{name}"))
    }

    /// Ends it as `kill -9` does: what is not on the disk is gone.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn kill(&self) -> Result<(), String> {
        let file = self.folder.join("data/postmaster.pid");
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let id = text.lines().next().unwrap_or_default().to_owned();
        let killed = Command::new("kill").args(["-9", &id]).status();
        match killed {
            Ok(status) if status.success() => Ok(()),
            _ => Err(format!("PostgreSQL, process {id}, was not killed")),
        }
    }

    /// Ends it at once, as a crash does, and starts it again.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn restart(&self) -> Result<(), String> {
        self.control(&["-m", "immediate", "restart"])
    }

    /// Starts it again after it was killed.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn start_again(&self) -> Result<(), String> {
        // What a killed one left behind goes with its last child.
        let mut last = Ok(());
        for _ in 0..50 {
            last = self.control(&["start"]);
            if last.is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        last
    }

    fn control(&self, what: &[&str]) -> Result<(), String> {
        let output = as_owner(&self.binaries.join("pg_ctl").to_string_lossy())
            .current_dir("/")
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-l")
            .arg(self.folder.join("log"))
            .args(["-w", "-t", "60"])
            .args(what)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("pg_ctl: {error}"))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(format!("pg_ctl {}: {}", what.join(" "), String::from_utf8_lossy(&output.stderr)))
        }
    }

    /// Runs SQL on a database, given by its name or its URL; the rows, without anything around them.
    ///
    /// # Errors
    ///
    /// What the database says against it.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String, String> {
        let name = database.rsplit('/').next().unwrap_or(database);
        let output = Command::new(self.binaries.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "onepath", "-d", name])
            .arg("-h")
            .arg(&self.folder)
            .args(["-c", sql])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("psql: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Closes the pipe, upon which the guard ends everything.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A program as the user who may run PostgreSQL, which refuses root.
fn as_owner(program: &str) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", program]);
        command
    } else {
        Command::new(program)
    }
}

/// The folder of the newest installed version.
fn binaries() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            Some((version, path.join("bin")))
        })
        .filter(|(_, path)| path.join("postgres").is_file())
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path).or_else(on_the_path)
}

fn on_the_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| {
        ["initdb", "pg_ctl", "postgres", "psql"].iter().all(|name| folder.join(name).is_file())
    })
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&match std::fs::metadata(Path::new("/proc/self")) {
        Ok(own) => own,
        Err(_) => return false,
    }) == 0
}
