//! Who works on a data folder. A lock that the system drops with its process tells whether a lease
//! belongs to the living.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::Worker;

/// Joins the workers of a folder. Whoever finds nobody there ends the leases of the dead, so that
/// their rows go on at once; beside others, leases run out by themselves.
///
/// The worker is present until the returned file is dropped.
pub(crate) async fn enter(lock: &Path, worker: &Worker) -> Option<File> {
    let path = lock.to_path_buf();
    let opened = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).append(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok((file, true)),
            Err(TryLockError::WouldBlock) => Ok((file, false)),
            Err(TryLockError::Error(error)) => Err(error),
        }
    });
    let entered = match opened.await {
        Ok(entered) => entered,
        Err(error) => Err(std::io::Error::other(error)),
    };
    let (file, is_alone) = entered.inspect_err(warn).ok()?;
    if is_alone {
        match worker.store.end_leases(worker.clock.now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "generations of a worker that is gone go on"),
            Err(error) => tracing::warn!(%error, "leases of the dead run out by themselves"),
        }
    }
    // Nothing is held yet: whoever comes in between may end leases as well.
    let shared = tokio::task::spawn_blocking(move || {
        if is_alone {
            file.unlock()?;
        }
        file.lock_shared().map(|()| file)
    });
    match shared.await {
        Ok(shared) => shared.inspect_err(warn).ok(),
        Err(_) => None,
    }
}

fn warn(error: &std::io::Error) {
    tracing::warn!(%error, "the folder has no locks: leases of the dead run out by themselves");
}
