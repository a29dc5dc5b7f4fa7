//! The golden vectors of version 1: input, request, identity, canonical text, hashes and key.
//!
//! The cases are listed here; their answers lie in `vectors/v1.jsonl`. The file is what is frozen:
//! a changed byte in it is a change of the contract.

use onepath_core::{
    BuildOptions, Finding, Fingerprint, GenerateContentRequest, GenerationNodeConfig, decode,
    fingerprint, prepare,
};
use serde_json::{Value, json};

use crate::json::{remove, set};

/// One case: a config with options, or a request as it comes in.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// `{config, options}` or `{request}`.
    pub input: Value,
}

/// The file: one case with its answer a line.
#[must_use]
pub fn text() -> String {
    let line = |case: &Case| {
        let mut line = json!({ "name": case.name, "input": case.input });
        if let (Some(line), Value::Object(answer)) = (line.as_object_mut(), answer(&case.input)) {
            line.extend(answer);
        }
        line.to_string() + "\n"
    };
    cases().iter().map(line).collect()
}

/// What the path makes of an input.
#[must_use]
pub fn answer(input: &Value) -> Value {
    let codes = |findings: &[Finding]| -> Vec<String> {
        findings.iter().map(|finding| format!("{} {}", finding.code(), finding.pointer())).collect()
    };
    if let Some(request) = input.get("request") {
        let text = request.to_string();
        let read = decode::<GenerateContentRequest<'_>>(&text);
        let mut out = json!({ "findings": codes(&read.faults) });
        if let (Some(request), []) = (&read.value, read.faults.as_slice()) {
            match fingerprint(request, None) {
                Ok(print) => describe(&mut out, request, &print),
                Err(refusal) => set(&mut out, "/findings", json!(codes(refusal.findings()))),
            }
        }
        return out;
    }
    let text = |name: &str| input.get(name).cloned().unwrap_or_else(|| json!({})).to_string();
    let (config, options) = (text("config"), text("options"));
    let config = decode::<GenerationNodeConfig<'_>>(&config);
    let options = decode::<BuildOptions<'_>>(&options);
    let faults = [codes(&config.faults), codes(&options.faults)].concat();
    if !faults.is_empty() {
        return json!({ "findings": faults });
    }
    let (config, options) = (config.value.unwrap_or_default(), options.value.unwrap_or_default());
    let prepared = prepare(&config, &options);
    let mut out = json!({ "findings": codes(prepared.report.findings()) });
    if let Some((request, print)) = &prepared.made {
        describe(&mut out, request, print);
    }
    out
}

fn describe(out: &mut Value, request: &GenerateContentRequest<'_>, print: &Fingerprint) {
    let json = |value: Option<Value>| value.unwrap_or_default();
    set(out, "/request", json(serde_json::to_value(request).ok()));
    set(out, "/fingerprint", json(serde_json::to_value(print).ok()));
    set(out, "/band", json(serde_json::to_value(print.band).ok()));
    if let Some(canonical) = print.canonical() {
        set(out, "/identity", json(serde_json::from_str(canonical).ok()));
        set(out, "/canonical", Value::from(canonical));
    }
}

/// A config that no rule finds anything in.
fn config() -> Value {
    json!({
        "generationType": "environment", "purpose": "ambient", "strategy": "once",
        "seedSource": "playthrough", "prompt": "a lighthouse in fog",
        "style": { "moodFrom": "calm", "moodTo": "tense", "pacing": "slow", "transitionType": "gradual" },
        "duration": { "min": 3, "max": 9, "target": 5 },
        "constraints": { "rating": "PG-13", "requiredElements": ["lamp"], "avoidElements": ["text"],
            "contentRules": ["no faces"] },
        "fallback": { "mode": "skip" }, "enabled": true, "version": 1,
    })
}

