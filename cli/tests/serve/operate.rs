//! What operators do: a configuration file, the doctor, a backup and its restore.

use std::path::Path;
use std::time::{Duration, Instant};

use onepath_testpostgres::Cluster;
use serde_json::{Value, json};

use super::{DEV, Folder, Serving, picture};

/// What `doctor --json` says, and its exit code.
fn doctor(folder: &Folder, args: &[&str]) -> (Option<i32>, Value) {
    let args = [&["doctor", "--json"], args].concat();
    let output = folder.command(&args).env_remove("ONEPATH_CONFIG").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let json = serde_json::from_str(&told)
        .unwrap_or_else(|_| panic!("{told}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), json)
}

fn verdict<'j>(told: &'j Value, name: &str) -> Vec<&'j str> {
    let checks = told["checks"].as_array().unwrap();
    checks
        .iter()
        .filter(|check| check["name"] == name)
        .map(|check| check["verdict"].as_str().unwrap())
        .collect()
}

fn setting(told: &Value, name: &str) -> (Value, String) {
    let settings = told["settings"].as_array().unwrap();
    let found = settings.iter().find(|setting| setting["name"] == name).unwrap();
    (found["value"].clone(), found["source"].as_str().unwrap().to_owned())
}

fn write(folder: &Folder, name: &str, text: &str) {
    std::fs::write(folder.0.join(name), text).unwrap();
}

#[test]
fn a_file_holds_the_flags_and_flags_count_more() {
    let folder = Folder::new();
    write(
        &folder,
        "onepath.toml",
        "listen = \"127.0.0.1:0\"\ndata = \"kept\"\ndev = true\n# of workers and servers\nno-worker = true\n",
    );
    let mut command = folder.command(&["serve", "--config", "onepath.toml"]);
    command.env("ONEPATH_DEV_KEY", "k");
    let mut server = Serving::start(command);
    assert_eq!(server.line(), "key k");
    let (status, created) = server.call("POST", "/api/v1/generations", "k", Some(&picture()));
    assert_eq!((status, &created["status"]), (202, &json!("pending")), "nobody works");
    assert_eq!(server.end("-TERM").0, Some(0));
    assert!(folder.0.join("kept/onepath.sqlite").exists());

    let (_, told) = doctor(&folder, &["--config", "onepath.toml", "--listen", "127.0.0.1:1"]);
    assert_eq!(setting(&told, "listen"), (json!("127.0.0.1:1"), "flag".to_owned()));
    assert_eq!(setting(&told, "data"), (json!("kept"), "file".to_owned()));
    assert_eq!(setting(&told, "no-worker"), (json!("true"), "file".to_owned()));
    assert_eq!(setting(&told, "plans"), (Value::Null, "default".to_owned()));
}

#[test]
fn a_file_with_a_fault_is_refused_with_the_place() {
    let folder = Folder::new();
    for (text, expected) in [
        ("listne = \"127.0.0.1:0\"", "there is no setting `listne`"),
        ("no_worker = true", "did you mean `no-worker`?"),
        ("no-worker = \"yes\"", "`no-worker` takes true or false"),
        ("data = { }", "`data` takes a text, a number or a list"),
        ("data = ", "onepath.toml: "),
    ] {
        write(&folder, "onepath.toml", text);
        let told = folder.refused(&["serve", "--config", "onepath.toml"]);
        assert!(told.contains(expected) && told.contains("onepath.toml"), "{told}");
    }
    let told = folder.refused(&["serve", "--config", "nowhere.toml"]);
    assert!(told.contains("nowhere.toml: "), "{told}");
}

