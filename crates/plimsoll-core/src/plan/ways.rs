//! What a person can do about an attempt that no runner carries on by itself: the same words wherever it is met.

use crate::history::Attempt;

/// How an attempt that stopped can be gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayOn {
    /// The statement with this number, counted from 1, left nothing: it may be run again, also with another text.
    Resume(usize),
    /// That statement may have taken effect, and carrying on sends it again: somebody has to look first.
    SendAgain(usize),
    /// More has to be done than the rest of the script, or carrying on would come to the same stop again.
    ByHand,
}

impl WayOn {
    /// How the attempt stands in its row, so that the next start and `resolve` name the same way.
    pub fn attempt(self) -> Attempt {
        match self {
            Self::Resume(_) => Attempt::Failed,
            Self::SendAgain(_) => Attempt::Doubtful,
            Self::ByHand => Attempt::ByHand,
        }
    }

    /// The steps that a diagnostic of an attempt at this migration ends with.
    pub fn on(self, name: &str) -> Vec<String> {
        let first = match self {
            Self::Resume(statement) => format!(
                "remove what stood in its way, or correct the script from statement {statement} on, then have it carried \
                 on there: `plimsoll resolve --resume {name}`"
            ),
            Self::SendAgain(statement) => format!(
                "look at whether statement {statement} is in the database: if nothing of it is, have it carried on, which \
                 sends it again: `plimsoll resolve --resume {name}`"
            ),
            Self::ByHand => "look at which of its statements are in the database".to_owned(),
        };
        std::iter::once(first).chain(by_hand(name)).collect()
    }
}

/// The two ways that are left where nothing of ours can carry on.
pub fn by_hand(name: &str) -> [String; 2] {
    [
        format!(
            "or undo what of it is in the database, then have it applied again from its beginning: \
             `plimsoll resolve --rolled-back {name}`"
        ),
        format!("or complete it by hand, then record that: `plimsoll resolve --applied {name}`"),
    ]
}
