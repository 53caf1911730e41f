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

fn behind(proxy: &Value, url: &Value) -> Value {
    let mut url = url.clone();
    url["name"] = json!("DATABASE_URL");
    let script = "npx prisma migrate deploy && node x";
    let web = json!({"name": "web", "image": "shop:1", "command": ["sh", "-c", script], "env": [url]});
    pod(&[web, proxy.clone()])
}

/// Its first attempt would be as hopeless as its last.
#[test]
fn a_gate_does_not_stand_before_the_proxy_that_it_needs() {
    let sql = json!({"name": "sql", "image": "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2"});
    let unknown = json!({"name": "tunnel", "image": "tunnel:1"});
    let local = json!({"value": "postgres://u@127.0.0.1:5432/shop"});
    let unseen = json!({"valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}});
    insta::assert_snapshot!(trouble(&[behind(&sql, &local)], &[]), @r#"
    PLM432: `Deployment/shop`: its URL leads into the pod itself, and a gate is an init container: it ends before `sql` starts
    make the proxy a native sidecar: an init container with `restartPolicy: Always`, before the gate
    or migrate where the application starts: `plimsoll exec -- CMD` as its command, and `plimsoll.dev/inject: "false"`
    if the gate can go another way, give it a URL of its own: `--secret NAME/KEY`
    "#);
    let hidden = trouble(&[behind(&sql, &unseen)], &[]);
    assert!(hidden.contains("its database may be behind a proxy"), "{hidden}");
    assert!(trouble(&[behind(&unknown, &local)], &[]).contains("it ends before `tunnel` starts"));
    let elsewhere = json!({"value": "postgres://u@db/shop"});
    for (proxy, url) in [(&sql, &elsewhere), (&unknown, &unseen)] {
        gated_one(&behind(proxy, url), &[]);
    }
    assert!(
        told(&[behind(&sql, &elsewhere)], &[]).contains("advice: `sql` starts after every init container")
    );
    gated_one(&behind(&sql, &local), &[("secret", "direct/url")]);
}

#[test]
fn a_native_sidecar_or_the_node_may_be_the_way() {
    let local = json!({"value": "postgres://u@localhost/shop"});
    let mut object = behind(&json!({"name": "metrics", "image": "m:1"}), &local);
    assert!(trouble(std::slice::from_ref(&object), &[]).starts_with("PLM432"));
    let pod = &mut object["spec"]["template"]["spec"];
    pod["hostNetwork"] = json!(true);
    gated_one(&object, &[]);
    let pod = &mut object["spec"]["template"]["spec"];
    pod["hostNetwork"] = json!(false);
    pod["initContainers"] = json!([{"name": "sql", "image": "s:1", "restartPolicy": "Always"}]);
    assert_eq!(init_containers(&gated_one(&object, &[]))[1]["name"], "plimsoll");
}

/// A file that another user made is one that the application can only read.
#[test]
fn the_file_of_a_database_is_made_by_the_user_of_the_application() {
    let context = |security: Value, pod_security: Value, url: &str| {
        let env = json!([{"name": "DATABASE_URL", "value": url}]);
        let web = json!({"name": "web", "image": "shop:1", "env": env, "securityContext": security});
        let object = pod_in_deployment(json!({"securityContext": pod_security, "containers": [web]}));
        let context = init_containers(&gated_one(&object, &[]))[0]["securityContext"].clone();
        (context["runAsUser"].clone(), context["runAsNonRoot"].clone())
    };
    let file = "file:/data/a.db";
    assert_eq!(context(json!({}), json!({}), file), (json!(null), json!(null)));
    assert_eq!(context(json!({"runAsNonRoot": true}), json!({}), file), (json!(null), json!(true)));
    assert_eq!(context(json!({"runAsUser": 0}), json!({}), file), (json!(0), json!(null)));
    assert_eq!(context(json!({}), json!({"runAsUser": 1000}), file), (json!(1000), json!(true)));
    assert_eq!(context(json!({}), json!({}), "postgres://h/d"), (json!(65532), json!(true)));
}

#[test]
fn an_init_container_that_made_the_file_goes_on_as_its_user() {
    let command = json!(["sh", "-c", "DATABASE_URL=file:/data/a.db npx prisma migrate deploy"]);
    let init = json!({"name": "m", "image": "shop:1", "command": command});
    let object = pod_in_deployment(
        json!({"initContainers": [init], "containers": [{"name": "web", "image": "shop:1"}]}),
    );
    let gate = &init_containers(&gated_one(&object, &[]))[0];
    assert_eq!(gate["securityContext"].get("runAsUser"), None);
    assert_eq!(gate["securityContext"].get("runAsNonRoot"), None);
}
