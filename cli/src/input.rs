//! What is read: files, folders, globs, standard input, JSON lines in blocks.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSetBuilder};
use memchr::memchr_iter;
use onepath_core::{DocumentKind, Finding, Refusal, canonicalize, document_kind, list_items};

/// Bytes of JSON lines that are worked on at once.
const BLOCK: usize = 256 * 1024;

/// A file to read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Its path; `-` is standard input.
    pub(crate) path: PathBuf,
    /// Whether it was named, rather than found in a folder.
    pub(crate) named: bool,
}

impl Source {
    pub(crate) fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    pub(crate) fn is_lines(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "jsonl")
    }

    pub(crate) fn name(&self) -> String {
        if self.is_stdin() { "<stdin>".to_owned() } else { self.path.display().to_string() }
    }
}

/// The files of paths, folders and globs, each once. Folders give `*.json` and `*.jsonl`, sorted.
pub(crate) fn sources(paths: &[String]) -> Result<Vec<Source>, String> {
    let mut out: Vec<Source> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |path: PathBuf, named: bool| {
        // The same file under two names is one file.
        let real = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if seen.insert(real) {
            out.push(Source { path, named });
        }
    };
    for text in paths {
        let path = Path::new(text);
        if text == "-" || (path.exists() && !path.is_dir()) {
            add(path.to_path_buf(), true);
        } else if path.is_dir() {
            let mut found = Vec::new();
            folder(path, &mut found)?;
            for path in found {
                add(path, false);
            }
        } else if text.contains(['*', '?', '[', '{']) {
            let found = glob(text)?;
            if found.is_empty() {
                return Err(format!("`{text}` matches no file"));
            }
            for path in found {
                add(path, true);
            }
        } else {
            return Err(format!("`{text}`: no such file or folder"));
        }
    }
    Ok(out)
}

/// Whether documents are looked for in a folder of this name.
pub(crate) fn is_looked_into(name: &str) -> bool {
    !name.starts_with('.') && name != "node_modules" && name != "target"
}

/// Whether a file that is found in a folder may hold documents.
pub(crate) fn is_document(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "json" || end == "jsonl")
}

fn folder(path: &Path, out: &mut Vec<PathBuf>) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        // Links to folders are not followed: they may lead back.
        entries.push((entry.path(), entry.file_type().map_err(fail)?.is_dir()));
    }
    entries.sort();
    for (entry, is_folder) in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        if is_folder {
            if is_looked_into(&name) {
                folder(&entry, out)?;
            }
        } else if is_document(&entry) && entry.is_file() {
            out.push(entry);
        }
    }
    Ok(())
}

fn glob(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let fail = |error: globset::Error| format!("`{pattern}` is no glob: {error}");
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().map_err(fail)?;
    let set = GlobSetBuilder::new().add(glob).build().map_err(fail)?;
    // The walk starts at the last folder before the first wildcard.
    let wild = pattern.find(['*', '?', '[', '{']).unwrap_or(pattern.len());
    let fixed = pattern.get(..wild).unwrap_or("");
    let start = match fixed.rfind('/') {
        Some(0) => Path::new("/"),
        Some(at) => Path::new(fixed.get(..at).unwrap_or(".")),
        None => Path::new("."),
    };
    let mut out = Vec::new();
    if start.is_dir() {
        every_file(start, &mut out)?;
    }
    let strip = |path: PathBuf| path.strip_prefix("./").map(Path::to_path_buf).unwrap_or(path);
    let mut out: Vec<PathBuf> =
        out.into_iter().map(strip).filter(|path| set.is_match(path)).collect();
    out.sort();
    Ok(out)
}

fn every_file(path: &Path, out: &mut Vec<PathBuf>) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let is_folder = entry.file_type().map_err(fail)?.is_dir();
        if is_folder { every_file(&entry.path(), out)? } else { out.push(entry.path()) }
    }
    Ok(())
}

/// Reads a whole file as text.
pub(crate) fn read(source: &Source) -> Result<String, String> {
    let mut bytes = Vec::new();
    let result = if source.is_stdin() {
        std::io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(&source.path).map(|read| bytes = read)
    };
    result.map_err(|error| format!("{}: {error}", source.name()))?;
    text(&source.name(), bytes)
}

/// The bytes of a file as text.
pub(crate) fn text(name: &str, bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        format!("{name}: not UTF-8 text at byte {}", error.utf8_error().valid_up_to())
    })
}

