//! A provider far away, as the server sees one that signs its webhooks: it charges for every
//! submission it takes, makes what it is told to, and reports in any order, any number of times.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::http::HeaderMap;
use onepath_client::webhook::{self, Secret};
use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_core::{ProviderInfo, providers};
use onepath_server::provider::{
    Delivery, Found, NoAnswer, Output, Provider, Standing, Submission, SubmitError, WebhookRefused,
    WebhookReport,
};
use onepath_server::webhook::verify;
use serde_json::{Value, json};
use tokio::sync::watch;

/// How a prediction stands, in the provider's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Status {
    Starting,
    Processing,
    Succeeded,
    Failed,
    Canceled,
}

impl Status {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Starting, "starting"),
        (Self::Processing, "processing"),
        (Self::Succeeded, "succeeded"),
        (Self::Failed, "failed"),
        (Self::Canceled, "canceled"),
    ];

    pub(in super::super) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).unwrap().1
    }
}

/// One prediction.
#[derive(Debug, Clone)]
pub(in super::super) struct Made {
    pub(in super::super) id: String,
    pub(in super::super) token: String,
    pub(in super::super) webhook: Option<String>,
    pub(in super::super) status: Status,
    pub(in super::super) asked: usize,
}

#[derive(Debug, Default)]
struct State {
    made: Vec<Made>,
    fetched: BTreeMap<String, usize>,
}

/// What a provider may do to a submission.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Habits {
    /// It takes submissions and never answers them.
    pub(in super::super) loses_answers: bool,
    /// It answers only when it is allowed to.
    pub(in super::super) answers_late: bool,
}

/// The provider. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub(in super::super) struct Remote {
    state: Arc<Mutex<State>>,
    secrets: Arc<Vec<Secret>>,
    habits: Habits,
    may_answer: watch::Sender<bool>,
    submitted: watch::Sender<usize>,
}

impl Remote {
    pub(in super::super) const ID: &'static str = "replicate";

