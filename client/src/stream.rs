//! A stream of server-sent events, read piece by piece.

/// One event of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The place behind it, to go on from.
    pub(crate) id: Option<String>,
    /// Its data.
    pub(crate) data: String,
}

/// What was read of a stream so far.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    rest: Vec<u8>,
    next: Frame,
}

/// The longest line that is kept: ours are far shorter.
const LONGEST: usize = 64 * 1024;

impl Frames {
    /// Takes a piece, and gives the events that it completes; none if it is no stream of ours.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Option<Vec<Frame>> {
        self.rest.extend_from_slice(piece);
        let mut done = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8(line).ok()?;
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                let frame = std::mem::take(&mut self.next);
                if !frame.data.is_empty() {
                    done.push(frame);
                }
                continue;
            }
            // What begins with a colon is a comment.
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => self.next.id = Some(value.to_owned()),
                "data" => {
                    if !self.next.data.is_empty() {
                        self.next.data.push('\n');
                    }
                    self.next.data.push_str(value);
                }
                _ => {}
            }
            if self.next.data.len() > LONGEST {
                return None;
            }
        }
        (self.rest.len() <= LONGEST).then_some(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_events_wherever_they_are_cut() {
        let text = ": onepath\nretry: 3000\n\nid: 41\nevent: a\ndata: {\"x\":1}\n\n: alive\n\nid: 42\r\n\
                    data: one\r\ndata: two\r\n\r\nid: 43\ndata: half";
        let event = |id: &str, data: &str| Frame { id: Some(id.to_owned()), data: data.to_owned() };
        let wanted = [event("41", "{\"x\":1}"), event("42", "one\ntwo")];
        for size in 1..text.len() {
            let mut frames = Frames::default();
            let mut seen = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                seen.extend(frames.take(piece).unwrap());
            }
            assert_eq!(seen, wanted, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_stream_of_ours_ends() {
        assert_eq!(Frames::default().take(&[0xff, b'\n']), None);
        assert_eq!(Frames::default().take(&vec![b'x'; LONGEST + 1]), None);
    }
}
