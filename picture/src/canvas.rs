//! A canvas of palette indices, and the shapes that are drawn on it.

use crate::text::Line;

/// A rectangle; what lies outside of the canvas is not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) w: i32,
    pub(crate) h: i32,
}

impl Rect {
    pub(crate) const fn new(x: i32, y: i32, w: i32, h: i32) -> Self {
        Self { x, y, w, h }
    }

    pub(crate) fn inset(self, by: i32) -> Self {
        Self::new(self.x + by, self.y + by, self.w - 2 * by, self.h - 2 * by)
    }

    pub(crate) fn right(self) -> i32 {
        self.x + self.w
    }

    pub(crate) fn bottom(self) -> i32 {
        self.y + self.h
    }

    fn within(self, other: Self) -> Self {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (w, h) = (self.right().min(other.right()) - x, self.bottom().min(other.bottom()) - y);
        Self::new(x, y, w.max(0), h.max(0))
    }
}

/// Order in which the pixels of an 8×8 square change from one color to another, 0 to 63.
const BAYER: [[u8; 8]; 8] = {
    let mut table = [[0; 8]; 8];
    let mut y = 0;
    #[allow(clippy::indexing_slicing, reason = "constant, within the table")]
    while y < 8 {
        let mut x = 0;
        while x < 8 {
            let mixed = x ^ y;
            let mut bit = 0;
            let mut value = 0;
            while bit < 3 {
                value |= ((mixed >> bit) & 1) << (5 - 2 * bit);
                value |= ((y >> bit) & 1) << (4 - 2 * bit);
                bit += 1;
            }
            table[y][x] = value as u8;
            x += 1;
        }
        y += 1;
    }
    table
};

/// The row of the dither pattern for a row of pixels.
pub(crate) fn dither_row(y: i32) -> [u8; 8] {
    BAYER.get((y & 7) as usize).copied().unwrap_or_default()
}

/// Palette indices, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Canvas {
    width: i32,
    pixels: Vec<u8>,
    clip: Rect,
    whole: Rect,
}

