//! `onepath serve` and `onepath admin` as a stranger meets them: real processes, real signals.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code: a failing test is supposed to stop"
)]

#[path = "serve/accounts.rs"]
mod accounts;
#[path = "serve/legacy.rs"]
mod legacy;
#[path = "serve/operate.rs"]
mod operate;
#[path = "serve/prompts.rs"]
mod prompts;
#[path = "serve/remote.rs"]
mod remote;
#[path = "serve/slice.rs"]
mod slice;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use onepath_testpostgres::Cluster;
use serde_json::{Value, json};

/// A folder of this test's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("onepath-serve-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onepath"));
        command
            .args(args)
            .current_dir(&self.0)
            .env_remove("ONEPATH_DEV_KEY")
            .env_remove("ONEPATH_DATABASE")
            .env_remove("ONEPATH_LOG")
            .stdin(Stdio::null());
        command
    }

    /// A command that cannot run: its one line.
    fn refused(&self, args: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let told = String::from_utf8(stderr).unwrap();
        assert_eq!((status.code(), stdout.as_slice()), (Some(2), &b""[..]), "{told}");
        told
    }

    fn new_key(&self, args: &[&str]) -> String {
        let args = [&["admin", "key", "create", "--data", "data"], args].concat();
        let Output { status, stdout, stderr } = self.command(&args).output().unwrap();
        assert_eq!(status.code(), Some(0), "{}", String::from_utf8_lossy(&stderr));
        let key = String::from_utf8(stdout).unwrap();
        let key = key.strip_suffix('\n').unwrap();
        assert!(key.starts_with("op_") && key.len() == 67, "{key}");
        key.to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server in a process of its own.
struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
    address: String,
}

