//! What the store knows of predictions: which attempt has which.

use async_trait::async_trait;

use super::Result;

/// Predictions of providers.
#[async_trait]
pub trait PredictionStore: std::fmt::Debug + Send + Sync + 'static {
    /// Those of a provider's predictions that no attempt has, in the order they are given.
    async fn unclaimed(&self, provider: &str, predictions: &[String]) -> Result<Vec<String>>;
}
