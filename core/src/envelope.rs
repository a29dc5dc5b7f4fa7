//! The create envelope: what a client sends to have something generated.
//!
//! It holds either a config with its context, which the server turns into a request with the same
//! builder as everywhere, or a request that was built elsewhere, with its hash.

use crate::build::{Prepared, prepare_with};
use crate::config::{FallbackConfig, GenerationNodeConfig, SceneRef};
use crate::context::{
    BuildOptions, Named, Npc, PlayerContextSnapshot, Session, Template, Terms, User, World,
};
use crate::decode::{Text, record};
use crate::facts::{TemplateState, filled, template_state};
use crate::finding::{Finding, Report};
use crate::id::Id;
use crate::json::locate::snake;
use crate::json::number::Integer;
use crate::json::value::Map;
use crate::provider::{ProviderInfo, shipped};
use crate::rating::BoundsOption;
use crate::rebound::OwnBounds;
use crate::request::{GenerateContentRequest, OldPromptConfig};
use crate::seed::Seed;
use crate::social::GenerationSocialContext;
use crate::words::{FallbackMode, GenerationType, Purpose, Strategy};

record! {
    /// What a client sends to have something generated: `config` with its context, or `request`
    /// with its `request_hash`.
    #[derive(Default)]
    pub struct CreateGenerationRequest<'a>("a create request", unknown: file) {
        /// What a designer edited; the server builds the request.
        config: Option<GenerationNodeConfig<'a>> = "config";
        /// A request that was built elsewhere.
        request: Option<GenerateContentRequest<'a>> = "request";
        /// The hash of `request`, as its maker computed it under the request's own bounds.
        request_hash: Option<Text<'a>> = "request_hash" | "requestHash";
        /// The provider that is asked; required beside a config.
        provider_id: Option<Id<'a>> = "provider_id" | "providerId" with crate::id::optional as Option<crate::id::Optional>;
        /// Providers to try when the asked one is down, in order.
        fallback_providers: Option<Vec<Id<'a>>> = "fallback_providers" | "fallbackProviders";
        /// The scene it leads from.
        from_scene: Option<SceneRef<'a>> = "from_scene" | "fromScene";
        /// The scene it leads to.
        to_scene: Option<SceneRef<'a>> = "to_scene" | "toScene";
        /// The player, instead of what the session says.
        player_context: Option<PlayerContextSnapshot<'a>> = "player_context" | "playerContext";
        /// The playthrough's state.
        session: Option<Session<'a>> = "session";
        /// The world; its bound can only lower the server's.
        world: Option<World<'a>> = "world";
        /// The world, by the id under which the server knows it.
        world_id: Option<Id<'a>> = "world_id" | "worldId" with crate::id::optional as Option<crate::id::Optional>;
        /// The folder inside of the tenant in which the generation lies; it is no wall.
        workspace_id: Option<Id<'a>> = "workspace_id" | "workspaceId" with crate::id::optional as Option<crate::id::Optional>;
        /// Who the content is for; their bound can only lower the server's.
        user: Option<User<'a>> = "user";
        /// The npcs in the scene, in order.
        npc_ids: Option<Vec<Id<'a>>> = "npc_ids" | "npcIds";
        /// What is known about npcs.
        npcs: Option<Vec<Npc<'a>>> = "npcs";
        /// A social context for a config that holds none.
        social_context: Option<GenerationSocialContext<'a>> = "social_context" | "socialContext";
        /// Templates by id.
        templates: Option<Named<'a, Template<'a>>> = "templates";
        /// Values for placeholders; they win over those of the config.
        variables: Option<Map<'a>> = "variables";
        /// A prompt; wins over that of the config.
        prompt: Option<Text<'a>> = "prompt";
        /// An explicit seed; wins over that of the config.
        seed: Option<Seed<'a>> = "seed";
        /// A name for people, up to 255 characters.
        name: Option<Text<'a>> = "name";
        /// A description for people.
        description: Option<Text<'a>> = "description";
        /// 0 to 10, 0 first; 5 if absent.
        priority: Option<Integer> = "priority";
        /// Not before this time (RFC 3339).
        scheduled_at: Option<Text<'a>> = "scheduled_at" | "scheduledAt";
        /// Make it again even if it exists; the result takes the place of the one before.
        force_new: Option<bool> = "force_new" | "forceNew";
        /// Refuse rather than lower a rating to the server's bounds.
        strict: Option<bool> = "strict";
        /// The old name of the config's `templateId`.
        template_id: Option<Id<'a>> = "template_id" | "templateId" with crate::id::optional as Option<crate::id::Optional>;
        /// The old name of the config's `templateVersionId`.
        prompt_version_id: Option<Id<'a>> = "prompt_version_id" | "promptVersionId" with crate::id::optional as Option<crate::id::Optional>;
        /// The old name of the config's `variables`.
        template_variables: Option<Map<'a>> = "template_variables" | "templateVariables";
        /// The prompt fields of the system before, in one object.
        prompt_config: Option<OldPromptConfig<'a>> = "prompt_config" | "promptConfig";
        /// Whether anybody may fetch what is made, without a key, where the server and the world
        /// leave that to whoever asks.
        public: Option<bool> = "public";
    }
}

