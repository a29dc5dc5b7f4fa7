//! Metrics for Prometheus: every name, with what it counts and its labels, in one place.
//!
//! No label holds an id, a hash, a prompt, a user or a tenant. Models are named by requests, so that
//! only the first of them get a label of their own; the others are `other`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use onepath_core::{Report, Strategy};

use crate::provider::Charged;
use crate::store::{Answer, EndedRun, Row, RunEnd};

const GENERATIONS: &str = "onepath_generations_total";
const DURATION: &str = "onepath_generation_duration_seconds";
const WAIT: &str = "onepath_queue_wait_seconds";
const COST: &str = "onepath_cost_usd_total";
const CACHE: &str = "onepath_cache_requests_total";
const FINDINGS: &str = "onepath_validation_findings_total";
const CALLS: &str = "onepath_provider_request_duration_seconds";
const CHARGED: &str = "onepath_provider_charged_micros_total";
const IN_FLIGHT: &str = "onepath_generations_in_flight";
const BUILD: &str = "onepath_build_info";

/// Every metric's name.
pub const NAMES: [&str; 10] =
    [GENERATIONS, DURATION, WAIT, COST, CACHE, FINDINGS, CALLS, CHARGED, IN_FLIGHT, BUILD];

/// Models that get a label of their own.
const MODELS: usize = 50;

/// Seconds: media takes minutes.
const LONG: &[f64] = &[0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0];
const SHORT: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The recorder of this process; none if the program around us has one of its own.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Records from now on. A program that embeds the server and has its own recorder keeps it.
pub fn install() {
    RECORDER.get_or_init(|| {
        let handle = build().ok()?;
        describe();
        gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Some(handle)
    });
}

fn build() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), LONG)?
        .set_buckets_for_metric(Matcher::Full(WAIT.to_owned()), LONG)?
        .set_buckets_for_metric(Matcher::Full(CALLS.to_owned()), SHORT)?
        .install_recorder()
}

fn describe() {
    describe_counter!(GENERATIONS, "runs that ended, by operation and how");
    describe_histogram!(DURATION, "from a run's first attempt to its end");
    describe_histogram!(WAIT, "from a create to the first attempt");
    describe_counter!(CACHE, "creates, by strategy and how they were answered");
    describe_counter!(FINDINGS, "findings of creates and validations, by code");
    describe_histogram!(CALLS, "calls of providers, by call and how they ended");
    describe_counter!(CHARGED, "micro-dollars that a provider says it charged");
    describe_gauge!(IN_FLIGHT, "generations that are not over, by provider and status");
    describe_gauge!(BUILD, "1, with the version");
}

/// The text that Prometheus reads; none if somebody else records.
#[must_use]
pub fn render() -> Option<String> {
    let handle = RECORDER.get()?.as_ref()?;
    handle.run_upkeep();
    let mut text = handle.render();
    let _ = write_costs(&mut text);
    Some(text)
}

/// Micro-dollars by provider and model. The recorder's counters are whole numbers, and would lose
/// the cents.
static COSTS: LazyLock<Mutex<BTreeMap<(String, String), i64>>> = LazyLock::new(Mutex::default);

fn write_costs(text: &mut String) -> std::fmt::Result {
    let costs = COSTS.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(text, "# HELP {COST} what runs cost, in US dollars")?;
    writeln!(text, "# TYPE {COST} counter")?;
    for ((provider, model), micros) in &*costs {
        let (provider, model) = (escaped(provider), escaped(model));
        let (dollars, rest) = (micros / 1_000_000, micros % 1_000_000);
        let labels = format!("provider=\"{provider}\",model=\"{model}\"");
        writeln!(text, "{COST}{{{labels}}} {dollars}.{rest:06}")?;
    }
    Ok(())
}

/// A label's value in the text format.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Keeps what was recorded small; called now and then, also where nobody scrapes.
pub fn tidy() {
    if let Some(Some(handle)) = RECORDER.get() {
        handle.run_upkeep();
    }
}

/// A run ended.
pub(crate) fn ended(row: &Row, run: &EndedRun) {
    let (provider, operation) = (row.asked.provider.clone(), row.asked.operation.word());
    let model = model_label(run.model.as_deref());
    counter!(GENERATIONS, "type" => operation, "status" => run.end.word()).increment(1);
    if let Some(latency) = run.latency {
        let labels = [
            ("provider", provider.clone()),
            ("model", model.clone()),
            ("type", operation.to_owned()),
            ("outcome", run.end.word().to_owned()),
        ];
        histogram!(DURATION, &labels).record(seconds(latency));
    }
    if let Some(wait) = run.wait {
        histogram!(WAIT, "provider" => provider.clone()).record(seconds(wait));
    }
    if run.end == RunEnd::Completed {
        let mut costs = COSTS.lock().unwrap_or_else(PoisonError::into_inner);
        *costs.entry((provider, model)).or_default() += run.micros;
    }
}

#[allow(clippy::cast_precision_loss, reason = "a time for people")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

/// A create was answered.
pub(crate) fn answered(strategy: Strategy, answer: Answer) {
    let outcome = match answer {
        Answer::Created if strategy == Strategy::Always => "bypass",
        Answer::Created => "miss",
        Answer::Joined => "joined",
        Answer::Cache => "hit",
        Answer::Hash => "hash",
    };
    counter!(CACHE, "strategy" => strategy.word(), "outcome" => outcome).increment(1);
}

/// Something was validated.
pub(crate) fn found(report: &Report) {
    for finding in report.findings() {
        counter!(FINDINGS, "code" => finding.code().slug()).increment(1);
    }
}

/// A provider was called.
pub(crate) fn called(provider: &str, call: &'static str, good: bool, took: std::time::Duration) {
    let outcome = if good { "answered" } else { "failed" };
    let provider = provider.to_owned();
    histogram!(CALLS, "provider" => provider, "call" => call, "outcome" => outcome)
        .record(took.as_secs_f64());
}

/// What a provider said that it charged, beside what was estimated.
pub(crate) fn charged(provider: &str, charged: Charged) {
    if let Some(micros) = charged.micros.and_then(|micros| u64::try_from(micros).ok()) {
        counter!(CHARGED, "provider" => provider.to_owned()).increment(micros);
    }
}

/// How many generations are not over.
pub(crate) fn in_flight(lines: &[(String, String, u64)]) {
    static KNOWN: LazyLock<Mutex<BTreeSet<(String, String)>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    // What is not there any more is zero, not what it was.
    for (provider, status) in known.iter() {
        gauge!(IN_FLIGHT, "provider" => provider.clone(), "status" => status.clone()).set(0.0);
    }
    for (provider, status, count) in lines {
        #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
        gauge!(IN_FLIGHT, "provider" => provider.clone(), "status" => status.clone())
            .set(*count as f64);
        known.insert((provider.clone(), status.clone()));
    }
}

/// The label of a model: its name if it is one of the first, else `other`.
fn model_label(model: Option<&str>) -> String {
    static KNOWN: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(Mutex::default);
    let Some(model) = model else { return String::new() };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.contains(model) {
        return model.to_owned();
    }
    if known.len() < MODELS && model.len() <= 100 {
        known.insert(model.to_owned());
        return model.to_owned();
    }
    "other".to_owned()
}
