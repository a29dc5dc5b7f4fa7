//! The context of a build: session, world, user, npcs, templates and the builder's options.
//!
//! Session, world and user belong to the game: their named fields are read in both spellings and
//! everything else in them is ignored.

use crate::Id;
use crate::config::SceneRef;
use crate::decode::{Decode, Merge, Text, record};
use crate::id;
use crate::json::number::{Integer, Number};
use crate::json::reader::Reader;
use crate::json::value::Map;
use crate::provider::ProviderInfo;
use crate::rating::{Band, BoundsOption, Rating, bound, bounds_option};
use crate::seed::Seed;
use crate::words::{ArtStyle, VariableType};

record! {
    /// A playthrough's state, as the game keeps it.
    #[derive(Default)]
    pub struct Session<'a>("a session", unknown: ignore) {
        /// The playthrough's id.
        id: Option<Id<'a>> = "id" with id::optional as Option<id::Optional>;
        /// The player's id.
        user_id: Option<Id<'a>> = "user_id" | "userId" with id::optional as Option<id::Optional>;
        /// What the game remembers.
        flags: Option<Map<'a>> = "flags";
        /// Numbers by definition and entity; `relationships` holds `npc:<id>` entries.
        stats: Option<Map<'a>> = "stats";
    }
}

record! {
    /// A world, as the game keeps it.
    #[derive(Default)]
    pub struct World<'a>("a world", unknown: ignore) {
        /// Its id.
        id: Option<Id<'a>> = "id" with id::optional as Option<id::Optional>;
        /// Its name.
        name: Option<Text<'a>> = "name";
        /// What it declares.
        meta: Option<WorldMeta<'a>> = "meta";
    }
}

record! {
    /// What a world declares.
    #[derive(Default)]
    pub struct WorldMeta<'a>("a world's meta", unknown: ignore) {
        /// What it declares about generation.
        generation: Option<WorldGeneration<'a>> = "generation";
        /// Stat definitions in the form of the game; read where `generation` declares no table.
        stats_config: Option<StatsConfig<'a>> = "stats_config" | "statsConfig";
    }
}

record! {
    /// What a world declares about generation.
    #[derive(Default)]
    pub struct WorldGeneration<'a>("a world's generation settings", unknown: ignore) {
        /// The highest rating in this world; romantic if absent.
        max_content_rating: Option<Rating> = "maxContentRating" with bound;
        /// The world's own levels; replace the default table whole.
        levels: Option<Vec<WorldLevel<'a>>> = "levels";
        /// The world's own tiers; replace the default table whole.
        tiers: Option<Vec<WorldTier<'a>>> = "tiers";
        /// Terms that this world blocks or flags.
        terms: Option<Terms<'a>> = "terms";
    }
}

record! {
    /// A level of intimacy that a world declares.
    pub struct WorldLevel<'a>("a level", unknown: ignore) {
        /// Its id.
        id: Id<'a> = "id", required JsonEmptyId;
        /// Its band; that of the default table if absent, else none.
        band: Option<Band> = "band";
        /// Its rating; that of the default table if absent, else sfw.
        rating: Option<Rating> = "rating";
        /// What must hold, by axis; all of it.
        conditions: Option<AxisMap<'a, LevelCondition>> = "conditions";
        /// The highest priority that matches wins; 0 if absent.
        priority: Option<Number> = "priority";
    }
}

record! {
    /// The range in which an axis must lie; both ends belong to it.
    #[derive(Default)]
    pub struct LevelCondition("a condition", unknown: ignore) {
        /// The smallest value.
        min: Option<Number> = "min" | "min_value" | "minValue";
        /// The largest value.
        max: Option<Number> = "max" | "max_value" | "maxValue";
    }
}

record! {
    /// A tier of a relationship that a world declares: half-open, `min` belongs to it.
    pub struct WorldTier<'a>("a tier", unknown: ignore) {
        /// Its id.
        id: Id<'a> = "id", required JsonEmptyId;
        /// Its axis; affinity if absent.
        axis: Option<Text<'a>> = "axis" | "axis_name" | "axisName";
        /// Where it starts.
        min: Option<Number> = "min";
        /// Where it ends, not part of it.
        max: Option<Number> = "max";
    }
}

