//! A server with a provider of its own: the folder `studio`, and one line here.
//!
//! `cargo run -p onepath-examples --bin provider -- DATA-FOLDER STUDIO-ADDRESS` prints its address and
//! a key. `docs/adapters.md` tells about it.

mod studio;

use std::error::Error;

use onepath_server::store::{Reader, Role};
use onepath_server::{Server, Settings, new_key};
use tokio::net::TcpListener;
use tokio::sync::watch;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: provider DATA-FOLDER STUDIO-ADDRESS";
    let (folder, studio) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);

    let server = Server::open(&Settings::new(folder))?.with_provider(studio::Studio::at(&studio)?);

    let key = new_key();
    let reader = Reader { tenant: "example".to_owned(), user: "example".to_owned() };
    server.add_key(&key, "example", reader, Role::Backend).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    println!("{key}");
    // It ends with the process.
    let (_stop, stopped) = watch::channel(false);
    server.run(listener, stopped).await;
    Ok(())
}
