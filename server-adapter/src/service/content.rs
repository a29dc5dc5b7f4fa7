//! A generation as engines of before know it: `GenerateContentResponse`, without the rows behind it.

use onepath_core::lifecycle::{ErrorCode, State};
use onepath_core::{GenerationStatus, GenerationType, MediaType};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::view::GenerationResponse;
use super::{Caller, Service};
use crate::problem::Problem;
use crate::store::Generation;

/// What was generated, for whoever only shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GenerateContentResponse {
    /// How it stands. What only has a fallback is `failed`: the node's own fallback applies.
    pub status: ContentStatus,
    /// What was generated, once it is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<GeneratedContentPayload>,
    /// Where the result lies; absent under `always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_key: Option<String>,
    /// What it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<ContentCost>,
    /// Whether its seed is known: the same request is made with the same.
    pub deterministic: bool,
    /// The id of the generation.
    pub job_id: String,
    /// Why there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ContentError>,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContentStatus {
    /// It is there.
    Complete,
    /// It waits.
    Queued,
    /// It is being made.
    Processing,
    /// It will not be there.
    Failed,
}

/// What was generated.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GeneratedContentPayload {
    /// What kind of content.
    #[serde(rename = "type")]
    pub kind: ContentKind,
    /// Path and query under which it is read without a key, for a while.
    pub url: String,
    /// Seconds, as asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// What an npc shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What an npc feels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emotion: Option<String>,
    /// How much, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intensity: Option<f64>,
    /// What else is known.
    pub metadata: ContentMetadata,
}

/// What kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// Two people talk.
    Dialogue,
    /// A place.
    Environment,
    /// An npc answers.
    NpcResponse,
}

/// What else is known of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ContentMetadata {
    /// The mood it leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mood: Option<String>,
    /// The owner's tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub tags: Vec<String>,
    /// As asked of an npc's provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality_preset: Option<String>,
    /// Where the result lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_key: Option<String>,
    /// Milliseconds from submission to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_time_ms: Option<i64>,
}

/// What it took.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct ContentCost {
    /// Milliseconds from submission to the end.
    pub time_ms: i64,
}

/// Why there is nothing.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ContentError {
    /// The row's own code.
    pub code: ErrorCode,
    /// What it means.
    pub message: &'static str,
}

impl Service {
    /// A generation that the caller may see, as engines of before know it.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, also for what belongs to others.
    pub async fn content(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<GenerateContentResponse, Problem> {
        let viewer = self.viewer(&caller.reader).await?;
        let found = self.store.get(&viewer, id).await?;
        let generation = found.ok_or_else(|| Problem::not_found("generation"))?;
        let view = self.view(&caller.reader, &generation);
        Ok(content(&generation, view))
    }
}

fn content(generation: &Generation, view: GenerationResponse) -> GenerateContentResponse {
    let row = &generation.row;
    let error = match row.state {
        State::Failed { error, .. } | State::Completed { fallback: Some((_, error)), .. } => {
            Some(error)
        }
        State::Cancelled { .. } => Some(ErrorCode::Cancelled),
        State::Pending { .. } | State::Processing { .. } | State::Completed { .. } => None,
    };
    let status = match row.status() {
        _ if error.is_some() => ContentStatus::Failed,
        GenerationStatus::Pending => ContentStatus::Queued,
        GenerationStatus::Processing => ContentStatus::Processing,
        GenerationStatus::Completed => ContentStatus::Complete,
        GenerationStatus::Failed | GenerationStatus::Cancelled => ContentStatus::Failed,
    };
    let asked: Value = serde_json::from_str(&row.asked.request).unwrap_or_default();
    let text = |pointer: &str| asked.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let number = |pointer: &str| asked.pointer(pointer).and_then(Value::as_f64);
    let url = view.assets.into_iter().find_map(|asset| asset.url);
    let url = url.filter(|_| status == ContentStatus::Complete);
    GenerateContentResponse {
        status,
        content: url.map(|url| GeneratedContentPayload {
            kind: kind(row.asked.generation_type, row.asked.operation.media()),
            url,
            duration: number("/duration/target"),
            expression: text("/npc_params/expression"),
            emotion: text("/npc_params/emotion"),
            intensity: number("/npc_params/intensity"),
            metadata: ContentMetadata {
                mood: text("/style/moodTo").or_else(|| text("/to_scene/mood")),
                tags: view.tags,
                quality_preset: text("/npc_params/quality_preset"),
                cache_key: row.asked.cache_key.clone(),
                generation_time_ms: view.timings.ran_ms,
            },
        }),
        cache_key: row.asked.cache_key.clone(),
        cost: view.timings.ran_ms.map(|time_ms| ContentCost { time_ms }),
        deterministic: row.asked.seed.is_some(),
        job_id: row.id.clone(),
        error: error.map(|code| ContentError { code, message: message(code) }),
    }
}

fn kind(of: GenerationType, media: MediaType) -> ContentKind {
    match (of, media) {
        (GenerationType::Dialogue, _) => ContentKind::Dialogue,
        (GenerationType::Environment, _) => ContentKind::Environment,
        (GenerationType::NpcResponse, _) => ContentKind::NpcResponse,
        (_, MediaType::Image) => ContentKind::Image,
        (_, _) => ContentKind::Video,
    }
}

/// What a code means, for people.
fn message(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::ContentPromptRejected => "the provider refuses the prompt",
        ErrorCode::ContentImageRejected => "the provider refuses an input picture",
        ErrorCode::ContentOutputRejected => "the provider refuses what it made",
        ErrorCode::ContentFiltered => "a filter of the provider stopped it",
        ErrorCode::ParamInvalid => "a parameter is wrong",
        ErrorCode::ParamTooLong => "a parameter is too long",
        ErrorCode::ProviderQuota => "the provider's account has no credits left",
        ErrorCode::ProviderRateLimit => "the provider was asked too often",
        ErrorCode::ProviderConcurrentLimit => "the provider makes too much at once",
        ErrorCode::ProviderAuth => "the provider refuses the account's key",
        ErrorCode::ProviderTimeout => "the provider did not answer in time",
        ErrorCode::ProviderUnavailable => "the provider is down",
        ErrorCode::ProviderGeneric => "the provider could not make it",
        ErrorCode::SubmitUnknown => "whether the submission arrived is not known",
        ErrorCode::OutputMissing => "the provider says it is done and gives nothing",
        ErrorCode::StorageFailed => "what was made could not be kept",
        ErrorCode::Cancelled => "it was cancelled",
    }
}
