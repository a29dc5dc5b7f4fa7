//! The HTTP door: one table of routes that makes both the router and its OpenAPI description.

mod accounts;
mod assets;
mod auth;
mod body;
mod cache;
mod events;
mod generations;
mod jobs;
mod listen;
mod meta;
mod multipart;
mod openapi;
mod pages;
mod path;
mod reply;
mod table;
mod telemetry;
mod webhooks;

use std::sync::Arc;

use axum::Router;

use crate::service::Service;

pub use auth::{KeyRing, hash_key};
pub use listen::serve;
pub use openapi::openapi;
pub use pages::{PageFile, Pages};

/// What handlers share.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) service: Arc<Service>,
    pub(crate) keys: KeyRing,
}

impl App {
    /// An application around a service.
    #[must_use]
    pub fn new(service: Service) -> Self {
        let keys = KeyRing::new(Arc::clone(&service.store), Arc::clone(&service.clock));
        Self { service: Arc::new(service), keys }
    }

    /// The router, ready to be served or merged into another application.
    pub fn router(self) -> Router {
        table::router(self)
    }
}
