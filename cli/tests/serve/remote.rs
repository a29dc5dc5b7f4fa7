//! `onepath submit`, `watch` and `list` against a real server.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::{Folder, Serving};

/// A node file.
fn node(prompt: &str, local: &Value) -> String {
    json!({
        "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
        "prompt": prompt, "fallback": { "mode": "retry" },
        "style": { "local": { "width": 64, "height": 48 } },
    })
    .as_object()
    .map(|node| {
        let mut node = node.clone();
        if let (Some(style), Some(more)) =
            (node["style"]["local"].as_object_mut(), local.as_object())
        {
            style.extend(more.clone());
        }
        Value::Object(node).to_string()
    })
    .unwrap()
}

struct Asked {
    code: Option<i32>,
    out: String,
    told: String,
}

fn ask(command: &mut Command) -> Asked {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Asked { code: status.code(), out: text(stdout), told: text(stderr) }
}

#[test]
fn nodes_are_submitted_watched_and_listed() {
    let folder = Folder::new();
    let server = Serving::start(folder.command(&[
        "serve",
        "--dev",
        "--dev-key",
        "op_dev",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "data",
    ]));
    let url = format!("http://{}", server.address);
    let onepath = |args: &[&str]| {
        let more: &[&str] = if args[0] == "submit" { &["--provider", "local"] } else { &[] };
        let mut command = folder.command(&[args, more].concat());
        command.env("ONEPATH_SERVER", &url).env("ONEPATH_KEY", "op_dev");
        command
    };
    let write = |name: &str, text: String| std::fs::write(folder.0.join(name), text).unwrap();
    write("house.json", node("a house", &json!({})));
    write("fails.json", node("it fails", &json!({ "fail": "param_invalid" })));
    write("hangs.json", node("it hangs", &json!({ "fail": "hang" })));

    // What nobody can be asked for is not passed over in silence.
    let nobody = ask(folder
        .command(&["submit", "house.json"])
        .env("ONEPATH_SERVER", &url)
        .env("ONEPATH_KEY", "op_dev"));
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(1), ""), "{}", nobody.told);
    let made = ask(&mut onepath(&["submit", "house.json", "--wait", "--idempotency-key", "one"]));
    assert_eq!(made.code, Some(0), "{}", made.told);
    assert!(made.out.contains("  completed  created  http://"), "{}", made.out);
    assert!(made.told.contains("  completed\n"), "progress is told: {}", made.told);
    let id = made.out.split_whitespace().next().unwrap().to_owned();
    // The same call again is that call; without its key it is answered from what exists.
    let again = ask(&mut onepath(&["submit", "house.json", "--idempotency-key", "one", "--json"]));
    let line: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!((&line["answer"], &line["generation"]["id"]), (&json!("created"), &json!(id)));
    let other = ask(&mut onepath(&["submit", "house.json"]));
    assert!(other.out.contains("  cache  "), "{}", other.out);
    let failed = ask(&mut onepath(&["submit", "fails.json", "--wait"]));
    assert_eq!(failed.code, Some(1), "{}", failed.out);
    assert!(failed.out.contains("failed  created  param_invalid"), "{}", failed.out);
    assert!(failed.told.contains("failed: param_invalid"), "{}", failed.told);

    // Ctrl-C ends the command and says what goes on.
    let mut child = onepath(&["submit", "hangs.json", "--wait"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("submitted") {
        line.clear();
        assert_ne!(told.read_line(&mut line).unwrap(), 0, "it ended");
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    let hanging = rest.split("onepath watch ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let listed = ask(&mut onepath(&["list", "--status", "processing", "--json"]));
    let one: Value = serde_json::from_str(listed.out.trim_end()).unwrap();
    assert_eq!(one["id"], hanging.as_str(), "it goes on");

    // Whoever watches it hears of its end.
    let mut child = onepath(&["watch", &hanging, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let path = format!("/api/v1/generations/{hanging}/cancel");
    assert_eq!(server.call("POST", &path, "op_dev", None).0, 200);
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let seen: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(seen["status"], "cancelled");

    let all = ask(&mut onepath(&["list", "--limit", "0"]));
    assert_eq!((all.code, all.out.lines().count()), (Some(0), 3), "{}", all.out);
    assert!(all.out.lines().last().unwrap().starts_with(&id), "newest first: {}", all.out);
    let wrong = ask(&mut onepath(&["list", "--status", "gone"]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.told.contains("VALIDATION_ERROR"), "{}", wrong.told);
    let nobody =
        ask(onepath(&["watch", "01990000-0000-7000-8000-000000000000"]).env("ONEPATH_KEY", "x"));
    assert_eq!(nobody.code, Some(2));

    // Operators change what counts while all this runs.
    let admin = |args: &[&str]| {
        let args = [&["admin"], args, &["--data", "data"]].concat();
        ask(&mut folder.command(&args))
    };
    assert_eq!(admin(&["set", "retry:provider_timeout", "3", "--by", "night shift"]).code, Some(0));
    assert_eq!(admin(&["pause", "tenant", "dev", "--reason", "a test"]).code, Some(0));
    let shown = admin(&["settings"]);
    assert!(shown.out.contains("retry:provider_timeout  3  by night shift"), "{}", shown.out);
    write("waits.json", node("it waits", &json!({})));
    let waits = loop {
        let waits = ask(&mut onepath(&["submit", "waits.json", "--force-new", "--json"]));
        let line: Value = serde_json::from_str(&waits.out).unwrap();
        if line["generation"]["paused"].is_object() {
            break line;
        }
    };
    assert_eq!(waits["generation"]["paused"]["reason"], "a test");
    assert_eq!(admin(&["resume", "tenant", "dev"]).code, Some(0));
    let id = waits["generation"]["id"].as_str().unwrap();
    assert_eq!(ask(&mut onepath(&["watch", id])).code, Some(0));
    let history = admin(&["settings", "--history", "pause_tenant:dev"]);
    let values: Vec<bool> = history.out.lines().map(|line| line.contains("as set up")).collect();
    assert_eq!(values, [true, false], "{}", history.out);
    let wrong = admin(&["set", "retry:param_invalid", "3"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.told.contains("provider_timeout"), "it says which there are: {}", wrong.told);
    server.end("-TERM");
}
