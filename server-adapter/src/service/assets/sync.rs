//! Another try to fetch what was made and is not here.

use onepath_core::lifecycle::ErrorCode;

use super::super::{Caller, Service};
use super::AssetView;
use crate::asset::{MOST_OUTPUT, inspect};
use crate::problem::{Problem, ProblemCode};
use crate::provider::{Output, Submission};
use crate::store::{Asset, AssetState, Blob, Media, Row};

impl Service {
    /// Tries again to fetch the caller's own asset. While its generation is on its way, the worker
    /// does so now; afterwards it is fetched here. The end of a run stays what it was.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, `CONFLICT` if nobody knows where it lies, `UPSTREAM_ERROR` if it did not come.
    pub async fn sync(&self, caller: &Caller, id: &str) -> Result<AssetView, Problem> {
        let asset = self.seen_asset(&caller.reader, id).await?;
        let now = self.clock.now();
        if !asset.is_of(&caller.reader) {
            return Err(Problem::not_found("asset"));
        }
        let viewer = self.viewer(&caller.reader).await?;
        let row = match asset.generation() {
            Some(generation) => self.store.get(&viewer, generation).await?.map(|found| found.row),
            None => None,
        };
        let Some(row) = row.filter(|_| asset.media().is_none()) else {
            return Ok(self.asset_view(&caller.reader, &asset, now));
        };
        if !row.state.is_terminal() {
            if self.store.hurry(&row.id, now).await? {
                self.bell.notify_one();
            }
            return Ok(self.asset_view(&caller.reader, &asset, now));
        }
        let mut tried = Asset { attempts: asset.attempts, ..asset.clone() };
        let (blob, failed) = match self.fetched(&asset, &row).await {
            Ok((media, blob)) => {
                tried.state = AssetState::Downloaded(media);
                (blob, None)
            }
            Err((code, why)) => {
                tracing::warn!(%why, asset = %id, "an asset was not fetched");
                tried.attempts += 1;
                tried.state = AssetState::Failed(code);
                (None, Some(code))
            }
        };
        self.store.put_sync(tried, blob, now).await?;
        if let Some(code) = failed {
            let detail = format!("it did not come ({code}): try again later");
            return Err(Problem::new(ProblemCode::UpstreamError, detail));
        }
        self.asset(caller, id).await
    }

    async fn fetched(
        &self,
        asset: &Asset,
        row: &Row,
    ) -> Result<(Media, Option<Blob>), (ErrorCode, String)> {
        let provider = self.providers.get(row.provider());
        let (Some(location), Some(provider)) = (asset.location.clone(), provider) else {
            return Err((ErrorCode::OutputMissing, "nobody knows where it lies".to_owned()));
        };
        let submission = Submission::of(row, None);
        let mut intake = self.spool.begin(MOST_OUTPUT as u64);
        let fetched = provider.fetch_into(&submission, &Output { location }, &mut intake).await;
        fetched.map_err(|why| (ErrorCode::ProviderUnavailable, why.to_string()))?;
        let content = intake.end().await;
        let content = content.map_err(|why| (ErrorCode::StorageFailed, why.to_string()))?;
        let looked = tokio::task::spawn_blocking(move || (inspect(&content), content)).await;
        let failed = |why: String| (ErrorCode::StorageFailed, why);
        let (seen, content) = looked.map_err(|why| failed(why.to_string()))?;
        let seen = seen.map_err(|why| (ErrorCode::OutputMissing, why.to_string()))?;
        let known = self.store.blob(&content.sha256).await;
        let blob = match known.map_err(|why| failed(why.to_string()))? {
            Some(_) => None,
            None => {
                let put = self.blobs.put(&content, &*self.clock).await;
                Some(put.map_err(|why| failed(why.to_string()))?)
            }
        };
        Ok((Media::of(&content, seen), blob))
    }
}
