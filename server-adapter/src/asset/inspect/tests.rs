use std::io::Cursor;
use std::time::Instant;

use image::codecs::gif::GifEncoder;
use image::{Delay, DynamicImage, Frame, ImageFormat, RgbImage, RgbaImage};

use super::*;

fn looked(bytes: impl Into<bytes::Bytes>) -> Result<Inspected, NotMedia> {
    inspect(&Content::of(bytes.into()))
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let image = DynamicImage::ImageRgb8(RgbImage::from_fn(40, 30, |x, y| {
        image::Rgb([x as u8 * 6, y as u8 * 8, 90])
    }));
    image.write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn animation(frames: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new(&mut out);
    for _ in 0..frames {
        let delay = Delay::from_numer_denom_ms(120, 1);
        encoder.encode_frame(Frame::from_parts(RgbaImage::new(8, 6), 0, 0, delay)).unwrap();
    }
    drop(encoder);
    out
}

/// A box of MP4.
fn part(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).unwrap();
    [&length.to_be_bytes()[..], name, body].concat()
}

/// A film of three and a half seconds.
fn mp4(brand: &[u8; 4]) -> Vec<u8> {
    let mut mvhd = vec![0; 100];
    mvhd[12..16].copy_from_slice(&1000_u32.to_be_bytes());
    mvhd[16..20].copy_from_slice(&3500_u32.to_be_bytes());
    let mut tkhd = vec![0; 84];
    tkhd[76..80].copy_from_slice(&(640_u32 << 16).to_be_bytes());
    tkhd[80..84].copy_from_slice(&(360_u32 << 16).to_be_bytes());
    let trak = part(b"trak", &part(b"tkhd", &tkhd));
    let sound = part(b"trak", &part(b"tkhd", &[0; 84]));
    let moov = part(b"moov", &[part(b"mvhd", &mvhd), trak, sound].concat());
    let ftyp = part(b"ftyp", &[&brand[..], &[0; 4], b"isom"].concat());
    [ftyp, part(b"free", b""), moov, part(b"mdat", &[7; 64])].concat()
}

/// An element of EBML, with a length of eight bytes.
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (1_u64 << 56) | body.len() as u64;
    [id, &length.to_be_bytes(), body].concat()
}

fn webm(doc_type: &[u8]) -> Vec<u8> {
    let head = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], doc_type));
    let duration = element(&[0x44, 0x89], &2500.0_f64.to_be_bytes());
    let scale = element(&[0x2a, 0xd7, 0xb1], &1_000_000_u32.to_be_bytes());
    let info = element(&[0x15, 0x49, 0xa9, 0x66], &[scale, duration].concat());
    let video = [element(&[0xb0], &[2, 128]), element(&[0xba], &[1, 104])].concat();
    let track = element(&[0xae], &element(&[0xe0], &video));
    let tracks = element(&[0x16, 0x54, 0xae, 0x6b], &track);
    let cluster = element(&[0x1f, 0x43, 0xb6, 0x75], &[7; 64]);
    [head, element(&[0x18, 0x53, 0x80, 0x67], &[info, tracks, cluster].concat())].concat()
}

fn seen(media_type: &'static str, width: u32, height: u32, duration_ms: Option<u64>) -> Inspected {
    Inspected { media_type, width, height, duration_ms }
}

#[test]
fn every_kind_is_told_from_its_bytes() {
    for (bytes, expected) in [
        (encoded(ImageFormat::Png), seen("image/png", 40, 30, None)),
        (encoded(ImageFormat::Jpeg), seen("image/jpeg", 40, 30, None)),
        (encoded(ImageFormat::WebP), seen("image/webp", 40, 30, None)),
        (animation(1), seen("image/gif", 8, 6, None)),
        (animation(3), seen("image/gif", 8, 6, Some(360))),
        (mp4(b"isom"), seen("video/mp4", 640, 360, Some(3500))),
        (mp4(b"mp42"), seen("video/mp4", 640, 360, Some(3500))),
        (webm(b"webm"), seen("video/webm", 640, 360, Some(2500))),
    ] {
        assert_eq!(looked(bytes).unwrap(), expected);
    }
}

