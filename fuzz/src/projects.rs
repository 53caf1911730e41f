//! What has to be true of any project on disk, whatever its files hold.
//!
//! The first line of a text says which file the rest of it is.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_core::Diagnostic;
use plimsoll_project::{Request, read};

const PASSWORD: &str = "zq-hunter2-zq";

const SCHEMA: &str = "datasource db {\n  provider = \"postgresql\"\n  url = env(\"DATABASE_URL\")\n}\n";
const SCHEMA_OF_SEVEN: &str = "datasource db {\n  provider = \"postgresql\"\n}\n";
const CONFIG: &str = "export default { datasource: { url: process.env.DATABASE_URL } }\n";

/// The files, by the word on the first line, each with a schema that has it read.
const FILES: [(&str, &str, &str); 5] = [
    ("schema", "prisma/schema.prisma", SCHEMA),
    ("config", "prisma.config.ts", SCHEMA_OF_SEVEN),
    ("package", "package.json", SCHEMA),
    ("env", ".env", SCHEMA),
    ("lock", "prisma/migrations/migration_lock.toml", SCHEMA),
];

/// Panics if a project with this file panics, or if reading it twice gives two results, or if what is said of it shows the
/// password in the environment.
pub fn check(text: &str) {
    let (word, content) = text.split_once('\n').unwrap_or(("schema", text));
    let Some((_, path, schema)) = FILES.iter().find(|(known, ..)| *known == word) else { return };
    let directory = tempfile::tempdir().expect("there is a place for temporary files");
    let write = |path: &str, content: &str| {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is below the project")).expect("it can be made");
        std::fs::write(path, content).expect("it can be written");
    };
    write("prisma/schema.prisma", schema);
    if *schema == SCHEMA_OF_SEVEN {
        write("prisma.config.ts", CONFIG);
    }
    write(path, content);
    let first = said(directory.path());
    assert_eq!(first, said(directory.path()), "the same files are read in two ways");
    assert!(content.contains(PASSWORD) || !first.contains(PASSWORD), "{first}");
}

fn said(directory: &Path) -> String {
    let url = format!("postgresql://app:{PASSWORD}@db/app");
    let environment = BTreeMap::from([("DATABASE_URL".to_owned(), url)]);
    match read(&Request::new(directory, environment)) {
        Ok(project) => format!("{project:?}"),
        Err(error) => shown(&error),
    }
}

fn shown(error: &Diagnostic) -> String {
    assert!(!error.message.is_empty(), "an error without a word");
    format!("{error} {error:?}")
}
