//! The one HTTP client of all adapters: bounded in time and size, and exact about what was sent.
//!
//! A call that failed before its connection stood was not taken. One that failed later, or whose
//! answer cannot be read, may have been: the caller must not send it again before it asked.
//! Redirects are answers like any other: nothing is sent to where they lead.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822::DateTimeParser;
use onepath_core::lifecycle::ErrorCode;
use reqwest::header::{
    CONNECTION, CONTENT_TYPE, DATE, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{Method, Response};
use serde::de::DeserializeOwned;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::account::Secret;
use super::port::{NoAnswer, Refusal, SubmitError};
use crate::guard::body;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Bytes of an answer that is no media.
const MOST_ANSWER: usize = 4 << 20;

/// A call, before it is sent.
#[derive(Debug)]
pub(crate) struct Ask {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Option<Payload>,
    timeout: Duration,
    most: usize,
}

/// What is sent with a call.
pub(crate) struct Payload {
    /// Such as `application/json`.
    pub(crate) content_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({}, {} bytes)", self.content_type, self.bytes.len())
    }
}

impl Ask {
    fn new(method: Method, url: String) -> Self {
        let (headers, timeout) = (HeaderMap::new(), Duration::from_secs(30));
        Self { method, url, headers, body: None, timeout, most: MOST_ANSWER }
    }

    pub(crate) fn get(url: String) -> Self {
        Self::new(Method::GET, url)
    }

    pub(crate) fn post(url: String) -> Self {
        Self::new(Method::POST, url)
    }

    pub(crate) fn put(url: String) -> Self {
        Self::new(Method::PUT, url)
    }

