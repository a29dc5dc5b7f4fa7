//! An axum application that embeds the server: a route of its own stands beside the server's, and
//! one signal ends both.
//!
//! `cargo run -p onepath-examples --bin server -- DATA-FOLDER` prints its address and a key:
//!
//! ```sh
//! curl http://ADDRESS/hello
//! curl http://ADDRESS/api/v1/generations -H "Authorization: Bearer KEY" \
//!     -H 'Content-Type: application/json' -d '{"provider_id": "local", "config": {
//!         "generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
//!         "prompt": "a lighthouse in fog", "fallback": {"mode": "skip"}}}'
//! ```

use std::error::Error;

use axum::Router;
use axum::routing::get;
use onepath_server::store::{Reader, Role};
use onepath_server::{Server, Settings, new_key};
use tokio::net::TcpListener;
use tokio::sync::watch;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: server DATA-FOLDER")?;
    let server = Server::open(&Settings::new(folder))?;

    // Keys are made once and kept; a fresh one for every start suits an example.
    let key = new_key();
    let reader = Reader { tenant: "example".to_owned(), user: "example".to_owned() };
    server.add_key(&key, "example", reader, Role::Backend).await?;

    // A route of its own beside the server's, which keep their paths: answers name them.
    let hello = get(|| async { "hello from the application\n" });
    let app = Router::new().route("/hello", hello).merge(server.router());

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    println!("{key}");

    // One signal ends the door and the worker; both finish what they hold.
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        // Without a handler the system ends the process, and nothing is left to send.
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = stop.send(true);
        }
    });
    let mut asked = stopped.clone();
    let door = axum::serve(listener, app).with_graceful_shutdown(async move {
        let _ = asked.wait_for(|stop| *stop).await;
    });
    let (served, ()) = tokio::join!(door.into_future(), server.work(stopped));
    Ok(served?)
}
