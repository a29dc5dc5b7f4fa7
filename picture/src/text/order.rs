//! From the order in which a line is read to the order in which it is seen.

use super::{Cell, Line, Way};

/// Puts a line in the order in which it is seen (UAX 9, rules N1, N2, I1, I2 and L2).
pub(super) fn in_order(mut cells: Vec<Cell>, from_right: bool) -> Line {
    if !from_right && cells.iter().all(|cell| cell.way != Way::Right) {
        return Line { cells, from_right };
    }
    // Digits after right-to-left letters are read as part of them.
    let mut strong = from_right;
    let kinds: Vec<(bool, Way)> = cells
        .iter()
        .map(|cell| {
            match cell.way {
                Way::Left => strong = false,
                Way::Right => strong = true,
                Way::Digit | Way::Neutral => {}
            }
            (strong, cell.way)
        })
        .collect();
    // The side on which the next letter or digit stands, for each place.
    let mut after: Vec<bool> = Vec::with_capacity(kinds.len());
    let mut next = from_right;
    for (strong, way) in kinds.iter().rev() {
        if *way != Way::Neutral {
            next = *strong;
        }
        after.push(next);
    }
    after.reverse();
    let mut before = from_right;
    let levels: Vec<u8> = kinds
        .iter()
        .zip(after)
        .map(|(&(strong, way), after)| {
            if way == Way::Neutral {
                let right = if before == after { before } else { from_right };
                return if right { 1 } else { 2 * u8::from(from_right) };
            }
            before = strong;
            match (way, strong) {
                (Way::Digit, true) => 2,
                (_, true) => 1,
                (_, false) => 2 * u8::from(from_right),
            }
        })
        .collect();
    for (cell, level) in cells.iter_mut().zip(&levels) {
        if *level == 1
            && let Some(mirrored) = mirrored(cell.character)
        {
            *cell = Cell::new(mirrored);
        }
    }
    let mut order: Vec<(u8, Cell)> = levels.into_iter().zip(cells).collect();
    for level in [2, 1] {
        let mut rest = order.as_mut_slice();
        while !rest.is_empty() {
            let inside = rest.first().is_some_and(|(own, _)| *own >= level);
            let run = rest.iter().take_while(|(own, _)| (*own >= level) == inside).count();
            let Some((run, after)) = rest.split_at_mut_checked(run) else { break };
            if inside {
                run.reverse();
            }
            rest = after;
        }
    }
    Line { cells: order.into_iter().map(|(_, cell)| cell).collect(), from_right }
}

fn mirrored(character: char) -> Option<char> {
    const PAIRS: [(char, char); 5] = [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>'), ('«', '»')];
    PAIRS.iter().find_map(|&(left, right)| match character {
        _ if character == left => Some(right),
        _ if character == right => Some(left),
        _ => None,
    })
}
