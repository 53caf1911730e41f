//! Attempts that were left in the middle: the next runner carries on at the statement that is not done.

use plimsoll_core::Script;
use plimsoll_core::history::{Attempt, Done, Progress, UnderWay};
use plimsoll_core::script::postgres::texts;
use plimsoll_testkit::server::Version;

use super::segments::{assert_finished, ships, with_ship};
use crate::scene::{Scene, assert_says, until_true};

/// What a runner leaves that was killed when `done` statements of its script were done, and before the next one was
/// recorded; `before` is what it found before that one, if it may have sent it.
async fn left(scene: &Scene, script: &str, done: usize, before: Option<&[(&str, &str)]>) {
    let statements = texts(script);
    let fact = |(name, fact): &(&str, &str)| ((*name).to_owned(), (*fact).to_owned());
    let under_way = before.map(|before| UnderWay { before: before.iter().map(fact).collect() });
    let done_first = Done::of(statements[..done].iter().map(AsRef::as_ref));
    let progress = Progress { done: done_first, under_way, ..Progress::new(Attempt::Running, "x") };
    let checksum = Script::new(script).checksum();
    let columns = "id, checksum, migration_name, applied_steps_count, logs";
    scene
        .base
        .execute(&format!(
            "INSERT INTO _prisma_migrations ({columns}) VALUES ('left', '{checksum}', '2_mixed', {done}, '{}')",
            progress.running_log()
        ))
        .await;
}

/// A script whose first statement a dead runner has done.
pub(super) async fn begun(version: Version, rest: &str, before: Option<&[(&str, &str)]>) -> Scene {
    let script = format!("INSERT INTO ship VALUES ('Beagle');\n{rest}");
    let scene = with_ship(version).await.migration("2_mixed", &script);
    scene.base.execute("INSERT INTO ship VALUES ('Beagle')").await;
    left(&scene, &script, 1, before).await;
    scene
}

pub(super) const INDEX: &str =
    "CREATE INDEX CONCURRENTLY ship_name ON ship (name);\nINSERT INTO ship VALUES ('Cutty');";
const VALID: &str = "SELECT string_agg(indexrelid::regclass || ' ' || indisvalid, ' ') FROM pg_index \
                     WHERE indrelid = 'ship'::regclass";

/// Makes an index invalid as an interrupted statement leaves it.
pub(super) async fn invalid(scene: &Scene, index: &str) {
    scene
        .base
        .execute(&format!("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass"))
        .await;
}

#[tokio::test]
async fn a_runner_that_is_killed_while_an_index_is_built_is_carried_on() {
    for version in Version::ALL {
        let script = format!("INSERT INTO ship VALUES ('Beagle');\n{INDEX}");
        let scene = with_ship(version).await.migration("2_mixed", &script);
        let blocker = scene.postgres().connect().await;
        blocker.batch_execute("BEGIN; INSERT INTO ship VALUES ('Dart')").await.expect("the table is there");
        let mut running = scene.command(&["deploy"]).spawn();
        let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() \
                     AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'";
        until_true(scene.postgres(), waits).await;
        running.kill();
        let _killed = running.wait();
        let next = scene.command(&["deploy"]).spawn();
        next.wait_for_stderr("waiting for another runner");
        blocker.batch_execute("COMMIT").await.expect("the transaction is ours");
        next.wait().expect_code(0);
        assert_eq!(ships(&scene).await, "Ark Beagle Cutty Dart");
        assert_eq!(scene.base.value(VALID).await, "ship_name true");
        assert_finished(&scene, &script).await;
    }
}

#[tokio::test]
async fn an_index_that_was_built_is_recorded_and_not_built_again() {
    for version in Version::ALL {
        let scene = begun(version, INDEX, Some(&[("index", "absent")])).await;
        scene.base.execute("CREATE INDEX ship_name ON ship (name)").await;
        assert_says(&scene.deployed().stderr, &["CREATE INDEX CONCURRENTLY ship_name", "had taken effect"]);
        assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
        assert_finished(&scene, INDEX).await;
    }
}

