//! T9: a storm of webhooks. Each generation gets a hundred deliveries in an order of its own: the
//! good one again and again, the beginning behind the end, forged ones, old ones, those of others,
//! before the submission's answer, after a cancel, after the end; and some get none at all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use onepath_fakes::{Fake, Kind as Provider, Options, REPLICATE_SECRET, Switches, Webhooks};
use onepath_testkit::Fallible;
use onepath_testkit::random::Random;
use onepath_webhook::{ID, SIGNATURE, Secret, TIMESTAMP, sign};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::super::stage::{Kind, Stage};
use super::super::{Context, Verdict};
use crate::caller::{Acknowledged, Caller};
use crate::judge::Fault;
use crate::load::wish;

/// Deliveries of a generation.
const EACH: u64 = 100;

/// Generations at the same time.
const AT_ONCE: usize = 24;

/// A delivery that somebody makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// As Replicate sends it, always with the same id.
    Good(&'static str),
    /// As Replicate sends it, with an id of its own.
    Again,
    /// To the address without a token.
    Tokenless,
    /// Signed with another secret.
    Forged,
    /// One bit of the body is another.
    Flipped,
    /// Signed an hour ago.
    Old,
    /// Without a signature.
    Unsigned,
    /// To a token of nobody.
    Unknown,
    /// Signed, about another prediction.
    Foreign,
    /// Signed, and no JSON.
    Unreadable,
}

impl What {
    fn of(random: &mut Random) -> Self {
        match random.below(20) {
            0..6 => Self::Good("completed"),
            6..8 => Self::Good("start"),
            8..10 => Self::Again,
            10 => Self::Tokenless,
            11..13 => Self::Forged,
            13 => Self::Flipped,
            14 => Self::Old,
            15 => Self::Unsigned,
            16 => Self::Unknown,
            17 | 18 => Self::Foreign,
            _ => Self::Unreadable,
        }
    }

    /// Answers that are right, whenever it comes.
    const fn expected(self) -> &'static [u16] {
        match self {
            Self::Good(_) | Self::Again => &[204],
            // Before the submission's answer nobody knows the prediction.
            Self::Tokenless => &[204, 404],
            Self::Forged | Self::Flipped | Self::Old | Self::Unsigned => &[403],
            Self::Unknown => &[404],
            // After the end of its attempt nothing is wrong any more.
            Self::Foreign => &[422, 204],
            Self::Unreadable => &[422],
        }
    }
}

/// One generation's part of the storm.
struct Storm {
    caller: Caller,
    fake: Arc<Fake>,
    http: reqwest::Client,
    origin: String,
    number: u64,
    random: Random,
}

/// What it came to.
#[derive(Default)]
struct Seen {
    answers: BTreeMap<u16, u64>,
    took: Vec<Duration>,
    faults: Vec<Fault>,
    created: Option<Acknowledged>,
    silent: bool,
    cancelled: bool,
}

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for kind in Kind::BOTH {
        // Both together are a thousand orders and a hundred thousand deliveries.
        verdicts.push(one(context, kind, context.rounds(12, 560)).await?);
    }
    Ok(verdicts)
}

