//! The provider `studio`: a service of one's own that draws pictures, over HTTP.
//!
//! `PUT /jobs/{token}` draws, once however often it is sent; `GET` says how it stands, `DELETE` stops
//! it, and `GET /jobs/{token}/picture` is what was drawn.

use std::time::Duration;

use async_trait::async_trait;
use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_core::{GenerateContentRequest, ProviderInfo, decode};
use onepath_server::provider::{
    Found, NoAnswer, Output, Params, Places, Provider, Refusal, Standing, Submission, SubmitError,
};
use serde_json::{Value, json};

/// The provider.
#[derive(Debug)]
pub(crate) struct Studio {
    address: String,
    info: ProviderInfo<'static>,
    http: reqwest::Client,
}

impl Studio {
    /// At an address such as `http://studio.internal:8080`.
    ///
    /// # Errors
    ///
    /// What it declares about itself cannot be read.
    pub(crate) fn at(address: &str) -> Result<Self, String> {
        let info = decode(include_str!("info.json")).into_result();
        let info = info.map_err(|error| error.to_string())?;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build();
        let http = http.map_err(|error| error.to_string())?;
        Ok(Self { address: address.trim_end_matches('/').to_owned(), info, http })
    }

    fn job(&self, token: &str) -> String {
        format!("{}/jobs/{token}", self.address)
    }

    /// A question, and the status and bytes of its answer.
    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>), NoAnswer> {
        let failed = |error: reqwest::Error| NoAnswer::new(error.without_url().to_string());
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        Ok((status, answer.bytes().await.map_err(failed)?.to_vec()))
    }
}

/// What a status means that is no success.
fn code_of(status: u16) -> ErrorCode {
    match status {
        400..=499 if status != 429 => ErrorCode::ParamInvalid,
        429 => ErrorCode::ProviderRateLimit,
        _ => ErrorCode::ProviderUnavailable,
    }
}

#[async_trait]
impl Provider for Studio {
    fn info(&self) -> &ProviderInfo<'static> {
        &self.info
    }

    /// Pure: the same request is the same body.
    fn params(&self, request: &GenerateContentRequest<'_>, _: &Places) -> Result<Params, Refusal> {
        let settings = request.provider_settings.as_ref();
        let ink = settings.and_then(|settings| settings.get("ink")?.as_text());
        let seed = request.seed.as_ref().map(|seed| seed.as_str());
        let body = json!({ "prompt": request.prompt, "ink": ink, "seed": seed });
        Ok(Params { path: "/jobs".to_owned(), body, files: Vec::new() })
    }

    /// A refusal only where the studio says no or was never reached: of everything else nobody
    /// knows whether it arrived.
    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError> {
        let request = decode(&submission.request).into_result();
        let request =
            request.map_err(|error| Refusal::new(ErrorCode::ParamInvalid, error.to_string()))?;
        let body = self.params(&request, &Places::new())?.body.to_string();
        let sent = self.http.put(self.job(&submission.token)).body(body).send().await;
        match sent.map(|answer| answer.status().as_u16()) {
            Ok(200..=299) => Ok(submission.token.clone()),
            Ok(status @ 400..=499) => {
                Err(Refusal::new(code_of(status), format!("{status}")).into())
            }
            Err(error) if error.is_connect() => {
                Err(Refusal::new(ErrorCode::ProviderUnavailable, "it was not reached").into())
            }
            Ok(_) | Err(_) => Err(SubmitError::Lost("the studio did not say".to_owned())),
        }
    }

    /// Total: every word of the studio's, and every other one.
    async fn status(&self, _: &Submission, prediction: &str) -> Result<Standing, NoAnswer> {
        let (status, body) = self.ask(self.http.get(self.job(prediction))).await?;
        let told: Value = serde_json::from_slice(&body).unwrap_or_default();
        let word = told.get("state").and_then(Value::as_str).unwrap_or_default();
        Ok(match (status, word) {
            (404, _) => Standing::failed(ErrorCode::ProviderGeneric, "the studio lost it"),
            (200, "drawing") => Standing::of(ProviderReport::Running),
            (200, "drawn") => Standing::made([format!("{}/picture", self.job(prediction))]),
            (200, "stopped") => Standing::of(ProviderReport::Cancelled { charged: false }),
            (200, "spoiled") => Standing::failed(ErrorCode::ProviderGeneric, "it was spoiled"),
            (200, other) => Standing::unknown(other),
            _ => return Err(NoAnswer::new(format!("an answer with {status}"))),
        })
    }

    /// The studio knows our tokens: what was lost is found again, and sent again if it is not there.
    async fn find(&self, submission: &Submission) -> Result<Found, NoAnswer> {
        let (status, _) = self.ask(self.http.get(self.job(&submission.token))).await?;
        match status {
            200 => Ok(Found::Prediction(submission.token.clone())),
            404 => Ok(Found::NotThere),
            _ => Err(NoAnswer::new(format!("an answer with {status}"))),
        }
    }

    /// What it took it knows at once.
    fn visibility(&self) -> Duration {
        Duration::ZERO
    }

    async fn cancel(&self, _: &Submission, prediction: &str) -> Result<(), NoAnswer> {
        self.ask(self.http.delete(self.job(prediction))).await.map(|_| ())
    }

    async fn fetch(&self, _: &Submission, output: &Output) -> Result<Vec<u8>, NoAnswer> {
        // Only what it said itself lies there; another address is not asked.
        if !output.location.starts_with(&format!("{}/jobs/", self.address)) {
            return Err(NoAnswer::new("an output lies elsewhere"));
        }
        match self.ask(self.http.get(&output.location)).await? {
            (200, bytes) => Ok(bytes),
            (status, _) => Err(NoAnswer::new(format!("an answer with {status}"))),
        }
    }

    /// It reports nothing.
    fn takes_webhooks(&self) -> bool {
        false
    }
}
