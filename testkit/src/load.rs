//! What clients ask for while servers die: creates of all kinds, the same again, cancels, retries.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onepath_testkit::Fallible;
use onepath_testkit::random::Random;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::caller::{Acknowledged, Caller};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mix {
    /// Everything that can happen.
    All,
    /// What a provider makes at the first attempt.
    Good,
    /// The same of Replicate.
    Replicate,
}

/// Clients at work.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    kept: Arc<Mutex<Vec<Acknowledged>>>,
    clients: JoinSet<Fallible<()>>,
    asked: Arc<AtomicU64>,
}

impl Load {
    /// Starts so many clients; their wishes come from the seed.
    pub(crate) fn start(caller: &Caller, clients: u64, seed: u64, mix: Mix) -> Self {
        let mut load = Self {
            stop: Arc::default(),
            kept: Arc::default(),
            clients: JoinSet::new(),
            asked: Arc::default(),
        };
        for client in 0..clients {
            let work = Client {
                caller: caller.clone(),
                stop: Arc::clone(&load.stop),
                kept: Arc::clone(&load.kept),
                asked: Arc::clone(&load.asked),
                random: Random::new(seed.wrapping_mul(1000).wrapping_add(client)),
                name: format!("{seed}-{client}"),
                mix,
            };
            load.clients.spawn(work.run());
        }
        load
    }

    /// Lets the clients end what they are at, and gives what was acknowledged.
    pub(crate) async fn end(mut self) -> Fallible<Vec<Acknowledged>> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.map_err(|error| error.to_string())??;
        }
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

struct Client {
    caller: Caller,
    stop: Arc<AtomicBool>,
    kept: Arc<Mutex<Vec<Acknowledged>>>,
    asked: Arc<AtomicU64>,
    random: Random,
    name: String,
    mix: Mix,
}

/// What a provider does with the submissions of a request, one after the other.
const SCRIPTS: [&str; 20] = [
    "ok",
    "ok",
    "ok",
    "ok",
    "ok",
    "flaky",
    "lost",
    "half",
    "hang",
    "drop",
    "error",
    "busy",
    "down",
    "never",
    "refuse:param_invalid",
    "fail:provider_generic ok",
    "fail:provider_generic fail:provider_generic fail:provider_generic",
    "nothing ok",
    "lost fail:provider_timeout lost",
    "wrong",
];

impl Client {
    async fn run(mut self) -> Fallible<()> {
        while !self.stop.load(Ordering::Relaxed) {
            let turn = self.asked.fetch_add(1, Ordering::Relaxed);
            let user = self.random.of(&["game", "game", "ada", "ben", "few"]);
            // Now and then what somebody asked for before.
            let what = if self.random.chance(30) { self.random.below(turn + 1) } else { turn };
            let body = self.body(what);
            let key = format!("{}-{turn}", self.name);
            let made = self.caller.create(user, &key, &body).await?;
            let id = made.id.clone();
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(made);
            if self.mix != Mix::All {
                let wait = Duration::from_millis(self.random.below(60));
                tokio::time::sleep(wait).await;
                continue;
            }
            self.afterwards(user, &id).await?;
        }
        Ok(())
    }

    /// What users do about what they asked for.
    async fn afterwards(&mut self, user: &str, id: &str) -> Fallible<()> {
        let path = |what: &str| format!("/api/v1/generations/{id}{what}");
        if self.random.chance(12) {
            tokio::time::sleep(Duration::from_millis(self.random.below(80))).await;
            self.caller.call("POST", &path("/cancel"), (user, None), None).await?;
        }
        let wait = Duration::from_millis(self.random.below(1500));
        let end = self.caller.follow(user, id, wait).await?;
        let status = end.as_ref().and_then(|end| end.get("status")).and_then(Value::as_str);
        if matches!(status, Some("failed" | "cancelled")) && self.random.chance(30) {
            self.caller.call("POST", &path("/retry"), (user, None), None).await?;
        }
        Ok(())
    }

    /// A create request: the same number is the same request.
    fn body(&mut self, what: u64) -> String {
        let mut of_what = Random::new(what);
        let (strategy, script) = match self.mix {
            Mix::Good | Mix::Replicate => ("once", "ok"),
            Mix::All => (
                of_what.of(&["once", "once", "once", "per_player", "always"]),
                of_what.of(&SCRIPTS),
            ),
        };
        if self.mix == Mix::Replicate {
            return wish(&format!("picture {what}"));
        }
        let mode = of_what.of(&["retry", "skip", "placeholder"]);
        json!({
            "config": {
                "generationType": "text_to_image", "purpose": "ambient", "strategy": strategy,
                "seedSource": "player", "prompt": format!("picture {what}"),
                "style": { "fake": { "script": script } },
                "fallback": { "mode": mode, "maxRetries": 2 },
            },
            "provider_id": "fake",
            "player_context": { "playerId": "7", "playthroughId": "99" },
            "priority": self.random.below(11),
            "force_new": self.mix == Mix::All && self.random.chance(5),
        })
        .to_string()
    }
}

/// A create request for a picture of Replicate's.
pub(crate) fn wish(prompt: &str) -> String {
    json!({
        "config": {
            "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
            "prompt": prompt, "fallback": { "mode": "retry", "maxRetries": 2 },
        },
        "provider_id": "replicate",
    })
    .to_string()
}

/// A create request for something that the provider makes at once.
pub(crate) fn picture(what: u64) -> String {
    json!({
        "config": {
            "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
            "prompt": format!("picture {what}"), "fallback": { "mode": "skip" },
        },
        "provider_id": "fake",
    })
    .to_string()
}
