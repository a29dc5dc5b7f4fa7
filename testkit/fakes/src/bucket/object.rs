//! Objects: put, read, listed, removed, and put together of parts.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use sha2::{Digest as _, Sha256};

use super::{BucketCall, State, refusal, xml};
use crate::book::hex;
use crate::http::{Asked, Reply};

/// The smallest part that is not the last.
const LEAST_PART: usize = 5 << 20;

/// Objects of a page.
const PAGE: usize = 50;

/// Bytes under a name.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) bytes: Bytes,
    kind: String,
    tag: String,
    at: Timestamp,
}

/// An upload on its way: where it goes, what it is, and its parts.
#[derive(Debug)]
pub(super) struct Upload {
    key: String,
    kind: String,
    parts: BTreeMap<u32, Bytes>,
}

impl Object {
    fn new(bytes: Bytes, kind: String) -> Self {
        let mut tag = hex(&Sha256::digest(&bytes));
        tag.truncate(32);
        Self { bytes, kind, tag: format!("\"{tag}\""), at: Timestamp::now() }
    }
}

pub(super) fn answer(
    state: &mut State,
    call: BucketCall,
    key: &str,
    asked: &Asked,
    pairs: &[(String, String)],
) -> Reply {
    let of = |name: &str| {
        pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    };
    let kind = asked.header("content-type").unwrap_or("binary/octet-stream").to_owned();
    match call {
        BucketCall::Put => {
            if asked.header("if-none-match") == Some("*") && state.objects.contains_key(key) {
                return refusal(412, "PreconditionFailed");
            }
            let object = Object::new(asked.body.clone(), kind);
            let reply = xml(200, "").with("etag", object.tag.clone());
            state.objects.insert(key.to_owned(), object);
            reply
        }
        BucketCall::Get => get(state, key, asked, of("response-content-type")),
        BucketCall::List => list(state, of("prefix"), of("continuation-token")),
        BucketCall::Delete => delete(state, key, asked),
        BucketCall::Begin => {
            let id = crate::book::fresh(state.uploads.len());
            let upload = Upload { key: key.to_owned(), kind, parts: BTreeMap::new() };
            state.uploads.insert(id.clone(), upload);
            xml(
                200,
                &format!(
                    "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                ),
            )
        }
        BucketCall::Part => {
            let number = of("partNumber").parse().unwrap_or(0);
            let Some(upload) = state.uploads.get_mut(of("uploadId")) else {
                return refusal(404, "NoSuchUpload");
            };
            let tag = Object::new(asked.body.clone(), kind).tag;
            upload.parts.insert(number, asked.body.clone());
            xml(200, "").with("etag", tag)
        }
        BucketCall::Complete => complete(state, of("uploadId")),
        BucketCall::Abort => match state.uploads.remove(of("uploadId")) {
            Some(_) => xml(204, ""),
            None => refusal(404, "NoSuchUpload"),
        },
    }
}

/// An object, or a part of it; as media of another kind, if a signed URL says so.
fn get(state: &State, key: &str, asked: &Asked, kind: &str) -> Reply {
    let Some(object) = state.objects.get(key) else { return refusal(404, "NoSuchKey") };
    let size = object.bytes.len();
    let at = DateTimePrinter::new().timestamp_to_rfc9110_string(&object.at).unwrap_or_default();
    let reply = |status, body: Bytes| Reply {
        status,
        headers: vec![
            ("content-type", if kind.is_empty() { &object.kind } else { kind }.to_owned()),
            ("etag", object.tag.clone()),
            ("last-modified", at.clone()),
            ("accept-ranges", "bytes".to_owned()),
        ],
        body,
        after: Duration::ZERO,
    };
    if asked.method == Method::HEAD {
        let mut head = reply(200, Bytes::new());
        head.headers.push(("content-length", size.to_string()));
        return head;
    }
    let range = asked.header("range").and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return reply(200, object.bytes.clone());
    };
    let (from, to) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => (first, (last + 1).min(size)),
        (Ok(first), Err(_)) => (first, size),
        (Err(_), Ok(length)) => (size.saturating_sub(length), size),
        _ => return refusal(400, "InvalidRange"),
    };
    if from >= to {
        return refusal(416, "InvalidRange");
    }
    let said = format!("bytes {from}-{}/{size}", to - 1);
    reply(206, object.bytes.slice(from..to)).with("content-range", said)
}

fn list(state: &State, prefix: &str, after: &str) -> Reply {
    let mut found = state
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after)
        .peekable();
    let page: Vec<_> = found.by_ref().take(PAGE).collect();
    let contents: String = page
        .iter()
        .map(|(key, object)| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>{}</LastModified><ETag>{}</ETag>\
                 <Size>{}</Size></Contents>",
                object.at,
                object.tag.replace('"', "&quot;"),
                object.bytes.len()
            )
        })
        .collect();
    let next = page.last().filter(|_| found.peek().is_some());
    let next = next.map_or_else(String::new, |(key, _)| {
        format!("<NextContinuationToken>{key}</NextContinuationToken>")
    });
    let more = !next.is_empty();
    xml(
        200,
        &format!(
            "<ListBucketResult><IsTruncated>{more}</IsTruncated>{contents}{next}</ListBucketResult>"
        ),
    )
}

fn delete(state: &mut State, key: &str, asked: &Asked) -> Reply {
    if !key.is_empty() {
        state.objects.remove(key);
        return xml(204, "");
    }
    let text = String::from_utf8_lossy(&asked.body).into_owned();
    let keys = text.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
    let mut deleted = String::new();
    for key in keys {
        // One that is not there is as good as removed.
        state.objects.remove(key);
        deleted.push_str(&format!("<Deleted><Key>{key}</Key></Deleted>"));
    }
    xml(200, &format!("<DeleteResult>{deleted}</DeleteResult>"))
}

fn complete(state: &mut State, id: &str) -> Reply {
    let Some(upload) = state.uploads.get(id) else { return refusal(404, "NoSuchUpload") };
    let parts: Vec<&Bytes> = upload.parts.values().collect();
    let small = parts.iter().rev().skip(1).any(|part| part.len() < LEAST_PART);
    if parts.is_empty() || small {
        return refusal(400, "EntityTooSmall");
    }
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
    let object = Object::new(bytes.into(), upload.kind.clone());
    let tag = object.tag.replace('"', "&quot;");
    let key = upload.key.clone();
    state.objects.insert(key, object);
    state.uploads.remove(id);
    xml(
        200,
        &format!(
            "<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>"
        ),
    )
}
