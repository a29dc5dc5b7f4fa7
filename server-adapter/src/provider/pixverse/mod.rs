//! PixVerse: videos of its own models, over the API of its platform.
//!
//! A picture or a video that something starts from is handed over first and has a number from then
//! on. The API cannot be asked to stop, and does not tell what became of a submission whose answer
//! was lost: such a one is never sent again.

mod client;
mod params;
mod status;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use onepath_core::lifecycle::ErrorCode;
use onepath_core::{GenerateContentRequest, InputRole, MediaType, ProviderInfo};
use serde::Deserialize;

use super::account::{Credentials, Credits, Secret};
use super::media::{Fetcher, Part, form, hand_over};
use super::params::{Params, Places, read};
use super::port::{
    File, Found, NoAnswer, Output, Provider, Refusal, Standing, Submission, SubmitError,
};
use super::setup::{Adapter, Opened, Opening, Variable, reach};
use super::wire::{Ask, Wire};
use crate::asset::Intake;
use crate::guard::Hosts;
use client::Api;

/// Files that were handed over stay for longer; nobody says for how long.
const KEPT: Duration = Duration::from_secs(45 * 60);

/// Its line in the table of adapters.
pub(crate) const ADAPTER: Adapter = Adapter {
    id: "pixverse",
    variables: &[
        Variable { name: "PIXVERSE_API_KEY", about: "the key" },
        Variable { name: "PIXVERSE_API_URL", about: "the address, if not app-api.pixverse.ai" },
    ],
    open,
};

const USUAL: &str = "https://app-api.pixverse.ai";

/// The operator's part of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OfFile {
    /// The address.
    url: Option<String>,
}

fn open(opening: &Opening<'_>) -> Opened {
    let part: Option<OfFile> = opening.part()?;
    let key = opening.variable("PIXVERSE_API_KEY");
    if part.is_none() && key.is_none() {
        return Ok(None);
    }
    let fetcher = Fetcher {
        wire: opening.wire.clone(),
        guard: opening.guard.clone(),
        hosts: Hosts::new(["media.pixverse.ai", "*.pixverse.ai", "*.pixverseai.cn"]),
    };
    let url = part.unwrap_or_default().url;
    Ok(Some(Arc::new(Pixverse {
        wire: opening.wire.clone(),
        base: opening.address(url, "PIXVERSE_API_URL", USUAL)?,
        key,
        info: super::declared("pixverse").ok_or_else(|| opening.fail("it is not declared"))?,
        fetcher,
    })))
}

/// The provider `pixverse`.
#[derive(Debug)]
struct Pixverse {
    wire: Wire,
    base: String,
    key: Option<Secret>,
    info: &'static ProviderInfo<'static>,
    fetcher: Fetcher,
}

