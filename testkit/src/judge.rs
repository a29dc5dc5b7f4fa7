//! What must be true when everything has ended, whatever was killed on the way: I1 to I8, I11 and
//! I13. The judge reads the database with SQL of its own, the provider's charges, and what clients
//! were told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use onepath_testkit::Fallible;
use onepath_testkit::fake::{Charge, charges};

use crate::caller::{Acknowledged, Caller};
use crate::follower::Follower;
use crate::truth::Truth;

/// What must not be.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// What was acknowledged is not there.
    Lost(String),
    /// Something was made or paid twice.
    Twice(String),
    /// Something does not end.
    Stuck(String),
    /// Anything else.
    Other(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, what) = match self {
            Self::Lost(what) => ("lost", what),
            Self::Twice(what) => ("twice", what),
            Self::Stuck(what) => ("stuck", what),
            Self::Other(what) => ("fault", what),
        };
        write!(f, "{kind}: {what}")
    }
}

/// What the verdict counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) acknowledged: u64,
    pub(crate) rows: u64,
    pub(crate) completed: u64,
    pub(crate) charges: u64,
    pub(crate) events: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.rows += other.rows;
        self.completed += other.completed;
        self.charges += other.charges;
        self.events += other.events;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} creates acknowledged, {} generations ({} completed), {} provider charges, {} events",
            self.acknowledged, self.rows, self.completed, self.charges, self.events
        )
    }
}

/// How bad rows are that a query finds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Twice,
    Stuck,
    Other,
}

/// Queries that find nothing when all is well, and what it means if they do.
const NOTHING: &[(Kind, &str, &str)] = &[
    (
        Kind::Stuck,
        "I1: a generation has no end",
        "SELECT id, status, stage FROM generations
         WHERE status NOT IN ('completed', 'failed', 'cancelled')",
    ),
    (
        Kind::Stuck,
        "I1: what is over is held, due or wanted",
        "SELECT id FROM generations WHERE due_at IS NOT NULL OR lease_until IS NOT NULL
         UNION ALL SELECT generation FROM interests WHERE open = 1",
    ),
    (
        Kind::Twice,
        "one slot has two holders",
        "SELECT tenant, count(*) FROM generations WHERE reuse_key IS NOT NULL
         GROUP BY tenant, reuse_key HAVING count(*) > 1",
    ),
    (
        Kind::Twice,
        "I2: a run was not reserved once",
        "SELECT g.id FROM generations g
         WHERE g.run <> (SELECT count(*) FROM ledger l WHERE l.generation = g.id AND l.kind = 'reserve')",
    ),
    (
        Kind::Twice,
        "I2: a run was not settled once",
        "SELECT g.id FROM generations g WHERE g.run <> (SELECT count(*) FROM ledger l
             WHERE l.generation = g.id AND l.kind IN ('settle', 'release'))",
    ),
    (
        Kind::Other,
        "I2: a run was settled as what it was not",
        "SELECT g.id, g.status, l.kind FROM generations g JOIN ledger l
             ON l.generation = g.id AND l.run = g.run AND l.kind IN ('settle', 'release')
         WHERE (g.status = 'completed' AND g.fallback IS NULL AND l.kind <> 'settle')
            OR ((g.status = 'failed' OR g.fallback IS NOT NULL) AND l.kind <> 'release')",
    ),
    (
        Kind::Other,
        "I2: the ledger does not balance",
        "SELECT g.id FROM generations g JOIN ledger l ON l.generation = g.id
         GROUP BY g.id, g.reserved_micros
         HAVING sum(l.runs) <> sum(CASE l.kind WHEN 'settle' THEN 1 ELSE 0 END)
             OR sum(l.micros) <> g.reserved_micros * sum(CASE l.kind WHEN 'settle' THEN 1 ELSE 0 END)",
    ),
    (
        Kind::Other,
        "a row counts other attempts than it has",
        "SELECT g.id, g.attempts FROM generations g
         WHERE g.attempts <> (SELECT count(*) FROM attempts a WHERE a.generation = g.id)",
    ),
    (
        Kind::Other,
        "I11: events have gaps",
        "SELECT g.id, g.events, count(e.number) FROM generations g
         LEFT JOIN events e ON e.generation = g.id AND e.asset IS NULL GROUP BY g.id, g.events
         HAVING count(e.number) <> g.events OR max(e.number) <> g.events OR min(e.number) <> 1",
    ),
    (
        Kind::Twice,
        "I4: a run has not ended once",
        "SELECT g.id, g.run FROM generations g WHERE g.run <> (SELECT count(*) FROM events e
             WHERE e.generation = g.id
             AND e.kind IN ('generation.completed', 'generation.failed', 'generation.cancelled'))",
    ),
    (
        Kind::Other,
        "I11: the last event tells another end",
        "SELECT g.id, g.status, e.status FROM generations g
         JOIN events e ON e.generation = g.id AND e.asset IS NULL AND e.number = g.events
         WHERE e.status <> g.status",
    ),
    (
        Kind::Other,
        "I8: something crossed a tenant's wall",
        "SELECT g.id FROM generations g JOIN events e ON e.generation = g.id WHERE e.tenant <> g.tenant
         UNION ALL SELECT g.id FROM generations g JOIN interests i ON i.generation = g.id
             WHERE i.tenant <> g.tenant
         UNION ALL SELECT g.id FROM generations g JOIN ledger l ON l.generation = g.id
             WHERE l.tenant <> g.tenant",
    ),
    (
        Kind::Other,
        "a generation has not the assets of its end",
        "SELECT g.id, g.status, count(a.id) FROM generations g
         LEFT JOIN assets a ON a.generation = g.id AND a.sync = 'downloaded'
         WHERE g.status = 'completed' AND g.fallback IS NULL GROUP BY g.id, g.status
         HAVING count(a.id) <> 1",
    ),
    (
        Kind::Other,
        "I11: events of an asset have gaps",
        "SELECT a.id, a.events, count(e.number) FROM assets a
         LEFT JOIN events e ON e.asset = a.id GROUP BY a.id, a.events
         HAVING count(e.number) <> a.events OR max(e.number) <> a.events OR min(e.number) <> 1",
    ),
    (
        Kind::Other,
        "I9: an asset has no blob",
        "SELECT a.id FROM assets a LEFT JOIN blobs b ON b.sha256 = a.sha256
         WHERE a.sync = 'downloaded' AND b.sha256 IS NULL",
    ),
    (
        Kind::Other,
        "numbers have gaps",
        "SELECT tenant, max(number), count(*) FROM generations GROUP BY tenant
         HAVING max(number) <> count(*) OR min(number) <> 1",
    ),
    (Kind::Other, "a watcher in the database", "SELECT DISTINCT what FROM test_violations"),
];

