//! Which providers a server has, and how they are reached: what the operator says in a file, and
//! keys, which come from the environment or from the accounts, never from a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::account::{Credentials, Secret};
use super::port::Provider;
use super::registry::Providers;
use super::wire::Wire;
use super::{ADAPTERS, Local};
use crate::asset::Blobs;
use crate::guard::{Guard, GuardRules};

/// What the operator says about providers.
#[derive(Clone, Default)]
pub struct ProviderSettings {
    /// The file's part for each provider.
    parts: BTreeMap<String, Value>,
    /// What the environment holds.
    variables: BTreeMap<String, Secret>,
    /// The folder of the file, from which the files that it names are read.
    folder: PathBuf,
}

impl std::fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let variables: Vec<_> = self.variables.keys().collect();
        f.debug_struct("ProviderSettings")
            .field("parts", &self.parts)
            .field("variables", &variables)
            .field("folder", &self.folder)
            .finish()
    }
}

/// Why a provider cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provider {provider}: {detail}")]
pub struct SetupError {
    /// Which, or the file.
    pub provider: String,
    /// What is wrong.
    pub detail: String,
}

impl ProviderSettings {
    /// With the variables of the environment that adapters read ([`variables`](Self::variables)).
    #[must_use]
    pub fn from_environment() -> Self {
        let mut settings = Self::default();
        for variable in ADAPTERS.iter().flat_map(|adapter| adapter.variables) {
            if let Ok(value) = std::env::var(variable.name) {
                settings = settings.with_variable(variable.name, value);
            }
        }
        settings
    }

    /// The variables that adapters read: the provider, the name, what it holds.
    pub fn variables() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        ADAPTERS.iter().flat_map(|adapter| {
            adapter.variables.iter().map(|variable| (adapter.id, variable.name, variable.about))
        })
    }

    /// One provider without a server, to see what it would be sent: set up as if the operator had
    /// said nothing, where nothing was said. None for what is no adapter.
    ///
    /// # Errors
    ///
    /// What was said is wrong.
    pub fn adapter(&self, id: &str) -> Result<Option<Arc<dyn Provider>>, SetupError> {
        let Some(adapter) = ADAPTERS.iter().find(|adapter| adapter.id == id) else {
            return Ok(None);
        };
        let mut settings = self.clone();
        settings.parts.entry(id.to_owned()).or_insert_with(|| Value::Object(Map::new()));
        let (wire, guard) = connections()?;
        let blobs = Blobs::in_memory();
        (adapter.open)(&Opening { id: adapter.id, settings: &settings, wire, guard, blobs })
    }

    /// The providers that are set up, each with its name or what is wrong.
    #[must_use]
    pub fn examine(&self) -> Vec<(&'static str, Result<(), SetupError>)> {
        let open = |adapter: &Adapter| match connections() {
            Ok((wire, guard)) => {
                let blobs = Blobs::in_memory();
                (adapter.open)(&Opening { id: adapter.id, settings: self, wire, guard, blobs })
            }
            Err(error) => Err(error),
        };
        let all = ADAPTERS.iter().map(|adapter| (adapter.id, open(adapter)));
        let set_up = all.filter(|(_, opened)| !matches!(opened, Ok(None)));
        set_up.map(|(id, opened)| (id, opened.map(|_| ()))).collect()
    }

    /// With a variable; an empty one is none.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.trim().is_empty() {
            self.variables.insert(name.to_owned(), Secret::new(value.trim()));
        }
        self
    }

    /// With a provider's part: it is there from now on.
    #[must_use]
    pub fn with(mut self, provider: &str, part: Value) -> Self {
        self.parts.insert(provider.to_owned(), part);
        self
    }

    /// With the folder from which the files are read that a provider's part names.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// With the text of a file: `{"<provider>": {…}, …}`.
    ///
    /// # Errors
    ///
    /// It is no such JSON, or names a provider that nobody knows.
    pub fn with_file(mut self, text: &str) -> Result<Self, SetupError> {
        let fail = |detail: String| SetupError { provider: "file".to_owned(), detail };
        let parts: BTreeMap<String, Value> =
            serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
        for (id, part) in parts {
            if !ADAPTERS.iter().any(|adapter| adapter.id == id) {
                let all: Vec<&str> = ADAPTERS.iter().map(|adapter| adapter.id).collect();
                let all = all.join(", ");
                return Err(fail(format!("`{id}` is no provider that can be set up: {all}")));
            }
            self.parts.insert(id, part);
        }
        Ok(self)
    }
}

