//! Generation types onto operations: a total map, in one table.

use crate::decode::words;
use crate::words::{GenerationType, MediaType};

words! {
    /// What a provider is asked to do.
    pub enum Operation: JsonUnknownWord {
        /// A picture from a prompt.
        TextToImage = "text_to_image",
        /// A changed picture.
        ImageToImage = "image_to_image",
        /// A video from a prompt.
        TextToVideo = "text_to_video",
        /// A video from a picture.
        ImageToVideo = "image_to_video",
        /// A longer video.
        VideoExtend = "video_extend",
        /// A video through a row of pictures.
        VideoTransition = "video_transition",
        /// Subjects and a background put together.
        Fusion = "fusion",
    }
}

/// One generation type and the operation it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OperationRow {
    /// The type of the config.
    pub generation_type: GenerationType,
    /// The operation it asks for.
    pub operation: Operation,
    /// What is made.
    pub media: MediaType,
    /// Whether the type names a meaning in the game rather than the operation itself.
    pub is_semantic_alias: bool,
}

impl GenerationType {
    /// The operation this type stands for.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::Transition => Operation::VideoTransition,
            Self::Variation | Self::Dialogue | Self::Environment | Self::TextToVideo => {
                Operation::TextToVideo
            }
            Self::NpcResponse | Self::ImageToVideo => Operation::ImageToVideo,
            Self::TextToImage => Operation::TextToImage,
            Self::ImageEdit => Operation::ImageToImage,
            Self::VideoExtend => Operation::VideoExtend,
            Self::Fusion => Operation::Fusion,
        }
    }
}

/// How long a run of an operation may take, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the moment it may begin to its end. What takes longer is overdue, and goes on.
    pub overall_ms: i64,
    /// From its first submission until it counts as stuck, and ends.
    pub deadline_ms: i64,
}

impl Operation {
    /// How long a run may take: the one table of timeouts.
    ///
    /// ```
    /// use onepath_core::Operation;
    ///
    /// assert_eq!(Operation::TextToImage.timeouts().overall_ms, 120_000);
    /// ```
    #[must_use]
    pub const fn timeouts(self) -> Timeouts {
        let (overall, deadline) = match self {
            Self::TextToImage | Self::ImageToImage => (2, 10),
            Self::TextToVideo | Self::ImageToVideo | Self::VideoExtend => (10, 30),
            Self::VideoTransition | Self::Fusion => (15, 45),
        };
        Timeouts { overall_ms: overall * 60_000, deadline_ms: deadline * 60_000 }
    }

    /// What the operation makes.
    #[must_use]
    pub const fn media(self) -> MediaType {
        match self {
            Self::TextToImage | Self::ImageToImage => MediaType::Image,
            Self::TextToVideo
            | Self::ImageToVideo
            | Self::VideoExtend
            | Self::VideoTransition
            | Self::Fusion => MediaType::Video,
        }
    }

    pub(crate) const fn needs_prompt(self) -> bool {
        matches!(
            self,
            Self::TextToImage | Self::ImageToImage | Self::TextToVideo | Self::ImageToVideo
        )
    }

    pub(crate) const fn needs_image(self) -> bool {
        matches!(self, Self::ImageToImage | Self::ImageToVideo)
    }
}

/// Every generation type with its operation.
///
/// ```
/// let rows = onepath_core::generation_operations();
/// assert_eq!(rows.len(), 11);
/// assert_eq!(serde_json::to_string(&rows[0]).unwrap(),
///     r#"{"generation_type":"transition","operation":"video_transition","media":"video","is_semantic_alias":true}"#);
/// ```
#[must_use]
pub fn generation_operations() -> Vec<OperationRow> {
    GenerationType::ALL
        .iter()
        .map(|&(_, generation_type)| OperationRow {
            generation_type,
            operation: generation_type.operation(),
            media: generation_type.operation().media(),
            is_semantic_alias: matches!(
                generation_type,
                GenerationType::Transition
                    | GenerationType::Variation
                    | GenerationType::Dialogue
                    | GenerationType::Environment
                    | GenerationType::NpcResponse
            ),
        })
        .collect()
}
