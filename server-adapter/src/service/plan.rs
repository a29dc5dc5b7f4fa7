//! The plan of a create: what an envelope comes to, before anything is looked up. Pure.

use std::borrow::Cow;

use onepath_core::lifecycle::{RunPolicy, UnknownPolicy};
use onepath_core::{
    Code, CreateGenerationRequest, Decoded, Draft, Estimate, Fingerprint, GenerateContentRequest,
    Id, Integer, OwnBounds, ProviderInfo, RatingTrail, Rebound, Report, Severity, World, WorldMeta,
    decode, estimate_price, fingerprint, rebound, rerouted, review, to_json,
};

use super::Caller;
use super::prompts::Prompts;
use super::standing::Standing;
use crate::clock::parse_rfc3339;
use crate::live::Live;
use crate::problem::{Fault, Problem, ProblemCode};
use crate::provider::Providers;
use crate::store::{Asked, Input, Millis, NewGeneration, Other, Role};

/// What an envelope comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The generation that would be created; its id and its trace are empty, and nobody has looked
    /// whether its inputs are there.
    pub new: NewGeneration,
    /// All findings, warnings and suggestions included.
    pub report: Report,
    /// Whether the server's bounds lowered what takes effect.
    pub lowered: bool,
    /// What a run is expected to cost.
    pub price: Estimate,
}

/// What a plan is made with.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'s> {
    /// Who asks.
    pub caller: &'s Caller,
    /// Where they stand: the server's bounds, and its row of the world.
    pub standing: &'s Standing,
    /// Who makes things.
    pub providers: &'s Providers,
    /// Attempts that a run may spend, unless an operator says otherwise.
    pub attempts: u32,
    /// What a run reserves whose price is not known, in micro-dollars, unless an operator says
    /// otherwise.
    pub unknown_price: i64,
    /// What operators have changed.
    pub live: &'s Live,
    /// The families and terms that it is built with.
    pub prompts: &'s Prompts,
    /// The server's clock.
    pub now: Millis,
}

/// Takes an envelope that was read, builds or verifies its request under the server's bounds, and fingerprints.
///
/// # Errors
///
/// `STRUCTURED_CONFIG_REQUIRED`, `VALIDATION_ERROR` with every fault,
/// `CANONICAL_MISMATCH` with the declared fields that differ, `FORBIDDEN` for another's player.
pub fn plan(
    mut read: Decoded<CreateGenerationRequest<'_>>,
    setting: &Setting<'_>,
) -> Result<Plan, Problem> {
    // A request is taken out of its envelope: it is carried on and not copied.
    let request = read.value.as_mut().and_then(|envelope| envelope.request.take());
    let envelope = read.value.as_ref().ok_or_else(|| Problem::findings(&read.faults))?;
    let outcome = match (&envelope.config, request) {
        (Some(_), Some(_)) => {
            return Err(Problem::faults(vec![Fault::new(
                "/request",
                "envelope/both",
                "a create holds `config` or `request`, not both",
            )]));
        }
        (None, None) if !read.faults.iter().any(|fault| is_about_what(fault.pointer())) => {
            return Err(structured_config_required());
        }
        (None, None) => return Err(Problem::findings(&read.faults)),
        (Some(_), None) => of_config(envelope, &read, setting)?,
        (None, Some(request)) => of_request(envelope, request, &read, setting)?,
    };
    Ok(outcome)
}

