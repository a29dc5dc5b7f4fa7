//! Assets: uploads, lists, and their bytes for whoever has a key or a signed URL.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_SECURITY_POLICY, ETAG, HeaderName, IF_RANGE, LOCATION, RANGE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse as _;

use super::App;
use super::body::JsonText;
use super::multipart;
use super::path::Name;
use super::reply::{Failure, Reply, bytes, is_known, json, set};
use crate::problem::{Fault, Problem, ProblemCode};
use crate::service::{Caller, File, Which, read_asset_patch};
use crate::store::{AssetQuery, Reader, SyncStatus};

pub(super) async fn upload(State(app): State<App>, caller: Caller, request: Request) -> Reply {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let (content, file_name) = match multipart::boundary(&headers) {
        Some(boundary) => {
            let mut files = multipart::parts(&app, boundary, body).await?.files;
            let file = files.pop().filter(|_| files.is_empty()).ok_or_else(|| {
                let detail = "send one file: each is an asset of its own";
                Problem::faults(vec![Fault::new("", "multipart/files", detail)])
            })?;
            (file.content, file.file_name)
        }
        None => {
            let media = multipart::media_type(&headers).unwrap_or_default();
            let is_file = ["image/", "video/", "application/octet-stream"]
                .iter()
                .any(|known| media.starts_with(known));
            if !is_file {
                let detail = "send the file itself, with the header `Content-Type: image/png` (or \
                              another of its kind), or as a part of `multipart/form-data`";
                return Err(Problem::new(ProblemCode::UnsupportedMedia, detail).into());
            }
            (multipart::file(&app, &headers, body).await?, None)
        }
    };
    let upload = app.service.upload(&caller, content, file_name.as_deref()).await?;
    let status = if upload.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = json(status, &upload.asset);
    let location = format!("/api/v1/assets/{}", upload.asset.id);
    set(response.headers_mut(), LOCATION, &location);
    Ok(response)
}

pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Reply {
    let query = list_query(query.as_deref().unwrap_or(""))?;
    Ok(json(StatusCode::OK, &app.service.assets(&caller, &query).await?))
}

/// Reads the query of a list; every fault at once.
fn list_query(query: &str) -> Result<AssetQuery, Problem> {
    let mut wanted = AssetQuery { limit: 50, ..AssetQuery::default() };
    let mut faults = Vec::new();
    for (name, value) in super::meta::query_pairs(query) {
        let mut fault = |detail: String| {
            faults.push(Fault::new(&format!("/{name}"), "query/not-understood", detail));
        };
        match name.as_str() {
            _ if value.contains('\0') => fault("the character U+0000 is in no text".to_owned()),
            "tag" => wanted.tag = Some(value),
            "q" => wanted.text = Some(value).filter(|text| !text.is_empty()),
            "provider_id" => wanted.provider = Some(value),
            "generation_id" => wanted.generation = Some(value),
            "media" => match value.as_str() {
                "image" | "video" => wanted.kind = Some(value),
                _ => fault(format!("`{value}` is neither `image` nor `video`")),
            },
            "media_type" => wanted.media_type = Some(value.replace(['%', '_'], "")),
            "source" => match value.as_str() {
                "upload" => wanted.uploads = Some(true),
                "generation" => wanted.uploads = Some(false),
                _ => fault(format!("`{value}` is neither `upload` nor `generation`")),
            },
            "sync_status" => match SyncStatus::parse(&value) {
                Some(status) => wanted.sync = Some(status),
                None => {
                    fault(format!("`{value}` is none of remote, downloading, downloaded, error"));
                }
            },
            "limit" => match value.parse::<usize>() {
                Ok(limit @ 1..=200) => wanted.limit = limit,
                _ => fault(format!("`{value}` is no limit: 1 to 200")),
            },
            "cursor" => match super::generations::cursor(&value) {
                Some(after) => wanted.after = Some(after),
                None => {
                    fault("the cursor is none of ours: pass `next_cursor` on as it is".to_owned());
                }
            },
            _ => fault(format!(
                "`{name}` is not known: tag, q, provider_id, generation_id, media, media_type, \
                 source, sync_status, limit, cursor"
            )),
        }
    }
    if faults.is_empty() { Ok(wanted) } else { Err(Problem::faults(faults)) }
}

pub(super) async fn get(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    Ok(json(StatusCode::OK, &app.service.asset(&caller, &id).await?))
}

pub(super) async fn patch(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name,
    JsonText(text): JsonText,
) -> Reply {
    let patch = read_asset_patch(&text)?;
    Ok(json(StatusCode::OK, &app.service.patch_asset(&caller, &id, &patch).await?))
}

