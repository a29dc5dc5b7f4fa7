//! Where a request lies in the queue. Pure.
//!
//! The queue says where, and what it says is what counts: a model's path may have more parts than
//! the paths of its requests. A prediction's id is that place without the address.

use reqwest::Url;
use serde::Deserialize;

/// What the queue answers to a submission, as far as it matters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Queued {
    request_id: Option<String>,
    response_url: Option<String>,
    status_url: Option<String>,
}

impl Queued {
    /// The place of a request whose model is at `path`.
    pub(super) fn place(&self, base: &str, path: &str) -> Option<String> {
        let id = self.request_id.as_deref().filter(|id| is_id(id))?;
        let of_response = self.response_url.as_deref().and_then(|url| below(base, url));
        let of_status = || {
            let place = below(base, self.status_url.as_deref()?)?;
            place.strip_suffix("/status").map(str::to_owned)
        };
        let told = of_response.or_else(of_status).filter(|place| request_of(place) == Some(id));
        told.or_else(|| usual(path, id))
    }
}

/// The place of a request by the rule that the queue follows: the first two parts of the model's
/// path, three where the first only says that it is a workflow or a comfy.
pub(super) fn usual(path: &str, id: &str) -> Option<String> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = parts.next()?;
    let more = if matches!(first, "workflows" | "comfy") { 2 } else { 1 };
    let mut place = format!("/{first}");
    for _ in 0..more {
        place = format!("{place}/{}", parts.next()?);
    }
    is_id(id).then(|| format!("{place}/requests/{id}"))
}

/// The id that the queue gave the request at a place; none if this is no place.
pub(super) fn request_of(place: &str) -> Option<&str> {
    let (app, id) = place.rsplit_once("/requests/")?;
    let plain = |part: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !part.is_empty() && part.bytes().all(good) && !part.bytes().all(|byte| byte == b'.')
    };
    let app = app.strip_prefix('/')?;
    (app.len() <= 300 && app.split('/').all(plain) && is_id(id)).then_some(id)
}

/// What stands behind an address in a URL of its own.
fn below(base: &str, url: &str) -> Option<String> {
    let (base, url) = (Url::parse(base).ok()?, Url::parse(url).ok()?);
    let ours = base.origin() == url.origin() && url.query().is_none();
    let root = base.path().trim_end_matches('/');
    let place = url.path().strip_prefix(root).filter(|_| ours)?;
    request_of(place).is_some().then(|| place.to_owned())
}

fn is_id(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=100).contains(&text.len()) && text.bytes().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://queue.fal.run";

    fn place(response: Option<&str>, status: Option<&str>) -> Option<String> {
        let text = |url: Option<&str>| url.map(str::to_owned);
        let queued = Queued {
            request_id: Some("r-1".to_owned()),
            response_url: text(response),
            status_url: text(status),
        };
        queued.place(BASE, "/fal-ai/nano-banana/edit")
    }

    #[test]
    fn a_request_lies_where_the_queue_says() {
        let usual = Some("/fal-ai/nano-banana/requests/r-1".to_owned());
        let at = |place: &str| format!("{BASE}{place}");
        assert_eq!(place(Some(&at("/fal-ai/nano-banana/requests/r-1")), None), usual);
        let moved = at("/fal-ai/other/place/requests/r-1");
        assert_eq!(place(Some(&moved), None).unwrap(), "/fal-ai/other/place/requests/r-1");
        let status = at("/fal-ai/other/requests/r-1/status");
        assert_eq!(place(None, Some(&status)).unwrap(), "/fal-ai/other/requests/r-1");
        // What leads elsewhere, to where no key may go, or to something else is not followed.
        for odd in [
            "https://elsewhere.example/fal-ai/nano-banana/requests/r-1",
            "http://queue.fal.run/fal-ai/nano-banana/requests/r-1",
            "https://queue.fal.run/fal-ai/nano-banana/requests/r-2",
            "https://queue.fal.run/a/b/requests/r-1?x=1",
            "https://queue.fal.run/a b/requests/r-1",
            "no url",
        ] {
            assert_eq!(place(Some(odd), None), usual, "{odd}");
        }
        assert_eq!(Queued::default().place(BASE, "/fal-ai/nano-banana"), None);
    }

    #[test]
    fn sub_paths_are_no_part_of_a_place() {
        for (path, place) in [
            ("/fal-ai/nano-banana", "/fal-ai/nano-banana/requests/r"),
            ("/fal-ai/bytedance/seedance/v1/lite", "/fal-ai/bytedance/requests/r"),
            ("/workflows/me/story/x", "/workflows/me/story/requests/r"),
        ] {
            assert_eq!(usual(path, "r").unwrap(), place);
        }
        assert_eq!(usual("/alone", "r"), None);
        assert_eq!(usual("/fal-ai/nano-banana", "../r"), None);
    }

    #[test]
    fn a_place_is_a_place() {
        assert_eq!(request_of("/fal-ai/nano-banana/requests/r-1"), Some("r-1"));
        for odd in
            ["", "r-1", "/requests/r", "/../x/requests/r", "/a/b/requests/", "/a?b/requests/r"]
        {
            assert_eq!(request_of(odd), None, "{odd}");
        }
    }
}
