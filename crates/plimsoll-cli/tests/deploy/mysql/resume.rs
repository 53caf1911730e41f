//! A runner that went in the middle of a script, and the next one: no statement is run twice, and none is left out.

use plimsoll_testkit::database::MysqlDatabase;
use plimsoll_testkit::program::{Running, Signal};
use plimsoll_testkit::server::Flavour;
use plimsoll_testkit::wait::until_async;

use crate::scene::{Kind, Scene, assert_says};

pub(super) const INIT: &str =
    "CREATE TABLE ship (name VARCHAR(191));\nCREATE TABLE held (n INT);\nINSERT INTO held VALUES (1);\n";

const SCRIPT: &str = "CREATE TABLE port (name VARCHAR(191));\nINSERT INTO port VALUES ('Hull');\n\
                      ALTER TABLE held ADD COLUMN m INT;\nINSERT INTO port VALUES ('Bristol');\n";

/// A project whose first migration is applied, and a second one.
pub(super) async fn with(flavour: Flavour, init: &str, script: &str) -> Scene {
    let scene = Scene::new(Kind::Mysql(flavour)).await.migration("1_init", init);
    scene.deployed();
    scene.migration("2_next", script)
}

/// The connection in which a statement waits that begins so.
pub(super) async fn stuck(database: &MysqlDatabase<'_>, statement: &str) -> Option<String> {
    let find = format!(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE '{statement}%' \
         AND STATE LIKE 'Waiting for table%lock'"
    );
    database.query(&find).await.into_iter().flatten().flatten().next()
}

/// A runner whose statement waits, and the connection in which it does.
pub(super) async fn running_into(scene: &Scene, statement: &str) -> (Running, String) {
    let running = scene.command(&["deploy"]).spawn();
    until_async(statement, async || stuck(scene.base.mysql(), statement).await.is_some()).await;
    let connection = stuck(scene.base.mysql(), statement).await.expect("it waits for what we hold");
    (running, connection)
}

/// Ends the runner, and the statement that the server would still carry out.
pub(super) async fn end_both(scene: &Scene, mut running: Running, connection: &str, statement: &str) {
    running.kill();
    scene.base.execute(&format!("KILL {connection}")).await;
    until_async("it is over", async || stuck(scene.base.mysql(), statement).await.is_none()).await;
}

async fn ports(scene: &Scene) -> String {
    scene.base.value("SELECT GROUP_CONCAT(name ORDER BY name) FROM port").await
}

/// The server carries it out after all, while the next runner waits for the lock of the first one's session.
#[tokio::test]
async fn a_definition_that_outlives_its_runner_is_not_run_again() {
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("held").await;
        let (mut first, _) = running_into(&scene, "ALTER TABLE held").await;
        first.kill();
        let is_held = "SELECT IS_USED_LOCK('prisma_migrate') IS NOT NULL";
        assert_eq!(scene.base.value(is_held).await, "1", "the statement goes on, and with it its session");
        let second = scene.command(&["deploy", "--verbose"]).spawn();
        second.wait_for_stderr("asking for the migration lock");
        reader.release().await;
        let ended = second.wait().expect_code(0);
        assert_says(&ended.stderr, &["statement 3 of `2_next` had taken effect"]);
        assert_eq!(ports(&scene).await, "Bristol,Hull");
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM held WHERE m IS NULL").await, "1");
        assert_eq!(scene.deployed().stdout, "up to date\n");
    }
}

#[tokio::test]
async fn a_definition_that_went_with_its_runner_is_run() {
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("held").await;
        let (first, connection) = running_into(&scene, "ALTER TABLE held").await;
        end_both(&scene, first, &connection, "ALTER TABLE held").await;
        reader.release().await;
        scene.deployed();
        assert_eq!(ports(&scene).await, "Bristol,Hull");
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM held WHERE m IS NULL").await, "1");
        assert_eq!(scene.applied().await, ["1_init", "2_next"]);
    }
}

/// The row of an attempt that is under way counts statements: they have to be the same ones.
#[tokio::test]
async fn a_script_that_was_changed_where_it_is_done_is_not_carried_on() {
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("held").await;
        let (first, connection) = running_into(&scene, "ALTER TABLE held").await;
        end_both(&scene, first, &connection, "ALTER TABLE held").await;
        reader.release().await;
        scene.project.set_migration("2_next", &SCRIPT.replace("Hull", "Leith"));
        let refused = scene.run(&["deploy"]).expect_code(65);
        assert_says(&refused.stderr, &["2_next", "2 of its statements are done"]);
        assert_eq!(ports(&scene).await, "Hull");
        scene.project.set_migration("2_next", SCRIPT);
        scene.deployed();
        assert_eq!(ports(&scene).await, "Bristol,Hull");
    }
}