/// Whether a fault is about the config or the request as a whole: one was sent.
fn is_about_what(pointer: &str) -> bool {
    ["/config", "/request"].iter().any(|name| {
        pointer.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Reads an envelope: with its faults, as far as it is JSON.
///
/// # Errors
///
/// `MALFORMED_JSON`.
pub fn envelope(text: &str) -> Result<Decoded<CreateGenerationRequest<'_>>, Problem> {
    let read = decode(text);
    if read.faults.iter().any(|fault| fault.code() == Code::JsonSyntax) {
        return Err(Problem::unread(text, &read.faults));
    }
    Ok(read)
}

/// The answer to flat payloads.
fn structured_config_required() -> Problem {
    Problem::new(
        ProblemCode::StructuredConfigRequired,
        "send `config`, a node config such as {\"generationType\": \"text_to_image\", \"purpose\": \
         \"ambient\", \"strategy\": \"once\", \"prompt\": \"…\", \"fallback\": {\"mode\": \"skip\"}}, with \
         `provider_id` beside it, or `request` with its `request_hash`; flat parameters are not \
         read (/schema/create-generation-request.schema.json)",
    )
}

fn of_config(
    envelope: &CreateGenerationRequest<'_>,
    read: &Decoded<CreateGenerationRequest<'_>>,
    setting: &Setting<'_>,
) -> Result<Plan, Problem> {
    let mut faults = members(envelope);
    if envelope.provider_id.is_none() && !has_fault_at(read, "/provider_id") {
        faults.push(Fault::new("/provider_id", "provider/missing", "a provider is required"));
    }
    let own: OwnBounds = setting.standing.own();
    let with_world = own_world(envelope, setting.standing)?;
    let envelope = with_world.as_ref().unwrap_or(envelope);
    let Some(draft) = Draft::new(envelope, own, Integer::new(setting.now)) else {
        return Err(structured_config_required());
    };
    let draft = setting.prompts.complete(described(draft, envelope, setting.providers));
    check_player(draft.player_id(), setting.caller)?;
    let prepared = draft.prepare(&read.faults);
    let strict = envelope.strict == Some(true);
    faults.splice(0..0, errors(&prepared.report, strict));
    let Some((request, print)) = prepared.made.filter(|_| faults.is_empty()) else {
        return Err(Problem::faults(faults));
    };
    known_provider(&request, setting.providers)?;
    let lowered = is_lowered(&prepared.report);
    finish(envelope, request, &print, prepared.report, lowered, setting)
}

/// A draft with what the server's own provider declares, if it is one that core does not know.
pub(super) fn described<'a>(
    draft: Draft<'a>,
    envelope: &CreateGenerationRequest<'a>,
    providers: &Providers,
) -> Draft<'a> {
    let asked = envelope.provider_id.as_ref().and_then(|id| providers.get(id.as_str()));
    match asked {
        Some(provider) => draft.with_provider(provider.info()),
        None => draft,
    }
}

/// The envelope with the server's own world in place of the one that was given: what a world
/// declares is the server's to say, if it has a row. The bound that was given still lowers.
pub(super) fn own_world<'e>(
    envelope: &CreateGenerationRequest<'e>,
    standing: &'e Standing,
) -> Result<Option<CreateGenerationRequest<'e>>, Problem> {
    let Some(row) = &standing.world else { return Ok(None) };
    let mut meta = decode::<WorldMeta<'_>>(&row.meta).into_result().map_err(|error| {
        tracing::error!(%error, world = %row.id, "a world's meta cannot be read");
        Problem::new(ProblemCode::InternalError, "the world's own settings cannot be read")
    })?;
    let given = envelope.world.as_ref().and_then(|world| world.meta.as_ref());
    let given = given.and_then(|meta| meta.generation.as_ref()?.max_content_rating);
    if let Some(given) = given {
        let generation = meta.generation.get_or_insert_default();
        let own = generation.max_content_rating.unwrap_or(given);
        generation.max_content_rating = Some(own.min(given));
    }
    let world = World {
        id: Id::new(row.id.as_str()),
        name: row.name.as_deref().map(Cow::Borrowed),
        meta: Some(meta),
    };
    Ok(Some(CreateGenerationRequest { world: Some(world), ..envelope.clone() }))
}

