//! `onepath legacy scan` over source text as people have it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code: a failing test is supposed to stop"
)]

mod folder;

use folder::Folder;
use serde_json::{Value, json};

#[test]
fn old_callers_are_found_with_file_line_and_what_stands_for_them() {
    let folder = Folder::new();
    folder.write("src/api.ts", "import { post } from './http';\n\nexport const start = (body: Body) =>\n  post('/api/v1/jobs', body);\n");
    folder.write(
        "worker/store.py",
        "key = compute_cache_key(params)\nrow.reproducible_hash  # onepath-legacy: allow\n",
    );
    folder.write("node_modules/old/index.js", "fetch('/api/v1/jobs')");
    folder.write(".git/x", "fetch('/api/v1/jobs')");
    std::fs::write(folder.path().join("src/picture.bin"), b"\xff/api/v1/jobs").unwrap();
    let ran = folder.run(&["legacy", "scan"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.out,
        "src/api.ts:4:9: endpoint: `/api/v1/jobs` is now `/api/v1/generations` (DELETE was cancel: POST \u{2026}/cancel now)\n\
         worker/store.py:1:7: name: `compute_cache_key` is now `fingerprint` (its field `cache_key`; the form is another one)\n"
    );
    assert_eq!(ran.err, "2 files: 2 places in 2 files\n");
    let ran = folder.run(&["legacy", "scan", "worker", "--output-format", "json"]);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        found,
        json!([{ "file": "worker/store.py", "line": 1, "column": 7, "kind": "name",
            "old": "compute_cache_key", "new": "fingerprint",
            "note": "its field `cache_key`; the form is another one" }])
    );
    let ran = folder.run(&["legacy", "scan", "src/api.ts", "--output-format", "github"]);
    assert!(
        ran.out
            .starts_with("::error file=src/api.ts,line=4,col=9,title=onepath(legacy/endpoint)::"),
        "{}",
        ran.out
    );
}

#[test]
fn clean_text_is_clean_and_what_cannot_be_read_is_no_result() {
    let folder = Folder::new();
    folder.write("a.ts", "import { createClient } from 'onepath/client';\n");
    let ran = folder.run(&["legacy", "scan", "--output-format", "json"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "[]\n"));
    assert_eq!(folder.run(&["legacy", "scan", "nowhere"]).code, 2);
}
