//! Which attempt has which prediction.

use super::super::Result;
use super::{Tx, number};

const CLAIMED: &str = "SELECT count(*) FROM attempts WHERE provider = ?1 AND prediction = ?2";

pub(crate) async fn unclaimed<T: Tx>(
    tx: &mut T,
    provider: &str,
    predictions: &[String],
) -> Result<Vec<String>> {
    let mut free = Vec::new();
    for prediction in predictions {
        if number(tx, CLAIMED, &[provider.into(), prediction.into()]).await? == 0 {
            free.push(prediction.clone());
        }
    }
    Ok(free)
}