    pub(in super::super) fn new(secrets: &[Secret], habits: Habits) -> Self {
        Self {
            state: Arc::default(),
            secrets: Arc::new(secrets.to_vec()),
            habits,
            may_answer: watch::channel(!habits.answers_late).0,
            submitted: watch::channel(0).0,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Every prediction, in the order of submissions.
    pub(in super::super) fn made(&self) -> Vec<Made> {
        self.state().made.clone()
    }

    /// The predictions as soon as there are so many.
    pub(in super::super) async fn when_submitted(&self, count: usize) -> Vec<Made> {
        let mut submitted = self.submitted.subscribe();
        super::super::within("submissions", submitted.wait_for(|seen| *seen >= count))
            .await
            .unwrap();
        self.made()
    }

    /// From now on submissions are answered.
    pub(in super::super) fn answer(&self) {
        self.may_answer.send_replace(true);
    }

    pub(in super::super) fn end(&self, prediction: &str, status: Status) {
        let mut state = self.state();
        state.made.iter_mut().find(|made| made.id == prediction).unwrap().status = status;
    }

    pub(in super::super) fn fetched(&self) -> BTreeMap<String, usize> {
        self.state().fetched.clone()
    }
}

/// A webhook on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Sent {
    pub(in super::super) path: String,
    pub(in super::super) headers: Vec<(&'static str, String)>,
    pub(in super::super) body: Vec<u8>,
}

/// What a provider sends about a prediction, signed.
pub(in super::super) fn signed(
    secret: &Secret,
    path: &str,
    delivery: &str,
    prediction: &str,
    status: Status,
) -> Sent {
    let body = json!({
        "id": prediction, "status": status.word(), "output": format!("https://far.away/{prediction}"),
    });
    let body = body.to_string().into_bytes();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = i64::try_from(now.as_secs()).unwrap();
    let headers = vec![
        (webhook::ID, delivery.to_owned()),
        (webhook::TIMESTAMP, at.to_string()),
        (webhook::SIGNATURE, webhook::sign([secret], delivery, at, &body)),
    ];
    Sent { path: path.to_owned(), headers, body }
}

/// A picture that no other prediction has.
fn picture(prediction: &str) -> Vec<u8> {
    let mut pixels = image::RgbImage::new(8, 8);
    for (pixel, byte) in pixels.pixels_mut().zip(prediction.bytes()) {
        pixel.0 = [byte, byte.wrapping_mul(7), 90];
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[async_trait::async_trait]
impl Provider for Remote {
    fn info(&self) -> &ProviderInfo<'static> {
        providers().iter().find(|info| info.id.as_str() == Self::ID).unwrap()
    }

    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError> {
        let id = {
            let mut state = self.state();
            let id = format!("p{}", state.made.len());
            state.made.push(Made {
                id: id.clone(),
                token: submission.token.clone(),
                webhook: submission.webhook.clone(),
                status: Status::Starting,
                asked: 0,
            });
            id
        };
        self.submitted.send_modify(|count| *count += 1);
        self.may_answer.subscribe().wait_for(|may| *may).await.unwrap();
        if self.habits.loses_answers {
            return Err(SubmitError::Lost("the connection broke".to_owned()));
        }
        Ok(id)
    }

    async fn status(&self, _: &Submission, prediction: &str) -> Result<Standing, NoAnswer> {
        let mut state = self.state();
        let made = state.made.iter_mut().find(|made| made.id == prediction);
        let made = made.ok_or_else(|| NoAnswer::new("404"))?;
        made.asked += 1;
        Ok(match made.status {
            Status::Starting | Status::Processing => Standing::of(ProviderReport::Running),
            Status::Succeeded => Standing::made([format!("https://far.away/{prediction}")]),
            Status::Failed => Standing::failed(ErrorCode::ParamInvalid, "no"),
            Status::Canceled => Standing::of(ProviderReport::Cancelled { charged: false }),
        })
    }

    /// It knows nothing of tokens: only a webhook tells what became of a lost submission.
    async fn find(&self, _: &Submission) -> Result<Found, NoAnswer> {
        Ok(Found::CannotTell)
    }

    fn visibility(&self) -> Duration {
        Duration::ZERO
    }

    async fn cancel(&self, _: &Submission, prediction: &str) -> Result<(), NoAnswer> {
        self.end(prediction, Status::Canceled);
        Ok(())
    }

    async fn fetch(&self, _: &Submission, output: &Output) -> Result<Vec<u8>, NoAnswer> {
        let prediction = output.location.rsplit('/').next().unwrap();
        *self.state().fetched.entry(prediction.to_owned()).or_default() += 1;
        Ok(picture(prediction))
    }

    fn webhook_about(&self, _: &HeaderMap, body: &[u8]) -> Option<String> {
        let body: Value = serde_json::from_slice(body).ok()?;
        body["id"].as_str().map(str::to_owned)
    }

    async fn webhook(&self, delivery: &Delivery<'_>) -> Result<WebhookReport, WebhookRefused> {
        let Delivery { headers, body, now, .. } = *delivery;
        let id = verify::standard(headers, body, &self.secrets, now)?.to_owned();
        let broken = || WebhookRefused::Unreadable("no prediction".to_owned());
        let body: Value = serde_json::from_slice(body).map_err(|_| broken())?;
        let prediction = body["id"].as_str().ok_or_else(broken)?.to_owned();
        let known = Status::ALL.iter().find(|(_, word)| body["status"] == *word);
        let standing = match known {
            Some((Status::Succeeded, _)) => {
                Standing::made([format!("https://far.away/{prediction}")])
            }
            Some(_) => Standing::of(ProviderReport::Running),
            None => Standing::unknown(body["status"].to_string()),
        };
        Ok(WebhookReport { id: Some(id), prediction, standing })
    }
}
