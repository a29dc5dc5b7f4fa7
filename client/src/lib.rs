#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod patience;
mod prompts;
pub mod webhook;
mod wire;

use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;

use patience::{Patience, poll_pause};
pub use prompts::{
    NewPromptVersion, Piece, PromptArm, PromptDiff, PromptFamily, PromptPage, PromptSplit,
    PromptTerms, PromptUsage, PromptVariable, PromptVersion, RenderedPrompt, VariableDiff,
    VersionName, VersionUsage,
};
pub use wire::{Asset, Created, Estimate, Fault, Generation, Page, Preflight, ProblemDocument};

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address of the server or its key cannot be used.
    #[error("{0}")]
    Setup(String),
    /// The server was not reached.
    #[error("{server} was not reached: {detail}")]
    Unreachable {
        /// Where it should be.
        server: String,
        /// Why.
        detail: String,
    },
    /// The server answered with a problem document.
    #[error("{0}")]
    Problem(Box<ProblemDocument>),
    /// The server answered with what is no answer of ours.
    #[error("{server} answered {status} with what is no answer of a onepath server")]
    NotUnderstood {
        /// Who answered.
        server: String,
        /// The HTTP status.
        status: u16,
    },
}

/// A client of one server with one key.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: String,
}

impl Client {
    /// For a server such as `http://127.0.0.1:7700`.
    ///
    /// # Errors
    ///
    /// The address is no `http` or `https` URL, or the key cannot stand in a header.
    pub fn new(server: &str, key: &str) -> Result<Self, Error> {
        let server = server.trim_end_matches('/').to_owned();
        let good = ["http://", "https://"]
            .iter()
            .any(|scheme| server.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
        if !good {
            return Err(Error::Setup(format!(
                "`{server}` is no address of a server: such as http://127.0.0.1:7700"
            )));
        }
        let broken = |_| Error::Setup("the key holds what cannot stand in a header".to_owned());
        let mut bearer: reqwest::header::HeaderValue =
            format!("Bearer {key}").parse().map_err(broken)?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([(reqwest::header::AUTHORIZATION, bearer)]);
        // Another part of the program may have chosen a provider before; either is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(60))
            .build()
            .map_err(|error| Error::Setup(error.to_string()))?;
        Ok(Self { http, server })
    }

    /// The server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Has something generated; `body` is a create request as JSON text.
    ///
    /// # Errors
    ///
    /// A problem of the server, or it was not reached within a minute.
    pub async fn create(&self, body: &str) -> Result<Created, Error> {
        let key = new_idempotency_key()?;
        self.call(Method::POST, "/api/v1/generations", Some(body), Some(&key)).await
    }

    /// How a create would be answered, and what it would cost.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn preflight(&self, body: &str) -> Result<Preflight, Error> {
        self.call(Method::POST, "/api/v1/generations/preflight", Some(body), None).await
    }

    /// One generation.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn get(&self, id: &str) -> Result<Generation, Error> {
        self.call(Method::GET, &format!("/api/v1/generations/{id}"), None, None).await
    }

    /// A page of the caller's generations; `query` such as `status=completed&limit=10`.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn list(&self, query: &str) -> Result<Page, Error> {
        let mark = if query.is_empty() { "" } else { "?" };
        self.call(Method::GET, &format!("/api/v1/generations{mark}{query}"), None, None).await
    }

    /// Ends the caller's interest in a generation.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn cancel(&self, id: &str) -> Result<Generation, Error> {
        self.call(Method::POST, &format!("/api/v1/generations/{id}/cancel"), None, None).await
    }

    /// Follows a generation to its end: asks often at first, seldom later, and goes on through
    /// restarts of the server.
    ///
    /// # Errors
    ///
    /// A problem of the server other than being away.
    pub async fn watch(&self, id: &str) -> Result<Generation, Error> {
        let since = Instant::now();
        loop {
            match self.get(id).await {
                Ok(generation) if generation.is_over() => return Ok(generation),
                Ok(_) | Err(Error::Unreachable { .. }) => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(poll_pause(since.elapsed())).await;
        }
    }

    /// One logical call: goes again while the server is away or says that it is busy.
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
        idempotency_key: Option<&str>,
    ) -> Result<T, Error> {
        let mut patience = Patience::new();
        loop {
            let mut request = self.http.request(method.clone(), format!("{}{path}", self.server));
            if let Some(body) = body {
                request = request
                    .header(reqwest::header::CONTENT_TYPE, "application/json")
                    .body(body.to_owned());
            }
            if let Some(key) = idempotency_key {
                request = request.header("idempotency-key", format!("\"{key}\""));
            }
            let (error, wait) = match request.send().await {
                Ok(response) => {
                    let (status, headers) = (response.status(), response.headers().clone());
                    match response.bytes().await {
                        Ok(bytes) if status.is_success() => {
                            return serde_json::from_slice(&bytes)
                                .map_err(|_| self.not_understood(status));
                        }
                        Ok(bytes) => (self.problem(status, &bytes), retry_after(status, &headers)),
                        Err(error) => (self.unreachable(&error), Some(None)),
                    }
                }
                Err(error) => (self.unreachable(&error), Some(None)),
            };
            // What may go again: the server says so, or never answered.
            let Some(pause) = wait.and_then(|told| patience.pause(told)) else {
                return Err(error);
            };
            tokio::time::sleep(pause).await;
        }
    }

    fn problem(&self, status: StatusCode, bytes: &[u8]) -> Error {
        match serde_json::from_slice::<ProblemDocument>(bytes) {
            Ok(problem) => Error::Problem(Box::new(problem)),
            Err(_) => self.not_understood(status),
        }
    }

    fn not_understood(&self, status: StatusCode) -> Error {
        Error::NotUnderstood { server: self.server.clone(), status: status.as_u16() }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        use std::error::Error as _;
        // The deepest cause says most: the others repeat the address.
        let mut detail = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            detail = deeper.to_string();
            cause = deeper.source();
        }
        Error::Unreachable { server: self.server.clone(), detail }
    }
}

/// Whether an answer invites to come again, and after how long.
fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Option<Duration>> {
    let busy = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    busy.contains(&status).then(|| {
        let told = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(told))
    })
}

/// A key for one logical call: 128 random bits, in hexadecimal.
fn new_idempotency_key() -> Result<String, Error> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random)
        .map_err(|error| Error::Setup(format!("there is no randomness: {error}")))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
