//! What operators do with accounts at providers: tell of them, change them, see how they do.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Caller, Service};
use crate::clock::rfc3339;
use crate::problem::{Fault, Problem, ProblemCode};
use crate::provider::{Credits, Secret};
use crate::store::account::Breaker;
use crate::store::{Account, AccountNow, AccountQuery, Health, KeySource, Millis, Role};

/// An account as operators see it. Its key is never part of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AccountView {
    /// By which operators name it.
    pub id: String,
    /// Where it is.
    pub provider_id: String,
    /// Whose it is; absent if it works for every tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Where the provider is asked, if not at its usual address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Where its key is: `none`, `sealed`, or `env:` and the name of a variable.
    pub key: String,
    /// 0 to 10; 0 is used first.
    pub priority: i64,
    /// Whether it is used.
    pub enabled: bool,
    /// Submissions that run now.
    pub slots_in_use: i64,
    /// Submissions that may run at the same time; absent for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<i64>,
    /// Submissions of this day (UTC).
    pub today: i64,
    /// Submissions that a day may have; absent for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_limit: Option<i64>,
    /// What the provider said last that is left, by kind; absent where it does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credits>,
    /// When it said so (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits_read_at: Option<String>,
    /// `closed` while it is used, `open` while it rests, `half_open` while one submission at a time
    /// shows whether it is well.
    pub breaker: &'static str,
    /// Failures since the last success.
    pub streak: i64,
    /// Until when it rests (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown_until: Option<String>,
    /// What it last ran into; absent after a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<onepath_core::lifecycle::ErrorCode>,
    /// When it was last chosen (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// Creation (RFC 3339).
    pub created_at: String,
    /// Last change by an operator (RFC 3339).
    pub updated_at: String,
}

impl AccountView {
    fn of(one: AccountNow, now: Millis) -> Self {
        let AccountNow { account, in_use, today } = one;
        let breaker = account.health.breaker(now);
        let (credits, read_at) = match account.credits {
            Some(read) => (Some(read.amounts), Some(rfc3339(read.read_at))),
            None => (None, None),
        };
        Self {
            id: account.id,
            provider_id: account.provider,
            tenant: account.tenant,
            endpoint: account.endpoint,
            key: match account.key {
                KeySource::None => "none".to_owned(),
                KeySource::Env(name) => format!("env:{name}"),
                KeySource::Sealed(_) => "sealed".to_owned(),
            },
            priority: account.priority,
            enabled: account.enabled,
            slots_in_use: in_use,
            concurrency: account.concurrency,
            today,
            daily_limit: account.daily_limit,
            credits,
            credits_read_at: read_at,
            breaker: breaker.word(),
            streak: account.health.streak,
            cooldown_until: match breaker {
                Breaker::Open(until) => Some(rfc3339(until)),
                Breaker::Closed | Breaker::HalfOpen => None,
            },
            last_error: account.health.last_error,
            last_used_at: account.health.last_used_at.map(rfc3339),
            created_at: rfc3339(account.created_at),
            updated_at: rfc3339(account.updated_at),
        }
    }
}

/// Accounts, by provider, priority and id.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AccountListResponse {
    /// The accounts.
    pub accounts: Vec<AccountView>,
}

/// Where an account's key will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewKey {
    /// The provider wants none.
    None,
    /// In this environment variable.
    Env(String),
    /// In the row, sealed.
    Sealed(Secret),
}

/// What an operator says of an account; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// Whose it is; `Some(None)` shares it.
    pub tenant: Option<Option<String>>,
    /// Where the provider is asked; `Some(None)` for its usual address.
    pub endpoint: Option<Option<String>>,
    /// Where its key is.
    pub key: Option<NewKey>,
    /// 0 to 10; 0 is used first.
    pub priority: Option<i64>,
    /// Submissions at the same time; `Some(None)` for any number.
    pub concurrency: Option<Option<i64>>,
    /// Submissions of a day; `Some(None)` for any number.
    pub daily_limit: Option<Option<i64>>,
    /// Whether it is used.
    pub enabled: Option<bool>,
}

/// A new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// By which operators name it.
    pub id: String,
    /// Where it is.
    pub provider: String,
    /// The rest.
    pub change: AccountChange,
}

/// The longest name, id or key.
const LONGEST: usize = 255;
const LONGEST_KEY: usize = 4096;

impl Caller {
    /// Refuses who does not run the server.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`.
    pub fn operator(&self) -> Result<(), Problem> {
        if self.role == Role::Admin {
            return Ok(());
        }
        let detail = "only keys with the role `admin` may: `onepath admin key create --role admin`";
        Err(Problem::new(ProblemCode::Forbidden, detail))
    }
}

