//! The assets of a store that keeps nothing.

use async_trait::async_trait;
use onepath_server::store::{
    Asset, AssetCopy, AssetPage, AssetPatch, AssetQuery, AssetStore, Blob, Input, Lineage, Millis,
    PlanNow, Reader, Result, Uploaded, Viewer,
};

use super::no_store::NoStore;

#[async_trait]
impl AssetStore for NoStore {
    async fn asset(&self, _: &Viewer, _: &str) -> Result<Option<Asset>> {
        Ok(None)
    }

    async fn public_asset(&self, _: &str) -> Result<Option<Asset>> {
        Ok(None)
    }

    async fn assets(&self, _: &Reader, _: &AssetQuery) -> Result<AssetPage> {
        Ok(AssetPage { assets: Vec::new(), next: None })
    }

    async fn asset_with(&self, _: &Reader, _: &str) -> Result<Option<Asset>> {
        Ok(None)
    }

    async fn keep_upload(&self, asset: Asset, _: Option<Blob>, _: PlanNow) -> Result<Uploaded> {
        Ok(Uploaded::New(Box::new(asset)))
    }

    async fn blob(&self, _: &str) -> Result<Option<Blob>> {
        Ok(None)
    }

    async fn outputs(&self, _: &str) -> Result<Vec<Asset>> {
        Ok(Vec::new())
    }

    async fn put_outputs(
        &self,
        _: &str,
        _: i64,
        _: Vec<Asset>,
        _: Vec<Blob>,
        _: Millis,
    ) -> Result<bool> {
        Ok(false)
    }

    async fn put_sync(&self, _: Asset, _: Option<Blob>, _: Millis) -> Result<bool> {
        Ok(false)
    }

    async fn hurry(&self, _: &str, _: Millis) -> Result<bool> {
        Ok(false)
    }

    async fn put_thumbnail(&self, _: &str, _: &str, _: Option<Blob>, _: Millis) -> Result<()> {
        Ok(())
    }

    async fn patch_asset(
        &self,
        _: &Reader,
        _: &str,
        _: &AssetPatch,
        _: Millis,
    ) -> Result<Option<Asset>> {
        Ok(None)
    }

    async fn delete_asset(&self, _: &Reader, _: &str, _: Millis) -> Result<bool> {
        Ok(false)
    }

    async fn inputs(&self, _: &str) -> Result<Vec<(Input, Asset)>> {
        Ok(Vec::new())
    }

    async fn lineage(&self, _: &Viewer, _: &str) -> Result<Option<Lineage>> {
        Ok(None)
    }

    async fn copy(&self, _: &str, _: &str, _: &str, _: Millis) -> Result<Option<AssetCopy>> {
        Ok(None)
    }

    async fn put_copy(&self, _: AssetCopy, _: Millis) -> Result<()> {
        Ok(())
    }

    async fn collect_blobs(&self, _: Millis, _: usize) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn unknown_places(&self, _: &[String]) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}
