//! Figures of rounds, and ratios of the same round.

use crate::load::Run;

/// One round of one form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    /// CPU time of the server for a request.
    pub(crate) cpu_ns: f64,
    /// Milliseconds within which half of the answers, and 99 of 100, were there.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Figures {
    /// What a run came to, when the server spent so many nanoseconds.
    #[allow(clippy::cast_precision_loss, reason = "figures of a few seconds")]
    pub(crate) fn of(run: &Run, cpu: u64) -> Self {
        let requests = run.requests as f64;
        let mut sorted = run.latencies.clone();
        sorted.sort_unstable();
        let within = |hundredth: usize| {
            let place = sorted.len().saturating_sub(1) * hundredth / 100;
            sorted.get(place).map_or(f64::NAN, |micros| f64::from(*micros) / 1e3)
        };
        Self {
            per_second: requests / run.wall.as_secs_f64(),
            cpu_ns: cpu as f64 / requests,
            p50: within(50),
            p99: within(99),
        }
    }

    /// Something that has a rate and nothing else.
    pub(crate) fn rate(per_second: f64) -> Self {
        Self { per_second, cpu_ns: f64::NAN, p50: f64::NAN, p99: f64::NAN }
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The middle of one figure over all rounds.
pub(crate) fn middle(rounds: &[Figures], of: fn(&Figures) -> f64) -> f64 {
    median(rounds.iter().map(of).collect())
}

/// The median of a ratio of the same round.
pub(crate) fn ratio(
    above: &[Figures],
    below: &[Figures],
    of: &dyn Fn(&Figures, &Figures) -> f64,
) -> f64 {
    median(above.iter().zip(below).map(|(above, below)| of(above, below)).collect())
}

/// How many times as many requests a second, in the same round.
pub(crate) fn times(above: &[Figures], below: &[Figures]) -> f64 {
    ratio(above, below, &|above, below| above.per_second / below.per_second)
}

/// A figure that may not be there.
pub(crate) fn shown(value: f64, digits: usize) -> String {
    if value.is_nan() { String::new() } else { format!("{value:.digits$}") }
}
