//! Review: the rules on a request that was built elsewhere, as on the config it holds.

use std::borrow::Cow;

use crate::codes::Code;
use crate::config::{FusionAsset, GenerationNodeConfig};
use crate::context::{BuildOptions, Terms};
use crate::decode::Text;
use crate::facts::{Facts, Known};
use crate::finding::{Finding, Report};
use crate::id::Id;
use crate::json::locate::escape;
use crate::provider::{ProviderInfo, shipped};
use crate::rating::BoundsOption;
use crate::request::{GenerateContentRequest, InputRole};
use crate::validate;

/// Checks a request with the rules of a config: whoever built it may have been behind, or wrong.
///
/// Rules that need what a request does not carry stay silent: placeholders are rendered, and a
/// seed's source is forgotten. `provider` is what the asked provider declares, if it is none of
/// those known here; `terms` are those of world and tenant. Pointers are those of the request.
///
/// ```
/// use onepath_core::{GenerateContentRequest, decode, review};
///
/// let text = r#"{"type": "text_to_image", "purpose": "ambient", "strategy": "once",
///     "provider_id": "local", "negative_prompt": "fog", "fallback": {"mode": "skip"}}"#;
/// let request = decode::<GenerateContentRequest>(text).into_result().unwrap();
/// let report = review(&request, None, None);
/// assert_eq!(report.findings()[0].to_string(),
///     "error[inputs/prompt-missing] the operation text_to_image needs a prompt at `/prompt`");
/// ```
#[must_use]
pub fn review(
    request: &GenerateContentRequest<'_>,
    provider: Option<&ProviderInfo<'_>>,
    terms: Option<&Terms<'_>>,
) -> Report {
    let config = config(request);
    let options = BuildOptions { terms: terms.cloned(), ..options(request, provider) };
    let facts = Facts::new(&config, &options, Known::All);
    let findings = validate::run(&facts, &[], false);
    let asked = request.provider_id.as_ref().map(Id::as_str);
    let kept = findings.into_iter().filter(|finding| speaks_about_requests(finding.code()));
    Report::new(kept.map(|finding| in_request(finding, asked)).collect())
}

/// Whether a rule can be judged by what a request carries.
fn speaks_about_requests(code: Code) -> bool {
    !matches!(
        code,
        Code::SeedTimestampDefeatsCache
            | Code::SeedPreferPlaythrough
            | Code::SeedPreferPlayer
            | Code::SeedSourceMissing
            | Code::SeedFixedMissing
            | Code::SeedNowMissing
            | Code::NodeBlankTemplate
            | Code::PromptUnknownVariable
            | Code::PromptBadPlaceholder
            | Code::PromptVariableType
            | Code::PromptUnusedVariable
    )
}

/// The config that a request holds.
fn config<'r>(request: &'r GenerateContentRequest<'_>) -> GenerationNodeConfig<'r> {
    let inputs = request.inputs.as_deref().unwrap_or_default();
    let of = |wanted: &[InputRole]| -> Vec<Text<'r>> {
        let fitting = inputs.iter().filter(|input| wanted.contains(&input.role));
        fitting.map(|input| Cow::Borrowed(input.reference.as_str())).collect()
    };
    let some = |list: Vec<Text<'r>>| (!list.is_empty()).then_some(list);
    let fusion: Vec<FusionAsset<'r>> = inputs
        .iter()
        .filter(|input| input.role == InputRole::Fusion)
        .map(|input| FusionAsset {
            reference: Some(Cow::Borrowed(input.reference.as_str())),
            name: input.name.as_deref().map(Cow::Borrowed),
            kind: input.kind,
        })
        .collect();
    let mut style = request.style.clone();
    if let (Some(id), Some(settings)) = (&request.provider_id, &request.provider_settings) {
        let blocks = &mut style.get_or_insert_default().blocks;
        blocks.push((Cow::Borrowed(id.as_str()), settings.by_ref()));
    }
    GenerationNodeConfig {
        generation_type: Some(request.generation_type),
        purpose: Some(request.purpose),
        style,
        duration: request.duration.clone(),
        constraints: request.constraints.clone(),
        strategy: Some(request.strategy),
        fallback: request.fallback.clone(),
        template_id: request
            .template
            .as_ref()
            .and_then(|template| template.id.as_ref())
            .map(Id::by_ref),
        version: request.version,
        social_context: request.social_context.clone(),
        prompt: rendered(request.prompt.as_ref()),
        negative_prompt: rendered(request.negative_prompt.as_ref()),
        prompts: request
            .prompts
            .as_ref()
            .map(|prompts| prompts.iter().filter_map(|text| rendered(Some(text))).collect()),
        image_urls: some(of(&[InputRole::Image, InputRole::NpcBase])),
        video_url: of(&[InputRole::Video]).into_iter().next(),
        original_video_id: of(&[InputRole::OriginalVideo]).into_iter().next().and_then(Id::new),
        fusion_assets: (!fusion.is_empty()).then_some(fusion),
        seed: request.seed.clone(),
        ..GenerationNodeConfig::default()
    }
}

/// A text that was rendered, written so that rendering it gives the same text.
fn rendered<'r>(text: Option<&'r Text<'_>>) -> Option<Text<'r>> {
    let text = text?.as_ref();
    Some(if text.contains("{{") {
        Cow::Owned(text.replace("{{", "{{{{"))
    } else {
        Cow::Borrowed(text)
    })
}

