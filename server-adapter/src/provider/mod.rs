//! Providers: who makes what is asked for.
//!
//! [`Provider`] is the port. An adapter maps what its provider says, status and errors, totally
//! onto core's words; what a provider says in its own words is kept for operators only.
//!
//! An adapter is a folder with the same files in each (`client` the calls, `params` a request as a
//! body, `status` the answers in core's words, `webhook` what comes in; the middle two are pure) and
//! a line in `ADAPTERS`. What it declares is data of core. `docs/adapters.md` shows a small one.

mod account;
mod comfyui;
mod delivery;
mod fal;
mod keyring;
mod local;
mod media;
mod models;
mod openai;
mod params;
mod pixverse;
mod port;
mod registry;
mod replicate;
mod setup;
mod shelf;
mod wire;

use onepath_core::ProviderInfo;

pub use account::{Credentials, Credits, Secret};
pub use delivery::{Delivery, WebhookRefused, WebhookReport};
pub use local::Local;
pub use params::{FileField, Params, Places};
pub use port::{
    Charged, Copies, File, Found, Hint, NoAnswer, Output, Provider, Refusal, Standing, Submission,
    SubmitError,
};
pub use registry::Providers;
pub use setup::{ProviderSettings, SetupError};

pub(crate) use setup::open;

/// Every provider that can be set up, one line each; `local` needs no setting up.
const ADAPTERS: &[setup::Adapter] =
    &[replicate::ADAPTER, pixverse::ADAPTER, fal::ADAPTER, comfyui::ADAPTER, openai::ADAPTER];

/// What a provider declares about itself.
fn declared(id: &str) -> Option<&'static ProviderInfo<'static>> {
    onepath_core::providers().iter().find(|info| info.id.as_str() == id)
}
