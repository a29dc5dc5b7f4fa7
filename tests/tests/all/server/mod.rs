//! A real server on a folder of its own, spoken to over HTTP.

mod accounts;
mod assets;
mod bounds;
mod bucket;
mod cache;
mod content;
mod door;
mod events;
mod failures;
mod files;
mod generations;
mod hits;
pub(crate) mod http;
mod jobs;
mod legacy;
mod lists;
mod logs;
mod maker;
mod money;
mod openapi;
mod operators;
mod outside;
mod predecessor;
mod problems;
mod prompts;
mod restart;
mod security;
mod sharing;
mod short_ways;
mod slice;
mod small;
mod telemetry;
mod webhooks;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use onepath_core::BatchOp;
use onepath_server::service::Plans;
use onepath_server::store::{Reader, Role, Store};
use onepath_server::webhook::PublicUrl;
use onepath_server::worker::WorkerSettings;
use onepath_server::{Server, Settings};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::http::{Http, Reply};

/// A folder of a test's own, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("onepath-server-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Keys of every server here: a backend's, those of two users, and one behind another wall.
const KEYS: [(&str, &str, &str, Role); 4] = [
    ("backend", "studio", "game", Role::Backend),
    ("ada", "studio", "ada", Role::User),
    ("ben", "studio", "ben", Role::User),
    ("elsewhere", "other-studio", "game", Role::Backend),
];

/// A server at work.
pub(crate) struct Running {
    pub(crate) http: Http,
    store: Arc<dyn Store>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Settings with a quick worker.
pub(crate) fn settings(folder: &Folder) -> Settings {
    let mut settings = Settings::new(folder.as_ref());
    settings.plans = Plans::unlimited();
    settings.worker = WorkerSettings {
        poll: Duration::from_millis(20),
        rest: Duration::from_millis(50),
        ..WorkerSettings::default()
    };
    settings
}

/// A server with everybody's keys.
async fn opened(settings: &Settings) -> Server {
    let server = Server::open(settings).unwrap();
    for (key, tenant, user, role) in KEYS {
        let reader = Reader { tenant: tenant.to_owned(), user: user.to_owned() };
        server.add_key(key, key, reader, role).await.unwrap();
    }
    server
}

impl Running {
    pub(crate) async fn start(folder: &Folder) -> Self {
        Self::with(&settings(folder)).await
    }

    pub(crate) async fn with(settings: &Settings) -> Self {
        Self::serve(opened(settings).await).await
    }

    /// A server that says where it is reached: at its own address.
    pub(crate) async fn reached(mut settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        settings.public_url = Some(PublicUrl::parse(&url).unwrap());
        Self::serve_at(opened(&settings).await, listener)
    }

    pub(crate) async fn serve(server: Server) -> Self {
        Self::serve_at(server, TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn serve_at(server: Server, listener: TcpListener) -> Self {
        let http = Http::new(listener.local_addr().unwrap()).with_key("backend");
        let (stop, stopped) = watch::channel(false);
        let store = Arc::clone(&server.service().store);
        let task = tokio::spawn(async move { server.run(listener, stopped).await });
        Self { http, store, stop, task }
    }

    /// Ends it as Ctrl-C does.
    pub(crate) async fn stop(self) {
        self.stop.send(true).unwrap();
        within("the server ends", self.task).await.unwrap();
    }

    /// Ends it as a crash does: in the middle of whatever it does.
    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub(crate) async fn create(&self, body: &Value) -> Value {
        let reply = self.http.post("/api/v1/generations", body).await;
        assert!(matches!(reply.status, 200 | 202), "{} {}", reply.status, reply.text());
        reply.json()
    }

    /// The id of a new generation.
    pub(crate) async fn created(&self, body: &Value) -> String {
        let created = self.create(body).await;
        assert_eq!(created["answer"], "created", "{created}");
        created["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, id: &str) -> Value {
        let reply = self.http.get(&format!("/api/v1/generations/{id}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// The generation as soon as it is as it should be.
    pub(crate) async fn when(&self, id: &str, what: &str, good: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let seen = self.get(id).await;
            if good(&seen) {
                return seen;
            }
            assert!(Instant::now() < end, "{what}: {seen:#}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn when_over(&self, id: &str) -> Value {
        let over = ["completed", "failed", "cancelled"];
        self.when(id, "it is over", |seen| over.contains(&seen["status"].as_str().unwrap())).await
    }
}

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

async fn within<F: Future>(what: &str, future: F) -> F::Output {
    let ended = tokio::time::timeout(PATIENCE, future).await;
    ended.unwrap_or_else(|_| panic!("{what}: not in time"))
}

/// An envelope that asks for a small picture.
fn picture(prompt: &str) -> Value {
    picture_with(prompt, json!({}))
}

/// An envelope that asks for a small picture, with more settings of the provider.
fn picture_with(prompt: &str, more: Value) -> Value {
    let mut local = json!({ "width": 96, "height": 64 });
    merge(&mut local, more);
    json!({
        "config": {
            "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
            "prompt": prompt, "style": { "local": local }, "fallback": { "mode": "retry" },
        },
        "provider_id": "local",
    })
}

/// Members of `more` over those of `into`, objects member by member.
fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

pub(crate) fn merged(mut envelope: Value, more: Value) -> Value {
    merge(&mut envelope, more);
    envelope
}

/// A request that was built elsewhere, with its hash, in an envelope.
fn built(config: &Value, options: &Value) -> Value {
    let line = json!({ "config": config, "options": options });
    let request = crate::batch(BatchOp::Build, &line);
    let print = crate::batch(BatchOp::Fingerprint, &line);
    assert!(print["request_hash"].is_string(), "{print}");
    json!({ "request": request, "request_hash": print["request_hash"] })
}

/// The codes and pointers of a problem's faults.
fn faults(reply: &Reply) -> Vec<(String, String)> {
    let problem = reply.json();
    let text = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    let faults = problem["errors"].as_array().cloned().unwrap_or_default();
    faults.iter().map(|fault| (text(fault, "code"), text(fault, "pointer"))).collect()
}
