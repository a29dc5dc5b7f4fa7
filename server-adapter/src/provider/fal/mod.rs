//! fal: models of many makers behind one queue.

mod client;
mod params;
mod place;
mod status;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use onepath_core::lifecycle::ErrorCode;
use onepath_core::{GenerateContentRequest, ProviderInfo};
use serde::Deserialize;

use super::account::Secret;
use super::delivery::{Delivery, WebhookRefused, WebhookReport};
use super::keyring::Keyring;
use super::media::{Fetcher, data_url, file_name, hand_over};
use super::models::Models;
use super::params::{Params, Places, read};
use super::port::{
    File, Found, NoAnswer, Output, Provider, Refusal, Standing, Submission, SubmitError,
};
use super::setup::{Adapter, Opened, Opening, Variable, reach};
use super::wire::{Payload, Wire};
use crate::asset::Intake;
use crate::guard::Hosts;
use crate::webhook::verify::Ed25519Key;
use client::{Api, Wishes};
use place::{Queued, request_of};
use status::{Stage, Status};

/// Files that were handed over stay for longer; nobody says for how long.
const KEPT: Duration = Duration::from_secs(45 * 60);

/// Its line in the table of adapters.
pub(crate) const ADAPTER: Adapter = Adapter {
    id: "fal",
    variables: &[
        Variable { name: "FAL_KEY", about: "the key, `id:secret`" },
        Variable { name: "FAL_QUEUE_URL", about: "the queue's address, if not queue.fal.run" },
        Variable {
            name: "FAL_REST_URL",
            about: "the address of storage and of webhooks' keys, if not rest.fal.ai",
        },
    ],
    open,
};

const USUAL: &str = "https://queue.fal.run";

/// Inputs up to this size travel inside the request.
const MOST_INLINE: usize = 1 << 20;

/// The operator's part of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OfFile {
    /// The queue's address.
    url: Option<String>,
    /// The address of storage and of webhooks' keys.
    rest_url: Option<String>,
    /// More models, by their path.
    models: Models,
    /// `normal` or `low`.
    priority: Option<String>,
    /// Seconds until a request must have begun, more than 1.
    start_seconds: Option<u32>,
    /// Seconds for which fal keeps what it made.
    keep_seconds: Option<u32>,
}

fn open(opening: &Opening<'_>) -> Opened {
    let part: Option<OfFile> = opening.part()?;
    let key = opening.variable("FAL_KEY");
    if part.is_none() && key.is_none() {
        return Ok(None);
    }
    let part = part.unwrap_or_default();
    if part.priority.as_deref().is_some_and(|word| !matches!(word, "normal" | "low")) {
        return Err(opening.fail("`priority` is `normal` or `low`"));
    }
    if part.start_seconds.is_some_and(|seconds| seconds < 2) {
        return Err(opening.fail("`start_seconds` is more than 1"));
    }
    let built_in = Models::read(include_str!("models.json"));
    let built_in = built_in.map_err(|error| opening.fail(error.to_string()))?;
    let fetcher = Fetcher {
        wire: opening.wire.clone(),
        guard: opening.guard.clone(),
        hosts: Hosts::new(["fal.media", "*.fal.media"]),
    };
    Ok(Some(Arc::new(Fal {
        wire: opening.wire.clone(),
        base: opening.address(part.url, "FAL_QUEUE_URL", USUAL)?,
        rest: opening.address(part.rest_url, "FAL_REST_URL", "https://rest.fal.ai")?,
        key,
        models: built_in.with(part.models),
        info: super::declared("fal").ok_or_else(|| opening.fail("it is not declared"))?,
        wishes: Wishes {
            priority: part.priority,
            start_seconds: part.start_seconds,
            keep_seconds: part.keep_seconds,
        },
        fetcher,
        keys: Keyring::default(),
    })))
}

/// The provider `fal`.
#[derive(Debug)]
struct Fal {
    wire: Wire,
    base: String,
    rest: String,
    key: Option<Secret>,
    models: Models,
    info: &'static ProviderInfo<'static>,
    wishes: Wishes,
    fetcher: Fetcher,
    keys: Keyring<Ed25519Key>,
}

impl Fal {
    fn api(&self, submission: &Submission) -> Api {
        let account = submission.account.as_ref();
        let (base, key) = reach(account, &self.base, self.key.as_ref());
        Api { base: base.to_owned(), rest: self.rest.clone(), key: key.cloned() }
    }

