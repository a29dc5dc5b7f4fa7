//! A bucket that speaks S3, in memory: signatures of version 4 are checked, ranges, parts and pages
//! are real, and it fails when it is told to.

mod object;
mod signature;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::http::{Asked, Reply, cut, half, whole};
use object::Object;

/// Its name.
pub const BUCKET: &str = "media";
/// Its region.
pub const REGION: &str = "eu-central-1";
/// The id of the one key that it takes.
pub const KEY_ID: &str = "AKIDONEPATHFAKE00000";
/// That key.
pub const SECRET: &str = "c2VjcmV0IG9mIGEgYnVja2V0IGluIG1lbW9yeQ";

/// Bytes of a body at most.
const MOST: usize = 64 << 20;

/// What a call to a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketCall {
    /// An object is put, whole.
    Put,
    /// An object is read, or a part of it.
    Get,
    /// What there is.
    List,
    /// Objects are removed.
    Delete,
    /// An upload in parts begins.
    Begin,
    /// A part of it.
    Part,
    /// It is put together.
    Complete,
    /// It is given up.
    Abort,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketFault {
    /// An answer with a status; nothing is done.
    Status(u16),
    /// The connection ends; nothing is done.
    Cut,
    /// It is done; half of the answer comes.
    Half,
    /// It is done; one bit of the answer's body is another.
    Flipped,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, object::Upload>,
    faults: Vec<(BucketCall, BucketFault, u32)>,
    calls: Vec<BucketCall>,
    refused: usize,
}

/// A bucket that listens, until it is dropped.
#[derive(Debug)]
pub struct Bucket {
    state: Arc<Mutex<State>>,
    endpoint: String,
    task: JoinHandle<()>,
}

impl Bucket {
    /// Starts an empty one, at a free port of this machine.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let state = Arc::default();
        let task = tokio::spawn(listen(listener, Arc::clone(&state)));
        Ok(Self { state, endpoint, task })
    }

    /// Its server's address; the bucket is [`BUCKET`] below it.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The next calls of a kind go wrong, so many times.
    pub fn fail(&self, call: BucketCall, fault: BucketFault, times: u32) {
        self.state().faults.push((call, fault, times));
    }

    /// What lies in it: names and bytes.
    #[must_use]
    pub fn objects(&self) -> Vec<(String, Vec<u8>)> {
        let state = self.state();
        let all = state.objects.iter();
        all.map(|(name, object)| (name.clone(), object.bytes.to_vec())).collect()
    }

    /// Uploads in parts that were begun and neither put together nor given up.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.state().uploads.len()
    }

    /// Calls of a kind that came and were signed.
    #[must_use]
    pub fn calls(&self, call: BucketCall) -> usize {
        self.state().calls.iter().filter(|known| **known == call).count()
    }

    /// Calls whose signature did not hold.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.state().refused
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            // A caller that goes away is no fault, and a connection that is cut is meant.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Body>, io::Error> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(Body::new(body), MOST).await.map_err(io::Error::other)?;
    let asked = Asked {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    if let Err(code) = signature::check(&asked) {
        lock(&state).refused += 1;
        return whole(refusal(403, code));
    }
    let pairs = signature::pairs(&asked.query);
    let Some((call, key)) = call(&asked, &pairs) else {
        return whole(refusal(405, "MethodNotAllowed"));
    };
    let (fault, mut reply) = {
        let mut state = lock(&state);
        state.calls.push(call);
        let fault = take(&mut state.faults, call);
        match fault {
            Some(BucketFault::Status(status)) => return whole(refusal(status, "SlowDown")),
            Some(BucketFault::Cut) => return Err(cut()),
            _ => {}
        }
        (fault, object::answer(&mut state, call, &key, &asked, &pairs))
    };
    match fault {
        Some(BucketFault::Half) => half(&reply),
        Some(BucketFault::Flipped) => {
            let mut bytes = reply.body.to_vec();
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            reply.body = bytes.into();
            whole(reply)
        }
        _ => whole(reply),
    }
}

fn take(faults: &mut [(BucketCall, BucketFault, u32)], call: BucketCall) -> Option<BucketFault> {
    let (_, fault, times) =
        faults.iter_mut().find(|(known, _, times)| *known == call && *times > 0)?;
    *times -= 1;
    Some(*fault)
}

/// What a call is, and which object it is about.
fn call(asked: &Asked, pairs: &[(String, String)]) -> Option<(BucketCall, String)> {
    let has = |name: &str| pairs.iter().any(|(known, _)| known == name);
    let path = signature::decode(&asked.path);
    let rest = path.strip_prefix('/')?.strip_prefix(BUCKET)?;
    let key = rest.trim_start_matches('/').to_owned();
    let call = match asked.method {
        Method::GET if key.is_empty() => BucketCall::List,
        Method::GET | Method::HEAD => BucketCall::Get,
        Method::POST if has("delete") => BucketCall::Delete,
        Method::DELETE if has("uploadId") => BucketCall::Abort,
        Method::DELETE => BucketCall::Delete,
        Method::POST if has("uploads") => BucketCall::Begin,
        Method::POST if has("uploadId") => BucketCall::Complete,
        Method::PUT if has("partNumber") => BucketCall::Part,
        Method::PUT => BucketCall::Put,
        _ => return None,
    };
    Some((call, key))
}

/// What S3 says with a status.
fn refusal(status: u16, code: &str) -> Reply {
    xml(status, &format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))
}

fn xml(status: u16, body: &str) -> Reply {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
    Reply {
        status,
        headers: vec![("content-type", "application/xml".to_owned())],
        body: body.into(),
        after: Duration::ZERO,
    }
}
