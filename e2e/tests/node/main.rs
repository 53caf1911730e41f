//! What happens to everybody on a node. This is a program of its own, which Cargo runs when no other scenario does.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails the test")]

#[path = "../scenarios/scene.rs"]
mod scene;

use plimsoll_e2e::{Release, kill_containerd, kill_containerd_while, restarts, terminated};
use tokio::sync::Mutex;

use scene::{APP, Held, STOP, applied, deployment, until_held, with_scene};

/// The node is one: what is done to it for one scenario must not happen to another.
static NODE: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn a_migration_goes_on_while_containerd_is_killed_and_started_again() {
    let _mine = NODE.lock().await;
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

/// Nobody knows with which exit code it ended: the kubelet starts it again, and it finds nothing to do.
#[tokio::test]
async fn a_gate_that_ends_while_nobody_watches_has_applied_its_migrations_once() {
    let _mine = NODE.lock().await;
    with_scene(async |ns, database| {
        let image = ns.push(&Release::number(1).first(STOP));
        let held = Held::over(database).await;
        ns.apply(&deployment(&image));
        until_held(database).await;
        kill_containerd_while(|| drop(held));
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!(terminated(&pod, "plimsoll").unwrap().exit_code, 0);
        assert_eq!(applied(database).await, [Release::migration(1)]);
        assert_eq!(database.history().await.len(), 1, "nobody has tried in vain");
    })
    .await;
}
