//! What an owner does with their generations: retry, delete, change; and what they used.

use onepath_core::{Integer, Rating, canonicalize};
use schemars::JsonSchema;
use serde::Serialize;

use super::view::GenerationResponse;
use super::{Caller, Service};
use crate::clock::{month_end, month_start, rfc3339};
use crate::log::tell;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Limits, Outcome, Patch, UsageLine};

/// What a user used of their plan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UsageResponse {
    /// Who.
    pub user_id: String,
    /// What their plan allows.
    pub limits: Limits,
    /// Generations that they want and that are not over.
    pub in_flight: i64,
    /// Runs of this month.
    pub runs_month: i64,
    /// Micro-dollars of this month, reserved and paid.
    pub micros_month: i64,
    /// Bytes of assets that they have.
    pub storage_bytes: i64,
    /// What is left of each limit.
    pub remaining: Limits,
    /// When the month's limits start anew (RFC 3339).
    pub resets_at: String,
    /// This month by day, provider and operation.
    pub days: Vec<UsageLine>,
    /// The server's bound for this user where its world says nothing more.
    pub max_content_rating: Rating,
}

impl Service {
    /// A new run of a generation that failed or was cancelled.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, `CONFLICT`, and what the plan does not allow.
    pub async fn retry(&self, caller: &Caller, id: &str) -> Result<GenerationResponse, Problem> {
        let standing = self.standing(caller, None).await?;
        let now = self.clock.now();
        let outcome = self.store.retry(&caller.reader, id, standing.plan, now).await?;
        let done = self.outcome(caller, outcome, |status| {
            format!("it is {status}: only what failed or was cancelled is tried again")
        })?;
        self.bell.notify_one();
        Ok(done)
    }

    /// Hides a generation that is over.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, and `CONFLICT` for one that is not over.
    pub async fn delete(&self, caller: &Caller, id: &str) -> Result<(), Problem> {
        let outcome = self.store.delete(&caller.reader, id, self.clock.now()).await?;
        self.outcome(caller, outcome, |status| {
            format!("it is {status}: cancel it first, then delete it")
        })
        .map(drop)
    }

    /// Changes what people may change; a JSON merge patch (RFC 7396).
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, `PRECONDITION_FAILED`, and `CONFLICT` for priority and schedule of what does not
    /// wait any more.
    pub async fn patch(
        &self,
        caller: &Caller,
        id: &str,
        patch: &Patch,
    ) -> Result<GenerationResponse, Problem> {
        let outcome = self.store.patch(&caller.reader, id, patch, self.clock.now()).await?;
        let done = self.outcome(caller, outcome, |status| {
            format!("it is {status}: priority and schedule change only while it is pending")
        })?;
        self.bell.notify_one();
        Ok(done)
    }

    fn outcome(
        &self,
        caller: &Caller,
        outcome: Outcome,
        not_now: impl Fn(&str) -> String,
    ) -> Result<GenerationResponse, Problem> {
        match outcome {
            Outcome::Done(generation, steps) => {
                self.answers.forget(&generation.row.tenant);
                tell(&generation.row, &steps);
                Ok(self.view(&caller.reader, &generation))
            }
            Outcome::Changed => {
                let detail =
                    "it has changed meanwhile: get it again, and look before you change it";
                Err(Problem::new(ProblemCode::PreconditionFailed, detail))
            }
            Outcome::NotThere => Err(Problem::not_found("generation")),
            Outcome::NotNow(row) => {
                Err(Problem::new(ProblemCode::Conflict, not_now(row.status().word())))
            }
            Outcome::Limited(hit) => Err(Problem::limited(hit, month_end(self.clock.now()))),
        }
    }

