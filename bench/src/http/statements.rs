//! The statements of a create as peers run them: the same rows as ours, in the tables of ours.

use std::fmt::Write as _;

use onepath_testpostgres::Cluster;

use crate::Failure;

/// A statement: its name, its text, and what its parameters are.
pub(crate) struct Statement {
    name: &'static str,
    sql: String,
    params: Vec<&'static str>,
}

/// What a row of a generation holds: columns with parameters, and with words that are always the
/// same.
const GIVEN: &[(&str, &str)] = &[
    ("id", "id"),
    ("number", "number"),
    ("tenant", "tenant"),
    ("owner", "tenant"),
    ("request", "request"),
    ("request_hash", "hash"),
    ("family_hash", "hash"),
    ("cache_key", "key"),
    ("reuse_key", "key"),
    ("created_at", "now"),
    ("updated_at", "now"),
    ("next_run_at", "now"),
    ("due_at", "now"),
    ("trace_id", "id"),
];
const FIXED: &[(&str, &str)] = &[
    ("generation_type", "'npc_response'"),
    ("operation", "'text_to_video'"),
    ("provider", "'local'"),
    ("strategy", "'per_playthrough'"),
    ("seed", "'1234567890'"),
    ("rating_asked", "'romantic'"),
    ("rating_effective", "'romantic'"),
    ("ttl_seconds", "86400"),
    ("status", "'pending'"),
    ("run", "1"),
    ("policy_attempts", "3"),
    ("policy_unknown", "'fail_without_charge'"),
    ("priority", "5"),
    ("events", "1"),
];

/// The statements of a create, in order, for a database that has our tables.
pub(crate) fn statements(cluster: &Cluster, url: &str) -> Result<Vec<Statement>, Failure> {
    let of = |name, params: &[&'static str], sql: &str| Statement {
        name,
        sql: sql.split_whitespace().collect::<Vec<_>>().join(" "),
        params: params.to_vec(),
    };
    Ok(vec![
        of(
            "holder",
            &["tenant", "key"],
            "SELECT * FROM generations WHERE tenant = $1 AND reuse_key = $2",
        ),
        of(
            "same",
            &["tenant", "hash", "now"],
            "SELECT * FROM generations WHERE tenant = $1 AND request_hash = $2 AND owner = $1
               AND status = 'completed' AND fallback IS NULL AND strategy <> 'always'
               AND deleted_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
             ORDER BY created_at DESC, id DESC LIMIT 1",
        ),
        of(
            "number",
            &["tenant"],
            "INSERT INTO numbers (tenant, last) VALUES ($1, 1)
             ON CONFLICT (tenant) DO UPDATE SET last = numbers.last + 1 RETURNING last",
        ),
        generation(cluster, url)?,
        of(
            "interest",
            &["id", "tenant", "now"],
            "INSERT INTO interests (generation, tenant, user_id, since, open)
             VALUES ($1, $2, $2, $3, 1)
             ON CONFLICT (generation, user_id) DO UPDATE SET open = 1",
        ),
        of(
            "ledger",
            &["tenant", "id", "now"],
            "INSERT INTO ledger (tenant, user_id, generation, run, kind, runs, micros, at)
             VALUES ($1, $1, $2, 1, 'reserve', 1, 0, $3)",
        ),
        of(
            "event",
            &["tenant", "id", "now"],
            "INSERT INTO events (tenant, owner, generation, number, kind, status, at)
             VALUES ($1, $1, $2, 1, 'generation.created', 'pending', $3)",
        ),
    ])
}

/// The insert of a generation. Columns that must hold something and are not spoken of above get
/// the emptiest value of their type, so that a new column does not stop the bench.
fn generation(cluster: &Cluster, url: &str) -> Result<Statement, Failure> {
    let mut params: Vec<&'static str> = Vec::new();
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (column, param) in GIVEN {
        let place = params.iter().position(|known| known == param).unwrap_or_else(|| {
            params.push(param);
            params.len() - 1
        });
        names.push((*column).to_owned());
        values.push(format!("${}", place + 1));
    }
    for (column, value) in FIXED {
        names.push((*column).to_owned());
        values.push((*value).to_owned());
    }
    let wanted = cluster.sql(
        url,
        "SELECT column_name || ' ' || data_type FROM information_schema.columns
         WHERE table_name = 'generations' AND is_nullable = 'NO' AND column_default IS NULL",
    )?;
    for line in wanted.lines() {
        let (column, kind) = line.split_once(' ').ok_or("no column")?;
        if !names.iter().any(|name| name == column) {
            names.push(column.to_owned());
            values.push(if kind == "text" { "''" } else { "0" }.to_owned());
        }
    }
    let (names, values) = (names.join(", "), values.join(", "));
    let sql = format!("INSERT INTO generations ({names}) VALUES ({values})");
    Ok(Statement { name: "generation", sql, params })
}

/// As peers read them.
pub(crate) fn json(statements: &[Statement]) -> String {
    let all: Vec<serde_json::Value> = statements
        .iter()
        .map(|one| serde_json::json!({"name": one.name, "sql": one.sql, "params": one.params}))
        .collect();
    serde_json::Value::from(all).to_string()
}

/// As a script of pgbench: all rows in one transaction, or the row of the generation alone.
pub(crate) fn pgbench(statements: &[Statement], alone: bool, tenants: usize) -> String {
    let mut script = format!(
        "\\set t random(1, {tenants})\n\\set n random(1, 9000000000000000000)\n\
         \\set m random(1, 9000000000000000000)\n"
    );
    if !alone {
        script.push_str("BEGIN;\n");
    }
    for one in statements.iter().filter(|one| !alone || one.name == "generation") {
        let mut sql = one.sql.clone();
        // From the last on, so that `$1` is not found in `$10`.
        for (index, param) in one.params.iter().enumerate().rev() {
            let value = match *param {
                "id" => "lpad(:n::text, 36, '0')",
                "tenant" => ":t::text",
                "hash" => "(md5(:n::text) || md5(:m::text))",
                "key" => "(md5(:n::text) || md5(:m::text) || '|key')",
                "number" if alone => ":n",
                "number" => ":last",
                "now" => ":now",
                _ => ":request",
            };
            sql = sql.replace(&format!("${}", index + 1), value);
        }
        // Writing into a text cannot fail.
        let _ = writeln!(script, "{sql}{}", if one.name == "number" { " \\gset" } else { ";" });
    }
    if !alone {
        script.push_str("COMMIT;\n");
    }
    script
}