#[tokio::test]
async fn an_invalid_index_is_dropped_and_built_again() {
    for version in Version::ALL {
        for rest in [INDEX.to_owned(), INDEX.replace("ship_name", "IF NOT EXISTS ship_name")] {
            let scene = begun(version, &rest, Some(&[("index", "absent")])).await;
            scene.base.execute("CREATE INDEX ship_name ON ship (name)").await;
            invalid(&scene, "ship_name").await;
            assert_says(&scene.deployed().stderr, &["dropped the invalid index `ship_name`"]);
            assert_eq!(scene.base.value(VALID).await, "ship_name true");
            assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
        }
    }
}

#[tokio::test]
async fn an_invalid_index_of_another_table_is_left_alone() {
    let scene = with_ship(Version::V15).await;
    scene.base.execute("CREATE TABLE port (name TEXT); CREATE INDEX ship_name ON port (name)").await;
    invalid(&scene, "ship_name").await;
    let scene = scene.migration("2_mixed", INDEX);
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["42P07"]);
    let there = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ship_name'::regclass";
    assert_eq!(scene.base.value(there).await, "f");
}

#[tokio::test]
async fn an_index_without_a_name_is_known_by_being_new() {
    let rest = "CREATE INDEX CONCURRENTLY ON ship (name);\nINSERT INTO ship VALUES ('Cutty');";
    let before: &[(&str, &str)] = &[("indexes", "")];
    for (make, expected) in [
        ("SELECT 1", "ship_name_idx true"),
        ("CREATE INDEX ON ship (name)", "ship_name_idx true"),
        (
            "CREATE INDEX ON ship (name); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ship_name_idx'::regclass",
            "ship_name_idx true",
        ),
    ] {
        let scene = begun(Version::V15, rest, Some(before)).await;
        scene.base.execute(make).await;
        scene.deployed();
        assert_eq!(scene.base.value(VALID).await, expected, "{make}");
        assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
    }
    let scene = begun(Version::V15, rest, Some(before)).await;
    scene.base.execute("CREATE INDEX a ON ship (name); CREATE INDEX b ON ship (name)").await;
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["PLM221", "nobody can say"]);
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009"]);
}

/// An index without a name is not known by being new alone: somebody may have made another one meanwhile.
#[tokio::test]
async fn an_index_of_somebody_else_is_not_taken_for_one_without_a_name() {
    let rest = "CREATE INDEX CONCURRENTLY ON ship (name);\nINSERT INTO ship VALUES ('Cutty');";
    for version in Version::ALL {
        for theirs in [
            "(lower(name))",
            "(name DESC)",
            "(name) WHERE name > 'x'",
            "(name text_pattern_ops)",
            "USING hash (name)",
        ] {
            let scene = begun(version, rest, Some(&[("indexes", "")])).await;
            scene.base.execute(&format!("CREATE INDEX theirs ON ship {theirs}")).await;
            scene.deployed();
            assert_eq!(scene.base.value(VALID).await, "theirs true ship_name_idx true", "{theirs}");
            assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
        }
    }
}

/// Somebody's own build has failed meanwhile, and is looked at.
#[tokio::test]
async fn an_invalid_index_of_somebody_else_is_not_dropped() {
    let rest = "CREATE INDEX CONCURRENTLY ON ship (name);\nINSERT INTO ship VALUES ('Cutty');";
    for version in Version::ALL {
        let scene = begun(version, rest, Some(&[("indexes", "")])).await;
        scene
            .base
            .execute("CREATE UNIQUE INDEX theirs ON ship (name); CREATE INDEX ours ON ship (name)")
            .await;
        invalid(&scene, "theirs").await;
        invalid(&scene, "ours").await;
        let said = scene.deployed().stderr;
        assert_says(&said, &["index `theirs` is left alone", "dropped the invalid index `ours`"]);
        assert_eq!(scene.base.value(VALID).await, "theirs false ship_name_idx true");
        assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
    }
}

