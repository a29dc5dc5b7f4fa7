//! The command as a stranger meets it: real files, real exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code: a failing test is supposed to stop"
)]

mod folder;

use std::path::{Path, PathBuf};

use folder::Folder;
use serde_json::{Value, json};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/scenes")
}

const GOOD: &str = r#"{"generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
  "seedSource": "player", "prompt": "a lighthouse", "fallback": {"mode": "skip"}}"#;

const BROKEN: &str = r#"{
  "generation_type": "dialog",
  "purpose": "ambient",
  "strategy": "once",
  "strategy": "always",
  "seedSource": "moon",
  "prompt": "a lighthouse",
  "promt": "misspelled",
  "duration": { "min": 9, "max": true },
  "constraints": { "avoid_elements": [null], "requiredElements": [] },
  "fallback": { "mode": "skip" }
}
"#;

#[test]
fn every_fault_of_a_broken_file_is_pointed_at() {
    let folder = Folder::new();
    folder.write("broken.json", BROKEN);
    let ran = folder.run(&["check", "broken.json", "--output-format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let rows: Vec<(String, String, u64, u64)> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (
                text("code"),
                text("pointer"),
                row["line"].as_u64().unwrap(),
                row["column"].as_u64().unwrap(),
            )
        })
        .collect();
    let row = |code: &str, pointer: &str, line: u64, column: u64| {
        (code.to_owned(), pointer.to_owned(), line, column)
    };
    assert_eq!(
        rows,
        [
            row("json/unknown-word", "/generation_type", 2, 22),
            row("json/duplicate-key", "/strategy", 5, 3),
            row("seed/unknown-source", "/seedSource", 6, 17),
            row("json/unknown-field", "/promt", 8, 3),
            row("json/wrong-type", "/duration/max", 9, 34),
            row("json/wrong-type", "/constraints/avoid_elements/0", 10, 39),
            row("constraints/empty-required", "/constraints/requiredElements", 10, 66),
        ]
    );
    let full = folder.run(&["check", "broken.json"]);
    assert_eq!(full.code, 1);
    for part in [
        "did you mean `dialogue`?",
        "did you mean `prompt`?",
        "broken.json:8:3",
        "/duration/max",
        "json/unknown-word",
    ] {
        assert!(full.out.contains(part), "{part} is missing in\n{}", full.out);
    }
    assert!(!full.out.contains('\u{1b}'), "no colours where no terminal is");
    assert!(full.err.contains("6 errors, 1 warning"), "{}", full.err);
}