#[tokio::test]
async fn a_connection_that_somebody_kills_is_made_again_and_the_script_goes_on() {
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("held").await;
        let (running, connection) = running_into(&scene, "ALTER TABLE held").await;
        scene.base.execute(&format!("KILL {connection}")).await;
        reader.release().await;
        running.wait().expect_code(0);
        assert_eq!(ports(&scene).await, "Bristol,Hull");
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM held WHERE m IS NULL").await, "1");
        assert_eq!(scene.applied().await, ["1_init", "2_next"]);
    }
}

/// Nothing has failed: a Job that gives up at 65 would give up for nothing.
#[tokio::test]
async fn a_statement_that_somebody_cancels_is_carried_on_by_the_next_start() {
    for flavour in Flavour::ALL {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("held").await;
        let (running, connection) = running_into(&scene, "ALTER TABLE held").await;
        scene.base.execute(&format!("KILL QUERY {connection}")).await;
        let ended = running.wait().expect_code(75);
        assert_says(&ended.stderr, &["PLM222", "carries on or says what to do"]);
        assert_says(&scene.run(&["status"]).expect_code(1).stdout, &["under way 2_next"]);
        reader.release().await;
        scene.deployed();
        assert_eq!(ports(&scene).await, "Bristol,Hull");
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM held WHERE m IS NULL").await, "1");
    }
}

#[tokio::test]
async fn sigterm_in_the_middle_leaves_what_the_next_start_goes_on_with() {
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("held").await;
        let (mut running, _) = running_into(&scene, "ALTER TABLE held").await;
        running.signal(Signal::TERM);
        running.wait().expect_code(143);
        until_async("it is over", async || stuck(scene.base.mysql(), "ALTER TABLE held").await.is_none())
            .await;
        reader.release().await;
        scene.deployed();
        assert_eq!(ports(&scene).await, "Bristol,Hull");
    }
}

/// Stops with words, asks for a person at every start, and leaves the rows as they are.
fn stops(scene: &Scene, words: &[&str]) {
    let stopped = scene.run(&["deploy"]).expect_code(65);
    assert_says(&stopped.stderr, &["PLM221", "2_next", "sends it again", "resolve --resume 2_next"]);
    assert_says(&stopped.stderr, words);
    let blocked = scene.run(&["deploy"]).expect_code(65);
    assert_says(&blocked.stderr, &["P3009", "sends it again", "resolve --resume 2_next"]);
    assert!(!blocked.stderr.contains("remove what stood"), "{blocked}");
    assert_says(&blocked.stderr, words);
}

#[tokio::test]
async fn rows_of_a_table_without_transactions_are_left_to_a_person() {
    const AUDIT: &str = "CREATE TABLE audit (n INT) ENGINE=MyISAM;";
    const SCRIPT: &str = "CREATE TABLE port (n INT);\nINSERT INTO audit VALUES (1);\n";
    for flavour in Flavour::EACH {
        let scene = with(flavour, AUDIT, SCRIPT).await;
        let mut holder = scene.base.mysql().connect().await;
        lock(&mut holder, "audit").await;
        let (first, connection) = running_into(&scene, "INSERT INTO audit").await;
        end_both(&scene, first, &connection, "INSERT INTO audit").await;
        holder.disconnect().await.expect("the server is there");
        stops(&scene, &["a change of `audit`"]);
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM audit").await, "0");
        scene.run(&["resolve", "--resume", "2_next"]).expect_code(0);
        scene.deployed();
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM audit").await, "1");
    }
}

pub(super) async fn lock(holder: &mut mysql_async::Conn, table: &str) {
    use mysql_async::prelude::Queryable as _;
    holder.query_drop(format!("LOCK TABLES {table} WRITE")).await.expect("nobody else has it");
}

