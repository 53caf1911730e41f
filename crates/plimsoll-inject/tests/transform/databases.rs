//! Which database a gate goes to. What is taken for the same and is not loses migrations.

use plimsoll_inject::{Facts, inject};
use serde_json::{Value, json};

use crate::support::{app, gated_one, given, init_containers, pod_in_deployment, told, trouble};

/// A container that migrates and then starts, with its URL from this Secret.
fn starts(name: &str, image: &str, secret: &str) -> Value {
    let url = json!({"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": secret, "key": "url"}}});
    let script = "npx prisma migrate deploy && node x";
    json!({"name": name, "image": image, "command": ["sh", "-c", script], "env": [url]})
}

fn pod(containers: &[Value]) -> Value {
    pod_in_deployment(json!({"containers": containers}))
}

#[test]
fn a_migration_of_another_database_or_image_does_not_leave_the_manifest() {
    let orders = starts("orders", "shop:1", "orders-db");
    let cannot = |other: Value| {
        let trouble = trouble(&[pod(&[orders.clone(), other])], &[]);
        assert!(trouble.starts_with("PLM433"), "{trouble}");
        assert!(trouble.contains("with another image, database, directory or other arguments"), "{trouble}");
    };
    cannot(starts("stock", "shop:1", "stock-db"));
    cannot(starts("stock", "stock:1", "orders-db"));
    let mut other = starts("stock", "shop:1", "orders-db");
    other["envFrom"] = json!([{"secretRef": {"name": "direct"}}]);
    cannot(other);
    let mut other = starts("stock", "shop:1", "orders-db");
    other["workingDir"] = json!("/stock");
    cannot(other);
}

#[test]
fn one_migration_in_two_containers_is_one_gate() {
    let object = pod(&[starts("a", "shop:1", "db"), starts("b", "shop:1", "db")]);
    let gated = gated_one(&object, &[]);
    let pod = &gated["spec"]["template"]["spec"];
    assert_eq!(pod["initContainers"].as_array().unwrap().len(), 1);
    assert!(!pod["containers"].to_string().contains("prisma"));
}

#[test]
fn an_init_container_of_another_image_does_not_take_a_start_command_over() {
    let mut init = starts("mig-core", "core:1", "core-db");
    init["command"] = json!(["npx", "prisma", "migrate", "deploy"]);
    let object = pod_in_deployment(
        json!({"initContainers": [init], "containers": [starts("web", "web:1", "shop-db")]}),
    );
    assert!(trouble(&[object], &[]).starts_with("PLM433"));
}

#[test]
fn the_same_path_on_another_volume_is_another_database() {
    let on = |name: &str, volume: &str| {
        let mut container = starts(name, "shop:1", "unused");
        container["env"] = json!([{"name": "DATABASE_URL", "value": "file:/data/app.db"}]);
        container["volumeMounts"] = json!([{"name": volume, "mountPath": "/data"}]);
        container
    };
    assert!(trouble(&[pod(&[on("a", "one"), on("b", "two")])], &[]).starts_with("PLM433"));
    gated_one(&pod(&[on("a", "one"), on("b", "one")]), &[]);
}

/// The containers of a Job start together.
#[test]
fn a_gate_among_the_containers_of_a_job_does_not_take_over_a_start_command_beside_it() {
    let mut only = starts("only", "shop:1", "db");
    only["command"] = json!(["npx", "prisma", "migrate", "deploy"]);
    let web = starts("web", "shop:1", "db");
    for containers in [[only.clone(), web.clone()], [web, only]] {
        let pod = json!({"restartPolicy": "Never", "containers": containers});
        let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "m"}, "spec": {"template": {"spec": pod}}});
        assert!(trouble(&[job], &[]).contains("another container of this pod migrates at the same time"));
    }
}

#[test]
fn a_gate_made_from_another_container_does_not_take_over_a_start_command() {
    let object = pod(&[starts("web", "shop:1", "db"), app()]);
    let trouble = trouble(&[object], &[("container", "app")]);
    assert!(trouble.contains("the gate is made from `app`, which has another image, database or directory"));
}

