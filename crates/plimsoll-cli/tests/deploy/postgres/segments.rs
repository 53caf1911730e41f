//! Scripts that cannot be one transaction: they are run in segments, each of which is recorded.

use plimsoll_testkit::server::Version;

use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";

pub(super) async fn with_ship(version: Version) -> Scene {
    let scene = Scene::new(Kind::Postgres(version)).await.migration("1_init", INIT);
    scene.deployed();
    scene
}

pub(super) async fn ships(scene: &Scene) -> String {
    scene.base.value("SELECT string_agg(name, ' ' ORDER BY name) FROM ship").await
}

/// The last row as Prisma writes a finished one.
pub(super) async fn assert_finished(scene: &Scene, script: &str) {
    let rows = scene.base.history().await;
    let last = rows.last().expect("there are rows");
    assert_eq!((last.logs.as_deref(), last.applied_steps_count.as_str()), (None, "1"), "{script}");
    assert!(last.finished_at.is_some() && last.rolled_back_at.is_none(), "{script}");
    assert_eq!(scene.deployed().stdout, "up to date\n", "{script}");
}

#[tokio::test]
async fn what_refuses_a_transaction_runs_between_other_statements() {
    for version in Version::ALL {
        for script in [
            "INSERT INTO ship VALUES ('Beagle');\nCREATE INDEX CONCURRENTLY i ON ship (name);\nINSERT INTO ship VALUES ('Cutty');",
            "VACUUM ship;\nINSERT INTO ship VALUES ('Beagle'), ('Cutty');",
            "INSERT INTO ship VALUES ('Beagle');\nINSERT INTO ship VALUES ('Cutty');\nVACUUM (ANALYZE) ship",
            "BEGIN;\nINSERT INTO ship VALUES ('Beagle');\nCOMMIT;\nVACUUM;\nBEGIN;\nINSERT INTO ship VALUES ('Cutty');\nCOMMIT;",
            "CREATE INDEX CONCURRENTLY a ON ship (name);\nDROP INDEX CONCURRENTLY a;\n-- remark\nINSERT INTO ship VALUES ('Beagle'), ('Cutty');",
            "INSERT INTO ship VALUES ('Beagle');\nREINDEX TABLE CONCURRENTLY ship;\nALTER SYSTEM RESET work_mem;\nINSERT INTO ship VALUES ('Cutty');",
            "BEGIN;\nSET LOCAL search_path = pg_temp;\nCREATE TABLE ship (name TEXT);\nCOMMIT;\nINSERT INTO public.ship VALUES ('Beagle'), ('Cutty');",
        ] {
            let scene = with_ship(version).await.migration("2_mixed", script);
            scene.deployed();
            assert_eq!(
                scene.base.value("SELECT string_agg(name, ' ' ORDER BY name) FROM public.ship").await,
                "Ark Beagle Cutty",
                "{script}"
            );
            assert_finished(&scene, script).await;
        }
    }
}

/// What fails in the first segment leaves nothing: the next start tries again by itself.
#[tokio::test]
async fn a_failure_in_the_first_segment_needs_nobody() {
    let script = "INSERT INTO ship VALUES ('Beagle');\nSELECT nope;\nVACUUM ship;\n";
    let scene = with_ship(Version::V15).await.migration("2_mixed", script);
    for _ in 0..2 {
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3018", "2_mixed/migration.sql:2:8"]);
        assert_eq!(ships(&scene).await, "Ark");
        assert_eq!(scene.base.history().await.len(), 2);
    }
    scene.project.set_migration("2_mixed", &script.replace("nope", "1"));
    scene.deployed();
    assert_eq!(ships(&scene).await, "Ark Beagle");
}

#[tokio::test]
async fn a_failure_in_a_later_segment_says_what_is_done_and_waits_for_a_person() {
    let script = "INSERT INTO ship VALUES ('Beagle');\nCREATE INDEX CONCURRENTLY i ON ship (name);\n\
                  INSERT INTO ship VALUES ('Cutty');\nSELECT nope;\n";
    for version in Version::ALL {
        let scene = with_ship(version).await.migration("2_mixed", script);
        let failed = scene.run(&["deploy"]).expect_code(65);
        let place = "2_mixed/migration.sql:4:8";
        assert_says(&failed.stderr, &["P3018", place, "2 of its 4 statements are done", "--resume 2_mixed"]);
        assert_eq!(ships(&scene).await, "Ark Beagle", "the failing segment is a transaction");
        assert_eq!(scene.base.history().await[1].applied_steps_count, "2");
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "2_mixed", "nope"]);
        scene.base.execute("DROP INDEX i; DELETE FROM ship WHERE name = 'Beagle'").await;
        scene.run(&["resolve", "--rolled-back", "2_mixed"]).expect_code(0);
        scene.project.set_migration("2_mixed", &script.replace("nope", "1"));
        scene.deployed();
        assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
    }
}

