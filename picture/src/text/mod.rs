//! Text as cells of pixels: controls made visible, marks over their letters, Arabic joined, lines
//! wrapped and cut, and right-to-left runs put in the order in which they are seen.

mod arabic;
mod order;

use crate::font::{self, HEIGHT};

/// Characters of a text that are looked at: more than the largest picture shows.
const MOST: usize = 8192;

/// How a character stands in the order of a line, a small part of the Unicode bidirectional
/// algorithm (UAX 9): embeddings and isolates are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Left,
    Right,
    Digit,
    Neutral,
}

/// What is seen in one place: a character with the marks over it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    character: char,
    pub(crate) rows: [u16; HEIGHT],
    /// Pixels to the next cell.
    pub(crate) width: usize,
    way: Way,
}

impl Cell {
    fn new(character: char) -> Self {
        let glyph = font::glyph(character).unwrap_or_else(|| font::replacement(character));
        let way = way(character);
        Self { character, rows: glyph.rows, width: usize::from(glyph.width), way }
    }

    /// Draws a mark over the character.
    fn add(&mut self, mark: &font::Glyph, back: u8) {
        let (width, back, mark_width) = (self.width, usize::from(back), usize::from(mark.width));
        let from = match back {
            0 => 0,
            8 if width == 16 && mark_width == 8 => 4,
            _ if back <= width => width - back,
            _ => {
                // The mark begins before the character: both get a wide cell.
                let shift = (back - width).min(16 - width);
                self.rows.iter_mut().for_each(|row| *row >>= shift);
                self.width += shift;
                0
            }
        };
        for (row, mark) in self.rows.iter_mut().zip(mark.rows) {
            *row |= mark >> from;
        }
        // A wide mark over a narrow character needs the room.
        let beyond = |row: &u16| u32::from(*row) << self.width & 0xFFFF != 0;
        if from + mark_width > self.width && self.rows.iter().any(beyond) {
            self.width = (from + mark_width).min(16);
        }
    }

    fn is_space(&self) -> bool {
        self.character == ' ' || self.character == '\u{3000}'
    }

    /// Whether a line may end after it and before what follows: between ideographs.
    fn is_ideograph(&self) -> bool {
        matches!(u32::from(self.character), 0x2E80..=0x3000 | 0x3003..=0x3007 | 0x3012..=0xA4CF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF)
    }

    /// Punctuation that no line begins with.
    fn clings(&self) -> bool {
        "、。，．！？：；）」』】〕》〉ーっッゃャゅュょョ…)]},.!?:;".contains(self.character)
    }
}

/// A line of cells in the order in which they are seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) cells: Vec<Cell>,
    /// Whether it is written from the right, and so begins there.
    pub(crate) from_right: bool,
}

impl Line {
    /// Pixels from end to end.
    pub(crate) fn width(&self) -> usize {
        self.cells.iter().map(|cell| cell.width).sum()
    }
}

/// One line, cut with an ellipsis where it is wider than `width` pixels.
pub(crate) fn line(text: &str, width: usize) -> Line {
    let flat: String = text
        .chars()
        .take(MOST)
        .map(|character| if is_break(character) { ' ' } else { character })
        .collect();
    wrap(flat.trim(), width, 1).pop().unwrap_or_default()
}

/// Lines of at most `width` pixels, at most `most` of them; what does not fit is cut with an
/// ellipsis.
pub(crate) fn wrap(text: &str, width: usize, most: usize) -> Vec<Line> {
    let mut lines: Vec<(Vec<Cell>, bool)> = Vec::new();
    let mut shown: String = text.chars().take(MOST).collect();
    let mut cut = shown.len() < text.len();
    shown = shown.replace("\r\n", "\n");
    for paragraph in shown.trim_end().split(is_break) {
        if lines.len() >= most {
            cut = true;
            break;
        }
        let cells = cells(paragraph);
        let from_right = begins_right(&cells);
        let mut rest = cells.as_slice();
        loop {
            if lines.len() >= most {
                cut = true;
                break;
            }
            let (line, after) = first_line(rest, width);
            lines.push((line.to_vec(), from_right));
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
    }
    if cut && let Some((last, _)) = lines.last_mut() {
        let ellipsis = Cell::new('…');
        let mut room = width.saturating_sub(ellipsis.width);
        let fits = last.iter().take_while(|cell| match room.checked_sub(cell.width) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        });
        let fits = fits.count();
        last.truncate(fits);
        while last.last().is_some_and(Cell::is_space) {
            last.pop();
        }
        last.push(ellipsis);
    }
    lines.into_iter().map(|(cells, from_right)| order::in_order(cells, from_right)).collect()
}

