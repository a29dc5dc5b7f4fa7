//! ComfyUI: a server of one's own that runs workflows.
//!
//! A prompt is queued under an id that is made of the attempt's token, so that it is found again when
//! the answer to the submission was lost. The server does not look whether an id comes twice: whoever
//! lost an answer asks before anything is sent again. Its address is the operator's and may be a
//! private one; what comes from users goes through the guard.

mod client;
mod params;
mod status;
mod watch;
mod workflow;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_core::{GenerateContentRequest, ProviderInfo};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast;

use super::account::Secret;
use super::media::{Part, form, gather};
use super::params::{Params, Places, read};
use super::port::{
    File, Found, Hint, NoAnswer, Output, Provider, Refusal, Standing, Submission, SubmitError,
};
use super::setup::{Adapter, Opened, Opening, Variable, reach};
use super::wire::Wire;
use crate::guard::Guard;
use client::Api;
use status::{Place, Queued};
use watch::Watch;
use workflow::{OfFile as WorkflowOfFile, Workflows};

/// Its line in the table of adapters.
pub(crate) const ADAPTER: Adapter = Adapter {
    id: "comfyui",
    variables: &[
        Variable { name: "COMFYUI_URL", about: "the address, such as http://127.0.0.1:8188" },
        Variable { name: "COMFYUI_API_KEY", about: "the key, where something in front wants one" },
    ],
    open,
};

const USUAL: &str = "http://127.0.0.1:8188";

/// Prompts that were taken out of a queue and are remembered: the server forgets them at once.
const MOST_WITHDRAWN: usize = 10_000;

/// The operator's part of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OfFile {
    /// The address.
    url: Option<String>,
    /// Workflows, by name.
    workflows: BTreeMap<String, WorkflowOfFile>,
    /// Seconds after which a prompt that is neither queued nor in the history was not taken.
    visibility_seconds: Option<u64>,
}

fn open(opening: &Opening<'_>) -> Opened {
    let part: Option<OfFile> = opening.part()?;
    if part.is_none() && opening.variable("COMFYUI_URL").is_none() {
        return Ok(None);
    }
    let part = part.unwrap_or_default();
    let info = super::declared("comfyui").ok_or_else(|| opening.fail("it is not declared"))?;
    let settings: Vec<&str> =
        info.parameters.iter().flatten().map(|parameter| parameter.name.as_str()).collect();
    let workflows = Workflows::new(part.workflows, &settings, |file| opening.read(file))
        .map_err(|error| opening.fail(error))?;
    let mut client_id = [0; 16];
    getrandom::fill(&mut client_id).map_err(|error| opening.fail(error.to_string()))?;
    let client_id = uuid_of(client_id);
    let provider = ComfyUi {
        watch: Watch::new(opening.wire.clone(), client_id),
        wire: opening.wire.clone(),
        guard: opening.guard.clone(),
        base: opening.address(part.url, "COMFYUI_URL", USUAL)?,
        key: opening.variable("COMFYUI_API_KEY"),
        workflows,
        info,
        visibility: Duration::from_secs(part.visibility_seconds.unwrap_or(10)),
        withdrawn: Mutex::default(),
    };
    Ok(Some(Arc::new(provider)))
}

/// The provider `comfyui`.
#[derive(Debug)]
struct ComfyUi {
    wire: Wire,
    guard: Guard,
    base: String,
    key: Option<Secret>,
    workflows: Workflows,
    info: &'static ProviderInfo<'static>,
    visibility: Duration,
    watch: Watch,
    withdrawn: Mutex<BTreeSet<String>>,
}

/// A canonical UUID, in lower case.
fn uuid_of(bytes: [u8; 16]) -> String {
    uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string()
}

/// The first bytes of a hash of a token, for this purpose: the token itself is a secret.
fn of_token(purpose: &str, token: &str) -> [u8; 16] {
    let hash = Sha256::digest(format!("comfyui {purpose}\n{token}"));
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
    bytes
}

/// Under which id the attempt of a token is queued.
fn prompt_id(token: &str) -> String {
    uuid_of(of_token("prompt", token))
}

/// A seed for a request that has none: without one the server would give what it made before.
fn seed_of(token: &str) -> i64 {
    let [a, b, c, d, ..] = of_token("seed", token);
    i64::from(u32::from_be_bytes([a, b, c, d]))
}

/// Whether a text is an id of a prompt, so that it may stand in a path.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

impl ComfyUi {
    fn api(&self, submission: &Submission) -> Api {
        let account = submission.account.as_ref();
        let (base, key) = reach(account, &self.base, self.key.as_ref());
        Api { base: base.to_owned(), key: key.cloned() }
    }