fn of_request(
    envelope: &CreateGenerationRequest<'_>,
    request: GenerateContentRequest<'_>,
    read: &Decoded<CreateGenerationRequest<'_>>,
    setting: &Setting<'_>,
) -> Result<Plan, Problem> {
    let mut faults: Vec<Fault> = read.faults.iter().map(Fault::from).collect();
    faults.extend(members(envelope));
    faults.extend(belongs_to_configs(envelope));
    let other = envelope
        .provider_id
        .as_ref()
        .is_some_and(|id| request.provider_id.as_ref().is_some_and(|of_request| of_request != id));
    if other {
        faults.push(Fault::new(
            "/provider_id",
            "provider/differs",
            "the request names another provider",
        ));
    }
    let Some(declared) = envelope.request_hash.as_deref() else {
        faults.push(Fault::new(
            "/request_hash",
            "envelope/hash-missing",
            "a request comes with its `request_hash`",
        ));
        return Err(Problem::faults(faults));
    };
    if !faults.is_empty() {
        return Err(Problem::faults(faults));
    }
    let player = request.player_context.as_ref().and_then(|player| player.player_id.as_ref());
    check_player(player.map(onepath_core::Id::as_str), setting.caller)?;
    let info = known_provider(&request, setting.providers)?;
    let strict = envelope.strict == Some(true);
    let in_request =
        |fault: Fault| Fault { pointer: format!("/request{}", fault.pointer), ..fault };
    let print = fingerprint(&request, Some(info)).map_err(|refusal| {
        Problem::faults(refusal.findings().iter().map(|f| in_request(Fault::from(f))).collect())
    })?;
    verify(&request, declared, &print)?;
    // What the server allows counts from here on.
    let own = setting.standing.own();
    let bound = if own.add_to(&request) {
        rebound(&request, own, Some(info))
    } else {
        Rebound { request, lowered: false }
    };
    let request = bound.request;
    let print = if bound.lowered {
        let print = fingerprint(&request, Some(info))
            .map_err(|refusal| Problem::findings(refusal.findings()))?;
        if strict {
            return Err(not_as_declared(declared, &print));
        }
        print
    } else {
        print
    };
    let mut findings = review(&request, Some(info), setting.prompts.terms()).into_findings();
    for finding in &mut findings {
        finding.rebase("/request");
    }
    let report = Report::from(findings);
    let faults = errors(&report, false);
    if !faults.is_empty() {
        return Err(Problem::faults(faults));
    }
    finish(envelope, request, &print, report, bound.lowered, setting)
}

