//! A project with a few migrations, each of which counts, on a database to which something is about to happen.

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::Version;

/// The PostgreSQL that the installed `pg_dump` can dump.
pub(crate) const POSTGRES: Kind = Kind::Postgres(Version::V15);

/// What counts how often each migration was applied, and takes no part in anything else.
pub(crate) const INIT: &str = "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n";
/// A migration that is one transaction on every server.
pub(crate) const ONE: &str = "UPDATE counter SET n = n + 1;\n";
/// A project with migrations, whose commands get this URL.
pub(crate) fn project(kind: Kind, url: String, migrations: &[(&str, &str)]) -> Project {
    let project = Project::new(kind.provider()).env_url(url);
    for (name, script) in migrations {
        project.set_migration(name, script);
    }
    project
}

/// `plimsoll deploy` for a project.
pub(crate) fn deploy(project: &Project) -> Program {
    plimsoll(project).arg("deploy")
}

/// `plimsoll` started by a line of a shell, in which it and these words are `"$@"`.
pub(crate) fn by_shell(project: &Project, line: &str, words: &[&str]) -> Program {
    let shell = Program::new("sh", "/bin/sh".into(), project);
    shell.args(["-c", line, "sh", env!("CARGO_BIN_EXE_plimsoll")]).args(words)
}

/// Fails unless each of the words is in the text.
#[track_caller]
pub(crate) fn assert_says(text: &str, words: &[&str]) {
    // Long lines of a message are broken between words, behind a bar.
    let flat = text.replace(['│', '├', '╰', '╭'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(flat.contains(word), "`{word}` is missing in:\n{text}");
    }
}