#[tokio::test]
async fn an_index_without_a_name_is_known_however_it_is_written() {
    for version in Version::ALL {
        for (statement, made) in [
            (
                "create unique index concurrently on only public.ship using btree (lower(ship.name) text_ops asc nulls last)\n\
                 where (name <> ';' /* ; */ and name is not null) -- ;",
                "UNIQUE INDEX ON ship (lower(name)) WHERE name <> ';' AND name IS NOT NULL",
            ),
            (
                "CREATE INDEX CONCURRENTLY ON ship (name, (n+1)) WITH (fillfactor = 70)",
                "INDEX ON ship (name, (n + 1)) WITH (fillfactor = 70)",
            ),
        ] {
            let rest = format!("{statement}\n;\nINSERT INTO ship VALUES ('Cutty');");
            let scene = begun(version, &rest, Some(&[("indexes", "")])).await;
            scene.base.execute("ALTER TABLE ship ADD gone INT, ADD n INT; ALTER TABLE ship DROP gone").await;
            scene.base.execute(&format!("CREATE {made}")).await;
            assert_says(&scene.deployed().stderr, &["had taken effect"]);
            assert_eq!(
                scene.base.value("SELECT count(*) FROM pg_index WHERE indrelid = 'ship'::regclass").await,
                "1"
            );
            assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
        }
    }
}

/// The server does not make it in another schema than the one that it names.
#[tokio::test]
async fn an_index_without_a_name_that_cannot_be_compared_is_asked_for() {
    let rest =
        "CREATE INDEX CONCURRENTLY ON ship (lower(public.ship.name));\nINSERT INTO ship VALUES ('Cutty');";
    let scene = begun(Version::V15, rest, Some(&[("indexes", "")])).await;
    scene.base.execute("CREATE INDEX ON ship (lower(name))").await;
    assert_says(
        &scene.run(&["deploy"]).expect_code(65).stderr,
        &["nobody can say", "2_mixed/migration.sql:2:1"],
    );
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009"]);
    assert_eq!(ships(&scene).await, "Ark Beagle");
}

#[tokio::test]
async fn an_index_that_was_dropped_is_not_missed() {
    let rest = "DROP INDEX CONCURRENTLY ship_name;\nINSERT INTO ship VALUES ('Cutty');";
    for version in Version::ALL {
        let scene = begun(version, rest, Some(&[("index", "present")])).await;
        assert_says(&scene.deployed().stderr, &["had taken effect"]);
        assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
        let scene = begun(version, rest, Some(&[("index", "present")])).await;
        scene.base.execute("CREATE INDEX ship_name ON ship (name)").await;
        invalid(&scene, "ship_name").await;
        scene.deployed();
        assert_eq!(scene.base.value("SELECT to_regclass('ship_name') IS NULL").await, "t");
    }
}

const PENDING: &str = "SELECT count(*) > 0 FROM pg_inherits WHERE inhdetachpending";
const PARTITIONS: &str = "CREATE TABLE log (day INT) PARTITION BY LIST (day);\n\
                          CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1);";

#[tokio::test]
async fn a_partition_that_is_half_detached_is_detached() {
    let script = "ALTER TABLE log DETACH PARTITION log_1 CONCURRENTLY;\nINSERT INTO ship VALUES ('Cutty');";
    for version in [Version::V15, Version::V18] {
        let scene = with_ship(version).await;
        scene.base.execute(PARTITIONS).await;
        let scene = scene.migration("2_mixed", script);
        let reader = scene.postgres().connect().await;
        reader.batch_execute("BEGIN; SELECT FROM log").await.expect("the table is there");
        let mut running = scene.command(&["deploy"]).spawn();
        until_true(scene.postgres(), PENDING).await;
        running.kill();
        let _killed = running.wait();
        let ended = "SELECT count(pg_terminate_backend(pid)) >= 0 FROM pg_stat_activity \
                     WHERE query LIKE 'ALTER TABLE log DETACH%' AND datname = current_database()";
        assert_eq!(scene.base.value(ended).await, "t");
        reader.batch_execute("COMMIT").await.expect("the transaction is ours");
        assert_says(&scene.deployed().stderr, &["half detached", "FINALIZE"]);
        assert_eq!(
            scene.base.value("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'log_1'::regclass").await,
            "0"
        );
        assert_eq!(ships(&scene).await, "Ark Cutty");
        assert_finished(&scene, script).await;
    }
}

