//! What a generation starts from: assets of this server are looked up for whoever asks.

use super::super::{Caller, Service};
use crate::problem::{Fault, Problem};
use crate::store::Input;

impl Service {
    /// Whether the assets that a request starts from are the caller's to see, and here.
    pub(in super::super) async fn check_inputs(
        &self,
        caller: &Caller,
        inputs: &[Input],
        is_config: bool,
    ) -> Result<(), Problem> {
        // Most requests start from words alone.
        if inputs.is_empty() {
            return Ok(());
        }
        let viewer = self.viewer(&caller.reader).await?;
        let mut faults = Vec::new();
        for Input { position, role, asset: id } in inputs {
            let detail = match self.store.asset(&viewer, id).await? {
                None => "there is no such asset, or it is not yours",
                Some(asset) => match asset.media() {
                    None => "its bytes are not here yet",
                    Some(media) if !is_fit(role, &media.media_type) => {
                        "it is of another kind than what it is for"
                    }
                    Some(_) => continue,
                },
            };
            let pointer = if is_config {
                // A config has its inputs in several members; the reference says which.
                "/config".to_owned()
            } else {
                format!("/request/inputs/{position}/ref")
            };
            faults.push(Fault::new(&pointer, "input/asset", format!("asset:{id}: {detail}")));
        }
        if faults.is_empty() { Ok(()) } else { Err(Problem::faults(faults)) }
    }
}

/// Whether media may stand for a role: a video for a video, anything with pixels for a picture.
fn is_fit(role: &str, media_type: &str) -> bool {
    let is_video = media_type.starts_with("video/");
    match role {
        "video" | "original_video" => is_video || media_type == "image/gif",
        "image" | "npc_base" => !is_video,
        _ => true,
    }
}
