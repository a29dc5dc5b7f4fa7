//! Uploads: content that came, kept as its owner's asset; and creates that bring their files along.

use serde_json::Value;

use super::super::create::{Answered, Call};
use super::super::idempotency::content_fingerprint;
use super::super::plan::envelope;
use super::super::{Caller, Service};
use super::AssetView;
use crate::asset::{Content, IntakeError, inspect};
use crate::clock::{hex, month_end, new_id};
use crate::problem::{Fault, Problem, ProblemCode};
use crate::store::{Asset, Media, StoreError, Uploaded};
use sha2::{Digest as _, Sha256};

/// What an upload came to.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The asset.
    pub asset: AssetView,
    /// Whether it is new; otherwise the caller has these bytes already.
    pub is_new: bool,
}

/// A file that came beside an envelope.
#[derive(Debug, Clone)]
pub struct Part {
    /// The part's name, such as `input1`.
    pub name: String,
    /// What it is called for people.
    pub file_name: Option<String>,
    /// What is in it.
    pub content: Content,
}

/// Content that was not taken in.
#[must_use]
pub fn not_taken(error: &IntakeError) -> Problem {
    match error {
        IntakeError::TooLarge(most) => {
            let detail = format!("a file has up to {most} bytes");
            Problem::new(ProblemCode::PayloadTooLarge, detail)
        }
        IntakeError::Io(error) => {
            tracing::error!(%error, "a file was not written");
            Problem::new(ProblemCode::StorageFull, "the file cannot be written now")
        }
    }
}

impl Service {
    /// Keeps content as the caller's asset; the asset of theirs with the same bytes, if there is one.
    ///
    /// # Errors
    ///
    /// `UNSUPPORTED_MEDIA` for what is no picture or video, `LIMIT_EXCEEDED`, and when store or
    /// blobs do not answer.
    pub async fn upload(
        &self,
        caller: &Caller,
        content: Content,
        file_name: Option<&str>,
    ) -> Result<Upload, Problem> {
        let (asset, is_new) = self.keep(caller, content, file_name).await?;
        let asset = self.asset_view(&caller.reader, &asset, self.clock.now());
        Ok(Upload { asset, is_new })
    }

    async fn keep(
        &self,
        caller: &Caller,
        content: Content,
        file_name: Option<&str>,
    ) -> Result<(Asset, bool), Problem> {
        if let Some(known) = self.store.asset_with(&caller.reader, &content.sha256).await? {
            return Ok((known, false));
        }
        let looked = tokio::task::spawn_blocking(move || {
            let seen = inspect(&content);
            (content, seen)
        });
        let gone = |error: String| Problem::from(StoreError::Unavailable(error));
        let (content, seen) = looked.await.map_err(|error| gone(error.to_string()))?;
        let seen =
            seen.map_err(|error| Problem::new(ProblemCode::UnsupportedMedia, error.to_string()))?;
        let plan = self.standing(caller, None).await?.plan;
        let now = self.clock.now();
        let media = Media::of(&content, seen);
        let mut asset = Asset::upload(&caller.reader, new_id(&*self.clock), media, now);
        asset.name = file_name.and_then(shown_name);
        // What was counted on may be collected at the same moment: then the bytes are put anew.
        for _ in 0..3 {
            let blob = match self.store.blob(&content.sha256).await? {
                Some(_) => None,
                None => {
                    let put = self.blobs.put(&content, &*self.clock).await;
                    Some(put.map_err(|error| gone(error.to_string()))?)
                }
            };
            match self.store.keep_upload(asset.clone(), blob, plan).await? {
                Uploaded::New(asset) => return Ok((*asset, true)),
                Uploaded::Known(asset) => return Ok((*asset, false)),
                Uploaded::Limited(hit) => return Err(Problem::limited(hit, month_end(now))),
                Uploaded::BlobGone => {}
            }
        }
        Err(gone("the blob went away three times".to_owned()))
    }

