//! Errors on the wire: RFC 9457 problem documents, one table of codes.

use onepath_core::{Code, Finding, Severity};
use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::rfc3339;
use crate::store::decide::{LimitHit, LimitKind};
use crate::store::{Millis, StoreError};

macro_rules! problem_codes {
    ($($(#[doc = $doc:literal])* $variant:ident $word:literal $status:literal $title:literal;)*) => {
        /// What went wrong, as a stable word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode {
            $($(#[doc = $doc])* $variant,)*
        }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it means, in short.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

problem_codes! {
    /// The body is no JSON.
    MalformedJson "MALFORMED_JSON" 400 "the body is not JSON";
    /// The body is a flat payload of the system before.
    StructuredConfigRequired "STRUCTURED_CONFIG_REQUIRED" 400 "a structured config is required";
    /// There is no key, or it is not known.
    Unauthenticated "UNAUTHENTICATED" 401 "a known key is required";
    /// The plan does not allow it.
    LimitExceeded "LIMIT_EXCEEDED" 402 "the plan's limit is reached";
    /// The key does not allow it.
    Forbidden "FORBIDDEN" 403 "the key does not allow this";
    /// There is nothing, or nothing that the caller may see.
    NotFound "NOT_FOUND" 404 "there is no such thing";
    /// The path does not have this method.
    MethodNotAllowed "METHOD_NOT_ALLOWED" 405 "the path does not have this method";
    /// The body did not come in time.
    RequestTimeout "REQUEST_TIMEOUT" 408 "the request did not come in time";
    /// The state of things does not allow it.
    Conflict "CONFLICT" 409 "the state of things does not allow this";
    /// A declared hash or key is not the computed one.
    CanonicalMismatch "CANONICAL_MISMATCH" 409 "a declared hash or key is not the computed one";
    /// The same idempotency key is being answered.
    IdempotencyInProgress "IDEMPOTENCY_IN_PROGRESS" 409 "the same call is on its way";
    /// It was there.
    Gone "GONE" 410 "it is not there any more";
    /// A condition of the request does not hold.
    PreconditionFailed "PRECONDITION_FAILED" 412 "a condition does not hold";
    /// The body is too large.
    PayloadTooLarge "PAYLOAD_TOO_LARGE" 413 "the body is too large";
    /// The body is of a type that is not read.
    UnsupportedMedia "UNSUPPORTED_MEDIA" 415 "the body's type is not read";
    /// The range is not in the file.
    RangeNotSatisfiable "RANGE_NOT_SATISFIABLE" 416 "the range is not in the file";
    /// The document has faults.
    ValidationError "VALIDATION_ERROR" 422 "the document has faults";
    /// The same idempotency key came with another body.
    IdempotencyMismatch "IDEMPOTENCY_MISMATCH" 422 "the key was used with another body";
    /// Too many runs at once.
    TooManyInflight "TOO_MANY_INFLIGHT" 429 "too many runs at once";
    /// Too many requests.
    RateLimited "RATE_LIMITED" 429 "too many requests";
    /// Our fault.
    InternalError "INTERNAL_ERROR" 500 "something went wrong here";
    /// A provider's fault.
    UpstreamError "UPSTREAM_ERROR" 502 "a provider went wrong";
    /// Not now.
    Unavailable "UNAVAILABLE" 503 "not now";
    /// There is no space left.
    StorageFull "STORAGE_FULL" 507 "there is no space left";
}

impl Serialize for ProblemCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl JsonSchema for ProblemCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProblemCode".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<&str> = Self::ALL.iter().map(|code| code.word()).collect();
        schemars::json_schema!({ "type": "string", "enum": words })
    }
}

/// One fault of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fault {
    /// RFC 6901 pointer into what was sent.
    pub pointer: String,
    /// A finding's code, or a slug of the envelope.
    pub code: String,
    /// What is wrong.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where in the text, if it is no JSON.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in Unicode scalar values.
    pub column: usize,
    /// From 0, in bytes.
    pub offset: usize,
}

impl Place {
    /// The place behind the first `offset` bytes.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
        Self {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            offset: before.len(),
        }
    }
}

impl Fault {
    /// A fault of the envelope.
    #[must_use]
    pub fn new(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            detail: detail.into(),
            help: None,
            place: None,
        }
    }
}