fn options() -> Value {
    json!({
        "session": { "id": "p1", "user_id": 7, "flags": { "met": true },
            "stats": { "relationships": {
                "npc:a": { "affinity": 65, "trust": 45, "chemistry": 70, "tension": 5 },
                "npc:b": { "affinity": 96, "trust": 95, "chemistry": 97, "tension": 1 },
                "npc:c": { "affinity": 25, "chemistry": 20 } } } },
        "world": { "id": 1, "meta": { "generation": { "maxContentRating": "restricted" } } },
        "user": { "id": 7, "maxContentRating": "restricted" },
        "fromScene": { "id": "s1", "mood": "calm" }, "toScene": { "id": "s2" },
        "providerId": "local",
    })
}

struct Cases(Vec<Case>);

#[allow(clippy::needless_pass_by_value, reason = "the lists below read better with values")]
impl Cases {
    fn add(&mut self, name: impl Into<String>, config: Value, options: Value) {
        self.0.push(Case {
            name: name.into(),
            input: json!({ "config": config, "options": options }),
        });
    }

    /// The base case with one part of the config changed; `null` takes it away.
    fn config(&mut self, name: &str, pointer: &str, value: Value) {
        let mut edited = config();
        edit(&mut edited, pointer, value);
        self.add(name, edited, options());
    }

    /// The base case with one part of the options changed.
    fn options(&mut self, name: &str, pointer: &str, value: Value) {
        let mut edited = options();
        edit(&mut edited, pointer, value);
        self.add(name, config(), edited);
    }

    fn request(&mut self, name: &str, request: Value) {
        self.0.push(Case { name: name.to_owned(), input: json!({ "request": request }) });
    }
}

fn edit(root: &mut Value, pointer: &str, value: Value) {
    if value.is_null() {
        remove(root, pointer);
    } else {
        set(root, pointer, value);
    }
}

/// Every case, in the order of the file.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = Cases(Vec::new());
    types(&mut cases);
    seeds(&mut cases);
    fields(&mut cases);
    rules(&mut cases);
    ratings(&mut cases);
    social(&mut cases);
    texts(&mut cases);
    requests(&mut cases);
    cases.0
}

/// What each operation needs.
fn types(cases: &mut Cases) {
    for (kind, purpose) in [
        ("transition", "gap_fill"),
        ("variation", "variation"),
        ("dialogue", "adaptive"),
        ("environment", "ambient"),
        ("npc_response", "adaptive"),
        ("text_to_image", "ambient"),
        ("text_to_video", "ambient"),
        ("image_to_video", "ambient"),
        ("image_edit", "variation"),
        ("video_extend", "gap_fill"),
        ("fusion", "variation"),
    ] {
        let mut edited = config();
        set(&mut edited, "/generationType", json!(kind));
        set(&mut edited, "/purpose", json!(purpose));
        match kind {
            "transition" => {
                set(
                    &mut edited,
                    "/imageUrls",
                    json!(["asset:1", "asset:2", "https://x.example/3.png"]),
                );
                set(&mut edited, "/prompts", json!(["first", "second"]));
            }
            "npc_response" | "image_to_video" | "image_edit" => {
                set(&mut edited, "/imageUrl", json!("asset:1"));
            }
            "video_extend" => set(&mut edited, "/originalVideoId", json!(42)),
            "fusion" => set(
                &mut edited,
                "/fusionAssets",
                json!([{ "ref": "asset:1", "name": "hero", "kind": "subject" }, { "ref": "asset:2", "kind": "background" }]),
            ),
            _ => {}
        }
        let mut with = options();
        set(&mut with, "/npcIds", json!(["a"]));
        cases.add(format!("type {kind}"), edited, with);
    }
}

