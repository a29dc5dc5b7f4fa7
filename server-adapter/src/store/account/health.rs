//! How an account does: a circuit breaker, pure.

use onepath_core::lifecycle::ErrorCode;

use super::super::Millis;

/// Failures in a row after which an account rests, where one alone says little.
const STREAK: i64 = 3;

/// How long it rests first; doubled with every further failure.
const FIRST_REST: Millis = 30_000;

/// How long it rests at most, unless the provider itself asks for more.
const LONGEST_REST: Millis = 15 * 60_000;

/// How long an account rests whose key is refused, or that has nothing left and does not tell how
/// much: only people can change that, and they may have.
const PEOPLE_REST: Millis = 5 * 60_000;

/// The longest rest that a provider may ask for.
const LONGEST_WISH: Millis = 24 * 60 * 60_000;

/// How an account has done lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Failures since the last success.
    pub streak: i64,
    /// Until when it rests, or has rested: the first submission after it is a probe.
    pub cooldown_until: Option<Millis>,
    /// What it last ran into; none after a success.
    pub last_error: Option<ErrorCode>,
    /// When it was last chosen.
    pub last_used_at: Option<Millis>,
}

/// Whether an account is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// It is.
    Closed,
    /// It rests until a time.
    Open(Millis),
    /// It has rested: one submission at a time shows whether it is well.
    HalfOpen,
}

impl Breaker {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open(_) => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What happened with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The provider took a submission.
    Taken,
    /// The provider did what it was asked, or refused what was asked: the account works.
    Works,
    /// It did not work.
    Failed(ErrorCode),
}

impl Verdict {
    /// What the end of an attempt says about its account; none if it says nothing.
    #[must_use]
    pub const fn of(error: ErrorCode) -> Option<Self> {
        match error {
            // The request was at fault.
            ErrorCode::ContentPromptRejected
            | ErrorCode::ContentImageRejected
            | ErrorCode::ContentOutputRejected
            | ErrorCode::ContentFiltered
            | ErrorCode::ParamInvalid
            | ErrorCode::ParamTooLong => Some(Self::Works),
            // We, or whoever asked.
            ErrorCode::StorageFailed | ErrorCode::Cancelled => None,
            ErrorCode::ProviderQuota
            | ErrorCode::ProviderRateLimit
            | ErrorCode::ProviderConcurrentLimit
            | ErrorCode::ProviderAuth
            | ErrorCode::ProviderTimeout
            | ErrorCode::ProviderUnavailable
            | ErrorCode::ProviderGeneric
            | ErrorCode::SubmitUnknown
            | ErrorCode::OutputMissing => Some(Self::Failed(error)),
        }
    }
}

impl Health {
    /// Whether it is used.
    #[must_use]
    pub fn breaker(&self, now: Millis) -> Breaker {
        match self.cooldown_until {
            None => Breaker::Closed,
            Some(until) if until > now => Breaker::Open(until),
            Some(_) => Breaker::HalfOpen,
        }
    }

