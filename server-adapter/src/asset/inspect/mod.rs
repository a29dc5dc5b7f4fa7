//! What bytes are: told from the bytes themselves, never from a name or a header.
//!
//! Pictures are decoded, because a good header proves nothing about what follows; of videos the
//! container is read. Everything is looked at before it is decoded: a picture that claims too many
//! pixels, or an animation of too many frames, costs no memory.

mod budget;
mod mp4;
mod still;
mod webm;

use std::io::{Read as _, Seek as _, SeekFrom};

use super::content::{Content, Source};

pub use still::{THUMBNAIL, Thumbnail, thumbnail};

/// Pictures larger than this are refused before they are decoded.
const MOST_PIXELS: u64 = 64_000_000;

/// Animations of more frames are refused.
const MOST_FRAMES: u32 = 10_000;

/// Media that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// Such as `image/png`.
    pub media_type: &'static str,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// How long it plays, in milliseconds; none for what does not move.
    pub duration_ms: Option<u64>,
}

/// The bytes are no media that is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no picture or video that is kept (PNG, JPEG, WebP, GIF, MP4, WebM): {0}")]
pub struct NotMedia(String);

impl NotMedia {
    fn new(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl From<std::io::Error> for NotMedia {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::new("it breaks off"),
            _ => Self::new(error),
        }
    }
}

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Jpeg,
    WebP,
    Gif,
    Mp4,
    WebM,
}

fn sniff(head: &[u8]) -> Option<Kind> {
    let at = |from: usize, word: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(word));
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some(Kind::Png)
    } else if at(0, b"\xff\xd8\xff") {
        Some(Kind::Jpeg)
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some(Kind::WebP)
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        Some(Kind::Gif)
    } else if at(4, b"ftyp") {
        Some(Kind::Mp4)
    } else if at(0, b"\x1a\x45\xdf\xa3") {
        Some(Kind::WebM)
    } else {
        None
    }
}

/// Looks at content: its kind, size and length. Blocks.
///
/// # Errors
///
/// It is of no kind that is kept, is broken, or claims too much.
pub fn inspect(content: &Content) -> Result<Inspected, NotMedia> {
    let mut source = content.reader()?;
    let mut head = Vec::with_capacity(16);
    source.by_ref().take(16).read_to_end(&mut head)?;
    source.seek(SeekFrom::Start(0))?;
    let kind = sniff(&head).ok_or_else(|| NotMedia::new("its first bytes are of none of these"))?;
    match kind {
        Kind::Png => still::still(source, image::ImageFormat::Png, "image/png"),
        Kind::Jpeg => still::still(source, image::ImageFormat::Jpeg, "image/jpeg"),
        Kind::WebP => still::webp(source, content.bytes),
        Kind::Gif => still::gif(source),
        Kind::Mp4 => mp4::mp4(&mut source, content.bytes),
        Kind::WebM => webm::webm(&mut source, content.bytes),
    }
}

/// A size that is kept, or why not.
fn sized(width: u32, height: u32) -> Result<(u32, u32), NotMedia> {
    if width == 0 || height == 0 {
        return Err(NotMedia::new("it has no pixels"));
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        let why = format!("{width} by {height} pixels are more than {MOST_PIXELS}");
        return Err(NotMedia(why));
    }
    Ok((width, height))
}

/// Reads exactly so many bytes at a place.
fn read_at<const N: usize>(source: &mut dyn Source, at: u64) -> Result<[u8; N], NotMedia> {
    let mut bytes = [0; N];
    source.seek(SeekFrom::Start(at))?;
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