record! {
    /// What a client sends for the social context of a moment: the game keeps its sessions, the
    /// server knows the world.
    #[derive(Default)]
    pub struct SocialContextRequest<'a>("a social context request", unknown: file) {
        /// The world, by the id under which the server knows it.
        world_id: Option<Id<'a>> = "world_id" | "worldId" with crate::id::optional as Option<crate::id::Optional>;
        /// The playthrough's state.
        session: Option<Session<'a>> = "session";
        /// The id of a session; it needs the session itself.
        session_id: Option<Id<'a>> = "session_id" | "sessionId" with crate::id::optional as Option<crate::id::Optional>;
        /// The npcs in the scene, in order.
        npc_ids: Option<Vec<Id<'a>>> = "npc_ids" | "npcIds";
        /// Who the content is for; their bound can only lower the server's.
        user: Option<User<'a>> = "user";
    }
}

record! {
    /// A picture that shall move: the short way to `image_to_video`.
    #[derive(Default)]
    pub struct SimpleImageToVideoRequest<'a>("an image to video request", unknown: file) {
        /// The provider that is asked.
        provider_id: Option<Id<'a>> = "provider_id" | "providerId" with crate::id::optional as Option<crate::id::Optional>;
        /// What is to be seen, 1 to 4,096 characters.
        prompt: Option<Text<'a>> = "prompt";
        /// The picture: `asset:<id>` or an https URL, up to 2,048 characters.
        image_url: Option<Text<'a>> = "image_url" | "imageUrl";
        /// A name for people.
        name: Option<Text<'a>> = "name";
        /// 0 to 10, 0 first; 7 if absent.
        priority: Option<Integer> = "priority";
    }
}

impl<'a> SimpleImageToVideoRequest<'a> {
    /// The create request that it stands for: `adaptive`, `always`, and nothing shown if it fails.
    ///
    /// ```
    /// use onepath_core::{SimpleImageToVideoRequest, decode};
    ///
    /// let text = r#"{"provider_id": "local", "prompt": "waves", "image_url": "asset:1"}"#;
    /// let simple = decode::<SimpleImageToVideoRequest>(text).into_result().unwrap();
    /// let create = serde_json::to_value(simple.into_create()).unwrap();
    /// assert_eq!(create["config"]["generationType"], "image_to_video");
    /// assert_eq!(create["config"]["imageUrl"], "asset:1");
    /// ```
    #[must_use]
    pub fn into_create(self) -> CreateGenerationRequest<'a> {
        CreateGenerationRequest {
            config: Some(GenerationNodeConfig {
                generation_type: Some(GenerationType::ImageToVideo),
                purpose: Some(Purpose::Adaptive),
                strategy: Some(Strategy::Always),
                prompt: self.prompt,
                image_url: self.image_url,
                fallback: Some(FallbackConfig {
                    mode: Some(FallbackMode::Skip),
                    ..FallbackConfig::default()
                }),
                ..GenerationNodeConfig::default()
            }),
            provider_id: self.provider_id,
            name: self.name,
            priority: self.priority.or_else(|| Integer::new(7)),
            ..CreateGenerationRequest::default()
        }
    }
}

