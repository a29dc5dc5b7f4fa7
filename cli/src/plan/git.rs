//! A repository, asked through the `git` command.

use std::io::{BufReader, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A commit that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    /// As it was named.
    pub(super) revision: String,
    /// Its whole id.
    pub(super) id: String,
}

impl Commit {
    /// The first digits of its id.
    pub(super) fn short(&self) -> &str {
        self.id.get(..7).unwrap_or(&self.id)
    }
}

/// A working tree with its repository.
#[derive(Debug)]
pub(super) struct Repository {
    /// Its root, without links on the way.
    top: PathBuf,
    /// Where we stand, without links on the way.
    here: PathBuf,
}

/// A file of the working tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Here {
    /// It lies there.
    File(String),
    /// It is left out of a sparse checkout: it is as the index has it.
    Index(String),
}

impl Repository {
    /// The repository that the current folder belongs to.
    pub(super) fn open() -> Result<Self, String> {
        let here = std::env::current_dir()
            .and_then(std::fs::canonicalize)
            .map_err(|error| format!("the current folder: {error}"))?;
        let top = text(run(&mut git(&here, &["rev-parse", "--show-toplevel"]))?)?;
        let top = std::fs::canonicalize(top.trim_end_matches(['\n', '\r']))
            .map_err(|error| format!("the root of the repository: {error}"))?;
        Ok(Self { top, here })
    }

    /// The path of a file from the root, with `/` between; none if it lies outside.
    pub(super) fn path(&self, path: &str) -> Option<String> {
        let mut out = PathBuf::new();
        for part in self.here.join(path).components() {
            match part {
                Component::ParentDir => {
                    out.pop();
                }
                Component::CurDir => {}
                other => out.push(other),
            }
        }
        let inside = out.strip_prefix(&self.top).ok()?;
        let parts: Option<Vec<&str>> =
            inside.components().map(|part| part.as_os_str().to_str()).collect();
        Some(parts?.join("/"))
    }

