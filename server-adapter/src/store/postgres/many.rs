//! One statement for many rows of parameters: what is written for one row, in the form that takes
//! arrays.
//!
//! An `INSERT … VALUES (?1, …)` becomes an `INSERT … SELECT … FROM unnest(…)`, and a `SELECT` is
//! asked once for each row of parameters, beside the place of that row. So there is one text of
//! each statement, whatever the number of rows.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use bytes::BytesMut;
use tokio_postgres::Statement;
use tokio_postgres::types::{ToSql, Type, to_sql_checked};

use super::super::{Result, StoreError};
use super::remote::{Encoded, Owned};

/// A statement for many rows.
#[derive(Debug)]
pub(super) struct Many {
    pub(super) sql: String,
    /// The types of the parameters of one row.
    kinds: Vec<Type>,
}

impl Many {
    /// The form for many rows of a shared statement, whose form for one row is prepared.
    pub(super) fn of(sql: &'static str, one: &Statement) -> Result<Arc<Self>> {
        static KNOWN: LazyLock<RwLock<HashMap<&'static str, Arc<Many>>>> =
            LazyLock::new(RwLock::default);
        if let Some(known) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(sql) {
            return Ok(Arc::clone(known));
        }
        let kinds = one.params().to_vec();
        let text = for_many(sql, &kinds).ok_or_else(|| {
            StoreError::Unavailable(format!("a statement has no form for many rows: {sql}"))
        })?;
        let many = Arc::new(Self { sql: text, kinds });
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(sql, Arc::clone(&many));
        Ok(many)
    }

    /// The arrays for rows of parameters.
    pub(super) fn columns(&self, rows: Vec<Vec<Owned>>) -> Result<Vec<Column>> {
        let mut rows: Vec<_> = rows.into_iter().map(Vec::into_iter).collect();
        self.kinds
            .iter()
            .map(|kind| {
                Column::of(kind, rows.iter_mut().map(|row| row.next().unwrap_or(Owned::Null)))
            })
            .collect()
    }
}

/// An array: one parameter of all rows.
#[derive(Debug)]
pub(super) enum Column {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
}

impl Column {
    fn of(kind: &Type, values: impl Iterator<Item = Owned>) -> Result<Self> {
        let wrong = || StoreError::Unavailable(format!("a value does not fit an array of {kind}"));
        if *kind == Type::INT8 {
            let int = |value| match value {
                Owned::Null => Ok(None),
                Owned::Int(value) => Ok(Some(value)),
                Owned::Text(_) => Err(wrong()),
            };
            return Ok(Self::Ints(values.map(int).collect::<Result<_>>()?));
        }
        let text = |value| match value {
            Owned::Null => Ok(None),
            Owned::Text(value) => Ok(Some(value)),
            Owned::Int(_) => Err(wrong()),
        };
        Ok(Self::Texts(values.map(text).collect::<Result<_>>()?))
    }
}

impl ToSql for Column {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Encoded {
        match self {
            Self::Ints(values) => values.to_sql(kind, out),
            Self::Texts(values) => values.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8_ARRAY | Type::TEXT_ARRAY)
    }

    to_sql_checked!();
}

/// The text for many rows; none if the statement is of another form than those above.
fn for_many(sql: &str, kinds: &[Type]) -> Option<String> {
    let (mut arrays, mut names) = (String::new(), String::new());
    for (index, kind) in kinds.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let kind = if *kind == Type::INT8 { "bigint" } else { "text" };
        // Writing into a text cannot fail.
        let _ = write!(arrays, "{comma}${}::{kind}[]", index + 1);
        let _ = write!(names, "{comma}p{}", index + 1);
    }
    let sql = sql.trim();
    if sql.starts_with("SELECT") {
        let one = sql.replace('?', "many.p");
        // The offset keeps the planner from turning the question round: each is one look-up.
        return Some(format!(
            "SELECT many.place, one.* FROM unnest({arrays}) WITH ORDINALITY AS many ({names}, place), \
             LATERAL ({one} OFFSET 0) AS one"
        ));
    }
    let (head, rest) = sql.strip_prefix("INSERT INTO ")?.split_once("VALUES (")?;
    let (values, tail) = rest.split_once(')')?;
    let values = values.replace('?', "many.p");
    Some(format!("INSERT INTO {head}SELECT {values} FROM unnest({arrays}) AS many ({names}){tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_for_one_row_become_statements_for_many() {
        let kinds = [Type::TEXT, Type::INT8];
        assert_eq!(
            for_many(
                "INSERT INTO t (a, b, c) VALUES (?1, ?2, 1)\n ON CONFLICT (a) DO NOTHING",
                &kinds
            )
            .as_deref(),
            Some(
                "INSERT INTO t (a, b, c) SELECT many.p1, many.p2, 1 FROM unnest($1::text[], \
                 $2::bigint[]) AS many (p1, p2)\n ON CONFLICT (a) DO NOTHING"
            )
        );
        assert_eq!(
            for_many("SELECT a FROM t WHERE b = ?1 AND c > ?2", &kinds).as_deref(),
            Some(
                "SELECT many.place, one.* FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS \
                 many (p1, p2, place), LATERAL (SELECT a FROM t WHERE b = many.p1 AND c > many.p2 \
                 OFFSET 0) AS one"
            )
        );
        assert_eq!(for_many("UPDATE t SET a = ?1", &kinds), None);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let values = || vec![Owned::Null, Owned::Text("a".to_owned())].into_iter();
        assert!(Column::of(&Type::TEXT, values()).is_ok());
        assert!(Column::of(&Type::INT8, values()).is_err());
    }
}