#[test]
fn sec_s6_what_only_begins_like_media_is_refused() {
    let html = b"<html><script>alert(1)</script>";
    let with = |head: &[u8], rest: &[u8]| [head, rest].concat();
    let mut film = mp4(b"isom");
    film.extend_from_slice(html);
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()),
        ("html", html.to_vec()),
        ("html as png", with(b"\x89PNG\r\n\x1a\n", html)),
        ("png magic", b"\x89PNG\r\n\x1a\n".to_vec()),
        ("gif and script", b"GIF89a/*<script>*/=1;alert(1)".to_vec()),
        ("jpeg magic", b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec()),
        ("webp magic", b"RIFF\x10\0\0\0WEBPVP8L".to_vec()),
        ("mp4 with html behind", film),
        ("mp4 without film", part(b"ftyp", b"isom\0\0\0\0")),
        ("a picture of a phone", without_brands(mp4(b"heic"))),
        ("matroska", webm(b"matroska")),
        ("webm head", webm(b"webm")[..24].to_vec()),
        ("exe", b"MZ\x90\0\x03".to_vec()),
        ("pdf", b"%PDF-1.7".to_vec()),
        ("zip", b"PK\x03\x04".to_vec()),
    ] {
        assert!(looked(bytes).is_err(), "{what}");
    }
}

/// A film in which no brand is a video's.
fn without_brands(mut film: Vec<u8>) -> Vec<u8> {
    while let Some(at) = film.windows(4).position(|word| word == b"isom") {
        film[at..at + 4].copy_from_slice(b"mif1");
    }
    film
}

#[test]
fn sec_s6_media_that_breaks_off_or_is_changed_is_refused_or_still_media() {
    for whole in [
        encoded(ImageFormat::Png),
        encoded(ImageFormat::Jpeg),
        encoded(ImageFormat::WebP),
        animation(2),
        mp4(b"isom"),
        webm(b"webm"),
    ] {
        // Broken off anywhere: never a panic, and a good head alone is not enough.
        for length in (0..whole.len()).step_by(7) {
            let _ = looked(whole[..length].to_vec());
        }
        assert!(looked(whole[..whole.len() / 3].to_vec()).is_err());
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            let _ = looked(changed);
        }
    }
}

/// A PNG that claims a size, with rows of nothing behind it.
fn claims(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// What this process holds of the memory, in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn sec_s5_bombs_are_refused_before_they_are_decoded() {
    let mut many_frames = animation(1);
    let (screen, frame) =
        (many_frames[..13].to_vec(), many_frames[13..many_frames.len() - 1].to_vec());
    many_frames = [screen, frame.repeat(MOST_FRAMES as usize + 1), vec![0x3b]].concat();
    let mut wide_gif = animation(1);
    wide_gif[6..10].copy_from_slice(&[255; 4]);
    let mut wide_film = mp4(b"isom");
    let at = wide_film.windows(4).position(|word| word == b"tkhd").unwrap() + 4 + 76;
    wide_film[at..at + 8].copy_from_slice(&[255; 8]);
    let before = resident();
    for (what, bytes) in [
        ("50,000 by 50,000 pixels", claims(50_000, 50_000)),
        ("one row of them", claims(u32::MAX >> 1, 1)),
        ("no pixels", claims(0, 10)),
        ("10,001 frames", many_frames),
        ("a wide animation", wide_gif),
        ("a wide film", wide_film),
    ] {
        let started = Instant::now();
        assert!(looked(bytes).is_err(), "{what}");
        assert!(started.elapsed().as_secs() < 5, "{what}");
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 256 << 20, "{grown} bytes more");
}

#[test]
fn a_small_picture_keeps_proportions_and_what_it_lets_through() {
    let png = |image: DynamicImage| {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, ImageFormat::Png).unwrap();
        thumbnail(&Content::of(out.into_inner())).unwrap()
    };
    let small = png(DynamicImage::ImageRgb8(RgbImage::new(800, 400)));
    assert_eq!(small.media_type, "image/jpeg");
    let size = looked(small.bytes).unwrap();
    assert_eq!((size.width, size.height), (THUMBNAIL, THUMBNAIL / 2));
    let clear = png(DynamicImage::ImageRgba8(RgbaImage::new(20, 10)));
    assert_eq!(clear.media_type, "image/png");
    assert_eq!(looked(clear.bytes).unwrap().width, 20, "small ones stay as they are");
    assert!(thumbnail(&Content::of(mp4(b"isom"))).is_err());
}
