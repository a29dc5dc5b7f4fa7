//! PixVerse.

use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_fakes::{Call, Fake, Fault, Kind, Output, Switches};
use onepath_server::provider::ProviderSettings;
use serde_json::{Value, json};

use super::{LookUp, Subject, config, submission, suite};

fn settings(fake: &Fake) -> ProviderSettings {
    ProviderSettings::default()
        .with_variable("PIXVERSE_API_KEY", "px_canary")
        .with_variable("PIXVERSE_API_URL", fake.url())
}

fn wishes() -> Vec<Value> {
    vec![
        config("text_to_video", json!({ "seed": 7, "duration": { "target": 6 } })),
        config("text_to_image", json!({})),
        config("image_edit", json!({ "imageUrls": ["asset:1", "https://pictures.example/2.png"] })),
        config(
            "image_edit",
            json!({ "imageUrl": "asset:1", "style": { "pixverse": { "template_id": "4711" } } }),
        ),
        config("image_to_video", json!({ "imageUrl": "asset:1" })),
        config("video_extend", json!({ "videoUrl": "asset:9" })),
        config("video_extend", json!({ "originalVideoId": "343252978602905" })),
        config(
            "transition",
            json!({ "imageUrls": ["asset:1", "asset:2"], "prompts": ["the fog lifts"] }),
        ),
        config(
            "transition",
            json!({ "imageUrls": ["asset:1", "asset:2", "asset:3"], "prompts": ["fog", "night"] }),
        ),
        config(
            "fusion",
            json!({ "fusionAssets": [
                { "ref": "asset:1", "name": "mira", "kind": "subject" },
                { "ref": "asset:2", "name": "harbor", "kind": "background" },
            ] }),
        ),
    ]
}

static PIXVERSE: Subject = Subject {
    kind: Kind::Pixverse,
    settings,
    wishes,
    ends: &[
        ("failed", ProviderReport::Failed(ErrorCode::ProviderGeneric)),
        ("moderated", ProviderReport::Failed(ErrorCode::ContentFiltered)),
        ("deleted", ProviderReport::Failed(ErrorCode::OutputMissing)),
        ("paused", ProviderReport::Unknown),
        ("never", ProviderReport::Running),
    ],
    look_up: LookUp::Never,
    outputs: &[
        (Output::Single, 1),
        (Output::Nothing, 0),
        (Output::Gone, 1),
        (Output::Redirect, 1),
        (Output::Junk, 1),
    ],
    // With HTTP 200 and a number of its own; what stands before it has statuses.
    refusals: &[
        (400_011, ErrorCode::ParamInvalid),
        (400_012, ErrorCode::ProviderAuth),
        (400_017, ErrorCode::ParamInvalid),
        (400_018, ErrorCode::ParamTooLong),
        (500_044, ErrorCode::ProviderConcurrentLimit),
        (500_054, ErrorCode::ContentOutputRejected),
        (500_063, ErrorCode::ContentPromptRejected),
        (500_069, ErrorCode::ProviderUnavailable),
        (500_090, ErrorCode::ProviderQuota),
        (999_999, ErrorCode::ProviderGeneric),
        (401, ErrorCode::ProviderAuth),
        (429, ErrorCode::ProviderRateLimit),
        (503, ErrorCode::ProviderUnavailable),
    ],
    key: Some("px_canary"),
    id: "4711",
    stops: false,
    at_once: false,
    webhooks: false,
};

suite!(PIXVERSE);

#[tokio::test(flavor = "multi_thread")]
async fn credits_are_told_by_type() {
    let bench = PIXVERSE.bench(Switches { credits: 120, ..Switches::default() }).await;
    let told = bench.provider.credits(None).await.unwrap().unwrap();
    let told: Vec<_> = told.into_iter().collect();
    assert_eq!(told, [("monthly".to_owned(), 120), ("package".to_owned(), 0)]);
    bench.fake.set(Switches::fault(Fault::status(Call::Other, 500_069)));
    bench.provider.credits(None).await.unwrap_err();
}

/// What it says no to while a picture is handed over is the picture; nothing was submitted.
#[tokio::test(flavor = "multi_thread")]
async fn a_picture_may_be_refused() {
    let bench = PIXVERSE.bench(Switches::fault(Fault::status(Call::Upload, 500_063))).await;
    let wish = config("image_to_video", json!({ "imageUrl": "asset:1" }));
    let error = bench.provider.submit(&submission(&wish, "pixverse", "token")).await.unwrap_err();
    assert_eq!(super::refused(error).0, ErrorCode::ContentImageRejected);
    assert_eq!((bench.charges(), bench.fake.calls(Call::Create)), (0, 0));
}

/// The same attempt has the same trace, and whoever sends it twice is taken once.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_sent_twice_is_taken_once() {
    let bench = PIXVERSE.bench(Switches::default()).await;
    let submission = bench.submission("token");
    bench.provider.submit(&submission).await.unwrap();
    bench.provider.submit(&submission).await.unwrap_err();
    assert_eq!(bench.charges(), 1);
    bench.provider.submit(&bench.submission("another")).await.unwrap();
    assert_eq!(bench.charges(), 2);
}