impl Service {
    /// Accounts with what is counted of them.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn accounts(&self, query: &AccountQuery) -> Result<AccountListResponse, Problem> {
        let now = self.clock.now();
        let all = self.store.accounts(query, now).await?;
        Ok(AccountListResponse {
            accounts: all.into_iter().map(|one| AccountView::of(one, now)).collect(),
        })
    }

    /// Keeps a new account.
    ///
    /// # Errors
    ///
    /// `VALIDATION_ERROR` with every fault, and `CONFLICT` for an id that is taken.
    pub async fn add_account(&self, new: &NewAccount) -> Result<AccountView, Problem> {
        let now = self.clock.now();
        let mut faults = faults_of(&new.change);
        if !is_name(&new.id) {
            let detail = "an id has 1 to 64 letters, digits, `.`, `_` and `-`, and begins with a \
                          letter or digit";
            faults.push(Fault::new("/id", "account/id", detail));
        }
        if self.providers.get(&new.provider).is_none() {
            let all: Vec<&str> =
                self.providers.iter().map(|provider| provider.info().id.as_str()).collect();
            let detail = format!("this server has no provider `{}`", new.provider);
            let mut fault = Fault::new("/provider_id", "provider/unknown", detail);
            fault.help = Some(format!("it has: {}", all.join(", ")));
            faults.push(fault);
        }
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        if self.store.account(&new.id).await?.is_some() {
            let detail = format!("there is an account `{}` already: change it instead", new.id);
            return Err(Problem::new(ProblemCode::Conflict, detail));
        }
        let account = Account {
            id: new.id.clone(),
            provider: new.provider.clone(),
            tenant: None,
            endpoint: None,
            key: KeySource::None,
            priority: 5,
            concurrency: None,
            daily_limit: None,
            enabled: true,
            created_at: now,
            updated_at: now,
            health: Health::default(),
            credits: None,
        };
        self.keep_account(self.changed_account(account, &new.change)?).await
    }

    /// Changes an account. Where it is asked changes only together with its key: nobody sends a key
    /// that was meant for one place to another.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, and `VALIDATION_ERROR` with every fault.
    pub async fn change_account(
        &self,
        id: &str,
        change: &AccountChange,
    ) -> Result<AccountView, Problem> {
        let found = self.store.account(id).await?;
        let account = found.ok_or_else(|| Problem::not_found("account"))?;
        let mut faults = faults_of(change);
        let moves = change.endpoint.as_ref().is_some_and(|to| *to != account.endpoint);
        if moves && change.key.is_none() && account.key != KeySource::None {
            let detail = "the key was given for another endpoint: give it again with the new one";
            faults.push(Fault::new("/endpoint", "account/key-moves", detail));
        }
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        self.keep_account(self.changed_account(account, change)?).await
    }

    fn changed_account(
        &self,
        mut account: Account,
        change: &AccountChange,
    ) -> Result<Account, Problem> {
        if let Some(tenant) = &change.tenant {
            account.tenant.clone_from(tenant);
        }
        if let Some(endpoint) = &change.endpoint {
            account.endpoint.clone_from(endpoint);
        }
        if let Some(priority) = change.priority {
            account.priority = priority;
        }
        if let Some(concurrency) = change.concurrency {
            account.concurrency = concurrency;
        }
        if let Some(limit) = change.daily_limit {
            account.daily_limit = limit;
        }
        if let Some(enabled) = change.enabled {
            account.enabled = enabled;
        }
        match &change.key {
            None => {}
            Some(NewKey::None) => account.key = KeySource::None,
            Some(NewKey::Env(name)) => account.key = KeySource::Env(name.clone()),
            Some(NewKey::Sealed(secret)) => {
                let endpoint = account.endpoint.as_deref();
                let sealed = self.vault.seal(secret, &account.id, endpoint, &self.clock);
                account.key = sealed
                    .map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string()))?;
            }
        }
        account.updated_at = self.clock.now();
        Ok(account)
    }

    async fn keep_account(&self, account: Account) -> Result<AccountView, Problem> {
        let id = account.id.clone();
        if !self.store.put_account(account).await? {
            let detail = format!("`{id}` is the id of another provider's account");
            return Err(Problem::new(ProblemCode::Conflict, detail));
        }
        self.bell.notify_one();
        self.account_view(&id).await
    }

    /// An account.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`.
    pub async fn account_view(&self, id: &str) -> Result<AccountView, Problem> {
        let mut all = self.accounts(&AccountQuery::default()).await?.accounts;
        all.retain(|one| one.id == id);
        all.pop().ok_or_else(|| Problem::not_found("account"))
    }

    /// Removes an account that nothing uses.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, and `CONFLICT` while something runs on it.
    pub async fn remove_account(&self, id: &str) -> Result<(), Problem> {
        if self.store.remove_account(id, self.clock.now()).await? {
            self.bell.notify_one();
            return Ok(());
        }
        let view = self.account_view(id).await?;
        let detail = format!(
            "{} of its slots are in use: take it out of use first (`enabled: false`), and remove \
             it when they are free",
            view.slots_in_use
        );
        Err(Problem::new(ProblemCode::Conflict, detail))
    }

    /// Ends the rest of an account that was put right: it is used again at once.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`.
    pub async fn heal_account(&self, id: &str) -> Result<AccountView, Problem> {
        if !self.store.heal_account(id, self.clock.now()).await? {
            return Err(Problem::not_found("account"));
        }
        self.bell.notify_one();
        self.account_view(id).await
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.len() <= 64
        && bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && bytes.all(good)
}

