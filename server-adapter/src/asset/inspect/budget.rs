//! Memory for decoding: what is decoded at the same time never needs more than this together.

use std::sync::{Condvar, Mutex, PoisonError};

/// Bytes for all that is decoded at the same time.
const BYTES: u64 = 512 << 20;

/// Pictures that need less do not wait for others.
const SMALL: u64 = 4 << 20;

static FREE: Mutex<u64> = Mutex::new(BYTES);
static FREED: Condvar = Condvar::new();

/// A share of the memory, given back at its end.
pub(super) struct Share(u64);

/// Waits until so many bytes are free. Blocks.
pub(super) fn share(bytes: u64) -> Share {
    let bytes = if bytes <= SMALL { 0 } else { bytes.min(BYTES) };
    if bytes > 0 {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        while *free < bytes {
            free = FREED.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
    }
    Share(bytes)
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.0 > 0 {
            *FREE.lock().unwrap_or_else(PoisonError::into_inner) += self.0;
            FREED.notify_all();
        }
    }
}
