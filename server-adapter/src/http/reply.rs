//! Answers: JSON, and problem documents for everything that goes wrong.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::problem::{Problem, ProblemCode};

/// A problem on its way out.
#[derive(Debug)]
pub struct Failure(Box<Problem>);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        *failure.0
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> axum::response::Response {
        let problem = *self.0;
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = bytes(status, "application/problem+json", to_json(&problem));
        let headers = response.headers_mut();
        if problem.code == ProblemCode::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let soon = matches!(problem.code, ProblemCode::Unavailable | ProblemCode::TooManyInflight);
        if let Some(wait) = problem.retry_after.or(soon.then_some(1)) {
            set(headers, RETRY_AFTER, wait.to_string());
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

/// A document that is the same for everybody until the program changes: with a tag of its bytes.
pub(super) fn document(
    request: &HeaderMap,
    media_type: &'static str,
    body: Vec<u8>,
) -> axum::response::Response {
    let tag = hex(&Sha256::digest(&body));
    let mut response = if is_known(request, &tag) {
        bytes(StatusCode::NOT_MODIFIED, media_type, Vec::new())
    } else {
        bytes(StatusCode::OK, media_type, body)
    };
    let headers = response.headers_mut();
    set(headers, ETAG, format!("\"{tag}\""));
    set(headers, CACHE_CONTROL, "public, max-age=3600");
    response
}

/// Whether the client has what this tag names: one that a proxy made weak names the same.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .map(bare)
        .any(|known| known == "*" || known == tag)
}

/// What a tag says, weak or strong.
pub(super) fn bare(tag: &str) -> String {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').to_owned()
}

/// Sets a header whose value is made of our own words.
pub(super) fn set(
    headers: &mut HeaderMap,
    name: axum::http::HeaderName,
    value: impl TryInto<HeaderValue>,
) {
    if let Ok(value) = value.try_into() {
        headers.insert(name, value);
    }
}
