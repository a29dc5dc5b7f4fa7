//! Media that fakes give: real files, small, another for each prediction.

use std::borrow::Cow;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::Shared;
use crate::book::Prediction;
use crate::http::Reply;

/// Where a file of a prediction lies: at a place `out`, `gone`, `moved` or `junk`.
pub(crate) fn url(
    shared: &Shared,
    of: &Prediction,
    place: &str,
    number: u32,
    moves: bool,
) -> String {
    let ending = if moves { "gif" } else { "png" };
    format!("{}/files/{place}/{}/{number}.{ending}", shared.origin, of.id)
}

/// A file, where the provider's own host for files would be.
pub(crate) fn file(shared: &Shared, path: &str) -> Reply {
    let rest = path.strip_prefix("/files/").unwrap_or_default();
    let (place, name) = rest.split_once('/').unwrap_or_default();
    match place {
        "out" if name.ends_with(".gif") => Reply::bytes("image/gif", animation(name)),
        "out" => Reply::bytes("image/png", picture(name)),
        "moved" => {
            let to = format!("{}/files/out/{name}", shared.origin);
            Reply::json(302, &json!({})).with("location", to)
        }
        "junk" => Reply::bytes("image/png", b"GIF89a<script>".to_vec()),
        _ => Reply::json(404, &json!({ "detail": "not found" })),
    }
}

/// A picture of 96 by 64 pixels, with stripes in colors of its own.
pub(crate) fn picture(of: &str) -> Vec<u8> {
    let hash = Sha256::digest(of);
    let color = |stripe: usize| -> [u8; 3] {
        let at = |index: usize| hash.get((stripe * 3 + index) % 32).copied().unwrap_or_default();
        [at(0), at(1), at(2)]
    };
    let pixels: Vec<u8> = (0..64).flat_map(|_| (0..96).flat_map(|x| color(x / 12))).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 96, 64);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    // A vector takes everything.
    if written.is_err() { Vec::new() } else { bytes }
}

/// An animation of 48 by 32 pixels and three pictures.
pub(crate) fn animation(of: &str) -> Vec<u8> {
    let hash = Sha256::digest(of);
    let palette: Vec<u8> = hash.iter().copied().take(12).collect();
    let mut bytes = Vec::new();
    let Ok(mut encoder) = gif::Encoder::new(&mut bytes, 48, 32, &palette) else {
        return Vec::new();
    };
    for frame in 0..3_u8 {
        let pixels: Vec<u8> = (0..48 * 32).map(|at| ((at % 48 / 12) as u8 + frame) % 4).collect();
        let frame = gif::Frame {
            width: 48,
            height: 32,
            delay: 10,
            buffer: Cow::Owned(pixels),
            ..gif::Frame::default()
        };
        if encoder.write_frame(&frame).is_err() {
            return Vec::new();
        }
    }
    drop(encoder);
    bytes
}
