//! The server's side of the scripted provider.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_core::{ProviderInfo, decode};
use onepath_server::provider::{
    Found, NoAnswer, Output, Provider, Refusal, Standing, Submission, SubmitError,
};
use serde_json::{Value, json};

use crate::Fallible;

/// What it declares.
static INFO: LazyLock<Option<ProviderInfo<'static>>> = LazyLock::new(|| {
    decode(
        r#"{
        "id": "fake", "revision": "1", "operations": ["text_to_image", "image_to_image"],
        "parameters": [{"name": "script", "type": "text"}], "defaults": {}
    }"#,
    )
    .value
});

/// The provider `fake`: `style.fake.script` of a request says what becomes of its submissions.
#[derive(Debug)]
pub struct Scripted {
    http: reqwest::Client,
    address: String,
    visibility: Duration,
    info: &'static ProviderInfo<'static>,
}

impl Scripted {
    /// At an address. It waits for an answer no longer than `patience`, and believes that a token
    /// is not known when it has asked so long after the submission.
    ///
    /// # Errors
    ///
    /// There is no HTTP client.
    pub fn new(address: &str, patience: Duration, visibility: Duration) -> Fallible<Self> {
        let http = reqwest::Client::builder().timeout(patience).no_proxy().build();
        let http = http.map_err(|error| error.to_string())?;
        let info = INFO.as_ref().ok_or("the scripted provider's description is broken")?;
        Ok(Self { http, address: address.to_owned(), visibility, info })
    }

    async fn ask(&self, path: &str) -> Result<(u16, Value), NoAnswer> {
        let url = format!("http://{}{path}", self.address);
        let lost = |error: reqwest::Error| NoAnswer::new(error.to_string());
        let response = self.http.get(url).send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(lost)?;
        let body = serde_json::from_slice(&bytes);
        Ok((status, body.map_err(|error| NoAnswer::new(error.to_string()))?))
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn refused(code: ErrorCode, detail: impl Into<String>) -> SubmitError {
    Refusal::new(code, detail).into()
}

fn code(body: &Value) -> ErrorCode {
    ErrorCode::parse(text(body, "code")).unwrap_or(ErrorCode::ProviderGeneric)
}

#[async_trait]
impl Provider for Scripted {
    fn info(&self) -> &ProviderInfo<'static> {
        self.info
    }

    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError> {
        let request: Value = serde_json::from_str(&submission.request)
            .map_err(|error| refused(ErrorCode::ParamInvalid, error.to_string()))?;
        let script = request.get("provider_settings").map_or("", |own| text(own, "script"));
        let body = json!({
            "token": submission.token, "request_hash": submission.request_hash, "script": script,
        });
        let url = format!("http://{}/predictions", self.address);
        let sent = self.http.post(url).body(body.to_string()).send().await;
        let response = sent.map_err(|error| {
            if error.is_connect() {
                refused(ErrorCode::ProviderUnavailable, error.to_string())
            } else {
                SubmitError::Lost(error.to_string())
            }
        })?;
        let status = response.status().as_u16();
        let lost = |error: reqwest::Error| SubmitError::Lost(error.to_string());
        let bytes = response.bytes().await.map_err(lost)?;
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        match status {
            200..300 if !text(&body, "id").is_empty() => Ok(text(&body, "id").to_owned()),
            429 => Err(SubmitError::Refused(Refusal {
                retry_after: Some(Duration::ZERO),
                ..Refusal::new(ErrorCode::ProviderRateLimit, body.to_string())
            })),
            422 => Err(refused(code(&body), body.to_string())),
            503 => Err(refused(ErrorCode::ProviderUnavailable, body.to_string())),
            _ => Err(SubmitError::Lost(format!("{status} {body}"))),
        }
    }

    async fn status(&self, _: &Submission, prediction: &str) -> Result<Standing, NoAnswer> {
        let (status, body) = self.ask(&format!("/predictions/{prediction}")).await?;
        if status != 200 || text(&body, "id") != prediction {
            return Err(NoAnswer::new(format!("{status} {body}")));
        }
        let outputs = body.get("output").and_then(Value::as_array).into_iter().flatten();
        let outputs = outputs.filter_map(|one| one.as_str().map(str::to_owned));
        Ok(match text(&body, "status") {
            "queued" | "running" => Standing::of(ProviderReport::Running),
            "succeeded" => Standing::made(outputs),
            "failed" => Standing::failed(code(&body), body.to_string()),
            // It charges when it takes a submission.
            "cancelled" => Standing::of(ProviderReport::Cancelled { charged: true }),
            other => Standing::unknown(other),
        })
    }

    async fn find(&self, submission: &Submission) -> Result<Found, NoAnswer> {
        match self.ask(&format!("/tokens/{}", submission.token)).await? {
            (200, body) => Ok(Found::Prediction(text(&body, "id").to_owned())),
            (404, _) => Ok(Found::NotThere),
            (status, body) => Err(NoAnswer::new(format!("{status} {body}"))),
        }
    }

    async fn cancel(&self, _: &Submission, prediction: &str) -> Result<(), NoAnswer> {
        let url = format!("http://{}/predictions/{prediction}/cancel", self.address);
        let sent = self.http.post(url).send().await.and_then(reqwest::Response::error_for_status);
        sent.map(drop).map_err(|error| NoAnswer::new(error.to_string()))
    }

    async fn fetch(&self, _: &Submission, output: &Output) -> Result<Vec<u8>, NoAnswer> {
        let lost = |error: reqwest::Error| NoAnswer::new(error.to_string());
        let url = format!("http://{}{}", self.address, output.location);
        let response = self.http.get(url).send().await.map_err(lost)?;
        let bytes = response.error_for_status().map_err(lost)?.bytes().await.map_err(lost)?;
        Ok(bytes.to_vec())
    }

    fn visibility(&self) -> Duration {
        self.visibility
    }
}