#[tokio::test]
async fn a_partition_that_was_detached_is_recorded() {
    let rest = "ALTER TABLE log DETACH PARTITION log_1 CONCURRENTLY;\nINSERT INTO ship VALUES ('Cutty');";
    let scene = begun(Version::V15, rest, Some(&[("partition", "attached")])).await;
    scene.base.execute(&format!("{PARTITIONS}ALTER TABLE log DETACH PARTITION log_1")).await;
    assert_says(&scene.deployed().stderr, &["had taken effect"]);
    assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
}

#[tokio::test]
async fn what_a_reindex_left_beside_an_index_is_dropped() {
    const LEFT: &str = "CREATE INDEX mine_ccnew ON ship (name); CREATE INDEX ship_name ON ship (name); \
                        CREATE INDEX ship_name_ccnew ON ship (name); CREATE INDEX ship_name_ccold1 ON ship (name);";
    let rest = "REINDEX INDEX CONCURRENTLY ship_name;\nINSERT INTO ship VALUES ('Cutty');";
    for version in Version::ALL {
        let scene = begun(version, rest, Some(&[("indexes", "")])).await;
        scene.base.execute(LEFT).await;
        for index in ["mine_ccnew", "ship_name_ccnew", "ship_name_ccold1"] {
            invalid(&scene, index).await;
        }
        assert_says(&scene.deployed().stderr, &["dropped the invalid index `ship_name_ccnew`"]);
        let names =
            "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'ship'";
        assert_eq!(scene.base.value(names).await, "mine_ccnew ship_name");
        assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
    }
}

#[tokio::test]
async fn what_a_reindex_of_a_whole_schema_or_database_left_is_dropped() {
    for version in Version::ALL {
        for kind in ["SCHEMA CONCURRENTLY public", "DATABASE CONCURRENTLY"] {
            let scene = with_ship(version).await;
            let name = scene.postgres().name().to_owned();
            let of = if kind.starts_with("DATABASE") { format!(" \"{name}\"") } else { String::new() };
            let script = format!("REINDEX {kind}{of};\nINSERT INTO ship VALUES ('Cutty');");
            let scene = scene.migration("2_mixed", &script);
            left(&scene, &script, 0, Some(&[("indexes", "")])).await;
            scene.base.execute("CREATE INDEX n ON ship (name); CREATE INDEX n_ccnew ON ship (name)").await;
            invalid(&scene, "n_ccnew").await;
            assert_says(&scene.deployed().stderr, &["dropped the invalid index `n_ccnew`"]);
            assert_eq!(scene.base.value(VALID).await, "n true");
            assert_eq!(ships(&scene).await, "Ark Cutty");
        }
    }
}

#[tokio::test]
async fn a_database_that_was_created_is_not_created_again() {
    let scene = with_ship(Version::V15).await;
    let other = format!("{}_other", scene.postgres().name());
    let rest = format!("CREATE DATABASE {other};\nINSERT INTO ship VALUES ('Cutty');");
    let scene = begun(Version::V15, &rest, Some(&[("thing", "absent")])).await;
    scene.base.execute(&format!("CREATE DATABASE {other}")).await;
    assert_says(&scene.deployed().stderr, &["had taken effect"]);
    scene.base.execute(&format!("DROP DATABASE {other}")).await;
    assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
}

#[tokio::test]
async fn a_call_under_way_is_not_run_again_without_a_person() {
    let procedure = "CREATE PROCEDURE load() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ship VALUES ('Dart'); COMMIT; END $$";
    let scene = begun(Version::V15, "CALL load();\nINSERT INTO ship VALUES ('Cutty');", Some(&[])).await;
    scene.base.execute(procedure).await;
    // What is known to be under way outside of a transaction is not tried inside of one.
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["PLM221", "2_mixed/migration.sql:2:1"]);
    assert_eq!(ships(&scene).await, "Ark Beagle");
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "nobody can say"]);
}

