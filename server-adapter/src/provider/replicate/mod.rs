//! Replicate: models of many makers behind one API of predictions.

mod client;
mod params;
mod status;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use onepath_core::lifecycle::ErrorCode;
use onepath_core::{GenerateContentRequest, ProviderInfo};
use serde::Deserialize;
use serde_json::Value;

use super::account::Secret;
use super::delivery::{Delivery, WebhookRefused, WebhookReport};
use super::keyring::Keyring;
use super::media::{Fetcher, Part, data_url, form, hand_over};
use super::models::Models;
use super::params::{Params, Places, read};
use super::port::{
    File, Found, NoAnswer, Output, Provider, Refusal, Standing, Submission, SubmitError,
};
use super::setup::{Adapter, Opened, Opening, Variable, reach};
use super::wire::Wire;
use crate::asset::Intake;
use crate::guard::Hosts;
use client::Api;
use status::{Page, Prediction};

/// Its line in the table of adapters.
pub(crate) const ADAPTER: Adapter = Adapter {
    id: "replicate",
    variables: &[
        Variable { name: "REPLICATE_API_TOKEN", about: "the token" },
        Variable { name: "REPLICATE_API_URL", about: "the address, if not api.replicate.com/v1" },
        Variable {
            name: "REPLICATE_WEBHOOK_SECRET",
            about: "the secret of webhooks, if it is not to be asked for; several with blanks between",
        },
    ],
    open,
};

const USUAL: &str = "https://api.replicate.com/v1";

/// Inputs up to this size travel inside the request.
const MOST_INLINE: usize = 256 << 10;

/// Files that were handed over are removed an hour after the prediction that used them.
const KEPT: Duration = Duration::from_secs(45 * 60);

/// Pages of a list that are looked through for a lost submission.
const MOST_PAGES: usize = 20;

/// How far the clocks of server and provider may be apart.
const CLOCKS: i64 = 60_000;

/// The operator's part of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OfFile {
    /// The address.
    url: Option<String>,
    /// More models, by `owner/name`.
    models: Models,
    /// Whether large inputs are read from this server, by URLs that hold for a few minutes, instead
    /// of being handed over.
    input_urls: bool,
    /// Seconds after which a prediction that is not listed was not made.
    visibility_seconds: Option<u64>,
}

fn open(opening: &Opening<'_>) -> Opened {
    let part: Option<OfFile> = opening.part()?;
    let token = opening.variable("REPLICATE_API_TOKEN");
    if part.is_none() && token.is_none() {
        return Ok(None);
    }
    let part = part.unwrap_or_default();
    let fail = |error: &dyn std::fmt::Display| opening.fail(error.to_string());
    let built_in = Models::read(include_str!("models.json")).map_err(|error| fail(&error))?;
    let fetcher = Fetcher {
        wire: opening.wire.clone(),
        guard: opening.guard.clone(),
        hosts: Hosts::new(["replicate.delivery", "*.replicate.delivery", "api.replicate.com"]),
    };
    let secrets = opening.variable("REPLICATE_WEBHOOK_SECRET");
    let secrets = secrets.as_ref().map_or("", |text| text.expose()).split_whitespace();
    let secrets = secrets.map(onepath_webhook::Secret::parse).collect::<Result<_, _>>();
    let secrets =
        secrets.map_err(|error| opening.fail(format!("REPLICATE_WEBHOOK_SECRET: {error}")))?;
    let provider = Replicate {
        wire: opening.wire.clone(),
        base: opening.address(part.url, "REPLICATE_API_URL", USUAL)?,
        token,
        models: built_in.with(part.models),
        info: super::declared("replicate").ok_or_else(|| opening.fail("it is not declared"))?,
        visibility: Duration::from_secs(part.visibility_seconds.unwrap_or(60)),
        input_urls: part.input_urls,
        fetcher,
        secrets,
        keys: Keyring::default(),
    };
    Ok(Some(Arc::new(provider)))
}

/// The provider `replicate`.
#[derive(Debug)]
struct Replicate {
    wire: Wire,
    base: String,
    token: Option<Secret>,
    models: Models,
    info: &'static ProviderInfo<'static>,
    visibility: Duration,
    input_urls: bool,
    fetcher: Fetcher,
    /// The secrets of webhooks, if the operator has told them.
    secrets: Vec<onepath_webhook::Secret>,
    /// Those that Replicate tells, by account.
    keys: Keyring<onepath_webhook::Secret>,
}

