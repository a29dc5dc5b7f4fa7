//! What is logged: every transition in one line, and nothing that anybody wrote.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

use onepath_server::store::{EVENTS, Transition};
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use super::{Folder, Running, picture, picture_with};

/// Everything that this test program logs, from the first test on that asks for it.
pub(super) struct Captured(Mutex<Vec<u8>>);

impl Captured {
    /// Captures from now on, at the lowest level; every call gives the same.
    pub(super) fn start() -> &'static Self {
        static CAPTURED: OnceLock<Captured> = OnceLock::new();
        let captured = CAPTURED.get_or_init(|| Self(Mutex::default()));
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new("trace"))
            .with_writer(|| Sink)
            .finish();
        // Another test may have been first.
        let _ = tracing::subscriber::set_global_default(subscriber);
        captured
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of one generation, in order.
    fn of(&self, id: &str) -> Vec<Value> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let fields = lines.map(|line| line["fields"].clone());
        fields.filter(|fields| fields["generation_id"] == id).collect()
    }
}

struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Captured::start().0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What calls do, beside what the worker does: the two are told side by side.
const CALLS: [&str; 4] = ["created", "retried", "cancel_requested", "deleted"];

fn events(lines: &[Value], calls: bool) -> Vec<&str> {
    let words = lines.iter().map(|line| line["event"].as_str().unwrap());
    let by_call = |word: &&str| CALLS.contains(&word.strip_prefix("generation.").unwrap());
    words.filter(|word| by_call(word) == calls).collect()
}

fn by_worker(lines: &[Value]) -> Vec<&str> {
    events(lines, false)
}

fn by_calls(lines: &[Value]) -> Vec<&str> {
    events(lines, true)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transition_is_one_line() {
    let captured = Captured::start();
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let headers = [("content-type", "application/json"), ("traceparent", parent.as_str())];
    let wish = picture("a lighthouse").to_string();
    let reply = server.http.send("POST", "/api/v1/generations", &headers, wish.as_bytes()).await;
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    let done = server.when_over(&id).await;
    assert_eq!(done["trace_id"], trace);
    let lines = captured.of(&id);
    let road = ["claimed", "started", "submitted", "settling", "completed"];
    assert_eq!(by_worker(&lines), road.map(|word| format!("generation.{word}")));
    assert_eq!(lines.len(), road.len() + 1, "and what the call did");
    for line in &lines {
        let mut names: Vec<&String> = line.as_object().unwrap().keys().collect();
        names.sort();
        let submitted = line["attempt"] == 1 && line["event"] != "generation.started";
        let status = match line["event"].as_str().unwrap() {
            "generation.created" => "pending",
            "generation.completed" => "completed",
            _ => "processing",
        };
        assert_eq!(line["status"], status);
        let mut expected = vec![
            "attempt",
            "event",
            "generation_id",
            "job_id",
            "owner_id",
            "prediction_id",
            "status",
            "trace_id",
        ];
        expected.retain(|name| submitted || *name != "prediction_id");
        assert_eq!(names, expected, "nothing but ids and words: {line}");
        assert_eq!((&line["owner_id"], &line["trace_id"]), (&json!("game"), &json!(trace)));
        assert_eq!(line["job_id"], done["number"]);
        assert_eq!(line["prediction_id"].is_string(), submitted, "{line}");
    }
    // Without a trace of its own a call starts one; a failure, a retry, a cancel and a delete are
    // told as well.
    let failing =
        server.created(&picture_with("it fails", json!({ "fail": "param_invalid" }))).await;
    let failed = server.when_over(&failing).await;
    let own = failed["trace_id"].as_str().unwrap();
    assert!(own.len() == 32 && own != trace, "{own}");
    let path = format!("/api/v1/generations/{failing}");
    server.http.send("POST", &format!("{path}/retry"), &[], b"").await;
    server.when_over(&failing).await;
    server.http.send("DELETE", &path, &[], b"").await;
    let lines = captured.of(&failing);
    let run = ["claimed", "started", "failed"].map(|word| format!("generation.{word}"));
    assert_eq!(by_worker(&lines), [run.clone(), run].concat());
    assert_eq!(
        by_calls(&lines),
        ["created", "retried", "deleted"].map(|word| format!("generation.{word}"))
    );
    assert!(lines.iter().all(|line| line["trace_id"] == own), "one trace a generation");
    let hangs = server.created(&picture_with("it hangs", json!({ "fail": "hang" }))).await;
    server.when(&hangs, "it is sent", |seen| seen["stage"] == "submitted").await;
    server.http.send("POST", &format!("/api/v1/generations/{hangs}/cancel"), &[], b"").await;
    server.when_over(&hangs).await;
    let lines = captured.of(&hangs);
    assert_eq!(by_worker(&lines).last(), Some(&"generation.cancelled"));
    assert_eq!(by_calls(&lines), ["generation.created", "generation.cancel_requested"]);
    // The same words as in events, and more.
    assert!(EVENTS.iter().all(|word| Transition::ALL.iter().any(|known| known.word() == *word)));
    server.stop().await;
}
