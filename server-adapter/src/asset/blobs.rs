//! Blobs: bytes under their own SHA-256, in a folder (and elsewhere through `object_store`).

use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use sha2::{Digest as _, Sha256};

use crate::clock::hex;

/// Why bytes could not be kept or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BlobError {
    /// There is nothing under this hash.
    #[error("there is no blob {0}")]
    NotFound(String),
    /// The place does not answer, or is full.
    #[error("the blobs do not answer: {0}")]
    Unavailable(String),
}

/// A place for bytes. The key is made of their hash, never of a name from outside.
#[derive(Debug, Clone)]
pub struct Blobs {
    place: Arc<dyn ObjectStore>,
}

impl Blobs {
    /// A folder; what is written is flushed to the disk before it counts.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub fn folder(folder: &FilePath) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let place = LocalFileSystem::new_with_prefix(folder)
            .map_err(|error| std::io::Error::other(error.to_string()))?
            .with_fsync(true);
        Ok(Self { place: Arc::new(place) })
    }

    /// In memory: gone with the last copy of this value.
    #[must_use]
    pub fn memory() -> Self {
        Self { place: Arc::new(InMemory::new()) }
    }

    /// Keeps bytes and gives their hash. The same bytes twice are one blob.
    ///
    /// # Errors
    ///
    /// The place does not take them.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<String, BlobError> {
        let hash = hex(&Sha256::digest(&bytes));
        let mode = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.place.put_opts(&key(&hash), PutPayload::from(bytes), mode).await {
            Ok(_) | Err(Error::AlreadyExists { .. }) => Ok(hash),
            Err(error) => Err(BlobError::Unavailable(error.to_string())),
        }
    }

    /// The bytes of a hash.
    ///
    /// # Errors
    ///
    /// There is no such blob, or the place does not answer.
    pub async fn get(&self, hash: &str) -> Result<Vec<u8>, BlobError> {
        let failed = |error: Error| match error {
            Error::NotFound { .. } => BlobError::NotFound(hash.to_owned()),
            error => BlobError::Unavailable(error.to_string()),
        };
        let found = self.place.get(&key(hash)).await.map_err(failed)?;
        Ok(found.bytes().await.map_err(failed)?.to_vec())
    }
}

/// Folders of two digits each keep a folder's size in bounds.
fn key(hash: &str) -> Path {
    let (first, rest) = hash.split_at_checked(2).unwrap_or((hash, ""));
    Path::from_iter([first, rest])
}
