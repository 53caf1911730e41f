//! Which workloads get a gate.

use plimsoll_inject::remove;
use serde_json::{Value, json};

use crate::support::{
    app, deployment, gated, gated_one, given, pod_in_deployment, text, trouble, try_inject,
};

fn without_url(name: &str) -> Value {
    let mut object = deployment(json!({"name": "app", "image": "other:1"}));
    object["metadata"]["name"] = json!(name);
    object
}

fn actions(documents: &[Value], flags: &[(&str, &str)]) -> Vec<String> {
    let injected = try_inject(documents, flags).unwrap();
    injected.outcomes.iter().map(|outcome| format!("{}: {}", outcome.name, outcome.action)).collect()
}

#[test]
fn a_variable_is_evidence_and_the_others_are_left_alone() {
    let documents = [without_url("web"), deployment(app()), json!({"kind": "Service", "apiVersion": "v1"})];
    assert_eq!(actions(&documents, &[]), ["Deployment/web: left alone", "Deployment/shop: gated"]);
    assert_eq!(text(&gated(&documents, &[])[..1]), text(&documents[..1]));
}

#[test]
fn the_label_decides_before_everything_else() {
    let mut yes = without_url("web");
    yes["metadata"]["labels"] = json!({"plimsoll.dev/inject": "true"});
    let mut no = deployment(app());
    no["spec"]["template"]["metadata"] = json!({"annotations": {"plimsoll.dev/inject": "false"}});
    let flags = [("secret", "db/url"), ("target", "shop")];
    assert_eq!(actions(&[yes, no], &flags), ["Deployment/web: gated", "Deployment/shop: left alone"]);
}

#[test]
fn a_target_is_named_with_or_without_its_kind() {
    for target in ["shop", "deployment/shop", "Deployment/shop"] {
        let documents = [without_url("web"), deployment(app())];
        assert_eq!(actions(&documents, &[("target", target)])[1], "Deployment/shop: gated");
    }
    let lost = trouble(&[deployment(app())], &[("target", "shp")]);
    assert_eq!(lost, "PLM431: `--target shp` names no workload of the input\nit has `Deployment/shop`");
}

#[test]
fn only_the_gate_of_a_target_is_taken_out() {
    let mut web = deployment(app());
    web["metadata"]["name"] = json!("web");
    let documents = gated(&[deployment(app()), web], &[("all", "true")]);
    let removed = remove(&documents, &given(&[("target", "deployment/web")])).unwrap();
    assert_eq!(removed.documents[0], documents[0]);
    assert!(!removed.documents[1].to_string().contains("plimsoll"));
    let lost = remove(&documents, &given(&[("target", "wbe")])).unwrap_err();
    assert_eq!(lost[0].diagnostic.message, "`--target wbe` names no workload of the input");
}

#[test]
fn all_means_all() {
    let documents = [without_url("web"), deployment(app())];
    let flags = [("all", "true"), ("secret", "db/url")];
    assert_eq!(actions(&documents, &flags), ["Deployment/web: gated", "Deployment/shop: gated"]);
}

#[test]
fn a_secret_gates_the_only_workload_and_never_one_of_several() {
    let flags = [("secret", "db/url")];
    assert_eq!(actions(&[without_url("web")], &flags), ["Deployment/web: gated"]);
    insta::assert_snapshot!(trouble(&[without_url("web"), without_url("api")], &flags), @r#"
    PLM431: nothing says which workload needs a gate: `Deployment/web`, `Deployment/api`
    name it: `--target NAME`, or the label `plimsoll.dev/inject: "true"` on the workload
    say where its database is, if no container says so: `--secret NAME/KEY`, or `--env NAME`
    "#);
}

#[test]
fn an_input_without_workloads_passes() {
    let documents = [json!({"apiVersion": "v1", "kind": "ConfigMap"}), Value::Null];
    assert_eq!(text(&gated(&documents, &[])), text(&documents));
    assert!(try_inject(&documents, &[]).unwrap().outcomes.is_empty());
}

#[test]
fn a_hook_of_helms_is_left_alone_unless_its_label_says_otherwise() {
    let mut hook = deployment(app());
    hook["metadata"]["annotations"] = json!({"helm.sh/hook": "pre-install"});
    assert_eq!(actions(std::slice::from_ref(&hook), &[]), ["Deployment/shop: left alone"]);
    hook["metadata"]["annotations"]["plimsoll.dev/inject"] = json!("true");
    assert_eq!(actions(&[hook], &[]), ["Deployment/shop: gated"]);
}

#[test]
fn an_item_of_a_list_is_gated_where_it_is() {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [{"kind": "Secret"}, deployment(app())]});
    let gated = gated_one(&list, &[]);
    assert_eq!(gated["items"][0], list["items"][0]);
    assert_eq!(gated["items"][1]["spec"]["template"]["spec"]["initContainers"][0]["name"], "plimsoll");
}

