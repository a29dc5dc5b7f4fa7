//! One suite for every adapter, against the fake that stands in for its provider.
//!
//! A [`Subject`] says what is peculiar to a provider; every case asks the port, as the worker does.
//! `whole` drives a real server with it.

mod comfyui;
mod fal;
mod golden;
mod openai;
mod pixverse;
mod replicate;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_core::{BuildOptions, GenerationNodeConfig, decode, prepare, to_json};
use onepath_fakes::{Call, Fake, Fault, Kind, Options, Output, Switches, What};
use onepath_server::provider::{
    File, Found, Provider, ProviderSettings, Standing, Submission, SubmitError,
};
use onepath_server::{Server, Settings};
use serde_json::{Value, json};

use super::server::{Folder, merged};

/// How a lost submission is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "not every way is some provider's")]
enum LookUp {
    /// By what it asked for, among all of that time.
    Alike,
    /// By the attempt's own token, which the provider keeps.
    Exactly,
    /// Not at all: only a webhook tells, or time.
    Never,
}

/// A provider under test.
struct Subject {
    kind: Kind,
    settings: fn(&Fake) -> ProviderSettings,
    /// Configs that it can be asked for, with the references of their files.
    wishes: fn() -> Vec<Value>,
    /// Ways to end, and what each means.
    ends: &'static [(&'static str, ProviderReport)],
    look_up: LookUp,
    /// Forms in which its outputs come, and how many there are.
    outputs: &'static [(Output, usize)],
    /// Statuses, or numbers of its own, with which it refuses, and what each means.
    refusals: &'static [(u32, ErrorCode)],
    /// The key that the settings hold; none if the provider wants none.
    key: Option<&'static str>,
    /// What may be an id of a prediction there.
    id: &'static str,
    /// Whether it can be asked to stop.
    stops: bool,
    /// Whether it gives what it makes with the answer to the submission: there is nothing to ask
    /// about, and what would fail is refused.
    at_once: bool,
    /// Whether it reports by webhook.
    webhooks: bool,
}

/// What statuses mean where a provider keeps to them.
const STATUSES: &[(u32, ErrorCode)] = &[
    (400, ErrorCode::ParamInvalid),
    (401, ErrorCode::ProviderAuth),
    (402, ErrorCode::ProviderQuota),
    (403, ErrorCode::ProviderAuth),
    (413, ErrorCode::ParamTooLong),
    (422, ErrorCode::ParamInvalid),
    (429, ErrorCode::ProviderRateLimit),
    (503, ErrorCode::ProviderUnavailable),
    (307, ErrorCode::ProviderGeneric),
];

/// A provider at work against its fake.
struct Bench {
    fake: Fake,
    provider: Arc<dyn Provider>,
    subject: &'static Subject,
    _folder: Folder,
}

impl Subject {
    async fn bench(&'static self, switches: Switches) -> Bench {
        let fake =
            Fake::start(self.kind, &Options { switches, ..Options::default() }).await.unwrap();
        let folder = Folder::new();
        let mut settings = Settings::new(folder.as_ref());
        settings.providers = (self.settings)(&fake);
        let server = Server::open(&settings).unwrap();
        let provider = Arc::clone(server.service().providers.get(self.kind.id()).unwrap());
        Bench { fake, provider, subject: self, _folder: folder }
    }

    fn wish(&self) -> Value {
        (self.wishes)().remove(0)
    }
}

/// A config that a node may hold, with more members.
fn config(kind: &str, more: Value) -> Value {
    let base = json!({
        "generationType": kind, "purpose": "ambient", "strategy": "once",
        "prompt": "a lighthouse in fog", "fallback": { "mode": "retry" },
    });
    merged(base, more)
}

/// The request of a config for a provider, as JSON text.
fn request(config: &Value, provider: &str) -> String {
    let config = config.to_string();
    let options = json!({ "providerId": provider }).to_string();
    let config = decode::<GenerationNodeConfig<'_>>(&config).into_result().unwrap();
    let options = decode::<BuildOptions<'_>>(&options).into_result().unwrap();
    let prepared = prepare(&config, &options);
    let (request, _) = prepared.made.unwrap_or_else(|| panic!("{:#?}", prepared.report));
    to_json(&request).unwrap()
}

/// A picture for `asset:…` inputs.
fn png() -> File {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 120, 40]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    File {
        media_type: "image/png".to_owned(),
        bytes: bytes.into_inner().into(),
        sha256: "ab".repeat(32),
    }
}

