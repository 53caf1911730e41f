//! Where fuzzing begins: the scripts that other tests hold against real parsers, and what fuzzing has found.

#[path = "../../crates/plimsoll-engine/tests/mysql_statements/scripts.rs"]
mod of_mysql;
#[path = "../../oracle/tests/scripts/hard.rs"]
mod of_postgres;

use std::path::Path;

/// Panics unless what has to be true of any text is true of this one.
pub type Check = fn(&str);

/// The targets, each with the check that it runs.
pub const TARGETS: [(&str, Check); 7] = [
    ("postgres_splitter", crate::postgres),
    ("mysql_splitter", crate::mysql),
    ("sqlite_splitter", crate::sqlite),
    ("urls", crate::urls::check),
    ("histories", crate::histories::check),
    ("projects", crate::projects::check),
    ("manifests", crate::manifests::check),
];

/// The texts for a target; an error says which file could not be read.
pub fn of(target: &str) -> Result<Vec<String>, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let told = |error: std::io::Error| format!("{}: {error}", directory.display());
    let mut texts = written(target);
    for entry in directory.read_dir().map_err(told)? {
        texts.push(std::fs::read_to_string(entry.map_err(told)?.path()).map_err(told)?);
    }
    Ok(texts)
}

/// How many texts there are at least: fewer, and something is not read from where it was.
pub fn least(target: &str) -> usize {
    if target.ends_with("splitter") { 20 } else { 6 }
}

/// The scripts that stand in the code of other tests. SQLite has none of its own: it gets those of PostgreSQL.
fn written(target: &str) -> Vec<String> {
    use of_mysql::{BODIES, CLIENT, COMPOUND, MESSAGES, OF_8_0_15, OF_8_0_31, OF_MARIADB, OF_MYSQL};
    if target == "mysql_splitter" {
        let cases = [MESSAGES, BODIES, OF_MYSQL, OF_8_0_31, OF_8_0_15, OF_MARIADB, COMPOUND, CLIENT];
        cases.into_iter().flatten().map(|&(_, _, text): &of_mysql::Case| text.to_owned()).collect()
    } else if !target.ends_with("splitter") {
        Vec::new()
    } else {
        of_postgres::HARD.iter().map(|&text| text.to_owned()).collect()
    }
}