/// One document of a file.
#[derive(Debug)]
pub(crate) struct Part<'t> {
    /// How many lines of the file stand before it.
    pub(crate) line: usize,
    pub(crate) text: &'t str,
    /// Its place, if it is one of several.
    pub(crate) place: Option<String>,
}

/// The documents of a file: its lines, the items of a list, or the file itself.
pub(crate) fn parts<'t>(source: &Source, text: &'t str) -> Vec<Part<'t>> {
    let mut out = Vec::new();
    if source.is_lines() {
        for (line, part) in text.lines().enumerate() {
            if !part.trim().is_empty() {
                out.push(Part { line, text: part, place: Some(format!("line {}", line + 1)) });
            }
        }
    } else {
        match document_kind(text) {
            DocumentKind::List => {
                for (index, range) in list_items(text).into_iter().enumerate() {
                    let line = text.get(..range.start).unwrap_or("").matches('\n').count();
                    let part = text.get(range).unwrap_or("");
                    out.push(Part { line, text: part, place: Some(format!("[{index}]")) });
                }
            }
            DocumentKind::Other { ours: false } | DocumentKind::Unknown if !source.named => {}
            _ => out.push(Part { line: 0, text, place: None }),
        }
    }
    if let [only] = out.as_mut_slice() {
        only.place = None;
    }
    out
}

/// Whether a text is several documents, one a line: the first line is one, and more follows.
pub(crate) fn is_json_lines(text: &str) -> bool {
    let text = text.trim_start();
    let Some((first, rest)) = text.split_once('\n') else { return false };
    !rest.trim().is_empty() && canonicalize(first).is_ok()
}

/// The faults of a list that lie around its items, or in its depth.
pub(crate) fn faults_around(text: &str, source: &Source) -> Vec<Finding> {
    if source.is_lines() || document_kind(text) != DocumentKind::List {
        return Vec::new();
    }
    let whole = canonicalize(text).err().map(Refusal::into_findings).unwrap_or_default();
    let items = list_items(text);
    let code = |finding: &Finding| finding.code().slug();
    let inside = |finding: &Finding| {
        let start = finding.span().map_or(0, |span| span.start);
        items.iter().any(|item| item.contains(&start))
    };
    whole
        .into_iter()
        .filter(|finding| !inside(finding) || code(finding) == "json/too-large")
        .collect()
}

/// Some whole lines of a file.
#[derive(Debug)]
pub(crate) struct Block {
    /// Number of the first line, from 1.
    pub(crate) first_line: usize,
    /// The lines, with their ends.
    pub(crate) bytes: Vec<u8>,
}

impl Block {
    /// The lines with their numbers; one that is not UTF-8 is an error.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, Result<&str, std::str::Utf8Error>)> {
        let mut start = 0;
        let ends = memchr_iter(b'\n', &self.bytes).map(|at| at + 1);
        let last = Some(self.bytes.len()).filter(|_| self.bytes.last() != Some(&b'\n'));
        let lines = ends.chain(last).map(move |end| {
            let line = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            line
        });
        (self.first_line..).zip(lines.map(|line| std::str::from_utf8(trim_end(line))))
    }
}

fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The blocks of a file of lines, read as they are asked for.
pub(crate) struct Blocks {
    reader: Box<dyn BufRead>,
    next_line: usize,
    failed: Option<String>,
    name: String,
}

impl Blocks {
    pub(crate) fn open(source: &Source) -> Result<Self, String> {
        let reader: Box<dyn BufRead> = if source.is_stdin() {
            Box::new(BufReader::with_capacity(BLOCK, std::io::stdin()))
        } else {
            let file =
                File::open(&source.path).map_err(|error| format!("{}: {error}", source.name()))?;
            Box::new(BufReader::with_capacity(BLOCK, file))
        };
        Ok(Self { reader, next_line: 1, failed: None, name: source.name() })
    }

    /// What went wrong while reading, if anything did.
    pub(crate) fn failure(self) -> Option<String> {
        self.failed
    }
}

impl Iterator for &mut Blocks {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let mut bytes = Vec::with_capacity(BLOCK + 4096);
        let limit = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        let read = (&mut self.reader).take(limit).read_to_end(&mut bytes);
        let more = if bytes.last() == Some(&b'\n') {
            Ok(0)
        } else {
            self.reader.read_until(b'\n', &mut bytes)
        };
        if let Err(error) = read.and(more) {
            self.failed = Some(format!("{}: {error}", self.name));
        }
        if bytes.is_empty() {
            return None;
        }
        let first_line = self.next_line;
        self.next_line += memchr_iter(b'\n', &bytes).count();
        Some(Block { first_line, bytes })
    }
}
