//! Properties of the path over random configs.

use onepath_core::{
    BuildOptions, GenerateContentRequest, GenerationNodeConfig, OwnBounds, Policy, Rating, decode,
    explain, field_policies, fingerprint, parse_cache_key, prepare, rebound,
};
use onepath_tests::json::set;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const RATINGS: [&str; 4] = ["sfw", "romantic", "mature_implied", "restricted"];

fn word(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::select(words).prop_map(Value::from)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{1,12}",
        any::<String>()
            .prop_filter("no braces, not empty", |text| !text.is_empty() && !text.contains('{'))
    ]
}

fn some(strategy: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop::option::weighted(0.6, strategy).boxed()
}

/// A config that builds, with any of the other fields.
fn any_config() -> impl Strategy<Value = Value> {
    let number =
        || prop_oneof![(0..40_i32).prop_map(|n| json!(f64::from(n) / 4.0)), Just(json!(7))];
    let texts = || prop::collection::vec(text(), 0..4).prop_map(|list| json!(list));
    let fields: Vec<(&'static str, BoxedStrategy<Option<Value>>)> = vec![
        ("/seedSource", some(word(&["playthrough", "player"]))),
        ("/version", some((1..9_i32).prop_map(|n| json!(n)))),
        ("/negativePrompt", some(text().prop_map(Value::from))),
        ("/style/moodFrom", some(text().prop_map(Value::from))),
        ("/style/moodTo", some(text().prop_map(Value::from))),
        ("/style/pacing", some(word(&["slow", "medium", "fast"]))),
        ("/style/transitionType", some(word(&["gradual", "abrupt"]))),
        ("/style/local", some(any_map().prop_map(Value::Object))),
        ("/style/other", some(any_map().prop_map(Value::Object))),
        ("/duration/min", some(number())),
        ("/duration/max", some(number())),
        ("/duration/target", some(number())),
        ("/constraints/rating", some(word(&["G", "PG", "PG-13", "R"]))),
        ("/constraints/requiredElements", some(texts())),
        ("/constraints/avoidElements", some(texts())),
        ("/constraints/contentRules", some(texts())),
        ("/fallback/mode", some(word(&["skip", "placeholder"]))),
        ("/imageUrls", some(texts())),
        ("/enabled", some(any::<bool>().prop_map(Value::from))),
        ("/socialContext/contentRating", some(word(&RATINGS))),
        ("/socialContext/intimacyBand", some(word(&["none", "light", "deep", "intense"]))),
        ("/socialContext/intimacyLevelId", some(word(&["light_flirt", "intimate", "soulmates"]))),
        ("/socialContext/npcIds", some(texts())),
        (
            "/seed",
            some(prop_oneof![
                (0..99_i32).prop_map(|n| json!(n)),
                "[a-z]{1,5}".prop_map(Value::from)
            ]),
        ),
    ];
    let (names, strategies): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let needed = (
        word(&["dialogue", "environment", "text_to_image", "text_to_video", "variation"]),
        word(&["gap_fill", "variation", "adaptive", "ambient"]),
        word(&["once", "per_playthrough", "per_player", "always"]),
        text(),
    );
    (needed, strategies).prop_map(move |((kind, purpose, strategy, prompt), values)| {
        // A blank prompt is refused.
        let mut config = json!({ "generationType": kind, "purpose": purpose, "strategy": strategy, "prompt": format!("p{prompt}") });
        for (name, value) in names.iter().zip(values) {
            if let Some(value) = value {
                // A style member is a block or a text, not both.
                set(&mut config, name, value);
            }
        }
        config
    })
}

fn any_map() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-1000..1000_i32).prop_map(|n| json!(f64::from(n) / 8.0)),
        text().prop_map(Value::from),
        Just(json!("")),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\u{e9}\u{1f600}\u{fb33}]{1,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-z]{1,4}", value, 0..4)
        .prop_map(|members| members.into_iter().filter(|(name, _)| name != "seed").collect())
}

fn any_options() -> impl Strategy<Value = Value> {
    (
        prop::sample::select(&["p1", "a|b", "-", "%41", "é猫", " x"][..]),
        prop::option::of(word(&RATINGS)),
        prop::option::of(word(&RATINGS)),
        prop::option::of(word(&RATINGS)),
        any::<bool>(),
    )
        .prop_map(|(id, world, user, provider, reduce)| {
            json!({
                "session": { "id": id, "user_id": id },
                "world": { "meta": { "generation": { "maxContentRating": world } } },
                "user": { "id": id, "maxContentRating": user, "reduceRomanticIntensity": reduce },
                "provider": { "id": "local", "maxRating": provider },
                "fromScene": { "id": id }, "providerId": "local",
            })
        })
}

