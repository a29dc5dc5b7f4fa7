//! Ratings: the lattice, the bounds, and the trail of what lowered a rating.

use crate::codes::Code;
use crate::decode::{Decode, record, words};
use crate::finding::Finding;
use crate::json::reader::Reader;
use crate::words::FilmRating;

words! {
    /// How explicit content is. The order is the lattice: `sfw < romantic < mature_implied < restricted`.
    pub enum Rating: JsonUnknownWord {
        /// Safe for everyone.
        Sfw = "sfw",
        /// Romantic.
        Romantic = "romantic",
        /// Mature things are implied, not shown.
        MatureImplied = "mature_implied",
        /// Restricted.
        Restricted = "restricted",
    }
}

words! {
    /// How intimate a relationship is. Ordered.
    pub enum Band: JsonUnknownWord {
        /// Not at all.
        None = "none",
        /// Lightly.
        Light = "light",
        /// Deeply.
        Deep = "deep",
        /// Intensely.
        Intense = "intense",
    }
}

impl Rating {
    /// What a world or a user allows that says nothing.
    pub const SILENT: Self = Self::Romantic;

    /// One step lower; `sfw` stays.
    #[must_use]
    pub const fn reduced(self) -> Self {
        match self {
            Self::Sfw | Self::Romantic => Self::Sfw,
            Self::MatureImplied => Self::Romantic,
            Self::Restricted => Self::MatureImplied,
        }
    }

    /// The highest band that this rating allows.
    #[must_use]
    pub const fn allowed_band(self) -> Band {
        match self {
            Self::Sfw => Band::None,
            Self::Romantic => Band::Deep,
            Self::MatureImplied | Self::Restricted => Band::Intense,
        }
    }
}

impl Band {
    /// One step lower; `none` stays.
    #[must_use]
    pub const fn reduced(self) -> Self {
        match self {
            Self::None | Self::Light => Self::None,
            Self::Deep => Self::Light,
            Self::Intense => Self::Deep,
        }
    }
}

impl FilmRating {
    /// The content rating that this film rating allows.
    #[must_use]
    pub const fn allows(self) -> Rating {
        match self {
            Self::G | Self::Pg => Rating::Sfw,
            Self::Pg13 => Rating::Romantic,
            Self::R => Rating::MatureImplied,
        }
    }
}

/// Reads a bound: a word that is no rating has a code of its own.
pub(crate) fn bound(reader: &mut Reader<'_, '_>) -> Option<Rating> {
    Rating::decode_as(reader, Code::RatingUnknownMaximum)
}

record! {
    /// Bounds on top of those that world and user declare.
    #[derive(Default)]
    pub struct BoundsOption("bounds", unknown: refuse) {
        /// Lowers the world's bound.
        world: Option<Rating> = "world" with bound;
        /// Lowers the user's bound.
        user: Option<Rating> = "user" with bound;
        /// Where world or user says nothing, nothing bounds.
        unbounded: Option<bool> = "unbounded";
    }
}

/// Reads `bounds`: the object, or the word `unbounded`.
pub(crate) fn bounds_option(reader: &mut Reader<'_, '_>) -> Option<BoundsOption> {
    if reader.peek() != b'"' {
        return BoundsOption::decode(reader);
    }
    let at = reader.start();
    let word = reader.string("text")?;
    match word.as_ref() {
        "unbounded" => Some(BoundsOption { unbounded: Some(true), ..BoundsOption::default() }),
        "" => None,
        _ => {
            let finding = Finding::new(Code::JsonUnknownWord, "")
                .nearest(crate::decode::nearest(&word, &["unbounded"]))
                .arg(word.into_owned())
                .arg("unbounded")
                .at(at..reader.position());
            reader.fault(at, finding);
            None
        }
    }
}

/// What [`bounds_option`] reads; for its schema.
#[cfg(feature = "schema")]
pub(crate) struct BoundsForm;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for BoundsForm {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BoundsForm".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let object = generator.subschema_for::<BoundsOption>();
        schemars::json_schema!({ "anyOf": [object, { "enum": ["unbounded", ""] }] })
    }
}

record! {
    /// The resolved bounds of a request; an absent one bounds nothing.
    #[derive(Default)]
    pub struct Bounds("bounds", unknown: refuse) {
        /// What the world allows.
        world: Option<Rating> = "world" with bound;
        /// What the user allows.
        user: Option<Rating> = "user" with bound;
    }
}

words! {
    /// Who lowered a rating.
    pub enum BoundBy: JsonUnknownWord {
        /// The world.
        World = "world",
        /// The user.
        User = "user",
        /// The node's constraint.
        Constraint = "constraint",
        /// The provider.
        Provider = "provider",
    }
}

/// A rating as asked and as it takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RatingTrail {
    /// What was asked.
    pub asked: Rating,
    /// What takes effect.
    pub effective: Rating,
    /// Who lowered it: the first of world, user, constraint and provider at the minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_by: Option<BoundBy>,
}

impl RatingTrail {
    /// The lowest of what is asked and what each bound allows; an absent bound bounds nothing.
    ///
    /// ```
    /// use onepath_core::{BoundBy, Rating, RatingTrail};
    ///
    /// let trail = RatingTrail::new(Rating::Restricted, [None, Some(Rating::Romantic), None, None]);
    /// assert_eq!(trail.effective, Rating::Romantic);
    /// assert_eq!(trail.bound_by, Some(BoundBy::User));
    /// ```
    #[must_use]
    pub fn new(asked: Rating, [world, user, constraint, provider]: [Option<Rating>; 4]) -> Self {
        let mut trail = Self { asked, effective: asked, bound_by: None };
        for (bound, by) in [
            (world, BoundBy::World),
            (user, BoundBy::User),
            (constraint, BoundBy::Constraint),
            (provider, BoundBy::Provider),
        ] {
            if let Some(bound) = bound
                && bound < trail.effective
            {
                trail.effective = bound;
                trail.bound_by = Some(by);
            }
        }
        trail
    }
}

/// The lower of two bounds; an absent one bounds nothing.
pub(crate) fn lower(left: Option<Rating>, right: Option<Rating>) -> Option<Rating> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}
