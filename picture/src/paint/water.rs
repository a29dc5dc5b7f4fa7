//! The sea, and what stands at it.

use super::Brush;
use crate::canvas::Rect;
use crate::noise::wave;

impl Brush<'_> {
    pub(super) fn water(&mut self) {
        let (area, horizon) = (self.area, self.horizon);
        // A headland on one side.
        let left = self.chance(70, 2) == 0;
        let mut tops = self.ridge(71, horizon, 30, 40, false);
        let reach = area.w * 45 / 100;
        for (x, top) in (0..).zip(tops.iter_mut()) {
            let inward = if left { x } else { area.w - 1 - x };
            let high = (reach - inward).max(0) * 256 / reach.max(1);
            *top = if high == 0 { area.bottom() } else { horizon - (horizon - *top) * high / 256 };
        }
        self.land(&tops, 5);
        if self.scene.light {
            self.lighthouse(&tops);
        } else {
            self.houses(&tops);
        }
        let depth = (area.bottom() - horizon).max(1);
        for y in horizon..area.bottom() {
            let value = (y - horizon) * 11 * 64 / depth;
            let row = Rect::new(area.x, y, area.w, 1);
            self.canvas.fill(row, self.side.land(2 + value / 64));
            self.canvas.dither(row, self.side.land(3 + value / 64), value % 64);
        }
        self.reflections(depth);
        self.boat();
    }

    /// Broken lines of light on the water, brighter below sun or moon.
    fn reflections(&mut self, depth: i32) {
        let (sun, _) = self.luminary_at();
        let mut line = 0;
        let mut gap = 0;
        while gap < depth {
            line += 1;
            gap = line * line * self.u(1) / 3 + line * 2;
            let y = self.horizon + gap;
            let thick = 1 + gap * self.unit / (depth * 24).max(1);
            let period = self.u(10 + 2 * line).max(6);
            let shift = self.moment.run(period) * if line % 2 == 0 { 1 } else { -1 };
            let mut x = self.area.x - period + shift.rem_euclid(period);
            let mut dash = 0;
            while x < self.area.right() {
                dash += 1;
                let long = period / 4 + period * ((line * 7 + dash % 3 * 5) % 4) / 12;
                let near = (x + long / 2 - sun).abs() < self.u(9) + gap / 2;
                if near && !self.scene.rain {
                    self.canvas.fill(Rect::new(x, y, long, thick), self.side.light());
                } else {
                    self.canvas.dither(Rect::new(x, y, long, thick), self.side.sky(22), 36);
                }
                x += period;
            }
        }
    }

    fn boat(&mut self) {
        let sway = self.u(3 * self.moment.pace);
        let x = self.area.x
            + self.area.w * (35 + self.chance(80, 40)) / 100
            + self.moment.sway(sway, 0);
        let y = self.horizon
            + (self.area.bottom() - self.horizon) * 34 / 100
            + self.moment.sway(self.u(1), 300);
        let (hull, dark, accent, sail) =
            (self.u(10), self.side.dark(), self.side.accent(), self.side.white());
        for row in 0..self.u(4) {
            let inset = row * 3 / 4;
            let color = if row < self.u(1) { accent } else { dark };
            self.canvas.fill(Rect::new(x - hull + inset, y + row, 2 * hull - 2 * inset, 1), color);
        }
        let mast = self.u(18);
        self.canvas.fill(Rect::new(x, y - mast, self.u(1) / 2 + 1, mast), dark);
        for row in 0..mast * 8 / 10 {
            let right = row * hull * 7 / 10 / mast.max(1);
            self.canvas.fill(Rect::new(x + self.u(1), y - mast + row, right + 1, 1), sail);
            let left = row * hull * 4 / 10 / mast.max(1);
            self.canvas.dither(Rect::new(x - left - 1, y - mast + row, left, 1), sail, 40);
        }
    }

    /// Small houses along a shore.
    fn houses(&mut self, tops: &[i32]) {
        for house in 0..7_u64 {
            let at = self.chance(90 + house, self.area.w);
            let Some(&ground) = tops.get(at as usize) else { continue };
            if ground >= self.horizon {
                continue;
            }
            let (w, h) = (self.u(6), self.u(4 + self.chance(98 + house, 3)));
            let x = self.area.x + at;
            let wall = if house % 2 == 0 { self.side.white() } else { self.side.accent() };
            self.canvas.fill(Rect::new(x - w / 2, ground - h, w, h + self.u(2)), wall);
            self.canvas.triangle(
                x,
                ground - h - self.u(3),
                ground - h,
                w * 6 / 10,
                self.side.dark(),
            );
            self.canvas
                .fill(Rect::new(x - 1, ground - h / 2, self.u(1), self.u(1)), self.side.dark());
        }
    }

    /// A lighthouse on the highest place of a line, with a turning beam.
    pub(super) fn lighthouse(&mut self, tops: &[i32]) {
        let middle = self.area.w / 2;
        let edge = self.area.w / 8;
        let inner = (0..).zip(tops.iter().copied());
        let inner = inner.filter(|&(x, _)| (edge..self.area.w - edge).contains(&x));
        let best = inner.min_by_key(|&(x, top): &(i32, i32)| {
            top + (x - middle).abs() * self.area.h / (8 * self.area.w.max(1))
        });
        let Some((at, ground)) = best else { return };
        let x = self.area.x + at;
        let height = self.u(26).min(ground - self.area.y - self.u(5)).max(self.u(6));
        let lamp = ground - height;
        let (white, dark, accent, light) =
            (self.side.white(), self.side.dark(), self.side.accent(), self.side.light());
        let turn = wave(self.moment.phase * self.moment.turns() + 160);
        let reach = self.area.w * turn.abs() / 1024 * 7 / 10;
        for step in 0..reach {
            let half = 1 + step / 7;
            let dx = if turn > 0 { step } else { -step };
            let part = 40 - 30 * step / reach.max(1);
            self.canvas.dither(Rect::new(x + dx, lamp - half, 1, 2 * half), light, part);
        }
        for row in 0..height + self.u(3) {
            let half = self.u(2) + row * self.u(2) / height.max(1);
            let color = if row * 5 / height.max(1) % 2 == 0 { white } else { accent };
            self.canvas.fill(Rect::new(x - half, lamp + row, 2 * half, 1), color);
        }
        self.canvas.fill(Rect::new(x - self.u(3), lamp - self.u(1), self.u(6), self.u(1)), dark);
        self.canvas.fill(Rect::new(x - self.u(2), lamp - self.u(4), self.u(4), self.u(3)), light);
        self.canvas.triangle(x, lamp - self.u(7), lamp - self.u(4), self.u(3), dark);
        self.canvas.glow(x, lamp - self.u(2), self.u(9), light, 34);
    }
}