#[test]
fn every_kind_gets_its_gate_at_its_place() {
    let pod = json!({"containers": [app()], "restartPolicy": "Never"});
    for (version, kind, spec) in [
        ("apps/v1", "StatefulSet", json!({"template": {"spec": pod}})),
        ("apps/v1", "DaemonSet", json!({"template": {"spec": pod}})),
        ("apps/v1", "ReplicaSet", json!({"template": {"spec": pod}})),
        ("v1", "ReplicationController", json!({"template": {"spec": pod}})),
        ("v1", "Pod", pod.clone()),
        ("batch/v1", "Job", json!({"template": {"spec": pod}})),
        ("batch/v1", "CronJob", json!({"jobTemplate": {"spec": {"template": {"spec": pod}}}})),
        ("argoproj.io/v1alpha1", "Rollout", json!({"template": {"spec": pod}})),
        ("serving.knative.dev/v1", "Service", json!({"template": {"spec": pod}})),
    ] {
        let object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": spec});
        let gated = gated_one(&object, &[]);
        assert!(gated["spec"].to_string().contains(r#""initContainers":[{"name":"plimsoll""#), "{kind}");
    }
}

#[test]
fn knative_gets_no_field_reference_which_it_refuses() {
    let spec = json!({"template": {"spec": {"containers": [app()]}}});
    let object = json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec});
    assert!(!gated_one(&object, &[]).to_string().contains("fieldRef"));
}

#[test]
fn a_gate_of_somebody_else_is_left_as_it_is() {
    let own = json!({"name": "plimsoll", "image": "shop:1", "command": ["plimsoll", "deploy"]});
    let object = pod_in_deployment(json!({"initContainers": [own], "containers": [app()]}));
    assert_eq!(actions(std::slice::from_ref(&object), &[]), ["Deployment/shop: kept as it is"]);
    assert_eq!(gated_one(&object, &[]), object);
}

/// As `exec` in the application's own start command is.
#[test]
fn a_gate_in_a_normal_container_is_one_too() {
    let mut container = app();
    container["command"] = json!(["plimsoll", "deploy"]);
    let object = deployment(container);
    assert_eq!(
        actions(std::slice::from_ref(&object), &[("all", "true")]),
        ["Deployment/shop: kept as it is"]
    );
    assert_eq!(gated_one(&object, &[]), object);
}

#[test]
fn a_gate_that_nothing_asks_for_now_is_kept() {
    let gated = gated(&[without_url("web")], &[("secret", "db/url")]);
    assert_eq!(actions(&gated, &[]), ["Deployment/web: kept as it is"]);
    assert_eq!(text(&try_inject(&gated, &[]).unwrap().documents), text(&gated));
}

#[test]
fn a_no_takes_the_gate_of_an_earlier_run_out() {
    let mut gated = gated_one(&deployment(app()), &[]);
    gated["metadata"]["labels"] = json!({"plimsoll.dev/inject": "false"});
    assert_eq!(actions(std::slice::from_ref(&gated), &[]), ["Deployment/shop: gate removed"]);
    assert!(!try_inject(&[gated], &[]).unwrap().documents[0].to_string().contains("initContainers"));
}

#[test]
fn a_pod_for_windows_is_refused_in_plain_words() {
    let object = pod_in_deployment(json!({"os": {"name": "windows"}, "containers": [app()]}));
    assert!(trouble(&[object], &[]).contains("its pods run on Windows"));
}

#[test]
fn a_workload_without_containers_is_refused_if_it_was_named() {
    let object = pod_in_deployment(json!({"containers": []}));
    assert!(trouble(&[object], &[("target", "shop")]).contains("it has no containers at"));
}

