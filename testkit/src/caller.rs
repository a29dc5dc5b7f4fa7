//! Clients that keep what they were told: every call goes again until it is answered.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use onepath_testkit::Fallible;
use serde_json::Value;

/// Where servers listen now; a server that starts again has another port.
#[derive(Debug, Clone, Default)]
pub(crate) struct Servers(Arc<Mutex<Vec<String>>>);

impl Servers {
    /// These, from now on.
    pub(crate) fn set(&self, index: usize, address: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() <= index {
            all.resize(index + 1, String::new());
        }
        if let Some(place) = all.get_mut(index) {
            address.clone_into(place);
        }
    }

    /// One of them, another with every turn.
    pub(crate) fn at(&self, turn: usize) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(turn % all.len().max(1)).cloned()
    }
}

/// A create that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledged {
    /// Under which idempotency key.
    pub(crate) key: String,
    /// For whom.
    pub(crate) user: String,
    /// What was sent.
    pub(crate) body: String,
    /// The generation that answers.
    pub(crate) id: String,
    /// `created`, `joined`, `cache` or `hash`.
    pub(crate) answer: String,
    /// The request's hash.
    pub(crate) request_hash: String,
    /// The answer as it was.
    pub(crate) bytes: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    fn text(&self, name: &str) -> String {
        self.json().get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// A client of a tenant's backend.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    servers: Servers,
    key: &'static str,
    /// How long a call goes on.
    patience: Duration,
}

impl Caller {
    /// With the key of a tenant: `faults` or `elsewhere`.
    pub(crate) fn new(servers: &Servers, key: &'static str) -> Fallible<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(20))
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { http, servers: servers.clone(), key, patience: Duration::from_secs(90) })
    }

    /// One call, once; the error is the connection's.
    pub(crate) async fn once(
        &self,
        server: &str,
        method: &str,
        path: &str,
        (user, key): (&str, Option<&str>),
        body: Option<&str>,
    ) -> Result<Reply, reqwest::Error> {
        let method = method.parse().unwrap_or_default();
        let mut request = self
            .http
            .request(method, format!("http://{server}{path}"))
            .header("authorization", format!("Bearer {}", self.key))
            .header("onepath-user", user);
        if let Some(key) = key {
            request = request.header("idempotency-key", format!("\"{key}\""));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok(Reply { status, bytes: response.bytes().await?.to_vec() })
    }

    /// One call, again and again while nobody answers or the answer says so.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        who: (&str, Option<&str>),
        body: Option<&str>,
    ) -> Fallible<Reply> {
        let since = Instant::now();
        let mut last = String::new();
        let mut turn = usize::from(who.0.bytes().fold(0_u8, u8::wrapping_add));
        while since.elapsed() < self.patience {
            turn += 1;
            let server = self.servers.at(turn).unwrap_or_default();
            match self.once(&server, method, path, who, body).await {
                Ok(reply) if !matches!(reply.status, 429 | 502..=504 | 507) => return Ok(reply),
                Ok(reply) => last = format!("{}: {}", reply.status, reply.text("detail")),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(format!("{method} {path} was not answered: {last}"))
    }

    /// A create, until it is answered.
    pub(crate) async fn create(&self, user: &str, key: &str, body: &str) -> Fallible<Acknowledged> {
        let path = "/api/v1/generations";
        let reply = self.call("POST", path, (user, Some(key)), Some(body)).await?;
        if !matches!(reply.status, 200 | 202) {
            let text = String::from_utf8_lossy(&reply.bytes).into_owned();
            return Err(format!("a create was refused with {}: {text}", reply.status));
        }
        Ok(Acknowledged {
            key: key.to_owned(),
            user: user.to_owned(),
            body: body.to_owned(),
            id: reply.text("id"),
            answer: reply.text("answer"),
            request_hash: reply.text("request_hash"),
            bytes: reply.bytes,
        })
    }

    /// A generation as it is now.
    pub(crate) async fn get(&self, user: &str, id: &str) -> Fallible<Reply> {
        self.call("GET", &format!("/api/v1/generations/{id}"), (user, None), None).await
    }

    /// Follows a generation until it is over, or for so long.
    pub(crate) async fn follow(
        &self,
        user: &str,
        id: &str,
        patience: Duration,
    ) -> Fallible<Option<Value>> {
        let since = Instant::now();
        let mut pause = Duration::from_millis(20);
        while since.elapsed() < patience {
            let reply = self.get(user, id).await?;
            if reply.status == 404 {
                return Ok(None);
            }
            let status = reply.text("status");
            if matches!(status.as_str(), "completed" | "failed" | "cancelled") {
                return Ok(Some(reply.json()));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(250));
        }
        Ok(None)
    }
}
