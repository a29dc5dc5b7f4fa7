//! The use cases: what a caller may ask of the service, whatever the door.

mod accounts;
mod assets;
mod cache;
mod content;
mod create;
mod endpoints;
mod hints;
mod idempotency;
mod job_frame;
mod jobs;
mod legacy;
mod listen;
mod manage;
mod plan;
mod prompts;
mod publish;
mod settings;
mod simple;
mod standing;
mod telemetry;
mod view;
mod wait;
mod webhooks;

use std::sync::Arc;

use onepath_core::Rating;
use onepath_core::lifecycle::State;
use tokio::sync::Notify;

use crate::asset::{Blobs, Spool};
use crate::cache::{Answers, Tally};
use crate::clock::SharedClock;
use crate::event::Hub;
use crate::guard::Guard;
use crate::live::LiveSettings;
use crate::log::tell;
use crate::problem::{Problem, ProblemCode};
use crate::prompt::Analyst;
use crate::provider::Providers;
use crate::signing::Signer;
use crate::store::{ListQuery, Millis, Reader, Role, Row, Store};
use crate::vault::Vault;
use crate::webhook::PublicUrl;

pub use accounts::{
    AccountChange, AccountListResponse, AccountView, NewAccount, NewKey, read_account,
};
pub use assets::{
    AssetListResponse, AssetView, File, LineageResponse, MediaView, Part, Upload, Which, not_taken,
    read_asset_patch,
};
pub use cache::{AnswerStats, CacheStats, InvalidateBody, InvalidateResponse};
pub use content::{
    ContentCost, ContentError, ContentKind, ContentMetadata, ContentStatus,
    GenerateContentResponse, GeneratedContentPayload,
};
pub use create::{Answered, Call};
pub use endpoints::{EndpointBody, EndpointList, EndpointView, MessageList, MessageView};
pub use idempotency::{content_fingerprint, idempotency_key};
pub use job_frame::{JobData, JobFrame, JobHello};
pub use jobs::{JobListResponse, JobResponse};
pub use legacy::{LegacyReport, LegacyUse};
pub use listen::Listening;
pub use manage::{PatchBody, UsageResponse, read_patch};
pub use plan::{Plan, envelope, plan};
pub use prompts::{
    AnalyzeBody, AnalyzeResponse, ChosenBy, ContentDiff, FamilyPatch, NewFamily, NewPromptVersion,
    PromptDiff, PromptFamilyList, PromptFamilyView, PromptLimit, PromptOutcomes, PromptUsage,
    PromptVersionList, PromptVersionView, Prompts, RenderBody, RenderResponse, SplitBody,
    SplitView, TermsBody, TermsResponse, VariableDiff, VersionName, VersionUsage,
};
pub use publish::PublicAssets;
pub use settings::{KnownSetting, SettingHistory, SettingList, SettingView, known_settings};
pub use simple::SocialContextResponse;
pub use standing::{Known, Plans, Standing};
pub use telemetry::{OperationTelemetry, ProviderTelemetry, ProvidersTelemetry};
pub use view::{
    AttemptView, CreateGenerationResponse, GenerationListResponse, GenerationResponse,
    PreflightResponse, Timings, ValidateResponse, VariantView,
};

/// The ratings that the server allows, whatever a request brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerBounds {
    /// For worlds.
    pub world: Rating,
    /// For users.
    pub user: Rating,
}