impl Replicate {
    fn api(&self, submission: &Submission) -> Api {
        let account = submission.account.as_ref();
        let (base, token) = reach(account, &self.base, self.token.as_ref());
        Api { base: base.to_owned(), token: token.cloned() }
    }

    /// The body of a submission, with the inputs at these places and the URL of webhooks.
    fn body(&self, submission: &Submission, places: &Places) -> Result<Params, Refusal> {
        let request = read(&submission.request)?;
        let mut params = self.params(&request, places)?;
        let webhook = submission.webhook.as_deref();
        // Replicate calls https only; what stands in for it may be called otherwise.
        let called = |url: &&str| url.starts_with("https://") || self.base != USUAL;
        if let (Some(body), Some(url)) = (params.body.as_object_mut(), webhook.filter(called)) {
            body.insert("webhook".to_owned(), url.into());
            body.insert("webhook_events_filter".to_owned(), Value::from(["completed"].as_slice()));
        }
        Ok(params)
    }

    /// Where the submission's files lie for Replicate.
    async fn places(&self, submission: &Submission) -> Result<Places, SubmitError> {
        let mut places = Places::new();
        for (reference, file) in &submission.files {
            let url = submission.urls.get(reference).filter(|_| self.input_urls);
            let place = match url {
                _ if file.bytes.len() <= MOST_INLINE => data_url(file),
                Some(url) => url.clone(),
                None => hand_over(self, submission, reference, file).await?,
            };
            places.put(reference, place);
        }
        Ok(places)
    }
}

