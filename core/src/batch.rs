//! One line of JSON in, one line out: the doors of `onepath batch` and of other languages.

use serde::Serialize;

use crate::build::prepare_with;
use crate::canonical::canonicalize;
use crate::config::GenerationNodeConfig;
use crate::context::{BuildOptions, Session, SocialContextConfig, User, World};
use crate::decode::{Decode, Decoded, Text, decode, record};
use crate::facts::{Facts, Known};
use crate::finding::{Finding, Report};
use crate::fingerprint::BandTrail;
use crate::id::Id;
use crate::json::locate::locate;
use crate::json::value::Map;
use crate::prompt::render_prompt;
use crate::rating::{BoundBy, BoundsOption, Rating, RatingTrail, bound, bounds_option};
use crate::social::GenerationSocialContext;
use crate::validate;

/// What is done with each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BatchOp {
    /// `{config, world?, user?}` to a [`Report`].
    Validate,
    /// `{config, options}` to a request.
    Build,
    /// `{session, world?, npcIds?, config?, bounds?}` to a social context with `rating` and `band`.
    Social,
    /// `{config, options}` to a fingerprint.
    Fingerprint,
    /// Any JSON to its canonical text.
    Canon,
    /// `{rating, worldMax?, userMax?}` to `{rating, bound_by?}`; an absent maximum bounds nothing.
    Clamp,
    /// `{template, variables}` to `{text}`.
    Render,
    /// `{canonical_params, inputs}` to `{sha256}`, the hash of 2025.
    #[cfg(feature = "legacy")]
    LegacyHash,
    /// `{config, options}` to `{key}`, the old TypeScript form.
    #[cfg(feature = "legacy")]
    LegacyKey,
}

impl BatchOp {
    /// Every operation with its name on the command line.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("validate", Self::Validate),
        ("build", Self::Build),
        ("social", Self::Social),
        ("fingerprint", Self::Fingerprint),
        ("canon", Self::Canon),
        ("clamp", Self::Clamp),
        ("render", Self::Render),
        #[cfg(feature = "legacy")]
        ("legacy-hash", Self::LegacyHash),
        #[cfg(feature = "legacy")]
        ("legacy-key", Self::LegacyKey),
    ];

    /// The operation of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, op)| *op)
    }
}

record! {
    /// A line of `validate`.
    struct ValidateLine<'a>("a line of `validate`", unknown: refuse) {
        /// What is checked.
        config: GenerationNodeConfig<'a> = "config", required JsonWrongType;
        /// The world it is checked against.
        world: Option<World<'a>> = "world";
        /// The user it is checked against.
        user: Option<User<'a>> = "user" | "userPrefs" | "user_prefs";
    }
}

record! {
    /// A line of `build` and `fingerprint`.
    struct BuildLine<'a>("a line of `build`", unknown: refuse) {
        /// What is built.
        config: GenerationNodeConfig<'a> = "config", required JsonWrongType;
        /// With what.
        options: Option<BuildOptions<'a>> = "options";
    }
}

record! {
    /// A line of `social`.
    #[derive(Default)]
    struct SocialLine<'a>("a line of `social`", unknown: refuse) {
        /// The playthrough's state.
        session: Option<Session<'a>> = "session";
        /// The world.
        world: Option<World<'a>> = "world";
        /// The npcs, in order.
        npc_ids: Option<Vec<Id<'a>>> = "npcIds";
        /// How the context is made.
        config: Option<SocialContextConfig> = "config";
        /// Bounds on top of those of the world.
        bounds: Option<BoundsOption> = "bounds" with bounds_option as Option<crate::rating::BoundsForm>;
    }
}

record! {
    /// A line of `clamp`.
    struct ClampLine("a line of `clamp`", unknown: refuse) {
        /// What is asked.
        rating: Rating = "rating", required JsonWrongType;
        /// What the world allows.
        world_max: Option<Rating> = "worldMax" with bound;
        /// What the user allows.
        user_max: Option<Rating> = "userMax" with bound;
    }
}