#[test]
fn formats_say_the_same() {
    let folder = Folder::new();
    folder.write("broken.json", BROKEN);
    let concise = folder.run(&["check", "broken.json", "--output-format", "concise"]);
    assert!(
        concise.out.starts_with(
            "broken.json:2:22: error[json/unknown-word] `dialog` is not one of the words"
        ),
        "{}",
        concise.out
    );
    assert_eq!(concise.out.lines().count(), 7);
    let lines = folder.run(&["check", "broken.json", "--output-format", "json-lines"]);
    assert_eq!(lines.out.lines().count(), 7);
    assert!(lines.out.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let github = folder.run(&["check", "broken.json", "--output-format", "github"]);
    assert!(github.out.contains("::error file=broken.json,line=9,col=34,endColumn=38,endLine=9,title=onepath(json/wrong-type)::"), "{}", github.out);
    // The worst first: GitHub keeps only ten.
    assert!(github.out.lines().last().unwrap().starts_with("::warning"), "{}", github.out);
}

#[test]
fn the_example_game_is_clean() {
    let folder = Folder::new();
    let scenes = examples();
    let scenes = scenes.to_str().unwrap();
    let prompts = format!("{scenes}/prompts.json");
    let ran = folder.run(&["check", scenes, "--prompts", &prompts, "--fail-on", "warning"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(
        ran.err.contains("all checks passed") && ran.err.contains("skipped 1 other file"),
        "{}",
        ran.err
    );
    let ran = folder.run(&["walk", scenes, "--prompts", &prompts, "--provider", "local"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.lines().filter(|line| line.contains("generation:")).count() >= 15,
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("pending") && !ran.out.contains("refused"), "{}", ran.out);
    // Without the template the node that needs it is pending, and nothing is wrong.
    let ran = folder.run(&["walk", scenes, "--provider", "local"]);
    assert!(ran.out.contains("pending: template:"), "{}", ran.out);
}

#[test]
fn exit_codes_tell_clean_findings_and_trouble_apart() {
    let folder = Folder::new();
    folder.write("good.json", GOOD).write("warns.json", &GOOD.replace("\"once\"", "\"always\""));
    assert_eq!(folder.run(&["check", "good.json"]).code, 0);
    assert_eq!(folder.run(&["check", "warns.json"]).code, 0);
    assert_eq!(folder.run(&["check", "warns.json", "--fail-on", "warning"]).code, 1);
    assert_eq!(folder.run(&["check", "missing.json"]).code, 2);
    assert_eq!(folder.run(&["check", "*.none"]).code, 2);
    assert_eq!(folder.run(&["check", "--no-such-flag"]).code, 2);
    let empty = Folder::new();
    let ran = empty.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("nothing to check"), "{}", ran.err);
    folder.write("bytes.json", "");
    std::fs::write(folder.path().join("bytes.json"), b"\xff{}").unwrap();
    let ran = folder.run(&["check", "bytes.json"]);
    assert!(ran.code == 2 && ran.err.contains("not UTF-8"), "{ran:?}");
    // A line that is no text hides nothing of the lines around it.
    let lines = [b"{\"prompt\": 1}\n\xff\n".as_slice(), b"{\"prompt\": 2}\n"].concat();
    std::fs::write(folder.path().join("bytes.jsonl"), lines).unwrap();
    let ran = folder.run(&["check", "bytes.jsonl", "--output-format", "concise"]);
    assert!(ran.code == 2 && ran.err.contains("bytes.jsonl:2: not UTF-8"), "{ran:?}");
    assert!(ran.out.contains("bytes.jsonl:1:") && ran.out.contains("bytes.jsonl:3:"), "{ran:?}");
}

#[test]
fn files_folders_globs_lists_lines_and_standard_input() {
    let folder = Folder::new();
    let compact: Value = serde_json::from_str(GOOD).unwrap();
    folder
        .write("a/good.json", GOOD)
        .write("a/deep/list.json", &format!("[{GOOD}, {GOOD}]"))
        .write(
            "a/deep/lines.jsonl",
            &format!("{compact}\n\n{compact}\n{{\"generationType\": 1}}\n"),
        )
        .write("a/other.json", r#"{"name": "no node"}"#)
        .write(
            "a/ours.json",
            r#"{"$schema": "x/generation-node-config.schema.json", "prompt": "p"}"#,
        );
    let ran = folder.run(&["check", "a", "--output-format", "concise"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("checked 7 documents in 4 files, skipped 1 other file"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("a/deep/lines.jsonl:4:20: error[json/wrong-type]"), "{}", ran.out);
    assert!(ran.out.contains("a/ours.json:1:1: error[node/type-required]"), "{}", ran.out);
    // A named file is always read.
    assert!(folder.run(&["check", "a/other.json"]).out.contains("json/unknown-field"));
    assert_eq!(folder.run(&["check", "a/*.json"]).code, 1);
    assert_eq!(folder.run(&["check", "a/g*.json"]).code, 0);
    assert_eq!(folder.run(&["check", "a/**/list.json"]).code, 0);
    let ran = folder.run_with(&["check", "-"], GOOD);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = folder
        .run_with(&["check", "-", "--output-format", "concise"], "{\n  \"generationType\": \n}");
    assert!(ran.out.starts_with("<stdin>:3:1: error[json/syntax]"), "{}", ran.out);
    // An error inside a list is shown where it stands in the file.
    folder.write("list.json", &format!("[\n{GOOD},\n{{\"generationType\": \"nope\"}}\n]"));
    let ran = folder.run(&["check", "list.json", "--output-format", "json"]);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&found[0]["pointer"], &found[0]["line"]),
        (&json!("/1/generationType"), &json!(4)),
        "{}",
        ran.out
    );
}

#[test]
fn context_flags_are_checked_against() {
    let folder = Folder::new();
    let with_social = GOOD.replace(
        "\"prompt\"",
        "\"socialContext\": {\"contentRating\": \"mature_implied\", \"npcIds\": [1]}, \"prompt\"",
    );
    folder
        .write("node.json", &with_social)
        .write("world.json", r#"{"meta": {"generation": {"maxContentRating": "sfw"}}}"#)
        .write("user.json", r#"{"maxContentRating": "restricted"}"#)
        .write("bad.json", r#"{"maxContentRating": "PG"}"#);
    assert_eq!(folder.run(&["check", "node.json"]).code, 0);
    let ran = folder.run(&["check", "node.json", "--world", "world.json", "--user", "user.json"]);
    assert!(
        ran.code == 1
            && ran.out.contains("rating/exceeds-world")
            && !ran.out.contains("exceeds-user"),
        "{}",
        ran.out
    );
    let ran = folder.run(&["check", "node.json", "--user", "bad.json"]);
    assert!(ran.code == 2 && ran.err.contains("rating/unknown-maximum"), "{ran:?}");
}

#[test]
fn build_fingerprint_price_and_diff() {
    let folder = Folder::new();
    folder.write("a.json", GOOD).write("session.json", r#"{"id": 1, "user_id": 2}"#);
    let built =
        folder.run(&["build", "a.json", "--provider", "local", "--session", "session.json"]);
    let request: Value = serde_json::from_str(&built.out).unwrap();
    assert_eq!(
        (&request["type"], &request["version"], &request["provider_id"]),
        (&json!("text_to_image"), &json!(1), &json!("local"))
    );
    let print = folder.run(&[
        "fingerprint",
        "a.json",
        "--provider",
        "local",
        "--session",
        "session.json",
        "--canonical",
    ]);
    let print: Value = serde_json::from_str(&print.out).unwrap_or_else(|_| panic!("{print:?}"));
    assert!(
        print["cache_key"]
            .as_str()
            .unwrap()
            .starts_with("generation:text_to_image|ambient|-|-|once|-|v1|")
    );
    assert!(print["canonical"].as_str().unwrap().starts_with("{\"band\":\"none\""));
    // What is not in the file or the flags is pending, or a finding that names the flag.
    let pending = folder.run(&["fingerprint", "a.json", "--npcs", "x"]);
    assert_eq!(pending.code, 1);
    assert!(pending.err.contains("--user"), "{}", pending.err);
    folder.write("once.json", &GOOD.replace("\"seedSource\": \"player\",", ""));
    let pending = folder.run(&["fingerprint", "once.json"]);
    assert_eq!(pending.code, 0, "{}", pending.err);
    assert!(pending.out.contains("\"pending\": [\n    \"provider\"\n  ]"), "{}", pending.out);
    let price = folder.run(&["price", "once.json", "--provider", "pixverse"]);
    assert_eq!(
        serde_json::from_str::<Value>(&price.out).unwrap(),
        json!({ "credits": 5, "known": true })
    );
    folder.write("prices.json", r#"{"prices": [{"provider": "pixverse", "micros": 40000}]}"#);
    let price =
        folder.run(&["price", "once.json", "--provider", "pixverse", "--prices", "prices.json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&price.out).unwrap(),
        json!({ "micros": 40000, "known": true })
    );
    folder.write(
        "c.json",
        &GOOD.replace("\"seedSource\": \"player\",", "").replace("skip", "placeholder"),
    );
    let diff = folder.run(&["diff", "once.json", "c.json", "--provider", "local"]);
    assert_eq!(diff.code, 0, "{}", diff.err);
    assert!(diff.out.starts_with("does not change the key:\n  /fallback/mode"), "{}", diff.out);
    folder.write(
        "d.json",
        &GOOD.replace("\"seedSource\": \"player\",", "").replace("lighthouse", "harbour"),
    );
    let diff = folder.run(&["diff", "once.json", "d.json", "--provider", "local"]);
    assert_eq!(diff.code, 1);
    assert!(
        diff.out.starts_with("changes the key:\n  /prompt  \"a lighthouse\" -> \"a harbour\""),
        "{}",
        diff.out
    );
    let scenes = examples();
    let lighthouse = format!("{}/lighthouse.json#noor-laughs", scenes.display());
    assert_eq!(
        folder.run(&["diff", &lighthouse, &lighthouse, "--provider", "local"]).out,
        "no difference: same key\n"
    );
    let unnamed = folder.run(&["diff", &format!("{}/lighthouse.json", scenes.display()), "a.json"]);
    assert!(unnamed.code == 2 && unnamed.err.contains("has several nodes"), "{unnamed:?}");
}

#[test]
fn tables() {
    let folder = Folder::new();
    let ran = folder.run(&["explain", "scope/player-missing"]);
    assert!(ran.code == 0 && ran.out.contains("There is no \"unknown\" scope"), "{ran:?}");
    let ran = folder.run(&["explain", "nothing/player-missing"]);
    assert!(ran.code == 2 && ran.err.contains("did you mean `scope/player-missing`?"), "{ran:?}");
    let schema = folder.run(&["schema", "SceneFile"]);
    assert!(
        serde_json::from_str::<Value>(&schema.out).unwrap()["$schema"]
            .as_str()
            .unwrap()
            .contains("2020-12")
    );
    assert_eq!(folder.run(&["schema", "scene-file", "--draft", "07"]).code, 0);
    assert_eq!(folder.run(&["schema", "Nobody"]).code, 2);
    assert_eq!(folder.run(&["schema", "--write", "out"]).code, 0);
    assert!(folder.path().join("out/draft-07/scene-file.schema.json").is_file());
    assert!(folder.run(&["providers"]).out.contains("pixverse"));
    let json: Value = serde_json::from_str(&folder.run(&["providers", "--json"]).out).unwrap();
    assert_eq!(json[0]["id"], "local");
    let canon = folder.run_with(&["canon"], "{\"b\": 1.0, \"a\": [null, 1e21]}");
    assert_eq!((canon.code, canon.out.as_str()), (0, "{\"a\":[null,1e+21],\"b\":1}"));
    assert_eq!(folder.run_with(&["canon"], "{\"a\": 1, \"a\": 2}").code, 1);
}

#[test]
fn batch_writes_one_result_a_line_in_order() {
    let folder = Folder::new();
    // More than one block of input, so that several workers take part.
    let lines: String = (0..60_000).map(|number| format!("{{ \"n\": {number}.0 }}\n")).collect();
    let ran = folder.run_with(&["batch", "canon"], &lines);
    assert_eq!(ran.code, 0);
    for (number, line) in ran.out.lines().enumerate() {
        assert_eq!(line, format!("{{\"n\":{number}}}"));
    }
    assert_eq!(ran.out.lines().count(), 60_000);
    let ran = folder.run_with(&["batch", "render"], "{\"template\": \"{{a}}\", \"variables\": {\"a\": 1}}\n{broken\n\n{\"template\": \"{{b}}\"}");
    assert_eq!(ran.code, 0);
    let answers: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers[0], json!({ "text": "1" }));
    assert_eq!(answers[1]["error"]["findings"][0]["code"], "json/syntax");
    assert_eq!(answers[2]["error"]["findings"][0]["code"], "json/syntax");
    assert_eq!(answers[3]["error"]["findings"][0]["code"], "prompt/unknown-variable");
    assert_eq!(answers.len(), 4);
    assert_eq!(folder.run(&["batch", "nothing"]).code, 2);
    assert_eq!(folder.run(&["batch", "canon", "missing.jsonl"]).code, 2);
}

#[test]
fn scene_files_point_into_edges_and_ids() {
    let folder = Folder::new();
    folder.write("scene.json", r#"{
  "scenes": [{"id": "a"}, {"id": "a"}],
  "nodes": [
    {"id": "n", "fromScene": "zz", "config": {"generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
      "seedSource": "player", "prompt": "p", "fallback": {"mode": "skip"}}}
  ],
  "edges": [
    {"from": "a", "to": "n", "meta": {"generate": true, "rules": {"duration": {"min": 5, "max": 1}}}},
    {"from": "a", "to": "nowhere"}
  ]
}"#);
    let ran = folder.run(&["check", "scene.json", "--output-format", "concise"]);
    let expected = [
        "scene.json:2:34: error[node/duplicate-id]",
        "scene.json:4:30: error[scene/unknown]",
        "scene.json:9:25: error[scene/unknown]",
        "scene.json:8:87: error[duration/min-exceeds-max]",
    ];
    for part in expected {
        assert!(ran.out.contains(part), "{part} is missing in\n{}", ran.out);
    }
}

#[test]
fn a_folder_is_read_with_care() {
    let folder = Folder::new();
    folder
        .write("d/good.json", GOOD)
        .write("d/broken.json", r#"{"x": , "nodes": []}"#)
        .write("d/foreign.jsonl", "{\"a\": 1}\n{\"b\": 2}\n")
        .write("d/foreign.json", "{\"compilerOptions\": {}, // a comment\n}")
        .write("d/marked.json", &format!("\u{feff}{GOOD}"));
    std::os::unix::fs::symlink(".", folder.path().join("d/loop")).unwrap();
    let ran = folder.run(&["check", "d", "--output-format", "concise"]);
    // What speaks our words is ours, broken or not; the rest is passed over and counted.
    assert!(ran.out.contains("d/broken.json:1:7: error[json/syntax]"), "{}", ran.out);
    assert!(ran.out.contains("d/marked.json:1:1: error[json/syntax]"), "{}", ran.out);
    assert!(!ran.out.contains("foreign"), "{}", ran.out);
    assert!(
        ran.err.contains("checked 3 documents in 3 files, skipped 2 other files"),
        "{}",
        ran.err
    );
    let ran = folder.run(&["check", "d/good.json", "./d/good.json", "./d/g*.json"]);
    assert!(ran.code == 0 && ran.err.contains("checked 1 document in 1 file"), "{ran:?}");
    // JSON lines on standard input.
    let compact = serde_json::from_str::<Value>(GOOD).unwrap();
    let ran = folder.run_with(&["check", "-"], &format!("{compact}\n{compact}\n"));
    assert!(ran.err.contains("checked 2 documents"), "{}", ran.err);
}

#[test]
fn several_nodes_are_json_lines_whatever_is_refused() {
    let folder = Folder::new();
    let plain = GOOD.replace("\"seedSource\": \"player\",", "");
    folder.write("list.json", &format!("[{plain}, {{\"generationType\": \"dialogue\"}}]"));
    let ran = folder.run(&["fingerprint", "list.json", "--provider", "local"]);
    assert_eq!(ran.code, 1);
    let line: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&line["file"], &line["node"]), (&json!("list.json"), &json!("[0]")), "{}", ran.out);
    assert_eq!(ran.out.lines().count(), 1);
}

#[test]
fn npcs_of_a_file_are_in_the_scene_and_a_shared_key_stays_shared() {
    let folder = Folder::new();
    let dialogue = GOOD.replace("text_to_image", "dialogue");
    folder
        .write("node.json", &dialogue)
        .write("session.json", r#"{"id": 1, "user_id": 2, "stats": {"relationships": {"npc:noor": {"affinity": 50, "chemistry": 50, "trust": 50}}}}"#)
        .write("other.json", r#"{"id": 9, "user_id": 2, "stats": {"relationships": {"npc:noor": {"affinity": 50, "chemistry": 50, "trust": 50}}}}"#)
        .write("npcs.json", r#"[{"id": "noor", "name": "Noor"}]"#);
    let key = |npcs: &str| {
        let ran = folder.run(&[
            "fingerprint",
            "node.json",
            "--provider",
            "local",
            "--session",
            "session.json",
            "--npcs",
            npcs,
        ]);
        serde_json::from_str::<Value>(&ran.out).unwrap()["cache_key"].clone()
    };
    assert_eq!(key("noor"), key("npcs.json"));
    // Another playthrough is another scope, but this strategy is not tied to it.
    let diff =
        folder.run(&["build", "node.json", "--provider", "local", "--session", "other.json"]);
    assert!(diff.out.contains("\"playthroughId\": \"9\""), "{}", diff.out);
}

#[test]
fn a_long_line_is_shown_in_part() {
    let folder = Folder::new();
    // Longer than any width that can be formatted, with characters of several bytes around.
    let padding = "\u{e9}\u{732b}".repeat(40_000);
    folder.write(
        "long.json",
        &format!(r#"{{"prompt": "{padding}", "generationType": "dialog", "seed": "{padding}"}}"#),
    );
    let ran = folder.run(&["check", "long.json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.out.contains("json/unknown-word") && ran.out.contains("[long.json:1:8003"),
        "{}",
        ran.out.len()
    );
    assert!(ran.out.len() < 20_000, "{}", ran.out.len());
}
