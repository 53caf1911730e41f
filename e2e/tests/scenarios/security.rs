//! Who may do what: in the database, on the node, in the container.

use plimsoll_e2e::{Release, inject, is_running, restarts, url_for_pods};
use plimsoll_testkit::database::Database;
use serde_json::json;

use crate::scene::{APP, URL, application, applied, with_scene, with_scene_labelled};

#[tokio::test]
async fn the_gate_has_a_role_of_its_own_and_the_applications_may_not_change_the_schema() {
    with_scene(async |ns, database| {
        let role = role(database);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN PASSWORD 'hush-app-55e1';\n\
                 ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON TABLES TO {role};"
            ))
            .await;
        let owner = url_for_pods(database.address());
        ns.secret("owner-secret", &[("url", &owner)]);
        ns.secret("database-secret", &[("database_url", &url(database, &role, "hush-app-55e1"))]);
        let app = application(&ns.push(&Release::number(1)));
        let app = app.replace("env:\n", "env:\n            - { name: TRY_DDL, value: please }\n");
        ns.apply(&inject(&app, &["--secret=owner-secret/url"]));
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        ns.log_says(&pod, "my-backend-app", "may not change the schema: 42501").await;
        assert_eq!(applied(database).await, [Release::migration(1)]);
    })
    .await;
}

/// The Secret as files: the gate and the application read the URL from there, whenever they connect.
const MOUNTED: &str = "
      volumes:
        - { name: secret, secret: { secretName: database-secret } }
      containers:
        - name: my-backend-app
          volumeMounts: [{ name: secret, mountPath: /secret }]";

#[tokio::test]
async fn a_password_that_is_rotated_while_the_gate_waits_is_picked_up_without_a_restart() {
    with_scene(async |ns, database| {
        let role = role(database);
        database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'hush-old-0c1d'")).await;
        database.execute(&format!("GRANT CREATE, USAGE ON SCHEMA public TO {role}")).await;
        database.execute(&format!("ALTER ROLE {role} PASSWORD 'hush-new-7e2f'")).await;
        ns.secret("database-secret", &[("database_url", &url(database, &role, "hush-old-0c1d"))]);
        let app = application(&ns.push(&Release::number(1)));
        let app = app.replace("\n      containers:\n        - name: my-backend-app", MOUNTED);
        let app = app.replace(URL, "{ name: PLIMSOLL_URL_FILE, value: /secret/database_url }");
        ns.apply(&inject(&app, &["--env=PLIMSOLL_URL_FILE"]));
        let first = ns.pod(APP, "its gate is at work", |pod| is_running(pod, "plimsoll")).await;
        ns.log_says(&first, "plimsoll", "waiting for up to").await;
        ns.secret("database-secret", &[("database_url", &url(database, &role, "hush-new-7e2f"))]);
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!((&pod.metadata.uid, restarts(&pod)), (&first.metadata.uid, 0));
        assert_eq!(applied(database).await, [Release::migration(1)]);
    })
    .await;
}

/// A name for a role of this database alone: roles belong to the whole server.
fn role(database: &Database<'_>) -> String {
    format!("role_{}", &database.name()[..32])
}

fn url(database: &Database<'_>, role: &str, password: &str) -> String {
    let url = url_for_pods(database.address());
    let (_, place) = url.split_once('@').unwrap();
    format!("postgresql://{role}:{password}@{place}")
}

/// What the profile asks of the application. The gate has what it needs by itself.
const RESTRICTED: &str = "securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, \
                          capabilities: { drop: [ALL] }, seccompProfile: { type: RuntimeDefault } }";

#[tokio::test]
async fn a_gate_passes_where_pod_security_is_restricted() {
    let labels = json!({ "pod-security.kubernetes.io/enforce": "restricted" });
    with_scene_labelled(&labels, async |ns, database| {
        let image = ns.push(&Release::number(1));
        let pod =
            "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}";
        let refused = ns.try_to_apply(pod);
        assert!(refused.stderr.contains("violates PodSecurity"), "it is enforced: {refused:?}");
        let line = format!("image: {image}\n          {RESTRICTED}\n");
        ns.apply(&inject(&application(&image).replace(&format!("image: {image}\n"), &line), &[]));
        ns.rollout_done("my-backend-deployment").await;
        assert_eq!(applied(database).await, [Release::migration(1)]);
    })
    .await;
}

#[tokio::test]
async fn a_user_whom_nobody_knows_migrates_from_a_root_that_cannot_be_written() {
    with_scene(async |ns, database| {
        let image = ns.push(&Release::number(1));
        ns.apply(&inject(&application(&image), &["--run-as-user=1234567890"]));
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        let gate = &pod.spec.as_ref().unwrap().init_containers.as_ref().unwrap()[0];
        assert_eq!(gate.security_context.as_ref().unwrap().read_only_root_filesystem, Some(true));
        assert_eq!(restarts(&pod), 0);
        assert_eq!(applied(database).await, [Release::migration(1)]);
    })
    .await;
}
