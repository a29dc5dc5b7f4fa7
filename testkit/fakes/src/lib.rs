#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod book;
pub mod bucket;
mod comfyui;
mod control;
mod fal;
mod hooks;
mod http;
mod media;
mod openai;
mod pixverse;
mod replicate;
mod switches;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::WebSocket;
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use book::Book;
pub use book::Charge;
pub use switches::{Call, Fault, Output, Switches, Webhooks, What};

/// What the fake of Replicate signs its webhooks with.
pub const REPLICATE_SECRET: &str = replicate::SECRET;

/// Declares [`Kind`] of the fakes that there are, each with what it is.
macro_rules! fakes {
    ($($(#[$about:meta])* $name:ident = $stand:expr;)*) => {
        /// Which provider a fake stands in for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$about])* $name,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            const fn stand(self) -> &'static Stand {
                match self {
                    $(Self::$name => &$stand,)*
                }
            }
        }
    };
}

fakes! {
    /// Replicate's API of predictions.
    Replicate = replicate::STAND;
    /// PixVerse's API of its platform.
    Pixverse = pixverse::STAND;
    /// fal's queue.
    Fal = fal::STAND;
    /// A ComfyUI server.
    ComfyUi = comfyui::STAND;
    /// OpenAI's images API.
    OpenAi = openai::STAND;
}

/// What is peculiar to a fake: one in each module.
struct Stand {
    /// The provider's id.
    id: &'static str,
    /// What stands between its host and its paths.
    base: &'static str,
    /// The ways in which its predictions end, beside well.
    ends: &'static [&'static str],
    /// What a call is.
    call: fn(&http::Asked) -> Call,
    /// What it says with a status, or with a number of its own.
    refused: fn(u32) -> http::Reply,
    /// What it answers.
    answer: fn(&Arc<Shared>, Call, &http::Asked) -> http::Reply,
    /// What it reports about a prediction, `start` or `completed`; none where it reports nothing.
    hook: fn(&Shared, &book::Prediction, &str) -> Option<hooks::Hook>,
    /// Where it takes web sockets, and what it says there.
    socket: Option<(&'static str, Socket)>,
}

/// What is said over a web socket that was opened with a query.
type Socket = fn(Arc<Shared>, String, WebSocket) -> BoxFuture<'static, ()>;

impl Kind {
    /// The provider's id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.stand().id
    }

    /// The kind of an id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.id() == id)
    }

    /// The ways in which its predictions end, beside well.
    #[must_use]
    pub const fn ends(self) -> &'static [&'static str] {
        self.stand().ends
    }
}

/// How a fake is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where it listens; a free port of this machine, if absent.
    pub listen: Option<SocketAddr>,
    /// Where charges are written down, one JSON object a line; what stands there is read first.
    pub charges: Option<PathBuf>,
    /// How it behaves at first.
    pub switches: Switches,
}

/// What a fake knows and how it behaves, shared by everything that answers.
#[derive(Debug)]
struct Shared {
    kind: Kind,
    origin: String,
    book: Mutex<Book>,
    switches: Mutex<Switches>,
    http: reqwest::Client,
    /// Predictions that ended, for who listens.
    news: broadcast::Sender<String>,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switches(&self) -> MutexGuard<'_, Switches> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fake that listens, until it is dropped.
#[derive(Debug)]
pub struct Fake {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Fake {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// The address is taken, or the log cannot be read or written.
    pub async fn start(kind: Kind, options: &Options) -> io::Result<Self> {
        let listen = options.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = TcpListener::bind(listen).await?;
        // Another part of the program may have chosen a provider before; either is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(15))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            kind,
            origin: format!("http://{}", listener.local_addr()?),
            book: Mutex::new(Book::open(options.charges.as_deref())?),
            switches: Mutex::new(options.switches.clone()),
            http,
            news: broadcast::channel(64).0,
        });
        let task = tokio::spawn(http::listen(listener, Arc::clone(&shared)));
        Ok(Self { shared, task })
    }

    /// The address that stands in for the provider's own.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.shared.origin, self.shared.kind.stand().base)
    }

    /// Where `/_fake` is.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared.origin
    }

    /// Sets how it behaves from now on.
    pub fn set(&self, switches: Switches) {
        *self.shared.switches() = switches;
    }

    /// What it charged for, in order.
    #[must_use]
    pub fn charges(&self) -> Vec<Charge> {
        self.shared.book().charges().to_vec()
    }

    /// The ids of everything it has taken, in order.
    #[must_use]
    pub fn predictions(&self) -> Vec<String> {
        self.shared.book().ids()
    }

    /// The bodies of what it was asked to make, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<serde_json::Value> {
        self.shared.book().bodies()
    }

    /// What was taken with this text in it, the newest first: its id, and where it is reported to.
    #[must_use]
    pub fn taken_with(&self, text: &str) -> Option<(String, Option<String>)> {
        self.shared.book().taken_with(text)
    }

    /// Whether a prediction was asked to stop.
    #[must_use]
    pub fn is_cancelled(&self, prediction: &str) -> bool {
        self.shared.book().is_cancelled(prediction)
    }

    /// Calls that came, by what they were.
    #[must_use]
    pub fn calls(&self, call: Call) -> usize {
        self.shared.book().calls(call)
    }

    /// The statuses with which its webhooks were answered, in order; 0 for one that was not.
    #[must_use]
    pub fn webhooks(&self) -> Vec<u16> {
        self.shared.book().webhooks().to_vec()
    }

    /// Until it is dropped.
    pub async fn run(mut self) {
        // It ends with the process.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}
