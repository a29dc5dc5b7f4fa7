//! Jobs of the system before, as a translation onto generations: the same builder, the same rows.

use onepath_core::legacy::{CreateJobRequest, job_pointer};
use onepath_core::{GenerationStatus, Operation, decode, to_json};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::create::Call;
use super::view::GenerationResponse;
use super::{Caller, Service};
use crate::problem::{Problem, ProblemCode};
use crate::store::ListQuery;

/// A job, in the form of the system before.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct JobResponse {
    /// The generation's number.
    pub id: i64,
    /// Whose it is; a number where it is one.
    pub user_id: Value,
    /// The folder in which it lies.
    pub workspace_id: Option<Value>,
    /// What the provider is asked to do.
    pub operation_type: Operation,
    /// Who is asked.
    pub provider_id: String,
    /// What is made of what.
    pub params: Map<String, Value>,
    /// Where it stands.
    pub status: GenerationStatus,
    /// Why it failed.
    pub error_message: Option<String>,
    /// Attempts after the first.
    pub retry_count: usize,
    /// 0 to 10; 0 goes first.
    pub priority: i64,
    /// Always null: a job that takes up another stands for itself.
    pub parent_job_id: Option<i64>,
    /// Not before this time.
    pub scheduled_at: Option<String>,
    /// Creation.
    pub created_at: String,
    /// First submission.
    pub started_at: Option<String>,
    /// End.
    pub completed_at: Option<String>,
    /// The first asset.
    pub asset_id: Option<String>,
    /// The generation that the job is.
    pub generation_id: String,
}

/// A page of jobs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct JobListResponse {
    /// The jobs, newest first.
    pub jobs: Vec<JobResponse>,
    /// How many there are.
    pub total: i64,
    /// How many a page has at most.
    pub limit: usize,
    /// How many were passed over.
    pub offset: usize,
}

/// A text as the number it stands for, if it is one.
pub(super) fn whole(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
}

/// The flat parameters of a request.
fn params(request: &Value) -> Map<String, Value> {
    let mut out = match &request["provider_settings"] {
        Value::Object(settings) => settings.clone(),
        _ => Map::new(),
    };
    for name in ["prompt", "negative_prompt", "prompts", "seed"] {
        if let Some(value) = request.get(name) {
            out.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(target) = request.pointer("/duration/target") {
        out.insert("duration".to_owned(), target.clone());
    }
    for (role, name, is_list) in [
        ("image", "image_urls", true),
        ("video", "video_url", false),
        ("original_video", "original_video_id", false),
        ("fusion", "video_urls", true),
    ] {
        let inputs = request["inputs"].as_array().into_iter().flatten();
        let found: Vec<Value> = inputs
            .filter(|input| input["role"] == role)
            .filter_map(|input| input.get("ref").cloned())
            .collect();
        match (found.as_slice(), is_list) {
            ([], _) => {}
            ([only], true) if role == "image" => {
                out.insert("image_url".to_owned(), only.clone());
            }
            ([first, ..], false) => {
                out.insert(name.to_owned(), first.clone());
            }
            _ => {
                out.insert(name.to_owned(), Value::Array(found));
            }
        }
    }
    out
}

impl From<GenerationResponse> for JobResponse {
    fn from(generation: GenerationResponse) -> Self {
        let request: Value = serde_json::from_str(generation.request.get()).unwrap_or(Value::Null);
        Self {
            id: generation.number,
            user_id: whole(&generation.user_id),
            workspace_id: generation.workspace_id.as_deref().map(whole),
            operation_type: generation.operation_type,
            provider_id: generation.provider_id,
            params: params(&request),
            status: generation.status,
            error_message: generation.error_code.map(|code| code.word().to_owned()),
            retry_count: generation.attempts.len().saturating_sub(1),
            priority: generation.priority,
            parent_job_id: None,
            scheduled_at: generation.scheduled_at,
            created_at: generation.timings.created_at,
            started_at: generation.timings.started_at,
            completed_at: generation.timings.completed_at,
            asset_id: generation.asset_id,
            generation_id: generation.id,
        }
    }
}

impl Service {
    /// Creates a job.
    ///
    /// # Errors
    ///
    /// As a create; faults point into the job.
    pub async fn create_job(
        &self,
        caller: &Caller,
        text: &str,
        call: Call,
    ) -> Result<JobResponse, Problem> {
        let read = decode::<CreateJobRequest<'_>>(text).into_result();
        let job = read.map_err(|refusal| Problem::unread(text, refusal.findings()))?;
        let create = to_json(&job.into_create())
            .map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string()))?;
        let answered = self.create(caller, &create, call).await.map_err(|mut problem| {
            for fault in &mut problem.errors {
                fault.pointer = job_pointer(&fault.pointer);
            }
            problem
        })?;
        let id = answered.receipt.location.rsplit('/').next().unwrap_or_default();
        self.get(caller, id).await.map(JobResponse::from)
    }

    /// A job of the caller's own.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, also for what belongs to others.
    pub async fn job(&self, caller: &Caller, id: &str) -> Result<JobResponse, Problem> {
        self.job_row(caller, id).await.map(JobResponse::from)
    }

    async fn job_row(&self, caller: &Caller, id: &str) -> Result<GenerationResponse, Problem> {
        let none = || Problem::not_found("job");
        let number = id.parse::<i64>().map_err(|_| none())?;
        let query = ListQuery { number: Some(number), limit: 1, ..ListQuery::default() };
        self.list(caller, &query).await?.generations.into_iter().next().ok_or_else(none)
    }

    /// The caller's own jobs, newest first.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn jobs(
        &self,
        caller: &Caller,
        query: &ListQuery,
    ) -> Result<JobListResponse, Problem> {
        let page = self.list(caller, query).await?;
        Ok(JobListResponse {
            jobs: page.generations.into_iter().map(JobResponse::from).collect(),
            total: page.total.unwrap_or_default(),
            limit: page.limit,
            offset: page.offset,
        })
    }

    /// Ends a job.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, and `CONFLICT`, with the status 400 of old, for one that is over.
    pub async fn cancel_job(&self, caller: &Caller, id: &str) -> Result<(), Problem> {
        let job = self.job_row(caller, id).await?;
        match self.cancel(caller, &job.id).await {
            Ok(_) if !matches!(job.status, GenerationStatus::Cancelled) => Ok(()),
            Ok(_) => Err(over(Problem::new(ProblemCode::Conflict, "it is cancelled already"))),
            Err(problem) if problem.code == ProblemCode::Conflict => Err(over(problem)),
            Err(problem) => Err(problem),
        }
    }
}

/// The status that the system before gave.
fn over(mut problem: Problem) -> Problem {
    problem.status = 400;
    problem
}
