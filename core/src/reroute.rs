//! A request as another provider is asked for it, when the one that was asked is down.

use crate::build::settings_of;
use crate::id::Id;
use crate::provider::ProviderInfo;
use crate::request::{GenerateContentRequest, InputRole};

/// The request with another provider in the place of the asked one: its block of the style and its
/// declared defaults become the settings. Everything else stays, the seed too. None if it cannot be
/// asked for this: the operation is not its own, or what the request starts from lies at the asked
/// provider.
///
/// It is another request, with a fingerprint of its own: what comes of it is no answer to the first.
///
/// ```
/// use onepath_core::{GenerateContentRequest, decode, fingerprint, providers, rerouted};
///
/// let text = r#"{"type": "text_to_image", "purpose": "ambient", "strategy": "once", "prompt": "fog",
///     "provider_id": "replicate", "style": {"fal": {"num_images": 2}}, "fallback": {"mode": "skip"}}"#;
/// let request = decode::<GenerateContentRequest>(text).into_result().unwrap();
/// let fal = providers().iter().find(|info| info.id.as_str() == "fal").unwrap();
/// let other = rerouted(&request, fal).unwrap();
/// assert_eq!(other.provider_id.as_ref().unwrap().as_str(), "fal");
/// let hash = |request| fingerprint(request, None).unwrap().hashes.unwrap().request;
/// assert_ne!(hash(&request), hash(&other));
/// ```
#[must_use]
pub fn rerouted<'r>(
    request: &'r GenerateContentRequest<'_>,
    to: &'r ProviderInfo<'_>,
) -> Option<GenerateContentRequest<'r>> {
    let operation = request.operation();
    if to.operations.as_ref().is_some_and(|offered| !offered.contains(&operation)) {
        return None;
    }
    let mut inputs = request.inputs.iter().flatten();
    if inputs.any(|input| input.role == InputRole::OriginalVideo) {
        return None;
    }
    let style = request.style.as_ref();
    let block = style.and_then(|style| style.block(to.id.as_str()));
    Some(GenerateContentRequest {
        provider_id: Some(Id::by_ref(&to.id)),
        provider_settings: settings_of(block, Some(to), Some(operation)),
        fallback_providers: None,
        cache_key: None,
        ..request.clone()
    })
}
