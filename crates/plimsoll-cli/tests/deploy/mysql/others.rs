//! Somebody who takes no lock applies the same migration at the same time, as Prisma does when it has waited for ten seconds.

use mysql_async::prelude::Queryable as _;
use plimsoll_testkit::server::Flavour;
use plimsoll_testkit::transcript::Transcript;
use plimsoll_testkit::wait::until_async;

use super::resume::{running_into, with};
use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE held (n INT);\nINSERT INTO held VALUES (1);\nCREATE TABLE port (n INT);\n";

/// What Prisma writes of a migration that it has applied.
const ROW: &str = "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count) \
                   VALUES (UUID(), 'x', '2_next', NOW(3), NOW(3), 1)";

/// Starts a run that has to wait for a row of `held`, and has somebody else do this before it goes on.
async fn overtaken(scene: &Scene, by: &str) -> Transcript {
    let mut holder = scene.base.mysql().connect().await;
    holder.query_drop("BEGIN; UPDATE held SET n = 2").await.expect("nobody else has it");
    let running = scene.command(&["deploy"]).spawn();
    let waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE 'UPDATE held SET n = n +%'";
    until_async("it waits", async || scene.base.value(waiting).await == "1").await;
    scene.base.execute(by).await;
    holder.query_drop("ROLLBACK").await.expect("it is ours");
    running.wait()
}

async fn rows(scene: &Scene) -> (String, String) {
    let finished =
        "SELECT COUNT(*) FROM _prisma_migrations WHERE migration_name = '2_next' AND finished_at IS NOT NULL";
    (scene.base.value("SELECT GROUP_CONCAT(n) FROM port").await, scene.base.value(finished).await)
}

#[tokio::test]
async fn rows_that_somebody_has_written_meanwhile_are_not_written_twice() {
    const SCRIPT: &str = "INSERT INTO port VALUES (7);\nUPDATE held SET n = n + 1;\n";
    for flavour in Flavour::ALL {
        for (script, begun) in [
            (SCRIPT.to_owned(), "one transaction"),
            (format!("{SCRIPT}ALTER TABLE held ADD m INT;\n"), "statements"),
        ] {
            let scene = with(flavour, INIT, &script).await;
            overtaken(&scene, &format!("INSERT INTO port VALUES (7);{ROW}")).await.expect_code(0);
            assert_eq!(rows(&scene).await, ("7".to_owned(), "1".to_owned()), "{flavour:?} {begun}");
            assert_eq!(scene.deployed().stdout, "up to date\n");
        }
    }
}

/// What stays cannot be taken back, and would be hidden behind the row of the other one.
#[tokio::test]
async fn of_what_both_have_begun_a_person_is_told() {
    const SCRIPT: &str =
        "INSERT INTO port VALUES (7);\nALTER TABLE port ADD m INT;\nUPDATE held SET n = n + 1;\n";
    for flavour in Flavour::ALL {
        let scene = with(flavour, INIT, SCRIPT).await;
        let ended = overtaken(&scene, ROW).await.expect_code(65);
        assert_says(
            &ended.stderr,
            &["PLM221", "2_next", "by somebody else as well", "2 of its 3 statements"],
        );
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009", "by somebody else as well"]);
        assert_eq!(rows(&scene).await, ("7".to_owned(), "1".to_owned()), "{flavour:?}");
        assert_eq!(scene.base.value("SELECT n FROM held").await, "1");
    }
}

/// A script of definitions alone writes its row with one statement: before the next definition, and at the end.
#[tokio::test]
async fn of_definitions_that_both_have_begun_a_person_is_told() {
    const WAITS: &str = "ALTER TABLE port ADD m INT;\nALTER TABLE held ADD m INT;\n";
    for flavour in Flavour::ALL {
        for (script, of) in [
            (format!("{WAITS}ALTER TABLE port ADD o INT;\n"), "3 statements"),
            (WAITS.to_owned(), "2 statements"),
        ] {
            let scene = with(flavour, INIT, &script).await;
            let reader = scene.base.mysql().reading("held").await;
            let (running, _) = running_into(&scene, "ALTER TABLE held").await;
            scene.base.execute(ROW).await;
            reader.release().await;
            let ended = running.wait().expect_code(65);
            assert_says(&ended.stderr, &["PLM221", "by somebody else as well", &format!("2 of its {of}")]);
            let columns = "SELECT GROUP_CONCAT(COLUMN_NAME ORDER BY 1) FROM information_schema.COLUMNS \
                           WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'port'";
            assert_eq!(scene.base.value(columns).await, "m,n", "{flavour:?} {of}");
            assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009"]);
        }
    }
}

/// Who finds that somebody else has begun it leaves no row of his own beside: also where a read waits for nobody by itself.
#[tokio::test]
async fn what_somebody_else_records_before_the_first_definition_is_not_begun() {
    for (flavour, isolation) in Flavour::ALL
        .into_iter()
        .flat_map(|flavour| ["REPEATABLE READ", "READ COMMITTED"].map(|it| (flavour, it)))
    {
        let scene = Scene::alone(Kind::Mysql(flavour)).await.migration("1_init", INIT);
        scene.base.execute(&format!("SET GLOBAL TRANSACTION ISOLATION LEVEL {isolation}")).await;
        scene.deployed();
        let scene = scene.migration("2_next", "ALTER TABLE port ADD m INT;\n");
        let mut history = scene.base.mysql().connect().await;
        history.query_drop(format!("START TRANSACTION; {ROW}")).await.expect("nobody else has it");
        let running = scene.command(&["deploy"]).spawn();
        let waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
                       WHERE DB = DATABASE() AND INFO LIKE '%INSERT INTO %_prisma_migrations%' AND ID <> CONNECTION_ID()";
        until_async("it waits", async || scene.base.value(waiting).await == "1").await;
        history.query_drop("COMMIT").await.expect("it is ours");
        running.wait().expect_code(0);
        let all = "SELECT GROUP_CONCAT(finished_at IS NOT NULL) FROM _prisma_migrations WHERE migration_name = '2_next'";
        assert_eq!(scene.base.value(all).await, "1", "{flavour:?} {isolation}");
        let columns = "SELECT COUNT(*) FROM information_schema.COLUMNS \
                       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'port'";
        assert_eq!(scene.base.value(columns).await, "1", "{flavour:?}");
    }
}
