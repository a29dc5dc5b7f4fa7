//! Assets: what was uploaded and what was made.

mod inputs;
mod patch;
mod small;
mod sync;
mod upload;

use std::time::Duration;

use onepath_core::Operation;
use onepath_core::lifecycle::{ErrorCode, GenerationStatus};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Caller, Service};
use crate::asset::Stream;
use crate::clock::rfc3339;
use crate::problem::{Problem, ProblemCode};
use crate::store::{
    Asset, AssetPatch, AssetQuery, AssetState, Blob, Media, Millis, Reader, Row, SyncStatus,
};

pub use patch::read_asset_patch;
pub use small::{File, Which};
pub use upload::{Part, Upload, not_taken};

/// How long a URL of the bucket holds that somebody is sent to.
const HANDED_OUT: Duration = Duration::from_secs(300);

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
    /// Where a small picture of it is read, as its file is: up to 320 pixels; absent for videos.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
    /// Whether anybody may fetch its file, without a key: then its URLs never expire.
    pub public: bool,
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
            url: asset.media().map(|_| self.file_url(reader, asset, Which::File, now)),
            thumbnail_url: asset
                .media()
                .filter(|media| media.media_type.starts_with("image/"))
                .map(|_| self.file_url(reader, asset, Which::Thumbnail, now)),
            public: asset.public,
            media: asset.media().map(MediaView::from),
            name: asset.name.clone().filter(|_| is_owner),
            tags: if is_owner { asset.tags.clone() } else { Vec::new() },
            created_at: rfc3339(asset.created_at),
            updated_at: rfc3339(asset.updated_at),
        }
    }

    /// Where a file of an asset is read.
    fn file_url(&self, reader: &Reader, asset: &Asset, which: Which, now: Millis) -> String {
        let file = which.word();
        self.outside(if asset.public {
            format!("/api/v1/assets/{}/{file}", asset.id)
        } else {
            self.signer.url(reader, &asset.id, file, now)
        })
    }

    /// An asset that the caller may see.
    async fn seen_asset(&self, reader: &Reader, id: &str) -> Result<Asset, Problem> {
        let viewer = self.viewer(reader).await?;
        let found = self.store.asset(&viewer, id).await?;
        found.ok_or_else(|| Problem::not_found("asset"))
    }

    /// An asset that the caller may see.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, also for what belongs to others.
    pub async fn asset(&self, caller: &Caller, id: &str) -> Result<AssetView, Problem> {
        let asset = self.seen_asset(&caller.reader, id).await?;
        Ok(self.asset_view(&caller.reader, &asset, self.clock.now()))
    }

    /// The caller's own assets, newest first.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn assets(
        &self,
        caller: &Caller,
        query: &AssetQuery,
    ) -> Result<AssetListResponse, Problem> {
        let page = self.store.assets(&caller.reader, query).await?;
        let now = self.clock.now();
        let view = |asset: &Asset| self.asset_view(&caller.reader, asset, now);
        Ok(AssetListResponse {
            assets: page.assets.iter().map(view).collect(),
            limit: query.limit,
            next_cursor: page.next.map(|(at, id)| format!("{at}.{id}")),
        })
    }

    /// Changes name and tags of the caller's own asset, and who may fetch it.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, also for what belongs to others; `FORBIDDEN` to show everybody what the server
    /// or the world keeps private.
    pub async fn patch_asset(
        &self,
        caller: &Caller,
        id: &str,
        patch: &AssetPatch,
    ) -> Result<AssetView, Problem> {
        let now = self.clock.now();
        if patch.public == Some(true) {
            self.may_publish(caller, id).await?;
        }
        let patched = self.store.patch_asset(&caller.reader, id, patch, now).await?;
        let asset = patched.ok_or_else(|| Problem::not_found("asset"))?;
        Ok(self.asset_view(&caller.reader, &asset, now))
    }

    /// Whether the caller's own asset may be shown to everybody.
    async fn may_publish(&self, caller: &Caller, id: &str) -> Result<(), Problem> {
        let asset = self.seen_asset(&caller.reader, id).await?;
        let viewer = self.viewer(&caller.reader).await?;
        let row = match asset.generation() {
            Some(generation) => self.store.get(&viewer, generation).await?.map(|found| found.row),
            None => None,
        };
        let world = row.as_ref().and_then(|row| row.asked.world.as_deref());
        match self.standing(caller, world).await?.public.of(Some(true)) {
            Some(_) => Ok(()),
            None => Err(Problem::new(
                ProblemCode::Forbidden,
                "the server or the world keeps assets private: they have signed URLs",
            )),
        }
    }

    /// Deletes the caller's own asset; what was made from it goes on.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, also for what belongs to others.
    pub async fn delete_asset(&self, caller: &Caller, id: &str) -> Result<(), Problem> {
        if self.store.delete_asset(&caller.reader, id, self.clock.now()).await? {
            return Ok(());
        }
        Err(Problem::not_found("asset"))
    }

    /// The bytes of a file, or a part of them.
    ///
    /// # Errors
    ///
    /// `UNAVAILABLE` while they cannot be read.
    pub async fn bytes(
        &self,
        id: &str,
        blob: &Blob,
        range: Option<std::ops::Range<u64>>,
    ) -> Result<Stream, Problem> {
        self.blobs.read(blob, range).await.map_err(|error| unreadable(id, error))
    }

    /// Where the bucket itself gives a file's bytes to whoever has the URL, as media of a type; none
    /// where they go through this server.
    ///
    /// # Errors
    ///
    /// `UNAVAILABLE` while no URL can be signed.
    pub async fn bucket_url(
        &self,
        id: &str,
        blob: &Blob,
        media_type: &str,
    ) -> Result<Option<String>, Problem> {
        let url = self.blobs.url(&blob.place, media_type, HANDED_OUT).await;
        url.map_err(|error| unreadable(id, error))
    }

    /// Where an asset comes from, and what came of it.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, also for what belongs to others.
    pub async fn lineage(&self, caller: &Caller, id: &str) -> Result<LineageResponse, Problem> {
        let viewer = self.viewer(&caller.reader).await?;
        let found = self.store.lineage(&viewer, id).await?;
        let found = found.ok_or_else(|| Problem::not_found("asset"))?;
        let now = self.clock.now();
        let view = |asset: &Asset| self.asset_view(&caller.reader, asset, now);
        Ok(LineageResponse {
            asset: view(&found.asset),
            generation: found.generation.as_ref().map(Made::of),
            parents: found
                .parents
                .iter()
                .map(|(input, asset)| Parent {
                    asset_id: input.asset.clone(),
                    role: input.role.clone(),
                    asset: asset.as_ref().map(view),
                })
                .collect(),
            children: found
                .children
                .iter()
                .map(|child| ChildView {
                    role: child.role.clone(),
                    generation: Made::of(&child.row),
                    asset_ids: child.assets.iter().map(|asset| asset.id.clone()).collect(),
                })
                .collect(),
        })
    }
}

