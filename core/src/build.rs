//! The build: the only way from a config and its context to a request.

use std::borrow::Cow;

use crate::codes::Code;
use crate::config::{
    ConstraintSet, DurationRule, FallbackConfig, GenerationNodeConfig, StyleRules,
};
use crate::context::{BuildOptions, PlayerContextSnapshot};
use crate::decode::Text;
use crate::facts::{Facts, Known, TemplateState, filled};
use crate::finding::{Finding, Refusal, Report};
use crate::fingerprint::{Fingerprint, SeedPlan, compute};
use crate::id::Id;
use crate::json::number::{Integer, Number};
use crate::json::value::{Map, Value};
use crate::rating::Bounds;
use crate::request::{GenerateContentRequest, InputRef, InputRole, NpcResponseParams, TemplateRef};
use crate::seed::Seed;
use crate::social::GenerationSocialContext;
use crate::validate;
use crate::words::{GenerationType, Purpose, SeedSource, Strategy};

/// A text borrowed from where it stands.
pub(crate) fn borrow<'s>(text: Option<&'s Text<'_>>) -> Option<Text<'s>> {
    text.map(|text| Cow::Borrowed(text.as_ref()))
}

/// Builds the request of a config.
///
/// Pure: the same input gives the same bytes, anywhere. What rating and bounds do is not applied
/// to the request, which carries what was asked and the bounds beside it.
///
/// ```
/// use onepath_core::{BuildOptions, GenerationNodeConfig, build, decode, fingerprint};
///
/// let config = decode::<GenerationNodeConfig>(r#"{"generationType": "text_to_image",
///     "purpose": "ambient", "strategy": "once", "prompt": "a lighthouse"}"#).into_result().unwrap();
/// let options = decode::<BuildOptions>(r#"{"providerId": "local"}"#).into_result().unwrap();
/// let request = build(&config, &options).unwrap();
/// let print = fingerprint(&request, None).unwrap();
/// assert_eq!(print.cache_key.as_deref(),
///     Some("generation:text_to_image|ambient|-|-|once|-|v1|b7d885324ee029f2f385e68b509740f5"));
/// ```
///
/// # Errors
///
/// The findings of the rules that stop a build, and only those.
pub fn build<'r>(
    config: &'r GenerationNodeConfig<'_>,
    options: &'r BuildOptions<'_>,
) -> Result<GenerateContentRequest<'r>, Refusal> {
    let facts = Facts::new(config, options, Known::All);
    let findings = refusals(&facts);
    if !findings.is_empty() {
        return Err(Refusal::new(findings));
    }
    let mut request = request(&facts, Required::of(&facts)?);
    fingerprint_of(&mut request, &facts)?;
    Ok(request)
}

/// What stops a build.
fn refusals(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = validate::run(facts, &[], true);
    if let Err(faults) = facts.social() {
        findings.extend(faults.iter().cloned());
    }
    findings
}

/// A config walked along the whole path at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared<'r> {
    /// All findings, those about the whole context included.
    pub report: Report,
    /// Request and fingerprint, unless something stops the build.
    pub made: Option<(GenerateContentRequest<'r>, Fingerprint)>,
}

/// On the wire: `{report, request?, fingerprint?, band?, canonical?}`.
impl serde::Serialize for Prepared<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("report", &self.report)?;
        if let Some((request, print)) = &self.made {
            map.serialize_entry("request", request)?;
            map.serialize_entry("fingerprint", print)?;
            map.serialize_entry("band", &print.band)?;
            if let Some(canonical) = print.canonical() {
                map.serialize_entry("canonical", canonical)?;
            }
        }
        map.end()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Prepared<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Prepared".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "A config walked along the whole path at once.",
            "properties": {
                "report": generator.subschema_for::<Report>(),
                "request": generator.subschema_for::<GenerateContentRequest<'_>>(),
                "fingerprint": generator.subschema_for::<Fingerprint>(),
                "band": generator.subschema_for::<crate::fingerprint::BandTrail>(),
                "canonical": { "type": "string", "description": "The canonical text of the identity, unless something is pending." },
            },
            "required": ["report"],
            "additionalProperties": false,
        })
    }
}