/// Every pair of strategy and seed source, with the seed from everywhere.
fn seeds(cases: &mut Cases) {
    for strategy in ["once", "per_playthrough", "per_player", "always"] {
        for source in [None, Some("playthrough"), Some("player"), Some("timestamp"), Some("fixed")]
        {
            for (given, seed) in [
                ("none", json!(null)),
                ("config", json!(7)),
                ("options", json!("from-options")),
                ("block", json!(0)),
            ] {
                let (mut edited, mut with) = (config(), options());
                set(&mut edited, "/strategy", json!(strategy));
                edit(&mut edited, "/seedSource", json!(source));
                set(&mut with, "/now", json!(1_700_000_000_123_u64));
                match given {
                    "config" => set(&mut edited, "/seed", seed),
                    "options" => set(&mut with, "/seed", seed),
                    "block" => {
                        set(&mut edited, "/style/local", json!({ "seed": seed, "width": 64 }));
                    }
                    _ => {}
                }
                let source = source.unwrap_or("no source");
                cases.add(format!("seed {strategy}, {source}, given by {given}"), edited, with);
            }
        }
    }
    for (name, seed) in [
        ("text", json!("abc")),
        ("negative", json!(-5)),
        ("zero", json!(0)),
        ("five point zero", json!(5.0)),
        ("empty", json!("")),
        ("largest", json!(9_007_199_254_740_991_u64)),
        ("too large", json!(9_007_199_254_740_992_u64)),
        ("fraction", json!(1.5)),
        ("object", json!({})),
        ("too long", json!("x".repeat(129))),
        ("longest", json!("é".repeat(128))),
    ] {
        cases.config(&format!("seed value {name}"), "/seed", seed);
    }
    for id in ["a|b", "-", "%41", "é 猫", "plain", "with space", "\u{7f}\u{1}", "tab\t", "🎬"] {
        let (mut edited, mut with) = (config(), options());
        set(&mut edited, "/strategy", json!("per_playthrough"));
        set(&mut with, "/session/id", json!(id));
        set(&mut with, "/fromScene/id", json!(id));
        cases.add(format!("id {id:?} in scope and scene"), edited, with);
    }
}

