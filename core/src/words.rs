//! The closed words of configs and requests.

use crate::decode::words;
use crate::json::value::Value;

words! {
    /// What kind of content a node asks for. It maps totally onto an [`Operation`](crate::Operation).
    pub enum GenerationType: JsonUnknownWord {
        /// A video from one scene to the next, image by image.
        Transition = "transition",
        /// Another take of a moment.
        Variation = "variation",
        /// A spoken moment.
        Dialogue = "dialogue",
        /// A place and its mood.
        Environment = "environment",
        /// An npc reacting, from its portrait.
        NpcResponse = "npc_response",
        /// A picture from a prompt.
        TextToImage = "text_to_image",
        /// A video from a prompt.
        TextToVideo = "text_to_video",
        /// A video from a picture.
        ImageToVideo = "image_to_video",
        /// A changed picture.
        ImageEdit = "image_edit",
        /// A longer video.
        VideoExtend = "video_extend",
        /// Subjects and a background put together.
        Fusion = "fusion",
    }
}

words! {
    /// What the content is for.
    pub enum Purpose: JsonUnknownWord {
        /// It bridges a gap between two scenes.
        GapFill = "gap_fill",
        /// It varies something that exists.
        Variation = "variation",
        /// It adapts to what the player did.
        Adaptive = "adaptive",
        /// It is background.
        Ambient = "ambient",
    }
}

words! {
    /// Who shares a result.
    pub enum Strategy: JsonUnknownWord {
        /// Everyone in the tenant: made once.
        Once = "once",
        /// One playthrough.
        PerPlaythrough = "per_playthrough",
        /// One player.
        PerPlayer = "per_player",
        /// Nobody: made anew each time, no cache key.
        Always = "always",
    }
}

words! {
    /// What the seed is derived from.
    pub enum SeedSource: SeedUnknownSource {
        /// The playthrough's id.
        Playthrough = "playthrough",
        /// The player's id.
        Player = "player",
        /// The clock: the `now` option, in milliseconds.
        Timestamp = "timestamp",
        /// An explicit seed.
        Fixed = "fixed",
    }
}

words! {
    /// The pace of a style.
    pub enum Pacing: StyleUnknownPacing {
        /// Slow.
        Slow = "slow",
        /// Medium.
        Medium = "medium",
        /// Fast.
        Fast = "fast",
    }
}

words! {
    /// How a transition changes.
    pub enum TransitionType: StyleUnknownTransition {
        /// Bit by bit.
        Gradual = "gradual",
        /// At once.
        Abrupt = "abrupt",
    }
}

words! {
    /// What a variable of a template may be.
    pub enum VariableType: JsonUnknownWord {
        /// Text.
        Text = "text",
        /// A number.
        Number = "number",
        /// `true` or `false`.
        Boolean = "boolean",
    }
}

impl VariableType {
    /// Whether a value is of this type.
    #[must_use]
    pub fn takes(self, value: &Value<'_>) -> bool {
        matches!(
            (self, value),
            (Self::Text, Value::Text(_))
                | (Self::Number, Value::Number(_))
                | (Self::Boolean, Value::Bool(_))
        )
    }
}

words! {
    /// What is shown when generation fails.
    pub enum FallbackMode: JsonUnknownWord {
        /// Content named by `defaultContentId`.
        DefaultContent = "default_content",
        /// Nothing.
        Skip = "skip",
        /// Another try, up to `maxRetries`.
        Retry = "retry",
        /// A placeholder.
        Placeholder = "placeholder",
    }
}

words! {
    /// A film rating, as constraints use it.
    pub enum FilmRating: JsonUnknownWord {
        /// General audiences: allows sfw.
        G = "G",
        /// Parental guidance: allows sfw.
        Pg = "PG",
        /// Allows romantic.
        Pg13 = "PG-13",
        /// Restricted: allows `mature_implied`.
        R = "R",
    }
}

words! {
    /// The drawing style of an npc.
    pub enum ArtStyle: JsonUnknownWord {
        /// Anime.
        Anime = "anime",
        /// Realistic.
        Realistic = "realistic",
        /// Between the two.
        SemiRealistic = "semi-realistic",
    }
}

words! {
    /// Speed against quality.
    pub enum QualityPreset: JsonUnknownWord {
        /// As fast as it plays.
        Realtime = "realtime",
        /// Fast.
        Fast = "fast",
        /// Between the two.
        Balanced = "balanced",
        /// As good as it gets.
        Quality = "quality",
    }
}

words! {
    /// What a fusion asset is.
    pub enum FusionKind: JsonUnknownWord {
        /// Someone or something in front.
        Subject = "subject",
        /// What is behind.
        Background = "background",
    }
}

words! {
    /// What an operation makes.
    pub enum MediaType: JsonUnknownWord {
        /// A still picture.
        Image = "image",
        /// A moving picture.
        Video = "video",
    }
}