    /// Where the submission's files lie for fal.
    async fn places(&self, submission: &Submission) -> Result<Places, SubmitError> {
        let mut places = Places::new();
        for (reference, file) in &submission.files {
            let place = if file.bytes.len() <= MOST_INLINE {
                data_url(file)
            } else {
                hand_over(self, submission, reference, file).await?
            };
            places.put(reference, place);
        }
        Ok(places)
    }
}

#[async_trait]
impl Provider for Fal {
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
        let request = read(&submission.request)?;
        let places = self.places(submission).await?;
        let params = self.params(&request, &places)?;
        let api = self.api(submission);
        // fal calls https only; what stands in for it may be called otherwise.
        let called = |url: &&str| url.starts_with("https://") || self.base != USUAL;
        let webhook = submission.webhook.as_deref().filter(called);
        let ask = api.create(&params.path, &params.body, webhook, &self.wishes);
        let answer = self.wire.send(ask).await?;
        if !answer.status.is_success() {
            return Err(answer.not_taken());
        }
        let queued: Option<Queued> = answer.json();
        let place = queued.and_then(|queued| queued.place(&api.base, &params.path));
        // It was taken, whatever the answer says.
        place.ok_or_else(|| SubmitError::Lost(format!("{}, and no id in it", answer.seen())))
    }

    async fn status(
        &self,
        submission: &Submission,
        prediction: &str,
    ) -> Result<Standing, NoAnswer> {
        if request_of(prediction).is_none() {
            return Ok(Standing::unknown("this is no place of a request"));
        }
        let api = self.api(submission);
        let answer = self.wire.send(api.status(prediction)).await?;
        let told: Option<Status> = answer.json().filter(|_| answer.status.is_success());
        match status::stage(&told.ok_or_else(|| answer.no_answer())?) {
            Stage::Is(standing) => Ok(*standing),
            Stage::Done => status::result(&self.wire.send(api.result(prediction)).await?),
        }
    }

    /// The queue knows no token of ours: only a webhook tells what became of a lost submission.
    async fn find(&self, _: &Submission) -> Result<Found, NoAnswer> {
        Ok(Found::CannotTell)
    }

    fn visibility(&self) -> Duration {
        Duration::ZERO
    }

    fn keeps_uploads(&self) -> Option<Duration> {
        Some(KEPT)
    }

    async fn cancel(&self, submission: &Submission, prediction: &str) -> Result<(), NoAnswer> {
        if request_of(prediction).is_none() {
            return Ok(());
        }
        let answer = self.wire.send(self.api(submission).cancel(prediction)).await?;
        // One that is over cannot be stopped, and one that is not there need not be.
        let done = answer.status.is_success() || matches!(answer.status.as_u16(), 400 | 404);
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
        struct Initiated {
            upload_url: String,
            file_url: String,
        }
        // A file costs nothing: one that was lost is handed over again.
        let gone = |detail: String| Refusal::new(ErrorCode::ProviderUnavailable, detail);
        let api = self.api(submission);
        let name = file_name(file);
        let answer = self.wire.send(api.initiate(&name, &file.media_type)).await;
        let answer = answer.map_err(|error| gone(error.to_string()))?;
        if !answer.status.is_success() {
            return Err(match answer.not_taken() {
                SubmitError::Lost(detail) => gone(detail).into(),
                refused @ SubmitError::Refused(_) => refused,
            });
        }
        let place: Initiated = answer.json().ok_or_else(|| gone(answer.seen()))?;
        let payload = Payload { content_type: file.media_type.clone(), bytes: file.bytes.to_vec() };
        let put = self.wire.send(Api::put(&place.upload_url, payload)).await;
        let put = put.map_err(|error| gone(error.to_string()))?;
        if !put.status.is_success() {
            return Err(gone(put.seen()).into());
        }
        Ok(place.file_url)
    }

    fn webhook_about(&self, _: &HeaderMap, _: &[u8]) -> Option<String> {
        // A webhook without a token names a request and not where it lies.
        None
    }

    async fn webhook(&self, delivery: &Delivery<'_>) -> Result<WebhookReport, WebhookRefused> {
        webhook::read_report(self, delivery).await
    }
}
