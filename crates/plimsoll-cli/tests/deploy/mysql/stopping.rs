//! Scripts that need what ended with the session of a killed runner: what can be found out is found out before they stop, and
//! no way on is named that would not lead on.

use plimsoll_testkit::program::Signal;
use plimsoll_testkit::server::Flavour;
use plimsoll_testkit::wait::until_async;

use super::resume::{INIT, end_both, lock, running_into, with};
use crate::scene::{Scene, assert_says};

/// A script whose last statement needs a temporary table, with this one before it.
fn needs_a_temporary_table(statement: &str) -> String {
    format!(
        "CREATE TEMPORARY TABLE passing (n INT);\nINSERT INTO passing VALUES (5);\n{statement};\n\
         INSERT INTO held SELECT n FROM passing;\n"
    )
}

/// Stops with these words, and at every later start with all of them, because nothing of ours can carry on.
async fn stops_for_good(scene: &Scene, words: &[&str]) {
    let stopped = scene.run(&["deploy"]).expect_code(65);
    for ended in [&stopped, &scene.run(&["deploy"]).expect_code(65)] {
        assert_says(&ended.stderr, words);
        assert_says(
            &ended.stderr,
            &["statement 4 needs the temporary table `passing`", "--rolled-back 2_next", "--applied 2_next"],
        );
        assert!(!ended.stderr.contains("--resume"), "{ended}");
    }
    assert_says(&stopped.stderr, &["PLM221"]);
    assert_says(&scene.run(&["resolve", "--resume", "2_next"]).expect_code(65).stderr, &["PLM220"]);
    assert_eq!(scene.base.value("SELECT SUM(n) FROM held").await, "1");
}

async fn columns(scene: &Scene) -> String {
    scene
        .base
        .value("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'held'")
        .await
}

/// What the row says of the statement that may have been sent.
async fn is_under_way(scene: &Scene) -> bool {
    let rows = scene.base.history().await;
    let row = rows.iter().find(|row| row.migration_name == "2_next").expect("it has a row");
    row.logs.as_deref().expect("it is not finished").contains("\"before\":")
}

#[tokio::test]
async fn a_definition_is_settled_before_its_script_stops() {
    let script = needs_a_temporary_table("ALTER TABLE held ADD COLUMN m INT");
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, &script).await;
        let reader = scene.base.mysql().reading("held").await;
        let (first, connection) = running_into(&scene, "ALTER TABLE held").await;
        end_both(&scene, first, &connection, "ALTER TABLE held").await;
        reader.release().await;
        stops_for_good(&scene, &["at statement 3", "2 of its"]).await;
        assert_eq!((columns(&scene).await.as_str(), is_under_way(&scene).await), ("1", false));
    }
}

#[tokio::test]
async fn a_definition_that_took_effect_is_done_when_its_script_stops() {
    let script = needs_a_temporary_table("ALTER TABLE held ADD COLUMN m INT FIRST");
    for flavour in Flavour::EACH {
        let scene = with(flavour, INIT, &script).await;
        let reader = scene.base.mysql().reading("held").await;
        let (mut first, _) = running_into(&scene, "ALTER TABLE held").await;
        first.kill();
        reader.release().await;
        until_async("the server has carried it out", async || columns(&scene).await == "2").await;
        stops_for_good(&scene, &["at statement 4", "3 of its"]).await;
        assert!(!is_under_way(&scene).await);
    }
}

/// With nothing behind it that needs the temporary table, its script goes on. (MySQL fills a table at once from 8.0.21 on.)
#[tokio::test]
async fn a_definition_that_took_effect_needs_nothing_of_its_session() {
    let script = "CREATE TEMPORARY TABLE passing (n INT);\nINSERT INTO passing VALUES (5);\n\
                  CREATE TABLE copy AS SELECT passing.n FROM passing, held;\nINSERT INTO ship VALUES ('Beagle');\n";
    let scene = with(Flavour::Mariadb, INIT, script).await;
    let mut holder = scene.base.mysql().connect().await;
    lock(&mut holder, "held").await;
    let (mut first, _) = running_into(&scene, "CREATE TABLE copy").await;
    first.kill();
    holder.disconnect().await.expect("the server is there");
    until_async("the server has carried it out", async || {
        scene.base.mysql().tables().await.contains(&"copy".to_owned())
    })
    .await;
    scene.deployed();
    assert_eq!(scene.base.value("SELECT SUM(n) FROM copy").await, "5");
    assert_eq!(scene.base.value("SELECT COUNT(*) FROM ship").await, "1");
}

#[tokio::test]
async fn of_what_cannot_be_settled_it_is_said_that_it_may_have_taken_effect() {
    let init = format!(
        "{INIT}CREATE TABLE audit (n INT) ENGINE=MyISAM;\nCREATE PROCEDURE fill() INSERT INTO audit VALUES (1);"
    );
    for flavour in Flavour::EACH {
        for (statement, waiting) in
            [("CALL fill()", "INSERT INTO audit"), ("INSERT INTO audit VALUES (1)", "INSERT INTO audit")]
        {
            let scene = with(flavour, &init, &needs_a_temporary_table(statement)).await;
            let mut holder = scene.base.mysql().connect().await;
            lock(&mut holder, "audit").await;
            let (first, connection) = running_into(&scene, waiting).await;
            end_both(&scene, first, &connection, waiting).await;
            holder.disconnect().await.expect("the server is there");
            stops_for_good(&scene, &["at statement 3", "was under way", "may have taken effect", "2 of its"])
                .await;
            assert!(is_under_way(&scene).await, "{statement}");
        }
    }
}

/// What a routine did before it was cancelled nobody can tell: that the next start carries on would be a lie.
#[tokio::test]
async fn a_call_that_is_cancelled_is_said_to_have_failed() {
    let init = format!(
        "{INIT}CREATE TABLE audit (n INT);\n\
         CREATE PROCEDURE fill() BEGIN INSERT INTO audit VALUES (1); INSERT INTO held VALUES (2); END;"
    );
    for flavour in Flavour::EACH {
        let scene = with(flavour, &init, "CALL fill();").await;
        let mut holder = scene.base.mysql().connect().await;
        lock(&mut holder, "held").await;
        let (mut running, _) = running_into(&scene, "INSERT INTO held").await;
        running.signal(Signal::TERM);
        let ended = running.wait().expect_code(143);
        assert_says(&ended.stderr, &["P3018", "what CALL has left cannot be told", "--resume 2_next"]);
        holder.disconnect().await.expect("the server is there");
        assert_says(&scene.run(&["deploy"]).expect_code(65).stderr, &["P3009"]);
    }
}

/// The first start's log is gone when somebody comes: every later one has to say that it is sent again.
#[tokio::test]
async fn of_a_call_that_failed_every_start_says_that_somebody_has_to_look() {
    let init = format!(
        "{INIT}CREATE PROCEDURE fill() BEGIN INSERT INTO held VALUES (2); COMMIT; \
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'enough'; END;"
    );
    for flavour in Flavour::ALL {
        let scene = with(flavour, &init, "INSERT INTO held VALUES (3);\nCALL fill();\n").await;
        for code in ["P3018", "P3009", "P3009"] {
            let said = scene.run(&["deploy"]).expect_code(65).stderr;
            let words = [
                "enough",
                "what CALL has left cannot be told",
                "look at whether statement 2",
                "sends it again",
            ];
            assert_says(&said, &[code]);
            assert_says(&said, &words);
            assert!(!said.contains("remove what stood"), "{said}");
        }
        scene.run(&["resolve", "--resume", "2_next"]).expect_code(0);
    }
}