    /// An answer that is JSON.
    async fn ask(&self, ask: super::wire::Ask) -> Result<Value, NoAnswer> {
        let answer = self.wire.send(ask).await?;
        let told = answer.json().filter(|_| answer.status.is_success());
        told.ok_or_else(|| answer.no_answer())
    }

    /// The entry of a prompt in the history, once it has ended.
    async fn entry(&self, api: &Api, id: &str) -> Result<Option<Value>, NoAnswer> {
        let history = self.ask(api.history(id)).await?;
        if !history.is_object() {
            return Err(NoAnswer::new("the history is no object"));
        }
        Ok(history.get(id).cloned())
    }

    async fn place(&self, api: &Api, id: &str) -> Result<Place, NoAnswer> {
        let queue = self.ask(api.queue()).await?;
        status::is_queued(&queue, id).ok_or_else(|| NoAnswer::new("the queue cannot be read"))
    }

    /// Where a prompt is, and its entry if it has ended. It goes from the queue to the history
    /// between two questions: what is in neither is asked for once more.
    async fn look(&self, api: &Api, id: &str) -> Result<(Place, Option<Value>), NoAnswer> {
        if let Some(entry) = self.entry(api, id).await? {
            return Ok((Place::Nowhere, Some(entry)));
        }
        match self.place(api, id).await? {
            Place::Nowhere => Ok((Place::Nowhere, self.entry(api, id).await?)),
            place => Ok((place, None)),
        }
    }

    /// The nodes whose outputs count, of the workflow that was asked for.
    fn wanted(&self, submission: &Submission) -> Vec<String> {
        let request = read(&submission.request);
        let workflow = request.and_then(|request| Ok(self.workflows.of(&request)?.outputs.clone()));
        workflow.unwrap_or_default()
    }

    /// Stops a prompt as servers of before do: what waits is taken out, what runs is interrupted.
    async fn stop(&self, api: &Api, id: &str) -> Result<(), NoAnswer> {
        let ask = match self.place(api, id).await? {
            Place::Pending => {
                self.withdraw(id);
                api.delete(id)
            }
            Place::Running => api.interrupt(id),
            Place::Nowhere => return Ok(()),
        };
        let answer = self.wire.send(ask).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.no_answer()) }
    }

    /// Remembers what is taken out of the queue: nothing but this tells it from what a server lost.
    fn withdraw(&self, id: &str) {
        let mut withdrawn = self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner);
        if withdrawn.len() >= MOST_WITHDRAWN {
            withdrawn.pop_first();
        }
        withdrawn.insert(id.to_owned());
    }

    fn is_withdrawn(&self, id: &str) -> bool {
        self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }
}

