//! The npm package in Node and Chromium, against what an editor would do without it.

use std::fmt::Write as _;
use std::path::Path;

use super::{Fallible, Peer, ROUNDS, Series, median, ratio};
use crate::pkg;
use crate::run::{Outcome, need, node, root};

/// Operations a form is given in one round; the slowest takes a tenth of a millisecond.
const COUNT: u64 = 1_000;
/// The same of the forms that take less than half a microsecond.
const QUICK_COUNT: u64 = 20_000;

/// One keystroke, one fingerprint, and what loading costs.
pub(super) fn editor(home: &Path, table: &mut String) -> Outcome {
    let built = pkg::build(pkg::Snapshot::Check)?;
    let peers = home.join("peers/node");
    pkg::unpack(&built, &peers)?;
    let payload = root().join("bench/payload/path.jsonl");
    let mut ours = Peer::start(node().arg(peers.join("wasm.mjs")).arg(&payload))?;
    let mut others = Peer::start(node().arg(peers.join("peer.mjs")).arg(&payload))?;
    need("chromium", &["chromium"])?;
    let mut page = Peer::start(node().arg(peers.join("browser.mjs")).arg(&payload))?;
    eprintln!("── the editor: {ROUNDS} interleaved rounds");
    let mut series: Vec<Series> = Vec::new();
    // The first three rounds are for the just-in-time compilers.
    for round in 0..ROUNDS + 3 {
        for peer in [&mut ours, &mut others, &mut page] {
            for form in peer.forms.clone() {
                if form.ends_with("-text") || form == "canonicalize-only" {
                    continue;
                }
                let quick =
                    form.ends_with("keystroke-ajv") || form.ends_with("keystroke-onepath-resident");
                let value = peer.measure(&form, if quick { QUICK_COUNT } else { COUNT })?;
                if round < 3 {
                    continue;
                }
                match series.iter_mut().find(|one| one.name == form) {
                    Some(one) => one.rounds.push(value),
                    None => series.push(Series { name: form, rounds: vec![value] }),
                }
            }
        }
    }
    let _ = writeln!(
        table,
        "## The npm package in Node and Chromium ({ROUNDS} interleaved rounds)\n\n\
         CPU time an operation in Node, and time in Chromium. `keystroke` forms change one number and validate; `print` forms go the whole way to hashes \
         and key; `-value` peers do it with plain objects.\n\n| form | median ns | min..max |\n|---|---|---|"
    );
    for one in &series {
        let low = one.rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let high = one.rounds.iter().copied().fold(0.0, f64::max);
        let middle = median(one.rounds.iter().copied());
        let _ = writeln!(table, "| {} | {middle:.0} | {low:.0}..{high:.0} |", one.name);
    }
    let _ = writeln!(table, "\n| goal | asked | measured |\n|---|---|---|");
    for (what, asked, above, below) in [
        (
            "resident change and validate over compiled ajv (which knows no rules)",
            "≤ 1.2",
            "keystroke-onepath-resident",
            "keystroke-ajv",
        ),
        (
            "ajv, canonicalize and node:crypto over a resident fingerprint",
            "≥ 2",
            "ajv-value",
            "print-onepath-resident",
        ),
        (
            "zod, canonicalize and node:crypto over a resident fingerprint",
            "≥ 2",
            "zod-value",
            "print-onepath-resident",
        ),
        (
            "what a browser can do at once (noble) over a resident fingerprint",
            "≥ 4",
            "print-ajv-noble",
            "print-onepath-resident",
        ),
        (
            "ajv, canonicalize and node:crypto over one `fingerprint`",
            "≥ 1",
            "ajv-value",
            "print-onepath-value",
        ),
        (
            "what a browser can do at once (noble) over one `fingerprint`",
            "≥ 1",
            "print-ajv-noble",
            "print-onepath-value",
        ),
        (
            "in Chromium: resident change and validate over compiled ajv",
            "≤ 1.2",
            "chromium-keystroke-onepath-resident",
            "chromium-keystroke-ajv",
        ),
        (
            "in Chromium: ajv, canonicalize and noble over a resident fingerprint",
            "≥ 4",
            "chromium-print-ajv-noble",
            "chromium-print-onepath-resident",
        ),
        (
            "in Chromium: ajv, canonicalize and noble over one `fingerprint`",
            "≥ 1",
            "chromium-print-ajv-noble",
            "chromium-print-onepath-value",
        ),
    ] {
        let _ = writeln!(table, "| {what} | {asked} | {:.2} |", ratio(&series, above, below));
    }
    let _ = writeln!(table, "| loading in a fresh process, ms | < 10 | {:.1} |\n", load(&peers)?);
    Ok(())
}

/// Milliseconds from the import to the first answer.
fn load(peers: &Path) -> Fallible<f64> {
    let mut spent = Vec::new();
    for _ in 0..ROUNDS {
        let output =
            node().arg(peers.join("load.mjs")).output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        spent.push(text.trim().parse::<f64>().map_err(|_| format!("loading printed `{text}`"))?);
    }
    Ok(median(spent.into_iter()))
}