record! {
    /// A line of `render`.
    struct RenderLine<'a>("a line of `render`", unknown: refuse) {
        /// The text with placeholders.
        template: Text<'a> = "template", required JsonWrongType;
        /// Their values.
        variables: Option<Map<'a>> = "variables";
    }
}

/// Does one line. A line that is refused or broken gives
/// `{"error": {"message": …, "findings": […]}}`; pointers lead into the line.
///
/// ```
/// use onepath_core::{BatchOp, batch};
///
/// assert_eq!(batch(BatchOp::Canon, "[1.0, 2]"), "[1,2]");
/// assert_eq!(
///     batch(BatchOp::Clamp, r#"{"rating": "restricted", "userMax": "romantic"}"#),
///     r#"{"rating":"romantic","bound_by":"user"}"#,
/// );
/// assert!(batch(BatchOp::Canon, "{").starts_with(r#"{"error":{"message":"this is not JSON: "#));
/// ```
#[must_use]
pub fn batch(op: BatchOp, line: &str) -> String {
    let answer = match op {
        BatchOp::Validate => validate_line(line),
        BatchOp::Build => build_line(line, |prepared| json(&prepared.0)),
        BatchOp::Fingerprint => build_line(line, |prepared| json(&prepared.1)),
        BatchOp::Social => social_line(line),
        BatchOp::Canon => canonicalize(line).map_err(crate::Refusal::into_findings),
        BatchOp::Clamp => clamp_line(line),
        BatchOp::Render => render_line(line),
        #[cfg(feature = "legacy")]
        BatchOp::LegacyHash => crate::legacy::legacy_hash(line)
            .map(|hash| format!("{{\"sha256\":\"{hash}\"}}"))
            .map_err(crate::Refusal::into_findings),
        #[cfg(feature = "legacy")]
        BatchOp::LegacyKey => crate::legacy::legacy_key(line)
            .map(|key| json(&serde_json::json!({ "key": key })))
            .map_err(crate::Refusal::into_findings),
    };
    answer.unwrap_or_else(|findings| error(&findings))
}

/// The answer to a line that is refused.
fn error(findings: &[Finding]) -> String {
    #[derive(Serialize)]
    struct Refused<'f> {
        message: String,
        findings: &'f [Finding],
    }
    #[derive(Serialize)]
    struct Answer<'f> {
        error: Refused<'f>,
    }
    let message = findings.first().map(Finding::message).unwrap_or_default();
    json(&Answer { error: Refused { message, findings } })
}

fn json(value: &impl Serialize) -> String {
    // The types of this crate always serialise: their maps have text for names.
    serde_json::to_string(value).unwrap_or_default()
}

type Answer = Result<String, Vec<Finding>>;

/// Reads a line; a value that could not be read at all is refused.
fn read<'a, T: Decode<'a>>(line: &'a str) -> Result<(T, Vec<Finding>), Vec<Finding>> {
    let Decoded { value, faults } = decode::<T>(line);
    value.map(|value| (value, faults.clone())).ok_or(faults)
}

/// A fault's pointer as rules have it: bare for the config, below `/options` for the rest.
fn rule_faults(faults: &[Finding]) -> Vec<Finding> {
    let as_rule = |fault: &Finding| {
        let mut fault = fault.clone();
        let pointer = match fault.pointer().strip_prefix("/config") {
            Some(rest) => rest.to_owned(),
            None if fault.pointer().starts_with("/options") => fault.pointer().to_owned(),
            None => format!("/options{}", fault.pointer()),
        };
        fault.set_pointer(pointer);
        fault
    };
    faults.iter().map(as_rule).collect()
}