/// Every field of the policy table that a config or the options can set.
fn fields(cases: &mut Cases) {
    for (pointer, value) in [
        ("/purpose", json!("adaptive")),
        ("/version", json!(2)),
        ("/version", json!(9_007_199_254_740_991_u64)),
        ("/version", json!(null)),
        ("/prompt", json!("another prompt")),
        ("/negativePrompt", json!("blurry")),
        ("/prompts", json!(["one", "", "two"])),
        ("/imageUrl", json!("asset:9")),
        ("/imageUrls", json!(["asset:9", "", "asset:8"])),
        ("/videoUrl", json!("https://x.example/v.mp4")),
        ("/originalVideoId", json!("vid-1")),
        ("/fusionAssets", json!([{ "ref": "asset:3" }])),
        ("/style", json!(null)),
        ("/style", json!({})),
        ("/style/moodFrom", json!("joyful")),
        ("/style/moodTo", json!("")),
        ("/style/pacing", json!("fast")),
        ("/style/transitionType", json!("abrupt")),
        ("/style/local", json!({ "width": 64, "height": 48 })),
        (
            "/style/local",
            json!({ "nested": { "a": {}, "b": [], "c": "", "d": [{}, ""] }, "height": 48 }),
        ),
        (
            "/style/local",
            json!({ "width": 0.1, "height": 1e-7, "frames": 123_456.789, "delayMs": -0.0 }),
        ),
        ("/style/local", json!({ "\u{fb33}": 1, "\u{1f600}": 2, "é": 3, "a": 4 })),
        ("/style/local", json!({ "width": 4096, "frames": 0, "fail": "sometimes" })),
        ("/style/local", json!({ "width": "64", "frames": 2.5, "delayMs": true, "fail": "" })),
        ("/style/pixverse", json!({ "model": "v5" })),
        ("/duration", json!({})),
        ("/duration", json!(null)),
        ("/duration/min", json!(2.5)),
        ("/duration/max", json!(20)),
        ("/duration/target", json!(6.125)),
        ("/constraints", json!(null)),
        ("/constraints/rating", json!("R")),
        ("/constraints/requiredElements", json!(["z", "é", "😀", "\u{fb33}", "z"])),
        ("/constraints/avoidElements", json!(["b", "a", "b"])),
        ("/constraints/contentRules", json!(["second", "first", "second"])),
        ("/templateId", json!("t1")),
        ("/variables", json!({ "unused": 1 })),
        ("/fallback", json!({ "mode": "retry", "maxRetries": 2, "timeoutMs": 30_000 })),
        ("/fallback", json!({ "mode": "default_content", "defaultContentId": "c1" })),
        ("/enabled", json!(false)),
        ("/seedSource", json!("player")),
    ] {
        cases.config(&format!("config {pointer} = {value}"), pointer, value);
    }
    for (pointer, value) in [
        ("/fromScene", json!(null)),
        ("/toScene", json!(null)),
        (
            "/fromScene",
            json!({ "id": 5, "mood": "m", "summary": "s", "location": "l", "emotionalState": "e" }),
        ),
        (
            "/toScene",
            json!({ "id": "t", "mood": "m", "summary": "s", "location": "l", "emotionalState": "e", "ui": { "x": 1 } }),
        ),
        ("/fromSceneId", json!("other")),
        ("/providerId", json!("replicate")),
        ("/providerId", json!("pixverse")),
        ("/providerId", json!("fal")),
        ("/providerId", json!("comfyui")),
        ("/providerId", json!("openai")),
        ("/providerId", json!("nowhere")),
        ("/providerId", json!(null)),
        ("/provider", json!({ "id": "local", "defaults": { "width": 640 }, "maxRating": "sfw" })),
        ("/npcIds", json!(["a", "b", "a"])),
        ("/npcIds", json!(["zz"])),
        ("/prompt", json!("from the options")),
        ("/cacheKey", json!("declared")),
        ("/variables", json!({ "x": 1 })),
        (
            "/playerContext",
            json!({ "playthroughId": "other", "playerId": "q", "choices": { "door": "left" }, "flags": { "f": [1, { "n": null }] }, "stats": { "hp": 3 } }),
        ),
        ("/session", json!(null)),
        ("/bounds", json!("unbounded")),
        ("/bounds", json!({ "world": "sfw" })),
        ("/terms", json!({ "blocked": ["fog"], "flagged": ["LIGHTHOUSE"] })),
        ("/now", json!(1)),
    ] {
        cases.options(&format!("options {pointer} = {value}"), pointer, value);
    }
}