/// A declared hash or key must be the computed one, under the request's own bounds.
fn verify(
    request: &GenerateContentRequest<'_>,
    declared: &str,
    print: &Fingerprint,
) -> Result<(), Problem> {
    let Some(hashes) = &print.hashes else {
        return Err(Problem::faults(pending(print, "/request")));
    };
    let mut faults = Vec::new();
    let computed = hashes.request.to_string();
    if declared != computed {
        faults.push(mismatch("/request_hash", declared, &computed));
    }
    let key = print.cache_key.as_deref();
    if let Some(declared) = request.cache_key.as_deref()
        && Some(declared) != key
    {
        faults.push(mismatch("/request/cache_key", declared, key.unwrap_or("no key")));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let detail = "the request is not the one that was hashed: it was changed on the way, or built \
                  by other code; build it again";
    Err(Problem::new(ProblemCode::CanonicalMismatch, detail).with(faults))
}

fn mismatch(pointer: &str, declared: &str, computed: &str) -> Fault {
    let shown: String = declared.chars().take(200).collect();
    Fault::new(pointer, "canonical/mismatch", format!("declared {shown}, computed {computed}"))
}

/// Strict, and the server's bounds change the hash.
fn not_as_declared(declared: &str, print: &Fingerprint) -> Problem {
    let computed = print.hashes.as_ref().map(|hashes| hashes.request.to_string());
    let detail = "the server's bounds lower this request, and `strict` forbids it: build it with \
                  the bounds that preflight tells";
    Problem::new(ProblemCode::CanonicalMismatch, detail).with(vec![
        mismatch("/request_hash", declared, computed.as_deref().unwrap_or("none")),
        Fault::new("/request/bounds", "rating/lowered", "the server's bounds are lower"),
    ])
}

/// The errors of a report; what bounds lower is none unless it must be as asked.
fn errors(report: &Report, strict: bool) -> Vec<Fault> {
    let clamped = |code| matches!(code, Code::RatingExceedsWorld | Code::RatingExceedsUser);
    let findings = report.findings().iter();
    findings
        .filter(|finding| finding.severity() == Severity::Error)
        .filter(|finding| strict || !clamped(finding.code()))
        .map(Fault::from)
        .collect()
}

fn is_lowered(report: &Report) -> bool {
    report
        .findings()
        .iter()
        .any(|finding| matches!(finding.code(), Code::RatingExceedsWorld | Code::RatingExceedsUser))
}

fn has_fault_at(read: &Decoded<CreateGenerationRequest<'_>>, pointer: &str) -> bool {
    read.faults.iter().any(|fault| fault.pointer() == pointer)
}

/// The faults of the members that only envelopes have.
fn members(envelope: &CreateGenerationRequest<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if envelope.name.as_ref().is_some_and(|name| name.chars().count() > 255) {
        faults.push(Fault::new(
            "/name",
            "envelope/name-too-long",
            "a name has up to 255 characters",
        ));
    }
    // One of the databases cannot keep it, and nobody can read it.
    let texts = [
        ("/name", envelope.name.as_deref()),
        ("/description", envelope.description.as_deref()),
        ("/world_id", envelope.world_id.as_ref().map(Id::as_str)),
        ("/workspace_id", envelope.workspace_id.as_ref().map(Id::as_str)),
    ];
    for (pointer, _) in
        texts.iter().filter(|(_, text)| text.is_some_and(|text| text.contains('\0')))
    {
        let detail = "the character U+0000 cannot be kept";
        faults.push(Fault::new(pointer, "envelope/null-character", detail));
    }
    faults.extend(named_twice(envelope));
    if envelope.priority.is_some_and(|priority| !(0..=10).contains(&priority.get())) {
        let detail = "a priority is 0 to 10; 0 goes first";
        faults.push(Fault::new("/priority", "envelope/priority-range", detail));
    }
    if envelope.scheduled_at.as_deref().is_some_and(|text| parse_rfc3339(text).is_none()) {
        let detail = "a time is RFC 3339 with an offset, such as 2026-11-23T20:00:00Z";
        faults.push(Fault::new("/scheduled_at", "envelope/not-a-time", detail));
    }
    faults
}

/// Old names of what the config says, too.
fn named_twice(envelope: &CreateGenerationRequest<'_>) -> Vec<Fault> {
    let Some(config) = &envelope.config else { return Vec::new() };
    let old = envelope.prompt_config.as_ref();
    let (id, version) = (config.template_id.is_some(), config.template_version_id.is_some());
    let (variables, prompt) = (config.variables.is_some(), config.prompt.is_some());
    let given = [
        ("/template_id", "templateId", envelope.template_id.is_some() && id),
        (
            "/prompt_version_id",
            "templateVersionId",
            envelope.prompt_version_id.is_some() && version,
        ),
        ("/template_variables", "variables", envelope.template_variables.is_some() && variables),
        (
            "/prompt_config",
            "templateId, templateVersionId, variables or prompt",
            old.is_some_and(|old| {
                old.family_id.is_some() && (id || envelope.template_id.is_some())
                    || old.version_id.is_some() && (version || envelope.prompt_version_id.is_some())
                    || old.variables.is_some()
                        && (variables || envelope.template_variables.is_some())
                    || old.inline_prompt.is_some() && prompt
            }),
        ),
    ];
    let given = given.into_iter().filter(|(_, _, twice)| *twice);
    let fault = |(pointer, name, _): (&str, &str, bool)| {
        let detail = format!("it says again what the config says: {name}");
        Fault::new(pointer, "json/duplicate-field", detail)
    };
    given.map(fault).collect()
}

/// Members that only mean something beside a config; beside a request they would be passed over.
fn belongs_to_configs(envelope: &CreateGenerationRequest<'_>) -> Vec<Fault> {
    let given = [
        ("/from_scene", envelope.from_scene.is_some()),
        ("/to_scene", envelope.to_scene.is_some()),
        ("/player_context", envelope.player_context.is_some()),
        ("/session", envelope.session.is_some()),
        ("/world", envelope.world.is_some()),
        ("/user", envelope.user.is_some()),
        ("/npc_ids", envelope.npc_ids.is_some()),
        ("/npcs", envelope.npcs.is_some()),
        ("/social_context", envelope.social_context.is_some()),
        ("/templates", envelope.templates.is_some()),
        ("/variables", envelope.variables.is_some()),
        ("/prompt", envelope.prompt.is_some()),
        ("/seed", envelope.seed.is_some()),
        ("/template_id", envelope.template_id.is_some()),
        ("/prompt_version_id", envelope.prompt_version_id.is_some()),
        ("/template_variables", envelope.template_variables.is_some()),
        ("/prompt_config", envelope.prompt_config.is_some()),
    ];
    let detail = "it belongs beside `config`; a request has it inside already";
    let given = given.into_iter().filter(|(_, given)| *given);
    given.map(|(pointer, _)| Fault::new(pointer, "envelope/belongs-to-config", detail)).collect()
}

/// A user speaks for themselves; a backend for its players.
fn check_player(player: Option<&str>, caller: &Caller) -> Result<(), Problem> {
    match player {
        Some(player) if caller.role == Role::User && player != caller.reader.user => {
            Err(Problem::new(
                ProblemCode::Forbidden,
                "the player is somebody else: only keys with the role `backend` act for players",
            ))
        }
        _ => Ok(()),
    }
}

fn known_provider<'p>(
    request: &GenerateContentRequest<'_>,
    providers: &'p Providers,
) -> Result<&'p ProviderInfo<'static>, Problem> {
    let id = request.provider_id.as_ref().map_or("", |id| id.as_str());
    let known = providers.get(id).map(|provider| provider.info());
    known.ok_or_else(|| {
        let all: Vec<&str> = providers.iter().map(|provider| provider.info().id.as_str()).collect();
        let mut fault = Fault::new(
            "/provider_id",
            if id.is_empty() { "provider/missing" } else { "provider/unknown" },
            if id.is_empty() {
                "a provider is required".to_owned()
            } else {
                format!("this server has no provider `{id}`")
            },
        );
        fault.help = Some(format!("it has: {}", all.join(", ")));
        Problem::faults(vec![fault])
    })
}