#[tokio::test]
async fn an_enum_value_that_is_used_at_once_is_committed_before() {
    let script = "ALTER TYPE rank ADD VALUE 'captain';\nINSERT INTO sailor VALUES ('captain');\n";
    let init = "CREATE TYPE rank AS ENUM ('mate');\nCREATE TABLE sailor (rank rank);";
    for version in Version::ALL {
        let scene = Scene::new(Kind::Postgres(version)).await.migration("1_init", init);
        let scene = scene.migration("2_captain", script);
        let said = scene.deployed().stderr;
        assert_says(&said, &["`2_captain` cannot be one transaction (unsafe use of new value"]);
        assert_eq!(scene.base.value("SELECT count(*) FROM sailor").await, "1");
        assert_finished(&scene, script).await;
    }
}

#[tokio::test]
async fn an_enum_value_that_is_used_in_the_same_segment_is_committed_before() {
    let script = "VACUUM;\nALTER TYPE rank ADD VALUE 'captain';\nINSERT INTO sailor VALUES ('captain');\n";
    let scene = Scene::new(Kind::Postgres(Version::V15)).await;
    let scene =
        scene.migration("1_init", "CREATE TYPE rank AS ENUM ('mate');\nCREATE TABLE sailor (rank rank);");
    let scene = scene.migration("2_captain", script);
    assert_says(&scene.deployed().stderr, &["statement by statement"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM sailor").await, "1");
    assert_finished(&scene, script).await;
}

#[tokio::test]
async fn a_call_that_commits_runs_outside_of_a_transaction() {
    let procedure = "CREATE PROCEDURE load() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ship VALUES ('Beagle'); COMMIT; \
                     INSERT INTO ship VALUES ('Cutty'); COMMIT; END $$;";
    for version in Version::ALL {
        let scene = with_ship(version).await.migration("2_procedure", procedure);
        let script =
            "INSERT INTO ship VALUES ('Dart');\nCALL load();\nINSERT INTO ship VALUES ('Endurance');";
        let scene = scene.migration("3_call", script);
        assert_says(&scene.deployed().stderr, &["`3_call` cannot be one transaction"]);
        assert_eq!(ships(&scene).await, "Ark Beagle Cutty Dart Endurance");
        assert_finished(&scene, script).await;
    }
}

/// Whoever does as told must not have twice what it had committed.
#[tokio::test]
async fn what_commits_and_then_fails_is_not_called_undone() {
    let commits = "BEGIN INSERT INTO ship VALUES ('Beagle'); COMMIT; RAISE 'enough'; END";
    for (script, statement) in [
        (format!("DO $$ {commits} $$;"), 1),
        ("INSERT INTO ship VALUES ('Cutty');\nCALL load();\nSELECT 1;".to_owned(), 2),
    ] {
        let scene = with_ship(Version::V15).await;
        scene.base.execute(&format!("CREATE PROCEDURE load() LANGUAGE plpgsql AS $$ {commits} $$")).await;
        let scene = scene.migration("2_half", &script);
        let look = format!("look at whether statement {statement} is in the database");
        let part = format!("part of statement {statement} may be committed");
        for code in ["P3018", "P3009", "P3009"] {
            let said = scene.run(&["deploy"]).expect_code(65).stderr;
            assert_says(&said, &[code, "enough", &part, &look, "sends it again", "--resume 2_half"]);
            assert!(!said.contains("remove what stood"), "{said}");
        }
        assert_says(&scene.run(&["status"]).expect_code(1).stdout, &[&part, &look]);
        scene.run(&["resolve", "--resume", "2_half"]).expect_code(0);
        assert_says(&scene.run(&["status"]).expect_code(1).stdout, &["under way 2_half"]);
    }
}

/// The server says so only when it meets it: `REINDEX` of a partitioned table looks like any other.
#[tokio::test]
async fn what_only_the_server_knows_to_refuse_a_transaction_runs_outside_of_one() {
    let init = "CREATE TABLE log (day INT) PARTITION BY LIST (day);\nCREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1);\n\
                CREATE INDEX log_day ON log (day);";
    let script = "INSERT INTO log VALUES (1);\nREINDEX TABLE log;\nINSERT INTO log VALUES (1);";
    for version in [Version::V15, Version::V18] {
        let scene = Scene::new(Kind::Postgres(version)).await.migration("1_init", init);
        let scene = scene.migration("2_reindex", script);
        scene.deployed();
        assert_eq!(scene.base.value("SELECT count(*) FROM log").await, "2");
        assert_finished(&scene, script).await;
    }
}

#[tokio::test]
async fn settings_and_the_role_of_a_script_hold_until_its_end_and_no_longer() {
    let role = plimsoll_testkit::server::Role::Plain.name();
    let script = format!(
        "CREATE SCHEMA yard;\nGRANT ALL ON SCHEMA yard TO \"{role}\";\nSET search_path = yard;\nSET ROLE \"{role}\";\n\
         CREATE TABLE hull (n INT);\nCREATE INDEX CONCURRENTLY hull_n ON hull (n);\nINSERT INTO hull VALUES (1);"
    );
    for version in Version::ALL {
        let scene = with_ship(version).await.migration("2_yard", &script);
        let scene = scene.migration("3_next", "INSERT INTO ship SELECT current_user || current_schema();");
        scene.deployed();
        let owner = "SELECT tableowner FROM pg_tables WHERE schemaname = 'yard' AND tablename = 'hull'";
        assert_eq!(scene.base.value(owner).await, role);
        assert_eq!(scene.base.value("SELECT count(*) FROM yard.hull").await, "1");
        assert!(!ships(&scene).await.contains(role) && ships(&scene).await.contains("public"));
    }
}

#[tokio::test]
async fn things_of_the_session_last_from_one_segment_to_the_next() {
    let script = "CREATE TEMP TABLE old AS SELECT * FROM ship;\nPREPARE again AS INSERT INTO ship SELECT name || '2' FROM old;\n\
                  VACUUM ship;\nEXECUTE again;";
    let scene = with_ship(Version::V15).await.migration("2_session", script);
    scene.deployed();
    assert_eq!(ships(&scene).await, "Ark Ark2");
}

/// The script ends before its last line does, and there are no statements in it that could hide.
#[tokio::test]
async fn what_does_not_end_is_refused_before_anything_is_done() {
    let script = "INSERT INTO ship VALUES ('Beagle');\nVACUUM ship;\nINSERT INTO ship VALUES ('Cutty);\n";
    let scene = with_ship(Version::V15).await.migration("2_mixed", script);
    let refused = scene.run(&["deploy"]).expect_code(65).stderr;
    assert_says(&refused, &["P3018", "2_mixed/migration.sql:3:26", "does not end"]);
    assert_eq!(ships(&scene).await, "Ark");
    assert_eq!(scene.base.history().await.len(), 1);
}

#[tokio::test]
async fn a_script_is_not_cut_where_strings_may_end_elsewhere() {
    let script = "INSERT INTO ship VALUES ('\\\\');\nVACUUM ship;\n";
    let scene = with_ship(Version::V15).await.migration("2_mixed", script);
    let name = scene.postgres().name().to_owned();
    scene.base.execute(&format!("ALTER DATABASE \"{name}\" SET standard_conforming_strings = off")).await;
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["PLM201", "standard_conforming_strings"]);
    assert_eq!(scene.base.history().await.len(), 1);
    let same = "-- keeps \\d only\nINSERT INTO ship VALUES (E'\\';VACUUM;'), ($$\\$$);\nVACUUM ship;\n";
    scene.project.set_migration("2_mixed", same);
    scene.deployed();
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "3");
}

