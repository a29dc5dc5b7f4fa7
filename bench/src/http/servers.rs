//! The servers that are compared. All listen in the same way.

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
use onepath_server::limit::Rate;
use onepath_server::live::LiveSettings;
use onepath_server::prompt::RuleAnalyst;
use onepath_server::provider::{Local, Providers};
use onepath_server::service::{Plans, PublicAssets, ServerBounds, Service};
use onepath_server::signing::Signer;
use onepath_server::store::{Reader, Role, Store};
use onepath_server::vault::Vault;
use onepath_server::{Server, Settings};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use crate::Failure;
use crate::bodies::{TENANTS, key};
use crate::no_store::NoStore;

/// Serves until the process is ended; says where on standard output.
pub(crate) fn serve(what: &[&str]) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (_stop, stopped) = watch::channel(false);
        let router = match *what {
            ["create"] => App::new(service()?).router(),
            ["nothing"] => Router::new().route("/api/v1/generations", post(nothing)),
            ["sqlite", folder] | ["postgres", folder, _] => {
                let mut settings = settings(folder);
                settings.database = what.get(2).map(|url| (*url).to_owned());
                let server = open(&settings).await?;
                println!("{address}");
                server.serve(listener, stopped).await;
                return Ok(());
            }
            ["hits", folder] => {
                let mut settings = settings(folder);
                // Counted, and never too many.
                settings.door.rates.calls = Rate::new(1_000_000, Duration::from_secs(1));
                let server = open(&settings).await?;
                println!("{address}");
                server.run(listener, stopped).await;
                return Ok(());
            }
            _ => return Err(format!("`{}` is no server", what.join(" ")).into()),
        };
        println!("{address}");
        listen(listener, router, Duration::from_secs(10), stopped).await;
        Ok(())
    })
}

/// A server as operators have it, in which every tenant has a key and nothing is limited.
fn settings(folder: &str) -> Settings {
    let mut settings = Settings::new(folder);
    settings.bounds = BOUNDS;
    settings.plans = Plans::unlimited();
    settings
}

async fn open(settings: &Settings) -> Result<Server, Failure> {
    // Opening a database waits for it.
    let server = tokio::task::block_in_place(|| Server::open(settings))?;
    for tenant in (0..TENANTS).map(key) {
        let reader = Reader { tenant: tenant.clone(), user: "bench".to_owned() };
        server.add_key(&tenant, &tenant, reader, Role::Backend).await?;
    }
    Ok(server)
}

/// Nothing is lowered: that would be a second fingerprint.
const BOUNDS: ServerBounds = ServerBounds { world: Rating::Restricted, user: Rating::Restricted };

/// Takes the body, and answers.
async fn nothing(body: Bytes) -> (StatusCode, String) {
    (StatusCode::ACCEPTED, format!("{{\"bytes\":{}}}", body.len()))
}

/// The real service over a store that keeps nothing.
pub(crate) fn service() -> Result<Service, Failure> {
    let folder = std::env::temp_dir().join(format!("onepath-bench-{}", std::process::id()));
    let store: Arc<dyn Store> = Arc::new(NoStore::new());
    let live = Arc::new(LiveSettings::new(Arc::clone(&store), Arc::new(SystemClock)));
    let service = Service {
        hub: Hub::new(Arc::clone(&store)),
        store,
        blobs: Blobs::folder(&folder.join("blobs"))?,
        spool: Spool::open(&folder.join("uploads"), Arc::new(SystemClock))?,
        providers: Providers::new().with(Local::new(&folder.join("local"))?),
        analyst: Arc::new(RuleAnalyst),
        clock: Arc::new(SystemClock),
        bell: Arc::new(Notify::new()),
        bounds: BOUNDS,
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
        live,
        known: Arc::default(),
        tally: Arc::default(),
        answers: Arc::default(),
    };
    std::fs::remove_dir_all(&folder)?;
    Ok(service)
}