    /// How it does from now on. `rests_until` is what the provider asks for (`Retry-After`).
    #[must_use]
    pub fn after(self, verdict: Verdict, rests_until: Option<Millis>, now: Millis) -> Self {
        let error = match verdict {
            // The probe is through; whether it comes to a good end is seen later.
            Verdict::Taken if self.breaker(now) == Breaker::HalfOpen => {
                return Self { cooldown_until: None, ..self };
            }
            Verdict::Taken => return self,
            Verdict::Works => {
                return Self { streak: 0, cooldown_until: None, last_error: None, ..self };
            }
            Verdict::Failed(error) => error,
        };
        let streak = self.streak.saturating_add(1);
        let doubled = |times: i64| (FIRST_REST << times.clamp(0, 9)).min(LONGEST_REST);
        let rest = match error {
            ErrorCode::ProviderAuth | ErrorCode::ProviderQuota => Some(PEOPLE_REST),
            // The provider says itself that it is too much.
            ErrorCode::ProviderRateLimit | ErrorCode::ProviderConcurrentLimit => {
                Some(doubled(streak - 1))
            }
            // One probe that fails is enough.
            _ if streak >= STREAK || self.cooldown_until.is_some() => {
                Some(doubled(streak - STREAK))
            }
            _ => None,
        };
        let until = match rests_until {
            Some(wish) => Some(wish.clamp(now, now.saturating_add(LONGEST_WISH))),
            None => rest.map(|rest| now.saturating_add(rest)),
        };
        // An earlier wish for a longer rest still holds.
        let cooldown_until = self.cooldown_until.max(until);
        Self { streak, cooldown_until, last_error: Some(error), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Millis = 1_800_000_000_000;

    fn failed(health: Health, error: ErrorCode, now: Millis) -> Health {
        health.after(Verdict::Failed(error), None, now)
    }

    #[test]
    fn three_failures_in_a_row_open_the_breaker_and_a_success_closes_it() {
        let mut health = Health::default();
        for _ in 0..2 {
            health = failed(health, ErrorCode::ProviderTimeout, NOON);
            assert_eq!(health.breaker(NOON), Breaker::Closed);
        }
        health = failed(health, ErrorCode::ProviderTimeout, NOON);
        assert_eq!(health.breaker(NOON), Breaker::Open(NOON + FIRST_REST));
        let later = NOON + FIRST_REST;
        assert_eq!(health.breaker(later), Breaker::HalfOpen);
        // The probe fails: it rests longer.
        health = failed(health, ErrorCode::ProviderTimeout, later);
        assert_eq!(health.breaker(later), Breaker::Open(later + 2 * FIRST_REST));
        let well = health.after(Verdict::Works, None, later);
        assert_eq!(well, Health::default());
    }

    #[test]
    fn a_rest_is_never_longer_than_it_may_be() {
        let mut health = Health::default();
        for _ in 0..40 {
            health = failed(health, ErrorCode::ProviderUnavailable, NOON);
            assert!(health.cooldown_until.is_none_or(|until| until <= NOON + LONGEST_REST));
        }
        assert_eq!(health.cooldown_until, Some(NOON + LONGEST_REST));
        let far = health.after(
            Verdict::Failed(ErrorCode::ProviderRateLimit),
            Some(NOON + 90 * LONGEST_WISH),
            NOON,
        );
        assert_eq!(far.cooldown_until, Some(NOON + LONGEST_WISH));
    }

    #[test]
    fn what_the_provider_asks_for_counts_and_one_refusal_is_enough() {
        let limit = Verdict::Failed(ErrorCode::ProviderRateLimit);
        let health = Health::default().after(limit, Some(NOON + 2_000), NOON);
        assert_eq!(health.breaker(NOON), Breaker::Open(NOON + 2_000));
        let key = failed(Health::default(), ErrorCode::ProviderAuth, NOON);
        assert_eq!(key.breaker(NOON), Breaker::Open(NOON + PEOPLE_REST));
        // A probe that is taken ends the rest, and the streak stays until a good end.
        let taken = health.after(Verdict::Taken, None, NOON + 2_000);
        assert_eq!((taken.breaker(NOON), taken.streak), (Breaker::Closed, 1));
    }

    #[test]
    fn a_request_at_fault_says_that_the_account_works() {
        for (_, error) in ErrorCode::ALL {
            match Verdict::of(*error) {
                Some(Verdict::Failed(same)) => assert_eq!(same, *error),
                Some(Verdict::Works) => assert!(
                    error.word().starts_with("content_") || error.word().starts_with("param_")
                ),
                Some(Verdict::Taken) => panic!("an error is no submission that was taken"),
                None => assert!(matches!(error, ErrorCode::StorageFailed | ErrorCode::Cancelled)),
            }
        }
    }
}
