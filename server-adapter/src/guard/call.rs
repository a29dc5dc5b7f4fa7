//! Fetching through the guard: from hosts that are named, hop by hop, and never more than wanted.

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, Response, Url};

use super::{Guard, GuardError, Refused, refuse};

/// Hosts that are named: `host`, or `*.domain` for everything under a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// These.
    pub fn new<H: AsRef<str>>(hosts: impl IntoIterator<Item = H>) -> Self {
        Self(hosts.into_iter().map(|host| host.as_ref().to_ascii_lowercase()).collect())
    }

    /// Whether the host of a URL is among them.
    #[must_use]
    pub fn name(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().any(|known| match known.strip_prefix('*') {
            // The dot stays: `*.example.com` is not `badexample.com`.
            Some(domain) => domain.starts_with('.') && host.ends_with(domain),
            None => known == host,
        })
    }
}

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Fetch<'f> {
    /// Where it lies.
    pub url: &'f Url,
    /// From which hosts it may come, after redirects too; any public one if absent.
    pub hosts: Option<&'f Hosts>,
    /// Sent to the URL's own host and port, never to where it redirects.
    pub headers: HeaderMap,
    /// Redirects that are followed at most.
    pub redirects: u32,
}

impl<'f> Fetch<'f> {
    /// From anywhere public, without redirects.
    #[must_use]
    pub fn new(url: &'f Url) -> Self {
        Self { url, hosts: None, headers: HeaderMap::new(), redirects: 0 }
    }
}

impl Guard {
    /// Fetches. The answer's status is the caller's to look at; its body is still to come.
    ///
    /// # Errors
    ///
    /// A hop must not be called, there are too many, or nobody answers.
    pub async fn fetch(&self, ask: &Fetch<'_>) -> Result<Response, GuardError> {
        let mut url = ask.url.clone();
        let mut left = ask.redirects;
        loop {
            if ask.hosts.is_some_and(|hosts| !hosts.name(&url)) {
                let host = url.host_str().unwrap_or_default();
                return Err(
                    refuse(format!("`{host}` is not among the hosts it may come from")).into()
                );
            }
            let mut request = self.request(Method::GET, &url)?;
            if url.origin() == ask.url.origin() {
                request = request.headers(ask.headers.clone());
            }
            let response = request.send().await?;
            let Some(next) = next_hop(&url, &response)? else { return Ok(response) };
            left = left.checked_sub(1).ok_or_else(|| refuse("it redirects too often"))?;
            url = next;
        }
    }
}

/// Where a response redirects, if it does.
fn next_hop(url: &Url, response: &Response) -> Result<Option<Url>, Refused> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let broken = || refuse("it redirects to what is no URL");
    let next = url.join(location.to_str().map_err(|_| broken())?).map_err(|_| broken())?;
    Ok(Some(next))
}

/// The body of a response, if it has no more than `most` bytes. Never holds more than these.
///
/// # Errors
///
/// It is larger, or breaks off.
pub async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, GuardError> {
    let too_large = || GuardError::TooLarge(most as u64);
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len().saturating_add(chunk.len()) > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
