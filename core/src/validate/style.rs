//! Rules about the style.

use super::Findings;
use crate::codes::Code;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::words::{GenerationType, Pacing, TransitionType};

/// R18: a transition leads from one mood to another.
pub(super) fn moods_missing(facts: &Facts<'_>, out: &mut Findings) {
    if facts.generation_type == Some(GenerationType::Transition)
        && let Some(style) = &facts.config.style
    {
        let empty =
            |mood: &Option<crate::decode::Text<'_>>| mood.as_deref().is_none_or(str::is_empty);
        let (pointer, name) = match (empty(&style.mood_from), empty(&style.mood_to)) {
            (false, false) => return,
            (true, false) => ("/style/moodFrom", "moodFrom"),
            (false, true) => ("/style/moodTo", "moodTo"),
            (true, true) => ("/style/moodFrom", "moodFrom` and `moodTo"),
        };
        out.push(Finding::new(Code::StyleMoodsMissing, pointer).arg(name));
    }
}

/// R21: a cut that takes long.
pub(super) fn abrupt_and_slow(facts: &Facts<'_>, out: &mut Findings) {
    if let Some(style) = &facts.config.style
        && style.transition_type == Some(TransitionType::Abrupt)
        && style.pacing == Some(Pacing::Slow)
    {
        out.push(Finding::new(Code::StyleAbruptAndSlow, "/style/pacing"));
    }
}

/// R22: a transition is described by its style.
pub(super) fn missing(facts: &Facts<'_>, out: &mut Findings) {
    if facts.generation_type == Some(GenerationType::Transition) && facts.config.style.is_none() {
        out.push(Finding::new(Code::StyleMissing, "/style"));
    }
}