/// Every rule fires at least once.
fn rules(cases: &mut Cases) {
    let mut still = config();
    edit(&mut still, "/generationType", json!("text_to_image"));
    edit(&mut still, "/style/local", json!({ "width": 64, "frames": 3 }));
    cases.add("a setting of other operations", still, options());
    for (pointer, value) in [
        ("/generationType", json!(null)),
        ("/purpose", json!(null)),
        ("/strategy", json!(null)),
        ("/version", json!(0)),
        ("/purpose", json!("gap_fill")),
        ("/templateId", json!(" \t")),
        ("/seedSource", json!("moon")),
        ("/seedSource", json!("timestamp")),
        ("/seedSource", json!(null)),
        ("/seedSource", json!("fixed")),
        ("/style/pacing", json!("glacial")),
        ("/style/transitionType", json!("sudden")),
        ("/constraints/requiredElements", json!([])),
        ("/constraints/avoidElements", json!([])),
        ("/constraints/contentRules", json!([])),
        ("/constraints/requiredElements", json!(["1", "2", "3", "4", "5", "6", "text"])),
        (
            "/constraints/avoidElements",
            json!(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]),
        ),
        ("/duration", json!({ "min": 9, "max": 3 })),
        ("/duration", json!({ "min": 3, "max": 9, "target": 2 })),
        ("/duration", json!({ "min": 3, "max": 9, "target": 10 })),
        ("/duration", json!({ "min": -1, "max": -1, "target": -1 })),
        ("/duration", json!({ "max": 301 })),
        ("/duration", json!({ "min": 3, "max": 9 })),
        ("/duration", json!({ "min": 3, "max": 3.5, "target": 3 })),
        ("/fallback", json!({ "mode": "default_content" })),
        ("/fallback", json!({ "mode": "retry", "maxRetries": 6, "timeoutMs": 999 })),
        ("/fallback", json!({ "mode": "retry", "timeoutMs": 60_001 })),
        ("/fallback", json!(null)),
        ("/strategy", json!("always")),
        ("/prompt", json!(null)),
        ("/prompt", json!(" ")),
        ("/generationType", json!("image_edit")),
        ("/generationType", json!("transition")),
        ("/generationType", json!("video_extend")),
        ("/generationType", json!("fusion")),
        ("/generationType", json!("npc_response")),
        ("/generationType", json!("dialogue")),
        ("/imageUrl", json!("https://x.example/p.png?X-Amz-Signature=ab")),
        ("/prompt", json!("{{ missing }} {{also}}")),
        ("/prompt", json!("{{ }}")),
        ("/style/local", json!({ "unknown": 1 })),
        (
            "/socialContext",
            json!({ "intimacyLevelId": "cosmic", "contentRating": "restricted", "intimacyBand": "intense" }),
        ),
        ("/promt", json!("misspelled")),
        ("/duration/min", json!("3")),
        ("/constraints/avoidElements", json!([null])),
        ("/generationType", json!("Dialogue")),
        ("/templateId", json!(true)),
        ("/style/mood_from", json!("twice")),
        ("/duration/max", json!(1e300)),
        ("/socialContext", json!({ "npcIds": [""] })),
    ] {
        cases.config(&format!("rule: config {pointer} = {value}"), pointer, value);
    }
    for (name, config_edits, options_edits) in [
        (
            "transition without moods",
            vec![("/generationType", json!("transition")), ("/style", json!({}))],
            vec![],
        ),
        (
            "transition without style and duration",
            vec![
                ("/generationType", json!("transition")),
                ("/style", json!(null)),
                ("/duration", json!(null)),
            ],
            vec![],
        ),
        (
            "transition short",
            vec![
                ("/generationType", json!("transition")),
                ("/duration", json!({ "max": 1 })),
                ("/imageUrls", json!(["a", "b"])),
                ("/prompts", json!([])),
            ],
            vec![],
        ),
        (
            "transition placeholder",
            vec![
                ("/generationType", json!("transition")),
                ("/fallback", json!({ "mode": "placeholder" })),
            ],
            vec![],
        ),
        ("abrupt and slow", vec![("/style/transitionType", json!("abrupt"))], vec![]),
        ("skip a gap", vec![("/purpose", json!("gap_fill"))], vec![]),
        (
            "always gap fill transition",
            vec![
                ("/generationType", json!("transition")),
                ("/purpose", json!("gap_fill")),
                ("/strategy", json!("always")),
            ],
            vec![],
        ),
        (
            "per_playthrough from the player",
            vec![("/strategy", json!("per_playthrough")), ("/seedSource", json!("player"))],
            vec![],
        ),
        ("per_player from the playthrough", vec![("/strategy", json!("per_player"))], vec![]),
        (
            "npc_response of nobody",
            vec![("/generationType", json!("npc_response")), ("/socialContext", json!({}))],
            vec![],
        ),
        (
            "no playthrough",
            vec![("/strategy", json!("per_playthrough"))],
            vec![("/session", json!(null))],
        ),
        (
            "no player",
            vec![("/strategy", json!("per_player"))],
            vec![("/session", json!(null)), ("/user", json!({}))],
        ),
        (
            "a variable without text",
            vec![("/prompt", json!("{{o}}")), ("/variables", json!({ "o": {} }))],
            vec![],
        ),
        (
            "a provider that does not offer it",
            vec![],
            vec![(
                "/provider",
                json!({ "id": "local", "operations": ["text_to_image"], "parameters": [] }),
            )],
        ),
        (
            "a prompt that is too long",
            vec![],
            vec![("/provider", json!({ "id": "local", "promptMax": 5 }))],
        ),
        (
            "a world's unknown maximum",
            vec![],
            vec![("/world/meta/generation/maxContentRating", json!("PG-13"))],
        ),
        ("a malformed seed in the block", vec![("/style/local", json!({ "seed": [1] }))], vec![]),
        ("an empty id", vec![], vec![("/fromScene/id", json!(""))]),
        (
            "a relationship of the wrong type",
            vec![],
            vec![
                ("/npcIds", json!(["a"])),
                ("/session/stats/relationships/npc:a/affinity", json!("65")),
            ],
        ),
    ] {
        let (mut edited, mut with) = (config(), options());
        for (pointer, value) in config_edits {
            edit(&mut edited, pointer, value);
        }
        for (pointer, value) in options_edits {
            edit(&mut with, pointer, value);
        }
        cases.add(format!("rule: {name}"), edited, with);
    }
}