/// The prompt fields of the system before, into the config where that is silent.
fn fold_old_prompt<'a>(
    config: &mut GenerationNodeConfig<'a>,
    envelope: &CreateGenerationRequest<'a>,
) {
    fn fill<T: Clone>(slot: &mut Option<T>, first: Option<&T>, then: Option<&T>) {
        if slot.is_none() {
            *slot = first.or(then).cloned();
        }
    }
    let old = envelope.prompt_config.as_ref();
    let (id, version) = (envelope.template_id.as_ref(), envelope.prompt_version_id.as_ref());
    fill(&mut config.template_id, id, old.and_then(|old| old.family_id.as_ref()));
    fill(&mut config.template_version_id, version, old.and_then(|old| old.version_id.as_ref()));
    let variables = envelope.template_variables.as_ref();
    fill(&mut config.variables, variables, old.and_then(|old| old.variables.as_ref()));
    fill(&mut config.prompt, old.and_then(|old| old.inline_prompt.as_ref()), None);
}

/// A template that a build needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeededTemplate<'n, 'a> {
    /// Its id; absent if only a version is named.
    pub id: Option<&'n Id<'a>>,
    /// The version that is pinned.
    pub version: Option<&'n Id<'a>>,
}

/// A config and its context, taken out of an envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft<'a> {
    config: GenerationNodeConfig<'a>,
    options: BuildOptions<'a>,
    /// Whether the template is none of the envelope's.
    own_template: bool,
}

impl<'a> Draft<'a> {
    /// The config of an envelope with everything a build reads; none if it holds no config.
    ///
    /// `own` are the server's bounds; world and user of the envelope only lower them. `now` is the
    /// server's clock, in milliseconds since 1970.
    #[must_use]
    pub fn new(
        envelope: &CreateGenerationRequest<'a>,
        own: OwnBounds,
        now: Option<Integer>,
    ) -> Option<Self> {
        let mut config = envelope.config.clone()?;
        if config.social_context.is_none() {
            config.social_context.clone_from(&envelope.social_context);
        }
        fold_old_prompt(&mut config, envelope);
        let mut user = envelope.user.clone();
        if own.reduce_intensity {
            user.get_or_insert_default().reduce_romantic_intensity = Some(true);
        }
        let options = BuildOptions {
            session: envelope.session.clone(),
            world: envelope.world.clone(),
            user,
            npc_ids: envelope.npc_ids.clone(),
            npcs: envelope.npcs.clone(),
            // Where world and user are silent the server's bounds stand, not the silent one.
            bounds: Some(BoundsOption { world: own.world, user: own.user, unbounded: Some(true) }),
            from_scene: envelope.from_scene.clone(),
            to_scene: envelope.to_scene.clone(),
            player_context: envelope.player_context.clone(),
            provider_id: envelope.provider_id.clone(),
            templates: envelope.templates.clone(),
            variables: envelope.variables.clone(),
            prompt: envelope.prompt.clone(),
            seed: envelope.seed.clone(),
            now,
            ..BuildOptions::default()
        };
        Some(Self { config, options, own_template: false })
    }

    /// With what a provider declares that is none of those known here; another changes nothing.
    #[must_use]
    pub fn with_provider(mut self, info: &ProviderInfo<'a>) -> Self {
        let is_asked = self.options.provider_id.as_ref() == Some(&info.id);
        if is_asked && shipped(info.id.as_str()).is_none() {
            self.options.provider = Some(info.clone());
        }
        self
    }

    /// The template that the build needs and was not given: its id, and the version that is pinned.
    /// Old clients name a version alone.
    #[must_use]
    pub fn needed_template(&self) -> Option<NeededTemplate<'_, 'a>> {
        let (config, options) = (&self.config, &self.options);
        let needed = NeededTemplate {
            id: config.template_id.as_ref(),
            version: config.template_version_id.as_ref(),
        };
        let silent = filled(options.prompt.as_ref()).or(filled(config.prompt.as_ref())).is_none();
        match template_state(config, options) {
            TemplateState::Missing => Some(needed),
            TemplateState::NotRead if needed.id.is_none() && silent => {
                needed.version.is_some().then_some(needed)
            }
            TemplateState::NotRead | TemplateState::Read(_) => None,
        }
    }

