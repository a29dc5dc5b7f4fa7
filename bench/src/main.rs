//! Forms of the path in Rust, for `cargo xtask bench`.
//!
//! Usage: `onepath-bench PAYLOAD`, then one command a line on standard input: `list`, or
//! `NAME N` for N operations of one form, answered by `NAME <CPU nanoseconds an operation>`.

mod naive;

use std::hint::black_box;
use std::io::{BufRead as _, Write as _};

use onepath_core::{
    BuildOptions, GenerationNodeConfig, Value, canonical_value, canonicalize, decode, prepare,
};
use sha2::{Digest as _, Sha256};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let path = std::env::args().nth(1).ok_or("usage: onepath-bench PAYLOAD")?;
    let text = std::fs::read_to_string(path)?;
    let payload = Payload::new(&text)?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line == "list" {
            let names: Vec<&str> = FORMS.iter().map(|(name, _)| *name).collect();
            writeln!(out, "{}", names.join(" "))?;
        } else {
            let (name, count) = line.split_once(' ').ok_or("expected `NAME N`")?;
            let count: usize = count.parse()?;
            let (_, form) = FORMS.iter().find(|(known, _)| *known == name).ok_or("no such form")?;
            let before = cpu_nanoseconds()?;
            form(&payload, count)?;
            let spent = cpu_nanoseconds()? - before;
            writeln!(out, "{name} {}", spent / u64::try_from(count)?.max(1))?;
        }
        out.flush()?;
    }
    Ok(())
}

/// CPU time of this process, as the kernel's scheduler counts it.
fn cpu_nanoseconds() -> Result<u64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/schedstat")?;
    Ok(stat.split(' ').next().ok_or("empty schedstat")?.parse()?)
}

/// The nodes, in every form that a form starts from.
struct Payload {
    texts: Vec<(String, String)>,
    naive: Vec<(naive::Config, naive::Options)>,
    /// Canonical text of the whole request: what the floor hashes.
    requests: Vec<String>,
    /// The same request as an open value of ours and of serde_json.
    ours: Vec<Value<'static>>,
    theirs: Vec<serde_json::Value>,
}

impl Payload {
    fn new(text: &str) -> Result<Self, Failure> {
        let mut payload = Self {
            texts: Vec::new(),
            naive: Vec::new(),
            requests: Vec::new(),
            ours: Vec::new(),
            theirs: Vec::new(),
        };
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line)?;
            let part = |name: &str| {
                line.get(name).map(ToString::to_string).ok_or("a line is {config, options}")
            };
            let (config, options) = (part("config")?, part("options")?);
            payload.naive.push((serde_json::from_str(&config)?, serde_json::from_str(&options)?));
            let request = {
                let config = decode::<GenerationNodeConfig<'_>>(&config).into_result()?;
                let options = decode::<BuildOptions<'_>>(&options).into_result()?;
                let prepared = prepare(&config, &options);
                let (request, print) =
                    prepared.made.as_ref().ok_or("the payload does not build")?;
                if !print.pending.is_empty() || !prepared.report.is_valid() {
                    return Err("the payload is pending or has errors".into());
                }
                serde_json::to_string(request)?
            };
            let canonical = canonicalize(&request)?;
            payload.ours.push(decode::<Value<'_>>(&request).into_result()?.into_owned());
            payload.theirs.push(serde_json::from_str(&request)?);
            payload.requests.push(canonical);
            payload.texts.push((config, options));
        }
        Ok(payload)
    }
}

type Form = fn(&Payload, usize) -> Result<(), Failure>;

const FORMS: &[(&str, Form)] = &[
    ("floor", floor),
    ("onepath-text", onepath_text),
    ("onepath-value", onepath_value),
    ("onepath-decode", onepath_decode),
    ("naive-text", naive_text),
    ("naive-value", naive_value),
    ("canonical-onepath", canonical_onepath),
    ("canonical-serde_json_canonicalizer", canonical_crate),
    ("canonical-serde_jcs", canonical_jcs),
];

/// One SHA-256 over the canonical text of the whole request.
fn floor(payload: &Payload, count: usize) -> Result<(), Failure> {
    for request in payload.requests.iter().cycle().take(count) {
        black_box(Sha256::digest(black_box(request).as_bytes()));
    }
    Ok(())
}

/// Text to report, request, hashes and key.
fn onepath_text(payload: &Payload, count: usize) -> Result<(), Failure> {
    for (config, options) in payload.texts.iter().cycle().take(count) {
        let config = decode::<GenerationNodeConfig<'_>>(black_box(config)).into_result()?;
        let options = decode::<BuildOptions<'_>>(black_box(options)).into_result()?;
        black_box(prepare(&config, &options));
    }
    Ok(())
}

/// Reading alone, with what it takes to forget what was read.
fn onepath_decode(payload: &Payload, count: usize) -> Result<(), Failure> {
    for (config, options) in payload.texts.iter().cycle().take(count) {
        black_box(decode::<GenerationNodeConfig<'_>>(black_box(config)));
        black_box(decode::<BuildOptions<'_>>(black_box(options)));
    }
    Ok(())
}

/// Typed values to report, request, hashes and key.
fn onepath_value(payload: &Payload, count: usize) -> Result<(), Failure> {
    let mut values = Vec::new();
    for (config, options) in &payload.texts {
        let config = decode::<GenerationNodeConfig<'_>>(config).into_result()?;
        values.push((config, decode::<BuildOptions<'_>>(options).into_result()?));
    }
    for (config, options) in values.iter().cycle().take(count) {
        black_box(prepare(black_box(config), black_box(options)));
    }
    Ok(())
}

fn naive_text(payload: &Payload, count: usize) -> Result<(), Failure> {
    for (config, options) in payload.texts.iter().cycle().take(count) {
        let config: naive::Config = serde_json::from_str(black_box(config))?;
        let options: naive::Options = serde_json::from_str(black_box(options))?;
        black_box(naive::path(&config, &options)?);
    }
    Ok(())
}

fn naive_value(payload: &Payload, count: usize) -> Result<(), Failure> {
    for (config, options) in payload.naive.iter().cycle().take(count) {
        black_box(naive::path(black_box(config), black_box(options))?);
    }
    Ok(())
}

fn canonical_onepath(payload: &Payload, count: usize) -> Result<(), Failure> {
    for value in payload.ours.iter().cycle().take(count) {
        black_box(canonical_value(black_box(value)));
    }
    Ok(())
}

fn canonical_crate(payload: &Payload, count: usize) -> Result<(), Failure> {
    for value in payload.theirs.iter().cycle().take(count) {
        black_box(serde_json_canonicalizer::to_string(black_box(value))?);
    }
    Ok(())
}

fn canonical_jcs(payload: &Payload, count: usize) -> Result<(), Failure> {
    for value in payload.theirs.iter().cycle().take(count) {
        black_box(serde_jcs::to_string(black_box(value))?);
    }
    Ok(())
}
