//! The palette of a picture: colors for text and panels, and a range for each of the two moods.

use onepath_core::Rating;

use crate::noise;

pub(crate) type Rgb = [u8; 3];

/// Never drawn: what stays as it was in the next picture of an animation.
pub(crate) const CLEAR: u8 = 0;
pub(crate) const INK: u8 = 1;
pub(crate) const PAPER: u8 = 2;
pub(crate) const MUTED: u8 = 3;
pub(crate) const PANEL: u8 = 4;
pub(crate) const EDGE: u8 = 5;
pub(crate) const ACCENT: u8 = 6;
pub(crate) const RATING: u8 = 7;
pub(crate) const WANTED: u8 = 8;
pub(crate) const UNWANTED: u8 = 9;
pub(crate) const EMBLEM: u8 = 10;
pub(crate) const CARDS: u8 = 11;
/// How many pictures that a request starts from are shown, each with a color of its own.
pub(crate) const MOST_CARDS: usize = 4;

/// Steps of the sky and of the land.
pub(crate) const SKY: i32 = 32;
pub(crate) const LAND: i32 = 16;
const SIDE: u8 = 56;
const SIDES: u8 = 16;

/// The colors of one of the two moods, as palette indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side(u8);

impl Side {
    pub(crate) const FROM: Self = Self(SIDES);
    pub(crate) const TO: Self = Self(SIDES + SIDE);

    /// The sky, from 0 at the top to the horizon.
    pub(crate) fn sky(self, step: i32) -> u8 {
        self.0 + step.clamp(0, SKY - 1) as u8
    }

    /// The land, from 0 far away to the foreground.
    pub(crate) fn land(self, step: i32) -> u8 {
        self.0 + SKY as u8 + step.clamp(0, LAND - 1) as u8
    }

    pub(crate) fn light(self) -> u8 {
        self.0 + 48
    }

    pub(crate) fn dark(self) -> u8 {
        self.0 + 49
    }

    pub(crate) fn white(self) -> u8 {
        self.0 + 50
    }

    pub(crate) fn accent(self) -> u8 {
        self.0 + 51
    }

    pub(crate) fn cloud(self) -> u8 {
        self.0 + 52
    }
}

/// The colors of a mood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mood {
    /// The top of the sky, its middle, the horizon.
    sky: [u32; 3],
    /// Far land and near land.
    land: [u32; 2],
    light: u32,
    accent: u32,
}

const fn mood(sky: [u32; 3], land: [u32; 2], light: u32, accent: u32) -> Mood {
    Mood { sky, land, light, accent }
}

