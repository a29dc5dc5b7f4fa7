//! Paints a scene in a part of the canvas.

use crate::canvas::{Canvas, Rect, dither_row};
use crate::color::{Hour, SKY, Side};
use crate::noise::{mix, pick, smooth, wave};
use crate::scene::{Figures, Place, Scene};

/// Where in its loop an animation is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// 0 to 1023 of a whole loop.
    pub(crate) phase: i32,
    /// How much moves: 1 for slow, 2, 3 for fast.
    pub(crate) pace: i32,
}

impl Moment {
    /// A movement back and forth by at most `reach`, from a place of its own in the loop.
    fn sway(self, reach: i32, from: i32) -> i32 {
        reach * wave(self.phase * self.turns() + from) / 1024
    }

    /// A movement that goes on in one direction over `length`, once or more in a loop.
    fn run(self, length: i32) -> i32 {
        length * (self.phase * self.turns() & 1023) / 1024
    }

    fn turns(self) -> i32 {
        self.pace.max(1)
    }
}

/// A brush: the canvas with the place, the colors and the moment.
struct Brush<'c> {
    canvas: &'c mut Canvas,
    area: Rect,
    side: Side,
    scene: Scene,
    moment: Moment,
    /// Where the horizon is.
    horizon: i32,
    /// A length that grows with the picture: a hundredth of what is seen.
    unit: i32,
}

/// Paints a scene into `area`.
pub(crate) fn paint(canvas: &mut Canvas, area: Rect, side: Side, scene: &Scene, moment: Moment) {
    if area.w <= 0 || area.h <= 0 {
        return;
    }
    canvas.clip(area);
    let share = match scene.place {
        Place::Water => 56,
        Place::City => 70,
        Place::Interior => 74,
        _ => 62,
    };
    let mut brush = Brush {
        canvas,
        area,
        side,
        scene: *scene,
        moment,
        horizon: area.y + area.h * share / 100,
        unit: (area.h.min(area.w * 3 / 4) * 16 / 100).max(1),
    };
    brush.sky();
    match scene.place {
        Place::Interior => brush.interior(),
        Place::Water => brush.water(),
        Place::City => brush.city(),
        Place::Forest => brush.forest(),
        Place::Mountains => brush.mountains(),
        Place::Space => brush.space(),
        Place::Hills => brush.hills(),
    }
    brush.weather();
    match scene.figures {
        Figures::Nobody => {}
        Figures::Talk => brush.talk(),
        Figures::Face => brush.face(),
    }
    canvas.unclip();
}

