//! Paints a scene in a part of the canvas.

mod figures;
mod indoors;
mod outdoors;
mod sky;
mod water;

use crate::canvas::{Canvas, Rect};
use crate::color::Side;
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
        length * ((self.phase * self.turns()) & 1023) / 1024
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
        Figures::Face(smile) => brush.face(smile),
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
}
