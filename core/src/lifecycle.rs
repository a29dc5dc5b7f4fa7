//! The lifecycle of a generation: `step(state, event) -> (state, effects)`, pure.
//!
//! Webhook, poll and manual look-up all end in the same [`Event`], and [`step`] is idempotent: a
//! report that comes twice, late or out of order changes nothing that is settled. What has effects
//! outside (submitting, downloading, money) is named by an [`Effect`]; the caller carries it out in
//! the transaction that stores the new state.
//!
//! The money rule lives here: a submission follows a durable intent, and after a lost answer
//! nothing is submitted again before the provider was asked and its visibility time has passed.

use crate::decode::words;
use crate::words::FallbackMode;

words! {
    /// Why a run ended without what was asked for.
    pub enum ErrorCode: JsonUnknownWord {
        /// The provider refuses the prompt.
        ContentPromptRejected = "content_prompt_rejected",
        /// The provider refuses an input picture.
        ContentImageRejected = "content_image_rejected",
        /// The provider refuses what it made.
        ContentOutputRejected = "content_output_rejected",
        /// A filter, without saying which part.
        ContentFiltered = "content_filtered",
        /// A parameter is wrong.
        ParamInvalid = "param_invalid",
        /// A parameter is too long.
        ParamTooLong = "param_too_long",
        /// The account has no credits left.
        ProviderQuota = "provider_quota",
        /// Too many requests.
        ProviderRateLimit = "provider_rate_limit",
        /// Too many at once.
        ProviderConcurrentLimit = "provider_concurrent_limit",
        /// The account's key is refused.
        ProviderAuth = "provider_auth",
        /// No answer in time.
        ProviderTimeout = "provider_timeout",
        /// The provider is down.
        ProviderUnavailable = "provider_unavailable",
        /// Anything else the provider says.
        ProviderGeneric = "provider_generic",
        /// Whether the submission arrived is not known.
        SubmitUnknown = "submit_unknown",
        /// The provider says it is done and gives nothing.
        OutputMissing = "output_missing",
        /// What was made could not be kept.
        StorageFailed = "storage_failed",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}

/// What an error means for the next attempt. Decided by code, never by message text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same request fails again.
    Never,
    /// Another attempt may help; it is counted.
    Attempt,
    /// Nothing was made: wait for the account, without counting.
    Defer,
}

impl ErrorCode {
    /// What this error means for the next attempt.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::ContentPromptRejected
            | Self::ContentImageRejected
            | Self::ParamInvalid
            | Self::ParamTooLong
            | Self::ProviderAuth
            | Self::SubmitUnknown
            | Self::Cancelled => Retry::Never,
            Self::ContentOutputRejected
            | Self::ContentFiltered
            | Self::ProviderTimeout
            | Self::ProviderUnavailable
            | Self::ProviderGeneric
            | Self::OutputMissing
            | Self::StorageFailed => Retry::Attempt,
            Self::ProviderQuota | Self::ProviderRateLimit | Self::ProviderConcurrentLimit => {
                Retry::Defer
            }
        }
    }
}

impl ErrorCode {
    /// Whether it says that the provider is down for whoever asks with this account: another
    /// provider may be asked instead.
    #[must_use]
    pub const fn is_down(self) -> bool {
        matches!(self, Self::ProviderUnavailable | Self::ProviderAuth | Self::ProviderQuota)
    }
}

words! {
    /// A row's status on the wire.
    pub enum GenerationStatus: JsonUnknownWord {
        /// It waits.
        Pending = "pending",
        /// It is being made.
        Processing = "processing",
        /// It is there.
        Completed = "completed",
        /// It will not be there.
        Failed = "failed",
        /// Nobody wants it any more.
        Cancelled = "cancelled",
    }
}

/// How far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// A worker holds it.
    Claimed,
    /// The intent to submit is durable; the provider may or may not have it.
    Submitting,
    /// The answer to the submission was lost.
    SubmitUnknown,
    /// The provider has it.
    Submitted,
    /// The provider made it; it is being fetched and kept.
    Settling,
}

/// The state of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It waits for a worker.
    Pending {
        /// Number of the run, from 1; an explicit retry is the next.
        run: u32,
        /// Attempts spent.
        spent: u32,
        /// What the last attempt ran into.
        after: Option<ErrorCode>,
    },
    /// An attempt is on its way.
    Processing {
        /// Number of the run.
        run: u32,
        /// Attempts spent, this one included once its intent is durable.
        spent: u32,
        /// How far it is.
        attempt: Attempt,
        /// Whether a lost submission was sent again under [`UnknownPolicy::ResubmitOnce`].
        resubmitted: bool,
        /// Whether its end is wished for.
        cancel_requested: bool,
    },
    /// The end: it is there, or what stands in for it.
    Completed {
        /// Number of the run.
        run: u32,
        /// What stands in, and why.
        fallback: Option<(FallbackMode, ErrorCode)>,
    },
    /// The end: it will not be there.
    Failed {
        /// Number of the run.
        run: u32,
        /// Why.
        error: ErrorCode,
    },
    /// The end: nobody wants it.
    Cancelled {
        /// Number of the run.
        run: u32,
    },
}

