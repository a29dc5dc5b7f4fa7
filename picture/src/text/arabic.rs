//! Arabic letters in the forms in which they join.

use crate::font;

/// Arabic letters with their first presentation form and how many forms they have: alone, final,
/// initial, medial, in this order (Unicode, Arabic Presentation Forms A and B).
const ARABIC: &[(u32, u32, u32)] = &[
    (0x67E, 0xFB56, 4),
    (0x679, 0xFB66, 4),
    (0x686, 0xFB7A, 4),
    (0x688, 0xFB88, 2),
    (0x691, 0xFB8C, 2),
    (0x698, 0xFB8A, 2),
    (0x6A9, 0xFB8E, 4),
    (0x6AF, 0xFB92, 4),
    (0x6BA, 0xFB9E, 2),
    (0x6BE, 0xFBAA, 4),
    (0x6C1, 0xFBA6, 4),
    (0x6CC, 0xFBFC, 4),
    (0x6D2, 0xFBAE, 2),
];
/// How many forms the letters from U+0621 have, whose forms stand in a row from U+FE80.
const FORMS: [u32; 26] =
    [1, 2, 2, 2, 2, 4, 2, 4, 2, 4, 4, 4, 4, 4, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4];
/// The same from U+0641 and U+FED1.
const FORMS_FROM_FEH: [u32; 10] = [4, 4, 4, 4, 4, 4, 4, 2, 2, 4];

/// The first form of an Arabic letter and the number of its forms.
fn forms(character: char) -> Option<(u32, u32)> {
    let point = u32::from(character);
    let (counts, first, base): (&[u32], _, _) = match point {
        0x621..=0x63A => (&FORMS, 0x621, 0xFE80),
        0x641..=0x64A => (&FORMS_FROM_FEH, 0x641, 0xFED1),
        _ => {
            let row = ARABIC.iter().find(|(letter, ..)| *letter == point)?;
            return Some((row.1, row.2));
        }
    };
    let index = (point - first) as usize;
    Some((base + counts.iter().take(index).sum::<u32>(), *counts.get(index)?))
}

/// Puts the joined forms of Arabic letters for the letters.
pub(super) fn join(characters: &[char]) -> Vec<char> {
    let is_mark =
        |character: char| font::glyph(character).is_some_and(|glyph| glyph.back.is_some());
    // Whether a letter joins the one after it, and the one before it.
    let joins_next = |c: char| c == '\u{640}' || forms(c).is_some_and(|(_, count)| count == 4);
    let joins_back = |c: char| c == '\u{640}' || forms(c).is_some_and(|(_, count)| count > 1);
    let mut out = Vec::with_capacity(characters.len());
    let mut before: Option<char> = None;
    let mut rest = characters.iter().copied();
    while let Some(character) = rest.next() {
        if is_mark(character) {
            out.push(character);
            continue;
        }
        let next = rest.clone().find(|&next| !is_mark(next));
        let back = before.is_some_and(joins_next) && joins_back(character);
        before = Some(character);
        let Some((first, count)) = forms(character) else {
            out.push(character);
            continue;
        };
        // Lam and alef are written as one.
        let alef = match rest.clone().next() {
            Some('\u{622}') => Some(0xFEF5),
            Some('\u{623}') => Some(0xFEF7),
            Some('\u{625}') => Some(0xFEF9),
            Some('\u{627}') => Some(0xFEFB),
            _ => None,
        };
        let form = match alef.filter(|_| character == '\u{644}') {
            Some(ligature) => {
                before = rest.next();
                ligature + u32::from(back)
            }
            None => {
                let on = count == 4 && next.is_some_and(joins_back);
                first + u32::from(back) + if on { 2 } else { 0 }
            }
        };
        out.push(char::from_u32(form).unwrap_or(character));
    }
    out
}
