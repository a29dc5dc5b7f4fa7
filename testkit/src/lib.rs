//! What tries the server: a provider that does as it is told, and programs that kill, stop and starve
//! the real one and count what became of its work (`cargo xtask faults`).

pub mod fake;
pub mod random;

/// What anything gives that can go wrong for reasons of its own.
pub type Fallible<T> = Result<T, String>;

/// Lets HTTP clients of this program be made: one of its parts must say who encrypts.
pub fn ready() {
    // Another part may have said so before; either is good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
