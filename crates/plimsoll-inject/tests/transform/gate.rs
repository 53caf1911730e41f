//! What the gate has, and what it has not.

use serde_json::{Value, json};

use crate::support::{app, deployment, gate_of, gated_one, init_containers, pod_in_deployment, trouble};

fn with(fields: &Value) -> Value {
    let mut app = app();
    app.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    app
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .map_or_else(Vec::new, |items| items.iter().map(|item| item["name"].as_str().unwrap()).collect())
}

#[test]
fn the_gate_has_image_policy_and_directory_of_the_application() {
    let gate = gate_of(
        &deployment(with(
            &json!({"imagePullPolicy": "Always", "workingDir": "/srv", "ports": [], "livenessProbe": {}}),
        )),
        &[],
    );
    assert_eq!(
        (&gate["image"], &gate["imagePullPolicy"], &gate["workingDir"]),
        (&json!("shop:1"), &json!("Always"), &json!("/srv"))
    );
    assert!(gate.get("ports").is_none() && gate.get("livenessProbe").is_none());
}

/// The image of a manifest is not what runs once somebody has replaced its tag.
#[test]
fn the_release_is_told_by_the_pods_own_label_or_not_at_all() {
    let release = |object: &Value| {
        let gate = gate_of(object, &[]);
        let entries = gate["env"].as_array().unwrap();
        entries.iter().find(|entry| entry["name"] == "PLIMSOLL_RELEASE").cloned()
    };
    let mut object = deployment(with(&json!({})));
    assert_eq!(release(&object), None);
    object["spec"]["template"]["metadata"] = json!({"labels": {"app.kubernetes.io/version": "1.4.2"}});
    let field = json!({"fieldRef": {"fieldPath": "metadata.labels['app.kubernetes.io/version']"}});
    assert_eq!(release(&object), Some(json!({"name": "PLIMSOLL_RELEASE", "valueFrom": field})));
    let own = json!([{"name": "DATABASE_URL", "value": "x"}, {"name": "PLIMSOLL_RELEASE", "value": "mine"}]);
    let object = deployment(with(&json!({"env": own})));
    assert_eq!(release(&object), Some(json!({"name": "PLIMSOLL_RELEASE", "value": "mine"})));
}

#[test]
fn only_the_variables_that_the_url_needs_come_along() {
    let env = json!([
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
        {"name": "DATABASE_URL", "value": "postgres://u:$(PASSWORD)@h/d"},
        {"name": "DIRECT_URL", "value": "x"},
        {"name": "STRIPE_KEY", "value": "secret"},
        {"name": "PLIMSOLL_WAIT", "value": "5m"},
        {"name": "EXTRA", "value": "y"},
    ]);
    let object = deployment(with(&json!({"env": env})));
    let own = ["PASSWORD", "DATABASE_URL", "DIRECT_URL", "PLIMSOLL_WAIT"];
    assert_eq!(names(&gate_of(&object, &[])["env"])[..4], own);
    assert_eq!(names(&gate_of(&object, &[("copy-env", "EXTRA")])["env"])[4], "EXTRA");
    assert!(trouble(&[object], &[("copy-env", "NONE")]).contains("has no variable `NONE`"));
}

#[test]
fn without_an_entry_the_sources_come_along() {
    let container = json!({"name": "app", "image": "a", "envFrom": [{"secretRef": {"name": "all"}}]});
    let gate = gate_of(&deployment(container), &[("target", "shop")]);
    assert_eq!(gate["envFrom"], json!([{"secretRef": {"name": "all"}}]));
}

#[test]
fn a_reference_to_what_no_entry_defines_brings_the_sources_along() {
    let env = json!([{"name": "DATABASE_URL", "value": "postgres://$(HOST)/d"}]);
    let gate =
        gate_of(&deployment(with(&json!({"env": env, "envFrom": [{"configMapRef": {"name": "c"}}]}))), &[]);
    assert_eq!(gate["envFrom"], json!([{"configMapRef": {"name": "c"}}]));
}

