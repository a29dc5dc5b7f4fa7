//! A provider that does what each request tells it to, and writes down what it charged for.
//!
//! It runs in the program that judges, so that it outlives every server: [`Fake`] is its HTTP,
//! [`Book`] what it knows, [`Scripted`] the server's adapter for it, and [`charges`] reads its log.

mod adapter;
mod book;
mod http;
mod script;

pub use adapter::Scripted;
pub use book::{Book, Charge, Keeping, Prediction, Reception, charges};
pub use http::{Fake, picture};
pub use script::{Act, Answer, Ending};
