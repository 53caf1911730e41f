//! The session's own settings, where they are known: it is left neutral behind a look of ours, and the message that comes next
//! begins with what it has to find.

use plimsoll_core::{Code, Diagnostic};

use super::neutral::{assigned, variables};
use crate::error::{Error, Result};
use crate::mysql::{MysqlSession, sql};

/// The settings that something has to find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::mysql) enum Standing {
    /// The session's own, under which scripts are executed.
    #[default]
    Own,
    /// Those in which objects look the same to everybody.
    Neutral,
}

/// What a session's own settings are, as long as nothing is sent that could change them.
#[derive(Clone, Debug)]
pub(in crate::mysql) struct Own {
    /// The statements that make it neutral: only what is another value has to be set.
    neutral: Vec<String>,
    /// Those that make it what it was.
    back: Vec<String>,
    /// Which of them it has; nothing where a message that was to change them has failed, and may have done so before.
    is: Option<Standing>,
}

impl Own {
    async fn read(session: &mut MysqlSession) -> Result<Self> {
        let variables: Vec<_> = variables(session.server()).collect();
        let columns: Vec<_> = variables.iter().map(|(name, _)| format!("@@SESSION.{name}")).collect();
        let rows = session.rows(&format!("SELECT {} LIMIT 1", columns.join(", "))).await?;
        let values = rows.into_iter().next().unwrap_or_default();
        if values.len() != variables.len() {
            let message = "the server did not say what the settings of the session are";
            return Err(Error::never(Diagnostic::new(Code::Database, message)));
        }
        let others: Vec<_> = variables
            .into_iter()
            .zip(values)
            .map(|((name, neutral), own)| (name, neutral, literal(neutral, own)))
            .filter(|(name, neutral, own)| own != neutral && !(*name == "sql_mode" && shows_alike(own)))
            .collect();
        let neutral = assigned(others.iter().map(|(name, neutral, _)| (*name, *neutral)));
        let back = assigned(others.iter().map(|(name, _, own)| (*name, own.as_str())));
        Ok(Self { neutral, back, is: Some(Standing::Own) })
    }

    /// The statements that a message begins with that has to find these settings.
    fn to(&self, wanted: Standing) -> &[String] {
        match wanted {
            _ if self.is == Some(wanted) => &[],
            Standing::Neutral => &self.neutral,
            Standing::Own => &self.back,
        }
    }
}

/// Modes under which definitions are written out, and names are read, as under none: those that servers begin with, which tell what rows
/// may be written, and how a query may group.
const ALIKE: [&str; 8] = [
    "ERROR_FOR_DIVISION_BY_ZERO",
    "NO_AUTO_CREATE_USER",
    "NO_ENGINE_SUBSTITUTION",
    "NO_ZERO_DATE",
    "NO_ZERO_IN_DATE",
    "ONLY_FULL_GROUP_BY",
    "STRICT_ALL_TABLES",
    "STRICT_TRANS_TABLES",
];

/// Whether a text of SQL names no other modes.
fn shows_alike(modes: &str) -> bool {
    modes.trim_matches('\'').split(',').all(|mode| ALIKE.contains(&mode))
}

/// A value as an assignment has it: as the neutral one, if it is the same.
fn literal(neutral: &str, own: Option<String>) -> String {
    let is_text = neutral.starts_with('\'');
    match own {
        None => "NULL".to_owned(),
        Some(own) if is_text => sql::text(&own),
        // What is off, MariaDB shows as a number with decimal places.
        Some(own) if own.parse() == Ok(0.0) => "0".to_owned(),
        Some(own) => own,
    }
}

impl MysqlSession {
    /// Finds out what the session's own settings are, if it is not known. What is sent from now on may not change them until
    /// [`forget_settings`](Self::forget_settings).
    pub(in crate::mysql) async fn know_settings(&mut self) -> Result<()> {
        if self.own.is_none() {
            self.own = Some(Own::read(self).await?);
        }
        Ok(())
    }

    /// Makes the session what it was, for whatever may change it.
    pub(in crate::mysql) async fn forget_settings(&mut self) -> Result<()> {
        self.take_own_settings().await.map_err(|found| self.error(&found))?;
        self.own = None;
        Ok(())
    }

    /// A message that finds these settings, and how many statements it begins with for that.
    pub(in crate::mysql) fn behind_settings(&self, sql: &str, wanted: Standing) -> (String, usize) {
        let before = self.own.as_ref().map_or(&[][..], |own| own.to(wanted));
        let statements: Vec<_> = before.iter().map(String::as_str).chain([sql]).collect();
        (statements.join(";"), before.len())
    }

    /// Whether a message finds them as it is.
    pub(in crate::mysql) fn has_settings(&self, wanted: Standing) -> bool {
        self.own.as_ref().is_none_or(|own| own.to(wanted).is_empty())
    }

    /// Remembers what a message has made of them that began with so many statements, if that is certain.
    pub(in crate::mysql) fn settings_are(&mut self, before: usize, is: Option<Standing>) {
        if let Some(own) = &mut self.own
            && before > 0
        {
            own.is = is;
        }
    }
}