#[test]
fn a_url_that_comes_from_nowhere_is_an_error_that_names_the_flags() {
    let container = json!({"name": "app", "image": "a"});
    insta::assert_snapshot!(trouble(&[deployment(container)], &[("target", "shop")]), @r"
    PLM432: `Deployment/shop`: nothing says where the database is: container `app` has no variable `DATABASE_URL`
    name the Secret that holds the URL: `--secret NAME/KEY`
    name the variable, if it has another name: `--env NAME`; or another container: `--container NAME`
    if the container mounts a file that holds the URL: `PLIMSOLL_URL_FILE` among its variables names it
    ");
}

#[test]
fn configuration_is_mounted_read_only_and_data_is_not_mounted() {
    let mounts = json!([
        {"name": "certs", "mountPath": "/certs"}, {"name": "data", "mountPath": "/data"}, {"name": "tmp", "mountPath": "/tmp"},
    ]);
    let volumes = json!([
        {"name": "certs", "secret": {"secretName": "c"}}, {"name": "data", "persistentVolumeClaim": {"claimName": "d"}},
        {"name": "tmp", "emptyDir": {}},
    ]);
    let pod = |env: &str| {
        let env = json!([{"name": "DATABASE_URL", "value": env}]);
        pod_in_deployment(
            json!({"containers": [with(&json!({"volumeMounts": mounts, "env": env}))], "volumes": volumes}),
        )
    };
    let gate = gate_of(&pod("postgres://h/d"), &[]);
    assert_eq!(gate["volumeMounts"], json!([{"name": "certs", "mountPath": "/certs", "readOnly": true}]));
    let gate = gate_of(&pod("postgres://h/d"), &[("mount", "tmp")]);
    assert_eq!(names(&gate["volumeMounts"]), ["certs", "tmp"]);
    let gate = gate_of(&pod("file:/data/app.db"), &[]);
    assert_eq!(gate["volumeMounts"][1], mounts[1]);
}

/// Of a relative path nobody knows where it leads, and a database that is missing is worse than a mount too many.
#[test]
fn the_volume_of_a_sqlite_file_is_mounted_if_the_file_may_lie_on_it() {
    let mounts = |url: &str| {
        let fields = json!({
            "volumeMounts": [{"name": "data", "mountPath": "/data/"}],
            "env": [{"name": "DATABASE_URL", "value": url}],
        });
        let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "d"}}]);
        let gate =
            gate_of(&pod_in_deployment(json!({"containers": [with(&fields)], "volumes": volumes})), &[]);
        names(&gate["volumeMounts"]).len()
    };
    let found = ["file:./dev.db", "file:dev.db", "file:/data?x=1", "file:///data/sub/a.db"].map(mounts);
    assert_eq!(found, [1, 1, 1, 1]);
    assert_eq!(["file:/database/a.db", "file:/a.db", "postgres://h/data"].map(mounts), [0, 0, 0]);
}

#[test]
fn the_context_passes_restricted_and_keeps_the_user() {
    let own =
        gate_of(&deployment(with(&json!({"securityContext": {"runAsUser": 1000, "runAsGroup": 2000}}))), &[]);
    assert_eq!(
        own["securityContext"],
        json!({
            "runAsNonRoot": true, "runAsUser": 1000, "runAsGroup": 2000, "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
        })
    );
    let user = |pod: Value, flags: &[(&str, &str)]| {
        gate_of(&pod_in_deployment(pod), flags)["securityContext"]["runAsUser"].clone()
    };
    assert_eq!(user(json!({"securityContext": {"runAsUser": 7}, "containers": [app()]}), &[]), 7);
    assert_eq!(user(json!({"securityContext": {"runAsUser": 0}, "containers": [app()]}), &[]), 65532);
    assert_eq!(user(json!({"containers": [app()]}), &[("run-as-user", "99")]), 99);
    assert_eq!(user(json!({"containers": [app()]}), &[("run-as-user", "image")]), Value::Null);
}