/// What is wrong with a change, all at once.
fn faults_of(change: &AccountChange) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut check = |good: bool, name: &str, detail: &str| {
        if !good {
            faults.push(Fault::new(&format!("/{name}"), "account/not-understood", detail));
        }
    };
    let short = |text: &str| (1..=LONGEST).contains(&text.len()) && !text.contains('\0');
    let tenant = change.tenant.as_ref().and_then(Option::as_deref);
    check(tenant.is_none_or(short), "tenant", "an id of 1 to 255 bytes, or null to share it");
    let endpoint = change.endpoint.as_ref().and_then(Option::as_deref);
    check(
        endpoint.is_none_or(is_endpoint),
        "endpoint",
        "an http or https URL without user, query and last `/`, or null for the usual address",
    );
    check(
        change.priority.is_none_or(|priority| (0..=10).contains(&priority)),
        "priority",
        "a whole number, 0 to 10; 0 is used first",
    );
    let counts = |count: Option<Option<i64>>, least: i64| {
        count.flatten().is_none_or(|count| (least..=1_000_000).contains(&count))
    };
    check(counts(change.concurrency, 1), "concurrency", "1 to 1,000,000, or null for any number");
    check(counts(change.daily_limit, 0), "daily_limit", "0 to 1,000,000, or null for any number");
    match &change.key {
        None | Some(NewKey::None) => {}
        Some(NewKey::Env(name)) => check(
            is_variable(name),
            "key_env",
            "the name of an environment variable: letters, digits and `_`",
        ),
        Some(NewKey::Sealed(secret)) => {
            let length = secret.expose().len();
            let good = (1..=LONGEST_KEY).contains(&length)
                && secret.expose().bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
            check(good, "key", "1 to 4096 visible ASCII characters");
        }
    }
    faults
}

fn is_endpoint(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or("");
    text.len() <= LONGEST
        && !host.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains(['@', '?', '#', '\\'])
        && !text.ends_with('/')
}

