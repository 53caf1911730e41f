//! The same objects, of which another version of the server or another user is told.

use plimsoll_testkit::server::{self, Flavour, Login};

use super::super::super::verdict::Verdict;
use super::{Scene, session};

/// An upgrade restarts the server, and so ends what it was doing: just then there are facts of the old one in a row.
#[tokio::test]
async fn what_another_version_writes_otherwise_is_not_taken_for_a_definition() {
    const CASE: (&str, &str) = ("CREATE TABLE ship (a INT)", "ALTER TABLE ship ADD COLUMN b INT");
    let mut old = Scene::new(Flavour::OldMysql, CASE).await;
    let mut new = Scene::new(Flavour::Mysql, CASE).await;
    let ([before, _], [now, _]) = (old.facts().await, new.facts().await);
    assert!(matches!(new.verdict(&before, &now), Verdict::Unclear(_)), "{before:?} {now:?}");
    assert_eq!(new.verdict(&now, &now), Verdict::NotYet);
}

#[tokio::test]
async fn what_another_user_may_not_see_is_not_taken_for_a_definition() {
    const ROUTINE: &str = "CREATE PROCEDURE sail() SELECT 1";
    for flavour in Flavour::ALL {
        let database = server::mysql(flavour).database().await;
        let mut scene =
            Scene::of(database, Login::Root, (ROUTINE, "ALTER PROCEDURE sail COMMENT 'sails'")).await;
        let before = scene.facts().await;
        scene.session = session(&scene.database, Login::Native).await;
        let now = scene.facts().await;
        assert_ne!(before[1], now[1], "{flavour:?}");
        let verdict = scene.verdict(&before[0], &now[0]);
        assert!(matches!(verdict, Verdict::Unclear(_)), "{flavour:?}: {verdict:?}");
    }
}
