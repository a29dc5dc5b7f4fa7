//! Many runs as one line: counts, rates, cost and quantiles.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Histogram;
use crate::store::{Millis, RunCount, RunEnd, RunTimes};

/// How far back is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Window {
    /// The last hour.
    #[serde(rename = "1h")]
    Hour,
    /// The last day.
    #[serde(rename = "24h")]
    Day,
    /// The last seven days.
    #[serde(rename = "7d")]
    Week,
}

impl Window {
    /// Every window, by its word.
    pub const ALL: [(&'static str, Self); 3] =
        [("1h", Self::Hour), ("24h", Self::Day), ("7d", Self::Week)];

    /// The window of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == word).map(|(_, window)| window)
    }

    /// Its length.
    #[must_use]
    pub const fn millis(self) -> Millis {
        const HOUR: Millis = 3_600_000;
        match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
        }
    }
}

/// Quantiles of times in milliseconds, each within one percent; absent where nothing was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// Half of them took at most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// 95 of 100 took at most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// 99 of 100 took at most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
}

impl From<&Histogram> for Quantiles {
    fn from(histogram: &Histogram) -> Self {
        let at = |quantile| histogram.quantile(quantile).map(|value| (value * 10.0).round() / 10.0);
        Self { count: histogram.count(), p50: at(0.5), p95: at(0.95), p99: at(0.99) }
    }
}

/// How runs of one kind went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Runs that ended.
    pub total: u64,
    /// Those that were made.
    pub completed: u64,
    /// Those that were not made; a fallback that stood in is one of them.
    pub failed: u64,
    /// Those that nobody wanted any more; they count for no rate.
    pub cancelled: u64,
    /// Made, of those that were made or not; absent while there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    /// How often each code ended a run.
    pub errors: BTreeMap<String, u64>,
    /// What was paid, in micro-dollars.
    pub cost_micros: i64,
    /// The same for each that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_micros_each: Option<i64>,
    /// From the create to the first attempt, in milliseconds; first runs only.
    pub queue_wait_ms: Quantiles,
    /// From the first attempt to the end, in milliseconds; of what was made.
    pub latency_ms: Quantiles,
}

/// Runs by provider, model and operation, gathered under the key that `key` makes of them.
#[must_use]
pub fn summarize<K: Ord>(
    counts: &[RunCount],
    times: &[RunTimes],
    key: impl Fn(&str, Option<&str>, &str) -> Option<K>,
) -> BTreeMap<K, Summary> {
    #[derive(Default)]
    struct Gathered {
        summary: Summary,
        wait: Histogram,
        latency: Histogram,
    }
    let mut all: BTreeMap<K, Gathered> = BTreeMap::new();
    for line in counts {
        let Some(key) = key(&line.provider, line.model.as_deref(), line.operation.word()) else {
            continue;
        };
        let summary = &mut all.entry(key).or_default().summary;
        summary.total += line.runs;
        summary.cost_micros += line.micros;
        match line.end {
            RunEnd::Completed => summary.completed += line.runs,
            RunEnd::Failed | RunEnd::Fallback => summary.failed += line.runs,
            RunEnd::Cancelled => summary.cancelled += line.runs,
        }
        if let Some(error) = line.error {
            *summary.errors.entry(error.word().to_owned()).or_default() += line.runs;
        }
    }
    for line in times {
        let Some(key) = key(&line.provider, line.model.as_deref(), line.operation.word()) else {
            continue;
        };
        let gathered = all.entry(key).or_default();
        let histogram = if line.waits { &mut gathered.wait } else { &mut gathered.latency };
        histogram.add(line.bin, line.runs);
    }
    let finish = |mut gathered: Gathered| {
        let summary = &mut gathered.summary;
        let judged = summary.completed + summary.failed;
        #[allow(clippy::cast_precision_loss, reason = "counts of runs")]
        if judged > 0 {
            summary.success_rate = Some(summary.completed as f64 / judged as f64);
        }
        summary.cost_micros_each = i64::try_from(summary.completed)
            .ok()
            .and_then(|made| summary.cost_micros.checked_div(made));
        summary.queue_wait_ms = Quantiles::from(&gathered.wait);
        summary.latency_ms = Quantiles::from(&gathered.latency);
        gathered.summary
    };
    all.into_iter().map(|(key, gathered)| (key, finish(gathered))).collect()
}