impl From<&Finding> for Fault {
    fn from(finding: &Finding) -> Self {
        Self {
            pointer: finding.pointer().to_owned(),
            code: finding.code().slug().to_owned(),
            detail: finding.message(),
            help: finding.help(),
            place: None,
        }
    }
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[error("{code:?}: {detail}")]
pub struct Problem {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the code means.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The stable word.
    pub code: ProblemCode,
    /// What went wrong this time, and what to do.
    pub detail: String,
    /// The faults of the document, all at once.
    #[schemars(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// The limit that stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Box<LimitReport>>,
    /// Seconds after which it is worth another try: the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<i64>,
}

/// A limit that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LimitReport {
    /// `in_flight`, `runs_month` or `micros_month` of a plan; `calls` or `creates` of a key.
    pub name: &'static str,
    /// How much is allowed.
    pub allowed: i64,
    /// How much is left.
    pub remaining: i64,
    /// When it starts anew (RFC 3339); absent for what is in flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
}

impl Problem {
    /// A problem without faults.
    #[must_use]
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:onepath:problem:{}", code.word().to_ascii_lowercase()),
            title: code.title(),
            status: code.status(),
            code,
            detail: detail.into(),
            errors: Vec::new(),
            limit: None,
            retry_after: None,
        }
    }

    /// A plan's limit stands in the way; a month's ends at `until`.
    #[must_use]
    pub fn limited(hit: LimitHit, until: Millis) -> Self {
        let LimitHit { limit, allowed, used } = hit;
        let (code, name, detail) = match limit {
            LimitKind::InFlight => (
                ProblemCode::TooManyInflight,
                "in_flight",
                format!("{used} are in flight, {allowed} are allowed: try again when one is done"),
            ),
            LimitKind::Runs => (
                ProblemCode::LimitExceeded,
                "runs_month",
                format!("{used} of {allowed} runs of this month are used"),
            ),
            LimitKind::Micros => (
                ProblemCode::LimitExceeded,
                "micros_month",
                format!("{used} of {allowed} micro-dollars of this month are used"),
            ),
            LimitKind::Storage => (
                ProblemCode::LimitExceeded,
                "storage_bytes",
                format!("{used} of {allowed} bytes for assets are used: delete some first"),
            ),
        };
        let mut problem = Self::new(code, detail);
        problem.limit = Some(Box::new(LimitReport {
            name,
            allowed,
            remaining: (allowed - used).max(0),
            resets_at: matches!(limit, LimitKind::Runs | LimitKind::Micros).then(|| rfc3339(until)),
        }));
        problem
    }

    /// With the faults of the document.
    #[must_use]
    pub fn with(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    /// A text that is no JSON from a place on.
    #[must_use]
    pub fn malformed(mut fault: Fault, place: Place) -> Self {
        let Place { line, column, .. } = place;
        let detail = format!("{} at line {line}, column {column}", fault.detail);
        fault.place = Some(place);
        Self::new(ProblemCode::MalformedJson, detail).with(vec![fault])
    }

    /// What reading a body found: the place where it stops being JSON, else every fault.
    #[must_use]
    pub fn unread(text: &str, faults: &[Finding]) -> Self {
        match faults.iter().find(|fault| fault.code() == Code::JsonSyntax) {
            Some(fault) => {
                let offset = fault.span().map_or(0, |span| span.start);
                Self::malformed(Fault::from(fault), Place::of(text, offset))
            }
            None => Self::findings(faults),
        }
    }

    /// A document with faults.
    #[must_use]
    pub fn faults(errors: Vec<Fault>) -> Self {
        let count = errors.len();
        let detail = match errors.first() {
            Some(first) if count == 1 => format!("{} at `{}`", first.detail, first.pointer),
            _ => format!("{count} faults; each is in `errors`"),
        };
        Self::new(ProblemCode::ValidationError, detail).with(errors)
    }

    /// A document with findings; only errors are faults.
    #[must_use]
    pub fn findings<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let errors = findings.into_iter().filter(|finding| finding.severity() == Severity::Error);
        Self::faults(errors.map(Fault::from).collect())
    }

    /// What there is not, or what the caller may not see: the same answer.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemCode::NotFound, format!("there is no {what} of this id"))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // What the database says is for operators only.
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Unavailable(_) => Self::new(
                ProblemCode::Unavailable,
                "the store does not answer in time: try again in a moment",
            ),
            StoreError::Full(_) => Self::new(
                ProblemCode::StorageFull,
                "the disk is full: try again when there is space",
            ),
            StoreError::Corrupt(_) => {
                Self::new(ProblemCode::InternalError, "what is kept could not be read")
            }
        }
    }
}
