//! The social context: who stands how to whom, and what that allows.
//!
//! Levels and tiers come from one table; a world may declare its own, which replaces the default
//! whole.

use crate::codes::Code;
use crate::context::{BuildOptions, LevelCondition, Session, World, WorldLevel, WorldTier};
use crate::decode::record;
use crate::finding::Finding;
use crate::id::Id;
use crate::json::locate::escape;
use crate::json::number::Number;
use crate::json::value::{Map, Value};
use crate::rating::{Band, Rating};

record! {
    /// How the player stands to the npcs of a scene.
    ///
    /// Band and rating travel as asked; what takes effect is computed at each door.
    #[derive(Default)]
    pub struct GenerationSocialContext<'a>("a social context", unknown: refuse) {
        /// The level of intimacy.
        intimacy_level_id: Option<Id<'a>> = "intimacyLevelId" with crate::id::optional as Option<crate::id::Optional>;
        /// The tier of the relationship.
        relationship_tier_id: Option<Id<'a>> = "relationshipTierId" with crate::id::optional as Option<crate::id::Optional>;
        /// How intimate; none if absent.
        intimacy_band: Option<Band> = "intimacyBand";
        /// How explicit; sfw if absent.
        content_rating: Option<Rating> = "contentRating";
        /// The world's maximum, for display.
        world_max_rating: Option<Rating> = "worldMaxRating";
        /// The user's maximum, for display.
        user_max_rating: Option<Rating> = "userMaxRating";
        /// The npcs, in order.
        npc_ids: Option<Vec<Id<'a>>> = "npcIds";
        /// The numbers behind it, for display.
        relationship_values: Option<RelationshipValues> = "relationshipValues";
        /// The band of a level that the default table does not have, written by the build.
        level_band: Option<Band> = "levelBand";
        /// Whether band and rating were lowered by one at the user's wish.
        reduced: Option<bool> = "reduced";
    }
}

record! {
    /// The numbers behind a relationship.
    #[derive(Default)]
    pub struct RelationshipValues("relationship values", unknown: refuse) {
        /// Liking.
        affinity: Option<Number> = "affinity";
        /// Trust.
        trust: Option<Number> = "trust";
        /// Attraction.
        chemistry: Option<Number> = "chemistry";
        /// Tension.
        tension: Option<Number> = "tension";
    }
}

impl GenerationSocialContext<'_> {
    /// The band as asked.
    #[must_use]
    pub fn band(&self) -> Band {
        self.intimacy_band.unwrap_or(Band::None)
    }

    /// The rating as asked.
    #[must_use]
    pub fn rating(&self) -> Rating {
        self.content_rating.unwrap_or(Rating::Sfw)
    }

    /// The level's own band: as written by the build, else that of the default table.
    pub(crate) fn own_band_of_level(&self) -> Band {
        self.level_band.unwrap_or_else(|| {
            self.intimacy_level_id
                .as_ref()
                .and_then(|level| default_level(level.as_str()))
                .map_or(Band::None, |level| level.band)
        })
    }

    /// Lowers band and rating by one and leaves the mark.
    pub(crate) fn reduce(&mut self) {
        self.intimacy_band = Some(self.band().reduced());
        self.content_rating = Some(self.rating().reduced());
        self.reduced = Some(true);
    }
}

/// A level of the default table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DefaultLevel {
    pub(crate) id: &'static str,
    pub(crate) band: Band,
    pub(crate) rating: Rating,
    /// Smallest affinity, chemistry and trust, and largest tension; `None` for levels that are
    /// only ever stored, never computed.
    conditions: Option<([f64; 3], Option<f64>)>,
}

/// The default levels, highest priority first (contract §5).
pub(crate) const DEFAULT_LEVELS: [DefaultLevel; 7] = [
    DefaultLevel {
        id: "soulmates",
        band: Band::Intense,
        rating: Rating::MatureImplied,
        conditions: Some(([95.0, 95.0, 90.0], Some(10.0))),
    },
    DefaultLevel {
        id: "very_intimate",
        band: Band::Intense,
        rating: Rating::MatureImplied,
        conditions: Some(([80.0, 80.0, 60.0], None)),
    },
    DefaultLevel {
        id: "intimate",
        band: Band::Deep,
        rating: Rating::MatureImplied,
        conditions: Some(([60.0, 60.0, 40.0], None)),
    },
    DefaultLevel {
        id: "deep_flirt",
        band: Band::Deep,
        rating: Rating::Romantic,
        conditions: Some(([40.0, 40.0, 20.0], None)),
    },
    DefaultLevel {
        id: "light_flirt",
        band: Band::Light,
        rating: Rating::Romantic,
        conditions: Some(([20.0, 20.0, f64::NEG_INFINITY], None)),
    },
    DefaultLevel { id: "platonic", band: Band::None, rating: Rating::Sfw, conditions: None },
    DefaultLevel { id: "none", band: Band::None, rating: Rating::Sfw, conditions: None },
];

