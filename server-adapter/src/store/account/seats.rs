//! Which account a row gets, pure: by priority, then the one that was not used for longest.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use onepath_core::lifecycle::ErrorCode;

use super::super::Millis;
use super::{Account, AccountNow, Breaker};

const DAY: Millis = 24 * 60 * 60_000;

/// When a row looks again that waits for a slot: whoever gives one back wakes it before.
const BUSY: Millis = 60_000;

/// When a row looks again that no account works for: only an operator changes that.
const NOBODY: Millis = 5 * 60_000;

/// For how long it is believed that an account has nothing left.
const CREDITS: Millis = 5 * 60_000;

/// Why a row waits although it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deferral {
    /// Every account has as many submissions as it may have at the same time.
    AccountsBusy,
    /// Every account rests after failures, or because the provider asked for it.
    AccountsCooling,
    /// No account has credits left for it.
    OutOfCredits,
    /// Every account has had its submissions of the day.
    DailyLimit,
    /// The provider has accounts, and none works for this tenant.
    NoAccount,
    /// The provider takes no more for now.
    ProviderLimit,
    /// This server does not know the provider.
    NoProvider,
}

impl Deferral {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::AccountsBusy,
        Self::AccountsCooling,
        Self::OutOfCredits,
        Self::DailyLimit,
        Self::NoAccount,
        Self::ProviderLimit,
        Self::NoProvider,
    ];

    /// The word it is kept as.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AccountsBusy => "accounts_busy",
            Self::AccountsCooling => "accounts_cooling",
            Self::OutOfCredits => "out_of_credits",
            Self::DailyLimit => "daily_limit",
            Self::NoAccount => "no_account",
            Self::ProviderLimit => "provider_limit",
            Self::NoProvider => "no_provider",
        }
    }

    /// The reason of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }

    /// Whether another provider is asked meanwhile, if there is one: this one makes nothing for now.
    /// A slot that is only taken comes back at any moment.
    #[must_use]
    pub const fn is_down(self) -> bool {
        !matches!(self, Self::AccountsBusy | Self::ProviderLimit)
    }

    /// What the run failed with if it waits for too long.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::AccountsBusy => ErrorCode::ProviderConcurrentLimit,
            Self::AccountsCooling | Self::ProviderLimit => ErrorCode::ProviderRateLimit,
            Self::OutOfCredits | Self::DailyLimit => ErrorCode::ProviderQuota,
            Self::NoAccount | Self::NoProvider => ErrorCode::ProviderUnavailable,
        }
    }
}

/// Until when a row waits, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Why.
    pub reason: Deferral,
    /// When it looks again.
    pub until: Millis,
}

/// What a row gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seat {
    /// The provider has no accounts: it is asked without one, and anything may run at once.
    Free,
    /// A slot of this account.
    Account(String),
    /// None for now.
    Wait(Wait),
}

/// Whether an account has a slot for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Free,
    None(Wait),
}

/// The accounts of some providers while rows are given theirs.
#[derive(Debug, Default)]
pub struct Seats {
    by_provider: BTreeMap<String, Vec<AccountNow>>,
    taken: BTreeMap<String, Millis>,
}

impl Seats {
    /// With the accounts of a provider, whoever works for whom.
    pub fn add(&mut self, provider: String, accounts: Vec<AccountNow>) {
        self.by_provider.insert(provider, accounts);
    }

    /// Gives a row of a tenant a slot, if there is one; `price` is in credits.
    pub fn take(&mut self, provider: &str, tenant: &str, price: Option<i64>, now: Millis) -> Seat {
        let Some(all) = self.by_provider.get_mut(provider).filter(|all| !all.is_empty()) else {
            return Seat::Free;
        };
        let mine = all.iter_mut().filter(|one| works_for(&one.account, tenant));
        let (mut free, mut waits) = (Vec::new(), Vec::new());
        for one in mine {
            match slot(one, price, now) {
                Slot::Free => free.push(one),
                Slot::None(wait) => waits.push(wait),
            }
        }
        free.sort_by_key(|one| {
            let account = &one.account;
            // Never used comes before used long ago.
            let unused = Reverse(account.health.last_used_at.is_none());
            (account.priority, unused, account.health.last_used_at, account.id.clone())
        });
        if let Some(one) = free.into_iter().next() {
            one.in_use += 1;
            one.today += 1;
            one.account.health.last_used_at = Some(now);
            self.taken.insert(one.account.id.clone(), now);
            return Seat::Account(one.account.id.clone());
        }
        Seat::Wait(soonest(&waits, now))
    }

    /// The accounts that were chosen, and when.
    #[must_use]
    pub fn taken(&self) -> &BTreeMap<String, Millis> {
        &self.taken
    }
}

fn works_for(account: &Account, tenant: &str) -> bool {
    account.enabled && account.tenant.as_deref().is_none_or(|owner| owner == tenant)
}

fn slot(one: &AccountNow, price: Option<i64>, now: Millis) -> Slot {
    let wait = |reason, until| Slot::None(Wait { reason, until });
    let account = &one.account;
    let concurrency = match account.health.breaker(now) {
        Breaker::Open(until) => return wait(Deferral::AccountsCooling, until),
        Breaker::HalfOpen => Some(1),
        Breaker::Closed => account.concurrency,
    };
    if let Some(credits) = &account.credits
        && !credits.pay_for(price)
        && credits.read_at.saturating_add(CREDITS) > now
    {
        return wait(Deferral::OutOfCredits, credits.read_at.saturating_add(CREDITS));
    }
    if account.daily_limit.is_some_and(|limit| one.today >= limit) {
        return wait(Deferral::DailyLimit, (now.div_euclid(DAY) + 1) * DAY);
    }
    if concurrency.is_some_and(|limit| one.in_use >= limit) {
        return wait(Deferral::AccountsBusy, now.saturating_add(BUSY));
    }
    Slot::Free
}