fn is_variable(name: &str) -> bool {
    name.len() <= LONGEST
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What names of variables over HTTP begin with: a key of ours must not be a way to have any secret
/// of the server's environment sent to an endpoint of one's choice.
const VARIABLES: &str = "ONEPATH_ACCOUNT_";

/// Reads what an operator sends about an account; every fault at once. `wants_id` for a new one.
///
/// # Errors
///
/// `MALFORMED_JSON`, and `VALIDATION_ERROR` with every fault.
pub fn read_account(text: &str, wants_id: bool) -> Result<NewAccount, Problem> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Problem::new(ProblemCode::MalformedJson, error.to_string()))?;
    // A value may be a secret: no fault repeats it.
    let fault = |name: &str, detail: &str| {
        Fault::new(&format!("/{name}"), "account/not-understood", detail)
    };
    let Some(members) = value.as_object() else {
        return Err(Problem::faults(vec![Fault::new(
            "",
            "account/not-understood",
            "an object is wanted",
        )]));
    };
    let (mut id, mut provider) = (String::new(), String::new());
    let mut change = AccountChange::default();
    let mut faults = Vec::new();
    for (name, value) in members {
        let text = match value {
            Value::Null => Some(None),
            Value::String(text) => Some(Some(text.clone())),
            _ => None,
        };
        let number = match value {
            Value::Null => Some(None),
            _ => value.as_i64().map(Some),
        };
        let mut wanted = |what: &str| faults.push(fault(name, what));
        match (name.as_str(), text, number) {
            ("id", Some(Some(text)), _) if wants_id => id = text,
            ("provider_id", Some(Some(text)), _) if wants_id => provider = text,
            ("id" | "provider_id", ..) if wants_id => wanted("a text is wanted"),
            ("id" | "provider_id", ..) => wanted("it never changes: make another account"),
            ("tenant", Some(text), _) => change.tenant = Some(text),
            ("endpoint", Some(text), _) => change.endpoint = Some(text),
            ("key_env", Some(Some(text)), _) if text.starts_with(VARIABLES) => {
                change.key = Some(NewKey::Env(text));
            }
            ("key_env", Some(Some(_)), _) => wanted(
                "over HTTP only variables that begin with `ONEPATH_ACCOUNT_`; \
                 `onepath admin account` names any",
            ),
            ("key", Some(Some(text)), _) => change.key = Some(NewKey::Sealed(Secret::new(text))),
            ("key" | "key_env", Some(None), _) => change.key = Some(NewKey::None),
            ("tenant" | "endpoint" | "key_env" | "key", ..) => wanted("a text or null is wanted"),
            ("concurrency", _, Some(number)) => change.concurrency = Some(number),
            ("daily_limit", _, Some(number)) => change.daily_limit = Some(number),
            ("priority", _, Some(Some(number))) => change.priority = Some(number),
            ("concurrency" | "daily_limit" | "priority", ..) => wanted("a whole number is wanted"),
            ("enabled", ..) => match value.as_bool() {
                Some(enabled) => change.enabled = Some(enabled),
                None => wanted("true or false is wanted"),
            },
            _ => wanted(
                "it is not known: tenant, endpoint, key, key_env, priority, concurrency, \
                 daily_limit, enabled",
            ),
        }
    }
    if members.contains_key("key") && members.contains_key("key_env") {
        faults.push(fault("key", "`key` or `key_env`, not both"));
    }
    for name in ["id", "provider_id"].into_iter().filter(|_| wants_id) {
        if !members.contains_key(name) {
            faults.push(fault(name, "it is required"));
        }
    }
    if faults.is_empty() {
        Ok(NewAccount { id, provider, change })
    } else {
        Err(Problem::faults(faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_told_at_once_and_no_secret_is_repeated() {
        let text = r#"{"id": 5, "provider_id": "local", "key": "r8_canary", "key_env": "PATH",
                       "concurrency": "two", "enabled": 1, "kay": "r8_canary"}"#;
        let problem = read_account(text, true).unwrap_err();
        let mut pointers: Vec<&str> =
            problem.errors.iter().map(|fault| fault.pointer.as_str()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["/concurrency", "/enabled", "/id", "/kay", "/key", "/key_env"]);
        assert!(!format!("{problem:?}").contains("canary"));
        let read = read_account(r#"{"key": "r8_canary", "tenant": null}"#, false).unwrap();
        assert!(!format!("{read:?}").contains("canary"));
        assert_eq!(read.change.tenant, Some(None));
        assert!(read_account(r#"{"id": "b"}"#, false).is_err());
        assert!(read_account("[]", false).is_err());
        assert_eq!(read_account("{", false).unwrap_err().code, ProblemCode::MalformedJson);
    }

    #[test]
    fn endpoints_and_names_are_what_they_say() {
        for good in ["https://gpu.example", "http://127.0.0.1:8188", "https://a.example/v1/x"] {
            assert!(is_endpoint(good), "{good}");
        }
        for bad in [
            "",
            "gpu.example",
            "https://",
            "ftp://a.example",
            "https://a.example/",
            "https:///x",
            "https://user@a.example",
            "https://a.example?x",
            "https://a .example",
            "https://ä.example",
        ] {
            assert!(!is_endpoint(bad), "{bad}");
        }
        for good in ["a", "main-2", "A.b_c", "9"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-a", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_variable("ONEPATH_ACCOUNT_1") && !is_variable("1A") && !is_variable("A=B"));
    }

    #[test]
    fn a_change_is_looked_at_as_a_whole() {
        let change = AccountChange {
            tenant: Some(Some(String::new())),
            endpoint: Some(Some("gpu".to_owned())),
            key: Some(NewKey::Sealed(Secret::new("tab\there"))),
            priority: Some(11),
            concurrency: Some(Some(0)),
            daily_limit: Some(Some(-1)),
            enabled: Some(true),
        };
        assert_eq!(faults_of(&change).len(), 6);
        let fine = AccountChange {
            concurrency: Some(None),
            daily_limit: Some(Some(0)),
            key: Some(NewKey::Sealed(Secret::new("r8_abc"))),
            ..AccountChange::default()
        };
        assert_eq!(faults_of(&fine), vec![]);
    }
}