/// The default tiers on affinity, each with the value it starts at; half-open.
const DEFAULT_TIERS: [(&str, f64); 5] = [
    ("stranger", f64::NEG_INFINITY),
    ("acquaintance", 10.0),
    ("friend", 30.0),
    ("close_friend", 60.0),
    ("lover", 80.0),
];

pub(crate) fn default_level(id: &str) -> Option<&'static DefaultLevel> {
    DEFAULT_LEVELS.iter().find(|level| level.id == id)
}

/// The levels and tiers that hold in a world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'w> {
    levels: Option<&'w [WorldLevel<'w>]>,
    tiers: Option<&'w [WorldTier<'w>]>,
}

impl<'w> Table<'w> {
    pub(crate) fn of(world: Option<&'w World<'_>>) -> Self {
        let meta = world.and_then(|world| world.meta.as_ref());
        let generation = meta.and_then(|meta| meta.generation.as_ref());
        let definition = meta
            .and_then(|meta| meta.stats_config.as_ref())
            .and_then(|config| config.definitions.as_ref())
            .and_then(|definitions| definitions.relationships.as_ref());
        Self {
            levels: generation
                .and_then(|generation| generation.levels.as_deref())
                .or_else(|| definition.and_then(|definition| definition.levels.as_deref())),
            tiers: generation
                .and_then(|generation| generation.tiers.as_deref())
                .or_else(|| definition.and_then(|definition| definition.tiers.as_deref())),
        }
    }

    /// Band and rating of a level; `None` if the table does not know it.
    pub(crate) fn level(&self, id: &str) -> Option<(Band, Rating)> {
        let default = default_level(id).map(|level| (level.band, level.rating));
        let Some(levels) = self.levels else { return default };
        if let Some(level) = levels.iter().find(|level| level.id.as_str() == id) {
            let (band, rating) = default.unwrap_or((Band::None, Rating::Sfw));
            return Some((level.band.unwrap_or(band), level.rating.unwrap_or(rating)));
        }
        // A level that is stored or written by hand may be one of the default table all the same.
        default
    }

    /// The level of an entry's values: the highest priority that matches, the first on a tie.
    fn level_of(&self, value: &dyn Fn(&str) -> f64) -> Option<&'w str> {
        let Some(levels) = self.levels else {
            return DEFAULT_LEVELS
                .iter()
                .find(|level| {
                    level.conditions.is_some_and(|([affinity, chemistry, trust], tension)| {
                        value("affinity") >= affinity
                            && value("chemistry") >= chemistry
                            && value("trust") >= trust
                            && tension.is_none_or(|tension| value("tension") <= tension)
                    })
                })
                .map(|level| level.id);
        };
        let priority = |level: &WorldLevel<'_>| level.priority.map_or(0.0, Number::get);
        let mut best: Option<&'w WorldLevel<'w>> = None;
        for level in levels {
            let holds = level.conditions.as_ref().is_some_and(|conditions| {
                conditions.iter().all(|(axis, condition)| within(condition, value(axis)))
            });
            if holds && best.is_none_or(|best| priority(level) > priority(best)) {
                best = Some(level);
            }
        }
        best.map(|level| level.id.as_str())
    }

    /// The tier of an entry's values: of those on the axis that hold, the one that starts last.
    fn tier_of(&self, value: &dyn Fn(&str) -> f64) -> Option<&'w str> {
        let Some(tiers) = self.tiers else {
            let affinity = value("affinity");
            return DEFAULT_TIERS
                .iter()
                .rev()
                .find(|(_, start)| affinity >= *start)
                .map(|(id, _)| *id);
        };
        let axis = |tier: &'w WorldTier<'w>| tier.axis.as_deref().unwrap_or("affinity");
        let wanted = match tiers.iter().map(axis).find(|axis| *axis == "affinity") {
            Some(axis) => axis,
            None => tiers.first().map(axis)?,
        };
        let value = value(wanted);
        let start = |tier: &WorldTier<'_>| tier.min.map_or(f64::NEG_INFINITY, Number::get);
        let mut best: Option<&'w WorldTier<'w>> = None;
        for tier in tiers.iter().filter(|tier| axis(tier) == wanted) {
            let holds = start(tier) <= value && tier.max.is_none_or(|max| value < max.get());
            if holds && best.is_none_or(|best| start(tier) > start(best)) {
                best = Some(tier);
            }
        }
        best.map(|tier| tier.id.as_str())
    }
}