/// What a row waits for of several accounts: a slot, if one of them is only busy, because that may
/// come at any moment; else whatever comes first.
fn soonest(waits: &[Wait], now: Millis) -> Wait {
    let nobody = Wait { reason: Deferral::NoAccount, until: now.saturating_add(NOBODY) };
    let first = waits.iter().min_by_key(|wait| (wait.reason != Deferral::AccountsBusy, wait.until));
    first.copied().unwrap_or(nobody)
}

#[cfg(test)]
mod tests {
    use super::super::{CreditsRead, Health, KeySource};
    use super::*;

    const NOON: Millis = 1_800_014_400_000;

    fn account(id: &str, change: impl FnOnce(&mut AccountNow)) -> AccountNow {
        let account = Account {
            id: id.to_owned(),
            provider: "maker".to_owned(),
            tenant: None,
            endpoint: None,
            key: KeySource::None,
            priority: 5,
            concurrency: Some(1),
            daily_limit: None,
            enabled: true,
            created_at: 0,
            updated_at: 0,
            health: Health::default(),
            credits: None,
        };
        let mut one = AccountNow { account, in_use: 0, today: 0 };
        change(&mut one);
        one
    }

    fn seats(accounts: Vec<AccountNow>) -> Seats {
        let mut seats = Seats::default();
        seats.add("maker".to_owned(), accounts);
        seats
    }

    fn take(seats: &mut Seats) -> Seat {
        seats.take("maker", "studio", Some(5), NOON)
    }

    fn waits(accounts: Vec<AccountNow>) -> Wait {
        match take(&mut seats(accounts)) {
            Seat::Wait(wait) => wait,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn by_priority_then_the_one_not_used_for_longest() {
        let used = |at| move |one: &mut AccountNow| one.account.health.last_used_at = Some(at);
        let mut seats = seats(vec![
            account("late", |one| (one.account.priority, one.in_use) = (9, 0)),
            account("yesterday", used(2)),
            account("last week", used(1)),
            account("never", |_| ()),
        ]);
        let order: Vec<Seat> = (0..4).map(|_| take(&mut seats)).collect();
        let expected = ["never", "last week", "yesterday", "late"];
        assert_eq!(order, expected.map(|id| Seat::Account(id.to_owned())));
        let Seat::Wait(wait) = take(&mut seats) else { panic!("more than there are") };
        assert_eq!(wait, Wait { reason: Deferral::AccountsBusy, until: NOON + BUSY });
        assert_eq!(seats.taken().len(), 4);
    }

    #[test]
    fn a_provider_without_accounts_has_no_limits() {
        let mut seats = seats(vec![]);
        for _ in 0..100 {
            assert_eq!(take(&mut seats), Seat::Free);
        }
        assert_eq!(seats.take("unheard of", "studio", None, NOON), Seat::Free);
    }

    #[test]
    fn what_is_private_works_for_its_tenant_only() {
        let private = |tenant: &str| {
            let tenant = Some(tenant.to_owned());
            account("a", move |one| one.account.tenant = tenant)
        };
        assert_eq!(take(&mut seats(vec![private("studio")])), Seat::Account("a".to_owned()));
        assert_eq!(waits(vec![private("another")]).reason, Deferral::NoAccount);
        let off = account("a", |one| one.account.enabled = false);
        assert_eq!(waits(vec![off]).reason, Deferral::NoAccount);
    }

    #[test]
    fn each_reason_is_told_with_its_time() {
        let credits = |left: i64, read_at| {
            account("a", move |one| {
                let amounts = [("web".to_owned(), 0), ("openapi".to_owned(), left)].into();
                one.account.credits = Some(CreditsRead { amounts, read_at });
            })
        };
        assert_eq!(
            waits(vec![credits(4, NOON)]),
            Wait { reason: Deferral::OutOfCredits, until: NOON + CREDITS }
        );
        assert_eq!(take(&mut seats(vec![credits(5, NOON)])), Seat::Account("a".to_owned()));
        // Nobody knows how it is by now: the provider is asked again.
        assert_eq!(take(&mut seats(vec![credits(0, NOON - CREDITS)])), Seat::Account("a".into()));

        let tired = |one: &mut AccountNow| one.account.health.cooldown_until = Some(NOON + 7);
        assert_eq!(
            waits(vec![account("a", tired)]),
            Wait { reason: Deferral::AccountsCooling, until: NOON + 7 }
        );
        let spent = account("a", |one| (one.account.daily_limit, one.today) = (Some(3), 3));
        let midnight = NOON / DAY * DAY + DAY;
        assert_eq!(
            waits(vec![spent.clone()]),
            Wait { reason: Deferral::DailyLimit, until: midnight }
        );
        // A slot may come at any moment.
        let busy = account("b", |one| one.in_use = 1);
        assert_eq!(waits(vec![spent, busy]).reason, Deferral::AccountsBusy);
    }

    #[test]
    fn who_has_rested_takes_one_at_a_time() {
        let rested = account("a", |one| {
            one.account.concurrency = None;
            one.account.health.cooldown_until = Some(NOON);
        });
        let mut seats = seats(vec![rested]);
        assert_eq!(take(&mut seats), Seat::Account("a".to_owned()));
        assert!(matches!(take(&mut seats), Seat::Wait(_)));
    }

    #[test]
    fn every_reason_is_read_as_it_was_written() {
        for reason in Deferral::ALL {
            assert_eq!(Deferral::parse(reason.word()), Some(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.word());
        }
        assert_eq!(Deferral::parse("bored"), None);
    }
}
