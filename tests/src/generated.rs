//! Files that are made from the code and committed: schemas, tables of the docs, vectors.

use std::fmt::Write as _;

use onepath_core::schema::{Draft, schemas};
use onepath_core::{Code, Policy, field_policies};

use crate::{typescript, v1};

/// Every generated file: path from the project's root, and text.
#[must_use]
pub fn files() -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (draft, folder) in [(Draft::Draft202012, "schemas"), (Draft::Draft07, "schemas/draft-07")] {
        for published in schemas(draft) {
            let text = serde_json::to_string_pretty(&published.schema).unwrap_or_default();
            out.push((format!("{folder}/{}", published.file_name()), text + "\n"));
        }
    }
    let openapi = serde_json::to_string_pretty(&onepath_server::http::openapi());
    out.push(("schemas/openapi.json".to_owned(), openapi.unwrap_or_default() + "\n"));
    out.push(("docs/codes.md".to_owned(), codes()));
    out.push(("docs/fields.md".to_owned(), fields()));
    out.push(("pkg/src/types.d.ts".to_owned(), typescript::types()));
    out.push(("pkg/src/codes.js".to_owned(), typescript::codes()));
    out.push(("pkg/src/codes.d.ts".to_owned(), typescript::codes_types()));
    out.push(("tests/vectors/v1.jsonl".to_owned(), v1::text()));
    out
}

fn codes() -> String {
    let mut out = String::from(
        "# Codes\n\nEvery finding has one of these codes. They are stable. `onepath explain CODE` prints the same \
         text.\n\nA code that refuses stops a build: no request is made while it stands.\n\n\
         | code | severity | refuses | meaning |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let refuses = if code.refuses_build() { "yes" } else { "" };
        let meaning = code.explanation().replace('|', "\\|");
        let _ = writeln!(out, "| `{code}` | {} | {refuses} | {meaning} |", code.severity().word());
    }
    out
}

fn fields() -> String {
    let mut out = String::from(
        "# Fields and their policies\n\nEvery field of a request, and of the config and envelope it comes from, has \
         exactly one policy. Identity, variation and scope change the cache key; the rest does not. A private field \
         may hold what players or designers wrote, so its value is never logged. `*` stands for any step.\n",
    );
    for (policy, title) in [
        (Policy::Identity, "Identity: what would be generated"),
        (Policy::Variation, "Variation: which of the variants"),
        (Policy::Scope, "Scope: who shares the result"),
        (Policy::Policy, "Policy: how it is carried out"),
        (Policy::Telemetry, "Telemetry: for display and statistics"),
    ] {
        let _ = write!(out, "\n## {title}\n\n| field | private |\n|---|---|\n");
        for row in field_policies().iter().filter(|row| row.policy == policy) {
            let private = if row.private { "yes" } else { "" };
            let _ = writeln!(out, "| `{}` | {private} |", row.pointer);
        }
    }
    out
}
