//! The server as it is shipped, with the scripted provider in it and a worker in a hurry.
//!
//! Usage: `onepath-testserver serve|worker --data DIR [--fake ADDRESS] [--database URL]
//! [--listen ADDRESS] [--replicate URL] [--public-url URL] [--no-worker] [--lease MS] [--deadline MS] [--patience MS] [--visibility MS]`.
//! What `onepath serve` and `onepath worker` do is done by the same library here.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use onepath_server::provider::ProviderSettings;
use onepath_server::service::Plans;
use onepath_server::store::{Reader, Role, User};
use onepath_server::webhook::PublicUrl;
use onepath_server::{Server, Settings};
use onepath_testkit::fake::Scripted;
use onepath_testkit::{Fallible, ready};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What the arguments say.
struct Args {
    serves: bool,
    works: bool,
    listen: String,
    fake: String,
    visibility: Duration,
    patience: Duration,
    settings: Settings,
}

/// Everybody does as much as they like, but for the users of this price.
const PLANS: &str = r#"{"free": {}, "few": {"in_flight": 2}}"#;

impl Args {
    fn read() -> Fallible<Self> {
        let mut words = std::env::args().skip(1);
        let serves = match words.next().as_deref() {
            Some("serve") => true,
            Some("worker") => false,
            _ => return Err("serve or worker?".to_owned()),
        };
        let mut settings = Settings::new("");
        settings.plans = Plans::from_json(PLANS)?;
        settings.worker.poll = Duration::from_millis(20);
        settings.worker.rest = Duration::from_millis(100);
        settings.worker.lease = Duration::from_millis(400);
        settings.worker.deadline = Duration::from_secs(4);
        let mut args = Self {
            serves,
            works: true,
            listen: "127.0.0.1:0".to_owned(),
            fake: String::new(),
            visibility: Duration::ZERO,
            patience: Duration::from_millis(300),
            settings,
        };
        while let Some(word) = words.next() {
            if word == "--no-worker" {
                args.works = false;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word}: a value is missing"))?;
            let millis = || {
                let number = value.parse().map_err(|_| format!("{word}: `{value}`"));
                number.map(Duration::from_millis)
            };
            match word.as_str() {
                "--data" => args.settings.data = PathBuf::from(&value),
                "--database" => args.settings.database = Some(value),
                "--listen" => args.listen = value,
                "--fake" => args.fake = value,
                "--replicate" => {
                    args.settings.providers = ProviderSettings::default()
                        .with_variable("REPLICATE_API_TOKEN", "r8_faults")
                        .with_variable("REPLICATE_API_URL", value)
                        .with("replicate", serde_json::json!({ "visibility_seconds": 1 }));
                }
                "--public-url" => {
                    let url = PublicUrl::parse(&value).map_err(|error| error.to_string())?;
                    args.settings.public_url = Some(url);
                }
                "--lease" => args.settings.worker.lease = millis()?,
                "--deadline" => args.settings.worker.deadline = millis()?,
                "--patience" => args.patience = millis()?,
                "--visibility" => args.visibility = millis()?,
                _ => return Err(format!("`{word}` is not known")),
            }
        }
        Ok(args)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("onepath-testserver: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Fallible<()> {
    let args = Args::read()?;
    ready();
    let filter = tracing_subscriber::EnvFilter::try_from_env("ONEPATH_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(start(args))
}

async fn start(args: Args) -> Fallible<()> {
    let server = Server::open(&args.settings).map_err(|error| error.to_string())?;
    let server = if args.fake.is_empty() {
        server
    } else {
        server.with_provider(Scripted::new(&args.fake, args.patience, args.visibility)?)
    };
    let stopped = stop_when_asked();
    if !args.serves {
        println!("onepath works");
        server.work(stopped).await;
        return Ok(());
    }
    people(&server).await?;
    let listener = TcpListener::bind(&args.listen).await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("onepath serves http://{address}");
    if args.works {
        server.run(listener, stopped).await;
    } else {
        server.serve(listener, stopped).await;
    }
    Ok(())
}

/// A backend in each of two tenants, and a user who may not do much at once.
async fn people(server: &Server) -> Fallible<()> {
    let shown = |error: onepath_server::store::StoreError| error.to_string();
    let reader =
        |tenant: &str, user: &str| Reader { tenant: tenant.to_owned(), user: user.to_owned() };
    for (key, tenant) in [("faults", "studio"), ("elsewhere", "other")] {
        let added = server.add_key(key, key, reader(tenant, "game"), Role::Backend);
        added.await.map_err(shown)?;
    }
    let few = User {
        reader: reader("studio", "few"),
        max_rating: None,
        reduce_intensity: false,
        price_id: Some("few".to_owned()),
        created_at: 0,
    };
    server.service().store.put_user(few).await.map_err(shown)
}

/// True as soon as the process is asked to stop.
fn stop_when_asked() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            terminate.recv().await;
            let _ = stop.send(true);
        }
        // The channel stays open: a closed one would say nothing.
        std::future::pending::<()>().await;
    });
    stopped
}
