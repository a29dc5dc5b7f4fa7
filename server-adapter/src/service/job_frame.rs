//! Events as the job socket of the system before told them.

use onepath_core::{GenerationStatus, Operation};
use serde::Serialize;
use serde_json::Value;

use super::jobs::whole;
use super::{Caller, Service};
use crate::clock::rfc3339;
use crate::event::{Frame, Words};
use crate::problem::{Problem, ProblemCode};
use crate::store::{Event, Subject};

/// What is told first: whose jobs are told from now on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobHello {
    #[serde(rename = "type")]
    kind: &'static str,
    user_id: Value,
    message: &'static str,
}

impl JobHello {
    /// The greeting of a caller.
    #[must_use]
    pub fn new(caller: &Caller) -> Self {
        let message = "connected; deprecated: use /api/v1/ws/generations";
        Self { kind: "connected", user_id: whole(&caller.reader.user), message }
    }
}

/// What happened to a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobFrame {
    /// `job:created`, `job:started`, `job:progress`, `job:completed`, `job:failed` or
    /// `job:cancelled`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The generation's number.
    pub job_id: i64,
    /// The first asset, once it is made.
    pub asset_id: Option<String>,
    /// Where it stood after the event.
    pub status: GenerationStatus,
    /// 0 when it is created and 100 when it is made; nobody knows what is between.
    pub progress_percent: Option<u8>,
    /// What happened, in the words of today: `created`, `started`, `submitted`, `deferred`, …
    pub stage: &'static str,
    /// Why it failed.
    pub error: Option<&'static str>,
    /// What else is known.
    pub data: JobData,
}

/// What else is known of a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobData {
    /// The generation that the job is.
    pub generation_id: String,
    /// Whose it is; a number where it is one.
    pub user_id: Value,
    /// What the provider is asked to do.
    pub operation_type: Operation,
    /// Who is asked.
    pub provider_id: String,
    /// When it happened (RFC 3339).
    pub timestamp: String,
}

impl Service {
    /// An event as the job socket told it; none if it is about nothing that the caller has as a job.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn job_frame(
        &self,
        caller: &Caller,
        event: &Event,
    ) -> Result<Option<JobFrame>, Problem> {
        // What others share is heard on the socket of today; jobs are one's own, as in their list.
        let Subject::Generation { id, status, .. } = &event.subject else { return Ok(None) };
        if event.owner != caller.reader.user {
            return Ok(None);
        }
        let generation = match self.get(caller, id).await {
            Ok(generation) => generation,
            Err(problem) if problem.code == ProblemCode::NotFound => return Ok(None),
            Err(problem) => return Err(problem),
        };
        let old = Frame::new(event, Words::Old).kind;
        let is_made = *status == GenerationStatus::Completed;
        Ok(Some(JobFrame {
            // That something was submitted was told by another socket.
            kind: if old.starts_with("job:") { old } else { "job:progress" },
            job_id: generation.number,
            asset_id: generation.assets.first().filter(|_| is_made).map(|asset| asset.id.clone()),
            status: *status,
            progress_percent: match event.kind {
                "generation.created" => Some(0),
                _ => is_made.then_some(100),
            },
            stage: event.kind.rsplit('.').next().unwrap_or(event.kind),
            error: event.error.map(onepath_core::lifecycle::ErrorCode::word),
            data: JobData {
                generation_id: generation.id,
                user_id: whole(&generation.user_id),
                operation_type: generation.operation_type,
                provider_id: generation.provider_id,
                timestamp: rfc3339(event.at),
            },
        }))
    }
}
