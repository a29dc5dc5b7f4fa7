//! Identity: which fields of a request decide what would be generated.
//!
//! Every field of every type in a request has exactly one [`Policy`], declared here and nowhere
//! else. The declaration takes each type apart without `..`, so that a new field without a policy
//! does not compile. From it come the identity that is hashed, [`FIELDS`] (for [`explain`],
//! documents and the list of what must not be logged), and the order of the written members.
//!
//! [`explain`]: crate::explain

use crate::canonical::{self, write_number, write_value};
use crate::config::{ConstraintSet, DurationRule, SceneRef, StyleRules};
use crate::context::PlayerContextSnapshot;
use crate::decode::Text;
use crate::facts::Facts;
use crate::fingerprint::Part;
use crate::id::Id;
use crate::json::number::{Integer, Number};
use crate::json::text::JsonText;
use crate::json::value::{Map, Value};
use crate::order::{in_order, sorted};
use crate::provider::ProviderInfo;
use crate::rating::{Band, RatingTrail};
use crate::request::{GenerateContentRequest, InputRef, NpcResponseParams};
use crate::social::GenerationSocialContext;

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Policy {
    /// Part of what would be generated: in the family hash.
    Identity,
    /// Which of the variants of one identity: in the request hash.
    Variation,
    /// Who shares the result: in the cache key.
    Scope,
    /// How it is carried out: in no hash.
    Policy,
    /// For display and statistics: in no hash.
    Telemetry,
}

/// One field and its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct FieldPolicy {
    /// The pointer in a request, a config or a create envelope; `*` stands for any step.
    pub pointer: &'static str,
    /// What the field is for.
    pub policy: Policy,
    /// Whether its value may hold what players or designers wrote, and so is never logged.
    pub private: bool,
}

/// Something that the identity writes.
trait Canonical {
    /// Writes the value; false if it counts as absent, and what was written is taken back.
    fn write(&self, out: &mut JsonText) -> bool;

    /// Whether it is known to be absent before anything is written.
    fn is_absent(&self) -> bool {
        false
    }
}

impl Canonical for Text<'_> {
    fn write(&self, out: &mut JsonText) -> bool {
        out.text(self);
        !self.is_empty()
    }
}

impl Canonical for Id<'_> {
    fn write(&self, out: &mut JsonText) -> bool {
        out.text(self.as_str());
        true
    }
}

impl Canonical for Number {
    fn write(&self, out: &mut JsonText) -> bool {
        write_number(out, self.get());
        true
    }
}

impl Canonical for Integer {
    fn write(&self, out: &mut JsonText) -> bool {
        Number::from(*self).write(out)
    }
}

impl<T: Canonical> Canonical for &T {
    fn write(&self, out: &mut JsonText) -> bool {
        (*self).write(out)
    }

