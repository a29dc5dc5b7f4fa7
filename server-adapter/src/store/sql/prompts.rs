//! Families of prompts, their versions, how their runs ended, and terms.

use onepath_core::lifecycle::ErrorCode;

use super::super::prompts::{Added, NewVersion, PromptFamily, PromptUse, PromptVersion, Which};
use super::super::row::Row;
use super::super::telemetry::{EndedRun, RunEnd};
use super::super::{Millis, Result, StoreError};
use super::{Cells, Tx, Value, first};

macro_rules! both {
    ($rest:literal) => {
        concat!(
            "SELECT f.tenant, f.id, f.name, f.description, f.latest, f.split, f.created_at,
                f.updated_at, v.tenant, v.id, v.family, v.number, v.text, v.negative_text,
                v.variables, v.author, v.notes, v.parent, v.content_hash, v.created_at
            FROM prompt_families f
            JOIN prompt_versions v ON v.tenant = f.tenant AND v.family = f.id ",
            $rest
        )
    };
}

macro_rules! versions {
    ($rest:literal) => {
        concat!(
            "SELECT v.tenant, v.id, v.family, v.number, v.text, v.negative_text, v.variables,
                v.author, v.notes, v.parent, v.content_hash, v.created_at
            FROM prompt_versions v ",
            $rest
        )
    };
}

fn family(c: &mut Cells) -> Result<PromptFamily> {
    Ok(PromptFamily {
        tenant: c.take()?,
        id: c.take()?,
        name: c.take()?,
        description: c.take()?,
        latest: c.take()?,
        split: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
    })
}

fn version(c: &mut Cells) -> Result<PromptVersion> {
    Ok(PromptVersion {
        tenant: c.take()?,
        id: c.take()?,
        family: c.take()?,
        number: c.take()?,
        text: c.take()?,
        negative_text: c.take()?,
        variables: c.take()?,
        author: c.take()?,
        notes: c.take()?,
        parent: c.take()?,
        content_hash: c.take()?,
        created_at: c.take()?,
    })
}

fn pair(mut c: Cells) -> Result<(PromptFamily, PromptVersion)> {
    Ok((family(&mut c)?, version(&mut c)?))
}

/// A family, held until the end of the transaction where several write at the same time.
async fn held<T: Tx>(tx: &mut T, tenant: &str, id: &str) -> Result<Option<PromptFamily>> {
    const READ: &str = "SELECT tenant, id, name, description, latest, split, created_at, updated_at
        FROM prompt_families WHERE tenant = ?1 AND id = ?2";
    const HOLD: &str = "SELECT tenant, id, name, description, latest, split, created_at, updated_at
        FROM prompt_families WHERE tenant = ?1 AND id = ?2 FOR UPDATE";
    let sql = if T::FOR_UPDATE.is_empty() { READ } else { HOLD };
    let found = first(tx, sql, &[tenant.into(), id.into()]).await?;
    found.map(|mut cells| family(&mut cells)).transpose()
}