/// Walks the path; the closure sees request and fingerprint.
fn walk<T>(
    config: &str,
    options: &str,
    see: impl Fn(&GenerateContentRequest<'_>, &onepath_core::Fingerprint) -> T,
) -> T {
    let config = decode::<GenerationNodeConfig>(config).into_result().unwrap();
    let options = decode::<BuildOptions>(options).into_result().unwrap();
    let prepared = prepare(&config, &options);
    let (request, print) =
        prepared.made.as_ref().unwrap_or_else(|| panic!("{:?}", prepared.report));
    see(request, print)
}

/// The same document, written differently: members turned around, other spellings, `5` as `5.0`.
fn written_differently(value: &Value, at_fields: bool) -> String {
    match value {
        Value::Object(members) => {
            let mut parts: Vec<String> = members
                .iter()
                .map(|(name, value)| {
                    let fields = at_fields && !["local", "other"].contains(&name.as_str());
                    let shown = if at_fields { snake(name) } else { name.clone() };
                    format!("{}: {}", Value::from(shown), written_differently(value, fields))
                })
                .collect();
            parts.reverse();
            format!("{{ {} }}", parts.join(" ,\n"))
        }
        Value::Array(items) => {
            let parts: Vec<String> =
                items.iter().map(|item| written_differently(item, at_fields)).collect();
            format!("[ {} ]", parts.join(", "))
        }
        Value::Number(number) if number.is_i64() => format!("{number}.0"),
        Value::String(text) => {
            let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            format!("\"{units}\"")
        }
        other => other.to_string(),
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printing_and_reading_gives_the_same(config in any_config(), options in any_options()) {
        let (config, options) = (config.to_string(), options.to_string());
        let read = decode::<GenerationNodeConfig>(&config).into_result().unwrap();
        let printed = serde_json::to_string(&read).unwrap();
        prop_assert_eq!(decode::<GenerationNodeConfig>(&printed).into_result().unwrap(), read);
        let read = decode::<BuildOptions>(&options).into_result().unwrap();
        let printed = serde_json::to_string(&read).unwrap();
        prop_assert_eq!(decode::<BuildOptions>(&printed).into_result().unwrap(), read);
        walk(&config, &options, |request, _| {
            let printed = serde_json::to_string(request).unwrap();
            assert_eq!(&decode::<GenerateContentRequest>(&printed).into_result().unwrap(), request);
        });
    }

    #[test]
    fn order_spelling_and_number_form_change_nothing(config in any_config(), options in any_options()) {
        let plain = walk(&config.to_string(), &options.to_string(), |_, print| print.clone());
        let other = walk(&written_differently(&config, true), &options.to_string(), |_, print| print.clone());
        prop_assert_eq!(plain, other);
    }

    #[test]
    fn keys_parse_back_and_a_request_prints_the_same(config in any_config(), options in any_options()) {
        walk(&config.to_string(), &options.to_string(), |request, print| {
            if let Some(key) = &print.cache_key {
                let parts = parse_cache_key(key).unwrap();
                assert_eq!(&parts.to_string(), key);
                assert_eq!(parts.strategy, request.strategy);
                assert_eq!(parts.from_scene.as_deref(), request.from_scene.as_ref().map(|scene| scene.id.as_str()));
            } else {
                assert_eq!(request.strategy.word(), "always");
            }
            let options = options.to_string();
            let options = decode::<BuildOptions>(&options).into_result().unwrap();
            assert_eq!(&fingerprint(request, options.provider.as_ref()).unwrap(), print);
        });
    }

    #[test]
    fn ratings_stay_within_every_bound(config in any_config(), options in any_options(), own_world in 0..4_usize, own_user in 0..4_usize, reduce in any::<bool>()) {
        let rank = |word: &Value| RATINGS.iter().position(|known| word == known);
        let film = match config["constraints"]["rating"].as_str() { Some("G" | "PG") => 0, Some("PG-13") => 1, Some("R") => 2, _ => 3 };
        let bounds = [
            rank(&options["world"]["meta"]["generation"]["maxContentRating"]).unwrap_or(1),
            rank(&options["user"]["maxContentRating"]).unwrap_or(1),
            rank(&options["provider"]["maxRating"]).unwrap_or(3),
            film,
        ];
        let parsed_options = options.to_string();
        let parsed_options = decode::<BuildOptions>(&parsed_options).into_result().unwrap();
        walk(&config.to_string(), &options.to_string(), |request, print| {
            let effective = print.rating.effective as usize;
            assert!(bounds.iter().all(|bound| effective <= *bound));
            assert_eq!(effective, bounds.iter().copied().min().unwrap().min(print.rating.asked as usize));
            assert!(print.band.effective <= print.rating.effective.allowed_band());
            let own = OwnBounds { world: Some(Rating::ALL[own_world].1), user: Some(Rating::ALL[own_user].1), reduce_intensity: reduce };
            let bounded = rebound(request, own, parsed_options.provider.as_ref());
            let after = fingerprint(&bounded.request, parsed_options.provider.as_ref()).unwrap();
            assert!(after.rating.effective <= print.rating.effective && after.band.effective <= print.band.effective);
            assert!(after.rating.effective as usize <= own_world.min(own_user));
            assert_eq!(bounded.lowered, after.hashes.unwrap().family != print.hashes.unwrap().family);
            // Once is enough.
            let again = rebound(&bounded.request, own, parsed_options.provider.as_ref());
            assert!(!again.lowered);
            assert_eq!(again.request, bounded.request);
        });
    }

    #[test]
    fn explain_finds_what_the_key_finds(left in any_config(), right in any_config(), options in any_options()) {
        let options = options.to_string();
        let parsed = decode::<BuildOptions>(&options).into_result().unwrap();
        walk(&left.to_string(), &options, |one, one_print| {
            walk(&right.to_string(), &options, |other, other_print| {
                let found = explain(one, other, [parsed.provider.as_ref(); 2]);
                let identity = found.iter().any(|row| row.policy == Policy::Identity);
                let families = one_print.hashes.unwrap().family != other_print.hashes.unwrap().family;
                assert_eq!(identity, families, "{found:?}");
                assert!(found.is_sorted_by_key(|row| row.policy));
            });
        });
    }
}

/// A request with every field.
fn full_request() -> Value {
    json!({
        "type": "npc_response", "purpose": "adaptive", "version": 2, "provider_id": "local",
        "provider_settings": { "width": 64 }, "fallback_providers": ["pixverse"],
        "bounds": { "world": "restricted", "user": "restricted" },
        "prompt": "a", "negative_prompt": "b", "prompts": ["c"],
        "inputs": [{ "role": "fusion", "ref": "asset:1", "name": "n", "kind": "subject" }],
        "template": { "id": "t", "version_id": "v" },
        "from_scene": { "id": "s1", "mood": "m", "summary": "s", "location": "l", "emotionalState": "e", "ui": { "x": 1 } },
        "to_scene": { "id": "s2", "mood": "m", "summary": "s", "location": "l", "emotionalState": "e", "ui": { "x": 1 } },
        "style": { "moodFrom": "a", "moodTo": "b", "pacing": "slow", "transitionType": "gradual", "pixverse": { "model": "v5" } },
        "duration": { "min": 1, "max": 3, "target": 2 },
        "constraints": { "rating": "R", "requiredElements": ["x"], "avoidElements": ["y"], "contentRules": ["z"] },
        "strategy": "per_player", "seed": "s", "fallback": { "mode": "skip" }, "cache_key": "k",
        "player_context": { "playthroughId": "p", "playerId": "q", "choices": { "a": 1 }, "flags": { "b": 1 }, "stats": { "c": 1 } },
        "social_context": { "intimacyLevelId": "light_flirt", "relationshipTierId": "friend", "intimacyBand": "deep",
            "contentRating": "romantic", "worldMaxRating": "sfw", "userMaxRating": "sfw", "npcIds": ["1"],
            "relationshipValues": { "affinity": 1 }, "levelBand": "light", "reduced": true },
        "npc_params": { "npc_id": "1", "npc_name": "N", "npc_base_image": "asset:2", "expression": "a", "emotion": "b",
            "animation": "c", "intensity": 0.5, "art_style": "anime", "loras": ["l"], "prompt": "p", "negative_prompt": "q",
            "quality_preset": "fast", "width": 1, "height": 2, "fps": 3, "duration": 4, "steps": 5, "cfg": 6 },
    })
}

/// Another value of the same kind; `None` where the type has one value only.
fn another(pointer: &str, value: &Value) -> Value {
    let words: &[&str] = match pointer.rsplit('/').next().unwrap() {
        "type" => &["dialogue"],
        "purpose" => &["ambient"],
        "pacing" => &["fast"],
        "transitionType" => &["abrupt"],
        "kind" => &["background"],
        "role" => &["image"],
        "rating" => &["PG"],
        "art_style" => &["realistic"],
        "quality_preset" => &["quality"],
        "intimacyBand" => &["none"],
        "contentRating" => &["sfw"],
        "levelBand" => &["none"],
        "worldMaxRating" | "userMaxRating" => &["restricted"],
        "strategy" => &["once"],
        "mode" => &["placeholder"],
        _ => &[],
    };
    if let Some(word) = words.first() {
        return json!(word);
    }
    match value {
        Value::String(text) => json!(format!("{text}x")),
        Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
        Value::Bool(value) => json!(!value),
        Value::Array(items) => match items.first() {
            Some(item @ Value::String(_)) => json!([item, "more"]),
            _ => json!([]),
        },
        Value::Object(members) => {
            let changed = members
                .iter()
                .map(|(name, value)| (name.clone(), another(&format!("{pointer}/{name}"), value)));
            Value::Object(changed.collect())
        }
        Value::Null => panic!("the full request lacks {pointer}"),
    }
}

#[test]
fn each_field_changes_what_its_policy_says_and_nothing_else() {
    let base = full_request();
    let prints = |request: &Value| {
        let text = request.to_string();
        let request = decode::<GenerateContentRequest>(&text).into_result().unwrap();
        let print = fingerprint(&request, None).unwrap();
        (print.hashes.unwrap(), print.cache_key)
    };
    let (hashes, key) = prints(&base);
    let mut seen = 0;
    for row in field_policies() {
        let pointer = match row.pointer {
            "/style/*" => "/style/pixverse".to_owned(),
            other => other.replace("/*", "/0"),
        };
        // Of configs and envelopes only; and the provider's id is tried below.
        let outside = [
            "/tenant",
            "/seedSource",
            "/enabled",
            "/priority",
            "/scheduled_at",
            "/force_new",
            "/name",
            "/description",
            "/metadata",
            "/npc_params/seed",
            "/provider_id",
        ];
        if outside.contains(&row.pointer) {
            continue;
        }
        let mut changed = base.clone();
        let value = base
            .pointer(&pointer)
            .cloned()
            .unwrap_or_else(|| panic!("the full request lacks {pointer}"));
        set(&mut changed, &pointer, another(&pointer, &value));
        if row.pointer == "/fallback_providers" {
            set(&mut changed, &pointer, json!(["other"]));
        }
        if row.pointer == "/bounds" {
            // Bounds that bound nothing here: policy as long as they lower nothing.
            set(&mut changed, &pointer, json!({ "world": "romantic" }));
        }
        let (new_hashes, new_key) = prints(&changed);
        let expected = (
            row.policy == Policy::Identity,
            matches!(row.policy, Policy::Identity | Policy::Variation),
        );
        assert_eq!(
            (new_hashes.family != hashes.family, new_hashes.request != hashes.request),
            expected,
            "{}",
            row.pointer
        );
        let in_key = ["/player_context/playerId", "/strategy"].contains(&row.pointer) || expected.1;
        assert_eq!(new_key != key, in_key, "{} and the key", row.pointer);
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
    let mut other = base.clone();
    set(&mut other, "/provider_id", json!("pixverse"));
    assert_ne!(prints(&other).0.family, hashes.family);
}

#[test]
fn prompts_seeds_players_and_ids_do_not_share_by_accident() {
    let key = |config: Value, options: Value| {
        walk(&config.to_string(), &options.to_string(), |_, print| print.cache_key.clone().unwrap())
    };
    let config = |prompt: &str, seed: Value| json!({ "generationType": "text_to_image", "purpose": "ambient", "strategy": "once", "prompt": prompt, "seed": seed });
    let options =
        |player: &str| json!({ "providerId": "local", "session": { "id": 1, "user_id": player } });
    assert_ne!(
        key(config("a", json!(null)), options("x")),
        key(config("b", json!(null)), options("x"))
    );
    assert_ne!(key(config("a", json!(1)), options("x")), key(config("a", json!(2)), options("x")));
    assert_ne!(
        key(config("a", json!(1)), options("x")),
        key(config("a", json!(null)), options("x"))
    );
    // Two players share what is made once.
    assert_eq!(
        key(config("a", json!(null)), options("x")),
        key(config("a", json!(null)), options("y"))
    );
    // Ids cannot forge another key.
    let scenes = |from: &str, to: &str| {
        let mut with = options("x");
        with["fromScene"] = json!({ "id": from });
        with["toScene"] = json!({ "id": to });
        key(config("a", json!(null)), with)
    };
    let keys = [
        scenes("a|b", "c"),
        scenes("a", "b|c"),
        scenes("-", "c"),
        scenes("%2D", "c"),
        scenes("a%7Cb", "c"),
        key(config("a", json!(null)), options("x")),
    ];
    for (index, one) in keys.iter().enumerate() {
        assert!(keys.iter().skip(index + 1).all(|other| other != one), "{one}");
        let parts = parse_cache_key(one).unwrap();
        assert_eq!(&parts.to_string(), one);
    }
}
