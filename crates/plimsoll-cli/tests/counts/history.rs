//! The projects whose databases are up to date.

use plimsoll_core::Provider;
use plimsoll_testkit::project::Project;

/// A project with this many migrations of an everyday length.
///
/// Each takes back what it does: how long a database reads its own schema is not ours to count.
pub(crate) fn of(provider: Provider, migrations: u64) -> Project {
    let project = Project::new(provider);
    for number in 0..migrations {
        project.set_migration(&format!("{}_entry_{number:04}", 20_240_101_000_000 + number), &script(number));
    }
    project
}

fn script(number: u64) -> String {
    format!(
        "-- CreateTable
CREATE TABLE \"Entry{number}\" (
    \"id\" INTEGER NOT NULL,
    \"title\" TEXT NOT NULL,
    \"createdAt\" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT \"Entry{number}_pkey\" PRIMARY KEY (\"id\")
);

-- CreateIndex
CREATE UNIQUE INDEX \"Entry{number}_title_key\" ON \"Entry{number}\"(\"title\");

-- DropTable
DROP TABLE \"Entry{number}\";
"
    )
}