#[async_trait]
impl Provider for ComfyUi {
    fn info(&self) -> &ProviderInfo<'static> {
        self.info
    }

    fn params(
        &self,
        request: &GenerateContentRequest<'_>,
        places: &Places,
    ) -> Result<Params, Refusal> {
        params::params(request, places, &self.workflows, None)
    }

    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError> {
        let api = self.api(submission);
        let request = read(&submission.request)?;
        // What would be refused needs no files.
        self.params(&request, &Places::anywhere(&request, "file"))?;
        let mut places = Places::new();
        for (reference, file) in gather(&self.guard, &request, submission).await? {
            places.put(&reference, self.upload(submission, &file).await?);
        }
        let seed = Some(seed_of(&submission.token));
        let params = params::params(&request, &places, &self.workflows, seed)?;
        let wanted = &self.workflows.of(&request)?.outputs;
        let id = prompt_id(&submission.token);
        let body = params::with_ids(&params.body, &id, &self.watch.client_id);
        self.watch.wait_for(&api, &id);
        let answer = self.wire.send(api.prompt(&body)).await?;
        if !answer.status.is_success() {
            self.watch.forget(&id);
            return Err(status::refused(&answer));
        }
        let told: Option<Value> = answer.json();
        match told.and_then(|told| status::queued(&told, wanted)) {
            Some(Queued::Whole(id)) if is_id(&id) => Ok(id),
            Some(Queued::Partly(id, words)) if is_id(&id) => {
                self.watch.forget(&id);
                // Half of what is wanted is not wanted; nobody pays for it.
                if let Err(error) = self.cancel(submission, &id).await {
                    tracing::warn!(%error, "a prompt without its outputs was not stopped");
                }
                Err(status::incomplete(words).into())
            }
            // It was taken, whatever the answer says.
            _ => Err(SubmitError::Lost(format!("{}, and no id in it", answer.seen()))),
        }
    }

    async fn status(
        &self,
        submission: &Submission,
        prediction: &str,
    ) -> Result<Standing, NoAnswer> {
        if !is_id(prediction) {
            return Ok(Standing::unknown("this is no id of a prompt"));
        }
        let api = self.api(submission);
        let (place, entry) = self.look(&api, prediction).await?;
        Ok(match (entry, place) {
            (Some(entry), _) => status::standing(&entry, &self.wanted(submission)),
            (None, Place::Running | Place::Pending) => {
                // After a restart of this process nobody listens for it.
                self.watch.wait_for(&api, prediction);
                Standing::of(ProviderReport::Running)
            }
            (None, Place::Nowhere) if self.is_withdrawn(prediction) => {
                Standing::of(ProviderReport::Cancelled { charged: false })
            }
            (None, Place::Nowhere) => Standing::failed(
                ErrorCode::ProviderUnavailable,
                "the server does not know the prompt any more: it was restarted, or somebody took the prompt out of its queue",
            ),
        })
    }

    async fn find(&self, submission: &Submission) -> Result<Found, NoAnswer> {
        let id = prompt_id(&submission.token);
        let (place, entry) = self.look(&self.api(submission), &id).await?;
        let found = entry.is_some() || place != Place::Nowhere;
        Ok(if found { Found::Prediction(id) } else { Found::NotThere })
    }

    fn visibility(&self) -> Duration {
        self.visibility
    }

    async fn cancel(&self, submission: &Submission, prediction: &str) -> Result<(), NoAnswer> {
        if !is_id(prediction) {
            return Ok(());
        }
        let api = self.api(submission);
        let place = self.place(&api, prediction).await?;
        if place == Place::Nowhere {
            return Ok(());
        }
        let answer = self.wire.send(api.cancel(prediction)).await?;
        if answer.status.is_success() {
            if place == Place::Pending {
                self.withdraw(prediction);
            }
            return Ok(());
        }
        match answer.status.as_u16() {
            404 | 405 => self.stop(&api, prediction).await,
            _ => Err(answer.no_answer()),
        }
    }

    async fn fetch(&self, submission: &Submission, output: &Output) -> Result<Vec<u8>, NoAnswer> {
        if !output.location.starts_with("/view?") {
            return Err(NoAnswer::new("the place of an output is none of this server"));
        }
        let answer = self.wire.send(self.api(submission).view(&output.location)).await?;
        if answer.status.is_success() { Ok(answer.body) } else { Err(answer.no_answer()) }
    }

    async fn upload(&self, submission: &Submission, file: &File) -> Result<String, SubmitError> {
        let parts = [
            ("type".to_owned(), Part::Text("input".to_owned())),
            ("subfolder".to_owned(), Part::Text("onepath".to_owned())),
            // The name is made of the bytes: what is there under it is the same.
            ("overwrite".to_owned(), Part::Text("true".to_owned())),
            ("image".to_owned(), Part::File(file)),
        ];
        // A file costs nothing: one that was lost is handed over again.
        let gone = |detail: String| Refusal::new(ErrorCode::ProviderUnavailable, detail);
        let sent = self.wire.send(self.api(submission).upload(form(&parts))).await;
        let answer = sent.map_err(|error| gone(error.to_string()))?;
        if !answer.status.is_success() {
            return Err(match answer.not_taken() {
                SubmitError::Lost(detail) => gone(detail).into(),
                refused @ SubmitError::Refused(_) => refused,
            });
        }
        let told: Value = answer.json().unwrap_or_default();
        let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
        match (text("subfolder"), text("name")) {
            (_, "") => Err(gone(answer.seen()).into()),
            ("", name) => Ok(name.to_owned()),
            (folder, name) => Ok(format!("{folder}/{name}")),
        }
    }

    async fn settled(&self, _: &Submission, prediction: &str) {
        self.watch.forget(prediction);
    }

    fn hints(&self) -> Option<broadcast::Receiver<Hint>> {
        Some(self.watch.hints())
    }

    fn takes_webhooks(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_prompt_is_a_canonical_uuid_of_its_token() {
        let id = prompt_id("token");
        assert_eq!(id, prompt_id("token"));
        assert_ne!(id, prompt_id("another"));
        assert!(is_id(&id) && id == id.to_lowercase(), "{id}");
        assert_eq!(uuid::Uuid::parse_str(&id).unwrap().to_string(), id);
        assert!((0..=i64::from(u32::MAX)).contains(&seed_of("token")));
    }
}
