//! Blobs: bytes under places that we make up, in a folder or in a bucket.

use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use super::content::Content;
use crate::clock::{Clock, hex};
use crate::store::{Blob, Millis};

/// Why bytes could not be kept or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BlobError {
    /// There is nothing at this place.
    #[error("there is no blob {0}")]
    NotFound(String),
    /// The bytes are not those that were put there.
    #[error("the blob {0} is not what it was")]
    Changed(String),
    /// The place does not answer, or is full.
    #[error("the blobs do not answer: {0}")]
    Unavailable(String),
}

/// Bytes as they come.
pub type Stream = BoxStream<'static, Result<Bytes, BlobError>>;

/// Bytes that lie somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Where.
    pub place: String,
    /// Since when.
    pub since: Millis,
}

/// A place for blobs that lets others read from it.
#[async_trait]
pub trait HandOut: std::fmt::Debug + Send + Sync + 'static {
    /// A URL under which a place can be read for a while, as media of a type.
    async fn url(
        &self,
        place: &str,
        media_type: &str,
        lifetime: Duration,
    ) -> Result<String, BlobError>;
}

/// Where bytes lie. A place is never made of a name from outside.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    signer: Option<Arc<dyn HandOut>>,
}

/// Parts in which large content goes: the smallest that buckets take is 5 MiB.
const PART: usize = 8 << 20;

impl Blobs {
    /// A folder; what is written is flushed to the disk before it counts.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub fn folder(folder: &FilePath) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)
            .map_err(|error| std::io::Error::other(error.to_string()))?
            .with_fsync(true);
        Ok(Self { store: Arc::new(store), signer: None })
    }

    /// Anything that keeps objects; with a signer, whoever may read a file may be sent there.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, signer: Option<Arc<dyn HandOut>>) -> Self {
        Self { store, signer }
    }

    /// In the memory of this process, for who keeps nothing.
    pub(crate) fn in_memory() -> Self {
        Self::new(Arc::new(InMemory::new()), None)
    }

    /// Puts bytes at a place of the caller's own words that nobody else writes to. No row names it:
    /// after a time of grace it is collected.
    ///
    /// # Errors
    ///
    /// It is not taken.
    pub(crate) async fn lay_down(&self, place: &str, bytes: Vec<u8>) -> Result<(), BlobError> {
        let put = self.store.put(&path(place), bytes.into()).await;
        put.map(drop).map_err(|error| failure(place, &error))
    }

    /// What was laid down at a place.
    ///
    /// # Errors
    ///
    /// There is nothing, or the place does not answer.
    pub(crate) async fn pick_up(&self, place: &str) -> Result<Bytes, BlobError> {
        let failed = |error: Error| failure(place, &error);
        self.store.get(&path(place)).await.map_err(failed)?.bytes().await.map_err(failed)
    }

    /// Keeps content under a new place that is made of its hash, so that whoever looks into the
    /// folder can check it, and of chance, so that no place is ever used twice.
    ///
    /// # Errors
    ///
    /// It is not taken.
    pub async fn put(&self, content: &Content, clock: &dyn Clock) -> Result<Blob, BlobError> {
        let place = new_place(&content.sha256, clock);
        let written = match (content.in_memory(), content.path()) {
            (Some(bytes), _) => {
                let mode = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
                let payload = PutPayload::from(bytes.clone());
                self.store.put_opts(&path(&place), payload, mode).await.map(drop)
            }
            (None, Some(file)) => self.put_file(&path(&place), file).await,
            (None, None) => Ok(()),
        };
        written.map_err(|error| BlobError::Unavailable(error.to_string()))?;
        let bytes = i64::try_from(content.bytes).unwrap_or(i64::MAX);
        Ok(Blob { sha256: content.sha256.clone(), place, bytes })
    }

    /// Writes a file part by part; what breaks off leaves nothing behind.
    async fn put_file(&self, to: &Path, from: &FilePath) -> Result<(), Error> {
        let failed =
            |error: std::io::Error| Error::Generic { store: "spool", source: error.into() };
        let mut file = tokio::fs::File::open(from).await.map_err(failed)?;
        let mut upload = self.store.put_multipart(to).await?;
        let sent = async {
            loop {
                let mut part = Vec::with_capacity(PART);
                (&mut file).take(PART as u64).read_to_end(&mut part).await.map_err(failed)?;
                if part.is_empty() {
                    return upload.complete().await.map(drop);
                }
                upload.put_part(part.into()).await?;
            }
        };
        match sent.await {
            Ok(()) => Ok(()),
            Err(error) => {
                // The error counts; a part that stays is the bucket's to forget.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    /// The bytes of a place, as they come; a part of them, if a range is given. A whole blob is
    /// checked while it is read: the last of its bytes come only if all are what they were.
    ///
    /// # Errors
    ///
    /// There are none, or the place does not answer.
    pub async fn read(&self, blob: &Blob, range: Option<Range<u64>>) -> Result<Stream, BlobError> {
        let place = blob.place.clone();
        let failed = move |error: Error| failure(&place, &error);
        let is_part = range.is_some();
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.store.get_opts(&path(&blob.place), options).await;
        let stream = found.map_err(&failed)?.into_stream().map_err(failed);
        Ok(if is_part { stream.boxed() } else { checked(blob.clone(), stream.boxed()) })
    }

    /// All bytes of a blob.
    ///
    /// # Errors
    ///
    /// There are none, they are not what they were, or the place does not answer.
    pub async fn get(&self, blob: &Blob) -> Result<Vec<u8>, BlobError> {
        let mut bytes = Vec::with_capacity(usize::try_from(blob.bytes).unwrap_or(0).min(PART));
        let mut stream = self.read(blob, None).await?;
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        Ok(bytes)
    }

    /// Removes what lies at a place; it is no fault if there is nothing.
    ///
    /// # Errors
    ///
    /// The place does not answer.
    pub async fn delete(&self, place: &str) -> Result<(), BlobError> {
        match self.store.delete(&path(place)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure(place, &error)),
        }
    }

    /// Everything that lies anywhere.
    #[must_use]
    pub fn list(&self) -> BoxStream<'static, Result<Placed, BlobError>> {
        let listed = self.store.list(None);
        let placed = listed.map_ok(|object| Placed {
            place: object.location.to_string(),
            since: object.last_modified.timestamp_millis(),
        });
        placed.map_err(|error| BlobError::Unavailable(error.to_string())).boxed()
    }

    /// A URL under which a place can be read for a while, as media of a type, where the bucket
    /// itself gives such.
    ///
    /// # Errors
    ///
    /// It cannot be signed.
    pub async fn url(
        &self,
        place: &str,
        media_type: &str,
        lifetime: Duration,
    ) -> Result<Option<String>, BlobError> {
        match &self.signer {
            Some(signer) => signer.url(place, media_type, lifetime).await.map(Some),
            None => Ok(None),
        }
    }
}