fn within(condition: &LevelCondition, value: f64) -> bool {
    condition.min.is_none_or(|min| value >= min.get())
        && condition.max.is_none_or(|max| value <= max.get())
}

/// One npc's entry of the session, read.
struct Standing<'s> {
    level: Option<&'s str>,
    tier: Option<&'s str>,
    band: Band,
    rating: Rating,
}

/// Reads `session.stats.relationships["npc:<id>"]`; values of another type are findings.
fn standing<'s>(
    session: &'s Session<'_>,
    npc: &str,
    table: &Table<'s>,
    faults: &mut Vec<Finding>,
) -> Option<Standing<'s>> {
    let relationships = session.stats.as_ref()?.get("relationships")?;
    let mut fault = |value: &Value<'_>, expected: &'static str, axis: Option<&str>| {
        let mut pointer = "/session/stats/relationships".to_owned();
        if !std::ptr::eq(value, relationships) {
            pointer.push_str("/npc:");
            pointer.push_str(&escape(npc));
        }
        if let Some(axis) = axis {
            pointer.push('/');
            pointer.push_str(&escape(axis));
        }
        let finding = Finding::new(Code::JsonWrongType, pointer).arg(expected).arg(value.kind());
        if !faults.contains(&finding) {
            faults.push(finding);
        }
    };
    let Some(entries) = relationships.as_map() else {
        fault(relationships, "an object", None);
        return None;
    };
    let entry =
        entries.entries().iter().find(|(name, _)| name.strip_prefix("npc:") == Some(npc))?;
    let Some(values) = entry.1.as_map() else {
        fault(&entry.1, "an object", None);
        return None;
    };
    // Every value that could be read is read, so that all faults are found at once.
    let mut stored = |names: [(&str, &str); 3]| -> Option<&'s str> {
        let mut found = None;
        for (name, value) in
            names.iter().filter_map(|(camel, snake)| Some((*camel, field(values, camel, snake)?)))
        {
            match value {
                Value::Text(text) if !text.is_empty() => found = found.or(Some(text.as_ref())),
                Value::Text(_) => {}
                other => fault(other, "text", Some(name)),
            }
        }
        found
    };
    let stored_level =
        stored([("intimacyLevelId", "intimacy_level_id"), ("levelId", "level_id"), ("", "")]);
    let stored_tier = stored([
        ("relationshipTierId", "relationship_tier_id"),
        ("tierId", "tier_id"),
        ("affinityTierId", "affinity_tier_id"),
    ]);
    let mut axes = [("affinity", 0.0), ("trust", 0.0), ("chemistry", 0.0), ("tension", 0.0)];
    for (axis, number) in &mut axes {
        match values.get(axis).map(|value| (value, value.as_number())) {
            Some((_, Some(given))) => *number = given,
            Some((value, None)) => fault(value, "a number", Some(axis)),
            None => {}
        }
    }
    let value = |axis: &str| match axes.iter().find(|(known, _)| *known == axis) {
        Some((_, number)) => *number,
        // A world may declare axes of its own.
        None => values.get(axis).and_then(Value::as_number).unwrap_or(0.0),
    };
    let level = stored_level.or_else(|| table.level_of(&value));
    let tier = stored_tier.or_else(|| table.tier_of(&value));
    let (band, rating) =
        level.and_then(|level| table.level(level)).unwrap_or((Band::None, Rating::Sfw));
    Some(Standing { level, tier, band, rating })
}

fn field<'v>(values: &'v Map<'_>, camel: &str, snake: &str) -> Option<&'v Value<'v>> {
    values.get(camel).or_else(|| values.get(snake))
}

