//! Endpoints of tenants in memory, and the messages to them.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::super::endpoints::{Endpoint, EndpointStore, Message};
use super::super::{Millis, Result};
use super::MemoryStore;

/// What is kept of endpoints.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    all: BTreeMap<String, Endpoint>,
    messages: BTreeMap<String, Message>,
    told_until: i64,
}

#[async_trait]
impl EndpointStore for MemoryStore {
    async fn put_endpoint(&self, endpoint: Endpoint) -> Result<()> {
        self.tables().endpoints.all.insert(endpoint.id.clone(), endpoint);
        Ok(())
    }

    async fn mark_endpoint(
        &self,
        id: &str,
        failing_since: Option<Millis>,
        disabled: Option<(Millis, String)>,
    ) -> Result<()> {
        if let Some(one) = self.tables().endpoints.all.get_mut(id) {
            (one.failing_since, one.disabled) = (failing_since, disabled);
        }
        Ok(())
    }

    async fn endpoints(&self, tenant: Option<&str>) -> Result<Vec<Endpoint>> {
        let tables = self.tables();
        let of = |one: &&Endpoint| tenant.is_none_or(|tenant| one.tenant == tenant);
        let mut all: Vec<Endpoint> = tables.endpoints.all.values().filter(of).cloned().collect();
        all.sort_by_key(|one| (one.created_at, one.id.clone()));
        Ok(all)
    }

    async fn remove_endpoint(&self, tenant: &str, id: &str) -> Result<bool> {
        let kept = &mut self.tables().endpoints;
        if kept.all.get(id).is_none_or(|one| one.tenant != tenant) {
            return Ok(false);
        }
        kept.messages.retain(|_, one| one.endpoint != id);
        Ok(kept.all.remove(id).is_some())
    }

    async fn told_until(&self) -> Result<i64> {
        Ok(self.tables().endpoints.told_until)
    }

    async fn add_messages(&self, messages: Vec<Message>, told_until: i64) -> Result<()> {
        let kept = &mut self.tables().endpoints;
        for one in messages {
            let same = |known: &Message| {
                (&known.endpoint, &known.message) == (&one.endpoint, &one.message)
            };
            if !kept.messages.values().any(same) {
                kept.messages.insert(one.id.clone(), one);
            }
        }
        kept.told_until = kept.told_until.max(told_until);
        Ok(())
    }

    async fn claim_messages(
        &self,
        now: Millis,
        lease_until: Millis,
        limit: usize,
        each: usize,
    ) -> Result<Vec<Message>> {
        let kept = &mut self.tables().endpoints;
        let mut due = Vec::new();
        for endpoint in kept.all.values().filter(|one| one.disabled.is_none()) {
            let mine = || kept.messages.values().filter(|one| one.endpoint == endpoint.id);
            if mine().filter(|one| one.leased && one.due_at > Some(now)).count() >= each {
                continue;
            }
            let mut ready: Vec<(Millis, String)> = mine()
                .filter_map(|one| Some((one.due_at.filter(|at| *at <= now)?, one.id.clone())))
                .collect();
            ready.sort();
            due.extend(ready.into_iter().take(each));
        }
        due.sort();
        let mut claimed = Vec::new();
        for (_, id) in due.into_iter().take(limit) {
            if let Some(one) = kept.messages.get_mut(&id) {
                (one.fence, one.leased, one.due_at) = (one.fence + 1, true, Some(lease_until));
                claimed.push(one.clone());
            }
        }
        Ok(claimed)
    }

    async fn end_message(&self, message: Message) -> Result<bool> {
        let mut tables = self.tables();
        let known = tables.endpoints.messages.get_mut(&message.id);
        let Some(known) = known.filter(|one| one.leased && one.fence == message.fence) else {
            return Ok(false);
        };
        *known = Message { leased: false, ..message };
        Ok(true)
    }

    async fn messages(
        &self,
        endpoint: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let tables = self.tables();
        let all = tables.endpoints.messages.values().rev();
        let of = |one: &&Message| {
            one.endpoint == endpoint && before.is_none_or(|id| one.id.as_str() < id)
        };
        Ok(all.filter(of).take(limit).cloned().collect())
    }

    async fn replay_message(&self, endpoint: &str, id: &str, now: Millis) -> Result<bool> {
        let mut tables = self.tables();
        let known = tables.endpoints.messages.get_mut(id).filter(|one| one.endpoint == endpoint);
        Ok(known
            .map(|one| {
                (one.due_at, one.attempts, one.delivered) = (Some(now), 0, false);
                (one.leased, one.fence) = (false, one.fence + 1);
            })
            .is_some())
    }

    async fn forget_messages(&self, before: Millis) -> Result<u64> {
        let kept = &mut self.tables().endpoints;
        let count = kept.messages.len();
        kept.messages.retain(|_, one| one.created_at >= before || one.due_at.is_some());
        Ok((count - kept.messages.len()) as u64)
    }
}
