//! Events over HTTP: a stream of server-sent events, and a web socket with the same frames.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts as _, RawQuery, Request, State};
use axum::response::sse::{Event as Sse, KeepAlive};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;

use super::App;
use super::reply::Reply;
use crate::event::{Frame, Words};
use crate::problem::{Fault, Problem, ProblemCode};
use crate::service::{Caller, JobHello, Listening};
use crate::store::Event;

/// How often a comment is sent while nothing happens, so that nobody on the way gives up.
const ALIVE: Duration = Duration::from_secs(15);

/// How long a reader may wait until it comes back.
const COME_BACK: Duration = Duration::from_secs(3);

/// What a reader asks for.
struct Wish {
    after: Option<i64>,
    words: Words,
    /// The key, for readers who cannot send a header.
    token: Option<String>,
}

impl Wish {
    fn read(query: &str, last_event_id: Option<&str>) -> Result<Self, Problem> {
        let mut wish = Self { after: None, words: Words::New, token: None };
        let mut faults = Vec::new();
        let place = |text: &str| text.trim().parse::<i64>().ok().filter(|place| *place >= 0);
        for (name, value) in super::meta::query_pairs(query) {
            let mut fault = |detail: String| {
                faults.push(Fault::new(&format!("/{name}"), "query/not-understood", detail));
            };
            match name.as_str() {
                "cursor" => match place(&value) {
                    Some(after) => wish.after = Some(after),
                    None => fault(format!("`{value}` is no place: the `cursor` of an event")),
                },
                "words" if value == "new" => {}
                "words" if value == "old" => wish.words = Words::Old,
                "words" => fault(format!("`{value}` is neither `new` nor `old`")),
                "token" => wish.token = Some(value),
                _ => fault(format!("`{name}` is not known: cursor, words, token")),
            }
        }
        // The header wins: a browser sends it when it comes back.
        if let Some(id) = last_event_id {
            match place(id) {
                Some(after) => wish.after = Some(after),
                None => faults.push(Fault::new(
                    "",
                    "query/not-understood",
                    "Last-Event-ID is none of ours: it is the `id` of an event",
                )),
            }
        }
        if faults.is_empty() { Ok(wish) } else { Err(Problem::faults(faults)) }
    }
}

/// The caller, by header or by the token of the query.
pub(super) async fn caller(
    app: &App,
    request: Request,
    token: Option<&str>,
) -> Result<Caller, Problem> {
    let (mut parts, _) = request.into_parts();
    match token {
        Some(token) => app.admit(token, &parts).await,
        None => match Caller::from_request_parts(&mut parts, app).await.map_err(Problem::from) {
            Err(problem) if problem.code == ProblemCode::Unauthenticated => {
                let detail = "send the header `Authorization: Bearer KEY`, or `?token=KEY`";
                Err(Problem::new(ProblemCode::Unauthenticated, detail))
            }
            caller => caller,
        },
    }
}

