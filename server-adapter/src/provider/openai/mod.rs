//! OpenAI's images API: pictures from a text, or from pictures and a text.
//!
//! The API answers when a picture is made, and with the picture itself: there is nothing to ask
//! about, nothing to stop, and no way to find an answer that was lost. What an answer holds is kept
//! at once, under an id that is made of the attempt's token; only an answer that never arrived is
//! unknown.

mod client;
mod params;
mod status;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use onepath_core::lifecycle::ErrorCode;
use onepath_core::{GenerateContentRequest, ProviderInfo};
use serde::Deserialize;
use serde_json::Value;

use super::account::Secret;
use super::media::{Fetcher, Part, form, gather};
use super::params::{Params, Places, invalid, read};
use super::port::{Found, NoAnswer, Output, Provider, Refusal, Standing, Submission, SubmitError};
use super::setup::{Adapter, Opened, Opening, Variable, reach};
use super::shelf::Shelf;
use super::wire::{Ask, Wire};
use crate::guard::{Guard, Hosts};
use client::Api;
use status::Kept;

/// Its line in the table of adapters.
pub(crate) const ADAPTER: Adapter = Adapter {
    id: "openai",
    variables: &[
        Variable { name: "OPENAI_API_KEY", about: "the key" },
        Variable { name: "OPENAI_BASE_URL", about: "the address, if not api.openai.com/v1" },
    ],
    open,
};

const USUAL: &str = "https://api.openai.com/v1";

/// Where pictures lie that come as URLs.
const HOSTS: &[&str] = &["oaidalleapiprodscus.blob.core.windows.net"];

/// The operator's part of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OfFile {
    /// The address.
    url: Option<String>,
    /// How long a picture may take, in seconds.
    patience_seconds: Option<u64>,
    /// More hosts at which pictures lie that come as URLs: of others that speak the same API.
    output_hosts: Vec<String>,
}

fn open(opening: &Opening<'_>) -> Opened {
    let part: Option<OfFile> = opening.part()?;
    let key = opening.variable("OPENAI_API_KEY");
    if part.is_none() && key.is_none() {
        return Ok(None);
    }
    let part = part.unwrap_or_default();
    let hosts = HOSTS.iter().map(|host| (*host).to_owned()).chain(part.output_hosts);
    let provider = OpenAi {
        wire: opening.wire.clone(),
        guard: opening.guard.clone(),
        base: opening.address(part.url, "OPENAI_BASE_URL", USUAL)?,
        key,
        patience: Duration::from_secs(part.patience_seconds.unwrap_or(540)),
        shelf: Shelf::new(opening.blobs.clone(), "openai"),
        fetcher: Fetcher {
            wire: opening.wire.clone(),
            guard: opening.guard.clone(),
            hosts: Hosts::new(hosts),
        },
        info: super::declared("openai").ok_or_else(|| opening.fail("it is not declared"))?,
    };
    Ok(Some(Arc::new(provider)))
}

/// The provider `openai`.
#[derive(Debug)]
struct OpenAi {
    wire: Wire,
    guard: Guard,
    base: String,
    key: Option<Secret>,
    patience: Duration,
    shelf: Shelf,
    fetcher: Fetcher,
    info: &'static ProviderInfo<'static>,
}

impl OpenAi {
    fn api(&self, submission: &Submission) -> Api {
        let account = submission.account.as_ref();
        let (base, key) = reach(account, &self.base, self.key.as_ref());
        Api { base: base.to_owned(), key: key.cloned(), patience: self.patience }
    }

    /// The call of a request, with its files.
    async fn call(&self, submission: &Submission, params: &Params) -> Result<Ask, Refusal> {
        let api = self.api(submission);
        if params.files.is_empty() {
            return Ok(api.generate(&params.path, &params.body));
        }
        let request = read(&submission.request)?;
        let files = gather(&self.guard, &request, submission).await?;
        let mut parts = Vec::new();
        for (name, value) in params.body.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            parts.push((name.clone(), Part::Text(text)));
        }
        for field in &params.files {
            let reference = &field.reference;
            let file = files.get(reference);
            let file = file
                .ok_or_else(|| invalid(format!("the input `{reference}` cannot be handed over")))?;
            parts.push((field.name.clone(), Part::File(file)));
        }
        Ok(api.edit(&params.path, form(&parts)))
    }
}

#[async_trait]
impl Provider for OpenAi {
    fn info(&self) -> &ProviderInfo<'static> {
        self.info
    }

    fn params(&self, request: &GenerateContentRequest<'_>, _: &Places) -> Result<Params, Refusal> {
        params::params(request, self.info)
    }

    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError> {
        let request = read(&submission.request)?;
        let params = params::params(&request, self.info)?;
        let call = self.call(submission, &params).await?;
        let answer = self.wire.send(call).await?;
        if !answer.status.is_success() {
            return Err(status::refused(&answer));
        }
        let model = params.body.get("model").and_then(Value::as_str).unwrap_or_default();
        let told: Option<Value> = answer.json();
        let Some((kept, files)) = told.and_then(|told| status::made(&told, model)) else {
            return Err(SubmitError::Lost(format!("{}, and no pictures", answer.seen())));
        };
        let prediction = self.shelf.prediction(&submission.token);
        let put = self.shelf.put(&prediction, files, &kept).await;
        // It is made and paid for, and was not kept.
        put.map_err(|error| SubmitError::Lost(error.to_string()))?;
        Ok(prediction)
    }

    async fn status(&self, _: &Submission, prediction: &str) -> Result<Standing, NoAnswer> {
        if !Shelf::is_prediction(prediction) {
            return Ok(Standing::unknown("this is no id of an answer"));
        }
        let kept: Option<Kept> = self.shelf.told(prediction).await?;
        let gone =
            || Standing::failed(ErrorCode::ProviderGeneric, "the answer is not kept any more");
        Ok(kept.map_or_else(gone, |kept| kept.standing(prediction)))
    }

    async fn find(&self, submission: &Submission) -> Result<Found, NoAnswer> {
        let prediction = self.shelf.prediction(&submission.token);
        let kept: Option<Kept> = self.shelf.told(&prediction).await?;
        Ok(if kept.is_some() { Found::Prediction(prediction) } else { Found::CannotTell })
    }

    fn visibility(&self) -> Duration {
        Duration::ZERO
    }

    async fn cancel(&self, _: &Submission, _: &str) -> Result<(), NoAnswer> {
        // It was made before anybody knew its id.
        Ok(())
    }

    async fn fetch(&self, submission: &Submission, output: &Output) -> Result<Vec<u8>, NoAnswer> {
        let location = output.location.as_str();
        let Some(kept) = location.strip_prefix("kept/") else {
            let base = self.api(submission).base;
            return self.fetcher.fetch(location, &base, |url| Ask::get(url.to_owned())).await;
        };
        let nowhere = || NoAnswer::new("the place of an output is none of ours");
        let (prediction, number) = kept.split_once('/').ok_or_else(nowhere)?;
        let number = number.parse().map_err(|_| nowhere())?;
        if !Shelf::is_prediction(prediction) {
            return Err(nowhere());
        }
        Ok(self.shelf.file(prediction, number).await?.into())
    }

    async fn settled(&self, _: &Submission, prediction: &str) {
        if let Ok(Some(kept)) = self.shelf.told::<Kept>(prediction).await {
            self.shelf.clear(prediction, kept.files()).await;
        }
    }

    fn takes_webhooks(&self) -> bool {
        false
    }
}