/// A submission of a config whose `asset:…` inputs are all the same picture.
fn submission(config: &Value, provider: &str, token: &str) -> Submission {
    let request = request(config, provider);
    let read: Value = serde_json::from_str(&request).unwrap();
    let mut files = BTreeMap::new();
    for input in read["inputs"].as_array().into_iter().flatten() {
        let reference = input["ref"].as_str().unwrap();
        if reference.starts_with("asset:") {
            files.insert(reference.to_owned(), png());
        }
    }
    let submitted_at = jiff_now();
    let request_hash = format!("{token} {request}");
    let token = token.to_owned();
    Submission { token, request, request_hash, submitted_at, files, ..Submission::default() }
}

fn jiff_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

impl Bench {
    fn submission(&self, token: &str) -> Submission {
        submission(&self.subject.wish(), self.subject.kind.id(), token)
    }

    /// How a submission stands when it is asked about once.
    async fn outcome(&self, submission: &Submission) -> Standing {
        match self.provider.submit(submission).await {
            Ok(prediction) => self.provider.status(submission, &prediction).await.unwrap(),
            Err(SubmitError::Refused(refusal)) if self.subject.at_once => {
                Standing::failed(refusal.code, refusal.detail)
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// How a prediction stands in the end.
    async fn end(&self, submission: &Submission, prediction: &str) -> Standing {
        for _ in 0..20 {
            let standing = self.provider.status(submission, prediction).await.unwrap();
            if standing.report != ProviderReport::Running {
                return standing;
            }
        }
        panic!("it never ends");
    }

    fn charges(&self) -> usize {
        self.fake.charges().len()
    }
}

fn refused(error: SubmitError) -> (ErrorCode, Option<Duration>) {
    match error {
        SubmitError::Refused(refusal) => (refusal.code, refusal.retry_after),
        SubmitError::Lost(detail) => panic!("lost: {detail}"),
    }
}

/// What is asked for is made, for every operation that the provider declares.
async fn it_makes_what_it_declares(subject: &'static Subject) {
    let bench = subject.bench(Switches { polls: 2, ..Switches::default() }).await;
    for (index, wish) in (subject.wishes)().iter().enumerate() {
        let submission = submission(wish, subject.kind.id(), &format!("token {index}"));
        let prediction = bench.provider.submit(&submission).await.unwrap();
        let standing = bench.end(&submission, &prediction).await;
        assert_eq!(standing.report, ProviderReport::Succeeded { has_output: true }, "{wish:#}");
        for output in &standing.outputs {
            let bytes = bench.provider.fetch(&submission, output).await.unwrap();
            image::load_from_memory(&bytes).unwrap();
        }
        bench.provider.settled(&submission, &prediction).await;
        assert_eq!(bench.charges(), index + 1);
    }
    let declared = bench.provider.info().operations.clone().unwrap();
    let asked: Vec<_> = (subject.wishes)()
        .iter()
        .map(|wish| request(wish, subject.kind.id()))
        .map(|text| {
            decode::<onepath_core::GenerateContentRequest<'_>>(&text)
                .into_result()
                .unwrap()
                .operation()
        })
        .collect();
    for operation in declared {
        assert!(asked.contains(&operation), "no wish asks for {operation}");
    }
}

/// Every way to end has its meaning, and an unknown one is parked.
async fn it_understands_every_end(subject: &'static Subject) {
    assert_eq!(
        subject.ends.iter().map(|(end, _)| *end).collect::<Vec<_>>(),
        subject.kind.ends(),
        "the fake knows other ends"
    );
    for (end, report) in subject.ends {
        for nulls in [false, true] {
            let end = (*end).to_owned();
            let switches = Switches { end: end.clone(), nulls, ..Switches::default() };
            let bench = subject.bench(switches).await;
            let submission = bench.submission("token");
            let standing = bench.outcome(&submission).await;
            assert_eq!(standing.report, *report, "{end}");
            let told = matches!(report, ProviderReport::Failed(_) | ProviderReport::Unknown);
            assert_eq!(standing.detail.is_some(), told, "{end}: {:?}", standing.detail);
            assert!(standing.outputs.is_empty(), "{end}");
        }
    }
}

/// Outputs come in every form; one that is not there is no output, and asking again may help.
async fn it_fetches_every_form(subject: &'static Subject) {
    for (output, count) in subject.outputs {
        let bench = subject.bench(Switches { output: *output, ..Switches::default() }).await;
        let submission = bench.submission("token");
        let prediction = bench.provider.submit(&submission).await.unwrap();
        let standing = bench.end(&submission, &prediction).await;
        let report = ProviderReport::Succeeded { has_output: *count > 0 };
        assert_eq!((standing.report, standing.outputs.len()), (report, *count), "{output:?}");
        for place in &standing.outputs {
            let fetched = bench.provider.fetch(&submission, place).await;
            match output {
                Output::Gone => assert!(fetched.is_err(), "{output:?}"),
                Output::Junk => assert!(image::load_from_memory(&fetched.unwrap()).is_err()),
                _ => drop(image::load_from_memory(&fetched.unwrap()).unwrap()),
            }
        }
    }
}

/// A refusal is told by its status, and how long to stay away.
async fn it_is_refused_without_a_charge(subject: &'static Subject) {
    let bench = subject.bench(Switches::default()).await;
    for &(status, code) in subject.refusals {
        let fault =
            Fault { retry_after: Some("7".to_owned()), ..Fault::status(Call::Create, status) };
        bench.fake.set(Switches::fault(fault));
        let error = bench.provider.submit(&bench.submission("token")).await.unwrap_err();
        assert_eq!(refused(error), (code, Some(Duration::from_secs(7))), "{status}");
    }
    if subject.key.is_some() {
        bench.fake.set(Switches { key: Some("another".to_owned()), ..Switches::default() });
        let error = bench.provider.submit(&bench.submission("token")).await.unwrap_err();
        assert_eq!(refused(error).0, ErrorCode::ProviderAuth);
    }
    assert_eq!(bench.charges(), 0);
}

/// Who is not there has taken nothing.
async fn it_was_not_sent_to_nobody(subject: &'static Subject) {
    let bench = subject.bench(Switches::default()).await;
    let Bench { fake, provider, subject, .. } = bench;
    drop(fake);
    let submission = submission(&subject.wish(), subject.kind.id(), "token");
    // A listener that is gone may leave connections behind in the queue of the system.
    let mut refusals = 0;
    for _ in 0..100 {
        match provider.submit(&submission).await.unwrap_err() {
            SubmitError::Refused(refusal) => {
                assert_eq!(refusal.code, ErrorCode::ProviderUnavailable);
                refusals += 1;
            }
            SubmitError::Lost(_) => tokio::task::yield_now().await,
        }
    }
    assert!(refusals > 0);
    if !subject.at_once {
        provider.status(&submission, subject.id).await.unwrap_err();
    }
    if subject.look_up == LookUp::Never {
        assert_eq!(provider.find(&submission).await, Ok(Found::CannotTell));
    } else {
        provider.find(&submission).await.unwrap_err();
    }
}

/// An answer that was lost is never taken for a refusal; what was taken is found again, and what
/// was not is known not to be there.
async fn it_finds_what_was_lost(subject: &'static Subject) {
    for what in [
        What::CutAfter,
        What::HalfAfter,
        What::PageAfter,
        What::StatusAfter,
        What::HugeAfter,
        What::Cut,
        What::Status,
    ] {
        let fault = Fault { status: 502, ..Fault::new(Call::Create, what) };
        let bench = subject.bench(Switches::fault(fault)).await;
        // Another one of the same time, with other content: the last wish starts from files.
        let other = merged((subject.wishes)().pop().unwrap(), json!({ "prompt": "a harbor" }));
        bench.provider.submit(&submission(&other, subject.kind.id(), "other")).await.unwrap_err();
        let mine = bench.submission("token");
        bench.provider.submit(&mine).await.unwrap();
        let taken = !matches!(what, What::Cut | What::Status);
        assert_eq!(bench.charges(), 1 + usize::from(taken), "{what:?}");
        let mut lost = submission(&other, subject.kind.id(), "other");
        // Whoever looks for it has not read the files again.
        lost.files.clear();
        let found = bench.provider.find(&lost).await.unwrap();
        let all = bench.fake.predictions();
        match subject.look_up {
            LookUp::Alike if taken => assert_eq!(found, Found::Alike(vec![all[0].clone()])),
            LookUp::Exactly if taken => assert_eq!(found, Found::Prediction(all[0].clone())),
            LookUp::Alike | LookUp::Exactly => assert_eq!(found, Found::NotThere),
            LookUp::Never => assert_eq!(found, Found::CannotTell),
        }
    }
}

/// A question without an answer says so, and the next one is answered.
async fn it_asks_again(subject: &'static Subject) {
    let bench = subject.bench(Switches::default()).await;
    let submission = bench.submission("token");
    let prediction = bench.provider.submit(&submission).await.unwrap();
    let all = [What::Status, What::Cut, What::HalfAfter, What::PageAfter, What::HugeAfter];
    // What is kept here is asked of nobody.
    for what in all.into_iter().filter(|_| !subject.at_once) {
        let fault = Fault {
            retry_after: Some("3".to_owned()),
            status: 429,
            ..Fault::new(Call::Status, what)
        };
        bench.fake.set(Switches::fault(fault));
        let error = bench.provider.status(&submission, &prediction).await.unwrap_err();
        let wish = (what == What::Status).then(|| Duration::from_secs(3));
        assert_eq!(error.retry_after, wish, "{what:?}");
    }
    let standing = bench.end(&submission, &prediction).await;
    assert_eq!(standing.report, ProviderReport::Succeeded { has_output: true });
    // An id that is none of its own leads nowhere.
    for odd in ["", "../../account", "p1?x=1", "p 1", &"p".repeat(500)] {
        let standing = bench.provider.status(&submission, odd).await;
        let report = standing.map(|standing| standing.report);
        assert!(!matches!(report, Ok(ProviderReport::Succeeded { .. })), "{odd:?}");
    }
}

/// What is stopped in time is stopped, what is over stays, and a late result is told as it is.
async fn it_stops(subject: &'static Subject) {
    let running = Switches { polls: 5, ..Switches::default() };
    let bench = subject.bench(running.clone()).await;
    let submission = bench.submission("token");
    let prediction = bench.provider.submit(&submission).await.unwrap();
    if subject.at_once {
        bench.provider.cancel(&submission, &prediction).await.unwrap();
        let standing = bench.provider.status(&submission, &prediction).await.unwrap();
        assert_eq!(standing.report, ProviderReport::Succeeded { has_output: true });
        return;
    }
    let standing = bench.provider.status(&submission, &prediction).await.unwrap();
    assert_eq!(standing.report, ProviderReport::Running);
    bench.provider.cancel(&submission, &prediction).await.unwrap();
    bench.provider.cancel(&submission, &prediction).await.unwrap();
    assert_eq!(bench.fake.is_cancelled(&bench.fake.predictions()[0]), subject.stops);
    let standing = bench.end(&submission, &prediction).await;
    if subject.stops {
        assert!(matches!(standing.report, ProviderReport::Cancelled { .. }), "{standing:?}");
    } else {
        assert_eq!(standing.report, ProviderReport::Succeeded { has_output: true });
    }

    bench.fake.set(Switches { late: true, ..running });
    let submission = bench.submission("late");
    let prediction = bench.provider.submit(&submission).await.unwrap();
    bench.provider.cancel(&submission, &prediction).await.unwrap();
    let standing = bench.end(&submission, &prediction).await;
    assert_eq!(standing.report, ProviderReport::Succeeded { has_output: true });
    bench.provider.cancel(&submission, &prediction).await.unwrap();
    let standing = bench.provider.status(&submission, &prediction).await.unwrap();
    assert_eq!(standing.report, ProviderReport::Succeeded { has_output: true });
}

/// Neither a key nor a prompt is shown to who looks at the adapter.
async fn it_keeps_its_key(subject: &'static Subject) {
    let bench = subject.bench(Switches::default()).await;
    let shown = format!("{:?}", bench.provider);
    assert!(subject.key.is_none_or(|key| !shown.contains(key)), "{shown}");
}

/// Every case, for one subject.
macro_rules! suite {
    ($subject:ident) => {
        super::suite! { $subject:
            it_makes_what_it_declares it_understands_every_end it_fetches_every_form
            it_is_refused_without_a_charge it_was_not_sent_to_nobody it_finds_what_was_lost
            it_asks_again it_stops it_keeps_its_key
        }
    };
    ($subject:ident: $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case(&$subject).await;
            }
        )*
        mod whole {
            #[tokio::test(flavor = "multi_thread")]
            async fn a_run_ends_well_whatever_is_lost() {
                super::super::whole::a_run_ends_well_whatever_is_lost(&super::$subject).await;
            }
            #[tokio::test(flavor = "multi_thread")]
            async fn a_run_ends_as_its_prediction_does() {
                super::super::whole::a_run_ends_as_its_prediction_does(&super::$subject).await;
            }
            #[tokio::test(flavor = "multi_thread")]
            async fn a_run_ends_by_its_webhook() {
                super::super::whole::a_run_ends_by_its_webhook(&super::$subject).await;
            }
            #[tokio::test(flavor = "multi_thread")]
            async fn a_run_ends_without_webhooks() {
                super::super::whole::a_run_ends_without_webhooks(&super::$subject).await;
            }
            #[tokio::test(flavor = "multi_thread")]
            async fn a_lost_submission_is_adopted() {
                super::super::whole::a_lost_submission_is_adopted(&super::$subject).await;
            }
            #[tokio::test(flavor = "multi_thread")]
            async fn a_run_is_stopped() {
                super::super::whole::a_run_is_stopped(&super::$subject).await;
            }
        }
    };
}
use suite;