/// Puts a rule's finding into the line, spelled as the line spells it.
fn place(line: &str, mut finding: Finding, options: &str) -> Finding {
    let pointer = match finding.pointer().strip_prefix("/options") {
        Some(rest) => format!("{options}{rest}"),
        None => format!("/config{}", finding.pointer()),
    };
    finding.set_pointer(locate(line, &pointer).pointer);
    finding
}

fn validate_line(line: &str) -> Answer {
    let (read, mut findings) = read::<ValidateLine<'_>>(line)?;
    let ours = |finding: &Finding| {
        ["/config", "/world", "/user"].iter().any(|part| finding.pointer().starts_with(part))
    };
    if !findings.iter().all(ours) {
        return Err(findings);
    }
    let options = BuildOptions { world: read.world, user: read.user, ..BuildOptions::default() };
    let facts = Facts::new(&read.config, &options, Known::Given);
    let rules = validate::run(&facts, &rule_faults(&findings), false);
    findings.extend(rules.into_iter().map(|finding| place(line, finding, "")));
    Ok(json(&Report::new(findings)))
}

fn build_line(
    line: &str,
    answer: impl Fn(&(crate::GenerateContentRequest<'_>, crate::Fingerprint)) -> String,
) -> Answer {
    let (read, faults) = read::<BuildLine<'_>>(line)?;
    let options = read.options.unwrap_or_default();
    let prepared = prepare_with(&read.config, &options, &rule_faults(&faults), true);
    if faults.is_empty()
        && let Some(made) = &prepared.made
    {
        return Ok(answer(made));
    }
    let rules = prepared.report.into_findings().into_iter();
    Err(faults.into_iter().chain(rules.map(|finding| place(line, finding, "/options"))).collect())
}

fn social_line(line: &str) -> Answer {
    #[derive(Serialize)]
    struct Social<'s> {
        #[serde(flatten)]
        context: GenerationSocialContext<'s>,
        rating: RatingTrail,
        band: BandTrail,
    }
    let (read, faults) = read::<SocialLine<'_>>(line)?;
    if !faults.is_empty() {
        return Err(faults);
    }
    let options = BuildOptions {
        session: read.session,
        world: read.world,
        npc_ids: read.npc_ids,
        social_context_config: read.config,
        bounds: read.bounds,
        ..BuildOptions::default()
    };
    let config = GenerationNodeConfig::default();
    let facts = Facts::new(&config, &options, Known::All);
    let context = match facts.social() {
        Ok(context) => context.clone(),
        Err(findings) => {
            let place = |finding: &Finding| {
                let mut finding = finding.clone();
                let rest = finding.pointer().strip_prefix("/options").unwrap_or("").to_owned();
                finding.set_pointer(locate(line, &rest).pointer);
                finding
            };
            return Err(findings.iter().map(place).collect());
        }
    };
    let rating =
        RatingTrail::new(context.rating(), [facts.world_bound(), facts.user_bound(), None, None]);
    let asked = context.band();
    let band = BandTrail { asked, effective: asked.min(rating.effective.allowed_band()) };
    Ok(json(&Social { context, rating, band }))
}

fn clamp_line(line: &str) -> Answer {
    #[derive(Serialize)]
    struct Clamped {
        rating: Rating,
        #[serde(skip_serializing_if = "Option::is_none")]
        bound_by: Option<BoundBy>,
    }
    let (read, faults) = read::<ClampLine>(line)?;
    if !faults.is_empty() {
        return Err(faults);
    }
    let trail = RatingTrail::new(read.rating, [read.world_max, read.user_max, None, None]);
    Ok(json(&Clamped { rating: trail.effective, bound_by: trail.bound_by }))
}

fn render_line(line: &str) -> Answer {
    let (read, faults) = read::<RenderLine<'_>>(line)?;
    if !faults.is_empty() {
        return Err(faults);
    }
    let variables = read.variables.unwrap_or_default();
    match render_prompt(&read.template, &variables) {
        Ok(text) => Ok(json(&serde_json::json!({ "text": text }))),
        Err(refusal) => Err(refusal.into_findings()),
    }
}
