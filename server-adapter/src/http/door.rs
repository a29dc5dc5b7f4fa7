//! How the door is kept: whose pages may call, how often a key may, and how long it waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderName, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::App;
use super::reply::set;
use crate::clock::hex;
use crate::limit::{Rate, Taken};
use crate::problem::{LimitReport, Problem, ProblemCode};
use crate::store::Millis;

/// How a door is kept.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// The origins whose pages may call; without any, only pages of the server itself.
    pub origins: Origins,
    /// How often a key may call.
    pub rates: Rates,
    /// How long it waits.
    pub patience: Patience,
}

/// How long the door waits for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the head of a request; also how long an idle connection is kept.
    pub head: Duration,
    /// For the whole of a body.
    pub body: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), body: Duration::from_secs(30) }
    }
}

/// How often a key may call; what is absent is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Calls of any kind.
    pub calls: Option<Rate>,
    /// Calls that may start a run.
    pub creates: Option<Rate>,
}

/// Origins such as `https://studio.example`. There is no `*`: whose pages may use a key is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Origins as browsers write them: scheme, host, and a port if it is not the usual one.
    ///
    /// # Errors
    ///
    /// Which one is none, and why.
    pub fn parse<'o>(origins: impl IntoIterator<Item = &'o str>) -> Result<Self, String> {
        let mut all = Vec::new();
        for origin in origins {
            let host =
                ["http://", "https://"].iter().find_map(|scheme| origin.strip_prefix(scheme));
            let good = host.is_some_and(|host| {
                !host.is_empty()
                    && host.bytes().all(|byte| {
                        matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b':' | b'[' | b']')
                    })
            });
            if !good {
                return Err(format!(
                    "`{origin}` is no origin: scheme, host and port in lower case, such as \
                     https://studio.example or http://localhost:5173; there is no wildcard"
                ));
            }
            all.push(origin.to_owned());
        }
        Ok(Self(all))
    }

    fn allow(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|known| known.as_bytes() == origin.as_bytes())
    }
}

/// Headers that pages may send.
const SENT: &str = "authorization, content-type, idempotency-key, if-match, if-none-match, \
                    last-event-id, onepath-user, prefer, traceparent";

/// Headers that pages may read.
const READ: &str = "etag, idempotency-replayed, link, location, preference-applied, ratelimit, \
                    ratelimit-policy, retry-after";

/// Marks routes that may start a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct StartsRun;

/// What a call took from its key's rates.
#[derive(Debug, Clone, Default)]
pub(super) struct Used(Arc<Mutex<Vec<Count>>>);

/// What it took from one of them.
#[derive(Debug, Clone, Copy)]
struct Count {
    name: &'static str,
    rate: Rate,
    taken: Taken,
}

impl Door {
    /// Whether anything is to be done beside answering.
    pub(super) fn is_kept(&self) -> bool {
        !self.origins.0.is_empty() || self.rates != Rates::default()
    }
}

/// Stands before every route.
pub(super) async fn keep(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let origins = &app.door.origins;
    let origin = request.headers().get(ORIGIN).filter(|origin| origins.allow(origin)).cloned();
    let asks_first = request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_first && origin.is_some() {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        set(headers, ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, DELETE");
        set(headers, ACCESS_CONTROL_ALLOW_HEADERS, SENT);
        set(headers, ACCESS_CONTROL_MAX_AGE, "600");
        response
    } else {
        let used = Used::default();
        request.extensions_mut().insert(used.clone());
        let mut response = next.run(request).await;
        used.tell(response.headers_mut());
        response
    };
    let headers = response.headers_mut();
    if !origins.0.is_empty() {
        // Caches on the way keep one answer for each origin.
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        set(headers, ACCESS_CONTROL_EXPOSE_HEADERS, READ);
    }
    response
}

impl Used {
    /// The headers `RateLimit-Policy` and `RateLimit`: what is allowed, and what is left.
    fn tell(&self, headers: &mut HeaderMap) {
        let used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.is_empty() {
            return;
        }
        let list =
            |item: &dyn Fn(&Count) -> String| used.iter().map(item).collect::<Vec<_>>().join(", ");
        let policy = list(&|Count { name, rate, .. }| {
            format!("\"{name}\";q={};w={}", rate.quota(), rate.window().as_secs().max(1))
        });
        let left = list(&|Count { name, taken, .. }| {
            format!("\"{name}\";r={};t={}", taken.remaining, seconds(taken.full_in))
        });
        set(headers, HeaderName::from_static("ratelimit-policy"), &policy);
        set(headers, HeaderName::from_static("ratelimit"), &left);
    }
}

impl App {
    /// Counts a call of a key, which is named by its hash.
    ///
    /// # Errors
    ///
    /// `RATE_LIMITED`.
    pub(super) async fn count(
        &self,
        key: &[u8],
        starts_run: bool,
        used: Option<&Used>,
        now: Millis,
    ) -> Result<(), Problem> {
        let Rates { calls, creates } = self.door.rates;
        for (name, rate) in [("creates", creates.filter(|_| starts_run)), ("calls", calls)] {
            let Some(rate) = rate else { continue };
            let bucket = [name, ":", &hex(key)].concat();
            let taken = self.limiter.take(&bucket, rate, now).await;
            if let Some(used) = used {
                let mut used = used.0.lock().unwrap_or_else(PoisonError::into_inner);
                used.push(Count { name, rate, taken });
            }
            if !taken.allowed {
                return Err(limited(name, rate, taken, now));
            }
        }
        Ok(())
    }
}

fn limited(name: &'static str, rate: Rate, taken: Taken, now: Millis) -> Problem {
    let wait = seconds(taken.next_in).max(1);
    let detail = format!(
        "{} {name} in {} seconds are allowed: try again in {wait} seconds",
        rate.quota(),
        rate.window().as_secs_f64()
    );
    let mut problem = Problem::new(ProblemCode::RateLimited, detail);
    problem.retry_after = Some(wait);
    problem.limit = Some(Box::new(LimitReport {
        name,
        allowed: i64::from(rate.quota()),
        remaining: i64::from(taken.remaining),
        resets_at: Some(crate::clock::rfc3339(now.saturating_add(taken.full_in))),
    }));
    problem
}

/// Whole seconds that are long enough.
fn seconds(millis: Millis) -> i64 {
    millis.saturating_add(999) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_named_one_by_one() {
        let good = ["https://studio.example", "http://localhost:5173", "http://[::1]:80"];
        let origins = Origins::parse(good).unwrap();
        let allow = |text: &str| origins.allow(&HeaderValue::from_str(text).unwrap());
        assert!(good.into_iter().all(allow));
        for other in ["null", "https://studio.example.evil", "https://studio.example:8443", "*"] {
            assert!(!allow(other), "{other}");
        }
        for wrong in
            ["*", "null", "", "https://", "studio.example", "https://a/", "https://A", "ws://a"]
        {
            assert!(Origins::parse([wrong]).is_err(), "{wrong}");
        }
    }
}
