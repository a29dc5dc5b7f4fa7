//! Create, preflight and validate.

use std::sync::Arc;
use std::time::Instant;

use onepath_core::{Code, Draft, Integer, Report, fingerprint, review, to_json};

use super::idempotency::content_fingerprint;
use super::plan::{Plan, Setting, described, envelope, own_world, plan, world_id};
use super::standing::Standing;
use super::view::{CreateGenerationResponse, PreflightResponse, ValidateResponse};
use super::{Caller, Service};
use crate::clock::{month_end, new_id, rfc3339};
use crate::log::tell_one;
use crate::problem::{Problem, ProblemCode};
use crate::store::{
    Answer, CreateOutcome, Created, Creation, Limits, PlanNow, Receipt, ReceiptWish, Row,
    Transition,
};
use crate::telemetry::metrics;
use crate::trace::TraceId;

/// The answer to a create, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Status, location and body.
    pub receipt: Receipt,
    /// Whether it was given before, to the same call.
    pub replayed: bool,
    /// What is left of the caller's plan after it, and when its month starts anew; none where
    /// nothing is limited, and for what was answered before.
    pub left: Option<(Limits, String)>,
}

/// What comes with a call beside its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// Its idempotency key.
    pub key: Option<String>,
    /// The trace that it is part of; one of its own if there is none.
    pub trace: Option<TraceId>,
    /// Stands for everything that was sent, if that was more than the body.
    pub content: Option<String>,
}

/// The route whose answers are kept.
const ROUTE: &str = "POST /api/v1/generations";

impl Service {
    /// What an envelope comes to for a caller, now, and where they stand.
    ///
    /// # Errors
    ///
    /// As [`envelope`] and [`plan`], and when the store does not answer.
    pub async fn plan(&self, caller: &Caller, text: &str) -> Result<(Plan, Standing), Problem> {
        let read = envelope(text)?;
        let world = read.value.as_ref().and_then(world_id);
        let standing = self.standing(caller, world).await?;
        let prompts = self.prompts(caller, &read, &standing).await?;
        let is_config = read.value.as_ref().is_some_and(|envelope| envelope.config.is_some());
        let live = self.live.now().await?;
        let plan = plan(
            read,
            &Setting {
                caller,
                standing: &standing,
                providers: &self.providers,
                attempts: self.attempts,
                unknown_price: self.unknown_price,
                live: &live,
                prompts: &prompts,
                now: self.clock.now(),
            },
        )?;
        self.check_inputs(caller, &plan.new.inputs, is_config).await?;
        Ok((plan, standing))
    }

    /// Creates a generation, or answers with one that exists. The same call under the same
    /// idempotency key is answered the same.
    ///
    /// # Errors
    ///
    /// As [`plan`], `IDEMPOTENCY_MISMATCH`, `LIMIT_EXCEEDED`, `TOO_MANY_INFLIGHT`, and when the
    /// store does not answer.
    pub async fn create(
        &self,
        caller: &Caller,
        text: &str,
        call: Call,
    ) -> Result<Answered, Problem> {
        let (mut plan, standing) = self.plan(caller, text).await?;
        metrics::found(&plan.report);
        let asked = Instant::now();
        if call.key.is_none()
            && let Some(row) = self.answers.of(&plan.new, asked)
        {
            self.count(&row, Answer::Cache);
            let response = CreateGenerationResponse::of(&plan, self.settings_sent(&plan.new.asked));
            let receipt = render(&row, Answer::Cache, response);
            let left = self.left(caller, standing.plan).await?;
            return Ok(Answered { receipt, replayed: false, left });
        }
        self.is_taken(&plan).await?;
        plan.new.id = new_id(&*self.clock);
        let trace = call.trace.unwrap_or_else(|| TraceId::new(&*self.clock));
        plan.new.asked.trace = trace.into();
        let response = CreateGenerationResponse::of(&plan, self.settings_sent(&plan.new.asked));
        let receipt = call.key.map(|key| {
            let response = response.clone();
            ReceiptWish {
                route: ROUTE,
                key,
                fingerprint: call.content.unwrap_or_else(|| content_fingerprint(text)),
                render: Arc::new(move |created| {
                    render(&created.row, created.answer, response.clone())
                }),
            }
        });
        let creation = Creation { new: plan.new, plan: standing.plan, receipt };
        match self.store.create(creation).await? {
            CreateOutcome::Done(created) => {
                let Created { answer, row } = &*created;
                self.count(row, *answer);
                let happened = match answer {
                    Answer::Created => Some(Transition::Created),
                    Answer::Joined => Some(Transition::Joined),
                    Answer::Cache | Answer::Hash => None,
                };
                if let Some(transition) = happened {
                    tell_one(row, transition);
                    self.bell.notify_one();
                }
                if *answer == Answer::Cache {
                    self.answers.put(&caller.reader, row, asked);
                    self.answers.listen(&self.hub);
                }
                let left = self.left(caller, standing.plan).await?;
                Ok(Answered { receipt: render(row, *answer, response), replayed: false, left })
            }
            CreateOutcome::Replayed(receipt) => {
                Ok(Answered { receipt, replayed: true, left: None })
            }
            CreateOutcome::Mismatch => Err(Problem::new(
                ProblemCode::IdempotencyMismatch,
                "the Idempotency-Key came with other content before: a new call has a new key",
            )),
            CreateOutcome::Limited(hit) => Err(Problem::limited(hit, month_end(self.clock.now()))),
        }
    }

