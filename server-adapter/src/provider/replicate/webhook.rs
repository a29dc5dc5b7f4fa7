//! Webhooks of Replicate: the prediction itself, signed as Standard Webhooks says.

use onepath_webhook::Secret;
use serde::Deserialize;

use super::status::{Prediction, standing};
use super::{Replicate, is_id};
use crate::provider::delivery::{Delivery, WebhookRefused, WebhookReport};
use crate::provider::port::NoAnswer;
use crate::webhook::verify;

/// The id of the prediction that a webhook speaks of.
pub(super) fn about(body: &[u8]) -> Option<String> {
    let told: Prediction = serde_json::from_slice(body).ok()?;
    told.id.filter(|id| is_id(id))
}

/// Verifies a webhook and reads it.
pub(super) async fn read_report(
    replicate: &Replicate,
    delivery: &Delivery<'_>,
) -> Result<WebhookReport, WebhookRefused> {
    let Delivery { submission, headers, body, now } = *delivery;
    let signed =
        |secrets: &[Secret]| verify::standard(headers, body, secrets, now).map(str::to_owned);
    let id = if replicate.secrets.is_empty() {
        let account = submission.account.as_ref().map_or("", |account| &account.account);
        replicate.keys.verify(account, now, signed, ask(replicate, delivery)).await?
    } else {
        signed(&replicate.secrets)?
    };
    let unreadable = |why: String| WebhookRefused::Unreadable(why);
    let told: Prediction =
        serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
    let prediction = told.id.clone().filter(|id| is_id(id));
    let prediction = prediction.ok_or_else(|| unreadable("there is no id in it".to_owned()))?;
    Ok(WebhookReport { id: Some(id), prediction, standing: standing(&told) })
}

/// The secret, as Replicate tells it to whoever has the account's token.
async fn ask(replicate: &Replicate, delivery: &Delivery<'_>) -> Result<Vec<Secret>, NoAnswer> {
    #[derive(Deserialize)]
    struct Told {
        key: String,
    }
    let answer = replicate.wire.send(replicate.api(delivery.submission).secret()).await?;
    let told: Option<Told> = answer.json().filter(|_| answer.status.is_success());
    let secret = told.and_then(|told| Secret::parse(&told.key).ok());
    Ok(vec![secret.ok_or_else(|| answer.no_answer())?])
}
