//! Content on its way in: small in memory, large in a file of its own, hashed while it comes, and
//! never more than was allowed.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use crate::clock::{SharedClock, hex, new_id};

/// Content up to this size stays in memory.
const IN_MEMORY: usize = 1 << 20;

/// What a file may have if nobody says.
const MOST: u64 = 100 << 20;

/// Bytes that one output of a provider may have.
pub(crate) const MOST_OUTPUT: usize = 256 << 20;

/// Files that are older were left behind by a process that ended.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 60 * 60);

/// Why content was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It is larger than allowed.
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    /// The disk does not take it.
    #[error("it cannot be written: {0}")]
    Io(#[from] std::io::Error),
}

/// A folder for content on its way.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
    clock: SharedClock,
    most: u64,
}

impl Spool {
    /// Opens a folder, makes it if it is not there, and removes what was left behind in it.
    ///
    /// # Errors
    ///
    /// The folder cannot be made or read.
    pub fn open(folder: &Path, clock: SharedClock) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        for entry in std::fs::read_dir(folder)?.flatten() {
            let written = entry.metadata().and_then(|file| file.modified());
            let age = written.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
            if age.is_ok_and(|age| age > LEFT_BEHIND) {
                // Somebody else may have been quicker.
                let _ = std::fs::remove_file(entry.path());
            }
        }
        Ok(Self { folder: folder.to_path_buf(), clock, most: MOST })
    }

    /// A folder that others look after; made when the first file needs it.
    #[must_use]
    pub const fn new(folder: PathBuf, clock: SharedClock) -> Self {
        Self { folder, clock, most: MOST }
    }

    /// Files of at most so many bytes.
    #[must_use]
    pub fn of_at_most(self, most: u64) -> Self {
        Self { most, ..self }
    }

    /// How many bytes a file may have.
    #[must_use]
    pub const fn most(&self) -> u64 {
        self.most
    }

    /// Begins to take in content of at most `most` bytes.
    #[must_use]
    pub fn begin(&self, most: u64) -> Intake {
        Intake {
            spool: self.clone(),
            most,
            bytes: 0,
            hash: Sha256::new(),
            memory: Vec::new(),
            file: None,
        }
    }
}

/// Content while it comes.
#[derive(Debug)]
pub struct Intake {
    spool: Spool,
    most: u64,
    bytes: u64,
    hash: Sha256,
    memory: Vec<u8>,
    file: Option<(tokio::fs::File, OwnFile)>,
}

impl Intake {
    /// How many bytes it takes at most.
    #[must_use]
    pub const fn most(&self) -> u64 {
        self.most
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// They are too many, or the disk does not take them.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), IntakeError> {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        if self.bytes > self.most {
            return Err(IntakeError::TooLarge(self.most));
        }
        self.hash.update(chunk);
        self.memory.extend_from_slice(chunk);
        if self.memory.len() > IN_MEMORY {
            self.spill().await?;
        }
        Ok(())
    }

    /// Moves what is in memory into the file.
    async fn spill(&mut self) -> Result<(), IntakeError> {
        if self.file.is_none() {
            let name = format!("{}.part", new_id(&*self.spool.clock));
            let path = self.spool.folder.join(name);
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&path)?;
            self.file = Some((tokio::fs::File::from_std(file), OwnFile(path)));
        }
        if let Some((file, _)) = &mut self.file {
            file.write_all(&self.memory).await?;
            self.memory.clear();
        }
        Ok(())
    }

    /// Everything came.
    ///
    /// # Errors
    ///
    /// The disk does not take it.
    pub async fn end(mut self) -> Result<Content, IntakeError> {
        let held = if self.file.is_some() {
            self.spill().await?;
            match self.file.take() {
                Some((mut file, own)) => {
                    file.flush().await?;
                    Held::File(Arc::new(own))
                }
                None => Held::Memory(Bytes::new()),
            }
        } else {
            Held::Memory(std::mem::take(&mut self.memory).into())
        };
        Ok(Content { bytes: self.bytes, sha256: hex(&self.hash.finalize()), held })
    }
}

/// A file that is removed when nobody needs it any more.
#[derive(Debug)]
struct OwnFile(PathBuf);

impl Drop for OwnFile {
    fn drop(&mut self) {
        // What stays is removed with the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Content that came whole.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its size.
    pub bytes: u64,
    /// Its hash, in hexadecimal.
    pub sha256: String,
    held: Held,
}

#[derive(Debug, Clone)]
enum Held {
    Memory(Bytes),
    File(Arc<OwnFile>),
}

/// What can be read from any place.
pub trait Source: BufRead + Seek + Send {}

impl<T: BufRead + Seek + Send> Source for T {}

impl Content {
    /// Of bytes that are in memory already.
    #[must_use]
    pub fn of(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            bytes: bytes.len() as u64,
            sha256: hex(&Sha256::digest(&bytes)),
            held: Held::Memory(bytes),
        }
    }

    /// Reads it from its start; blocks where it lies in a file.
    ///
    /// # Errors
    ///
    /// The file does not open.
    pub fn reader(&self) -> std::io::Result<Box<dyn Source>> {
        Ok(match &self.held {
            Held::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
            Held::File(file) => Box::new(BufReader::with_capacity(1 << 16, File::open(&file.0)?)),
        })
    }

    /// Its bytes, if they are in memory.
    #[must_use]
    pub fn in_memory(&self) -> Option<&Bytes> {
        match &self.held {
            Held::Memory(bytes) => Some(bytes),
            Held::File(_) => None,
        }
    }

    /// Where it lies, if not in memory.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.held {
            Held::Memory(_) => None,
            Held::File(file) => Some(&file.0),
        }
    }
}
