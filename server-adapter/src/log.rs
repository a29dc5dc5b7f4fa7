//! The log of generations: one line for every transition, and nothing in it but ids and words. No
//! prompt, name or secret is ever a field here.

use onepath_core::lifecycle::Effect;

use crate::store::{EndedRun, Row, Step, Transition};
use crate::telemetry::metrics;

/// Tells what happened to a row.
pub(crate) fn tell(row: &Row, steps: &[Step]) {
    for Step { transition, status } in steps {
        let ends = matches!(
            transition,
            Transition::Completed | Transition::Failed | Transition::Cancelled
        );
        if ends && let Some(run) = EndedRun::of(row, &[Effect::Debit]) {
            metrics::ended(row, &run);
        }
        tracing::info!(
            target: "onepath_server::generations",
            event = transition.word(),
            owner_id = row.owner,
            generation_id = row.id,
            job_id = row.number,
            prediction_id = row.prediction,
            attempt = row.attempts,
            status = status.word(),
            trace_id = row.asked.trace,
        );
    }
}

/// Tells of a transition that is no step of a run.
pub(crate) fn tell_one(row: &Row, transition: crate::store::Transition) {
    tell(row, &[Step { transition, status: row.status() }]);
}