/// Moods with the words that name them, by their beginnings.
const MOODS: [(&[&str], Mood); 13] = [
    (
        &[
            "cheer", "happ", "joy", "amus", "playful", "festiv", "bright", "delight", "laugh",
            "glad", "fun", "silly", "excit", "giddy",
        ],
        mood([0x2E8FD6, 0x8FD0F0, 0xFFF0B8], [0x7FBF6A, 0x1F5A3C], 0xFFF6C8, 0xFFB52E),
    ),
    (
        &["hope", "curious", "wonder", "optimis", "inspir", "eager", "fresh", "expect"],
        mood([0x4667B0, 0xB59CC8, 0xFFD9A0], [0x8C7FAE, 0x2E3158], 0xFFEFC2, 0xFFCF5C),
    ),
    (
        &[
            "calm", "peace", "seren", "quiet", "gentle", "relax", "still", "tranquil", "content",
            "soft", "idyll",
        ],
        mood([0x4E9DB8, 0xA5D5D8, 0xEAF4E2], [0x7FB0A4, 0x1E4A52], 0xFFFFE6, 0x8FE3C4),
    ),
    (
        &[
            "tender",
            "romant",
            "love",
            "intima",
            "warm",
            "fond",
            "cozy",
            "cosy",
            "affection",
            "flirt",
            "sweet",
            "passion",
            "longing",
        ],
        mood([0x4A2F66, 0xB5597F, 0xFFB79A], [0x94486B, 0x3A1A3A], 0xFFE3C2, 0xFF8FA3),
    ),
    (
        &[
            "melanchol",
            "sad",
            "lone",
            "grief",
            "griev",
            "nostalg",
            "wist",
            "somber",
            "sombre",
            "sorrow",
            "tired",
            "regret",
            "gloom",
            "bitter",
        ],
        mood([0x26374F, 0x5F7790, 0xA9B7C2], [0x5C6E85, 0x172334], 0xDDE6EE, 0x8FB3D9),
    ),
    (
        &[
            "myster", "strange", "secret", "dream", "magic", "surreal", "ethereal", "enchant",
            "mystic",
        ],
        mood([0x150F38, 0x432F7A, 0x9C7BC8], [0x44327E, 0x130D2C], 0xE9DCFF, 0xB48CFF),
    ),
    (
        &[
            "tense",
            "anxi",
            "nerv",
            "restless",
            "breathless",
            "suspens",
            "watch",
            "uneas",
            "worr",
            "urgent",
            "wary",
            "suspicio",
        ],
        mood([0x1F2C38, 0x5E6A66, 0xD9A868], [0x55605A, 0x151C1E], 0xFFE1A8, 0xFFB347),
    ),
    (
        &[
            "fear", "horr", "dread", "dark", "terr", "eerie", "haunt", "grim", "scar", "sinister",
            "ominous", "creep",
        ],
        mood([0x070A0F, 0x1C2A2B, 0x51685A], [0x2A3833, 0x050807], 0xD8F5D0, 0x7DFF9A),
    ),
    (
        &[
            "angr", "anger", "defian", "fierce", "violen", "rage", "fur", "battle", "hostil",
            "wild", "aggress", "conflict", "jealous",
        ],
        mood([0x30090F, 0x8F2A1E, 0xFF8A45], [0x6E2420, 0x1C070A], 0xFFE0A0, 0xFF4D3D),
    ),
    (
        &[
            "awe", "reveren", "epic", "grand", "sacred", "triumph", "majest", "glor", "solemn",
            "proud", "victor", "hero",
        ],
        mood([0x101B38, 0x4F4A78, 0xFCB75A], [0x4A4A78, 0x0D1230], 0xFFF1C4, 0xFFE08A),
    ),
    (
        &[
            "strict",
            "cold",
            "stern",
            "formal",
            "neutral",
            "guard",
            "serious",
            "aloof",
            "distant",
            "clinical",
            "probation",
        ],
        mood([0x4E5F6E, 0x93A2AB, 0xDCDFDC], [0x7A8890, 0x262F36], 0xFFFFFF, 0xC9D6DF),
    ),
    (
        &[
            "determin", "confiden", "brave", "focus", "steady", "resolut", "bold", "energ",
            "adventur", "wide", "alert",
        ],
        mood([0x154556, 0x5E9A93, 0xF7C478], [0x44746E, 0x102A2C], 0xFFF0CE, 0xF2B263),
    ),
    (
        &["confus", "weird", "bizarre", "absurd", "chao", "drunk", "psychedel", "trippy"],
        mood([0x3B1C6B, 0xD1447A, 0xF6E05E], [0x2C8C8A, 0x1B1440], 0xFFFFFF, 0x5CF2E3),
    ),
];

/// What of the day it is, as it changes a mood's colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hour {
    Day,
    Dusk,
    Night,
}

impl Mood {
    /// The mood that a word names.
    pub(crate) fn named(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        let mut words = word.split(|character: char| !character.is_alphanumeric());
        words.find_map(|word| {
            let (_, mood) =
                MOODS.iter().find(|(names, _)| names.iter().any(|name| word.starts_with(name)))?;
            Some(*mood)
        })
    }

    /// A mood for a word that names none: another one for another word.
    pub(crate) fn any(seed: u64) -> Self {
        let pick = |value| MOODS.get(noise::pick(seed, value, MOODS.len() as i32) as usize);
        let (Some((_, base)), Some((_, other))) = (pick(1), pick(2)) else {
            return mood([0x4E9DB8; 3], [0x7FB0A4; 2], 0xFFFFFF, 0x8FE3C4);
        };
        let part = noise::pick(seed, 3, 96);
        let between = |a, b| packed(mix(rgb(a), rgb(b), part));
        let [top, middle, low] = base.sky;
        let [other_top, other_middle, other_low] = other.sky;
        Self {
            sky: [between(top, other_top), between(middle, other_middle), between(low, other_low)],
            ..*base
        }
    }