/// What is asked against every bound.
fn ratings(cases: &mut Cases) {
    let words = ["sfw", "romantic", "mature_implied", "restricted"];
    for asked in words {
        for (world, user) in [
            ("sfw", "restricted"),
            ("restricted", "sfw"),
            ("romantic", "romantic"),
            ("mature_implied", "romantic"),
            ("romantic", "mature_implied"),
            ("restricted", "restricted"),
            ("", "restricted"),
            ("restricted", ""),
        ] {
            for film in [None, Some("PG"), Some("R")] {
                let (mut edited, mut with) = (config(), options());
                set(
                    &mut edited,
                    "/socialContext",
                    json!({ "contentRating": asked, "intimacyBand": "intense", "intimacyLevelId": "very_intimate", "relationshipTierId": "lover", "npcIds": ["b", "a"] }),
                );
                edit(&mut edited, "/constraints/rating", json!(film));
                set(&mut with, "/world/meta/generation/maxContentRating", json!(world));
                set(&mut with, "/user/maxContentRating", json!(user));
                let film = film.unwrap_or("none");
                cases.add(
                    format!("rating {asked}, world {world:?}, user {user:?}, film {film}"),
                    edited,
                    with,
                );
            }
        }
    }
}

/// Levels, tiers, and what lowers them.
fn social(cases: &mut Cases) {
    let unconstrained = || {
        let mut edited = config();
        remove(&mut edited, "/constraints");
        edited
    };
    for npcs in [vec!["a"], vec!["b"], vec!["c"], vec!["c", "a"], vec!["a", "b"], vec!["zz", "c"]] {
        for (name, pointer, value) in [
            ("plain", "/now", json!(1)),
            ("reduced", "/socialContextConfig", json!({ "reduceIntensity": true })),
            ("reduced by the user", "/user/reduceRomanticIntensity", json!(true)),
            ("maximum sfw", "/socialContextConfig", json!({ "maxContentRating": "sfw" })),
        ] {
            let mut with = options();
            set(&mut with, "/npcIds", json!(npcs));
            set(&mut with, pointer, value);
            cases.add(format!("social {npcs:?} {name}"), unconstrained(), with);
        }
    }
    for level in [
        "none",
        "platonic",
        "light_flirt",
        "deep_flirt",
        "intimate",
        "very_intimate",
        "soulmates",
        "cosmic",
    ] {
        let mut with = options();
        set(&mut with, "/npcIds", json!(["a"]));
        set(&mut with, "/session/stats/relationships/npc:a/levelId", json!(level));
        set(&mut with, "/session/stats/relationships/npc:a/affinityTierId", json!("stored"));
        cases.add(format!("social stored level {level}"), unconstrained(), with);
    }
    for affinity in [-5.0, 0.0, 9.995, 10.0, 29.995, 30.0, 59.995, 60.0, 79.995, 80.0, 1000.0] {
        let mut with = options();
        set(&mut with, "/npcIds", json!(["a"]));
        set(&mut with, "/session/stats/relationships/npc:a", json!({ "affinity": affinity }));
        cases.add(format!("social affinity {affinity}"), unconstrained(), with);
    }
    let levels = json!([
        { "id": "sworn", "band": "deep", "rating": "romantic", "priority": 2,
          "conditions": { "trust": { "type": "min", "min_value": 40 } } },
        { "id": "bonded", "band": "intense", "rating": "restricted", "priority": 1, "conditions": {} },
    ]);
    let tiers = json!([{ "id": "ally", "axis": "trust", "min": 0, "max": 50 }, { "id": "kin", "axis": "trust", "min": 50 }]);
    for npc in ["a", "b"] {
        for (name, generation) in [
            ("levels", json!({ "maxContentRating": "restricted", "levels": levels })),
            ("tiers", json!({ "maxContentRating": "restricted", "tiers": tiers })),
        ] {
            let mut with = options();
            set(&mut with, "/npcIds", json!([npc]));
            set(&mut with, "/world/meta/generation", generation);
            cases.add(format!("social {npc} with the world's {name}"), unconstrained(), with);
        }
        let mut with = options();
        set(&mut with, "/npcIds", json!([npc]));
        set(
            &mut with,
            "/world/meta/stats_config",
            json!({ "definitions": { "relationships": { "levels": levels, "tiers": tiers } } }),
        );
        cases.add(format!("social {npc} with the world's stats_config"), unconstrained(), with);
    }
    let mut with = options();
    set(&mut with, "/npcIds", json!(["12"]));
    set(
        &mut with,
        "/npcs",
        json!([{ "id": 12, "name": "Alice", "baseImage": "asset:9", "expression": "smile", "emotion": "", "animation": "wave", "intensity": 0.75, "artStyle": "anime", "loras": ["x", "y"] }]),
    );
    let mut edited = config();
    set(&mut edited, "/generationType", json!("npc_response"));
    set(&mut edited, "/purpose", json!("adaptive"));
    cases.add("npc with everything", edited.clone(), with.clone());
    remove(&mut with, "/npcIds");
    cases.add("npc from the list of npcs", edited.clone(), with.clone());
    set(&mut edited, "/imageUrl", json!("asset:1"));
    cases.add("npc with an image of its own", edited, with);
}