impl Default for ServerBounds {
    fn default() -> Self {
        Self { world: Rating::Romantic, user: Rating::Romantic }
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// For whom the key speaks.
    pub reader: Reader,
    /// What the key allows.
    pub role: Role,
    /// The id of the key.
    pub key: String,
}

/// The service: pure decisions of core, effects through the ports.
#[derive(Debug, Clone)]
pub struct Service {
    /// All truth.
    pub store: Arc<dyn Store>,
    /// What was made.
    pub blobs: Blobs,
    /// Where content lies on its way in.
    pub spool: Spool,
    /// Who makes things.
    pub providers: Providers,
    /// Who takes prompts apart.
    pub analyst: Arc<dyn Analyst>,
    /// The time.
    pub clock: SharedClock,
    /// Rung when a worker may find work.
    pub bell: Arc<Notify>,
    /// What it allows where its rows are silent.
    pub bounds: ServerBounds,
    /// Attempts that a run may spend.
    pub attempts: u32,
    /// Signs the URLs of assets.
    pub signer: Signer,
    /// Seals and opens the keys of accounts.
    pub vault: Vault,
    /// Calls the endpoints of tenants.
    pub guard: Guard,
    /// Where the world reaches this server.
    pub public_url: Option<PublicUrl>,
    /// What each price buys.
    pub plans: Plans,
    /// What a run reserves whose price is not known, in micro-dollars.
    pub unknown_price: i64,
    /// When the job addresses of the system before end.
    pub jobs_sunset: Option<crate::store::Millis>,
    /// What operators change while everything runs.
    pub live: Arc<LiveSettings>,
    /// Rows that were read lately.
    pub known: Arc<Known>,
    /// How creates were answered.
    pub tally: Arc<Tally>,
    /// What was answered a moment ago.
    pub answers: Arc<Answers>,
    /// Hands events on.
    pub hub: Arc<Hub>,
    /// Who says whether assets can be fetched without a key.
    pub public_assets: PublicAssets,
    /// Held while a small picture is made: each is made once, and they are decoded one by one.
    pub making: Arc<tokio::sync::Mutex<()>>,
}

/// A generation on its way that nobody looked at for so long is looked at when somebody asks.
const STALE: Millis = 5_000;

/// One that its provider wants to be left alone for longer is not.
const LEFT_ALONE: Millis = 60_000;

impl Service {
    /// A generation that the caller may see.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, also for what belongs to others.
    pub async fn get(&self, caller: &Caller, id: &str) -> Result<GenerationResponse, Problem> {
        let viewer = self.viewer(&caller.reader).await?;
        let found = self.store.get(&viewer, id).await?;
        let generation = found.ok_or_else(|| Problem::not_found("generation"))?;
        self.look_again(&generation.row).await;
        Ok(self.view(&caller.reader, &generation))
    }

    /// Has a worker ask the provider how something stands that it did not look at for a while: once,
    /// however many ask.
    async fn look_again(&self, row: &Row) {
        let now = self.clock.now();
        let is_stale = matches!(row.state, State::Processing { .. })
            && row.prediction.is_some()
            && now - row.updated_at >= STALE
            && row.next_run_at > now
            && row.next_run_at - row.updated_at <= LEFT_ALONE;
        if !is_stale {
            return;
        }
        match self.store.hurry(&row.id, now).await {
            Ok(true) => self.bell.notify_one(),
            Ok(false) => {}
            // Who asks is answered all the same, and the worker looks by itself.
            Err(error) => tracing::warn!(%error, "a worker was not told to look"),
        }
    }

    /// The caller's own generations, newest first.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn list(
        &self,
        caller: &Caller,
        query: &ListQuery,
    ) -> Result<GenerationListResponse, Problem> {
        let page = self.store.list(&caller.reader, query).await?;
        let views = page.generations.iter();
        Ok(GenerationListResponse {
            generations: views.map(|one| self.view(&caller.reader, one)).collect(),
            limit: query.limit,
            offset: query.offset,
            total: page.total,
            next_cursor: page.next.map(|(at, id)| format!("{at}.{id}")),
        })
    }

    /// Ends the caller's interest in a generation.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, and `CONFLICT` for one that is over.
    pub async fn cancel(&self, caller: &Caller, id: &str) -> Result<GenerationResponse, Problem> {
        let done = self.store.cancel(&caller.reader, id, self.clock.now()).await?;
        let done = done.ok_or_else(|| Problem::not_found("generation"))?;
        let row = &done.generation.row;
        self.answers.forget(&row.tenant);
        tell(row, &done.steps);
        if !done.withdrawn && row.state.is_terminal() && row.status().word() != "cancelled" {
            return Err(Problem::new(
                ProblemCode::Conflict,
                format!("it is {} already: there is nothing to cancel", row.status()),
            ));
        }
        self.bell.notify_one();
        Ok(self.view(&caller.reader, &done.generation))
    }
}