pub(super) fn failure(place: &str, error: &Error) -> BlobError {
    match error {
        Error::NotFound { .. } => BlobError::NotFound(place.to_owned()),
        error => BlobError::Unavailable(error.to_string()),
    }
}

/// Passes bytes on and holds the last ones back until all of them are known to be right.
fn checked(blob: Blob, stream: Stream) -> Stream {
    let state = (stream, Sha256::new(), None::<Bytes>, blob, false);
    type State = (Stream, Sha256, Option<Bytes>, Blob, bool);
    let next = |(mut stream, mut hash, mut held, blob, done): State| async move {
        if done {
            return None;
        }
        loop {
            match stream.next().await {
                Some(Ok(chunk)) => {
                    hash.update(&chunk);
                    if let Some(before) = held.replace(chunk) {
                        return Some((Ok(before), (stream, hash, held, blob, false)));
                    }
                }
                Some(Err(error)) => return Some((Err(error), (stream, hash, None, blob, true))),
                None => {
                    let right = hex(&hash.clone().finalize()) == blob.sha256;
                    let last = match held.take() {
                        _ if !right => Err(BlobError::Changed(blob.place.clone())),
                        Some(last) => Ok(last),
                        None => return None,
                    };
                    return Some((last, (stream, hash, None, blob, true)));
                }
            }
        }
    };
    stream::unfold(state, next).boxed()
}

/// A place for bytes of a hash. Folders of two digits each keep a folder's size in bounds.
fn new_place(sha256: &str, clock: &dyn Clock) -> String {
    let mut random = [0; 8];
    clock.random(&mut random);
    let (first, _) = sha256.split_at_checked(2).unwrap_or((sha256, ""));
    format!("{first}/{sha256}-{}", hex(&random))
}

/// Places are our own words: names with slashes between.
pub(super) fn path(place: &str) -> Path {
    place.split('/').collect()
}

#[cfg(test)]
mod tests;
