//! MP4 (ISO/IEC 14496-12): boxes of a length, a name and a body. All of the file is boxes, one of
//! them says which brand it is, one describes at least one track with a picture.

use super::super::content::Source;
use super::{Inspected, NotMedia, read_at, sized};

/// Boxes of a file: others are of no video.
const OUTER: [&[u8; 4]; 16] = [
    b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"moof", b"mfra", b"sidx",
    b"ssix", b"styp", b"meta", b"pdin", b"emsg", b"prft",
];

/// Brands of videos; others are of pictures, sounds or films for devices.
const BRANDS: [&[u8]; 6] = [b"iso", b"mp4", b"avc", b"M4V ", b"dash", b"MSNV"];

/// Boxes that are looked at, at most.
const MOST_BOXES: usize = 100_000;

/// A box: its name, and where its body lies.
struct Part {
    name: [u8; 4],
    body: u64,
    end: u64,
}

/// The box at a place, if one begins before the end.
fn part(source: &mut dyn Source, at: u64, end: u64) -> Result<Option<Part>, NotMedia> {
    if at == end {
        return Ok(None);
    }
    let broken = || NotMedia::new("its boxes do not fit into each other");
    if at + 8 > end {
        return Err(broken());
    }
    let [a, b, c, d, name @ ..] = read_at::<8>(source, at)?;
    let (body, length) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (at + 8, end - at),
        1 => (at + 16, u64::from_be_bytes(read_at::<8>(source, at + 8)?)),
        length => (at + 8, u64::from(length)),
    };
    let last = at.checked_add(length).filter(|last| *last <= end && *last >= body);
    Ok(Some(Part { name, body, end: last.ok_or_else(broken)? }))
}

/// What is known of a film.
#[derive(Default)]
struct Film {
    width: u32,
    height: u32,
    duration_ms: u64,
    boxes: usize,
}

pub(super) fn mp4(source: &mut dyn Source, size: u64) -> Result<Inspected, NotMedia> {
    let mut film = Film::default();
    let (mut at, mut has_moov, mut has_data) = (0, false, false);
    while let Some(outer) = part(source, at, size)? {
        film.count()?;
        match &outer.name {
            b"ftyp" => brand(source, &outer)?,
            b"moov" => {
                has_moov = true;
                film.read(source, outer.body, outer.end, 0)?;
            }
            b"mdat" => has_data = true,
            name if OUTER.contains(&name) => {}
            _ => return Err(NotMedia::new("it holds a box that no video has")),
        }
        at = outer.end;
    }
    if !has_moov || !has_data {
        return Err(NotMedia::new("it holds no film"));
    }
    let (width, height) = sized(film.width, film.height)?;
    let duration_ms = Some(film.duration_ms).filter(|duration| *duration > 0);
    Ok(Inspected { media_type: "video/mp4", width, height, duration_ms })
}

/// One of the brands must be that of a video.
fn brand(source: &mut dyn Source, part: &Part) -> Result<(), NotMedia> {
    let is_video = |brand: [u8; 4]| BRANDS.iter().any(|known| brand.starts_with(known));
    // The first is the major one; behind it and its version come those it goes with, too.
    let places = std::iter::once(part.body).chain((part.body + 8..part.end).step_by(4).take(64));
    for at in places.filter(|at| at + 4 <= part.end) {
        if is_video(read_at::<4>(source, at)?) {
            return Ok(());
        }
    }
    Err(NotMedia::new("it is of a brand that is no video"))
}

impl Film {
    fn count(&mut self) -> Result<(), NotMedia> {
        self.boxes += 1;
        if self.boxes > MOST_BOXES {
            return Err(NotMedia::new("it has too many boxes"));
        }
        Ok(())
    }

    /// Reads the boxes that describe it.
    fn read(
        &mut self,
        source: &mut dyn Source,
        from: u64,
        end: u64,
        depth: u32,
    ) -> Result<(), NotMedia> {
        let mut at = from;
        while let Some(inner) = part(source, at, end)? {
            self.count()?;
            match &inner.name {
                b"trak" | b"mvex" if depth == 0 => {
                    self.read(source, inner.body, inner.end, depth + 1)?;
                }
                b"mvhd" if depth == 0 => self.head(source, &inner)?,
                b"tkhd" if depth == 1 => self.track(source, &inner)?,
                _ => {}
            }
            at = inner.end;
        }
        Ok(())
    }

    /// How long it plays.
    fn head(&mut self, source: &mut dyn Source, part: &Part) -> Result<(), NotMedia> {
        let [version] = read_at::<1>(source, part.body)?;
        let (scale, duration) = if version == 1 {
            let scale = u32::from_be_bytes(read_at::<4>(source, part.body + 20)?);
            (scale, u64::from_be_bytes(read_at::<8>(source, part.body + 24)?))
        } else {
            let scale = u32::from_be_bytes(read_at::<4>(source, part.body + 12)?);
            (scale, u64::from(u32::from_be_bytes(read_at::<4>(source, part.body + 16)?)))
        };
        let unknown = duration == u64::MAX || duration == u64::from(u32::MAX);
        if scale > 0 && !unknown {
            let millis = u128::from(duration) * 1000 / u128::from(scale);
            self.duration_ms = u64::try_from(millis).unwrap_or(0);
        }
        Ok(())
    }

    /// How large its largest picture is: in 16 bits and 16 bits behind the point.
    fn track(&mut self, source: &mut dyn Source, part: &Part) -> Result<(), NotMedia> {
        let [version] = read_at::<1>(source, part.body)?;
        let at = part.body + if version == 1 { 88 } else { 76 };
        if at + 8 > part.end {
            return Err(NotMedia::new("a track is described too shortly"));
        }
        let [a, b, _, _, c, d, _, _] = read_at::<8>(source, at)?;
        let (width, height) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        if u32::from(width) * u32::from(height) > self.width * self.height {
            (self.width, self.height) = (u32::from(width), u32::from(height));
        }
        Ok(())
    }
}
