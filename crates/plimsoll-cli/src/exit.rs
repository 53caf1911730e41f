//! Every exit code of the program. The table is a contract: a Job's `podFailurePolicy` and a container's
//! `restartPolicyRules` name these numbers. `docs/exit-codes.md` is made from it, and from the words in `reference/exit_codes.rs`.

use plimsoll_core::Class;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Up to date, applied, or ahead and allowed.
    Success,
    /// `status`: not up to date, as in Prisma. `inject --check`: something would change.
    NotUpToDate,
    /// An error of this class.
    Class(Class),
    /// A signal of this number.
    Signal(u8),
}

impl Exit {
    /// The number that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::NotUpToDate => 1,
            Self::Class(class) => class_code(class),
            Self::Signal(number) => 128_u8.saturating_add(number),
        }
    }
}

/// The numbers of `sysexits.h`, for people who know them, and of the shell where a command cannot be started.
fn class_code(class: Class) -> u8 {
    match class {
        Class::Usage => 64,
        Class::Data => 65,
        Class::Unreachable => 69,
        Class::Bug => 70,
        Class::TryAgain => 75,
        Class::Denied => 77,
        Class::Config => 78,
        Class::CommandUnusable => 126,
        Class::CommandMissing => 127,
        // Only if nobody knows which signal it was.
        Class::Interrupted => 143,
    }
}

/// Ends the process.
pub(crate) fn leave(exit: Exit) -> ! {
    std::process::exit(i32::from(exit.code()))
}
