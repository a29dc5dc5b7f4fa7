//! The table of settings: every name, what it is about, and which values it takes.

use onepath_core::Operation;
use onepath_core::lifecycle::{ErrorCode, Retry, UnknownPolicy};
use serde_json::Value as Json;

use crate::clock::parse_rfc3339;
use crate::limit::Rate;
use crate::store::row::unknown_word;
use crate::store::{Limits, Millis, Stop};

/// What a setting is about, behind the colon of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Nothing: there is one of it.
    None,
    /// A provider.
    Provider,
    /// A provider, or all of them.
    AnyProvider,
    /// A tenant.
    Tenant,
    /// An error after which another attempt may help.
    Error,
    /// An operation, or all of them.
    AnyOperation,
    /// A price.
    Price,
    /// `calls` or `creates`.
    Rate,
}

/// Which values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Switch,
    Whole(i64, i64),
    Unknown,
    Plan,
    Rate,
    Time,
    Reason,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its name, without what it is about.
    pub word: &'static str,
    /// What stands behind the colon.
    pub subject: Subject,
    kind: Kind,
    /// What it does.
    pub about: &'static str,
}

/// Every setting.
pub const NAMES: &[Known] = &[
    Known {
        word: "provider",
        subject: Subject::Provider,
        kind: Kind::Switch,
        about: "whether creates that need a run of this provider are taken, and begun",
    },
    Known {
        word: "submission",
        subject: Subject::AnyProvider,
        kind: Kind::Switch,
        about: "whether runs are begun; creates are taken and wait",
    },
    Known {
        word: "polling",
        subject: Subject::AnyProvider,
        kind: Kind::Switch,
        about: "whether providers are asked how things stand before they report",
    },
    Known {
        word: "webhooks",
        subject: Subject::AnyProvider,
        kind: Kind::Switch,
        about: "whether providers are asked to report, and are listened to",
    },
    Known {
        word: "retry",
        subject: Subject::Error,
        kind: Kind::Whole(0, 20),
        about: "how many further attempts of a run this error may cause",
    },
    Known {
        word: "attempts",
        subject: Subject::None,
        kind: Kind::Whole(1, 20),
        about: "attempts that a run may spend in all",
    },
    Known {
        word: "submit_unknown",
        subject: Subject::None,
        kind: Kind::Unknown,
        about: "what becomes of a submission of which nothing was heard until its deadline",
    },
    Known {
        word: "ceiling",
        subject: Subject::AnyOperation,
        kind: Kind::Whole(0, 1_000_000_000_000),
        about: "micro-dollars that a run reserves whose price is not known",
    },
    Known {
        word: "plan",
        subject: Subject::Price,
        kind: Kind::Plan,
        about: "what a price buys; `plan:free` is the plan of everybody else",
    },
    Known {
        word: "rate",
        subject: Subject::Rate,
        kind: Kind::Rate,
        about: "how often a key may call, and start runs",
    },
    Known {
        word: "jobs_sunset",
        subject: Subject::None,
        kind: Kind::Time,
        about: "when the addresses /api/v1/jobs end",
    },
    Known {
        word: "pause_tenant",
        subject: Subject::Tenant,
        kind: Kind::Reason,
        about: "why nothing of this tenant is begun for now",
    },
    Known {
        word: "pause_provider",
        subject: Subject::Provider,
        kind: Kind::Reason,
        about: "why nothing is begun at this provider for now",
    },
];

/// A name that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSetting {
    /// The name, without what it is about.
    pub word: &'static str,
    /// What it is about.
    pub subject: Option<String>,
}

/// A value that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A whole number.
    Whole(i64),
    /// What becomes of a lost submission.
    Unknown(UnknownPolicy),
    /// What a price buys.
    Plan(Limits),
    /// How often; none is as often as one wants.
    Rate(Option<Rate>),
    /// A time.
    Time(Millis),
    /// Words of people.
    Text(String),
}

/// A setting that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongSetting(pub String);

fn wrong<T>(text: impl Into<String>) -> Result<T, WrongSetting> {
    Err(WrongSetting(text.into()))
}

