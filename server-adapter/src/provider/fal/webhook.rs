//! Webhooks of fal: signed with one of the keys that it publishes.

use super::status::{Report, reported};
use super::{Fal, place, read};
use crate::provider::delivery::{Delivery, WebhookRefused, WebhookReport};
use crate::provider::params::Places;
use crate::provider::port::{NoAnswer, Provider as _};
use crate::webhook::verify;

/// Verifies a webhook and reads it.
pub(super) async fn read_report(
    fal: &Fal,
    delivery: &Delivery<'_>,
) -> Result<WebhookReport, WebhookRefused> {
    let Delivery { submission, headers, body, now } = *delivery;
    let ask = async {
        let answer = fal.wire.send(fal.api(submission).keys()).await?;
        if !answer.status.is_success() {
            return Err(answer.no_answer());
        }
        verify::ed25519_keys(&answer.body).map_err(|error| NoAnswer::new(error.to_string()))
    };
    let signed =
        |keys: &[verify::Ed25519Key]| verify::fal(headers, body, keys, now).map(str::to_owned);
    let request_id = fal.keys.verify("", now, signed, ask).await?;
    let unreadable = |why: &str| WebhookRefused::Unreadable(why.to_owned());
    let report: Report =
        serde_json::from_slice(body).map_err(|error| unreadable(&error.to_string()))?;
    if report.request_id.as_ref() != Some(&request_id) {
        return Err(unreadable("it names another request than its signature"));
    }
    // Where the request lies follows from the model that was asked for.
    let request = read(&submission.request).map_err(|_| unreadable("the request is not read"))?;
    let params = fal.params(&request, &Places::anywhere(&request, "-"));
    let place = params.ok().and_then(|params| place::usual(&params.path, &request_id));
    let prediction = place.ok_or_else(|| unreadable("the request has no place"))?;
    let standing = reported(&report);
    Ok(WebhookReport { id: Some(request_id), prediction, standing })
}