    /// What the caller used this month, and what is left.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn usage(&self, caller: &Caller) -> Result<UsageResponse, Problem> {
        let standing = self.standing(caller, None).await?;
        let plan = standing.plan;
        let now = self.clock.now();
        let (since, until) = (month_start(now), month_end(now));
        let used = self.store.used(&caller.reader, since).await?;
        let days = self.store.usage(&caller.reader, since, until).await?;
        let left = |allowed: Option<i64>, used: i64| allowed.map(|most| (most - used).max(0));
        Ok(UsageResponse {
            user_id: caller.reader.user.clone(),
            limits: plan.limits,
            in_flight: used.in_flight,
            runs_month: used.runs,
            micros_month: used.micros,
            storage_bytes: used.storage,
            remaining: Limits {
                in_flight: left(plan.limits.in_flight, used.in_flight),
                runs_month: left(plan.limits.runs_month, used.runs),
                micros_month: left(plan.limits.micros_month, used.micros),
                storage_bytes: left(plan.limits.storage_bytes, used.storage),
            },
            resets_at: rfc3339(until),
            days,
            max_content_rating: standing.bounds.user,
        })
    }
}

/// Reads a merge patch of a generation; every fault at once.
///
/// # Errors
///
/// `VALIDATION_ERROR` with every fault.
pub fn read_patch(text: &str) -> Result<PatchBody, Problem> {
    use crate::problem::Fault;
    // The reader of every door: a member that stands twice is a fault here, too.
    let text = canonicalize(text).map_err(|refusal| Problem::unread(text, refusal.findings()))?;
    let value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| Problem::new(ProblemCode::MalformedJson, error.to_string()))?;
    let fault = |pointer: &str, detail: &str| Fault::new(pointer, "patch/not-understood", detail);
    let Some(members) = value.as_object() else {
        return Err(Problem::faults(vec![fault("", "an object is wanted")]));
    };
    let mut body = PatchBody::default();
    let mut faults = Vec::new();
    for (name, value) in members {
        let pointer = format!("/{name}");
        let text = |most: usize| match value {
            serde_json::Value::Null => Some(None),
            serde_json::Value::String(text)
                if text.chars().count() <= most && !text.contains('\0') =>
            {
                Some(Some(text.clone()).filter(|text| !text.is_empty()))
            }
            _ => None,
        };
        let patch = &mut body.patch;
        match name.as_str() {
            "name" => match text(255) {
                Some(name) => patch.name = Some(name),
                None => faults.push(fault(&pointer, "a text of up to 255 characters, or null")),
            },
            "description" => match text(10_000) {
                Some(text) => patch.description = Some(text),
                None => faults.push(fault(&pointer, "a text of up to 10,000 characters, or null")),
            },
            "tags" => match tags(value) {
                Some(tags) => patch.tags = Some(tags),
                None => {
                    faults.push(fault(&pointer, "up to 50 texts of 1 to 64 characters, or null"));
                }
            },
            "priority" => match value.as_f64().and_then(Integer::from_f64).map(Integer::get) {
                Some(priority @ 0..=10) => patch.priority = Some(priority),
                _ => faults.push(fault(&pointer, "a whole number, 0 to 10; 0 goes first")),
            },
            "scheduled_at" => match (value, value.as_str().map(crate::clock::parse_rfc3339)) {
                (serde_json::Value::Null, _) => patch.scheduled_at = Some(None),
                (_, Some(Some(at))) => patch.scheduled_at = Some(Some(at)),
                _ => faults.push(fault(&pointer, "a time as RFC 3339 with an offset, or null")),
            },
            "action" if value.as_str() == Some("cancel") => body.cancel = true,
            "action" => faults.push(fault(&pointer, "the one action is `cancel`")),
            _ => faults.push(fault(
                &pointer,
                "it is not known: name, description, tags, priority, scheduled_at, action",
            )),
        }
    }
    if faults.is_empty() { Ok(body) } else { Err(Problem::faults(faults)) }
}

/// A merge patch, or the wish to cancel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchBody {
    /// What changes.
    pub patch: Patch,
    /// Whether it is cancelled.
    pub cancel: bool,
}

/// Tags as they are kept: a JSON list of texts.
fn tags(value: &serde_json::Value) -> Option<Option<String>> {
    if value.is_null() {
        return Some(None);
    }
    let tags = value.as_array().filter(|tags| tags.len() <= 50)?;
    let good = tags.iter().all(|tag| {
        tag.as_str()
            .is_some_and(|tag| (1..=64).contains(&tag.chars().count()) && !tag.contains('\0'))
    });
    good.then(|| (!tags.is_empty()).then(|| value.to_string()))
}
