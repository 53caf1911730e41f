//! Every exit code of the program. The table is a contract: a Job's `podFailurePolicy` and a container's
//! `restartPolicyRules` name these numbers, and `docs/exit-codes.md` is made from it.

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

/// Whether another start can end otherwise, while nobody changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// There is nothing to try again.
    Needless,
    /// It fails in the same way: a person has to do something.
    Useless,
    /// It may pass by itself.
    Useful,
}

/// SIGHUP, SIGINT, SIGQUIT, SIGKILL and SIGTERM. The fourth one is not told by the program, which cannot hear it.
const SIGNALS: [u8; 5] = [1, 2, 3, 9, 15];

impl Exit {
    /// Every way to end, in the order of the numbers.
    pub(crate) const ALL: [Self; 16] = [
        Self::Success,
        Self::NotUpToDate,
        Self::Class(Class::Usage),
        Self::Class(Class::Data),
        Self::Class(Class::Unreachable),
        Self::Class(Class::Bug),
        Self::Class(Class::TryAgain),
        Self::Class(Class::Denied),
        Self::Class(Class::Config),
        Self::Class(Class::CommandUnusable),
        Self::Class(Class::CommandMissing),
        Self::Signal(SIGNALS[0]),
        Self::Signal(SIGNALS[1]),
        Self::Signal(SIGNALS[2]),
        Self::Signal(SIGNALS[3]),
        Self::Signal(SIGNALS[4]),
    ];

    /// The number that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::NotUpToDate => 1,
            Self::Class(class) => class_code(class),
            Self::Signal(number) => 128_u8.saturating_add(number),
        }
    }

    /// When it ends so.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Success => "up to date, applied, or ahead and allowed",
            Self::NotUpToDate => "`status`: not up to date; `inject --check`: something would change",
            Self::Class(Class::Usage) => "wrong arguments",
            Self::Class(Class::Data) => "a migration failed, or history and project contradict each other",
            Self::Class(Class::Unreachable) => "the database could not be reached within `--wait`",
            Self::Class(Class::Bug) => "a bug in Plimsoll",
            Self::Class(Class::TryAgain) => {
                "a lock was not free in time, the database has no room left, it is not yet where it is waited for, `--timeout` is over, its URL has changed to another one, or an answer could not be written"
            }
            Self::Class(Class::Denied) => "credentials or rights",
            Self::Class(Class::Config) => "the project or its configuration is wrong",
            Self::Class(Class::CommandUnusable) => "`exec`: the command cannot be executed",
            Self::Class(Class::CommandMissing) => "`exec`: the command cannot be found",
            Self::Class(Class::Interrupted) => "ended by a signal that nobody knows",
            Self::Signal(1) => "SIGHUP: the terminal is gone, or it is the image's `STOPSIGNAL`",
            Self::Signal(3) => "SIGQUIT: it is the image's `STOPSIGNAL`, or somebody pressed Ctrl-\\",
            Self::Signal(2) => "SIGINT: somebody pressed Ctrl-C",
            Self::Signal(9) => {
                "SIGKILL: out of memory, or the grace period was over. The kernel's word, not Plimsoll's"
            }
            Self::Signal(15) => "SIGTERM: the pod was deleted, evicted or replaced",
            Self::Signal(_) => "ended by another signal",
        }
    }

    /// Whether to start again.
    pub(crate) fn retry(self) -> Retry {
        match self {
            Self::Success | Self::NotUpToDate => Retry::Needless,
            Self::Class(Class::Unreachable | Class::TryAgain | Class::Interrupted) | Self::Signal(_) => {
                Retry::Useful
            }
            Self::Class(
                Class::Usage
                | Class::Data
                | Class::Bug
                | Class::Denied
                | Class::Config
                | Class::CommandUnusable
                | Class::CommandMissing,
            ) => Retry::Useless,
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

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::Code;

    #[test]
    fn the_numbers_are_those_of_the_documentation() {
        let codes = [0, 1, 64, 65, 69, 70, 75, 77, 78, 126, 127, 129, 130, 131, 137, 143];
        assert_eq!(Exit::ALL.map(Exit::code), codes);
    }

    #[test]
    fn every_error_ends_with_a_number_of_the_table() {
        for code in Code::ALL {
            let exit = Exit::Class(code.class()).code();
            assert!(Exit::ALL.iter().any(|known| known.code() == exit), "{code}: {exit}");
        }
    }
}
