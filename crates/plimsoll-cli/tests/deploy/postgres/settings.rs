//! What a script changes of its session does not leak into the next one, nor keep the history from being written.

use plimsoll_testkit::server::Version;

use crate::scene::{Kind, Scene};

/// Looks at its session, in a table that has its schema in its name.
const LOOK: &str = "CREATE TABLE public.seen AS SELECT current_user::text AS who, session_user::text AS session, \
                    current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout, \
                    current_setting('lock_timeout') AS lock, current_setting('standard_conforming_strings') AS strings, \
                    current_setting('check_function_bodies') AS bodies, 'a\\b'::text AS text;\n\
                    CREATE TABLE unqualified (name TEXT);";

async fn nothing_leaks(version: Version, script: &str) {
    let scene =
        Scene::new(Kind::Postgres(version)).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    let scene = scene.migration("2_changes", script).migration("3_look", LOOK);
    scene.deployed();
    assert_eq!(scene.applied().await, ["1_init", "2_changes", "3_look"], "{script}");
    let seen = scene.base.query("SELECT * FROM public.seen").await.remove(0);
    let seen: Vec<String> = seen.into_iter().map(Option::unwrap_or_default).collect();
    assert_eq!(
        seen,
        ["postgres", "postgres", "\"$user\", public", "0", "5s", "on", "on", "a\\b"],
        "{script}"
    );
    assert_eq!(scene.deployed().stdout, "up to date\n");
}

#[tokio::test]
async fn settings_do_not_leak() {
    for script in [
        "SET search_path = ''; CREATE TABLE public.x (a INT);",
        "SELECT pg_catalog.set_config('search_path', '', false);",
        "CREATE SCHEMA elsewhere; SET search_path = elsewhere;",
        "SET ROLE plain;",
        "SET SESSION AUTHORIZATION plain;",
        "SET statement_timeout = '1h'; SET lock_timeout = '1h'; SET idle_in_transaction_session_timeout = '1h';",
        "SET standard_conforming_strings = off;",
        "SET check_function_bodies = off; SET client_min_messages = error;",
        "SET default_transaction_read_only = on;",
        "SET TIME ZONE 'Europe/Berlin'; SET DateStyle = 'German'; SET client_encoding = 'SQL_ASCII';",
        "BEGIN; SET search_path = ''; SET ROLE plain; COMMIT;",
        "BEGIN; SET LOCAL search_path = ''; COMMIT; BEGIN; SET ROLE plain; COMMIT;",
        "PREPARE p AS SELECT 1; DECLARE c CURSOR WITH HOLD FOR SELECT 1; LISTEN n; CREATE TEMP TABLE t (a INT);",
    ] {
        nothing_leaks(Version::V15, script).await;
    }
}

#[tokio::test]
async fn a_whole_dump_as_a_migration_does_not_leak_on_any_version() {
    let script = "SET statement_timeout = 0;\nSET lock_timeout = 0;\nSET client_encoding = 'UTF8';\n\
                  SET standard_conforming_strings = on;\nSELECT pg_catalog.set_config('search_path', '', false);\n\
                  SET check_function_bodies = false;\nSET row_security = off;\nSET default_tablespace = '';\n\
                  CREATE TABLE public.dumped (a integer);\n";
    for version in Version::ALL {
        nothing_leaks(version, script).await;
    }
}

/// What runs outside of a transaction leaks just as little.
#[tokio::test]
async fn the_last_script_leaks_nothing_either() {
    let scene =
        Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", "CREATE TABLE ship (name TEXT);");
    let scene = scene.migration("2_role", "SET ROLE plain; SET search_path = '';");
    scene.project.set_migration("3_index", "CREATE INDEX CONCURRENTLY i ON ship (name);");
    scene.project.set_migration("4_block", "DO $$ BEGIN SET search_path = ''; COMMIT; END $$;");
    scene.project.set_migration("5_look", LOOK);
    scene.deployed();
    assert_eq!(scene.applied().await.len(), 5);
}
