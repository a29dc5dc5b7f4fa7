//! What is sent for a request, byte for byte: `vectors/providers/<provider>.jsonl`, one case a line.
//!
//! A case is `{name, config, params}` or, where the provider refuses it, `{name, config, refused}`.
//! `ONEPATH_WRITE_VECTORS=1` writes them anew; the diff is to be read.

use onepath_core::{GenerateContentRequest, decode};
use onepath_server::provider::{Places, ProviderSettings};
use serde_json::{Value, json};

use super::{comfyui, config, request};

/// Configs of which each says something that the others do not.
fn cases(provider: &str) -> Vec<(String, Value)> {
    let block = |settings: Value| json!({ "style": { provider: settings } });
    let mut cases = vec![
        ("text to image", config("text_to_image", json!({}))),
        ("image edit", config("image_edit", json!({ "imageUrl": "asset:1" }))),
        (
            "image edit of three",
            config(
                "image_edit",
                json!({
            "imageUrls": ["asset:1", "https://pictures.example/2.png", "asset:3"] }),
            ),
        ),
        ("text to video", config("text_to_video", json!({ "duration": { "target": 4.6 } }))),
        (
            "image to video",
            config("image_to_video", json!({ "imageUrl": "https://pictures.example/1.png" })),
        ),
        (
            "transition",
            config(
                "transition",
                json!({
            "imageUrls": ["asset:1", "asset:2"], "prompts": ["the fog lifts"],
            "style": { "moodFrom": "calm", "moodTo": "tense" } }),
            ),
        ),
        (
            "transition of three",
            config(
                "transition",
                json!({
            "imageUrls": ["asset:1", "asset:2", "asset:3"], "prompts": ["the fog lifts", "night"],
            "prompt": null }),
            ),
        ),
        ("video extend", config("video_extend", json!({ "videoUrl": "asset:9" }))),
        ("video extend by id", config("video_extend", json!({ "originalVideoId": "4711" }))),
        (
            "fusion",
            config(
                "fusion",
                json!({ "prompt": "@mira stands before @harbor", "fusionAssets": [
            { "ref": "asset:1", "name": "mira", "kind": "subject" },
            { "ref": "asset:2", "name": "harbor", "kind": "background" }] }),
            ),
        ),
        ("seed of a number", config("text_to_video", json!({ "seed": 0 }))),
        ("seed of a word", config("text_to_video", json!({ "seed": "monday" }))),
        (
            "negative and constraints",
            config(
                "text_to_image",
                json!({
            "negativePrompt": "blur", "constraints": { "requiredElements": ["lamp", "pier"],
                "avoidElements": ["text"], "contentRules": ["no faces"] },
            "style": { "moodFrom": "calm", "moodTo": "calm" } }),
            ),
        ),
        (
            "a workflow by its name",
            config(
                "image_edit",
                json!({ "imageUrls": ["asset:1", "asset:2"],
                    "style": { "comfyui": { "workflow": "two" } } }),
            ),
        ),
        ("an unknown model", config("text_to_image", block(json!({ "model": "nobody/nothing" })))),
        (
            "a setting of another kind",
            config("text_to_video", block(json!({ "duration": "long" }))),
        ),
    ]
    .into_iter()
    .map(|(name, config)| (name.to_owned(), config))
    .collect::<Vec<_>>();
    let info = onepath_core::providers().iter().find(|info| info.id.as_str() == provider).unwrap();
    // Every declared setting once, with a value that it takes, for an operation that has it.
    for parameter in info.parameters.iter().flatten() {
        let name = parameter.name.as_str();
        if matches!(name, "model" | "workflow") {
            continue;
        }
        let value = match (&parameter.values, parameter.kind.map(|kind| kind.word())) {
            (Some(values), _) => serde_json::to_value(values.last().unwrap()).unwrap(),
            (None, Some("integer")) => json!(parameter.max.map_or(3, |max| max.get() as i64)),
            (None, Some("number")) => json!(0.5),
            (None, Some("boolean")) => json!(true),
            _ => json!(format!("some {name}")),
        };
        let of = parameter.operations.as_ref().and_then(|list| list.first());
        let kind = match of.map_or("text_to_image", |operation| operation.word()) {
            "image_to_image" => "image_edit",
            "video_transition" => "transition",
            word => word,
        };
        let mut wish = config(kind, json!({ "style": { provider: { name: value } } }));
        if !kind.starts_with("text") {
            wish["imageUrls"] = json!(["asset:1", "asset:2"]);
            wish["prompts"] = json!(["one"]);
        }
        cases.push((format!("setting {name} of {kind}"), wish));
    }
    cases
}

#[test]
fn what_is_sent_is_what_the_files_say() {
    for info in onepath_core::providers() {
        let id = info.id.as_str();
        let settings = ProviderSettings::default().with("comfyui", comfyui::part());
        let Some(provider) = settings.adapter(id).unwrap() else { continue };
        let mut lines = String::new();
        for (name, config) in cases(id) {
            let text = request(&config, id);
            let request = decode::<GenerateContentRequest<'_>>(&text).into_result().unwrap();
            let line = match provider.params(&request, &Places::preview()) {
                Ok(params) => json!({ "name": name, "config": config, "params": params }),
                Err(refusal) => json!({
                    "name": name, "config": config,
                    "refused": { "code": refusal.code, "detail": refusal.detail },
                }),
            };
            lines += &format!("{line}\n");
        }
        let path = onepath_tests::root().join(format!("tests/vectors/providers/{id}.jsonl"));
        if std::env::var_os("ONEPATH_WRITE_VECTORS").is_some() {
            std::fs::write(&path, &lines).unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        for (known, made) in known.lines().zip(lines.lines()) {
            assert_eq!(known, made, "{}", path.display());
        }
        assert_eq!(known.lines().count(), lines.lines().count(), "{}", path.display());
    }
}
