//! A real server, whose provider is a fake.

use std::time::{Duration, Instant};

use onepath_core::lifecycle::{ErrorCode, ProviderReport, Retry};
use onepath_fakes::{Call, Fake, Fault, Options, Switches, Webhooks, What};
use onepath_server::Settings;
use onepath_server::provider::ProviderSettings;
use serde_json::{Value, json};

use super::super::server::{Folder, Running, settings};
use super::{LookUp, Subject};

async fn start(subject: &Subject, switches: Switches) -> (Fake, Running, Folder) {
    started(subject, switches, |_| ()).await
}

async fn started(
    subject: &Subject,
    switches: Switches,
    change: impl FnOnce(&mut Settings),
) -> (Fake, Running, Folder) {
    let fake =
        Fake::start(subject.kind, &Options { switches, ..Options::default() }).await.unwrap();
    let folder = Folder::new();
    let mut settings: Settings = settings(&folder);
    settings.providers = (subject.settings)(&fake);
    change(&mut settings);
    let server = Running::with(&settings).await;
    (fake, server, folder)
}

fn envelope(subject: &Subject, number: usize) -> Value {
    let mut config = subject.wish();
    config["prompt"] = json!(format!("a lighthouse, number {number}"));
    json!({ "config": config, "provider_id": subject.kind.id() })
}

/// One charge, whatever is lost on the way.
pub(super) async fn a_run_ends_well_whatever_is_lost(subject: &Subject) {
    let (fake, server, _folder) = start(subject, Switches::default()).await;
    let mut faults = vec![
        None,
        Some(Fault { retry_after: Some("0".to_owned()), ..Fault::status(Call::Create, 429) }),
        Some(Fault::status(Call::Status, 500)),
        Some(Fault::new(Call::File, What::HalfAfter)),
        Some(Fault::status(Call::File, 404)),
    ];
    if subject.look_up != LookUp::Never {
        let lost = [What::CutAfter, What::PageAfter, What::Cut];
        faults.extend(lost.map(|what| Some(Fault::new(Call::Create, what))));
    }
    for (number, fault) in faults.into_iter().enumerate() {
        fake.set(Switches { faults: fault.clone().into_iter().collect(), ..Switches::default() });
        let id = server.created(&envelope(subject, number)).await;
        let done = server.when_over(&id).await;
        assert_eq!(done["status"], "completed", "{fault:?} {done:#}");
        assert_eq!(done["assets"].as_array().unwrap().len(), 1, "{done:#}");
        assert_eq!(fake.charges().len(), number + 1, "{fault:?}");
    }
    server.stop().await;
    if subject.look_up == LookUp::Never {
        nothing_is_sent_twice(subject).await;
    }
}

/// Where nobody can tell what became of a submission it is given up, and not sent again.
async fn nothing_is_sent_twice(subject: &Subject) {
    let (fake, server, _folder) = started(subject, Switches::default(), |settings| {
        settings.worker.deadline = Duration::from_secs(1);
    })
    .await;
    let mut charges = 0;
    for (number, what) in [What::CutAfter, What::PageAfter, What::Cut].into_iter().enumerate() {
        fake.set(Switches::fault(Fault::new(Call::Create, what)));
        let id = server.created(&envelope(subject, number)).await;
        let done = server.when_over(&id).await;
        let expected = (&json!("failed"), &json!("submit_unknown"));
        assert_eq!((&done["status"], &done["error_code"]), expected, "{what:?} {done:#}");
        charges += usize::from(what != What::Cut);
        assert_eq!(fake.charges().len(), charges, "{what:?}");
        assert_eq!(fake.calls(Call::Create), number + 1, "{what:?}");
    }
    server.stop().await;
}

/// A server that nobody asks anything for an hour, unless a webhook says that it is worth it.
fn patient(settings: &mut Settings) {
    settings.worker.poll = Duration::from_secs(3600);
    settings.worker.deadline = Duration::from_secs(36_000);
}

/// A fake that reports in some way, and a server that it reaches.
async fn reached(
    subject: &Subject,
    webhooks: Webhooks,
    change: impl FnOnce(&mut Settings),
) -> (Fake, Running, Folder) {
    let switches = Switches { webhooks, takes_ms: 100, ..Switches::default() };
    let options = Options { switches, ..Options::default() };
    let fake = Fake::start(subject.kind, &options).await.unwrap();
    let folder = Folder::new();
    let mut settings: Settings = settings(&folder);
    settings.providers = (subject.settings)(&fake);
    change(&mut settings);
    (fake, Running::reached(settings).await, folder)
}

