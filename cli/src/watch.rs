//! `onepath watch`: generations followed to their end.

use std::sync::Arc;

use onepath_client::{Client, Error};
use tokio::sync::Semaphore;

use crate::remote::{Row, ServerArgs, each, tell, until_interrupted};
use crate::{Outcome, Run, print};

/// Options of `onepath watch`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ids of generations
    #[arg(required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print each as the server says it, one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Run {
    let client = args.server.client()?;
    until_interrupted(watch(args, client), || {
        for id in &args.ids {
            print::note(&format!("it goes on: onepath watch {id}\n"));
        }
    })
}

async fn watch(args: &Args, client: Client) -> Run {
    let turns = Arc::new(Semaphore::new(64));
    let is_json = args.json;
    let follow = |id: String| {
        let client = client.clone();
        async move {
            let fail = |error: Error| format!("{id}: {error}");
            let told = |progress: &_| tell(&id, progress);
            let generation = client.follow(&id, told).await.map_err(fail)?;
            let whole = match is_json {
                true => Some(client.get_json(&id).await.map_err(fail)?),
                false => None,
            };
            let name = generation.name.clone().unwrap_or_default();
            Ok((Row { file: String::new(), name, answer: String::new(), generation }, whole))
        }
    };
    let mut outcome = Outcome::Clean;
    for (row, whole) in each(&turns, args.ids.clone(), follow, || ()).await? {
        if !row.is_good() {
            outcome = Outcome::Findings;
        }
        match whole {
            Some(generation) => print::line(&generation.to_string())?,
            None => print::line(&format!(
                "{}  {}  {}",
                row.generation.id,
                row.generation.status,
                row.what(client.server())
            ))?,
        }
    }
    Ok(outcome)
}
