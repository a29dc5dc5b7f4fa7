//! ComfyUI.

use std::time::Duration;

use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_fakes::{Call, Fake, Kind, Options, Output, Switches};
use onepath_server::provider::{Credentials, Found, ProviderSettings};
use serde_json::{Value, json};

use super::super::server::{Folder, Running, settings as server_settings};
use super::{LookUp, STATUSES, Subject, config, refused, submission, suite};

/// A graph as the editor exports it, which saves with a node of this class.
fn graph(save: &str, images: usize) -> Value {
    let mut graph = json!({
        "3": { "class_type": "KSampler", "inputs": { "seed": 1, "steps": 20, "cfg": 8.0,
            "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0, "model": ["4", 0],
            "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0] } },
        "4": { "class_type": "CheckpointLoaderSimple", "inputs": { "ckpt_name": "a.safetensors" } },
        "5": { "class_type": "EmptyLatentImage",
            "inputs": { "width": 512, "height": 512, "batch_size": 1 } },
        "6": { "class_type": "CLIPTextEncode", "inputs": { "text": "example", "clip": ["4", 1] } },
        "7": { "class_type": "CLIPTextEncode", "inputs": { "text": "watermark", "clip": ["4", 1] } },
        "9": { "class_type": save, "inputs": { "images": ["3", 0], "filename_prefix": "onepath" } },
        "20": { "class_type": "LoadVideo", "inputs": { "file": "" } },
    });
    for number in 0..images {
        graph[format!("1{number}")] =
            json!({ "class_type": "LoadImage", "inputs": { "image": "" } });
    }
    graph
}

/// The operator's part: a workflow for each operation.
pub(super) fn part() -> Value {
    let workflow = |operations: &[&str], save: &str, images: usize| {
        let places: Vec<String> = (0..images).map(|number| format!("1{number}.image")).collect();
        let mut workflow = json!({
            "graph": graph(save, images),
            "operations": operations,
            "slots": {
                "prompt": "6.text", "negative_prompt": "7.text", "seed": "3.seed",
                "width": "5.width", "height": "5.height", "checkpoint": "4.ckpt_name",
                "steps": "3.steps", "cfg": "3.cfg", "sampler": "3.sampler_name",
                "scheduler": "3.scheduler", "denoise": "3.denoise", "batch": "5.batch_size",
            },
        });
        if images > 0 {
            workflow["slots"]["images"] = json!(places);
        }
        workflow
    };
    let mut extend = workflow(&["video_extend"], "SaveVideo", 0);
    extend["slots"]["video"] = json!("20.file");
    let mut two = workflow(&["image_to_image"], "SaveImage", 2);
    two["outputs"] = json!(["9"]);
    json!({
        "visibility_seconds": 0,
        "workflows": {
            "picture": workflow(&["text_to_image"], "SaveImage", 0),
            "image_to_image": workflow(&["image_to_image"], "SaveImage", 1),
            "two": two,
            "film": workflow(&["text_to_video"], "SaveAnimatedWEBP", 0),
            "moving": workflow(&["image_to_video"], "SaveVideo", 1),
            "between": workflow(&["video_transition", "fusion"], "SaveVideo", 2),
            "longer": extend,
        },
    })
}

fn settings(fake: &Fake) -> ProviderSettings {
    ProviderSettings::default()
        .with_variable("COMFYUI_URL", fake.url())
        .with_variable("COMFYUI_API_KEY", "comfy_canary")
        .with("comfyui", part())
}

fn wishes() -> Vec<Value> {
    vec![
        config("text_to_image", json!({ "seed": 7, "style": { "comfyui": { "steps": 4 } } })),
        config("text_to_video", json!({ "duration": { "target": 5 } })),
        config("image_to_video", json!({ "imageUrl": "asset:1" })),
        config("video_extend", json!({ "videoUrl": "asset:9" })),
        config(
            "transition",
            json!({
                "imageUrls": ["asset:1", "asset:2"], "prompts": ["the fog lifts"],
                "style": { "moodFrom": "calm", "moodTo": "tense" },
            }),
        ),
        config(
            "fusion",
            json!({ "fusionAssets": [{ "ref": "asset:1", "name": "mira", "kind": "subject" },
                { "ref": "asset:2", "name": "harbor", "kind": "background" }] }),
        ),
        config("image_edit", json!({ "imageUrl": "asset:1" })),
    ]
}

static COMFYUI: Subject = Subject {
    kind: Kind::ComfyUi,
    settings,
    wishes,
    ends: &[
        ("error", ProviderReport::Failed(ErrorCode::ProviderGeneric)),
        ("out_of_memory", ProviderReport::Failed(ErrorCode::ProviderUnavailable)),
        ("interrupted", ProviderReport::Cancelled { charged: false }),
        ("dreaming", ProviderReport::Unknown),
        ("never", ProviderReport::Running),
    ],
    look_up: LookUp::Exactly,
    outputs: &[
        (Output::Single, 1),
        (Output::List, 2),
        (Output::Object, 1),
        (Output::Data, 1),
        (Output::Nothing, 0),
        (Output::Gone, 1),
        (Output::Junk, 1),
    ],
    refusals: STATUSES,
    key: Some("comfy_canary"),
    stops: true,
    at_once: false,
    webhooks: false,
    id: "01234567-89ab-4def-8123-456789abcdef",
};

suite!(COMFYUI);

fn switches(change: impl FnOnce(&mut Switches)) -> Switches {
    let mut switches = Switches::default();
    change(&mut switches);
    switches
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_that_would_lose_an_output_is_refused_and_stopped() {
    let bench = COMFYUI.bench(switches(|all| (all.partial, all.polls) = (true, 9))).await;
    let error = bench.provider.submit(&bench.submission("token")).await.unwrap_err();
    assert_eq!(refused(error).0, ErrorCode::ParamInvalid);
    assert!(bench.fake.is_cancelled(&bench.fake.predictions()[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_before_is_asked_to_stop_in_its_own_way() {
    let bench = COMFYUI.bench(switches(|all| (all.old, all.polls) = (true, 9))).await;
    for (token, runs) in [("waits", false), ("runs", true)] {
        let submission = bench.submission(token);
        let prediction = bench.provider.submit(&submission).await.unwrap();
        if runs {
            bench.provider.status(&submission, &prediction).await.unwrap();
        }
        bench.provider.cancel(&submission, &prediction).await.unwrap();
        assert!(bench.fake.is_cancelled(&prediction), "{token}");
        let standing = bench.provider.status(&submission, &prediction).await.unwrap();
        assert_eq!(standing.report, ProviderReport::Cancelled { charged: false }, "{token}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_lost_failed() {
    let bench = COMFYUI.bench(Switches::default()).await;
    let submission = bench.submission("token");
    let standing = bench.provider.status(&submission, COMFYUI.id).await.unwrap();
    assert_eq!(standing.report, ProviderReport::Failed(ErrorCode::ProviderUnavailable));
    assert_eq!(bench.provider.find(&submission).await.unwrap(), Found::NotThere);
}

/// A key goes to the server that the operator named, and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let bench = COMFYUI.bench(switches(|all| all.output = Output::Redirect)).await;
    let submission = bench.submission("token");
    let prediction = bench.provider.submit(&submission).await.unwrap();
    let standing = bench.end(&submission, &prediction).await;
    bench.provider.fetch(&submission, &standing.outputs[0]).await.unwrap_err();
    assert_eq!(bench.fake.calls(Call::File), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_a_server_of_its_own() {
    let bench = COMFYUI.bench(Switches::default()).await;
    let other = COMFYUI.bench(Switches::default()).await;
    let mut submission = bench.submission("token");
    submission.account = Some(Credentials {
        account: "a1".to_owned(),
        endpoint: Some(other.fake.url()),
        secret: None,
    });
    let prediction = bench.provider.submit(&submission).await.unwrap();
    assert_eq!((bench.charges(), other.charges()), (0, 1));
    let standing = bench.end(&submission, &prediction).await;
    bench.provider.fetch(&submission, &standing.outputs[0]).await.unwrap();
}

/// The server's address may be a private one; what a user says may not.
#[tokio::test(flavor = "multi_thread")]
async fn an_input_of_a_user_comes_through_the_guard() {
    let bench = COMFYUI.bench(Switches::default()).await;
    let inside = format!("{}/view?filename=a.png&subfolder=out", bench.fake.origin());
    let wish = config("image_to_video", json!({ "imageUrl": inside }));
    let error = bench.provider.submit(&submission(&wish, "comfyui", "token")).await.unwrap_err();
    assert_eq!(refused(error).0, ErrorCode::ParamInvalid);
    assert_eq!((bench.charges(), bench.fake.calls(Call::File)), (0, 0));
}

/// The news come over a web socket, and a broken one is opened again; who polls once an hour
/// hears of an end all the same.
#[tokio::test(flavor = "multi_thread")]
async fn news_make_a_row_due() {
    for cuts_news in [false, true] {
        let options = Options {
            switches: switches(|all| (all.takes_ms, all.cuts_news) = (300, cuts_news)),
            ..Options::default()
        };
        let fake = Fake::start(Kind::ComfyUi, &options).await.unwrap();
        let folder = Folder::new();
        let mut of_server = server_settings(&folder);
        of_server.providers = settings(&fake);
        of_server.worker.poll = Duration::from_secs(3600);
        let server = Running::with(&of_server).await;
        let envelope = json!({ "config": COMFYUI.wish(), "provider_id": "comfyui" });
        let id = server.created(&envelope).await;
        let done = server.when_over(&id).await;
        assert_eq!(done["status"], "completed", "{done:#}");
        assert_eq!(fake.charges().len(), 1);
        server.stop().await;
    }
}