    /// With a template that whoever asks has under this id; one that was given under it goes.
    #[must_use]
    pub fn with_template(mut self, id: &str, template: Template<'a>) -> Self {
        if self.config.template_id.is_none() {
            self.config.template_id = Id::new(id.to_owned());
        }
        let given = self.options.templates.take().unwrap_or_default();
        let others = given.into_iter().filter(|(known, _)| known != id);
        let named = std::iter::once((Text::Owned(id.to_owned()), template));
        self.options.templates = Some(others.chain(named).collect());
        self.own_template = true;
        self
    }

    /// With terms beside those of world and provider.
    #[must_use]
    pub fn with_terms(mut self, terms: Terms<'a>) -> Self {
        self.options.terms = Some(terms);
        self
    }

    /// Validates, builds and fingerprints. `faults` are those of reading the envelope; the report
    /// holds them first, then what the rules find on the parts that were read, all with pointers
    /// into the envelope.
    #[must_use]
    pub fn prepare<'d>(&'d self, faults: &[Finding]) -> Prepared<'d> {
        let of_rules: Vec<Finding> = faults.iter().map(as_rule).collect();
        let prepared = prepare_with(&self.config, &self.options, &of_rules, false);
        let mut findings = faults.to_vec();
        findings.extend(prepared.report.into_findings().into_iter().map(|mut finding| {
            if self.own_template && finding.pointer().starts_with("/options/templates/") {
                finding.set_pointer("/templateId".to_owned());
            }
            in_envelope(finding)
        }));
        Prepared { report: Report::new(findings), made: prepared.made }
    }

    /// The player that the context names.
    #[must_use]
    pub fn player_id(&self) -> Option<&str> {
        self.options.player_id().map(Id::as_str)
    }
}

/// A fault of the envelope, with the pointer that rules know.
fn as_rule(fault: &Finding) -> Finding {
    let mut fault = fault.clone();
    let pointer = match fault.pointer().strip_prefix("/config") {
        Some(rest) => rest.to_owned(),
        None if snake(fault.pointer()).starts_with("/social_context") => {
            snake(fault.pointer()).replacen("/social_context", "/socialContext", 1)
        }
        None => format!("/options{}", fault.pointer()),
    };
    fault.set_pointer(pointer);
    fault
}