/// A provider that can be set up: one line in the table of `provider/mod.rs`.
#[derive(Debug)]
pub(crate) struct Adapter {
    pub(crate) id: &'static str,
    pub(crate) variables: &'static [Variable],
    /// Sets it up, if the operator has said anything about it.
    pub(crate) open: fn(&Opening<'_>) -> Opened,
}

/// A provider, if it is set up.
pub(crate) type Opened = Result<Option<Arc<dyn Provider>>, SetupError>;

/// A variable of the environment.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
}

/// What an adapter is set up with.
pub(crate) struct Opening<'o> {
    id: &'static str,
    settings: &'o ProviderSettings,
    pub(crate) wire: Wire,
    pub(crate) guard: Guard,
    /// Where the server keeps bytes.
    pub(crate) blobs: Blobs,
}

impl Opening<'_> {
    /// A variable of the environment.
    pub(crate) fn variable(&self, name: &str) -> Option<Secret> {
        self.settings.variables.get(name).cloned()
    }

    /// The provider's part of the file, if there is one.
    pub(crate) fn part<T: DeserializeOwned + Default>(&self) -> Result<Option<T>, SetupError> {
        let Some(part) = self.settings.parts.get(self.id) else { return Ok(None) };
        serde_json::from_value(part.clone()).map(Some).map_err(|error| self.fail(error.to_string()))
    }

    /// The text of a file that the provider's part names.
    pub(crate) fn read(&self, file: &Path) -> Result<String, String> {
        let file = self.settings.folder.join(file);
        std::fs::read_to_string(file).map_err(|error| error.to_string())
    }

    pub(crate) fn fail(&self, detail: impl Into<String>) -> SetupError {
        SetupError { provider: self.id.to_owned(), detail: detail.into() }
    }

    /// An address without the `/` at its end: of the file, of the environment, or the usual one.
    pub(crate) fn address(
        &self,
        of_file: Option<String>,
        variable: &str,
        usual: &str,
    ) -> Result<String, SetupError> {
        let of_environment = || self.variable(variable).map(|value| value.expose().to_owned());
        let text = of_file.or_else(of_environment).unwrap_or_else(|| usual.to_owned());
        let url = reqwest::Url::parse(&text)
            .map_err(|error| self.fail(format!("`{text}` is no address: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
            return Err(self.fail(format!("`{text}` is no address: such as {usual}")));
        }
        Ok(text.trim_end_matches('/').to_owned())
    }
}

/// Where a provider is asked and with which key: the account's, else what the operator set up.
pub(crate) fn reach<'r>(
    account: Option<&'r Credentials>,
    base: &'r str,
    key: Option<&'r Secret>,
) -> (&'r str, Option<&'r Secret>) {
    let base = account.and_then(|account| account.endpoint.as_deref()).unwrap_or(base);
    (base, account.and_then(|account| account.secret.as_ref()).or(key))
}

/// `local`, and every provider that the operator has set up.
pub(crate) fn open(
    settings: &ProviderSettings,
    data: &Path,
    blobs: &Blobs,
) -> Result<Providers, SetupError> {
    let fail =
        |provider: &str, detail: String| SetupError { provider: provider.to_owned(), detail };
    let local =
        Local::new(&data.join("local")).map_err(|error| fail("local", error.to_string()))?;
    let mut providers = Providers::new().with(local);
    let (wire, guard) = connections()?;
    for adapter in ADAPTERS {
        let (wire, guard) = (wire.clone(), guard.clone());
        let opening = Opening { id: adapter.id, settings, wire, guard, blobs: blobs.clone() };
        if let Some(provider) = (adapter.open)(&opening)? {
            providers = providers.with_shared(provider);
        }
    }
    Ok(providers)
}

/// What calls providers, and what fetches from where they say.
fn connections() -> Result<(Wire, Guard), SetupError> {
    let fail = |detail: String| SetupError { provider: "http".to_owned(), detail };
    let wire = Wire::new().map_err(|error| fail(error.to_string()))?;
    let guard = Guard::new(&GuardRules::default()).map_err(|error| fail(error.to_string()))?;
    Ok((wire, guard))
}
