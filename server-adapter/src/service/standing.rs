//! Where a caller stands: the server's own bounds and the plan, from its own rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use onepath_core::{OwnBounds, Rating, WorldMeta, decode};

use super::prompts::TenantTerms;
use super::publish::PublicAssets;
use super::{Caller, ServerBounds, Service};
use crate::cache::Recent;
use crate::clock::month_start;
use crate::live::Live;
use crate::problem::Problem;
use crate::store::{Limits, PlanNow, Reader, User, Viewer, World};

/// The plan of users without a known price.
const FREE: Limits =
    Limits { in_flight: Some(1), runs_month: None, micros_month: None, storage_bytes: None };

/// What each price buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plans {
    by_price: BTreeMap<String, Limits>,
    free: Limits,
}

impl Default for Plans {
    fn default() -> Self {
        Self { by_price: BTreeMap::new(), free: FREE }
    }
}

impl Plans {
    /// Plans from a JSON document: `{"<price id>": {"in_flight", "runs_month", "micros_month",
    /// "storage_bytes"}}`.
    /// An absent limit limits nothing; `free` is the plan of users without a known price.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub fn from_json(text: &str) -> Result<Self, String> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Row {
            in_flight: Option<i64>,
            runs_month: Option<i64>,
            micros_month: Option<i64>,
            storage_bytes: Option<i64>,
        }
        let rows: BTreeMap<String, Row> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut plans = Self::default();
        for (price, row) in rows {
            let limits = Limits {
                in_flight: row.in_flight,
                runs_month: row.runs_month,
                micros_month: row.micros_month,
                storage_bytes: row.storage_bytes,
            };
            let all =
                [limits.in_flight, limits.runs_month, limits.micros_month, limits.storage_bytes];
            if all.into_iter().flatten().any(|limit| limit < 0) {
                return Err(format!("the plan `{price}` has a limit below 0"));
            }
            if price == "free" {
                plans.free = limits;
            } else {
                plans.by_price.insert(price, limits);
            }
        }
        Ok(plans)
    }

    /// What a price buys at this moment: what an operator has changed counts first.
    #[must_use]
    pub fn now(&self, price: Option<&str>, live: &Live) -> Limits {
        let known =
            price.and_then(|price| live.plan(price).or_else(|| self.by_price.get(price).copied()));
        known.or_else(|| live.plan("free")).unwrap_or(self.free)
    }

    /// Everything for everybody.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { by_price: BTreeMap::new(), free: Limits::default() }
    }
}

/// Rows that were read lately.
#[derive(Debug, Default)]
pub struct Known {
    pub(super) terms: Recent<String, Option<TenantTerms>>,
    users: Recent<Reader, Option<Arc<User>>>,
    worlds: Recent<(String, String), Option<Arc<World>>>,
}

/// Where a caller stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What the server allows them.
    pub bounds: ServerBounds,
    /// Whether band and rating go down by one for them.
    pub reduce_intensity: bool,
    /// Their plan.
    pub plan: PlanNow,
    /// The server's row of the world, if it has one.
    pub world: Option<Arc<World>>,
    /// Who says whether what is made there can be fetched without a key.
    pub public: PublicAssets,
}

impl Standing {
    /// The bounds as core wants them.
    #[must_use]
    pub fn own(&self) -> OwnBounds {
        OwnBounds {
            world: Some(self.bounds.world),
            user: Some(self.bounds.user),
            reduce_intensity: self.reduce_intensity,
        }
    }
}

impl Service {
    /// The server's row of a user.
    pub(super) async fn user(&self, reader: &Reader) -> Result<Option<Arc<User>>, Problem> {
        let now = self.clock.now();
        if let Some(known) = self.known.users.get(reader, now) {
            return Ok(known);
        }
        let user = self.store.user(reader).await?.map(Arc::new);
        self.known.users.put(reader.clone(), user.clone(), now);
        Ok(user)
    }

    /// The server's row of a world.
    pub(super) async fn world(
        &self,
        tenant: &str,
        id: &str,
    ) -> Result<Option<Arc<World>>, Problem> {
        let now = self.clock.now();
        let key = (tenant.to_owned(), id.to_owned());
        if let Some(known) = self.known.worlds.get(&key, now) {
            return Ok(known);
        }
        let world = self.store.world(tenant, id).await?.map(Arc::new);
        self.known.worlds.put(key, world.clone(), now);
        Ok(world)
    }

    /// The highest rating that a user may be shown.
    async fn bound(&self, reader: &Reader) -> Result<Rating, Problem> {
        let user = self.user(reader).await?;
        Ok(user.and_then(|user| user.max_rating).unwrap_or(self.bounds.user))
    }

    /// A reader with what they may be shown of others' work.
    ///
    /// # Errors
    ///
    /// The store does not answer: no bound is ever left out.
    pub async fn viewer(&self, reader: &Reader) -> Result<Viewer, Problem> {
        Ok(Viewer { reader: reader.clone(), bound: self.bound(reader).await? })
    }

    /// Where a caller stands in a world. What has no row gets the closed bound.
    ///
    /// # Errors
    ///
    /// The store does not answer: no bound is ever left out.
    pub async fn standing(
        &self,
        caller: &Caller,
        world: Option<&str>,
    ) -> Result<Standing, Problem> {
        let user = self.user(&caller.reader).await?;
        let world = match world {
            Some(id) => self.world(&caller.reader.tenant, id).await?,
            None => None,
        };
        let mut bounds = self.bounds;
        if let Some(rating) = user.as_ref().and_then(|user| user.max_rating) {
            bounds.user = rating;
        }
        if let Some(world) = &world
            && let Ok(meta) = decode::<WorldMeta<'_>>(&world.meta).into_result()
            && let Some(rating) = meta.generation.and_then(|own| own.max_content_rating)
        {
            bounds.world = rating;
        }
        let price = user.as_ref().and_then(|user| user.price_id.as_deref());
        let limits = self.plans.now(price, &*self.live.now().await?);
        // Nobody asks since when a plan without limits counts.
        let since = if limits.any() { month_start(self.clock.now()) } else { 0 };
        Ok(Standing {
            bounds,
            reduce_intensity: user.as_ref().is_some_and(|user| user.reduce_intensity),
            plan: PlanNow { limits, since },
            public: self.public_assets.under(world.as_deref()),
            world,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_that_is_not_known_buys_the_free_plan() {
        let plans = Plans::from_json(r#"{"pro": {"in_flight": 9}, "free": {"runs_month": 3}}"#);
        let plans = plans.unwrap();
        let of = |plans: &Plans, price: Option<&str>| plans.now(price, &Live::default());
        assert_eq!(of(&plans, Some("pro")).in_flight, Some(9));
        assert_eq!(of(&plans, Some("gold")).runs_month, Some(3));
        assert_eq!(of(&Plans::default(), None), FREE);
        assert!(!of(&Plans::unlimited(), None).any());
        assert!(Plans::from_json(r#"{"pro": {"inflight": 9}}"#).is_err());
        assert!(Plans::from_json(r#"{"pro": {"in_flight": -1}}"#).is_err());
    }
}