pub(crate) async fn add<T: Tx>(tx: &mut T, new: &NewVersion) -> Result<Added> {
    let wanted = &new.version;
    if new.family.is_some() && wanted.parent.is_some() {
        return Ok(Added::NoParent);
    }
    if let Some(made) = &new.family {
        let sql = "INSERT INTO prompt_families (tenant, id, name, description, latest, split,
                       created_at, updated_at)
                   VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?6) ON CONFLICT (tenant, id) DO NOTHING";
        let values = [
            (&made.tenant).into(),
            (&made.id).into(),
            made.name.as_ref().into(),
            made.description.as_ref().into(),
            made.split.as_ref().into(),
            made.created_at.into(),
        ];
        tx.execute(sql, &values).await?;
    }
    let Some(family) = held(tx, &wanted.tenant, &wanted.family).await? else {
        return Ok(Added::NoFamily);
    };
    let same = both!("WHERE f.tenant = ?1 AND f.id = ?2 AND v.content_hash = ?3");
    let values = [(&family.tenant).into(), (&family.id).into(), (&wanted.content_hash).into()];
    if let Some(cells) = first(tx, same, &values).await? {
        let (family, version) = pair(cells)?;
        return Ok(Added::Same(family, version));
    }
    if new.family.is_some() && family.latest > 0 {
        return Ok(Added::Taken);
    }
    if let Some(parent) = &wanted.parent
        && prompt(tx, &family.tenant, &family.id, Which::Id(parent)).await?.is_none()
    {
        return Ok(Added::NoParent);
    }
    let (family, version) = new.numbered(family);
    let sql =
        "UPDATE prompt_families SET latest = ?3, updated_at = ?4 WHERE tenant = ?1 AND id = ?2";
    let values = [
        (&family.tenant).into(),
        (&family.id).into(),
        family.latest.into(),
        family.updated_at.into(),
    ];
    tx.send(sql, &values).await?;
    let sql =
        "INSERT INTO prompt_versions (tenant, id, family, number, text, negative_text, variables,
                   author, notes, parent, content_hash, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let values = [
        (&version.tenant).into(),
        (&version.id).into(),
        (&version.family).into(),
        version.number.into(),
        (&version.text).into(),
        version.negative_text.as_ref().into(),
        (&version.variables).into(),
        (&version.author).into(),
        version.notes.as_ref().into(),
        version.parent.as_ref().into(),
        (&version.content_hash).into(),
        version.created_at.into(),
    ];
    tx.send(sql, &values).await?;
    Ok(Added::New(family, version))
}

pub(crate) async fn put_family<T: Tx>(tx: &mut T, family: &PromptFamily) -> Result<bool> {
    let sql = "UPDATE prompt_families SET name = ?3, description = ?4, split = ?5, updated_at = ?6
               WHERE tenant = ?1 AND id = ?2";
    let values = [
        (&family.tenant).into(),
        (&family.id).into(),
        family.name.as_ref().into(),
        family.description.as_ref().into(),
        family.split.as_ref().into(),
        family.updated_at.into(),
    ];
    Ok(tx.execute(sql, &values).await? == 1)
}

pub(crate) async fn families<T: Tx>(
    tx: &mut T,
    tenant: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<(PromptFamily, PromptVersion)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql =
        both!("WHERE f.tenant = ?1 AND f.id > ?2 AND v.number = f.latest ORDER BY f.id LIMIT ?3");
    let rows = tx.query(sql, &[tenant.into(), after.into(), limit.into()]).await?;
    rows.into_iter().map(pair).collect()
}

pub(crate) async fn prompt<T: Tx>(
    tx: &mut T,
    tenant: &str,
    family: &str,
    which: Which<'_>,
) -> Result<Option<(PromptFamily, PromptVersion)>> {
    const LATEST: &str = both!("WHERE f.tenant = ?1 AND f.id = ?2 AND v.number = f.latest");
    const NUMBER: &str = both!("WHERE f.tenant = ?1 AND f.id = ?2 AND v.number = ?3");
    const ID: &str = both!("WHERE f.tenant = ?1 AND f.id = ?2 AND v.id = ?3");
    let [tenant, family] = [Value::from(tenant), Value::from(family)];
    let found = match which {
        Which::Latest => first(tx, LATEST, &[tenant, family]).await?,
        Which::Number(number) => first(tx, NUMBER, &[tenant, family, number.into()]).await?,
        Which::Id(id) => first(tx, ID, &[tenant, family, id.into()]).await?,
    };
    found.map(pair).transpose()
}

pub(crate) async fn by_id<T: Tx>(
    tx: &mut T,
    tenant: &str,
    id: &str,
) -> Result<Option<PromptVersion>> {
    let sql = versions!("WHERE v.tenant = ?1 AND v.id = ?2");
    let found = first(tx, sql, &[tenant.into(), id.into()]).await?;
    found.map(|mut cells| version(&mut cells)).transpose()
}

pub(crate) async fn with_content<T: Tx>(
    tx: &mut T,
    tenant: &str,
    hash: &str,
) -> Result<Vec<PromptVersion>> {
    let sql = versions!("WHERE v.tenant = ?1 AND v.content_hash = ?2 ORDER BY v.family LIMIT 100");
    let rows = tx.query(sql, &[tenant.into(), hash.into()]).await?;
    rows.into_iter().map(|mut cells| version(&mut cells)).collect()
}