/// Placeholders, templates and pending things.
fn texts(cases: &mut Cases) {
    for (name, prompt) in [
        ("variables", "Hello {{ name }}, {{n}} {{t}} {{{{raw}} {{f}}"),
        ("values are data", "{{ trap }}"),
        ("space", "{{\t\r\n name \n}}"),
        ("lone braces", "{ {x} } }} {"),
    ] {
        let mut edited = config();
        set(&mut edited, "/prompt", json!(prompt));
        set(
            &mut edited,
            "/variables",
            json!({ "name": "Mira", "n": 3.0, "t": true, "f": 0.1, "trap": "{{name}}" }),
        );
        set(&mut edited, "/negativePrompt", json!("no {{name}}"));
        cases.add(format!("text {name}"), edited, options());
    }
    let template = json!({ "t1": { "versionId": "v3", "text": "a {{mood}} sea", "negativeText": "no {{mood}}", "variables": { "mood": "calm" } }, "empty": { "versionId": "v1" } });
    for (name, edits) in [
        ("template with its default", vec![("/templateId", json!("t1"))]),
        (
            "template with a value",
            vec![("/templateId", json!("t1")), ("/variables", json!({ "mood": "wild" }))],
        ),
        (
            "template pinned",
            vec![("/templateId", json!("t1")), ("/templateVersionId", json!("v3"))],
        ),
        (
            "template pinned to another version",
            vec![("/templateId", json!("t1")), ("/templateVersionId", json!("v2"))],
        ),
        ("template not given", vec![("/templateId", json!("t2"))]),
        ("template without text", vec![("/templateId", json!("empty"))]),
        (
            "template beside its own negative prompt",
            vec![("/templateId", json!("t1")), ("/negativePrompt", json!("mine"))],
        ),
    ] {
        let (mut edited, mut with) = (config(), options());
        remove(&mut edited, "/prompt");
        for (pointer, value) in edits {
            set(&mut edited, pointer, value);
        }
        set(&mut with, "/templates", template.clone());
        cases.add(format!("text {name}"), edited, with);
    }
    for (name, gulls) in [("of its type", json!(7)), ("of another type", json!("seven"))] {
        let (mut edited, mut with) = (config(), options());
        remove(&mut edited, "/prompt");
        set(&mut edited, "/templateId", json!("t1"));
        set(&mut edited, "/variables", json!({ "gulls": gulls }));
        let typed = json!({ "versionId": "v1", "text": "{{gulls}} gulls", "types": { "gulls": "number", "unused": "text" } });
        set(&mut with, "/templates", json!({ "t1": typed }));
        cases.add(format!("text template with a value {name}"), edited, with);
    }
}

