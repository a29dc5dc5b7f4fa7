//! Rules about the node itself and its strategy.

use super::Findings;
use crate::codes::Code;
use crate::facts::Facts;
use crate::finding::{Finding, listed};
use crate::words::{GenerationType, Purpose, Strategy};

/// R1: a disabled node is generated for nobody.
pub(super) fn disabled(facts: &Facts<'_>, out: &mut Findings) {
    if facts.config.enabled == Some(false) {
        out.push(Finding::new(Code::NodeDisabled, "/enabled"));
    }
}

/// R2: a type decides the operation.
pub(super) fn type_required(facts: &Facts<'_>, out: &mut Findings) {
    if facts.config.generation_type.is_none() {
        out.push(Finding::new(Code::NodeTypeRequired, "/generationType"));
    }
}

/// R3: the purpose is part of the identity and of the key.
pub(super) fn purpose_required(facts: &Facts<'_>, out: &mut Findings) {
    if facts.config.purpose.is_none() {
        out.push(Finding::new(Code::NodePurposeRequired, "/purpose"));
    }
}

/// R4: the strategy decides who shares.
pub(super) fn strategy_required(facts: &Facts<'_>, out: &mut Findings) {
    if facts.config.strategy.is_none() {
        out.push(Finding::new(Code::NodeStrategyRequired, "/strategy"));
    }
}

/// Versions count from 1.
pub(super) fn version_range(facts: &Facts<'_>, out: &mut Findings) {
    if let Some(version) = facts.config.version
        && version.get() < 1
    {
        #[allow(clippy::cast_precision_loss, reason = "within ±(2^53−1): exact")]
        let shown = version.get() as f64;
        out.push(Finding::new(Code::NodeVersionRange, "/version").arg(shown));
    }
}

/// The usual purposes of a type; types outside the five have none.
fn usual_purposes(generation_type: GenerationType) -> Option<&'static [Purpose]> {
    use Purpose::{Adaptive, Ambient, GapFill, Variation};
    match generation_type {
        GenerationType::Transition => Some(&[GapFill, Variation, Adaptive]),
        GenerationType::Variation => Some(&[Variation, Adaptive]),
        GenerationType::Dialogue => Some(&[Variation, Adaptive, Ambient]),
        GenerationType::Environment => Some(&[Ambient, Adaptive]),
        GenerationType::NpcResponse => Some(&[Adaptive, Variation]),
        _ => None,
    }
}

/// R5: a purpose outside the usual ones of the type.
pub(super) fn unusual_purpose(facts: &Facts<'_>, out: &mut Findings) {
    if let (Some(generation_type), Some(purpose)) =
        (facts.config.generation_type, facts.config.purpose)
        && let Some(usual) = usual_purposes(generation_type)
        && !usual.contains(&purpose)
    {
        let list = listed(usual.iter().map(|purpose| purpose.word()));
        out.push(
            Finding::new(Code::NodeUnusualPurpose, "/purpose")
                .arg(purpose.word())
                .arg(generation_type.word())
                .arg(list),
        );
    }
}

/// R6: a template id that prints as nothing.
pub(super) fn blank_template(facts: &Facts<'_>, out: &mut Findings) {
    // JavaScript's notion of white space: Unicode's, with the byte order mark, without U+0085.
    let blank = |character: char| {
        (character.is_whitespace() && character != '\u{85}') || character == '\u{feff}'
    };
    if facts.config.template_id.as_ref().is_some_and(|id| id.as_str().chars().all(blank)) {
        out.push(Finding::new(Code::NodeBlankTemplate, "/templateId"));
    }
}

/// R48: nothing is reused.
pub(super) fn always_regenerates(facts: &Facts<'_>, out: &mut Findings) {
    if facts.config.strategy == Some(Strategy::Always) {
        out.push(Finding::new(Code::StrategyAlwaysRegenerates, "/strategy"));
    }
}

/// R49: a gap_fill transition that changes at each view.
pub(super) fn prefer_per_playthrough(facts: &Facts<'_>, out: &mut Findings) {
    let config = facts.config;
    if config.strategy == Some(Strategy::Always)
        && config.generation_type == Some(GenerationType::Transition)
        && config.purpose == Some(Purpose::GapFill)
    {
        out.push(Finding::new(Code::StrategyPreferPerPlaythrough, "/strategy"));
    }
}
