//! A SQLite file on a volume that is full, or becomes so at any moment of a run.

use plimsoll_testkit::base::Kind;
use plimsoll_testkit::database::SqliteDatabase;
use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::transcript::Transcript;

use crate::scene::{INIT, ONE, assert_says, deploy, project};

/// Runs `"$@"` on a volume at `/mnt` with what is in a directory, and brings what came of it back.
const ON_A_VOLUME: &str = r#"
set -e
directory=$1 option=$2
shift 2
mount -t tmpfs -o size=64m none /mnt
cp "$directory"/* /mnt
mount --options "remount,$option" /mnt
"$@" && code=0 || code=$?
rm "$directory"/*
cp /mnt/* "$directory"
exit "$code"
"#;

/// Runs `plimsoll` on such a volume.
fn on_a_volume(project: &Project, database: &SqliteDatabase, option: &str, word: &str) -> Transcript {
    let directory = database.path().parent().expect("a file is in a directory");
    Program::new("unshare", "unshare".into(), project)
        .args(["--mount", "sh", "-c", ON_A_VOLUME, "sh"])
        .args([
            directory.as_os_str(),
            option.as_ref(),
            env!("CARGO_BIN_EXE_plimsoll").as_ref(),
            word.as_ref(),
        ])
        .env("DATABASE_URL", "file:/mnt/test.db")
        .run()
}

/// What a run needs in the end is found by giving it a little more each time.
fn room_is_found_bit_by_bit(journal: &str) {
    let database = SqliteDatabase::new();
    let wide = "CREATE TABLE cargo (what TEXT);\nINSERT INTO cargo WITH RECURSIVE r(n) AS \
                (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10) SELECT printf('%.5000c', 'x') FROM r;\n";
    let scripts =
        [("1_init", INIT), ("2_one", ONE), ("3_wide", wide), ("4_one", ONE), ("5_vacuum", "VACUUM;")];
    let project = project(Kind::Sqlite, database.url(), &scripts[..1]);
    deploy(&project).run().expect_code(0);
    database
        .connect()
        .query_row(&format!("PRAGMA journal_mode={journal}"), [], |_| Ok(()))
        .expect("it is ours");
    scripts[1..].iter().for_each(|(name, script)| project.set_migration(name, script));
    let mut full = 0;
    for pages in 4.. {
        let ended = on_a_volume(&project, &database, &format!("size={}k", pages * 4), "deploy");
        let history = database.history();
        assert!(
            history.iter().all(|row| row.finished_at.is_some() || row.migration_name == "5_vacuum"),
            "{ended}"
        );
        let ones = history.iter().filter(|row| row.migration_name.ends_with("_one")).count();
        assert_eq!(database.value("SELECT n FROM counter"), ones.to_string(), "{ended}");
        if ended.code() == Some(0) {
            break;
        }
        assert_says(&ended.expect_code(75).stderr, &["PLM212", "/mnt/test.db", "make room"]);
        full += 1;
    }
    assert!(full > 3, "there was too much room: {full}");
    assert_eq!(database.value("SELECT count(*) FROM cargo"), "10");
    assert_eq!(database.history().len(), scripts.len());
    assert_eq!(deploy(&project).run().expect_code(0).stdout, "up to date\n");
}

#[test]
fn a_volume_that_is_full_at_any_moment_leaves_each_migration_whole_or_undone() {
    room_is_found_bit_by_bit("DELETE");
}

#[test]
fn a_full_volume_leaves_each_migration_whole_or_undone_with_a_write_ahead_log() {
    room_is_found_bit_by_bit("WAL");
}

#[test]
fn a_read_only_volume_is_named_and_can_be_read() {
    let database = SqliteDatabase::new();
    let project = project(Kind::Sqlite, database.url(), &[("1_init", INIT)]);
    deploy(&project).run().expect_code(0);
    on_a_volume(&project, &database, "ro", "deploy").expect_code(0);
    project.set_migration("2_one", ONE);
    let refused = on_a_volume(&project, &database, "ro", "deploy").expect_code(77);
    assert_says(&refused.stderr, &["PLM207", "/mnt/test.db", "read-only"]);
    on_a_volume(&project, &database, "ro", "status").expect_code(1);
    deploy(&project).run().expect_code(0);
}
