//! The two servers that are compared. Both listen in the same way.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use onepath_core::Rating;
use onepath_server::asset::{Blobs, Spool};
use onepath_server::clock::SystemClock;
use onepath_server::event::Hub;
use onepath_server::guard::{Guard, GuardRules};
use onepath_server::http::{App, serve as listen};
use onepath_server::provider::{Local, Providers};
use onepath_server::service::{Plans, PublicAssets, ServerBounds, Service};
use onepath_server::signing::Signer;
use onepath_server::store::Store;
use onepath_server::vault::Vault;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use crate::Failure;
use crate::no_store::NoStore;

/// Serves until the process is ended; says where on standard output.
pub(crate) fn serve(what: &str) -> Result<(), Failure> {
    let router = match what {
        "create" => App::new(service()?).router(),
        "nothing" => Router::new().route("/api/v1/generations", post(nothing)),
        _ => return Err(format!("`{what}` is no server").into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let (_stop, stopped) = watch::channel(false);
        listen(listener, router, Duration::from_secs(10), stopped).await;
        Ok(())
    })
}

/// Takes the body, and answers.
async fn nothing(body: Bytes) -> (StatusCode, String) {
    (StatusCode::ACCEPTED, format!("{{\"bytes\":{}}}", body.len()))
}

/// The real service over a store that keeps nothing.
pub(crate) fn service() -> Result<Service, Failure> {
    let folder = std::env::temp_dir().join(format!("onepath-bench-{}", std::process::id()));
    let store: Arc<dyn Store> = Arc::new(NoStore::new());
    let service = Service {
        hub: Hub::new(Arc::clone(&store)),
        store,
        blobs: Blobs::folder(&folder.join("blobs"))?,
        spool: Spool::open(&folder.join("uploads"), Arc::new(SystemClock))?,
        providers: Providers::new().with(Local::new(&folder.join("local"))?),
        clock: Arc::new(SystemClock),
        bell: Arc::new(Notify::new()),
        // Nothing is lowered: that would be a second fingerprint.
        bounds: ServerBounds { world: Rating::Restricted, user: Rating::Restricted },
        attempts: 3,
        signer: Signer::new([0; 32], 1),
        public_assets: PublicAssets::default(),
        making: Arc::default(),
        vault: Vault::new([0; 32]),
        guard: Guard::new(&GuardRules::default())?,
        public_url: None,
        plans: Plans::unlimited(),
        unknown_price: 0,
        jobs_sunset: None,
        known: Arc::default(),
        tally: Arc::default(),
    };
    std::fs::remove_dir_all(&folder)?;
    Ok(service)
}
