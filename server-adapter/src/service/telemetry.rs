//! How the runs of a tenant went, by provider and by operation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Caller, Service};
use crate::clock::rfc3339;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Role, RunCount, RunTimes};
use crate::telemetry::{Summary, Window, summarize};

/// How the runs of every provider went.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProvidersTelemetry {
    /// How far back was looked.
    pub window: Window,
    /// Since when.
    pub since: String,
    /// One for each provider that ended a run.
    pub providers: Vec<ProviderTelemetry>,
}

/// How the runs of one provider went.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProviderTelemetry {
    /// Who was asked.
    pub provider_id: String,
    /// All of its runs.
    #[serde(flatten)]
    pub all: Summary,
    /// By operation.
    pub operations: BTreeMap<String, Summary>,
    /// By model, of requests that name one.
    pub models: BTreeMap<String, Summary>,
}

/// How the runs of one operation went.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OperationTelemetry {
    /// What was asked for.
    pub operation_type: String,
    /// How far back was looked.
    pub window: Window,
    /// Since when.
    pub since: String,
    /// All of its runs.
    #[serde(flatten)]
    pub all: Summary,
    /// By provider.
    pub providers: BTreeMap<String, Summary>,
}

impl Service {
    /// How the runs of every provider went.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for keys of users; the store does not answer.
    pub async fn providers_telemetry(
        &self,
        caller: &Caller,
        window: Window,
    ) -> Result<ProvidersTelemetry, Problem> {
        let (since, (counts, times)) = self.runs(caller, window).await?;
        let ids = summarize(&counts, &times, |provider, _, _| Some(provider.to_owned()));
        let providers = ids.keys().map(|id| provider(id, &counts, &times)).collect();
        Ok(ProvidersTelemetry { window, since, providers })
    }

    /// How the runs of one provider went.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` for a provider that this server does not have and that ended no run;
    /// `FORBIDDEN` for keys of users; the store does not answer.
    pub async fn provider_telemetry(
        &self,
        caller: &Caller,
        id: &str,
        window: Window,
    ) -> Result<ProviderTelemetry, Problem> {
        let (_, (counts, times)) = self.runs(caller, window).await?;
        let told = provider(id, &counts, &times);
        if told.all.total == 0 && self.providers.get(id).is_none() {
            return Err(Problem::not_found("provider"));
        }
        Ok(told)
    }

    /// How the runs of one operation went.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for keys of users; the store does not answer.
    pub async fn operation_telemetry(
        &self,
        caller: &Caller,
        operation: onepath_core::Operation,
        window: Window,
    ) -> Result<OperationTelemetry, Problem> {
        let (since, (counts, times)) = self.runs(caller, window).await?;
        let word = operation.word();
        let all = summarize(&counts, &times, |_, _, of| (of == word).then_some(()));
        Ok(OperationTelemetry {
            operation_type: word.to_owned(),
            window,
            since,
            all: all.into_values().next().unwrap_or_default(),
            providers: summarize(&counts, &times, |provider, _, of| {
                (of == word).then(|| provider.to_owned())
            }),
        })
    }

    async fn runs(
        &self,
        caller: &Caller,
        window: Window,
    ) -> Result<(String, (Vec<RunCount>, Vec<RunTimes>)), Problem> {
        if caller.role != Role::Backend {
            let detail = "only keys with the role `backend` see how the runs of all went";
            return Err(Problem::new(ProblemCode::Forbidden, detail));
        }
        let since = self.clock.now() - window.millis();
        let tenant = &caller.reader.tenant;
        Ok((rfc3339(since), self.store.ended_runs(Some(tenant), since).await?))
    }
}

fn provider(id: &str, counts: &[RunCount], times: &[RunTimes]) -> ProviderTelemetry {
    let all = summarize(counts, times, |provider, _, _| (provider == id).then_some(()));
    ProviderTelemetry {
        provider_id: id.to_owned(),
        all: all.into_values().next().unwrap_or_default(),
        operations: summarize(counts, times, |provider, _, operation| {
            (provider == id).then(|| operation.to_owned())
        }),
        models: summarize(counts, times, |provider, model, _| {
            model.filter(|_| provider == id).map(str::to_owned)
        }),
    }
}
