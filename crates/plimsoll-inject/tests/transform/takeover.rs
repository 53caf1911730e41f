//! Prisma commands that are there already.

use serde_json::{Value, json};

use crate::support::{app, deployment, gated_one, init_containers, pod_in_deployment, trouble, try_inject};

fn start(script: &str) -> Value {
    let mut app = app();
    app["command"] = json!(["sh", "-c", script]);
    deployment(app)
}

fn prisma_init(fields: &Value) -> Value {
    let mut init =
        json!({"name": "migrate", "image": "shop:1", "command": ["npx", "prisma", "migrate", "deploy"]});
    init.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    pod_in_deployment(
        json!({"initContainers": [{"name": "first", "image": "a"}, init], "containers": [app()]}),
    )
}

#[test]
fn the_migration_leaves_the_start_command() {
    let gated = gated_one(
        &start("cd /srv && A=b npx prisma migrate deploy --schema=db/schema.prisma && node dist/index.js"),
        &[],
    );
    assert_eq!(
        gated["spec"]["template"]["spec"]["containers"][0]["command"],
        json!(["sh", "-c", "cd /srv && node dist/index.js"])
    );
    let gate = &init_containers(&gated)[0];
    assert_eq!(
        (&gate["command"], &gate["args"]),
        (&json!(["plimsoll", "deploy"]), &json!(["--schema=db/schema.prisma"]))
    );
    assert_eq!(gate["workingDir"], "/srv");
    assert!(gate["env"].as_array().unwrap().contains(&json!({"name": "A", "value": "b"})));
}

/// Two of them would contradict each other, and the gate would not start.
#[test]
fn a_secret_is_the_only_url_of_a_container_that_becomes_the_gate() {
    let env =
        json!([{"name": "DATABASE_URL", "value": "x"}, {"name": "PLIMSOLL_URL_FILE", "value": "/run/url"}]);
    let object = prisma_init(&json!({"env": env}));
    let gate = &init_containers(&gated_one(&object, &[("secret", "owner/url")]))[1];
    let value = |wanted: &str| gate["env"].as_array().unwrap().iter().find(|entry| entry["name"] == wanted);
    assert_eq!(value("PLIMSOLL_URL_FILE").unwrap()["value"], "");
    assert_eq!(value("PLIMSOLL_URL").unwrap()["valueFrom"]["secretKeyRef"]["name"], "owner");
}

/// The API server would refuse such a name; a gate that is told and not there would be worse.
#[test]
fn a_container_is_found_whatever_its_name_is() {
    let init = &init_containers(&gated_one(&prisma_init(&json!({"name": "db/migrate~1"})), &[]))[1];
    assert_eq!(init["command"], json!(["plimsoll", "deploy"]));
    let mut object = start("prisma migrate deploy && node .");
    object["spec"]["template"]["spec"]["containers"][0]["name"] = json!("a/b");
    let gated = gated_one(&object, &[]);
    let left = &gated["spec"]["template"]["spec"]["containers"][0]["command"];
    assert_eq!(left, &json!(["sh", "-c", "node ."]));
}

#[test]
fn a_container_keeps_what_it_has_when_it_becomes_the_gate() {
    let own = json!({
        "resources": {"limits": {"memory": "1Gi"}},
        "securityContext": {"runAsUser": 1000, "readOnlyRootFilesystem": false},
        "env": [{"name": "PLIMSOLL_POD", "value": "mine"}],
        "volumeMounts": [{"name": "x", "mountPath": "/x"}],
    });
    let containers = init_containers(&gated_one(&prisma_init(&own), &[]));
    assert_eq!(containers.len(), 2);
    let gate = &containers[1];
    assert_eq!(gate["resources"], own["resources"]);
    assert_eq!(gate["securityContext"]["runAsUser"], 1000);
    assert_eq!(gate["securityContext"]["readOnlyRootFilesystem"], false);
    assert_eq!(gate["securityContext"]["allowPrivilegeEscalation"], false);
    assert_eq!(gate["env"][0], own["env"][0]);
    assert_eq!(gate["volumeMounts"], own["volumeMounts"]);
    assert_eq!(gate["command"], json!(["plimsoll", "deploy"]));
}

