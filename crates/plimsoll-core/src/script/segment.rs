//! Parts of a script that cannot be one transaction.

use std::borrow::Cow;
use std::ops::Range;

use super::Reason;

/// A script that is run part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segmented<'a> {
    /// The parts in order; every statement of the script is in exactly one.
    pub segments: Vec<Segment<'a>>,
    /// Every statement that keeps the script from being one transaction.
    pub because: Vec<Reason>,
}

/// A part of a script: statements that are committed together, or one that is run outside of any transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Which statements of the script it holds; the first one is 0.
    pub statements: Range<usize>,
    /// From the first byte of its first statement to the last byte of its last one.
    pub span: Range<usize>,
    /// What is sent: the text of the span, with a `BEGIN` and `COMMIT` of the script's own blanked out.
    pub body: Cow<'a, str>,
    /// How it is run.
    pub way: Way,
    /// It begins with `SET TRANSACTION`, which has to come before any query.
    pub sets_transaction: bool,
}

/// How a segment is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// As one transaction. Nothing in the script says that it must be one: it may be cut further.
    Together,
    /// As the transaction that the script itself makes of it.
    Block,
    /// Its only statement is sent outside of any transaction.
    Outside(Effect),
}

/// What a statement outside of any transaction does, as far as it matters when its runner dies in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Running it twice does the same as running it once.
    Repeatable,
    /// It builds an index concurrently. A failed attempt leaves an invalid one.
    BuildsIndex {
        /// The index as written (with quotes), if it has a name.
        name: Option<String>,
        /// The table as written: the index is made in its schema.
        table: String,
    },
    /// It drops an index concurrently.
    DropsIndex {
        /// The index as written.
        name: String,
    },
    /// It detaches a partition concurrently. A failed attempt may leave the partition half detached.
    Detaches {
        /// The partitioned table as written.
        table: String,
        /// The partition as written.
        partition: String,
    },
    /// It builds indexes anew, concurrently. A failed attempt may leave invalid ones beside them.
    Reindexes {
        /// What `name` is the name of.
        kind: Reindexed,
        /// The table or index as written.
        name: String,
    },
    /// Something is there after it that was not there before.
    Creates {
        /// What kind of thing.
        thing: Thing,
        /// Its name as written.
        name: String,
    },
    /// Something is gone after it.
    Removes {
        /// What kind of thing.
        thing: Thing,
        /// Its name as written.
        name: String,
    },
    /// Nobody can say afterwards whether it took effect.
    Unknown,
}

/// What a `REINDEX` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reindexed {
    /// A table, all of whose indexes are built.
    Table,
    /// One index.
    Index,
    /// All indexes of a schema.
    Schema,
    /// All indexes of the database, but those of the system.
    Database,
}

/// What a statement can create or remove as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A database.
    Database,
    /// A tablespace.
    Tablespace,
    /// A subscription of this database.
    Subscription,
    /// A prepared transaction; its name is a string.
    PreparedTransaction,
}
