//! How long it takes to read a project whose files are in the system's cache.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use criterion::Criterion;
use plimsoll_project::{Request, read};

const SCHEMA: &str = "datasource db {\n  provider = \"postgresql\"\n  url = env(\"DATABASE_URL\")\n}\n";
/// Of an everyday length.
const SCRIPT: &str = "-- CreateTable\nCREATE TABLE \"Entry\" (\n    \"id\" INTEGER NOT NULL,\n    \"title\" TEXT NOT NULL,\n\
                      \x20   \"createdAt\" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,\n\n\
                      \x20   CONSTRAINT \"Entry_pkey\" PRIMARY KEY (\"id\")\n);\n\n\
                      -- CreateIndex\nCREATE UNIQUE INDEX \"Entry_title_key\" ON \"Entry\"(\"title\");\n";

fn main() -> io::Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    for migrations in [1, 1000] {
        let directory = tempfile::tempdir()?;
        project(directory.path(), migrations)?;
        let url = ("DATABASE_URL".to_owned(), "postgresql://localhost/entries".to_owned());
        let request = Request::new(directory.path(), BTreeMap::from([url]));
        assert_eq!(read(&request).map(|project| project.migrations.list().len()).ok(), Some(migrations));
        criterion.bench_function(&format!("reading/{migrations} migrations"), |bencher| {
            bencher.iter(|| read(&request));
        });
    }
    criterion.final_summary();
    Ok(())
}

fn project(directory: &Path, migrations: usize) -> io::Result<()> {
    let prisma = directory.join("prisma");
    for number in 0..migrations {
        let migration = prisma.join(format!("migrations/{}_entry", 20_240_101_000_000 + number as u64));
        std::fs::create_dir_all(&migration)?;
        std::fs::write(migration.join("migration.sql"), SCRIPT)?;
    }
    std::fs::write(prisma.join("schema.prisma"), SCHEMA)
}
