//! Connections: what comes in is answered by the provider's own code, and faults happen around it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, WebSocketUpgrade};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::switches::{Fault, What};
use crate::{Kind, Shared, control};

/// Bytes of a body at most.
const MOST: usize = 128 << 20;

/// A request with its whole body.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// An answer before anything happened to it.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// How long it takes.
    pub(crate) after: Duration,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string().into(), after: Duration::ZERO }
    }

    pub(crate) fn bytes(kind: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type", kind.to_owned())];
        Self { status: 200, headers, body: body.into(), after: Duration::ZERO }
    }

    /// Not before a time has passed.
    pub(crate) fn after(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

pub(crate) async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&shared), request));
            // A caller that goes away is no fault, and a connection that is cut is meant.
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.with_upgrades().await;
        });
    }
}

/// Ends the connection without an answer.
pub(crate) fn cut() -> io::Error {
    io::Error::other("cut")
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Body>, io::Error> {
    let (mut parts, body) = request.into_parts();
    if let Some((path, listen)) = shared.kind.stand().socket
        && parts.uri.path() == path
    {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        return Ok(match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => upgrade.on_upgrade(move |socket| listen(shared, query, socket)),
            Err(rejection) => rejection.into_response(),
        });
    }
    let body = to_bytes(Body::new(body), MOST).await.map_err(io::Error::other)?;
    let asked = Asked {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    if asked.path == "/_fake" || asked.path.starts_with("/_fake/") {
        return whole(control::answer(&shared, &asked));
    }
    let stand = shared.kind.stand();
    let call = (stand.call)(&asked);
    shared.book().count(call);
    let fault = shared.switches().take(call);
    match fault.as_ref().map(|fault| fault.what) {
        Some(What::Status) => return whole(refusal(shared.kind, fault.as_ref())),
        Some(What::Cut) => return Err(cut()),
        Some(What::Hang) => std::future::pending::<()>().await,
        _ => {}
    }
    let reply = (stand.answer)(&shared, call, &asked);
    let late = Duration::from_millis(shared.switches().answers_ms);
    tokio::time::sleep(reply.after + late).await;
    match fault.as_ref().map(|fault| fault.what) {
        Some(What::CutAfter) => Err(cut()),
        Some(What::HangAfter) => {
            std::future::pending::<()>().await;
            Err(cut())
        }
        Some(What::HalfAfter) => half(&reply),
        Some(What::PageAfter) => whole(Reply {
            status: 200,
            headers: vec![("content-type", "text/html".to_owned())],
            body: "<html><body>One moment, please.</body></html>".into(),
            after: Duration::ZERO,
        }),
        Some(What::StatusAfter) => whole(refusal(shared.kind, fault.as_ref())),
        Some(What::HugeAfter) => endless(),
        Some(What::StallAfter) => stalled(&reply),
        Some(What::ClaimsAfter) => claiming(&reply),
        Some(What::BombAfter) => whole(bomb()),
        Some(What::OtherAfter) => whole(changed(reply, "id", "somebodyelses")),
        Some(What::BackAfter) => whole(changed(reply, "status", "starting")),
        _ => whole(reply),
    }
}

/// What a provider says with a status that it was told to have.
fn refusal(kind: Kind, fault: Option<&Fault>) -> Reply {
    let status = fault.map_or(503, |fault| fault.status);
    let reply = (kind.stand().refused)(status);
    match fault.and_then(|fault| fault.retry_after.clone()) {
        Some(after) => reply.with("retry-after", after),
        None => reply,
    }
}

fn head(reply: &Reply) -> axum::http::response::Builder {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = Response::builder().status(status);
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    builder
}

pub(crate) fn whole(reply: Reply) -> Result<Response<Body>, io::Error> {
    head(&reply).body(Body::from(reply.body)).map_err(io::Error::other)
}

pub(crate) fn half(reply: &Reply) -> Result<Response<Body>, io::Error> {
    let first = reply.body.slice(..reply.body.len() / 2);
    let parts = stream::iter([Ok(first), Err(cut())]);
    head(reply)
        .header(CONTENT_LENGTH, reply.body.len())
        .body(Body::from_stream(parts))
        .map_err(io::Error::other)
}

/// Half of an answer; the connection stays.
fn stalled(reply: &Reply) -> Result<Response<Body>, io::Error> {
    let first = reply.body.slice(..reply.body.len() / 2);
    let parts = stream::iter([Ok::<_, io::Error>(first)]).chain(stream::pending());
    head(reply)
        .header(CONTENT_LENGTH, reply.body.len())
        .body(Body::from_stream(parts))
        .map_err(io::Error::other)
}

/// An answer that announces ten billion bytes.
fn claiming(reply: &Reply) -> Result<Response<Body>, io::Error> {
    let chunk = Bytes::from(vec![b' '; 64 << 10]);
    let parts = stream::repeat_with(move || Ok::<_, io::Error>(chunk.clone()));
    head(reply)
        .header(CONTENT_LENGTH, 10_000_000_000_u64)
        .body(Body::from_stream(parts))
        .map_err(io::Error::other)
}

/// A gzip of 256 KiB that stands for 40 MiB of zeros: one byte, then "the same 258 times", again and
/// again (RFC 1951, fixed codes).
fn bomb() -> Reply {
    const TIMES: usize = 160_000;
    let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    // The last block, with fixed codes; the byte 0.
    let mut bits: Vec<bool> = vec![true, true, false];
    let code = |bits: &mut Vec<bool>, word: u32, length: u32| {
        bits.extend((0..length).rev().map(|at| word >> at & 1 == 1));
    };
    code(&mut bits, 0b0011_0000, 8);
    for _ in 0..TIMES {
        // 258 bytes from one byte back.
        code(&mut bits, 0b1100_0101, 8);
        code(&mut bits, 0, 5);
    }
    code(&mut bits, 0, 7);
    let byte =
        |eight: &[bool]| eight.iter().rev().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit));
    bits.resize(bits.len().next_multiple_of(8), false);
    body.extend(bits.chunks(8).map(byte));
    let mut reply = Reply::bytes("application/json", body);
    reply.headers.push(("content-encoding", "gzip".to_owned()));
    reply
}

/// An answer with another word for a member of its object.
fn changed(mut reply: Reply, name: &str, word: &str) -> Reply {
    if let Ok(mut value) = serde_json::from_slice::<Value>(&reply.body)
        && let Some(member) = value.get_mut(name)
    {
        *member = word.into();
        reply.body = value.to_string().into();
    }
    reply
}

fn endless() -> Result<Response<Body>, io::Error> {
    let chunk = Bytes::from(vec![b' '; 64 << 10]);
    let parts = stream::repeat_with(move || Ok::<_, io::Error>(chunk.clone()));
    let body = Body::from_stream(parts);
    Response::builder()
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(io::Error::other)
}
