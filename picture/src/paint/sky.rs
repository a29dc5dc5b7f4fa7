//! The sky, what shines in it, and the weather.

use super::Brush;
use crate::canvas::{Rect, dither_row};
use crate::color::{Hour, SKY};
use crate::noise::{smooth, wave};
use crate::scene::Place;

impl Brush<'_> {
    pub(super) fn sky(&mut self) {
        let area = self.area;
        let depth = (self.horizon - area.y).max(1);
        for y in area.y..area.bottom() {
            let value = ((y - area.y) * (SKY - 1) * 64 / depth).min((SKY - 1) * 64);
            let (step, part) = (value / 64, value % 64);
            let colors = [self.side.sky(step), self.side.sky(step + 1)];
            let mut pattern = [0; 8];
            for (color, order) in pattern.iter_mut().zip(dither_row(y)) {
                let [lower, upper] = colors;
                *color = if i32::from(order) < part { upper } else { lower };
            }
            let (x, span) = self.canvas.span(area.x, y, area.w);
            pattern.rotate_left((x & 7) as usize);
            let mut blocks = span.chunks_exact_mut(8);
            for block in blocks.by_ref() {
                block.copy_from_slice(&pattern);
            }
            for (pixel, color) in blocks.into_remainder().iter_mut().zip(pattern) {
                *pixel = color;
            }
        }
        if self.scene.place == Place::Interior {
            return;
        }
        if self.scene.hour == Hour::Night || self.scene.place == Place::Space {
            self.stars();
        }
        self.luminary();
        if self.scene.place != Place::Space {
            self.clouds();
        }
    }

    fn stars(&mut self) {
        let count = if self.scene.place == Place::Space { 160 } else { 70 };
        let depth =
            if self.scene.place == Place::Space { self.area.h } else { self.area.h * 6 / 10 };
        for star in 0..count {
            let x = self.area.x + self.chance(1000 + star, self.area.w);
            let y = self.area.y + self.chance(2000 + star, depth);
            let blink = wave(self.moment.phase * self.moment.turns() + star as i32 * 97);
            let size =
                if blink > 300 && star % 5 == 0 { self.u(1).max(2) } else { self.u(1) / 2 + 1 };
            if blink > -700 {
                self.canvas.fill(Rect::new(x, y, size, size), self.side.white());
            }
        }
    }

    /// Where sun or moon stand.
    pub(super) fn luminary_at(&self) -> (i32, i32) {
        let x = self.area.x + self.area.w * (30 + self.chance(3, 45)) / 100;
        let high = if self.scene.hour == Hour::Dusk { 78 } else { 24 + self.chance(4, 22) };
        (x, self.area.y + (self.horizon - self.area.y) * high / 100)
    }

    pub(super) fn luminary(&mut self) {
        let (x, y) = self.luminary_at();
        let radius = self.u(if self.scene.hour == Hour::Night { 6 } else { 8 });
        let light = self.side.light();
        self.canvas.glow(x, y, radius * 3, light, 26);
        if self.scene.hour == Hour::Night && self.scene.place != Place::Space {
            self.canvas.crescent(x, y, radius, light);
        } else if !self.scene.rain {
            self.canvas.disc(x, y, radius, light);
        }
    }

    fn clouds(&mut self) {
        let count = if self.scene.rain { 7 } else { 4 };
        let color = if self.scene.rain { self.side.sky(8) } else { self.side.cloud() };
        for cloud in 0..count {
            let reach = self.u(6 * self.moment.pace);
            let x = self.area.x
                + self.chance(10 + cloud, self.area.w)
                + reach * wave(self.moment.phase + cloud as i32 * 150) / 1024;
            let y = self.area.y + self.u(4) + self.chance(20 + cloud, self.area.h * 3 / 10);
            let size = self.u(3 + self.chance(30 + cloud, 4));
            for (dx, dy, radius) in
                [(-2, 0, 60), (-1, -1, 85), (0, -1, 100), (1, 0, 90), (2, 0, 60)]
            {
                let radius = (size * radius / 100).max(1);
                let (x, y) = (x + dx * size * 8 / 10, y + dy * size / 3);
                self.canvas.clip(Rect::new(
                    self.area.x,
                    self.area.y,
                    self.area.w,
                    (y + size / 3 - dy * size / 3 - self.area.y).min(self.area.h),
                ));
                self.canvas.disc(x, y, radius, color);
            }
        }
        self.canvas.clip(self.area);
    }

    pub(super) fn weather(&mut self) {
        let area = self.area;
        if self.scene.fog && self.scene.place != Place::Interior {
            let (reach, length) = (self.u(26), self.u(46));
            let shift = self.moment.sway(self.u(6 * self.moment.pace), 0) + 3000;
            let columns: Vec<i32> = (0..area.w / 8 + 1)
                .map(|column| 300 + smooth(self.scene.chance, column * 8 + shift, length) * 7 / 10)
                .collect();
            for dy in -reach..reach {
                let part = 46 * (reach - dy.abs()) / reach;
                for (x, thick) in (0..).step_by(8).zip(&columns) {
                    let row = Rect::new(area.x + x, self.horizon + dy, 8, 1);
                    self.canvas.dither(row, self.side.sky(SKY - 4), part * thick / 1024);
                }
            }
        }
        if self.scene.rain {
            let (count, long) = (area.w / self.u(2).max(2), self.u(6));
            let span = area.h + long;
            for drop in 0..count {
                let from = self.chance(5000 + drop as u64, span);
                let y = area.y - long + (from + self.moment.run(span)) % span;
                let x = area.x + self.chance(6000 + drop as u64, area.w + area.h / 4);
                for part in 0..long {
                    self.canvas.dither(
                        Rect::new(x - (y + part - area.y) / 4, y + part, 1, 1),
                        self.side.white(),
                        34,
                    );
                }
            }
        }
        if self.scene.snow {
            let size = self.u(1).max(1);
            for flake in 0..area.w / self.u(3).max(2) {
                let from = self.chance(7000 + flake as u64, area.h);
                let y = area.y + (from + self.moment.run(area.h)) % area.h.max(1);
                let x = area.x
                    + self.chance(8000 + flake as u64, area.w)
                    + self.moment.sway(self.u(3), flake * 131);
                self.canvas.fill(Rect::new(x, y, size, size), self.side.white());
            }
        }
    }
}