    /// A create that brings files along: each is kept as the caller's asset, and takes the place of
    /// the reference that names its part.
    ///
    /// # Errors
    ///
    /// As an upload and a create; `VALIDATION_ERROR` for a part that nothing names, or a name
    /// without its part.
    pub async fn create_with_files(
        &self,
        caller: &Caller,
        text: &str,
        parts: Vec<Part>,
        mut call: Call,
    ) -> Result<Answered, Problem> {
        let read = envelope(text)?;
        if read.value.as_ref().is_some_and(|envelope| envelope.request.is_some()) {
            let detail = "a request that is built names its assets already: upload them first \
                          (POST /api/v1/assets), then build it";
            return Err(Problem::faults(vec![Fault::new("/request", "input/built", detail)]));
        }
        drop(read);
        let mut value: Value = serde_json::from_str(text)
            .map_err(|error| Problem::new(ProblemCode::MalformedJson, error.to_string()))?;
        let mut named: Vec<(String, Option<String>)> =
            parts.iter().map(|part| (part.name.clone(), None)).collect();
        // Looked at before anything is kept.
        place(&mut value.clone(), &mut named.clone(), &parts, |_| "asset:0".to_owned())?;
        let mut fingerprint = content_fingerprint(text);
        for part in &parts {
            fingerprint = format!("{fingerprint}\n{} {}", part.name, part.content.sha256);
        }
        let mut ids = Vec::with_capacity(parts.len());
        for part in &parts {
            let kept = self.keep(caller, part.content.clone(), part.file_name.as_deref()).await;
            let (asset, _) = kept.map_err(|mut problem| {
                problem.detail = format!("the part `{}`: {}", part.name, problem.detail);
                problem
            })?;
            ids.push(asset.id);
        }
        let id = |at: usize| format!("asset:{}", ids.get(at).map_or("", String::as_str));
        place(&mut value, &mut named, &parts, id)?;
        call.content = Some(hex(&Sha256::digest(&fingerprint)));
        self.create(caller, &value.to_string(), call).await
    }
}

/// A file's name as people may see it: never a path, and nothing that cannot be shown.
fn shown_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    // What turns the order of letters around makes another name of one.
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown: String = last.chars().filter(|c| !c.is_control() && !turns(*c)).take(255).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

/// Puts references in the place of the names of parts. A part that nothing names becomes what the
/// config starts from, if it starts from nothing else.
fn place(
    value: &mut Value,
    named: &mut [(String, Option<String>)],
    parts: &[Part],
    id: impl Fn(usize) -> String,
) -> Result<(), Problem> {
    let mut faults = Vec::new();
    let mut has_media = false;
    let Some(config) = value.get_mut("config").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    {
        let mut put = |text: &mut Value, pointer: String| {
            let Some(word) = text.as_str() else { return };
            has_media = has_media || !word.is_empty();
            if let Some(at) = named.iter().position(|(name, _)| name == word) {
                let reference = id(at);
                if let Some((_, used)) = named.get_mut(at) {
                    *used = Some(reference.clone());
                }
                *text = Value::String(reference);
            } else if is_part_name(word) {
                let detail = format!("there is no part `{word}`");
                faults.push(Fault::new(&pointer, "input/part-missing", detail));
            }
        };
        for (name, value) in config.iter_mut() {
            let pointer = format!("/config/{name}");
            match (name.as_str(), value) {
                ("imageUrl" | "image_url" | "videoUrl" | "video_url", text) => put(text, pointer),
                ("imageUrls" | "image_urls", Value::Array(list)) => {
                    for (at, text) in list.iter_mut().enumerate() {
                        put(text, format!("{pointer}/{at}"));
                    }
                }
                ("fusionAssets" | "fusion_assets", Value::Array(list)) => {
                    for (at, asset) in list.iter_mut().enumerate() {
                        if let Some(text) = asset.get_mut("ref") {
                            put(text, format!("{pointer}/{at}/ref"));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    let loose: Vec<usize> = (0..parts.len())
        .filter(|at| named.get(*at).is_some_and(|(_, used)| used.is_none()))
        .collect();
    if has_media {
        for at in &loose {
            let name = named.get(*at).map_or("", |(name, _)| name.as_str());
            let detail = format!("nothing in the config names `{name}`");
            faults.push(Fault::new(&format!("/{name}"), "input/not-named", detail));
        }
    } else if let [one] = loose[..] {
        config.insert("imageUrl".to_owned(), Value::String(id(one)));
    } else if !loose.is_empty() {
        let all = loose.iter().map(|at| Value::String(id(*at))).collect();
        config.insert("imageUrls".to_owned(), Value::Array(all));
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(faults)) }
}

/// `input1`, `input2`, …
fn is_part_name(word: &str) -> bool {
    word.strip_prefix("input")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}
