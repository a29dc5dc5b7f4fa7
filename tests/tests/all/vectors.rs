//! Our own vectors of version 1: what the file holds, and that it covers everything.

use std::collections::BTreeSet;

use onepath_core::{Code, Policy, field_policies};
use onepath_tests::{generated, v1};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn file() -> Vec<Value> {
    let text = std::fs::read_to_string(onepath_tests::vectors().join("v1.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_vector_is_answered_as_the_file_says() {
    let lines = file();
    assert!(lines.len() >= 300, "{} vectors", lines.len());
    for line in &lines {
        let answer = v1::answer(&line["input"]);
        for (member, value) in answer.as_object().unwrap() {
            assert_eq!(line.get(member), Some(value), "{} of {}", member, line["name"]);
        }
        assert_eq!(
            line.as_object().unwrap().len(),
            answer.as_object().unwrap().len() + 2,
            "{}",
            line["name"]
        );
    }
}

#[test]
fn generated_files_are_current() {
    for (path, text) in generated::files() {
        let found = std::fs::read_to_string(onepath_tests::root().join(&path)).unwrap_or_default();
        assert!(found == text, "{path} is not current: run `cargo xtask generate`");
    }
}

/// Hashes and canonical text, worked out again by other code: a published canonicalizer and plain
/// SHA-256 over the preimages of the contract.
#[test]
fn hashes_are_those_of_the_contract() {
    let sha = |text: &str| -> String {
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let mut checked = 0;
    for line in file() {
        let Some(canonical) = line["canonical"].as_str() else { continue };
        let identity = serde_json_canonicalizer::to_string(&line["identity"]).unwrap();
        assert_eq!(canonical, identity, "{}", line["name"]);
        let print = &line["fingerprint"];
        let family = sha(&format!("onepath/v1/family\n{canonical}"));
        assert_eq!(print["family_hash"], family);
        let pair = match print["seed"].as_str() {
            Some(seed) => serde_json_canonicalizer::to_string(&[&family, seed]).unwrap(),
            None => serde_json_canonicalizer::to_string(&[&family]).unwrap(),
        };
        let request = sha(&format!("onepath/v1/request\n{pair}"));
        assert_eq!(print["request_hash"], request);
        if let Some(key) = print["cache_key"].as_str() {
            let parts = onepath_core::parse_cache_key(key).unwrap();
            assert_eq!(parts.to_string(), key);
            let scope = key.split('|').nth(5).unwrap();
            let derived = {
                let pair = serde_json_canonicalizer::to_string(&[scope, &family]).unwrap();
                let hash = Sha256::digest(format!("onepath/v1/seed\n{pair}").as_bytes());
                (u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) & 0x7fff_ffff).to_string()
            };
            let shared = print["seed"].is_null() || print["seed"] == derived;
            assert_eq!(
                parts.tail,
                if shared { &family[..32] } else { &request[..32] },
                "{}",
                line["name"]
            );
        }
        checked += 1;
    }
    assert!(checked > 250, "{checked}");
}

#[test]
fn vectors_cover_every_rule_and_field() {
    let lines = file();
    let fired: BTreeSet<String> = lines
        .iter()
        .flat_map(|line| line["findings"].as_array().unwrap().iter())
        .map(|finding| finding.as_str().unwrap().split(' ').next().unwrap().to_owned())
        .collect();
    // What only a text can have, and what only a scene file has: other tests show them.
    let elsewhere = [
        "json/syntax",
        "json/duplicate-key",
        "json/lone-surrogate",
        "json/too-large",
        "node/duplicate-id",
        "scene/unknown",
    ];
    for code in Code::ALL {
        let slug = code.slug();
        assert!(fired.contains(slug) || elsewhere.contains(&slug), "no vector fires {slug}");
    }
    // Fields of a config or an envelope that no request carries.
    let outside = [
        "/seedSource",
        "/enabled",
        "/tenant",
        "/priority",
        "/scheduled_at",
        "/force_new",
        "/name",
        "/description",
        "/metadata",
    ];
    // The seed of the npc params moves to the request; `ui` is dropped by the build.
    let moved = ["/npc_params/seed", "/from_scene/ui", "/to_scene/ui"];
    for row in field_policies() {
        let shown = lines.iter().any(|line| has(&line["request"], row.pointer));
        let skipped = outside.contains(&row.pointer) || moved.contains(&row.pointer);
        assert!(shown || skipped, "no vector shows {} ({:?})", row.pointer, row.policy);
    }
    assert!(field_policies().iter().filter(|row| row.policy == Policy::Identity).count() > 40);
}

/// Whether a value stands at the pointer; `*` is any step.
fn has(value: &Value, pointer: &str) -> bool {
    let Some(rest) = pointer.strip_prefix('/') else { return !value.is_null() };
    let (token, rest) = match rest.split_once('/') {
        Some((token, rest)) => (token, format!("/{rest}")),
        None => (rest, String::new()),
    };
    match value {
        Value::Object(members) if token == "*" => {
            let fields = ["moodFrom", "moodTo", "pacing", "transitionType"];
            members
                .iter()
                .any(|(name, value)| !fields.contains(&name.as_str()) && has(value, &rest))
        }
        Value::Object(members) => members.get(token).is_some_and(|value| has(value, &rest)),
        Value::Array(items) if token == "*" => items.iter().any(|item| has(item, &rest)),
        _ => false,
    }
}
