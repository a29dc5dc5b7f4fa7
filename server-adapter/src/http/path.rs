//! What a path names.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::App;
use super::reply::Failure;
use crate::problem::{Problem, ProblemCode};

/// The one name in a path, decoded.
#[derive(Debug)]
pub(super) struct Name(pub(super) String);

impl FromRequestParts<App> for Name {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Path(name) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| {
            Problem::new(ProblemCode::NotFound, "nothing is called so: the path is not UTF-8")
        })?;
        // No id has it, and one of the databases does not even look it up.
        if name.contains('\0') {
            return Err(Problem::new(ProblemCode::NotFound, "nothing is called so").into());
        }
        Ok(Self(name))
    }
}
