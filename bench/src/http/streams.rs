//! The memory of a server that holds many live streams of events.

use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bodies::{TENANTS, key};
use crate::process::Server;
use crate::{Failure, fresh};

const STREAMS: usize = 10_000;

pub(crate) fn measure(home: &Path) -> Result<(), Failure> {
    let folder = fresh(&home.join("streams"))?;
    let server = Server::ours(&["sqlite", &folder.to_string_lossy()])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (before, after) = runtime.block_on(async {
        // The first ones make what all share.
        let mut streams = open(&server.address, TENANTS).await?;
        let before = server.memory()?;
        streams.extend(open(&server.address, STREAMS - TENANTS).await?);
        let after = server.memory()?;
        for stream in &mut streams {
            stream.shutdown().await?;
        }
        Ok::<_, Failure>((before, after))
    })?;
    println!("## Live streams of events\n");
    println!("| streams | memory of the server, MB |\n|---|---|");
    println!("| {TENANTS} | {} |\n| {STREAMS} | {} |", before / 1024, after / 1024);
    println!(
        "\nThat is {} KB a stream, connection included.\n",
        (after - before) / u64::try_from(STREAMS - TENANTS)?
    );
    drop(server);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Streams that have begun.
async fn open(address: &str, count: usize) -> Result<Vec<TcpStream>, Failure> {
    let mut streams = Vec::with_capacity(count);
    for index in 0..count {
        let mut stream = TcpStream::connect(address).await.map_err(|error| {
            format!("{index} streams are open: {error} (`ulimit -n` allows enough?)")
        })?;
        let request = format!(
            "GET /api/v1/generations/events HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer \
             {}\r\naccept: text/event-stream\r\n\r\n",
            key(index % TENANTS)
        );
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0; 1024];
        let count = stream.read(&mut head).await?;
        if !head.get(..count).is_some_and(|head| head.starts_with(b"HTTP/1.1 200 ")) {
            return Err(String::from_utf8_lossy(&head).into_owned().into());
        }
        streams.push(stream);
    }
    Ok(streams)
}
