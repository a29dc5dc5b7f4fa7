//! Assets in memory.

use async_trait::async_trait;

use super::super::assets::{
    Asset, AssetCopy, AssetPage, AssetPatch, AssetQuery, AssetState, AssetStore, Blob, Child,
    Input, Lineage, Uploaded,
};
use super::super::decide::{asset_event, storage_hit};
use super::super::{Event, Millis, PlanNow, Reader, Result, Subject, Viewer};
use super::{MemoryStore, Tables};

impl Tables {
    /// What was made for a generation, in order.
    pub(super) fn outputs(&self, generation: &str) -> Vec<Asset> {
        let made = self
            .assets
            .values()
            .filter(|asset| asset.generation() == Some(generation) && asset.deleted_at.is_none());
        let mut made: Vec<Asset> = made.cloned().collect();
        made.sort_by_key(Asset::index);
        made
    }

    /// Bytes of a user's assets.
    pub(super) fn stored(&self, reader: &Reader) -> i64 {
        let own = self.assets.values().filter(|asset| asset.is_of(reader));
        own.filter_map(Asset::media).map(|media| media.bytes).sum()
    }

    pub(super) fn put_all(&mut self, assets: &[Asset], blobs: &[Blob], now: Millis) {
        for blob in blobs {
            self.put_blob(blob, now);
        }
        for asset in assets {
            self.put(asset, now);
        }
    }

    fn put_blob(&mut self, blob: &Blob, now: Millis) {
        self.blobs.entry(blob.sha256.clone()).or_insert_with(|| (blob.clone(), now));
    }

    /// Writes an asset; of one that is there, what people change of it stays as it is.
    fn put(&mut self, asset: &Asset, now: Millis) {
        let told = asset_event(asset);
        let known = self.assets.get(&asset.id);
        let mut asset = Asset { updated_at: now, ..asset.clone() };
        if let Some(known) = known {
            asset.events = known.events;
            asset.name.clone_from(&known.name);
            asset.tags.clone_from(&known.tags);
            asset.public = known.public;
        }
        asset.events += i64::from(told.is_some());
        if let Some(kind) = told {
            let cursor = self.events.last().map_or(0, |last| last.cursor) + 1;
            self.events.push(Event {
                cursor,
                tenant: asset.tenant.clone(),
                owner: asset.owner.clone(),
                shared: asset.shared,
                subject: Subject::Asset {
                    id: asset.id.clone(),
                    generation: asset.generation().map(str::to_owned),
                    sync: asset.state.sync(),
                },
                number: asset.events,
                kind,
                error: match asset.state {
                    AssetState::Failed(code) => Some(code),
                    _ => None,
                },
                at: now,
            });
        }
        self.assets.insert(asset.id.clone(), asset);
    }

    pub(super) fn delete_outputs(&mut self, generation: &str, now: Millis) {
        for asset in self.outputs(generation) {
            self.put(&Asset { deleted_at: Some(now), ..asset }, now);
        }
    }

    pub(super) fn move_outputs(&mut self, generation: &str, owner: &str) {
        for asset in self.assets.values_mut() {
            if asset.generation() == Some(generation) && asset.deleted_at.is_none() {
                owner.clone_into(&mut asset.owner);
            }
        }
    }

    fn with_bytes(&self, reader: &Reader, sha256: &str) -> Option<Asset> {
        let mut own: Vec<&Asset> = self
            .assets
            .values()
            .filter(|asset| asset.is_of(reader))
            .filter(|asset| asset.media().is_some_and(|media| media.sha256 == sha256))
            .collect();
        own.sort_by_key(|asset| (asset.generation().is_some(), asset.created_at, &asset.id));
        own.first().map(|asset| (*asset).clone())
    }

    fn starting_from(&self, generation: &str) -> Vec<(Input, Asset)> {
        let inputs = self.inputs.get(generation).map(Vec::as_slice).unwrap_or_default();
        let found = |input: &Input| Some((input.clone(), self.assets.get(&input.asset)?.clone()));
        inputs.iter().filter_map(found).collect()
    }

    /// Whether something that is there started from an asset.
    fn is_needed(&self, id: &str) -> bool {
        self.inputs.iter().any(|(generation, inputs)| {
            inputs.iter().any(|input| input.asset == id)
                && self.rows.get(generation).is_some_and(|row| row.deleted_at.is_none())
        })
    }
}

/// Whether an asset is one that a list asks for.
fn matches(asset: &Asset, query: &AssetQuery) -> bool {
    let named = |part: &String| {
        let name = asset.name.as_deref().unwrap_or_default();
        name.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
    };
    let media_type = asset.media().map_or("", |media| media.media_type.as_str());
    let of_kind = match (&query.media_type, &query.kind) {
        (Some(wanted), _) => media_type == wanted,
        (None, Some(kind)) => media_type.split('/').next() == Some(kind),
        (None, None) => true,
    };
    of_kind
        && query.tag.as_ref().is_none_or(|tag| asset.tags.contains(tag))
        && query.text.as_ref().is_none_or(named)
        && query.provider.as_deref().is_none_or(|id| asset.provider() == Some(id))
        && query.generation.as_deref().is_none_or(|id| asset.generation() == Some(id))
        && query.uploads.is_none_or(|uploads| asset.generation().is_none() == uploads)
        && query.sync.is_none_or(|sync| asset.state.sync() == sync)
        && query.after.as_ref().is_none_or(|(at, id)| (asset.created_at, &asset.id) < (*at, id))
}

