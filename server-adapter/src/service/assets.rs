//! Assets: what was uploaded and what was made.

use onepath_core::lifecycle::ErrorCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::Service;
use crate::clock::rfc3339;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Asset, AssetState, Media, Millis, Reader, SyncStatus};

/// One picture, animation or video.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AssetView {
    /// Its id: requests name it as `asset:<id>`.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// The generation it was made for; absent for an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<String>,
    /// Its place among the variants of its generation, from 0.
    pub index: i64,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Whether its bytes are here.
    pub sync_status: SyncStatus,
    /// Tries to fetch it that failed.
    pub sync_attempts: i64,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// Where its file is read: without a key, for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What its file is, once it is here.
    #[serde(flatten)]
    pub media: Option<MediaView>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For people.
    pub tags: Vec<String>,
    /// Creation (RFC 3339).
    pub created_at: String,
    /// Last change (RFC 3339).
    pub updated_at: String,
}

/// What a file is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MediaView {
    /// Such as `image/png`.
    pub media_type: String,
    /// Pixels from left to right.
    pub width: i64,
    /// Pixels from top to bottom.
    pub height: i64,
    /// How long it plays, in milliseconds; absent if it does not move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// Size in bytes.
    pub bytes: i64,
    /// Hash of the bytes.
    pub sha256: String,
}

impl From<&Media> for MediaView {
    fn from(media: &Media) -> Self {
        Self {
            media_type: media.media_type.clone(),
            width: media.width,
            height: media.height,
            duration_ms: media.duration_ms,
            bytes: media.bytes,
            sha256: media.sha256.clone(),
        }
    }
}

impl Service {
    /// An asset as a reader may see it.
    pub(super) fn asset_view(&self, reader: &Reader, asset: &Asset, now: Millis) -> AssetView {
        let is_owner = asset.is_of(reader);
        AssetView {
            id: asset.id.clone(),
            user_id: asset.owner.clone(),
            generation_id: asset.generation().map(str::to_owned),
            index: asset.index(),
            provider_id: asset.provider().map(str::to_owned),
            sync_status: asset.state.sync(),
            sync_attempts: asset.attempts,
            error_code: match asset.state {
                AssetState::Failed(code) => Some(code),
                _ => None,
            },
            url: asset.media().map(|_| self.signer.url(reader, &asset.id, now)),
            media: asset.media().map(MediaView::from),
            name: asset.name.clone().filter(|_| is_owner),
            tags: if is_owner { asset.tags.clone() } else { Vec::new() },
            created_at: rfc3339(asset.created_at),
            updated_at: rfc3339(asset.updated_at),
        }
    }

    /// The bytes of an asset that the caller may see.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, `CONFLICT` while its bytes are not here, and `UNAVAILABLE` while they cannot be
    /// read.
    pub async fn asset_file(&self, reader: &Reader, id: &str) -> Result<(Media, Vec<u8>), Problem> {
        let viewer = self.viewer(reader).await?;
        let found = self.store.asset(&viewer, id).await?;
        let asset = found.ok_or_else(|| Problem::not_found("asset"))?;
        let Some(media) = asset.media().cloned() else {
            let detail = format!("its bytes are not here: it is `{}`", asset.state.sync().word());
            return Err(Problem::new(ProblemCode::Conflict, detail));
        };
        let blob = self.store.blob(&media.sha256).await?;
        let bytes = match &blob {
            Some(blob) => self.blobs.get(&blob.place).await.map_err(|error| error.to_string()),
            None => Err("there is no blob of its hash".to_owned()),
        };
        match bytes {
            Ok(bytes) => Ok((media, bytes)),
            Err(error) => {
                tracing::error!(%error, asset = %id, "an asset has no bytes");
                Err(Problem::new(ProblemCode::Unavailable, "the bytes cannot be read now"))
            }
        }
    }
}
