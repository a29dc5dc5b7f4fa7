//! In what two texts differ, word by word.

use schemars::JsonSchema;
use serde::Serialize;

/// Pairs of words that are compared at most; texts that differ in more are told as replaced whole.
const MOST: usize = 4_000_000;

/// What a piece is to the two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PieceKind {
    /// In both.
    Same,
    /// In the first only.
    Removed,
    /// In the second only.
    Added,
}

/// A piece of two texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Piece {
    /// What it is to them.
    pub kind: PieceKind,
    /// The piece.
    pub text: String,
}

/// The pieces of two texts, in order: those that are the same or removed make the first, those that
/// are the same or added the second.
#[must_use]
pub fn diff(left: &str, right: &str) -> Vec<Piece> {
    let (left, right) = (tokens(left), tokens(right));
    let head = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let (mut a, mut b) = (left.get(head..).unwrap_or(&[]), right.get(head..).unwrap_or(&[]));
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    a = a.get(..a.len() - tail).unwrap_or(&[]);
    b = b.get(..b.len() - tail).unwrap_or(&[]);
    let mut pieces = Pieces(Vec::new());
    pieces.put(PieceKind::Same, left.get(..head).unwrap_or(&[]));
    if a.len().saturating_mul(b.len()) > MOST {
        pieces.put(PieceKind::Removed, a);
        pieces.put(PieceKind::Added, b);
    } else {
        middle(a, b, &mut pieces);
    }
    pieces.put(PieceKind::Same, left.get(left.len() - tail..).unwrap_or(&[]));
    pieces.0
}

/// Words, runs of white space, and every other character by itself.
fn tokens(text: &str) -> Vec<&str> {
    let kind = |character: char| match character {
        _ if character.is_alphanumeric() || character == '_' => Some(0),
        _ if character.is_whitespace() => Some(1),
        _ => None,
    };
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match kind(first) {
            Some(of) => rest.find(|character| kind(character) != Some(of)).unwrap_or(rest.len()),
            None => first.len_utf8(),
        };
        let (token, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        tokens.push(token);
        rest = behind;
    }
    tokens
}

/// Along the longest common run of words: `lengths` holds it for every pair of ends.
fn middle<'t>(a: &[&'t str], b: &[&'t str], pieces: &mut Pieces) {
    let width = b.len() + 1;
    let mut lengths = vec![0_u32; (a.len() + 1) * width];
    let at = |i: usize, j: usize| i * width + j;
    let get = |lengths: &[u32], i, j| lengths.get(at(i, j)).copied().unwrap_or(0);
    for (i, left) in a.iter().enumerate().rev() {
        for (j, right) in b.iter().enumerate().rev() {
            let length = if left == right {
                get(&lengths, i + 1, j + 1) + 1
            } else {
                get(&lengths, i + 1, j).max(get(&lengths, i, j + 1))
            };
            if let Some(slot) = lengths.get_mut(at(i, j)) {
                *slot = length;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    loop {
        match (a.get(i), b.get(j)) {
            (Some(left), Some(right)) if left == right => {
                pieces.put(PieceKind::Same, &[*left]);
                (i, j) = (i + 1, j + 1);
            }
            (Some(left), Some(_)) if get(&lengths, i + 1, j) >= get(&lengths, i, j + 1) => {
                pieces.put(PieceKind::Removed, &[*left]);
                i += 1;
            }
            (_, Some(right)) => {
                pieces.put(PieceKind::Added, &[*right]);
                j += 1;
            }
            (Some(left), None) => {
                pieces.put(PieceKind::Removed, &[*left]);
                i += 1;
            }
            (None, None) => return,
        }
    }
}

struct Pieces(Vec<Piece>);

impl Pieces {
    /// Adds words, to the last piece if it is of the same kind.
    fn put(&mut self, kind: PieceKind, words: &[&str]) {
        if words.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.kind == kind => last.text.extend(words.iter().copied()),
            _ => self.0.push(Piece { kind, text: words.concat() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(left: &str, right: &str) -> String {
        let pieces = diff(left, right);
        let joined = |other: PieceKind| -> String {
            let its = pieces.iter().filter(|piece| piece.kind != other);
            its.map(|piece| piece.text.as_str()).collect()
        };
        assert_eq!(
            (joined(PieceKind::Added), joined(PieceKind::Removed)),
            (left.into(), right.into())
        );
        let mark = |piece: &Piece| match piece.kind {
            PieceKind::Same => piece.text.clone(),
            PieceKind::Removed => format!("[-{}-]", piece.text),
            PieceKind::Added => format!("[+{}+]", piece.text),
        };
        pieces.iter().map(mark).collect()
    }

    #[test]
    fn texts_are_compared_word_by_word() {
        assert_eq!(shown("a red door", "a blue door"), "a [-red-][+blue+] door");
        assert_eq!(
            shown("at {{ hour }}.", "at {{hour}}, {{mood}}."),
            "at {{[- -]hour[+}},+] [+{{mood+]}}."
        );
        assert_eq!(shown("", "new"), "[+new+]");
        assert_eq!(shown("same", "same"), "same");
        assert_eq!(shown("", ""), "");
        assert_eq!(shown("über alles", "Über alles"), "[-über-][+Über+] alles");
    }

    #[test]
    fn texts_that_share_nothing_and_are_long_are_replaced_whole() {
        let (left, right) = ("a ".repeat(3_000), "b,".repeat(3_000));
        assert_eq!(diff(&left, &right).len(), 2);
    }
}
