//! One object that passes by, as a webhook sees it.

use plimsoll_core::Code;
use plimsoll_inject::{Action, Facts, InjectedOne, inject_one};
use serde_json::{Value, json};

use crate::support::{Flags, app, deployment, gated_one, given};

fn one(object: &Value, flags: Flags<'_>) -> InjectedOne {
    inject_one(object, &given(flags), &Facts::default()).unwrap()
}

fn pod(container: Value) -> Value {
    let containers = Value::from(vec![container]);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": containers}})
}

#[test]
fn what_nothing_speaks_for_is_left_alone_and_no_error() {
    let plain = pod(json!({"name": "nginx", "image": "nginx:1"}));
    // A Secret for every gate is no reason to put one into every pod.
    for flags in [&[][..], &[("secret", "db/url")], &[("target", "other")]] {
        let InjectedOne { object, outcome } = one(&plain, flags);
        assert_eq!((object, outcome.action, outcome.name.as_str()), (plain.clone(), Action::Left, "Pod/a"));
        assert_eq!(outcome.reasons.len(), 1);
    }
}

#[test]
fn what_runs_no_pods_is_left_alone() {
    for object in [
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}),
        json!({"apiVersion": "v1", "kind": "List", "items": [deployment(app())]}),
        Value::Null,
    ] {
        let left = one(&object, &[("all", "true")]);
        assert_eq!((left.object, left.outcome.action), (object, Action::Left));
    }
}

#[test]
fn what_needs_a_gate_gets_the_same_as_on_the_command_line() {
    for object in [pod(app()), deployment(app())] {
        let gated = one(&object, &[]);
        assert_eq!(gated.object, gated_one(&object, &[]));
        assert_eq!(gated.outcome.action, Action::Gated);
        assert_eq!(one(&gated.object, &[]).object, gated.object);
    }
}

#[test]
fn a_gate_of_an_earlier_run_is_kept_until_somebody_says_no() {
    let object = pod(json!({"name": "app", "image": "a"}));
    let mut gated = gated_one(&object, &[("secret", "db/url"), ("all", "true")]);
    assert_eq!(one(&gated, &[]).outcome.action, Action::Kept);
    gated["metadata"]["labels"] = json!({"plimsoll.dev/inject": "false"});
    assert_eq!(one(&gated, &[]).outcome.action, Action::Removed);
}

#[test]
fn what_cannot_be_is_an_error() {
    let code = |object: &Value, flags: Flags<'_>| {
        inject_one(object, &given(flags), &Facts::default()).unwrap_err().code
    };
    let mut object = pod(app());
    assert_eq!(code(&object, &[("wait", "banana")]), Code::InjectOption);
    object["metadata"]["labels"] = json!({"plimsoll.dev/inject": "yes"});
    assert_eq!(code(&object, &[]), Code::InjectOption);
    object["metadata"]["labels"] = json!({"plimsoll.dev/inject": "true"});
    object["spec"]["containers"][0]["env"] = json!([]);
    assert_eq!(code(&object, &[]), Code::InjectUnclear);
}
