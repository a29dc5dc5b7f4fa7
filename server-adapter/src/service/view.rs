//! What the service answers: generations and assets as they are on the wire.

use onepath_core::lifecycle::{ErrorCode, GenerationStatus, State};
use onepath_core::{
    Estimate, FallbackMode, Finding, GenerateContentRequest, GenerationType, Operation, Rating,
    RatingTrail, Report, Strategy,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::assets::AssetView;
use super::plan::Plan;
use super::{ServerBounds, Service};
use crate::clock::rfc3339;
use crate::live::Paused;
use crate::store::row::stage_word;
use crate::store::{Answer, Asked, Attempt, Deferral, Generation, Reader, Row, SyncStatus};

/// The answer to a create. Nothing in it moves or expires; follow `id` for the rest.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CreateGenerationResponse {
    /// The generation that answers.
    pub id: String,
    /// Its status when it answered.
    pub status: GenerationStatus,
    /// Whether a run was started, joined, or was not needed.
    pub answer: Answer,
    /// What the provider is asked to do.
    pub operation_type: Operation,
    /// Who is asked.
    pub provider_id: String,
    /// Hash of identity and seed.
    pub request_hash: String,
    /// Hash of the identity.
    pub family_hash: String,
    /// Where the result lies; absent under `always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_key: Option<String>,
    /// The seed; absent if the provider chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// As asked and as it takes effect.
    pub rating: RatingTrail,
    /// Whether the server's bounds lowered what takes effect.
    pub lowered: bool,
    /// What a run is expected to cost; hits and joins cost nothing.
    pub price: Estimate,
    /// Warnings and suggestions, and what was lowered.
    pub findings: Vec<Finding>,
    /// The provider's own id of the attempt; null until it was submitted.
    #[serde(rename = "predictionId")]
    #[schemars(schema_with = "text_or_null")]
    pub prediction_id: Option<String>,
    /// What the provider is sent, without secrets; null if it would not take it.
    pub settings: serde_json::Value,
}

impl CreateGenerationResponse {
    /// What is known before the store answers: as if a run were started.
    pub(super) fn of(plan: &Plan, settings: serde_json::Value) -> Self {
        let asked = &plan.new.asked;
        Self {
            id: String::new(),
            status: GenerationStatus::Pending,
            answer: Answer::Created,
            operation_type: asked.operation,
            provider_id: asked.provider.clone(),
            request_hash: asked.request_hash.clone(),
            family_hash: asked.family_hash.clone(),
            cache_key: asked.cache_key.clone(),
            seed: asked.seed.clone(),
            rating: asked.rating,
            lowered: plan.lowered,
            price: plan.price,
            findings: plan.report.findings().to_vec(),
            prediction_id: None,
            settings,
        }
    }

    /// With the row that answers.
    pub(super) fn answered_by(self, row: &Row, answer: Answer) -> Self {
        let prediction_id = row.prediction.clone();
        Self { id: row.id.clone(), status: row.status(), answer, prediction_id, ..self }
    }
}

/// How a create would be answered.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PreflightResponse {
    /// Whether a run would be started, joined, or is not needed.
    pub answer: Answer,
    /// The generation that would answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<String>,
    /// Hash of identity and seed.
    pub request_hash: String,
    /// Hash of the identity.
    pub family_hash: String,
    /// Where the result lies or would lie; absent under `always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_key: Option<String>,
    /// The seed; absent if the provider chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// As asked and as it takes effect.
    pub rating: RatingTrail,
    /// Whether the server's bounds lower what takes effect.
    pub lowered: bool,
    /// What a run would cost; 0 if none is needed.
    pub price: Estimate,
    /// What the server allows.
    pub bounds: PreflightBounds,
    /// What the rules find.
    pub findings: Vec<Finding>,
}

/// The ratings that the server allows.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct PreflightBounds {
    /// For the world.
    pub world: Rating,
    /// For the user.
    pub user: Rating,
}

