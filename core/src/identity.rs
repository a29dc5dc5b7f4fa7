//! Identity: which fields of a request decide what would be generated.
//!
//! Every field of every type in a request has exactly one [`Policy`], declared here and nowhere
//! else. The declaration takes each type apart without `..`, so that a new field without a policy
//! does not compile. From it come the identity that is hashed, [`FIELDS`] (for [`explain`],
//! documents and the list of what must not be logged), and the order of the written members.
//!
//! [`explain`]: crate::explain

use crate::canonical::{self, write_number, write_text, write_value};
use crate::config::{ConstraintSet, DurationRule, SceneRef, StyleRules};
use crate::context::PlayerContextSnapshot;
use crate::decode::Text;
use crate::id::Id;
use crate::json::number::{Integer, Number};
use crate::json::value::{Map, Value};
use crate::order::sorted;
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
    fn write(&self, out: &mut String) -> bool;
}

impl Canonical for Text<'_> {
    fn write(&self, out: &mut String) -> bool {
        write_text(out, self);
        !self.is_empty()
    }
}

impl Canonical for Id<'_> {
    fn write(&self, out: &mut String) -> bool {
        write_text(out, self.as_str());
        true
    }
}

impl Canonical for Number {
    fn write(&self, out: &mut String) -> bool {
        write_number(out, self.get());
        true
    }
}

