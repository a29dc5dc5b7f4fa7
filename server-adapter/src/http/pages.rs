//! Pages beside the API: files that the program carries, under a strict Content-Security-Policy.
//! They are no part of the table, and are served by the server itself only: an application that
//! takes the router has a front page of its own.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::meta::no_such_path;
use super::reply::{bytes, set};

/// One file of a page.
#[derive(Debug, Clone, Copy)]
pub struct PageFile {
    /// Its path below the page, such as `assets/index.js`.
    pub path: &'static str,
    /// Such as `text/javascript`.
    pub media_type: &'static str,
    /// What it holds.
    pub bytes: &'static [u8],
}

/// A page with its files; one is called `index.html`. Served at `/`, its files below `/editor/`.
#[derive(Debug, Clone, Copy)]
pub struct Pages {
    /// Its files; none if the program was built without them.
    pub files: &'static [PageFile],
    /// What `/` says where there are none: what is missing, and what to do.
    pub missing: &'static str,
}

/// Scripts, styles and pictures are files of the server; `wasm-unsafe-eval` lets the path in.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                      img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Files whose names hold their hash never change.
const FOREVER: &str = "public, max-age=31536000, immutable";

impl Pages {
    /// The routes of the page.
    pub(crate) fn router(self) -> Router {
        let file = move |Path(path): Path<String>| async move { self.file(&path) };
        let front = move || async move { self.front() };
        let to_front = || async {
            let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
            set(response.headers_mut(), LOCATION, "/");
            response
        };
        Router::new()
            .route("/", get(front))
            .route("/editor", get(to_front))
            .route("/editor/", get(front))
            .route("/editor/{*path}", get(file))
    }

    fn front(self) -> Response {
        match self.find("index.html") {
            Some(file) => answer(file),
            None => guarded(bytes(
                StatusCode::NOT_FOUND,
                "text/plain; charset=utf-8",
                self.missing.as_bytes(),
            )),
        }
    }

    fn file(self, path: &str) -> Response {
        match self.find(path) {
            Some(file) => answer(file),
            None => no_such_path().into_response(),
        }
    }

    fn find(self, path: &str) -> Option<&'static PageFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

fn answer(file: &'static PageFile) -> Response {
    let mut response = guarded(bytes(StatusCode::OK, file.media_type, file.bytes));
    let kept = if file.path.starts_with("assets/") { FOREVER } else { "no-cache" };
    set(response.headers_mut(), CACHE_CONTROL, kept);
    response
}

fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    set(headers, CONTENT_SECURITY_POLICY, POLICY);
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, REFERRER_POLICY, "no-referrer");
    set(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    response
}
