//! Idempotency keys whose bodies are on their way in.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::App;
use crate::problem::{Problem, ProblemCode};
use crate::store::Reader;

/// Calls whose bodies are being read: who, and under which key. A hint: what was committed decides.
#[derive(Debug, Clone, Default)]
pub(super) struct Uploading(Arc<Mutex<HashSet<(Reader, String)>>>);

/// A body on its way in; dropped when it is here, or will not come.
#[derive(Debug)]
pub(super) struct OnItsWay {
    all: Uploading,
    call: (Reader, String),
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.call);
    }
}

impl App {
    /// Marks a call whose body is about to be read.
    ///
    /// # Errors
    ///
    /// `IDEMPOTENCY_IN_PROGRESS`: a body under the same key is being read at this moment.
    pub(super) fn reading(&self, reader: &Reader, key: &str) -> Result<OnItsWay, Problem> {
        let call = (reader.clone(), key.to_owned());
        let mut all = self.uploading.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.insert(call.clone()) {
            let detail = "the body of a call with this Idempotency-Key is still on its way: come \
                          again when it is here";
            let mut problem = Problem::new(ProblemCode::IdempotencyInProgress, detail);
            problem.retry_after = Some(1);
            return Err(problem);
        }
        drop(all);
        Ok(OnItsWay { all: self.uploading.clone(), call })
    }
}
