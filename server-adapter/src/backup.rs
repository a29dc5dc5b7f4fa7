//! Backup and restore of a data folder: the database on SQLite, the blobs and the keys.
//!
//! A backup is taken while a server runs. The database is copied first, in one transaction; blobs
//! never change and are only removed long after their last row, so that those copied afterwards
//! hold everything the copied rows name.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::store::{StoreError, blobs_of_sqlite, copy_sqlite, examine_sqlite};

/// Why a backup was not made or not taken back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The database cannot be copied or read.
    #[error("the database: {0}")]
    Database(#[from] StoreError),
    /// The folder to write is there and not empty.
    #[error("{} is there already and not empty: name a new folder", .0.display())]
    Taken(PathBuf),
    /// There is no database to copy.
    #[error("{} holds no database: a server on PostgreSQL is backed up with pg_dump", .0.display())]
    NoDatabase(PathBuf),
    /// The backup is not whole.
    #[error("the backup is not whole: {0}")]
    Damaged(String),
}

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files of blobs.
    pub blobs: u64,
    /// Bytes of those and of the database.
    pub bytes: u64,
}

const DATABASE: &str = "onepath.sqlite";
/// What signs URLs, and what opens the keys of accounts.
const KEYS: [&str; 2] = ["signing.key", "accounts.key"];
const BLOBS: &str = "blobs";

/// Copies a data folder to a new folder, while it may be in use. What is copied is flushed to the
/// disk before this returns.
///
/// # Errors
///
/// See [`BackupError`]; what was begun is left where it is, and is no backup.
pub fn back_up(data: &Path, target: &Path) -> Result<Copied, BackupError> {
    let database = data.join(DATABASE);
    if !database.is_file() {
        return Err(BackupError::NoDatabase(data.to_path_buf()));
    }
    make_empty(target)?;
    copy_sqlite(&database, &target.join(DATABASE))?;
    finish(data, target)
}

/// Looks whether a backup is whole, then makes a new data folder of it.
///
/// # Errors
///
/// See [`BackupError`]; nothing is written unless the backup is whole.
pub fn restore(backup: &Path, data: &Path) -> Result<Copied, BackupError> {
    let database = backup.join(DATABASE);
    if !database.is_file() {
        return Err(BackupError::NoDatabase(backup.to_path_buf()));
    }
    let examined = examine_sqlite(&database, true)?;
    if let Some(damage) = examined.damage.first() {
        return Err(BackupError::Damaged(damage.clone()));
    }
    let mut there = BTreeSet::new();
    for file in files(&backup.join(BLOBS))? {
        let hash = hash_of(&file)?;
        let named: String = file
            .strip_prefix(backup.join(BLOBS))
            .map(|path| path.to_string_lossy().replace(['/', '\\'], ""))
            .unwrap_or_default();
        // A blob lies under the hash of its bytes.
        if named.len() == hash.len() && named != hash {
            return Err(BackupError::Damaged(format!("{} has other bytes", file.display())));
        }
        there.insert(hash);
    }
    // Where the files of assets lie in a bucket, there are none in the folder.
    let in_folder = backup.join(BLOBS).is_dir();
    let missing = |hash: &&String| in_folder && !there.contains(*hash);
    if let Some(missing) = blobs_of_sqlite(&database)?.iter().find(missing) {
        return Err(BackupError::Damaged(format!("the blob {missing} is missing")));
    }
    make_empty(data)?;
    copy(&database, &data.join(DATABASE))?;
    finish(backup, data)
}

/// Copies what lies beside the database.
fn finish(from: &Path, to: &Path) -> Result<Copied, BackupError> {
    let database = to.join(DATABASE);
    let size = std::fs::metadata(&database).map_err(io_at(&database))?.len();
    flush(&database)?;
    let mut copied = Copied { blobs: 0, bytes: size };
    for key in KEYS {
        if from.join(key).is_file() {
            copy(&from.join(key), &to.join(key))?;
        }
    }
    let blobs = from.join(BLOBS);
    if blobs.is_dir() {
        std::fs::create_dir_all(to.join(BLOBS)).map_err(io_at(to))?;
    }
    for file in files(&blobs)? {
        let Ok(relative) = file.strip_prefix(&blobs) else { continue };
        let target = to.join(BLOBS).join(relative);
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(io_at(folder))?;
        }
        match copy(&file, &target) {
            Ok(bytes) => copied = Copied { blobs: copied.blobs + 1, bytes: copied.bytes + bytes },
            // Whoever collects blobs without rows was faster.
            Err(BackupError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    File::open(to).and_then(|folder| folder.sync_all()).map_err(io_at(to))?;
    Ok(copied)
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_path_buf();
    move |error| BackupError::Io { path, error }
}

fn make_empty(folder: &Path) -> Result<(), BackupError> {
    std::fs::create_dir_all(folder).map_err(io_at(folder))?;
    let mut entries = std::fs::read_dir(folder).map_err(io_at(folder))?;
    match entries.next() {
        Some(_) => Err(BackupError::Taken(folder.to_path_buf())),
        None => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> Result<u64, BackupError> {
    let bytes = std::fs::copy(from, to).map_err(io_at(from))?;
    flush(to)?;
    Ok(bytes)
}

fn flush(file: &Path) -> Result<(), BackupError> {
    File::open(file).and_then(|file| file.sync_all()).map_err(io_at(file))
}

/// All whole files below a folder; drafts that a writer has not finished are none.
fn files(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&folder).map_err(io_at(&folder))? {
            let path = entry.map_err(io_at(&folder))?.path();
            let draft = path.file_name().is_some_and(|name| name.to_string_lossy().contains('#'));
            if path.is_dir() {
                folders.push(path);
            } else if !draft {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn hash_of(file: &Path) -> Result<String, BackupError> {
    let mut reader = File::open(file).map_err(io_at(file))?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 64 * 1024];
    loop {
        let read = reader.read(&mut block).map_err(io_at(file))?;
        match block.get(..read) {
            Some(bytes) if !bytes.is_empty() => hash.update(bytes),
            _ => return Ok(hex(&hash.finalize())),
        }
    }
}
