//! Listening: connections with bounded patience, and an end that lets answers out.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use futures_util::FutureExt as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tower::ServiceExt as _;

/// Bytes of a connection that are kept before more are read: a head that is more than twice as long,
/// or has more than a hundred headers, is answered with 431.
const MOST_HEAD: usize = 64 * 1024;

/// For how long requests that were on their way are still taken when the end was asked for: whoever
/// sent one does not know of the end yet.
const LINGER: Duration = Duration::from_millis(100);

/// How long answers may be on their way after the end was asked for.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Serves until `stop` is true; then takes no more, and lets what was taken end. `patience` is how
/// long a client may take for the head of a request, and how long an idle connection is kept.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Duration,
    mut stop: watch::Receiver<bool>,
) {
    // Every connection holds a sender: when all are gone, so are the connections.
    let (open, mut ended) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many open files, or a connection that went away: neither is the end.
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        take(stream, &router, patience, &stop, &open);
    }
    let last = Instant::now() + LINGER;
    while let Ok(accepted) = timeout_at(last, listener.accept()).await {
        match accepted {
            Ok((stream, _)) => take(stream, &router, patience, &stop, &open),
            Err(_) => tokio::task::yield_now().await,
        }
    }
    // Closing cuts off whoever was let in by the system and not taken by us.
    while let Some(Ok((stream, _))) = listener.accept().now_or_never() {
        take(stream, &router, patience, &stop, &open);
    }
    drop((listener, open));
    tokio::select! {
        _ = ended.recv() => {}
        () = tokio::time::sleep(LAST_WORDS) => tracing::warn!("connections were cut at the end"),
    }
}

/// Answers a connection, in a task of its own.
fn take(
    stream: TcpStream,
    router: &Router,
    patience: Duration,
    stop: &watch::Receiver<bool>,
    open: &mpsc::Sender<()>,
) {
    let (router, stop, open) = (router.clone(), stop.clone(), open.clone());
    tokio::spawn(async move {
        // A client that goes away is no fault of ours.
        if let Err(error) = answer(stream, router, patience, stop).await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(open);
    });
}

/// Answers the requests of one connection, until either side ends it.
async fn answer(
    stream: TcpStream,
    router: Router,
    patience: Duration,
    mut stop: watch::Receiver<bool>,
) -> hyper::Result<()> {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            Ok::<_, Infallible>(match router.oneshot(request.map(Body::new)).await {
                Ok(response) => response,
                Err(never) => match never {},
            })
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(MOST_HEAD);
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    // A connection without a request is closed by what follows, whatever is on its way to it.
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = tokio::time::sleep(LINGER) => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}
