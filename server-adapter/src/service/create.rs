//! Create, preflight and validate.

use onepath_core::{
    Code, CreateGenerationRequest, Decoded, Draft, Integer, Report, decode, fingerprint, review,
};

use super::plan::{Plan, Setting, plan};
use super::view::{CreateGenerationResponse, PreflightResponse, ValidateResponse};
use super::{Caller, Service};
use crate::clock::new_id;
use crate::problem::{Fault, Problem, ProblemCode};
use crate::store::Answer;

impl Service {
    /// What an envelope comes to for a caller, now.
    ///
    /// # Errors
    ///
    /// As [`plan`].
    pub fn plan(&self, caller: &Caller, text: &str) -> Result<Plan, Problem> {
        plan(
            text,
            &Setting {
                caller,
                bounds: self.bounds,
                providers: &self.providers,
                attempts: self.attempts,
                now: self.clock.now(),
            },
        )
    }

    /// Creates a generation, or answers with one that exists.
    ///
    /// # Errors
    ///
    /// As [`plan`], and when the store does not answer.
    pub async fn create(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<CreateGenerationResponse, Problem> {
        let mut plan = self.plan(caller, text)?;
        plan.new.id = new_id(&*self.clock);
        let response = CreateGenerationResponse::of(&plan);
        let created = self.store.create(plan.new).await?;
        if matches!(created.answer, Answer::Created | Answer::Joined) {
            self.bell.notify_one();
        }
        Ok(response.answered_by(created))
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
        let plan = self.plan(caller, text)?;
        let (answer, row) = self.store.preview(&plan.new).await?;
        Ok(PreflightResponse::new(answer, row.as_ref(), &plan, self.bounds))
    }

    /// What the rules find, whatever they find.
    ///
    /// # Errors
    ///
    /// `MALFORMED_JSON`, and `STRUCTURED_CONFIG_REQUIRED` for an envelope without config and
    /// request.
    pub fn validate(&self, text: &str) -> Result<ValidateResponse, Problem> {
        let read: Decoded<CreateGenerationRequest<'_>> = decode(text);
        if let Some(fault) = read.faults.iter().find(|fault| fault.code() == Code::JsonSyntax) {
            return Err(Problem::new(ProblemCode::MalformedJson, fault.message())
                .with(vec![Fault::from(fault)]));
        }
        let Some(envelope) = &read.value else { return Err(Problem::findings(&read.faults)) };
        let now = Integer::new(self.clock.now());
        if let Some(draft) = Draft::new(envelope, self.bounds.own(), now) {
            return Ok(ValidateResponse::new(draft.prepare(&read.faults).report));
        }
        if let Some(request) = &envelope.request {
            let id = request.provider_id.as_ref().map_or("", |id| id.as_str());
            let provider = self.providers.get(id).map(|provider| provider.info());
            let mut findings = read.faults.clone();
            let mut found = review(request, provider).into_findings();
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
        self.plan_of_nothing(text)
    }

    /// The problem of an envelope with neither config nor request.
    fn plan_of_nothing(&self, text: &str) -> Result<ValidateResponse, Problem> {
        let nobody = Caller {
            reader: crate::store::Reader { tenant: String::new(), user: String::new() },
            role: crate::store::Role::Backend,
        };
        Err(self.plan(&nobody, text).err().unwrap_or_else(|| {
            Problem::new(ProblemCode::StructuredConfigRequired, "send `config` or `request`")
        }))
    }
}
