//! Webhooks of providers: whatever comes in, in whatever order, changes nothing but speed.

mod incoming;
mod outgoing;
mod remote;

use std::time::Duration;

use onepath_client::webhook::Secret;
use onepath_server::webhook::PublicUrl;
use onepath_server::{Server, Settings};
use serde_json::{Value, json};

use self::remote::{Remote, Sent};
use super::http::Reply;
use super::{Folder, KEYS, Reader, Running, merged, picture, settings};

/// Where the world is told that the server is.
const PUBLIC: &str = "https://media.example.com";

/// Settings under which nobody asks a provider by themselves for a long time.
fn patient(folder: &Folder) -> Settings {
    let mut settings = settings(folder);
    settings.worker.poll = Duration::from_secs(3600);
    settings.worker.deadline = Duration::from_secs(36_000);
    settings.public_url = Some(PublicUrl::parse(PUBLIC).unwrap());
    settings
}

fn secret() -> Secret {
    Secret::of([7; 32])
}

/// A server with a provider that is far away.
async fn with_remote(settings: &Settings, remote: &Remote) -> Running {
    let server = Server::open(settings).unwrap().with_provider(remote.clone());
    for (key, tenant, user, role) in KEYS {
        let reader = Reader { tenant: tenant.to_owned(), user: user.to_owned() };
        server.add_key(key, key, reader, role).await.unwrap();
    }
    Running::serve(server).await
}

/// An envelope that asks the provider far away.
fn far_picture(prompt: &str) -> Value {
    let mut wish = picture(prompt);
    wish["config"]["style"] = json!({});
    merged(wish, json!({ "provider_id": Remote::ID }))
}

/// The path of a webhook's URL.
fn path(url: &str) -> &str {
    url.strip_prefix(PUBLIC).unwrap()
}

async fn deliver(server: &Running, sent: &Sent) -> Reply {
    let headers: Vec<(&str, &str)> =
        sent.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server.http.without_key().send("POST", &sent.path, &headers, &sent.body).await
}
