//! Pictures as files: PNG, and GIF for animations.

use std::borrow::Cow;

use gif::{AnyExtension, DisposalMethod, Extension, Frame, Repeat};

use crate::DrawError;
use crate::color::CLEAR;
use crate::layout::Composition;
use crate::settings::Settings;

/// What the files say about themselves: the request they were drawn from.
fn comment(hash: &str) -> String {
    format!("onepath local request {hash}")
}

pub(crate) fn png(
    mut composition: Composition,
    settings: &Settings,
    hash: &str,
) -> Result<Vec<u8>, DrawError> {
    let fault = |error: png::EncodingError| DrawError::Encode(error.to_string());
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, settings.width, settings.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(composition.palette().to_vec());
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.add_text_chunk("Comment".to_owned(), comment(hash)).map_err(fault)?;
    let mut writer = encoder.write_header().map_err(fault)?;
    writer.write_image_data(composition.frame(0)).map_err(fault)?;
    writer.finish().map_err(fault)?;
    Ok(out)
}

pub(crate) fn gif(
    mut composition: Composition,
    settings: &Settings,
    hash: &str,
) -> Result<Vec<u8>, DrawError> {
    let fault = |error: gif::EncodingError| DrawError::Encode(error.to_string());
    let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    let (width, height) = (side(settings.width), side(settings.height));
    let palette = composition.palette().to_vec();
    let mut encoder = gif::Encoder::new(Vec::new(), width, height, &palette).map_err(fault)?;
    encoder.set_repeat(Repeat::Infinite).map_err(fault)?;
    let about = comment(hash);
    let comment = AnyExtension(Extension::Comment as u8);
    encoder.write_raw_extension(comment, &[about.as_bytes()]).map_err(fault)?;
    let delay = side(settings.delay_ms / 10);
    let mut before: Vec<u8> = Vec::new();
    for number in 0..settings.frames {
        let pixels = composition.frame(number);
        let frame = if before.is_empty() {
            Frame { width, height, buffer: Cow::Borrowed(pixels), ..Frame::default() }
        } else {
            changes(&before, pixels, usize::from(width))
        };
        let frame = Frame { delay, dispose: DisposalMethod::Keep, ..frame };
        encoder.write_frame(&frame).map_err(fault)?;
        before.clear();
        before.extend_from_slice(pixels);
    }
    encoder.into_inner().map_err(fault)
}

/// The rectangle in which two pictures differ; what is the same in it is see-through.
fn changes(before: &[u8], after: &[u8], width: usize) -> Frame<'static> {
    let rows = || before.chunks_exact(width.max(1)).zip(after.chunks_exact(width.max(1)));
    let changed = || rows().enumerate().filter(|(_, (before, after))| before != after);
    let (Some((top, _)), Some((bottom, _))) = (changed().next(), changed().next_back()) else {
        let buffer = Cow::Owned(vec![CLEAR]);
        return Frame { width: 1, height: 1, transparent: Some(CLEAR), buffer, ..Frame::default() };
    };
    let (mut left, mut right) = (width, 0);
    for (_, (before, after)) in changed() {
        let differs = |(_, (before, after)): &(usize, (&u8, &u8))| before != after;
        let mut pixels = before.iter().zip(after).enumerate();
        if let Some((first, _)) = pixels.by_ref().take(left).find(differs) {
            left = first;
        }
        let last = before.iter().zip(after).rposition(|(before, after)| before != after);
        right = right.max(last.unwrap_or(0));
    }
    let wide = right + 1 - left;
    let mut buffer = vec![CLEAR; wide * (bottom + 1 - top)];
    let old_and_new = rows().skip(top);
    for (out, (before, after)) in buffer.chunks_exact_mut(wide).zip(old_and_new) {
        let (Some(before), Some(after)) = (before.get(left..=right), after.get(left..=right))
        else {
            continue;
        };
        for ((out, before), after) in out.iter_mut().zip(before).zip(after) {
            *out = if before == after { CLEAR } else { *after };
        }
    }
    let side = |pixels: usize| u16::try_from(pixels).unwrap_or(u16::MAX);
    Frame {
        left: side(left),
        top: side(top),
        width: side(wide),
        height: side(bottom + 1 - top),
        transparent: Some(CLEAR),
        buffer: Cow::Owned(buffer),
        ..Frame::default()
    }
}
