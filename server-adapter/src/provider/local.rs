//! The built-in provider: draws pictures and animations from the request alone, without a network.
//!
//! It behaves as a real one does: a submission is taken once for a token, can be looked up by that
//! token after a crash, and is forgotten when everything is kept. What it drew lies in a spool
//! folder, one file a prediction, written whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_core::{GenerateContentRequest, ProviderInfo, decode};
use onepath_picture::{Fail, Settings, draw};

use sha2::{Digest as _, Sha256};

use super::{Found, NoAnswer, Output, Provider, Refusal, Standing, Submission, SubmitError};
use crate::clock::hex;

/// How long what was drawn waits to be fetched: longer than any run lasts.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);

/// The provider that draws.
#[derive(Debug, Clone)]
pub struct Local {
    spool: PathBuf,
    info: &'static ProviderInfo<'static>,
}

impl Local {
    /// With a folder for what was drawn and not yet kept. What nobody came for in a day is
    /// forgotten: the process that should have said so was killed.
    ///
    /// # Errors
    ///
    /// The folder cannot be made or read.
    pub fn new(spool: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(spool)?;
        for entry in std::fs::read_dir(spool)? {
            let entry = entry?;
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age > FORGOTTEN {
                std::fs::remove_file(entry.path())?;
            }
        }
        let info = super::declared("local");
        let info =
            info.ok_or_else(|| std::io::Error::other("the provider `local` is not declared"))?;
        Ok(Self { spool: spool.to_path_buf(), info })
    }

    /// The file of a prediction; none for what is no prediction, so that no path is left.
    fn file(&self, prediction: &str) -> Option<PathBuf> {
        let good =
            prediction.len() == 32 && prediction.bytes().all(|byte| byte.is_ascii_hexdigit());
        good.then(|| self.spool.join(prediction))
    }

    async fn blocking<T: Send + 'static>(
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result.map_err(|error| NoAnswer::new(error.to_string())),
            Err(error) => Err(NoAnswer::new(error.to_string())),
        }
    }
}

/// The prediction of a token. The token itself is a secret between server and provider.
fn prediction_of(token: &str) -> String {
    let mut text = hex(&Sha256::digest(token));
    text.truncate(32);
    text
}

/// What lies in the spool: a picture, or a way of not giving one.
const MARK: &[u8] = b"onepath ";

fn refused(code: ErrorCode, detail: impl Into<String>) -> SubmitError {
    SubmitError::Refused(Refusal::new(code, detail))
}

/// What is written for a submission.
fn made(submission: &Submission) -> Result<Vec<u8>, SubmitError> {
    let request = decode::<GenerateContentRequest<'_>>(&submission.request)
        .into_result()
        .map_err(|error| refused(ErrorCode::ParamInvalid, error.to_string()))?;
    let settings = Settings::of(&request)
        .map_err(|error| refused(ErrorCode::ParamInvalid, error.to_string()))?;
    let mark = |word: &str| [MARK, word.as_bytes()].concat();
    match settings.fail {
        None => {}
        Some(way @ (Fail::Hang | Fail::Unknown)) => return Ok(mark(way.word())),
        Some(Fail::With(ErrorCode::SubmitUnknown)) => {
            return Err(SubmitError::Lost("as the request asks".to_owned()));
        }
        // What only shows when the work is done.
        Some(Fail::With(
            code @ (ErrorCode::ContentOutputRejected
            | ErrorCode::ContentFiltered
            | ErrorCode::ProviderTimeout
            | ErrorCode::OutputMissing
            | ErrorCode::StorageFailed
            | ErrorCode::Cancelled),
        )) => return Ok(mark(code.word())),
        Some(Fail::With(code)) => return Err(refused(code, "as the request asks")),
    }
    let picture = draw(&request, &submission.request_hash)
        .map_err(|error| refused(ErrorCode::ParamInvalid, error.to_string()))?;
    Ok(picture.bytes)
}

