#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

pub mod asset;
pub mod backup;
pub mod cache;
pub mod clock;
pub mod doctor;
pub mod event;
pub mod guard;
pub mod http;
pub mod limit;
pub mod live;
mod log;
pub mod problem;
pub mod prompt;
pub mod provider;
mod server;
pub mod service;
pub mod signing;
pub mod store;
pub mod telemetry;
mod tidy;
pub mod trace;
pub mod vault;
pub mod webhook;
pub mod worker;

pub use server::{OpenError, Server, Settings, new_key};
