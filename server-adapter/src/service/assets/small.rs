//! The files of assets for whoever may read them: the file itself, and a small picture of it, which
//! is made when it is asked for first and kept.

use futures_util::StreamExt as _;

use super::super::Service;
use super::unreadable;
use crate::asset::{Content, thumbnail};
use crate::problem::{Problem, ProblemCode};
use crate::store::{Asset, Blob, Reader};

/// Which file of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The file itself.
    File,
    /// A small picture of it.
    Thumbnail,
}

impl Which {
    /// Its word in paths.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Thumbnail => "thumbnail",
        }
    }
}

/// A file of an asset, as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Such as `image/png`.
    pub media_type: String,
    /// Where its bytes lie.
    pub blob: Blob,
    /// Whether anybody may fetch it.
    pub public: bool,
}

impl Service {
    /// A file of an asset that the reader may see; without a reader, of one that everybody may.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, and `UNAUTHENTICATED` without a reader; `CONFLICT` while its bytes are not here,
    /// or if there is no small picture of it.
    pub async fn asset_file(
        &self,
        reader: Option<&Reader>,
        id: &str,
        which: Which,
    ) -> Result<File, Problem> {
        let asset = self.readable_asset(reader, id).await?;
        let Some(media) = asset.media() else {
            let detail = format!("its bytes are not here: it is `{}`", asset.state.sync().word());
            return Err(Problem::new(ProblemCode::Conflict, detail));
        };
        let public = asset.public;
        if which == Which::Thumbnail {
            if !media.media_type.starts_with("image/") {
                let detail = format!("there is no small picture of {}", media.media_type);
                return Err(Problem::new(ProblemCode::Conflict, detail));
            }
            let (media_type, blob) = self.small(reader, asset).await?;
            return Ok(File { media_type, blob, public });
        }
        let blob = self.blob_of(id, &media.sha256).await?;
        Ok(File { media_type: media.media_type.clone(), blob, public })
    }

    async fn readable_asset(&self, reader: Option<&Reader>, id: &str) -> Result<Asset, Problem> {
        if let Some(reader) = reader {
            let viewer = self.viewer(reader).await?;
            if let Some(asset) = self.store.asset(&viewer, id).await? {
                return Ok(asset);
            }
        }
        // Without a key one that is private and one that is not there look the same.
        self.store.public_asset(id).await?.ok_or_else(|| match reader {
            Some(_) => Problem::not_found("asset"),
            None => Problem::new(
                ProblemCode::Unauthenticated,
                "send the header `Authorization: Bearer KEY`, or use the asset's `url`",
            ),
        })
    }

    async fn blob_of(&self, id: &str, sha256: &str) -> Result<Blob, Problem> {
        let blob = self.store.blob(sha256).await?;
        blob.ok_or_else(|| unreadable(id, "there is no blob of its hash"))
    }

    /// The small picture of an asset, which is made if there is none: its media type, and where it
    /// lies.
    async fn small(
        &self,
        reader: Option<&Reader>,
        asset: Asset,
    ) -> Result<(String, Blob), Problem> {
        if let Some(known) = self.known_small(&asset).await? {
            return Ok(known);
        }
        let _one_by_one = self.making.lock().await;
        // Somebody else may have made it meanwhile.
        let asset = self.readable_asset(reader, &asset.id).await?;
        if let Some(known) = self.known_small(&asset).await? {
            return Ok(known);
        }
        let id = &asset.id;
        let sha256 = asset.media().map_or("", |media| media.sha256.as_str());
        let content = self.spooled(id, &self.blob_of(id, sha256).await?).await?;
        let made = tokio::task::spawn_blocking(move || thumbnail(&content)).await;
        let made = made.map_err(|error| unreadable(id, error))?;
        let made = made.map_err(|error| unreadable(id, error))?;
        let content = Content::of(made.bytes);
        let (blob, new) = match self.store.blob(&content.sha256).await? {
            Some(known) => (known, None),
            None => {
                let put = self.blobs.put(&content, &*self.clock).await;
                let put = put.map_err(|error| unreadable(id, error))?;
                (put.clone(), Some(put))
            }
        };
        self.store.put_thumbnail(id, &content.sha256, new, self.clock.now()).await?;
        Ok((made.media_type.to_owned(), blob))
    }

    /// The small picture that was made before.
    async fn known_small(&self, asset: &Asset) -> Result<Option<(String, Blob)>, Problem> {
        let Some(sha256) = &asset.thumbnail else { return Ok(None) };
        let blob = self.blob_of(&asset.id, sha256).await?;
        // We made it ourselves: its first byte says which of the two kinds it is.
        let head = self.blobs.read(&blob, Some(0..1)).await;
        let mut head = head.map_err(|error| unreadable(&asset.id, error))?;
        let head = head.next().await.transpose();
        let head = head.map_err(|error| unreadable(&asset.id, error))?.unwrap_or_default();
        let is_png = head.first() == Some(&0x89);
        Ok(Some((if is_png { "image/png" } else { "image/jpeg" }.to_owned(), blob)))
    }

    /// The bytes of a blob as content: large ones in a file.
    async fn spooled(&self, id: &str, blob: &Blob) -> Result<Content, Problem> {
        let failed = |error: &dyn std::fmt::Display| unreadable(id, error);
        let most = u64::try_from(blob.bytes).unwrap_or(u64::MAX);
        let mut intake = self.spool.begin(most);
        let mut stream = self.blobs.read(blob, None).await.map_err(|error| failed(&error))?;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| failed(&error))?;
            intake.write(&chunk).await.map_err(|error| failed(&error))?;
        }
        intake.end().await.map_err(|error| failed(&error))
    }
}