/// Writes a file that is there whole, durably, or not at all; one that is there stays.
fn write_once(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if file.exists() {
        return Ok(());
    }
    let draft = file.with_extension("draft");
    let mut out = std::fs::File::create(&draft)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    std::fs::rename(&draft, file)?;
    if let Some(folder) = file.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// What a file of the spool says.
fn standing(prediction: &str, bytes: &[u8]) -> Standing {
    let Some(word) = bytes.strip_prefix(MARK) else {
        return Standing::made([prediction.to_owned()]);
    };
    let word = String::from_utf8_lossy(word);
    let report = match ErrorCode::parse(&word) {
        Some(ErrorCode::Cancelled) => ProviderReport::Cancelled { charged: false },
        Some(ErrorCode::OutputMissing) => ProviderReport::Succeeded { has_output: false },
        // The location leads nowhere: what was made cannot be fetched.
        Some(ErrorCode::StorageFailed) => {
            return Standing::made(["gone".to_owned()]);
        }
        Some(code) => ProviderReport::Failed(code),
        None if word == Fail::Hang.word() => ProviderReport::Running,
        None => ProviderReport::Unknown,
    };
    Standing::of(report)
}

#[async_trait]
impl Provider for Local {
    fn info(&self) -> &ProviderInfo<'static> {
        self.info
    }

    /// It draws what the request says, as its settings say.
    fn settings(&self, request: &GenerateContentRequest<'_>) -> Result<serde_json::Value, Refusal> {
        let settings = serde_json::to_value(&request.provider_settings);
        settings.map_err(|error| Refusal::new(ErrorCode::ParamInvalid, error.to_string()))
    }

    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError> {
        let prediction = prediction_of(&submission.token);
        let file = self.spool.join(&prediction);
        let (submission, name) = (submission.clone(), prediction.clone());
        let task = tokio::task::spawn_blocking(move || {
            // A token that was taken before is not drawn again.
            if !file.exists() {
                let bytes = made(&submission)?;
                write_once(&file, &bytes).map_err(|error| SubmitError::Lost(error.to_string()))?;
                // What another provider would put on the bill.
                let hash = &submission.request_hash;
                tracing::debug!(prediction = name, request_hash = hash, "drawn");
            }
            Ok(())
        });
        match task.await {
            Ok(result) => result.map(|()| prediction),
            Err(error) => Err(SubmitError::Lost(error.to_string())),
        }
    }

    async fn status(&self, _: &Submission, prediction: &str) -> Result<Standing, NoAnswer> {
        let Some(file) = self.file(prediction) else {
            return Ok(Standing::unknown("this is no prediction of the provider `local`"));
        };
        let prediction = prediction.to_owned();
        Self::blocking(move || match std::fs::read(&file) {
            Ok(bytes) => Ok(standing(&prediction, &bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Standing::failed(ErrorCode::ProviderGeneric, "nothing lies in the spool"))
            }
            Err(error) => Err(error),
        })
        .await
    }

    async fn find(&self, submission: &Submission) -> Result<Found, NoAnswer> {
        let prediction = prediction_of(&submission.token);
        let file = self.spool.join(&prediction);
        let found = Self::blocking(move || Ok(file.try_exists()?.then_some(prediction))).await?;
        Ok(found.map_or(Found::NotThere, Found::Prediction))
    }

    async fn cancel(&self, _: &Submission, prediction: &str) -> Result<(), NoAnswer> {
        let Some(file) = self.file(prediction) else { return Ok(()) };
        Self::blocking(move || {
            // Only what hangs can be stopped; a picture is there before anybody asks.
            if std::fs::read(&file).is_ok_and(|bytes| bytes.starts_with(MARK)) {
                let mark = [MARK, ErrorCode::Cancelled.word().as_bytes()].concat();
                std::fs::write(&file, mark)?;
            }
            Ok(())
        })
        .await
    }

    async fn fetch(&self, _: &Submission, output: &Output) -> Result<Vec<u8>, NoAnswer> {
        let file = self
            .file(&output.location)
            .ok_or_else(|| NoAnswer::new(format!("there is nothing at `{}`", output.location)))?;
        Self::blocking(move || std::fs::read(&file)).await
    }

    async fn settled(&self, _: &Submission, prediction: &str) {
        if let Some(file) = self.file(prediction) {
            // A file that stays costs space and nothing else.
            let _ = tokio::task::spawn_blocking(move || std::fs::remove_file(file)).await;
        }
    }

    fn visibility(&self) -> Duration {
        Duration::ZERO
    }

    fn takes_webhooks(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_nobody_came_for_is_forgotten_after_a_day() {
        let spool = std::env::temp_dir().join(format!("onepath-spool-{}", std::process::id()));
        Local::new(&spool).unwrap();
        let (old, new) = (spool.join("old"), spool.join("new"));
        let file = std::fs::File::create(&old).unwrap();
        file.set_modified(SystemTime::now() - FORGOTTEN - Duration::from_secs(60)).unwrap();
        std::fs::write(&new, "x").unwrap();
        Local::new(&spool).unwrap();
        assert!(!old.exists() && new.exists());
        std::fs::remove_dir_all(&spool).unwrap();
    }
}