impl State {
    /// The first run, before anything happened.
    pub const NEW: Self = Self::Pending { run: 1, spent: 0, after: None };

    /// The word on the wire.
    #[must_use]
    pub const fn status(self) -> GenerationStatus {
        match self {
            Self::Pending { .. } => GenerationStatus::Pending,
            Self::Processing { .. } => GenerationStatus::Processing,
            Self::Completed { .. } => GenerationStatus::Completed,
            Self::Failed { .. } => GenerationStatus::Failed,
            Self::Cancelled { .. } => GenerationStatus::Cancelled,
        }
    }

    /// Whether the run is over; such a state never changes.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled { .. })
    }

    /// Number of the run.
    #[must_use]
    pub const fn run(self) -> u32 {
        match self {
            Self::Pending { run, .. }
            | Self::Processing { run, .. }
            | Self::Completed { run, .. }
            | Self::Failed { run, .. }
            | Self::Cancelled { run } => run,
        }
    }
}

/// What the provider says about an attempt, whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderReport {
    /// It is on its way.
    Running,
    /// It is made; false if it gives nothing all the same.
    Succeeded {
        /// Whether there is anything to fetch.
        has_output: bool,
    },
    /// It is not made.
    Failed(ErrorCode),
    /// It was stopped.
    Cancelled {
        /// Whether the provider charged for it.
        charged: bool,
    },
    /// A word that is not known: it has a deadline, it is never "processing for ever".
    Unknown,
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A worker took the row, with a lease and a fence.
    Claimed,
    /// No account is free: nothing was submitted. The code says what stands in the way.
    NoAccount(ErrorCode),
    /// The intent to submit is committed, with its attempt token.
    IntentStored,
    /// The provider took the submission.
    Accepted,
    /// The provider refused the submission.
    Refused(ErrorCode),
    /// The provider does not make it because it is down, and another one is asked from now on. Only
    /// what is known to have come to nothing is passed on: never a submission that may have arrived.
    PassedOn(ErrorCode),
    /// The submission's answer did not come.
    AnswerLost,
    /// The provider, asked by token, knows the attempt.
    Found,
    /// The provider, asked by token after its visibility time, does not know the attempt.
    NotThere,
    /// The provider reports, by webhook, poll or look-up.
    Reported(ProviderReport),
    /// The outputs are kept.
    Stored,
    /// The outputs could not be kept.
    StoreFailed,
    /// The worker's lease ran out.
    LeaseExpired,
    /// The run, an unknown state or a lost submission has waited long enough.
    DeadlinePassed,
    /// Nobody wants it any more.
    CancelRequested,
    /// Someone asks for it again.
    RetryRequested,
}

/// What the caller has to carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Commit an attempt token, then send [`Event::IntentStored`].
    StoreIntent,
    /// Submit, with the attempt's token.
    Submit,
    /// Ask the provider for the attempt by its token.
    LookUp,
    /// Ask the provider how the attempt is.
    Poll,
    /// Fetch and keep the outputs.
    Fetch,
    /// Ask the provider to stop.
    CancelAtProvider,
    /// Make it due again after the backoff.
    Schedule,
    /// Open a reservation for the new run.
    Reserve,
    /// Turn the reservation into a debit.
    Debit,
    /// Give the reservation back.
    Release,
    /// Tell readers about the new status.
    Announce,
}

/// What is done with a submission of which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UnknownPolicy {
    /// Wait on: a webhook may still come.
    #[default]
    Wait,
    /// End the run without a charge to the user.
    FailWithoutCharge,
    /// Send it once more, then end the run.
    ResubmitOnce,
}

/// How a run is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunPolicy {
    /// Attempts that a run may spend, from 1.
    pub attempts: u32,
    /// What the node wants if the run fails.
    pub fallback: Option<FallbackMode>,
    /// What is done with a submission of which nothing is known.
    pub unknown: UnknownPolicy,
}

impl RunPolicy {
    /// The policy of a node's fallback: under retry the attempts it asks for, bounded by what the
    /// operator allows; else the operator's.
    #[must_use]
    pub fn new(fallback: Option<FallbackMode>, max_retries: Option<f64>, allowed: u32) -> Self {
        let asked = match (fallback, max_retries) {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped before"
            )]
            (Some(FallbackMode::Retry), Some(retries)) => {
                (retries.clamp(0.0, 1000.0) as u32).saturating_add(1)
            }
            _ => allowed,
        };
        Self { attempts: asked.min(allowed).max(1), fallback, unknown: UnknownPolicy::default() }
    }
}

