//! Bodies: bounded in size and time, and text before anything else.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;

use super::App;
use super::reply::Failure;
use crate::problem::{Fault, Place, Problem, ProblemCode};

/// The largest JSON body.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// The text of a JSON body.
#[derive(Debug)]
pub(super) struct JsonText(pub(super) String);

impl FromRequest<App> for JsonText {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        Self::read(app, &parts.headers, body).await
    }
}

impl JsonText {
    /// The text of a body that came with these headers.
    pub(super) async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Self, Failure> {
        let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !media.is_some_and(is_json) {
            let detail = "send JSON, with the header `Content-Type: application/json`";
            return Err(Problem::new(ProblemCode::UnsupportedMedia, detail).into());
        }
        let bytes = bounded(app, headers, body, MOST_BYTES).await?;
        // Most bodies come in one piece, which is not copied.
        String::from_utf8(bytes.into()).map(Self).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(error.as_bytes().get(..at).unwrap_or_default());
            let fault = Fault::new("", "json/syntax", "the body is not UTF-8");
            Problem::malformed(fault, Place::of(&before, at)).into()
        })
    }
}

/// The bytes of a body, if it has up to `most` and comes in time.
pub(super) async fn bounded(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    most: usize,
) -> Result<Bytes, Failure> {
    let too_large = || {
        let detail = format!("a body has up to {most} bytes");
        Problem::new(ProblemCode::PayloadTooLarge, detail)
    };
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if declared.and_then(|length| length.parse::<u64>().ok()) > Some(most as u64) {
        return Err(too_large().into());
    }
    let mut read = pin!(to_bytes(body, most));
    // Most bodies are there already: no clock is set for them.
    let read = match poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await {
        Poll::Ready(read) => Ok(read),
        Poll::Pending => tokio::time::timeout(app.door.patience.body, read).await,
    };
    match read {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large().into()),
        Err(_) => {
            let seconds = app.door.patience.body.as_secs_f64();
            let detail = format!("the body did not come within {seconds} seconds");
            Err(Problem::new(ProblemCode::RequestTimeout, detail).into())
        }
    }
}

/// `application/json`, or a type that is JSON by its suffix.
fn is_json(media: &str) -> bool {
    if media == "application/json" {
        return true;
    }
    let essence = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
}