#[tokio::test]
async fn settings_are_set_again_by_whoever_carries_on() {
    let script = "CREATE SCHEMA yard;\nSET search_path = yard;\nSET LOCAL work_mem = '1MB';\nVACUUM public.ship;\n\
                  CREATE TABLE hull ();";
    let scene = with_ship(Version::V15).await.migration("2_mixed", script);
    scene.base.execute("CREATE SCHEMA yard").await;
    left(&scene, script, 4, None).await;
    scene.deployed();
    assert_eq!(scene.base.value("SELECT to_regclass('yard.hull') IS NOT NULL").await, "t");
    assert_finished(&scene, script).await;
}

#[tokio::test]
async fn what_ended_with_a_session_is_asked_for_and_not_made_up() {
    let script =
        "CREATE TEMP TABLE old AS SELECT * FROM ship;\nVACUUM ship;\nINSERT INTO ship SELECT * FROM old;";
    let scene = with_ship(Version::V15).await.migration("2_mixed", script);
    left(&scene, script, 2, None).await;
    let said = scene.run(&["deploy"]).expect_code(65).stderr;
    assert_says(&said, &["PLM221", "temporary table `old`", "2_mixed/migration.sql:1:1"]);
    let next = scene.run(&["deploy"]).expect_code(65);
    assert_says(&next.stderr, &["P3009", "temporary table `old`", "--rolled-back 2_mixed"]);
    assert!(!next.stderr.contains("--resume"), "it would come to the same stop: {next}");
    assert_says(&scene.run(&["resolve", "--resume", "2_mixed"]).expect_code(65).stderr, &["PLM220"]);
    assert_eq!(ships(&scene).await, "Ark");
}

/// Rows that are written without the tenant that the script has set are wrong rows.
#[tokio::test]
async fn what_code_has_kept_in_a_session_that_is_gone_is_missed() {
    let own = "CREATE FUNCTION be(who text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.who', who, false); END $$;\n\
               CREATE PROCEDURE enter() LANGUAGE plpgsql AS $$ BEGIN PERFORM be('me'); END $$;\n\
               CREATE FUNCTION plain() RETURNS int LANGUAGE plpgsql AS $$ BEGIN UPDATE ship SET name = name; SET LOCAL work_mem = '1MB'; RETURN 1; END $$;\n\
               CREATE FUNCTION enter_as_me() RETURNS void LANGUAGE sql AS $$ SET app.who = 'me' $$;";
    let rest = "CREATE INDEX CONCURRENTLY i ON ship (name);\nINSERT INTO ship VALUES ('Cutty');";
    for (first, missed) in [
        ("DO $$BEGIN PERFORM set_config('app.who', 'me', false); END$$;", Some("its code makes")),
        ("DO $$ BEGIN /* ours */ SET app.who = 'me'; END $$;", Some("its code makes")),
        ("DO $$ BEGIN EXECUTE format('SET app.who = %L', 'me'); END $$;", Some("its code makes")),
        ("DO $$ BEGIN CREATE TEMP TABLE IF NOT EXISTS old (); END $$;", Some("its code makes")),
        ("SELECT be('me');", Some("the function `be` makes")),
        ("CALL enter();", Some("the function `be` makes")),
        ("DO $$ BEGIN PERFORM plain(); UPDATE ship SET name = 'Ark'; -- set_config\n END $$;", None),
        ("CREATE FUNCTION later() RETURNS void LANGUAGE sql AS $$ SELECT be('me') $$;", None),
        ("INSERT INTO ship VALUES ('be(set_config)'); DELETE FROM ship WHERE name LIKE 'be%';", None),
        ("SELECT enter_as_me();", Some("the function `enter_as_me` makes")),
        ("GRANT EXECUTE ON FUNCTION be(text) TO CURRENT_USER;", None),
        (
            "DO $$ DECLARE template_id text; BEGIN SELECT 'x' INTO template_id; RAISE NOTICE 'Set it'; END$$;",
            None,
        ),
        (
            "DO $$ BEGIN PERFORM set_config('app.who', 'me', true); CREATE TEMP TABLE old () ON COMMIT DROP; END$$;",
            None,
        ),
    ] {
        let script = format!("{first}\n{rest}");
        let scene = with_ship(Version::V15).await.migration("2_mixed", &script);
        scene.base.execute(own).await;
        left(&scene, &script, 1, None).await;
        let Some(missed) = missed else {
            scene.deployed();
            continue;
        };
        for code in ["PLM221", "P3009"] {
            let said = scene.run(&["deploy"]).expect_code(65).stderr;
            assert_says(&said, &[code, missed, "2_mixed/migration.sql:1:1", "--applied 2_mixed"]);
            assert!(!said.contains("--resume"), "it would come to the same: {said}");
        }
        assert_eq!(ships(&scene).await, "Ark", "{script}");
    }
}

