//! What bytes are: told from the bytes themselves, never from a name or a header.

use std::io::Cursor;

use image::{ImageDecoder as _, ImageFormat, ImageReader, Limits};

/// Pictures larger than this are refused before they are decoded.
const MOST_PIXELS: u64 = 64_000_000;

/// Media that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// Such as `image/png`.
    pub media_type: &'static str,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// The bytes are no media that is kept.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the bytes are no picture that is kept: {0}")]
pub struct NotMedia(String);

/// Looks at bytes: their kind and size.
///
/// # Errors
///
/// They are of no kind that is kept, are broken, or claim too many pixels.
pub fn inspect(bytes: &[u8]) -> Result<Inspected, NotMedia> {
    let failed = |error: &dyn std::fmt::Display| NotMedia(error.to_string());
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| failed(&e))?;
    let media_type = match reader.format() {
        Some(ImageFormat::Png) => "image/png",
        Some(ImageFormat::Gif) => "image/gif",
        _ => return Err(NotMedia("neither PNG nor GIF".to_owned())),
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(512 << 20);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|e| failed(&e))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || width == 0 || height == 0 {
        return Err(NotMedia(format!("{width} by {height} pixels")));
    }
    // The whole picture is decoded: a good header proves nothing about what follows.
    image::DynamicImage::from_decoder(decoder).map_err(|e| failed(&e))?;
    Ok(Inspected { media_type, width, height })
}