async fn one(context: &Context, kind: Kind, generations: u64) -> Fallible<Verdict> {
    let switches =
        Switches { webhooks: Webhooks::None, answers_ms: 15, takes_ms: 60, ..Switches::default() };
    let options = Options { switches, ..Options::default() };
    let fake = Fake::start(Provider::Replicate, &options).await.map_err(|e| e.to_string())?;
    let fake = Arc::new(fake);
    let name = format!("webhooks-{}-{}", kind.name(), context.seed);
    let stage = Stage::replicate(context, kind, &name, &fake)?;
    let mut server = stage.serve(0, &[]).await?;
    stage.truth.watch().await?;
    let http = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
    let origin = format!("http://{}", stage.servers.at(0).unwrap_or_default());
    let (turns, mut running) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    let since = Instant::now();
    for number in 0..generations {
        let storm = Storm {
            caller: stage.caller.clone(),
            fake: Arc::clone(&fake),
            http: http.clone(),
            origin: origin.clone(),
            number,
            random: Random::new(context.seed.wrapping_mul(100_000).wrapping_add(number)),
        };
        let turns = Arc::clone(&turns);
        running.spawn(async move {
            let _turn = turns.acquire_owned().await.map_err(|error| error.to_string())?;
            storm.play().await
        });
    }
    let mut all = Seen::default();
    let (mut acknowledged, mut silent, mut cancelled) = (Vec::new(), 0_u64, 0_u64);
    while let Some(seen) = running.join_next().await {
        let seen = seen.map_err(|error| error.to_string())??;
        for (status, count) in seen.answers {
            *all.answers.entry(status).or_default() += count;
        }
        all.took.extend(seen.took);
        all.faults.extend(seen.faults);
        acknowledged.extend(seen.created);
        silent += u64::from(seen.silent);
        cancelled += u64::from(seen.cancelled);
    }
    let lasted = since.elapsed();
    let (counts, more) = stage.judge(&acknowledged).await?;
    all.faults.extend(more);
    all.faults.extend(super::money(&stage, &fake).await?);
    all.faults.extend(once(&stage).await?);
    server.end().await?;
    stage.clear(&all.faults)?;
    all.took.sort_unstable();
    let at = |part: usize| {
        let index = all.took.len().saturating_sub(1) * part / 100;
        all.took.get(index).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    let deliveries = all.took.len();
    let rate = deliveries as f64 / lasted.as_secs_f64();
    let line = format!(
        "T9 {}: {deliveries} deliveries in {} orders ({silent} generations without any, {cancelled} \
         cancelled), answered {:?}, {rate:.0} a second, p50 {:.1} ms, p99 {:.1} ms; {counts}, {} charged",
        kind.name(),
        generations - silent,
        all.answers,
        at(50),
        at(99),
        fake.charges().len()
    );
    Ok(Verdict { line, faults: all.faults })
}

/// One receipt a delivery, one set of assets, one entry of the ledger for each end.
async fn once(stage: &Stage) -> Fallible<Vec<Fault>> {
    let mut faults = Vec::new();
    for (what, sql) in [
        (
            "a delivery was kept twice",
            "SELECT provider, delivery, count(*) FROM webhook_receipts GROUP BY provider, delivery
             HAVING count(*) > 1",
        ),
        (
            "a generation has more than one set of assets",
            "SELECT generation, count(*) FROM assets WHERE generation IS NOT NULL
             AND deleted_at IS NULL GROUP BY generation HAVING count(*) > 1",
        ),
        (
            "a generation was submitted more than once",
            "SELECT generation, count(*) FROM attempts GROUP BY generation HAVING count(*) > 1",
        ),
        (
            "a generation that nobody cancelled did not complete",
            "SELECT id, status, error FROM generations WHERE status = 'failed'",
        ),
    ] {
        let bad = stage.truth.rows(sql).await?;
        if !bad.is_empty() {
            let shown: Vec<String> = bad.iter().take(5).map(|row| row.join(" ")).collect();
            faults.push(Fault::Twice(format!("{what}: {}", shown.join("; "))));
        }
    }
    Ok(faults)
}

impl Storm {
    async fn play(mut self) -> Fallible<Seen> {
        let mut seen = Seen::default();
        let prompt = format!("storm number {} ends", self.number);
        let key = format!("storm-{}", self.number);
        seen.silent = self.random.chance(10);
        seen.cancelled = !seen.silent && self.random.chance(10);
        let made = self.caller.create("game", &key, &wish(&prompt)).await?;
        if !seen.silent {
            // As soon as the provider has it: its answer is still on its way.
            let (prediction, webhook) = self.taken(&prompt).await?;
            let early = self.random.below(EACH);
            for turn in 0..EACH {
                if turn == early && seen.cancelled {
                    let path = format!("/api/v1/generations/{}/cancel", made.id);
                    self.caller.call("POST", &path, ("game", None), None).await?;
                }
                let what = What::of(&mut self.random);
                self.deliver(what, &prediction, &webhook, turn, &mut seen).await?;
            }
        }
        let end = self.caller.follow("game", &made.id, Duration::from_secs(60)).await?;
        if end.is_none() {
            seen.faults.push(Fault::Stuck(format!("{} has no end", made.id)));
        }
        seen.created = Some(made);
        Ok(seen)
    }

    /// The prediction of a prompt, and where it is to be reported to.
    async fn taken(&self, prompt: &str) -> Fallible<(String, String)> {
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(60) {
            if let Some((prediction, Some(webhook))) = self.fake.taken_with(prompt) {
                return Ok((prediction, webhook));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Err(format!("`{prompt}` was never submitted"))
    }

    async fn deliver(
        &mut self,
        what: What,
        prediction: &str,
        webhook: &str,
        turn: u64,
        seen: &mut Seen,
    ) -> Fallible<()> {
        let shown = |error: &dyn std::fmt::Display| format!("{what:?}: {error}");
        let good = Secret::parse(REPLICATE_SECRET).map_err(|error| shown(&error))?;
        let (id, event) = match what {
            What::Good(event) => (format!("msg_{prediction}_{event}"), event),
            _ => (format!("msg_{prediction}_{turn}"), "completed"),
        };
        let about = if what == What::Foreign { "ffffffffffffffffffffffffff" } else { prediction };
        let status = if event == "start" { "starting" } else { "succeeded" };
        let output = format!("{}/files/out/{prediction}/0.png", self.fake.origin());
        let body = json!({ "id": about, "status": status, "output": output }).to_string();
        let mut body = body.into_bytes();
        if what == What::Unreadable {
            body = b"{\"id\": ".to_vec();
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let at = if what == What::Old { now - 3600 } else { now };
        let secret = if what == What::Forged { Secret::of([7; 32]) } else { good };
        let signature = sign([&secret], &id, at, &body);
        if what == What::Flipped
            && let Some(byte) = body.get_mut(8)
        {
            *byte ^= 1;
        }
        let url = match what {
            What::Tokenless => format!("{}/api/v1/webhooks/replicate", self.origin),
            What::Unknown => format!("{}/api/v1/webhooks/replicate/{:064}", self.origin, turn),
            _ => webhook.to_owned(),
        };
        let mut request = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .header(ID, &id)
            .header(TIMESTAMP, at.to_string());
        if what != What::Unsigned {
            request = request.header(SIGNATURE, signature);
        }
        let since = Instant::now();
        let answer = request.body(body).send().await.map_err(|error| shown(&error))?;
        seen.took.push(since.elapsed());
        let status = answer.status().as_u16();
        *seen.answers.entry(status).or_default() += 1;
        if !what.expected().contains(&status) {
            let text = answer.text().await.unwrap_or_default();
            seen.faults.push(Fault::Other(format!("{what:?} was answered {status}: {text}")));
        }
        Ok(())
    }
}