/// A rule's finding, with its pointer into the envelope.
fn in_envelope(mut finding: Finding) -> Finding {
    let pointer = match finding.pointer().strip_prefix("/options/") {
        Some(rest) => {
            let (first, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("/{}{below}", snake(first))
        }
        None => format!("/config{}", finding.pointer()),
    };
    finding.set_pointer(pointer);
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rating, decode};

    const OWN: OwnBounds =
        OwnBounds { world: Some(Rating::Romantic), user: None, reduce_intensity: false };

    fn findings(text: &str) -> Vec<String> {
        let read = decode::<CreateGenerationRequest<'_>>(text);
        let envelope = read.value.unwrap();
        let draft = Draft::new(&envelope, OWN, None).unwrap();
        let prepared = draft.prepare(&read.faults);
        prepared.report.findings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn findings_point_into_the_envelope() {
        let found = findings(
            r#"{"config": {"generationType": "text_to_image", "purpose": "ambient",
                "strategy": "per_player", "prompt": "x", "duration": {"min": "1"},
                "fallback": {"mode": "skip"}, "seedSource": "player"}, "provider_id": "local", "nmae": 1}"#,
        );
        assert_eq!(
            found,
            [
                "error[json/wrong-type] expected a number, found text at `/config/duration/min`",
                "error[json/unknown-field] `nmae` is not a field of a create request at `/nmae`",
                "error[scope/player-missing] a player id is needed and none is given at `/player_context/playerId`",
            ]
        );
    }

    #[test]
    fn a_provider_that_is_not_known_here_is_described_by_whoever_knows_it() {
        let text = r#"{"config": {"generationType": "text_to_image", "purpose": "ambient",
            "strategy": "once", "prompt": "x", "fallback": {"mode": "skip"},
            "style": {"own": {"size": 3}}}, "provider_id": "own"}"#;
        let envelope = decode::<CreateGenerationRequest<'_>>(text).into_result().unwrap();
        let draft = Draft::new(&envelope, OWN, None).unwrap();
        let info = |id: &str| {
            let text = format!(r#"{{"id": "{id}", "defaults": {{"speed": 1}}}}"#);
            let info: ProviderInfo<'_> = decode(&text).into_result().unwrap();
            serde_json::to_string(&info).unwrap()
        };
        let (own, other) = (info("own"), info("other"));
        let (own, other) = (decode(&own).value.unwrap(), decode(&other).value.unwrap());
        let waits = draft.clone().with_provider(&other);
        assert!(waits.prepare(&[]).made.is_none_or(|made| made.1.hashes.is_none()));
        let draft = draft.with_provider(&own);
        let made = draft.prepare(&[]).made.unwrap();
        assert_eq!(
            serde_json::to_value(made.0.provider_settings).unwrap(),
            serde_json::json!({ "size": 3, "speed": 1 })
        );
        assert!(made.1.hashes.is_some());
    }

    #[test]
    fn old_prompt_fields_are_read_where_the_config_is_silent() {
        let text = r#"{"config": {"generationType": "text_to_image", "purpose": "ambient",
            "strategy": "once", "fallback": {"mode": "skip"}}, "provider_id": "local",
            "template_id": "quay", "prompt_config": {"versionId": "quay@2", "familyId": "pier",
            "variables": {"hour": "dusk"}}}"#;
        let envelope = decode::<CreateGenerationRequest<'_>>(text).into_result().unwrap();
        let draft = Draft::new(&envelope, OWN, None).unwrap();
        let needed = draft.needed_template().unwrap();
        let named = (needed.id.map(Id::as_str), needed.version.map(Id::as_str));
        assert_eq!(named, (Some("quay"), Some("quay@2")));
        let template = r#"{"versionId": "quay@2", "text": "the quay at {{hour}}, {{n}} gulls",
            "variables": {"n": 3}, "types": {"n": "number", "hour": "text"}}"#;
        let template = decode::<Template<'_>>(template).into_result().unwrap();
        let draft = draft.with_template("quay", template);
        assert_eq!(draft.needed_template(), None);
        let (request, print) = draft.prepare(&[]).made.unwrap();
        assert_eq!(request.prompt.as_deref(), Some("the quay at dusk, 3 gulls"));
        assert!(print.hashes.is_some());
        let version = request.template.unwrap().version_id.unwrap();
        assert_eq!(version.as_str(), "quay@2");
        let wrong = r#"{"versionId": "quay@2", "text": "{{hour}}", "types": {"hour": "number"}}"#;
        let wrong = decode::<Template<'_>>(wrong).into_result().unwrap();
        let draft = Draft::new(&envelope, OWN, None).unwrap().with_template("quay", wrong);
        let found: Vec<String> =
            draft.prepare(&[]).report.findings().iter().map(ToString::to_string).collect();
        let told = "error[prompt/variable-type] the variable `hour` is text, the template \
                    declares a number at `/config/templateId`";
        assert!(found.iter().any(|line| line == told), "{found:?}");
    }

    #[test]
    fn the_servers_bounds_stand_where_world_and_user_are_silent_and_are_only_lowered() {
        let rating = |world: &str| {
            let text = format!(
                r#"{{"config": {{"generationType": "dialogue", "purpose": "adaptive", "strategy": "once",
                    "prompt": "x", "fallback": {{"mode": "skip"}},
                    "socialContext": {{"contentRating": "mature_implied", "intimacyBand": "deep"}}}},
                    "provider_id": "local"{world}}}"#
            );
            let envelope = decode::<CreateGenerationRequest<'_>>(&text).into_result().unwrap();
            let draft = Draft::new(&envelope, OWN, None).unwrap();
            draft.prepare(&[]).made.unwrap().1.rating.effective
        };
        assert_eq!(rating(""), Rating::Romantic);
        assert_eq!(
            rating(r#", "world": {"meta": {"generation": {"maxContentRating": "restricted"}}}"#),
            Rating::Romantic
        );
        assert_eq!(rating(r#", "user": {"maxContentRating": "sfw"}"#), Rating::Sfw);
    }
}
