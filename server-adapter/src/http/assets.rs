//! The bytes of assets, for whoever has a key or a signed URL.

use axum::extract::{FromRequestParts as _, RawQuery, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderName, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};

use super::App;
use super::path::Name;
use super::reply::{Failure, Reply, bytes, set};
use crate::problem::{Problem, ProblemCode};
use crate::service::Caller;
use crate::store::Reader;

pub(super) async fn file(
    State(app): State<App>,
    Name(id): Name,
    RawQuery(query): RawQuery,
    request: Request,
) -> Reply {
    let (mut parts, _) = request.into_parts();
    let reader = match signed_reader(&app, &id, query.as_deref().unwrap_or("")) {
        Some(signed) => signed?,
        None => Caller::from_request_parts(&mut parts, &app).await?.reader,
    };
    let (media, content) = app.service.asset_file(&reader, &id).await?;
    let tag = format!("\"{}\"", media.sha256);
    let media_type = match media.media_type.as_str() {
        "image/png" => "image/png",
        "image/gif" => "image/gif",
        // What a browser must not interpret is offered as bytes.
        _ => "application/octet-stream",
    };
    let known = is_known(&parts.headers, &tag);
    let mut response = if known {
        bytes(StatusCode::NOT_MODIFIED, media_type, Vec::new())
    } else {
        bytes(StatusCode::OK, media_type, content)
    };
    let headers = response.headers_mut();
    set(headers, ETAG, &tag);
    set(headers, CACHE_CONTROL, "private, max-age=86400, immutable");
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    set(headers, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    Ok(response)
}

/// The reader that a signed URL names; none if the URL has nothing of a signed one.
fn signed_reader(app: &App, id: &str, query: &str) -> Option<Result<Reader, Failure>> {
    let pairs = super::meta::query_pairs(query);
    let part = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let parts = [part("reader"), part("expires"), part("signature")];
    parts.iter().any(Option::is_some).then_some(())?;
    let service = &app.service;
    let reader = match parts {
        [Some(reader), Some(expires), Some(signature)] => {
            let check =
                |expires| service.signer.check(id, reader, expires, signature, service.clock.now());
            expires.parse().ok().and_then(check)
        }
        _ => None,
    };
    Some(reader.ok_or_else(|| {
        let detail = "the URL was changed or has expired: ask for the generation again";
        Problem::new(ProblemCode::Forbidden, detail).into()
    }))
}

/// Whether the client has it: a tag that a proxy made weak names the same bytes.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let names = |known: &str| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag;
    headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| names(known.trim())))
}
