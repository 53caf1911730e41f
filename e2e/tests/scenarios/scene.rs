//! A namespace, a database, and a gated application between the two.

use plimsoll_e2e::{Namespace, in_namespace, inject, postgres, url_for_pods, within};
use plimsoll_testkit::database::Database;
use plimsoll_testkit::wait;
use serde_json::{Value, json};
use tokio_postgres::Client;

/// The pods of [`deployment`].
pub(crate) const APP: &str = "app=my-backend";

/// Runs a scenario with a namespace and an empty database, whose URL is in the Secret `database-secret`.
pub(crate) async fn with_scene(scenario: impl AsyncFnOnce(&Namespace, &Database<'_>)) {
    with_scene_labelled(&json!({}), scenario).await;
}

/// The same with labels on the namespace.
pub(crate) async fn with_scene_labelled(
    labels: &Value,
    scenario: impl AsyncFnOnce(&Namespace, &Database<'_>),
) {
    let database = within("a database is made", postgres().database()).await;
    in_namespace(labels, async |ns| {
        ns.secret("database-secret", &[("database_url", &url_for_pods(database.address()))]);
        scenario(ns, &database).await;
    })
    .await;
}

/// The application with a gate before it, as `plimsoll inject` makes it by default.
pub(crate) fn deployment(image: &str) -> String {
    inject(&application(image), &[])
}

/// The application as somebody wrote it who has not heard of gates.
pub(crate) fn application(image: &str) -> String {
    APPLICATION.replace("IMAGE", image).replace("URL", URL)
}

/// The entry that gives the application its URL.
pub(crate) const URL: &str =
    "{ name: DATABASE_URL, valueFrom: { secretKeyRef: { name: database-secret, key: database_url } } }";

const APPLICATION: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata: { name: my-backend-deployment }
spec:
  replicas: 1
  selector: { matchLabels: { app: my-backend } }
  strategy: { rollingUpdate: { maxUnavailable: 0 } }
  template:
    metadata: { labels: { app: my-backend } }
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: my-backend-app
          image: IMAGE
          env:
            - URL
          ports: [{ containerPort: 3000 }]
          readinessProbe: { httpGet: { port: 3000 }, periodSeconds: 1 }
";

/// The statement at which a migration stops for as long as [`Held`] is held.
pub(crate) const STOP: &str = "SELECT pg_advisory_xact_lock(4711);";

/// Holds every migration that comes to its [`STOP`].
pub(crate) struct Held {
    _connection: Client,
}

impl Held {
    /// From now on until it is dropped.
    pub(crate) async fn over(database: &Database<'_>) -> Self {
        let connection = database.connect().await;
        connection.batch_execute("SELECT pg_advisory_lock(4711)").await.unwrap();
        Self { _connection: connection }
    }
}

/// Returns when a migration is held.
pub(crate) async fn until_held(database: &Database<'_>) {
    let waiting =
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted";
    wait::until_async("a migration has come to its stop", async || database.value(waiting).await == "1")
        .await;
}

/// The names of the migrations that count as applied, in their order.
pub(crate) async fn applied(database: &Database<'_>) -> Vec<String> {
    let rows = database.history().await.into_iter();
    let done = rows.filter(|row| row.finished_at.is_some() && row.rolled_back_at.is_none());
    done.map(|row| row.migration_name).collect()
}