impl PreflightResponse {
    pub(super) fn new(
        answer: Answer,
        row: Option<&Row>,
        plan: &Plan,
        bounds: ServerBounds,
    ) -> Self {
        let asked = &plan.new.asked;
        let free = Estimate { micros: Some(0), credits: Some(0), known: true };
        Self {
            answer,
            generation_id: row.map(|row| row.id.clone()),
            request_hash: asked.request_hash.clone(),
            family_hash: asked.family_hash.clone(),
            cache_key: asked.cache_key.clone(),
            seed: asked.seed.clone(),
            rating: asked.rating,
            lowered: plan.lowered,
            price: if answer == Answer::Created { plan.price } else { free },
            bounds: PreflightBounds { world: bounds.world, user: bounds.user },
            findings: plan.report.findings().to_vec(),
        }
    }
}

/// What the rules find.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ValidateResponse {
    /// Whether nothing is an error.
    pub valid: bool,
    /// The report.
    #[serde(flatten)]
    pub report: Report,
}

impl ValidateResponse {
    pub(super) fn new(report: Report) -> Self {
        Self { valid: report.is_valid(), report }
    }
}

/// One generation.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GenerationResponse {
    /// Its id.
    pub id: String,
    /// A whole number of its own within the tenant.
    pub number: i64,
    /// Where it stands.
    pub status: GenerationStatus,
    /// How the create that made it was answered: always `created`.
    pub answer: Answer,
    /// Who pays for it.
    pub user_id: String,
    /// What kind of content.
    pub generation_type: GenerationType,
    /// What the provider is asked to do.
    pub operation_type: Operation,
    /// Who is asked.
    pub provider_id: String,
    /// Who makes it instead, because those before were down; absent where nobody stood in. Such a
    /// result is no answer to what was asked, and to no later create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_provider: Option<String>,
    /// The hash of the request that was carried out there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_hash: Option<String>,
    /// Who shares the result.
    pub strategy: Strategy,
    /// The version of the family that its prompt came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_version_id: Option<String>,
    /// The prompt of `request`: the text that the provider is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_prompt: Option<String>,
    /// The whole request, as it is carried out.
    #[schemars(with = "GenerateContentRequest<'static>")]
    pub request: Box<RawValue>,
    /// Hash of identity and seed.
    pub request_hash: String,
    /// The same under its old name.
    pub reproducible_hash: String,
    /// Hash of the identity.
    pub family_hash: String,
    /// Where the result lies; absent under `always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_key: Option<String>,
    /// The seed; absent if the provider chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// As asked and as it takes effect.
    pub rating: RatingTrail,
    /// Why it failed, or what the last attempt ran into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// What stands in for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<FallbackMode>,
    /// How far the attempt is: `claimed`, `submitting`, `submit_unknown`, `submitted`, `settling`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<&'static str>,
    /// Whether its end is wished for.
    pub cancel_requested: bool,
    /// Number of the run, from 1; an explicit retry is the next.
    pub run: u32,
    /// Every submission to a provider.
    pub attempts: Vec<AttemptView>,
    /// When what happened, and how long it took.
    pub timings: Timings,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// For people.
    pub tags: Vec<String>,
    /// The world it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world_id: Option<String>,
    /// The folder in which it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The trace of the call that asked for it, by which it is found in logs; its owner sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What is set aside or was paid for the run.
    pub price: RowPrice,
    /// 0 to 10; 0 goes first.
    pub priority: i64,
    /// Not before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<String>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deferred_until: Option<String>,
    /// What it waits for until then, if something outside stands in its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deferred_reason: Option<Deferral>,
    /// Why it is not begun, if an operator has stopped that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// Whether the run takes, or took, longer than its operation may (`timings.overdue_at`); it goes
    /// on all the same.
    pub overdue: bool,
    /// When it stops being an answer to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether it answers other creates.
    pub reusable: bool,
    /// The first asset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_id: Option<String>,
    /// What was made.
    pub assets: Vec<AssetView>,
    /// The same in short, in order, as far as it is here: what a page shows.
    pub variants: Vec<VariantView>,
    /// The provider's own id of the last attempt; null until it was submitted.
    #[serde(rename = "predictionId")]
    #[schemars(schema_with = "text_or_null")]
    pub prediction_id: Option<String>,
    /// What the provider is sent, without secrets; its owner sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Value>,
    /// Changes with every change: the `ETag` of the answer.
    #[serde(skip)]
    pub tag: String,
}

