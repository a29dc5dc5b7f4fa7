//! A store that keeps nothing: every create is answered as a new one, at once.

use async_trait::async_trait;
use onepath_server::store::{
    Advance, Advanced, Answer, Asset, Cancelled, Claim, Claimed, Created, Event, Generation, Key,
    ListQuery, Millis, NewGeneration, Page, Reader, Result, Role, Row, Store, StoreError,
};

/// What stands where a database would.
#[derive(Debug)]
pub(crate) struct NoStore;

fn nothing<T>() -> Result<T> {
    Err(StoreError::Unavailable("nothing is kept here".to_owned()))
}

#[async_trait]
impl Store for NoStore {
    async fn create(&self, new: NewGeneration) -> Result<Created> {
        Ok(Created { answer: Answer::Created, row: new.row(1) })
    }

    async fn preview(&self, _: &NewGeneration) -> Result<(Answer, Option<Row>)> {
        nothing()
    }

    async fn get(&self, _: &Reader, _: &str) -> Result<Option<Generation>> {
        nothing()
    }

    async fn list(&self, _: &Reader, _: &ListQuery) -> Result<Page> {
        nothing()
    }

    async fn claim(&self, _: &Claim) -> Result<Vec<Claimed>> {
        nothing()
    }

    async fn next_due(&self) -> Result<Option<Millis>> {
        nothing()
    }

    async fn heartbeat(&self, _: &str, _: i64, _: Millis) -> Result<bool> {
        nothing()
    }

    async fn end_leases(&self, _: Millis) -> Result<u64> {
        nothing()
    }

    async fn advance(&self, _: &Advance) -> Result<Option<Advanced>> {
        nothing()
    }

    async fn cancel(&self, _: &Reader, _: &str, _: Millis) -> Result<Option<Cancelled>> {
        nothing()
    }

    async fn asset(&self, _: &Reader, _: &str) -> Result<Option<Asset>> {
        nothing()
    }

    async fn events(&self, _: &Reader, _: &str) -> Result<Vec<Event>> {
        nothing()
    }

    async fn add_key(&self, _: Key) -> Result<()> {
        nothing()
    }

    async fn key(&self, hash: &str) -> Result<Option<Key>> {
        let reader = Reader { tenant: "bench".to_owned(), user: "bench".to_owned() };
        Ok(Some(Key {
            hash: hash.to_owned(),
            name: "bench".to_owned(),
            reader,
            role: Role::Backend,
            created_at: 0,
        }))
    }

    async fn count_keys(&self) -> Result<u64> {
        Ok(1)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}
