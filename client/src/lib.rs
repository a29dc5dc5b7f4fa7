#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod follow;
mod patience;
mod prompts;
mod stream;
pub mod webhook;
mod wire;

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;

pub use follow::Progress;
use patience::{Patience, Turn};
pub use prompts::{
    NewPromptVersion, Piece, PromptArm, PromptDiff, PromptFamily, PromptPage, PromptSplit,
    PromptTerms, PromptUsage, PromptVariable, PromptVersion, RenderedPrompt, VariableDiff,
    VersionName, VersionUsage,
};
pub use wire::{
    Asset, Created, Estimate, Fault, Generation, Limits, Page, Preflight, ProblemDocument, Usage,
};

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
        Self::with_headers(server, key, None)
    }

    /// The same, on behalf of a player: for keys with the role `backend`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and if the player's id cannot stand in a header.
    pub fn for_user(server: &str, key: &str, user: &str) -> Result<Self, Error> {
        Self::with_headers(server, key, Some(user))
    }

    fn with_headers(server: &str, key: &str, user: Option<&str>) -> Result<Self, Error> {
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
        let mut headers = HeaderMap::from_iter([(reqwest::header::AUTHORIZATION, bearer)]);
        if let Some(user) = user {
            let broken =
                |_| Error::Setup("the user's id holds what cannot stand in a header".to_owned());
            headers.insert("onepath-user", user.parse().map_err(broken)?);
        }
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

    /// Has something generated; `body` is a create request as JSON text. It goes under an idempotency
    /// key that is made once, however often it has to go; while too much is on its way it waits for
    /// its turn.
    ///
    /// # Errors
    ///
    /// A problem of the server, or it was not reached within a minute. Whoever wants to take it up
    /// again in another process keeps the key, and uses [`create_as`](Self::create_as).
    pub async fn create(&self, body: &str) -> Result<Created, Error> {
        self.create_as(body, &new_idempotency_key()?).await
    }

    /// The same under a key of the caller's own: one that was used before, with the same body, gets
    /// the answer of then.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn create_as(&self, body: &str, idempotency_key: &str) -> Result<Created, Error> {
        self.call(Method::POST, "/api/v1/generations", Some(body), Some(idempotency_key)).await
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

    /// A new run of a generation that failed or was cancelled.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn retry(&self, id: &str) -> Result<Generation, Error> {
        self.call(Method::POST, &format!("/api/v1/generations/{id}/retry"), None, None).await
    }

    /// Changes name, description and tags and, while it is pending, priority and schedule; `patch`
    /// is a merge patch (RFC 7396) as JSON text.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn patch(&self, id: &str, patch: &str) -> Result<Generation, Error> {
        self.call(Method::PATCH, &format!("/api/v1/generations/{id}"), Some(patch), None).await
    }

    /// Hides a generation that is over.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        let path = format!("/api/v1/generations/{id}");
        self.send(Method::DELETE, &path, None, None).await.map(drop)
    }

    /// What was used this month, and what is left.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn usage(&self) -> Result<Usage, Error> {
        self.call(Method::GET, "/api/v1/usage", None, None).await
    }

    /// A page of the caller's generations with everything that the server says of each, as JSON.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn list_json(&self, query: &str) -> Result<serde_json::Value, Error> {
        let mark = if query.is_empty() { "" } else { "?" };
        self.call(Method::GET, &format!("/api/v1/generations{mark}{query}"), None, None).await
    }

    /// One generation with everything that the server says of it, as JSON.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn get_json(&self, id: &str) -> Result<serde_json::Value, Error> {
        self.call(Method::GET, &format!("/api/v1/generations/{id}"), None, None).await
    }

    /// One logical call, and its answer.
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
        idempotency_key: Option<&str>,
    ) -> Result<T, Error> {
        let (status, bytes) = self.send(method, path, body, idempotency_key).await?;
        serde_json::from_slice(&bytes).map_err(|_| self.not_understood(status))
    }

    /// One logical call: goes again while the server is away or says that it is busy, and waits for
    /// its turn when too much is on its way.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
        idempotency_key: Option<&str>,
    ) -> Result<(StatusCode, Vec<u8>), Error> {
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
                        Ok(bytes) if status.is_success() => return Ok((status, bytes.into())),
                        Ok(bytes) => {
                            let error = self.problem(status, &bytes);
                            let wait = come_again(&error, status, &headers);
                            (error, wait)
                        }
                        Err(error) => (self.unreachable(&error), Some(Turn::Later(None))),
                    }
                }
                Err(error) => (self.unreachable(&error), Some(Turn::Later(None))),
            };
            // What may go again: the server says so, or never answered.
            let Some(pause) = wait.and_then(|turn| patience.pause(turn)) else {
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

/// Whether an answer invites to come again, and how.
fn come_again(error: &Error, status: StatusCode, headers: &HeaderMap) -> Option<Turn> {
    let told = || {
        let told = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(told))
    };
    match (status, error) {
        // Too many on their way: whoever waits gets a turn.
        (StatusCode::TOO_MANY_REQUESTS, _) => Some(Turn::Queue(told())),
        (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE, _)
        | (StatusCode::GATEWAY_TIMEOUT, _) => Some(Turn::Later(told())),
        // The same call is on its way: its answer is this one's, too.
        (StatusCode::CONFLICT, Error::Problem(problem))
            if problem.code == "IDEMPOTENCY_IN_PROGRESS" =>
        {
            Some(Turn::Later(told()))
        }
        _ => None,
    }
}

/// A key for one logical call: 128 random bits, in hexadecimal.
///
/// # Errors
///
/// The machine gives no randomness.
pub fn new_idempotency_key() -> Result<String, Error> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random)
        .map_err(|error| Error::Setup(format!("there is no randomness: {error}")))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
