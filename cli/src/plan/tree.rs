//! The files of both sides: of a commit, and of another or the working tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use super::git::{Commit, Here, Repository};
use crate::input::{self, Source};

/// One side: a commit, or the working tree.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side<'s> {
    Commit(&'s Commit),
    Here,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct File {
    /// With its path from the root of the repository.
    pub(super) source: Source,
    pub(super) text: String,
}

/// What was named on the command line.
#[derive(Debug)]
enum Wanted {
    /// A file or a folder.
    Path(String),
    Glob(GlobMatcher),
}

/// Which files are compared.
#[derive(Debug)]
pub(super) struct Selection {
    wanted: Vec<(String, Wanted)>,
    /// Where files are looked for, from the root.
    below: Vec<String>,
}

impl Selection {
    pub(super) fn new(repository: &Repository, paths: &[String]) -> Result<Self, String> {
        let mut wanted = Vec::new();
        let mut below = Vec::new();
        for path in paths {
            if path == "-" {
                return Err("standard input has no past: name files or folders".to_owned());
            }
            let outside = || format!("`{path}` lies outside of the repository");
            let is_glob = path.contains(['*', '?', '[', '{']) && !Path::new(path).exists();
            if is_glob {
                let (folder, pattern) = split_glob(path);
                let folder = repository.path(folder).ok_or_else(outside)?;
                let whole = if folder.is_empty() {
                    pattern.to_owned()
                } else {
                    format!("{}/{pattern}", globset::escape(&folder))
                };
                let glob = GlobBuilder::new(&whole)
                    .literal_separator(true)
                    .build()
                    .map_err(|error| format!("`{path}` is no glob: {error}"))?;
                below.push(folder);
                wanted.push((path.clone(), Wanted::Glob(glob.compile_matcher())));
            } else {
                let inside = repository.path(path).ok_or_else(outside)?;
                below.push(inside.clone());
                wanted.push((path.clone(), Wanted::Path(inside)));
            }
        }
        Ok(Self { wanted, below })
    }

    /// Whether a file is meant, and if so whether it was named; notes by which of the paths.
    fn takes(&self, path: &str, met: &mut BTreeSet<usize>) -> Option<bool> {
        let mut named = None;
        for (at, (_, wanted)) in self.wanted.iter().enumerate() {
            let taken = match wanted {
                Wanted::Glob(glob) => glob.is_match(path).then_some(true),
                Wanted::Path(wanted) if wanted == path => Some(true),
                Wanted::Path(wanted) => below(path, wanted).filter(counts).map(|_| false),
            };
            if let Some(taken) = taken {
                met.insert(at);
                named = Some(taken || named == Some(true));
            }
        }
        named
    }
}

/// The part of a path below a folder.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

/// Whether a file of a folder counts as a document, as everywhere.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that `filter` asks for")]
fn counts(path: &&str) -> bool {
    let path = Path::new(path);
    let folders = path.parent().into_iter().flat_map(Path::components);
    input::is_document(path)
        && folders
            .into_iter()
            .all(|name| input::is_looked_into(&name.as_os_str().to_string_lossy()))
}

/// The folder in which a glob starts, and the rest.
fn split_glob(pattern: &str) -> (&str, &str) {
    let wild = pattern.find(['*', '?', '[', '{']).unwrap_or(pattern.len());
    let (fixed, _) = pattern.split_at_checked(wild).unwrap_or((pattern, ""));
    match fixed.rfind('/').and_then(|at| pattern.split_at_checked(at + 1)) {
        Some((folder, rest)) => (folder, rest),
        None => (".", pattern),
    }
}

/// Reads the files of both sides. A path that names nothing on either side is an error.
pub(super) fn read_both(
    repository: &Repository,
    selection: &Selection,
    base: &Commit,
    head: Side<'_>,
    notes: &mut Vec<String>,
) -> Result<[Vec<File>; 2], String> {
    let mut met = BTreeSet::new();
    let before = read_commit(repository, selection, base, &mut met, notes)?;
    let after = match head {
        Side::Commit(commit) => read_commit(repository, selection, commit, &mut met, notes)?,
        Side::Here => read_here(repository, selection, &mut met)?,
    };
    for (at, (name, wanted)) in selection.wanted.iter().enumerate() {
        let is_folder = match wanted {
            Wanted::Path(path) => repository.place(path).is_dir(),
            Wanted::Glob(_) => false,
        };
        if !met.contains(&at) && !is_folder {
            return Err(format!("`{name}` names no file, neither before nor now"));
        }
    }
    Ok([before, after])
}

fn read_commit(
    repository: &Repository,
    selection: &Selection,
    commit: &Commit,
    met: &mut BTreeSet<usize>,
    notes: &mut Vec<String>,
) -> Result<Vec<File>, String> {
    let mut sources = Vec::new();
    let mut objects = Vec::new();
    for (path, object) in repository.files(commit, &selection.below)? {
        if let Some(named) = selection.takes(&path, met) {
            sources.push(Source { path: path.into(), named });
            objects.push(object);
        }
    }
    let mut out = Vec::new();
    for (source, bytes) in sources.into_iter().zip(repository.contents(&objects)?) {
        let name = source.name();
        let Some(bytes) = bytes else {
            return Err(format!("{name}: git has no content for it at {}", commit.short()));
        };
        match input::text(&name, bytes) {
            Ok(text) => out.push(File { source, text }),
            // The past cannot be mended.
            Err(fault) => notes.push(format!("at {}: {fault}", commit.short())),
        }
    }
    Ok(out)
}

fn read_here(
    repository: &Repository,
    selection: &Selection,
    met: &mut BTreeSet<usize>,
) -> Result<Vec<File>, String> {
    // What was named is read, even if git is told to ignore it.
    let named = selection.wanted.iter().filter_map(|(_, wanted)| match wanted {
        Wanted::Path(path) if repository.place(path).is_file() => Some(path.clone()),
        _ => None,
    });
    let mut files: BTreeMap<String, bool> = named.map(|path| (path, true)).collect();
    for found in repository.files_here(&selection.below)? {
        match found {
            Here::File(path) => files.entry(path).or_insert(true),
            Here::Index(path) => files.entry(path).or_insert(false),
        };
    }
    let mut out = Vec::new();
    for (path, lies_there) in files {
        let Some(named) = selection.takes(&path, met) else { continue };
        let bytes = if lies_there {
            std::fs::read(repository.place(&path)).map_err(|error| format!("{path}: {error}"))?
        } else {
            let found = repository.contents(&[format!(":{path}")])?.pop().flatten();
            found.ok_or_else(|| format!("{path}: git has no content for it"))?
        };
        let text = input::text(&path, bytes)?;
        out.push(File { source: Source { path: path.into(), named }, text });
    }
    Ok(out)
}

/// The text of one file of a side, if it has it. `path` is as it was named.
pub(super) fn read_one(
    repository: &Repository,
    side: Side<'_>,
    path: &str,
) -> Result<Option<String>, String> {
    let on_disk = || {
        let source = Source { path: path.into(), named: true };
        input::read(&source).map(Some)
    };
    let Side::Commit(commit) = side else { return on_disk() };
    // What lies outside, or is none of git's business, has no past: it is the same on both sides.
    let Some(inside) = repository.path(path) else { return on_disk() };
    let files = repository.files(commit, std::slice::from_ref(&inside))?;
    let object = files.into_iter().find(|(known, _)| *known == inside).map(|(_, object)| object);
    match object {
        Some(object) => {
            let bytes = repository.contents(&[object])?.pop().flatten();
            let bytes = bytes.ok_or_else(|| format!("{inside}: git has no content for it"))?;
            input::text(&format!("{inside} at {}", commit.short()), bytes).map(Some)
        }
        None if repository.ignores(&inside)? => on_disk(),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::{below, counts, split_glob};

    #[test]
    fn files_of_a_folder_count_as_for_the_other_commands() {
        assert_eq!(below("scenes/a.json", "scenes"), Some("a.json"));
        assert_eq!(below("scenes2/a.json", "scenes"), None);
        assert_eq!(below("a.json", ""), Some("a.json"));
        assert!(counts(&"deep/a.jsonl"));
        for other in [".vscode/a.json", "node_modules/x/a.json", "target/a.json", "a.txt"] {
            assert!(!counts(&other), "{other}");
        }
        assert_eq!(split_glob("scenes/**/*.json"), ("scenes/", "**/*.json"));
        assert_eq!(split_glob("*.json"), (".", "*.json"));
        assert_eq!(split_glob("a/b*/c/*.json"), ("a/", "b*/c/*.json"));
    }
}