/// Which of the API's halves makes what a request asks for.
fn kind_of(request: &GenerateContentRequest<'_>) -> &'static str {
    match request.operation().media() {
        MediaType::Image => "image",
        _ => "video",
    }
}

impl Pixverse {
    fn api(&self, account: Option<&Credentials>) -> Api {
        let (base, key) = reach(account, &self.base, self.key.as_ref());
        Api { base: base.to_owned(), key: key.cloned() }
    }

    /// Hands over what a request starts from; each has its number from then on.
    async fn places(
        &self,
        submission: &Submission,
        request: &GenerateContentRequest<'_>,
    ) -> Result<Places, SubmitError> {
        let mut places = Places::new();
        for input in request.inputs.iter().flatten() {
            let reference = input.reference.as_str();
            let place = match (input.role, submission.files.get(reference)) {
                // It is there already.
                (InputRole::OriginalVideo, _) => continue,
                (_, Some(file)) => hand_over(self, submission, reference, file).await?,
                (InputRole::Video, None) if is_url(reference) => {
                    self.hand_over(submission, "media", "file_url", reference).await?
                }
                (_, None) if is_url(reference) => {
                    self.hand_over(submission, "image", "image_url", reference).await?
                }
                // What has no bytes is refused where its place is needed.
                (_, None) => continue,
            };
            places.put(reference, place);
        }
        Ok(places)
    }

    /// Hands over what lies at a URL.
    async fn hand_over(
        &self,
        submission: &Submission,
        kind: &str,
        field: &str,
        url: &str,
    ) -> Result<String, SubmitError> {
        let parts = [(field.to_owned(), Part::Text(url.to_owned()))];
        let api = self.api(submission.account.as_ref());
        self.uploaded(api.upload(kind, form(&parts))).await
    }

    /// The number of what was handed over. It costs nothing: one that is lost is handed over again.
    async fn uploaded(&self, ask: Ask) -> Result<String, SubmitError> {
        let gone = |detail: String| Refusal::new(ErrorCode::ProviderUnavailable, detail);
        let answer = self.wire.send(ask).await.map_err(|error| gone(error.to_string()))?;
        let told = status::taken(&answer).map_err(|error| match error {
            SubmitError::Lost(detail) => SubmitError::Refused(gone(detail)),
            // What it says no to here is the picture, not the prompt.
            SubmitError::Refused(mut refusal) => {
                if refusal.code == ErrorCode::ContentPromptRejected {
                    refusal.code = ErrorCode::ContentImageRejected;
                }
                SubmitError::Refused(refusal)
            }
        })?;
        let id = status::id(told.get("img_id").or_else(|| told.get("media_id")));
        Ok(id.ok_or_else(|| gone(format!("{}, and no number in it", answer.seen())))?)
    }
}

fn is_url(reference: &str) -> bool {
    reference.starts_with("https://") || reference.starts_with("http://")
}

#[async_trait]
impl Provider for Pixverse {
    fn info(&self) -> &ProviderInfo<'static> {
        self.info
    }

    fn params(
        &self,
        request: &GenerateContentRequest<'_>,
        places: &Places,
    ) -> Result<Params, Refusal> {
        params::params(request, places)
    }

    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError> {
        let request = read(&submission.request)?;
        let places = self.places(submission, &request).await?;
        let params = self.params(&request, &places)?;
        let api = self.api(submission.account.as_ref());
        let ask = api.create(&params.path, &params.body, &submission.token);
        let answer = self.wire.send(ask).await?;
        let told = status::taken(&answer)?;
        let id = status::id(told.get(format!("{}_id", kind_of(&request))))
            .or_else(|| status::id(told.get("video_id").or_else(|| told.get("image_id"))));
        // It was taken, whatever the answer says.
        id.ok_or_else(|| SubmitError::Lost(format!("{}, and no id in it", answer.seen())))
    }

    async fn status(
        &self,
        submission: &Submission,
        prediction: &str,
    ) -> Result<Standing, NoAnswer> {
        let (Ok(request), Some(id)) =
            (read(&submission.request), status::id(Some(&prediction.into())))
        else {
            return Ok(Standing::unknown("this is no id of a prediction"));
        };
        let api = self.api(submission.account.as_ref());
        let answer = self.wire.send(api.result(kind_of(&request), &id)).await?;
        let told = status::told(&answer)?;
        let of = status::id(told.get("id").or_else(|| told.get("image_id")));
        if of.is_some_and(|of| of != id) {
            return Err(NoAnswer::new(format!("{}, about something else", answer.seen())));
        }
        Ok(status::standing(&told))
    }

    /// Nothing there is known by a token of ours.
    async fn find(&self, _: &Submission) -> Result<Found, NoAnswer> {
        Ok(Found::CannotTell)
    }

    fn visibility(&self) -> Duration {
        Duration::ZERO
    }

    fn keeps_uploads(&self) -> Option<Duration> {
        Some(KEPT)
    }

    /// The API knows no such wish: what was taken is made.
    async fn cancel(&self, _: &Submission, _: &str) -> Result<(), NoAnswer> {
        Ok(())
    }

    async fn fetch(&self, submission: &Submission, output: &Output) -> Result<Vec<u8>, NoAnswer> {
        // Whoever knows the URL may read it: no key goes there.
        let base = self.api(submission.account.as_ref()).base;
        self.fetcher.fetch(&output.location, &base, |url| Ask::get(url.to_owned())).await
    }

    async fn fetch_into(
        &self,
        submission: &Submission,
        output: &Output,
        intake: &mut Intake,
    ) -> Result<(), NoAnswer> {
        let base = self.api(submission.account.as_ref()).base;
        let own = |url: &str| Ask::get(url.to_owned());
        self.fetcher.fetch_into(&output.location, &base, own, intake).await
    }

    async fn upload(&self, submission: &Submission, file: &File) -> Result<String, SubmitError> {
        let is_picture = file.media_type.starts_with("image/");
        let (kind, field) = if is_picture { ("image", "image") } else { ("media", "file") };
        let parts = [(field.to_owned(), Part::File(file))];
        let api = self.api(submission.account.as_ref());
        self.uploaded(api.upload(kind, form(&parts))).await
    }

    async fn credits(&self, account: Option<&Credentials>) -> Result<Option<Credits>, NoAnswer> {
        let answer = self.wire.send(self.api(account).balance()).await?;
        Ok(Some(status::credits(&status::told(&answer)?)))
    }

    /// Its webhooks are set up by hand in its console, and are not taken.
    fn takes_webhooks(&self) -> bool {
        false
    }
}
