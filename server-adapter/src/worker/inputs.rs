//! The files that a submission starts from: the bytes behind `asset:<id>`.

use std::collections::BTreeMap;
use std::sync::Arc;

use onepath_core::lifecycle::ErrorCode;
use onepath_core::{GenerateContentRequest, Rating, decode};

use super::carry::Load;
use crate::provider::{File, Provider, Refusal};
use crate::store::{Reader, Result, Viewer};

/// Bytes that the files of one submission may have together.
const MOST: usize = 128 << 20;

impl Load<'_> {
    /// The files of the row's request, by reference; a refusal if one of them is not there, is not
    /// the owner's to use, or is too large.
    pub(super) async fn files(
        &self,
        provider: &Arc<dyn Provider>,
    ) -> Result<std::result::Result<BTreeMap<String, File>, Refusal>> {
        let mut files = BTreeMap::new();
        if !provider.takes_files() {
            return Ok(Ok(files));
        }
        let read = decode::<GenerateContentRequest<'_>>(&self.row.asked.request).value;
        let references: Vec<String> = read
            .iter()
            .flat_map(|request| request.inputs.iter().flatten())
            .map(|input| input.reference.as_str().to_owned())
            .collect();
        let (store, mut total) = (&self.worker.store, 0);
        let (tenant, user) = (self.row.tenant.clone(), self.row.owner.clone());
        let viewer = Viewer { reader: Reader { tenant, user }, bound: Rating::Restricted };
        for reference in references {
            let Some(id) = reference.strip_prefix("asset:") else { continue };
            if files.contains_key(&reference) {
                continue;
            }
            let missing = |code, detail: &str| {
                Ok(Err(Refusal::new(code, format!("the input `{reference}` {detail}"))))
            };
            let asset = store.asset(&viewer, id).await?;
            let Some(media) = asset.as_ref().and_then(|asset| asset.media()) else {
                return missing(ErrorCode::ParamInvalid, "is not there");
            };
            let Some(blob) = store.blob(&media.sha256).await? else {
                return missing(ErrorCode::StorageFailed, "has no bytes");
            };
            total += usize::try_from(media.bytes).unwrap_or(usize::MAX);
            if total > MOST {
                return missing(ErrorCode::ParamTooLong, "is too large");
            }
            match self.worker.blobs.get(&blob).await {
                Ok(bytes) => {
                    let (media_type, sha256) = (media.media_type.clone(), media.sha256.clone());
                    let file = File { media_type, bytes: bytes.into(), sha256 };
                    files.insert(reference, file);
                }
                Err(error) => {
                    tracing::warn!(%error, generation = %self.row.id, asset = id, "an input cannot be read");
                    return missing(ErrorCode::StorageFailed, "cannot be read now");
                }
            }
        }
        Ok(Ok(files))
    }
}
