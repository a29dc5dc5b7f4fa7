//! The whole way through an adapter: a real server, and Replicate's fake with its charges.

pub(super) mod faults;
pub(super) mod kills;
pub(super) mod webhooks;

use std::collections::BTreeMap;

use onepath_fakes::Fake;
use onepath_testkit::Fallible;
use sha2::{Digest as _, Sha256};

use super::stage::Stage;
use crate::judge::Fault;

/// What the provider charged for belongs to an attempt that is known, and each to its own; what a
/// user paid for was made.
async fn money(stage: &Stage, fake: &Fake) -> Fallible<Vec<Fault>> {
    let mut faults = Vec::new();
    let sql =
        "SELECT a.prediction, a.generation, a.run FROM attempts a WHERE a.prediction IS NOT NULL";
    let rows = stage.truth.rows(sql).await?;
    let mut of: BTreeMap<&str, Vec<&[String]>> = BTreeMap::new();
    for row in &rows {
        if let Some(prediction) = row.first() {
            of.entry(prediction).or_default().push(row);
        }
    }
    for charge in fake.charges() {
        match of.get(charge.prediction.as_str()).map_or(0, Vec::len) {
            1 => {}
            0 => faults.push(Fault::Twice(format!("{} was charged for nobody", charge.prediction))),
            more => {
                faults.push(Fault::Twice(format!("{} is of {more} attempts", charge.prediction)));
            }
        }
    }
    let settled = "SELECT l.generation FROM ledger l WHERE l.kind = 'settle' AND NOT EXISTS (
        SELECT 1 FROM attempts a WHERE a.generation = l.generation AND a.run = l.run
            AND a.prediction IS NOT NULL)";
    for row in stage.truth.rows(settled).await? {
        faults.push(Fault::Other(format!("I2: {} was debited for nothing", row.join(" "))));
    }
    Ok(faults)
}

/// I9: every asset that is here has its bytes, and they are those of its hash.
async fn bytes(stage: &Stage) -> Fallible<(u64, Vec<Fault>)> {
    let (mut read, mut faults) = (0, Vec::new());
    let sql = "SELECT DISTINCT b.place, b.sha256 FROM assets a JOIN blobs b ON b.sha256 = a.sha256
               WHERE a.sync = 'downloaded'";
    for row in stage.truth.rows(sql).await? {
        let [place, sha256] = row.as_slice() else { continue };
        let file = stage.folder.join("data/blobs").join(place);
        match std::fs::read(&file) {
            Ok(bytes) => {
                let hash: String =
                    Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                if hash != *sha256 {
                    faults.push(Fault::Other(format!("I9: {place} has other bytes")));
                }
                read += 1;
            }
            Err(error) => faults.push(Fault::Lost(format!("I9: {place}: {error}"))),
        }
    }
    Ok((read, faults))
}
