//! fal.

use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_fakes::{Call, Fake, Kind, Output, Switches};
use onepath_server::provider::ProviderSettings;
use serde_json::{Value, json};

use super::{LookUp, STATUSES, Subject, config, submission, suite};

fn settings(fake: &Fake) -> ProviderSettings {
    ProviderSettings::default()
        .with_variable("FAL_KEY", "fal:canary")
        .with_variable("FAL_QUEUE_URL", fake.url())
        .with_variable("FAL_REST_URL", fake.url())
        .with("fal", json!({ "priority": "low", "start_seconds": 60, "keep_seconds": 3600 }))
}

fn wishes() -> Vec<Value> {
    vec![
        config("text_to_image", json!({ "style": { "fal": { "aspect_ratio": "16:9" } } })),
        config("image_edit", json!({ "imageUrls": ["asset:1", "https://pictures.example/2.png"] })),
        config("text_to_video", json!({ "seed": 7, "duration": { "target": 5 } })),
        config("image_to_video", json!({ "imageUrl": "asset:1" })),
        config(
            "transition",
            json!({ "imageUrls": ["asset:1", "asset:2"], "prompts": ["the fog lifts"] }),
        ),
    ]
}

static FAL: Subject = Subject {
    kind: Kind::Fal,
    settings,
    wishes,
    ends: &[
        ("failed", ProviderReport::Failed(ErrorCode::ProviderUnavailable)),
        ("late", ProviderReport::Failed(ErrorCode::ProviderTimeout)),
        ("sensitive", ProviderReport::Failed(ErrorCode::ContentFiltered)),
        ("invalid", ProviderReport::Failed(ErrorCode::ParamInvalid)),
        ("broken", ProviderReport::Failed(ErrorCode::ProviderGeneric)),
        ("daydreaming", ProviderReport::Unknown),
        ("never", ProviderReport::Running),
    ],
    look_up: LookUp::Never,
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
    key: Some("fal:canary"),
    id: "/fal-ai/nano-banana/requests/p1",
    stops: true,
    at_once: false,
    webhooks: true,
};

suite!(FAL);

/// A model's path has parts that the places of its requests do not have.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_asked_for_where_the_queue_says() {
    let bench = FAL.bench(Switches::default()).await;
    let wish = config("image_edit", json!({ "imageUrl": "asset:1" }));
    let submission = submission(&wish, "fal", "token");
    let prediction = bench.provider.submit(&submission).await.unwrap();
    let id = &bench.fake.predictions()[0];
    assert_eq!(prediction, format!("/fal-ai/nano-banana/requests/{id}"));
    let standing = bench.provider.status(&submission, &prediction).await.unwrap();
    assert_eq!(standing.report, ProviderReport::Succeeded { has_output: true });
}

/// A file that is too large for a request is put into fal's storage first.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_picture_is_put_into_storage() {
    let bench = FAL.bench(Switches::default()).await;
    let wish = config("image_edit", json!({ "imageUrl": "asset:1" }));
    let mut submission = submission(&wish, "fal", "token");
    for file in submission.files.values_mut() {
        file.bytes = vec![7; (1 << 20) + 1].into();
    }
    bench.provider.submit(&submission).await.unwrap();
    assert_eq!(bench.fake.calls(Call::Upload), 1);
    let asked = &bench.fake.asked()[0];
    let place = asked["image_urls"][0].as_str().unwrap();
    assert!(place.starts_with(&format!("{}/kept/", bench.fake.origin())), "{asked}");
}
