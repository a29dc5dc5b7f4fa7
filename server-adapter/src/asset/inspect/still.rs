//! Pictures and animations, and small pictures of them.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use super::super::content::{Content, Source};
use super::budget::share;
use super::{Inspected, MOST_FRAMES, NotMedia, read_at, sized};

/// What decoding one picture may allocate.
const MOST_ALLOCATED: u64 = 512 << 20;

/// Decodes a picture, once its size is known to be kept.
fn decode(source: Box<dyn Source>, format: ImageFormat) -> Result<DynamicImage, NotMedia> {
    let mut reader = ImageReader::with_format(source, format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_ALLOCATED);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(NotMedia::new)?;
    let (width, height) = decoder.dimensions();
    sized(width, height)?;
    let _share = share(decoder.total_bytes());
    DynamicImage::from_decoder(decoder).map_err(NotMedia::new)
}

pub(super) fn still(
    source: Box<dyn Source>,
    format: ImageFormat,
    media_type: &'static str,
) -> Result<Inspected, NotMedia> {
    let image = decode(source, format)?;
    Ok(Inspected { media_type, width: image.width(), height: image.height(), duration_ms: None })
}

/// The first frame is decoded; of the others their heads are read.
pub(super) fn gif(mut source: Box<dyn Source>) -> Result<Inspected, NotMedia> {
    let mut options = gif::DecodeOptions::new();
    options.skip_frame_decoding(true);
    let mut decoder = options.read_info(&mut source).map_err(NotMedia::new)?;
    let (width, height) = sized(u32::from(decoder.width()), u32::from(decoder.height()))?;
    let (mut frames, mut hundredths) = (0, 0);
    while let Some(frame) = decoder.next_frame_info().map_err(NotMedia::new)? {
        (frames, hundredths) = (frames + 1, hundredths + u64::from(frame.delay));
        if frames > MOST_FRAMES {
            return Err(NotMedia(format!("it has more than {MOST_FRAMES} frames")));
        }
    }
    drop(decoder);
    std::io::Seek::seek(&mut source, std::io::SeekFrom::Start(0))?;
    decode(source, ImageFormat::Gif)?;
    let duration_ms = (frames > 1).then_some(hundredths * 10);
    Ok(Inspected { media_type: "image/gif", width, height, duration_ms })
}

/// The first frame is decoded; of the others their heads are read.
pub(super) fn webp(mut source: Box<dyn Source>, size: u64) -> Result<Inspected, NotMedia> {
    // RIFF, its length, WEBP; then chunks of a name, a length and as many bytes, evened out.
    let (mut at, mut chunks, mut frames, mut duration) = (12_u64, 0, 0, 0);
    while at + 8 <= size {
        chunks += 1;
        if chunks > 4 * MOST_FRAMES {
            return Err(NotMedia::new("it has too many parts"));
        }
        let [a, b, c, d, length @ ..] = read_at::<8>(&mut source, at)?;
        let length = u64::from(u32::from_le_bytes(length));
        if [a, b, c, d] == *b"ANMF" {
            let [low, middle, high, _] = read_at::<4>(&mut source, at + 8 + 12)?;
            duration += u64::from(u32::from_le_bytes([low, middle, high, 0]));
            frames += 1;
            if frames > MOST_FRAMES {
                return Err(NotMedia(format!("it has more than {MOST_FRAMES} frames")));
            }
        }
        at += 8 + length + length % 2;
    }
    std::io::Seek::seek(&mut source, std::io::SeekFrom::Start(0))?;
    let seen = still(source, ImageFormat::WebP, "image/webp")?;
    Ok(Inspected { duration_ms: (frames > 1).then_some(duration), ..seen })
}

/// The longer side of a small picture, in pixels.
pub const THUMBNAIL: u32 = 320;

/// A small picture of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// Such as `image/jpeg`.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Makes a small picture of content: JPEG, or PNG where it lets through what is behind it. Blocks.
///
/// # Errors
///
/// The content is no picture.
pub fn thumbnail(content: &Content) -> Result<Thumbnail, NotMedia> {
    let reader = ImageReader::new(content.reader()?).with_guessed_format()?;
    let format = reader.format().ok_or_else(|| NotMedia::new("it is no picture"))?;
    let image = decode(content.reader()?, format)?;
    let image = if image.width().max(image.height()) > THUMBNAIL {
        image.thumbnail(THUMBNAIL, THUMBNAIL)
    } else {
        image
    };
    let mut bytes = Vec::new();
    let media_type = if image.color().has_alpha() {
        image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).map_err(NotMedia::new)?;
        "image/png"
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 82);
        image.to_rgb8().write_with_encoder(encoder).map_err(NotMedia::new)?;
        "image/jpeg"
    };
    Ok(Thumbnail { media_type, bytes })
}
