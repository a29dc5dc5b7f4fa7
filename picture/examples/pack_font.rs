//! Packs a font in the format of GNU Unifont's `.hex` files into `font/unifont.bin`.
//!
//! `cargo xtask font` runs it. The format is described in `font/README.md`.
#![allow(clippy::disallowed_methods, reason = "a tool: it reads the files that it packs")]

use std::error::Error;

const PAGE: usize = 256;

#[derive(Default)]
struct Page {
    glyphs: Vec<Option<Vec<u8>>>,
    offsets: Vec<Option<i8>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [glyphs, combining, out] = args.as_slice() else {
        return Err("usage: pack_font GLYPHS.hex COMBINING.txt OUT.bin".into());
    };
    let mut pages: Vec<Page> = Vec::new();
    pages.resize_with(PAGE, || Page { glyphs: vec![None; PAGE], offsets: vec![None; PAGE] });
    for line in std::fs::read_to_string(glyphs)?.lines() {
        let (point, rows) = line.split_once(':').ok_or("a line without `:`")?;
        let point = usize::from_str_radix(point, 16)?;
        let rows = bytes(rows)?;
        if rows.len() != 16 && rows.len() != 32 {
            return Err(format!("{point:04X}: neither 8×16 nor 16×16").into());
        }
        let slot = pages.get_mut(point / PAGE).and_then(|page| page.glyphs.get_mut(point % PAGE));
        *slot.ok_or("a code point beyond the BMP")? = Some(rows);
    }
    for line in std::fs::read_to_string(combining)?.lines() {
        let (point, offset) = line.split_once(':').ok_or("a line without `:`")?;
        let point = usize::from_str_radix(point, 16)?;
        let slot = pages.get_mut(point / PAGE).and_then(|page| page.offsets.get_mut(point % PAGE));
        *slot.ok_or("a code point beyond the BMP")? = Some(offset.trim().parse()?);
    }
    let streams: Vec<Vec<u8>> = pages.iter().map(pack).collect();
    let mut file = Vec::new();
    for stream in &streams {
        file.extend_from_slice(&u16::try_from(stream.len())?.to_le_bytes());
    }
    file.extend(streams.iter().flatten());
    std::fs::write(out, &file)?;
    let count = pages.iter().flat_map(|page| &page.glyphs).flatten().count();
    println!("{out}: {count} glyphs in {} bytes", file.len());
    Ok(())
}

fn bytes(hex: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let digits: Vec<u32> =
        hex.trim().chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>().ok_or("hex")?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Ok(u8::try_from(high * 16 + low)?),
            _ => Err("an odd number of digits".into()),
        })
        .collect()
}

/// One page as it is read by `src/font.rs`, deflated; nothing for a page without glyphs.
fn pack(page: &Page) -> Vec<u8> {
    if page.glyphs.iter().all(Option::is_none) {
        return Vec::new();
    }
    let mut raw: Vec<u8> = page
        .glyphs
        .iter()
        .map(|glyph| glyph.as_ref().map_or(0, |rows| u8::try_from(rows.len() / 16).unwrap_or(0)))
        .collect();
    raw.extend(page.offsets.iter().map(|offset| match offset {
        None => 0,
        Some(offset) => 1 + offset.unsigned_abs(),
    }));
    for rows in page.glyphs.iter().flatten() {
        if rows.len() == 32 {
            raw.extend(rows.iter().step_by(2));
            raw.extend(rows.iter().skip(1).step_by(2));
        } else {
            raw.extend(rows);
        }
    }
    miniz_oxide::deflate::compress_to_vec(&raw, 10)
}