/// Whether it took effect has not been asked then: the question stays open, and in the row.
#[tokio::test]
async fn a_statement_under_way_is_not_forgotten_where_something_of_the_session_is_lost() {
    let script = "CREATE TEMP TABLE old AS SELECT * FROM ship;\nCREATE INDEX CONCURRENTLY ON ship (name);\n\
                  INSERT INTO ship SELECT * FROM old;";
    let scene = with_ship(Version::V15).await.migration("2_mixed", script);
    left(&scene, script, 1, Some(&[("indexes", "")])).await;
    scene.base.execute("CREATE INDEX ON ship (name)").await;
    for code in ["PLM221", "P3009"] {
        let said = scene.run(&["deploy"]).expect_code(65).stderr;
        assert_says(&said, &[code, "statement 2 was under way"]);
        let logs = scene.base.history().await[1].logs.clone().expect("it failed");
        assert!(Progress::parse(&logs).is_some_and(|progress| progress.under_way.is_some()), "{logs}");
    }
    scene.run(&["resolve", "--resume", "2_mixed"]).expect_code(65);
    assert_eq!(scene.base.value(VALID).await, "ship_name_idx true", "no second one is built");
}

#[tokio::test]
async fn a_script_that_was_changed_is_not_carried_on() {
    let scene = begun(Version::V15, INDEX, None).await;
    scene.project.set_migration("2_mixed", &format!("INSERT INTO ship VALUES ('Argo');\n{INDEX}"));
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "2_mixed"]);
    assert_eq!(ships(&scene).await, "Ark Beagle");
}

/// The runner found other statements in the same text than this one does.
#[tokio::test]
async fn statements_that_are_counted_otherwise_are_not_carried_on() {
    let scene = begun(Version::V15, INDEX, None).await;
    scene
        .base
        .execute("UPDATE _prisma_migrations SET logs = replace(logs, '\"hash\":\"', '\"hash\":\"0')")
        .await;
    assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["PLM221", "nothing was done"]);
    assert_eq!(ships(&scene).await, "Ark Beagle");
}

/// The server cut it between all statements, and so it is carried on.
#[tokio::test]
async fn a_script_that_the_server_had_cut_is_carried_on_where_it_was() {
    let script = "INSERT INTO ship VALUES ('Beagle');\nINSERT INTO ship VALUES ('Cutty');\nVACUUM;";
    for script in [script.to_owned(), script.replace("VACUUM", "SELECT 1")] {
        let scene = with_ship(Version::V15).await.migration("2_mixed", &script);
        scene.base.execute("INSERT INTO ship VALUES ('Beagle')").await;
        left(&scene, &script, 1, None).await;
        scene.deployed();
        assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
        assert_finished(&scene, &script).await;
    }
}

/// It frees the lock too: that is taken again before anything else is done.
#[tokio::test]
async fn a_script_that_discards_its_session_goes_on_with_the_lock() {
    let script =
        "SET search_path = nowhere;\nDISCARD ALL;\nINSERT INTO ship VALUES ('Beagle');\nDISCARD ALL;";
    let scene = with_ship(Version::V15).await.migration("2_mixed", script);
    let scene = scene.migration("3_next", "INSERT INTO ship VALUES ('Cutty');");
    scene.deployed();
    assert_eq!(ships(&scene).await, "Ark Beagle Cutty");
}
