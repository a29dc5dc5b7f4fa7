//! Create requests that all differ, as an editor sends them: built, with the hash beside them.

use std::sync::Arc;

use onepath_core::{BuildOptions, GenerationNodeConfig, canonicalize, decode, prepare};

use crate::Failure;

/// What is sent.
pub(crate) struct Bodies {
    /// Whole HTTP requests.
    pub(crate) requests: Arc<Vec<Vec<u8>>>,
    /// Canonical texts of some requests, to hash.
    pub(crate) identities: Vec<String>,
    /// Mean size of a body in bytes.
    pub(crate) size: f64,
    /// Mean size of a text that is hashed.
    pub(crate) identity: f64,
}

/// `count` creates from the nodes of the payload, each with a prompt of its own.
#[allow(clippy::cast_precision_loss, reason = "sizes of some megabytes")]
pub(crate) fn bodies(payload: &str, count: usize) -> Result<Bodies, Failure> {
    let mut nodes = Vec::new();
    for line in payload.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let part = |name: &str| line.get(name).map(ToString::to_string).ok_or("no such part");
        nodes.push((part("config")?, part("options")?));
    }
    let mut requests = Vec::with_capacity(count);
    let mut bodies =
        Bodies { requests: Arc::default(), identities: Vec::new(), size: 0.0, identity: 0.0 };
    for (index, (config, options)) in nodes.iter().cycle().take(count).enumerate() {
        let mut config = decode::<GenerationNodeConfig<'_>>(config).into_result()?;
        let options = decode::<BuildOptions<'_>>(options).into_result()?;
        let prompt = config.prompt.as_deref().unwrap_or_default();
        config.prompt = Some(format!("{prompt} Take {index}.").into());
        let prepared = prepare(&config, &options);
        let (request, print) = prepared.made.as_ref().ok_or("the payload does not build")?;
        let hashes = print.hashes.as_ref().ok_or("the payload is pending")?;
        let request = serde_json::to_string(request)?;
        let body = format!(r#"{{"request":{request},"request_hash":"{}"}}"#, hashes.request);
        bodies.size += body.len() as f64 / count as f64;
        if bodies.identities.len() < nodes.len() {
            bodies.identities.push(canonicalize(&request)?);
        }
        requests.push(
            format!(
                "POST /api/v1/generations HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer bench\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        );
    }
    let sizes = bodies.identities.iter().map(|text| text.len() as f64);
    bodies.identity = sizes.sum::<f64>() / bodies.identities.len().max(1) as f64;
    bodies.requests = Arc::new(requests);
    Ok(bodies)
}