/// A directory of manifests usually has such patches in it.
#[test]
fn a_patch_without_containers_is_left_alone_even_by_all() {
    let patch = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {"replicas": 3}});
    let actions = actions(&[patch, deployment(app())], &[("all", "")]);
    assert_eq!(actions, ["Deployment/shop: left alone", "Deployment/shop: gated"]);
}

#[test]
fn a_mistyped_annotation_names_the_closest_option() {
    let mut object = deployment(app());
    object["metadata"]["annotations"] = json!({"plimsoll.dev/conteiner": "app"});
    insta::assert_snapshot!(trouble(&[object], &[]), @r"
    PLM434: `Deployment/shop`: there is no option `conteiner` (`plimsoll.dev/conteiner` in its annotations)
    did you mean `container`?
    ");
}

#[test]
fn a_value_that_an_annotation_cannot_have_is_told_with_its_workload_and_its_key() {
    let mut wrong = deployment(app());
    wrong["metadata"]["labels"] = json!({"plimsoll.dev/inject": "yes"});
    let documents = [without_url("web"), wrong, deployment(app())];
    assert_eq!(try_inject(&documents, &[]).unwrap_err()[0].at.as_ref().unwrap().document, 1);
    insta::assert_snapshot!(trouble(&documents, &[]), @"PLM434: `Deployment/shop`: `inject` cannot be `yes`: expected one of `true`, `false` (`plimsoll.dev/inject` in its labels)");
    let mut wrong = deployment(app());
    let annotations = json!({"annotations": {"plimsoll.dev/mode": "wiat"}});
    wrong["spec"]["template"]["metadata"] = annotations;
    insta::assert_snapshot!(trouble(&[wrong], &[]), @r"
    PLM434: `Deployment/shop`: `mode` cannot be `wiat`: expected one of `deploy`, `wait` (`plimsoll.dev/mode` in the annotations of its pod template)
    did you mean `wait`?
    ");
}

#[test]
fn a_wrong_flag_is_told_once_and_without_any_workload_too() {
    for documents in [vec![], vec![deployment(app()), deployment(app())]] {
        let troubles = try_inject(&documents, &[("wait", "banana")]).unwrap_err();
        let [trouble] = troubles.as_slice() else { panic!("{troubles:?}") };
        let message = "`wait` cannot be `banana`: expected a time such as `30s`, `5m` or `0`";
        assert_eq!((trouble.at.as_ref(), trouble.diagnostic.message.as_str()), (None, message));
    }
}

/// What a flag says about a wrong annotation is that it does not count.
#[test]
fn a_flag_is_not_told_as_the_annotation_that_it_wins_over() {
    let mut object = deployment(app());
    object["metadata"]["annotations"] = json!({"plimsoll.dev/delivery": "copy", "plimsoll.dev/mode": "x"});
    let told = trouble(&[object], &[("delivery", "volume"), ("mode", "wait")]);
    assert_eq!(
        told,
        "PLM434: the binary is to come from Plimsoll's image, and nothing says which\ngive `--plimsoll-image IMAGE`"
    );
}

#[test]
fn a_record_that_cannot_be_read_is_not_passed_over() {
    let mut object = deployment(app());
    object["metadata"]["annotations"] = json!({"plimsoll.dev/gate": "gibberish"});
    assert!(trouble(&[object], &[]).starts_with("PLM436"));
}

fn hasura() -> Value {
    let env = json!([{"name": "DATABASE_URL", "value": "postgres://db/shop"}]);
    let mut object =
        deployment(json!({"name": "graphql-engine", "image": "hasura/graphql-engine:v2", "env": env}));
    object["metadata"]["name"] = json!("hasura");
    object
}

/// Its image has neither the binary nor migrations: with a gate it would never start.
#[test]
fn a_variable_alone_is_no_evidence_where_others_migrate() {
    let mut prisma = deployment(app());
    prisma["spec"]["template"]["spec"]["containers"][0]["command"] =
        json!(["sh", "-c", "npx prisma migrate deploy && node x"]);
    let mut gate = deployment(app());
    gate["spec"]["template"]["spec"]["initContainers"] =
        json!([{"name": "gate", "image": "a", "command": ["plimsoll", "deploy"]}]);
    for (other, action) in [(prisma, "gated"), (gate, "kept as it is")] {
        let documents = [hasura(), other];
        let said = ["Deployment/hasura: left alone".to_owned(), format!("Deployment/shop: {action}")];
        assert_eq!(actions(&documents, &[]), said);
        let why = &try_inject(&documents, &[]).unwrap().outcomes[0].reasons[0];
        assert!(why.contains("but others migrate with Prisma or have a gate: the label"), "{why}");
        assert_eq!(actions(&documents, &[("all", "")])[0], "Deployment/hasura: gated");
    }
}

#[test]
fn of_several_with_the_variable_alone_none_is_chosen() {
    let documents = [deployment(app()), hasura()];
    insta::assert_snapshot!(trouble(&documents, &[]), @r#"
    PLM431: several workloads have the URL's variable, and none migrates with Prisma: `Deployment/shop`, `Deployment/hasura`
    name those with migrations in their image: `--target NAME`, or the label `plimsoll.dev/inject: "true"` on them
    to gate all of them: `--all`
    "#);
    assert_eq!(actions(&documents, &[("target", "shop")])[1], "Deployment/hasura: left alone");
    assert_eq!(actions(&documents, &[("all", "")])[1], "Deployment/hasura: gated");
}

/// The Job of a hook is left alone, and the application still needs its gate.
#[test]
fn a_hook_that_migrates_does_not_keep_the_application_from_being_gated() {
    let mut hook = deployment(
        json!({"name": "m", "image": "shop:1", "command": ["npx", "prisma", "migrate", "deploy"]}),
    );
    hook["metadata"]["annotations"] = json!({"helm.sh/hook": "pre-install"});
    assert_eq!(actions(&[hook, deployment(app())], &[])[1], "Deployment/shop: gated");
}

/// What stderr would say of it, "from the image of `web`", would be of no image.
#[test]
fn a_patch_is_left_alone_and_one_that_was_named_is_refused() {
    let env = json!([{"name": "DATABASE_URL", "value": "postgres://h/d"}]);
    let patch = deployment(json!({"name": "app", "env": env}));
    let mut command = deployment(json!({"name": "app"}));
    command["spec"]["template"]["spec"]["initContainers"] =
        json!([{"name": "m", "command": ["npx", "prisma", "migrate", "deploy"]}]);
    for patch in [patch, command] {
        let documents = [patch, deployment(app())];
        for flags in [&[][..], &[("all", "")]] {
            assert_eq!(actions(&documents, flags), ["Deployment/shop: left alone", "Deployment/shop: gated"]);
        }
        let named = trouble(&documents[..1], &[("target", "shop")]);
        assert!(
            named.starts_with("PLM435") && named.contains("looks like a patch of kustomize's"),
            "{named}"
        );
    }
}

/// With the gate left behind, the new release starts on the schema of the old one.
#[test]
fn a_gate_follows_the_image_of_the_application_and_says_so() {
    let mut gated = gated_one(&deployment(app()), &[]);
    gated["spec"]["template"]["spec"]["containers"][0]["image"] = json!("shop:2");
    let again = try_inject(std::slice::from_ref(&gated), &[]).unwrap();
    assert_eq!(again.documents[0]["spec"]["template"]["spec"]["initContainers"][0]["image"], "shop:2");
    let said = "its image was `shop:1`, of another release than the application's: it is `shop:2` now";
    assert_eq!(again.outcomes[0].reasons[1], said);
    assert_eq!(text(&try_inject(&again.documents, &[]).unwrap().documents), text(&again.documents));
}

#[test]
fn a_gate_that_is_kept_with_another_image_is_told() {
    let mut gated = gated_one(&without_url("web"), &[("secret", "db/url")]);
    assert!(try_inject(std::slice::from_ref(&gated), &[]).unwrap().outcomes[0].advice.is_empty());
    gated["spec"]["template"]["spec"]["containers"][0]["image"] = json!("other:2");
    let kept = try_inject(&[gated], &[]).unwrap();
    let advice = &kept.outcomes[0].advice[0];
    assert!(advice.starts_with("the gate runs `other:1` and `app` runs `other:2`"), "{advice}");
}

#[test]
fn a_gate_of_its_own_comes_with_the_advice_to_set_both_images() {
    let injected = try_inject(&[deployment(app())], &[]).unwrap();
    let advice = injected.outcomes[0].advice.join("\n");
    assert!(advice.contains("`kubectl set image … app=IMAGE plimsoll=IMAGE`"), "{advice}");
}