    fn is_absent(&self) -> bool {
        (*self).is_absent()
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn write(&self, out: &mut JsonText) -> bool {
        self.as_ref().is_some_and(|value| value.write(out))
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Canonical> Canonical for Vec<T> {
    fn write(&self, out: &mut JsonText) -> bool {
        canonical::write_list(out, self, |out, item| {
            // List elements are kept, also those that would be left out as members.
            item.write(out);
        });
        !self.is_empty()
    }
}

macro_rules! canonical_words {
    ($($name:ty),*) => {
        $(impl Canonical for $name {
            fn write(&self, out: &mut JsonText) -> bool {
                Word(self.word()).write(out)
            }
        })*
    };
}
canonical_words!(
    crate::words::Pacing,
    crate::words::TransitionType,
    crate::words::FilmRating,
    crate::words::ArtStyle,
    crate::words::QualityPreset,
    crate::words::FusionKind,
    crate::request::InputRole
);

/// A text that needs no escaping.
struct Word(&'static str);

impl Canonical for Word {
    fn write(&self, out: &mut JsonText) -> bool {
        out.ascii(b'"');
        out.raw(self.0);
        out.ascii(b'"');
        true
    }
}

impl Canonical for Map<'_> {
    fn write(&self, out: &mut JsonText) -> bool {
        out.ascii(b'{');
        let mut object = Object { first: true };
        canonical::for_each_sorted(self, |name, value| {
            let (mark, first) = (out.len(), object.first);
            out.name(name, &mut object.first);
            if !write_pruned(out, value) {
                out.truncate(mark);
                object.first = first;
            }
        });
        out.ascii(b'}');
        !object.first
    }
}

/// Writes an open value without the members that count as absent; false if it does itself.
fn write_pruned(out: &mut JsonText, value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => text.write(out),
        Value::Map(map) => map.write(out),
        Value::List(items) => {
            canonical::write_list(out, items, |out, item| {
                write_pruned(out, item);
            });
            !items.is_empty()
        }
        other => {
            write_value(out, other);
            true
        }
    }
}

/// A list that is a set: without repeats, sorted by UTF-16 code units.
struct Set<'t, T>(Option<&'t [T]>);

impl<T: AsRef<str>> Canonical for Set<'_, T> {
    fn write(&self, out: &mut JsonText) -> bool {
        let items = self.0.unwrap_or_default();
        let item = |index: usize| items.get(index).map_or("", AsRef::as_ref);
        let mut before = None;
        out.ascii(b'[');
        canonical::in_utf16_order(items.len(), item, |index| {
            let item = item(index);
            if before != Some(item) {
                if before.is_some() {
                    out.ascii(b',');
                }
                out.text(item);
                before = Some(item);
            }
        });
        out.ascii(b']');
        true
    }

    fn is_absent(&self) -> bool {
        self.0.is_none_or(<[T]>::is_empty)
    }
}

impl AsRef<str> for Id<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// Members of an object that is being written.
struct Object {
    first: bool,
}

impl Object {
    /// Writes one member, or nothing if its value counts as absent. `lead` is `"name":`.
    ///
    /// Inlined, so that the name is copied as a constant.
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn member(&mut self, out: &mut JsonText, lead: &'static str, value: &impl Canonical) {
        if value.is_absent() {
            return;
        }
        let mark = out.len();
        if !self.first {
            out.ascii(b',');
        }
        out.raw(lead);
        if value.write(out) {
            self.first = false;
        } else {
            out.truncate(mark);
        }
    }
}

/// Declares the policies of an object's fields. The identity members stand first, sorted by their
/// names; the type is taken apart without `..`.
macro_rules! policies {
    (
        $($rows:ident = $name:ident $(<$lt:lifetime>)? at $base:literal {
            $($field:ident $wire:literal $(as $set:ident)? $(, $private:ident)?;)*
            $(; others { $($policy:ident $other:ident $other_wire:literal $(, $other_private:ident)?;)* })?
        })*
    ) => {
        $(
            const $rows: &[FieldPolicy] = &[
                $(FieldPolicy {
                    pointer: concat!($base, "/", $wire),
                    policy: Policy::Identity,
                    private: policies!(@private $($private)?),
                },)*
                $($(FieldPolicy {
                    pointer: concat!($base, "/", $other_wire),
                    policy: Policy::$policy,
                    private: policies!(@private $($other_private)?),
                },)*)?
            ];

            impl Canonical for $name $(<$lt>)? {
                fn write(&self, out: &mut JsonText) -> bool {
                    let Self { $($field,)* $($($other: _,)*)? } = self;
                    let mut object = Object { first: true };
                    out.ascii(b'{');
                    $(object.member(out, concat!("\"", $wire, "\":"), policies!(@value $field $(, $set)?));)*
                    out.ascii(b'}');
                    !object.first
                }
            }
        )*
    };
    (@private) => { false };
    (@private private) => { true };
    (@value $field:ident) => { $field };
    (@value $field:ident, set) => { &Set($field.as_deref()) };
}