    /// A header; one that cannot be written is left out.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// A header that nobody is shown: `prefix` and a secret.
    pub(crate) fn secret(mut self, name: &'static str, prefix: &str, secret: &Secret) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(&format!("{prefix}{}", secret.expose())) {
            value.set_sensitive(true);
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// With a JSON body.
    pub(crate) fn json(self, value: &serde_json::Value) -> Self {
        let bytes = value.to_string().into_bytes();
        self.payload(Payload { content_type: "application/json".to_owned(), bytes })
    }

    pub(crate) fn payload(mut self, payload: Payload) -> Self {
        self.body = Some(payload);
        self
    }

    /// How long it may take as a whole.
    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many bytes the answer may have.
    pub(crate) fn at_most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The provider was not reached: it has taken nothing.
    #[error("the provider was not reached: {0}")]
    NotSent(String),
    /// It was sent; whether it was taken is not known.
    #[error("{0}")]
    Lost(String),
}

impl From<Unanswered> for NoAnswer {
    fn from(error: Unanswered) -> Self {
        Self::new(error.to_string())
    }
}

impl From<Unanswered> for SubmitError {
    fn from(error: Unanswered) -> Self {
        match error {
            Unanswered::NotSent(_) => {
                Refusal::new(ErrorCode::ProviderUnavailable, error.to_string()).into()
            }
            Unanswered::Lost(detail) => Self::Lost(detail),
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Its body, if it is such JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// What came, without any of it: a provider's answer may repeat the prompt, and this stands in
    /// logs.
    pub(crate) fn seen(&self) -> String {
        format!("an answer with {} and {} bytes", self.status.as_u16(), self.body.len())
    }

    /// The body as a person would read it, for operators: the beginning, on one line.
    pub(crate) fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        format!("{}: {}", self.status.as_u16(), short(&text))
    }

    /// How long the provider wants to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }

    /// A refusal with what the provider says.
    pub(crate) fn refusal(&self, code: ErrorCode) -> Refusal {
        Refusal { code, detail: self.words(), retry_after: self.retry_after() }
    }

    /// What a status means that no submission succeeds with, where the provider says nothing more
    /// exact. An error of the server or of what stands before it does not say whether the
    /// submission arrived, unless it names a time to come back.
    pub(crate) fn not_taken(&self) -> SubmitError {
        let code = match self.status.as_u16() {
            400 | 404 | 405 | 409 | 410 | 415 | 422 => ErrorCode::ParamInvalid,
            401 | 403 => ErrorCode::ProviderAuth,
            402 => ErrorCode::ProviderQuota,
            413 | 414 | 431 => ErrorCode::ParamTooLong,
            429 => ErrorCode::ProviderRateLimit,
            503 if self.retry_after().is_some() => ErrorCode::ProviderUnavailable,
            300..500 => ErrorCode::ProviderGeneric,
            _ => return SubmitError::Lost(self.seen()),
        };
        self.refusal(code).into()
    }

    /// An answer to a question that gives nothing: asking again may help.
    pub(crate) fn no_answer(&self) -> NoAnswer {
        NoAnswer { detail: self.seen(), retry_after: self.retry_after() }
    }
}

/// The beginning of a text, on one line.
pub(crate) fn short(text: &str) -> String {
    let line: String = text.chars().take(500).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `Retry-After`: seconds, or a date, which is measured against the answer's own.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| DateTimeParser::new().parse_timestamp(text).ok();
    let sent = headers.get(DATE).and_then(|value| date(value.to_str().ok()?));
    let now = sent.unwrap_or_else(jiff::Timestamp::now);
    let left = date(text)?.as_second() - now.as_second();
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

/// Calls providers. Cheap to clone; connections are shared.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    client: reqwest::Client,
}

impl Wire {
    /// A client of its own.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        // Another part of the program may have chosen a provider before; either is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT)
            .user_agent(concat!("onepath/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }

    /// Sends a call; the body of the answer is still to come.
    pub(crate) async fn open(&self, ask: Ask) -> Result<Response, Unanswered> {
        let mut request =
            self.client.request(ask.method, &ask.url).headers(ask.headers).timeout(ask.timeout);
        if let Some(Payload { content_type, bytes }) = ask.body {
            request = request.header(CONTENT_TYPE, content_type).body(bytes);
        }
        request.send().await.map_err(|error| {
            let sent = !(error.is_connect() || error.is_builder());
            let detail = words_of(error);
            if sent { Unanswered::Lost(detail) } else { Unanswered::NotSent(detail) }
        })
    }

    /// Sends a call and takes its whole answer.
    pub(crate) async fn send(&self, ask: Ask) -> Result<Answer, Unanswered> {
        let most = ask.most;
        let response = self.open(ask).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        match body(response, most).await {
            Ok(body) => Ok(Answer { status, headers, body }),
            // A refusal is one, however its words end.
            Err(_) if status.is_client_error() => Ok(Answer { status, headers, body: Vec::new() }),
            Err(error) => Err(Unanswered::Lost(error.to_string())),
        }
    }
}

/// A web socket to a provider.
pub(crate) type NewsSocket = WebSocketStream<reqwest::Upgraded>;

impl Wire {
    /// Opens a web socket. Like every other call it follows no redirect.
    pub(crate) async fn socket(&self, ask: Ask) -> Result<NewsSocket, Unanswered> {
        let lost = |detail: String| Unanswered::Lost(detail);
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(|error| lost(error.to_string()))?;
        let key = STANDARD.encode(key);
        let request = self
            .client
            .request(ask.method, &ask.url)
            .headers(ask.headers)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key);
        let opened = tokio::time::timeout(ask.timeout, async {
            let response = request.send().await.map_err(|error| lost(words_of(error)))?;
            let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
            let right = accepted
                .is_some_and(|it| it.as_bytes() == derive_accept_key(key.as_bytes()).as_bytes());
            if response.status() != StatusCode::SWITCHING_PROTOCOLS || !right {
                return Err(lost(format!("no web socket, but {}", response.status())));
            }
            response.upgrade().await.map_err(|error| lost(words_of(error)))
        });
        let socket = opened.await.map_err(|_| lost("no web socket in time".to_owned()))??;
        Ok(WebSocketStream::from_raw_socket(socket, Role::Client, None).await)
    }
}

/// An error with its causes, without the URL, which may carry secrets.
fn words_of(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn headers(all: &[(HeaderName, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |value: &str| retry_after(&headers(&[(RETRY_AFTER, value)]));
        assert_eq!(after("2"), Some(Duration::from_secs(2)));
        assert_eq!(after(" 0 "), Some(Duration::ZERO));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(after("soon"), None);
        assert_eq!(after("-5"), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
        let dated = headers(&[
            (DATE, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (RETRY_AFTER, "Sun, 06 Nov 1994 08:50:07 GMT"),
        ]);
        assert_eq!(retry_after(&dated), Some(Duration::from_secs(30)));
    }

    /// Reads a request's head, writes what is given, and ends the connection.
    async fn server(reply: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut seen = Vec::new();
            while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut some = [0; 1024];
                let read = stream.read(&mut some).await.unwrap();
                seen.extend_from_slice(&some[..read]);
            }
            stream.write_all(reply).await.unwrap();
        });
        url
    }

    #[tokio::test]
    async fn what_was_not_sent_is_told_from_what_was_lost() {
        let wire = Wire::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let lost = |error: &Unanswered| matches!(error, Unanswered::Lost(_));
        assert!(!lost(&wire.send(Ask::post(nobody)).await.unwrap_err()));
        assert!(!lost(&wire.send(Ask::post("http://[".to_owned())).await.unwrap_err()));
        assert!(lost(&wire.send(Ask::post(server(b"").await)).await.unwrap_err()));
        let half = server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
        assert!(lost(&wire.send(Ask::post(half)).await.unwrap_err()));
        let large = server(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789").await;
        assert!(lost(&wire.send(Ask::post(large).at_most(9)).await.unwrap_err()));
        let refused = server(b"HTTP/1.1 422 No\r\ncontent-length: 10\r\n\r\nhalf").await;
        assert_eq!(wire.send(Ask::post(refused)).await.unwrap().status, 422);
        let moved = server(
            b"HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        )
        .await;
        assert_eq!(wire.send(Ask::post(moved)).await.unwrap().status, 307);
    }

    #[test]
    fn a_status_says_whether_a_submission_was_taken() {
        let answer = |status: u16, after: &str| {
            let headers = headers(&[(RETRY_AFTER, after)]);
            let status = StatusCode::from_u16(status).unwrap();
            Answer { status, headers, body: b"{\"detail\":\n \"no\"}".to_vec() }.not_taken()
        };
        for (status, code) in [
            (307, ErrorCode::ProviderGeneric),
            (401, ErrorCode::ProviderAuth),
            (402, ErrorCode::ProviderQuota),
            (413, ErrorCode::ParamTooLong),
            (418, ErrorCode::ProviderGeneric),
            (422, ErrorCode::ParamInvalid),
            (429, ErrorCode::ProviderRateLimit),
            (503, ErrorCode::ProviderUnavailable),
        ] {
            let SubmitError::Refused(refusal) = answer(status, "7") else { panic!("{status}") };
            assert_eq!(refusal.code, code);
            assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)));
            assert_eq!(refusal.detail, format!("{status}: {{\"detail\": \"no\"}}"));
        }
        for status in [500, 502, 504, 599] {
            assert!(matches!(answer(status, "7"), SubmitError::Lost(_)));
        }
        assert!(matches!(answer(503, "soon"), SubmitError::Lost(_)));
    }
}
