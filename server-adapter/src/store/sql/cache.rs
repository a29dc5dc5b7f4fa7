//! Reuse, looked after from outside.

use onepath_core::Strategy;

use super::super::cache::{AnswerCount, Kept};
use super::super::row::Millis;
use super::super::{Answer, Result};
use super::{Cells, Tx};

const KEPT: &str = "SELECT id, reuse_key, request, price_micros FROM generations
    WHERE tenant = ?1 AND (CAST(?2 AS TEXT) IS NULL OR owner = ?2) AND status = 'completed'
        AND fallback IS NULL AND deleted_at IS NULL AND strategy <> 'always'
        AND (expires_at IS NULL OR expires_at > ?3) AND id > ?4
    ORDER BY id LIMIT ?5";

pub(crate) async fn kept<T: Tx>(
    tx: &mut T,
    tenant: &str,
    owner: Option<&str>,
    now: Millis,
    after: &str,
    limit: usize,
) -> Result<Vec<Kept>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [tenant.into(), owner.into(), now.into(), after.into(), limit.into()];
    let kept = |mut cells: Cells| {
        Ok(Kept {
            id: cells.take()?,
            cache_key: cells.take()?,
            request: cells.take()?,
            price_micros: cells.take()?,
        })
    };
    tx.query(KEPT, &values).await?.into_iter().map(kept).collect()
}

pub(crate) async fn invalidate<T: Tx>(
    tx: &mut T,
    tenant: &str,
    owner: Option<&str>,
    ids: &[String],
    now: Millis,
) -> Result<u64> {
    let sql = "UPDATE generations SET reuse_key = NULL, expires_at = ?4, updated_at = ?4
        WHERE id = ?1 AND tenant = ?2 AND (CAST(?3 AS TEXT) IS NULL OR owner = ?3)
            AND status = 'completed' AND deleted_at IS NULL
            AND (expires_at IS NULL OR expires_at > ?4)";
    let mut count = 0;
    for id in ids {
        let values = [id.into(), tenant.into(), owner.into(), now.into()];
        count += tx.execute(sql, &values).await?;
    }
    Ok(count)
}

pub(crate) async fn add_answers<T: Tx>(tx: &mut T, counts: &[AnswerCount]) -> Result<()> {
    let sql = "INSERT INTO answers (minute, tenant, strategy, answer, count, saved_micros)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (minute, tenant, strategy, answer) DO UPDATE
        SET count = answers.count + ?5, saved_micros = answers.saved_micros + ?6";
    for line in counts {
        let values = [
            line.minute.into(),
            (&line.tenant).into(),
            line.strategy.word().into(),
            line.answer.word().into(),
            line.count.into(),
            line.saved_micros.into(),
        ];
        tx.execute(sql, &values).await?;
    }
    Ok(())
}

const ANSWERS: &str = "SELECT strategy, answer, CAST(sum(count) AS BIGINT),
        CAST(sum(saved_micros) AS BIGINT)
    FROM answers WHERE tenant = ?1 AND minute >= ?2
    GROUP BY strategy, answer ORDER BY strategy, answer";

pub(crate) async fn answers<T: Tx>(
    tx: &mut T,
    tenant: &str,
    since: Millis,
) -> Result<Vec<AnswerCount>> {
    let line = |mut cells: Cells| {
        Ok(AnswerCount {
            minute: since,
            tenant: tenant.to_owned(),
            strategy: cells.word(Strategy::parse)?,
            answer: cells.word(Answer::parse)?,
            count: cells.take()?,
            saved_micros: cells.take()?,
        })
    };
    tx.query(ANSWERS, &[tenant.into(), since.into()]).await?.into_iter().map(line).collect()
}

pub(crate) async fn forget_answers<T: Tx>(tx: &mut T, before: Millis) -> Result<u64> {
    tx.execute("DELETE FROM answers WHERE minute < ?1", &[before.into()]).await
}