record! {
    /// Stat definitions of a world.
    #[derive(Default)]
    pub struct StatsConfig<'a>("stat definitions", unknown: ignore) {
        /// Definitions by id; `relationships` is the one that is read.
        definitions: Option<StatDefinitions<'a>> = "definitions";
    }
}

record! {
    /// The definitions that are read.
    #[derive(Default)]
    pub struct StatDefinitions<'a>("stat definitions", unknown: ignore) {
        /// How relationships are measured.
        relationships: Option<StatDefinition<'a>> = "relationships";
    }
}

record! {
    /// One stat definition.
    #[derive(Default)]
    pub struct StatDefinition<'a>("a stat definition", unknown: ignore) {
        /// Its levels.
        levels: Option<Vec<WorldLevel<'a>>> = "levels";
        /// Its tiers.
        tiers: Option<Vec<WorldTier<'a>>> = "tiers";
    }
}

/// Values by axis, in the order given.
pub type AxisMap<'a, T> = Named<'a, T>;

/// A map from free names to values of one type, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a, T>(Vec<(Text<'a>, T)>);

impl<'a, T> Named<'a, T> {
    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

impl<'a, T> IntoIterator for Named<'a, T> {
    type Item = (Text<'a>, T);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    /// Names and values in order.
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T> Default for Named<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, T> FromIterator<(Text<'a>, T)> for Named<'a, T> {
    fn from_iter<I: IntoIterator<Item = (Text<'a>, T)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl<T: Clone> Merge for Named<'_, T> {}

impl<T: serde::Serialize> serde::Serialize for Named<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[allow(private_interfaces, reason = "sealed trait")]
impl<'a, T: Decode<'a>> Decode<'a> for Named<'a, T> {
    fn decode(reader: &mut Reader<'_, 'a>) -> Option<Self> {
        let at = reader.start();
        if !reader.open_object("an object") {
            return None;
        }
        let mut seen = crate::decode::Seen::default();
        let mut members = Vec::new();
        let mut first = true;
        let mut count = 0_usize;
        while let Some(key) = reader.next_key(&mut first) {
            count += 1;
            if seen.repeated(reader, &key) {
                reader.skip();
            } else if !reader.null()
                && let Some(value) = T::decode(reader)
            {
                members.push((reader.keep(key.text), value));
            }
        }
        if count > crate::limits::MEMBERS {
            crate::json::value::too_large(reader, at, "the map", crate::limits::MEMBERS);
        }
        Some(Self(members))
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Named<'_, T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let item = generator.subschema_for::<Option<T>>();
        schemars::json_schema!({ "type": "object", "additionalProperties": item })
    }
}

record! {
    /// Terms to refuse or to look at.
    #[derive(Default)]
    pub struct Terms<'a>("terms", unknown: refuse) {
        /// Refused.
        blocked: Option<Vec<Text<'a>>> = "blocked";
        /// Reported.
        flagged: Option<Vec<Text<'a>>> = "flagged";
    }
}

record! {
    /// Who the content is for.
    #[derive(Default)]
    pub struct User<'a>("a user", unknown: ignore) {
        /// Their id.
        id: Option<Id<'a>> = "id" with id::optional as Option<id::Optional>;
        /// The highest rating they want; romantic if absent.
        max_content_rating: Option<Rating> = "maxContentRating" with bound;
        /// Whether band and rating go down by one.
        reduce_romantic_intensity: Option<bool> = "reduceRomanticIntensity";
    }
}

record! {
    /// What a player is and did, as it travels with a request.
    #[derive(Default)]
    pub struct PlayerContextSnapshot<'a>("a player context", unknown: refuse) {
        /// The playthrough.
        playthrough_id: Option<Id<'a>> = "playthroughId" with id::optional as Option<id::Optional>;
        /// The player.
        player_id: Option<Id<'a>> = "playerId" with id::optional as Option<id::Optional>;
        /// What they chose.
        choices: Option<Map<'a>> = "choices";
        /// What the game remembers.
        flags: Option<Map<'a>> = "flags";
        /// Numbers.
        stats: Option<Map<'a>> = "stats";
    }
}

record! {
    /// Someone in the scene.
    pub struct Npc<'a>("an npc", unknown: refuse) {
        /// Their id.
        id: Id<'a> = "id", required JsonEmptyId;
        /// Their name; `NPC <id>` if absent.
        name: Option<Text<'a>> = "name";
        /// Their portrait: `asset:<id>` or an https URL.
        base_image: Option<Text<'a>> = "baseImage";
        /// What their face shows; neutral if absent.
        expression: Option<Text<'a>> = "expression";
        /// What they feel; neutral if absent.
        emotion: Option<Text<'a>> = "emotion";
        /// What they do; idle if absent.
        animation: Option<Text<'a>> = "animation";
        /// How strongly, 0 to 1; 0.5 if absent.
        intensity: Option<Number> = "intensity";
        /// How they are drawn.
        art_style: Option<ArtStyle> = "artStyle";
        /// Model add-ons.
        loras: Option<Vec<Text<'a>>> = "loras";
    }
}

record! {
    /// One version of a template.
    pub struct Template<'a>("a template", unknown: refuse) {
        /// The version's id.
        version_id: Id<'a> = "versionId", required JsonEmptyId;
        /// Its text, with placeholders.
        text: Option<Text<'a>> = "text";
        /// What is not to be seen, with placeholders.
        negative_text: Option<Text<'a>> = "negativeText";
        /// Default values of its variables.
        variables: Option<Map<'a>> = "variables";
        /// What its variables may be; one that is not named may be any text, number, true or false.
        types: Option<Named<'a, VariableType>> = "types";
    }
}

record! {
    /// How the social context is made.
    #[derive(Default)]
    pub struct SocialContextConfig("a social context config", unknown: refuse) {
        /// Lowers the user's bound.
        max_content_rating: Option<Rating> = "maxContentRating" with bound;
        /// Whether band and rating go down by one.
        reduce_intensity: Option<bool> = "reduceIntensity";
    }
}

record! {
    /// What [`build`](crate::build) is given beside the config.
    #[derive(Default)]
    pub struct BuildOptions<'a>("the build options", unknown: file) {
        /// The playthrough's state.
        session: Option<Session<'a>> = "session";
        /// The world.
        world: Option<World<'a>> = "world";
        /// Who the content is for.
        user: Option<User<'a>> = "user" | "userPrefs" | "user_prefs";
        /// The npcs in the scene, in order.
        npc_ids: Option<Vec<Id<'a>>> = "npcIds";
        /// What is known about npcs.
        npcs: Option<Vec<Npc<'a>>> = "npcs";
        /// How the social context is made.
        social_context_config: Option<SocialContextConfig> = "socialContextConfig";
        /// Bounds on top of those of world and user.
        bounds: Option<BoundsOption> = "bounds" with bounds_option as Option<crate::rating::BoundsForm>;
        /// The scene it leads from.
        from_scene: Option<SceneRef<'a>> = "fromScene";
        /// The scene it leads to.
        to_scene: Option<SceneRef<'a>> = "toScene";
        /// Another name for a `fromScene` of which only the id is known.
        from_scene_id: Option<Id<'a>> = "fromSceneId" with id::optional as Option<id::Optional>;
        /// Another name for a `toScene` of which only the id is known.
        to_scene_id: Option<Id<'a>> = "toSceneId" with id::optional as Option<id::Optional>;
        /// The player, instead of what the session says.
        player_context: Option<PlayerContextSnapshot<'a>> = "playerContext";
        /// The provider that is asked.
        provider_id: Option<Id<'a>> = "providerId" with id::optional as Option<id::Optional>;
        /// What that provider declares, if it is none of those known here.
        provider: Option<ProviderInfo<'a>> = "provider";
        /// Templates by id.
        templates: Option<Named<'a, Template<'a>>> = "templates";
        /// Values for placeholders; they win over those of the config.
        variables: Option<Map<'a>> = "variables";
        /// The tenant's terms.
        terms: Option<Terms<'a>> = "terms";
        /// A prompt; wins over that of the config.
        prompt: Option<Text<'a>> = "prompt";
        /// An explicit seed; wins over that of the config.
        seed: Option<Seed<'a>> = "seed";
        /// The time, in milliseconds since 1970.
        now: Option<Integer> = "now";
        /// A cache key for display; look-up and storage use the computed one.
        cache_key: Option<Text<'a>> = "cacheKey";
    }
}

