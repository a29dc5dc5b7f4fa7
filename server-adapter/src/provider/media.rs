//! Media on its way: inputs as data URLs and forms, outputs from where a provider put them.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onepath_core::GenerateContentRequest;
use onepath_core::lifecycle::ErrorCode;
use reqwest::{Response, Url};
use sha2::{Digest as _, Sha256};

use super::params::invalid;
use super::port::{File, NoAnswer, Provider, Refusal, Submission, SubmitError};
use super::wire::{Ask, Payload, Wire};
pub(crate) use crate::asset::MOST_OUTPUT;
use crate::asset::{Content, Intake, IntakeError, inspect};
use crate::clock::hex;
use crate::guard::{Fetch, Guard, GuardError, Hosts, body};

/// How long an output may take on its way.
const DOWNLOAD: Duration = Duration::from_secs(300);

/// Redirects that the fetching of an output follows.
const REDIRECTS: u32 = 3;

/// A file as a `data:` URL.
pub(crate) fn data_url(file: &File) -> String {
    format!("data:{};base64,{}", file.media_type, STANDARD.encode(&file.bytes))
}

/// The bytes of a `data:` URL.
fn of_data_url(url: &str) -> Option<Vec<u8>> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    if head.ends_with(";base64") {
        return STANDARD.decode(data).ok();
    }
    None
}

/// A file's own name at the provider: as it was handed over before, or else now.
pub(crate) async fn hand_over(
    provider: &dyn Provider,
    submission: &Submission,
    reference: &str,
    file: &File,
) -> Result<String, SubmitError> {
    let lives = provider.keeps_uploads();
    let copies = submission.copies.as_ref().zip(lives);
    if let Some((copies, _)) = copies
        && let Some(known) = copies.known(reference).await
    {
        return Ok(known);
    }
    let place = provider.upload(submission, file).await?;
    if let Some((copies, lives)) = copies {
        copies.keep(reference, &place, lives).await;
    }
    Ok(place)
}

/// A name for a file, by its kind: providers look at the ending.
pub(crate) fn file_name(file: &File) -> String {
    let ending = match file.media_type.as_str() {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        _ => "bin",
    };
    let name: String = file.sha256.chars().take(16).collect();
    format!("{name}.{ending}")
}

/// A part of a form.
pub(crate) enum Part<'p> {
    /// Text.
    Text(String),
    /// A file.
    File(&'p File),
}