policies! {
    STYLE = StyleRules<'_> at "/style" {
        mood_from "moodFrom", private;
        mood_to "moodTo", private;
        pacing "pacing";
        transition_type "transitionType";
        ; others {
            Policy blocks "*", private;
        }
    }
    DURATION = DurationRule at "/duration" {
        max "max";
        min "min";
        target "target";
    }
    CONSTRAINTS = ConstraintSet<'_> at "/constraints" {
        avoid_elements "avoidElements" as set, private;
        content_rules "contentRules", private;
        rating "rating";
        required_elements "requiredElements" as set, private;
    }
    FROM_SCENE = SceneRef<'_> at "/from_scene" {
        emotional_state "emotionalState", private;
        id "id";
        location "location", private;
        mood "mood", private;
        summary "summary", private;
        ; others {
            Telemetry ui "ui", private;
        }
    }
    INPUTS = InputRef<'_> at "/inputs/*" {
        kind "kind";
        name "name", private;
        reference "ref", private;
        role "role";
    }
    NPC_PARAMS = NpcResponseParams<'_> at "/npc_params" {
        animation "animation";
        art_style "art_style";
        cfg "cfg";
        duration "duration";
        emotion "emotion";
        expression "expression";
        fps "fps";
        height "height";
        intensity "intensity";
        loras "loras";
        negative_prompt "negative_prompt", private;
        npc_id "npc_id";
        npc_name "npc_name", private;
        prompt "prompt", private;
        quality_preset "quality_preset";
        steps "steps";
        width "width";
        ; others {
            Telemetry npc_base_image "npc_base_image", private;
            Variation seed "seed";
        }
    }
}

/// The same type stands in two places.
const TO_SCENE: &[FieldPolicy] = &[
    FieldPolicy { pointer: "/to_scene/emotionalState", policy: Policy::Identity, private: true },
    FieldPolicy { pointer: "/to_scene/id", policy: Policy::Identity, private: false },
    FieldPolicy { pointer: "/to_scene/location", policy: Policy::Identity, private: true },
    FieldPolicy { pointer: "/to_scene/mood", policy: Policy::Identity, private: true },
    FieldPolicy { pointer: "/to_scene/summary", policy: Policy::Identity, private: true },
    FieldPolicy { pointer: "/to_scene/ui", policy: Policy::Telemetry, private: true },
];

/// Room for most identities; longer ones grow by doubling.
const ROOM: usize = 4096;

/// What a request's identity is written from.
pub(crate) struct View<'v> {
    request: &'v GenerateContentRequest<'v>,
    pub(crate) rating: RatingTrail,
    pub(crate) asked_band: Band,
    pub(crate) band: Band,
}

/// Declares the members of the identity and the policies of the fields they come from.
macro_rules! members {
    ($($member:literal <- $pointer:literal $(, $private:ident)? |$view:ident| $value:expr;)*) => {
        /// The names of the identity's members, sorted.
        const MEMBERS: &[&str] = &[$($member,)*];
        const REQUEST: &[FieldPolicy] = &[
            $(FieldPolicy {
                pointer: $pointer,
                policy: Policy::Identity,
                private: policies!(@private $($private)?),
            },)*
        ];

        impl View<'_> {
            /// Writes the canonical text of the identity behind `prefix`.
            pub(crate) fn text(&self, prefix: &str) -> JsonText {
                let mut out = JsonText::with_capacity(ROOM);
                out.raw(prefix);
                out.ascii(b'{');
                let mut object = Object { first: true };
                $({
                    let $view = self;
                    object.member(&mut out, concat!("\"", $member, "\":"), &$value);
                })*
                out.ascii(b'}');
                out
            }
        }
    };
}

members! {
    "band" <- "/social_context/intimacyBand" |v| Word(v.band.word());
    "constraints" <- "/constraints" |v| v.request.constraints;
    "duration" <- "/duration" |v| v.request.duration;
    "from_scene" <- "/from_scene" |v| v.request.from_scene;
    "inputs" <- "/inputs" |v| v.request.inputs;
    "level" <- "/social_context/intimacyLevelId" |v| v.level();
    "negative_prompt" <- "/negative_prompt", private |v| v.request.negative_prompt;
    "npc_ids" <- "/social_context/npcIds" |v| Set(v.social().and_then(|social| social.npc_ids.as_deref()));
    "npc_params" <- "/npc_params" |v| v.request.npc_params;
    "operation" <- "/type" |v| Word(v.request.operation().word());
    "prompt" <- "/prompt", private |v| v.request.prompt;
    "prompts" <- "/prompts", private |v| v.request.prompts;
    "provider_id" <- "/provider_id" |v| v.request.provider_id;
    "provider_settings" <- "/provider_settings", private |v| v.request.provider_settings;
    "purpose" <- "/purpose" |v| Word(v.request.purpose.word());
    "rating" <- "/social_context/contentRating" |v| Word(v.rating.effective.word());
    "style" <- "/style" |v| v.request.style;
    "tier" <- "/social_context/relationshipTierId" |v| v.social().and_then(|social| social.relationship_tier_id.as_ref());
    "to_scene" <- "/to_scene" |v| v.request.to_scene;
    "type" <- "/type" |v| Word(v.request.generation_type.word());
    "version" <- "/version" |v| v.request.version();
}

