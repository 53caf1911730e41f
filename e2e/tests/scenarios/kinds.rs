//! Workloads other than Deployments, and what they make of the exit codes.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use plimsoll_e2e::{
    Namespace, Release, inject, own_postgres, restarts, terminated, url_for_pods, with_namespace, within,
};
use plimsoll_testkit::server::{PostgresServer, Stop};
use serde_json::{Value, json};

use crate::scene::{APP, applied, with_scene};

/// What people are told to write, with the numbers that the program itself has.
const DOCUMENTED: &str = include_str!("../../../docs/exit-codes.md");

/// The manifest under a heading of the documentation, under another name and with an image that there is. It waits for a
/// second only, so that a test does not wait for a minute.
fn documented(heading: &str, name: &str, image: &str) -> String {
    let (_, section) = DOCUMENTED.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, block) = section.split_once("```yaml\n").unwrap();
    let (manifest, _) = block.split_once("```").unwrap();
    let (head, rest) = manifest.split_once("metadata:\n  name: ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let impatient = rest.replace("\"deploy\"]", "\"deploy\", \"--wait=1s\"]");
    assert_ne!(impatient, rest);
    format!("{head}metadata:\n  name: {name}\n{}", impatient.replace("my-backend-image:latest", image))
}

/// A pod whose application looks once whether the database is ready.
fn pod(image: &str) -> Value {
    let url = json!([{
        "name": "DATABASE_URL",
        "valueFrom": { "secretKeyRef": { "name": "database-secret", "key": "database_url" } },
    }]);
    let container = |name: &str, command: &[&str]| json!({ "name": name, "image": image, "command": command, "env": url });
    json!({
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 5,
        "containers": [container("app", &["plimsoll", "status"])],
    })
}

/// A workload with a gate in it that does not wait for long.
fn gated(workload: &Value) -> Value {
    serde_json::from_str(&inject(&workload.to_string(), &["--all", "--wait=1s"])).unwrap()
}

/// The pod in whatever makes pods.
fn template(spec: &Value) -> Value {
    json!({ "metadata": { "labels": { "app": "my-backend" } }, "spec": spec })
}

#[tokio::test]
async fn the_documented_rules_restart_an_init_container_for_what_may_pass_and_for_nothing_else() {
    with_late_database(async |ns, server, url| {
        let manifest = |name: &str, release: &Release| {
            documented("An init container", name, &ns.push(&release.clone().baked_url(url)))
        };
        ns.apply(&manifest("late", &Release::number(1)));
        let late = ns.pod("late", "its gate was restarted", |pod| restarts(pod) > 0).await;
        assert_eq!(terminated(&late, "migrate").map(|it| it.exit_code), Some(69));
        server.start_again();
        ns.pod("late", "its application runs", |pod| is_in_phase(pod, "Running")).await;
        ns.apply(&manifest("wrong", &wrong()));
        let wrong = ns.pod("wrong", "it has failed", |pod| is_in_phase(pod, "Failed")).await;
        assert_eq!((terminated(&wrong, "migrate").unwrap().exit_code, restarts(&wrong)), (65, 0));
    })
    .await;
}

#[tokio::test]
async fn the_documented_job_tries_again_what_may_pass_and_gives_up_at_once_on_what_cannot() {
    with_late_database(async |ns, server, _| {
        ns.apply(&documented("A Job", "late", &ns.push(&Release::number(1))));
        let failed = |job: &Job| job.status.as_ref().and_then(|status| status.failed).unwrap_or(0);
        ns.until("late", "a pod of the job has failed", |jobs: &[Job]| {
            (failed(jobs.first()?) > 0).then_some(())
        })
        .await;
        server.start_again();
        ns.until("late", "the job is done", |jobs: &[Job]| condition(jobs.first()?, "Complete")).await;
        ns.apply(&documented("A Job", "wrong", &ns.push(&wrong())));
        let (reason, job) = ns
            .until("wrong", "the job has failed", |jobs: &[Job]| {
                condition(jobs.first()?, "Failed").map(|reason| (reason, jobs[0].clone()))
            })
            .await;
        assert_eq!((reason.as_str(), failed(&job)), ("PodFailurePolicy", 1));
    })
    .await;
}

/// A release whose last migration cannot be applied.
fn wrong() -> Release {
    Release::number(2).first("SELECT * FROM lifeboats;")
}

#[tokio::test]
async fn a_stateful_set_and_a_cron_job_are_gated_like_anything_else() {
    with_scene(async |ns, database| {
        let image = ns.push(&Release::number(1));
        let mut serves = pod(&image);
        serves["restartPolicy"] = "Always".into();
        serves["containers"][0]["command"] = json!(["backend", "serve"]);
        ns.apply(&gated(&json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "store" },
            "spec": {
                "replicas": 2, "serviceName": "store",
                "selector": { "matchLabels": { "app": "my-backend" } }, "template": template(&serves),
            },
        })).to_string());
        ns.until("store", "both replicas are ready", |sets: &[StatefulSet]| {
            (sets.first()?.status.as_ref()?.ready_replicas == Some(2)).then_some(())
        })
        .await;
        assert_eq!(ns.pods(APP).await.iter().map(restarts).sum::<i32>(), 0);
        let next = ns.push(&Release::number(2));
        ns.apply(&gated(&json!({
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": "nightly" },
            "spec": { "schedule": "0 3 * * *", "jobTemplate": { "spec": { "template": template(&pod(&next)) } } },
        })).to_string());
        ns.kubectl(&["create", "job", "tonight", "--from=cronjob/nightly"], "").expect("a job of the cron job");
        ns.until("tonight", "the job is done", |jobs: &[Job]| condition(jobs.first()?, "Complete")).await;
        assert_eq!(applied(database).await, [1, 2].map(Release::migration));
    })
    .await;
}

/// A scenario with a database whose server is down until the scenario starts it.
async fn with_late_database(scenario: impl AsyncFnOnce(&Namespace, &PostgresServer, &str)) {
    let server = own_postgres();
    let database = within("a database is made", server.database()).await;
    server.stop(Stop::Fast);
    with_namespace(async |ns| {
        let url = url_for_pods(database.address());
        ns.secret("database-secret", &[("database_url", &url)]);
        scenario(ns, &server, &url).await;
    })
    .await;
}

fn is_in_phase(pod: &Pod, phase: &str) -> bool {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some(phase)
}

/// The reason of a condition that is true.
fn condition(job: &Job, kind: &str) -> Option<String> {
    let all = job.status.as_ref()?.conditions.as_ref()?;
    let is_so = all.iter().find(|condition| condition.type_ == kind && condition.status == "True")?;
    Some(is_so.reason.clone().unwrap_or_default())
}
