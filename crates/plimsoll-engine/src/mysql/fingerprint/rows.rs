//! Whether a table was emptied: `TRUNCATE` leaves its definition, the time of its creation and all else that everybody may
//! see as they were, and puts its rows into a new file. The number of that file is one fact.
//!
//! Others make new files as well (`OPTIMIZE TABLE`, `ALTER TABLE … FORCE`), and keep the rows: whether there are any is the other fact.
//! A table without rows may be emptied again. MySQL and MariaDB show the file to users with the privilege `PROCESS` only.

use plimsoll_core::script::mysql::{Flavour, Object};

use super::super::{MysqlSession, failure, sql};
use super::{MISSING, NOT_LOCKED};
use crate::error::Result;

/// The end of the fact of a table that holds no rows; the number of its file comes before it, if that can be told.
pub(in crate::mysql) const EMPTY: &str = "empty";

/// The end of the fact of one that holds some.
pub(in crate::mysql) const ROWS: &str = "rows";

/// The user may not see what was asked for.
const DENIED: [u16; 4] = [1142, 1143, 1227, 1044];

/// In which file a table of `InnoDB` keeps its rows, if that can be told, and whether there are any.
pub(super) async fn of(session: &mut MysqlSession, table: &Object) -> Result<String> {
    let any = any(session, table).await?;
    Ok(match file(session, table).await? {
        Some(file) => format!("{file} {any}"),
        None => any.to_owned(),
    })
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

async fn any(session: &mut MysqlSession, table: &Object) -> Result<&'static str> {
    let database = table.database.as_deref().unwrap_or(&session.database);
    let query = format!("SELECT 1 FROM {}.{} LIMIT 1", sql::name(database), sql::name(&table.name));
    match session.rows(&query).await {
        Ok(rows) if rows.is_empty() => Ok(EMPTY),
        Ok(_) => Ok(ROWS),
        Err(error) => match failure::number(&error) {
            // A table that is not there cannot be emptied either: the server will say so.
            Some(number) if MISSING.contains(&number) => Ok(EMPTY),
            Some(number) if number == NOT_LOCKED || DENIED.contains(&number) => Ok(ROWS),
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
