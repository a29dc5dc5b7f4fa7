//! What a round does, from its seed alone.

use std::time::Duration;

use onepath_testkit::random::Random;
use serde_json::{Value, json};

/// Generations of a round.
pub(super) const GENERATIONS: usize = 10;

/// When the server is killed while it works.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    /// So long after the creates were sent, whatever was answered by then.
    Sent(Duration),
    /// So long after so many creates were answered.
    Answered(usize, Duration),
}

/// A round.
#[derive(Debug)]
pub(super) struct Plan {
    /// The create requests, each of another result.
    pub(super) bodies: Vec<String>,
    /// How long after another the creates are sent.
    pub(super) stagger: Duration,
    /// Kills of the first start, so long after the process began.
    pub(super) first_start: Option<Duration>,
    /// The kill in the middle of the work.
    pub(super) moment: Moment,
    /// Kills of restarts, so long after the process began.
    pub(super) restarts: Vec<Duration>,
}

impl Plan {
    /// The plan of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let first_start = random.chance(25).then(|| Duration::from_micros(random.below(30_000)));
        let moment = match random.below(100) {
            0..25 => Moment::Sent(Duration::from_micros(random.below(6_000))),
            25..55 => {
                let answers = 1 + random.below(GENERATIONS as u64 - 1);
                let after = Duration::from_micros(random.below(3_000));
                Moment::Answered(usize::try_from(answers).unwrap_or(1), after)
            }
            // Most of the work lies behind the last answer.
            _ => Moment::Answered(GENERATIONS, Duration::from_micros(random.below(400_000))),
        };
        let restarts = match random.below(100) {
            0..60 => 0,
            60..90 => 1,
            _ => 2,
        };
        let restarts =
            (0..restarts).map(|_| Duration::from_micros(random.below(250_000))).collect();
        let stagger = if random.chance(50) { random.below(6_000) } else { 0 };
        Self {
            bodies: (0..GENERATIONS).map(|index| body(&mut random, seed, index)).collect(),
            stagger: Duration::from_micros(stagger),
            first_start,
            moment,
            restarts,
        }
    }
}

/// A create request: pictures and animations, of every strategy under which results are shared.
fn body(random: &mut Random, seed: u64, index: usize) -> String {
    let kinds: [(&str, Value); 4] = [
        ("text_to_image", json!({})),
        ("image_edit", json!({ "imageUrls": ["asset:room"] })),
        ("dialogue", json!({ "duration": { "target": 4 } })),
        ("text_to_video", json!({ "duration": { "target": 3 } })),
    ];
    let (kind, more) = kinds.get(index % kinds.len()).cloned().unwrap_or_default();
    let strategy = ["once", "per_player", "per_playthrough"].get(index % 3).copied();
    let width = 160 + 16 * random.below(12);
    let mut config = json!({
        "generationType": kind,
        "purpose": "ambient",
        "strategy": strategy,
        "seedSource": if strategy == Some("per_playthrough") { "playthrough" } else { "player" },
        "prompt": format!("scene {index} of round {seed}: a lighthouse, a cup of tea and café lights"),
        "style": { "local": { "width": width } },
        "fallback": { "mode": "skip" },
    });
    if let (Some(config), Value::Object(more)) = (config.as_object_mut(), more) {
        config.extend(more);
    }
    json!({
        "config": config,
        "provider_id": "local",
        "player_context": { "playerId": "7", "playthroughId": "99" },
        "name": format!("node {index}"),
        "priority": random.below(11),
    })
    .to_string()
}
