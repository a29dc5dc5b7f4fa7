//! The HTTP door: one table of routes that makes both the router and its OpenAPI description.

mod accounts;
mod assets;
mod auth;
mod body;
mod cache;
mod docs;
mod door;
mod endpoints;
mod events;
mod generations;
mod jobs;
mod legacy;
mod listen;
mod meta;
mod multipart;
mod openapi;
mod pages;
mod path;
mod prompts;
mod reply;
mod settings;
mod table;
mod telemetry;
mod uploading;
mod webhooks;

use std::sync::Arc;

use axum::Router;

use crate::limit::{Limiter, MemoryLimiter};
use crate::service::Service;

pub use auth::{KeyRing, hash_key};
pub use door::{Door, Origins, Patience, Rates};
pub use listen::serve;
pub use openapi::openapi;
pub use pages::{PageFile, Pages};

/// What handlers share.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) service: Arc<Service>,
    pub(crate) keys: KeyRing,
    door: Arc<Door>,
    limiter: Arc<dyn Limiter>,
    uploading: uploading::Uploading,
}

impl App {
    /// An application around a service. Nothing limits how often a key calls, and no page of
    /// another origin may.
    #[must_use]
    pub fn new(service: Service) -> Self {
        let keys = KeyRing::new(Arc::clone(&service.store));
        let limiter = Arc::new(MemoryLimiter::default());
        Self {
            service: Arc::new(service),
            keys,
            door: Arc::default(),
            limiter,
            uploading: uploading::Uploading::default(),
        }
    }

    /// With a door that is kept so.
    #[must_use]
    pub fn with_door(self, door: Door) -> Self {
        Self { door: Arc::new(door), ..self }
    }

    /// With calls that are counted elsewhere: for several servers with one limit.
    #[must_use]
    pub fn with_limiter(self, limiter: Arc<dyn Limiter>) -> Self {
        Self { limiter, ..self }
    }

    /// The router, ready to be served or merged into another application.
    pub fn router(self) -> Router {
        table::router(self)
    }
}
