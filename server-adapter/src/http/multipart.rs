//! Bodies of several parts, and bodies that are a file: read as they come, and never more of them
//! than is allowed.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use futures_util::StreamExt as _;

use super::App;
use super::body::MOST_BYTES;
use crate::asset::{Content, IntakeError};
use crate::problem::{Fault, Place, Problem, ProblemCode};
use crate::service::{Part, not_taken};

/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(30);

/// Files beside an envelope.
const MOST_PARTS: usize = 16;

/// The boundary of a body of several parts; none if it is something else.
pub(super) fn boundary(headers: &HeaderMap) -> Option<String> {
    multer::parse_boundary(media_type(headers)?).ok()
}

/// What a body says that it is.
pub(super) fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok())
}

fn late() -> Problem {
    Problem::new(ProblemCode::RequestTimeout, "nothing of the body came for 30 seconds")
}

fn broken(error: impl std::fmt::Display) -> Problem {
    let fault = Fault::new("", "multipart/syntax", error.to_string());
    Problem::faults(vec![fault])
}

/// A body that is a file.
pub(super) async fn file(app: &App, headers: &HeaderMap, body: Body) -> Result<Content, Problem> {
    let spool = &app.service.spool;
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if declared.and_then(|length| length.parse::<u64>().ok()) > Some(spool.most()) {
        return Err(not_taken(&IntakeError::TooLarge(spool.most())));
    }
    let mut intake = spool.begin(spool.most());
    let mut stream: BodyDataStream = body.into_data_stream();
    while let Some(chunk) =
        tokio::time::timeout(SILENCE, stream.next()).await.map_err(|_| late())?
    {
        let chunk = chunk.map_err(broken)?;
        intake.write(&chunk).await.map_err(|error| not_taken(&error))?;
    }
    intake.end().await.map_err(|error| not_taken(&error))
}

/// What came in several parts.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The text of the part `envelope`.
    pub(super) envelope: Option<String>,
    /// The files.
    pub(super) files: Vec<Part>,
}

/// Reads a body of several parts: `envelope` is text, all others are files.
pub(super) async fn parts(app: &App, boundary: String, body: Body) -> Result<Parts, Problem> {
    let mut multipart = multer::Multipart::new(body.into_data_stream(), boundary);
    let mut parts = Parts::default();
    let spool = &app.service.spool;
    loop {
        let next = tokio::time::timeout(SILENCE, multipart.next_field()).await;
        let Some(mut field) = next.map_err(|_| late())?.map_err(broken)? else {
            return Ok(parts);
        };
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let is_envelope = name == "envelope";
        let most = if is_envelope { MOST_BYTES as u64 } else { spool.most() };
        let twice = parts.files.iter().any(|part| part.name == name)
            || is_envelope && parts.envelope.is_some();
        if name.is_empty() || twice || parts.files.len() >= MOST_PARTS {
            let detail = format!("at most {MOST_PARTS} files, each part with a name of its own");
            return Err(broken(detail));
        }
        let mut intake = spool.begin(most);
        while let Some(chunk) = tokio::time::timeout(SILENCE, field.chunk())
            .await
            .map_err(|_| late())?
            .map_err(broken)?
        {
            intake.write(&chunk).await.map_err(|error| not_taken(&error))?;
        }
        let content = intake.end().await.map_err(|error| not_taken(&error))?;
        if is_envelope {
            parts.envelope = Some(text(&content)?);
        } else {
            parts.files.push(Part { name, file_name, content });
        }
    }
}

/// The text of the envelope.
fn text(content: &Content) -> Result<String, Problem> {
    let bytes = content.in_memory().map(|bytes| bytes.to_vec()).unwrap_or_default();
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(error.as_bytes().get(..at).unwrap_or_default());
        let fault = Fault::new("", "json/syntax", "the envelope is not UTF-8");
        Problem::malformed(fault, Place::of(&before, at))
    })
}
