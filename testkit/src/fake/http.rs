//! The scripted provider's HTTP: small enough to break off wherever a fault is wanted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::book::{Book, Prediction, Reception};
use super::script::{Act, Answer, Ending};
use crate::Fallible;

/// A provider that listens; it ends with this value.
#[derive(Debug)]
pub struct Fake {
    address: String,
    task: tokio::task::JoinHandle<()>,
}

impl Fake {
    /// Starts a provider on a free port.
    ///
    /// # Errors
    ///
    /// There is no port.
    pub async fn start(book: Book) -> Fallible<Self> {
        let shown = |error: std::io::Error| format!("the scripted provider: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(shown)?;
        let address = listener.local_addr().map_err(shown)?.to_string();
        let book = Arc::new(book);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let book = Arc::clone(&book);
                // A caller that goes away, or is killed, is no fault.
                tokio::spawn(async move { speak(stream, &book).await });
            }
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is written for a request.
enum Reply {
    Json(u16, Value),
    Bytes(&'static str, Vec<u8>),
    /// As it stands; the connection ends.
    Raw(Vec<u8>),
    /// Nothing, for as long as the caller waits.
    Never,
}

/// A request.
struct Request {
    method: String,
    path: String,
    body: Vec<u8>,
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(buffer.get(..head)?).into_owned();
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head + length.unwrap_or(0);
    while buffer.len() < end {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let mut words = text.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let body = buffer.get(head..end)?.to_vec();
    buffer.drain(..end);
    Some(Request { method, path, body })
}

async fn speak(mut stream: TcpStream, book: &Book) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        let (status, kind, body) = match reply(book, &request) {
            Reply::Json(status, body) => (status, "application/json", body.to_string().into()),
            Reply::Bytes(kind, bytes) => (200, kind, bytes),
            Reply::Raw(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                return stream.flush().await.ok();
            }
            Reply::Never => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                return None;
            }
        };
        let head = format!(
            "HTTP/1.1 {status} {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nretry-after: 0\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.into_bytes(), body].concat()).await.ok()?;
    }
    None
}

fn reply(book: &Book, request: &Request) -> Reply {
    let not_there = || Reply::Json(404, json!({ "detail": "there is no such thing" }));
    let mut path = request.path.trim_start_matches('/').split('/');
    let (what, id, more) = (path.next(), path.next().unwrap_or_default(), path.next());
    match (request.method.as_str(), what, more) {
        ("POST", Some("predictions"), None) => submit(book, &request.body),
        ("POST", Some("predictions"), Some("cancel")) => {
            book.stop(id);
            Reply::Json(200, json!({ "id": id }))
        }
        ("GET", Some("predictions"), None) => match book.look(id) {
            Some((state, is_over)) => standing(id, &state, is_over),
            None => not_there(),
        },
        ("GET", Some("tokens"), None) => match book.find(id) {
            Some(id) => Reply::Json(200, json!({ "id": id })),
            None => not_there(),
        },
        ("GET", Some("outputs"), None) => match book.look(id) {
            Some((state, true)) => output(&state),
            _ => not_there(),
        },
        _ => not_there(),
    }
}

fn submit(book: &Book, body: &[u8]) -> Reply {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Reply::Json(422, json!({ "code": "param_invalid" }));
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match book.submit(text("token"), text("request_hash"), text("script")) {
        Ok(Reception::Not(act)) => match act {
            Act::Refused(code) => Reply::Json(422, json!({ "code": code })),
            Act::Busy => Reply::Json(429, json!({ "detail": "too many requests" })),
            Act::Down => Reply::Json(503, json!({ "detail": "not now" })),
            Act::Dropped | Act::Taken(..) => Reply::Raw(Vec::new()),
        },
        Ok(Reception::Taken(id, answer)) => match answer {
            Answer::Good => Reply::Json(201, json!({ "id": id })),
            Answer::Lost => Reply::Raw(Vec::new()),
            Answer::Half => {
                Reply::Raw(b"HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{\"id\": \"p".into())
            }
            Answer::Page => Reply::Bytes("text/html", b"<h1>welcome</h1>".to_vec()),
            Answer::Error => Reply::Json(500, json!({ "detail": "something went wrong" })),
            Answer::Never => Reply::Never,
        },
        Err(error) => Reply::Json(500, json!({ "detail": error })),
    }
}

fn standing(id: &str, state: &Prediction, is_over: bool) -> Reply {
    if state.ending == Ending::Flaky && state.asked % 2 == 1 {
        return match state.asked % 6 {
            1 => Reply::Json(500, json!({})),
            3 => Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".into()),
            _ => Reply::Bytes("text/html", b"<h1>welcome</h1>".to_vec()),
        };
    }
    let status = match &state.ending {
        _ if state.stopped => "cancelled",
        _ if !is_over => "running",
        Ending::Failed(_) => "failed",
        Ending::Strange => "bewildered",
        _ => "succeeded",
    };
    let output = (status == "succeeded" && state.ending != Ending::Nothing)
        .then(|| json!([format!("/outputs/{id}")]));
    let code = match &state.ending {
        Ending::Failed(code) => Some(code),
        _ => None,
    };
    let id = if state.ending == Ending::Wrong { "another" } else { id };
    Reply::Json(200, json!({ "id": id, "status": status, "output": output, "code": code }))
}

fn output(state: &Prediction) -> Reply {
    match state.ending {
        Ending::Gone => Reply::Json(404, json!({ "detail": "it has expired" })),
        Ending::Junk => Reply::Bytes("image/png", b"\x89PNG\r\n\x1a\n and no more".to_vec()),
        Ending::Cut => {
            let picture = picture(&state.request_hash);
            let half = picture.get(..picture.len() / 2).unwrap_or_default();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", picture.len());
            Reply::Raw([head.as_bytes(), half].concat())
        }
        _ => Reply::Bytes("image/png", picture(&state.request_hash)),
    }
}

/// The picture of a request: another hash is another picture.
#[must_use]
pub fn picture(request_hash: &str) -> Vec<u8> {
    let pixels: Vec<u8> = Sha256::digest(request_hash).repeat(6);
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 8, 8);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Writing 192 bytes into memory cannot fail.
    if let Ok(mut writer) = encoder.write_header() {
        let _ = writer.write_image_data(&pixels);
    }
    out
}
