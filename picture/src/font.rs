//! The font: GNU Unifont, 16 pixels high, for the Basic Multilingual Plane.
//!
//! `font/unifont.bin` holds one deflated page for every 256 code points; `font/README.md` tells
//! its format. A page is unpacked when a text first needs it.

use std::sync::OnceLock;

/// Rows of a glyph, and of a line of text.
pub(crate) const HEIGHT: usize = 16;
/// Code points of a page, and pages of the file.
const PAGE: usize = 256;
/// Bytes of a page without glyph rows: a width and an offset for each code point.
const HEAD: usize = 2 * PAGE;

static FILE: &[u8] = include_bytes!("../font/unifont.bin");
static PAGES: [OnceLock<Page>; PAGE] = [const { OnceLock::new() }; PAGE];

/// The glyphs of a page; empty if it has none.
type Page = Vec<Option<Glyph>>;

/// A glyph: rows from the top, the leftmost pixel in the highest bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glyph {
    pub(crate) rows: [u16; HEIGHT],
    /// 8 or 16 pixels.
    pub(crate) width: u8,
    /// For a mark that is drawn over the character before it: how far left of that character's
    /// right edge it starts. 0 means at that character's left edge.
    pub(crate) back: Option<u8>,
}

/// The glyph of a character, if the font has one.
pub(crate) fn glyph(character: char) -> Option<Glyph> {
    let point = u16::try_from(u32::from(character)).ok()?;
    let [page, index] = point.to_be_bytes().map(usize::from);
    let page = PAGES.get(page)?.get_or_init(|| unpack(page).unwrap_or_default());
    *page.get(index)?
}

fn unpack(page: usize) -> Option<Page> {
    let (lengths, streams) = FILE.split_at_checked(2 * PAGE)?;
    let mut from = 0;
    let mut length = 0;
    for pair in lengths.chunks_exact(2).take(page + 1) {
        from += length;
        length = usize::from(u16::from_le_bytes(pair.try_into().ok()?));
    }
    let stream = streams.get(from..from + length)?;
    let most = HEAD + PAGE * 2 * HEIGHT;
    let raw = miniz_oxide::inflate::decompress_to_vec_with_limit(stream, most).ok()?;
    let (widths, rest) = raw.split_at_checked(PAGE)?;
    let (marks, mut rest) = rest.split_at_checked(PAGE)?;
    let mut glyphs = Page::with_capacity(PAGE);
    for (&width, &mark) in widths.iter().zip(marks) {
        if width == 0 {
            glyphs.push(None);
            continue;
        }
        let (left, after) = rest.split_at_checked(HEIGHT)?;
        let (right, after): (&[u8], _) =
            if width == 2 { after.split_at_checked(HEIGHT)? } else { (&[0; HEIGHT], after) };
        rest = after;
        let mut rows = [0; HEIGHT];
        for ((row, &left), &right) in rows.iter_mut().zip(left).zip(right) {
            *row = u16::from_be_bytes([left, right]);
        }
        glyphs.push(Some(Glyph { rows, width: 8 * width, back: mark.checked_sub(1) }));
    }
    Some(glyphs)
}

/// Rows of the hexadecimal digits, three pixels wide and five high, the leftmost in bit 2.
const DIGITS: [[u16; 5]; 16] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 3, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 2, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
    [2, 5, 7, 5, 5],
    [6, 5, 6, 5, 6],
    [3, 4, 4, 4, 3],
    [6, 5, 5, 5, 6],
    [7, 4, 6, 4, 7],
    [7, 4, 6, 4, 4],
];

/// A box with the six hexadecimal digits of a character that the font has no glyph for.
pub(crate) fn replacement(character: char) -> Glyph {
    let mut rows = [0x8001_u16; HEIGHT];
    let point = u32::from(character);
    for line in 0..2_usize {
        for column in 0..3_usize {
            let shift = 4 * (5 - 3 * line - column);
            let digit = DIGITS.get((point >> shift) as usize & 15).copied().unwrap_or_default();
            for (row, bits) in rows.iter_mut().skip(2 + 7 * line).zip(digit) {
                *row |= bits << (11 - 4 * column);
            }
        }
    }
    for row in [0, HEIGHT - 1] {
        if let Some(row) = rows.get_mut(row) {
            *row = 0xFFFF;
        }
    }
    Glyph { rows, width: 16, back: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_unpacks() {
        let glyphs: usize = (0..PAGE)
            .filter(|&page| FILE[2 * page..2 * page + 2] != [0, 0])
            .map(|page| unpack(page).unwrap().iter().flatten().count())
            .sum();
        assert_eq!(glyphs, 57_086);
        let used: usize = FILE[..2 * PAGE]
            .chunks(2)
            .map(|pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])))
            .sum();
        assert_eq!(used + 2 * PAGE, FILE.len());
    }

    #[test]
    fn letters_look_like_letters() {
        let glyph = glyph('L').unwrap();
        let picture: Vec<String> =
            glyph.rows.iter().map(|row| format!("{:08b}", row >> 8)).collect();
        assert_eq!(picture[4], "01000000");
        assert_eq!(picture[13], "01111110");
        assert_eq!((glyph.width, glyph.back), (8, None));
    }

    #[test]
    fn wide_glyphs_and_marks_are_known() {
        assert_eq!(glyph('灯').unwrap().width, 16);
        assert_eq!(glyph('\u{301}').unwrap().back, Some(8));
        assert_eq!(glyph('\u{64E}').unwrap().back, Some(0));
        assert_eq!(glyph('😀'), None);
        assert_eq!(glyph('\u{E000}'), None);
    }

    #[test]
    fn boxes_tell_characters_apart() {
        assert_ne!(replacement('😀'), replacement('😁'));
        assert_eq!(replacement('😀').rows[0], 0xFFFF);
    }
}
