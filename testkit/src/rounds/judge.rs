//! What must be true, whenever the server was killed. The store is read with SQL of our own, not
//! with the server's code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use onepath_client::{Client, Created};
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

use onepath_testkit::Fallible;

use super::plan::GENERATIONS;
use super::round::Seen;
use super::serve::Place;
use crate::judge::Fault;

/// A database that nobody writes to.
fn open(file: &Path) -> Fallible<Connection> {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// The rows of a query, as texts; absent values are empty.
fn rows(connection: &Connection, sql: &str) -> Fallible<Vec<Vec<String>>> {
    let read = || -> rusqlite::Result<Vec<Vec<String>>> {
        let mut statement = connection.prepare(sql)?;
        let columns = statement.column_count();
        let mapped = statement.query_map([], |row| {
            (0..columns)
                .map(|column| {
                    use rusqlite::types::ValueRef;
                    Ok(match row.get_ref(column)? {
                        ValueRef::Null => String::new(),
                        ValueRef::Integer(value) => value.to_string(),
                        ValueRef::Real(value) => value.to_string(),
                        ValueRef::Text(text) | ValueRef::Blob(text) => {
                            String::from_utf8_lossy(text).into_owned()
                        }
                    })
                })
                .collect()
        })?;
        mapped.collect()
    };
    read().map_err(|error| format!("{sql}: {error}"))
}

fn joined(rows: &[Vec<String>]) -> String {
    rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>().join("; ")
}

/// Looks at a copy of the store as the dead server left it: what was acknowledged is in it.
pub(super) fn at_the_kill(
    place: &Place,
    folder: &Path,
    early: &[(usize, Created)],
    seen: &mut Seen,
) -> Fallible<()> {
    let copy = folder.join("at-the-kill.sqlite");
    for suffix in ["", "-wal"] {
        let from = place.data().join(format!("onepath.sqlite{suffix}"));
        let to = folder.join(format!("at-the-kill.sqlite{suffix}"));
        std::fs::copy(&from, to).map_err(|error| format!("{}: {error}", from.display()))?;
    }
    let connection = open(&copy)?;
    let found = rows(&connection, "SELECT id, coalesce(stage, status) FROM generations")?;
    let ids: BTreeSet<&str> =
        found.iter().filter_map(|row| row.first()).map(String::as_str).collect();
    for (_, created) in early {
        if !ids.contains(created.id.as_str()) {
            let what = format!("{} was acknowledged and is not in the store", created.id);
            seen.faults.push(Fault::Lost(what));
        }
    }
    for stage in found.iter().filter_map(|row| row.get(1)) {
        *seen.stages.entry(stage.clone()).or_default() += 1;
    }
    Ok(())
}

/// What the provider drew so far, by the request's hash.
pub(super) fn draws(place: &Place) -> Fallible<BTreeMap<String, usize>> {
    let log = place.log();
    let text =
        std::fs::read_to_string(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let mut draws = BTreeMap::new();
    for line in text.lines().filter(|line| line.contains(" drawn ")) {
        let hash = line.split("request_hash=").nth(1).unwrap_or(line).trim().trim_matches('"');
        *draws.entry(hash.to_owned()).or_default() += 1;
    }
    Ok(draws)
}

/// Fetches every asset as a browser would: its bytes are those of its hash.
pub(super) async fn assets(address: &str, client: &Client, all: &[String], seen: &mut Seen) {
    let browser = reqwest::Client::new();
    for id in all {
        let assets = match client.get(id).await {
            Ok(generation) => generation.assets,
            Err(error) => {
                seen.faults.push(Fault::Lost(format!("{id}: {error}")));
                continue;
            }
        };
        for asset in assets {
            let Some((path, sha256)) = asset.url.zip(asset.sha256) else {
                seen.faults
                    .push(Fault::Lost(format!("the asset of {id} is {}", asset.sync_status)));
                continue;
            };
            let url = format!("http://{address}{path}");
            let bytes = async {
                let response = browser.get(&url).send().await?.error_for_status()?;
                response.bytes().await
            };
            match bytes.await {
                Ok(bytes) => {
                    let mut hash = String::new();
                    for byte in Sha256::digest(&bytes) {
                        // Writing into a text cannot fail.
                        let _ = write!(hash, "{byte:02x}");
                    }
                    if hash != sha256 {
                        let what = format!("the bytes of {id} are not those of their hash");
                        seen.faults.push(Fault::Other(what));
                    }
                }
                Err(error) => seen.faults.push(Fault::Lost(format!("the asset of {id}: {error}"))),
            }
        }
    }
}

/// Queries that find nothing in a sound store, and what it means if they do.
const NOTHING: &[(&str, &str)] = &[
    (
        "two generations have one key",
        "SELECT cache_key, count(*) FROM generations GROUP BY tenant, cache_key HAVING count(*) > 1",
    ),
    (
        "a generation was not submitted exactly once",
        "SELECT g.id, count(a.token) FROM generations g LEFT JOIN attempts a ON a.generation = g.id GROUP BY g.id HAVING count(a.token) <> 1",
    ),
    (
        "a generation has not exactly one asset",
        "SELECT g.id, count(a.id) FROM generations g LEFT JOIN assets a ON a.generation = g.id GROUP BY g.id HAVING count(a.id) <> 1",
    ),
    (
        "an attempt did not end well",
        "SELECT generation, number, error FROM attempts WHERE ended_at IS NULL OR error IS NOT NULL OR prediction IS NULL",
    ),
    (
        "a row counts other attempts than it has",
        "SELECT g.id, g.attempts FROM generations g WHERE g.attempts <> (SELECT count(*) FROM attempts a WHERE a.generation = g.id)",
    ),
    (
        "events have gaps",
        "SELECT g.id, g.events, count(e.number) FROM generations g LEFT JOIN events e ON e.generation = g.id AND e.asset IS NULL GROUP BY g.id HAVING count(e.number) <> g.events OR max(e.number) <> g.events OR min(e.number) <> 1",
    ),
    (
        "a generation does not hold its slot",
        "SELECT id FROM generations WHERE reuse_key IS NOT cache_key",
    ),
    (
        "a generation is held although it is over",
        "SELECT id FROM generations WHERE due_at IS NOT NULL OR lease_until IS NOT NULL",
    ),
    (
        "numbers have gaps",
        "SELECT max(number), count(*) FROM generations HAVING max(number) <> count(*) OR min(number) <> 1",
    ),
    ("a row refers to what is not there", "SELECT * FROM pragma_foreign_key_check"),
    (
        "a generation is wanted by nobody",
        "SELECT id FROM generations WHERE id NOT IN (SELECT generation FROM interests)",
    ),
];

/// What every generation tells its readers when nothing goes wrong.
const STORY: &str =
    "generation.created generation.started generation.submitted generation.completed";

/// Judges the store and the spool of a server that has ended. `before` is what was drawn when all
/// generations were there and before the same was asked for again.
pub(super) fn store(
    place: &Place,
    all: &[String],
    before: &BTreeMap<String, usize>,
    seen: &mut Seen,
) -> Fallible<()> {
    let connection = open(&place.data().join("onepath.sqlite"))?;
    let check = rows(&connection, "PRAGMA integrity_check")?;
    if joined(&check) != "ok" {
        seen.faults.push(Fault::Other(format!("the store is corrupt: {}", joined(&check))));
    }
    let found = rows(&connection, "SELECT id FROM generations")?;
    if found.len() > GENERATIONS {
        let what = format!("{} rows for {GENERATIONS} creates", found.len());
        seen.faults.push(Fault::Twice(what));
    }
    for id in all {
        if !found.iter().any(|row| row.first() == Some(id)) {
            seen.faults.push(Fault::Lost(format!("{id} is not in the store")));
        }
    }
    for (what, sql) in NOTHING {
        let bad = rows(&connection, sql)?;
        if !bad.is_empty() {
            let what = format!("{what}: {}", joined(&bad));
            let twice = what.contains("one key") || what.contains("submitted exactly once");
            seen.faults.push(if twice { Fault::Twice(what) } else { Fault::Other(what) });
        }
    }
    let stories = "SELECT generation, group_concat(kind, ' ') FROM
        (SELECT generation, kind FROM events WHERE asset IS NULL ORDER BY generation, number)
        GROUP BY generation";
    for row in rows(&connection, stories)? {
        if row.get(1).is_none_or(|told| told != STORY) {
            seen.faults.push(Fault::Other(format!("events of another story: {}", row.join(": "))));
        }
    }
    let draws = draws(place)?;
    seen.draws = draws.values().sum();
    if draws != *before {
        seen.faults.push(Fault::Twice("what exists was drawn again".to_owned()));
    }
    for (hash, count) in draws.iter().filter(|(_, count)| **count > 1) {
        seen.faults.push(Fault::Twice(format!("the request {hash} was drawn {count} times")));
    }
    spool(place, &connection, seen)
}

/// What is left in the spool was charged for an attempt that is known.
fn spool(place: &Place, connection: &Connection, seen: &mut Seen) -> Fallible<()> {
    let known: BTreeSet<String> =
        rows(connection, "SELECT prediction FROM attempts")?.into_iter().flatten().collect();
    let folder = place.data().join("local");
    let shown = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(&folder).map_err(shown)? {
        let path = entry.map_err(shown)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        seen.leftovers += 1;
        if !known.contains(&name) {
            seen.faults.push(Fault::Twice(format!("{name} was drawn for no attempt")));
        }
    }
    Ok(())
}
