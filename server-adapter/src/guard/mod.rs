//! The guard: every call to an address that came from outside goes through it.
//!
//! A URL in a request, the target of a webhook, the place of a provider's output: whoever wrote it
//! may have meant our own network. So its scheme, port and spelling are looked at, its name is
//! resolved here, every address is looked at, and the call goes to exactly these addresses. No
//! redirect is followed unless each hop passes the same way.
//!
//! ```no_run
//! # use onepath_server::guard::{Guard, GuardError, GuardRules, Hosts, body};
//! # async fn example() -> Result<(), GuardError> {
//! let guard = Guard::new(&GuardRules::default())?;
//! let url = guard.check("https://hooks.example.com/onepath")?;
//! let answer = guard.post(&url)?.body("{}").send().await?;
//! let text = body(answer, 64 << 10).await?;
//! # Ok(()) }
//! ```

mod address;
mod call;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Method, RequestBuilder, Url};

pub use address::{is_internal_name, is_public};
pub use call::{Fetch, Hosts, body};

/// What may be called beyond public addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuardRules {
    /// Whether `http` may be called, not only `https`.
    pub http: bool,
    /// Ports that may be called beside 443, and 80 for `http`.
    pub ports: Vec<u16>,
    /// Places that may be called wherever they are, over `http` too: `host:port`. For tests,
    /// development, and services of the operator's own network.
    pub allowed: Vec<String>,
}

/// Why a call was not made, or gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GuardError {
    /// It must not be made.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It was made, or tried, in vain; later it may succeed.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The answer is larger than what was asked for.
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
}

/// A URL that must not be called. The text names the host at most: a URL may carry secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the URL is not called: {0}")]
pub struct Refused(String);

impl From<reqwest::Error> for GuardError {
    fn from(error: reqwest::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(inner) = cause {
            if let Some(refused) = inner.downcast_ref::<Refused>() {
                return Self::Refused(refused.clone());
            }
            cause = inner.source();
        }
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        Self::NoAnswer(format!("{error}{}", cause.unwrap_or_default()))
    }
}

/// Where the addresses of a name come from.
#[async_trait]
pub trait LookUp: std::fmt::Debug + Send + Sync + 'static {
    /// All addresses of a name.
    async fn look_up(&self, name: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookUp;

#[async_trait]
impl LookUp for SystemLookUp {
    async fn look_up(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Calls what may be called. Cheap to clone; connections are shared.
#[derive(Debug, Clone)]
pub struct Guard {
    rules: Arc<Rules>,
    /// For public addresses only.
    strict: Client,
    /// For the places that are allowed wherever they are.
    open: Client,
}

#[derive(Debug)]
struct Rules {
    http: bool,
    ports: Vec<u16>,
    /// Host as a URL spells it, and port.
    allowed: Vec<(String, u16)>,
}

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(30);

impl Guard {
    /// With rules and the system's resolver.
    ///
    /// # Errors
    ///
    /// A place of [`GuardRules::allowed`] is not `host:port`, or there is no TLS here.
    pub fn new(rules: &GuardRules) -> Result<Self, GuardError> {
        Self::with_look_up(rules, &(Arc::new(SystemLookUp) as Arc<dyn LookUp>))
    }

    /// With rules and a resolver.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_look_up(rules: &GuardRules, names: &Arc<dyn LookUp>) -> Result<Self, GuardError> {
        let place = |text: &String| {
            place(text).ok_or_else(|| {
                refuse(format!("`{text}` is no place that can be allowed: `host:port` is wanted"))
            })
        };
        let allowed = rules.allowed.iter().map(place).collect::<Result<_, _>>()?;
        // Another part of the program may have chosen a provider before; either is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |only_public: bool| {
            Client::builder()
                .dns_resolver(Pinning { names: Arc::clone(names), only_public })
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .no_proxy()
                .connect_timeout(CONNECT)
                .read_timeout(SILENCE)
                .user_agent(concat!("onepath/", env!("CARGO_PKG_VERSION")))
                .build()
        };
        Ok(Self {
            rules: Arc::new(Rules { http: rules.http, ports: rules.ports.clone(), allowed }),
            strict: client(true)?,
            open: client(false)?,
        })
    }

    /// Reads a URL that came from outside, and refuses what can be refused without asking a
    /// resolver: for the moment at which it is handed in.
    ///
    /// # Errors
    ///
    /// It is no URL, or must not be called.
    pub fn check(&self, text: &str) -> Result<Url, Refused> {
        let url = Url::parse(text).map_err(|error| refuse(format!("it is no URL: {error}")))?;
        self.check_url(&url)?;
        Ok(url)
    }

    fn check_url(&self, url: &Url) -> Result<(), Refused> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it carries a user or a password"));
        }
        if self.is_allowed(url) && matches!(url.scheme(), "http" | "https") {
            return Ok(());
        }
        match url.scheme() {
            "https" => {}
            "http" if self.rules.http => {}
            _ => return Err(refuse("only https is called")),
        }
        let port = url.port_or_known_default().unwrap_or(0);
        // Without a port of its own a URL means its scheme's.
        if url.port().is_some()
            && !matches!((url.scheme(), port), ("http", 80) | ("https", 443))
            && !self.rules.ports.contains(&port)
        {
            return Err(refuse(format!("the port {port} is not called")));
        }
        let host = url.host_str().unwrap_or_default();
        // The parser spells every address in one way, however odd it was written.
        if let Some(address) = literal(host) {
            return if is_public(address) { Ok(()) } else { Err(internal(host)) };
        }
        if is_internal_name(&host.to_ascii_lowercase()) { Err(internal(host)) } else { Ok(()) }
    }

    /// Whether a URL names a place that is allowed wherever it is.
    fn is_allowed(&self, url: &Url) -> bool {
        let place = url.host_str().zip(url.port_or_known_default());
        place.is_some_and(|(host, port)| {
            self.rules.allowed.iter().any(|(known, at)| known == host && *at == port)
        })
    }

    /// A call that is ready to be sent. Its name is resolved and looked at when it is sent;
    /// redirects are answers like any other. Set a timeout that suits it.
    ///
    /// # Errors
    ///
    /// The URL must not be called.
    pub fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, Refused> {
        self.check_url(url)?;
        let client = if self.is_allowed(url) { &self.open } else { &self.strict };
        Ok(client.request(method, url.clone()))
    }

    /// A `POST`, as [`request`](Self::request).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn post(&self, url: &Url) -> Result<RequestBuilder, Refused> {
        self.request(Method::POST, url)
    }
}

/// Host and port of a place, spelled as a URL spells them.
fn place(text: &str) -> Option<(String, u16)> {
    // A port that is the scheme's own is left out by the parser: so it is read before.
    let (_, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let url = Url::parse(&format!("http://{text}/")).ok()?;
    let plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    plain.then_some((url.host_str()?.to_owned(), port))
}

/// The address that a host is, if it is one.
fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse().ok(),
        None => host.parse().ok(),
    }
}

fn refuse(why: impl Into<String>) -> Refused {
    Refused(why.into())
}

fn internal(host: &str) -> Refused {
    refuse(format!("`{host}` is no public address"))
}

/// A resolver whose addresses were looked at: the connection goes to them and to no other.
#[derive(Debug, Clone)]
struct Pinning {
    names: Arc<dyn LookUp>,
    only_public: bool,
}

impl Resolve for Pinning {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found = this.names.look_up(name).await?;
            // One internal address among public ones is one too many.
            if this.only_public && !found.iter().all(|address| is_public(*address)) {
                return Err(internal(name).into());
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|address| (address, 0).into()));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests;
