//! Assets: what was uploaded and what was made, and where its bytes lie.
//!
//! An asset is a row of its own for everybody who has it; the bytes lie once, as a blob under a
//! place that the server made up. A blob's row goes first, then its bytes: so a place is never
//! used again, and no row can come to point at bytes that are being collected.

use async_trait::async_trait;
use onepath_core::Rating;
use onepath_core::lifecycle::ErrorCode;

use super::decide::LimitHit;
use super::row::{Millis, Reader, Row, Viewer};
use super::{PlanNow, Result};
use crate::asset::{Content, Inspected};

/// One picture, animation or video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// UUID, version 7.
    pub id: String,
    /// The wall it lies behind.
    pub tenant: String,
    /// The user whose it is.
    pub owner: String,
    /// The rating that a bound must allow, if the whole tenant may see it; none if its owner only.
    pub shared: Option<Rating>,
    /// Whether anybody may fetch the file, without a key.
    pub public: bool,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether its bytes are here.
    pub state: AssetState,
    /// Tries to fetch it that failed.
    pub attempts: i64,
    /// Where it lies outside, as its provider names it.
    pub location: Option<String>,
    /// Hash of a small picture of it, once somebody asked for one.
    pub thumbnail: Option<String>,
    /// For people.
    pub name: Option<String>,
    /// For people: sorted, without repeats.
    pub tags: Vec<String>,
    /// Events so far.
    pub events: i64,
    /// Creation.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
    /// When it was deleted.
    pub deleted_at: Option<Millis>,
}

/// Where an asset comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Somebody uploaded it.
    Upload,
    /// A provider made it.
    Output {
        /// For this generation.
        generation: String,
        /// Its place among the variants, from 0.
        index: i64,
        /// Who made it.
        provider: String,
    },
}

/// Whether an asset's bytes are here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssetState {
    /// Not yet.
    Remote,
    /// They are on their way.
    Downloading,
    /// They did not come.
    Failed(ErrorCode),
    /// Here they are.
    Downloaded(Media),
    /// They were, until the asset was deleted and nothing needed them any more.
    Gone,
}

/// What an asset's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Such as `image/png`.
    pub media_type: String,
    /// Pixels from left to right.
    pub width: i64,
    /// Pixels from top to bottom.
    pub height: i64,
    /// How long it plays, in milliseconds; none for what does not move.
    pub duration_ms: Option<i64>,
    /// Size in bytes.
    pub bytes: i64,
    /// Hash of the bytes, in hexadecimal.
    pub sha256: String,
}

impl Media {
    /// Of content that was looked at.
    #[must_use]
    pub fn of(content: &Content, seen: Inspected) -> Self {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            media_type: seen.media_type.to_owned(),
            width: i64::from(seen.width),
            height: i64::from(seen.height),
            duration_ms: seen.duration_ms.map(whole),
            bytes: whole(content.bytes),
            sha256: content.sha256.clone(),
        }
    }
}

/// Whether an asset's bytes are here, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyncStatus {
    /// They lie at the provider.
    Remote,
    /// They are on their way.
    Downloading,
    /// They are here.
    Downloaded,
    /// They did not come.
    Error,
    /// They are gone for good.
    Gone,
}

impl SyncStatus {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Remote, Self::Downloading, Self::Downloaded, Self::Error, Self::Gone];

    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Downloading => "downloading",
            Self::Downloaded => "downloaded",
            Self::Error => "error",
            Self::Gone => "gone",
        }
    }

    /// The status of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

impl AssetState {
    /// As a word.
    #[must_use]
    pub const fn sync(&self) -> SyncStatus {
        match self {
            Self::Remote => SyncStatus::Remote,
            Self::Downloading => SyncStatus::Downloading,
            Self::Failed(_) => SyncStatus::Error,
            Self::Downloaded(_) => SyncStatus::Downloaded,
            Self::Gone => SyncStatus::Gone,
        }
    }
}

