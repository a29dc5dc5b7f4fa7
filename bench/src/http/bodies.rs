//! Create requests that all differ, as an editor sends them: built, with the hash beside them.

use std::sync::Arc;

use onepath_core::{BuildOptions, GenerationNodeConfig, canonicalize, decode, prepare};

use crate::Failure;

/// Keys that take turns, each of a tenant of its own: tenants do not stand in each other's way.
pub(crate) const TENANTS: usize = 64;

/// What is sent.
pub(crate) struct Bodies {
    /// Whole HTTP requests, behind method and path.
    pub(crate) requests: Arc<Vec<Vec<u8>>>,
    /// A request as JSON text.
    pub(crate) request: String,
    /// Canonical texts of some requests, to hash.
    pub(crate) identities: Vec<String>,
    /// Mean size of a body in bytes.
    pub(crate) size: f64,
    /// Mean size of a text that is hashed.
    pub(crate) identity: f64,
}

/// The key of a tenant.
pub(crate) fn key(tenant: usize) -> String {
    format!("bench{tenant}")
}

/// `count` creates from the nodes of the payload, each with a prompt of its own, from `first` on.
#[allow(clippy::cast_precision_loss, reason = "sizes of some megabytes")]
pub(crate) fn bodies(payload: &str, first: usize, count: usize) -> Result<Bodies, Failure> {
    let mut nodes = Vec::new();
    for line in payload.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let part = |name: &str| line.get(name).map(ToString::to_string).ok_or("no such part");
        nodes.push((part("config")?, part("options")?));
    }
    let mut requests = Vec::with_capacity(count);
    let (mut size, mut identities, mut some) = (0.0, Vec::new(), String::new());
    for (index, (config, options)) in nodes.iter().cycle().take(count).enumerate() {
        let mut config = decode::<GenerationNodeConfig<'_>>(config).into_result()?;
        let options = decode::<BuildOptions<'_>>(options).into_result()?;
        let prompt = config.prompt.as_deref().unwrap_or_default();
        config.prompt = Some(format!("{prompt} Take {}.", first + index).into());
        let prepared = prepare(&config, &options);
        let (request, print) = prepared.made.as_ref().ok_or("the payload does not build")?;
        let hashes = print.hashes.as_ref().ok_or("the payload is pending")?;
        let request = serde_json::to_string(request)?;
        let body = format!(r#"{{"request":{request},"request_hash":"{}"}}"#, hashes.request);
        size += body.len() as f64 / count as f64;
        if identities.len() < nodes.len() {
            identities.push(canonicalize(&request)?);
        }
        requests.push(
            format!(
                " HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                key(index % TENANTS),
                body.len()
            )
            .into_bytes(),
        );
        some = request;
    }
    let sizes = identities.iter().map(|text| text.len() as f64);
    let identity = sizes.sum::<f64>() / identities.len().max(1) as f64;
    Ok(Bodies { requests: Arc::new(requests), request: some, identities, size, identity })
}
