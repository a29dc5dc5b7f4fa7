//! Histograms that merge: counts in bins whose bounds grow by a fixed factor.
//!
//! A value lies in the bin whose bounds are powers of the factor, and a quantile is told as the
//! middle of its bin, so that the relative error is the same everywhere: [`ERROR`]. The bins of two
//! histograms are the same, so that counts of any processes, times and groups are only added up.
//! (Masson, Rim, Lee: DDSketch, VLDB 2019.)

use std::collections::BTreeMap;

/// The most by which a told quantile differs from the exact one, as a part of it.
pub const ERROR: f64 = 0.01;

/// By how much a bin's upper bound is above its lower one.
const FACTOR: f64 = (1.0 + ERROR) / (1.0 - ERROR);

/// The bin of a time in milliseconds; bin 0 holds everything up to one.
#[must_use]
pub fn bin(millis: i64) -> i64 {
    if millis <= 1 {
        return 0;
    }
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a logarithm of 63 bits is a small number"
    )]
    let bin = ((millis as f64).ln() / FACTOR.ln()).ceil() as i64;
    bin.max(1)
}

/// The time that a bin stands for, in milliseconds.
#[must_use]
pub fn middle(bin: i64) -> f64 {
    if bin <= 0 {
        return 1.0;
    }
    #[allow(clippy::cast_precision_loss, reason = "bins are small numbers")]
    let upper = FACTOR.powf(bin as f64);
    upper * 2.0 / (1.0 + FACTOR)
}

/// Counts by bin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: BTreeMap<i64, u64>,
}

impl Histogram {
    /// Counts values of a bin.
    pub fn add(&mut self, bin: i64, count: u64) {
        if count > 0 {
            *self.counts.entry(bin).or_default() += count;
        }
    }

    /// Counts everything of another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (bin, count) in &other.counts {
            self.add(*bin, *count);
        }
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The value below or at which `quantile` (0 to 1) of all values lie, by nearest rank, within
    /// [`ERROR`]; none if nothing was counted.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let count = self.count();
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank among counted values"
        )]
        let rank = ((count as f64 * quantile).ceil() as u64).clamp(1, count.max(1));
        let mut below = 0;
        for (bin, count) in &self.counts {
            below += count;
            if below >= rank {
                return Some(middle(*bin));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever was counted where, a quantile is the exact one within the stated error.
        #[test]
        fn a_quantile_is_exact_within_its_error(
            values in prop::collection::vec(1_i64..700_000_000, 1..400),
            parts in 1_usize..5,
            quantile in 0.0_f64..=1.0,
        ) {
            let mut pieces = vec![Histogram::default(); parts];
            for (index, value) in values.iter().enumerate() {
                pieces[index % parts].add(bin(*value), 1);
            }
            let mut whole = Histogram::default();
            for piece in &pieces {
                whole.merge(piece);
            }
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let rank = ((sorted.len() as f64 * quantile).ceil() as usize).clamp(1, sorted.len());
            let exact = sorted[rank - 1] as f64;
            let told = whole.quantile(quantile).unwrap();
            prop_assert!((told - exact).abs() <= exact * ERROR + 1e-9, "{told} for {exact}");
            prop_assert_eq!(whole.count(), values.len() as u64);
        }
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