#[async_trait]
impl AssetStore for MemoryStore {
    async fn asset(&self, viewer: &Viewer, id: &str) -> Result<Option<Asset>> {
        Ok(self.tables().assets.get(id).filter(|asset| asset.readable_by(viewer)).cloned())
    }

    async fn public_asset(&self, id: &str) -> Result<Option<Asset>> {
        let seen = |asset: &&Asset| asset.public && asset.deleted_at.is_none();
        Ok(self.tables().assets.get(id).filter(seen).cloned())
    }

    async fn assets(&self, reader: &Reader, query: &AssetQuery) -> Result<AssetPage> {
        let tables = self.tables();
        let own = tables.assets.values().filter(|asset| asset.is_of(reader));
        let mut assets: Vec<Asset> = own.filter(|asset| matches(asset, query)).cloned().collect();
        assets.sort_by_key(|asset| std::cmp::Reverse((asset.created_at, asset.id.clone())));
        let more = assets.len() > query.limit;
        assets.truncate(query.limit);
        let next = assets.last().filter(|_| more).map(|last| (last.created_at, last.id.clone()));
        Ok(AssetPage { assets, next })
    }

    async fn asset_with(&self, reader: &Reader, sha256: &str) -> Result<Option<Asset>> {
        Ok(self.tables().with_bytes(reader, sha256))
    }

    async fn keep_upload(
        &self,
        asset: Asset,
        blob: Option<Blob>,
        plan: PlanNow,
    ) -> Result<Uploaded> {
        let mut tables = self.changing();
        let owner = Reader { tenant: asset.tenant.clone(), user: asset.owner.clone() };
        let (sha256, bytes) = match asset.media() {
            Some(media) => (media.sha256.clone(), media.bytes),
            None => return Ok(Uploaded::BlobGone),
        };
        if let Some(known) = tables.with_bytes(&owner, &sha256) {
            return Ok(Uploaded::Known(Box::new(known)));
        }
        if let Some(most) = plan.limits.storage_bytes
            && let Some(hit) = storage_hit(most, tables.stored(&owner), bytes)
        {
            return Ok(Uploaded::Limited(hit));
        }
        match blob {
            Some(blob) => tables.put_blob(&blob, asset.created_at),
            None if !tables.blobs.contains_key(&sha256) => return Ok(Uploaded::BlobGone),
            None => {}
        }
        tables.put(&asset, asset.created_at);
        Ok(Uploaded::New(Box::new(Asset { events: 1, ..asset })))
    }

    async fn blob(&self, sha256: &str) -> Result<Option<Blob>> {
        Ok(self.tables().blobs.get(sha256).map(|(blob, _)| blob.clone()))
    }

    async fn outputs(&self, generation: &str) -> Result<Vec<Asset>> {
        Ok(self.tables().outputs(generation))
    }

    async fn put_outputs(
        &self,
        generation: &str,
        fence: i64,
        assets: Vec<Asset>,
        blobs: Vec<Blob>,
        now: Millis,
    ) -> Result<bool> {
        let mut tables = self.changing();
        let held = tables.rows.get(generation).filter(|row| row.fence == fence);
        let Some(owner) = held.map(|row| row.owner.clone()) else { return Ok(false) };
        tables.put_all(&assets, &blobs, now);
        tables.move_outputs(generation, &owner);
        Ok(true)
    }

    async fn put_sync(&self, asset: Asset, blob: Option<Blob>, now: Millis) -> Result<bool> {
        let mut tables = self.changing();
        let waits = tables.assets.get(&asset.id).is_some_and(|known| {
            known.deleted_at.is_none() && !matches!(known.state, AssetState::Downloaded(_))
        });
        if waits {
            tables.put_all(&[asset], blob.as_slice(), now);
        }
        Ok(waits)
    }

    async fn hurry(&self, generation: &str, now: Millis) -> Result<bool> {
        let mut tables = self.changing();
        let row = tables.rows.get_mut(generation).filter(|row| {
            row.status().word() == "processing"
                && row.lease_until.is_none()
                && row.next_run_at > now
        });
        Ok(row.map(|row| row.next_run_at = now).is_some())
    }

    async fn put_thumbnail(
        &self,
        id: &str,
        sha256: &str,
        blob: Option<Blob>,
        now: Millis,
    ) -> Result<()> {
        let mut tables = self.tables();
        if let Some(blob) = blob {
            tables.put_blob(&blob, now);
        }
        if tables.blobs.contains_key(sha256)
            && let Some(asset) = tables.assets.get_mut(id)
            && asset.media().is_some()
        {
            asset.thumbnail = Some(sha256.to_owned());
        }
        Ok(())
    }

