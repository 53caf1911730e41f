//! What happens to everybody on a node. This is a program of its own, which Cargo runs when no other scenario does.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails the test")]

#[path = "../scenarios/scene.rs"]
mod scene;

use plimsoll_e2e::{Release, kill_containerd, restarts};
use scene::{APP, Held, STOP, applied, deployment, until_held, with_scene};

#[tokio::test]
async fn a_migration_goes_on_while_containerd_is_killed_and_started_again() {
    with_scene(async |ns, database| {
        let image = ns.push(&Release::number(1).first(STOP));
        let held = Held::over(database).await;
        ns.apply(&deployment(&image));
        until_held(database).await;
        kill_containerd();
        drop(held);
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!(restarts(&pod), 0);
        assert_eq!(applied(database).await, [Release::migration(1)]);
        assert_eq!(database.history().await.len(), 1, "nobody has tried in vain");
    })
    .await;
}