/// Writes the member of a part that stands in the identity as the config has it; false if it counts
/// as absent.
pub(crate) fn write_part(out: &mut JsonText, part: Part, facts: &Facts<'_>) -> bool {
    match part {
        Part::Constraints => facts.config.constraints.write(out),
        Part::Duration => facts.config.duration.write(out),
        Part::NegativePrompt => facts.texts().negative.write(out),
        Part::Prompt => facts.texts().prompt.write(out),
        Part::Style => facts.config.style.write(out),
        Part::Nothing => false,
    }
}

/// Fields that are in no identity: of requests, and of the configs and envelopes they come from.
const OTHERS: &[FieldPolicy] = {
    const fn row(pointer: &'static str, policy: Policy, private: bool) -> FieldPolicy {
        FieldPolicy { pointer, policy, private }
    }
    use Policy::{Policy as How, Scope, Telemetry, Variation};
    &[
        row("/seed", Variation, false),
        row("/strategy", Scope, false),
        row("/player_context/playthroughId", Scope, false),
        row("/player_context/playerId", Scope, false),
        row("/tenant", Scope, false),
        row("/fallback", How, false),
        row("/fallback_providers", How, false),
        row("/bounds", How, false),
        row("/social_context/levelBand", How, false),
        row("/social_context/reduced", How, false),
        row("/seedSource", How, false),
        row("/enabled", How, false),
        row("/priority", How, false),
        row("/scheduled_at", How, false),
        row("/force_new", How, false),
        row("/template", Telemetry, true),
        row("/player_context/flags", Telemetry, true),
        row("/player_context/choices", Telemetry, true),
        row("/player_context/stats", Telemetry, true),
        row("/social_context/relationshipValues", Telemetry, true),
        row("/social_context/worldMaxRating", Telemetry, false),
        row("/social_context/userMaxRating", Telemetry, false),
        row("/name", Telemetry, true),
        row("/description", Telemetry, true),
        row("/metadata", Telemetry, true),
        row("/cache_key", Telemetry, false),
    ]
};

/// Taken apart without `..`: a new field stops the compiler here until the tables above name it.
#[allow(dead_code, reason = "it is compiled, not called")]
fn every_field_has_a_policy(
    request: &GenerateContentRequest<'_>,
    social: &GenerationSocialContext<'_>,
    player: &PlayerContextSnapshot<'_>,
) {
    let GenerateContentRequest {
        generation_type: _,
        purpose: _,
        version: _,
        provider_id: _,
        provider_settings: _,
        fallback_providers: _,
        bounds: _,
        prompt: _,
        negative_prompt: _,
        prompts: _,
        inputs: _,
        template: _,
        from_scene: _,
        to_scene: _,
        style: _,
        duration: _,
        constraints: _,
        strategy: _,
        seed: _,
        fallback: _,
        cache_key: _,
        player_context: _,
        social_context: _,
        npc_params: _,
    } = request;
    let GenerationSocialContext {
        intimacy_level_id: _,
        relationship_tier_id: _,
        intimacy_band: _,
        content_rating: _,
        world_max_rating: _,
        user_max_rating: _,
        npc_ids: _,
        relationship_values: _,
        level_band: _,
        reduced: _,
    } = social;
    let PlayerContextSnapshot { playthrough_id: _, player_id: _, choices: _, flags: _, stats: _ } =
        player;
}