/// A text, or null: it is always there.
fn text_or_null(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "oneOf": [{ "type": "string" }, { "type": "null" }] })
}

/// One of what was made, as a page shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VariantView {
    /// Its place, from 0.
    pub index: i64,
    /// The asset.
    pub asset_id: String,
    /// Where its file is read.
    pub url: String,
    /// Where a small picture of it is read; absent for videos.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
    /// Such as `image/png`.
    pub media_type: String,
    /// Pixels from left to right.
    pub width: i64,
    /// Pixels from top to bottom.
    pub height: i64,
    /// How long it plays, in milliseconds; absent if it does not move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
}

impl VariantView {
    /// Of an asset whose bytes are here.
    fn of(asset: &AssetView) -> Option<Self> {
        let (media, url) = (asset.media.as_ref()?, asset.url.clone()?);
        Some(Self {
            index: asset.index,
            asset_id: asset.id.clone(),
            url,
            thumbnail_url: asset.thumbnail_url.clone(),
            media_type: media.media_type.clone(),
            width: media.width,
            height: media.height,
            duration_ms: media.duration_ms,
        })
    }
}

/// What a run costs.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct RowPrice {
    /// Micro-dollars: the price or, where none is known, what the operator set aside.
    pub micros: i64,
    /// Whether a price is known.
    pub known: bool,
}

/// When what happened (RFC 3339), and how long it took.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Timings {
    /// Creation.
    pub created_at: String,
    /// Last change.
    pub updated_at: String,
    /// First submission of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// End of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// When the run takes longer than its operation may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue_at: Option<String>,
    /// Milliseconds from creation to submission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued_ms: Option<i64>,
    /// Milliseconds from submission to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ran_ms: Option<i64>,
}

/// One submission to a provider.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AttemptView {
    /// From 1, over all runs.
    pub number: i64,
    /// The run it belongs to.
    pub run: u32,
    /// The provider that was asked.
    pub provider_id: String,
    /// The provider's own id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction_id: Option<String>,
    /// When its intent was stored (RFC 3339).
    pub submitted_at: String,
    /// When its end was known (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            number: attempt.number,
            run: attempt.run,
            provider_id: attempt.provider.clone(),
            prediction_id: attempt.prediction.clone(),
            submitted_at: rfc3339(attempt.submitted_at),
            ended_at: attempt.ended_at.map(rfc3339),
            error_code: attempt.error,
        }
    }
}

