//! The request: what travels. [`build`](crate::build) is the only way to make one.

use crate::codes::Code;
use crate::config::{ConstraintSet, DurationRule, FallbackConfig, SceneRef, StyleRules};
use crate::context::PlayerContextSnapshot;
use crate::decode::{Text, record, words};
use crate::finding::Finding;
use crate::id::{self, Id};
use crate::json::number::{Integer, Number};
use crate::json::reader::Reader;
use crate::json::value::Map;
use crate::operation::Operation;
use crate::rating::Bounds;
use crate::seed::Seed;
use crate::social::GenerationSocialContext;
use crate::words::{ArtStyle, FusionKind, GenerationType, Purpose, QualityPreset, Strategy};

record! {
    /// What travels from the editor to the backend and on to a provider.
    ///
    /// The only request type: a request that comes in over the wire is the same type, read by the
    /// same reader.
    pub struct GenerateContentRequest<'a>("a request", unknown: file) {
        /// What kind of content.
        generation_type: GenerationType = "type" (only), required NodeTypeRequired;
        /// What it is for.
        purpose: Purpose = "purpose", required NodePurposeRequired;
        /// Raised to make everything again; 1 if absent.
        version: Option<Integer> = "version";
        /// The provider that is asked.
        provider_id: Option<Id<'a>> = "provider_id" | "providerId" with id::optional as Option<id::Optional>;
        /// The provider's block of the style, with the provider's declared defaults, without seed.
        provider_settings: Option<Map<'a>> = "provider_settings" | "providerSettings";
        /// Providers to try when the asked one is down, in order.
        fallback_providers: Option<Vec<Id<'a>>> = "fallback_providers" | "fallbackProviders";
        /// The bounds of world and user; an absent one bounds nothing.
        bounds: Option<Bounds> = "bounds";
        /// What is to be seen, rendered. `""` if a template was read and says nothing.
        prompt: Option<Text<'a>> = "prompt";
        /// What is not to be seen, rendered.
        negative_prompt: Option<Text<'a>> = "negative_prompt" | "negativePrompt";
        /// One prompt for each step of a transition, rendered.
        prompts: Option<Vec<Text<'a>>> = "prompts";
        /// Pictures and videos that it starts from, in order.
        inputs: Option<Vec<InputRef<'a>>> = "inputs";
        /// Which template the prompt came from: provenance, not identity.
        template: Option<TemplateRef<'a>> = "template";
        /// The scene it leads from.
        from_scene: Option<SceneRef<'a>> = "from_scene" | "fromScene";
        /// The scene it leads to.
        to_scene: Option<SceneRef<'a>> = "to_scene" | "toScene";
        /// How it looks; blocks of other providers stay here.
        style: Option<StyleRules<'a>> = "style";
        /// How long it is.
        duration: Option<DurationRule> = "duration";
        /// What must and must not be in it.
        constraints: Option<ConstraintSet<'a>> = "constraints";
        /// Who shares the result.
        strategy: Strategy = "strategy", required NodeStrategyRequired;
        /// The seed, explicit or derived; absent if the provider chooses.
        seed: Option<Seed<'a>> = "seed";
        /// What happens if generation fails.
        fallback: Option<FallbackConfig<'a>> = "fallback";
        /// A declared cache key, for display; look-up and storage use the computed one.
        cache_key: Option<Text<'a>> = "cache_key" | "cacheKey";
        /// Who plays.
        player_context: Option<PlayerContextSnapshot<'a>> = "player_context" | "playerContext";
        /// How the player stands to the npcs, as asked.
        social_context: Option<GenerationSocialContext<'a>> = "social_context" | "socialContext";
        /// The npc that reacts, for `npc_response`.
        npc_params: Option<NpcResponseParams<'a>> = "npc_params" | "npcParams";
    }
    folds OldPromptFields<'a> => (template, prompt, seed, npc_params, version) {
        "template_id" | "templateId": Id<'a> => template_id;
        "prompt_version_id" | "promptVersionId": Id<'a> => prompt_version_id;
        "template_variables" | "templateVariables": Map<'a> => template_variables;
        "prompt_config" | "promptConfig": OldPromptConfig<'a> => prompt_config;
    }
}

