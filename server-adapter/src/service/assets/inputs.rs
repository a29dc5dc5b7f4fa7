//! What a generation starts from: assets of this server are looked up for whoever asks.

use serde_json::Value;

use super::super::{Caller, Service};
use crate::problem::{Fault, Problem};
use crate::store::Input;

impl Service {
    /// The assets that a request starts from. Each must be the caller's to see, and here; an id
    /// that is none of this server's is the game's own, and goes to the provider as it is.
    pub(in super::super) async fn inputs(
        &self,
        caller: &Caller,
        request: &str,
        is_config: bool,
    ) -> Result<Vec<Input>, Problem> {
        // Most requests start from words alone.
        if !request.contains("\"asset:") {
            return Ok(Vec::new());
        }
        let value: Value = serde_json::from_str(request).unwrap_or_default();
        let all = value.get("inputs").and_then(Value::as_array).map(Vec::as_slice);
        let viewer = self.viewer(&caller.reader).await?;
        let (mut inputs, mut faults) = (Vec::new(), Vec::new());
        for (at, input) in all.unwrap_or_default().iter().enumerate() {
            let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default();
            let Some(id) = text("ref").strip_prefix("asset:").filter(|id| is_ours(id)) else {
                continue;
            };
            let role = text("role");
            let detail = match self.store.asset(&viewer, id).await? {
                None => "there is no such asset, or it is not yours",
                Some(asset) => match asset.media() {
                    None => "its bytes are not here yet",
                    Some(media) if !is_fit(role, &media.media_type) => {
                        "it is of another kind than what it is for"
                    }
                    Some(_) => {
                        inputs.push(Input {
                            position: i64::try_from(at).unwrap_or(i64::MAX),
                            role: role.to_owned(),
                            asset: asset.id,
                        });
                        continue;
                    }
                },
            };
            let pointer = if is_config {
                // A config has its inputs in several members; the reference says which.
                "/config".to_owned()
            } else {
                format!("/request/inputs/{at}/ref")
            };
            faults.push(Fault::new(&pointer, "input/asset", format!("asset:{id}: {detail}")));
        }
        if faults.is_empty() { Ok(inputs) } else { Err(Problem::faults(faults)) }
    }
}

/// Whether an id is one that this server gives.
fn is_ours(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
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
