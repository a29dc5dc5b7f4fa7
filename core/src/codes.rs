//! Every code a finding can have: one table for slug, severity, message, help and explanation.
//!
//! `refuses` marks the rows for which [`build`](crate::build) makes no request (row "b" of the
//! contract); every code of reading refuses.

use std::fmt;

use crate::finding::Severity;

macro_rules! codes {
    ($($variant:ident $slug:literal $severity:ident $($refuses:ident)?, $message:literal, $help:literal, $explain:literal;)*) => {
        /// The stable name of one kind of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $slug, "`: ", $explain)] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the tables.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => {
                        const ROW: &Row = &Row {
                            slug: $slug,
                            severity: Severity::$severity,
                            refuses: codes!(@refuses $($refuses)?),
                            message: $message,
                            help: $help,
                        };
                        ROW
                    })*
                }
            }

            /// What it means and what to do, in a few sentences. Apart from the rest of its row, so that a module which
            /// never prints it does not carry it.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explain,)* }
            }
        }
    };
    (@refuses refuses) => { true };
    (@refuses) => { false };
}

struct Row {
    slug: &'static str,
    severity: Severity,
    refuses: bool,
    message: &'static str,
    help: &'static str,
}

impl Code {
    /// The slug, such as `duration/min-exceeds-max`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        self.row().slug
    }

    /// The code of a slug.
    #[must_use]
    pub fn parse(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.slug() == slug)
    }

    /// How much it weighs.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.row().severity
    }

    /// Whether no request is made while it stands.
    #[must_use]
    pub fn refuses_build(self) -> bool {
        self.row().refuses
    }

    pub(crate) fn message_template(self) -> &'static str {
        self.row().message
    }

    pub(crate) fn help_template(self) -> &'static str {
        self.row().help
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

