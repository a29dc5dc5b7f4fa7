//! The one writer: a thread that runs what waits in one transaction and commits it together.
//!
//! One commit costs one flush of the disk, however many operations are in it. Each operation runs
//! between savepoints, so that one that fails leaves the others as they are; nobody is answered
//! before the commit.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::super::{Result, StoreError};

/// Operations in one commit at most.
const GROUP: usize = 256;

/// Operations that may wait; beyond that the store says that it is busy.
const WAITING: usize = 16_384;

/// Called after the commit, with what became of it.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

/// An operation, given the open transaction or why there is none: whether it did what it should,
/// and its answer.
type Job = Box<dyn FnOnce(Result<&Connection>) -> (bool, Answer) + Send>;

/// The writer's door. The thread ends when the last door is gone.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: SyncSender<Job>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(WAITING);
        thread::Builder::new()
            .name("onepath-writer".to_owned())
            .spawn(move || run(&connection, &queue))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { jobs })
    }

    /// Runs `work` in a transaction; the result comes when it is durable.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.and_then(work);
            let good = result.is_ok();
            let answer: Answer = Box::new(move |committed| {
                // Whoever asked may be gone; what was committed stays.
                let _ = sender.send(result.and_then(|value| committed.map(|()| value)));
            });
            (good, answer)
        });
        self.jobs.try_send(job).map_err(|error| {
            StoreError::Unavailable(match error {
                TrySendError::Full(_) => "too many writes are waiting".to_owned(),
                TrySendError::Disconnected(_) => "the store is closed".to_owned(),
            })
        })?;
        receiver.await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable("the store closed before the commit".to_owned()))
        })
    }
}

fn run(connection: &Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let mut jobs = vec![first];
        while jobs.len() < GROUP {
            match queue.try_recv() {
                Ok(job) => jobs.push(job),
                Err(_) => break,
            }
        }
        let mut answers = Vec::with_capacity(jobs.len());
        let committed = group(connection, jobs, &mut answers);
        for answer in answers {
            answer(committed.clone());
        }
    }
}

/// Runs a group in one transaction.
fn group(connection: &Connection, jobs: Vec<Job>, answers: &mut Vec<Answer>) -> Result<()> {
    let run =
        |sql: &str| -> Result<()> { Ok(connection.prepare_cached(sql)?.execute([]).map(|_| ())?) };
    if let Err(error) = run("BEGIN IMMEDIATE") {
        // Nothing can be written: every operation hears why.
        answers.extend(jobs.into_iter().map(|job| job(Err(error.clone())).1));
        return Err(error);
    }
    let mut broken = Ok(());
    for job in jobs {
        let opened = run("SAVEPOINT operation");
        let (good, answer) = job(Ok(connection));
        answers.push(answer);
        let closed = opened.and_then(|()| {
            if !good {
                run("ROLLBACK TO operation")?;
            }
            run("RELEASE operation")
        });
        broken = broken.and(closed);
    }
    let committed = broken.and_then(|()| run("COMMIT"));
    if committed.is_err() && !connection.is_autocommit() {
        // The error that is told is the first one.
        let _ = run("ROLLBACK");
    }
    committed
}