/// Validates, builds and fingerprints in one go: the same as [`validate`](crate::validate) with
/// the whole context, [`build`] and [`fingerprint`](crate::fingerprint), without working anything
/// out twice.
///
/// ```
/// use onepath_core::{BuildOptions, GenerationNodeConfig, decode, prepare};
///
/// let config = decode::<GenerationNodeConfig>(r#"{"generationType": "text_to_image",
///     "purpose": "ambient", "strategy": "per_player", "prompt": "a lighthouse"}"#)
///     .into_result().unwrap();
/// let options = BuildOptions::default();
/// let prepared = prepare(&config, &options);
/// assert!(prepared.made.is_none());
/// assert!(prepared.report.findings().iter().any(|f| f.code().slug() == "scope/player-missing"));
/// ```
#[must_use]
pub fn prepare<'r>(
    config: &'r GenerationNodeConfig<'_>,
    options: &'r BuildOptions<'_>,
) -> Prepared<'r> {
    prepare_with(config, options, &[], false)
}

/// The same for parts that were read with faults, and for those who want refusals only.
pub(crate) fn prepare_with<'r>(
    config: &'r GenerationNodeConfig<'_>,
    options: &'r BuildOptions<'_>,
    faults: &[Finding],
    refusals_only: bool,
) -> Prepared<'r> {
    let facts = Facts::new(config, options, Known::All);
    let mut findings = validate::run(&facts, faults, refusals_only);
    if let Err(faults) = facts.social() {
        findings.splice(0..0, faults.iter().cloned());
    }
    let refused =
        !faults.is_empty() || findings.iter().any(|finding| finding.code().refuses_build());
    // The request is large: it is moved once, to where it stays.
    let mut prepared = Prepared { report: Report::new(findings), made: None };
    if !refused && let Ok(required) = Required::of(&facts) {
        let mut request = request(&facts, required);
        if let Ok(print) = fingerprint_of(&mut request, &facts) {
            prepared.made = Some((request, print));
        }
    }
    prepared
}

/// The fingerprint of a request that was built of these facts; the request gets its seed.
fn fingerprint_of(
    request: &mut GenerateContentRequest<'_>,
    facts: &Facts<'_>,
) -> Result<Fingerprint, Refusal> {
    let plan_source = facts.config.seed_source;
    let always_without_source = request.strategy == Strategy::Always && plan_source.is_none();
    let plan = if request.seed.is_some() || always_without_source {
        SeedPlan::AsGiven
    } else {
        SeedPlan::Derive(plan_source)
    };
    let print = compute(request, facts.provider(), &plan)?;
    if request.seed.is_none() {
        request.seed = print.seed.clone().and_then(Seed::new);
    }
    Ok(print)
}

/// What no request is without.
struct Required<'r> {
    generation_type: GenerationType,
    purpose: Purpose,
    strategy: Strategy,
    social: GenerationSocialContext<'r>,
}

impl<'r> Required<'r> {
    fn of(facts: &Facts<'r>) -> Result<Self, Refusal> {
        let config = facts.config;
        let required =
            |code: Code, pointer: &'static str| Refusal::new(vec![Finding::new(code, pointer)]);
        Ok(Self {
            social: facts.social().clone().map_err(Refusal::new)?,
            generation_type: config
                .generation_type
                .ok_or_else(|| required(Code::NodeTypeRequired, "/generationType"))?,
            purpose: config
                .purpose
                .ok_or_else(|| required(Code::NodePurposeRequired, "/purpose"))?,
            strategy: config
                .strategy
                .ok_or_else(|| required(Code::NodeStrategyRequired, "/strategy"))?,
        })
    }
}

fn request<'r>(facts: &Facts<'r>, required: Required<'r>) -> GenerateContentRequest<'r> {
    let (config, options) = (facts.config, facts.options);
    GenerateContentRequest {
        generation_type: required.generation_type,
        purpose: required.purpose,
        version: Some(config.version.unwrap_or_else(|| Integer::from(1))),
        provider_id: options.provider_id().map(Id::by_ref),
        provider_settings: provider_settings(facts),
        fallback_providers: None,
        bounds: Some(Bounds { world: facts.world_bound(), user: facts.user_bound() }),
        prompt: prompt(facts),
        negative_prompt: facts.texts().negative.clone(),
        prompts: facts.texts().prompts.clone(),
        inputs: inputs(facts),
        template: template(facts),
        from_scene: options.scene_from(),
        to_scene: options.scene_to(),
        style: style(facts),
        duration: config.duration.as_ref().map(|rule| DurationRule { ..rule.clone() }),
        constraints: config.constraints.as_ref().map(constraints),
        strategy: required.strategy,
        seed: given_seed(facts),
        fallback: config.fallback.as_ref().map(|fallback| FallbackConfig {
            mode: fallback.mode,
            default_content_id: fallback.default_content_id.as_ref().map(Id::by_ref),
            max_retries: fallback.max_retries,
            timeout_ms: fallback.timeout_ms,
        }),
        cache_key: borrow(options.cache_key.as_ref()),
        player_context: player_context(options),
        social_context: Some(required.social),
        npc_params: npc_params(facts),
    }
}

