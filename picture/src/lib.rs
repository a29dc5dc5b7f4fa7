//! Draws what a request asks for: a placeholder that shows scene, mood, pacing and prompt.
//!
//! A picture is a PNG and an animation a GIF, made from the request and its hash alone: the same
//! two give the same bytes, on any machine, and another hash gives other bytes. Only what belongs
//! to a request's identity, and its seed, is drawn, so that a picture may be shared wherever the
//! request's key is. Nothing here reads a file, a clock or chance; `docs/local.md` shows what is
//! drawn.
//!
//! ```
//! use onepath_core::{BuildOptions, GenerationNodeConfig, decode, prepare};
//!
//! let config = r#"{"generationType": "text_to_image", "purpose": "ambient", "strategy": "once",
//!     "prompt": "a lighthouse in fog", "style": {"local": {"width": 320, "height": 180}}}"#;
//! let config = decode::<GenerationNodeConfig<'_>>(config).into_result()?;
//! let options = decode::<BuildOptions<'_>>(r#"{"providerId": "local"}"#).into_result()?;
//! let prepared = prepare(&config, &options);
//! let (request, print) = prepared.made.ok_or("refused")?;
//! let hash = print.hashes.ok_or("pending")?.request.to_string();
//! let picture = onepath_picture::draw(&request, &hash)?;
//! assert_eq!(picture.media_type, "image/png");
//! assert_eq!((picture.width, picture.height, picture.frames), (320, 180, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

mod canvas;
mod captions;
mod color;
mod encode;
mod font;
mod layout;
mod noise;
mod paint;
mod scene;
mod settings;
mod text;

use onepath_core::lifecycle::ErrorCode;
use onepath_core::{GenerateContentRequest, MediaType};

pub use settings::{Fail, MOST_PIXELS, PROVIDER, Settings};

/// A file that a browser shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub bytes: Vec<u8>,
    /// `image/png` or `image/gif`.
    pub media_type: &'static str,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Pictures in it: 1 in a PNG.
    pub frames: u32,
    /// Milliseconds of one round of an animation; 0 for a PNG.
    pub duration_ms: u32,
}

/// Why nothing is drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// A setting of `style.local` has another kind of value or lies out of its range.
    #[error("`style.local.{name}` is `{found}`: give {expected}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What it is, in part if it is long.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// All pictures of an animation together have too many pixels.
    #[error(
        "`style.local` asks for {frames} pictures of {width}×{height} pixels, more than \
         {MOST_PIXELS} pixels in all: ask for fewer frames or smaller ones"
    )]
    TooMany {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
        /// Pictures.
        frames: u32,
    },
    /// The hash is no hash.
    #[error("the request's hash is not 64 lower-case hexadecimal digits")]
    Hash,
    /// The file could not be written.
    #[error("the picture could not be encoded: {0}")]
    Encode(String),
}

impl DrawError {
    /// The error code of a generation that ran into this.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Setting { .. } | Self::TooMany { .. } => ErrorCode::ParamInvalid,
            Self::Hash | Self::Encode(_) => ErrorCode::ProviderGeneric,
        }
    }
}

/// Draws a request; `hash` is its `request_hash`.
///
/// `style.local.fail` is not looked at here: who carries requests to providers reads it from
/// [`Settings`] and fails in its place.
///
/// # Errors
///
/// Settings that cannot be drawn, and a hash that is none.
pub fn draw(request: &GenerateContentRequest<'_>, hash: &str) -> Result<Picture, DrawError> {
    let settings = Settings::of(request)?;
    let bits = bits(hash).ok_or(DrawError::Hash)?;
    let composition = layout::Composition::new(request, &settings, &bits);
    let (bytes, media_type) = match request.operation().media() {
        MediaType::Image => (encode::png(composition, &settings, hash)?, "image/png"),
        MediaType::Video => (encode::gif(composition, &settings, hash)?, "image/gif"),
    };
    let Settings { width, height, frames, delay_ms, .. } = settings;
    Ok(Picture { bytes, media_type, width, height, frames, duration_ms: frames * delay_ms })
}

/// The bytes of a hash in lower-case hexadecimal.
fn bits(hash: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hash.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hash.as_bytes().chunks_exact(2)) {
        for digit in pair {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            *byte = *byte << 4 | value;
        }
    }
    Some(bytes)
}
