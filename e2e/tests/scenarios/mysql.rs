//! MySQL and MariaDB, which commit every change of a table by themselves.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use plimsoll_core::Provider;
use plimsoll_e2e::{Namespace, Release, inject, own_mysql, url_for_pods, with_namespace, within};
use plimsoll_testkit::database::MysqlDatabase;
use plimsoll_testkit::server::Flavour;
use plimsoll_testkit::wait;
use serde_json::json;

/// The label that the controller gives to the pods of the job.
const PODS: &str = "job-name=second";

/// Ten statements that change tables and rows by turns. The sixth has to wait for whoever reads `release_1`.
const TEN: &str = "
    CREATE TABLE crew (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, voyages INT NOT NULL);
    INSERT INTO crew (name, voyages) VALUES ('Noah', 1), ('Jason', 1);
    ALTER TABLE crew ADD COLUMN ship INT NULL;
    UPDATE crew SET voyages = voyages + 1;
    CREATE INDEX crew_name ON crew (name);
    ALTER TABLE release_1 ADD COLUMN captain INT NULL;
    UPDATE release_1 SET captain = 1;
    UPDATE crew SET voyages = voyages + 10;
    ALTER TABLE crew DROP COLUMN ship;
    INSERT INTO crew (name, voyages) VALUES ('Darwin', 1);
";

/// A job behind a gate, which asks whether the database is where its image wants it.
fn job(name: &str, image: &str) -> String {
    let url = json!([{
        "name": "DATABASE_URL",
        "valueFrom": { "secretKeyRef": { "name": "database-secret", "key": "database_url" } },
    }]);
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": name },
        "spec": { "template": { "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 5,
            "containers": [{ "name": "app", "image": image, "command": ["plimsoll", "status"], "env": url }],
        } } },
    });
    inject(&job.to_string(), &["--all"])
}

async fn done(ns: &Namespace, name: &str) {
    ns.until(name, "the job is done", |jobs: &[Job]| {
        (jobs.first()?.status.as_ref()?.succeeded == Some(1)).then_some(())
    })
    .await;
}

async fn until_held(database: &MysqlDatabase<'_>) {
    let waiting =
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'Waiting for table metadata lock'";
    wait::until_async("a migration has come to its sixth statement", async || {
        database.value(waiting).await == "1"
    })
    .await;
}

/// The pod goes while its sixth statement waits; the next one finds five done, and does the rest.
async fn a_pod_is_deleted_in_the_middle(flavour: Flavour) {
    let server = own_mysql(flavour);
    let database = within("a database is made", server.database()).await;
    with_namespace(async |ns| {
        ns.secret("database-secret", &[("database_url", &url_for_pods(database.address()))]);
        let first = Release::number(1).provider(Provider::Mysql);
        ns.apply(&job("first", &ns.push(&first)));
        done(ns, "first").await;
        let reader = database.reading("release_1").await;
        ns.apply(&job("second", &ns.push(&Release::number(2).provider(Provider::Mysql).first(TEN))));
        until_held(&database).await;
        let first = ns.pod(PODS, "it is there", |_| true).await;
        ns.delete_pod(&first).await;
        ns.until(&first.name_any(), "the first is gone", |pods: &[Pod]| pods.is_empty().then_some(())).await;
        ns.pod(PODS, "another is there", |pod| pod.metadata.uid != first.metadata.uid).await;
        until_held(&database).await;
        reader.release().await;
        done(ns, "second").await;
        let crew = "SELECT GROUP_CONCAT(CONCAT(name, ' ', voyages) ORDER BY id) FROM crew";
        assert_eq!(database.value(crew).await, "Noah 12,Jason 12,Darwin 1", "nothing was done twice");
        let applied: Vec<String> =
            database.history().await.into_iter().map(|row| row.migration_name).collect();
        assert_eq!(applied, [1, 2].map(Release::migration));
    })
    .await;
}

#[tokio::test]
async fn a_pod_that_is_deleted_in_the_middle_of_ten_statements_on_mysql_is_followed_by_one_that_finishes() {
    a_pod_is_deleted_in_the_middle(Flavour::Mysql).await;
}

#[tokio::test]
async fn a_pod_that_is_deleted_in_the_middle_of_ten_statements_on_mariadb_is_followed_by_one_that_finishes() {
    a_pod_is_deleted_in_the_middle(Flavour::Mariadb).await;
}