impl Serving {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut serving = Self { child, out, address: String::new() };
        let line = serving.line();
        let address =
            line.strip_prefix("onepath serves http://").unwrap_or_else(|| panic!("{line}"));
        serving.address = address.to_owned();
        serving
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Status and body of a call.
    fn call(&self, method: &str, path: &str, key: &str, body: Option<&Value>) -> (u16, Value) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    /// Sends a signal; the exit code, and what else was printed.
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut rest = String::new();
                self.out.read_to_string(&mut rest).unwrap();
                return (status.code(), rest);
            }
            assert!(Instant::now() < patience, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const DEV: &[&str] = &["serve", "--dev", "--listen", "127.0.0.1:0", "--data", "data"];
const SERVE: &[&str] = &["serve", "--listen", "127.0.0.1:0", "--data", "data"];

fn picture() -> Value {
    json!({
        "config": {
            "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
            "prompt": "a lighthouse", "style": { "local": { "width": 96, "height": 64 } },
            "fallback": { "mode": "skip" },
        },
        "provider_id": "local",
    })
}

#[test]
fn a_stranger_starts_it_and_has_a_key() {
    let folder = Folder::new();
    let mut server = Serving::start(folder.command(DEV));
    let line = server.line();
    let key = line.strip_prefix("key ").unwrap_or_else(|| panic!("{line}")).to_owned();
    assert!(key.starts_with("op_") && key.len() == 67, "{key}");
    assert_eq!(server.call("GET", "/healthz", "", None), (200, json!({ "status": "ok" })));
    let (status, created) = server.call("POST", "/api/v1/generations", &key, Some(&picture()));
    assert_eq!((status, &created["answer"]), (202, &json!("created")), "{created}");
    let id = created["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/generations/{id}");
    let patience = Instant::now() + Duration::from_secs(30);
    while server.call("GET", &path, &key, None).1["status"] != "completed" {
        assert!(Instant::now() < patience, "it is not drawn");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(server.end("-INT"), (Some(0), String::new()), "Ctrl-C is clean");

    // Again, with a key of one's own: what was made is still there.
    let mut command = folder.command(DEV);
    command.env("ONEPATH_DEV_KEY", "my own key");
    let mut server = Serving::start(command);
    assert_eq!(server.line(), "key my own key");
    let again = server.call("POST", "/api/v1/generations", "my own key", Some(&picture()));
    assert_eq!((again.0, &again.1["answer"], &again.1["id"]), (200, &json!("cache"), &json!(id)));
    assert_eq!(server.end("-TERM"), (Some(0), String::new()));
}

/// Starts `onepath worker` and waits until it works.
fn worker(folder: &Folder, database: &str) -> Child {
    let mut command = folder.command(&["worker", "--data", "data", "--database", database]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "onepath works\n");
    child
}

#[test]
fn two_servers_and_two_workers_share_a_database() {
    let folder = Folder::new();
    let cluster = Cluster::shared().unwrap();
    let database = cluster.database().unwrap();
    let told = folder.refused(&[SERVE, &["--database", &format!("{database}_not")]].concat());
    assert!(told.contains("the database: ") && told.contains("does not exist"), "{told}");
    let key = folder.new_key(&["--database", &database]);
    assert!(!folder.0.join("data/onepath.sqlite").exists(), "the rows are elsewhere");
    let serve = || {
        let mut command = folder.command(&[SERVE, &["--no-worker"]].concat());
        command.env("ONEPATH_DATABASE", &database);
        Serving::start(command)
    };
    let servers = [serve(), serve()];
    let wish = |index: usize| {
        let mut body = picture();
        body["config"]["prompt"] = json!(format!("a lighthouse, number {}", index % 4));
        body
    };
    let path = "/api/v1/generations";
    let mut ids = Vec::new();
    for index in 0..16 {
        let (status, body) = servers[index % 2].call("POST", path, &key, Some(&wish(0)));
        assert_eq!(status, 202, "{body}");
        let expected = if index == 0 { "created" } else { "joined" };
        assert_eq!(body["answer"], expected, "nobody works yet");
        ids.push(body["id"].as_str().unwrap().to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one row for both servers");
    let mut workers = [worker(&folder, &database), worker(&folder, &database)];
    for index in 0..4 {
        let (_, body) = servers[index % 2].call("POST", path, &key, Some(&wish(index)));
        let path = format!("{path}/{}", body["id"].as_str().unwrap());
        let patience = Instant::now() + Duration::from_secs(30);
        while servers[1 - index % 2].call("GET", &path, &key, None).1["status"] != "completed" {
            assert!(Instant::now() < patience, "it is not drawn");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let counts = "SELECT count(*) || ' ' || (SELECT count(*) FROM attempts) || ' ' ||
        (SELECT count(*) FROM assets) || ' ' || (SELECT sum(runs) FROM ledger) FROM generations";
    assert_eq!(cluster.sql(&database, counts).unwrap(), "4 4 4 4", "each is drawn and paid once");
    for child in &mut workers {
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    for server in servers {
        assert_eq!(server.end("-TERM").0, Some(0));
    }
}

#[test]
fn an_open_connection_does_not_keep_it_from_ending() {
    let folder = Folder::new();
    let mut server = Serving::start(folder.command(DEV));
    server.line();
    let silent = TcpStream::connect(&server.address).unwrap();
    let mut kept = TcpStream::connect(&server.address).unwrap();
    write!(kept, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut first = [0; 12];
    kept.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    assert_eq!(server.end("-TERM").0, Some(0));
    drop((silent, kept));
}

#[test]
fn dev_bounds_are_what_preflight_tells() {
    let folder = Folder::new();
    let bounds = ["--dev-bounds", "restricted,mature_implied"];
    let mut command = folder.command(&[DEV, &bounds].concat());
    command.env("ONEPATH_DEV_KEY", "k");
    let server = Serving::start(command);
    let path = "/api/v1/generations/preflight";
    let (status, answer) = server.call("POST", path, "k", Some(&picture()));
    let expected = json!({ "world": "restricted", "user": "mature_implied" });
    assert_eq!((status, &answer["bounds"]), (200, &expected));
    assert_eq!(server.end("-INT").0, Some(0));
    let told = folder.refused(&[DEV, &["--dev-bounds", "romantic,none"]].concat());
    assert!(told.contains("`none` is no rating") && told.contains("mature_implied"), "{told}");
    let told = folder.refused(&[DEV, &["--dev-bounds", "romantic"]].concat());
    assert!(told.contains("WORLD,USER"), "{told}");
    let told = folder.refused(&[SERVE, &bounds].concat());
    assert!(told.contains("--dev"), "{told}");
}

#[test]
fn dev_stays_on_ones_own_machine() {
    let folder = Folder::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let told = folder.refused(&["serve", "--dev", "--listen", address, "--data", "data"]);
        assert!(told.contains(address) && told.contains("127.0.0.1"), "{told}");
        assert!(told.contains("onepath admin key create"), "{told}");
    }
    assert!(!folder.0.join("data").exists(), "nothing was made");
}

#[test]
fn without_dev_it_wants_a_key_and_says_how_to_make_one() {
    let folder = Folder::new();
    let told = folder.refused(SERVE);
    assert!(told.contains("onepath admin key create --data data"), "{told}");
    assert!(told.contains("--dev"), "{told}");
    let backend = folder.new_key(&[]);
    let user = folder.new_key(&["--user", "ada", "--role", "user", "--name", "Ada"]);
    assert_ne!(backend, user);
    let server = Serving::start(folder.command(SERVE));
    let list = server.call("GET", "/api/v1/generations", &backend, None);
    assert_eq!((list.0, &list.1["generations"]), (200, &json!([])));
    assert_eq!(server.call("GET", "/api/v1/generations", "op_0", None).0, 401);
    let mut wish = picture();
    wish["player_context"] = json!({ "playerId": "ben" });
    let (status, problem) = server.call("POST", "/api/v1/generations", &user, Some(&wish));
    assert_eq!((status, &problem["code"]), (403, &json!("FORBIDDEN")));
    assert_eq!(server.call("POST", "/api/v1/generations", &backend, Some(&wish)).0, 202);
    // A key that is made while it runs works at once.
    let late = folder.new_key(&["--tenant", "another"]);
    assert_eq!(server.call("GET", "/api/v1/generations", &late, None).1["generations"], json!([]));
    let (code, printed) = server.end("-TERM");
    assert_eq!((code, printed.as_str()), (Some(0), ""), "no key is printed");
    // Only hashes are kept, and the files of secrets are their owner's.
    for entry in std::fs::read_dir(folder.0.join("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(&backend[3..]) && !text.contains(&user[3..]), "{path:?}");
        }
    }
    let secret = std::fs::metadata(folder.0.join("data/signing.key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&secret.permissions()) & 0o777, 0o600);
}

#[test]
fn what_cannot_be_is_said_in_one_line() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = folder.refused(&["serve", "--dev", "--listen", &address, "--data", "data"]);
    assert!(told.contains(&format!("cannot listen on {address}")), "{told}");
    std::fs::write(folder.0.join("file"), "not a folder").unwrap();
    let told = folder.refused(&["serve", "--dev", "--listen", "127.0.0.1:0", "--data", "file"]);
    assert!(told.contains("file") && told.lines().count() == 1, "{told}");
    let told = folder.refused(&["admin", "key", "create", "--data", "file"]);
    assert!(told.contains("file") && told.lines().count() == 1, "{told}");
    let told = folder.refused(&["admin", "key", "create", "--data", "data", "--user", ""]);
    assert!(told.contains("user is empty"), "{told}");
    let told = folder.refused(&["admin", "key", "create", "--role", "emperor"]);
    assert!(told.contains("backend"), "{told}");
    let told = folder.refused(&["serve", "--listen", "nowhere"]);
    assert!(told.contains("nowhere"), "{told}");
}
