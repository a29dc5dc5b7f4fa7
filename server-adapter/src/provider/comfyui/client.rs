//! The calls of a ComfyUI server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::provider::account::Secret;
use crate::provider::media::MOST_OUTPUT;
use crate::provider::wire::{Ask, Payload};

/// How long a file may take on its way.
const FILE: Duration = Duration::from_secs(300);

/// The history holds the whole graph of a prompt, and the queue those of all.
const MOST: usize = 64 << 20;

/// Where a server is called, and with which key.
#[derive(Debug, Clone)]
pub(super) struct Api {
    /// Such as `http://127.0.0.1:8188`, without a `/` at the end.
    pub(super) base: String,
    /// The key, where something in front of the server wants one.
    pub(super) key: Option<Secret>,
}

impl Api {
    fn with_key(&self, ask: Ask) -> Ask {
        match &self.key {
            Some(key) => ask.secret("x-api-key", "", key),
            None => ask,
        }
    }

    fn get(&self, path: &str) -> Ask {
        self.with_key(Ask::get(format!("{}{path}", self.base)))
    }

    fn post(&self, path: &str) -> Ask {
        self.with_key(Ask::post(format!("{}{path}", self.base)))
    }

    /// Queues a graph.
    pub(super) fn prompt(&self, body: &Value) -> Ask {
        self.post("/prompt").json(body)
    }

    /// How a prompt ended: `{}` while it has not, and for what is not known.
    pub(super) fn history(&self, id: &str) -> Ask {
        self.get(&format!("/history/{id}")).at_most(MOST)
    }

    /// What runs and what waits.
    pub(super) fn queue(&self) -> Ask {
        self.get("/queue").at_most(MOST)
    }

    /// Stops a prompt, wherever it is; servers of before do not know this.
    pub(super) fn cancel(&self, id: &str) -> Ask {
        self.post(&format!("/api/jobs/{id}/cancel"))
    }

    /// Stops a prompt that runs.
    pub(super) fn interrupt(&self, id: &str) -> Ask {
        self.post("/interrupt").json(&json!({ "prompt_id": id }))
    }

    /// Takes a prompt out of the queue.
    pub(super) fn delete(&self, id: &str) -> Ask {
        self.post("/queue").json(&json!({ "delete": [id] }))
    }

    /// Hands a file over.
    pub(super) fn upload(&self, form: Payload) -> Ask {
        self.post("/upload/image").payload(form).within(FILE)
    }

    /// A file that was made, at a path that [`status`](super::status) gave.
    pub(super) fn view(&self, path: &str) -> Ask {
        self.get(path).at_most(MOST_OUTPUT).within(FILE)
    }

    /// News of the prompts of a client.
    pub(super) fn news(&self, client_id: &str) -> Ask {
        self.get(&format!("/ws?clientId={client_id}"))
    }
}
