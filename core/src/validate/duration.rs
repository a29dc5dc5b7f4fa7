//! Rules about durations, in seconds.

use super::Findings;
use crate::codes::Code;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::json::number::Number;
use crate::words::GenerationType;

/// Minimum, maximum and target.
fn parts(facts: &Facts<'_>) -> (Option<f64>, Option<f64>, Option<f64>) {
    match &facts.config.duration {
        Some(rule) => {
            (rule.min.map(Number::get), rule.max.map(Number::get), rule.target.map(Number::get))
        }
        None => (None, None, None),
    }
}

/// R30.
pub(super) fn min_exceeds_max(facts: &Facts<'_>, out: &mut Findings) {
    if let (Some(min), Some(max), _) = parts(facts)
        && min > max
    {
        out.push(Finding::new(Code::DurationMinExceedsMax, "/duration/min").arg(min).arg(max));
    }
}

/// R31.
pub(super) fn target_below_min(facts: &Facts<'_>, out: &mut Findings) {
    if let (Some(min), _, Some(target)) = parts(facts)
        && target < min
    {
        let finding = Finding::new(Code::DurationTargetBelowMin, "/duration/target");
        out.push(finding.arg(target).arg(min));
    }
}

/// R32.
pub(super) fn target_above_max(facts: &Facts<'_>, out: &mut Findings) {
    if let (_, Some(max), Some(target)) = parts(facts)
        && target > max
    {
        let finding = Finding::new(Code::DurationTargetAboveMax, "/duration/target");
        out.push(finding.arg(target).arg(max));
    }
}

fn negative(value: Option<f64>, code: Code, pointer: &'static str, out: &mut Findings) {
    if let Some(value) = value
        && value < 0.0
    {
        out.push(Finding::new(code, pointer).arg(value));
    }
}

/// R33.
pub(super) fn negative_min(facts: &Facts<'_>, out: &mut Findings) {
    negative(parts(facts).0, Code::DurationNegativeMin, "/duration/min", out);
}

/// R34.
pub(super) fn negative_max(facts: &Facts<'_>, out: &mut Findings) {
    negative(parts(facts).1, Code::DurationNegativeMax, "/duration/max", out);
}

/// R35.
pub(super) fn negative_target(facts: &Facts<'_>, out: &mut Findings) {
    negative(parts(facts).2, Code::DurationNegativeTarget, "/duration/target", out);
}

/// R36: a transition that is hardly seen.
pub(super) fn short_transition(facts: &Facts<'_>, out: &mut Findings) {
    if facts.generation_type == Some(GenerationType::Transition)
        && let (_, Some(max), _) = parts(facts)
        && max < 2.0
    {
        out.push(Finding::new(Code::DurationShortTransition, "/duration/max").arg(max));
    }
}

/// R37: beyond what providers make.
pub(super) fn very_long(facts: &Facts<'_>, out: &mut Findings) {
    if let (_, Some(max), _) = parts(facts)
        && max > 300.0
    {
        out.push(Finding::new(Code::DurationVeryLong, "/duration/max").arg(max));
    }
}

/// R38: a range without a wish.
pub(super) fn target_missing(facts: &Facts<'_>, out: &mut Findings) {
    if let (Some(_), Some(_), None) = parts(facts) {
        out.push(Finding::new(Code::DurationTargetMissing, "/duration/target"));
    }
}

/// R39: less than a second between the ends.
pub(super) fn tight_range(facts: &Facts<'_>, out: &mut Findings) {
    if let (Some(min), Some(max), _) = parts(facts)
        && (0.0..1.0).contains(&(max - min))
    {
        out.push(Finding::new(Code::DurationTightRange, "/duration/max").arg(max - min));
    }
}

/// R40: transitions and dialogue are timed.
pub(super) fn missing(facts: &Facts<'_>, out: &mut Findings) {
    if let Some(kind @ (GenerationType::Transition | GenerationType::Dialogue)) =
        facts.generation_type
        && facts.config.duration.is_none()
    {
        out.push(Finding::new(Code::DurationMissing, "/duration").arg(kind.word()));
    }
}