/// What is not known here and stops the fingerprint.
fn pending(print: &Fingerprint, base: &str) -> Vec<Fault> {
    let fault = |what: &String| match what.split_once(':') {
        Some(("template", id)) => Fault::new(
            &format!("{base}{}", if base == "/config" { "/templateId" } else { "/template/id" }),
            "template/unknown",
            format!(
                "the template `{id}`, or the version that is pinned, is not known here: keep it as \
                 a family of prompts, send it in `templates`, or send a prompt"
            ),
        ),
        _ => Fault::new("/provider_id", "provider/unknown", format!("{what} is not known here")),
    };
    print.pending.iter().map(fault).collect()
}

/// The most providers that are asked one after the other.
const MOST_OTHERS: usize = 8;

/// What is asked of other providers when the asked one is down, in the order of the request; those
/// that this server does not have, or that cannot make it, are left out.
fn others(
    request: &GenerateContentRequest<'_>,
    setting: &Setting<'_>,
) -> Result<Vec<Other>, Problem> {
    let mut others: Vec<Other> = Vec::new();
    for id in request.fallback_providers.iter().flatten() {
        let is_new = request.provider_id.as_ref() != Some(id)
            && others.iter().all(|other| other.provider != id.as_str());
        let Some(provider) = setting.providers.get(id.as_str()).filter(|_| is_new) else {
            continue;
        };
        let Some(other) = rerouted(request, provider.info()) else { continue };
        let reviewed = review(&other, Some(provider.info()), setting.prompts.terms());
        if !errors(&reviewed, false).is_empty() || others.len() == MOST_OTHERS {
            continue;
        }
        let print = fingerprint(&other, Some(provider.info()))
            .map_err(|refusal| Problem::findings(refusal.findings()))?;
        let Some(hashes) = &print.hashes else { continue };
        let price = provider.estimate(&other);
        let body = to_json(&other)
            .map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string()))?;
        others.push(Other {
            provider: id.as_str().to_owned(),
            request: body,
            request_hash: hashes.request.to_string(),
            price_credits: price.credits.and_then(|credits| i64::try_from(credits).ok()),
            reserved_micros: price
                .micros
                .and_then(|micros| i64::try_from(micros).ok())
                .unwrap_or(setting.unknown_price),
        });
    }
    Ok(others)
}

