//! The forms in which `check` tells services what it found, and what shells and `man` are told.
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

/// An error behind characters of several bytes, and a warning.
const FERRY: &str = r#"{
  "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
  "seedSource": "player", "prompt": "quay <&> øø", "duration": { "min": 9, "max": 3 },
  "constraints": { "avoidElements": [] },
  "fallback": { "mode": "skip" }
}
"#;

fn check(format: &str, more: &[&str]) -> (i32, String) {
    let folder = Folder::new();
    folder.write("a b/ferry.json", FERRY);
    let mut args = vec!["check", "a b", "--quiet", "--output-format", format];
    args.extend(more);
    let ran = folder.run(&args);
    assert_eq!(ran.err, "");
    (ran.code, ran.out)
}

fn as_json(format: &str) -> Value {
    let (code, out) = check(format, &[]);
    assert_eq!(code, 1);
    serde_json::from_str(&out).unwrap()
}

#[test]
fn gitlab_gets_a_code_quality_report() {
    let report = as_json("gitlab");
    let list = report.as_array().unwrap();
    let severities: Vec<&Value> = list.iter().map(|row| &row["severity"]).collect();
    assert_eq!(severities, ["minor", "major", "info"]);
    let mut first = list[1].clone();
    let print = first["fingerprint"].take();
    assert_eq!(print.as_str().unwrap().len(), 16);
    assert_ne!(print, list[0]["fingerprint"]);
    assert_eq!(
        first,
        json!({
            "description": "`min` 9 is above `max` 3 (swap or change them)",
            "check_name": "duration/min-exceeds-max",
            "fingerprint": null,
            "severity": "major",
            "location": { "path": "a b/ferry.json", "lines": { "begin": 3, "end": 3 } },
        })
    );
    // The same finding has the same fingerprint in the next run.
    assert_eq!(report, as_json("gitlab"));
}

#[test]
fn junit_calls_a_failure_what_fails_the_check() {
    let (code, out) = check("junit", &[]);
    assert_eq!(code, 1);
    assert!(out.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"onepath\" tests=\"3\" failures=\"1\" errors=\"0\">\n"), "{out}");
    assert!(out.contains("<failure message=\"`min` 9 is above `max` 3\" type=\"error\">"), "{out}");
    assert!(out.contains("<system-out>warning: line 4, column 37: "), "{out}");
    let (_, out) = check("junit", &["--fail-on", "warning"]);
    assert!(out.contains("tests=\"3\" failures=\"2\""), "{out}");
    assert_eq!(out.matches("<testcase ").count(), out.matches("</testcase>").count());
}

#[test]
fn sarif_names_rules_and_places() {
    let log = as_json("sarif");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(rules[index]["shortDescription"]["text"].is_string());
    }
    let result = &run["results"][1];
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&json!("duration/min-exceeds-max"), &json!("error"))
    );
    assert_eq!(
        result["locations"],
        json!([{
            "physicalLocation": {
                "artifactLocation": { "uri": "a%20b/ferry.json" },
                "region": { "startLine": 3, "startColumn": 73, "endLine": 3, "endColumn": 74 },
            },
            "logicalLocations": [{ "fullyQualifiedName": "/duration/min" }],
        }])
    );
}

#[test]
fn rdjson_counts_columns_in_bytes() {
    let report = as_json("rdjson");
    assert_eq!(report["source"], json!({ "name": "onepath" }));
    let found = &report["diagnostics"][1];
    assert_eq!(found["severity"], "ERROR");
    assert_eq!(found["code"], json!({ "value": "duration/min-exceeds-max" }));
    // Two letters before it take two bytes each.
    assert_eq!(
        found["location"]["range"],
        json!({ "start": { "line": 3, "column": 75 }, "end": { "line": 3, "column": 76 } })
    );
}

#[test]
fn a_clean_check_is_a_whole_report_too() {
    let folder = Folder::new();
    folder.write("ok.json", &FERRY.replace("\"min\": 9", "\"min\": 1").replace("[]", "[\"fog\"]"));
    let run = |format: &str| {
        let ran = folder.run(&["check", "ok.json", "--quiet", "--output-format", format]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    // A suggestion is left.
    for (format, pointer) in
        [("gitlab", ""), ("sarif", "/runs/0/results"), ("rdjson", "/diagnostics")]
    {
        let report: Value = serde_json::from_str(&run(format)).unwrap();
        assert!(report.pointer(pointer).unwrap().is_array(), "{format}");
    }
    assert!(run("junit").contains("failures=\"0\""));
}

#[test]
fn shells_complete_and_every_command_has_a_page() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = folder.run(&["completions", shell]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains("fingerprint") && ran.out.contains("merge-base"), "{shell}");
    }
    let ran = folder.run(&["man", "pages"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for page in ["onepath.1", "onepath-check.1", "onepath-plan.1", "onepath-admin-key.1"] {
        let text = std::fs::read_to_string(folder.path().join("pages").join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
}
