//! Rebound: a request under other bounds. It only ever lowers.

use crate::decode::{Decode, record};
use crate::fingerprint::follow_seed;
use crate::id::Id;
use crate::identity::View;
use crate::json::reader::Reader;
use crate::provider::ProviderInfo;
use crate::rating::{Bounds, Rating, bound, lower};
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

record! {
    /// The bounds of a door, as they travel.
    #[derive(Default)]
    struct OwnBoundsForm("a door's bounds", unknown: refuse) {
        /// What the world allows.
        world: Option<Rating> = "world" with bound;
        /// What the user allows.
        user: Option<Rating> = "user" with bound;
        /// Whether the user wishes band and rating lowered by one.
        reduce_intensity: Option<bool> = "reduceIntensity";
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a> Decode<'a> for OwnBounds {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        let form = OwnBoundsForm::decode(reader)?;
        let reduce_intensity = form.reduce_intensity == Some(true);
        Some(Self { world: form.world, user: form.user, reduce_intensity })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for OwnBounds {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OwnBounds".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        OwnBoundsForm::json_schema(generator)
    }
}

impl OwnBounds {
    /// Whether they ask for anything that the request does not bring along already. If not, the
    /// request is as it would be under them.
    ///
    /// ```
    /// use onepath_core::{GenerateContentRequest, OwnBounds, Rating, decode};
    ///
    /// let text = r#"{"type": "dialogue", "purpose": "adaptive", "strategy": "once",
    ///     "provider_id": "local", "bounds": {"world": "romantic"}}"#;
    /// let request = decode::<GenerateContentRequest>(text).into_result().unwrap();
    /// let own = |rating| OwnBounds { world: Some(rating), ..OwnBounds::default() };
    /// assert!(!own(Rating::Romantic).add_to(&request));
    /// assert!(own(Rating::Sfw).add_to(&request));
    /// ```
    #[must_use]
    pub fn add_to(self, request: &GenerateContentRequest<'_>) -> bool {
        let (world, user) =
            request.bounds.as_ref().map_or((None, None), |asked| (asked.world, asked.user));
        lower(world, self.world) != world || lower(user, self.user) != user || self.reduce_intensity
    }
}

/// A request under the bounds of a door.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