/// Reads a name such as `retry:provider_timeout`.
///
/// # Errors
///
/// There is none such, or it is about nothing that is known.
pub fn name(text: &str) -> Result<(NamedSetting, &'static Known), WrongSetting> {
    let (word, subject) = match text.split_once(':') {
        Some((word, subject)) => (word, Some(subject)),
        None => (text, None),
    };
    let Some(known) = NAMES.iter().find(|known| known.word == word) else {
        let all: Vec<&str> = NAMES.iter().map(|known| known.word).collect();
        return wrong(format!("there is no setting `{word}`: {}", all.join(", ")));
    };
    let good = |subject: &str| {
        (1..=255).contains(&subject.len()) && !subject.chars().any(char::is_control)
    };
    let example = match (known.subject, subject) {
        (Subject::None | Subject::AnyProvider | Subject::AnyOperation, None) => None,
        (Subject::Provider | Subject::AnyProvider, Some(id)) if good(id) => None,
        (Subject::Tenant | Subject::Price, Some(id)) if good(id) => None,
        (Subject::Rate, Some("calls" | "creates")) => None,
        (Subject::Error, Some(code)) if is_retried(code) => None,
        (Subject::AnyOperation, Some(word)) if Operation::parse(word).is_some() => None,
        (Subject::None, _) => Some(format!("`{word}` stands alone")),
        (Subject::Provider | Subject::AnyProvider, _) => {
            Some(format!("`{word}:PROVIDER`, such as `{word}:replicate`"))
        }
        (Subject::Tenant, _) => Some(format!("`{word}:TENANT`, such as `{word}:studio`")),
        (Subject::Price, _) => Some(format!("`{word}:PRICE`, such as `{word}:free`")),
        (Subject::Rate, _) => Some("`rate:calls` or `rate:creates`".to_owned()),
        (Subject::Error, _) => {
            let all: Vec<&str> =
                ErrorCode::ALL.iter().map(|(word, _)| *word).filter(|w| is_retried(w)).collect();
            Some(format!("`{word}:ERROR`, of those that are tried again: {}", all.join(", ")))
        }
        (Subject::AnyOperation, _) => {
            let all: Vec<&str> = Operation::ALL.iter().map(|(word, _)| *word).collect();
            Some(format!("`{word}` or `{word}:OPERATION`: {}", all.join(", ")))
        }
    };
    match example {
        Some(example) => wrong(format!("`{text}` is no setting: {example}")),
        None => Ok((NamedSetting { word: known.word, subject: subject.map(str::to_owned) }, known)),
    }
}

fn is_retried(code: &str) -> bool {
    ErrorCode::parse(code).is_some_and(|code| code.retry() == Retry::Attempt)
}

/// Reads a setting: its name, and its value as JSON.
///
/// # Errors
///
/// What is wrong with it, and what is wanted.
pub fn read(text: &str, value: &Json) -> Result<(NamedSetting, Value), WrongSetting> {
    let (named, known) = name(text)?;
    let whole = || value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    let read = match known.kind {
        Kind::Switch => value.as_bool().map(Value::Switch).ok_or("true or false".to_owned()),
        Kind::Whole(least, most) => whole()
            .filter(|number| (least..=most).contains(number))
            .map(Value::Whole)
            .ok_or(format!("a whole number from {least} to {most}")),
        Kind::Unknown => {
            let all = [UnknownPolicy::FailWithoutCharge, UnknownPolicy::ResubmitOnce];
            let named = |policy: &&UnknownPolicy| value.as_str() == Some(unknown_word(**policy));
            all.iter()
                .find(named)
                .map(|policy| Value::Unknown(*policy))
                .ok_or("`fail_without_charge` or `resubmit_once`".to_owned())
        }
        Kind::Plan => plan(value).map(Value::Plan),
        Kind::Rate => match value.as_str() {
            Some("off") => Ok(Value::Rate(None)),
            Some(text) => Rate::parse(text).map(|rate| Value::Rate(Some(rate))),
            None => Err("CALLS/SECONDS as a text, such as \"120/60\", or \"off\"".to_owned()),
        },
        Kind::Time => value
            .as_str()
            .and_then(parse_rfc3339)
            .map(Value::Time)
            .ok_or("a time as RFC 3339, such as 2027-01-01T00:00:00Z".to_owned()),
        Kind::Reason => value
            .as_str()
            .map(str::trim)
            .filter(|text| (1..=500).contains(&text.chars().count()) && !text.contains('\0'))
            .map(|text| Value::Text(text.to_owned()))
            .ok_or("the reason, as a text of 1 to 500 characters".to_owned()),
    };
    match read {
        Ok(value) => Ok((named, value)),
        Err(wanted) => wrong(format!("`{text}` does not take {value}: {wanted}")),
    }
}