/// Bytes that should be there and are not to be had.
fn unreadable(id: &str, error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, asset = %id, "an asset has no bytes");
    Problem::new(ProblemCode::Unavailable, "the bytes cannot be read now")
}

/// A page of assets.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AssetListResponse {
    /// The assets, newest first.
    pub assets: Vec<AssetView>,
    /// How many a page has at most.
    pub limit: usize,
    /// Where the next page starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Where an asset comes from, and what came of it, as far as the caller may see.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LineageResponse {
    /// The asset.
    pub asset: AssetView,
    /// The generation it was made for; absent for an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Made>,
    /// What that generation started from.
    pub parents: Vec<Parent>,
    /// Generations that started from the asset, newest first, 100 at most.
    pub children: Vec<ChildView>,
}

/// A generation, in short.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Made {
    /// Its id.
    pub generation_id: String,
    /// Where it stands.
    pub status: GenerationStatus,
    /// What the provider was asked to do.
    pub operation_type: Operation,
    /// Who was asked.
    pub provider_id: String,
    /// Hash of the request: identity and seed.
    pub request_hash: String,
    /// Hash of the identity.
    pub family_hash: String,
    /// Creation (RFC 3339).
    pub created_at: String,
}

impl Made {
    fn of(row: &Row) -> Self {
        Self {
            generation_id: row.id.clone(),
            status: row.status(),
            operation_type: row.asked.operation,
            provider_id: row.asked.provider.clone(),
            request_hash: row.asked.request_hash.clone(),
            family_hash: row.asked.family_hash.clone(),
            created_at: rfc3339(row.created_at),
        }
    }
}

/// What a generation started from.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Parent {
    /// The asset's id.
    pub asset_id: String,
    /// What it was for, such as `image`.
    pub role: String,
    /// The asset; absent if it was deleted or the caller may not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<AssetView>,
}

/// A generation that started from an asset.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChildView {
    /// What the asset was for.
    pub role: String,
    /// The generation.
    pub generation: Made,
    /// What came of it.
    pub asset_ids: Vec<String>,
}
