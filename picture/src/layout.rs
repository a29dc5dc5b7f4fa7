//! Where things stand: the header, the scene, the panel with the prompt, the line of facts, the
//! emblem. All of it is decided once; an animation repaints the scene and the bar of its time.

use onepath_core::{GenerateContentRequest, InputRole, MediaType, Rating, TransitionType};

use crate::canvas::{Canvas, Rect};
use crate::captions;
use crate::color::{self, Side};
use crate::noise;
use crate::paint::{Moment, paint};
use crate::scene::{self, Scene};
use crate::settings::Settings;
use crate::text::{self, Line};

/// Modules of the emblem from side to side: one for each bit of the hash.
const MODULES: i32 = 16;
/// Pixels of a line of text.
const LINE: i32 = 16;

/// Everything that is drawn, and where.
#[derive(Debug)]
pub(crate) struct Composition {
    canvas: Canvas,
    other: Option<(Canvas, Scene)>,
    to: Scene,
    stage: Rect,
    overlay: Vec<Shape>,
    progress: Option<Rect>,
    frames: u32,
    pace: i32,
    abrupt: bool,
    palette: Vec<u8>,
}

/// What is drawn over the scene.
#[derive(Debug)]
enum Shape {
    Fill(Rect, u8),
    Text(Line, i32, i32, i32, u8),
}

/// Which parts a picture has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Header, scene, panel, facts.
    Full,
    /// Scene, emblem, a few words.
    Compact,
    /// Scene and emblem.
    Tiny,
}

impl Composition {
    pub(crate) fn new(
        request: &GenerateContentRequest<'_>,
        settings: &Settings,
        hash: &[u8; 32],
    ) -> Self {
        let (from, to) = Scene::of(request);
        let rating = captions::effective(request);
        let cards: Vec<u64> = request
            .inputs
            .iter()
            .flatten()
            .take(color::MOST_CARDS)
            .map(|input| noise::of_text(input.reference.as_str()))
            .collect();
        let number = hash.iter().fold(0, |number, byte| noise::mix(number, u64::from(*byte)));
        let from_mood = from.as_ref().unwrap_or(&to).mood;
        let palette = color::palette(&from_mood, &to.mood, rating, number, &cards);
        let canvas = Canvas::new(settings.width, settings.height);
        let style = request.style.as_ref();
        let pace = match style.and_then(|style| style.pacing) {
            Some(onepath_core::Pacing::Slow) => 1,
            Some(onepath_core::Pacing::Fast) => 3,
            _ => 2,
        };
        let mut made = Self {
            other: from.map(|from| (canvas.clone(), from)),
            canvas,
            to,
            stage: Rect::new(0, 0, settings.width as i32, settings.height as i32),
            overlay: Vec::new(),
            progress: None,
            frames: settings.frames,
            pace,
            abrupt: style.and_then(|style| style.transition_type) == Some(TransitionType::Abrupt),
            palette,
        };
        made.arrange(request, hash, rating);
        made
    }

    pub(crate) fn palette(&self) -> &[u8] {
        &self.palette
    }

    /// Paints one of the pictures and gives its pixels.
    pub(crate) fn frame(&mut self, frame: u32) -> &[u8] {
        let frames = self.frames.max(1) as i32;
        let frame = frame as i32;
        let moment = Moment { phase: frame * 1024 / frames, pace: self.pace };
        let stage = self.stage;
        // How much of the second scene is seen: all over in an animation, from left to right in a
        // picture.
        let whole = if frames == 1 {
            None
        } else if self.abrupt {
            Some(if frame * 2 < frames { 0 } else { 64 })
        } else {
            // The scenes stand for a moment before and after they fade.
            let last = frames - 1;
            Some(((frame * 96 / last) - 16).clamp(0, 64))
        };
        match &mut self.other {
            Some((other, from)) if whole != Some(64) => {
                paint(&mut self.canvas, stage, Side::FROM, from, moment);
                if whole != Some(0) {
                    paint(other, stage, Side::TO, &self.to, moment);
                    let width = stage.w.max(1);
                    self.canvas.blend(other, stage, |x| {
                        whole.unwrap_or(((x - stage.x) * 160 / width - 48).clamp(0, 64))
                    });
                }
            }
            _ => paint(&mut self.canvas, stage, Side::TO, &self.to, moment),
        }
        for shape in &self.overlay {
            match shape {
                Shape::Fill(rect, color) => self.canvas.fill(*rect, *color),
                Shape::Text(line, x, y, scale, color) => {
                    self.canvas.text(line, *x, *y, *scale, *color);
                }
            }
        }
        if let Some(bar) = self.progress {
            self.canvas.fill(bar, color::EDGE);
            let done = Rect { w: bar.w * (frame + 1) / frames, ..bar };
            self.canvas.fill(done, color::ACCENT);
        }
        self.canvas.pixels()
    }