#[test]
fn the_sample_file_is_one_that_works() {
    let folder = Folder::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/onepath.toml");
    let sample = sample.to_str().unwrap();
    let (code, told) = doctor(&folder, &["--config", sample, "--data", "data"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(setting(&told, "listen").1, "file");
    // What is commented out are settings too.
    let text = std::fs::read_to_string(sample).unwrap();
    let all: String = text
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .filter(|line| !line.starts_with("plans"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(all, text);
    write(&folder, "all.toml", &all);
    let args = ["doctor", "--config", "all.toml", "--data", "data"];
    let output = folder.command(&args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() != Some(2), "{told}");
}

#[test]
fn the_doctor_changes_nothing_and_sees_what_is_wrong() {
    let folder = Folder::new();
    let (code, told) = doctor(&folder, &["--data", "data"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(verdict(&told, "data folder"), ["warning"]);
    assert_eq!(verdict(&told, "database"), ["warning"]);
    assert!(!folder.0.join("data").exists(), "nothing was made");

    folder.new_key(&[]);
    let (code, told) = doctor(&folder, &["--data", "data", "--deep"]);
    assert_eq!(code, Some(0), "{told}");
    for name in ["data folder", "signing key", "database", "keys", "clock"] {
        assert_eq!(verdict(&told, name), ["good"], "{name}: {told}");
    }
    // A copy is one file without a log beside it.
    let copied = folder.command(&["admin", "backup", "--data", "data", "copy"]).output().unwrap();
    assert_eq!(copied.status.code(), Some(0));
    let file = folder.0.join("copy/onepath.sqlite");
    let whole = std::fs::read(&file).unwrap();
    for at in (16384..whole.len()).step_by(16384) {
        let mut bytes = whole.clone();
        bytes[at..at + 8].fill(0xa5);
        std::fs::write(&file, bytes).unwrap();
        let (code, told) = doctor(&folder, &["--data", "copy", "--deep"]);
        assert_eq!(code, Some(1), "page at {at}: {told}");
    }
    std::fs::write(&file, "no database at all, but a text that is long enough").unwrap();
    let (code, told) = doctor(&folder, &["--data", "copy"]);
    assert_eq!((code, verdict(&told, "database")), (Some(1), vec!["failed"]), "{told}");
}

#[test]
fn the_doctor_looks_at_postgresql() {
    let folder = Folder::new();
    let cluster = Cluster::shared().unwrap();
    let database = cluster.database().unwrap();
    let place = ["--data", "data", "--database", &database];
    let (code, told) = doctor(&folder, &place);
    assert_eq!((code, verdict(&told, "database")), (Some(0), vec!["warning"]), "{told}");
    assert_eq!(setting(&told, "database").0, json!("(hidden)"), "it may hold a password");
    folder.new_key(&place[2..]);
    let (code, told) = doctor(&folder, &place);
    assert_eq!((code, verdict(&told, "database")), (Some(0), vec!["good"]), "{told}");
    assert_eq!(verdict(&told, "clock"), ["good"]);
    let gone = format!("{database}_not");
    let (code, told) = doctor(&folder, &["--data", "data", "--database", &gone]);
    assert_eq!((code, verdict(&told, "database")), (Some(1), vec!["failed"]), "{told}");
}

#[test]
fn a_backup_of_a_running_server_is_restored() {
    let folder = Folder::new();
    let mut command = folder.command(DEV);
    command.env("ONEPATH_DEV_KEY", "k");
    let mut server = Serving::start(command);
    server.line();
    let mut made = Vec::new();
    for number in 0..6 {
        let mut body = picture();
        body["config"]["prompt"] = json!(format!("a lighthouse, number {number}"));
        let (status, created) = server.call("POST", "/api/v1/generations", "k", Some(&body));
        assert_eq!(status, 202, "{created}");
        made.push((body, created["id"].as_str().unwrap().to_owned()));
    }
    let complete = |server: &Serving, id: &str| {
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            let (_, row) = server.call("GET", &format!("/api/v1/generations/{id}"), "k", None);
            if row["status"] == "completed" {
                return row;
            }
            assert!(Instant::now() < patience, "{row}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    for (_, id) in &made {
        complete(&server, id);
    }
    // While it goes on working.
    let mut body = picture();
    body["config"]["strategy"] = json!("always");
    server.call("POST", "/api/v1/generations", "k", Some(&body));
    let run = |args: &[&str]| {
        let output = folder.command(args).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{told}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = run(&["admin", "backup", "--data", "data", "backup"]);
    assert!(told.starts_with("backup: the database and "), "{told}");
    assert!(folder.refused(&["admin", "backup", "--data", "data", "backup"]).contains("not empty"));
    assert_eq!(server.end("-KILL").0, None);
    std::fs::rename(folder.0.join("data"), folder.0.join("lost")).unwrap();

    run(&["admin", "restore", "--data", "data", "backup"]);
    let mut command = folder.command(DEV);
    command.env("ONEPATH_DEV_KEY", "k");
    let mut server = Serving::start(command);
    server.line();
    for (body, id) in &made {
        let (status, answer) = server.call("POST", "/api/v1/generations", "k", Some(body));
        assert_eq!((status, &answer["answer"], &answer["id"]), (200, &json!("cache"), &json!(id)));
    }
    assert_eq!(server.end("-TERM").0, Some(0));

    // A backup with a fault is refused before anything is written.
    let blob = std::fs::read_dir(folder.0.join("backup/blobs"))
        .unwrap()
        .flat_map(|entry| std::fs::read_dir(entry.unwrap().path()).unwrap())
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(&blob, "other bytes").unwrap();
    let told = folder.refused(&["admin", "restore", "--data", "third", "backup"]);
    assert!(told.contains("not whole") && !folder.0.join("third").exists(), "{told}");
    std::fs::remove_file(&blob).unwrap();
    let told = folder.refused(&["admin", "restore", "--data", "third", "backup"]);
    assert!(told.contains("is missing") && !folder.0.join("third").exists(), "{told}");
}