impl<'a> BuildOptions<'a> {
    /// The scene it leads from: id and, if given, more.
    pub(crate) fn scene_from(&self) -> Option<SceneRef<'_>> {
        scene(self.from_scene.as_ref(), self.from_scene_id.as_ref())
    }

    /// The scene it leads to.
    pub(crate) fn scene_to(&self) -> Option<SceneRef<'_>> {
        scene(self.to_scene.as_ref(), self.to_scene_id.as_ref())
    }

    /// The playthrough's id.
    pub(crate) fn playthrough_id(&self) -> Option<&Id<'a>> {
        self.player_context
            .as_ref()
            .and_then(|player| player.playthrough_id.as_ref())
            .or_else(|| self.session.as_ref().and_then(|session| session.id.as_ref()))
    }

    /// The player's id.
    pub(crate) fn player_id(&self) -> Option<&Id<'a>> {
        self.player_context
            .as_ref()
            .and_then(|player| player.player_id.as_ref())
            .or_else(|| self.session.as_ref().and_then(|session| session.user_id.as_ref()))
            .or_else(|| self.user.as_ref().and_then(|user| user.id.as_ref()))
    }

    /// What the asked provider declares, if that is known.
    pub(crate) fn provider_info(&self) -> Option<&ProviderInfo<'a>> {
        let asked = self.provider_id.as_ref().map(Id::as_str);
        match &self.provider {
            Some(info) if asked.is_none_or(|asked| asked == info.id.as_str()) => Some(info),
            _ => crate::provider::shipped(asked?),
        }
    }

    /// The id of the asked provider: as asked, else that of the description given.
    pub(crate) fn provider_id(&self) -> Option<&Id<'a>> {
        self.provider_id.as_ref().or_else(|| self.provider.as_ref().map(|info| &info.id))
    }

    /// Whether band and rating go down by one.
    pub(crate) fn reduces_intensity(&self) -> bool {
        let config = self.social_context_config.as_ref().and_then(|config| config.reduce_intensity);
        let user = self.user.as_ref().and_then(|user| user.reduce_romantic_intensity);
        config == Some(true) || user == Some(true)
    }

    pub(crate) fn world_generation(&self) -> Option<&WorldGeneration<'a>> {
        self.world.as_ref()?.meta.as_ref()?.generation.as_ref()
    }
}

impl<'a> BuildOptions<'a> {
    /// Takes over every field that `other` gives.
    pub(crate) fn replace_with(&mut self, other: Self) {
        macro_rules! each {
            ($($field:ident)*) => {
                // Taken apart without `..`: a new field does not compile until it stands here.
                let Self { $($field,)* } = other;
                $(if $field.is_some() { self.$field = $field; })*
            };
        }
        each! {
            session world user npc_ids npcs social_context_config bounds from_scene to_scene
            from_scene_id to_scene_id player_context provider_id provider templates variables terms
            prompt seed now cache_key
        }
    }
}

fn scene<'s>(whole: Option<&'s SceneRef<'_>>, id: Option<&'s Id<'_>>) -> Option<SceneRef<'s>> {
    if let Some(whole) = whole {
        return Some(SceneRef {
            id: whole.id.by_ref(),
            mood: crate::build::borrow(whole.mood.as_ref()),
            summary: crate::build::borrow(whole.summary.as_ref()),
            location: crate::build::borrow(whole.location.as_ref()),
            emotional_state: crate::build::borrow(whole.emotional_state.as_ref()),
            ui: None,
        });
    }
    id.map(|id| SceneRef::new(id.by_ref()))
}
