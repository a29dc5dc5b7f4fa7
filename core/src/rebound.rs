//! Rebound: a request under other bounds. It only ever lowers.

use crate::fingerprint::follow_seed;
use crate::id::Id;
use crate::identity::View;
use crate::provider::ProviderInfo;
use crate::rating::{Bounds, Rating, lower};
use crate::request::GenerateContentRequest;

/// What a door allows, beside what a request brings along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnBounds {
    /// What the world allows; an absent one bounds nothing.
    pub world: Option<Rating>,
    /// What the user allows; an absent one bounds nothing.
    pub user: Option<Rating>,
    /// Whether the user wishes band and rating lowered by one. Done once: a request that carries
    /// the mark stays as it is.
    pub reduce_intensity: bool,
}

/// A request under the bounds of a door.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebound<'a> {
    /// The request, with the lower of both bounds.
    pub request: GenerateContentRequest<'a>,
    /// Whether rating, band or level that take effect are lower than before.
    pub lowered: bool,
}

/// Applies a door's own bounds to a request. Pure, and it never raises: an editor that is behind,
/// or forges its bounds, gets what the door allows. A seed that was derived follows the identity.
///
/// ```
/// use onepath_core::{GenerateContentRequest, OwnBounds, Rating, decode, fingerprint, rebound};
///
/// let text = r#"{"type": "dialogue", "purpose": "adaptive", "strategy": "once", "prompt": "hello",
///     "provider_id": "local", "social_context": {"contentRating": "restricted"}}"#;
/// let request = decode::<GenerateContentRequest>(text).into_result().unwrap();
/// let own = OwnBounds { world: Some(Rating::Romantic), ..OwnBounds::default() };
/// let bounded = rebound(&request, own, None);
/// assert!(bounded.lowered);
/// assert_eq!(fingerprint(&bounded.request, None).unwrap().rating.effective, Rating::Romantic);
/// ```
#[must_use]
pub fn rebound<'a>(
    request: &GenerateContentRequest<'a>,
    own: OwnBounds,
    provider: Option<&ProviderInfo<'_>>,
) -> Rebound<'a> {
    let provider = provider.or_else(|| {
        request.provider_id.as_ref().map(Id::as_str).and_then(crate::provider::shipped)
    });
    let mut after = request.clone();
    let asked = request.bounds.clone().unwrap_or_default();
    after.bounds =
        Some(Bounds { world: lower(asked.world, own.world), user: lower(asked.user, own.user) });
    if own.reduce_intensity
        && let Some(social) = &mut after.social_context
        && social.reduced != Some(true)
    {
        social.reduce();
    }
    let (before_view, after_view) = (View::new(request, provider), View::new(&after, provider));
    let lowered = before_view.text("").as_bytes() != after_view.text("").as_bytes();
    if lowered {
        after.seed = follow_seed(request, &after, provider);
    }
    Rebound { request: after, lowered }
}
