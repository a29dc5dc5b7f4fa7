//! What the commands share that speak to a server: which one, what is asked of it, how it is told.

use std::sync::Arc;

use onepath_client::{Client, Error, Generation, Progress};
use onepath_core::Severity;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::context::BuildContext;
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
    /// The player on whose behalf it is asked, for keys with the role `backend`
    #[arg(long, value_name = "ID")]
    as_user: Option<String>,
}

impl ServerArgs {
    pub(crate) fn client(&self) -> Result<Client, String> {
        let key = self.key.as_deref().filter(|key| !key.is_empty());
        let key = key.ok_or("a key is needed: --key, or ONEPATH_KEY in the environment")?;
        let client = match &self.as_user {
            Some(user) => Client::for_user(&self.server, key, user),
            None => Client::new(&self.server, key),
        };
        client.map_err(|error| error.to_string())
    }
}

/// A node that can be made.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) file: String,
    pub(crate) name: String,
    /// Without a key a result is never an answer: it is looked for by its hash.
    pub(crate) has_key: bool,
    pub(crate) body: String,
}

/// What stands beside a request in a create.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Extras {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<u8>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) force_new: bool,
}

/// The create envelope of a request.
#[derive(Serialize)]
struct Envelope<'e, T> {
    request: &'e T,
    request_hash: &'e str,
    name: &'e str,
    #[serde(flatten)]
    extras: &'e Extras,
}

/// The nodes of documents as creates, and whether any of them is refused or left out.
pub(crate) fn wanted(
    paths: &[String],
    context: &BuildContext,
    extras: &Extras,
) -> Result<(Vec<Wanted>, bool), String> {
    let texts = context.load()?;
    let options = texts.options()?;
    let (mut wanted, mut left_out) = (Vec::new(), false);
    let refused = walk_nodes(paths, &options, Severity::Error, |node: &Node<'_>| {
        let Some((request, fingerprint)) = &node.prepared.made else { return Ok(()) };
        let Some(hashes) = &fingerprint.hashes else {
            left_out = true;
            print::note(&format!(
                "{}: {} is left out, something is not known here: {}\n",
                node.file,
                node.name,
                fingerprint.pending.join(", ")
            ));
            return Ok(());
        };
        let request_hash = hashes.request.to_string();
        let envelope = Envelope { request, request_hash: &request_hash, name: node.name, extras };
        let body = serde_json::to_string(&envelope).map_err(|error| error.to_string())?;
        wanted.push(Wanted {
            file: node.file.to_owned(),
            name: node.name.to_owned(),
            has_key: fingerprint.cache_key.is_some(),
            body,
        });
        Ok(())
    })?;
    Ok((wanted, refused || left_out))
}

/// One line of the result.
pub(crate) struct Row {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) answer: String,
    pub(crate) generation: Generation,
}

impl Row {
    /// Whether it was made as it was asked for.
    pub(crate) fn is_good(&self) -> bool {
        self.generation.status == "completed" && self.generation.fallback.is_none()
    }

    /// Where it is, or why it is not.
    pub(crate) fn what(&self, server: &str) -> String {
        let generation = &self.generation;
        let url = generation.assets.first().and_then(|asset| asset.url.as_deref());
        match (&generation.fallback, &generation.error_code, url) {
            (Some(fallback), Some(code), _) => format!("{code}, {fallback} stands in"),
            (_, Some(code), _) => code.clone(),
            (_, _, Some(url)) if url.starts_with('/') => format!("{server}{url}"),
            (_, _, Some(url)) => url.to_owned(),
            _ => String::new(),
        }
    }

    /// One line of what was made.
    pub(crate) fn text(&self, width: usize, server: &str) -> String {
        let generation = &self.generation;
        let key = generation.cache_key.as_deref().unwrap_or("no key: the strategy is always");
        format!(
            "  {:<width$}  {:<9}  {:<7}  {key}  {}",
            self.name,
            generation.status,
            self.answer,
            self.what(server)
        )
    }
}

pub(crate) fn explain(wanted: &Wanted, error: &Error) -> String {
    format!("{}: {}: {error}", wanted.file, wanted.name)
}

/// Does the same for each, some at a time; the results stand in the order of the wishes.
pub(crate) async fn each<T, R, F>(
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

/// Runs a command that asks a server. Ctrl-C ends the command and nothing else: `told` says what goes
/// on without it.
pub(crate) fn until_interrupted(program: impl Future<Output = Run>, told: impl FnOnce()) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    runtime.block_on(async {
        tokio::select! {
            ended = program => ended,
            // Without a handler the signal itself ends the process.
            Ok(()) = tokio::signal::ctrl_c() => {
                told();
                Ok(Outcome::Interrupted)
            }
        }
    })
}

/// One line of progress, for people.
pub(crate) fn tell(name: &str, progress: &Progress) {
    let code = progress.error_code.as_deref().map(|code| format!(": {code}")).unwrap_or_default();
    let what = progress.kind.rsplit_once('.').map_or(progress.kind.as_str(), |(_, word)| word);
    print::note(&format!("{name}  {what}{code}\n"));
}
