//! OpenAI's images.

use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_fakes::{Call, Fake, Kind, Output, Switches};
use onepath_server::provider::{Found, ProviderSettings};
use serde_json::{Value, json};

use super::{LookUp, STATUSES, Subject, config, refused, submission, suite};

fn settings(fake: &Fake) -> ProviderSettings {
    ProviderSettings::default()
        .with_variable("OPENAI_API_KEY", "sk-canary")
        .with_variable("OPENAI_BASE_URL", fake.url())
}

fn wishes() -> Vec<Value> {
    vec![
        config("text_to_image", json!({ "style": { "openai": { "size": "1536x1024" } } })),
        config("image_edit", json!({ "imageUrls": ["asset:1", "asset:2"] })),
    ]
}

static OPENAI: Subject = Subject {
    kind: Kind::OpenAi,
    settings,
    wishes,
    ends: &[
        ("moderation_blocked", ProviderReport::Failed(ErrorCode::ContentPromptRejected)),
        ("output_blocked", ProviderReport::Failed(ErrorCode::ContentOutputRejected)),
        ("content_policy_violation", ProviderReport::Failed(ErrorCode::ContentPromptRejected)),
        ("rate_limit_exceeded", ProviderReport::Failed(ErrorCode::ProviderRateLimit)),
        ("insufficient_quota", ProviderReport::Failed(ErrorCode::ProviderQuota)),
        ("billing_hard_limit_reached", ProviderReport::Failed(ErrorCode::ProviderQuota)),
        ("string_above_max_length", ProviderReport::Failed(ErrorCode::ParamTooLong)),
        ("model_not_found", ProviderReport::Failed(ErrorCode::ParamInvalid)),
    ],
    look_up: LookUp::Never,
    outputs: &[
        (Output::Single, 1),
        (Output::List, 2),
        (Output::Object, 1),
        (Output::Nothing, 0),
        (Output::Gone, 1),
        (Output::Redirect, 1),
        (Output::Junk, 1),
    ],
    refusals: STATUSES,
    key: Some("sk-canary"),
    stops: false,
    at_once: true,
    webhooks: false,
    id: "0123456789abcdef0123456789abcdef",
};

suite!(OPENAI);

/// What came is kept before anybody is told: whoever lost the way between finds it again.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_came_is_found_again() {
    let bench = OPENAI.bench(Switches::default()).await;
    let submission = bench.submission("token");
    assert_eq!(bench.provider.find(&submission).await.unwrap(), Found::CannotTell);
    let prediction = bench.provider.submit(&submission).await.unwrap();
    let found = bench.provider.find(&submission).await.unwrap();
    assert_eq!(found, Found::Prediction(prediction.clone()));
    assert_eq!(bench.charges(), 1);
    bench.provider.settled(&submission, &prediction).await;
    assert_eq!(bench.provider.find(&submission).await.unwrap(), Found::CannotTell);
    let standing = bench.provider.status(&submission, &prediction).await.unwrap();
    assert_eq!(standing.report, ProviderReport::Failed(ErrorCode::ProviderGeneric));
}

/// 20 tokens of text at $5, 600 of two pictures at $8 and 3000 of three pictures at $30 a million.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_a_form_and_its_tokens_have_a_price() {
    let bench = OPENAI.bench(Switches::default()).await;
    let more = json!({ "imageUrls": ["asset:1", "asset:2"],
        "style": { "openai": { "n": 3, "quality": "low" } } });
    let submission = submission(&config("image_edit", more), "openai", "token");
    let prediction = bench.provider.submit(&submission).await.unwrap();
    let standing = bench.provider.status(&submission, &prediction).await.unwrap();
    assert_eq!(standing.outputs.len(), 3);
    assert_eq!(standing.charged.micros, Some(100 + 4800 + 90_000));
    assert_eq!(
        bench.fake.asked(),
        [json!({ "model": "gpt-image-2.6-sunburst", "n": "3", "prompt": "a lighthouse in fog",
            "quality": "low" })]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_of_a_user_comes_through_the_guard() {
    let bench = OPENAI.bench(Switches::default()).await;
    let inside = format!("{}/files/out/a/0.png", bench.fake.origin());
    let wish = config("image_edit", json!({ "imageUrl": inside }));
    let error = bench.provider.submit(&submission(&wish, "openai", "token")).await.unwrap_err();
    assert_eq!(refused(error).0, ErrorCode::ParamInvalid);
    assert_eq!((bench.charges(), bench.fake.calls(Call::File)), (0, 0));
}