fn finish<'p>(
    envelope: &CreateGenerationRequest<'_>,
    mut request: GenerateContentRequest<'p>,
    print: &'p Fingerprint,
    report: Report,
    lowered: bool,
    setting: &Setting<'_>,
) -> Result<Plan, Problem> {
    let Some(hashes) = &print.hashes else {
        return Err(Problem::faults(pending(print, "/config")));
    };
    let price = estimate_price(&request, None);
    let fallback = request.fallback.as_ref();
    let mut policy = RunPolicy::new(
        fallback.and_then(|fallback| fallback.mode),
        fallback.and_then(|fallback| fallback.max_retries).map(onepath_core::Number::get),
        setting.live.attempts().unwrap_or(setting.attempts),
    );
    // A submission of which nothing was heard until the deadline ends without a charge, unless an
    // operator wants it to be sent once more.
    policy.unknown = setting.live.unknown().unwrap_or(UnknownPolicy::FailWithoutCharge);
    if let Some(others) = &envelope.fallback_providers {
        request.fallback_providers = Some(others.iter().cloned().map(Id::into_owned).collect());
    }
    let others = others(&request, setting)?;
    // The request that is carried out names the seed and the key that were computed.
    request.cache_key = print.cache_key.as_deref().map(Cow::Borrowed);
    let body = to_json(&request)
        .map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string()))?;
    let rating: RatingTrail = print.rating;
    let asked = Asked {
        request: body,
        generation_type: request.generation_type,
        operation: print.operation,
        provider: request.provider_id.as_ref().map_or("", |id| id.as_str()).to_owned(),
        strategy: request.strategy,
        request_hash: hashes.request.to_string(),
        family_hash: hashes.family.to_string(),
        cache_key: print.cache_key.clone(),
        seed: print.seed.clone(),
        rating,
        ttl_seconds: print.ttl_seconds,
        force_new: envelope.force_new == Some(true),
        price_micros: price.micros.and_then(|micros| i64::try_from(micros).ok()),
        price_credits: price.credits.and_then(|credits| i64::try_from(credits).ok()),
        reserved_micros: price
            .micros
            .and_then(|micros| i64::try_from(micros).ok())
            .or_else(|| setting.live.ceiling(print.operation))
            .unwrap_or(setting.unknown_price),
        world: world_id(envelope).map(str::to_owned),
        workspace: envelope.workspace_id.as_ref().map(|id| id.as_str().to_owned()),
        others,
        trace: String::new(),
        public: setting.standing.public.of(envelope.public).ok_or_else(kept_private)?,
    };
    let text = |text: Option<&Cow<'_, str>>| {
        text.filter(|text| !text.is_empty()).map(|text| text.clone().into_owned())
    };
    let inputs = own_assets(&request);
    let new = NewGeneration {
        id: String::new(),
        owner: setting.caller.reader.clone(),
        asked,
        policy,
        name: text(envelope.name.as_ref()),
        description: text(envelope.description.as_ref()),
        priority: envelope.priority.map_or(5, Integer::get),
        scheduled_at: envelope.scheduled_at.as_deref().and_then(parse_rfc3339),
        inputs,
        now: setting.now,
    };
    Ok(Plan { new, report, lowered, price })
}

/// The assets that a request starts from and whose ids are such as this server gives; any other id
/// is the game's own, and goes to the provider as it is.
fn own_assets(request: &GenerateContentRequest<'_>) -> Vec<Input> {
    let is_ours = |id: &&str| {
        id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    };
    let all = request.inputs.as_deref().unwrap_or_default().iter().enumerate();
    let own = all.filter_map(|(at, input)| {
        let id = input.reference.as_str().strip_prefix("asset:").filter(is_ours)?;
        Some(Input {
            position: i64::try_from(at).unwrap_or(i64::MAX),
            role: input.role.word().to_owned(),
            asset: id.to_owned(),
        })
    });
    own.collect()
}

/// The answer to whoever wants to show everybody what the server or the world keeps private.
fn kept_private() -> Problem {
    let detail = "what is made here stays private: leave `public` out";
    Problem::faults(vec![Fault::new("/public", "envelope/private", detail)])
}

/// The world that an envelope names.
pub(super) fn world_id<'e>(envelope: &'e CreateGenerationRequest<'_>) -> Option<&'e str> {
    let of_object = envelope.world.as_ref().and_then(|world| world.id.as_ref());
    envelope.world_id.as_ref().or(of_object).map(Id::as_str)
}
