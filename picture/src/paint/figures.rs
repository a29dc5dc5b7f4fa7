//! People in front of a scene.

use super::Brush;
use crate::canvas::Rect;

impl Brush<'_> {
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

    pub(super) fn talk(&mut self) {
        let size = self.area.h.min(self.area.w / 2) * 62 / 100;
        let nod = self.moment.sway(self.u(1), 0);
        let (left, right) =
            (self.area.x + self.area.w * 24 / 100, self.area.x + self.area.w * 77 / 100);
        self.bust(left + nod, size, self.side.dark());
        self.bust(right - nod, size * 92 / 100, self.side.land(2));
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
            self.canvas
                .fill(Rect::new(bubble.x + round, bubble.bottom() + row, h / 3 - row, 1), paper);
        }
        let lit = self.moment.run(3);
        for dot in 0..3 {
            let x = bubble.x + w * (dot + 1) / 4;
            let color = if dot <= lit { self.side.dark() } else { self.side.land(4) };
            self.canvas.disc(x, bubble.y + h / 2, (h / 10).max(1), color);
        }
    }

    pub(super) fn face(&mut self, smile: i32) {
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
            self.canvas.fill(
                Rect::new(x - head / 7, y - head / 4, head * 2 / 7, (head / 20).max(1)),
                dark,
            );
        }
        let mouth = head * (30 + self.moment.sway(8, 512)) / 100;
        for dx in -mouth..=mouth {
            let dip = smile * (head / 7) * (mouth * mouth - dx * dx) / (mouth * mouth).max(1);
            self.canvas
                .fill(Rect::new(x + dx, y + head * 36 / 100 + dip, 1, (head / 18).max(1)), dark);
        }
        let scarf = Rect::new(x - head / 2, y + head * 98 / 100, head, head / 5);
        self.canvas.fill(scarf, self.side.accent());
    }
}