/// Computes the social context of npcs from a session.
///
/// # Errors
///
/// Relationship entries of another JSON type than the contract has, with pointers below
/// `/session`.
pub(crate) fn compute<'o>(
    session: Option<&'o Session<'_>>,
    world: Option<&'o World<'_>>,
    npc_ids: Option<&'o [Id<'_>]>,
    reduce: bool,
) -> Result<GenerationSocialContext<'o>, Vec<Finding>> {
    let table = Table::of(world);
    let mut faults = Vec::new();
    let mut out = GenerationSocialContext {
        intimacy_band: Some(Band::None),
        content_rating: Some(Rating::Sfw),
        ..GenerationSocialContext::default()
    };
    let npc_ids = npc_ids.unwrap_or_default();
    if !npc_ids.is_empty() {
        out.npc_ids = Some(npc_ids.iter().map(Id::by_ref).collect());
    }
    let mut leading: Option<Standing<'o>> = None;
    let mut rating = Rating::Sfw;
    if let Some(session) = session {
        for npc in npc_ids {
            let Some(standing) = standing(session, npc.as_str(), &table, &mut faults) else {
                continue;
            };
            rating = rating.max(standing.rating);
            if leading.as_ref().is_none_or(|leading| standing.band > leading.band) {
                leading = Some(standing);
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if let Some(leading) = leading {
        out.relationship_tier_id = leading.tier.and_then(Id::new);
        out.intimacy_band = Some(leading.band);
        out.content_rating = Some(rating);
        if leading.band > Band::None
            && let Some(level) = leading.level
        {
            out.intimacy_level_id = Id::new(level);
            if default_level(level).is_none_or(|default| default.band != leading.band) {
                out.level_band = Some(leading.band);
            }
        }
    }
    if reduce {
        out.reduce();
    }
    Ok(out)
}

/// The social context of a build: the one written by hand whole, else the computed one.
pub(crate) fn resolve<'o>(
    by_hand: Option<&'o GenerationSocialContext<'_>>,
    options: &'o BuildOptions<'_>,
) -> Result<GenerationSocialContext<'o>, Vec<Finding>> {
    let Some(by_hand) = by_hand else {
        return compute(
            options.session.as_ref(),
            options.world.as_ref(),
            options.npc_ids.as_deref(),
            options.reduces_intensity(),
        );
    };
    let table = Table::of(options.world.as_ref());
    let level_band = by_hand.level_band.or_else(|| {
        let level = by_hand.intimacy_level_id.as_ref()?.as_str();
        let (band, _) = table.level(level)?;
        default_level(level).is_none_or(|default| default.band != band).then_some(band)
    });
    Ok(GenerationSocialContext {
        intimacy_level_id: by_hand.intimacy_level_id.as_ref().map(Id::by_ref),
        relationship_tier_id: by_hand.relationship_tier_id.as_ref().map(Id::by_ref),
        intimacy_band: by_hand.intimacy_band,
        content_rating: by_hand.content_rating,
        world_max_rating: by_hand.world_max_rating,
        user_max_rating: by_hand.user_max_rating,
        npc_ids: by_hand.npc_ids.as_ref().map(|ids| ids.iter().map(Id::by_ref).collect()),
        relationship_values: by_hand.relationship_values.clone(),
        level_band,
        reduced: by_hand.reduced,
    })
}

/// The levels that the session stores for these npcs: npc, member name, level.
pub(crate) fn stored_levels<'s>(
    session: Option<&'s Session<'_>>,
    npc_ids: &'s [Id<'_>],
) -> Vec<(&'s str, &'static str, &'s str)> {
    let relationships = session
        .and_then(|session| session.stats.as_ref())
        .and_then(|stats| stats.get("relationships"))
        .and_then(Value::as_map);
    let Some(relationships) = relationships else { return Vec::new() };
    let mut out = Vec::new();
    for npc in npc_ids {
        let entry = relationships
            .entries()
            .iter()
            .find(|(name, _)| name.strip_prefix("npc:") == Some(npc.as_str()))
            .and_then(|(_, entry)| entry.as_map());
        let Some(values) = entry else { continue };
        let stored = [("intimacyLevelId", "intimacy_level_id"), ("levelId", "level_id")]
            .into_iter()
            .find_map(|(camel, snake)| {
                let level = field(values, camel, snake)?.as_text()?;
                (!level.is_empty()).then_some((camel, level))
            });
        if let Some((name, level)) = stored {
            out.push((npc.as_str(), name, level));
        }
    }
    out
}