/// A page of generations.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GenerationListResponse {
    /// The generations, newest first.
    pub generations: Vec<GenerationResponse>,
    /// How many a page has at most.
    pub limit: usize,
    /// How many were passed over.
    pub offset: usize,
    /// How many there are on all pages; present if it was asked for (`count=true`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// Where the next page starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Service {
    /// What the provider is sent for a request, without secrets; null if it would not take it.
    pub(super) fn settings_sent(&self, asked: &Asked) -> serde_json::Value {
        let provider = self.providers.get(&asked.provider);
        let request = onepath_core::decode::<GenerateContentRequest<'_>>(&asked.request).value;
        let settings = provider.zip(request).and_then(|(one, request)| one.settings(&request).ok());
        settings.unwrap_or_default()
    }

    /// A generation as a reader may see it.
    pub(super) fn view(&self, reader: &Reader, generation: &Generation) -> GenerationResponse {
        let row = &generation.row;
        let asked = &row.asked;
        let now = self.clock.now();
        let is_owner = row.owner == reader.user;
        let (stage, cancel_requested) = match row.state {
            State::Processing { attempt, cancel_requested, .. } => {
                (Some(stage_word(attempt)), cancel_requested)
            }
            _ => (None, false),
        };
        let named = Named::of(&asked.request);
        let waits = matches!(row.state, State::Pending { .. }) && row.next_run_at > now;
        let assets: Vec<AssetView> =
            generation.assets.iter().map(|asset| self.asset_view(reader, asset, now)).collect();
        let paused = matches!(row.state, State::Pending { .. })
            .then(|| self.live.last().paused(&row.tenant, row.provider()))
            .flatten();
        GenerationResponse {
            id: row.id.clone(),
            number: row.number,
            status: row.status(),
            answer: Answer::Created,
            user_id: row.owner.clone(),
            generation_type: asked.generation_type,
            operation_type: asked.operation,
            provider_id: asked.provider.clone(),
            strategy: asked.strategy,
            prompt_version_id: named.template.and_then(|template| template.version_id),
            final_prompt: named.prompt.filter(|prompt| !prompt.is_empty()),
            request: raw(&asked.request, is_owner),
            served_provider: row.serving.clone(),
            served_hash: row.served().map(|other| other.request_hash.clone()),
            request_hash: asked.request_hash.clone(),
            reproducible_hash: asked.request_hash.clone(),
            family_hash: asked.family_hash.clone(),
            cache_key: asked.cache_key.clone(),
            seed: asked.seed.clone(),
            rating: asked.rating,
            error_code: row.error_code(),
            fallback: match row.state {
                State::Completed { fallback: Some((mode, _)), .. } => Some(mode),
                _ => None,
            },
            stage,
            cancel_requested,
            run: row.state.run(),
            attempts: generation.attempts.iter().map(AttemptView::from).collect(),
            timings: timings(row),
            name: row.name.clone().filter(|_| is_owner),
            description: row.description.clone().filter(|_| is_owner),
            tags: row
                .tags
                .as_deref()
                .filter(|_| is_owner)
                .and_then(|tags| serde_json::from_str(tags).ok())
                .unwrap_or_default(),
            world_id: asked.world.clone(),
            workspace_id: asked.workspace.clone().filter(|_| is_owner),
            trace_id: is_owner.then(|| asked.trace.clone()),
            price: RowPrice { micros: row.reserved_micros(), known: asked.price_micros.is_some() },
            priority: row.priority,
            scheduled_at: row.scheduled_at.map(rfc3339),
            deferred_until: waits.then(|| rfc3339(row.next_run_at)),
            deferred_reason: row.deferred.filter(|_| waits),
            paused,
            overdue: row.is_overdue(now),
            expires_at: row.expires_at.map(rfc3339),
            reusable: row.reuse_key.is_some() && row.expires_at.is_none_or(|at| at > now),
            asset_id: assets
                .first()
                .filter(|asset| asset.sync_status == SyncStatus::Downloaded)
                .map(|asset| asset.id.clone()),
            variants: assets.iter().filter_map(VariantView::of).collect(),
            assets,
            prediction_id: row.prediction.clone(),
            settings: is_owner.then(|| self.settings_sent(asked)),
            tag: row.tag(),
        }
    }
}

/// What a request says of its prompt.
#[derive(Default, serde::Deserialize)]
struct Named {
    prompt: Option<String>,
    template: Option<NamedTemplate>,
}

#[derive(serde::Deserialize)]
struct NamedTemplate {
    version_id: Option<String>,
}

impl Named {
    fn of(request: &str) -> Self {
        serde_json::from_str(request).unwrap_or_default()
    }
}

/// The request as it is kept; others than the owner do not see who plays.
fn raw(request: &str, is_owner: bool) -> Box<RawValue> {
    let shown = if is_owner {
        request.to_owned()
    } else {
        serde_json::from_str::<serde_json::Value>(request)
            .map(|mut value| {
                if let Some(members) = value.as_object_mut() {
                    members.remove("player_context");
                }
                value.to_string()
            })
            .unwrap_or_default()
    };
    RawValue::from_string(shown).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn timings(row: &Row) -> Timings {
    Timings {
        created_at: rfc3339(row.created_at),
        updated_at: rfc3339(row.updated_at),
        started_at: row.started_at.map(rfc3339),
        completed_at: row.completed_at.map(rfc3339),
        overdue_at: row.overdue_at.map(rfc3339),
        queued_ms: row.started_at.map(|at| at - row.created_at),
        ran_ms: row.completed_at.zip(row.started_at).map(|(end, start)| end - start),
    }
}
