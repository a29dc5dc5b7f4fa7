//! The path as one would write it first: owned serde types, a published canonicalizer, SHA-256.
//!
//! It does less than the path: it stops at the first fault, checks a handful of rules, and knows
//! neither bounds by provider nor derived seeds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

type Open = BTreeMap<String, Value>;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    generation_type: String,
    purpose: String,
    style: Option<Style>,
    duration: Option<Duration>,
    constraints: Option<Constraints>,
    strategy: String,
    seed_source: Option<String>,
    fallback: Option<Fallback>,
    enabled: Option<bool>,
    version: Option<u64>,
    prompt: Option<String>,
    negative_prompt: Option<String>,
    image_url: Option<String>,
    social_context: Option<Open>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Style {
    mood_from: Option<String>,
    mood_to: Option<String>,
    pacing: Option<String>,
    transition_type: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Duration {
    min: Option<f64>,
    max: Option<f64>,
    target: Option<f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Constraints {
    rating: Option<String>,
    required_elements: Option<Vec<String>>,
    avoid_elements: Option<Vec<String>>,
    content_rules: Option<Vec<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fallback {
    mode: String,
    default_content_id: Option<String>,
    max_retries: Option<u32>,
    timeout_ms: Option<u32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Options {
    session: Session,
    world: World,
    user: User,
    npc_ids: Vec<Value>,
    npcs: Vec<Npc>,
    provider_id: String,
    from_scene: Option<Scene>,
    to_scene: Option<Scene>,
}

#[derive(Debug, Clone, Deserialize)]
struct Session {
    id: Value,
    user_id: Value,
    flags: Open,
    stats: BTreeMap<String, BTreeMap<String, Open>>,
}

#[derive(Debug, Clone, Deserialize)]
struct World {
    meta: Meta,
}

#[derive(Debug, Clone, Deserialize)]
struct Meta {
    generation: Generation,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generation {
    max_content_rating: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    max_content_rating: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Npc {
    id: Value,
    name: Option<String>,
    base_image: Option<String>,
    expression: Option<String>,
    emotion: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scene {
    id: String,
    mood: Option<String>,
    summary: Option<String>,
    location: Option<String>,
    emotional_state: Option<String>,
}

#[derive(Debug, Serialize)]
struct Request {
    r#type: String,
    purpose: String,
    version: u64,
    provider_id: String,
    strategy: String,
    style: Option<Style>,
    duration: Option<Duration>,
    constraints: Option<Constraints>,
    fallback: Option<Fallback>,
    prompt: Option<String>,
    negative_prompt: Option<String>,
    inputs: Vec<Open>,
    from_scene: Option<Scene>,
    to_scene: Option<Scene>,
    bounds: BTreeMap<&'static str, String>,
    player_context: Open,
    social_context: Open,
    npc_params: Open,
}

/// Validates, builds, writes, hashes, makes the key.
pub(crate) fn path(
    config: &Config,
    options: &Options,
) -> Result<(String, String, String), serde_json::Error> {
    let _messages = validate(config);
    let request = build(config, options);
    let canonical = serde_json_canonicalizer::to_string(&request)?;
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    let seed = text(&options.session.id);
    let pair = serde_json_canonicalizer::to_string(&[&hash, &seed])?;
    let request_hash = hex(&Sha256::digest(pair.as_bytes()));
    let scene =
        |scene: &Option<Scene>| scene.as_ref().map_or("-".to_owned(), |scene| scene.id.clone());
    let key = format!(
        "generation:{}|{}|{}|{}|{}|pt:{seed}|v{}|{}",
        config.generation_type,
        config.purpose,
        scene(&request.from_scene),
        scene(&request.to_scene),
        config.strategy,
        request.version,
        hash.get(..32).unwrap_or("")
    );
    Ok((hash, request_hash, key))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn validate(config: &Config) -> Vec<String> {
    let mut out = Vec::new();
    if config.enabled == Some(false) {
        out.push("the node is disabled".to_owned());
    }
    if let Some(duration) = &config.duration {
        if duration.min > duration.max {
            out.push(format!("min {:?} is above max {:?}", duration.min, duration.max));
        }
        if duration.target.is_some() && duration.target < duration.min {
            out.push(format!("target {:?} is below min {:?}", duration.target, duration.min));
        }
    }
    if let Some(rules) = &config.constraints {
        let avoided = rules.avoid_elements.clone().unwrap_or_default();
        for element in rules.required_elements.iter().flatten() {
            if avoided.contains(element) {
                out.push(format!("{element} is both required and avoided"));
            }
        }
    }
    if config.fallback.is_none() || config.prompt.is_none() {
        out.push("fallback and prompt are required".to_owned());
    }
    if config.seed_source.is_none() {
        out.push("no seed source".to_owned());
    }
    out
}

fn build(config: &Config, options: &Options) -> Request {
    let mut inputs = Vec::new();
    let npc_id = options.npc_ids.first().map(text).unwrap_or_default();
    let npc = options.npcs.iter().find(|npc| text(&npc.id) == npc_id);
    let input = |role: &str, reference: &str| {
        Open::from([("role".to_owned(), role.into()), ("ref".to_owned(), reference.into())])
    };
    if let Some(image) = &config.image_url {
        inputs.push(input("image", image));
    } else if let Some(image) = npc.and_then(|npc| npc.base_image.as_ref()) {
        inputs.push(input("npc_base", image));
    }
    let mut npc_params = Open::new();
    npc_params.insert("npc_id".to_owned(), npc_id.clone().into());
    if let Some(npc) = npc {
        npc_params.insert("npc_name".to_owned(), npc.name.clone().into());
        npc_params.insert("expression".to_owned(), npc.expression.clone().into());
        npc_params.insert("emotion".to_owned(), npc.emotion.clone().into());
        npc_params.insert("animation".to_owned(), "idle".into());
        npc_params.insert("intensity".to_owned(), 0.5.into());
    }
    let bound = |word: &Option<String>| word.clone().unwrap_or_else(|| "romantic".to_owned());
    let mut player_context = Open::new();
    player_context.insert("playthroughId".to_owned(), text(&options.session.id).into());
    player_context.insert("playerId".to_owned(), text(&options.session.user_id).into());
    player_context.insert("flags".to_owned(), options.session.flags.clone().into_iter().collect());
    Request {
        r#type: config.generation_type.clone(),
        purpose: config.purpose.clone(),
        version: config.version.unwrap_or(1),
        provider_id: options.provider_id.clone(),
        strategy: config.strategy.clone(),
        style: config.style.clone(),
        duration: config.duration.clone(),
        constraints: config.constraints.clone(),
        fallback: config.fallback.clone(),
        prompt: config.prompt.clone(),
        negative_prompt: config.negative_prompt.clone(),
        inputs,
        from_scene: options.from_scene.clone(),
        to_scene: options.to_scene.clone(),
        bounds: BTreeMap::from([
            ("world", bound(&options.world.meta.generation.max_content_rating)),
            ("user", bound(&options.user.max_content_rating)),
        ]),
        player_context,
        social_context: config.social_context.clone().unwrap_or_else(|| social(options)),
        npc_params,
    }
}

/// The highest level of the npcs.
fn social(options: &Options) -> Open {
    const LEVELS: [(&str, &str, &str, [f64; 3]); 4] = [
        ("very_intimate", "intense", "mature_implied", [80.0, 80.0, 60.0]),
        ("intimate", "deep", "mature_implied", [60.0, 60.0, 40.0]),
        ("deep_flirt", "deep", "romantic", [40.0, 40.0, 20.0]),
        ("light_flirt", "light", "romantic", [20.0, 20.0, 0.0]),
    ];
    let mut out = Open::new();
    out.insert("intimacyBand".to_owned(), "none".into());
    out.insert("contentRating".to_owned(), "sfw".into());
    out.insert("npcIds".to_owned(), options.npc_ids.clone().into());
    let relationships = options.session.stats.get("relationships");
    for id in &options.npc_ids {
        let entry = relationships.and_then(|all| all.get(&format!("npc:{}", text(id))));
        let value = |axis: &str| {
            entry.and_then(|entry| entry.get(axis)).and_then(Value::as_f64).unwrap_or(0.0)
        };
        let level = LEVELS.iter().find(|(.., [affinity, chemistry, trust])| {
            value("affinity") >= *affinity
                && value("chemistry") >= *chemistry
                && value("trust") >= *trust
        });
        if let Some((id, band, rating, _)) = level {
            out.insert("intimacyLevelId".to_owned(), (*id).into());
            out.insert("intimacyBand".to_owned(), (*band).into());
            out.insert("contentRating".to_owned(), (*rating).into());
        }
    }
    out
}