    /// Where a path from the root lies on the disk.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.top.join(path)
    }

    fn git(&self, arguments: &[&str]) -> Command {
        git(&self.top, arguments)
    }

    /// Looks a revision up.
    pub(super) fn commit(&self, revision: &str) -> Result<Commit, String> {
        let named = format!("{revision}^{{commit}}");
        let mut command =
            self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &named]);
        let found = command.output().map_err(|error| no_git(&error))?;
        if found.status.success() {
            let id = text(found)?.trim().to_owned();
            return Ok(Commit { revision: revision.to_owned(), id });
        }
        Err(format!("`{revision}` is no commit of this repository{}", self.advice(revision)?))
    }

    /// The commit at which two lines of work went apart.
    pub(super) fn merge_base(&self, one: &Commit, other: &Commit) -> Result<Commit, String> {
        let mut command = self.git(&["merge-base", &one.id, &other.id]);
        let found = command.output().map_err(|error| no_git(&error))?;
        if found.status.success() {
            let id = text(found)?.trim().to_owned();
            return Ok(Commit { revision: one.revision.clone(), id });
        }
        Err(format!(
            "`{}` and `{}` have no commit in common here{}",
            one.revision,
            other.revision,
            self.advice(&one.revision)?
        ))
    }

    /// What helps when a commit is not found.
    fn advice(&self, revision: &str) -> Result<String, String> {
        let shallow = text(run(&mut self.git(&["rev-parse", "--is-shallow-repository"]))?)?;
        if shallow.trim() != "true" {
            return Ok(String::new());
        }
        let branch = revision.split(['~', '^', ':', '@']).next().unwrap_or(revision);
        let branch = branch.strip_prefix("origin/").unwrap_or(branch);
        Ok(format!(
            ": this is a shallow clone, which holds only the newest commits. Fetch the others with \
             `git fetch --unshallow origin`, or that one with `git fetch --depth=1 origin \
             {branch}`; in GitHub Actions give actions/checkout `fetch-depth: 0`"
        ))
    }

    /// The files of a commit below some paths from the root: path and object.
    pub(super) fn files(
        &self,
        commit: &Commit,
        below: &[String],
    ) -> Result<Vec<(String, String)>, String> {
        let mut command = self.git(&["ls-tree", "-r", "-z", "--full-tree", &commit.id, "--"]);
        if !everything(below) {
            command.args(below);
        }
        let listed = run(&mut command)?;
        let mut out = Vec::new();
        for entry in listed.stdout.split(|byte| *byte == 0) {
            // `<mode> <type> <object>\t<path>`: links and other repositories are no files.
            let Some(entry) = std::str::from_utf8(entry).ok() else { continue };
            let Some((head, path)) = entry.split_once('\t') else { continue };
            if let [mode, "blob", object] = head.split(' ').collect::<Vec<_>>().as_slice()
                && mode.starts_with("100")
            {
                out.push((path.to_owned(), (*object).to_owned()));
            }
        }
        Ok(out)
    }

    /// The files of the working tree below some paths from the root, but for those that git is
    /// told to ignore.
    pub(super) fn files_here(&self, below: &[String]) -> Result<Vec<Here>, String> {
        let arguments = [
            "--literal-pathspecs",
            "ls-files",
            "-z",
            "-t",
            "--cached",
            "--others",
            "--exclude-standard",
        ];
        let mut command = self.git(&arguments);
        command.arg("--");
        if !everything(below) {
            command.args(below);
        }
        let listed = run(&mut command)?;
        let mut out = Vec::new();
        for entry in listed.stdout.split(|byte| *byte == 0) {
            let Some((tag, path)) = std::str::from_utf8(entry).ok().and_then(|e| e.split_once(' '))
            else {
                continue;
            };
            let is_file = |path| {
                std::fs::symlink_metadata(self.place(path)).is_ok_and(|found| found.is_file())
            };
            if is_file(path) {
                out.push(Here::File(path.to_owned()));
            } else if tag == "S" {
                out.push(Here::Index(path.to_owned()));
            }
        }
        Ok(out)
    }

    /// Whether git is told to ignore a file.
    pub(super) fn ignores(&self, path: &str) -> Result<bool, String> {
        let mut command = self.git(&["check-ignore", "--quiet", "--", path]);
        command.output().map(|found| found.status.success()).map_err(|error| no_git(&error))
    }

    /// The bytes of objects, in order; none for one that is not there.
    pub(super) fn contents(&self, objects: &[String]) -> Result<Vec<Option<Vec<u8>>>, String> {
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let mut child = self
            .git(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| no_git(&error))?;
        let fail = |what: &str| format!("git cat-file: {what}");
        let mut input = child.stdin.take().ok_or_else(|| fail("no input"))?;
        let output = child.stdout.take().ok_or_else(|| fail("no output"))?;
        let asked: String = objects.iter().flat_map(|object| [object.as_str(), "\n"]).collect();
        // Asked from a thread: both pipes may be full at once.
        let writer = std::thread::spawn(move || input.write_all(asked.as_bytes()));
        let mut output = BufReader::new(output);
        let mut out = Vec::with_capacity(objects.len());
        for _ in objects {
            out.push(next_object(&mut output).map_err(|error| fail(&error.to_string()))?);
        }
        let written = writer.join().map_err(|_| fail("it does not take what is asked"))?;
        written.map_err(|error| fail(&error.to_string()))?;
        child.wait().map_err(|error| fail(&error.to_string()))?;
        Ok(out)
    }
}

/// One answer of `git cat-file --batch`.
fn next_object(output: &mut impl std::io::BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = String::new();
    output.read_line(&mut head)?;
    let head = head.trim_end_matches('\n');
    let Some(size) = head.rsplit(' ').next().and_then(|size| size.parse::<u64>().ok()) else {
        if head.is_empty() {
            return Err(std::io::Error::other("it ended early"));
        }
        return Ok(None);
    };
    let mut bytes = Vec::new();
    output.by_ref().take(size).read_to_end(&mut bytes)?;
    output.read_exact(&mut [0])?;
    Ok(Some(bytes))
}

/// Whether one of the paths is the root.
fn everything(below: &[String]) -> bool {
    below.iter().any(String::is_empty)
}

fn git(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments).stdin(Stdio::null());
    // Reading needs no lock, and must not wait for one.
    command.env("GIT_OPTIONAL_LOCKS", "0");
    command
}

/// Runs a command that must succeed.
fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| no_git(&error))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("git: {}", said.trim().trim_start_matches("fatal: ")))
}

fn no_git(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::NotFound {
        "the command `git` is needed and was not found".to_owned()
    } else {
        format!("git does not run: {error}")
    }
}

fn text(output: Output) -> Result<String, String> {
    String::from_utf8(output.stdout).map_err(|_| "git: a path that is not UTF-8".to_owned())
}
