//! Threats, each with the test that it does not come true (`sec_<number>`).

mod data;
mod door;
mod secrets;
mod walls;