fn options<'r>(
    request: &'r GenerateContentRequest<'_>,
    provider: Option<&'r ProviderInfo<'_>>,
) -> BuildOptions<'r> {
    let bounds = request.bounds.clone().unwrap_or_default();
    BuildOptions {
        bounds: Some(BoundsOption {
            world: bounds.world,
            user: bounds.user,
            unbounded: Some(true),
        }),
        from_scene: request.from_scene.clone(),
        to_scene: request.to_scene.clone(),
        player_context: request.player_context.clone(),
        provider_id: request.provider_id.as_ref().map(Id::by_ref),
        provider: provider.filter(|info| !is_shipped(info)).cloned(),
        ..BuildOptions::default()
    }
}

/// Whether a description is one of those known here, which need not be carried along.
fn is_shipped(info: &ProviderInfo<'_>) -> bool {
    shipped(info.id.as_str()).is_some_and(|known| std::ptr::addr_eq(known, info))
}

/// A finding about the config, with its pointer into the request.
fn in_request(mut finding: Finding, provider: Option<&str>) -> Finding {
    const NAMES: [(&str, &str); 16] = [
        ("/generationType", "/type"),
        ("/negativePrompt", "/negative_prompt"),
        ("/imageUrls", "/inputs"),
        ("/imageUrl", "/inputs"),
        ("/videoUrl", "/inputs"),
        ("/originalVideoId", "/inputs"),
        ("/fusionAssets", "/inputs"),
        ("/socialContext", "/social_context"),
        ("/templateId", "/template/id"),
        ("/options/playerContext", "/player_context"),
        ("/options/providerId", "/provider_id"),
        ("/options/fromScene", "/from_scene"),
        ("/options/toScene", "/to_scene"),
        ("/options/bounds", "/bounds"),
        ("/options/npcs", "/npc_params"),
        ("/options/npcIds", "/social_context/npcIds"),
    ];
    let below = |name: &str| -> Option<String> {
        let rest = finding.pointer().strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
    };
    let block = provider.map(|id| format!("/style/{}", escape(id)));
    let pointer = match block.as_deref().and_then(&below) {
        Some(rest) => Some(format!("/provider_settings{rest}")),
        None => NAMES.iter().find_map(|(name, member)| {
            let rest = below(name)?;
            // Places in the config's lists are not places in the request's one list of inputs.
            Some(if *member == "/inputs" {
                (*member).to_owned()
            } else {
                format!("{member}{rest}")
            })
        }),
    };
    if let Some(pointer) = pointer {
        finding.set_pointer(pointer);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;

    fn codes(text: &str) -> Vec<String> {
        let request = decode::<GenerateContentRequest<'_>>(text).into_result().unwrap();
        let report = review(&request, None, None);
        let show = |finding: &Finding| format!("{} {}", finding.code(), finding.pointer());
        report.findings().iter().map(show).collect()
    }

    #[test]
    fn a_clean_request_has_no_findings_even_with_braces_in_its_prompt() {
        let text = r#"{"type": "text_to_image", "purpose": "ambient", "strategy": "once",
            "provider_id": "local", "prompt": "a {{sign}} and }}", "fallback": {"mode": "skip"},
            "provider_settings": {"width": 64}}"#;
        assert_eq!(codes(text), [""; 0]);
    }

    #[test]
    fn terms_are_looked_for_in_what_was_rendered_elsewhere() {
        let text = r#"{"type": "text_to_image", "purpose": "ambient", "strategy": "once",
            "provider_id": "local", "prompt": "a red {{door}}", "prompts": ["gulls"],
            "negative_prompt": "door", "fallback": {"mode": "skip"}}"#;
        let request = decode::<GenerateContentRequest<'_>>(text).into_result().unwrap();
        let terms = r#"{"blocked": ["door"], "flagged": ["gulls"]}"#;
        let terms = decode::<Terms<'_>>(terms).into_result().unwrap();
        let report = review(&request, None, Some(&terms));
        let show = |finding: &Finding| format!("{} {}", finding.code(), finding.pointer());
        let found: Vec<String> = report.findings().iter().map(show).collect();
        assert_eq!(found, ["prompt/flagged /prompts/0", "prompt/blocked /prompt"]);
    }

    #[test]
    fn rules_point_into_the_request() {
        let text = r#"{"type": "image_to_video", "purpose": "ambient", "strategy": "per_player",
            "provider_id": "local", "prompt": "x", "fallback": {"mode": "default_content"},
            "provider_settings": {"wdith": 64}, "duration": {"min": 4, "max": 3},
            "social_context": {"contentRating": "restricted"}, "bounds": {"world": "sfw"}}"#;
        assert_eq!(
            codes(text),
            [
                "rating/exceeds-world /social_context/contentRating",
                "rating/restricted /social_context/contentRating",
                "duration/min-exceeds-max /duration/min",
                "duration/target-missing /duration/target",
                "fallback/default-content-missing /fallback/defaultContentId",
                "inputs/image-missing /inputs",
                "scope/player-missing /player_context/playerId",
                "provider/unknown-setting /provider_settings/wdith",
            ]
        );
    }
}
