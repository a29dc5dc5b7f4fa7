//! Events over HTTP: whole, in order, resumed behind a place, and only for those who may read.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::{Folder, Running, picture, picture_with, within};

/// A stream of server-sent events, read line by line.
pub(super) struct Stream {
    lines: tokio::io::Lines<BufReader<TcpStream>>,
}

impl Stream {
    pub(super) async fn open(server: &Running, key: &str, query: &str, last: Option<&str>) -> Self {
        let address = server.http.address();
        let mut connection = TcpStream::connect(address).await.unwrap();
        let last = last.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let head = format!(
            "GET /api/v1/generations/events{query} HTTP/1.1\r\nhost: {address}\r\n\
             authorization: Bearer {key}\r\n{last}\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut stream = Self { lines: BufReader::new(connection).lines() };
        assert_eq!(stream.line().await, "HTTP/1.1 200 OK");
        // The greeting says that the subscription stands.
        while !stream.line().await.starts_with("retry:") {}
        stream
    }

    async fn line(&mut self) -> String {
        let line = within("a line of the stream", self.lines.next_line()).await;
        line.unwrap().expect("the stream goes on").trim().to_owned()
    }

    /// The next event.
    pub(super) async fn next(&mut self) -> Value {
        loop {
            if let Some(data) = self.line().await.strip_prefix("data:") {
                return serde_json::from_str(data.trim()).unwrap();
            }
        }
    }

    /// The events of one generation to its end.
    pub(super) async fn until_over(&mut self, id: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let event = self.next().await;
            if event["generation_id"] != id {
                continue;
            }
            let status = event["status"].clone();
            all.push(event);
            if ["completed", "failed", "cancelled"].contains(&status.as_str().unwrap()) {
                return all;
            }
        }
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

const ROAD: [&str; 4] =
    ["generation.created", "generation.started", "generation.submitted", "generation.completed"];

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_everything_once_and_goes_on_behind_a_place() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let mut stream = Stream::open(&server, "backend", "", None).await;
    let first = server.created(&picture("a house")).await;
    let events = stream.until_over(&first).await;
    assert_eq!(kinds(&events), ROAD);
    let numbers: Vec<i64> = events.iter().map(|event| event["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let second = server.created(&picture("a ship")).await;
    server.when_over(&second).await;
    // Whoever was away hears the rest, and nothing twice.
    let place = events[1]["cursor"].to_string();
    let mut again = Stream::open(&server, "backend", "", Some(&place)).await;
    assert_eq!(kinds(&again.until_over(&first).await), ROAD[2..]);
    assert_eq!(kinds(&again.until_over(&second).await), ROAD);
    let mut old = Stream::open(&server, "backend", "?words=old&cursor=0", None).await;
    assert_eq!(
        kinds(&old.until_over(&first).await),
        ["job:created", "job:started", "provider:submitted", "job:completed"]
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_what_they_may_not_read() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let mut always = picture("for ada alone");
    always["config"]["strategy"] = "always".into();
    let ada = server.http.with_key("ada");
    let secret = ada.post("/api/v1/generations", &always).await.json();
    let shared = ada.post("/api/v1/generations", &picture("for all")).await.json();
    let (secret, shared) = (secret["id"].as_str().unwrap(), shared["id"].as_str().unwrap());
    let mut of_ada = Stream::open(&server, "ada", "?cursor=0", None).await;
    of_ada.until_over(secret).await;
    // Everything of the first came before the end of the second: what was not told is not told.
    let mut of_ben = Stream::open(&server, "ben", "?cursor=0", None).await;
    loop {
        let event = of_ben.next().await;
        assert_ne!(event["generation_id"], secret);
        if event["generation_id"] == shared && event["type"] == "generation.completed" {
            break;
        }
    }
    let refused = server.http.without_key().get("/api/v1/generations/events").await;
    refused.assert_problem(401, "UNAUTHENTICATED");
    let wrong = server.http.get("/api/v1/generations/events?cursor=x&wrods=old").await;
    assert_eq!(
        wrong.assert_problem(422, "VALIDATION_ERROR")["errors"].as_array().unwrap().len(),
        2
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_socket_has_the_same_frames() {
    let folder = Folder::new();
    let server = Running::start(&folder).await;
    let url = |token: &str| {
        format!("ws://{}/api/v1/ws/generations?token={token}&cursor=0", server.http.address())
    };
    let (mut socket, _) = connect_async(url("backend")).await.unwrap();
    socket.send(Message::text("ping")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("pong"));
    let id = server
        .created(&picture_with("it fails", serde_json::json!({ "fail": "param_invalid" })))
        .await;
    let mut kinds = Vec::new();
    loop {
        let message = within("a frame", socket.next()).await.unwrap().unwrap();
        let frame: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        assert_eq!(frame["generation_id"], id);
        kinds.push(frame["type"].as_str().unwrap().to_owned());
        if frame["type"] == "generation.failed" {
            assert_eq!(frame["error_code"], "param_invalid");
            break;
        }
    }
    assert_eq!(kinds, ["generation.created", "generation.started", "generation.failed"]);
    let (mut refused, _) = connect_async(url("nobody")).await.unwrap();
    match refused.next().await.unwrap().unwrap() {
        Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1008),
        other => panic!("{other:?}"),
    }
    server.http.get("/api/v1/ws/generations").await.assert_problem(422, "VALIDATION_ERROR");
    // The end of the server is told, not waited for.
    server.stop().await;
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_))) | None));
}
