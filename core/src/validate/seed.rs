//! Rules about seeds and the scopes they are tied to.

use super::Findings;
use crate::codes::Code;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::words::{SeedSource, Strategy};

/// R8: a seed from the clock gives every request its own key.
pub(super) fn timestamp_defeats_cache(facts: &Facts<'_>, out: &mut Findings) {
    if facts.config.seed_source == Some(SeedSource::Timestamp)
        && facts.config.strategy != Some(Strategy::Always)
    {
        let strategy = facts.config.strategy.map_or("", Strategy::word);
        out.push(Finding::new(Code::SeedTimestampDefeatsCache, "/seedSource").arg(strategy));
    }
}

/// R9: per_playthrough with another source.
pub(super) fn prefer_playthrough(facts: &Facts<'_>, out: &mut Findings) {
    if facts.config.strategy == Some(Strategy::PerPlaythrough)
        && facts.config.seed_source.is_some_and(|source| source != SeedSource::Playthrough)
    {
        out.push(Finding::new(Code::SeedPreferPlaythrough, "/seedSource"));
    }
}

/// R10: per_player with another source.
pub(super) fn prefer_player(facts: &Facts<'_>, out: &mut Findings) {
    if facts.config.strategy == Some(Strategy::PerPlayer)
        && facts.config.seed_source.is_some_and(|source| source != SeedSource::Player)
    {
        out.push(Finding::new(Code::SeedPreferPlayer, "/seedSource"));
    }
}

/// R11: no source, and the strategy caches.
pub(super) fn source_missing(facts: &Facts<'_>, out: &mut Findings) {
    if facts.config.seed_source.is_none() && facts.config.strategy != Some(Strategy::Always) {
        out.push(Finding::new(Code::SeedSourceMissing, "/seedSource"));
    }
}

/// A fixed seed must be given by the options, the config or the provider's block. Without a
/// provider the seed of any block will do.
pub(super) fn fixed_missing(facts: &Facts<'_>, out: &mut Findings) {
    let in_any_block = || {
        !facts.all()
            && facts.options.provider_id().is_none()
            && facts.config.style.as_ref().is_some_and(|style| {
                style.blocks.iter().any(|(_, block)| block.get("seed").is_some())
            })
    };
    if facts.config.seed_source == Some(SeedSource::Fixed)
        && *facts.seed() == Ok(None)
        && !in_any_block()
    {
        out.push(Finding::new(Code::SeedFixedMissing, "/seed"));
    }
}

/// The core has no clock.
pub(super) fn now_missing(facts: &Facts<'_>, out: &mut Findings) {
    if facts.all()
        && facts.config.seed_source == Some(SeedSource::Timestamp)
        && *facts.seed() == Ok(None)
        && facts.options.now.is_none()
    {
        out.push(Finding::new(Code::SeedNowMissing, "/options/now"));
    }
}

/// The seed in a provider's block; those of config and options are read as seeds.
pub(super) fn malformed(facts: &Facts<'_>, out: &mut Findings) {
    out.extend(facts.malformed_seed());
}

/// Whether the strategy, or a source that a seed is derived from, is tied to this scope.
fn needs(facts: &Facts<'_>, strategy: Strategy, source: SeedSource) -> bool {
    facts.config.strategy == Some(strategy)
        || (facts.config.seed_source == Some(source) && *facts.seed() == Ok(None))
}

/// There is no "unknown" playthrough: its players would share results.
pub(super) fn playthrough_missing(facts: &Facts<'_>, out: &mut Findings) {
    let options = facts.options;
    let given = facts.all() || options.session.is_some() || options.player_context.is_some();
    if given
        && needs(facts, Strategy::PerPlaythrough, SeedSource::Playthrough)
        && options.playthrough_id().is_none()
    {
        out.push(Finding::new(
            Code::ScopePlaythroughMissing,
            "/options/playerContext/playthroughId",
        ));
    }
}

/// There is no "unknown" player.
pub(super) fn player_missing(facts: &Facts<'_>, out: &mut Findings) {
    let options = facts.options;
    let given = facts.all() || options.session.is_some() || options.player_context.is_some();
    if given
        && needs(facts, Strategy::PerPlayer, SeedSource::Player)
        && options.player_id().is_none()
    {
        out.push(Finding::new(Code::ScopePlayerMissing, "/options/playerContext/playerId"));
    }
}
