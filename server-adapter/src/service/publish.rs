//! Who says whether what is made can be fetched by anybody: the server, the world, whoever asks.

use serde::Deserialize;

use crate::store::World;

/// Who says whether anybody may fetch an asset, without a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PublicAssets {
    /// Nobody: assets are private.
    #[default]
    Never,
    /// Whoever asks for something to be made, and an asset's owner.
    OnRequest,
    /// What is made is public unless whoever asks says otherwise.
    Always,
}

impl PublicAssets {
    /// Every word.
    pub const ALL: [(&str, Self); 3] =
        [("never", Self::Never), ("on-request", Self::OnRequest), ("always", Self::Always)];

    /// The policy of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, policy)| *policy)
    }

    /// In a world, which may say something else unless the server keeps everything private. A world
    /// whose word is not known keeps everything private, too.
    pub(super) fn under(self, world: Option<&World>) -> Self {
        #[derive(Default, Deserialize)]
        struct Meta {
            generation: Option<Generation>,
        }
        #[derive(Deserialize)]
        struct Generation {
            #[serde(rename = "publicAssets", alias = "public_assets")]
            public: Option<String>,
        }
        let Some(world) = world.filter(|_| self != Self::Never) else { return self };
        let said = match serde_json::from_str::<Meta>(&world.meta) {
            Ok(meta) => meta.generation.and_then(|generation| generation.public),
            Err(_) => return Self::Never,
        };
        said.map_or(self, |word| Self::parse(&word).unwrap_or_default())
    }

    /// Whether what is made is public, by what whoever asks says; none if they ask for what is not
    /// theirs to say.
    pub(super) fn of(self, asked: Option<bool>) -> Option<bool> {
        match (self, asked) {
            (Self::Never, Some(true)) => None,
            (Self::Never, _) => Some(false),
            (Self::OnRequest, asked) => Some(asked == Some(true)),
            (Self::Always, asked) => Some(asked != Some(false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_says_more_only_where_the_server_lets_it() {
        use PublicAssets::{Always, Never, OnRequest};
        let world = |meta: &str| World {
            tenant: "studio".to_owned(),
            id: "w".to_owned(),
            name: None,
            meta: meta.to_owned(),
            created_at: 0,
        };
        let always = world(r#"{"generation": {"publicAssets": "always"}}"#);
        let never = world(r#"{"generation": {"public_assets": "never"}}"#);
        let strange = world(r#"{"generation": {"publicAssets": "perhaps"}}"#);
        let silent = world(r#"{"generation": {"maxContentRating": "sfw"}}"#);
        for (server, world, policy) in [
            (Never, Some(&always), Never),
            (OnRequest, Some(&always), Always),
            (Always, Some(&never), Never),
            (Always, Some(&strange), Never),
            (Always, Some(&silent), Always),
            (OnRequest, None, OnRequest),
        ] {
            assert_eq!(server.under(world), policy, "{server:?} {world:?}");
        }
        assert_eq!(
            [None, Some(false), Some(true)].map(|said| Never.of(said)),
            [Some(false), Some(false), None]
        );
        assert_eq!(
            [None, Some(false), Some(true)].map(|said| OnRequest.of(said)),
            [false, false, true].map(Some)
        );
        assert_eq!(
            [None, Some(false), Some(true)].map(|said| Always.of(said)),
            [true, false, true].map(Some)
        );
    }
}