#[test]
fn a_container_without_limits_gets_none_when_it_becomes_the_gate() {
    let gate = &init_containers(&gated_one(&prisma_init(&json!({})), &[]))[1];
    assert_eq!(gate["resources"], json!({"requests": {"cpu": "10m", "memory": "32Mi"}}));
}

#[test]
fn a_container_that_says_it_is_root_is_not_told_that_it_is_not() {
    let gate =
        &init_containers(&gated_one(&prisma_init(&json!({"securityContext": {"runAsUser": 0}})), &[]))[1];
    assert_eq!(gate["securityContext"]["runAsUser"], 0);
    assert!(gate["securityContext"].get("runAsNonRoot").is_none());
}

/// The API server refuses a container that is privileged and must not become it.
#[test]
fn a_container_that_is_privileged_is_not_told_that_it_must_not_become_it() {
    let forbids = |own: Value| {
        let gate = &init_containers(&gated_one(&prisma_init(&json!({"securityContext": own})), &[]))[1];
        gate["securityContext"].get("allowPrivilegeEscalation") == Some(&json!(false))
    };
    assert!(!forbids(json!({"privileged": true})));
    assert!(!forbids(json!({"capabilities": {"add": ["SYS_ADMIN"]}})));
    assert!(!forbids(json!({"capabilities": {"add": ["NET_ADMIN", "CAP_SYS_ADMIN"]}})));
    assert!(forbids(json!({"privileged": false, "capabilities": {"add": ["NET_ADMIN"]}})));
    assert!(forbids(json!({})));
}

#[test]
fn a_variable_that_was_set_for_the_command_alone_wins() {
    let own = json!({
        "command": ["sh", "-c", "DATABASE_URL=file:/x npx prisma migrate deploy"],
        "env": [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}],
    });
    let gate = &init_containers(&gated_one(&prisma_init(&own), &[]))[1];
    assert_eq!(gate["env"][0], json!({"name": "DATABASE_URL", "value": "file:/x"}));
}

#[test]
fn a_secret_replaces_the_url_of_the_gate_alone() {
    let gated = gated_one(&prisma_init(&app()), &[("secret", "owner/url")]);
    let reference = json!({"secretKeyRef": {"name": "owner", "key": "url"}});
    let pod = &gated["spec"]["template"]["spec"];
    assert_eq!(pod["initContainers"][1]["env"][0]["valueFrom"], reference);
    assert_eq!(pod["containers"][0]["env"], app()["env"]);
}

#[test]
fn the_container_of_a_migration_job_is_the_gate() {
    let mut app = app();
    app["command"] = json!(["npx", "prisma", "migrate", "deploy"]);
    let pod = json!({"restartPolicy": "Never", "containers": [app]});
    let object = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "m"}, "spec": {"template": {"spec": pod}}});
    let pod = &gated_one(&object, &[])["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["command"], json!(["plimsoll", "deploy"]));
    assert!(pod.get("initContainers").is_none());
}