/// The next state and what to carry out. An event that does not apply changes nothing.
///
/// ```
/// use onepath_core::lifecycle::{Effect, Event, ProviderReport, RunPolicy, State, step};
///
/// let policy = RunPolicy::new(None, None, 2);
/// let mut state = State::NEW;
/// for event in [
///     Event::Claimed,
///     Event::IntentStored,
///     Event::Accepted,
///     Event::Reported(ProviderReport::Succeeded { has_output: true }),
///     Event::Reported(ProviderReport::Running), // late: changes nothing
///     Event::Stored,
/// ] {
///     state = step(state, event, policy).0;
/// }
/// assert_eq!(state, State::Completed { run: 1, fallback: None });
/// assert_eq!(step(state, Event::CancelRequested, policy), (state, vec![]));
/// ```
#[must_use]
pub fn step(state: State, event: Event, policy: RunPolicy) -> (State, Vec<Effect>) {
    match state {
        State::Pending { run, spent, after } => match event {
            Event::Claimed => {
                let attempt = Attempt::Claimed;
                let next = State::Processing {
                    run,
                    spent,
                    attempt,
                    resubmitted: false,
                    cancel_requested: false,
                };
                (next, vec![Effect::StoreIntent])
            }
            // It waits on, and is told about once.
            Event::NoAccount(code) if after != Some(code) => {
                let next = State::Pending { run, spent, after: Some(code) };
                (next, vec![Effect::Schedule, Effect::Announce])
            }
            Event::CancelRequested => cancelled(run, false),
            Event::DeadlinePassed => {
                end(run, after.unwrap_or(ErrorCode::ProviderTimeout), false, policy)
            }
            _ => (state, vec![]),
        },
        State::Processing { .. } => processing(state, event, policy),
        State::Failed { run, .. } | State::Cancelled { run } if event == Event::RetryRequested => {
            let next = State::Pending { run: run.saturating_add(1), spent: 0, after: None };
            (next, vec![Effect::Reserve, Effect::Schedule, Effect::Announce])
        }
        State::Completed { .. } | State::Failed { .. } | State::Cancelled { .. } => (state, vec![]),
    }
}

