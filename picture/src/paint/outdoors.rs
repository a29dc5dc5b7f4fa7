//! Hills, mountains, forests, cities, space.

use super::Brush;
use crate::canvas::Rect;
use crate::color::Hour;
use crate::noise::{mix, pick, smooth, wave};

impl Brush<'_> {
    pub(super) fn hills(&mut self) {
        let horizon = self.horizon;
        for (layer, (drop, rise, step)) in
            [(4, 26, 2), (14, 22, 7), (30, 18, 12)].iter().enumerate()
        {
            let base = horizon + self.u(*drop);
            let tops = self.ridge(40 + layer as u64, base, *rise, 70 - 12 * layer as i32, false);
            self.land(&tops, *step);
            if layer == 1 {
                if self.scene.light {
                    self.lighthouse(&tops);
                } else {
                    self.trees(&tops, 9, 10, 9);
                }
            }
        }
    }

    pub(super) fn mountains(&mut self) {
        let horizon = self.horizon;
        for (layer, (drop, rise, step)) in
            [(6, 62, 2), (16, 40, 6), (32, 24, 11)].iter().enumerate()
        {
            let base = horizon + self.u(*drop);
            let tops = self.ridge(50 + layer as u64, base, *rise, 58 - 10 * layer as i32, true);
            self.land(&tops, *step);
            if layer == 0 || (layer == 1 && self.scene.snow) {
                self.snow_caps(&tops, base - self.u(rise * 45 / 100));
            }
            if layer == 1 && self.scene.light {
                self.lighthouse(&tops);
            }
        }
    }

    /// Snow on what rises above a line, with a ragged edge.
    fn snow_caps(&mut self, tops: &[i32], line: i32) {
        let color = self.side.white();
        let ragged = self.u(4);
        for (x, &top) in (0..).zip(tops) {
            let edge =
                line + pick(self.scene.chance, (x / ragged.max(2)) as u64, ragged) - ragged / 2;
            if top < edge {
                self.canvas.fill(Rect::new(self.area.x + x, top, 1, (edge - top) * 7 / 10), color);
            }
        }
    }

    /// Conifers on a line of hills.
    pub(super) fn trees(&mut self, tops: &[i32], count: u64, height: i32, step: i32) {
        for tree in 0..count {
            let at = self.chance(100 + tree + 50 * step as u64, self.area.w);
            let Some(&ground) = tops.get(at as usize) else { continue };
            let height = self.u(height * (70 + self.chance(200 + tree, 60)) / 100);
            let lean = self.moment.sway(self.u(self.moment.pace) / 2, tree as i32 * 200);
            let x = self.area.x + at;
            let dark = self.side.land(step + 1);
            self.canvas.fill(
                Rect::new(x - 1, ground - height / 6, self.u(1), height / 4),
                self.side.dark(),
            );
            for part in 0..3 {
                let tip = ground - height + part * height / 4;
                let base = tip + height / 2;
                self.canvas.triangle(
                    x + lean * (3 - part) / 3,
                    tip,
                    base.min(ground),
                    height * (3 + part) / 16,
                    dark,
                );
            }
        }
    }

    pub(super) fn forest(&mut self) {
        let horizon = self.horizon;
        for layer in 0..4 {
            let base = horizon + self.u(4 + 10 * layer);
            let tops = self.ridge(60 + layer as u64, base, 10, 60, false);
            let step = 1 + 4 * layer;
            self.trees(&tops, 16 - 2 * layer as u64, 34 + 10 * layer, step);
            self.land(&tops, step);
        }
    }

    pub(super) fn city(&mut self) {
        let bottom = self.area.bottom();
        for layer in 0..3_u64 {
            let step = 3 + 5 * layer as i32;
            let mut x = self.area.x - self.chance(300 + layer, self.u(8))
                + self.moment.sway(self.u(self.moment.pace) * (layer as i32 + 1) / 2, 0);
            let mut house = 0;
            while x < self.area.right() {
                house += 1;
                let key = 400 + 100 * layer + house;
                let w = self.u(9 + self.chance(key, 9) + 2 * layer as i32);
                let h = self.u(52 - 13 * layer as i32) * (55 + self.chance(key + 7, 45)) / 100;
                let top = self.horizon + self.u(8 * layer as i32) - h;
                self.canvas.fill(Rect::new(x, top, w, bottom - top), self.side.land(step));
                if self.chance(key + 13, 3) == 0 {
                    self.canvas.fill(
                        Rect::new(x + w / 2, top - self.u(5), 1, self.u(5)),
                        self.side.land(step),
                    );
                }
                self.windows(Rect::new(x, top, w, bottom - top), key, layer);
                x += w + self.u(1);
            }
        }
        let street = Rect::new(self.area.x, bottom - self.u(8), self.area.w, self.u(8));
        self.canvas.fill(street, self.side.dark());
        let period = self.u(12);
        let mut x = self.area.x - period + self.moment.run(period);
        while x < self.area.right() {
            self.canvas
                .fill(Rect::new(x, bottom - self.u(4), period / 2, self.u(1)), self.side.accent());
            x += period;
        }
    }

    fn windows(&mut self, house: Rect, key: u64, layer: u64) {
        let color = if layer == 0 { self.side.land(0) } else { self.side.light() };
        let (gap, size) = (self.u(4).max(3), self.u(2).max(1));
        let mut window = 0;
        let mut y = house.y + gap / 2;
        while y + size < house.bottom() {
            let mut x = house.x + gap / 2;
            while x + size < house.right() {
                window += 1;
                let lit = pick(mix(self.scene.chance, key), window, 1024);
                let flicker = wave(self.moment.phase * self.moment.turns() + lit * 5) / 8;
                if lit + flicker < if self.scene.hour == Hour::Day { 200 } else { 340 } {
                    self.canvas.fill(Rect::new(x, y, size, size), color);
                }
                x += gap;
            }
            y += gap;
        }
    }

    pub(super) fn space(&mut self) {
        let radius = self.u(24 + self.chance(510, 10));
        let x = self.area.x + self.area.w * (25 + self.chance(511, 50)) / 100;
        let y = self.area.y + self.area.h * 62 / 100;
        for dy in -radius..=radius {
            let half = (radius * radius - dy * dy).isqrt();
            let band = smooth(self.scene.chance, dy + 900, self.u(5)) * 9 / 1024;
            self.canvas.fill(Rect::new(x - half, y + dy, 2 * half, 1), self.side.land(2 + band));
            let drift = self.moment.sway(self.u(self.moment.pace), dy * 9);
            let lit = (half / 4 + drift).clamp(-half, half);
            self.canvas.dither(Rect::new(x + lit, y + dy, half - lit, 1), self.side.dark(), 44);
        }
        // Rings: the far half goes behind the planet.
        for ring in [30, 34, 36] {
            let reach = radius * ring / 20;
            for dx in -reach..=reach {
                let dip = (reach * reach - dx * dx).isqrt() / 5;
                for dy in [-dip, dip] {
                    if dy > 0 || dx * dx + dy * dy > radius * radius {
                        let y = y + dy - dx / 6;
                        self.canvas.fill(Rect::new(x + dx, y, 1, self.u(1)), self.side.accent());
                    }
                }
            }
        }
    }
}
