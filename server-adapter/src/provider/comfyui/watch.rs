//! News over a web socket: a hint that a prompt has ended, and never more. The socket may break and
//! lose what it likes; polling carries everything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Message;

use super::client::Api;
use crate::provider::port::Hint;
use crate::provider::wire::{NewsSocket, Wire};

/// How long a prompt is listened for at most.
const LONGEST: Duration = Duration::from_secs(3600);

/// How long a socket may be silent; a server tells its queue's length now and then.
const SILENCE: Duration = Duration::from_secs(120);

/// Between one socket and the next.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Listens to every server that has prompts of ours.
#[derive(Debug)]
pub(super) struct Watch {
    /// As whom this process is known. The server closes the socket before when the same client
    /// connects again, so no other process has this id.
    pub(super) client_id: String,
    wire: Wire,
    hints: broadcast::Sender<Hint>,
    servers: Mutex<BTreeMap<String, Arc<Server>>>,
}

/// A server, and the prompts that it has.
#[derive(Debug, Default)]
struct Server {
    prompts: Mutex<BTreeMap<String, Instant>>,
}

impl Server {
    /// The prompts that are still waited for.
    fn waiting(&self) -> Vec<String> {
        let mut prompts = self.prompts.lock().unwrap_or_else(PoisonError::into_inner);
        prompts.retain(|_, since| since.elapsed() < LONGEST);
        prompts.keys().cloned().collect()
    }
}

impl Watch {
    pub(super) fn new(wire: Wire, client_id: String) -> Self {
        let (hints, _) = broadcast::channel(256);
        Self { client_id, wire, hints, servers: Mutex::default() }
    }

    pub(super) fn hints(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }

    /// Listens for a prompt from now on. Nobody needs to hear of it if nobody takes hints.
    pub(super) fn wait_for(&self, api: &Api, prompt: &str) {
        if self.hints.receiver_count() == 0 {
            return;
        }
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        // A server that nobody else holds has no task: it ended when nothing was waited for.
        let known = servers.get(&api.base).filter(|known| Arc::strong_count(known) > 1);
        let (server, is_new) = match known {
            Some(server) => (Arc::clone(server), false),
            None => (Arc::new(Server::default()), true),
        };
        let mut prompts = server.prompts.lock().unwrap_or_else(PoisonError::into_inner);
        prompts.insert(prompt.to_owned(), Instant::now());
        drop(prompts);
        if is_new {
            servers.insert(api.base.clone(), Arc::clone(&server));
            let listening = Listening {
                wire: self.wire.clone(),
                ask: (api.clone(), self.client_id.clone()),
                hints: self.hints.clone(),
                server,
            };
            tokio::spawn(listening.run());
        }
    }

    /// Nobody waits for a prompt any more.
    pub(super) fn forget(&self, prompt: &str) {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        for server in servers.values() {
            server.prompts.lock().unwrap_or_else(PoisonError::into_inner).remove(prompt);
        }
    }
}

/// A task that listens to one server as long as there is something to listen for.
struct Listening {
    wire: Wire,
    ask: (Api, String),
    hints: broadcast::Sender<Hint>,
    server: Arc<Server>,
}

impl Listening {
    async fn run(self) {
        let (api, client_id) = &self.ask;
        let mut pause = PAUSE.0;
        let mut sockets = 0_u32;
        while self.is_wanted() {
            match self.wire.socket(api.news(client_id)).await {
                Ok(socket) => {
                    sockets += 1;
                    if sockets > 1 {
                        // What ended while nobody listened.
                        for prompt in self.server.waiting() {
                            self.tell(&prompt, &format!("again {sockets}"));
                        }
                    }
                    pause = PAUSE.0;
                    self.listen(socket).await;
                }
                Err(error) => {
                    tracing::debug!(%error, "no news of ComfyUI: it is asked now and then");
                }
            }
            if !self.is_wanted() {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// Somebody takes hints, and something is waited for.
    fn is_wanted(&self) -> bool {
        self.hints.receiver_count() > 0 && !self.server.waiting().is_empty()
    }

    /// Reads until the socket ends, is silent for too long, or nothing is waited for.
    async fn listen(&self, mut socket: NewsSocket) {
        while let Ok(Some(Ok(message))) = tokio::time::timeout(SILENCE, socket.next()).await {
            match message {
                Message::Text(text) => {
                    if let Some((event, prompt)) = ended(&text) {
                        self.tell(prompt.as_str(), event);
                    }
                }
                Message::Close(_) => return,
                // Previews are pictures, as bytes; pings are answered by the socket itself.
                _ => {}
            }
            if !self.is_wanted() {
                return;
            }
        }
    }

    fn tell(&self, prompt: &str, event: &str) {
        // Nobody may listen: a hint is a hint.
        let _ = self.hints.send(Hint { prediction: prompt.to_owned(), event: event.to_owned() });
    }
}

/// The event and the prompt of a message that tells of an end. `executing` without a node comes
/// when the history has it; the others may be a moment early.
fn ended(text: &str) -> Option<(&'static str, String)> {
    let message: Value = serde_json::from_str(text).ok()?;
    let data = message.get("data")?;
    let event = match message.get("type")?.as_str()? {
        "executing" if data.get("node").is_some_and(Value::is_null) => "executing",
        "execution_success" => "execution_success",
        "execution_error" => "execution_error",
        "execution_interrupted" => "execution_interrupted",
        _ => return None,
    };
    Some((event, data.get("prompt_id")?.as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_from_everything_else() {
        let told = |text: &str| ended(text).map(|(event, prompt)| format!("{event} {prompt}"));
        for (text, end) in [
            (r#"{"type":"executing","data":{"node":null,"prompt_id":"p"}}"#, Some("executing p")),
            (r#"{"type":"executing","data":{"node":"3","prompt_id":"p"}}"#, None),
            (r#"{"type":"executing","data":{"prompt_id":"p"}}"#, None),
            (
                r#"{"type":"execution_error","data":{"prompt_id":"p","node_id":"3"}}"#,
                Some("execution_error p"),
            ),
            (r#"{"type":"status","data":{"status":{}}}"#, None),
            (r#"{"type":"execution_success","data":{}}"#, None),
            ("{", None),
        ] {
            assert_eq!(told(text).as_deref(), end, "{text}");
        }
    }
}