#[test]
fn what_cannot_be_taken_over_names_the_ways_on() {
    insta::assert_snapshot!(trouble(&[start("npx prisma migrate deploy || true; node x")], &[]), @r#"
    PLM433: `Deployment/shop`: the Prisma command of container `app` cannot be taken over: it has `||` in its script
    to put the gate before it and leave it as it is: `--existing keep`, or `plimsoll.dev/existing: keep` on the workload
    to leave it alone: `plimsoll.dev/inject: "false"` among its labels or annotations
    "#);
    let seeds = json!({"command": ["sh", "-c", "npx prisma migrate deploy && npx prisma db seed"]});
    assert!(
        trouble(&[prisma_init(&seeds)], &[])
            .contains("it does more than `npx prisma migrate deploy` in one init container")
    );
}

#[test]
fn what_cannot_be_taken_over_can_be_kept_behind_the_gate() {
    let script = "npx prisma migrate deploy || true; node x";
    let gated = gated_one(&start(script), &[("existing", "keep")]);
    assert_eq!(gated["spec"]["template"]["spec"]["containers"][0]["command"][2], script);
    assert_eq!(init_containers(&gated)[0]["name"], "plimsoll");
}

#[test]
fn pushing_a_schema_is_not_deploying_and_stays() {
    let gated = gated_one(&start("npx prisma db push && node x"), &[]);
    assert_eq!(
        gated["spec"]["template"]["spec"]["containers"][0]["command"][2],
        "npx prisma db push && node x"
    );
}

#[test]
fn a_password_in_a_command_is_not_told() {
    let object = start("DATABASE_URL=postgres://u:hunter2@h/d npx prisma migrate deploy && node x");
    let injected = try_inject(&[object], &[]).unwrap();
    assert!(!format!("{:?}", injected.outcomes).contains("hunter2"));
}

#[test]
fn two_that_migrate_differently_are_not_made_one() {
    let mut object = prisma_init(&json!({"env": app()["env"]}));
    let script = "npx prisma migrate deploy --schema=other && node x";
    object["spec"]["template"]["spec"]["containers"][0]["command"] = json!(["sh", "-c", script]);
    assert!(
        trouble(std::slice::from_ref(&object), &[]).contains("another container of this pod migrates too")
    );
    object["spec"]["template"]["spec"]["containers"][0]["command"][2] =
        json!("npx prisma migrate deploy && node x");
    let gated = gated_one(&object, &[]);
    assert_eq!(gated["spec"]["template"]["spec"]["containers"][0]["command"][2], "node x");
    assert_eq!(init_containers(&gated).len(), 2);
}

#[test]
fn a_url_that_a_command_set_for_itself_does_not_win_over_the_secret() {
    let script = "DATABASE_URL=application A=b npx prisma migrate deploy";
    for object in
        [prisma_init(&json!({"command": ["sh", "-c", script]})), start(&format!("{script} && node x"))]
    {
        let gated = gated_one(&object, &[("secret", "owner/url")]);
        let gate = init_containers(&gated).pop().unwrap();
        let env = gate["env"].as_array().unwrap();
        assert_eq!(env[0]["valueFrom"]["secretKeyRef"]["name"], "owner");
        assert!(
            env.contains(&json!({"name": "A", "value": "b"}))
                && !gate["env"].to_string().contains("application")
        );
    }
}

#[test]
fn variables_of_kubernetes_are_filled_in_as_before() {
    let own = json!({
        "command": ["npx", "prisma", "migrate", "deploy", "--schema=$(DIR)/$$(x)"],
        "env": [{"name": "DIR", "value": "/srv"}],
    });
    let gate = &init_containers(&gated_one(&prisma_init(&own), &[]))[1];
    assert_eq!(gate["command"], json!(["plimsoll", "deploy", "--schema=$(DIR)/$$(x)"]));
    let own = json!({"command": ["sh", "-c", "A='$(DIR)' npx prisma migrate deploy"], "env": own["env"]});
    let gate = &init_containers(&gated_one(&prisma_init(&own), &[]))[1];
    assert_eq!(gate["env"][1], json!({"name": "A", "value": "$(DIR)"}));
}

#[test]
fn an_init_container_that_passed_over_a_failure_is_told() {
    let injected = try_inject(
        &[prisma_init(&json!({"command": ["sh", "-c", "npx prisma migrate deploy; echo done"]}))],
        &[],
    );
    let reasons = injected.unwrap().outcomes[0].reasons.join("\n");
    assert!(reasons.contains("a migration that failed used to be passed over; now it is not"), "{reasons}");
}

#[test]
fn a_start_command_keeps_what_depended_on_what() {
    let gated = gated_one(&start("cd /srv && npx prisma migrate deploy; node x"), &[]);
    assert_eq!(gated["spec"]["template"]["spec"]["containers"][0]["command"][2], "cd /srv; node x");
    let mixed = trouble(&[start("set -e; cd /srv && npx prisma migrate deploy; node x")], &[]);
    assert!(
        mixed.starts_with("PLM433") && mixed.contains("it stands behind `&&` where `set -e` is on"),
        "{mixed}"
    );
}
