//! `/docs`: the API as a page, made of `/openapi.json` in the browser. Nothing comes from elsewhere.

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::Response;
use axum::routing::get;

use super::App;
use super::reply::{document, set};

/// Scripts and styles are files of the server, and calls go to the server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and its files. They are no part of the API, and are not described.
pub(super) fn router() -> Router<App> {
    let page = |headers: HeaderMap| async move {
        file(&headers, "text/html; charset=utf-8", include_bytes!("docs/index.html"))
    };
    let script = |headers: HeaderMap| async move {
        file(&headers, "text/javascript; charset=utf-8", include_bytes!("docs/page.js"))
    };
    let style = |headers: HeaderMap| async move {
        file(&headers, "text/css; charset=utf-8", include_bytes!("docs/page.css"))
    };
    Router::new()
        .route("/docs", get(page))
        .route("/docs/page.js", get(script))
        .route("/docs/page.css", get(style))
}

fn file(request: &HeaderMap, media_type: &'static str, bytes: &[u8]) -> Response {
    let mut response = document(request, media_type, bytes.to_vec());
    let headers = response.headers_mut();
    set(headers, CONTENT_SECURITY_POLICY, POLICY);
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, REFERRER_POLICY, "no-referrer");
    set(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    response
}