/// The webhooks of a fake, as soon as so many were answered.
async fn answered(fake: &Fake, count: usize) -> Vec<u16> {
    let end = Instant::now() + Duration::from_secs(30);
    while fake.webhooks().len() < count {
        assert!(Instant::now() < end, "{:?}", fake.webhooks());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    fake.webhooks()
}

/// Results come by webhook, however it is signed, as often as it comes, in any order.
pub(super) async fn a_run_ends_by_its_webhook(subject: &Subject) {
    if !subject.webhooks {
        // Nobody is told of a URL, and nobody reports.
        let (fake, server, _folder) = reached(subject, Webhooks::Once, |_| ()).await;
        let id = server.created(&envelope(subject, 0)).await;
        assert_eq!(server.when_over(&id).await["status"], "completed");
        assert_eq!(fake.charges()[0].webhook, None);
        return server.stop().await;
    }
    for (number, (webhooks, count)) in [
        (Webhooks::Once, 1),
        (Webhooks::Twice, 2),
        (Webhooks::Rotated, 1),
        (Webhooks::Reordered, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let (fake, server, _folder) = reached(subject, webhooks, patient).await;
        let id = server.created(&envelope(subject, number)).await;
        let done = server.when_over(&id).await;
        assert_eq!(done["status"], "completed", "{webhooks:?} {done:#}");
        let statuses = answered(&fake, count).await;
        assert!(statuses.iter().all(|status| *status == 204), "{webhooks:?} {statuses:?}");
        assert_eq!(fake.charges().len(), 1);
        let url = fake.charges()[0].webhook.clone().unwrap();
        let token = url.rsplit('/').next().unwrap();
        assert_eq!(token.len(), 64, "{url}");
        server.stop().await;
    }
}

/// Webhooks that are forged or never come change nothing but speed.
pub(super) async fn a_run_ends_without_webhooks(subject: &Subject) {
    for webhooks in [Webhooks::Forged, Webhooks::None] {
        let (fake, server, _folder) = reached(subject, webhooks, |_| ()).await;
        let id = server.created(&envelope(subject, 0)).await;
        let done = server.when_over(&id).await;
        assert_eq!(done["status"], "completed", "{webhooks:?} {done:#}");
        if webhooks == Webhooks::Forged && subject.webhooks {
            assert_eq!(answered(&fake, 1).await, [403]);
        } else {
            assert_eq!(fake.webhooks(), [0; 0]);
        }
        server.stop().await;
    }
}

/// A submission whose answer was lost is known by its webhook, and not paid twice.
pub(super) async fn a_lost_submission_is_adopted(subject: &Subject) {
    if !subject.webhooks {
        return;
    }
    let (fake, server, _folder) = reached(subject, Webhooks::Once, patient).await;
    fake.set(Switches {
        takes_ms: 100,
        ..Switches::fault(Fault::new(Call::Create, What::CutAfter))
    });
    let id = server.created(&envelope(subject, 0)).await;
    let done = server.when_over(&id).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!((fake.charges().len(), fake.calls(Call::Create)), (1, 1));
    server.stop().await;
}

/// A prediction's end is the run's.
pub(super) async fn a_run_ends_as_its_prediction_does(subject: &Subject) {
    for (end, report) in subject.ends {
        let waits = |code: &ErrorCode| code.retry() == Retry::Defer;
        if matches!(report, ProviderReport::Failed(code) if waits(code)) {
            // The run waits for the account and does not end.
            continue;
        }
        let switches = Switches { end: (*end).to_owned(), ..Switches::default() };
        let fake =
            Fake::start(subject.kind, &Options { switches, ..Options::default() }).await.unwrap();
        let folder = Folder::new();
        let mut settings: Settings = settings(&folder);
        settings.providers = (subject.settings)(&fake);
        settings.attempts = 1;
        settings.worker.deadline = Duration::from_millis(400);
        let server = Running::with(&settings).await;
        let id = server.created(&envelope(subject, 0)).await;
        let done = server.when_over(&id).await;
        let code = match report {
            ProviderReport::Failed(code) => code.word(),
            ProviderReport::Cancelled { .. } => "provider_generic",
            // Parked until the deadline.
            _ => "provider_timeout",
        };
        assert_eq!(
            (&done["status"], &done["error_code"]),
            (&json!("failed"), &json!(code)),
            "{end}"
        );
        assert_eq!(fake.charges().len(), usize::from(!subject.at_once));
        server.stop().await;
    }
}

/// Who does not want it any more has it stopped at the provider.
pub(super) async fn a_run_is_stopped(subject: &Subject) {
    let switches = Switches { polls: u32::MAX, takes_ms: 300, ..Switches::default() };
    let (fake, server, _folder) = started(subject, switches, |settings| {
        if !subject.stops && !subject.at_once {
            // Nothing but time ends it.
            settings.worker.deadline = Duration::from_secs(1);
        }
    })
    .await;
    let id = server.created(&envelope(subject, 0)).await;
    server.when(&id, "it was submitted", |_| !fake.predictions().is_empty()).await;
    let reply = server.http.post(&format!("/api/v1/generations/{id}/cancel"), &json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let done = server.when_over(&id).await;
    // What is made and paid for is kept.
    let end = if subject.at_once { "completed" } else { "cancelled" };
    assert_eq!(done["status"], end, "{done:#}");
    assert_eq!(fake.is_cancelled(&fake.predictions()[0]), subject.stops);
    server.stop().await;
}

/// Every provider is told with what core says that it declares, and which of them can be asked.
#[tokio::test(flavor = "multi_thread")]
async fn the_providers_of_a_server_are_those_that_are_set_up() {
    let folder = Folder::new();
    let mut settings: Settings = settings(&folder);
    settings.providers = ProviderSettings::default().with("fal", json!({}));
    let server = Running::with(&settings).await;
    let told = server.http.get("/api/v1/providers").await.json();
    assert_eq!(told["configured"], json!(["fal", "local"]));
    let all = told["providers"].as_array().unwrap();
    let ids: Vec<&str> = all.iter().map(|info| info["id"].as_str().unwrap()).collect();
    assert_eq!(ids[..2], ["fal", "local"]);
    for info in onepath_core::providers() {
        let known = all.iter().find(|told| told["id"] == info.id.as_str()).unwrap();
        assert_eq!(*known, serde_json::to_value(info).unwrap());
    }
    assert_eq!(all.len(), onepath_core::providers().len());
    server.stop().await;
}
