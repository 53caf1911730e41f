//! The manifest and the application that people have, with nothing changed in either but what `inject` changes.

use plimsoll_e2e::{Namespace, inject, push_example, restarts, terminated, url_for_pods};

use crate::scene::{APP, applied, with_scene};

/// An init container with `npx prisma migrate deploy`, as many have it.
const BEFORE: &str = include_str!("../../../examples/backend/k8s/before/deployment.yaml");

#[tokio::test]
async fn the_usual_manifest_with_npx_prisma_is_gated_by_one_command() {
    with_scene(async |ns, database| {
        push_example("my-backend-image:latest", &url_for_pods(database.address()));
        ns.apply(&inject(BEFORE, &[]));
        let migrations = applied_by(ns, "prisma-migrate").await;
        assert!(migrations.starts_with("3 applied"), "{migrations}");
        assert_eq!(applied(database).await.len(), 3);
        assert_eq!(inject(&inject(BEFORE, &[]), &["--remove"]), BEFORE);
    })
    .await;
}

#[tokio::test]
async fn the_same_without_any_init_container_is_gated_too() {
    with_scene(async |ns, database| {
        // `latest` is the other scenario's, and what is not `latest` is not pulled again.
        let image = format!("my-backend-image:{}", ns.name());
        push_example(&image, &url_for_pods(database.address()));
        let (before, after) = BEFORE.split_once("      initContainers:\n").unwrap();
        let (_, after) = after.split_once("      containers:\n").unwrap();
        let ungated =
            format!("{before}      containers:\n{after}").replace("my-backend-image:latest", &image);
        ns.apply(&inject(&ungated, &["--secret=database-secret/database_url"]));
        let migrations = applied_by(ns, "plimsoll").await;
        assert!(migrations.starts_with("3 applied"), "{migrations}");
        assert_eq!(applied(database).await.len(), 3);
    })
    .await;
}

/// Waits until the example serves; returns what its gate left as its last words.
async fn applied_by(ns: &Namespace, gate: &str) -> String {
    ns.rollout_done("my-backend-deployment").await;
    let pod = ns.pod(APP, "it is there", |_| true).await;
    let line = ns.log_says(&pod, "my-backend-app", "listening").await;
    assert!(line.contains("\"message\":\"listening\""), "{line}");
    assert!(ns.ask(&pod).await.contains("ok"));
    assert_eq!(restarts(&pod), 0);
    terminated(&pod, gate).unwrap().message.clone().unwrap()
}
