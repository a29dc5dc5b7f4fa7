//! `onepath submit`: the nodes of documents as creates.

use std::sync::{Arc, Mutex, PoisonError};

use onepath_client::{Client, Created, Error, new_idempotency_key};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::context::BuildContext;
use crate::remote::{
    Extras, Row, ServerArgs, Wanted, each, explain, tell, until_interrupted, wanted,
};
use crate::{Outcome, Run, print};

/// Options of `onepath submit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders, globs, or `-` for standard input
    #[arg(required = true)]
    paths: Vec<String>,
    #[command(flatten)]
    context: BuildContext,
    #[command(flatten)]
    server: ServerArgs,
    /// Follow each to its end, with progress on standard error
    #[arg(long)]
    wait: bool,
    /// One JSON object a line: `file`, `node`, `answer` and the `generation`
    #[arg(long)]
    json: bool,
    /// 0 to 10; 0 goes first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=10))]
    priority: Option<u8>,
    /// Make it anew, whatever there is
    #[arg(long)]
    force_new: bool,
    /// Take up a call of before: the same nodes under the same key get the answers of then; a new key
    /// is made if absent
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Generations that are asked for at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
}

/// What the server has taken: name and id.
type Begun = Arc<Mutex<Vec<(String, String)>>>;

pub(crate) fn run(args: &Args) -> Run {
    let client = args.server.client()?;
    let extras = Extras { priority: args.priority, force_new: args.force_new };
    let (wanted, refused) = wanted(&args.paths, &args.context, &extras)?;
    let key = match &args.idempotency_key {
        Some(key) => key.clone(),
        None => new_idempotency_key().map_err(|error| error.to_string())?,
    };
    let begun = Begun::default();
    let told = || {
        for (name, id) in begun.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            print::note(&format!("{name} goes on: onepath watch {id}\n"));
        }
        print::note(&format!("what was not answered yet: --idempotency-key {key}\n"));
    };
    let ended = until_interrupted(submit(args, client, wanted, &key, &begun), told)?;
    Ok(if refused && ended == Outcome::Clean { Outcome::Findings } else { ended })
}

async fn submit(args: &Args, client: Client, wanted: Vec<Wanted>, key: &str, begun: &Begun) -> Run {
    let turns = Arc::new(Semaphore::new(usize::from(args.jobs)));
    let single = wanted.len() == 1;
    let numbered: Vec<(usize, Wanted)> = wanted.into_iter().enumerate().collect();
    let (wait, is_json) = (args.wait, args.json);
    let work = |(index, wanted): (usize, Wanted)| {
        let (client, begun) = (client.clone(), Arc::clone(begun));
        let key = if single { key.to_owned() } else { format!("{key}-{index}") };
        async move {
            let created = create(&client, &wanted, &key).await?;
            begun
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((wanted.name.clone(), created.id.clone()));
            let fail = |error: Error| explain(&wanted, &error);
            let generation = if wait {
                let told = |progress: &_| tell(&wanted.name, progress);
                client.follow(&created.id, told).await.map_err(fail)?
            } else {
                client.get(&created.id).await.map_err(fail)?
            };
            let whole = match is_json {
                true => Some(client.get_json(&created.id).await.map_err(fail)?),
                false => None,
            };
            let Wanted { file, name, .. } = wanted;
            Ok((Row { file, name, answer: created.answer, generation }, whole))
        }
    };
    let rows = each(&turns, numbered, work, || ()).await?;
    let mut outcome = Outcome::Clean;
    for (row, whole) in rows {
        let is_over = row.generation.is_over();
        if is_over && !row.is_good() {
            outcome = Outcome::Findings;
        }
        match whole {
            Some(generation) => {
                let line = json!({
                    "file": row.file, "node": row.name, "answer": row.answer,
                    "generation": generation,
                });
                print::line(&line.to_string())?;
            }
            None => print::line(&format!(
                "{}  {}  {}  {}",
                row.generation.id,
                row.generation.status,
                row.answer,
                row.what(client.server())
            ))?,
        }
    }
    Ok(outcome)
}

/// Creates; whoever gives up says how the call is taken up again.
async fn create(client: &Client, wanted: &Wanted, key: &str) -> Result<Created, String> {
    client.create_as(&wanted.body, key).await.map_err(|error| match &error {
        Error::Unreachable { .. } | Error::NotUnderstood { .. } => format!(
            "{}; whether it was taken is not known: take it up with --idempotency-key {key}",
            explain(wanted, &error)
        ),
        _ => explain(wanted, &error),
    })
}