/// The rendered prompt; `""` if a template was read and gives none, so that nothing is pending.
fn prompt<'r>(facts: &Facts<'r>) -> Option<Text<'r>> {
    match (&facts.texts().prompt, facts.template()) {
        (Some(prompt), _) => Some(prompt.clone()),
        (None, TemplateState::Read(_)) => Some(Cow::Borrowed("")),
        (None, _) => None,
    }
}

fn template<'r>(facts: &Facts<'r>) -> Option<TemplateRef<'r>> {
    let id = facts.config.template_id.as_ref()?;
    let version_id = match facts.template() {
        TemplateState::Read(template) => Some(template.version_id.by_ref()),
        _ => facts.config.template_version_id.as_ref().map(Id::by_ref),
    };
    Some(TemplateRef {
        id: Some(id.by_ref()),
        version_id,
        variables: facts.config.variables.as_ref().map(Map::by_ref),
    })
}

/// The explicit seed, or the time if that is what the source says. A derived one comes later.
pub(crate) fn given_seed<'r>(facts: &Facts<'r>) -> Option<Seed<'r>> {
    match facts.seed() {
        Ok(Some(seed)) => Some(seed.clone()),
        _ if facts.config.seed_source == Some(SeedSource::Timestamp) => {
            facts.options.now.map(Seed::from)
        }
        _ => None,
    }
}

/// The provider's block and, where it says nothing, the provider's declared defaults.
fn provider_settings<'r>(facts: &Facts<'r>) -> Option<Map<'r>> {
    let operation = facts.operation;
    let default_of = |name: &str| facts.provider()?.default_of(name, operation);
    let block = facts.block().map(|block| {
        // An empty text counts as absent, so that a default may stand in for it.
        let empty = |value: &Value<'_>| value.as_text().is_some_and(str::is_empty);
        let members = block.entries().iter().filter(|(name, value)| {
            name != "seed" && !(empty(value) && default_of(name).is_some())
        });
        members
            .map(|(name, value)| (Cow::Borrowed(name.as_ref()), value.by_ref()))
            .collect::<Map<'r>>()
    });
    let mut settings = block.unwrap_or_default();
    for (name, value) in facts.provider().iter().flat_map(|info| info.defaults_for(operation)) {
        if settings.get(name).is_none() {
            settings.push(Cow::Borrowed(name), value.by_ref());
        }
    }
    (!settings.is_empty()).then_some(settings)
}

/// The style, without the block that became provider settings; blocks of other providers stay, for
/// fallback providers.
fn style<'r>(facts: &Facts<'r>) -> Option<StyleRules<'r>> {
    let style = facts.config.style.as_ref()?;
    let asked = facts.options.provider_id().map(Id::as_str);
    let others = style.blocks.iter().filter(|(name, _)| Some(name.as_ref()) != asked);
    Some(StyleRules {
        mood_from: borrow(style.mood_from.as_ref()),
        mood_to: borrow(style.mood_to.as_ref()),
        pacing: style.pacing,
        transition_type: style.transition_type,
        blocks: others
            .map(|(name, block)| (Cow::Borrowed(name.as_ref()), block.by_ref()))
            .collect(),
    })
}

fn constraints<'r>(rules: &'r ConstraintSet<'_>) -> ConstraintSet<'r> {
    let list = |list: Option<&'r Vec<Text<'_>>>| {
        list.map(|list| list.iter().map(|item| Cow::Borrowed(item.as_ref())).collect())
    };
    ConstraintSet {
        rating: rules.rating,
        required_elements: list(rules.required_elements.as_ref()),
        avoid_elements: list(rules.avoid_elements.as_ref()),
        content_rules: list(rules.content_rules.as_ref()),
    }
}

