//! Statements outside of any transaction: what may have been committed is not sent again unasked, and what is recorded as done
//! can be used.

use plimsoll_testkit::server::{Role, Version};

use super::segments::{assert_finished, ships, with_ship};
use crate::scene::{Scene, assert_says, until_true};

/// A procedure that commits a ship, and does this behind it.
fn procedure(behind: &str) -> String {
    format!(
        "CREATE PROCEDURE load() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ship VALUES ('Dart'); COMMIT; {behind} END $$;"
    )
}

/// The row of the last migration waits for a person, and the next start sends nothing.
async fn waits_for_a_person(scene: &Scene, ships_are: &str) {
    let rows = scene.base.history().await;
    let last = rows.last().expect("there are rows");
    assert!(last.finished_at.is_none() && last.rolled_back_at.is_none(), "{last:?}");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "3_call"]);
    assert_eq!(ships(scene).await, ships_are);
}

/// Also if it fails with what is tried again elsewhere: a deadlock, a lock that does not come in time.
#[tokio::test]
async fn a_call_that_committed_a_part_and_failed_is_never_sent_again_unasked() {
    for version in Version::ALL {
        for code in ["40P01", "55P03", "P0001"] {
            let raises = procedure(&format!("RAISE EXCEPTION 'no port' USING ERRCODE = '{code}';"));
            for (before, left) in
                [("", "Ark Dart"), ("INSERT INTO ship VALUES ('Beagle');\n", "Ark Beagle Dart")]
            {
                let script = format!("{before}CALL load();\nINSERT INTO ship VALUES ('Cutty');\n");
                let scene = with_ship(version).await.migration("2_procedure", &raises);
                let scene = scene.migration("3_call", &script);
                assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["no port", "--resume 3_call"]);
                assert_eq!(ships(&scene).await, left, "{code}: {script}");
                waits_for_a_person(&scene, left).await;
            }
        }
    }
}

/// The second time it would commit nothing, and so could be run as a transaction.
#[tokio::test]
async fn a_call_that_was_under_way_is_asked_for_although_the_server_would_take_it_in_a_transaction() {
    const STUCK: &str = "FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted \
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let procedure = "CREATE PROCEDURE load() LANGUAGE plpgsql AS $$ BEGIN \
        IF EXISTS (SELECT FROM ship WHERE name = 'Dart') THEN INSERT INTO ship VALUES ('Dart'); \
        ELSE INSERT INTO ship VALUES ('Dart'); COMMIT; PERFORM pg_advisory_lock(4711); END IF; END $$;";
    for version in Version::ALL {
        let scene = with_ship(version).await.migration("2_procedure", procedure);
        let scene =
            scene.migration("3_call", "VACUUM ship;\nCALL load();\nINSERT INTO ship VALUES ('Cutty');\n");
        let gate = scene.postgres().connect().await;
        gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
        let mut running = scene.command(&["deploy"]).spawn();
        until_true(scene.postgres(), &format!("SELECT count(*) > 0 {STUCK}")).await;
        running.kill();
        let _killed = running.wait();
        scene.base.execute(&format!("SELECT pg_terminate_backend(pid) {STUCK}")).await;
        let stopped = scene.run(&["deploy"]).expect_code(65);
        assert_says(&stopped.stderr, &["PLM221", "nobody can say", "3_call/migration.sql:2:1"]);
        waits_for_a_person(&scene, "Ark Dart").await;
    }
}

/// `IF NOT EXISTS` is content with an index that cannot be used, and that nobody builds any more.
#[tokio::test]
async fn an_invalid_index_that_appears_while_the_statement_waits_is_not_taken_for_the_one_it_builds() {
    const SCRIPT: &str = "INSERT INTO ship VALUES ('Beagle');\n\
                          CREATE INDEX CONCURRENTLY IF NOT EXISTS ship_name ON ship (name);\n";
    const WAITS: &str = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() \
                         AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'";
    for version in Version::ALL {
        let scene = with_ship(version).await.migration("2_mixed", SCRIPT);
        let other = scene.postgres().connect().await;
        let locks = "BEGIN; LOCK TABLE ship IN SHARE UPDATE EXCLUSIVE MODE";
        other.batch_execute(locks).await.expect("nobody else has it");
        let running = scene.command(&["deploy"]).spawn();
        until_true(scene.postgres(), WAITS).await;
        let makes = "CREATE INDEX ship_name ON ship (name); \
                     UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ship_name'::regclass; COMMIT";
        other.batch_execute(makes).await.expect("the table is there");
        running.wait().expect_code(0);
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ship_name'::regclass";
        assert_eq!(scene.base.value(valid).await, "t");
        assert_finished(&scene, SCRIPT).await;
    }
}

#[tokio::test]
async fn a_transaction_among_others_is_of_the_kind_that_its_script_wants() {
    let script = "VACUUM ship;\nBEGIN;\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\n\
                  INSERT INTO ship SELECT current_setting('transaction_isolation');\nCOMMIT;\n";
    for version in Version::ALL {
        let scene = with_ship(version).await.migration("2_mixed", script);
        scene.deployed();
        assert_eq!(ships(&scene).await, "Ark serializable");
        assert_finished(&scene, script).await;
    }
}

/// Whom the script has become need not be allowed to write the history.
#[tokio::test]
async fn the_history_is_written_as_ourselves_whoever_a_script_says_it_is() {
    let role = Role::Plain.name();
    let script = format!(
        "GRANT ALL ON ship TO \"{role}\";\nSET SESSION AUTHORIZATION \"{role}\";\nVACUUM;\n\
         INSERT INTO ship SELECT session_user;\nVACUUM;\nINSERT INTO ship VALUES ('Cutty');\n"
    );
    for version in Version::ALL {
        let scene = with_ship(version).await.migration("2_mixed", &script);
        scene.deployed();
        assert_eq!(ships(&scene).await, format!("Ark Cutty {role}"));
        assert_finished(&scene, &script).await;
    }
}
