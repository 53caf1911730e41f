//! Workloads other than Deployments, and what they make of the exit codes.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use plimsoll_e2e::{
    Namespace, Release, inject, own_postgres, restarts, terminated, url_for_pods, with_namespace,
};
use plimsoll_testkit::server::{PostgresServer, Stop};
use serde_json::{Value, json};

use crate::scene::{APP, applied, with_scene};

/// Worth another try: the database cannot be reached, or a lock is not free. `docs/exit-codes.md` has the whole table.
const TRY_AGAIN: [i32; 2] = [69, 75];

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
async fn an_init_container_is_restarted_for_what_may_pass_and_for_nothing_else() {
    with_late_database(async |ns, server| {
        let with_rules = |image: &str, name: &str| {
            let mut object = template(&pod(image));
            object["apiVersion"] = "v1".into();
            object["kind"] = "Pod".into();
            object["metadata"] = json!({ "name": name, "labels": { "app": name } });
            let mut object = gated(&object);
            let gate = &mut object["spec"]["initContainers"][0];
            gate["restartPolicy"] = "Never".into();
            gate["restartPolicyRules"] =
                json!([{ "action": "Restart", "exitCodes": { "operator": "In", "values": TRY_AGAIN } }]);
            object.to_string()
        };
        ns.apply(&with_rules(&ns.push(&Release::number(1)), "late"));
        let late = ns.pod("app=late", "its gate was restarted", |pod| restarts(pod) > 0).await;
        assert_eq!(terminated(&late, "plimsoll").map(|it| it.exit_code), Some(69));
        server.start_again();
        ns.pod("app=late", "it has done its work", |pod| is_in_phase(pod, "Succeeded")).await;
        ns.apply(&with_rules(&ns.push(&Release::number(2).first("SELECT * FROM lifeboats;")), "wrong"));
        let wrong = ns.pod("app=wrong", "it has failed", |pod| is_in_phase(pod, "Failed")).await;
        assert_eq!((terminated(&wrong, "plimsoll").unwrap().exit_code, restarts(&wrong)), (65, 0));
    })
    .await;
}

#[tokio::test]
async fn a_job_tries_again_what_may_pass_and_gives_up_at_once_on_what_cannot() {
    with_late_database(async |ns, server| {
        let job = |name: &str, image: &str| {
            gated(&json!({
                "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": name },
                "spec": {
                    "backoffLimit": 6,
                    "podFailurePolicy": { "rules": [
                        { "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget" }] },
                        { "action": "FailJob", "onExitCodes": { "operator": "NotIn", "values": TRY_AGAIN } },
                    ] },
                    "template": template(&pod(image)),
                },
            }))
            .to_string()
        };
        ns.apply(&job("late", &ns.push(&Release::number(1))));
        let failed = |job: &Job| job.status.as_ref().and_then(|status| status.failed).unwrap_or(0);
        ns.until("late", "a pod of the job has failed", |jobs: &[Job]| {
            (failed(jobs.first()?) > 0).then_some(())
        })
        .await;
        server.start_again();
        ns.until("late", "the job is done", |jobs: &[Job]| condition(jobs.first()?, "Complete")).await;
        ns.apply(&job("wrong", &ns.push(&Release::number(2).first("SELECT * FROM lifeboats;"))));
        let (reason, job) = ns
            .until("wrong", "the job has failed", |jobs: &[Job]| {
                condition(jobs.first()?, "Failed").map(|reason| (reason, jobs[0].clone()))
            })
            .await;
        assert_eq!((reason.as_str(), failed(&job)), ("PodFailurePolicy", 1));
    })
    .await;
}

#[tokio::test]
async fn a_stateful_set_and_a_cron_job_are_gated_like_anything_else() {
    with_scene(async |ns, database| {
        let image = ns.push(&Release::number(1));
        let mut serves = pod(&image);
        serves["restartPolicy"] = "Always".into();
        serves["containers"][0]["command"] = json!(["backend", "serve"]);
        ns.apply(&json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "store" },
            "spec": {
                "replicas": 2, "serviceName": "store",
                "selector": { "matchLabels": { "app": "my-backend" } }, "template": template(&serves),
            },
        }).to_string());
        ns.until("store", "both replicas are ready", |sets: &[StatefulSet]| {
            (sets.first()?.status.as_ref()?.ready_replicas == Some(2)).then_some(())
        })
        .await;
        assert_eq!(ns.pods(APP).await.iter().map(restarts).sum::<i32>(), 0);
        let next = ns.push(&Release::number(2));
        ns.apply(&json!({
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": "nightly" },
            "spec": { "schedule": "0 3 * * *", "jobTemplate": { "spec": { "template": template(&pod(&next)) } } },
        }).to_string());
        ns.kubectl(&["create", "job", "tonight", "--from=cronjob/nightly"], "").expect("a job of the cron job");
        ns.until("tonight", "the job is done", |jobs: &[Job]| condition(jobs.first()?, "Complete")).await;
        assert_eq!(applied(database).await, [1, 2].map(Release::migration));
    })
    .await;
}

/// A scenario with a database whose server is down until the scenario starts it.
async fn with_late_database(scenario: impl AsyncFnOnce(&Namespace, &PostgresServer)) {
    let server = own_postgres();
    let database = server.database().await;
    server.stop(Stop::Fast);
    with_namespace(async |ns| {
        ns.secret("database-secret", &[("database_url", &url_for_pods(database.address()))]);
        scenario(ns, &server).await;
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