    /// What is left of a plan, and when its month starts anew; none where nothing is limited.
    async fn left(
        &self,
        caller: &Caller,
        plan: PlanNow,
    ) -> Result<Option<(Limits, String)>, Problem> {
        if !plan.limits.any() {
            return Ok(None);
        }
        let used = self.store.used(&caller.reader, plan.since).await?;
        Ok(Some((plan.limits.left(used), rfc3339(month_end(self.clock.now())))))
    }

    /// Whether a create is taken: what exists, and what is on its way, also while its provider is
    /// switched off.
    async fn is_taken(&self, plan: &Plan) -> Result<(), Problem> {
        let provider = &plan.new.asked.provider;
        if self.live.now().await?.takes(provider)
            || self.store.preview(&plan.new).await?.0 != Answer::Created
        {
            return Ok(());
        }
        let detail = format!(
            "the provider `{provider}` is switched off for now: come again later, or take another"
        );
        let mut problem = Problem::new(ProblemCode::Unavailable, detail);
        problem.retry_after = Some(60);
        Err(problem)
    }

    /// Counts how a create was answered.
    fn count(&self, row: &Row, answer: Answer) {
        metrics::answered(row.asked.strategy, answer);
        self.tally.count(row, answer, self.clock.now());
    }

    /// How a create would be answered, what it would cost, and what the server allows.
    ///
    /// # Errors
    ///
    /// As [`plan`], and when the store does not answer.
    pub async fn preflight(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<PreflightResponse, Problem> {
        let (plan, standing) = self.plan(caller, text).await?;
        let (answer, row) = self.store.preview(&plan.new).await?;
        Ok(PreflightResponse::new(answer, row.as_ref(), &plan, standing.bounds))
    }

    /// What the rules find, whatever they find.
    ///
    /// # Errors
    ///
    /// `MALFORMED_JSON`, and `STRUCTURED_CONFIG_REQUIRED` for an envelope without config and
    /// request.
    pub async fn validate(&self, caller: &Caller, text: &str) -> Result<ValidateResponse, Problem> {
        let read = envelope(text)?;
        let Some(envelope) = &read.value else { return Err(Problem::findings(&read.faults)) };
        let now = Integer::new(self.clock.now());
        let standing = self.standing(caller, world_id(envelope)).await?;
        let prompts = self.prompts(caller, &read, &standing).await?;
        let with_world = own_world(envelope, &standing)?;
        let envelope = with_world.as_ref().unwrap_or(envelope);
        if let Some(draft) = Draft::new(envelope, standing.own(), now) {
            let draft = prompts.complete(described(draft, envelope, &self.providers));
            let report = draft.prepare(&read.faults).report;
            metrics::found(&report);
            return Ok(ValidateResponse::new(report));
        }
        if let Some(request) = &envelope.request {
            let id = request.provider_id.as_ref().map_or("", |id| id.as_str());
            let provider = self.providers.get(id).map(|provider| provider.info());
            let mut findings = read.faults.clone();
            let mut found = review(request, provider, prompts.terms()).into_findings();
            if let Err(refusal) = fingerprint(request, provider) {
                let known: Vec<Code> = found.iter().map(onepath_core::Finding::code).collect();
                let more = refusal.into_findings().into_iter();
                found.extend(more.filter(|finding| !known.contains(&finding.code())));
            }
            for finding in &mut found {
                finding.rebase("/request");
            }
            findings.extend(found);
            return Ok(ValidateResponse::new(Report::from(findings)));
        }
        // Neither config nor request: the plan says what is wanted.
        match self.plan(caller, text).await {
            Err(problem) => Err(problem),
            Ok(_) => Err(Problem::new(ProblemCode::InternalError, "an envelope of nothing")),
        }
    }
}

/// The answer to a create, as it is kept and sent.
fn render(row: &Row, answer: Answer, response: CreateGenerationResponse) -> Receipt {
    let status = match answer {
        Answer::Created | Answer::Joined => 202,
        Answer::Cache | Answer::Hash => 200,
    };
    let body = response.answered_by(row, answer);
    Receipt {
        status,
        location: ["/api/v1/generations/", &row.id].concat(),
        // Our own types serialize; if one ever does not, the answer is empty rather than wrong.
        body: to_json(&body).unwrap_or_default(),
    }
}