pub(super) async fn delete(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    app.service.delete_asset(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn lineage(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    Ok(json(StatusCode::OK, &app.service.lineage(&caller, &id).await?))
}

pub(super) async fn sync(State(app): State<App>, caller: Caller, Name(id): Name) -> Reply {
    Ok(json(StatusCode::OK, &app.service.sync(&caller, &id).await?))
}

pub(super) async fn file(
    State(app): State<App>,
    Name(id): Name,
    RawQuery(query): RawQuery,
    request: Request,
) -> Reply {
    send(app, &id, Which::File, query.as_deref().unwrap_or(""), request).await
}

pub(super) async fn small(
    State(app): State<App>,
    Name(id): Name,
    RawQuery(query): RawQuery,
    request: Request,
) -> Reply {
    send(app, &id, Which::Thumbnail, query.as_deref().unwrap_or(""), request).await
}

/// A file of an asset, to whoever may read it: by key, by signed URL, or because everybody may.
async fn send(app: App, id: &str, which: Which, query: &str, request: Request) -> Reply {
    let (mut parts, _) = request.into_parts();
    let reader = match signed_reader(&app, (id, which), query) {
        Some(signed) => Some(signed?),
        None if !parts.headers.contains_key(AUTHORIZATION) => None,
        None => Some(Caller::from_request_parts(&mut parts, &app).await?.reader),
    };
    let File { media_type, blob, public } =
        app.service.asset_file(reader.as_ref(), id, which).await?;
    let whose = if public { "public" } else { "private" };
    let size = u64::try_from(blob.bytes).unwrap_or(0);
    let tag = format!("\"{}\"", blob.sha256);
    const SHOWN: [&str; 6] =
        ["image/png", "image/jpeg", "image/webp", "image/gif", "video/mp4", "video/webm"];
    // What a browser must not interpret is offered as bytes.
    let known_type = SHOWN.into_iter().find(|known| *known == media_type);
    let media_type = known_type.unwrap_or("application/octet-stream");
    let known = is_known(&parts.headers, &blob.sha256);
    if !known && let Some(url) = app.service.bucket_url(id, &blob, media_type).await? {
        let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
        set(response.headers_mut(), LOCATION, &url);
        // Not for longer than the URL holds.
        set(response.headers_mut(), CACHE_CONTROL, format!("{whose}, max-age=240"));
        return Ok(response);
    }
    let mut response = if known {
        bytes(StatusCode::NOT_MODIFIED, media_type, Vec::new())
    } else {
        match wanted_range(&parts.headers, &tag, size) {
            Wanted::All => {
                let body = Body::from_stream(app.service.bytes(id, &blob, None).await?);
                let mut response = bytes(StatusCode::OK, media_type, body);
                set(response.headers_mut(), CONTENT_LENGTH, size.to_string());
                response
            }
            Wanted::Part(range) => {
                let (first, length) = (range.start, range.end - range.start);
                let said = format!("bytes {first}-{}/{size}", range.end - 1);
                let part = app.service.bytes(id, &blob, Some(range)).await?;
                let body = Body::from_stream(part);
                let mut response = bytes(StatusCode::PARTIAL_CONTENT, media_type, body);
                let headers = response.headers_mut();
                set(headers, CONTENT_LENGTH, length.to_string());
                set(headers, CONTENT_RANGE, &said);
                response
            }
            Wanted::Nothing => {
                let detail = format!("the file has {size} bytes");
                let problem = Problem::new(ProblemCode::RangeNotSatisfiable, detail);
                let mut response = Failure::from(problem).into_response();
                set(response.headers_mut(), CONTENT_RANGE, format!("bytes */{size}"));
                return Ok(response);
            }
        }
    };
    let headers = response.headers_mut();
    set(headers, ETAG, &tag);
    set(headers, ACCEPT_RANGES, "bytes");
    set(headers, CACHE_CONTROL, format!("{whose}, max-age=86400, immutable"));
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    set(headers, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    if known_type.is_none() {
        set(headers, CONTENT_DISPOSITION, "attachment");
    }
    Ok(response)
}

/// What of a file is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(Range<u64>),
    Nothing,
}

/// The one range that a request asks for (RFC 9110, 14). Several at once are answered whole, and so
/// is a range of what the file was before.
fn wanted_range(headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(IF_RANGE).is_some_and(|known| known != tag) {
        return Wanted::All;
    }
    let Some(range) = text(RANGE).and_then(|range| range.trim().strip_prefix("bytes=")) else {
        return Wanted::All;
    };
    let Some((first, last)) = range.trim().split_once('-').filter(|_| !range.contains(',')) else {
        return Wanted::All;
    };
    let range = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..size,
        (Err(_), Ok(length)) if first.trim().is_empty() => size.saturating_sub(length)..size,
        _ => return Wanted::All,
    };
    if range.start >= range.end { Wanted::Nothing } else { Wanted::Part(range) }
}

/// The reader that a signed URL names; none if the URL has nothing of a signed one.
fn signed_reader(
    app: &App,
    (id, which): (&str, Which),
    query: &str,
) -> Option<Result<Reader, Failure>> {
    let pairs = super::meta::query_pairs(query);
    let part = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let parts = [part("reader"), part("expires"), part("signature")];
    parts.iter().any(Option::is_some).then_some(())?;
    let service = &app.service;
    let reader = match parts {
        [Some(reader), Some(expires), Some(signature)] => {
            let check = |expires| {
                let file = (id, which.word());
                service.signer.check(file, reader, expires, signature, service.clock.now())
            };
            expires.parse().ok().and_then(check)
        }
        _ => None,
    };
    Some(reader.ok_or_else(|| {
        let detail = "the URL was changed or has expired: ask for the generation again";
        Problem::new(ProblemCode::Forbidden, detail).into()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_everything_else_is_the_whole() {
        let wanted = |range: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, range.parse().unwrap());
            wanted_range(&headers, "\"x\"", 100)
        };
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=10-19", Wanted::Part(10..20)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=90-1000", Wanted::Part(90..100)),
            ("bytes=-5", Wanted::Part(95..100)),
            ("bytes=-500", Wanted::Part(0..100)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-4", Wanted::All),
            ("bytes=0-1,5-6", Wanted::All),
            ("bytes=x-y", Wanted::All),
            ("lines=0-1", Wanted::All),
            ("bytes=-", Wanted::All),
        ] {
            assert_eq!(wanted(range), expected, "{range}");
        }
    }
}