pub(crate) async fn of_family<T: Tx>(
    tx: &mut T,
    tenant: &str,
    family: &str,
    before: i64,
    limit: usize,
) -> Result<Vec<PromptVersion>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = versions!(
        "WHERE v.tenant = ?1 AND v.family = ?2 AND v.number < ?3 ORDER BY v.number DESC LIMIT ?4"
    );
    let values = [tenant.into(), family.into(), before.into(), limit.into()];
    let rows = tx.query(sql, &values).await?;
    rows.into_iter().map(|mut cells| version(&mut cells)).collect()
}

/// Counts a run that ended, if its prompt is a version that is kept.
pub(super) async fn ended<T: Tx>(tx: &mut T, row: &Row, run: &EndedRun) -> Result<()> {
    let Some(version) = &run.prompt else { return Ok(()) };
    let sql = "INSERT INTO prompt_runs (generation, run, tenant, family, version, outcome, error,
                   micros, at)
               SELECT CAST(?1 AS TEXT), CAST(?2 AS BIGINT), v.tenant, v.family, v.id,
                   CAST(?5 AS TEXT), CAST(?6 AS TEXT), CAST(?7 AS BIGINT), CAST(?8 AS BIGINT)
               FROM prompt_versions v WHERE v.tenant = ?3 AND v.id = ?4";
    let values = [
        (&row.id).into(),
        run.run.into(),
        (&row.tenant).into(),
        version.into(),
        run.end.word().into(),
        run.error.map(ErrorCode::word).into(),
        run.micros.into(),
        row.updated_at.into(),
    ];
    tx.send(sql, &values).await
}

pub(crate) async fn uses<T: Tx>(
    tx: &mut T,
    tenant: &str,
    family: &str,
    since: Millis,
) -> Result<Vec<PromptUse>> {
    let sql = "SELECT version, outcome, error, count(*), CAST(sum(micros) AS BIGINT)
        FROM prompt_runs WHERE tenant = ?1 AND family = ?2 AND at >= ?3
        GROUP BY version, outcome, error ORDER BY version, outcome, error";
    let line = |mut cells: Cells| {
        Ok(PromptUse {
            version: cells.take()?,
            end: cells.word(RunEnd::parse)?,
            error: cells.optional_word(ErrorCode::parse)?,
            runs: cells.take()?,
            micros: cells.take()?,
        })
    };
    let rows = tx.query(sql, &[tenant.into(), family.into(), since.into()]).await?;
    let mut uses: Vec<PromptUse> =
        rows.into_iter().map(line).collect::<std::result::Result<_, StoreError>>()?;
    // Databases do not agree on where nothing stands among words.
    uses.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(uses)
}

/// By what uses are ordered.
pub(in super::super) fn order(one: &PromptUse) -> (&str, &str, Option<&str>) {
    (&one.version, one.end.word(), one.error.map(ErrorCode::word))
}

pub(crate) async fn put_terms<T: Tx>(
    tx: &mut T,
    tenant: &str,
    terms: Option<&str>,
    now: Millis,
) -> Result<()> {
    let Some(terms) = terms else {
        return tx.send("DELETE FROM tenant_terms WHERE tenant = ?1", &[tenant.into()]).await;
    };
    let sql = "INSERT INTO tenant_terms (tenant, terms, updated_at) VALUES (?1, ?2, ?3)
               ON CONFLICT (tenant) DO UPDATE SET terms = ?2, updated_at = ?3";
    tx.send(sql, &[tenant.into(), terms.into(), now.into()]).await
}

pub(crate) async fn terms<T: Tx>(tx: &mut T, tenant: &str) -> Result<Option<String>> {
    let sql = "SELECT terms FROM tenant_terms WHERE tenant = ?1";
    first(tx, sql, &[tenant.into()]).await?.map(|mut cells| cells.take()).transpose()
}
