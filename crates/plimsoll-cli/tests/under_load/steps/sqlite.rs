//! Every call by which a run changes the files of a SQLite database.

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::kill::{CALLS, Call, Struck, killed_before};

use super::{Found, Tale, found, project, told, undisturbed};
use crate::story::deploy;

/// Transactions, a table that is made anew, and a statement that refuses a transaction.
const SQLITE: Tale = Tale {
    kind: Kind::Sqlite,
    counted: "1",
    least: 4,
    migrations: &[
        (
            "1_init",
            "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n\
                 CREATE TABLE log (what TEXT NOT NULL);\nINSERT INTO log VALUES ('init');\n",
        ),
        ("2_data", "UPDATE counter SET n = n + 1;\nINSERT INTO log VALUES ('data');\n"),
        (
            "3_redefine",
            "PRAGMA foreign_keys=OFF;\nCREATE TABLE new_log (what TEXT NOT NULL, at INTEGER);\n\
                 INSERT INTO new_log (what) SELECT what FROM log;\nDROP TABLE log;\nALTER TABLE new_log RENAME TO log;\n\
                 INSERT INTO log (what) VALUES ('redefine');\nPRAGMA foreign_keys=ON;\n",
        ),
        ("4_vacuum", "VACUUM;"),
    ],
};

/// Kills runs before every call of a kind; how many there are.
async fn killed_before_every(call: Call, expected: &Found) -> usize {
    for number in 1.. {
        let base = Kind::Sqlite.missing();
        let project = project(SQLITE, &base);
        let struck = killed_before(&base, deploy(&project), call, number);
        let (Struck::AtStep(first) | Struck::Never(first)) = &struck;
        let next = deploy(&project).run();
        let told = told(&(call, number), first, &next);
        assert_eq!(next.code(), Some(0), "{told}");
        assert_eq!(found(&base).await, *expected, "{told}");
        if let Struck::Never(undisturbed) = struck {
            undisturbed.expect_code(0);
            return number - 1;
        }
    }
    unreachable!("there are more calls than numbers")
}

#[tokio::test]
async fn a_runner_killed_before_any_change_of_a_sqlite_file_is_taken_up() {
    let expected = undisturbed(SQLITE).await;
    let mut kills = Vec::new();
    for call in CALLS {
        kills.push((call, killed_before_every(call, &expected).await));
    }
    let of = |call| kills.iter().find(|(it, _)| *it == call).map_or(0, |(_, kills)| *kills);
    // Each transaction has a journal, which is gone with its commit. The history has one of its own, and what refuses to be in
    // one has a started and a finished row.
    assert!(of(Call::OfSqlite("unlink")) >= SQLITE.migrations.len() + 3, "{kills:?}");
    assert!(of(Call::OfSqlite("pwrite64")) > 10 * SQLITE.migrations.len(), "{kills:?}");
    assert_eq!(of(Call::On("-plimsoll.lock", "unlink")), 1, "{kills:?}");
}
