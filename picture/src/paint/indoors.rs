//! A room.

use super::Brush;
use crate::canvas::Rect;

impl Brush<'_> {
    pub(super) fn interior(&mut self) {
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
                self.canvas.dither(
                    Rect::new(x, part.0, stripe / 3, part.1 - part.0),
                    self.side.land(6),
                    40,
                );
            }
            if x > window.right() + stripe / 3 || x + stripe / 3 < window.x {
                self.canvas.dither(
                    Rect::new(x, window.y, stripe / 3, window.h),
                    self.side.land(6),
                    40,
                );
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
        self.canvas
            .fill(Rect::new(area.x, floor - self.u(2), area.w, self.u(2)), self.side.land(12));
        self.shelf(Rect::new(
            area.x + area.w * 68 / 100,
            area.y + area.h * 20 / 100,
            area.w * 22 / 100,
            area.h * 34 / 100,
        ));
        // A table, and a lamp above it that swings.
        let table = area.x + area.w * (46 + self.chance(502, 12)) / 100;
        let lamp = table + self.moment.sway(self.u(self.moment.pace), 0);
        let height = area.y + self.u(20);
        self.canvas.fill(Rect::new(table, area.y, 1, height - area.y), dark);
        self.canvas.glow(lamp, height + self.u(4), self.u(26), self.side.light(), 22);
        self.canvas.triangle(lamp, height, height + self.u(5), self.u(6), self.side.accent());
        self.canvas.fill(
            Rect::new(lamp - self.u(2), height + self.u(5), self.u(4), self.u(1)),
            self.side.light(),
        );
        let top = floor + self.u(2);
        self.canvas.fill(Rect::new(table - self.u(20), top, self.u(40), self.u(2)), dark);
        for x in [table - self.u(17), table + self.u(15)] {
            self.canvas.fill(Rect::new(x, top, self.u(2), area.bottom() - top), dark);
        }
        self.canvas
            .fill(Rect::new(table + self.u(5), top - self.u(3), self.u(3), self.u(3)), white);
        self.canvas.fill(
            Rect::new(table - self.u(10), top - self.u(1), self.u(9), self.u(1)),
            self.side.accent(),
        );
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
}