/// A container that reads from a replica stands often enough before the one that migrates.
#[test]
fn one_of_several_urls_has_to_be_named() {
    let with = |name: &str, url: &str| json!({"name": name, "image": "shop:1", "env": [{"name": "DATABASE_URL", "value": url}]});
    let object = pod(&[with("metrics", "postgres://ro@replica/shop"), with("web", "postgres://o@db/shop")]);
    let unclear = trouble(std::slice::from_ref(&object), &[]);
    assert!(unclear.starts_with("PLM432"), "{unclear}");
    assert!(unclear.contains("the gate could take its URL from any of `metrics`, `web`"), "{unclear}");
    let gated = gated_one(&object, &[("container", "web")]);
    assert_eq!(init_containers(&gated)[0]["env"][0]["value"], "postgres://o@db/shop");
    gated_one(&object, &[("secret", "owner/url")]);
}

#[test]
fn containers_with_one_url_may_differ_in_everything_else() {
    let with = |name: &str, url: &str| {
        let env = json!([{"name": "PORT", "value": name}, {"name": "DATABASE_URL", "value": url}, {"name": "HOST", "value": name}]);
        json!({"name": name, "image": "shop:1", "env": env, "envFrom": [{"configMapRef": {"name": name}}]})
    };
    let url = "postgres://o@db/shop";
    assert_eq!(init_containers(&gated_one(&pod(&[with("a", url), with("b", url)]), &[])).len(), 1);
    let url = "postgres://o@$(HOST)/shop";
    assert!(trouble(&[pod(&[with("a", url), with("b", url)])], &[]).contains("its URL"));
    let url = "postgres://$(USER)@db/shop";
    assert!(trouble(&[pod(&[with("a", url), with("b", url)])], &[]).contains("its URL"));
}

fn with_sources(entries: &[&str]) -> Value {
    let entry = |name: &&str| json!({"name": name, "value": "postgres://h/d"});
    let entries: Vec<Value> = entries.iter().map(entry).collect();
    json!({"name": "web", "image": "shop:1", "env": entries, "envFrom": [{"secretRef": {"name": "all"}}]})
}

/// The image may have a `.env` with a `DIRECT_URL` of another database, which a variable would have won over.
#[test]
fn a_variable_that_may_be_in_the_sources_brings_them_along() {
    let sources = |container: Value, facts: &Facts| {
        let documents = [pod(&[container])];
        let injected = inject(&documents, &given(&[]), facts, &|_, _| None).unwrap();
        init_containers(&injected.documents[0])[0].get("envFrom").cloned()
    };
    let all = Some(json!([{"secretRef": {"name": "all"}}]));
    assert_eq!(sources(with_sources(&["DATABASE_URL"]), &Facts::default()), all);
    assert_eq!(sources(with_sources(&["DATABASE_URL", "DIRECT_URL"]), &Facts::default()), None);
    assert_eq!(sources(with_sources(&["DATABASE_URL", "PLIMSOLL_URL"]), &Facts::default()), None);
    let facts = |variables: &[&str]| Facts {
        url_variable: Some("DATABASE_URL".to_owned()),
        variables: variables.iter().map(|&name| name.to_owned()).collect(),
        ..Facts::default()
    };
    assert_eq!(sources(with_sources(&["DATABASE_URL"]), &facts(&["DATABASE_URL"])), None);
    assert_eq!(sources(with_sources(&["DATABASE_URL"]), &facts(&["DIRECT", "DATABASE_URL"])), all);
    let mut migrates = with_sources(&["DATABASE_URL", "DIRECT_URL"]);
    migrates["command"] = json!(["sh", "-c", "npx prisma migrate deploy && node x"]);
    assert_eq!(sources(migrates, &Facts::default()), all);
}

#[test]
fn a_secret_for_the_gate_alone_leaves_the_sources_of_the_application_behind() {
    let gated = gated_one(&pod(&[with_sources(&["DATABASE_URL"])]), &[("secret", "owner/url")]);
    assert_eq!(init_containers(&gated)[0].get("envFrom"), None);
}

#[test]
fn a_url_that_the_command_set_is_not_said_to_be_missing() {
    let command = json!(["sh", "-c", "DATABASE_URL=file:/data/x npx prisma migrate deploy && node x"]);
    let told = told(&[pod(&[json!({"name": "web", "image": "shop:1", "command": command})])], &[]);
    assert!(told.contains("`DATABASE_URL` is what the command set it to"), "{told}");
    assert!(!told.contains("no entry is called"), "{told}");
}