pub(super) async fn stream_events(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Reply {
    let last = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    let wish = Wish::read(query.as_deref().unwrap_or(""), last)?;
    let caller = caller(&app, request, wish.token.as_deref()).await?;
    let listening = app.service.listen(&caller, wish.after).await?;
    let words = wish.words;
    let events = stream::unfold(Some(listening), move |listening| async move {
        next_sse(listening?, words).await
    });
    // Sent first, so that a reader knows that it is connected, and when to come back.
    let hello =
        stream::iter([Ok::<_, Infallible>(Sse::default().comment("onepath").retry(COME_BACK))]);
    let events = stream::StreamExt::chain(hello, events);
    let keep = KeepAlive::new().interval(ALIVE).text("alive");
    let mut response = axum::response::sse::Sse::new(events).keep_alive(keep).into_response();
    super::reply::set(response.headers_mut(), axum::http::header::CACHE_CONTROL, "no-store");
    Ok(response)
}

/// The next event of a stream; the stream ends when the server stops or the store does not answer:
/// the reader comes back with the place it saw last.
async fn next_sse(
    mut listening: Listening,
    words: Words,
) -> Option<(Result<Sse, Infallible>, Option<Listening>)> {
    match listening.next().await {
        Ok(Some(event)) => {
            let frame = Frame::new(&event, words);
            let data = serde_json::to_string(&frame).unwrap_or_default();
            let event = Sse::default().id(frame.cursor.to_string()).event(frame.kind).data(data);
            Some((Ok(event), Some(listening)))
        }
        Ok(None) => None,
        Err(error) => {
            tracing::warn!(%error, "a stream of events ends");
            None
        }
    }
}

pub(super) async fn socket(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Reply {
    let upgrade = upgraded(upgrade)?;
    let wish = Wish::read(query.as_deref().unwrap_or(""), None)?;
    let caller = caller(&app, request, wish.token.as_deref()).await;
    Ok(talk(app, upgrade, caller, wish.after, Voice::Events(wish.words)))
}

/// A request for a web socket, or what to say to any other.
pub(super) fn upgraded(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<WebSocketUpgrade, Problem> {
    let upgrade = upgrade.map_err(|error| {
        let detail = format!("this path speaks WebSocket only: {}", error.body_text());
        Problem::new(ProblemCode::ValidationError, detail)
    })?;
    Ok(upgrade.max_message_size(64 * 1024))
}

/// How a socket speaks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Voice {
    /// Frames of events, and the bare word `pong`.
    Events(Words),
    /// As the job socket of the system before.
    Jobs,
}

impl Voice {
    /// What is said first.
    fn hello(self, caller: &Caller) -> Option<String> {
        match self {
            Self::Events(_) => None,
            Self::Jobs => serde_json::to_string(&JobHello::new(caller)).ok(),
        }
    }

    const fn pong(self) -> &'static str {
        match self {
            Self::Events(_) => "pong",
            Self::Jobs => r#"{"type":"pong"}"#,
        }
    }

    /// What is said of an event, if anything.
    async fn tell(
        self,
        app: &App,
        caller: &Caller,
        event: &Event,
    ) -> Result<Option<String>, Problem> {
        let text = match self {
            Self::Events(words) => serde_json::to_string(&Frame::new(event, words)),
            Self::Jobs => match app.service.job_frame(caller, event).await? {
                Some(frame) => serde_json::to_string(&frame),
                None => return Ok(None),
            },
        };
        Ok(Some(text.unwrap_or_default()))
    }
}

/// The answer to an upgrade: the socket tells the caller's events from there on.
pub(super) fn talk(
    app: App,
    upgrade: WebSocketUpgrade,
    caller: Result<Caller, Problem>,
    after: Option<i64>,
    voice: Voice,
) -> Response {
    upgrade.on_upgrade(move |socket| async move {
        match caller {
            Ok(caller) => speak(app, socket, caller, after, voice).await,
            // Browsers show a close code, but not the status of a refused upgrade.
            Err(problem) => end(socket, close_code::POLICY, problem.code.word()).await,
        }
    })
}

async fn end(mut socket: WebSocket, code: u16, reason: &'static str) {
    // A reader that is gone already needs no reason.
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
}

/// Sends frames and answers `ping` until either side ends.
async fn speak(app: App, mut socket: WebSocket, caller: Caller, after: Option<i64>, voice: Voice) {
    let mut listening = match app.service.listen(&caller, after).await {
        Ok(listening) => listening,
        Err(error) => {
            tracing::warn!(%error, "a web socket is refused");
            return end(socket, close_code::AGAIN, "UNAVAILABLE").await;
        }
    };
    // Said when the subscription stands: what happens from now on is told.
    if let Some(hello) = voice.hello(&caller)
        && socket.send(Message::text(hello)).await.is_err()
    {
        return;
    }
    loop {
        let sent = tokio::select! {
            event = listening.next() => match event {
                Ok(Some(event)) => match voice.tell(&app, &caller, &event).await {
                    Ok(Some(text)) => socket.send(Message::text(text)).await,
                    Ok(None) => Ok(()),
                    Err(_) => return end(socket, close_code::AGAIN, "UNAVAILABLE").await,
                },
                Ok(None) => return end(socket, close_code::AWAY, "STOPPING").await,
                Err(_) => return end(socket, close_code::AGAIN, "UNAVAILABLE").await,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) if text.trim() == "ping" => {
                    socket.send(Message::text(voice.pong())).await
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => Ok(()),
            },
        };
        if sent.is_err() {
            return;
        }
    }
}
