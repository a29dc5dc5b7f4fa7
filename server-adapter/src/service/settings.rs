//! What operators change while everything runs.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Service;
use crate::clock::{new_id, rfc3339};
use crate::live::{self, Subject};
use crate::problem::{Fault, Problem};
use crate::store::Setting;

/// A setting as an operator last changed it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SettingView {
    /// Its name, such as `submission` or `retry:provider_timeout`.
    pub name: String,
    /// Its value; null if it is again as the server was set up.
    pub value: Value,
    /// Who changed it.
    pub author: String,
    /// When (RFC 3339).
    pub at: String,
}

/// What operators have changed, and what they may.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SettingList {
    /// Every setting that was ever changed, by name.
    pub settings: Vec<SettingView>,
    /// Every setting there is.
    pub known: Vec<KnownSetting>,
}

/// A setting that may be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KnownSetting {
    /// Its name, with what may stand behind the colon in capitals.
    pub name: String,
    /// What it does.
    pub about: &'static str,
}

/// Changes, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SettingHistory {
    /// The changes.
    pub changes: Vec<SettingView>,
}

impl From<Setting> for SettingView {
    fn from(row: Setting) -> Self {
        let value = row.value.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self {
            name: row.name,
            value: value.unwrap_or(Value::Null),
            author: row.author,
            at: rfc3339(row.at),
        }
    }
}

/// Every setting, with what may stand behind the colon.
#[must_use]
pub fn known_settings() -> Vec<KnownSetting> {
    let named = |known: &live::Known| {
        let word = known.word;
        let name = match known.subject {
            Subject::None => word.to_owned(),
            Subject::Provider => format!("{word}:PROVIDER"),
            Subject::AnyProvider => format!("{word}[:PROVIDER]"),
            Subject::Tenant => format!("{word}:TENANT"),
            Subject::Error => format!("{word}:ERROR_CODE"),
            Subject::AnyOperation => format!("{word}[:OPERATION]"),
            Subject::Price => format!("{word}:PRICE"),
            Subject::Rate => format!("{word}:calls|creates"),
        };
        KnownSetting { name, about: known.about }
    };
    live::NAMES.iter().map(named).collect()
}

impl Service {
    /// What operators have changed, and what they may.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn settings(&self) -> Result<SettingList, Problem> {
        let settings = self.store.settings().await?.into_iter().map(SettingView::from).collect();
        Ok(SettingList { settings, known: known_settings() })
    }

    /// Changes of one setting, or of all, newest first.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn setting_history(
        &self,
        name: Option<&str>,
        limit: usize,
    ) -> Result<SettingHistory, Problem> {
        let changes = self.store.setting_history(name, limit).await?;
        Ok(SettingHistory { changes: changes.into_iter().map(SettingView::from).collect() })
    }

    /// Changes settings, all of them or none; null takes one back to what the server was set up
    /// with. This process goes by it at once, every other within two seconds.
    ///
    /// # Errors
    ///
    /// `VALIDATION_ERROR` with every fault, and when the store does not answer.
    pub async fn change_settings(
        &self,
        author: &str,
        changes: &Map<String, Value>,
    ) -> Result<SettingList, Problem> {
        let (mut rows, mut faults) = (Vec::new(), Vec::new());
        let at = self.clock.now();
        for (name, value) in changes {
            match self.read_setting(name, value) {
                Ok(stops) => rows.push(Setting {
                    id: new_id(&*self.clock),
                    name: name.clone(),
                    value: (!value.is_null()).then(|| value.to_string()),
                    author: author.to_owned(),
                    at,
                    stops,
                }),
                Err(detail) => {
                    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
                    faults.push(Fault::new(&pointer, "setting/not-understood", detail));
                }
            }
        }
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        for row in &rows {
            tracing::info!(name = row.name, value = row.value, author, "a setting was changed");
        }
        self.store.put_settings(rows).await?;
        self.live.again().await?;
        self.bell.notify_one();
        self.settings().await
    }

    /// What a setting stops with this value.
    fn read_setting(
        &self,
        name: &str,
        value: &Value,
    ) -> Result<Option<crate::store::Stop>, String> {
        let (named, known) = live::name(name).map_err(|error| error.to_string())?;
        if value.is_null() {
            return Ok(None);
        }
        let (_, read) = live::read(name, value).map_err(|error| error.to_string())?;
        if let (Subject::Provider | Subject::AnyProvider, Some(id)) =
            (known.subject, &named.subject)
            && self.providers.get(id).is_none()
        {
            let all: Vec<&str> =
                self.providers.iter().map(|provider| provider.info().id.as_str()).collect();
            return Err(format!("there is no provider `{id}` here: {}", all.join(", ")));
        }
        Ok(live::stops(&named, &read))
    }
}