codes! {
    JsonSyntax "json/syntax" Error refuses, "this is not JSON: {0}", "",
        "The text is not JSON (RFC 8259). Reading stops here, so faults after this place are not listed yet.";
    JsonDuplicateKey "json/duplicate-key" Error refuses, "the member `{0}` stands twice in one object", "keep one of the two",
        "An object holds the same member twice. Readers disagree about which one counts, so neither does.";
    JsonDuplicateField "json/duplicate-field" Error refuses, "`{0}` is given twice, in two spellings", "keep the spelling `{1}`",
        "A field has one spelling and a second one that is accepted on input (`moodFrom` and `mood_from`). A document gives one of them.";
    JsonUnknownField "json/unknown-field" Error refuses, "`{0}` is not a field of {1}", "remove it, or see the schema for the fields of {1}",
        "Configs, requests and envelopes refuse fields that nobody reads: a misspelled field would silently change nothing.";
    JsonWrongType "json/wrong-type" Error refuses, "expected {0}, found {1}", "",
        "The value has another JSON type than the field. `null` means absent for a named field and is dropped from an open map; in a list it is wrong.";
    JsonUnknownWord "json/unknown-word" Error refuses, "`{0}` is not one of the words {1}", "use one of {1}",
        "The field takes one of a closed set of words, spelled exactly. An empty text counts as absent.";
    JsonNumberRange "json/number-range" Error refuses, "the number {0} is out of range", "numbers are finite, and whole numbers lie within ±9007199254740991",
        "Whole numbers beyond ±(2^53-1) are not the same in every language, and infinities are not JSON. Write such a value as text.";
    JsonLoneSurrogate "json/lone-surrogate" Error refuses, "the text holds half of a surrogate pair", "write the character whole, or escape both halves",
        "A `\\uD800`-`\\uDFFF` escape without its other half is no Unicode character: it has no bytes to hash.";
    JsonEmptyId "json/empty-id" Error refuses, "an id is needed here", "give a text that is not empty, or a whole number",
        "Ids are text; a JSON integer is read as its decimal text. An empty or missing id names nothing.";
    JsonTooLarge "json/too-large" Error refuses, "{0} is larger than the limit of {1}", "",
        "Limits of reading: 256 KiB a config, depth 64, 10,000 items a list, 1,000 members an open map, 100,000 Unicode scalar values a text.";

    NodeDisabled "node/disabled" Warning, "the node is disabled: nothing will be generated for it", "set `enabled` to true, or remove the node",
        "`enabled` is false. The path still computes everything; the game skips the node.";
    NodeTypeRequired "node/type-required" Error refuses, "`generationType` is required", "give one of the generation types",
        "Without a generation type there is no operation to run.";
    NodePurposeRequired "node/purpose-required" Error refuses, "`purpose` is required", "give one of gap_fill, variation, adaptive, ambient",
        "The purpose is part of what is generated and of the cache key.";
    NodeStrategyRequired "node/strategy-required" Error refuses, "`strategy` is required", "give one of once, per_playthrough, per_player, always",
        "The strategy says who shares a result: everyone, one playthrough, one player, or nobody.";
    NodeVersionRange "node/version-range" Error refuses, "`version` is {0}; it counts from 1", "use a whole number from 1",
        "The version is a whole number from 1 to 9007199254740991. Raising it makes everything again.";
    NodeUnusualPurpose "node/unusual-purpose" Warning, "the purpose `{0}` is unusual for the type `{1}`", "usual ones: {2}",
        "The type is rarely made for this purpose. Usual pairs: transition with gap_fill, variation or adaptive; variation with variation or adaptive; dialogue with variation, adaptive or ambient; environment with ambient or adaptive; npc_response with adaptive or variation.";
    NodeBlankTemplate "node/blank-template" Warning, "`templateId` holds only white space", "name a template, or remove the field",
        "The template id is not empty but prints as nothing; it is probably a leftover of a form.";

    SeedUnknownSource "seed/unknown-source" Error refuses, "`{0}` is not a seed source", "use one of playthrough, player, timestamp, fixed",
        "`seedSource` says what the seed is derived from: playthrough, player, timestamp or fixed.";
    SeedTimestampDefeatsCache "seed/timestamp-defeats-cache" Warning, "a timestamp seed differs each time, so the strategy `{0}` never finds a cached result", "use the strategy always, or another seed source",
        "A seed taken from the clock gives every request its own key. Caching strategies then store results that nobody finds.";
    SeedPreferPlaythrough "seed/prefer-playthrough" Suggestion, "the strategy per_playthrough usually takes its seed from the playthrough", "set `seedSource` to playthrough",
        "With another seed source two playthroughs may share a seed, or one playthrough may see two.";
    SeedPreferPlayer "seed/prefer-player" Suggestion, "the strategy per_player usually takes its seed from the player", "set `seedSource` to player",
        "With another seed source two players may share a seed, or one player may see two.";
    SeedSourceMissing "seed/source-missing" Suggestion, "no `seedSource`: the seed is derived from the strategy's own scope", "set `seedSource` to say it",
        "Without a seed source the seed is derived over the scope of the cache key. Saying so makes the intent visible.";
    SeedFixedMissing "seed/fixed-missing" Error refuses, "`seedSource` is fixed but no seed is given", "give `seed` in the config, in the options or in the provider's block",
        "A fixed seed must be given by someone.";
    SeedNowMissing "seed/now-missing" Error refuses, "`seedSource` is timestamp but no `now` is given", "pass `now` (milliseconds since 1970), on the command line --now",
        "The core has no clock: a seed from the time needs the time as an option.";
    SeedMalformed "seed/malformed" Error refuses, "a seed is a whole number or a text of 1 to 128 characters", "",
        "A seed is a whole number within ±(2^53-1) or a text of 1 to 128 Unicode scalar values. An empty text counts as absent.";

    RatingExceedsWorld "rating/exceeds-world" Error, "the content rating {0} is above the world's maximum {1}", "lower the rating, or raise the world's `maxContentRating`",
        "The world bounds what may be generated in it. Where it says nothing the bound is romantic. A build lowers the rating and says so.";
    RatingExceedsUser "rating/exceeds-user" Error, "the content rating {0} is above the user's maximum {1}", "lower the rating, or change the user's preference",
        "The user bounds what is generated for them. Where they say nothing the bound is romantic. A build lowers the rating and says so.";
    RatingRestricted "rating/restricted" Warning, "the content rating is restricted", "",
        "Restricted content is refused by most providers and needs an explicit bound of world and user.";
    RatingUnknownMaximum "rating/unknown-maximum" Error refuses, "`{0}` is not a rating", "use one of sfw, romantic, mature_implied, restricted",
        "A bound that is no rating bounds nothing, or everything. Both are wrong, so it is refused.";

    SocialIntenseBand "social/intense-band" Warning, "the intimacy band is intense", "",
        "The most intense band is generated for mature ratings only; check that it is meant.";
    SocialNpcIdsMissing "social/npc-ids-missing" Warning, "an npc_response with a social context names no npc", "list the npcs in `npcIds`",
        "Without npc ids two responses of different npcs have one identity.";
    SocialContextMissing "social/context-missing" Suggestion, "no social context: a {0} usually has one", "add `socialContext`, or build with a session and npc ids",
        "Dialogue and npc responses depend on the relationship. Without a social context they are made as for strangers.";
    SocialUnknownLevel "social/unknown-level" Error, "neither the table nor the world knows the level `{0}`", "use a level of the table, or declare it in the world",
        "Levels are exact names. A build treats an unknown one as none and sfw, which is rarely meant.";

    StyleMoodsMissing "style/moods-missing" Warning, "a transition without `{0}`", "give both `moodFrom` and `moodTo`",
        "A transition leads from one mood to another; without both the provider guesses.";
    StyleUnknownPacing "style/unknown-pacing" Error refuses, "`{0}` is not a pacing", "use one of slow, medium, fast",
        "`pacing` is slow, medium or fast.";
    StyleUnknownTransition "style/unknown-transition" Error refuses, "`{0}` is not a transition type", "use one of gradual, abrupt",
        "`transitionType` is gradual or abrupt.";
    StyleAbruptAndSlow "style/abrupt-and-slow" Warning, "an abrupt transition with slow pacing contradicts itself", "change one of the two",
        "Abrupt asks for a cut, slow for a long change.";
    StyleMissing "style/missing" Suggestion, "a transition without `style`", "add a style with moods, pacing and transition type",
        "A transition is described by its style.";

    RatingExceedsConstraint "rating/exceeds-constraint" Warning, "the content rating {0} is above what the constraint {1} allows ({2})", "lower the rating, or loosen the constraint",
        "The constraint's film rating bounds the content rating: G and PG allow sfw, PG-13 romantic, R mature_implied. A build lowers it.";
    ConstraintsRequiredAndAvoided "constraints/required-and-avoided" Error, "`{0}` is both required and avoided", "remove it from one of the lists",
        "No picture can both show and not show it.";
    ConstraintsEmptyRequired "constraints/empty-required" Warning, "`requiredElements` is empty", "remove it, or list elements",
        "An empty list says nothing; it is probably a leftover.";
    ConstraintsEmptyAvoided "constraints/empty-avoided" Warning, "`avoidElements` is empty", "remove it, or list elements",
        "An empty list says nothing; it is probably a leftover.";
    ConstraintsEmptyRules "constraints/empty-rules" Warning, "`contentRules` is empty", "remove it, or list rules",
        "An empty list says nothing; it is probably a leftover.";
    ConstraintsManyRequired "constraints/many-required" Warning, "{0} required elements are many: providers tend to lose some beyond 5", "keep the ones that matter",
        "More than 5 required elements are rarely all shown.";
    ConstraintsManyAvoided "constraints/many-avoided" Warning, "{0} avoided elements are many: providers tend to ignore some beyond 10", "keep the ones that matter",
        "More than 10 avoided elements are rarely all avoided.";

    DurationMinExceedsMax "duration/min-exceeds-max" Error, "`min` {0} is above `max` {1}", "swap or change them",
        "The shortest allowed duration is longer than the longest.";
    DurationTargetBelowMin "duration/target-below-min" Error, "`target` {0} is below `min` {1}", "move the target into the range",
        "The wanted duration lies outside of the allowed range.";
    DurationTargetAboveMax "duration/target-above-max" Error, "`target` {0} is above `max` {1}", "move the target into the range",
        "The wanted duration lies outside of the allowed range.";
    DurationNegativeMin "duration/negative-min" Error, "`min` {0} is negative", "durations are seconds from 0",
        "Durations are seconds and not negative.";
    DurationNegativeMax "duration/negative-max" Error, "`max` {0} is negative", "durations are seconds from 0",
        "Durations are seconds and not negative.";
    DurationNegativeTarget "duration/negative-target" Error, "`target` {0} is negative", "durations are seconds from 0",
        "Durations are seconds and not negative.";
    DurationShortTransition "duration/short-transition" Warning, "a transition of at most {0} s is very short", "allow at least 2 s",
        "A transition shorter than 2 seconds is hardly seen.";
    DurationVeryLong "duration/very-long" Warning, "a maximum of {0} s is very long", "check the unit: durations are seconds",
        "More than 300 seconds is beyond what providers make; often milliseconds were meant.";
    DurationTargetMissing "duration/target-missing" Suggestion, "`min` and `max` without `target`", "say which duration is wanted",
        "With a target the provider need not guess within the range.";
    DurationTightRange "duration/tight-range" Warning, "the range of {0} s leaves no room", "allow at least 1 s between `min` and `max`",
        "Providers make durations in steps; a range under a second may hold none.";
    DurationMissing "duration/missing" Warning, "a {0} without `duration`", "add a duration",
        "Transitions and dialogue are timed.";

    FallbackDefaultContentMissing "fallback/default-content-missing" Error, "the fallback default_content needs `defaultContentId`", "name the content that is shown instead",
        "Without an id there is nothing to fall back on.";
    FallbackRetriesOutOfRange "fallback/retries-out-of-range" Warning, "`maxRetries` {0} is out of the range 0 to 5", "use 0 to 5",
        "Negative means nothing; more than 5 retries rarely help and always cost.";
    FallbackTimeoutShort "fallback/timeout-short" Warning, "`timeoutMs` {0} is under a second", "allow at least 1000 ms",
        "No provider answers in less than a second; often seconds were meant.";
    FallbackTimeoutLong "fallback/timeout-long" Warning, "`timeoutMs` {0} is over a minute", "allow at most 60000 ms",
        "A player does not wait for more than a minute.";
    FallbackPlaceholderTransition "fallback/placeholder-transition" Warning, "a placeholder in a transition breaks the flow", "use skip or default_content",
        "A placeholder picture between two scenes is worse than a cut.";
    FallbackSkipGapFill "fallback/skip-gap-fill" Warning, "skipping a gap_fill leaves the gap", "use default_content or placeholder",
        "The node exists to fill a gap; skipping it shows the gap.";
    FallbackMissing "fallback/missing" Error, "`fallback` is required", "say what happens when generation fails",
        "Every generation can fail; the game must know what to show then.";
    StrategyAlwaysRegenerates "strategy/always-regenerates" Warning, "the strategy always pays for every view", "use once, per_playthrough or per_player where results may be kept",
        "Nothing is ever reused under this strategy, so it has no cache key.";
    StrategyPreferPerPlaythrough "strategy/prefer-per-playthrough" Suggestion, "a gap_fill transition is usually made once a playthrough", "set the strategy to per_playthrough",
        "A transition that changes at each view costs much and helps little.";

    InputsPromptMissing "inputs/prompt-missing" Error refuses, "the operation {0} needs a prompt", "give `prompt` or `templateId`",
        "text_to_image, image_to_image, text_to_video and image_to_video need a prompt that is not blank; a template satisfies it.";
    InputsImageMissing "inputs/image-missing" Error refuses, "the operation {0} needs an image", "give `imageUrl` or `imageUrls`, or an npc with a base image (on the command line --npcs)",
        "image_to_video and image_to_image start from at least one image: imageUrl, imageUrls, or the npc's base image for an npc_response.";
    InputsImagesTooFew "inputs/images-too-few" Error refuses, "a transition needs at least two images, found {0}", "list the images in `imageUrls`",
        "A video transition leads from image to image (imageUrl counts as one).";
    InputsPromptCount "inputs/prompt-count" Error refuses, "{0} images need {1} prompts in `prompts`, found {2}", "give one prompt for each step from image to image",
        "A video transition has one prompt fewer than images.";
    InputsVideoMissing "inputs/video-missing" Error refuses, "extending a video needs the video", "give `videoUrl` or `originalVideoId`",
        "video_extend continues an existing video.";
    InputsFusionMissing "inputs/fusion-missing" Error refuses, "a fusion needs assets, each with a `ref`", "list them in `fusionAssets`",
        "A fusion puts subjects and a background together.";
    InputsExpiringUrl "inputs/expiring-url" Warning, "this URL carries a signature or an expiry: it will stop working", "upload the file and use `asset:<id>`",
        "Signed URLs expire, and each signature is another text: the same picture would get another key every time.";

    ScopePlaythroughMissing "scope/playthrough-missing" Error refuses, "a playthrough id is needed and none is given", "pass a session, or `playerContext.playthroughId`; on the command line --session",
        "The strategy or the seed source is tied to a playthrough. There is no \"unknown\" scope: players would share results.";
    ScopePlayerMissing "scope/player-missing" Error refuses, "a player id is needed and none is given", "pass a session or user, or `playerContext.playerId`; on the command line --session or --user",
        "The strategy or the seed source is tied to a player. There is no \"unknown\" scope: players would share results.";

    PromptUnknownVariable "prompt/unknown-variable" Error refuses, "the prompt uses {0} without a value", "give a value in `variables`, or write `{{{{` for a literal `{{`",
        "A placeholder names a variable that neither the template's defaults, the config nor the options give. All missing names are listed.";
    PromptBadPlaceholder "prompt/bad-placeholder" Error refuses, "a malformed placeholder starts at character {0}", "write `{{ name }}`, or `{{{{` for a literal `{{`",
        "A `{{` must open `{{ name }}` with a name of letters, digits, `_`, `.` and `-` (at most 64). `{{{{` writes `{{`.";
    PromptVariableType "prompt/variable-type" Error refuses, "the variable `{0}` is {1}, {2}", "use a text, a number, true or false, as the template declares it",
        "Values are data: text as it is, numbers as JavaScript prints them, true and false. Objects and lists have no one text. Where a template declares a variable's type, its value is of that type.";
    PromptUnusedVariable "prompt/unused-variable" Warning, "the variable `{0}` is given but no prompt uses it", "remove it, or use it",
        "A variable of the config that no text of the node uses is probably misspelled.";
    PromptFlagged "prompt/flagged" Warning, "the text holds the flagged term `{0}`", "",
        "World, provider or tenant list this term as one to look at. Terms match whole words in any case.";
    PromptTooLong "prompt/too-long" Error, "the text has {0} characters; the provider takes {1}", "shorten it",
        "Counted in Unicode scalar values after rendering, against the provider's limit.";
    PromptBlocked "prompt/blocked" Error, "the text holds the blocked term `{0}`", "rephrase it",
        "World, provider or tenant block this term. Terms match whole words in any case.";
    ProviderUnsupportedOperation "provider/unsupported-operation" Error, "the provider `{0}` does not offer {1}", "choose another provider; it offers {2}",
        "The provider's declared operations do not include the one this node needs.";
    ProviderUnknownSetting "provider/unknown-setting" Warning, "the provider `{0}` declares no setting `{1}`", "see `onepath providers` for its settings",
        "Settings that a provider does not declare are usually ignored by it, but they are part of the identity.";
    ProviderSettingOperation "provider/setting-operation" Warning, "the setting `{0}` does nothing for {1}", "remove it, or choose a type that it belongs to",
        "The provider declares the setting for other operations. It is part of the identity all the same.";
    ProviderSettingType "provider/setting-type" Warning, "the setting `{0}` takes {1}, not {2}", "",
        "A provider refuses a value of another kind than it declares.";
    ProviderSettingValue "provider/setting-value" Warning, "`{1}` is none of the values of the setting `{0}`", "use one of {2}",
        "The provider declares a closed set of values and refuses others.";
    ProviderSettingRange "provider/setting-range" Warning, "{1} is out of the range of the setting `{0}`", "use {2}",
        "The provider declares the smallest and the largest value and refuses what lies beyond.";
    ProviderUnknown "provider/unknown" Warning, "the provider `{0}` is not known here", "pass its description as `provider` (on the command line --provider-info), or use one of `onepath providers`",
        "Without the provider's declaration its defaults are not known, so there is no hash and no key yet.";
    NodeDuplicateId "node/duplicate-id" Error, "another {0} of this file has the id `{1}`", "give every {0} its own id",
        "Ids of nodes, and of scenes, are unique in a file.";
    SceneUnknown "scene/unknown" Error, "no {1} of this file has the id `{0}`", "name an existing one, or write the scene in place",
        "A node's scenes and an edge's ends are ids of the same file, or whole scenes written in place.";
}
