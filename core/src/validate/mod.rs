//! The rules: one function each, in one table, in the order of the contract's §4.
//!
//! A rule names what it reads; a fault of reading in one of those parts silences it, because what
//! could not be read is neither present nor absent.

mod constraints;
mod duration;
mod fallback;
mod inputs;
mod node;
mod prompt;
mod provider;
mod rating;
mod seed;
mod style;

use crate::codes::Code;
use crate::config::GenerationNodeConfig;
use crate::context::BuildOptions;
use crate::facts::{Facts, Known};
use crate::finding::{Finding, Report};
use crate::json::locate::snake;

/// Where a rule puts its findings.
pub(crate) type Findings = Vec<Finding>;

/// One rule of the table.
pub(crate) struct Rule {
    /// The code it reports.
    pub(crate) code: Code,
    /// The parts it reads: pointers into the config, or below `/options`, with spaces between.
    pub(crate) reads: &'static str,
    run: fn(&Facts<'_>, &mut Findings),
}

macro_rules! rules {
    ($($code:ident $run:path: $reads:literal;)*) => {
        /// Every rule, in the order of its findings.
        pub(crate) const RULES: &[Rule] =
            &[$(Rule { code: Code::$code, reads: $reads, run: $run },)*];
    };
}

rules! {
    NodeDisabled node::disabled: "/enabled";
    NodeTypeRequired node::type_required: "/generationType";
    NodePurposeRequired node::purpose_required: "/purpose";
    NodeStrategyRequired node::strategy_required: "/strategy";
    NodeVersionRange node::version_range: "/version";
    NodeUnusualPurpose node::unusual_purpose: "/generationType /purpose";
    NodeBlankTemplate node::blank_template: "/templateId";
    SeedTimestampDefeatsCache seed::timestamp_defeats_cache: "/seedSource /strategy";
    SeedPreferPlaythrough seed::prefer_playthrough: "/seedSource /strategy";
    SeedPreferPlayer seed::prefer_player: "/seedSource /strategy";
    SeedSourceMissing seed::source_missing: "/seedSource /strategy";
    SeedFixedMissing seed::fixed_missing: "/seedSource /seed /style/* /options/seed /options/providerId /options/provider/id";
    SeedNowMissing seed::now_missing: "/seedSource /options/now /seed /style/* /options/seed /options/providerId /options/provider/id";
    SeedMalformed seed::malformed: "/style/* /options/providerId /options/provider/id";
    RatingExceedsWorld rating::exceeds_world: "/socialContext/contentRating /options/bounds /options/session /options/npcIds /options/world/meta /options/user/reduceRomanticIntensity /options/socialContextConfig/reduceIntensity";
    RatingExceedsUser rating::exceeds_user: "/socialContext/contentRating /options/bounds /options/user/maxContentRating /options/socialContextConfig/maxContentRating /options/session /options/npcIds /options/world/meta /options/user/reduceRomanticIntensity /options/socialContextConfig/reduceIntensity";
    RatingRestricted rating::restricted: "/socialContext/contentRating /options/session /options/npcIds /options/world/meta /options/user/reduceRomanticIntensity /options/socialContextConfig/reduceIntensity";
    SocialIntenseBand rating::intense_band: "/socialContext/intimacyBand /options/session /options/npcIds /options/world/meta /options/user/reduceRomanticIntensity /options/socialContextConfig/reduceIntensity";
    SocialNpcIdsMissing rating::npc_ids_missing: "/generationType /socialContext/npcIds";
    SocialContextMissing rating::context_missing: "/generationType /socialContext /options/npcIds";
    SocialUnknownLevel rating::unknown_level: "/socialContext/intimacyLevelId /socialContext/levelBand /options/world/meta /options/session /options/npcIds";
    StyleMoodsMissing style::moods_missing: "/generationType /style/moodFrom /style/moodTo";
    StyleAbruptAndSlow style::abrupt_and_slow: "/style/pacing /style/transitionType";
    StyleMissing style::missing: "/generationType /style";
    RatingExceedsConstraint rating::exceeds_constraint: "/socialContext/contentRating /constraints/rating /options/session /options/npcIds /options/world/meta /options/user/reduceRomanticIntensity /options/socialContextConfig/reduceIntensity";
    ConstraintsRequiredAndAvoided constraints::required_and_avoided: "/constraints/requiredElements /constraints/avoidElements";
    ConstraintsEmptyRequired constraints::empty_required: "/constraints/requiredElements";
    ConstraintsEmptyAvoided constraints::empty_avoided: "/constraints/avoidElements";
    ConstraintsEmptyRules constraints::empty_rules: "/constraints/contentRules";
    ConstraintsManyRequired constraints::many_required: "/constraints/requiredElements";
    ConstraintsManyAvoided constraints::many_avoided: "/constraints/avoidElements";
    DurationMinExceedsMax duration::min_exceeds_max: "/duration/min /duration/max";
    DurationTargetBelowMin duration::target_below_min: "/duration/target /duration/min";
    DurationTargetAboveMax duration::target_above_max: "/duration/target /duration/max";
    DurationNegativeMin duration::negative_min: "/duration/min";
    DurationNegativeMax duration::negative_max: "/duration/max";
    DurationNegativeTarget duration::negative_target: "/duration/target";
    DurationShortTransition duration::short_transition: "/generationType /duration/max";
    DurationVeryLong duration::very_long: "/duration/max";
    DurationTargetMissing duration::target_missing: "/duration/min /duration/max /duration/target";
    DurationTightRange duration::tight_range: "/duration/min /duration/max";
    DurationMissing duration::missing: "/generationType /duration";
    FallbackDefaultContentMissing fallback::default_content_missing: "/fallback/mode /fallback/defaultContentId";
    FallbackRetriesOutOfRange fallback::retries_out_of_range: "/fallback/mode /fallback/maxRetries";
    FallbackTimeoutShort fallback::timeout_short: "/fallback/mode /fallback/timeoutMs";
    FallbackTimeoutLong fallback::timeout_long: "/fallback/mode /fallback/timeoutMs";
    FallbackPlaceholderTransition fallback::placeholder_transition: "/generationType /fallback/mode";
    FallbackSkipGapFill fallback::skip_gap_fill: "/purpose /fallback/mode";
    FallbackMissing fallback::missing: "/fallback";
    StrategyAlwaysRegenerates node::always_regenerates: "/strategy";
    StrategyPreferPerPlaythrough node::prefer_per_playthrough: "/strategy /generationType /purpose";
    InputsPromptMissing inputs::prompt_missing: "/generationType /prompt /templateId /options/prompt";
    InputsImageMissing inputs::image_missing: "/generationType /imageUrl /imageUrls /socialContext/npcIds /options/npcs/*/id /options/npcs/*/baseImage /options/npcIds";
    InputsImagesTooFew inputs::images_too_few: "/generationType /imageUrl /imageUrls";
    InputsPromptCount inputs::prompt_count: "/generationType /imageUrl /imageUrls /prompts";
    InputsVideoMissing inputs::video_missing: "/generationType /videoUrl /originalVideoId";
    InputsFusionMissing inputs::fusion_missing: "/generationType /fusionAssets";
    InputsExpiringUrl inputs::expiring_url: "/imageUrl /imageUrls /videoUrl /fusionAssets";
    ScopePlaythroughMissing seed::playthrough_missing: "/strategy /seedSource /seed /style/* /options/seed /options/providerId /options/provider/id /options/session/id /options/session/user_id /options/playerContext";
    ScopePlayerMissing seed::player_missing: "/strategy /seedSource /seed /style/* /options/seed /options/providerId /options/provider/id /options/session/id /options/session/user_id /options/playerContext /options/user/id";
    PromptUnknownVariable prompt::unknown_variable: "/prompt /negativePrompt /prompts /templateId /templateVersionId /options/prompt /options/templates /variables /options/variables";
    PromptBadPlaceholder prompt::bad_placeholder: "/prompt /negativePrompt /prompts /templateId /templateVersionId /options/prompt /options/templates";
    PromptVariableType prompt::variable_type: "/prompt /negativePrompt /prompts /templateId /templateVersionId /options/prompt /options/templates /variables /options/variables";
    PromptUnusedVariable prompt::unused_variable: "/prompt /negativePrompt /prompts /templateId /templateVersionId /options/prompt /options/templates /variables";
    PromptFlagged prompt::flagged: "/prompt /negativePrompt /prompts /templateId /templateVersionId /options/prompt /options/templates /variables /options/variables /options/terms /options/world/meta /options/provider/terms /options/providerId /options/provider/id";
    PromptTooLong prompt::too_long: "/prompt /negativePrompt /prompts /templateId /templateVersionId /options/prompt /options/templates /variables /options/variables /options/provider/promptMax /options/providerId /options/provider/id";
    PromptBlocked prompt::blocked: "/prompt /negativePrompt /prompts /templateId /templateVersionId /options/prompt /options/templates /variables /options/variables /options/terms /options/world/meta /options/provider/terms /options/providerId /options/provider/id";
    ProviderUnsupportedOperation provider::unsupported_operation: "/generationType /options/provider/operations /options/providerId /options/provider/id";
    ProviderUnknownSetting provider::unknown_setting: "/style/* /options/provider/parameters /options/providerId /options/provider/id";
    ProviderSettingOperation provider::setting_operation: "/generationType /style/* /options/provider/parameters /options/providerId /options/provider/id";
    ProviderSettingType provider::setting_type: "/generationType /style/* /options/provider/parameters /options/providerId /options/provider/id";
    ProviderSettingValue provider::setting_value: "/generationType /style/* /options/provider/parameters /options/providerId /options/provider/id";
    ProviderSettingRange provider::setting_range: "/generationType /style/* /options/provider/parameters /options/providerId /options/provider/id";
    ProviderUnknown provider::unknown: "/options/providerId /options/provider/id";
}

/// Checks a config, with as much of its context as is given.
///
/// Rules about the context (scopes, bounds, provider, templates, portraits) run where that part of
/// the context is given; a build runs them always. Pointers of findings about the options start
/// with `/options`.
///
/// ```
/// use onepath_core::{BuildOptions, GenerationNodeConfig, decode, validate};
///
/// let text = r#"{"generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
///     "seedSource": "player", "prompt": "a lighthouse", "duration": {"min": 5, "target": 2},
///     "fallback": {"mode": "skip"}}"#;
/// let config = decode::<GenerationNodeConfig>(text).into_result().unwrap();
/// let report = validate(&config, &BuildOptions::default());
/// assert_eq!(report.summary(), "1 error");
/// assert_eq!(report.findings()[0].to_string(),
///     "error[duration/target-below-min] `target` 2 is below `min` 5 at `/duration/target`");
/// ```
#[must_use]
pub fn validate(config: &GenerationNodeConfig<'_>, options: &BuildOptions<'_>) -> Report {
    let facts = Facts::new(config, options, Known::Given);
    Report::new(run(&facts, &[], false))
}

/// Runs the rules; `faults` are those of reading, with pointers as rules have them.
pub(crate) fn run(facts: &Facts<'_>, faults: &[Finding], refusing_only: bool) -> Findings {
    let mut out = Findings::new();
    if faults.is_empty() {
        for rule in RULES {
            if !refusing_only || rule.code.refuses_build() {
                (rule.run)(facts, &mut out);
            }
        }
        return out;
    }
    let faulty: Vec<String> =
        faults.iter().map(|fault| snake(fault.pointer()).into_owned()).collect();
    for rule in RULES {
        let silenced = rule.reads.split(' ').any(|read| {
            let read = snake(read);
            faulty.iter().any(|fault| touches(fault, &read))
        });
        if !silenced && (!refusing_only || rule.code.refuses_build()) {
            (rule.run)(facts, &mut out);
        }
    }
    out
}

/// The rules that read what stands at a pointer, or a part of it.
pub(crate) fn readers(pointer: &str) -> Vec<usize> {
    let pointer = snake(pointer);
    let reads = |rule: &Rule| rule.reads.split(' ').any(|read| touches(&pointer, &snake(read)));
    (0..RULES.len()).filter(|index| RULES.get(*index).is_some_and(reads)).collect()
}

/// Those of some rules that refuse a build.
pub(crate) fn refusing(rules: &[usize]) -> Vec<usize> {
    let refuses = |rule: &Rule| rule.code.refuses_build();
    rules.iter().copied().filter(|index| RULES.get(*index).is_some_and(refuses)).collect()
}

/// Runs some of the rules.
pub(crate) fn run_some(facts: &Facts<'_>, rules: &[usize]) -> Findings {
    let mut out = Findings::new();
    for rule in rules.iter().filter_map(|index| RULES.get(*index)) {
        (rule.run)(facts, &mut out);
    }
    out
}

/// Whether a fault lies in what is read, or around it. `*` reads every member that is no field of
/// a style.
fn touches(fault: &str, read: &str) -> bool {
    let style = ["mood_from", "mood_to", "pacing", "transition_type"];
    let aliased =
        |token: &str| if token == "user_prefs" { "user".to_owned() } else { token.to_owned() };
    fault
        .split('/')
        .zip(read.split('/'))
        .all(|(fault, read)| aliased(fault) == read || (read == "*" && !style.contains(&fault)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_in_the_order_of_the_codes_and_once_each() {
        let codes: Vec<Code> = RULES.iter().map(|rule| rule.code).collect();
        let mut sorted = codes.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(codes, sorted);
    }

    #[test]
    fn a_fault_silences_what_reads_it_below_and_above() {
        assert!(touches("/style/mood_from", "/style"));
        assert!(touches("/style", "/style/mood_from"));
        assert!(!touches("/styles", "/style"));
        assert!(touches("/style/local/seed", "/style/*"));
        assert!(!touches("/style/mood_from", "/style/*"));
    }
}
