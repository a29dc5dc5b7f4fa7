//! Fetching what was made: looked at and kept; only then is it there.
//!
//! What lies elsewhere is written down before it is fetched, so that readers see it on its way, and
//! so that another worker goes on where this one stopped.

use std::collections::BTreeMap;
use std::sync::Arc;

use onepath_core::lifecycle::{ErrorCode, Event, ProviderReport};

use super::carry::Load;
use super::millis;
use crate::asset::{MOST_OUTPUT, inspect};
use crate::clock::new_id;
use crate::provider::{File, Output, Provider};
use crate::store::{Asset, AssetState, Blob, Media, Result};

/// Why something that was made is not here yet.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(super) struct NotHere {
    /// What it means.
    code: ErrorCode,
    /// For operators.
    why: Box<dyn std::error::Error + Send + Sync>,
}

impl NotHere {
    fn new(code: ErrorCode, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { code, why: why.into() }
    }
}

/// What the files of a submission may have together.
const MOST_INPUT: i64 = 256 << 20;

impl Load<'_> {
    /// The files that the row starts from, by their references. One whose bytes are not to be had
    /// is left out: the provider refuses what it cannot do without.
    pub(super) async fn files(&self) -> Result<BTreeMap<String, File>> {
        let mut files = BTreeMap::new();
        if !self.row.request().contains("\"asset:") {
            return Ok(files);
        }
        let mut left = MOST_INPUT;
        for (input, asset) in self.worker.store.inputs(&self.row.id).await? {
            let Some(media) = asset.media() else { continue };
            left -= media.bytes;
            let Some(blob) = self.worker.store.blob(&media.sha256).await? else { continue };
            if left < 0 {
                tracing::warn!(generation = %self.row.id, "its inputs are too large together");
                break;
            }
            match self.worker.blobs.get(&blob).await {
                Ok(bytes) => {
                    let file = File {
                        media_type: media.media_type.clone(),
                        bytes: bytes.into(),
                        sha256: media.sha256.clone(),
                    };
                    files.insert(format!("asset:{}", input.asset), file);
                }
                Err(error) => tracing::error!(%error, asset = %asset.id, "an input has no bytes"),
            }
        }
        Ok(files)
    }

    /// Fetches, looks at and keeps what was made.
    pub(super) async fn fetch(&mut self, provider: &Arc<dyn Provider>) -> Result<bool> {
        // Whoever just heard of it, in the first attempt, finds nothing written down.
        let is_first = self.outputs.is_some() && self.row.attempts == 1;
        let known =
            if is_first { Vec::new() } else { self.worker.store.outputs(&self.row.id).await? };
        let outputs = match self.outputs.take() {
            Some(outputs) => outputs,
            None => match self.told(provider, &known).await {
                Ok(outputs) => outputs,
                Err(error) => return self.not_kept(&error).await,
            },
        };
        if outputs.is_empty() {
            let report = ProviderReport::Failed(ErrorCode::OutputMissing);
            return self.wait(Event::Reported(report), millis(self.worker.settings.poll)).await;
        }
        let (mut assets, replaced) = self.planned(&outputs, known.clone());
        let is_written = !known.is_empty() || outputs.iter().any(Output::is_elsewhere);
        if is_written {
            let all = replaced.into_iter().chain(assets.iter().cloned()).collect();
            if !self.write(all, Vec::new()).await? {
                return Ok(false);
            }
        }
        let (mut blobs, mut failed) = (Vec::new(), None);
        for (asset, output) in assets.iter_mut().zip(&outputs) {
            if asset.media().is_some() {
                continue;
            }
            asset.events = asset.events.max(i64::from(is_written));
            let new = match self.bring(provider, output).await {
                Ok((media, blob)) => {
                    asset.state = AssetState::Downloaded(media);
                    blob
                }
                Err(error) => {
                    asset.attempts += 1;
                    asset.state = AssetState::Failed(error.code);
                    failed.get_or_insert(error);
                    None
                }
            };
            if !is_written {
                blobs.extend(new);
            } else if !self.write(vec![asset.clone()], new.into_iter().collect()).await? {
                return Ok(false);
            }
        }
        if let Some(error) = failed {
            return self.not_kept(&error).await;
        }
        let mut advance = self.event(Event::Stored);
        if !is_written {
            (advance.assets, advance.blobs) = (assets, blobs);
        }
        let kept = self.advance(advance).await?;
        if kept {
            let prediction = self.row.prediction.clone().unwrap_or_default();
            provider.settled(&self.submission(), &prediction).await;
        }
        Ok(kept)
    }

    /// What the provider says that it made; what was written down, if it says nothing any more.
    async fn told(
        &self,
        provider: &Arc<dyn Provider>,
        known: &[Asset],
    ) -> std::result::Result<Vec<Output>, NotHere> {
        let prediction = self.row.prediction.clone().unwrap_or_default();
        let standing = self.asked("status", provider.status(&self.submission(), &prediction)).await;
        let written = known.iter().filter_map(|asset| asset.location.clone());
        let written: Vec<Output> = written.map(|location| Output { location }).collect();
        match standing {
            Ok(standing) if !standing.outputs.is_empty() => Ok(standing.outputs),
            _ if !written.is_empty() => Ok(written),
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(NotHere::new(ErrorCode::ProviderUnavailable, error)),
        }
    }

    /// An asset for each output, those that are written down where they are for the same; and what
    /// is left of an earlier attempt, deleted.
    fn planned(&self, outputs: &[Output], known: Vec<Asset>) -> (Vec<Asset>, Vec<Asset>) {
        let now = self.worker.clock.now();
        let mut known: Vec<Option<Asset>> = known.into_iter().map(Some).collect();
        let assets = outputs.iter().zip(0_i64..).map(|(output, index)| {
            let same = known.iter_mut().find(|asset| {
                asset.as_ref().is_some_and(|asset| {
                    asset.index() == index && asset.location.as_ref() == Some(&output.location)
                })
            });
            let mut asset = same.and_then(Option::take).unwrap_or_else(|| {
                Asset::output(&self.row, new_id(&*self.worker.clock), index, now)
            });
            if output.is_elsewhere() {
                asset.location = Some(output.location.clone());
            }
            if asset.media().is_none() {
                asset.state = AssetState::Downloading;
            }
            asset
        });
        let assets = assets.collect();
        let left = known.into_iter().flatten();
        (assets, left.map(|asset| Asset { deleted_at: Some(now), ..asset }).collect())
    }

    /// Writes assets down; false if somebody else holds the row meanwhile.
    async fn write(&mut self, assets: Vec<Asset>, blobs: Vec<Blob>) -> Result<bool> {
        let now = self.worker.clock.now();
        let (id, fence) = (&self.row.id, self.row.fence);
        let held = self.worker.store.put_outputs(id, fence, assets, blobs, now).await?;
        if !held {
            self.effects.clear();
        }
        Ok(held)
    }

    /// Fetches one output, looks at it and keeps its bytes.
    async fn bring(
        &self,
        provider: &Arc<dyn Provider>,
        output: &Output,
    ) -> std::result::Result<(Media, Option<Blob>), NotHere> {
        let mut intake = self.worker.spool.begin(MOST_OUTPUT as u64);
        let submission = self.submission();
        let fetch = provider.fetch_into(&submission, output, &mut intake);
        let fetched = self.asked("fetch", fetch).await;
        fetched.map_err(|why| NotHere::new(ErrorCode::ProviderUnavailable, why))?;
        let content = intake.end().await;
        let content = content.map_err(|why| NotHere::new(ErrorCode::StorageFailed, why))?;
        let looked = tokio::task::spawn_blocking(move || {
            let seen = inspect(&content);
            seen.map(|seen| (content, seen))
        });
        let looked = looked.await.map_err(|why| NotHere::new(ErrorCode::StorageFailed, why))?;
        let (content, seen) = looked.map_err(|why| NotHere::new(ErrorCode::OutputMissing, why))?;
        let known = self.worker.store.blob(&content.sha256).await;
        let blob = match known.map_err(|why| NotHere::new(ErrorCode::StorageFailed, why))? {
            Some(_) => None,
            None => {
                let put = self.worker.blobs.put(&content, &*self.worker.clock).await;
                Some(put.map_err(|why| NotHere::new(ErrorCode::StorageFailed, why))?)
            }
        };
        Ok((Media::of(&content, seen), blob))
    }
}
