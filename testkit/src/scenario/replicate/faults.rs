//! T8 through Replicate: every way in which its API goes wrong, one by one, then many at once; and
//! the server's memory stays where it was.

use std::time::{Duration, Instant};

use onepath_core::lifecycle::ErrorCode;
use onepath_fakes::{
    Call, Fake, Fault as Bad, Kind as Provider, Options, Output, Switches, Webhooks, What,
};
use onepath_testkit::Fallible;
use onepath_testkit::random::Random;
use serde_json::Value;
use tokio::task::JoinSet;

use super::super::stage::{Kind, Stage};
use super::super::{Context, Verdict};
use crate::judge::Fault;
use crate::load::wish;
use crate::process::Process;

/// How much more memory the server may hold than before anything went wrong.
const MOST: u64 = 64 << 20;

/// Generations of a sequence.
const AT_ONCE: u64 = 5;

/// A way to go wrong once, and how the run ends: completed if there is no code.
struct Way {
    name: String,
    switches: Switches,
    end: Option<&'static str>,
}

const AFTER: [What; 10] = [
    What::CutAfter,
    What::HalfAfter,
    What::HangAfter,
    What::PageAfter,
    What::StatusAfter,
    What::HugeAfter,
    What::StallAfter,
    What::ClaimsAfter,
    What::BombAfter,
    What::OtherAfter,
];

const CALLS: [Call; 3] = [Call::Create, Call::Status, Call::File];

fn soon() -> Option<String> {
    Some("1".to_owned())
}

/// Whether nothing more comes, and nothing says so.
fn is_silent(what: What) -> bool {
    matches!(what, What::Hang | What::HangAfter | What::StallAfter)
}

/// How a run ends whose call is answered with silence: it is given up with the run's deadline, which
/// is shorter here than the silence after which a call is made again. What was taken is found again.
fn silenced(call: Call, what: What) -> Option<&'static str> {
    match call {
        Call::Create if what == What::Hang => Some("submit_unknown"),
        Call::Status => Some("provider_timeout"),
        Call::File => Some("storage_failed"),
        _ => None,
    }
}

fn ways() -> Vec<Way> {
    let once = |fault: Bad| Switches { faults: vec![fault], ..Switches::default() };
    let mut ways = Vec::new();
    let mut add = |name: String, switches: Switches, end: Option<&'static str>| {
        ways.push(Way { name, switches, end });
    };
    for after in ["1", "Sun, 06 Nov 1994 08:49:37 GMT", "soon", "-5", "99999999999999999999"] {
        let fault = Bad { retry_after: Some(after.to_owned()), ..Bad::status(Call::Create, 429) };
        add(format!("429 with Retry-After: {after}"), once(fault), None);
    }
    for status in [500, 502, 503, 504] {
        for call in CALLS {
            add(format!("{status} to {call:?}"), once(Bad::status(call, status)), None);
        }
    }
    for call in CALLS {
        for what in [What::Cut, What::Hang].into_iter().chain(AFTER) {
            // A file without an end is refused at its limit, before the deadline or after it.
            if call == Call::File && what == What::HugeAfter {
                continue;
            }
            let end = if is_silent(what) { silenced(call, what) } else { None };
            add(format!("{what:?} to {call:?}"), once(Bad::new(call, what)), end);
        }
    }
    add(
        "a status that goes backwards".to_owned(),
        once(Bad::new(Call::Status, What::BackAfter)),
        None,
    );
    for (output, end) in [
        (Output::Nothing, Some("output_missing")),
        (Output::Gone, Some("storage_failed")),
        (Output::Junk, Some("storage_failed")),
        (Output::Elsewhere, Some("storage_failed")),
        (Output::Redirect, None),
        (Output::Data, None),
        (Output::Object, None),
    ] {
        add(format!("the output {output:?}"), Switches { output, ..Switches::default() }, end);
    }
    for (word, end) in [
        ("failed", Some("provider_generic")),
        ("sensitive", Some("content_filtered")),
        ("canceled", Some("provider_generic")),
        ("aborted", Some("provider_generic")),
        ("daydreaming", Some("provider_timeout")),
        ("never", Some("provider_timeout")),
    ] {
        let switches = Switches { end: word.to_owned(), ..Switches::default() };
        add(format!("the end `{word}`"), switches, end);
    }
    ways
}

