//! The providers of a server, by id.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::port::Provider;

/// The providers of a server, by id.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    by_id: BTreeMap<String, Arc<dyn Provider>>,
}

impl Providers {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more; one with the same id is replaced.
    #[must_use]
    pub fn with(mut self, provider: impl Provider) -> Self {
        self.by_id.insert(provider.info().id.as_str().to_owned(), Arc::new(provider));
        self
    }

    /// With one more that is shared.
    #[must_use]
    pub(crate) fn with_shared(mut self, provider: Arc<dyn Provider>) -> Self {
        self.by_id.insert(provider.info().id.as_str().to_owned(), provider);
        self
    }

    /// The provider of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<dyn Provider>> {
        self.by_id.get(id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.by_id.values()
    }
}