words! {
    /// What an input is to the operation.
    pub enum InputRole: JsonUnknownWord {
        /// A picture to start from.
        Image = "image",
        /// A video to start from.
        Video = "video",
        /// A video the provider made before, by the provider's id.
        OriginalVideo = "original_video",
        /// A part of a fusion.
        Fusion = "fusion",
        /// The npc's portrait.
        NpcBase = "npc_base",
    }
}

record! {
    /// A picture or video that the content starts from.
    pub struct InputRef<'a>("an input", unknown: refuse) {
        /// What it is to the operation.
        role: InputRole = "role", required JsonWrongType;
        /// `asset:<id>`, an https URL, or a provider's id; exactly as given.
        reference: Id<'a> = "ref" (only), required JsonEmptyId;
        /// A name that the prompt may use.
        name: Option<Text<'a>> = "name";
        /// Whether it is in front or behind.
        kind: Option<FusionKind> = "kind";
    }
}

record! {
    /// Where a prompt came from.
    #[derive(Default)]
    pub struct TemplateRef<'a>("a template reference", unknown: refuse) {
        /// The template.
        id: Option<Id<'a>> = "id" with id::optional as Option<id::Optional>;
        /// Its version.
        version_id: Option<Id<'a>> = "version_id" | "versionId" with id::optional as Option<id::Optional>;
        /// The values it was rendered with.
        variables: Option<Map<'a>> = "variables";
    }
}

record! {
    /// The npc that reacts.
    #[derive(Default)]
    pub struct NpcResponseParams<'a>("npc params", unknown: refuse) {
        /// Who.
        npc_id: Option<Id<'a>> = "npc_id" | "npcId" with id::optional as Option<id::Optional>;
        /// Their name.
        npc_name: Option<Text<'a>> = "npc_name" | "npcName";
        /// Their portrait; it counts as an input, not here.
        npc_base_image: Option<Text<'a>> = "npc_base_image" | "npcBaseImage";
        /// What their face shows.
        expression: Option<Text<'a>> = "expression";
        /// What they feel.
        emotion: Option<Text<'a>> = "emotion";
        /// What they do.
        animation: Option<Text<'a>> = "animation";
        /// How strongly, 0 to 1.
        intensity: Option<Number> = "intensity";
        /// How they are drawn.
        art_style: Option<ArtStyle> = "art_style" | "artStyle";
        /// Model add-ons.
        loras: Option<Vec<Text<'a>>> = "loras";
        /// A prompt of their own.
        prompt: Option<Text<'a>> = "prompt";
        /// What is not to be seen.
        negative_prompt: Option<Text<'a>> = "negative_prompt" | "negativePrompt";
        /// Speed against quality.
        quality_preset: Option<QualityPreset> = "quality_preset" | "qualityPreset";
        /// Pixels from left to right.
        width: Option<Number> = "width";
        /// Pixels from top to bottom.
        height: Option<Number> = "height";
        /// Pictures a second.
        fps: Option<Number> = "fps";
        /// Seconds.
        duration: Option<Number> = "duration";
        /// Sampling steps.
        steps: Option<Number> = "steps";
        /// Guidance.
        cfg: Option<Number> = "cfg";
        /// An explicit seed; moved to the request's own on reading.
        seed: Option<Seed<'a>> = "seed";
    }
}

record! {
    /// The prompt fields of the system before, in one object; folded into `template` and `prompt`.
    #[derive(Default)]
    pub struct OldPromptConfig<'a>("a prompt config", unknown: refuse) {
        /// The template's version.
        version_id: Option<Id<'a>> = "versionId" with id::optional as Option<id::Optional>;
        /// The template.
        family_id: Option<Id<'a>> = "familyId" with id::optional as Option<id::Optional>;
        /// The values it is rendered with.
        variables: Option<Map<'a>> = "variables";
        /// Whether the latest version is meant; a version's absence says the same.
        auto_select_latest: Option<bool> = "autoSelectLatest";
        /// The prompt itself.
        inline_prompt: Option<Text<'a>> = "inlinePrompt";
    }
}