/// They run where the script left its settings, not where the history is written.
#[tokio::test]
async fn deferred_triggers_run_under_the_settings_of_the_script() {
    let trigger = "CREATE TABLE log (name TEXT);\n\
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.name); RETURN NULL; END $$;\n\
        CREATE CONSTRAINT TRIGGER noted AFTER INSERT ON ship DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();";
    for version in Version::ALL {
        let scene = with_ship(version).await;
        scene.base.execute(trigger).await;
        let script = "INSERT INTO ship VALUES ('Beagle');\nCREATE INDEX CONCURRENTLY i ON ship (name);\nINSERT INTO ship VALUES ('Cutty');";
        let scene = scene.migration("2_mixed", script);
        scene.deployed();
        assert_eq!(
            scene.base.value("SELECT string_agg(name, ' ' ORDER BY name) FROM log").await,
            "Beagle Cutty"
        );
        assert_finished(&scene, script).await;
    }
}

/// A script that is one transaction ends in it as well: its own schema is in its search path until then.
#[tokio::test]
async fn deferred_triggers_of_one_transaction_run_under_the_settings_of_the_script() {
    let trigger = "CREATE SCHEMA yard; CREATE TABLE yard.log (name TEXT);\n\
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.name); RETURN NULL; END $$;\n\
        CREATE CONSTRAINT TRIGGER noted AFTER INSERT ON ship DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();";
    for version in Version::ALL {
        let scene = with_ship(version).await;
        scene.base.execute(trigger).await;
        let script = "SET search_path TO yard, public;\nINSERT INTO ship VALUES ('Beagle');\n-- no semicolon\n\
                      INSERT INTO ship VALUES ('Cutty')";
        let scene = scene.migration("2_yard", script);
        scene.deployed();
        let noted = "SELECT string_agg(name, ' ' ORDER BY name) FROM yard.log";
        assert_eq!(scene.base.value(noted).await, "Beagle Cutty");
        assert_finished(&scene, script).await;
    }
}
