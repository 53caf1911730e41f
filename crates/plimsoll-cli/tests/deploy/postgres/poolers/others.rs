//! Poolers that are not PgBouncer: known by what they do.

use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::pooler::{Keys, Likeness, Notices, Pooler};
use plimsoll_testkit::server::{Role, Version};
use plimsoll_testkit::transcript::Transcript;

use super::{LOCK, Says};
use crate::scene::{Kind, Scene, assert_says};

const CONCURRENTLY: &str = "CREATE INDEX CONCURRENTLY ship_id ON ship (id);";

async fn scene() -> Scene {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await;
    scene
        .migration("1_init", "CREATE TABLE ship (id INT);")
        .migration("2_rows", "SET search_path = ''; INSERT INTO public.ship VALUES (1);")
}

fn before(scene: &Scene, likeness: Likeness) -> Pooler {
    Pooler::start(scene.postgres().server().port(), scene.postgres().name(), likeness)
}

/// One that knows nothing of notifications.
fn plain(keys: Keys) -> Likeness {
    Likeness { size: 2, keys, notices: Notices::OfServer }
}

fn deploy(scene: &Scene, pooler: &Pooler, says: Says) -> Transcript {
    let address = scene.postgres().address().role(Role::Trusted).port(pooler.port());
    let address = if says == Says::Pooler { address.parameter("pgbouncer", "true") } else { address };
    plimsoll(&scene.project).arg("deploy").env("DATABASE_URL", address.url()).run()
}

/// The pooler still has its connections, and with them what was left there.
async fn nothing_is_left(scene: &Scene, pooler: &Pooler) {
    assert!(pooler.connections() > 0);
    assert_eq!(scene.base.value(&format!("SELECT count(*) FROM {LOCK}")).await, "0");
}

#[tokio::test]
async fn migrations_are_applied_once_and_no_lock_is_left() {
    let known = [(Keys::Made, Says::Nothing), (Keys::Made, Says::Pooler), (Keys::OfServer, Says::Pooler)];
    for (keys, says) in known {
        let scene = scene().await;
        let pooler = before(&scene, plain(keys));
        deploy(&scene, &pooler, says).expect_code(0);
        assert_eq!(scene.applied().await, ["1_init", "2_rows"], "{keys:?} {says:?}");
        nothing_is_left(&scene, &pooler).await;
        assert_eq!(deploy(&scene, &pooler, says).expect_code(0).stdout, "up to date\n");
    }
}

/// Each transaction gets the same connection here. That it is not kept is told by what arrives in between: nothing; or something
/// though the server's session does not listen; or by a second client, who gets the same one; or by who answers when all is over.
#[tokio::test]
async fn a_connection_that_looks_like_our_own_is_not_taken_for_it() {
    let one_for_all = Likeness { size: 1, keys: Keys::Made, notices: Notices::Both };
    for (likeness, says) in [
        (plain(Keys::Made), Says::Nothing),
        (plain(Keys::OfServer), Says::Pooler),
        (Likeness { notices: Notices::Own, ..plain(Keys::Made) }, Says::Nothing),
        (one_for_all, Says::Nothing),
        (Likeness { notices: Notices::UntilUnlistened, ..plain(Keys::Made) }, Says::Nothing),
    ] {
        let scene = scene().await.migration("3_index", CONCURRENTLY);
        let pooler = before(&scene, likeness);
        let refused = deploy(&scene, &pooler, says).expect_code(78);
        assert_says(&refused.stderr, &["PLM230", "`3_index`", "directUrl", "nothing was applied"]);
        assert_eq!(scene.base.value("SELECT to_regclass('ship') IS NULL").await, "t");
        nothing_is_left(&scene, &pooler).await;
        scene.deployed();
    }
}
