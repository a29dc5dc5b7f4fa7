//! Answers: JSON, and problem documents for everything that goes wrong.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;

use crate::problem::{Problem, ProblemCode};

/// A problem on its way out.
#[derive(Debug)]
pub struct Failure(Box<Problem>);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> axum::response::Response {
        let problem = *self.0;
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = bytes(status, "application/problem+json", to_json(&problem));
        let headers = response.headers_mut();
        match problem.code {
            ProblemCode::Unauthenticated => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ProblemCode::Unavailable | ProblemCode::TooManyInflight => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// What a handler gives.
pub(super) type Reply = Result<axum::response::Response, Failure>;

fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    // Our own types serialize; if one ever does not, the answer is empty rather than wrong.
    match serde_json::to_writer(&mut out, value) {
        Ok(()) => out,
        Err(_) => Vec::new(),
    }
}

/// Bytes of a media type.
pub(super) fn bytes(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Body>,
) -> axum::response::Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// A JSON document that must not be kept by caches on the way.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> axum::response::Response {
    let mut response = bytes(status, "application/json", to_json(value));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sets a header whose value is made of our own words.
pub(super) fn set(headers: &mut HeaderMap, name: axum::http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
