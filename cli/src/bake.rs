//! `onepath bake`: everything of a folder of scenes that is missing on a server is made.

use std::io::IsTerminal as _;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use onepath_client::{Client, Error, Generation, Preflight};
use tokio::sync::Semaphore;

use crate::context::BuildContext;
use crate::money::{dollars, read_dollars};
use crate::remote::{Extras, Row, ServerArgs, Wanted, each, explain, until_interrupted, wanted};
use crate::{Outcome, Run, print};

/// Options of `onepath bake`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders, globs, or `-` for standard input
    #[arg(required = true)]
    paths: Vec<String>,
    #[command(flatten)]
    context: BuildContext,
    #[command(flatten)]
    server: ServerArgs,
    /// Only tell what is missing, and what it would cost
    #[arg(long)]
    dry_run: bool,
    /// Make nothing if what is missing costs more, or if a price is not known
    #[arg(long, value_name = "DOLLARS", value_parser = read_dollars)]
    max_cost: Option<u64>,
    /// Generations that are followed at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
}

pub(crate) fn run(args: &Args) -> Run {
    let client = args.server.client()?;
    let (wanted, refused) = wanted(&args.paths, &args.context, &Extras::default())?;
    let made = until_interrupted(bake(args, client, wanted), || {
        print::note("what was begun goes on at the server; run it again to see what came of it\n");
    })?;
    Ok(if refused && made == Outcome::Clean { Outcome::Findings } else { made })
}

/// What the server says about a node before anything is made.
#[derive(Debug)]
struct Known {
    wanted: Wanted,
    preflight: Preflight,
    /// The generation that is there already, for nodes without a key.
    done: Option<Generation>,
}

impl Known {
    fn exists(&self) -> bool {
        self.done.is_some() || matches!(self.preflight.answer.as_str(), "cache" | "hash")
    }
}

async fn bake(args: &Args, client: Client, wanted: Vec<Wanted>) -> Run {
    let turns = Arc::new(Semaphore::new(usize::from(args.jobs)));
    let known = each(&turns, wanted, |wanted| look(client.clone(), wanted), || ()).await?;
    let missing: Vec<&Known> = known.iter().filter(|known| !known.exists()).collect();
    let prices = missing.iter().map(|known| known.preflight.price);
    let micros: u64 = prices.clone().filter_map(|price| price.micros).sum();
    let credits: u64 = prices.clone().filter_map(|price| price.credits).sum();
    let unknown = prices.filter(|price| !price.known).count();
    let mut bill = dollars(micros);
    if credits > 0 {
        bill.push_str(&format!(" and {credits} credits"));
    }
    if unknown > 0 {
        bill.push_str(&format!(", {unknown} without a known price"));
    }
    print::note(&format!(
        "{} nodes: {} exist, {} to make for {bill}\n",
        known.len(),
        known.len() - missing.len(),
        missing.len()
    ));
    if let Some(most) = args.max_cost
        && (micros > most || unknown > 0 || credits > 0)
    {
        return Err(format!(
            "nothing was made: it costs more than --max-cost, or has prices that are not in \
             dollars ({bill})"
        ));
    }
    if args.dry_run {
        for known in &known {
            let state = if known.exists() { "exists" } else { "missing" };
            let key = known.preflight.cache_key.as_deref().unwrap_or("no key");
            print::line(&format!("{}  {state}  {key}", known.wanted.name))?;
        }
        return Ok(Outcome::Clean);
    }
    make(&client, &turns, known).await
}

/// Makes what is missing, follows it, and prints one line a node in the order of the files.
async fn make(client: &Client, turns: &Arc<Semaphore>, known: Vec<Known>) -> Run {
    let bar = progress(known.len());
    let width = known.iter().map(|known| known.wanted.name.chars().count()).max().unwrap_or(0);
    let rows = each(turns, known, |known| follow(client.clone(), known), || bar.inc(1)).await?;
    bar.finish_and_clear();
    let mut outcome = Outcome::Clean;
    let mut last_file = String::new();
    for row in rows {
        if row.file != last_file {
            print::line(&row.file)?;
            last_file.clone_from(&row.file);
        }
        if !row.is_good() {
            outcome = Outcome::Findings;
        }
        print::line(&row.text(width, client.server()))?;
    }
    Ok(outcome)
}

/// Asks what the server would answer.
async fn look(client: Client, wanted: Wanted) -> Result<Known, String> {
    let preflight =
        client.preflight(&wanted.body).await.map_err(|error| explain(&wanted, &error))?;
    let mut done = None;
    if !wanted.has_key {
        // The server's bounds may have changed the hash.
        let query = format!("request_hash={}&status=completed&limit=1", preflight.request_hash);
        let page = client.list(&query).await.map_err(|error| explain(&wanted, &error))?;
        done = page.generations.into_iter().find(|generation| generation.fallback.is_none());
    }
    Ok(Known { wanted, preflight, done })
}

/// Creates and follows; what exists is only fetched.
async fn follow(client: Client, known: Known) -> Result<Row, String> {
    let Known { wanted, done, .. } = known;
    let fail = |error: Error| explain(&wanted, &error);
    let (answer, generation) = match done {
        Some(generation) => ("exists".to_owned(), generation),
        None => {
            let created = client.create(&wanted.body).await.map_err(fail)?;
            (created.answer, client.watch(&created.id).await.map_err(fail)?)
        }
    };
    Ok(Row { file: wanted.file, name: wanted.name, answer, generation })
}

fn progress(count: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    bar
}
