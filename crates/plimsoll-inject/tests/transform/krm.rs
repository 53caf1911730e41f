//! The same as a KRM function.

use plimsoll_inject::{Facts, krm};
use serde_json::{Value, json};

use crate::support::{app, deployment, given};

fn list(config: &Value) -> Value {
    let mut web = deployment(json!({"name": "app", "image": "a"}));
    web["metadata"] =
        json!({"name": "web", "namespace": "n", "annotations": {"config.kubernetes.io/path": "web.yaml"}});
    let items = vec![web, json!({"apiVersion": "v1", "kind": "Secret"}), deployment(app())];
    let mut list =
        json!({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "functionConfig": config});
    list["items"] = Value::Array(items);
    list
}

fn config(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data})
}

#[test]
fn the_items_are_gated_and_the_results_say_why() {
    let before = list(&config(&json!({"mode": "wait"})));
    assert!(krm::is_resource_list(&before));
    let answer = krm::inject(&before, &given(&[]), &Facts::default());
    assert!(answer.troubles.is_empty());
    assert_eq!(answer.list["items"][0], before["items"][0]);
    assert_eq!(
        answer.list["items"][2]["spec"]["template"]["spec"]["initContainers"][0]["command"][1],
        "wait"
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer.list["results"]).unwrap());
}

#[test]
fn a_flag_wins_over_the_functions_config() {
    let before = list(
        &json!({"kind": "PlimsollInject", "spec": {"mode": "deploy", "target": ["shop", "web"], "secret": "a/b"}}),
    );
    let answer = krm::inject(&before, &given(&[("mode", "wait")]), &Facts::default());
    for item in [0, 2] {
        assert_eq!(
            answer.list["items"][item]["spec"]["template"]["spec"]["initContainers"][0]["command"][1],
            "wait"
        );
    }
}

#[test]
fn an_error_is_a_result_and_changes_nothing() {
    let before = list(&config(&json!({"target": "nobody"})));
    let answer = krm::inject(&before, &given(&[]), &Facts::default());
    assert_eq!(answer.list["items"], before["items"]);
    assert_eq!(answer.list["results"][0]["severity"], "error");
    assert_eq!(answer.troubles.len(), 1);
    for wrong in [config(&json!({"nonsense": "x"})), json!({"kind": "Other"})] {
        assert_eq!(krm::inject(&list(&wrong), &given(&[]), &Facts::default()).troubles.len(), 1);
    }
}

#[test]
fn what_was_put_into_the_items_can_be_taken_out() {
    let before = list(&config(&json!({})));
    let gated = krm::inject(&before, &given(&[]), &Facts::default());
    assert_ne!(gated.list["items"], before["items"]);
    let removed = krm::remove(&gated.list, &given(&[]));
    assert_eq!(removed.list["items"], before["items"]);
    let results = removed.list["results"].as_array().unwrap();
    assert!(results.iter().any(|result| result["message"].as_str().unwrap().starts_with("gate removed")));
}
