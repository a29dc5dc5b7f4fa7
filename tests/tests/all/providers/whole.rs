//! A real server, whose provider is a fake.

use std::time::Duration;

use onepath_core::lifecycle::ProviderReport;
use onepath_fakes::{Call, Fake, Fault, Options, Switches, What};
use onepath_server::Settings;
use serde_json::{Value, json};

use super::super::server::{Folder, Running, settings};
use super::{LookUp, Subject};

async fn start(subject: &Subject, switches: Switches) -> (Fake, Running, Folder) {
    let fake =
        Fake::start(subject.kind, &Options { switches, ..Options::default() }).await.unwrap();
    let folder = Folder::new();
    let mut settings: Settings = settings(&folder);
    settings.providers = (subject.settings)(&fake);
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
    let faults = [
        None,
        Some(Fault::new(Call::Create, What::CutAfter)),
        Some(Fault::new(Call::Create, What::PageAfter)),
        Some(Fault::new(Call::Create, What::Cut)),
        Some(Fault { retry_after: Some("0".to_owned()), ..Fault::status(Call::Create, 429) }),
        Some(Fault::status(Call::Status, 500)),
        Some(Fault::new(Call::File, What::HalfAfter)),
        Some(Fault::status(Call::File, 404)),
    ];
    let mut charges = 0;
    for (number, fault) in faults.into_iter().enumerate() {
        fake.set(Switches { faults: fault.clone().into_iter().collect(), ..Switches::default() });
        let id = server.created(&envelope(subject, number)).await;
        let lost = fault.as_ref().is_some_and(|fault| {
            fault.on == Call::Create
                && fault.what != What::Status
                && subject.look_up == LookUp::Never
        });
        let taken = !fault.as_ref().is_some_and(|fault| fault.what == What::Cut && lost);
        charges += usize::from(taken);
        let done = server.when_over(&id).await;
        if lost {
            // Nobody can tell, so it is not sent again: one charge at most.
            assert_eq!(done["error_code"], "submit_unknown", "{fault:?} {done:#}");
        } else {
            assert_eq!(done["status"], "completed", "{fault:?} {done:#}");
            assert_eq!(done["assets"].as_array().unwrap().len(), 1, "{done:#}");
        }
        assert_eq!(fake.charges().len(), charges, "{fault:?}");
    }
    server.stop().await;
}

/// A prediction's end is the run's.
pub(super) async fn a_run_ends_as_its_prediction_does(subject: &Subject) {
    for (end, report) in subject.ends {
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
        assert_eq!(fake.charges().len(), 1);
        server.stop().await;
    }
}

/// Who does not want it any more has it stopped at the provider.
pub(super) async fn a_run_is_stopped(subject: &Subject) {
    let (fake, server, _folder) =
        start(subject, Switches { polls: u32::MAX, ..Switches::default() }).await;
    let id = server.created(&envelope(subject, 0)).await;
    server.when(&id, "it was submitted", |_| !fake.predictions().is_empty()).await;
    let reply = server.http.post(&format!("/api/v1/generations/{id}/cancel"), &json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let done = server.when_over(&id).await;
    assert_eq!(done["status"], "cancelled", "{done:#}");
    assert_eq!(fake.is_cancelled(&fake.predictions()[0]), subject.stops);
    server.stop().await;
}
