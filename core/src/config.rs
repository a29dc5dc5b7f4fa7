//! The node config: what a designer edits.

use crate::decode::{Text, record};
use crate::json::number::{Integer, Number};
use crate::json::value::Map;
use crate::seed::Seed;
use crate::social::GenerationSocialContext;
use crate::words::{
    FallbackMode, FilmRating, FusionKind, GenerationType, Pacing, Purpose, SeedSource, Strategy,
    TransitionType,
};
use crate::{Id, limits};

record! {
    /// What a designer edits: what is generated, how, for whom, and what happens if it fails.
    ///
    /// No field is required by the reader; what is missing is a rule's finding.
    #[derive(Default)]
    pub struct GenerationNodeConfig<'a>("a node config", unknown: file, bytes: limits::CONFIG_BYTES) {
        /// What kind of content.
        generation_type: Option<GenerationType> = "generationType";
        /// What it is for.
        purpose: Option<Purpose> = "purpose";
        /// How it looks, and the blocks of provider settings.
        style: Option<StyleRules<'a>> = "style";
        /// How long it is, in seconds.
        duration: Option<DurationRule> = "duration";
        /// What must and must not be in it.
        constraints: Option<ConstraintSet<'a>> = "constraints";
        /// Who shares the result.
        strategy: Option<Strategy> = "strategy";
        /// What the seed is derived from.
        seed_source: Option<SeedSource> = "seedSource";
        /// What happens if generation fails.
        fallback: Option<FallbackConfig<'a>> = "fallback";
        /// The template whose text is the prompt, if there is no prompt.
        template_id: Option<Id<'a>> = "templateId" with crate::id::optional as Option<crate::id::Optional>;
        /// A pinned version of the template.
        template_version_id: Option<Id<'a>> = "templateVersionId" with crate::id::optional as Option<crate::id::Optional>;
        /// Values for the placeholders of prompt and template.
        variables: Option<Map<'a>> = "variables";
        /// Whether the game plays the node; true if absent.
        enabled: Option<bool> = "enabled";
        /// Raised to make everything again; 1 if absent.
        version: Option<Integer> = "version";
        /// A social context written by hand; replaces the computed one whole.
        social_context: Option<GenerationSocialContext<'a>> = "socialContext";
        /// What is to be seen.
        prompt: Option<Text<'a>> = "prompt";
        /// What is not to be seen.
        negative_prompt: Option<Text<'a>> = "negativePrompt";
        /// One prompt for each step of a transition.
        prompts: Option<Vec<Text<'a>>> = "prompts";
        /// A picture to start from: `asset:<id>` or an https URL.
        image_url: Option<Text<'a>> = "imageUrl";
        /// Pictures to start from.
        image_urls: Option<Vec<Text<'a>>> = "imageUrls";
        /// A video to start from.
        video_url: Option<Text<'a>> = "videoUrl";
        /// The provider's own id of a video to extend.
        original_video_id: Option<Id<'a>> = "originalVideoId" with crate::id::optional as Option<crate::id::Optional>;
        /// What is put together.
        fusion_assets: Option<Vec<FusionAsset<'a>>> = "fusionAssets";
        /// An explicit seed: a whole number, or text of 1 to 128 characters.
        seed: Option<Seed<'a>> = "seed";
    }
}

record! {
    /// How it looks, and the blocks of provider settings.
    ///
    /// Any other member is a provider block if its name matches `^[a-z][a-z0-9_-]{0,49}$` and its
    /// value is an object.
    #[derive(Default)]
    pub struct StyleRules<'a>("a style", unknown: blocks, blocks: Blocks<'a>) {
        /// The mood it starts from.
        mood_from: Option<Text<'a>> = "moodFrom";
        /// The mood it leads to.
        mood_to: Option<Text<'a>> = "moodTo";
        /// Its pace.
        pacing: Option<Pacing> = "pacing";
        /// How it changes.
        transition_type: Option<TransitionType> = "transitionType";
    }
}

/// Provider blocks: settings by provider id.
pub type Blocks<'a> = Vec<(Text<'a>, Map<'a>)>;

impl<'a> StyleRules<'a> {
    /// The settings of one provider.
    #[must_use]
    pub fn block(&self, provider: &str) -> Option<&Map<'a>> {
        self.blocks.iter().find(|(name, _)| name == provider).map(|(_, block)| block)
    }

    fn merge_blocks(&mut self, other: &Self) {
        for (name, block) in &other.blocks {
            match self.blocks.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.merge(block),
                None => self.blocks.push((name.clone(), block.clone())),
            }
        }
    }
}

/// Whether a member of a style may be a provider block: `^[a-z][a-z0-9_-]{0,49}$`.
pub(crate) fn is_block_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= 50
        && bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
        })
}

record! {
    /// How long it is, in seconds.
    #[derive(Default)]
    pub struct DurationRule("a duration", unknown: refuse) {
        /// The shortest that is allowed.
        min: Option<Number> = "min";
        /// The longest that is allowed.
        max: Option<Number> = "max";
        /// The wanted one.
        target: Option<Number> = "target";
    }
}

record! {
    /// What must and must not be in it.
    #[derive(Default)]
    pub struct ConstraintSet<'a>("constraints", unknown: refuse) {
        /// A film rating; bounds the content rating.
        rating: Option<FilmRating> = "rating";
        /// What must be seen; a set.
        required_elements: Option<Vec<Text<'a>>> = "requiredElements";
        /// What must not be seen; a set.
        avoid_elements: Option<Vec<Text<'a>>> = "avoidElements";
        /// Further rules in words; a list.
        content_rules: Option<Vec<Text<'a>>> = "contentRules";
    }
}

record! {
    /// What happens if generation fails.
    #[derive(Default)]
    pub struct FallbackConfig<'a>("a fallback", unknown: refuse) {
        /// What is shown.
        mode: Option<FallbackMode> = "mode";
        /// The content that is shown under `default_content`.
        default_content_id: Option<Id<'a>> = "defaultContentId" with crate::id::optional as Option<crate::id::Optional>;
        /// Attempts beyond the first under `retry`.
        max_retries: Option<Number> = "maxRetries";
        /// Milliseconds until an attempt counts as failed under `retry`.
        timeout_ms: Option<Number> = "timeoutMs";
    }
}

record! {
    /// One asset of a fusion.
    #[derive(Default)]
    pub struct FusionAsset<'a>("a fusion asset", unknown: refuse) {
        /// `asset:<id>` or an https URL.
        reference: Option<Text<'a>> = "ref" (only);
        /// A name that the prompt may use.
        name: Option<Text<'a>> = "name";
        /// Whether it is in front or behind.
        kind: Option<FusionKind> = "kind";
    }
}

record! {
    /// A scene that content leads from or to.
    pub struct SceneRef<'a>("a scene", unknown: refuse) {
        /// Its id.
        id: Id<'a> = "id", required JsonEmptyId;
        /// Its mood.
        mood: Option<Text<'a>> = "mood";
        /// What happens in it.
        summary: Option<Text<'a>> = "summary";
        /// Where it plays.
        location: Option<Text<'a>> = "location";
        /// How the characters feel.
        emotional_state: Option<Text<'a>> = "emotionalState";
        /// An open map for tools, such as a position in an editor; never part of a request.
        ui: Option<Map<'a>> = "ui";
    }
}

impl<'a> SceneRef<'a> {
    /// A scene of which only the id is known.
    #[must_use]
    pub fn new(id: Id<'a>) -> Self {
        Self { id, mood: None, summary: None, location: None, emotional_state: None, ui: None }
    }
}