    fn arrange(&mut self, request: &GenerateContentRequest<'_>, hash: &[u8; 32], rating: Rating) {
        let (w, h) = (self.stage.w, self.stage.h);
        let video = request.operation().media() == MediaType::Video;
        let scale = (w / 640).min(h / 360).max(1);
        let room = match (w / scale, h / scale) {
            (240.., 132..) => Room::Full,
            (48.., 48..) => Room::Compact,
            _ => Room::Tiny,
        };
        let module = match room {
            Room::Full => 2 * scale,
            Room::Compact | Room::Tiny => scale,
        };
        let side = MODULES * module;
        if video && room != Room::Tiny {
            let tall = 3 * scale;
            self.stage.h -= tall;
            self.progress = Some(Rect::new(0, self.stage.bottom(), w, tall));
        }
        match room {
            Room::Full => {
                self.facts(request, scale);
                let top = self.header(request, rating, scale, side + 4 * scale);
                let pad = 2 * scale;
                self.emblem(hash, w - side - pad, pad, module);
                let most = (h * 37 / 100 / (LINE * scale)).max(2) as usize;
                self.panel(request, scale, most);
                self.stage.y += top;
                self.stage.h -= top;
                self.cards(request, scale);
            }
            Room::Compact => {
                self.fill(Rect::new(0, 0, w, 2 * scale), color::RATING);
                let most = (h / 2 / (LINE * scale)).max(1) as usize;
                self.panel(request, scale, most);
                self.stage.y += 2 * scale;
                self.stage.h -= 2 * scale;
                if self.stage.h >= side + 2 {
                    let y = self.stage.y + 1;
                    self.emblem(hash, w - side - 1, y, module);
                }
            }
            Room::Tiny => {
                let x = w - side;
                self.emblem(hash, x, (h - side) / 2, module);
                if x >= 5 * LINE && h >= LINE {
                    let y = (h - LINE) / 2;
                    let line = text::line(&scene::prompts(request).join(" "), x as usize - 8);
                    self.fill(Rect::new(0, y, x, LINE), color::PANEL);
                    self.write(line, 4, y, 1, color::PAPER);
                }
            }
        }
    }

    fn fill(&mut self, rect: Rect, color: u8) {
        self.overlay.push(Shape::Fill(rect, color));
    }

    fn write(&mut self, line: Line, x: i32, y: i32, scale: i32, color: u8) {
        self.overlay.push(Shape::Text(line, x, y, scale, color));
    }

    /// What is asked for and where it plays; gives the height.
    fn header(
        &mut self,
        request: &GenerateContentRequest<'_>,
        rating: Rating,
        scale: i32,
        right: i32,
    ) -> i32 {
        let w = self.stage.w;
        let pad = 4 * scale;
        let tall = 2 * LINE * scale + pad;
        self.fill(Rect::new(0, 0, w, tall), color::PANEL);
        self.fill(Rect::new(0, tall - scale, w, scale), color::EDGE);
        let columns = |pixels: i32| (pixels / scale).max(0) as usize;
        let y = pad / 2 - scale / 2;
        // The badge of the rating, with the band of intimacy if there is one.
        let badge = text::line(rating.word(), columns(w / 3));
        let badge_width = badge.width() as i32 * scale + 2 * pad;
        let badge_x = w - right - badge_width;
        self.fill(
            Rect::new(badge_x, y + scale, badge_width, LINE * scale - 2 * scale),
            color::RATING,
        );
        self.write(badge, badge_x + pad, y, scale, color::PAPER);
        let kind = request.generation_type.word();
        let operation = request.operation().word();
        let mark = if request.operation().media() == MediaType::Video { '▶' } else { '▣' };
        let mut title = format!("{mark} {kind}");
        let room = columns(badge_x - 2 * pad);
        if kind != operation && (title.chars().count() + operation.len() + 3) * 8 <= room {
            title.push_str(" · ");
            title.push_str(operation);
        }
        let title = text::line(&title, room);
        self.write(title, pad, y, scale, color::ACCENT);
        let from = request.from_scene.as_ref().map(|scene| scene.id.as_str());
        let to = request.to_scene.as_ref().map(|scene| scene.id.as_str());
        let way = match (from, to) {
            (Some(from), Some(to)) => format!("{from} → {to}"),
            (Some(from), None) => format!("{from} →"),
            (None, Some(to)) => format!("→ {to}"),
            (None, None) => request.purpose.word().to_owned(),
        };
        let who = request.npc_params.as_ref().and_then(|npc| {
            captions::said(npc.npc_name.as_ref())
                .or_else(|| npc.npc_id.as_ref().map(onepath_core::Id::as_str))
        });
        let way = match who {
            Some(who) => format!("{way} · {who}"),
            None => way,
        };
        let way = text::line(&way, columns(w - right - 2 * pad));
        self.write(way, pad, y + LINE * scale, scale, color::PAPER);
        tall
    }

