//! Every input of `fuzz/corpus/` through the checks that the fuzz targets make.

#[path = "../../../fuzz/checks.rs"]
mod checks;

use std::panic::catch_unwind;

/// Runs one check on every input of its target, and names those that fail.
fn replay(target: &str, check: fn(&str)) {
    let folder = onepath_tests::root().join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() >= 8, "{folder:?} is nearly empty");
    let failing: Vec<_> = inputs
        .into_iter()
        .filter(|input| {
            // The targets pass over what is not UTF-8; nothing of the kind is kept here.
            let text = std::fs::read_to_string(input).unwrap();
            let outcome = catch_unwind(|| check(&text));
            if outcome.is_err() {
                eprintln!("^ {}", input.display());
            }
            outcome.is_err()
        })
        .collect();
    assert!(failing.is_empty(), "{failing:#?}");
}

#[test]
fn decode() {
    replay("decode", checks::decode);
}

#[test]
fn canonical() {
    replay("canonical", checks::canonical);
}

#[test]
fn key() {
    replay("key", checks::key);
}

#[test]
fn prompt() {
    replay("prompt", checks::prompt);
}

#[test]
fn scene() {
    replay("scene", checks::scene);
}

#[test]
fn batch() {
    replay("batch", checks::batch);
}
