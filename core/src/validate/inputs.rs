//! Rules about what an operation needs.

use super::Findings;
use crate::codes::Code;
use crate::facts::{Facts, TemplateState, filled};
use crate::finding::Finding;
use crate::operation::Operation;
use crate::words::GenerationType;

/// A prompt that is not blank, before rendering; a template satisfies it.
pub(super) fn prompt_missing(facts: &Facts<'_>, out: &mut Findings) {
    let Some(operation) = facts.operation.filter(|operation| operation.needs_prompt()) else {
        return;
    };
    let given = filled(facts.options.prompt.as_ref()).or(filled(facts.config.prompt.as_ref()));
    let satisfied = match given {
        Some(prompt) => !prompt.trim().is_empty(),
        None => !matches!(facts.template(), TemplateState::NotRead),
    };
    if !satisfied {
        let in_options = filled(facts.options.prompt.as_ref()).is_some();
        let pointer = if in_options { "/options/prompt" } else { "/prompt" };
        out.push(Finding::new(Code::InputsPromptMissing, pointer).arg(operation.word()));
    }
}

/// At least one image: given, or the portrait of the npc that responds.
pub(super) fn image_missing(facts: &Facts<'_>, out: &mut Findings) {
    let Some(operation) = facts.operation.filter(|operation| operation.needs_image()) else {
        return;
    };
    if facts.images().next().is_some() {
        return;
    }
    if facts.generation_type == Some(GenerationType::NpcResponse) {
        if !facts.all() && facts.options.npcs.is_none() {
            return;
        }
        let portrait = facts.npc().and_then(|(_, npc)| npc?.base_image.as_ref());
        if filled(portrait).is_some() {
            return;
        }
    }
    out.push(Finding::new(Code::InputsImageMissing, "/imageUrl").arg(operation.word()));
}

fn transition_images(facts: &Facts<'_>) -> Option<usize> {
    (facts.operation == Some(Operation::VideoTransition)).then(|| facts.images().count())
}

/// A transition leads from image to image.
pub(super) fn images_too_few(facts: &Facts<'_>, out: &mut Findings) {
    if let Some(count) = transition_images(facts)
        && count < 2
    {
        #[allow(clippy::cast_precision_loss, reason = "lists are limited")]
        out.push(Finding::new(Code::InputsImagesTooFew, "/imageUrls").arg(count as f64));
    }
}

/// One prompt fewer than images; silent beside too few images.
pub(super) fn prompt_count(facts: &Facts<'_>, out: &mut Findings) {
    let prompts = facts.config.prompts.as_deref().unwrap_or_default().len();
    if let Some(images) = transition_images(facts)
        && images >= 2
        && prompts + 1 != images
    {
        #[allow(clippy::cast_precision_loss, reason = "lists are limited")]
        out.push(
            Finding::new(Code::InputsPromptCount, "/prompts")
                .arg(images as f64)
                .arg((images - 1) as f64)
                .arg(prompts as f64),
        );
    }
}

/// A video to extend.
pub(super) fn video_missing(facts: &Facts<'_>, out: &mut Findings) {
    if facts.operation == Some(Operation::VideoExtend)
        && filled(facts.config.video_url.as_ref()).is_none()
        && facts.config.original_video_id.is_none()
    {
        out.push(Finding::new(Code::InputsVideoMissing, "/videoUrl"));
    }
}

/// Something to put together.
pub(super) fn fusion_missing(facts: &Facts<'_>, out: &mut Findings) {
    let assets = facts.config.fusion_assets.as_deref().unwrap_or_default();
    if facts.operation != Some(Operation::Fusion) {
        return;
    }
    if assets.is_empty() {
        out.push(Finding::new(Code::InputsFusionMissing, "/fusionAssets"));
    }
    for (index, asset) in assets.iter().enumerate() {
        if filled(asset.reference.as_ref()).is_none() {
            let pointer = format!("/fusionAssets/{index}/ref");
            out.push(Finding::new(Code::InputsFusionMissing, pointer));
        }
    }
}

/// Query parameters that carry a signature or an expiry, as object stores and CDNs name them.
const SIGNED: [&str; 18] = [
    "x-amz-signature",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-credential",
    "x-goog-signature",
    "x-goog-expires",
    "x-goog-credential",
    "signature",
    "sig",
    "expires",
    "expiry",
    "expiration",
    "exp",
    "se",
    "token",
    "policy",
    "key-pair-id",
    "googleaccessid",
];

fn expires(url: &str) -> bool {
    let Some((_, query)) = url.split_once('?') else { return false };
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    query.split('&').any(|pair| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name).to_ascii_lowercase();
        SIGNED.contains(&name.as_str())
    })
}

/// A URL that will stop working, and is another text each time it is signed.
pub(super) fn expiring_url(facts: &Facts<'_>, out: &mut Findings) {
    let config = facts.config;
    let mut check = |url: Option<&str>, pointer: &dyn Fn() -> String| {
        if url.is_some_and(expires) {
            out.push(Finding::new(Code::InputsExpiringUrl, pointer()));
        }
    };
    check(config.image_url.as_deref(), &|| "/imageUrl".to_owned());
    for (index, url) in config.image_urls.as_deref().unwrap_or_default().iter().enumerate() {
        check(Some(url), &|| format!("/imageUrls/{index}"));
    }
    check(config.video_url.as_deref(), &|| "/videoUrl".to_owned());
    for (index, asset) in config.fusion_assets.as_deref().unwrap_or_default().iter().enumerate() {
        check(asset.reference.as_deref(), &|| format!("/fusionAssets/{index}/ref"));
    }
}

#[cfg(test)]
mod tests {
    use super::expires;

    #[test]
    fn signed_urls_are_told_by_their_parameters() {
        assert!(expires("https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature=ab"));
        assert!(expires("https://x.blob.core.windows.net/c/k?sv=1&se=2026&sig=ab"));
        assert!(!expires("https://x.example/k?width=20"));
        assert!(!expires("asset:signature"));
    }
}
