//! Rules about ratings and the social context.

use super::Findings;
use crate::codes::Code;
use crate::facts::{Facts, Known};
use crate::finding::Finding;
use crate::json::locate::escape;
use crate::rating::{Band, Rating};
use crate::social::{Table, stored_levels};
use crate::words::GenerationType;

const RATING: &str = "/socialContext/contentRating";

fn exceeds(facts: &Facts<'_>, bound: Option<Rating>, code: Code, out: &mut Findings) {
    if let (Some(asked), Some(bound)) = (facts.asked_rating(), bound)
        && asked > bound
    {
        out.push(Finding::new(code, RATING).arg(asked.word()).arg(bound.word()));
    }
}

/// R12: above what the world allows; romantic where it says nothing.
pub(super) fn exceeds_world(facts: &Facts<'_>, out: &mut Findings) {
    let bounds = facts.options.bounds.as_ref();
    let given = facts.options.world.is_some() || bounds.is_some_and(|it| it.world.is_some());
    if facts.all() || given {
        exceeds(facts, facts.world_bound(), Code::RatingExceedsWorld, out);
    }
}

/// R13: above what the user wants; romantic where they say nothing.
pub(super) fn exceeds_user(facts: &Facts<'_>, out: &mut Findings) {
    let options = facts.options;
    let bounds = options.bounds.as_ref().is_some_and(|bounds| bounds.user.is_some());
    let given = options.user.is_some() || options.social_context_config.is_some() || bounds;
    if facts.all() || given {
        exceeds(facts, facts.user_bound(), Code::RatingExceedsUser, out);
    }
}

/// R14: restricted content.
pub(super) fn restricted(facts: &Facts<'_>, out: &mut Findings) {
    if facts.asked_rating() == Some(Rating::Restricted) {
        out.push(Finding::new(Code::RatingRestricted, RATING));
    }
}

/// R15: the most intense band.
pub(super) fn intense_band(facts: &Facts<'_>, out: &mut Findings) {
    let band = match &facts.config.social_context {
        Some(by_hand) => by_hand.intimacy_band,
        None => facts.social().as_ref().ok().and_then(|social| social.intimacy_band),
    };
    if band == Some(Band::Intense) {
        out.push(Finding::new(Code::SocialIntenseBand, "/socialContext/intimacyBand"));
    }
}

/// R16: an npc_response of nobody.
pub(super) fn npc_ids_missing(facts: &Facts<'_>, out: &mut Findings) {
    if facts.generation_type == Some(GenerationType::NpcResponse)
        && let Some(social) = &facts.config.social_context
        && social.npc_ids.as_deref().unwrap_or_default().is_empty()
    {
        out.push(Finding::new(Code::SocialNpcIdsMissing, "/socialContext/npcIds"));
    }
}

/// R17: dialogue and npc responses depend on the relationship.
pub(super) fn context_missing(facts: &Facts<'_>, out: &mut Findings) {
    if let Some(kind @ (GenerationType::NpcResponse | GenerationType::Dialogue)) =
        facts.generation_type
        && facts.config.social_context.is_none()
        && facts.options.npc_ids.as_deref().unwrap_or_default().is_empty()
    {
        out.push(Finding::new(Code::SocialContextMissing, "/socialContext").arg(kind.word()));
    }
}

/// A level that neither the default table nor the world knows, by hand or stored in the session.
pub(super) fn unknown_level(facts: &Facts<'_>, out: &mut Findings) {
    let options = facts.options;
    if facts.known == Known::Given && options.world.is_none() {
        return;
    }
    let table = Table::of(options.world.as_ref());
    if let Some(social) = &facts.config.social_context {
        if let Some(level) = &social.intimacy_level_id
            && social.level_band.is_none()
            && table.level(level.as_str()).is_none()
        {
            out.push(
                Finding::new(Code::SocialUnknownLevel, "/socialContext/intimacyLevelId")
                    .arg(level.as_str().to_owned()),
            );
        }
        return;
    }
    let npc_ids = options.npc_ids.as_deref().unwrap_or_default();
    for (npc, name, level) in stored_levels(options.session.as_ref(), npc_ids) {
        if table.level(level).is_none() {
            let pointer =
                format!("/options/session/stats/relationships/npc:{}/{name}", escape(npc));
            out.push(Finding::new(Code::SocialUnknownLevel, pointer).arg(level.to_owned()));
        }
    }
}

/// R23: above what the constraint's film rating allows.
pub(super) fn exceeds_constraint(facts: &Facts<'_>, out: &mut Findings) {
    if let Some(film) = facts.config.constraints.as_ref().and_then(|rules| rules.rating)
        && let Some(asked) = facts.asked_rating()
        && asked > film.allows()
    {
        out.push(
            Finding::new(Code::RatingExceedsConstraint, RATING)
                .arg(asked.word())
                .arg(film.word())
                .arg(film.allows().word()),
        );
    }
}
