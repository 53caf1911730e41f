//! Whether a table was emptied: `TRUNCATE` leaves its definition, the time of its creation and all else that everybody may
//! see as they were, and puts its rows into a new file. The number of that file is the fact.
//!
//! MySQL and MariaDB show it to users with the privilege `PROCESS` only. For others there is one more fact that settles it: a table
//! without rows may be emptied again.

use plimsoll_core::script::mysql::{Flavour, Object};

use super::super::{MysqlSession, failure, sql};
use super::{MISSING, NOT_LOCKED};
use crate::error::Result;

/// The fact of a table that holds no rows, where its file cannot be told.
pub(in crate::mysql) const EMPTY: &str = "empty";

/// The fact of one that holds some.
pub(in crate::mysql) const ROWS: &str = "rows";

/// The user may not see what was asked for.
const DENIED: [u16; 4] = [1142, 1143, 1227, 1044];

/// In which file a table of `InnoDB` keeps its rows; or whether there are any, if that cannot be told.
pub(super) async fn of(session: &mut MysqlSession, table: &Object) -> Result<String> {
    match file(session, table).await? {
        Some(file) => Ok(file),
        None => any(session, table).await,
    }
}

async fn file(session: &mut MysqlSession, table: &Object) -> Result<Option<String>> {
    let database = table.database.as_deref().unwrap_or(&session.database);
    let (Some(database), Some(name)) = (in_files(database), in_files(&table.name)) else { return Ok(None) };
    let tables = match session.server().flavour {
        Flavour::Mysql => "INNODB_TABLES",
        Flavour::Mariadb => "INNODB_SYS_TABLES",
    };
    let name = sql::text(&format!("{database}/{name}"));
    let query = format!(
        "SELECT TABLE_ID, SPACE FROM information_schema.{tables} WHERE CAST(NAME AS BINARY) = \
         CAST(IF(@@lower_case_table_names = 0, {name}, LOWER({name})) AS BINARY)"
    );
    match session.rows(&query).await {
        // Another engine has no such file, a table of several partitions no single one.
        Ok(rows) => Ok(rows.first().map(|row| row.iter().flatten().cloned().collect::<Vec<_>>().join("/"))),
        Err(error) if failure::number(&error).is_some_and(|number| DENIED.contains(&number)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A name as the servers write it in their file names, if it is of ASCII: for other letters they have tables.
fn in_files(name: &str) -> Option<String> {
    let letter = |c: char| match c {
        c if c.is_ascii_alphanumeric() || c == '_' => Some(c.to_string()),
        c if c.is_ascii() => Some(format!("@{:04x}", u32::from(c))),
        _ => None,
    };
    name.chars().map(letter).collect()
}

async fn any(session: &mut MysqlSession, table: &Object) -> Result<String> {
    let database = table.database.as_deref().unwrap_or(&session.database);
    let query = format!("SELECT 1 FROM {}.{} LIMIT 1", sql::name(database), sql::name(&table.name));
    match session.rows(&query).await {
        Ok(rows) if rows.is_empty() => Ok(EMPTY.to_owned()),
        Ok(_) => Ok(ROWS.to_owned()),
        Err(error) => match failure::number(&error) {
            // A table that is not there cannot be emptied either: the server will say so.
            Some(number) if MISSING.contains(&number) => Ok(EMPTY.to_owned()),
            Some(number) if number == NOT_LOCKED || DENIED.contains(&number) => Ok(ROWS.to_owned()),
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::in_files;

    #[test]
    fn names_are_written_as_in_the_names_of_files() {
        assert_eq!(in_files("Ship_2").as_deref(), Some("Ship_2"));
        assert_eq!(in_files("o-d d$").as_deref(), Some("o@002dd@0020d@0024"));
        assert_eq!(in_files("é"), None);
    }
}