fn plan(value: &Json) -> Result<Limits, String> {
    let wanted = || {
        "an object with any of in_flight, runs_month, micros_month, storage_bytes, each a whole \
         number from 0 up; what is absent is not limited"
            .to_owned()
    };
    let members = value.as_object().ok_or_else(wanted)?;
    let mut limits = Limits::default();
    for (name, value) in members {
        let number = value.as_i64().filter(|number| *number >= 0).ok_or_else(wanted)?;
        let slot = match name.as_str() {
            "in_flight" => &mut limits.in_flight,
            "runs_month" => &mut limits.runs_month,
            "micros_month" => &mut limits.micros_month,
            "storage_bytes" => &mut limits.storage_bytes,
            _ => return Err(wanted()),
        };
        *slot = Some(number);
    }
    Ok(limits)
}

/// What is not begun while a setting has this value.
#[must_use]
pub fn stops(name: &NamedSetting, value: &Value) -> Option<Stop> {
    let subject = || name.subject.clone().unwrap_or_default();
    match (name.word, value) {
        ("submission", Value::Switch(false)) if name.subject.is_none() => Some(Stop::All),
        ("submission" | "provider", Value::Switch(false)) => Some(Stop::Provider(subject())),
        ("pause_provider", Value::Text(_)) => Some(Stop::Provider(subject())),
        ("pause_tenant", Value::Text(_)) => Some(Stop::Tenant(subject())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_say_what_they_are_about() {
        for good in [
            "provider:replicate",
            "submission",
            "submission:fal",
            "polling",
            "webhooks:replicate",
            "retry:provider_timeout",
            "attempts",
            "submit_unknown",
            "ceiling",
            "ceiling:text_to_video",
            "plan:free",
            "rate:calls",
            "jobs_sunset",
            "pause_tenant:a:b",
            "pause_provider:fal",
        ] {
            assert!(name(good).is_ok(), "{good}");
        }
        for wrong in [
            "",
            "nothing",
            "provider",
            "provider:",
            "attempts:3",
            "retry",
            "retry:param_invalid",
            "retry:provider_quota",
            "ceiling:painting",
            "rate:everything",
            "pause_tenant",
            "pause_tenant:\n",
        ] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_are_looked_at() {
        let value = |name: &str, value: Json| read(name, &value).map(|(_, value)| value);
        assert_eq!(value("submission", json!(false)), Ok(Value::Switch(false)));
        assert_eq!(value("attempts", json!(5)), Ok(Value::Whole(5)));
        assert_eq!(value("attempts", json!("5")), Ok(Value::Whole(5)));
        assert_eq!(value("rate:calls", json!("off")), Ok(Value::Rate(None)));
        assert_eq!(value("jobs_sunset", json!("1970-01-01T00:00:01Z")), Ok(Value::Time(1000)));
        let plan = value("plan:pro", json!({ "in_flight": 3 }));
        assert_eq!(plan, Ok(Value::Plan(Limits { in_flight: Some(3), ..Limits::default() })));
        for (name, wrong) in [
            ("submission", json!("off")),
            ("attempts", json!(0)),
            ("attempts", json!(1.5)),
            ("retry:provider_timeout", json!(21)),
            ("submit_unknown", json!("wait")),
            ("plan:pro", json!({ "inflight": 3 })),
            ("plan:pro", json!({ "in_flight": -1 })),
            ("rate:calls", json!("0/60")),
            ("jobs_sunset", json!("tomorrow")),
            ("pause_tenant:studio", json!("")),
        ] {
            assert!(value(name, wrong.clone()).is_err(), "{name} {wrong}");
        }
    }

    #[test]
    fn what_stops_says_what_it_stops() {
        let stop = |name: &str, value: Json| {
            let (name, value) = read(name, &value).unwrap();
            stops(&name, &value)
        };
        assert_eq!(stop("submission", json!(false)), Some(Stop::All));
        assert_eq!(stop("submission", json!(true)), None);
        let fal = Some(Stop::Provider("fal".to_owned()));
        assert_eq!(stop("submission:fal", json!(false)), fal);
        assert_eq!(stop("provider:fal", json!(false)), fal);
        assert_eq!(stop("pause_provider:fal", json!("broken")), fal);
        let studio = Some(Stop::Tenant("studio".to_owned()));
        assert_eq!(stop("pause_tenant:studio", json!("unpaid")), studio);
        assert_eq!(stop("polling", json!(false)), None);
    }
}
