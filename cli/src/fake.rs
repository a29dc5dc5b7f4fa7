//! `onepath fake`: a provider that stands in for a real one, for tests.

use std::net::SocketAddr;
use std::path::PathBuf;

use onepath_fakes::{Fake, Kind, Options, Switches};

use crate::{Outcome, Run};

/// Options of `onepath fake`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The provider: replicate, pixverse, fal, comfyui, openai
    #[arg(value_parser = kind)]
    provider: Kind,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A file to which every charge is added, one JSON object a line
    #[arg(long, value_name = "FILE")]
    charges: Option<PathBuf>,
    /// How it behaves, as JSON such as `{"end": "failed", "takes_ms": 500}`; `PUT /_fake/switches`
    /// changes it while it runs
    #[arg(long, value_name = "JSON", value_parser = switches, default_value = "{}")]
    switches: Switches,
}

fn kind(word: &str) -> Result<Kind, String> {
    let all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
    Kind::parse(word).ok_or_else(|| format!("there is no fake of `{word}`: {}", all.join(", ")))
}

fn switches(text: &str) -> Result<Switches, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Stands in until the process ends.
pub(crate) fn run(args: &Args) -> Run {
    let ends = args.provider.ends();
    let end = args.switches.end.as_str();
    if !end.is_empty() && !ends.contains(&end) {
        return Err(format!("`{end}` is no end here: {}", ends.join(", ")));
    }
    let options = Options {
        listen: Some(args.listen),
        charges: args.charges.clone(),
        switches: args.switches.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime does not start: {error}"))?;
    runtime.block_on(async {
        let fake = Fake::start(args.provider, &options)
            .await
            .map_err(|error| format!("the fake does not start: {error}"))?;
        crate::print::line(&format!("fake {} {}", args.provider.id(), fake.url()))?;
        crate::print::line(&format!("look and change it at {}/_fake", fake.origin()))?;
        fake.run().await;
        Ok(Outcome::Clean)
    })
}
