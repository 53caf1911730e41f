//! An exec function of kustomize's.

use plimsoll_e2e::{Bench, Client, project_file};

use crate::objects::{SEED, SERVICE, all_but, gated, objects, the, without_record};

const BUILD: [&str; 3] = ["build", "--enable-alpha-plugins", "--enable-exec"];

/// A function with this below its metadata, in `gate.yaml`, beside the manifests that it is for.
fn bench(options: &str) -> Bench {
    let bench = Bench::new();
    bench.write(
        "kustomization.yaml",
        "resources: [deployment.yaml, service.yaml]\ntransformers: [gate.yaml]\n",
    );
    bench.write("deployment.yaml", SEED);
    bench.write("service.yaml", SERVICE);
    bench.write("gate.yaml", &function(options));
    bench
}

fn function(options: &str) -> String {
    format!(
        "apiVersion: v1
kind: ConfigMap
metadata:
  name: gate
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: plimsoll
        args: [inject]
{options}"
    )
}

#[track_caller]
fn build(bench: &Bench, directory: &str) -> String {
    bench.run(Client::Kustomize, &[&BUILD[..], &[directory]].concat()).expect("`kustomize build`")
}

#[test]
fn kustomize_gates_the_usual_deployment_as_inject_does_and_nothing_else() {
    let bench = bench("");
    let built = build(&bench, ".");
    assert_eq!(without_record(the("Deployment", &built)), gated(&bench, SEED, &[]));
    assert_eq!(all_but("Deployment", &built), objects(SERVICE));
}

#[test]
fn kustomize_passes_the_options_of_the_function() {
    let bench = bench("data:\n  if-ahead: refuse\n  wait: 2m\n");
    let flags = ["--if-ahead=refuse", "--wait=2m"];
    let built = the("Deployment", &build(&bench, "."));
    assert_eq!(without_record(built), gated(&bench, SEED, &flags));
    assert_ne!(gated(&bench, SEED, &flags), gated(&bench, SEED, &[]));
}

#[test]
fn kustomize_ends_with_the_option_that_was_meant_and_without_output() {
    let bench = bench("data:\n  if-ahed: refuse\n");
    let answer = bench.run(Client::Kustomize, &[&BUILD[..], &["."]].concat());
    assert!(!answer.succeeded);
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.contains("did you mean `if-ahead`?"), "{}", answer.stderr);
}

#[test]
fn kustomize_without_the_function_switched_on_does_not_pass_for_gated() {
    let answer = bench("").run(Client::Kustomize, &["build", "."]);
    assert!(!answer.succeeded);
    assert_eq!(answer.stdout, "");
}

#[test]
fn kustomize_changes_nothing_in_a_base_that_is_gated_already() {
    let bench = bench("");
    let once = build(&bench, ".");
    bench.write("again/base.yaml", &once);
    bench.write("again/gate.yaml", &function(""));
    bench.write("again/kustomization.yaml", "resources: [base.yaml]\ntransformers: [gate.yaml]\n");
    assert_eq!(build(&bench, "again"), once);
}

/// `fn run` knows by annotations from which place of which file an object has come.
#[test]
fn kustomize_writes_every_object_back_into_the_file_and_to_the_place_that_it_has_come_from() {
    let (bench, both) = (bench(""), format!("{SERVICE}---\n{SEED}"));
    bench.write("k8s/some/app.yaml", &both);
    let map = "# Ours.\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ships}\n";
    bench.write("k8s/ships.yaml", map);
    let words = ["fn", "run", "k8s", "--enable-exec", "--fn-path", "gate.yaml"];
    bench.run(Client::Kustomize, &words).expect("`kustomize fn run`");
    assert_eq!(bench.read("k8s/ships.yaml"), map);
    let app = bench.read("k8s/some/app.yaml");
    let kinds: Vec<_> = objects(&app).into_iter().map(|object| object["kind"].clone()).collect();
    assert_eq!(kinds, ["Service", "Deployment"]);
    assert_eq!(all_but("Deployment", &app), objects(SERVICE));
    assert_eq!(without_record(the("Deployment", &app)), gated(&bench, SEED, &[]));
}

#[test]
fn kustomize_builds_the_example_with_the_gate_that_the_example_was_injected_with() {
    let bench = Bench::new();
    let example = |name: &str| project_file("examples/backend/k8s").join(name).display().to_string();
    let (before, function) = (build(&bench, &example("before")), build(&bench, &example("inject")));
    assert_eq!(without_record(the("Deployment", &function)), gated(&bench, &before, &[]));
    assert_eq!(all_but("Deployment", &function), all_but("Deployment", &before));
}