/// Requests as they come in over the wire.
fn requests(cases: &mut Cases) {
    let base = json!({ "type": "npc_response", "purpose": "adaptive", "strategy": "per_player", "provider_id": "local",
        "prompt": "hello", "player_context": { "playerId": "q", "playthroughId": "p" } });
    let mut add = |name: &str, pointer: &str, value: Value| {
        let mut request = base.clone();
        edit(&mut request, pointer, value);
        cases.request(&format!("request {name}"), request);
    };
    add("as it is", "/prompt", json!("hello"));
    for (name, value) in [
        ("npc_id", json!("n")),
        ("npc_name", json!("N")),
        ("npc_base_image", json!("asset:1")),
        ("expression", json!("smile")),
        ("emotion", json!("joy")),
        ("animation", json!("wave")),
        ("intensity", json!(0.25)),
        ("art_style", json!("realistic")),
        ("loras", json!(["l"])),
        ("prompt", json!("own")),
        ("negative_prompt", json!("not")),
        ("quality_preset", json!("fast")),
        ("width", json!(64)),
        ("height", json!(48)),
        ("fps", json!(24)),
        ("duration", json!(2.5)),
        ("steps", json!(20)),
        ("cfg", json!(7.5)),
        ("seed", json!(9)),
    ] {
        add(&format!("with npc_params.{name}"), &format!("/npc_params/{name}"), value);
    }
    for (pointer, value) in [
        ("/seed", json!("s")),
        ("/fallback_providers", json!(["pixverse"])),
        ("/bounds", json!({ "world": "sfw", "user": "romantic" })),
        (
            "/inputs",
            json!([{ "role": "fusion", "ref": "asset:1", "name": "n", "kind": "background" }]),
        ),
        ("/template", json!({ "id": "t", "version_id": "v", "variables": { "a": 1 } })),
        ("/template_id", json!("t")),
        ("/prompt_config", json!({ "familyId": "f", "versionId": "v", "variables": {} })),
        ("/cache_key", json!("x")),
        (
            "/social_context",
            json!({ "contentRating": "restricted", "intimacyBand": "deep", "intimacyLevelId": "sworn", "levelBand": "deep", "reduced": true, "relationshipTierId": "kin", "npcIds": [2, "1"], "worldMaxRating": "sfw", "userMaxRating": "sfw", "relationshipValues": { "affinity": 1, "trust": 2, "chemistry": 3, "tension": 4 } }),
        ),
        ("/player_context/choices", json!({ "a": "b" })),
        ("/player_context/playerId", json!(null)),
        ("/strategy", json!("always")),
        ("/provider_settings", json!({ "width": 1 })),
        ("/type", json!(null)),
        ("/unknown", json!(1)),
    ] {
        add(&format!("{pointer} = {value}"), pointer, value);
    }
}
