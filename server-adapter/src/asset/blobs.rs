//! Blobs: bytes under places that we make up, in a folder (and elsewhere through `object_store`).

use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use sha2::{Digest as _, Sha256};

use crate::clock::{Clock, hex};
use crate::store::Blob;

/// Why bytes could not be kept or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BlobError {
    /// There is nothing at this place.
    #[error("there is no blob {0}")]
    NotFound(String),
    /// The place does not answer, or is full.
    #[error("the blobs do not answer: {0}")]
    Unavailable(String),
}

/// Where bytes lie. A place is never made of a name from outside.
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

    /// Keeps bytes under a new place that is made of their hash, so that whoever looks into the
    /// folder can check them, and of chance, so that no place is ever used twice.
    ///
    /// # Errors
    ///
    /// They are not taken.
    pub async fn put(&self, bytes: Vec<u8>, clock: &dyn Clock) -> Result<Blob, BlobError> {
        let sha256 = hex(&Sha256::digest(&bytes));
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let place = new_place(&sha256, clock);
        let mode = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.place.put_opts(&path(&place), PutPayload::from(bytes), mode).await {
            Ok(_) => Ok(Blob { sha256, place, bytes: size }),
            Err(error) => Err(BlobError::Unavailable(error.to_string())),
        }
    }

    /// The bytes of a place.
    ///
    /// # Errors
    ///
    /// There are none, or the place does not answer.
    pub async fn get(&self, place: &str) -> Result<Vec<u8>, BlobError> {
        let failed = |error: Error| match error {
            Error::NotFound { .. } => BlobError::NotFound(place.to_owned()),
            error => BlobError::Unavailable(error.to_string()),
        };
        let found = self.place.get(&path(place)).await.map_err(failed)?;
        Ok(found.bytes().await.map_err(failed)?.to_vec())
    }
}

/// A place for bytes of a hash. Folders of two digits each keep a folder's size in bounds.
fn new_place(sha256: &str, clock: &dyn Clock) -> String {
    let mut random = [0; 8];
    clock.random(&mut random);
    let (first, _) = sha256.split_at_checked(2).unwrap_or((sha256, ""));
    format!("{first}/{sha256}-{}", hex(&random))
}

/// Places are our own words: two names with a slash between.
fn path(place: &str) -> Path {
    place.split('/').collect()
}