/// A form (`multipart/form-data`). Its boundary is a hash of what is in it, so that the same form
/// is the same bytes and no part holds it.
pub(crate) fn form(parts: &[(String, Part<'_>)]) -> Payload {
    let mut hash = Sha256::new();
    for (name, part) in parts {
        hash.update(name);
        match part {
            Part::Text(text) => hash.update(text),
            Part::File(file) => hash.update(&file.bytes),
        }
    }
    let boundary = hex(&hash.finalize());
    let mut bytes = Vec::new();
    for (name, part) in parts {
        bytes.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        let head = format!("Content-Disposition: form-data; name=\"{name}\"");
        match part {
            Part::Text(text) => {
                bytes.extend_from_slice(format!("{head}\r\n\r\n{text}\r\n").as_bytes());
            }
            Part::File(file) => {
                let (name, kind) = (file_name(file), &file.media_type);
                let head = format!("{head}; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n");
                bytes.extend_from_slice(head.as_bytes());
                bytes.extend_from_slice(&file.bytes);
                bytes.extend_from_slice(b"\r\n");
            }
        }
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Payload { content_type: format!("multipart/form-data; boundary={boundary}"), bytes }
}

/// Bytes of an input that is fetched at most.
const MOST_INPUT: usize = 100 << 20;

/// The files that a request starts from, for a provider that fetches nothing itself: those that came
/// with the submission, and those behind URLs, which are fetched through the guard.
pub(crate) async fn gather(
    guard: &Guard,
    request: &GenerateContentRequest<'_>,
    submission: &Submission,
) -> Result<BTreeMap<String, File>, Refusal> {
    let mut files = submission.files.clone();
    for input in request.inputs.iter().flatten() {
        let reference = input.reference.as_str();
        let is_url = ["https://", "http://"].iter().any(|scheme| reference.starts_with(scheme));
        if is_url && !files.contains_key(reference) {
            files.insert(reference.to_owned(), fetch_input(guard, reference).await?);
        }
    }
    Ok(files)
}

async fn fetch_input(guard: &Guard, reference: &str) -> Result<File, Refusal> {
    let bad = |why: &dyn std::fmt::Display| invalid(format!("an input cannot be used: {why}"));
    // Asking again may help.
    let gone = |why: &dyn std::fmt::Display| {
        Refusal::new(ErrorCode::ProviderUnavailable, format!("an input is not there: {why}"))
    };
    let failed = |error: GuardError| match &error {
        GuardError::Refused(_) | GuardError::TooLarge(_) => bad(&error),
        _ => gone(&error),
    };
    let url = Url::parse(reference).map_err(|error| bad(&error))?;
    let ask = Fetch { redirects: REDIRECTS, ..Fetch::new(&url) };
    let response = guard.fetch(&ask).await.map_err(failed)?;
    let status = response.status();
    if !status.is_success() {
        let why = format!("it is answered with {status}");
        return Err(if status.is_client_error() { bad(&why) } else { gone(&why) });
    }
    let content = Content::of(body(response, MOST_INPUT).await.map_err(failed)?);
    let looked = content.clone();
    let inspected = tokio::task::spawn_blocking(move || inspect(&looked)).await;
    let inspected = inspected.map_err(|error| gone(&error))?.map_err(|error| bad(&error))?;
    Ok(File {
        media_type: inspected.media_type.to_owned(),
        bytes: content.in_memory().cloned().unwrap_or_default(),
        sha256: content.sha256,
    })
}

/// Fetches outputs: from the provider's own address, which the operator named, or through the guard
/// from hosts that the provider is known to put them at.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    pub(crate) wire: Wire,
    pub(crate) guard: Guard,
    pub(crate) hosts: Hosts,
}

impl Fetcher {
    /// The bytes at a place, in memory.
    pub(crate) async fn fetch(
        &self,
        place: &str,
        base: &str,
        own: impl Fn(&str) -> Ask,
    ) -> Result<Vec<u8>, NoAnswer> {
        if place.starts_with("data:") {
            return of_data_url(place).ok_or_else(|| NoAnswer::new("a data URL cannot be read"));
        }
        let response = self.open(place, base, own).await?;
        body(response, MOST_OUTPUT).await.map_err(|error| NoAnswer::new(error.to_string()))
    }

    /// The bytes at a place, into where large files do not lie in memory.
    pub(crate) async fn fetch_into(
        &self,
        place: &str,
        base: &str,
        own: impl Fn(&str) -> Ask,
        intake: &mut Intake,
    ) -> Result<(), NoAnswer> {
        let not_taken = |error: IntakeError| NoAnswer::new(error.to_string());
        if place.starts_with("data:") {
            let bytes = of_data_url(place);
            let bytes = bytes.ok_or_else(|| NoAnswer::new("a data URL cannot be read"))?;
            return intake.write(&bytes).await.map_err(not_taken);
        }
        let mut response = self.open(place, base, own).await?;
        if response.content_length().is_some_and(|length| length > intake.most()) {
            return Err(not_taken(IntakeError::TooLarge(intake.most())));
        }
        let broken = |error: reqwest::Error| NoAnswer::new(error.without_url().to_string());
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            intake.write(&chunk).await.map_err(not_taken)?;
        }
        Ok(())
    }

    /// The answer at a place. `own` makes the call for a URL at the provider's own address, which
    /// may carry a key; nobody else sees it.
    async fn open(
        &self,
        place: &str,
        base: &str,
        own: impl Fn(&str) -> Ask,
    ) -> Result<Response, NoAnswer> {
        let broken = || NoAnswer::new("the place of an output is no URL");
        let base = Url::parse(base).map_err(|_| broken())?;
        let mut url = Url::parse(place).map_err(|_| broken())?;
        for _ in 0..=REDIRECTS {
            if url.origin() != base.origin() {
                return self.open_elsewhere(&url).await;
            }
            let answer = self.wire.open(own(url.as_str()).within(DOWNLOAD)).await?;
            match redirect(&url, &answer) {
                Some(next) => url = next,
                None if answer.status().is_success() => return Ok(answer),
                None => return Err(not_there(answer.status())),
            }
        }
        Err(NoAnswer::new("the place of an output redirects too often"))
    }

    async fn open_elsewhere(&self, url: &Url) -> Result<Response, NoAnswer> {
        let failed = |error: GuardError| NoAnswer::new(error.to_string());
        let hosts = Some(&self.hosts);
        let ask = Fetch { hosts, redirects: REDIRECTS, ..Fetch::new(url) };
        let response = self.guard.fetch(&ask).await.map_err(failed)?;
        let status = response.status();
        if status.is_success() { Ok(response) } else { Err(not_there(status)) }
    }
}

fn not_there(status: StatusCode) -> NoAnswer {
    NoAnswer::new(format!("an output is answered with {status}"))
}

fn redirect(url: &Url, answer: &Response) -> Option<Url> {
    if !answer.status().is_redirection() {
        return None;
    }
    let location = answer.headers().get(axum::http::header::LOCATION)?;
    url.join(location.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn file() -> File {
        let bytes = Bytes::from_static(b"\x89PNG\r\n");
        File { media_type: "image/png".to_owned(), bytes, sha256: "00ff".repeat(16) }
    }

    #[test]
    fn a_data_url_gives_its_bytes_back() {
        let url = data_url(&file());
        assert_eq!(url, "data:image/png;base64,iVBORw0K");
        assert_eq!(of_data_url(&url).unwrap(), file().bytes);
        for broken in ["data:image/png,raw", "data:;base64", "data:;base64,?"] {
            assert_eq!(of_data_url(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_form_is_the_same_bytes_each_time() {
        let file = file();
        let parts = [
            ("type".to_owned(), Part::Text("image/png".to_owned())),
            ("content".to_owned(), Part::File(&file)),
        ];
        let (one, two) = (form(&parts), form(&parts));
        assert_eq!((&one.content_type, &one.bytes), (&two.content_type, &two.bytes));
        let text = String::from_utf8_lossy(&one.bytes);
        assert!(text.contains(
            "name=\"content\"; filename=\"00ff00ff00ff00ff.png\"\r\nContent-Type: image/png\r\n\r\n"
        ));
        let boundary = one.content_type.split_once("boundary=").unwrap().1;
        assert!(text.ends_with(&format!("--{boundary}--\r\n")));
    }
}
