//! Prompts that are kept: what a version declares, who gets which, in what two differ. Pure, but for
//! the port of whoever takes prompts apart.

mod analyst;
mod content;
mod diff;
mod split;

pub use analyst::{Analyst, AnalystError, RuleAnalyst};
pub use content::{Content, Scalar, Variable, VariableBody, Variables};
pub(crate) use content::{NOTE, null_character, too_long};
pub use diff::{Piece, PieceKind, diff};
pub use split::{Arm, Split};
