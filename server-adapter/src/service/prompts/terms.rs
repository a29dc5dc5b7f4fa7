//! What a tenant blocks and flags in prompts.

use std::borrow::Cow;
use std::sync::Arc;

use onepath_core::{Terms, WorldMeta, decode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::managed;
use crate::problem::{Fault, Problem, ProblemCode};
use crate::prompt::{null_character, too_long};
use crate::service::{Caller, Service, Standing};
use crate::store::StoreError;

/// Terms of a list at most.
const TERMS: usize = 1_000;

/// Characters of a term at most.
const TERM: usize = 200;

/// Terms as they are remembered.
pub(in super::super) type TenantTerms = Arc<Terms<'static>>;

/// What a tenant shall block and flag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TermsBody {
    /// Refused: whole words in any case, one or several in a row.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub blocked: Vec<String>,
    /// Reported.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub flagged: Vec<String>,
}

/// What a tenant blocks and flags.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TermsResponse {
    /// Refused.
    pub blocked: Vec<String>,
    /// Reported.
    pub flagged: Vec<String>,
}

impl TermsBody {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (list, terms) in [("blocked", &self.blocked), ("flagged", &self.flagged)] {
            if terms.len() > TERMS {
                let detail = format!("a list has up to {TERMS} terms");
                faults.push(Fault::new(&format!("/{list}"), "terms/too-many", detail));
            }
            for (index, term) in terms.iter().enumerate() {
                let pointer = format!("/{list}/{index}");
                faults.extend(too_long(&pointer, term, TERM));
                faults.extend(null_character(&pointer, term));
                if !term.chars().any(char::is_alphanumeric) {
                    let detail = "a term has a letter or a digit: it would match nothing";
                    faults.push(Fault::new(&pointer, "terms/no-word", detail));
                }
            }
        }
        faults
    }
}

/// A copy without a borrow.
fn owned(terms: &Terms<'_>) -> Terms<'static> {
    let list = |list: &Option<Vec<Cow<'_, str>>>| {
        let terms = list.as_ref()?.iter();
        Some(terms.map(|term| Cow::Owned(term.as_ref().to_owned())).collect())
    };
    Terms { blocked: list(&terms.blocked), flagged: list(&terms.flagged) }
}

/// A copy that borrows.
pub(super) fn borrowed<'t>(terms: &'t Terms<'_>) -> Terms<'t> {
    let list = |list: &'t Option<Vec<Cow<'_, str>>>| {
        Some(list.as_ref()?.iter().map(|term| Cow::Borrowed(term.as_ref())).collect())
    };
    Terms { blocked: list(&terms.blocked), flagged: list(&terms.flagged) }
}

/// The terms of two sources.
fn both(left: Terms<'static>, right: Terms<'static>) -> Terms<'static> {
    let join = |left: Option<Vec<_>>, right: Option<Vec<_>>| match (left, right) {
        (Some(left), Some(right)) => Some(left.into_iter().chain(right).collect()),
        (left, right) => left.or(right),
    };
    Terms { blocked: join(left.blocked, right.blocked), flagged: join(left.flagged, right.flagged) }
}

impl Service {
    /// What the caller's tenant blocks and flags.
    ///
    /// # Errors
    ///
    /// The store does not answer.
    pub async fn terms(&self, caller: &Caller) -> Result<TermsResponse, Problem> {
        let terms = self.tenant_terms(&caller.reader.tenant).await?;
        let list = |list: Option<&Vec<Cow<'_, str>>>| {
            list.into_iter().flatten().map(|term| term.as_ref().to_owned()).collect()
        };
        Ok(TermsResponse {
            blocked: list(terms.as_ref().and_then(|terms| terms.blocked.as_ref())),
            flagged: list(terms.as_ref().and_then(|terms| terms.flagged.as_ref())),
        })
    }

    /// Sets what the caller's tenant blocks and flags; other servers know within five seconds.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for keys of users, `VALIDATION_ERROR`.
    pub async fn put_terms(
        &self,
        caller: &Caller,
        body: TermsBody,
    ) -> Result<TermsResponse, Problem> {
        let tenant = managed(caller)?;
        let faults = body.faults();
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        let text = (body != TermsBody::default()).then(|| serde_json::to_string(&body));
        let text = text
            .transpose()
            .map_err(|error| Problem::new(ProblemCode::InternalError, error.to_string()))?;
        self.store.put_terms(tenant, text, self.clock.now()).await?;
        self.known.terms.clear();
        Ok(TermsResponse { blocked: body.blocked, flagged: body.flagged })
    }

    /// A tenant's terms.
    async fn tenant_terms(&self, tenant: &str) -> Result<Option<TenantTerms>, Problem> {
        let now = self.clock.now();
        let key = tenant.to_owned();
        if let Some(known) = self.known.terms.get(&key, now) {
            return Ok(known);
        }
        let terms = match self.store.terms(tenant).await? {
            Some(text) => {
                let read = decode::<Terms<'_>>(&text).into_result();
                let read = read.map_err(|error| StoreError::Corrupt(error.to_string()))?;
                Some(Arc::new(owned(&read)))
            }
            None => None,
        };
        self.known.terms.put(key, terms.clone(), now);
        Ok(terms)
    }

    /// The terms that count for a caller in a world: the tenant's, and those of the server's own
    /// row of the world.
    pub(super) async fn terms_of(
        &self,
        caller: &Caller,
        standing: &Standing,
    ) -> Result<Option<TenantTerms>, Problem> {
        let tenants = self.tenant_terms(&caller.reader.tenant).await?;
        let Some(world) = &standing.world else { return Ok(tenants) };
        let meta = decode::<WorldMeta<'_>>(&world.meta).value;
        let worlds = meta.and_then(|meta| Some(owned(meta.generation?.terms.as_ref()?)));
        Ok(match (tenants, worlds) {
            (tenants, None) => tenants,
            (None, Some(worlds)) => Some(Arc::new(worlds)),
            (Some(tenants), Some(worlds)) => Some(Arc::new(both(owned(&tenants), worlds))),
        })
    }
}
