//! Webhooks: who reports what when, whatever the provider signs them with.

use std::sync::Arc;
use std::time::Duration;

use crate::Shared;
use crate::book::Prediction;
use crate::switches::Webhooks;

/// A webhook as the provider sends it.
pub(crate) struct Hook {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// Reports the beginning, if that is wanted, and the end as soon as it is there.
pub(crate) fn report(shared: &Arc<Shared>, taken: &Prediction, starts: bool) {
    if taken.webhook.is_none() {
        return;
    }
    if starts && taken.switches.webhooks != Webhooks::Reordered {
        send(shared, taken, "start");
    }
    if taken.switches.polls == 0 {
        let (shared, id) = (Arc::clone(shared), taken.id.clone());
        let wait = Duration::from_millis(taken.switches.takes_ms.max(5));
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let ended = shared.book().ask(&id);
            if let Some(ended) = ended {
                tell(&shared, &ended);
            }
        });
    }
}

/// Reports an end, once it is there; only the first who sees it does.
pub(crate) fn tell(shared: &Arc<Shared>, one: &Prediction) {
    let silent = one.webhook.is_none() || one.ended_at.is_none() || one.end() == "never";
    if silent {
        return;
    }
    let first = {
        let mut book = shared.book();
        book.get(&one.id).is_some_and(|known| known.webhook.take().is_some())
    };
    if first {
        send(shared, one, "completed");
        if one.switches.webhooks == Webhooks::Reordered {
            let mut before = one.clone();
            before.ended_at = None;
            send(shared, &before, "start");
        }
    }
}

/// Sends a webhook, as often as the switches say.
fn send(shared: &Arc<Shared>, one: &Prediction, event: &str) {
    let Some(url) = one.webhook.clone() else { return };
    let times = match one.switches.webhooks {
        Webhooks::None => return,
        Webhooks::Twice => 2,
        _ => 1,
    };
    let Some(hook) = (shared.kind.stand().hook)(shared, one, event) else { return };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        for _ in 0..times {
            let mut post = shared.http.post(&url).header("content-type", "application/json");
            for (name, value) in &hook.headers {
                post = post.header(*name, value);
            }
            // Nobody may be there: a webhook is a hint.
            let answered = post.body(hook.body.clone()).send().await;
            let status = answered.map_or(0, |answer| answer.status().as_u16());
            shared.book().note_webhook(status);
        }
    });
}
