//! `onepath bake`: everything of a folder of scenes that is missing on a server is made.

use std::io::IsTerminal as _;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use onepath_client::{Client, Error, Generation, Preflight};
use onepath_core::Severity;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::context::BuildContext;
use crate::money::{dollars, read_dollars};
use crate::node::{Node, walk_nodes};
use crate::{Outcome, Run, print};

/// Which server, and with which key.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// The server's address
    #[arg(
        long,
        env = "ONEPATH_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:7700"
    )]
    server: String,
    /// The key
    #[arg(long, env = "ONEPATH_KEY", hide_env_values = true, value_name = "KEY")]
    key: Option<String>,
}

impl ServerArgs {
    pub(crate) fn client(&self) -> Result<Client, String> {
        let key = self.key.as_deref().filter(|key| !key.is_empty());
        let key = key.ok_or("a key is needed: --key, or ONEPATH_KEY in the environment")?;
        Client::new(&self.server, key).map_err(|error| error.to_string())
    }
}

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

/// A node that can be made.
#[derive(Debug, Clone)]
struct Wanted {
    file: String,
    name: String,
    /// Without a key a result is never an answer: it is looked for by its hash.
    has_key: bool,
    body: String,
}

/// The create envelope of a request.
#[derive(Serialize)]
struct Envelope<'e, T> {
    request: &'e T,
    request_hash: &'e str,
    name: &'e str,
}

pub(crate) fn run(args: &Args) -> Run {
    let client = args.server.client()?;
    let (wanted, refused) = wanted(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    let made = runtime.block_on(bake(args, client, wanted))?;
    Ok(if refused || made == Outcome::Findings { Outcome::Findings } else { Outcome::Clean })
}

/// The nodes of the documents, and whether any of them is refused.
fn wanted(args: &Args) -> Result<(Vec<Wanted>, bool), String> {
    let texts = args.context.load()?;
    let options = texts.options()?;
    let mut wanted = Vec::new();
    let refused = walk_nodes(&args.paths, &options, Severity::Error, |node: &Node<'_>| {
        let Some((request, fingerprint)) = &node.prepared.made else { return Ok(()) };
        let Some(hashes) = &fingerprint.hashes else {
            print::note(&format!(
                "{}: {} is left out, something is not known here: {}\n",
                node.file,
                node.name,
                fingerprint.pending.join(", ")
            ));
            return Ok(());
        };
        let request_hash = hashes.request.to_string();
        let envelope = Envelope { request, request_hash: &request_hash, name: node.name };
        let body = serde_json::to_string(&envelope).map_err(|error| error.to_string())?;
        wanted.push(Wanted {
            file: node.file.to_owned(),
            name: node.name.to_owned(),
            has_key: fingerprint.cache_key.is_some(),
            body,
        });
        Ok(())
    })?;
    Ok((wanted, refused))
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
    make(args, &client, &turns, known).await
}

/// Makes what is missing, follows it, and prints one line a node in the order of the files.
async fn make(args: &Args, client: &Client, turns: &Arc<Semaphore>, known: Vec<Known>) -> Run {
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
        if row.generation.status != "completed" || row.generation.fallback.is_some() {
            outcome = Outcome::Findings;
        }
        print::line(&row.text(width, args.server.server.trim_end_matches('/')))?;
    }
    Ok(outcome)
}

/// One line of the result.
struct Row {
    file: String,
    name: String,
    answer: String,
    generation: Generation,
}

impl Row {
    fn text(&self, width: usize, server: &str) -> String {
        let generation = &self.generation;
        let key = generation.cache_key.as_deref().unwrap_or("no key: the strategy is always");
        let url = generation.assets.first().and_then(|asset| asset.url.as_deref());
        let what = match (&generation.fallback, &generation.error_code, url) {
            (Some(fallback), Some(code), _) => format!("{code}, {fallback} stands in"),
            (_, Some(code), _) => code.clone(),
            (_, _, Some(url)) if url.starts_with('/') => format!("{server}{url}"),
            (_, _, Some(url)) => url.to_owned(),
            _ => String::new(),
        };
        format!(
            "  {:<width$}  {:<9}  {:<7}  {key}  {what}",
            self.name, generation.status, self.answer
        )
    }
}

fn explain(wanted: &Wanted, error: &Error) -> String {
    format!("{}: {}: {error}", wanted.file, wanted.name)
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

/// Does the same for each, some at a time; the results stand in the order of the wishes.
async fn each<T, R, F>(
    turns: &Arc<Semaphore>,
    all: Vec<T>,
    work: impl Fn(T) -> F,
    done: impl Fn(),
) -> Result<Vec<R>, String>
where
    R: Send + 'static,
    F: Future<Output = Result<R, String>> + Send + 'static,
{
    let mut set = JoinSet::new();
    for (index, one) in all.into_iter().enumerate() {
        let turn = Arc::clone(turns);
        let work = work(one);
        set.spawn(async move {
            let _turn = turn.acquire().await;
            (index, work.await)
        });
    }
    let mut results = Vec::with_capacity(set.len());
    while let Some(joined) = set.join_next().await {
        let (index, result) = joined.map_err(|error| error.to_string())?;
        results.push((index, result?));
        done();
    }
    results.sort_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, result)| result).collect())
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