#[test]
fn a_profile_of_the_pod_is_not_loosened() {
    let pod = json!({"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "x"}}, "containers": [app()]});
    assert!(gate_of(&pod_in_deployment(pod), &[])["securityContext"].get("seccompProfile").is_none());
}

#[test]
fn other_security_contexts_can_be_asked_for() {
    let object = deployment(with(&json!({"securityContext": {"privileged": true}})));
    assert_eq!(
        gate_of(&object, &[("security", "container")])["securityContext"],
        json!({"privileged": true})
    );
    assert!(gate_of(&object, &[("security", "none")]).get("securityContext").is_none());
}

#[test]
fn a_guaranteed_pod_stays_guaranteed() {
    let amount = json!({"cpu": "1", "memory": "1Gi"});
    let gate = gate_of(&deployment(with(&json!({"resources": {"limits": amount}}))), &[]);
    assert_eq!(gate["resources"]["requests"], gate["resources"]["limits"]);
    assert_eq!(gate["resources"]["limits"]["memory"], "512Mi");
    let gate = gate_of(
        &deployment(with(&json!({"resources": {"limits": amount, "requests": {"cpu": "10m"}}}))),
        &[],
    );
    assert_ne!(gate["resources"]["requests"], gate["resources"]["limits"]);
    let pod = json!({"resources": {"limits": amount}, "containers": [app()]});
    assert!(gate_of(&pod_in_deployment(pod), &[]).get("resources").is_none());
}

/// A migration of 29.7 MB took 149 MB: with the 128Mi that a gate once had it was killed for ever.
#[test]
fn a_gate_has_room_for_a_large_migration() {
    let gate = gate_of(&deployment(app()), &[]);
    assert_eq!(gate["resources"]["limits"], json!({"cpu": "500m", "memory": "512Mi"}));
}

#[test]
fn the_container_that_copies_stays_guaranteed_too() {
    let object = deployment(with(&json!({"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}})));
    let containers = init_containers(&gated_one(&object, &[("plimsoll-image", "p:1"), ("delivery", "copy")]));
    assert_eq!(containers[0]["name"], "plimsoll-install");
    assert_eq!(containers[0]["resources"], containers[1]["resources"]);
}

fn order(flags: &[(&str, &str)]) -> Vec<String> {
    let init = json!([
        {"name": "early", "image": "a"}, {"name": "proxy", "image": "b", "restartPolicy": "Always"},
        {"name": "seed", "image": "c"}, {"name": "late", "image": "d"},
    ]);
    let gated = gated_one(&pod_in_deployment(json!({"initContainers": init, "containers": [app()]})), flags);
    init_containers(&gated).iter().map(|container| container["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_gate_stands_behind_native_sidecars_and_before_the_others() {
    assert_eq!(order(&[]), ["early", "proxy", "plimsoll", "seed", "late"]);
    assert_eq!(order(&[("place", "first")])[0], "plimsoll");
    assert_eq!(order(&[("place", "last")])[4], "plimsoll");
    assert_eq!(order(&[("place", "before=late")])[3], "plimsoll");
    assert_eq!(order(&[("place", "after=early")])[1], "plimsoll");
    let pod = json!({"initContainers": [{"name": "a", "image": "a"}], "containers": [app()]});
    assert!(
        trouble(&[pod_in_deployment(pod)], &[("place", "after=b")]).contains("it has no init container `b`")
    );
}

#[test]
fn a_sidecar_is_not_taken_for_the_application() {
    let pod = json!({"containers": [{"name": "istio-proxy", "image": "istio/proxyv2"}, app()]});
    assert_eq!(gate_of(&pod_in_deployment(pod), &[])["image"], "shop:1");
}

#[test]
fn a_sidecar_is_known_by_its_image_whatever_its_name_registry_and_tag_are() {
    for image in ["pgbouncer", "registry:5000/x/cloud-sql-proxy:2", "gcr.io/y/envoy@sha256:0"] {
        let sidecar = json!({"name": "beside", "image": image, "env": app()["env"]});
        let object = pod_in_deployment(json!({"containers": [sidecar, app()]}));
        assert_eq!(gate_of(&object, &[])["image"], "shop:1", "{image}");
    }
    let other = json!({"name": "beside", "image": "my-pgbouncer-tool", "env": app()["env"]});
    assert!(
        trouble(&[pod_in_deployment(json!({"containers": [other, app()]}))], &[]).contains("`beside`, `app`")
    );
}

#[test]
fn the_default_container_decides_where_nothing_about_the_database_does() {
    let plain = |name: &str| json!({"name": name, "image": format!("{name}:1")});
    let mut object = pod_in_deployment(json!({"containers": [plain("web"), plain("worker")]}));
    let flags = [("all", "true"), ("secret", "db/url")];
    assert!(trouble(std::slice::from_ref(&object), &flags).contains("any of `web`, `worker`"));
    let usual = json!({"annotations": {"kubectl.kubernetes.io/default-container": "worker"}});
    object["spec"]["template"]["metadata"] = usual;
    assert_eq!(gate_of(&object, &flags)["image"], "worker:1");
    // Whoever has the URL is the one that knows the migrations.
    object["spec"]["template"]["spec"]["containers"][0]["env"] = app()["env"].clone();
    assert_eq!(gate_of(&object, &flags)["image"], "web:1");
}

#[test]
fn one_of_several_images_has_to_be_named() {
    let worker = json!({"name": "worker", "image": "worker:1", "env": app()["env"]});
    let object = pod_in_deployment(json!({"containers": [app(), worker]}));
    assert!(
        trouble(std::slice::from_ref(&object), &[])
            .contains("the gate could take its image from any of `app`, `worker`")
    );
    assert_eq!(gate_of(&object, &[("container", "worker")])["image"], "worker:1");
    assert!(trouble(&[object], &[("container", "none")]).contains("it has no container `none`"));
}

#[test]
fn a_name_that_is_taken_is_an_error() {
    let object = pod_in_deployment(
        json!({"initContainers": [{"name": "plimsoll", "image": "a"}], "containers": [app()]}),
    );
    assert!(
        trouble(std::slice::from_ref(&object), &[])
            .contains("it has a container `plimsoll` already, which is no gate")
    );
    assert_eq!(init_containers(&gated_one(&object, &[("name", "gate")]))[0]["name"], "gate");
}

#[test]
fn what_the_gate_takes_itself_is_passed_on() {
    let flags = [("schema", "a/$(x)"), ("if-ahead", "refuse"), ("lock-wait", "5m")];
    assert_eq!(
        gate_of(&deployment(app()), &flags)["args"],
        json!(["--schema=a/$$(x)", "--lock-wait=5m", "--if-ahead=refuse"])
    );
    let limits = [("lock-timeout", "2s"), ("statement-timeout", "5m"), ("timeout", "1h")];
    assert_eq!(
        gate_of(&deployment(app()), &limits)["args"],
        json!(["--lock-timeout=2s", "--statement-timeout=5m", "--timeout=1h"])
    );
    let waits = gate_of(&deployment(app()), &[flags[2], limits[0], limits[1], limits[2], ("mode", "wait")]);
    assert_eq!((&waits["command"], waits.get("args")), (&json!(["plimsoll", "wait"]), None));
}

#[test]
fn the_pod_is_changed_beside_the_gate_only_if_asked() {
    let object = deployment(app());
    let gated = gated_one(&object, &[("grace", "60"), ("progress-deadline", "3600")]);
    assert_eq!(gated["spec"]["progressDeadlineSeconds"], 3600);
    assert_eq!(gated["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], 60);
}

#[test]
fn no_other_url_of_the_application_wins_over_the_secret() {
    let secret = json!({"secretKeyRef": {"name": "owner", "key": "url"}});
    for name in ["DIRECT_URL", "PLIMSOLL_URL", "PLIMSOLL_URL_FILE"] {
        let env = json!([{"name": "DATABASE_URL", "value": "a"}, {"name": name, "value": "application"}]);
        let gate = gate_of(&deployment(with(&json!({"env": env}))), &[("secret", "owner/url")]);
        assert_eq!(names(&gate["env"])[..3], ["DATABASE_URL", "PLIMSOLL_URL", "PLIMSOLL_POD"], "{name}");
        assert_eq!((&gate["env"][0]["valueFrom"], &gate["env"][1]["valueFrom"]), (&secret, &secret));
    }
    // The image may bring a file with a `DIRECT_URL`.
    let plain = gate_of(&deployment(app()), &[("secret", "owner/url")]);
    assert_eq!(names(&plain["env"])[..3], ["DATABASE_URL", "PLIMSOLL_URL", "PLIMSOLL_POD"]);
    let env = json!([{"name": "DATABASE_URL", "value": "a"}, {"name": "OTHER", "value": "$(DATABASE_URL)"}]);
    let flags = [("secret", "owner/url"), ("copy-env", "OTHER")];
    let gate = gate_of(&deployment(with(&json!({"env": env}))), &flags);
    let urls = gate["env"].as_array().unwrap().iter().filter(|entry| entry["name"] == "DATABASE_URL");
    assert_eq!(urls.map(|entry| &entry["valueFrom"]).collect::<Vec<_>>(), [&secret]);
}

#[test]
fn a_url_of_our_own_is_evidence_and_enough() {
    for name in ["PLIMSOLL_URL", "PLIMSOLL_URL_FILE"] {
        let env = json!([{"name": name, "value": "/run/url"}]);
        let gate = gate_of(&deployment(with(&json!({"env": env}))), &[]);
        assert_eq!(names(&gate["env"])[0], name);
    }
}

/// As an agent writes it into a volume without a disk: nothing says that such a volume holds configuration.
#[test]
fn what_the_file_with_the_url_lies_on_is_mounted() {
    let env = json!([{"name": "PLIMSOLL_URL_FILE", "value": "/run/db/url"}]);
    let mounts = json!([{"name": "agent", "mountPath": "/run/db"}, {"name": "tmp", "mountPath": "/run/d"}]);
    let volumes = json!([{"name": "agent", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]);
    let container = with(&json!({"env": env, "volumeMounts": mounts}));
    let object = pod_in_deployment(json!({"containers": [container], "volumes": volumes}));
    let gate = gate_of(&object, &[]);
    let mount = json!([{"name": "agent", "mountPath": "/run/db", "readOnly": true}]);
    assert_eq!(gate["volumeMounts"], mount);
    assert!(gate_of(&object, &[("secret", "owner/url")]).get("volumeMounts").is_none());
}

/// They have nothing to do with whose the URL is: a Secret for the gate alone leads to the same server.
#[test]
fn the_certificates_that_the_application_trusts_come_along() {
    let env = json!([
        {"name": "SSL_CERT_DIR", "value": "/etc/certs"}, {"name": "DATABASE_URL", "value": "postgres://h/d"},
        {"name": "SSL_CERT_FILE", "value": "$(HOME_OF_CERTS)/ca.pem"}, {"name": "HOME_OF_CERTS", "value": "/etc/certs"},
    ]);
    let object = deployment(with(&json!({"env": env})));
    let all = ["SSL_CERT_DIR", "DATABASE_URL", "SSL_CERT_FILE", "HOME_OF_CERTS"];
    assert_eq!(names(&gate_of(&object, &[])["env"])[..4], all);
    let with_secret = gate_of(&object, &[("secret", "owner/url")]);
    assert_eq!(names(&with_secret["env"])[..5], ["DATABASE_URL", "PLIMSOLL_URL", all[0], all[2], all[3]]);
}
