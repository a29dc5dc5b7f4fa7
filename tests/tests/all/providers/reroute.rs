//! Providers that stand in for one that is down.

use std::time::Duration;

use onepath_fakes::{Call, Fake, Fault, Kind, Options, Switches, What};
use onepath_server::Settings;
use onepath_server::provider::ProviderSettings;
use serde_json::{Value, json};

use super::super::server::{Folder, Running, settings};
use super::config;

/// Two fakes, of which the first is down, and a server that may ask both.
async fn with_two(first: Switches, second: Switches) -> (Fake, Fake, Running, Folder) {
    let options = |switches| Options { switches, ..Options::default() };
    let replicate = Fake::start(Kind::Replicate, &options(first)).await.unwrap();
    let fal = Fake::start(Kind::Fal, &options(second)).await.unwrap();
    let folder = Folder::new();
    let mut settings: Settings = settings(&folder);
    settings.worker.deadline = Duration::from_secs(20);
    settings.providers = ProviderSettings::default()
        .with_variable("REPLICATE_API_TOKEN", "r8_canary")
        .with_variable("REPLICATE_API_URL", replicate.url())
        .with("replicate", json!({ "visibility_seconds": 0 }))
        .with_variable("FAL_KEY", "fal:canary")
        .with_variable("FAL_QUEUE_URL", fal.url())
        .with_variable("FAL_REST_URL", fal.url());
    let server = Running::with(&settings).await;
    (replicate, fal, server, folder)
}

fn wish_of_two(prompt: &str) -> Value {
    let config = config(
        "text_to_image",
        json!({ "prompt": prompt, "style": { "fal": { "num_images": 2 }, "replicate": {} } }),
    );
    // `local` is there as well, and comes last; one that this server does not have is left out.
    json!({
        "config": config, "provider_id": "replicate",
        "fallback_providers": ["pixverse", "fal", "replicate", "fal", "local"],
    })
}

/// The next is asked when the first is down, with its own settings; the answer says so.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_provider_is_asked_when_one_is_down() {
    let down = |status| Switches {
        faults: vec![Fault {
            retry_after: Some("0".to_owned()),
            times: u32::MAX,
            ..Fault::status(Call::Create, status)
        }],
        ..Switches::default()
    };
    let (replicate, fal, server, _folder) = with_two(down(503), Switches::default()).await;
    for (number, status) in [503, 401, 402].into_iter().enumerate() {
        replicate.set(down(status));
        let id = server.created(&wish_of_two(&format!("number {number}"))).await;
        let done = server.when_over(&id).await;
        assert_eq!(done["status"], "completed", "{status} {done:#}");
        let told = (&done["provider_id"], &done["served_provider"]);
        assert_eq!(told, (&json!("replicate"), &json!("fal")), "{status}");
        assert_eq!(done["served_hash"].as_str().unwrap().len(), 64);
        assert_ne!(done["served_hash"], done["request_hash"]);
        let asked: Vec<_> = done["attempts"].as_array().unwrap().iter().collect();
        assert_eq!((asked.len(), &asked[1]["provider_id"]), (2, &json!("fal")), "{done:#}");
        assert_eq!(fal.charges().len(), number + 1);
        // By its own name of things, and by its own hash.
        assert_eq!(fal.asked()[number]["num_images"], 2);
    }
    assert_eq!(replicate.charges(), []);
    // What fal made is no answer to what Replicate is asked for.
    replicate.set(Switches::default());
    let again = server.create(&wish_of_two("number 0")).await;
    assert_eq!(again["answer"], "created", "{again:#}");
    let done = server.when_over(again["id"].as_str().unwrap()).await;
    assert_eq!((&done["status"], &done["served_provider"]), (&json!("completed"), &Value::Null));
    let hit = server.create(&wish_of_two("number 0")).await;
    assert_eq!((&hit["answer"], &hit["id"]), (&json!("cache"), &again["id"]));
    server.stop().await;
}

/// One after the other, and the last of them as if there were no others.
#[tokio::test(flavor = "multi_thread")]
async fn every_provider_has_its_turn() {
    let down = Fault { times: u32::MAX, ..Fault::status(Call::Create, 401) };
    let (_replicate, _fal, server, _folder) =
        with_two(Switches::fault(down.clone()), Switches::fault(down)).await;
    let id = server.created(&wish_of_two("a pier")).await;
    let done = server.when_over(&id).await;
    let told = (&done["status"], &done["served_provider"]);
    assert_eq!(told, (&json!("completed"), &json!("local")), "{done:#}");
    assert_eq!(done["attempts"].as_array().unwrap().len(), 3);
    server.stop().await;
}

/// A submission of which nobody knows what became is not somebody else's: it may have been taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_submission_stays_where_it_was_sent() {
    let lost = Switches::fault(Fault::new(Call::Create, What::CutAfter));
    let (replicate, fal, server, _folder) = with_two(lost, Switches::default()).await;
    let id = server.created(&wish_of_two("a pier")).await;
    let done = server.when_over(&id).await;
    assert_eq!((&done["status"], &done["served_provider"]), (&json!("completed"), &Value::Null));
    assert_eq!((replicate.charges().len(), fal.charges().len()), (1, 0));
    // What is wrong with the request itself is not tried elsewhere either.
    replicate.set(Switches::fault(Fault::status(Call::Create, 422)));
    let id = server.created(&wish_of_two("another pier")).await;
    let done = server.when_over(&id).await;
    assert_eq!((&done["status"], &done["error_code"]), (&json!("failed"), &json!("param_invalid")));
    assert_eq!(fal.charges().len(), 0);
    server.stop().await;
}
