//! A database that is reached through a proxy beside the application.

use plimsoll_e2e::{Release, cluster, init, inject, restarts};

use crate::scene::{APP, application, applied, with_scene};

/// A native sidecar, which is started before the containers behind it and runs on. The startup probe makes them wait.
const PROXY: &str = "
      initContainers:
        - name: database-proxy
          image: IMAGE
          command: [backend, forward, \"0.0.0.0:5432\", \"HOST\"]
          restartPolicy: Always
          startupProbe: { tcpSocket: { port: 5432 }, periodSeconds: 1 }
      containers:";

#[tokio::test]
async fn a_gate_behind_a_native_sidecar_reaches_the_database_through_it() {
    with_scene(async |ns, database| {
        let image = ns.push(&Release::number(1));
        let url = database.address().port(5432).url();
        assert!(url.contains("@127.0.0.1:5432/"), "the proxy is on the pod's own address");
        ns.secret("database-secret", &[("database_url", &url)]);
        let server = format!("{}:{}", cluster().host(), database.server().port());
        let proxy = PROXY.replace("IMAGE", &image).replace("HOST", &server);
        ns.apply(&inject(
            &application(&image).replace(
                "
      containers:",
                &proxy,
            ),
            &[],
        ));
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!(init(&pod, "database-proxy").unwrap().started, Some(true));
        assert_eq!(restarts(&pod), 0);
        assert_eq!(applied(database).await, [Release::migration(1)]);
    })
    .await;
}