/// Takes as many cells as fit, up to a place where a line may end; at least one.
fn first_line(cells: &[Cell], width: usize) -> (&[Cell], &[Cell]) {
    let mut used = 0;
    let mut fitting = 0;
    let mut end = 0;
    for (index, cell) in cells.iter().enumerate() {
        let next = cells.get(index + 1);
        used += cell.width;
        if used > width && !cell.is_space() {
            break;
        }
        fitting = index + 1;
        let ideographs = cell.is_ideograph() || next.is_some_and(Cell::is_ideograph);
        let may_end = cell.is_space()
            || matches!(cell.character, '-' | '–' | '—' | '/')
            || (ideographs && next.is_none_or(|next| !next.clings()));
        if may_end {
            end = index + 1;
        }
    }
    // A word that is longer than a line is broken where the line ends.
    let end = if fitting == cells.len() || end == 0 { fitting.max(1) } else { end };
    let (line, rest) = cells.split_at_checked(end).unwrap_or((cells, &[]));
    let spaces = line.iter().rev().take_while(|cell| cell.is_space()).count();
    let line = line.get(..line.len() - spaces).unwrap_or(line);
    let lead = rest.iter().take_while(|cell| cell.is_space()).count();
    (line, rest.get(lead..).unwrap_or_default())
}

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Characters that say how others are shown and are not seen themselves.
fn is_unseen(character: char) -> bool {
    matches!(u32::from(character),
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF
        | 0xFFA0 | 0xFFF9..=0xFFFB | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// The cells of a paragraph in the order in which they are read.
fn cells(paragraph: &str) -> Vec<Cell> {
    let characters = paragraph.chars().filter_map(|character| match u32::from(character) {
        0x9 | 0xA0 | 0x2000..=0x200A | 0x202F | 0x205F => Some(' '),
        // The pictures of the control characters.
        point @ 0..=0x1F => char::from_u32(0x2400 + point),
        0x7F => Some('\u{2421}'),
        _ if is_unseen(character) => None,
        _ => Some(character),
    });
    let joined = arabic::join(&characters.collect::<Vec<_>>());
    let mut cells: Vec<Cell> = Vec::with_capacity(joined.len());
    for character in joined {
        let mark = font::glyph(character).and_then(|glyph| Some((glyph, glyph.back?)));
        match (mark, cells.last_mut()) {
            (Some((mark, back)), Some(cell)) if !cell.is_space() => cell.add(&mark, back),
            _ => cells.push(Cell::new(character)),
        }
    }
    cells
}

fn way(character: char) -> Way {
    match u32::from(character) {
        0x660..=0x669 | 0x6F0..=0x6F9 | 0x30..=0x39 => Way::Digit,
        0x590..=0x8FF
        | 0xFB1D..=0xFDFF
        | 0xFE70..=0xFEFC
        | 0x10800..=0x10FFF
        | 0x1E800..=0x1EFFF => Way::Right,
        _ if character.is_alphanumeric() => Way::Left,
        _ => Way::Neutral,
    }
}

fn begins_right(cells: &[Cell]) -> bool {
    cells
        .iter()
        .map(|cell| cell.way)
        .find(|way| matches!(way, Way::Left | Way::Right))
        .is_some_and(|way| way == Way::Right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lines: &[Line]) -> Vec<String> {
        lines.iter().map(|line| line.cells.iter().map(|cell| cell.character).collect()).collect()
    }

    #[test]
    fn words_wrap_and_long_words_break() {
        assert_eq!(seen(&wrap("one two three", 64, 9)), ["one two", "three"]);
        assert_eq!(seen(&wrap("lighthouse", 32, 9)), ["ligh", "thou", "se"]);
        assert_eq!(seen(&wrap("a\n\nb", 64, 9)), ["a", "", "b"]);
        assert_eq!(seen(&wrap("灯台の光、霧", 64, 9)), ["灯台の", "光、霧"]);
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(seen(&wrap("one two three four", 64, 2)), ["one two", "three…"]);
        assert_eq!(seen(&[line("one two", 40)]), ["one…"]);
        assert_eq!(seen(&[line("one\ntwo", 400)]), ["one two"]);
        assert_eq!(seen(&wrap("one", 4, 1)), ["…"]);
    }

    #[test]
    fn controls_are_pictures_and_directions_are_unseen() {
        assert_eq!(seen(&wrap("a\u{7}\u{202E}b\u{200B}\u{FEFF}c\td", 640, 1)), ["a␇bc d"]);
    }

    #[test]
    fn marks_stand_over_their_letters() {
        let plain = line("e", 64);
        let marked = line("e\u{301}", 64);
        assert_eq!(marked.cells.len(), 1);
        assert_eq!(marked.width(), 8);
        assert!(marked.cells[0].rows.iter().zip(plain.cells[0].rows).all(|(m, p)| m & p == p));
        assert_ne!(marked.cells[0].rows, plain.cells[0].rows);
    }

    #[test]
    fn arabic_joins_and_runs_from_the_right() {
        let line = line("سلام 12 abc", 640);
        assert!(line.from_right);
        let seen: String = line.cells.iter().map(|cell| cell.character).collect();
        assert_eq!(seen, "abc 12 \u{FEE1}\u{FEFC}\u{FEB3}");
    }

    #[test]
    fn brackets_turn_with_their_text() {
        let line = line("abc (שלום)", 640);
        let seen: String = line.cells.iter().map(|cell| cell.character).collect();
        assert_eq!(seen, "abc (םולש)");
    }
}
