//! The keeper: a thread with a connection of its own that gives events their cursors, hears of those
//! that others gave, and asks the database for the time.
//!
//! Nothing depends on it that must be right: whoever reads events has cursors given first, and the
//! hints only say earlier what a look every second finds as well.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::task::{Poll, ready};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio_postgres::{AsyncMessage, Client};

use super::super::{Result, StoreError};
use super::clock::{DatabaseClock, NOW};
use super::schema;
use super::tls::Way;

/// How often to look whether a hint was lost.
const LOOK: Duration = Duration::from_secs(1);

/// How long commits gather before their events get cursors.
const GATHER: Duration = Duration::from_millis(2);

/// The keeper's door. The thread ends when it is dropped.
#[derive(Debug)]
pub(super) struct Keeper {
    bell: Arc<Notify>,
    changes: Arc<watch::Sender<u64>>,
    clock: Arc<DatabaseClock>,
    _alive: watch::Sender<()>,
}

impl Keeper {
    /// Connects, brings the schema up to date, and stays; says when it is there.
    pub(super) fn start(way: Way) -> Result<Self> {
        let bell = Arc::new(Notify::new());
        let changes = Arc::new(watch::channel(0).0);
        let (alive, over) = watch::channel(());
        let (ready, opened) = sync_channel(1);
        let room = Room { way, bell: Arc::clone(&bell), changes: Arc::clone(&changes), over };
        thread::Builder::new()
            .name("onepath-keeper".to_owned())
            .spawn(move || room.run(&ready))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let gone = |_| StoreError::Unavailable("the keeper's thread ended".to_owned());
        let clock = opened.recv().map_err(gone)??;
        Ok(Self { bell, changes, clock, _alive: alive })
    }

    /// Something was committed that readers are told.
    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn clock(&self) -> &Arc<DatabaseClock> {
        &self.clock
    }
}

/// What the thread works with.
struct Room {
    way: Way,
    bell: Arc<Notify>,
    changes: Arc<watch::Sender<u64>>,
    over: watch::Receiver<()>,
}

/// Why a keeper's connection ended.
enum End {
    /// The store was dropped.
    Over,
    /// The connection broke.
    Broken(StoreError),
}

impl Room {
    fn run(mut self, ready: &SyncSender<Result<Arc<DatabaseClock>>>) {
        let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match built {
            Ok(runtime) => runtime,
            Err(error) => {
                // Whoever waits for the answer is the one who started this thread.
                let _ = ready.send(Err(StoreError::Unavailable(error.to_string())));
                return;
            }
        };
        runtime.block_on(async {
            let opened = match self.connect().await {
                Ok((mut client, lost)) => {
                    open(&mut client).await.map(|clock| (client, lost, clock))
                }
                Err(error) => Err(error),
            };
            let (mut client, mut lost, clock) = match opened {
                Ok((client, lost, clock)) => (client, lost, Arc::new(clock)),
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            let _ = ready.send(Ok(Arc::clone(&clock)));
            loop {
                match self.keep(&client, &mut lost, &clock).await {
                    End::Over => return,
                    End::Broken(error) => tracing::warn!(%error, "the keeper's connection broke"),
                }
                (client, lost) = loop {
                    tokio::select! {
                        _ = self.over.changed() => return,
                        () = tokio::time::sleep(LOOK / 4) => {}
                    }
                    match self.connect().await {
                        Ok(connected) => break connected,
                        Err(error) => tracing::debug!(%error, "the keeper does not get through"),
                    }
                };
                // What was told meanwhile was not heard.
                self.tell();
            }
        });
    }

    /// A connection that listens, and what is true when it has ended.
    async fn connect(&self) -> Result<(Client, watch::Receiver<bool>)> {
        let (client, mut connection) = self.way.config.connect(self.way.tls.clone()).await?;
        let (ended, lost) = watch::channel(false);
        let changes = Arc::clone(&self.changes);
        tokio::spawn(async move {
            std::future::poll_fn(|cx| {
                loop {
                    match ready!(connection.poll_message(cx)) {
                        Some(Ok(AsyncMessage::Notification(_))) => {
                            changes.send_modify(|count| *count = count.wrapping_add(1));
                        }
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => return Poll::Ready(()),
                    }
                }
            })
            .await;
            let _ = ended.send(true);
        });
        client.batch_execute(schema::SESSION).await?;
        client.batch_execute("LISTEN onepath_events").await?;
        Ok((client, lost))
    }

    fn tell(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    async fn keep(
        &mut self,
        client: &Client,
        lost: &mut watch::Receiver<bool>,
        clock: &DatabaseClock,
    ) -> End {
        let mut last = 0;
        let mut looked: Option<Instant> = None;
        loop {
            if looked.is_none_or(|at| at.elapsed() >= LOOK) {
                let asked = Instant::now();
                match whole(client, NOW).await {
                    Ok(at) => clock.correct(at, asked),
                    Err(error) => return End::Broken(error),
                }
                looked = Some(Instant::now());
            }
            match whole(client, "SELECT publish_events()").await {
                Ok(cursor) if cursor != last => {
                    last = cursor;
                    self.tell();
                }
                Ok(_) => {}
                // Somebody else may be slow; the next look tries again.
                Err(error) if client.is_closed() => return End::Broken(error),
                Err(error) => tracing::warn!(%error, "no cursors were given"),
            }
            let rest = LOOK.saturating_sub(looked.map_or(LOOK, |at| at.elapsed()));
            tokio::select! {
                _ = self.over.changed() => return End::Over,
                _ = lost.changed() => {
                    return End::Broken(StoreError::Unavailable("it was closed".to_owned()));
                }
                () = self.bell.notified() => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }
}

/// What a new database must be before anything else uses it.
async fn open(client: &mut Client) -> Result<DatabaseClock> {
    schema::check(client).await?;
    schema::migrate(client).await?;
    let asked = Instant::now();
    Ok(DatabaseClock::new(whole(client, NOW).await?, asked))
}

async fn whole(client: &Client, sql: &'static str) -> Result<i64> {
    Ok(client.query_one(sql, &[]).await?.try_get(0)?)
}
