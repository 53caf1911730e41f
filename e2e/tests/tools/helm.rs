//! A post-renderer of Helm's: a program for Helm 3, a plugin for Helm 4.

use plimsoll_e2e::{Answer, Bench, Client, project_file};

use crate::objects::{SEED, all_but, gated, objects, the, without_record};

const FLAG: &str = "--post-renderer-args=--if-ahead=refuse";
const WRONG: &str = "--post-renderer-args=--if-ahed=refuse";

/// Seeds a database before the release is there, and migrates it as well: what hooks do is nobody else's business.
const HOOK: &str = "apiVersion: batch/v1
kind: Job
metadata:
  name: seed
  annotations: { helm.sh/hook: pre-install }
spec:
  template:
    spec:
      restartPolicy: Never
      initContainers:
        - name: migrate
          image: my-backend-image:{{ .Values.tag }}
          command: [\"npx\", \"prisma\", \"migrate\", \"deploy\"]
          env: [{ name: DATABASE_URL, value: postgresql://database/harbour }]
      containers: [{ name: seed, image: my-backend-image:{{ .Values.tag }} }]
";

/// A resource of somebody's own which looks like a workload, with values that a careless reader takes for others.
const LIGHTHOUSE: &str = "# Whoever reads this as YAML 1.1 turns the light on.
apiVersion: example.com/v1
kind: Lighthouse
metadata: { name: north }
spec:
  light: \"on\"
  code: \"0644\"
  lines: |
    one

    two
  template:
    spec:
      containers: [{ name: lamp, env: [{ name: DATABASE_URL, value: none }] }]
";

fn bench(client: Client) -> Bench {
    let bench = Bench::new();
    chart(&bench);
    if client == Client::Helm4 {
        install_plugin(&bench);
    }
    bench
}

fn chart(bench: &Bench) {
    bench.write("chart/Chart.yaml", "apiVersion: v2\nname: harbour\nversion: 1.0.0\n");
    bench.write("chart/values.yaml", "tag: latest\n");
    bench.write("chart/templates/deployment.yaml", &SEED.replace(":latest", ":{{ .Values.tag }}"));
    bench.write("chart/templates/hook.yaml", HOOK);
    bench.write("chart/templates/lighthouse.yaml", LIGHTHOUSE);
}

fn install_plugin(bench: &Bench) {
    let plugin = project_file("deploy/helm-plugin").display().to_string();
    bench.run(Client::Helm4, &["plugin", "install", &plugin]).expect("`helm plugin install`");
}

fn template(bench: &Bench, client: Client, chart: &str, more: &[&str]) -> Answer {
    bench.run(client, &[&["template", "harbour", chart], more].concat())
}

/// How each version is told which post-renderer to use.
fn post_renderer(client: Client) -> Vec<&'static str> {
    match client {
        Client::Helm3 => vec!["--post-renderer", "plimsoll", "--post-renderer-args", "inject"],
        _ => vec!["--post-renderer", "plimsoll"],
    }
}

#[track_caller]
fn gates_the_deployment_and_leaves_the_rest(client: Client) {
    let bench = bench(client);
    let plain = template(&bench, client, "chart", &[]).expect("`helm template`");
    for (more, flags) in [(&[][..], &[][..]), (&[FLAG], &["--if-ahead=refuse"])] {
        let words = [&post_renderer(client)[..], more].concat();
        let rendered = template(&bench, client, "chart", &words).expect("`helm template --post-renderer`");
        assert_eq!(without_record(the("Deployment", &rendered)), gated(&bench, SEED, flags));
        assert_eq!(all_but("Deployment", &rendered), all_but("Deployment", &plain));
        assert_eq!(objects(&rendered).len(), 3, "the hook and the lighthouse are there\n{rendered}");
    }
}

#[test]
fn helm_3_gates_the_deployment_and_leaves_hooks_and_the_rest() {
    gates_the_deployment_and_leaves_the_rest(Client::Helm3);
}

#[test]
fn helm_4_gates_the_deployment_and_leaves_hooks_and_the_rest() {
    gates_the_deployment_and_leaves_the_rest(Client::Helm4);
}

#[track_caller]
fn leaves_what_is_gated_already(client: Client) {
    let (bench, chart) = (bench(client), project_file("examples/backend/chart").display().to_string());
    let plain = template(&bench, client, &chart, &[]).expect("`helm template`");
    let rendered = template(&bench, client, &chart, &post_renderer(client)).expect("`--post-renderer`");
    assert_eq!(objects(&rendered), objects(&plain));
}

#[test]
fn helm_3_leaves_the_chart_of_the_example_which_is_gated_already() {
    leaves_what_is_gated_already(Client::Helm3);
}

#[test]
fn helm_4_leaves_the_chart_of_the_example_which_is_gated_already() {
    leaves_what_is_gated_already(Client::Helm4);
}

#[track_caller]
fn never_renders_nothing_as_if_it_were_all(client: Client, says: &str) {
    let bench = bench(client);
    let wrong = template(&bench, client, "chart", &[&post_renderer(client)[..], &[WRONG]].concat());
    assert!(!wrong.succeeded);
    assert_eq!(wrong.stdout, "");
    assert!(wrong.stderr.contains(says), "{}", wrong.stderr);
    bench.write("lonely/Chart.yaml", "apiVersion: v2\nname: lonely\nversion: 1.0.0\n");
    bench.write("lonely/templates/lighthouse.yaml", LIGHTHOUSE);
    let lonely = template(&bench, client, "lonely", &post_renderer(client));
    assert_eq!(objects(&lonely.expect("a chart without workloads")), objects(LIGHTHOUSE));
}

#[test]
fn helm_3_renders_nothing_with_a_wrong_option_and_everything_without_workloads() {
    never_renders_nothing_as_if_it_were_all(Client::Helm3, "a similar argument exists: '--if-ahead'");
}

#[test]
fn helm_4_renders_nothing_with_a_wrong_option_and_everything_without_workloads() {
    // Helm 4 keeps to itself what a plugin has said: docs/inject.md tells how to see it.
    never_renders_nothing_as_if_it_were_all(Client::Helm4, "plugin \"plimsoll\" exited with error");
}

#[test]
fn helm_4_gates_what_it_would_install_too() {
    let bench = bench(Client::Helm4);
    let words = ["install", "harbour", "chart", "--dry-run=client", "--post-renderer", "plimsoll"];
    let answer = bench.run(Client::Helm4, &words).expect("`helm install`");
    let (_, manifest) = answer.split_once("\nMANIFEST:\n").unwrap();
    assert_eq!(without_record(the("Deployment", manifest)), gated(&bench, SEED, &[]));
}

#[test]
fn helm_renders_nothing_if_plimsoll_is_not_installed() {
    let bench = Bench::without_plimsoll();
    chart(&bench);
    install_plugin(&bench);
    for client in [Client::Helm3, Client::Helm4] {
        let answer = template(&bench, client, "chart", &post_renderer(client));
        assert!(!answer.succeeded, "{client:?}");
        assert_eq!(answer.stdout, "", "{client:?}");
        assert!(answer.stderr.contains("plimsoll"), "{client:?}: {}", answer.stderr);
    }
}

#[test]
fn helm_4_takes_no_program_from_the_path_as_a_post_renderer() {
    let bench = Bench::new();
    chart(&bench);
    let answer = template(&bench, Client::Helm4, "chart", &post_renderer(Client::Helm4));
    assert!(!answer.succeeded);
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.contains("not found"), "{}", answer.stderr);
}
