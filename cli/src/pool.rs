//! Work on all cores, results in order, memory bounded.

use std::collections::BTreeMap;
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Mutex, PoisonError};

/// Works on jobs on all cores and gives the results to `sink` in the order of the jobs.
///
/// At most a few jobs a core are read ahead. A single job is worked on right here: starting
/// threads would cost more than a small file does.
pub(crate) fn ordered<J: Send, R: Send, E>(
    jobs: impl Iterator<Item = J>,
    work: impl Fn(J) -> R + Sync,
    mut sink: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let mut jobs = jobs.peekable();
    let Some(first) = jobs.next() else { return Ok(()) };
    if jobs.peek().is_none() {
        return sink(work(first));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let ahead = cores * 4;
    let (send_job, take_job) = sync_channel::<(usize, J)>(ahead);
    let (send_result, results) = channel::<(usize, R)>();
    let take_job = Mutex::new(take_job);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            let (take_job, work, send_result) = (&take_job, &work, send_result.clone());
            scope.spawn(move || {
                loop {
                    let job = take_job.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((index, job)) = job else { break };
                    if send_result.send((index, work(job))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send_result);
        let mut jobs = std::iter::once(first).chain(jobs).enumerate();
        let mut send_job = Some(send_job);
        let mut waiting = BTreeMap::new();
        let (mut given, mut done) = (0_usize, 0_usize);
        loop {
            while let Some(sender) = &send_job {
                if given - done >= ahead {
                    break;
                }
                let sent = jobs.next().is_some_and(|job| sender.send(job).is_ok());
                if sent {
                    given += 1;
                } else {
                    send_job = None;
                }
            }
            if done == given && send_job.is_none() {
                return Ok(());
            }
            let Ok((index, result)) = results.recv() else { return Ok(()) };
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&done) {
                done += 1;
                sink(result)?;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::ordered;

    #[test]
    fn results_come_in_order_and_an_error_ends_the_work() {
        let mut seen = Vec::new();
        let all: Result<(), ()> = ordered(
            0..1000_u32,
            |job| job * 2,
            |result| {
                seen.push(result);
                Ok(())
            },
        );
        assert!(all.is_ok());
        assert_eq!(seen, (0..1000).map(|job| job * 2).collect::<Vec<_>>());
        let stopped =
            ordered(0..1000_u32, |job| job, |result| if result == 7 { Err(7) } else { Ok(()) });
        assert_eq!(stopped, Err(7));
    }
}