/// Whether a text is an id of Replicate's, so that it may stand in a path.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[async_trait]
impl Provider for Replicate {
    fn info(&self) -> &ProviderInfo<'static> {
        self.info
    }

    fn params(
        &self,
        request: &GenerateContentRequest<'_>,
        places: &Places,
    ) -> Result<Params, Refusal> {
        params::params(request, places, &self.models, self.info)
    }

    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError> {
        let places = self.places(submission).await?;
        let params = self.body(submission, &places)?;
        let answer =
            self.wire.send(self.api(submission).create(&params.path, &params.body)).await?;
        if !answer.status.is_success() {
            return Err(answer.not_taken());
        }
        let created: Option<Prediction> = answer.json();
        let id = created.and_then(|created| created.id).filter(|id| is_id(id));
        // It was taken, whatever the answer says.
        id.ok_or_else(|| SubmitError::Lost(format!("{}, and no id in it", answer.seen())))
    }

    async fn status(
        &self,
        submission: &Submission,
        prediction: &str,
    ) -> Result<Standing, NoAnswer> {
        if !is_id(prediction) {
            return Ok(Standing::unknown("this is no id of a prediction"));
        }
        let answer = self.wire.send(self.api(submission).get(prediction)).await?;
        if answer.status == 404 {
            return Ok(Standing::failed(ErrorCode::ProviderGeneric, answer.words()));
        }
        if !answer.status.is_success() {
            return Err(answer.no_answer());
        }
        match answer.json::<Prediction>() {
            Some(told) if told.id.as_deref() == Some(prediction) => Ok(status::standing(&told)),
            _ => Err(NoAnswer::new(format!("{}, and not the prediction", answer.seen()))),
        }
    }

    async fn find(&self, submission: &Submission) -> Result<Found, NoAnswer> {
        let api = self.api(submission);
        // What could not be made could not be sent.
        let Ok(request) = read(&submission.request) else { return Ok(Found::NotThere) };
        let places = Places::anywhere(&request, ANYTHING);
        let Ok(wanted) = self.params(&request, &places) else { return Ok(Found::NotThere) };
        let since = submission.submitted_at - CLOCKS;
        let mut alike = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let ask = api.list(next.as_deref());
            let ask = ask.ok_or_else(|| NoAnswer::new("the list goes on elsewhere"))?;
            let answer = self.wire.send(ask).await?;
            let page: Option<Page> = answer.json().filter(|_| answer.status.is_success());
            let page = page.ok_or_else(|| answer.no_answer())?;
            for listed in page.results {
                let at = listed.created_at.as_deref().unwrap_or_default();
                let at = at.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond);
                if at.is_ok_and(|at| at < since) {
                    return Ok(seen(alike));
                }
                let Some(id) = listed.id.filter(|id| is_id(id)) else { continue };
                match (&listed.webhook, &submission.webhook) {
                    (Some(theirs), Some(ours)) if theirs == ours => {
                        return Ok(Found::Prediction(id));
                    }
                    (Some(_), _) => {}
                    (None, _) => {
                        let input = wanted.body.get("input").unwrap_or(&Value::Null);
                        if listed.input.as_ref().is_some_and(|theirs| is_alike(input, theirs)) {
                            alike.push(id);
                        }
                    }
                }
            }
            match page.next {
                Some(more) => next = Some(more),
                None => return Ok(seen(alike)),
            }
        }
        Ok(Found::CannotTell)
    }

    fn visibility(&self) -> Duration {
        self.visibility
    }

    fn keeps_uploads(&self) -> Option<Duration> {
        Some(KEPT)
    }

    async fn cancel(&self, submission: &Submission, prediction: &str) -> Result<(), NoAnswer> {
        if !is_id(prediction) {
            return Ok(());
        }
        let answer = self.wire.send(self.api(submission).cancel(prediction)).await?;
        // One that is over cannot be stopped, and one that is not there need not be.
        let done = answer.status.is_success() || matches!(answer.status.as_u16(), 404 | 409 | 422);
        if done { Ok(()) } else { Err(answer.no_answer()) }
    }

    async fn fetch(&self, submission: &Submission, output: &Output) -> Result<Vec<u8>, NoAnswer> {
        let api = self.api(submission);
        self.fetcher.fetch(&output.location, &api.base, |url| api.file(url)).await
    }

    async fn fetch_into(
        &self,
        submission: &Submission,
        output: &Output,
        intake: &mut Intake,
    ) -> Result<(), NoAnswer> {
        let api = self.api(submission);
        self.fetcher.fetch_into(&output.location, &api.base, |url| api.file(url), intake).await
    }

    async fn upload(&self, submission: &Submission, file: &File) -> Result<String, SubmitError> {
        #[derive(Deserialize)]
        struct Uploaded {
            urls: Urls,
        }
        #[derive(Deserialize)]
        struct Urls {
            get: String,
        }
        let parts = [
            ("type".to_owned(), Part::Text(file.media_type.clone())),
            ("content".to_owned(), Part::File(file)),
        ];
        let sent = self.wire.send(self.api(submission).upload(form(&parts))).await;
        // A file costs nothing: one that was lost is handed over again.
        let gone = |detail: String| Refusal::new(ErrorCode::ProviderUnavailable, detail);
        let answer = sent.map_err(|error| gone(error.to_string()))?;
        if !answer.status.is_success() {
            return Err(match answer.not_taken() {
                SubmitError::Lost(detail) => gone(detail).into(),
                refused @ SubmitError::Refused(_) => refused,
            });
        }
        let uploaded: Option<Uploaded> = answer.json();
        uploaded.map(|file| file.urls.get).ok_or_else(|| gone(answer.words()).into())
    }

    fn webhook_about(&self, _: &HeaderMap, body: &[u8]) -> Option<String> {
        webhook::about(body)
    }

    async fn webhook(&self, delivery: &Delivery<'_>) -> Result<WebhookReport, WebhookRefused> {
        webhook::read_report(self, delivery).await
    }
}

/// Stands for a file whose place is not known any more.
const ANYTHING: &str = "\0";

/// Whether an input is the one that was sent: the same members, and any text where a file was.
fn is_alike(sent: &Value, listed: &Value) -> bool {
    match (sent, listed) {
        (Value::String(text), Value::String(_)) if text == ANYTHING => true,
        (Value::Array(sent), Value::Array(listed)) => {
            sent.len() == listed.len() && sent.iter().zip(listed).all(|(a, b)| is_alike(a, b))
        }
        (Value::Object(sent), Value::Object(listed)) => {
            sent.len() == listed.len()
                && sent.iter().all(|(name, value)| {
                    listed.get(name).is_some_and(|listed| is_alike(value, listed))
                })
        }
        (sent, listed) => sent == listed,
    }
}

fn seen(alike: Vec<String>) -> Found {
    if alike.is_empty() { Found::NotThere } else { Found::Alike(alike) }
}