    async fn patch_asset(
        &self,
        reader: &Reader,
        id: &str,
        patch: &AssetPatch,
        now: Millis,
    ) -> Result<Option<Asset>> {
        let mut tables = self.tables();
        let found = tables.assets.get_mut(id).filter(|asset| asset.is_of(reader));
        Ok(found.map(|asset| {
            *asset = patch.of(asset, now);
            asset.clone()
        }))
    }

    async fn delete_asset(&self, reader: &Reader, id: &str, now: Millis) -> Result<bool> {
        let mut tables = self.changing();
        let found = tables.assets.get(id).filter(|asset| asset.is_of(reader)).cloned();
        let deleted = found.is_some();
        if let Some(asset) = found {
            tables.put(&Asset { deleted_at: Some(now), ..asset }, now);
        }
        Ok(deleted)
    }

    async fn inputs(&self, generation: &str) -> Result<Vec<(Input, Asset)>> {
        Ok(self.tables().starting_from(generation))
    }

    async fn lineage(&self, viewer: &Viewer, id: &str) -> Result<Option<Lineage>> {
        let tables = self.tables();
        let asset = tables.assets.get(id).filter(|asset| asset.readable_by(viewer)).cloned();
        let Some(asset) = asset else { return Ok(None) };
        let made_for = asset.generation().and_then(|generation| tables.rows.get(generation));
        let generation = made_for.filter(|row| row.readable_by(viewer)).cloned();
        let parents = match &generation {
            Some(row) => tables.starting_from(&row.id),
            None => Vec::new(),
        };
        let parents = parents
            .into_iter()
            .map(|(input, asset)| (input, Some(asset).filter(|asset| asset.readable_by(viewer))))
            .collect();
        let mut children: Vec<Child> = tables
            .inputs
            .iter()
            .filter_map(|(generation, inputs)| Some((tables.rows.get(generation)?, inputs)))
            .filter(|(row, _)| row.readable_by(viewer))
            .flat_map(|(row, inputs)| {
                inputs.iter().filter(|input| input.asset == id).map(|input| Child {
                    row: row.clone(),
                    role: input.role.clone(),
                    assets: tables.outputs(&row.id),
                })
            })
            .collect();
        children
            .sort_by_key(|child| std::cmp::Reverse((child.row.created_at, child.row.id.clone())));
        children.truncate(100);
        Ok(Some(Lineage { asset, generation, parents, children }))
    }

    async fn copy(
        &self,
        asset: &str,
        provider: &str,
        account: &str,
        now: Millis,
    ) -> Result<Option<AssetCopy>> {
        let key = (asset.to_owned(), provider.to_owned(), account.to_owned());
        let alive = |copy: &&AssetCopy| copy.expires_at.is_none_or(|at| at > now);
        Ok(self.tables().copies.get(&key).filter(alive).cloned())
    }

    async fn put_copy(&self, copy: AssetCopy, _: Millis) -> Result<()> {
        let key = (copy.asset.clone(), copy.provider.clone(), copy.account.clone());
        self.tables().copies.insert(key, copy);
        Ok(())
    }

    async fn collect_blobs(&self, before: Millis, limit: usize) -> Result<Vec<String>> {
        let mut tables = self.tables();
        let gone: Vec<String> = tables
            .assets
            .values()
            .filter(|asset| asset.deleted_at.is_some_and(|at| at < before))
            .filter(|asset| asset.media().is_some() && !tables.is_needed(&asset.id))
            .map(|asset| asset.id.clone())
            .collect();
        for id in gone {
            if let Some(asset) = tables.assets.get_mut(&id) {
                (asset.state, asset.thumbnail) = (AssetState::Gone, None);
            }
        }
        let used = |sha256: &String| {
            tables.assets.values().any(|asset| {
                asset.thumbnail.as_ref() == Some(sha256)
                    || asset.media().is_some_and(|media| media.sha256 == *sha256)
            })
        };
        let mut unused: Vec<(Millis, Blob)> = tables
            .blobs
            .values()
            .filter(|(blob, created_at)| *created_at < before && !used(&blob.sha256))
            .map(|(blob, created_at)| (*created_at, blob.clone()))
            .collect();
        unused.sort_by_key(|(created_at, blob)| (*created_at, blob.sha256.clone()));
        unused.truncate(limit);
        for (_, blob) in &unused {
            tables.blobs.remove(&blob.sha256);
        }
        Ok(unused.into_iter().map(|(_, blob)| blob.place).collect())
    }

    async fn unknown_places(&self, places: &[String]) -> Result<Vec<String>> {
        let tables = self.tables();
        let known = |place: &&String| tables.blobs.values().any(|(blob, _)| blob.place == **place);
        Ok(places.iter().filter(|place| !known(place)).cloned().collect())
    }
}