/// Every field with its policy; objects are listed field by field.
///
/// ```
/// use onepath_core::{Policy, field_policies};
///
/// let seed = field_policies().into_iter().find(|row| row.pointer == "/seed").unwrap();
/// assert_eq!(seed.policy, Policy::Variation);
/// ```
#[must_use]
pub fn field_policies() -> Vec<FieldPolicy> {
    let nested = [
        "/constraints",
        "/duration",
        "/from_scene",
        "/inputs",
        "/npc_params",
        "/style",
        "/to_scene",
    ];
    let mut rows: Vec<FieldPolicy> =
        REQUEST.iter().filter(|row| !nested.contains(&row.pointer)).copied().collect();
    for part in [CONSTRAINTS, DURATION, FROM_SCENE, INPUTS, NPC_PARAMS, STYLE, TO_SCENE, OTHERS] {
        rows.extend_from_slice(part);
    }
    // The type stands for the operation too; it is one field.
    let key = |at: usize| rows.get(at).map(|row| (row.policy, row.pointer));
    let order = sorted(rows.len(), &mut |one, other| key(one).cmp(&key(other)));
    let mut rows = in_order(rows, order);
    rows.dedup();
    rows
}

/// The pointer of the request field that a member of the identity shows.
pub(crate) fn member_pointer(member: &str) -> String {
    MEMBERS
        .iter()
        .zip(REQUEST)
        .find(|(known, _)| **known == member)
        .map_or_else(|| format!("/{member}"), |(_, row)| row.pointer.to_owned())
}

impl<'v> View<'v> {
    pub(crate) fn new(
        request: &'v GenerateContentRequest<'_>,
        provider: Option<&ProviderInfo<'_>>,
    ) -> Self {
        // What another provider declares says nothing about this request.
        let asked_id = request.provider_id.as_ref();
        let provider = provider
            .filter(|info| asked_id == Some(&info.id))
            .or_else(|| crate::provider::shipped(asked_id?.as_str()));
        let social = request.social_context.as_ref();
        let asked = social.map_or(crate::rating::Rating::Sfw, GenerationSocialContext::rating);
        let bounds = request.bounds.as_ref();
        let rating = RatingTrail::new(
            asked,
            [
                bounds.and_then(|bounds| bounds.world),
                bounds.and_then(|bounds| bounds.user),
                request.constraints.as_ref().and_then(|rules| Some(rules.rating?.allows())),
                provider.and_then(|provider| provider.max_rating),
            ],
        );
        let asked_band = social.map_or(Band::None, GenerationSocialContext::band);
        let band = asked_band.min(rating.effective.allowed_band());
        Self { request, rating, asked_band, band }
    }

    /// The level, unless its own band is above the effective one.
    fn level(&self) -> Option<&Id<'v>> {
        let social = self.social()?;
        let level = social.intimacy_level_id.as_ref()?;
        (social.own_band_of_level() <= self.band).then_some(level)
    }

    fn social(&self) -> Option<&GenerationSocialContext<'v>> {
        self.request.social_context.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_written_in_canonical_order() {
        let sorted = |names: Vec<&str>| {
            names.windows(2).all(|pair| canonical::utf16_order(pair[0], pair[1]).is_lt())
        };
        assert!(sorted(MEMBERS.to_vec()));
        for rows in [STYLE, DURATION, CONSTRAINTS, FROM_SCENE, INPUTS, NPC_PARAMS] {
            let identity = rows.iter().filter(|row| row.policy == Policy::Identity);
            assert!(sorted(identity.map(|row| row.pointer).collect()));
        }
        let moved: Vec<String> =
            FROM_SCENE.iter().map(|row| row.pointer.replace("from_scene", "to_scene")).collect();
        assert_eq!(moved, TO_SCENE.iter().map(|row| row.pointer).collect::<Vec<_>>());
    }

    #[test]
    fn no_field_has_two_policies() {
        let mut pointers: Vec<_> = field_policies().iter().map(|row| row.pointer).collect();
        let count = pointers.len();
        pointers.sort_unstable();
        pointers.dedup();
        assert_eq!(pointers.len(), count);
    }
}
