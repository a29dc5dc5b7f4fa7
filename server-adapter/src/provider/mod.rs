//! Providers: who makes what is asked for.
//!
//! [`Provider`] is the port. An adapter maps what its provider says, status and errors, totally
//! onto core's words; what a provider says in its own words is kept for operators only.

mod account;
mod delivery;
mod local;
mod port;
mod registry;

pub use account::{Credentials, Credits, Secret};
pub use delivery::{Delivery, WebhookRefused, WebhookReport};
pub use local::Local;
pub use port::{
    Charged, File, Found, NoAnswer, Output, Provider, Refusal, Standing, Submission, SubmitError,
};
pub use registry::Providers;
