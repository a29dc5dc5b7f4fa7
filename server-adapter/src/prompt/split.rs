//! How the versions of a family share those who ask for no version.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::Millis;

/// One of the versions that share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// The version.
    pub version_id: String,
    /// Its share against the others', from 1 to 1,000.
    #[schemars(range(min = 1, max = 1000))]
    pub weight: u32,
}

/// How versions share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Of its own: another split shares anew.
    pub id: String,
    /// Since when.
    pub started_at: Millis,
    /// The versions.
    pub arms: Vec<Arm>,
}

impl Split {
    /// The version of a person: always the same one, as long as the split is.
    #[must_use]
    pub fn choose(&self, person: &str) -> Option<&str> {
        let total: u64 = self.arms.iter().map(|arm| u64::from(arm.weight)).sum();
        let name = serde_json::to_string(&[self.id.as_str(), person]).ok()?;
        let hash = Sha256::digest(format!("onepath/v1/split\n{name}"));
        let first = hash.first_chunk::<8>()?;
        let mut place = u64::from_be_bytes(*first).checked_rem(total)?;
        for arm in &self.arms {
            match place.checked_sub(u64::from(arm.weight)) {
                Some(left) => place = left,
                None => return Some(&arm.version_id),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(id: &str, weights: &[u32]) -> Split {
        let arm = |(index, weight): (usize, &u32)| Arm {
            version_id: format!("quay@{}", index + 1),
            weight: *weight,
        };
        let arms = weights.iter().enumerate().map(arm).collect();
        Split { id: id.to_owned(), started_at: 0, arms }
    }

    #[test]
    fn a_person_keeps_their_version_and_shares_are_as_weighed() {
        let split = split("one", &[3, 1]);
        let people: Vec<String> = (0..4_000).map(|number| format!("player-{number}")).collect();
        let mut second = 0;
        for person in &people {
            let chosen = split.choose(person).unwrap();
            assert_eq!(split.choose(person), Some(chosen));
            second += usize::from(chosen == "quay@2");
        }
        assert!((900..1_100).contains(&second), "{second} of 4000");
    }

    #[test]
    fn another_split_shares_anew_and_one_arm_takes_all() {
        let (one, two) = (split("one", &[1, 1]), split("two", &[1, 1]));
        let people = || (0..200).map(|number| number.to_string());
        let other = people().filter(|person| one.choose(person) != two.choose(person)).count();
        assert!((60..140).contains(&other), "{other} of 200");
        assert!(people().all(|person| split("x", &[5]).choose(&person) == Some("quay@1")));
        assert_eq!(split("x", &[]).choose("ada"), None);
    }

    #[test]
    fn the_choice_is_the_same_everywhere_and_for_ever() {
        let split = split("7", &[1, 1, 1]);
        let chosen: Vec<_> = ["ada", "ben", "cleo"].map(|person| split.choose(person)).into();
        assert_eq!(chosen, CHOSEN.map(Some));
    }

    /// What was chosen when this was first tried.
    const CHOSEN: [&str; 3] = ["quay@2", "quay@1", "quay@3"];
}