/// Everything that a verdict is made of.
pub(crate) struct Case<'c> {
    pub(crate) truth: &'c Truth,
    /// Where the provider wrote down what it charged for, by token; others count for themselves.
    pub(crate) charges: Option<PathBuf>,
    pub(crate) acknowledged: &'c [Acknowledged],
    /// Speaks for the tenant; the servers are up.
    pub(crate) caller: &'c Caller,
    /// Speaks for another tenant.
    pub(crate) stranger: &'c Caller,
    /// The user `game` of the tenant, who followed all events.
    pub(crate) follower: &'c Follower,
    /// How long what is on its way may still take.
    pub(crate) patience: Duration,
}

impl Case<'_> {
    /// Waits until everything has ended, and judges.
    pub(crate) async fn judge(&self) -> Fallible<(Counts, Vec<Fault>)> {
        let mut faults = Vec::new();
        self.quiet().await?;
        let charged = self.charges.as_deref().map(charges).transpose()?;
        for (kind, what, sql) in NOTHING {
            let bad = self.truth.rows(sql).await?;
            if !bad.is_empty() {
                let shown: Vec<String> = bad.iter().take(5).map(|row| row.join(" ")).collect();
                let what = format!("{what}: {} rows, {}", bad.len(), shown.join("; "));
                faults.push(match kind {
                    Kind::Twice => Fault::Twice(what),
                    Kind::Stuck => Fault::Stuck(what),
                    Kind::Other => Fault::Other(what),
                });
            }
        }
        faults.extend(self.truth.corruption().await?.into_iter().map(Fault::Other));
        self.rows(&mut faults).await?;
        if let Some(charged) = &charged {
            self.money(charged, &mut faults).await?;
        }
        self.answers(&mut faults).await?;
        self.walls(&mut faults).await?;
        self.stream(&mut faults).await?;
        let counts = Counts {
            acknowledged: self.acknowledged.len() as u64,
            rows: self.truth.number("SELECT count(*) FROM generations").await?,
            completed: self
                .truth
                .number("SELECT count(*) FROM generations WHERE status = 'completed' AND fallback IS NULL")
                .await?,
            charges: charged.map_or(0, |charged| charged.len() as u64),
            events: self.truth.number("SELECT count(*) FROM events").await?,
        };
        Ok((counts, faults))
    }

    /// Until nothing is on its way, or for as long as patience lasts.
    async fn quiet(&self) -> Fallible<()> {
        let since = Instant::now();
        let sql = "SELECT count(*) FROM generations WHERE due_at IS NOT NULL";
        while since.elapsed() < self.patience && self.truth.number(sql).await? > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// I1 and I13: what was acknowledged is there, as it was asked.
    async fn rows(&self, faults: &mut Vec<Fault>) -> Fallible<()> {
        let rows = self.truth.rows("SELECT id, request_hash, tenant FROM generations").await?;
        let known: BTreeMap<&str, (&str, &str)> = rows
            .iter()
            .filter_map(|row| {
                Some((row.first()?.as_str(), (row.get(1)?.as_str(), row.get(2)?.as_str())))
            })
            .collect();
        for one in self.acknowledged {
            match known.get(one.id.as_str()) {
                None => faults.push(Fault::Lost(format!("I1: {} was acknowledged", one.id))),
                Some((hash, tenant)) if *hash != one.request_hash || *tenant != "studio" => {
                    faults.push(Fault::Other(format!("I13: {} is not what was asked", one.id)));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// I3: nothing is charged twice, nothing for nobody, and nothing is debited that was not charged.
    async fn money(&self, charges: &[Charge], faults: &mut Vec<Fault>) -> Fallible<()> {
        let sql = "SELECT a.token, g.id, g.request_hash, a.run, a.prediction FROM attempts a
                   JOIN generations g ON g.id = a.generation";
        let attempts = self.truth.rows(sql).await?;
        let mut tokens: BTreeMap<&str, usize> = BTreeMap::new();
        for charge in charges {
            *tokens.entry(charge.token.as_str()).or_default() += 1;
        }
        for (token, count) in tokens.iter().filter(|(_, count)| **count > 1) {
            faults.push(Fault::Twice(format!("I3: {count} charges for the token {token}")));
        }
        let mut known = BTreeSet::new();
        let mut charged_runs = BTreeSet::new();
        for row in &attempts {
            let [token, id, hash, run, prediction] = row.as_slice() else { continue };
            known.insert(token.as_str());
            let Some(charge) = charges.iter().find(|charge| charge.token == *token) else {
                if !prediction.is_empty() {
                    faults.push(Fault::Other(format!("{id} has a prediction nobody made")));
                }
                continue;
            };
            charged_runs.insert((id.as_str(), run.as_str()));
            if charge.request_hash != *hash {
                faults.push(Fault::Other(format!("{id} was charged as another request")));
            }
        }
        for charge in charges.iter().filter(|charge| !known.contains(charge.token.as_str())) {
            faults.push(Fault::Twice(format!("{} was charged for nobody", charge.prediction)));
        }
        for row in
            self.truth.rows("SELECT generation, run FROM ledger WHERE kind = 'settle'").await?
        {
            let [id, run] = row.as_slice() else { continue };
            if !charged_runs.contains(&(id.as_str(), run.as_str())) {
                faults.push(Fault::Other(format!("I2: run {run} of {id} was debited for nothing")));
            }
        }
        Ok(())
    }

    /// I7: the same call gives the same bytes.
    async fn answers(&self, faults: &mut Vec<Fault>) -> Fallible<()> {
        for one in self.acknowledged {
            let again = self.caller.create(&one.user, &one.key, &one.body).await?;
            if again.bytes != one.bytes {
                let what = format!("I7: the call of {} is answered with {}", one.id, again.id);
                faults.push(Fault::Other(what));
            }
        }
        Ok(())
    }

    /// I8: another tenant finds nothing of all this.
    async fn walls(&self, faults: &mut Vec<Fault>) -> Fallible<()> {
        for one in self.acknowledged.iter().step_by(1 + self.acknowledged.len() / 10) {
            let seen = self.stranger.get("game", &one.id).await?;
            let path = "/api/v1/generations/preflight";
            let asked = self.stranger.call("POST", path, ("game", None), Some(&one.body)).await?;
            let hit = asked.json().get("generation_id").is_some_and(|id| !id.is_null());
            if seen.status != 404 || hit {
                faults.push(Fault::Other(format!("I8: another tenant reaches {}", one.id)));
            }
        }
        Ok(())
    }

    /// I11: whoever followed was told everything once, in order.
    async fn stream(&self, faults: &mut Vec<Fault>) -> Fallible<()> {
        let place = match self.truth {
            Truth::Sqlite(_) => "position",
            Truth::Postgres(_) => "cursor",
        };
        let sql = format!(
            "SELECT {place}, coalesce(generation, ''), number, kind FROM events
             WHERE tenant = 'studio' AND (shared IS NOT NULL OR owner = 'game') ORDER BY {place}"
        );
        let since = Instant::now();
        loop {
            let rows = self.truth.rows(&sql).await?;
            let told: Vec<Vec<String>> = self
                .follower
                .told()
                .into_iter()
                .map(|(cursor, id, number, kind)| {
                    vec![cursor.to_string(), id, number.to_string(), kind]
                })
                .collect();
            if rows == told {
                return Ok(());
            }
            if since.elapsed() > Duration::from_secs(15) {
                let first = rows.iter().zip(&told).find(|(row, told)| row != told);
                let what =
                    format!("I11: {} events, {} were told; {first:?}", rows.len(), told.len());
                faults.push(Fault::Other(what));
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