pub(crate) async fn play(context: &Context) -> Fallible<Vec<Verdict>> {
    let mut random = Random::new(context.seed);
    let options = Options::default();
    let fake = Fake::start(Provider::Replicate, &options).await.map_err(|e| e.to_string())?;
    let name = format!("replicate-faults-{}", context.seed);
    let stage = Stage::replicate(context, Kind::Sqlite, &name, &fake)?;
    // An answer that never comes ends with the deadline, not with the client's patience.
    let mut server = stage.serve(0, &["--deadline", "2500"]).await?;
    stage.truth.watch().await?;
    let (mut acknowledged, mut faults) = (Vec::new(), Vec::new());
    // What a server holds once it has done everything once.
    let warm = stage.caller.create("game", "warm", &wish("warm")).await?;
    stage.caller.follow("game", &warm.id, Duration::from_secs(30)).await?;
    acknowledged.push(warm);
    let mut memory = Memory::new(&server)?;
    let ways = ways();
    let sequences = context.rounds(6, 2000);
    // The tests try some of them; a release tries all.
    let step = if context.short || sequences < 100 { 4 } else { 1 };
    let single = ways.len().div_ceil(step);
    for (index, way) in ways.iter().enumerate().step_by(step) {
        fake.set(way.switches.clone());
        let key = format!("way-{index}");
        let made = stage.caller.create("game", &key, &wish(&way.name)).await?;
        let end = memory.during(&server, stage.caller.follow("game", &made.id, PATIENCE)).await?;
        faults.extend(verdict(&way.name, Some(way.end), end.as_ref()));
        acknowledged.push(made);
    }
    for number in 0..sequences {
        fake.set(any(&mut random));
        let mut running = JoinSet::new();
        for index in 0..AT_ONCE {
            let caller = stage.caller.clone();
            running.spawn(async move {
                let name = format!("sequence {number} of {index}");
                let key = format!("sequence-{number}-{index}");
                let made = caller.create("game", &key, &wish(&name)).await?;
                let end = caller.follow("game", &made.id, PATIENCE).await?;
                Ok::<_, String>((name, made, end))
            });
        }
        let all = async {
            let mut ended = Vec::new();
            while let Some(one) = running.join_next().await {
                ended.push(one.map_err(|error| error.to_string())??);
            }
            Ok::<_, String>(ended)
        };
        for (name, made, end) in memory.during(&server, all).await? {
            faults.extend(verdict(&name, None, end.as_ref()));
            acknowledged.push(made);
        }
    }
    fake.set(Switches::default());
    let (counts, more) = stage.judge(&acknowledged).await?;
    faults.extend(more);
    let (read, lost) = super::bytes(&stage).await?;
    faults.extend(lost);
    if memory.grown() > MOST {
        faults.push(Fault::Other(format!("the memory grew by {} bytes", memory.grown())));
    }
    server.end().await?;
    let line = format!(
        "T8r SQLite: {single} ways to go wrong once, {sequences} sequences of {AT_ONCE}, {counts}, {} \
         charged by Replicate, {read} files read; memory {} MiB, at most {} MiB more",
        fake.charges().len(),
        memory.before >> 20,
        memory.grown() >> 20
    );
    stage.clear(&faults)?;
    Ok(vec![Verdict { line, faults }])
}

/// How long a run may take: attempts, deadlines and what Replicate wants to be left alone for.
const PATIENCE: Duration = Duration::from_secs(90);

/// A sequence: some of everything.
fn any(random: &mut Random) -> Switches {
    let mut faults = Vec::new();
    for _ in 0..random.below(6) {
        let call = match random.below(4) {
            0 => Call::Create,
            1 => Call::Status,
            2 => Call::File,
            _ => Call::List,
        };
        let what = match random.below(14) {
            0 => What::Cut,
            1 => What::Hang,
            2 | 3 => What::Status,
            more => usize::try_from(more - 4)
                .ok()
                .and_then(|at| AFTER.get(at).copied())
                .unwrap_or(What::BackAfter),
        };
        let status = match random.below(5) {
            0 => 429,
            1 => 500,
            2 => 502,
            3 => 503,
            _ => 504,
        };
        let retry_after = if random.chance(30) { soon() } else { None };
        faults.push(Bad { status, retry_after, ..Bad::new(call, what) });
    }
    let output = match random.below(12) {
        0 => Output::Nothing,
        1 => Output::Gone,
        2 => Output::Junk,
        3 => Output::Redirect,
        4 => Output::Data,
        _ => Output::Single,
    };
    let end = random.of(&["", "", "", "", "", "failed", "overloaded", "aborted"]);
    let webhooks = match random.below(4) {
        0 => Webhooks::None,
        1 => Webhooks::Twice,
        2 => Webhooks::Forged,
        _ => Webhooks::Once,
    };
    Switches {
        faults,
        output,
        webhooks,
        end: end.to_owned(),
        nulls: random.chance(20),
        takes_ms: random.below(40),
        ..Switches::default()
    }
}

/// A run ends, with a code that is known, and after a single fault as it should.
fn verdict(name: &str, single: Option<Option<&'static str>>, end: Option<&Value>) -> Option<Fault> {
    let text = |name: &str| end?.get(name)?.as_str();
    let Some(status) = text("status") else {
        return Some(Fault::Stuck(format!("`{name}` has no end")));
    };
    let code = text("error_code");
    if code.is_some_and(|code| ErrorCode::parse(code).is_none()) {
        return Some(Fault::Other(format!("`{name}` ended with the strange code {code:?}")));
    }
    let good = match single {
        None => matches!(status, "completed" | "failed"),
        Some(None) => status == "completed" && code.is_none(),
        Some(wanted) => status == "failed" && code == wanted,
    };
    (!good).then(|| Fault::Other(format!("`{name}` ended {status} with {code:?}")))
}

/// What a server holds of the memory: before, and at most.
struct Memory {
    before: u64,
    most: u64,
}

impl Memory {
    fn new(server: &Process) -> Fallible<Self> {
        let before = server.memory()?;
        Ok(Self { before, most: before })
    }

    fn grown(&self) -> u64 {
        self.most - self.before
    }

    /// Looks again and again while something goes on.
    async fn during<T>(
        &mut self,
        server: &Process,
        work: impl Future<Output = Fallible<T>>,
    ) -> Fallible<T> {
        let mut work = std::pin::pin!(work);
        let since = Instant::now();
        loop {
            match tokio::time::timeout(Duration::from_millis(20), &mut work).await {
                Ok(done) => {
                    self.most = self.most.max(server.memory()?);
                    return done;
                }
                Err(_) if since.elapsed() > Duration::from_secs(600) => {
                    return Err("it takes too long".to_owned());
                }
                Err(_) => self.most = self.most.max(server.memory()?),
            }
        }
    }
}
