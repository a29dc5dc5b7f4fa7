//! WebM: elements of EBML (RFC 8794), of which the first says that it is WebM, and one describes a
//! track with a picture.

use super::super::content::Source;
use super::{Inspected, NotMedia, read_at, sized};

const HEAD: u64 = 0x1a45_dfa3;
const DOC_TYPE: u64 = 0x4282;
const SEGMENT: u64 = 0x1853_8067;
const INFO: u64 = 0x1549_a966;
const SCALE: u64 = 0x2a_d7b1;
const DURATION: u64 = 0x4489;
const TRACKS: u64 = 0x1654_ae6b;
const TRACK: u64 = 0xae;
const VIDEO: u64 = 0xe0;
const WIDTH: u64 = 0xb0;
const HEIGHT: u64 = 0xba;
const CLUSTER: u64 = 0x1f43_b675;

/// Elements that are looked at, at most.
const MOST_ELEMENTS: usize = 100_000;

/// An element: its id, and where its body lies.
struct Element {
    id: u64,
    body: u64,
    end: u64,
}

/// What is known of a film.
struct Film<'s> {
    source: &'s mut dyn Source,
    elements: usize,
    scale: u64,
    duration: f64,
    width: u32,
    height: u32,
    has_data: bool,
}

pub(super) fn webm(source: &mut dyn Source, size: u64) -> Result<Inspected, NotMedia> {
    let mut film = Film {
        source,
        elements: 0,
        scale: 1_000_000,
        duration: 0.0,
        width: 0,
        height: 0,
        has_data: false,
    };
    let head = film.element(0, size)?.filter(|head| head.id == HEAD);
    let head = head.ok_or_else(|| NotMedia::new("it has no head"))?;
    film.doc_type(&head)?;
    let mut at = head.end;
    while let Some(outer) = film.element(at, size)? {
        if outer.id == SEGMENT {
            film.read(outer.body, outer.end, 0)?;
        }
        at = outer.end;
    }
    if !film.has_data {
        return Err(NotMedia::new("it holds no film"));
    }
    let (width, height) = sized(film.width, film.height)?;
    let millis = film.duration * film.scale as f64 / 1e6;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates, and what is no number of milliseconds is left out"
    )]
    let duration_ms = (millis.is_finite() && millis >= 1.0).then_some(millis as u64);
    Ok(Inspected { media_type: "video/webm", width, height, duration_ms })
}

impl Film<'_> {
    /// A number of variable length, and its length; `marked` leaves the mark of its length in it.
    fn number(&mut self, at: u64, end: u64, marked: bool) -> Result<(u64, u64), NotMedia> {
        let broken = || NotMedia::new("its elements cannot be read");
        let [first] = read_at::<1>(self.source, at)?;
        let length = u64::from(first.leading_zeros()) + 1;
        if length > 8 || at + length > end {
            return Err(broken());
        }
        let mut value = u64::from(first);
        if !marked {
            value &= (1 << (8 - length)) - 1;
        }
        for place in 1..length {
            let [next] = read_at::<1>(self.source, at + place)?;
            value = value << 8 | u64::from(next);
        }
        Ok((value, length))
    }

    /// The element at a place, if one begins before the end.
    fn element(&mut self, at: u64, end: u64) -> Result<Option<Element>, NotMedia> {
        if at >= end {
            return Ok(None);
        }
        self.elements += 1;
        if self.elements > MOST_ELEMENTS {
            return Err(NotMedia::new("it has too many elements"));
        }
        let (id, id_length) = self.number(at, end, true)?;
        let (size, size_length) = self.number(at + id_length, end, false)?;
        let body = at + id_length + size_length;
        // All ones: as long as what it lies in.
        let is_open = size == (1_u64 << (7 * size_length)) - 1;
        let last = if is_open { Some(end) } else { body.checked_add(size) };
        let last = last.filter(|last| *last <= end);
        let last = last.ok_or_else(|| NotMedia::new("its elements do not fit into each other"))?;
        Ok(Some(Element { id, body, end: last }))
    }

    fn doc_type(&mut self, head: &Element) -> Result<(), NotMedia> {
        let mut at = head.body;
        while let Some(inner) = self.element(at, head.end)? {
            if inner.id == DOC_TYPE && inner.end - inner.body == 4 {
                let word = read_at::<4>(self.source, inner.body)?;
                if word == *b"webm" {
                    return Ok(());
                }
            }
            at = inner.end;
        }
        Err(NotMedia::new("it is no WebM"))
    }

    /// Reads the elements that describe it, up to the first that holds pictures.
    fn read(&mut self, from: u64, end: u64, depth: u32) -> Result<(), NotMedia> {
        let mut at = from;
        while let Some(inner) = self.element(at, end)? {
            match inner.id {
                CLUSTER if depth == 0 => {
                    self.has_data = true;
                    return Ok(());
                }
                INFO | TRACKS | TRACK | VIDEO if depth < 4 => {
                    self.read(inner.body, inner.end, depth + 1)?;
                }
                SCALE => self.scale = self.whole(&inner)?,
                DURATION => self.duration = self.float(&inner)?,
                WIDTH => self.width = u32::try_from(self.whole(&inner)?).unwrap_or(u32::MAX),
                HEIGHT => self.height = u32::try_from(self.whole(&inner)?).unwrap_or(u32::MAX),
                _ => {}
            }
            at = inner.end;
        }
        Ok(())
    }

    fn whole(&mut self, element: &Element) -> Result<u64, NotMedia> {
        let length = element.end - element.body;
        if length > 8 {
            return Err(NotMedia::new("a number of it is too long"));
        }
        let mut value = 0;
        for at in element.body..element.end {
            let [next] = read_at::<1>(self.source, at)?;
            value = value << 8 | u64::from(next);
        }
        Ok(value)
    }

    fn float(&mut self, element: &Element) -> Result<f64, NotMedia> {
        match element.end - element.body {
            4 => Ok(f64::from(f32::from_be_bytes(read_at::<4>(self.source, element.body)?))),
            8 => Ok(f64::from_be_bytes(read_at::<8>(self.source, element.body)?)),
            _ => Err(NotMedia::new("a number of it is of a strange length")),
        }
    }
}