impl Canonical for Integer {
    fn write(&self, out: &mut String) -> bool {
        Number::from(*self).write(out)
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn write(&self, out: &mut String) -> bool {
        self.as_ref().is_some_and(|value| value.write(out))
    }
}

impl<T: Canonical> Canonical for Vec<T> {
    fn write(&self, out: &mut String) -> bool {
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
            fn write(&self, out: &mut String) -> bool {
                plain(out, self.word())
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

/// Writes a text that needs no escaping.
fn plain(out: &mut String, word: &str) -> bool {
    out.push('"');
    out.push_str(word);
    out.push('"');
    true
}

impl Canonical for Map<'_> {
    fn write(&self, out: &mut String) -> bool {
        out.push('{');
        let mut object = Object { first: true };
        canonical::for_each_sorted(self, |name, value| {
            let (mark, first) = (out.len(), object.first);
            canonical::write_name(out, name, &mut object.first);
            if !write_pruned(out, value) {
                out.truncate(mark);
                object.first = first;
            }
        });
        out.push('}');
        !object.first
    }
}

/// Writes an open value without the members that count as absent; false if it does itself.
fn write_pruned(out: &mut String, value: &Value<'_>) -> bool {
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
fn write_set<'t, T: AsRef<str>>(out: &mut String, items: Option<&'t [T]>) -> bool {
    let items = items.unwrap_or_default();
    let item = |index: usize| items.get(index).map_or("", AsRef::as_ref);
    let order =
        sorted(items.len(), &mut |one, other| canonical::utf16_order(item(one), item(other)));
    let mut set: Vec<&'t str> = order.into_iter().map(item).collect();
    set.dedup();
    canonical::write_list(out, &set, |out, item| write_text(out, item));
    !items.is_empty()
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
    /// Writes one member, or nothing if its value counts as absent. `lead` is `,"name":`.
    fn member(&mut self, out: &mut String, lead: &str, write: impl FnOnce(&mut String) -> bool) {
        let mark = out.len();
        out.push_str(if self.first { lead.get(1..).unwrap_or(lead) } else { lead });
        if write(out) {
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
                fn write(&self, out: &mut String) -> bool {
                    let Self { $($field,)* $($($other: _,)*)? } = self;
                    let mut object = Object { first: true };
                    out.push('{');
                    $(object.member(out, concat!(",\"", $wire, "\":"), |out| policies!(@write out, $field $(, $set)?));)*
                    out.push('}');
                    !object.first
                }
            }
        )*
    };
    (@private) => { false };
    (@private private) => { true };
    (@write $out:ident, $field:ident) => { $field.write($out) };
    (@write $out:ident, $field:ident, set) => { write_set($out, $field.as_deref()) };
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

/// What a request's identity is written from.
pub(crate) struct View<'v> {
    request: &'v GenerateContentRequest<'v>,
    pub(crate) rating: RatingTrail,
    pub(crate) asked_band: Band,
    pub(crate) band: Band,
}

/// A member of the identity and how it is written.
struct Member {
    name: &'static str,
    /// `,"name":`
    lead: &'static str,
    write: fn(&View<'_>, &mut String) -> bool,
}

/// Declares the members of the identity and the policies of the fields they come from.
macro_rules! members {
    (
        $($member:literal <- $pointer:literal $(, $private:ident)? |$view:ident, $out:ident| $write:expr;)*
    ) => {
        /// The members of the identity, sorted by name.
        const MEMBERS: &[Member] = &[
            $(Member {
                name: $member,
                lead: concat!(",\"", $member, "\":"),
                write: |$view, $out| $write,
            },)*
        ];
        const REQUEST: &[FieldPolicy] = &[
            $(FieldPolicy {
                pointer: $pointer,
                policy: Policy::Identity,
                private: policies!(@private $($private)?),
            },)*
        ];
    };
}

members! {
    "band" <- "/social_context/intimacyBand" |v, out| plain(out, v.band.word());
    "constraints" <- "/constraints" |v, out| v.request.constraints.write(out);
    "duration" <- "/duration" |v, out| v.request.duration.write(out);
    "from_scene" <- "/from_scene" |v, out| v.request.from_scene.write(out);
    "inputs" <- "/inputs" |v, out| v.request.inputs.write(out);
    "level" <- "/social_context/intimacyLevelId" |v, out| v.level().is_some_and(|level| level.write(out));
    "negative_prompt" <- "/negative_prompt", private |v, out| v.request.negative_prompt.write(out);
    "npc_ids" <- "/social_context/npcIds" |v, out| {
        let social = v.request.social_context.as_ref();
        write_set(out, social.and_then(|social| social.npc_ids.as_deref()))
    };
    "npc_params" <- "/npc_params" |v, out| v.request.npc_params.write(out);
    "operation" <- "/type" |v, out| plain(out, v.request.operation().word());
    "prompt" <- "/prompt", private |v, out| v.request.prompt.write(out);
    "prompts" <- "/prompts", private |v, out| v.request.prompts.write(out);
    "provider_id" <- "/provider_id" |v, out| v.request.provider_id.write(out);
    "provider_settings" <- "/provider_settings", private |v, out| v.request.provider_settings.write(out);
    "purpose" <- "/purpose" |v, out| plain(out, v.request.purpose.word());
    "rating" <- "/social_context/contentRating" |v, out| plain(out, v.rating.effective.word());
    "style" <- "/style" |v, out| v.request.style.write(out);
    "tier" <- "/social_context/relationshipTierId" |v, out| {
        let social = v.request.social_context.as_ref();
        social.is_some_and(|social| social.relationship_tier_id.write(out))
    };
    "to_scene" <- "/to_scene" |v, out| v.request.to_scene.write(out);
    "type" <- "/type" |v, out| plain(out, v.request.generation_type.word());
    "version" <- "/version" |v, out| v.request.version().write(out);
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
    rows.sort_by_key(|row| (row.policy, row.pointer));
    rows.dedup();
    rows
}

/// The pointer of the request field that a member of the identity shows.
pub(crate) fn member_pointer(member: &str) -> String {
    MEMBERS
        .iter()
        .zip(REQUEST)
        .find(|(known, _)| known.name == member)
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
        let social = self.request.social_context.as_ref()?;
        let level = social.intimacy_level_id.as_ref()?;
        (social.own_band_of_level() <= self.band).then_some(level)
    }

    /// Writes the canonical text of the identity.
    pub(crate) fn write(&self, out: &mut String) {
        let mut object = Object { first: true };
        out.push('{');
        for member in MEMBERS {
            object.member(out, member.lead, |out| (member.write)(self, out));
        }
        out.push('}');
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
        assert!(sorted(MEMBERS.iter().map(|member| member.name).collect()));
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