    /// One module for each bit of the hash: two requests never look the same.
    fn emblem(&mut self, hash: &[u8; 32], x: i32, y: i32, module: i32) {
        let side = MODULES * module;
        self.fill(Rect::new(x, y, side, side), color::INK);
        for (row, pair) in (0..).zip(hash.chunks_exact(2)) {
            let bits = pair.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
            for column in 0..MODULES {
                if bits >> (MODULES - 1 - column) & 1 == 1 {
                    let rect = Rect::new(x + column * module, y + row * module, module, module);
                    self.fill(rect, color::EMBLEM);
                }
            }
        }
    }

    /// The prompt, and what must and must not be seen, above the lower edge of the stage.
    fn panel(&mut self, request: &GenerateContentRequest<'_>, scale: i32, most: usize) {
        let w = self.stage.w;
        let pad = if self.stage.w < 96 { 2 } else { 6 * scale };
        let columns = ((w - 2 * pad) / scale).max(8) as usize;
        let prompts = scene::prompts(request);
        let mut lines: Vec<(Line, u8)> = Vec::new();
        match prompts.as_slice() {
            [] => lines.push((text::line("no prompt", columns), color::MUTED)),
            [prompt] => lines
                .extend(text::wrap(prompt, columns, most).into_iter().map(|l| (l, color::PAPER))),
            steps => {
                let each = (most / steps.len()).max(1);
                for (number, step) in (1..).zip(steps.iter().take(most)) {
                    let step = format!("{number}. {step}");
                    let wrapped = text::wrap(&step, columns, each);
                    lines.extend(wrapped.into_iter().map(|line| (line, color::PAPER)));
                }
            }
        }
        for (note, color) in captions::notes(request) {
            if lines.len() < most {
                lines.push((text::line(&note, columns), color));
            }
        }
        let tall = lines.len() as i32 * LINE * scale + pad;
        let top = self.stage.bottom() - tall;
        self.fill(Rect::new(0, top, w, tall), color::PANEL);
        self.fill(Rect::new(0, top, w, scale), color::EDGE);
        let mut y = top + pad / 2;
        for (line, color) in lines {
            let x = if line.from_right { w - pad - line.width() as i32 * scale } else { pad };
            self.write(line, x, y, scale, color);
            y += LINE * scale;
        }
        self.stage.h -= tall;
    }

    /// Palette, moods, pacing, length and seed at the lower edge of the stage.
    fn facts(&mut self, request: &GenerateContentRequest<'_>, scale: i32) {
        let w = self.stage.w;
        let pad = 6 * scale;
        let tall = (LINE + 2) * scale;
        let top = self.stage.bottom() - tall;
        self.fill(Rect::new(0, top, w, tall), color::INK);
        let mut x = pad;
        let size = 8 * scale;
        let mut swatches = vec![
            Side::TO.sky(2),
            Side::TO.sky(16),
            Side::TO.sky(30),
            Side::TO.land(4),
            Side::TO.land(13),
            Side::TO.accent(),
        ];
        if self.other.is_some() {
            let from = Side::FROM;
            swatches = vec![
                from.sky(8),
                from.sky(26),
                from.accent(),
                Side::TO.sky(8),
                Side::TO.sky(26),
                Side::TO.accent(),
            ];
        }
        for swatch in swatches {
            self.fill(Rect::new(x, top + 5 * scale, size, size), swatch);
            x += size;
        }
        x += pad;
        let mut room = w - x - pad;
        let facts = captions::facts(request);
        let gap = 2 * 8 * scale;
        for (index, (fact, color)) in (0..).zip(facts) {
            // Only the first is cut; another that has no room is left out.
            let before = if index == 0 { 0 } else { gap };
            let columns = ((room - before) / scale).max(0) as usize;
            let line = text::line(&fact, if index == 0 { columns } else { usize::MAX });
            let wide = line.width() as i32 * scale;
            if wide + before > room {
                continue;
            }
            self.write(line, x + before, top + scale, scale, color);
            x += wide + before;
            room -= wide + before;
        }
        self.stage.h -= tall;
    }

    /// The pictures that it starts from, as cards in a corner of the scene.
    fn cards(&mut self, request: &GenerateContentRequest<'_>, scale: i32) {
        let (w, h) = (26 * scale, 18 * scale);
        let gap = 5 * scale;
        let mut x = self.stage.x + gap;
        let y = self.stage.bottom() - h - gap;
        if self.stage.h < h + 2 * gap {
            return;
        }
        let inputs = request.inputs.iter().flatten();
        for (color, input) in (color::CARDS..).zip(inputs.take(color::MOST_CARDS)) {
            let card = Rect::new(x, y, w, h);
            self.fill(card, color::PAPER);
            let inner = card.inset(2 * scale);
            self.fill(inner, color);
            let sign = match input.role {
                InputRole::Image | InputRole::Fusion => "▣",
                InputRole::Video | InputRole::OriginalVideo => "▶",
                InputRole::NpcBase => "☺",
            };
            let sign = text::line(sign, 16);
            let at = inner.x + (inner.w - sign.width() as i32 * scale) / 2;
            self.write(sign, at, inner.y - scale, scale, color::PAPER);
            x += w + gap;
        }
    }
}
