//! Rules about what happens when generation fails.

use super::Findings;
use crate::codes::Code;
use crate::config::FallbackConfig;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::json::number::Number;
use crate::words::{FallbackMode, GenerationType, Purpose};

fn mode(facts: &Facts<'_>) -> Option<FallbackMode> {
    facts.config.fallback.as_ref()?.mode
}

/// The fallback, if it retries.
fn retry<'f>(facts: &Facts<'f>) -> Option<&'f FallbackConfig<'f>> {
    facts.config.fallback.as_ref().filter(|fallback| fallback.mode == Some(FallbackMode::Retry))
}

/// R41: nothing to fall back on.
pub(super) fn default_content_missing(facts: &Facts<'_>, out: &mut Findings) {
    if mode(facts) == Some(FallbackMode::DefaultContent)
        && facts.config.fallback.as_ref().is_none_or(|it| it.default_content_id.is_none())
    {
        let pointer = "/fallback/defaultContentId";
        out.push(Finding::new(Code::FallbackDefaultContentMissing, pointer));
    }
}

/// R42: retries below 0 or above 5.
pub(super) fn retries_out_of_range(facts: &Facts<'_>, out: &mut Findings) {
    if let Some(retries) = retry(facts).and_then(|fallback| fallback.max_retries).map(Number::get)
        && !(0.0..=5.0).contains(&retries)
    {
        let finding = Finding::new(Code::FallbackRetriesOutOfRange, "/fallback/maxRetries");
        out.push(finding.arg(retries));
    }
}

fn timeout(facts: &Facts<'_>) -> Option<f64> {
    retry(facts)?.timeout_ms.map(Number::get)
}

/// R43: under a second.
pub(super) fn timeout_short(facts: &Facts<'_>, out: &mut Findings) {
    if let Some(ms) = timeout(facts)
        && ms < 1000.0
    {
        out.push(Finding::new(Code::FallbackTimeoutShort, "/fallback/timeoutMs").arg(ms));
    }
}

/// R44: over a minute.
pub(super) fn timeout_long(facts: &Facts<'_>, out: &mut Findings) {
    if let Some(ms) = timeout(facts)
        && ms > 60_000.0
    {
        out.push(Finding::new(Code::FallbackTimeoutLong, "/fallback/timeoutMs").arg(ms));
    }
}

/// R45: a placeholder between two scenes.
pub(super) fn placeholder_transition(facts: &Facts<'_>, out: &mut Findings) {
    if mode(facts) == Some(FallbackMode::Placeholder)
        && facts.generation_type == Some(GenerationType::Transition)
    {
        out.push(Finding::new(Code::FallbackPlaceholderTransition, "/fallback/mode"));
    }
}

/// R46: the gap stays.
pub(super) fn skip_gap_fill(facts: &Facts<'_>, out: &mut Findings) {
    if mode(facts) == Some(FallbackMode::Skip) && facts.config.purpose == Some(Purpose::GapFill) {
        out.push(Finding::new(Code::FallbackSkipGapFill, "/fallback/mode"));
    }
}

/// R47: every generation can fail.
pub(super) fn missing(facts: &Facts<'_>, out: &mut Findings) {
    if facts.config.fallback.is_none() {
        out.push(Finding::new(Code::FallbackMissing, "/fallback"));
    }
}
