//! T8: every single way in which a provider goes wrong, and sequences of them.

use std::sync::Arc;
use std::time::Duration;

use onepath_core::lifecycle::ErrorCode;
use onepath_testkit::Fallible;
use onepath_testkit::fake::Act;
use onepath_testkit::random::Random;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::stage::{Kind, Stage};
use super::{Context, Verdict};
use crate::judge::Fault;

/// Generations at the same time.
const AT_ONCE: usize = 40;

/// How a run ends whose first submission goes wrong in this way, and whose others go well:
/// completed, or failed with a code.
fn expected(word: &str) -> Option<&'static str> {
    match word {
        // The same again would come to the same.
        "refuse:param_invalid" => Some("param_invalid"),
        // Nothing is known about it until the deadline ends it.
        "never" | "strange" | "wrong" => Some("provider_timeout"),
        // It was made and paid for, and cannot be had.
        "gone" | "junk" | "cut" => Some("storage_failed"),
        _ => None,
    }
}

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for (kind, provider) in [(Kind::Sqlite, 0), (Kind::Postgres, 2)] {
        verdicts.push(one(context, kind, provider).await?);
    }
    Ok(verdicts)
}

async fn one(context: &Context, kind: Kind, provider: u64) -> Fallible<Verdict> {
    let mut random = Random::new(context.seed);
    let name = format!("provider-{}-{}", kind.name(), context.seed);
    let stage = Stage::new(context, kind, &name, provider).await?;
    let mut server = stage.serve(0, &[]).await?;
    stage.truth.watch().await?;
    let mut scripts: Vec<String> = Act::WORDS.iter().map(|word| (*word).to_owned()).collect();
    let single = scripts.len();
    for _ in 0..context.rounds(20, 600) {
        let words: Vec<&str> = (0..=random.below(4)).map(|_| random.of(&Act::WORDS)).collect();
        scripts.push(words.join(" "));
    }
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (index, script) in scripts.into_iter().enumerate() {
        let (caller, turns) = (stage.caller.clone(), Arc::clone(&turns));
        running.spawn(async move {
            let _turn = turns.acquire().await.map_err(|error| error.to_string())?;
            let key = format!("provider-{index}");
            let made = caller.create("game", &key, &body(index, &script)).await?;
            let end = caller.follow("game", &made.id, Duration::from_secs(60)).await?;
            Ok::<_, String>((index, script, made, end))
        });
    }
    let (mut acknowledged, mut faults) = (Vec::new(), Vec::new());
    while let Some(done) = running.join_next().await {
        let (index, script, made, end) = done.map_err(|error| error.to_string())??;
        faults.extend(verdict(index < single, &script, end.as_ref()));
        acknowledged.push(made);
    }
    let (counts, more) = stage.judge(&acknowledged).await?;
    faults.extend(more);
    server.end().await?;
    stage.clear(&faults)?;
    let line = format!(
        "T8 {}: {single} ways to go wrong once, and {} sequences, {counts}",
        kind.name(),
        acknowledged.len() - single
    );
    Ok(Verdict { line, faults })
}

/// A run ends, with a code that is known, and after a single fault as it should.
fn verdict(is_single: bool, script: &str, end: Option<&Value>) -> Option<Fault> {
    let text = |name: &str| end?.get(name)?.as_str();
    let Some(status) = text("status") else {
        return Some(Fault::Stuck(format!("`{script}` has no end")));
    };
    let code = text("error_code");
    if code.is_some_and(|code| ErrorCode::parse(code).is_none()) {
        return Some(Fault::Other(format!("`{script}` ended with the strange code {code:?}")));
    }
    let good = match expected(script) {
        _ if !is_single => matches!(status, "completed" | "failed"),
        None => status == "completed" && code.is_none(),
        wanted => status == "failed" && code == wanted,
    };
    (!good).then(|| Fault::Other(format!("`{script}` ended {status} with {code:?}")))
}

fn body(index: usize, script: &str) -> String {
    json!({
        "config": {
            "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
            "prompt": format!("picture {index}"), "style": { "fake": { "script": script } },
            "fallback": { "mode": "retry", "maxRetries": 2 },
        },
        "provider_id": "fake",
    })
    .to_string()
}
