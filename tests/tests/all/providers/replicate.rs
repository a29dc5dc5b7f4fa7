//! Replicate.

use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_fakes::{Fake, Kind, Output};
use onepath_server::provider::ProviderSettings;
use serde_json::{Value, json};

use super::{LookUp, STATUSES, Subject, config, suite};

fn settings(fake: &Fake) -> ProviderSettings {
    ProviderSettings::default()
        .with_variable("REPLICATE_API_TOKEN", "r8_canary")
        .with_variable("REPLICATE_API_URL", fake.url())
        .with("replicate", json!({ "visibility_seconds": 0 }))
}

fn wishes() -> Vec<Value> {
    vec![
        config("text_to_image", json!({ "style": { "replicate": { "aspect_ratio": "16:9" } } })),
        config("image_edit", json!({ "imageUrls": ["asset:1", "https://pictures.example/2.png"] })),
        config("text_to_video", json!({ "seed": 7, "duration": { "target": 5 } })),
        config("image_to_video", json!({ "imageUrl": "asset:1" })),
        config(
            "transition",
            json!({
                "imageUrls": ["asset:1", "asset:2"], "prompts": ["the fog lifts"],
                "style": { "moodFrom": "calm", "moodTo": "tense" },
            }),
        ),
    ]
}

static REPLICATE: Subject = Subject {
    kind: Kind::Replicate,
    settings,
    wishes,
    ends: &[
        ("failed", ProviderReport::Failed(ErrorCode::ProviderGeneric)),
        ("sensitive", ProviderReport::Failed(ErrorCode::ContentFiltered)),
        ("overloaded", ProviderReport::Failed(ErrorCode::ProviderUnavailable)),
        ("canceled", ProviderReport::Cancelled { charged: true }),
        ("aborted", ProviderReport::Cancelled { charged: false }),
        ("daydreaming", ProviderReport::Unknown),
        ("never", ProviderReport::Running),
    ],
    look_up: LookUp::Alike,
    outputs: &[
        (Output::Single, 1),
        (Output::List, 2),
        (Output::Object, 1),
        (Output::Data, 1),
        (Output::Nothing, 0),
        (Output::Gone, 1),
        (Output::Redirect, 1),
        (Output::Junk, 1),
    ],
    refusals: STATUSES,
    key: Some("r8_canary"),
    id: "p1",
    stops: true,
    at_once: false,
    webhooks: true,
};

suite!(REPLICATE);