    pub(crate) fn at(mut self, hour: Hour, fog: bool) -> Self {
        let toward = |color, other, part| packed(mix(rgb(color), rgb(other), part));
        match hour {
            Hour::Day => {}
            Hour::Dusk => {
                let [top, middle, low] = &mut self.sky;
                *top = toward(*top, 0x2A2350, 90);
                *middle = toward(*middle, 0xB0546A, 90);
                *low = toward(*low, 0xFF9A52, 110);
                self.land = self.land.map(|land| toward(land, 0x1D1530, 70));
            }
            Hour::Night => {
                self.sky = self.sky.map(|sky| toward(sky, 0x060B22, 165));
                self.land = self.land.map(|land| toward(land, 0x04071A, 140));
                self.light = toward(self.light, 0xFFFFFF, 140);
            }
        }
        if fog {
            let [far, _] = &mut self.land;
            let [_, middle, low] = &mut self.sky;
            *far = toward(*far, *low, 130);
            *middle = toward(*middle, 0xC8CED2, 70);
            *low = toward(*low, 0xDADFE0, 110);
        }
        self
    }
}

/// The color of a rating's badge.
const fn rating(rating: Rating) -> u32 {
    match rating {
        Rating::Sfw => 0x2F9E5B,
        Rating::Romantic => 0xD9467E,
        Rating::MatureImplied => 0xD9771C,
        Rating::Restricted => 0xC62828,
    }
}

fn rgb(color: u32) -> Rgb {
    let [_, red, green, blue] = color.to_be_bytes();
    [red, green, blue]
}

fn packed([red, green, blue]: Rgb) -> u32 {
    u32::from_be_bytes([0, red, green, blue])
}

/// A color between two; 0 is the first and 256 the second.
fn mix(from: Rgb, to: Rgb, part: i32) -> Rgb {
    let mut out = from;
    for (out, to) in out.iter_mut().zip(to) {
        let from = i32::from(*out);
        *out = (from + (i32::from(to) - from) * part / 256).clamp(0, 255) as u8;
    }
    out
}

/// A strong color of any hue.
fn hue(seed: u64) -> Rgb {
    let at = noise::pick(seed, 0, 1536);
    let rising = (at % 256) as u8;
    let falling = 255 - rising;
    let strong = match at / 256 {
        0 => [255, rising, 0],
        1 => [falling, 255, 0],
        2 => [0, 255, rising],
        3 => [0, falling, 255],
        4 => [rising, 0, 255],
        _ => [255, 0, falling],
    };
    mix(strong, [255; 3], 70)
}

/// The colors of a picture: red, green and blue for each index.
pub(crate) fn palette(
    from: &Mood,
    to: &Mood,
    shown_rating: Rating,
    hash: u64,
    cards: &[u64],
) -> Vec<u8> {
    let mut colors: Vec<Rgb> = vec![[0; 3]; usize::from(SIDES + 2 * SIDE)];
    let mut set = |index: u8, color: Rgb| {
        if let Some(slot) = colors.get_mut(usize::from(index)) {
            *slot = color;
        }
    };
    let ink = [13, 14, 20];
    let [_, near] = to.land;
    set(CLEAR, [0; 3]);
    set(INK, ink);
    set(PAPER, [250, 248, 242]);
    set(MUTED, mix([150, 156, 168], rgb(to.accent), 60));
    set(PANEL, mix(ink, rgb(near), 60));
    set(EDGE, mix(ink, rgb(to.accent), 110));
    set(ACCENT, rgb(to.accent));
    set(RATING, rgb(rating(shown_rating)));
    set(WANTED, [126, 217, 146]);
    set(UNWANTED, [255, 138, 128]);
    set(EMBLEM, hue(hash));
    for (index, &card) in (CARDS..).zip(cards.iter().take(MOST_CARDS)) {
        set(index, mix(hue(card), ink, 60));
    }
    for (side, mood) in [(Side::FROM, from), (Side::TO, to)] {
        let [top, middle, low] = mood.sky.map(rgb);
        for step in 0..SKY {
            let part = step * 512 / (SKY - 1);
            let color =
                if part < 256 { mix(top, middle, part) } else { mix(middle, low, part - 256) };
            set(side.sky(step), color);
        }
        let [far, near] = mood.land.map(rgb);
        for step in 0..LAND {
            set(side.land(step), mix(far, near, step * 256 / (LAND - 1)));
        }
        set(side.light(), rgb(mood.light));
        set(side.dark(), mix(near, [0; 3], 130));
        set(side.white(), mix(rgb(mood.light), low, 60));
        set(side.accent(), rgb(mood.accent));
        set(side.cloud(), mix(low, rgb(mood.light), 100));
    }
    colors.concat()
}