impl Canvas {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let whole = Rect::new(0, 0, width as i32, height as i32);
        let pixels = vec![crate::color::INK; width as usize * height as usize];
        Self { width: width as i32, pixels, clip: whole, whole }
    }

    pub(crate) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Draws only within a rectangle from here on.
    pub(crate) fn clip(&mut self, clip: Rect) {
        self.clip = clip.within(self.whole);
    }

    /// Draws everywhere from here on.
    pub(crate) fn unclip(&mut self) {
        self.clip = self.whole;
    }

    /// The pixels of a row from `x` on, at most `w`, and the `x` at which they really begin.
    pub(crate) fn span(&mut self, x: i32, y: i32, w: i32) -> (i32, &mut [u8]) {
        let span = Rect::new(x, y, w, 1).within(self.clip);
        if span.h == 0 {
            return (x, &mut []);
        }
        let start = (span.y * self.width + span.x) as usize;
        (span.x, self.pixels.get_mut(start..start + span.w as usize).unwrap_or_default())
    }

    pub(crate) fn fill(&mut self, rect: Rect, color: u8) {
        for y in rect.y.max(self.clip.y)..rect.bottom().min(self.clip.bottom()) {
            self.span(rect.x, y, rect.w).1.fill(color);
        }
    }

    /// Fills a part of the pixels, of 64.
    pub(crate) fn dither(&mut self, rect: Rect, color: u8, part: i32) {
        for y in rect.y.max(self.clip.y)..rect.bottom().min(self.clip.bottom()) {
            self.dither_span(rect.x, y, rect.w, color, part);
        }
    }

    fn dither_span(&mut self, x: i32, y: i32, w: i32, color: u8, part: i32) {
        let mut row = dither_row(y);
        let (x, span) = self.span(x, y, w);
        if part >= 64 {
            span.fill(color);
            return;
        }
        row.rotate_left((x & 7) as usize);
        let pattern = row.map(|order| i32::from(order) < part);
        for block in span.chunks_mut(8) {
            for (pixel, change) in block.iter_mut().zip(pattern) {
                *pixel = if change { color } else { *pixel };
            }
        }
    }

    pub(crate) fn disc(&mut self, x: i32, y: i32, radius: i32, color: u8) {
        for dy in -radius..=radius {
            let half = (radius * radius - dy * dy).isqrt();
            self.span(x - half, y + dy, 2 * half + 1).1.fill(color);
        }
    }

    /// A glow that fades from the inside out; `part` of 64 at its heart.
    pub(crate) fn glow(&mut self, x: i32, y: i32, radius: i32, color: u8, part: i32) {
        let square = radius * radius;
        for dy in -radius..=radius {
            let half = (square - dy * dy).isqrt();
            let row = dither_row(y + dy);
            let (from, span) = self.span(x - half, y + dy, 2 * half + 1);
            let pattern = row.iter().cycle().skip((from & 7) as usize);
            for ((pixel, &order), dx) in span.iter_mut().zip(pattern).zip(from - x..) {
                let left = square - dy * dy - dx * dx;
                if i32::from(order) * square < part * left {
                    *pixel = color;
                }
            }
        }
    }

    /// A disc of which another one, to its right, has bitten off a part.
    pub(crate) fn crescent(&mut self, x: i32, y: i32, radius: i32, color: u8) {
        let (bite_x, bite_y, bite) = (x + radius / 2, y - radius / 4, radius * 9 / 10);
        for dy in -radius..=radius {
            let half = (radius * radius - dy * dy).isqrt();
            let off = y + dy - bite_y;
            let edge = match bite * bite - off * off {
                square if square > 0 => bite_x - square.isqrt(),
                _ => x + half + 1,
            };
            let end = edge.min(x + half + 1);
            self.span(x - half, y + dy, end - (x - half)).1.fill(color);
        }
    }

    /// A triangle that stands on `base` with its tip at the top.
    pub(crate) fn triangle(&mut self, x: i32, tip: i32, base: i32, half: i32, color: u8) {
        let height = (base - tip).max(1);
        for y in tip..base {
            let half = half * (y - tip) / height;
            self.span(x - half, y, 2 * half + 1).1.fill(color);
        }
    }

    /// Fills everything below a line of heights, one for each column of `area`.
    pub(crate) fn below(&mut self, area: Rect, tops: &[i32], color: u8) {
        let first = tops.iter().copied().min().unwrap_or(area.bottom()).max(area.y);
        for y in first..area.bottom() {
            let (_, span) = self.span(area.x, y, area.w);
            for (pixel, &top) in span.iter_mut().zip(tops) {
                if y >= top {
                    *pixel = color;
                }
            }
        }
    }

    /// Writes a line; `scale` pixels for each of the font's.
    pub(crate) fn text(&mut self, line: &Line, x: i32, y: i32, scale: i32, color: u8) {
        let mut x = x;
        for cell in &line.cells {
            for (dy, row) in (0..).zip(cell.rows) {
                let mut bits = row;
                while bits != 0 {
                    let from = bits.leading_zeros() as i32;
                    let run = (bits << from).leading_ones() as i32;
                    let rect = Rect::new(x + from * scale, y + dy * scale, run * scale, scale);
                    self.fill(rect, color);
                    bits &= (u32::from(u16::MAX) >> (from + run)) as u16;
                }
            }
            x += cell.width as i32 * scale;
        }
    }

    /// Takes over a part, of 64, of another canvas's pixels; `part` is asked for each column.
    pub(crate) fn blend(&mut self, other: &Self, area: Rect, part: impl Fn(i32) -> i32) {
        let parts: Vec<i32> = (area.x..area.right()).map(part).collect();
        for y in area.y..area.bottom() {
            let row = dither_row(y);
            let start = (y * self.width + area.x) as usize;
            let range = start..start + area.w as usize;
            let (Some(into), Some(from)) =
                (self.pixels.get_mut(range.clone()), other.pixels.get(range))
            else {
                continue;
            };
            let pattern = row.iter().cycle().skip((area.x & 7) as usize);
            for (((into, &from), &order), &part) in
                into.iter_mut().zip(from).zip(pattern).zip(&parts)
            {
                if i32::from(order) < part {
                    *into = from;
                }
            }
        }
    }
}
