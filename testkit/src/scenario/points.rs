//! T2: the server is killed before the first call with which it changes anything outside of itself,
//! before the second, and so on until it has nothing left to do.

use std::time::Duration;

use onepath_testkit::Fallible;
use serde_json::json;
use tokio::task::JoinSet;

use super::shim::Shim;
use super::stage::{Kind, Stage};
use super::{Context, Verdict};
use crate::judge::Counts;
use crate::process::Process;

/// Points after which a server that lives on has nothing left to do.
const ENOUGH: u64 = 3;

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let shim = Shim::build(&context.data)?;
    let mut verdicts = Vec::new();
    for kind in Kind::BOTH {
        let (mut counts, mut verdict) = (Counts::default(), Verdict::default());
        let (mut died, mut lived, mut point) = (0, 0, 0);
        // A short run takes one point of every so many, another with every seed.
        let stride = if context.short { 40 } else { 1 };
        let first = 1 + context.seed % stride;
        let last = context.rounds.unwrap_or(u64::MAX);
        while lived < ENOUGH && point < last {
            point += 1;
            let at = first + (point - 1) * stride;
            let (dead, more, faults) = one(context, &shim, kind, at).await?;
            counts += more;
            verdict.faults.extend(faults);
            if dead {
                (died, lived) = (died + 1, 0);
            } else {
                lived += 1;
            }
        }
        verdict.line = format!(
            "T2 {}: killed before the call {first} and every {stride} further, {died} times until \
             there was nothing left to do; {counts}",
            kind.name()
        );
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

async fn one(
    context: &Context,
    shim: &Shim,
    kind: Kind,
    at: u64,
) -> Fallible<(bool, Counts, Vec<crate::judge::Fault>)> {
    let name = format!("points-{}-{at}", kind.name());
    let stage = Stage::new(context, kind, &name, at).await?;
    let mut doomed = stage.program.clone();
    doomed.env.extend(shim.env(&[("ONEPATH_DIE_AT", at.to_string())]));
    // It may die before it listens.
    let mut server = doomed.try_start("serve", &[]).await?;
    if let Some(server) = &server {
        stage.servers.set(0, server.address().unwrap_or_default());
    }
    let mut dead = server.is_none();
    let mut clients = JoinSet::new();
    for (index, script) in ["ok", "lost", "never"].into_iter().enumerate() {
        let caller = stage.caller.clone();
        clients.spawn(async move {
            let key = format!("points-{index}");
            let made = caller.create("game", &key, &body(index, script)).await?;
            if script == "never" {
                let path = format!("/api/v1/generations/{}/cancel", made.id);
                caller.call("POST", &path, ("game", None), None).await?;
            }
            caller.follow("game", &made.id, Duration::from_secs(30)).await?;
            Ok::<_, String>(made)
        });
    }
    let mut acknowledged = Vec::new();
    while !clients.is_empty() {
        if ended(&mut server)? {
            dead = true;
            server = Some(stage.serve(0, &[]).await?);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        while let Some(client) = clients.try_join_next() {
            acknowledged.push(client.map_err(|error| error.to_string())??);
        }
    }
    // Ending is something that it does as well.
    if !dead {
        let mut last = server.take().ok_or("no server")?;
        dead = last.end().await.is_err();
    }
    let is_gone = ended(&mut server)?;
    let mut server = match server.filter(|_| !is_gone) {
        Some(server) => server,
        None => stage.serve(0, &[]).await?,
    };
    stage.truth.watch().await?;
    let (counts, faults) = stage.judge(&acknowledged).await?;
    server.end().await?;
    if !faults.is_empty() {
        eprintln!("  {name}: killed before the call {at}");
    }
    stage.clear(&faults)?;
    Ok((dead, counts, faults))
}

/// Whether there is no server any more.
fn ended(server: &mut Option<Process>) -> Fallible<bool> {
    server.as_mut().map_or(Ok(true), |server| Ok(server.ended()?.is_some()))
}

fn body(index: usize, script: &str) -> String {
    json!({
        "config": {
            "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
            "prompt": format!("picture {index}"), "style": { "fake": { "script": script } },
            "fallback": { "mode": "skip" },
        },
        "provider_id": "fake",
    })
    .to_string()
}
