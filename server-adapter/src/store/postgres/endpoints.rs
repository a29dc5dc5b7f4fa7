//! Endpoints of tenants, and the messages to them.

use async_trait::async_trait;

use super::super::endpoints::{Endpoint, EndpointStore, Message};
use super::super::sql::endpoints;
use super::super::{Millis, Result, StoreError};
use super::{PostgresStore, Remote, Tries, WRITE, connection};

#[async_trait]
impl EndpointStore for PostgresStore {
    async fn put_endpoint(&self, endpoint: Endpoint) -> Result<()> {
        write!(self, |tx| endpoints::put(tx, &endpoint))
    }

    async fn mark_endpoint(
        &self,
        id: &str,
        failing_since: Option<Millis>,
        disabled: Option<(Millis, String)>,
    ) -> Result<()> {
        let id = id.to_owned();
        write!(self, |tx| endpoints::mark(tx, &id, failing_since, disabled.as_ref()))
    }

    async fn endpoints(&self, tenant: Option<&str>) -> Result<Vec<Endpoint>> {
        let tenant = tenant.map(str::to_owned);
        ask!(self, |tx| endpoints::all(tx, tenant.as_deref()))
    }

    async fn remove_endpoint(&self, tenant: &str, id: &str) -> Result<bool> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        write!(self, |tx| endpoints::remove(tx, &tenant, &id))
    }

    async fn told_until(&self) -> Result<i64> {
        ask!(self, |tx| endpoints::told_until(tx))
    }

    async fn add_messages(&self, messages: Vec<Message>, told_until: i64) -> Result<()> {
        write!(self, |tx| endpoints::add(tx, &messages, told_until))
    }

    async fn claim_messages(
        &self,
        now: Millis,
        lease_until: Millis,
        limit: usize,
        each: usize,
    ) -> Result<Vec<Message>> {
        write!(self, |tx| endpoints::claim(tx, (now, lease_until), limit, each))
    }

    async fn end_message(&self, message: Message) -> Result<bool> {
        write!(self, |tx| endpoints::end(tx, &message))
    }

    async fn messages(
        &self,
        endpoint: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let (endpoint, before) = (endpoint.to_owned(), before.map(str::to_owned));
        ask!(self, |tx| endpoints::messages(tx, &endpoint, before.as_deref(), limit))
    }

    async fn replay_message(&self, endpoint: &str, id: &str, now: Millis) -> Result<bool> {
        let (endpoint, id) = (endpoint.to_owned(), id.to_owned());
        write!(self, |tx| endpoints::replay(tx, &endpoint, &id, now))
    }

    async fn forget_messages(&self, before: Millis) -> Result<u64> {
        write!(self, |tx| endpoints::forget(tx, before))
    }
}
