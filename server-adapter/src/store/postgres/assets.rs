//! Assets.

use async_trait::async_trait;

use super::super::sql::assets;
use super::super::{
    Asset, AssetCopy, AssetPage, AssetPatch, AssetQuery, AssetStore, Blob, Input, Lineage, Millis,
    PlanNow, Reader, Result, StoreError, Uploaded, Viewer,
};
use super::remote::Remote;
use super::{PostgresStore, READ, Tries, WRITE, connection};

#[async_trait]
impl AssetStore for PostgresStore {
    async fn asset(&self, viewer: &Viewer, id: &str) -> Result<Option<Asset>> {
        let (viewer, id) = (viewer.clone(), id.to_owned());
        ask!(self, |tx| assets::get(tx, &viewer, &id))
    }

    async fn public_asset(&self, id: &str) -> Result<Option<Asset>> {
        let id = id.to_owned();
        ask!(self, |tx| assets::public(tx, &id))
    }

    async fn assets(&self, reader: &Reader, query: &AssetQuery) -> Result<AssetPage> {
        let (reader, query) = (reader.clone(), query.clone());
        ask!(self, |tx| assets::page(tx, &reader, &query))
    }

    async fn asset_with(&self, reader: &Reader, sha256: &str) -> Result<Option<Asset>> {
        let (reader, sha256) = (reader.clone(), sha256.to_owned());
        ask!(self, |tx| assets::with_bytes(tx, &reader, &sha256))
    }

    async fn keep_upload(
        &self,
        asset: Asset,
        blob: Option<Blob>,
        plan: PlanNow,
    ) -> Result<Uploaded> {
        self.changed(write!(self, |tx| assets::keep_upload(tx, &asset, blob.as_ref(), plan)))
    }

    async fn blob(&self, sha256: &str) -> Result<Option<Blob>> {
        let sha256 = sha256.to_owned();
        ask!(self, |tx| assets::blob(tx, &sha256))
    }

    async fn outputs(&self, generation: &str) -> Result<Vec<Asset>> {
        let generation = generation.to_owned();
        ask!(self, |tx| assets::of_generation(tx, &generation))
    }

    async fn put_outputs(
        &self,
        generation: &str,
        fence: i64,
        made: Vec<Asset>,
        blobs: Vec<Blob>,
        now: Millis,
    ) -> Result<bool> {
        let id = generation.to_owned();
        let put = write!(self, |tx| assets::put_outputs(tx, &id, fence, (&made, &blobs), now));
        self.changed(put)
    }

    async fn put_sync(&self, asset: Asset, blob: Option<Blob>, now: Millis) -> Result<bool> {
        self.changed(write!(self, |tx| assets::put_sync(tx, &asset, blob.as_ref(), now)))
    }

    async fn hurry(&self, generation: &str, now: Millis) -> Result<bool> {
        let generation = generation.to_owned();
        self.changed(write!(self, |tx| assets::hurry(tx, &generation, now)))
    }

    async fn put_thumbnail(
        &self,
        id: &str,
        sha256: &str,
        blob: Option<Blob>,
        now: Millis,
    ) -> Result<()> {
        let (id, sha256) = (id.to_owned(), sha256.to_owned());
        write!(self, |tx| assets::put_thumbnail(tx, &id, &sha256, blob.as_ref(), now))
    }

    async fn patch_asset(
        &self,
        reader: &Reader,
        id: &str,
        patch: &AssetPatch,
        now: Millis,
    ) -> Result<Option<Asset>> {
        let (reader, id, patch) = (reader.clone(), id.to_owned(), patch.clone());
        write!(self, |tx| assets::patch(tx, &reader, &id, &patch, now))
    }

    async fn delete_asset(&self, reader: &Reader, id: &str, now: Millis) -> Result<bool> {
        let (reader, id) = (reader.clone(), id.to_owned());
        self.changed(write!(self, |tx| assets::delete(tx, &reader, &id, now)))
    }

    async fn inputs(&self, generation: &str) -> Result<Vec<(Input, Asset)>> {
        let generation = generation.to_owned();
        ask!(self, |tx| assets::inputs(tx, &generation))
    }

    async fn lineage(&self, viewer: &Viewer, id: &str) -> Result<Option<Lineage>> {
        let (viewer, id) = (viewer.clone(), id.to_owned());
        read!(self, |tx| assets::lineage(tx, &viewer, &id))
    }

    async fn copy(
        &self,
        asset: &str,
        provider: &str,
        account: &str,
        now: Millis,
    ) -> Result<Option<AssetCopy>> {
        let (asset, provider, account) =
            (asset.to_owned(), provider.to_owned(), account.to_owned());
        ask!(self, |tx| assets::copy(tx, &asset, &provider, &account, now))
    }

    async fn put_copy(&self, copy: AssetCopy, now: Millis) -> Result<()> {
        write!(self, |tx| assets::put_copy(tx, &copy, now))
    }

    async fn collect_blobs(&self, before: Millis, limit: usize) -> Result<Vec<String>> {
        write!(self, |tx| assets::collect(tx, before, limit))
    }

    async fn unknown_places(&self, places: &[String]) -> Result<Vec<String>> {
        let places = places.to_vec();
        read!(self, |tx| assets::unknown_places(tx, &places))
    }
}
