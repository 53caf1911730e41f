//! What a new session needs before it can carry on in the middle of a script.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Statement;
use super::effect::{Control, Effect, Thing};
use super::links::{Links, Value};

/// Something that later statements need and that no new session can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What it is.
    pub what: Thing,
    /// The statement that left it in its session.
    pub left_by: Range<usize>,
    /// The statement that needs it.
    pub needed_by: Range<usize>,
}

/// The statements before `from` that have to be run again in a new session, in order, so that the script can carry on at
/// the statement with this index (counted from 0).
///
/// These are its settings, and what leaves in a session what later statements need: only where running it again leaves
/// the same, because its value stands in its text or because nothing has changed rows or tables since. Nothing that
/// changes the database is among them.
///
/// # Errors
///
/// If a later statement needs what cannot be had again.
pub fn carried_over<'s, 'a>(
    statements: &'s [Statement<'a>],
    from: usize,
) -> Result<Vec<&'s Statement<'a>>, Lost> {
    let from = from.min(statements.len());
    if from == statements.len() {
        return Ok(Vec::new());
    }
    let mut again = Again { statements, from, found: BTreeMap::new() };
    again.settings()?;
    again.locks()?;
    let mut provided: BTreeSet<&Thing> = BTreeSet::new();
    for (index, statement) in statements.iter().enumerate().skip(from) {
        for need in statement.links.needs.iter().filter(|need| !provided.contains(need)) {
            again.require(need, from, index, purpose(statement, need))?;
        }
        provided.extend(&statement.links.leaves);
    }
    Ok(again.found.keys().map(|index| &statements[*index]).collect())
}

/// What somebody needs a thing for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Purpose {
    /// To take it away: it has to be there, whatever it says.
    Ending,
    /// To read it.
    Reading,
}

fn purpose(statement: &Statement<'_>, need: &Thing) -> Purpose {
    if statement.links.ends.contains(need) { Purpose::Ending } else { Purpose::Reading }
}

struct Again<'s, 'a> {
    statements: &'s [Statement<'a>],
    from: usize,
    found: BTreeMap<usize, Purpose>,
}

impl Again<'_, '_> {
    fn settings(&mut self) -> Result<(), Lost> {
        let autocommit = |effect: &Effect| {
            matches!(effect, Effect::Control(Control::AutocommitOff | Control::AutocommitOn))
        };
        for (index, statement) in self.statements[..self.from].iter().enumerate() {
            if statement.effect == Effect::Setting || autocommit(&statement.effect) {
                self.add(index, index, Purpose::Reading)?;
            }
        }
        Ok(())
    }

    /// Locks are needed by whatever is done until they are freed.
    fn locks(&mut self) -> Result<(), Lost> {
        self.require(&Thing::Locks, self.from, self.from, Purpose::Reading)
    }

    /// Sees to it that the statement `by` finds what statements before `before` have left for it.
    fn require(&mut self, thing: &Thing, before: usize, by: usize, purpose: Purpose) -> Result<(), Lost> {
        let touches = |statement: &Statement<'_>| {
            let Links { leaves, ends, .. } = &statement.links;
            let any = matches!(thing, Thing::Variable(_)) && leaves.contains(&Thing::AnyVariable);
            // Rows that were put into a table do not matter to those who drop it.
            let counts = purpose == Purpose::Reading || is_harmless(statement);
            ends.contains(thing) || (counts && (any || leaves.contains(thing)))
        };
        let Some(last) = self.statements[..before].iter().rposition(touches) else { return Ok(()) };
        let is_settled = self.found.get(&last).is_some_and(|settled| *settled >= purpose);
        if is_settled || self.statements[last].links.ends.contains(thing) {
            return Ok(());
        }
        if !self.may_run_again(last, purpose) {
            return Err(Lost {
                what: thing.clone(),
                left_by: self.statements[last].span.clone(),
                needed_by: self.statements[by].span.clone(),
            });
        }
        self.add(last, by, purpose)
    }

    fn add(&mut self, index: usize, by: usize, purpose: Purpose) -> Result<(), Lost> {
        self.found.insert(index, purpose);
        let statements = self.statements;
        statements[index].links.needs.iter().try_for_each(|need| self.require(need, index, by, purpose))
    }

    fn may_run_again(&self, index: usize, purpose: Purpose) -> bool {
        let statement = &self.statements[index];
        // Where a handler stands in its table is not to be had again.
        let keeps = statement.links.leaves.iter().all(|thing| !matches!(thing, Thing::Handler(_)));
        let same = purpose == Purpose::Ending
            || statement.links.value == Value::Same
            || !self.statements[index + 1..self.from].iter().any(changes);
        is_harmless(statement) && keeps && same
    }
}

/// Whether a statement changes its session only.
fn is_harmless(statement: &Statement<'_>) -> bool {
    matches!(statement.effect, Effect::Setting | Effect::Carried | Effect::CarriedAlone)
}

/// Whether a statement may change what another one reads.
fn changes(statement: &Statement<'_>) -> bool {
    match &statement.effect {
        Effect::Data(_) => !["select", "show", "desc", "describe", "explain", "do"]
            .iter()
            .any(|word| statement.text.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word))),
        Effect::Definition(_) | Effect::Opaque(_) => true,
        Effect::Setting
        | Effect::Carried
        | Effect::CarriedAlone
        | Effect::Control(_)
        | Effect::Repeatable => false,
    }
}
