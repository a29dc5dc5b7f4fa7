//! Accounts at providers.

use async_trait::async_trait;
use onepath_core::lifecycle::ErrorCode;

use super::super::account::{
    Account, AccountNow, AccountQuery, AccountStore, CreditsRead, Deferral, Health, Seats, Verdict,
};
use super::super::decide::{AccountOutcome, uses_slot};
use super::super::{Millis, Result};
use super::{MemoryStore, Tables};
use crate::provider::Credits;

const DAY: Millis = 24 * 60 * 60_000;

impl Tables {
    /// Every account with what is counted of it.
    fn counted(&self, now: Millis) -> Vec<AccountNow> {
        let midnight = now.div_euclid(DAY) * DAY;
        let count = |id: &str| {
            let using = self.rows.values().filter(|row| row.account.as_deref() == Some(id));
            let using: Vec<_> = using.filter(|row| uses_slot(row, now)).collect();
            let sent = self.attempts.values().flatten().filter(|attempt| {
                let turned_away = matches!(
                    attempt.error,
                    Some(
                        ErrorCode::ProviderQuota
                            | ErrorCode::ProviderRateLimit
                            | ErrorCode::ProviderConcurrentLimit
                    )
                );
                attempt.account.as_deref() == Some(id)
                    && attempt.submitted_at >= midnight
                    && !turned_away
            });
            let unsent = using.iter().filter(|row| row.lease_until.is_some() && is_unsent(row));
            (using.len(), sent.count() + unsent.count())
        };
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.accounts
            .values()
            .map(|account| {
                let (in_use, today) = count(&account.id);
                AccountNow { account: account.clone(), in_use: whole(in_use), today: whole(today) }
            })
            .collect()
    }

    pub(super) fn seats(&self, now: Millis) -> Seats {
        let mut seats = Seats::default();
        let mut all = self.counted(now);
        while let Some(provider) = all.first().map(|one| one.account.provider.clone()) {
            let (mine, others) = all.into_iter().partition(|one| one.account.provider == provider);
            seats.add(provider, mine);
            all = others;
        }
        seats
    }

    pub(super) fn chosen(&mut self, seats: &Seats) {
        for (id, at) in seats.taken() {
            if let Some(account) = self.accounts.get_mut(id) {
                account.health.last_used_at = Some(*at);
            }
        }
    }

    pub(super) fn outcome(&mut self, outcome: &AccountOutcome, now: Millis) {
        let Some(account) = self.accounts.get_mut(&outcome.account) else { return };
        let before = account.health;
        account.health = before.after(outcome.verdict, outcome.rests_until, now);
        if before.cooldown_until.is_some() && account.health.cooldown_until.is_none() {
            let provider = account.provider.clone();
            self.wake_all(&provider, now);
        }
    }

    /// The first of those who wait for a slot looks at once.
    pub(super) fn wake(&mut self, account: &str, now: Millis) {
        let Some(account) = self.accounts.get(account) else { return };
        let waiting = self.rows.values_mut().filter(|row| {
            row.provider() == account.provider
                && row.deferred == Some(Deferral::AccountsBusy)
                && row.next_run_at > now
                && account.tenant.as_ref().is_none_or(|tenant| *tenant == row.tenant)
        });
        let first = waiting.min_by_key(|row| (row.priority, row.created_at, row.id.clone()));
        if let Some(row) = first {
            row.next_run_at = row.created_at;
        }
    }

    fn wake_all(&mut self, provider: &str, now: Millis) {
        for row in self.rows.values_mut() {
            let waits = row.deferred.is_some_and(|reason| {
                !matches!(reason, Deferral::ProviderLimit | Deferral::NoProvider)
            });
            if waits && row.provider() == provider && row.next_run_at > now {
                row.next_run_at = row.created_at;
            }
        }
    }
}

/// Whether nothing was sent yet.
fn is_unsent(row: &super::Row) -> bool {
    use onepath_core::lifecycle::{Attempt, State};
    matches!(row.state, State::Processing { attempt: Attempt::Claimed, .. })
}

#[async_trait]
impl AccountStore for MemoryStore {
    async fn put_account(&self, account: Account) -> Result<bool> {
        let mut tables = self.tables();
        let known = tables.accounts.get(&account.id);
        if known.is_some_and(|known| known.provider != account.provider) {
            return Ok(false);
        }
        let (provider, now) = (account.provider.clone(), account.updated_at);
        let (created_at, health, credits) = match known {
            Some(known) => (known.created_at, known.health, known.credits.clone()),
            None => (account.created_at, Health::default(), None),
        };
        let account = Account { created_at, health, credits, ..account };
        tables.accounts.insert(account.id.clone(), account);
        tables.wake_all(&provider, now);
        Ok(true)
    }

    async fn remove_account(&self, id: &str, now: Millis) -> Result<bool> {
        let mut tables = self.tables();
        if tables.rows.values().any(|row| row.account.as_deref() == Some(id)) {
            return Ok(false);
        }
        let Some(account) = tables.accounts.remove(id) else { return Ok(false) };
        tables.wake_all(&account.provider, now);
        Ok(true)
    }

    async fn account(&self, id: &str) -> Result<Option<Account>> {
        Ok(self.tables().accounts.get(id).cloned())
    }

    async fn accounts(&self, query: &AccountQuery, now: Millis) -> Result<Vec<AccountNow>> {
        let mut all = self.tables().counted(now);
        all.retain(|AccountNow { account, .. }| {
            query.provider.as_ref().is_none_or(|provider| account.provider == *provider)
                && (query.tenant.is_none()
                    || account.tenant.is_none()
                    || account.tenant == query.tenant)
        });
        all.sort_by_key(|AccountNow { account, .. }| {
            (account.provider.clone(), account.priority, account.id.clone())
        });
        Ok(all)
    }

    async fn put_credits(&self, id: &str, credits: Credits, now: Millis) -> Result<()> {
        let mut tables = self.tables();
        let Some(account) = tables.accounts.get_mut(id) else { return Ok(()) };
        let gained = account.credits.as_ref().is_some_and(|old| {
            credits.iter().any(|(kind, left)| old.amounts.get(kind).unwrap_or(&0) < left)
        });
        account.credits = Some(CreditsRead { amounts: credits, read_at: now });
        let provider = account.provider.clone();
        if gained {
            tables.wake_all(&provider, now);
        }
        Ok(())
    }

    async fn account_failed(
        &self,
        id: &str,
        error: ErrorCode,
        rests_until: Option<Millis>,
        now: Millis,
    ) -> Result<()> {
        let verdict = Verdict::Failed(error);
        let outcome = AccountOutcome { account: id.to_owned(), verdict, rests_until };
        self.tables().outcome(&outcome, now);
        Ok(())
    }

    async fn heal_account(&self, id: &str, now: Millis) -> Result<bool> {
        let mut tables = self.tables();
        let Some(account) = tables.accounts.get_mut(id) else { return Ok(false) };
        account.health = account.health.after(Verdict::Works, None, now);
        account.credits = None;
        let provider = account.provider.clone();
        tables.wake_all(&provider, now);
        Ok(true)
    }
}