#[tokio::test]
async fn a_variable_that_went_with_its_session_is_missed() {
    const NEEDS: &str = "SET @n = (SELECT COUNT(*) FROM ship);\nINSERT INTO ship VALUES ('Beagle');\n\
                         ALTER TABLE held ADD COLUMN m INT;\nUPDATE held SET m = @n;\n";
    const KNOWS: &str = "SET @n = 4;\nINSERT INTO ship VALUES ('Beagle');\n\
                         ALTER TABLE held ADD COLUMN m INT;\nUPDATE held SET m = @n;\n";
    for flavour in Flavour::EACH {
        for script in [NEEDS, KNOWS] {
            let scene = with(flavour, INIT, script).await;
            let reader = scene.base.mysql().reading("held").await;
            let (first, connection) = running_into(&scene, "ALTER TABLE held").await;
            end_both(&scene, first, &connection, "ALTER TABLE held").await;
            reader.release().await;
            if script == NEEDS {
                let stopped = scene.run(&["deploy"]).expect_code(65);
                assert_says(&stopped.stderr, &["PLM221", "the user variable `@n`"]);
            } else {
                scene.deployed();
                assert_eq!(scene.base.value("SELECT m FROM held").await, "4");
            }
            assert_eq!(scene.base.value("SELECT COUNT(*) FROM ship").await, "1");
        }
    }
}

/// MariaDB drops one table after the other, and a crash of the server can come in between.
#[tokio::test]
async fn of_two_tables_the_one_that_is_left_is_dropped() {
    const SCRIPT: &str = "CREATE TABLE port (n INT);\nDROP TABLE ship, held;\nINSERT INTO port VALUES (1);\n";
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("held").await;
        let (first, connection) = running_into(&scene, "DROP TABLE").await;
        end_both(&scene, first, &connection, "DROP TABLE").await;
        reader.release().await;
        scene.base.execute("DROP TABLE ship").await;
        assert_says(&scene.deployed().stderr, &["statement 2 of `2_next` had been carried out in part"]);
        assert_eq!(scene.base.mysql().tables().await, ["_prisma_migrations", "port"]);
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM port").await, "1");
    }
}

/// That it has not been emptied tells the file of its rows, which is the one that it was.
#[tokio::test]
async fn a_table_that_was_being_emptied_is_emptied() {
    const SCRIPT: &str = "CREATE TABLE port (n INT);\nTRUNCATE TABLE held;\nINSERT INTO port VALUES (1);\n";
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("held").await;
        let (first, connection) = running_into(&scene, "TRUNCATE TABLE held").await;
        end_both(&scene, first, &connection, "TRUNCATE TABLE held").await;
        reader.release().await;
        scene.deployed();
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM held").await, "0");
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM port").await, "1");
    }
}

/// The catalog may tell that it took effect, and not whether the table has kept all its rows.
#[tokio::test]
async fn a_change_of_a_table_without_transactions_is_left_to_a_person() {
    const INIT: &str = "CREATE TABLE audit (n INT) ENGINE=MyISAM;\nINSERT INTO audit VALUES (1);\n";
    const SCRIPT: &str =
        "CREATE TABLE port (n INT);\nALTER TABLE audit ADD COLUMN m INT;\nINSERT INTO port VALUES (1);\n";
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, SCRIPT).await;
        let reader = scene.base.mysql().reading("audit").await;
        let (mut first, _) = running_into(&scene, "ALTER TABLE audit").await;
        first.kill();
        reader.release().await;
        let columns = "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'audit'";
        until_async("the server has carried it out", async || scene.base.value(columns).await == "2").await;
        stops(&scene, &["at statement 2", "whose engine has no transactions"]);
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM port").await, "0");
    }
}

/// Its text stands in a variable, and its table in the database that was in use when it was prepared.
#[tokio::test]
async fn what_was_prepared_for_another_database_is_looked_for_there() {
    for flavour in Flavour::ALL {
        let other = Kind::Mysql(flavour).empty().await;
        other.execute("CREATE TABLE held (n INT); INSERT INTO held VALUES (1)").await;
        let (there, scene) = (other.mysql().name(), with(flavour, INIT, "").await);
        let script = format!(
            "SET @q = 'ALTER TABLE held ADD m INT';\nUSE {there};\nPREPARE s FROM @q;\nUSE {};\nEXECUTE s;\n\
             INSERT INTO ship VALUES ('Beagle');\n",
            scene.base.mysql().name()
        );
        scene.project.set_migration("3_prepared", &script);
        let reader = other.mysql().reading("held").await;
        let mut first = scene.command(&["deploy"]).spawn();
        let waits = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%ALTER TABLE held ADD m%' \
                     AND STATE LIKE 'Waiting for table%lock'";
        until_async("it waits", async || other.value(waits).await == "1").await;
        first.kill();
        reader.release().await;
        let columns = format!(
            "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '{there}' AND TABLE_NAME = 'held'"
        );
        until_async("the server has carried it out", async || other.value(&columns).await == "2").await;
        assert_says(&scene.deployed().stderr, &["statement 5 of `3_prepared` had taken effect"]);
        assert_eq!(scene.base.value("SELECT COUNT(*) FROM ship").await, "1");
    }
}