impl Brush<'_> {
    /// So many sixteenths of a hundredth of the height.
    fn u(&self, hundredths: i32) -> i32 {
        (self.unit * hundredths / 16).max(1)
    }

    fn chance(&self, what: u64, most: i32) -> i32 {
        pick(self.scene.chance, what, most)
    }

    fn sky(&mut self) {
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
        let depth = if self.scene.place == Place::Space { self.area.h } else { self.area.h * 6 / 10 };
        for star in 0..count {
            let x = self.area.x + self.chance(1000 + star, self.area.w);
            let y = self.area.y + self.chance(2000 + star, depth);
            let blink = wave(self.moment.phase * self.moment.turns() + star as i32 * 97);
            let size = if blink > 300 && star % 5 == 0 { self.u(1).max(2) } else { self.u(1) / 2 + 1 };
            if blink > -700 {
                self.canvas.fill(Rect::new(x, y, size, size), self.side.white());
            }
        }
    }

    /// Where sun or moon stand.
    fn luminary_at(&self) -> (i32, i32) {
        let x = self.area.x + self.area.w * (30 + self.chance(3, 45)) / 100;
        let high = if self.scene.hour == Hour::Dusk { 78 } else { 24 + self.chance(4, 22) };
        (x, self.area.y + (self.horizon - self.area.y) * high / 100)
    }

    fn luminary(&mut self) {
        let (x, y) = self.luminary_at();
        let radius = self.u(if self.scene.hour == Hour::Night { 6 } else { 8 });
        let (light, sky) = (self.side.light(), self.side.sky(4));
        self.canvas.glow(x, y, radius * 3, light, 26);
        if self.scene.rain && self.scene.hour != Hour::Night {
            return;
        }
        self.canvas.disc(x, y, radius, light);
        if self.scene.hour == Hour::Night {
            self.canvas.disc(x + radius / 2, y - radius / 4, radius * 7 / 8, sky);
        }
    }

    fn clouds(&mut self) {
        let count = if self.scene.rain { 7 } else { 4 };
        let color = if self.scene.rain { self.side.sky(8) } else { self.side.cloud() };
        for cloud in 0..count {
            let reach = self.u(6 * self.moment.pace);
            let x = self.area.x + self.chance(10 + cloud, self.area.w)
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

    /// A line of hills: `rise` and `length` in hundredths of the height, from `base` up.
    fn ridge(&mut self, what: u64, base: i32, rise: i32, length: i32, sharp: bool) -> Vec<i32> {
        let seed = mix(self.scene.chance, what);
        let (rise, length) = (self.u(rise), self.u(length));
        let pan = self.moment.sway(self.u(2 * self.moment.pace), what as i32 * 100);
        (0..self.area.w)
            .map(|x| {
                let x = x + pan + 4000;
                let mut height = smooth(seed, x, length) * 3 + smooth(seed ^ 1, x, length / 3);
                if sharp {
                    // A triangle wave over the smooth line gives peaks.
                    let part = x.rem_euclid(length) * 2 - length;
                    height = height / 2 + (length - part.abs()) * 2048 / length.max(1);
                }
                base - rise * height / 4096
            })
            .collect()
    }

    fn land(&mut self, tops: &[i32], step: i32) {
        let color = self.side.land(step);
        self.canvas.below(self.area, tops, color);
    }

    fn hills(&mut self) {
        let horizon = self.horizon;
        for (layer, (drop, rise, step)) in [(4, 26, 2), (14, 22, 7), (30, 18, 12)].iter().enumerate() {
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

    fn mountains(&mut self) {
        let horizon = self.horizon;
        for (layer, (drop, rise, step)) in [(6, 62, 2), (16, 40, 6), (32, 24, 11)].iter().enumerate() {
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
            let edge = line + pick(self.scene.chance, (x / ragged.max(2)) as u64, ragged) - ragged / 2;
            if top < edge {
                self.canvas.fill(Rect::new(self.area.x + x, top, 1, (edge - top) * 7 / 10), color);
            }
        }
    }

    /// Conifers on a line of hills.
    fn trees(&mut self, tops: &[i32], count: u64, height: i32, step: i32) {
        for tree in 0..count {
            let at = self.chance(100 + tree + 50 * step as u64, self.area.w);
            let Some(&ground) = tops.get(at as usize) else { continue };
            let height = self.u(height * (70 + self.chance(200 + tree, 60)) / 100);
            let lean = self.moment.sway(self.u(self.moment.pace) / 2, tree as i32 * 200);
            let x = self.area.x + at;
            let dark = self.side.land(step + 1);
            self.canvas.fill(Rect::new(x - 1, ground - height / 6, self.u(1), height / 4), self.side.dark());
            for part in 0..3 {
                let tip = ground - height + part * height / 4;
                let base = tip + height / 2;
                self.canvas.triangle(x + lean * (3 - part) / 3, tip, base.min(ground), height * (3 + part) / 16, dark);
            }
        }
    }

    fn forest(&mut self) {
        let horizon = self.horizon;
        for layer in 0..4 {
            let base = horizon + self.u(4 + 10 * layer);
            let tops = self.ridge(60 + layer as u64, base, 10, 60, false);
            let step = 1 + 4 * layer;
            self.trees(&tops, 16 - 2 * layer as u64, 34 + 10 * layer, step);
            self.land(&tops, step);
        }
    }

    fn water(&mut self) {
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
        let x = self.area.x + self.area.w * (35 + self.chance(80, 40)) / 100 + self.moment.sway(sway, 0);
        let y = self.horizon + (self.area.bottom() - self.horizon) * 34 / 100
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
            self.canvas.triangle(x, ground - h - self.u(3), ground - h, w * 6 / 10, self.side.dark());
            self.canvas.fill(Rect::new(x - 1, ground - h / 2, self.u(1), self.u(1)), self.side.dark());
        }
    }

    /// A lighthouse on the highest place of a line, with a turning beam.
    fn lighthouse(&mut self, tops: &[i32]) {
        let middle = self.area.w / 2;
        let best = (0..).zip(tops.iter().copied()).min_by_key(|&(x, top): &(i32, i32)| {
            top + (x - middle).abs() * self.area.h / (3 * self.area.w.max(1))
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

    fn city(&mut self) {
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
                    self.canvas.fill(Rect::new(x + w / 2, top - self.u(5), 1, self.u(5)), self.side.land(step));
                }
                self.windows(Rect::new(x, top, w, bottom - top), key);
                x += w + self.u(1);
            }
        }
        let street = Rect::new(self.area.x, bottom - self.u(8), self.area.w, self.u(8));
        self.canvas.fill(street, self.side.dark());
        let period = self.u(12);
        let mut x = self.area.x - period + self.moment.run(period);
        while x < self.area.right() {
            self.canvas.fill(Rect::new(x, bottom - self.u(4), period / 2, self.u(1)), self.side.accent());
            x += period;
        }
    }

    fn windows(&mut self, house: Rect, key: u64) {
        let (gap, size) = (self.u(4).max(3), self.u(2).max(1));
        let mut window = 0;
        let mut y = house.y + gap / 2;
        while y + size < house.bottom() {
            let mut x = house.x + gap / 2;
            while x + size < house.right() {
                window += 1;
                let lit = pick(mix(self.scene.chance, key), window, 1024);
                let flicker = wave(self.moment.phase * self.moment.turns() + lit * 5) / 8;
                if lit + flicker < if self.scene.hour == Hour::Day { 260 } else { 480 } {
                    self.canvas.fill(Rect::new(x, y, size, size), self.side.light());
                }
                x += gap;
            }
            y += gap;
        }
    }

    fn interior(&mut self) {
        let area = self.area;
        let floor = self.horizon;
        let window = Rect::new(
            area.x + area.w * (10 + self.chance(500, 12)) / 100,
            area.y + area.h * 14 / 100,
            area.w * 26 / 100,
            area.h * 44 / 100,
        );
        // What is seen through the window stays; the wall goes around it.
        self.canvas.clip(window);
        self.luminary();
        let tops = self.ridge(501, window.bottom(), 14, 30, false);
        self.land(&tops, 4);
        self.canvas.clip(area);
        let wall = self.side.land(7);
        for part in [
            Rect::new(area.x, area.y, area.w, window.y - area.y),
            Rect::new(area.x, window.bottom(), area.w, floor - window.bottom()),
            Rect::new(area.x, window.y, window.x - area.x, window.h),
            Rect::new(window.right(), window.y, area.right() - window.right(), window.h),
        ] {
            self.canvas.fill(part, wall);
        }
        let stripe = self.u(9);
        let mut x = area.x + stripe / 2;
        while x < area.right() {
            for part in [(area.y, window.y), (window.bottom(), floor)] {
                self.canvas.dither(Rect::new(x, part.0, stripe / 3, part.1 - part.0), self.side.land(6), 40);
            }
            if x > window.right() + stripe / 3 || x + stripe / 3 < window.x {
                self.canvas.dither(Rect::new(x, window.y, stripe / 3, window.h), self.side.land(6), 40);
            }
            x += stripe;
        }
        let (frame, white, dark) = (self.u(1), self.side.white(), self.side.dark());
        for rect in [
            Rect::new(window.x - frame, window.y - frame, window.w + 2 * frame, frame),
            Rect::new(window.x - 2 * frame, window.bottom(), window.w + 4 * frame, 2 * frame),
            Rect::new(window.x - frame, window.y, frame, window.h),
            Rect::new(window.right(), window.y, frame, window.h),
            Rect::new(window.x + window.w / 2 - frame / 2, window.y, frame, window.h),
            Rect::new(window.x, window.y + window.h * 2 / 5, window.w, frame),
        ] {
            self.canvas.fill(rect, white);
        }
        for y in floor..area.bottom() {
            let step = 9 + (y - floor) * 5 / (area.bottom() - floor).max(1);
            self.canvas.fill(Rect::new(area.x, y, area.w, 1), self.side.land(step));
        }
        self.canvas.fill(Rect::new(area.x, floor - self.u(2), area.w, self.u(2)), self.side.land(12));
        self.shelf(Rect::new(area.x + area.w * 68 / 100, area.y + area.h * 20 / 100, area.w * 22 / 100, area.h * 34 / 100));
        // A table, and a lamp above it that swings.
        let table = area.x + area.w * (46 + self.chance(502, 12)) / 100;
        let lamp = table + self.moment.sway(self.u(self.moment.pace), 0);
        let height = area.y + self.u(20);
        self.canvas.fill(Rect::new(table, area.y, 1, height - area.y), dark);
        self.canvas.glow(lamp, height + self.u(4), self.u(26), self.side.light(), 22);
        self.canvas.triangle(lamp, height, height + self.u(5), self.u(6), self.side.accent());
        self.canvas.fill(Rect::new(lamp - self.u(2), height + self.u(5), self.u(4), self.u(1)), self.side.light());
        let top = floor + self.u(2);
        self.canvas.fill(Rect::new(table - self.u(20), top, self.u(40), self.u(2)), dark);
        for x in [table - self.u(17), table + self.u(15)] {
            self.canvas.fill(Rect::new(x, top, self.u(2), area.bottom() - top), dark);
        }
        self.canvas.fill(Rect::new(table + self.u(5), top - self.u(3), self.u(3), self.u(3)), white);
        self.canvas.fill(Rect::new(table - self.u(10), top - self.u(1), self.u(9), self.u(1)), self.side.accent());
    }

    fn shelf(&mut self, rect: Rect) {
        self.canvas.fill(rect, self.side.land(12));
        for row in 0..3 {
            let y = rect.y + rect.h * row / 3 + self.u(1);
            let h = rect.h / 3 - self.u(2);
            let mut x = rect.x + self.u(1);
            let mut book = row as u64 * 40;
            while x < rect.right() - self.u(3) {
                book += 1;
                let w = self.u(1 + self.chance(600 + book, 2));
                let tall = h * (60 + self.chance(700 + book, 40)) / 100;
                let color = match self.chance(800 + book, 4) {
                    0 => self.side.accent(),
                    1 => self.side.sky(6),
                    2 => self.side.sky(20),
                    _ => self.side.land(3),
                };
                self.canvas.fill(Rect::new(x, y + h - tall, w, tall), color);
                x += w + 1;
            }
        }
    }

    fn space(&mut self) {
        let radius = self.u(24 + self.chance(510, 10));
        let x = self.area.x + self.area.w * (25 + self.chance(511, 50)) / 100;
        let y = self.area.y + self.area.h * 62 / 100;
        for dy in -radius..=radius {
            let half = (radius * radius - dy * dy).isqrt();
            let band = smooth(self.scene.chance, dy + 900, self.u(5)) * 9 / 1024;
            self.canvas.fill(Rect::new(x - half, y + dy, 2 * half, 1), self.side.land(2 + band));
            let drift = self.moment.sway(self.u(self.moment.pace), dy * 9);
            self.canvas.dither(Rect::new(x + half / 4 + drift, y + dy, half, 1), self.side.dark(), 34);
        }
        for ring in [30, 34] {
            let reach = radius * ring / 20;
            for dx in -reach..=reach {
                let dy = dx / 4;
                if dx.abs() > radius * 9 / 10 || dy > 0 {
                    self.canvas.fill(Rect::new(x + dx, y - dy + ring - 30, 1, self.u(1)), self.side.accent());
                }
            }
        }
    }

    fn weather(&mut self) {
        let area = self.area;
        if self.scene.fog && self.scene.place != Place::Interior {
            for bank in 0..4_u64 {
                let y = self.horizon - self.u(10) + self.u(9 * bank as i32);
                let shift = self.moment.sway(self.u(8 * self.moment.pace), bank as i32 * 260);
                let length = self.u(50);
                let tall = self.u(9);
                for x in (0..area.w).step_by(4) {
                    let thick = tall * smooth(self.scene.chance ^ bank, x + shift + 3000, length) / 1024;
                    self.canvas.dither(Rect::new(area.x + x, y - thick, 4, 2 * thick), self.side.sky(SKY - 1), 26);
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
                    self.canvas.dither(Rect::new(x - (y + part - area.y) / 4, y + part, 1, 1), self.side.white(), 34);
                }
            }
        }
        if self.scene.snow {
            let size = self.u(1).max(1);
            for flake in 0..area.w / self.u(3).max(2) {
                let from = self.chance(7000 + flake as u64, area.h);
                let y = area.y + (from + self.moment.run(area.h)) % area.h.max(1);
                let x = area.x + self.chance(8000 + flake as u64, area.w)
                    + self.moment.sway(self.u(3), flake * 131);
                self.canvas.fill(Rect::new(x, y, size, size), self.side.white());
            }
        }
    }

    /// Head and shoulders from behind or in the dark.
    fn bust(&mut self, x: i32, size: i32, color: u8) {
        let bottom = self.area.bottom();
        let head = size * 30 / 100;
        let neck = bottom - size * 55 / 100;
        self.canvas.disc(x, neck - head / 2, head, color);
        self.canvas.fill(Rect::new(x - head / 3, neck, 2 * head / 3, size), color);
        let wide = size * 62 / 100;
        for y in neck + head / 2..bottom {
            let down = (y - neck - head / 2).min(wide);
            let half = (wide * wide - (wide - down) * (wide - down)).isqrt();
            self.canvas.span(x - half, y, 2 * half).1.fill(color);
        }
    }

    fn talk(&mut self) {
        let size = self.area.h.min(self.area.w / 2) * 62 / 100;
        let nod = self.moment.sway(self.u(1), 0);
        let (left, right) = (self.area.x + self.area.w * 24 / 100, self.area.x + self.area.w * 77 / 100);
        self.bust(left + nod, size, self.side.dark());
        self.bust(right - nod, size * 92 / 100, self.side.land(13));
        // The bubble of the one who speaks, with three dots that light up in turn.
        let (w, h) = (size * 70 / 100, size * 34 / 100);
        let bubble = Rect::new(left + size * 34 / 100, self.area.bottom() - size - h / 4, w, h);
        let round = h / 4;
        let paper = self.side.white();
        self.canvas.fill(Rect::new(bubble.x + round, bubble.y, w - 2 * round, h), paper);
        self.canvas.fill(Rect::new(bubble.x, bubble.y + round, w, h - 2 * round), paper);
        for (x, y) in [
            (bubble.x + round, bubble.y + round),
            (bubble.right() - round - 1, bubble.y + round),
            (bubble.x + round, bubble.bottom() - round - 1),
            (bubble.right() - round - 1, bubble.bottom() - round - 1),
        ] {
            self.canvas.disc(x, y, round, paper);
        }
        for row in 0..h / 3 {
            self.canvas.fill(Rect::new(bubble.x + round, bubble.bottom() + row, h / 3 - row, 1), paper);
        }
        let lit = self.moment.run(3);
        for dot in 0..3 {
            let x = bubble.x + w * (dot + 1) / 4;
            let color = if dot <= lit { self.side.dark() } else { self.side.land(4) };
            self.canvas.disc(x, bubble.y + h / 2, (h / 10).max(1), color);
        }
    }

    fn face(&mut self) {
        let size = self.area.h.min(self.area.w) * 92 / 100;
        let x = self.area.x + self.area.w / 2 + self.moment.sway(self.u(2), 0);
        let y = self.area.bottom() - size * 55 / 100 - size * 15 / 100;
        self.canvas.glow(x, y, size * 60 / 100, self.side.light(), 20);
        self.bust(x, size, self.side.dark());
        let head = size * 30 / 100;
        let (skin, dark) = (self.side.white(), self.side.dark());
        self.canvas.disc(x, y + head / 8, head * 82 / 100, skin);
        // The eyes shut for a moment in each loop.
        let blink = self.moment.phase * self.moment.turns() % 1024 > 920;
        for eye in [-1, 1] {
            let x = x + eye * head * 34 / 100;
            if blink {
                self.canvas.fill(Rect::new(x - head / 8, y, head / 4, (head / 24).max(1)), dark);
            } else {
                self.canvas.disc(x, y, (head / 11).max(1), dark);
            }
            self.canvas.fill(Rect::new(x - head / 7, y - head / 4, head * 2 / 7, (head / 20).max(1)), dark);
        }
        let mouth = head * (30 + self.moment.sway(12, 512)) / 100;
        for dx in -mouth..=mouth {
            let dip = head / 8 * (mouth * mouth - dx * dx) / (mouth * mouth).max(1);
            self.canvas.fill(Rect::new(x + dx, y + head * 36 / 100 + dip, 1, (head / 18).max(1)), dark);
        }
        let scarf = Rect::new(x - head / 2, y + head * 98 / 100, head, head / 5);
        self.canvas.fill(scarf, self.side.accent());
    }
}