impl Asset {
    /// Something a provider made for a row: not here yet.
    #[must_use]
    pub fn output(row: &Row, id: String, index: i64, now: Millis) -> Self {
        let origin = Origin::Output {
            generation: row.id.clone(),
            index,
            provider: row.provider().to_owned(),
        };
        Self {
            id,
            tenant: row.tenant.clone(),
            owner: row.owner.clone(),
            shared: row.shared(),
            public: row.asked.public,
            origin,
            state: AssetState::Remote,
            attempts: 0,
            location: None,
            thumbnail: None,
            name: None,
            tags: Vec::new(),
            events: 0,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// Something a user uploaded.
    #[must_use]
    pub fn upload(owner: &Reader, id: String, media: Media, now: Millis) -> Self {
        Self {
            id,
            tenant: owner.tenant.clone(),
            owner: owner.user.clone(),
            shared: None,
            public: false,
            origin: Origin::Upload,
            state: AssetState::Downloaded(media),
            attempts: 0,
            location: None,
            thumbnail: None,
            name: None,
            tags: Vec::new(),
            events: 0,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// What its bytes are, if they are here.
    #[must_use]
    pub const fn media(&self) -> Option<&Media> {
        match &self.state {
            AssetState::Downloaded(media) => Some(media),
            _ => None,
        }
    }

    /// The generation it was made for.
    #[must_use]
    pub fn generation(&self) -> Option<&str> {
        match &self.origin {
            Origin::Output { generation, .. } => Some(generation),
            Origin::Upload => None,
        }
    }

    /// Its place among the variants of its generation; 0 for an upload.
    #[must_use]
    pub const fn index(&self) -> i64 {
        match &self.origin {
            Origin::Output { index, .. } => *index,
            Origin::Upload => 0,
        }
    }

    /// Who made it.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        match &self.origin {
            Origin::Output { provider, .. } => Some(provider),
            Origin::Upload => None,
        }
    }

    /// Whether a reader may see it: its owner, and others whose bound allows what is shared.
    #[must_use]
    pub fn readable_by(&self, viewer: &Viewer) -> bool {
        self.deleted_at.is_none() && viewer.may_read(&self.tenant, &self.owner, self.shared)
    }

    /// Whether a reader may change it.
    #[must_use]
    pub fn is_of(&self, reader: &Reader) -> bool {
        self.deleted_at.is_none() && self.tenant == reader.tenant && self.owner == reader.user
    }
}

/// What readers may be told about an asset.
pub const ASSET_EVENTS: [&str; 4] =
    ["asset.created", "asset.downloaded", "asset.download_failed", "asset.deleted"];

/// Bytes that were put somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Hash of the bytes, in hexadecimal.
    pub sha256: String,
    /// Where they lie: a name that the server made up.
    pub place: String,
    /// How many.
    pub bytes: i64,
}

/// An asset that a generation starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its place among the request's inputs, from 0.
    pub position: i64,
    /// What it is for, such as `image`.
    pub role: String,
    /// The asset's id.
    pub asset: String,
}

/// Which assets to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetQuery {
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only with this text in their name.
    pub text: Option<String>,
    /// Only what this provider made.
    pub provider: Option<String>,
    /// Only of this kind: `image` or `video`.
    pub kind: Option<String>,
    /// Only of this media type, such as `image/png`.
    pub media_type: Option<String>,
    /// Only of this generation.
    pub generation: Option<String>,
    /// Only uploads, or only what was made.
    pub uploads: Option<bool>,
    /// Only of this status.
    pub sync: Option<SyncStatus>,
    /// At most so many.
    pub limit: usize,
    /// Those behind this place.
    pub after: Option<(Millis, String)>,
}

/// Assets of a list, and where more follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetPage {
    /// The assets.
    pub assets: Vec<Asset>,
    /// Where the next page starts.
    pub next: Option<(Millis, String)>,
}

/// What an upload came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uploaded {
    /// It is kept.
    New(Box<Asset>),
    /// The owner has these bytes already, as this asset.
    Known(Box<Asset>),
    /// The plan does not allow it.
    Limited(LimitHit),
    /// The blob that was counted on is gone: put the bytes again.
    BlobGone,
}

/// What people may change of an asset; an absent member stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetPatch {
    /// A new name; `Some(None)` takes it away.
    pub name: Option<Option<String>>,
    /// New tags: sorted, without repeats.
    pub tags: Option<Vec<String>>,
    /// Whether anybody may fetch the file.
    pub public: Option<bool>,
}

impl AssetPatch {
    /// An asset as it is after this.
    #[must_use]
    pub fn of(&self, asset: &Asset, now: Millis) -> Asset {
        let mut asset = asset.clone();
        asset.updated_at = now;
        if let Some(name) = &self.name {
            asset.name.clone_from(name);
        }
        if let Some(tags) = &self.tags {
            asset.tags.clone_from(tags);
        }
        if let Some(public) = self.public {
            asset.public = public;
        }
        asset
    }
}