/// Old prompt fields while a request is read.
#[derive(Debug, Default)]
struct OldPromptFields<'a> {
    template: TemplateRef<'a>,
    prompt: Option<Text<'a>>,
    /// Where the old field stands that is being read.
    at: usize,
    twice: Option<(&'static str, usize)>,
}

impl<'a> OldPromptFields<'a> {
    fn template_id(&mut self, id: Option<Id<'a>>) {
        Self::put(&mut self.template.id, id, "template_id", self.at, &mut self.twice);
    }

    fn prompt_version_id(&mut self, id: Option<Id<'a>>) {
        Self::put(&mut self.template.version_id, id, "prompt_version_id", self.at, &mut self.twice);
    }

    fn template_variables(&mut self, variables: Option<Map<'a>>) {
        Self::put(
            &mut self.template.variables,
            variables,
            "template_variables",
            self.at,
            &mut self.twice,
        );
    }

    fn prompt_config(&mut self, config: Option<OldPromptConfig<'a>>) {
        if let Some(config) = config {
            self.template_id(config.family_id);
            self.prompt_version_id(config.version_id);
            self.template_variables(config.variables);
            Self::put(
                &mut self.prompt,
                config.inline_prompt,
                "prompt_config",
                self.at,
                &mut self.twice,
            );
        }
    }

    fn put<T>(
        slot: &mut Option<T>,
        value: Option<T>,
        name: &'static str,
        at: usize,
        twice: &mut Option<(&'static str, usize)>,
    ) {
        if value.is_some() {
            if slot.is_some() {
                *twice = Some((name, at));
            }
            *slot = value;
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one for each field that is touched")]
    /// Old fields into new ones; both given is a fault. The seed of the npc params moves too.
    fn into_fields(
        mut self,
        reader: &mut Reader<'_, 'a>,
        at: usize,
        template: &mut Option<TemplateRef<'a>>,
        prompt: &mut Option<Text<'a>>,
        seed: &mut Option<Seed<'a>>,
        npc_params: &mut Option<NpcResponseParams<'a>>,
        version: &mut Option<Integer>,
    ) {
        if let Some(found) = version.filter(|version| version.get() < 1) {
            let number = Number::from(found).get();
            let finding = Finding::new(Code::NodeVersionRange, "").arg(number);
            reader.member_fault(at, "version", finding);
        }
        if self.template != TemplateRef::default() {
            let into = template.get_or_insert_default();
            let twice = &mut self.twice;
            Self::put(&mut into.id, self.template.id, "template_id", self.at, twice);
            Self::put(
                &mut into.version_id,
                self.template.version_id,
                "prompt_version_id",
                self.at,
                twice,
            );
            Self::put(
                &mut into.variables,
                self.template.variables,
                "template_variables",
                self.at,
                twice,
            );
        }
        if prompt.is_none() {
            *prompt = self.prompt;
        } else if self.prompt.is_some() {
            self.twice = Some(("prompt_config", self.at));
        }
        if let Some((name, at)) = self.twice {
            let finding = Finding::new(Code::JsonDuplicateField, "")
                .arg(name)
                .arg(if name == "prompt_config" { "prompt" } else { "template" });
            reader.fault(at, finding);
        }
        if let Some(npc_seed) = npc_params.as_mut().and_then(|params| params.seed.take())
            && seed.is_none()
        {
            *seed = Some(npc_seed);
        }
    }
}

impl<'a> GenerateContentRequest<'a> {
    /// The operation that the provider is asked for.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.generation_type.operation()
    }

    /// The version; 1 if absent.
    #[must_use]
    pub fn version(&self) -> Integer {
        self.version.unwrap_or_else(|| Integer::from(1))
    }

    /// The playthrough it belongs to.
    pub(crate) fn playthrough_id(&self) -> Option<&Id<'a>> {
        self.player_context.as_ref()?.playthrough_id.as_ref()
    }

    /// The player it belongs to.
    pub(crate) fn player_id(&self) -> Option<&Id<'a>> {
        self.player_context.as_ref()?.player_id.as_ref()
    }
}
