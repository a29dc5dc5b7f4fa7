//! What the lifecycle does to a row, in words: one table for the log and for what readers are told.

use super::assets::ASSET_EVENTS;
use onepath_core::lifecycle::{Attempt as Stage, GenerationStatus, Retry, State};

macro_rules! transitions {
    (
        told { $($(#[doc = $told_doc:literal])* $told:ident = $told_word:literal;)* }
        silent { $($(#[doc = $doc:literal])* $silent:ident = $word:literal;)* }
    ) => {
        /// One step of a generation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Transition {
            $($(#[doc = $told_doc])* $told,)*
            $($(#[doc = $doc])* $silent,)*
        }

        impl Transition {
            /// Every transition.
            pub const ALL: &'static [Self] = &[$(Self::$told,)* $(Self::$silent,)*];

            /// The word of the log and of events.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$told => $told_word,)*
                    $(Self::$silent => $word,)*
                }
            }

            /// Whether readers are told; the others stand in the log only.
            #[must_use]
            pub const fn is_told(self) -> bool {
                match self {
                    $(Self::$told => true,)*
                    $(Self::$silent => false,)*
                }
            }
        }

        /// What readers may be told.
        pub const EVENTS: [&str; [$($told_word),*].len()] = [$($told_word),*];
    };
}

transitions! {
    told {
        /// A row was inserted.
        Created = "generation.created";
        /// An attempt's intent is stored; it goes to the provider.
        Started = "generation.started";
        /// The provider has it.
        Submitted = "generation.submitted";
        /// It waits for an account.
        Deferred = "generation.deferred";
        /// It is tried again.
        Retried = "generation.retried";
        /// It is there, or what stands in for it.
        Completed = "generation.completed";
        /// It will not be there.
        Failed = "generation.failed";
        /// Nobody wants it any more.
        Cancelled = "generation.cancelled";
        /// It takes longer than its operation may, and goes on.
        Overdue = "generation.overdue";
    }
    silent {
        /// Another user wants it, too.
        Joined = "generation.joined";
        /// A worker holds it.
        Claimed = "generation.claimed";
        /// A worker lost it before anything was sent.
        Released = "generation.released";
        /// The answer to a submission was lost.
        SubmitUnknown = "generation.submit_unknown";
        /// A lost submission goes again, under the same token.
        Resubmitted = "generation.resubmitted";
        /// The provider made it; it is fetched and kept.
        Settling = "generation.settling";
        /// Its end is wished for.
        CancelRequested = "generation.cancel_requested";
        /// One of several users does not want it any more.
        Withdrawn = "generation.withdrawn";
        /// Its owner hid it.
        Deleted = "generation.deleted";
    }
}

/// A transition, and the status after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What happened.
    pub transition: Transition,
    /// The status after it.
    pub status: GenerationStatus,
}

/// The event of a word.
#[must_use]
pub fn known_event(word: &str) -> Option<&'static str> {
    EVENTS.into_iter().chain(ASSET_EVENTS).find(|known| *known == word)
}

/// What a step from one state to another is; none if nothing changed.
#[must_use]
pub fn transition(before: State, after: State) -> Option<Transition> {
    if before == after {
        return None;
    }
    let stage = |state: State| match state {
        State::Processing { attempt, .. } => Some(attempt),
        _ => None,
    };
    Some(match (before, after) {
        (State::Failed { .. } | State::Cancelled { .. }, State::Pending { .. }) => {
            Transition::Retried
        }
        // Nothing was sent: it waits for something outside.
        (
            State::Pending { .. } | State::Processing { attempt: Stage::Claimed, .. },
            State::Pending { after: Some(_), .. },
        ) => Transition::Deferred,
        (_, State::Pending { after: Some(code), .. }) if code.retry() == Retry::Defer => {
            Transition::Deferred
        }
        (_, State::Pending { after: Some(_), .. }) => Transition::Retried,
        (_, State::Pending { after: None, .. }) => Transition::Released,
        (_, State::Completed { .. }) => Transition::Completed,
        (_, State::Failed { .. }) => Transition::Failed,
        (_, State::Cancelled { .. }) => Transition::Cancelled,
        (_, State::Processing { attempt, cancel_requested, .. }) => {
            if stage(before) == Some(attempt) {
                // The stage is the same: its end is wished for, or a lost submission is on its way.
                return cancel_requested.then_some(Transition::CancelRequested);
            }
            match attempt {
                Stage::Claimed => Transition::Claimed,
                Stage::Submitting if stage(before) == Some(Stage::SubmitUnknown) => {
                    Transition::Resubmitted
                }
                Stage::Submitting => Transition::Started,
                Stage::SubmitUnknown => Transition::SubmitUnknown,
                Stage::Submitted => Transition::Submitted,
                Stage::Settling => Transition::Settling,
            }
        }
    })
}
