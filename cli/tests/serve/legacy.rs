//! `onepath legacy report`: beside a server that runs.

use std::process::Output;

use serde_json::{Value, json};

use super::{DEV, Folder, Serving};

fn report(folder: &Folder, args: &[&str]) -> (Option<i32>, String) {
    let args = [&["legacy", "report", "--data", "data"], args].concat();
    let Output { status, stdout, stderr } = folder.command(&args).output().unwrap();
    let told = String::from_utf8(stdout).unwrap() + std::str::from_utf8(&stderr).unwrap();
    (status.code(), told)
}

#[test]
fn the_report_says_who_still_calls_and_when_removal_is_safe() {
    let folder = Folder::new();
    let mut command = folder.command(DEV);
    command.env("ONEPATH_DEV_KEY", "my own key");
    let server = Serving::start(command);
    let (code, told) = report(&folder, &[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.starts_with("not safe to remove yet: nobody calls; it is from 2"), "{told}");
    for _ in 0..2 {
        assert_eq!(server.call("GET", "/api/v1/jobs", "my own key", None).0, 200);
    }
    assert_eq!(server.call("GET", "/api/v1/jobs/1", "my own key", None).0, 404);
    let (code, told) = report(&folder, &["--days", "7"]);
    assert_eq!(code, Some(1), "{told}");
    let mut lines: Vec<&str> = told.lines().collect();
    let verdict = lines.pop().unwrap();
    // The last call comes first, unless both were in one millisecond.
    lines.sort_unstable();
    let [list, one] = lines.as_slice() else { panic!("{told}") };
    assert!(one.starts_with("GET /api/v1/jobs/{id}  1 call, the last 2"), "{told}");
    assert!(list.starts_with("GET /api/v1/jobs  2 calls, the last 2"), "{told}");
    assert!(verdict.starts_with("not safe to remove yet: the last call with a key that works"));
    let (_, told) = report(&folder, &["--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["quiet_days"], json!(30));
    let calls = |line: &Value| line["calls"].as_u64().unwrap();
    assert_eq!(told["callers"].as_array().unwrap().iter().map(calls).sum::<u64>(), 3);
    let (code, told) = report(&folder, &["--days", "0"]);
    assert_eq!(code, Some(2), "{told}");
}