fn processing(state: State, event: Event, policy: RunPolicy) -> (State, Vec<Effect>) {
    let State::Processing { run, spent, attempt, resubmitted, cancel_requested } = state else {
        return (state, vec![]);
    };
    let to = |attempt: Attempt, spent: u32| State::Processing {
        run,
        spent,
        attempt,
        resubmitted,
        cancel_requested,
    };
    let fail = |code: ErrorCode| failed(run, spent, code, cancel_requested, policy);
    match (attempt, event) {
        (Attempt::Claimed, Event::IntentStored) if cancel_requested => cancelled(run, false),
        (Attempt::Claimed, Event::IntentStored) => (
            to(Attempt::Submitting, spent.saturating_add(1)),
            vec![Effect::Submit, Effect::Announce],
        ),
        (Attempt::Claimed, Event::NoAccount(_) | Event::LeaseExpired) if cancel_requested => {
            cancelled(run, false)
        }
        (Attempt::Claimed, Event::NoAccount(code)) => {
            let next = State::Pending { run, spent, after: Some(code) };
            (next, vec![Effect::Schedule, Effect::Announce])
        }
        (Attempt::Claimed, Event::LeaseExpired) => {
            (State::Pending { run, spent, after: None }, vec![Effect::Schedule])
        }
        (Attempt::Claimed, Event::CancelRequested) => cancelled(run, false),

        (Attempt::Submitting | Attempt::SubmitUnknown, Event::Accepted | Event::Found) => {
            (to(Attempt::Submitted, spent), vec![Effect::Poll])
        }
        (Attempt::Submitting, Event::Refused(code)) => fail(code),
        (Attempt::Submitting | Attempt::Submitted, Event::PassedOn(_)) if cancel_requested => {
            cancelled(run, false)
        }
        // The attempt was another provider's: it is not counted.
        (Attempt::Submitting | Attempt::Submitted, Event::PassedOn(code)) => {
            let next = State::Pending { run, spent: spent.saturating_sub(1), after: Some(code) };
            (next, vec![Effect::Schedule, Effect::Announce])
        }
        (Attempt::Submitting, Event::AnswerLost | Event::LeaseExpired) => {
            (to(Attempt::SubmitUnknown, spent), vec![Effect::LookUp])
        }
        (Attempt::SubmitUnknown, Event::NotThere) if cancel_requested => cancelled(run, false),
        // The provider was asked and its visibility time has passed: the same token goes again.
        (Attempt::SubmitUnknown, Event::NotThere) => {
            (to(Attempt::Submitting, spent), vec![Effect::Submit])
        }
        (Attempt::SubmitUnknown, Event::LeaseExpired) => (state, vec![Effect::LookUp]),
        (Attempt::SubmitUnknown, Event::DeadlinePassed) => match policy.unknown {
            UnknownPolicy::Wait => (state, vec![Effect::LookUp]),
            UnknownPolicy::ResubmitOnce if !resubmitted && !cancel_requested => {
                let next = State::Processing {
                    run,
                    spent,
                    attempt: Attempt::Submitting,
                    resubmitted: true,
                    cancel_requested,
                };
                (next, vec![Effect::Submit])
            }
            UnknownPolicy::FailWithoutCharge | UnknownPolicy::ResubmitOnce => {
                fail(ErrorCode::SubmitUnknown)
            }
        },

        // A report proves that the provider has it, whatever became of the submission's answer.
        (
            Attempt::Submitting | Attempt::SubmitUnknown | Attempt::Submitted,
            Event::Reported(report),
        ) => match report {
            ProviderReport::Running | ProviderReport::Unknown if attempt == Attempt::Submitted => {
                (state, vec![])
            }
            ProviderReport::Running | ProviderReport::Unknown => {
                (to(Attempt::Submitted, spent), vec![Effect::Poll])
            }
            ProviderReport::Succeeded { has_output: true } => {
                (to(Attempt::Settling, spent), vec![Effect::Fetch])
            }
            ProviderReport::Succeeded { has_output: false } => fail(ErrorCode::OutputMissing),
            ProviderReport::Failed(code) => fail(code),
            ProviderReport::Cancelled { charged } if cancel_requested => cancelled(run, charged),
            ProviderReport::Cancelled { .. } => fail(ErrorCode::ProviderGeneric),
        },
        (Attempt::Submitted, Event::LeaseExpired) => (state, vec![Effect::Poll]),
        (Attempt::Submitted, Event::DeadlinePassed) if cancel_requested => cancelled(run, true),
        (Attempt::Submitted, Event::DeadlinePassed) => {
            let (next, mut effects) = fail(ErrorCode::ProviderTimeout);
            effects.insert(0, Effect::CancelAtProvider);
            (next, effects)
        }

        // Completion wins over cancel: it is made and paid for.
        (Attempt::Settling, Event::Stored) => {
            (State::Completed { run, fallback: None }, vec![Effect::Debit, Effect::Announce])
        }
        (Attempt::Settling, Event::StoreFailed | Event::LeaseExpired) => {
            (state, vec![Effect::Fetch])
        }
        (Attempt::Settling, Event::DeadlinePassed) => fail(ErrorCode::StorageFailed),
        (Attempt::Settling, Event::CancelRequested) => (state, vec![]),

        (
            Attempt::Submitting | Attempt::SubmitUnknown | Attempt::Submitted,
            Event::CancelRequested,
        ) if !cancel_requested => {
            let next =
                State::Processing { run, spent, attempt, resubmitted, cancel_requested: true };
            (next, vec![Effect::CancelAtProvider])
        }
        _ => (state, vec![]),
    }
}

/// An attempt failed: another one, a deferral, or the end of the run.
fn failed(
    run: u32,
    spent: u32,
    code: ErrorCode,
    cancel_requested: bool,
    policy: RunPolicy,
) -> (State, Vec<Effect>) {
    if cancel_requested {
        return cancelled(run, false);
    }
    match code.retry() {
        Retry::Defer => {
            let spent = spent.saturating_sub(1);
            (
                State::Pending { run, spent, after: Some(code) },
                vec![Effect::Schedule, Effect::Announce],
            )
        }
        Retry::Attempt if spent < policy.attempts => (
            State::Pending { run, spent, after: Some(code) },
            vec![Effect::Schedule, Effect::Announce],
        ),
        Retry::Attempt | Retry::Never => end(run, code, false, policy),
    }
}

/// The end of a run that did not give what was asked for. For money it failed.
fn end(run: u32, code: ErrorCode, charged: bool, policy: RunPolicy) -> (State, Vec<Effect>) {
    let state = match policy.fallback {
        None | Some(FallbackMode::Retry) => State::Failed { run, error: code },
        Some(mode) => State::Completed { run, fallback: Some((mode, code)) },
    };
    (state, vec![if charged { Effect::Debit } else { Effect::Release }, Effect::Announce])
}

/// The end of a run that nobody wants; paid for only if the provider charged.
fn cancelled(run: u32, charged: bool) -> (State, Vec<Effect>) {
    let money = if charged { Effect::Debit } else { Effect::Release };
    (State::Cancelled { run }, vec![money, Effect::Announce])
}
