//! What each peer finds in its project: under a wrong name it would find nothing to apply, and be the fastest of all.

use std::path::Path;

use super::all;
use crate::peer::{Kind, Migration, Peer, Target, Tools};

fn two() -> Vec<Migration> {
    let sql = ["CREATE TABLE a (id integer);\nCREATE INDEX i ON a (id);", "ALTER TABLE a ADD COLUMN t text;"];
    let names = ["first", "second_one"];
    (1..).zip(names.iter().zip(sql)).map(|(number, (name, sql))| migration(number, name, sql)).collect()
}

fn migration(number: u32, name: &str, sql: &str) -> Migration {
    Migration { number, name: name.to_owned(), sql: sql.to_owned() }
}

/// Every file with its text.
fn written(peer: &dyn Peer, migrations: &[Migration]) -> Vec<(String, String)> {
    let project = tempfile::tempdir().unwrap();
    peer.write(project.path(), migrations, Kind::Postgres).unwrap();
    let mut files = Vec::new();
    read(project.path(), "", &mut files);
    files.sort();
    files
}

fn read(directory: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push((name, std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

/// For each peer what it calls the second migration, what stands before its SQL and what behind it.
const SECOND: [(&str, &str, &str, &str); 11] = [
    ("goose", "migrations/00002_second_one.sql", "-- +goose Up\n", "\n\n-- +goose Down\nSELECT 1;\n"),
    ("golang-migrate", "migrations/00002_second_one.up.sql", "", ""),
    ("tern", "migrations/00002_second_one.sql", "", "\n\n---- create above / drop below ----\n\nSELECT 1;\n"),
    ("sqlx", "migrations/00002_second_one.sql", "", ""),
    ("dbmate", "migrations/00002_second_one.sql", "-- migrate:up\n", "\n\n-- migrate:down\n"),
    ("prisma", "prisma/migrations/20240101000002_second_one/migration.sql", "", ""),
    (
        "node-pg-migrate",
        "migrations/1700000000002_second_one.sql",
        "-- Up Migration\n",
        "\n\n-- Down Migration\n",
    ),
    ("refinery", "migrations/V2__second_one.sql", "", ""),
    (
        "alembic",
        "migrations/versions/00002_second_one.py",
        "from alembic import op\n\nrevision = \"00002\"\ndown_revision = \"00001\"\n\n\ndef upgrade():\n    \
         op.execute(\"\"\"",
        "\"\"\")\n\n\ndef downgrade():\n    pass\n",
    ),
    ("flyway", "migrations/V2__second_one.sql", "", ""),
    ("liquibase", "changes/00002_second_one.sql", "--liquibase formatted sql\n\n--changeset bench:2\n", "\n"),
];

#[test]
fn each_peer_gets_the_same_sql_under_the_name_that_it_looks_for() {
    assert_eq!(all().len(), SECOND.len());
    for (peer, (name, path, before, behind)) in all().iter().zip(SECOND) {
        assert_eq!(peer.name(), name);
        let files = written(peer.as_ref(), &two());
        let text = files.iter().find(|(file, _)| file == path).map(|(_, text)| text.as_str());
        let expected = format!("{before}{}{behind}", two()[1].sql);
        assert_eq!(text, Some(expected.as_str()), "{name} has {files:#?}");
        let holders = files.iter().filter(|(_, text)| text.contains(" TABLE a ")).count();
        assert_eq!(holders, 2, "{name}: a file for each migration");
    }
}

#[test]
fn what_stands_beside_the_migrations_is_written_too() {
    let beside = |name: &str| -> Vec<String> {
        let peer = all().into_iter().find(|peer| peer.name() == name).unwrap();
        let files = written(peer.as_ref(), &two());
        files.into_iter().filter(|(_, text)| !text.contains(" TABLE a ")).map(|(file, _)| file).collect()
    };
    assert_eq!(beside("prisma"), ["prisma/migrations/migration_lock.toml", "prisma/schema.prisma"]);
    assert_eq!(beside("alembic"), ["alembic.ini", "migrations/env.py"]);
    assert_eq!(beside("liquibase"), ["changelog.xml"]);
}

#[test]
fn a_project_without_migrations_has_a_directory_for_them() {
    for peer in all() {
        let project = tempfile::tempdir().unwrap();
        peer.write(project.path(), &[], Kind::Postgres).unwrap();
        let (_, path, ..) = SECOND.iter().find(|(name, ..)| *name == peer.name()).unwrap();
        let directory =
            if peer.name() == "prisma" { "prisma/migrations" } else { path.rsplit_once('/').unwrap().0 };
        assert!(project.path().join(directory).is_dir(), "{}", peer.name());
    }
}

#[test]
fn names_are_in_the_order_of_their_numbers_up_to_ten_thousand() {
    let some: Vec<_> =
        [9, 10, 99, 100, 9_999, 10_000].map(|number| migration(number, "x", "SELECT 1;")).into();
    // These two compare numbers, and not texts.
    for peer in all().iter().filter(|peer| !["flyway", "refinery"].contains(&peer.name())) {
        let files = written(peer.as_ref(), &some);
        let numbers: Vec<u32> = files
            .iter()
            .filter(|(_, text)| text.contains("SELECT 1;"))
            .map(|(file, _)| number_in(file, &some))
            .collect();
        assert!(numbers.is_sorted() && numbers.len() == some.len(), "{}: {numbers:?}", peer.name());
    }
}

/// Which of these the digits of a path end with.
fn number_in(file: &str, migrations: &[Migration]) -> u32 {
    let digits: String = file.chars().filter(char::is_ascii_digit).collect();
    let fits = |migration: &&Migration| digits.ends_with(&format!("{:05}", migration.number));
    migrations.iter().find(fits).unwrap_or_else(|| panic!("{file} has no number of these")).number
}

fn target(kind: Kind, authority: Option<&str>) -> Target {
    Target::Server {
        kind,
        host: "db.test".to_owned(),
        port: 4321,
        user: "someone".to_owned(),
        password: "hush".to_owned(),
        database: "plimsoll_x".to_owned(),
        authority: authority.map(Into::into),
    }
}

/// Everything that a command is told: arguments and variables.
fn told(peer: &dyn Peer, target: &Target) -> String {
    let tools = Tools { directory: "/tools".into() };
    let command = peer.deploy(&tools, Path::new("/project"), target);
    assert_eq!(command.get_current_dir(), Some(Path::new("/project")), "{}", peer.name());
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    let variables = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
    });
    arguments.chain(variables).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_peer_is_led_to_the_database() {
    for peer in all() {
        for &kind in peer.kinds() {
            let (target, place) = match kind {
                Kind::Sqlite => (Target::File("/data/it.db".into()), "/data/it.db"),
                server => (target(server, None), "4321"),
            };
            let told = told(peer.as_ref(), &target);
            assert!(told.contains(place), "{} {kind:?}: {told}", peer.name());
            let named = kind == Kind::Sqlite || (told.contains("plimsoll_x") && told.contains("hush"));
            assert!(named, "{} {kind:?}: {told}", peer.name());
        }
    }
}

#[test]
fn without_an_authority_nobody_encrypts_and_with_one_everybody_verifies() {
    for peer in all() {
        let plain = told(peer.as_ref(), &target(Kind::Postgres, None));
        assert!(plain.contains("sslmode=disable"), "{}: {plain}", peer.name());
        let verified = told(peer.as_ref(), &target(Kind::Postgres, Some("/ca.pem")));
        let strict = verified.contains("verify-full") || verified.contains("SSL_CERT_FILE=/ca.pem");
        assert!(strict && verified.contains("/ca.pem"), "{}: {verified}", peer.name());
    }
}
