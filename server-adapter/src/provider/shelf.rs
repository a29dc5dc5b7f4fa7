//! Where the answers of a provider lie that gives what it made at once: until they are fetched, at
//! places that are made of the attempt's token. So the port is asked about them as about any
//! prediction, and after a crash, by any process that reads the same blobs, they are found again.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::port::NoAnswer;
use crate::asset::{BlobError, Blobs};
use crate::clock::hex;

/// The answers of one provider.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    blobs: Blobs,
    provider: &'static str,
}

impl Shelf {
    pub(crate) const fn new(blobs: Blobs, provider: &'static str) -> Self {
        Self { blobs, provider }
    }

    /// Under which id the attempt of a token is known here. The token itself is a secret.
    pub(crate) fn prediction(&self, token: &str) -> String {
        let mut text = hex(&Sha256::digest(format!("{}\n{token}", self.provider)));
        text.truncate(32);
        text
    }

    /// Whether a text is such an id, so that it may stand in a place.
    pub(crate) fn is_prediction(text: &str) -> bool {
        text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    fn place(&self, prediction: &str, name: &str) -> String {
        format!("answers/{}-{prediction}/{name}", self.provider)
    }

    /// Keeps an answer: its files first, and then what tells that it is whole.
    pub(crate) async fn put<T: Serialize>(
        &self,
        prediction: &str,
        files: Vec<Vec<u8>>,
        told: &T,
    ) -> Result<(), BlobError> {
        for (number, bytes) in files.into_iter().enumerate() {
            let place = self.place(prediction, &number.to_string());
            self.blobs.lay_down(&place, bytes).await?;
        }
        let told = serde_json::to_vec(told);
        let told = told.map_err(|error| BlobError::Unavailable(error.to_string()))?;
        self.blobs.lay_down(&self.place(prediction, "told"), told).await
    }

    /// What an answer told, if there is one.
    pub(crate) async fn told<T: DeserializeOwned>(
        &self,
        prediction: &str,
    ) -> Result<Option<T>, NoAnswer> {
        match self.blobs.pick_up(&self.place(prediction, "told")).await {
            Ok(bytes) => {
                let told = serde_json::from_slice(&bytes);
                told.map(Some).map_err(|error| NoAnswer::new(error.to_string()))
            }
            Err(BlobError::NotFound(_)) => Ok(None),
            Err(error) => Err(NoAnswer::new(error.to_string())),
        }
    }

    /// A file of an answer.
    pub(crate) async fn file(&self, prediction: &str, number: usize) -> Result<Bytes, NoAnswer> {
        let place = self.place(prediction, &number.to_string());
        self.blobs.pick_up(&place).await.map_err(|error| NoAnswer::new(error.to_string()))
    }

    /// Everything of an answer is kept elsewhere. What stays costs space until it is collected.
    pub(crate) async fn clear(&self, prediction: &str, files: usize) {
        let numbers = (0..files).map(|number| number.to_string());
        for name in std::iter::once("told".to_owned()).chain(numbers) {
            if let Err(error) = self.blobs.delete(&self.place(prediction, &name)).await {
                tracing::debug!(%error, "an answer stays until it is collected");
            }
        }
    }
}