/// Pictures, video, original video, fusion assets, and the portrait of an npc that has no picture.
fn inputs<'r>(facts: &Facts<'r>) -> Option<Vec<InputRef<'r>>> {
    let config = facts.config;
    let plain = |role: InputRole, reference: &'r str| -> Option<InputRef<'r>> {
        Some(InputRef { role, reference: Id::new(reference)?, name: None, kind: None })
    };
    let mut inputs: Vec<InputRef<'r>> =
        facts.images().filter_map(|image| plain(InputRole::Image, image)).collect();
    let no_image = inputs.is_empty();
    inputs
        .extend(filled(config.video_url.as_ref()).and_then(|video| plain(InputRole::Video, video)));
    inputs.extend(
        config
            .original_video_id
            .as_ref()
            .and_then(|video| plain(InputRole::OriginalVideo, video.as_str())),
    );
    for asset in config.fusion_assets.as_deref().unwrap_or_default() {
        if let Some(reference) = filled(asset.reference.as_ref()).and_then(Id::new) {
            inputs.push(InputRef {
                role: InputRole::Fusion,
                reference,
                name: borrow(asset.name.as_ref()),
                kind: asset.kind,
            });
        }
    }
    if no_image {
        let portrait = facts.npc().and_then(|(_, npc)| npc).and_then(|npc| npc.base_image.as_ref());
        inputs.extend(filled(portrait).and_then(|image| plain(InputRole::NpcBase, image)));
    }
    (!inputs.is_empty()).then_some(inputs)
}

fn player_context<'r>(options: &'r BuildOptions<'_>) -> Option<PlayerContextSnapshot<'r>> {
    let given = options.player_context.as_ref();
    let flags = given
        .and_then(|player| player.flags.as_ref())
        .or_else(|| options.session.as_ref().and_then(|session| session.flags.as_ref()));
    let player = PlayerContextSnapshot {
        playthrough_id: options.playthrough_id().map(Id::by_ref),
        player_id: options.player_id().map(Id::by_ref),
        choices: given.and_then(|player| player.choices.as_ref()).map(Map::by_ref),
        flags: flags.map(Map::by_ref),
        stats: given.and_then(|player| player.stats.as_ref()).map(Map::by_ref),
    };
    (player != PlayerContextSnapshot::default()).then_some(player)
}

/// What is known of the npc that responds; missing words are filled.
fn npc_params<'r>(facts: &Facts<'r>) -> Option<NpcResponseParams<'r>> {
    let (id, npc) = facts.npc()?;
    let id = Id::new(id.as_str().to_owned())?;
    let word = |text: Option<&'r Text<'_>>, absent: &'static str| {
        Some(Cow::Borrowed(filled(text).unwrap_or(absent)))
    };
    let name = npc.and_then(|npc| filled(npc.name.as_ref()));
    Some(NpcResponseParams {
        npc_name: Some(name.map_or_else(|| Cow::Owned(format!("NPC {id}")), Cow::Borrowed)),
        npc_id: Some(id),
        npc_base_image: borrow(npc.and_then(|npc| npc.base_image.as_ref())),
        expression: word(npc.and_then(|npc| npc.expression.as_ref()), "neutral"),
        emotion: word(npc.and_then(|npc| npc.emotion.as_ref()), "neutral"),
        animation: word(npc.and_then(|npc| npc.animation.as_ref()), "idle"),
        intensity: npc.and_then(|npc| npc.intensity).or_else(|| Number::new(0.5)),
        art_style: npc.and_then(|npc| npc.art_style),
        loras: npc
            .and_then(|npc| npc.loras.as_ref())
            .map(|loras| loras.iter().map(|lora| Cow::Borrowed(lora.as_ref())).collect()),
        ..NpcResponseParams::default()
    })
}

impl<'a> Value<'a> {
    /// The same value, borrowed from this one.
    #[must_use]
    pub fn by_ref(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(Cow::Borrowed(text.as_ref())),
            Self::List(items) => Value::List(items.iter().map(Value::by_ref).collect()),
            Self::Map(map) => Value::Map(map.by_ref()),
        }
    }
}

impl<'a> Map<'a> {
    /// The same map, borrowed from this one.
    #[must_use]
    pub fn by_ref(&self) -> Map<'_> {
        self.entries()
            .iter()
            .map(|(name, value)| (Cow::Borrowed(name.as_ref()), value.by_ref()))
            .collect()
    }
}