/// A generation that started from an asset.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// The generation.
    pub row: Row,
    /// What the asset was for.
    pub role: String,
    /// What came of it.
    pub assets: Vec<Asset>,
}

/// Where an asset comes from, and what came of it, as far as a reader may see.
#[derive(Debug, Clone, PartialEq)]
pub struct Lineage {
    /// The asset.
    pub asset: Asset,
    /// The generation it was made for.
    pub generation: Option<Row>,
    /// What that generation started from; the asset only if the reader may see it.
    pub parents: Vec<(Input, Option<Asset>)>,
    /// Generations that started from the asset, newest first.
    pub children: Vec<Child>,
}

/// An asset as a provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetCopy {
    /// The asset.
    pub asset: String,
    /// The provider.
    pub provider: String,
    /// The account under which the provider keeps it; empty where there is none.
    pub account: String,
    /// The provider's own name for it.
    pub reference: String,
    /// Until when the provider keeps it, if it says so.
    pub expires_at: Option<Millis>,
}

/// The part of the store that is about assets. Each call is one transaction.
#[async_trait]
pub trait AssetStore: std::fmt::Debug + Send + Sync + 'static {
    /// An asset that a reader may see.
    async fn asset(&self, viewer: &Viewer, id: &str) -> Result<Option<Asset>>;

    /// An asset that everybody may see.
    async fn public_asset(&self, id: &str) -> Result<Option<Asset>>;

    /// The reader's own assets.
    async fn assets(&self, reader: &Reader, query: &AssetQuery) -> Result<AssetPage>;

    /// The reader's own asset with these bytes.
    async fn asset_with(&self, reader: &Reader, sha256: &str) -> Result<Option<Asset>>;

    /// Keeps an upload, with its blob if that is new; the owner's own asset with the same bytes
    /// answers instead.
    async fn keep_upload(
        &self,
        asset: Asset,
        blob: Option<Blob>,
        plan: PlanNow,
    ) -> Result<Uploaded>;

    /// Where bytes lie.
    async fn blob(&self, sha256: &str) -> Result<Option<Blob>>;

    /// What was made for a generation, in order, whoever asks.
    async fn outputs(&self, generation: &str) -> Result<Vec<Asset>>;

    /// Writes what was made for a generation, as whoever holds its row knows it; false if somebody
    /// else holds it meanwhile.
    async fn put_outputs(
        &self,
        generation: &str,
        fence: i64,
        assets: Vec<Asset>,
        blobs: Vec<Blob>,
        now: Millis,
    ) -> Result<bool>;

    /// Writes how a try to fetch an asset ended that no row's holder made; false if its bytes came
    /// meanwhile or it is gone.
    async fn put_sync(&self, asset: Asset, blob: Option<Blob>, now: Millis) -> Result<bool>;

    /// Has a row that nobody holds looked at now.
    async fn hurry(&self, generation: &str, now: Millis) -> Result<bool>;

    /// Keeps a small picture of an asset.
    async fn put_thumbnail(
        &self,
        id: &str,
        sha256: &str,
        blob: Option<Blob>,
        now: Millis,
    ) -> Result<()>;

    /// Changes the reader's own asset.
    async fn patch_asset(
        &self,
        reader: &Reader,
        id: &str,
        patch: &AssetPatch,
        now: Millis,
    ) -> Result<Option<Asset>>;

    /// Deletes the reader's own asset; what was made from it goes on, and so do runs that start
    /// from it.
    async fn delete_asset(&self, reader: &Reader, id: &str, now: Millis) -> Result<bool>;

    /// What a generation starts from, in order, whoever asks and whether deleted or not.
    async fn inputs(&self, generation: &str) -> Result<Vec<(Input, Asset)>>;

    /// Where an asset comes from and what came of it.
    async fn lineage(&self, viewer: &Viewer, id: &str) -> Result<Option<Lineage>>;

    /// An asset as a provider has it, if it still does.
    async fn copy(
        &self,
        asset: &str,
        provider: &str,
        account: &str,
        now: Millis,
    ) -> Result<Option<AssetCopy>>;

    /// Remembers an asset as a provider has it.
    async fn put_copy(&self, copy: AssetCopy, now: Millis) -> Result<()>;

    /// Lets go of blobs that nothing needs and that are older than `before`, and says where their
    /// bytes lie.
    async fn collect_blobs(&self, before: Millis, limit: usize) -> Result<Vec<String>>;

    /// Which of these places are not known.
    async fn unknown_places(&self, places: &[String]) -> Result<Vec<String>>;
}
