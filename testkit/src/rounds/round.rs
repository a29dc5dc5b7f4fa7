//! One round: create, kill, restart, wait, look.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use onepath_client::{Client, Created, Error, Generation};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use onepath_testkit::Fallible;

use super::judge;
use super::plan::{GENERATIONS, Moment, Plan};
use super::serve::{KEY, Place, Process};
use crate::judge::Fault;

/// How long a generation may take to end, restarts included.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a round showed.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Every kill, by the phase in which it fell.
    pub(super) kills: Vec<&'static str>,
    /// Creates that were answered before the kill.
    pub(super) acknowledged: usize,
    /// Where the generations stood in the store when the server was killed.
    pub(super) stages: BTreeMap<String, usize>,
    /// What the provider drew.
    pub(super) draws: usize,
    /// Files that nobody needs any more.
    pub(super) leftovers: usize,
    /// What must not be.
    pub(super) faults: Vec<Fault>,
}

/// The answers to the creates of a round, as they come.
type Answers = UnboundedReceiver<(usize, Result<Created, Error>)>;

/// Plays a round in a fresh folder.
pub(super) async fn play(onepath: &Path, folder: &Path, plan: &Plan) -> Fallible<Seen> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{}: {error}", folder.display()));
        }
        _ => std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?,
    }
    let place = Place::new(onepath, folder);
    let mut seen = Seen::default();
    if let Some(after) = plan.first_start {
        kill_while_starting(&place, "127.0.0.1:0", after)?;
        seen.kills.push("during the first start");
    }
    let (mut server, address) = place.start("127.0.0.1:0").await?;
    let client = Client::new(&format!("http://{address}"), KEY).map_err(|e| e.to_string())?;
    let (mut answers, _creating) = create(&client, plan);
    let early = kill_at(plan.moment, &mut server, &mut answers, &mut seen).await?;
    judge::at_the_kill(&place, folder, &early, &mut seen)?;
    for after in &plan.restarts {
        kill_while_starting(&place, &address, *after)?;
        seen.kills.push("during a restart");
    }
    let (mut server, _) = place.start(&address).await?;
    let Some(all) = rest(&mut answers, early, &mut seen).await? else { return Ok(seen) };
    follow(&client, &all, &mut seen).await;
    let drawn = judge::draws(&place)?;
    again(&client, plan, &all, &mut seen).await;
    judge::assets(&address, &client, &all, &mut seen).await;
    let status = server.end().await?;
    if !status.success() {
        seen.faults.push(Fault::Other(format!("the server ended with {status}")));
    }
    judge::store(&place, &all, &drawn, &mut seen)?;
    Ok(seen)
}

fn kill_while_starting(place: &Place, listen: &str, after: Duration) -> Fallible<()> {
    let mut process = place.begin(listen)?;
    std::thread::sleep(after);
    process.kill()
}

/// Sends all creates at once, or shortly after another. They ride through restarts.
fn create(client: &Client, plan: &Plan) -> (Answers, JoinSet<()>) {
    let (sender, answers) = unbounded_channel();
    let mut creating = JoinSet::new();
    for (index, body) in plan.bodies.iter().cloned().enumerate() {
        let (client, sender) = (client.clone(), sender.clone());
        let wait = plan.stagger * u32::try_from(index).unwrap_or(0);
        creating.spawn(async move {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            // The receiver is gone only if the round is.
            let _ = sender.send((index, client.create(&body).await));
        });
    }
    (answers, creating)
}

/// Kills the server at a moment; gives what was answered until then.
async fn kill_at(
    moment: Moment,
    server: &mut Process,
    answers: &mut Answers,
    seen: &mut Seen,
) -> Fallible<Vec<(usize, Created)>> {
    let mut early = Vec::new();
    match moment {
        Moment::Sent(after) => tokio::time::sleep(after).await,
        Moment::Answered(count, after) => {
            while early.len() < count {
                let answer = tokio::time::timeout(PATIENCE, answers.recv()).await;
                let (index, created) = answer.ok().flatten().ok_or("a create has no answer")?;
                early.push((index, created.map_err(|error| error.to_string())?));
            }
            tokio::time::sleep(after).await;
        }
    }
    server.kill()?;
    // What the dead server answered is read to the end.
    tokio::time::sleep(Duration::from_millis(10)).await;
    while let Ok((index, created)) = answers.try_recv() {
        early.push((index, created.map_err(|error| error.to_string())?));
    }
    seen.acknowledged = early.len();
    seen.kills.push(match early.len() {
        0 => "before the first answer",
        GENERATIONS => "after the last answer",
        _ => "between answers",
    });
    Ok(early)
}

/// Waits for the answers that are missing; every create's id, or none if one was refused.
async fn rest(
    answers: &mut Answers,
    early: Vec<(usize, Created)>,
    seen: &mut Seen,
) -> Fallible<Option<Vec<String>>> {
    let mut ids: BTreeMap<usize, String> =
        early.into_iter().map(|(index, created)| (index, created.id)).collect();
    while ids.len() < GENERATIONS {
        match tokio::time::timeout(PATIENCE, answers.recv()).await {
            Ok(Some((index, Ok(created)))) => {
                ids.insert(index, created.id);
            }
            Ok(Some((index, Err(error)))) => {
                seen.faults.push(Fault::Other(format!("create {index}: {error}")));
                return Ok(None);
            }
            Ok(None) | Err(_) => {
                seen.faults.push(Fault::Stuck("a create has no answer".to_owned()));
                return Ok(None);
            }
        }
    }
    Ok(Some(ids.into_values().collect()))
}

/// Follows every generation to its end.
async fn follow(client: &Client, all: &[String], seen: &mut Seen) {
    let mut following = JoinSet::new();
    for id in all.iter().cloned() {
        let client = client.clone();
        following.spawn(async move {
            let end = tokio::time::timeout(PATIENCE, client.watch(&id)).await;
            (id, end)
        });
    }
    while let Some(joined) = following.join_next().await {
        let Ok((id, end)) = joined else { continue };
        seen.faults.extend(match end {
            Ok(Ok(generation)) => not_completed(&generation),
            Ok(Err(error)) => Some(Fault::Lost(format!("{id}: {error}"))),
            Err(_) => Some(Fault::Stuck(format!("{id} has no end after {PATIENCE:?}"))),
        });
    }
}

fn not_completed(generation: &Generation) -> Option<Fault> {
    let good = generation.status == "completed" && generation.fallback.is_none();
    (!good).then(|| Fault::Other(format!("{} did not complete: {generation:?}", generation.id)))
}

/// The same creates once more: each is answered from what exists.
async fn again(client: &Client, plan: &Plan, all: &[String], seen: &mut Seen) {
    for (body, id) in plan.bodies.iter().zip(all) {
        match client.create(body).await {
            Ok(created) if created.id == *id => {
                if !matches!(created.answer.as_str(), "cache" | "hash") {
                    let what = format!("{id} exists, and was answered `{}`", created.answer);
                    seen.faults.push(Fault::Other(what));
                }
            }
            Ok(created) => {
                let what = format!("{id} exists, and was made again as {}", created.id);
                seen.faults.push(Fault::Twice(what));
            }
            Err(error) => seen.faults.push(Fault::Other(format!("{id} again: {error}"))),
        }
    }
}
