//! What is written, and what stays byte for byte.

use std::os::unix::fs::PermissionsExt;

use crate::scene::{OTHER, SEED, Scene, bare};

#[test]
fn the_seed_gets_its_gate() {
    let ended = Scene::new(&[]).inject_from(SEED, &[]);
    assert_eq!(ended.code, 0);
    insta::assert_snapshot!(ended.stdout);
}

#[test]
fn the_seed_without_an_init_container_gets_its_gate() {
    let ended = Scene::new(&[]).inject_from(&bare(), &["--secret", "database-secret/database_url"]);
    assert_eq!(ended.code, 0);
    insta::assert_snapshot!(ended.stdout + "\n" + &ended.stderr);
}

#[test]
fn twice_is_once_and_out_is_as_before() {
    let scene = Scene::new(&[]);
    for (manifest, flags) in [(SEED.to_owned(), vec![]), (bare(), vec!["--secret", "a/b"])] {
        let once = scene.inject_from(&manifest, &flags).stdout;
        assert_ne!(once, manifest);
        assert_eq!(scene.inject_from(&once, &flags).stdout, once);
        assert_eq!(scene.inject_from(&once, &["--remove"]).stdout, manifest);
    }
}

#[test]
fn only_what_changes_is_written_in_place() {
    let scene = Scene::new(&[("k/app.yaml", SEED), ("k/sub/other.yml", OTHER), ("k/notes.txt", "no")]);
    std::fs::set_permissions(scene.path("k/app.yaml"), PermissionsExt::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("k/app.yaml", scene.path("link.yaml")).unwrap();
    let ended = scene.inject(&["--in-place", "-f", "k"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("written: k/app.yaml") && !ended.stderr.contains("other.yml"));
    assert!(scene.read("k/app.yaml").contains(r#"command: ["plimsoll", "deploy"]"#));
    assert_eq!(scene.path("k/app.yaml").metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(scene.read("k/sub/other.yml"), OTHER);
    assert_eq!(scene.inject(&["--in-place", "--remove", "link.yaml"]).code, 0);
    assert_eq!(scene.read("k/app.yaml"), SEED);
    assert!(scene.path("link.yaml").is_symlink());
}

#[test]
fn what_is_below_a_directory_and_no_manifest_of_it_is_left_out_and_told() {
    let template = "kind: {{ .Values.kind }}\nspec: {{- toYaml .Values | nindent 2 }}\n";
    let scene = Scene::new(&[
        ("k/app.yaml", SEED),
        ("k/.git/app.yaml", SEED),
        ("k/node_modules/x/app.yaml", SEED),
        ("k/chart/Chart.yaml", "name: shop\n"),
        ("k/chart/templates/app.yaml", template),
        ("k/plain/templates/app.yaml", SEED),
    ]);
    let ended = scene.inject(&["-i", "k"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for untouched in [".git/app.yaml", "node_modules/x/app.yaml"] {
        assert_eq!(scene.read(&format!("k/{untouched}")), SEED);
    }
    for left_out in ["left out: k/chart/templates (templates", "left out: k/node_modules (packages"] {
        assert!(ended.stderr.contains(left_out), "{}", ended.stderr);
    }
    assert!(!ended.stderr.contains(".git"), "{}", ended.stderr);
    assert_ne!(scene.read("k/plain/templates/app.yaml"), SEED, "no chart is above it");
    assert_eq!(scene.inject(&["-q", "k/chart/templates"]).code, 78, "who names it means it");
}

#[test]
fn several_inputs_are_one_stream() {
    let scene = Scene::new(&[("a.yaml", OTHER), ("b.yaml", SEED), ("c.yaml", "---\nkind: A\n")]);
    let ended = scene.inject(&["a.yaml", "b.yaml", "c.yaml"]);
    assert!(ended.stdout.starts_with(&format!("{OTHER}---\napiVersion: apps/v1\n")), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("\n---\nkind: A\n"));
    assert_eq!(ended.stdout.matches("---\n").count(), 2);
}

#[test]
fn several_inputs_of_json_are_led_in_so_that_nobody_takes_the_stream_for_json() {
    let scene = Scene::new(&[("a.json", "{\"kind\": \"A\"}"), ("b.json", "{\"kind\": \"B\"}\n")]);
    let ended = scene.inject(&["a.json", "b.json"]);
    assert_eq!(ended.stdout, "---\n{\"kind\": \"A\"}\n---\n{\"kind\": \"B\"}\n");
    assert_eq!(scene.inject_from(&ended.stdout, &[]).stdout, ended.stdout);
    assert_eq!(scene.inject(&["a.json"]).stdout, "{\"kind\": \"A\"}");
}

#[test]
fn an_input_without_a_workload_comes_out_as_it_is() {
    let ended = Scene::new(&[]).inject_from(OTHER, &["-"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, OTHER));
    assert_eq!(ended.stderr, "no workload in the input: it comes out as it is\n");
}

#[test]
fn a_diff_shows_what_would_change() {
    let scene = Scene::new(&[("a.yaml", SEED)]);
    let ended = scene.inject(&["--diff", "--quiet", "a.yaml"]);
    assert!(ended.stdout.starts_with("--- a/a.yaml\n+++ b/a.yaml\n"), "{}", ended.stdout);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(scene.read("a.yaml"), SEED);
}

/// The seed as a configuration tool sends it, with this option.
fn resource_list(option: &str) -> String {
    let list =
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig:\n  kind: ConfigMap\n";
    let item = bare().replace('\n', "\n  ");
    format!("{list}  data: {{{option}, secret: a/b}}\nitems:\n- {}\n", item.trim_end())
}

#[test]
fn a_resource_list_loses_its_gates_too() {
    let scene = Scene::new(&[]);
    let gated = scene.inject_from(&resource_list("mode: wait"), &[]).stdout;
    let ended = scene.inject_from(&gated, &["--remove"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(gated.contains("initContainers") && !ended.stdout.contains("initContainers"), "{}", ended.stdout);
    assert!(ended.stdout.contains("gate removed"), "{}", ended.stdout);
}

#[test]
fn what_a_resource_list_cannot_be_asked_for_is_refused() {
    let list = resource_list("mode: wait");
    let scene = Scene::new(&[("list.yaml", &list)]);
    for flag in ["--check", "--diff", "--in-place"] {
        let ended = scene.inject(&[flag, "list.yaml"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (64, ""));
        assert!(ended.stderr.contains(&format!("`{flag}` has no meaning")), "{}", ended.stderr);
        assert_eq!(scene.read("list.yaml"), list);
    }
}

#[test]
fn a_resource_list_goes_through_the_function() {
    let ended = Scene::new(&[]).inject_from(&resource_list("mode: wait"), &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains(r#"command: ["plimsoll", "wait"]"#) && ended.stdout.contains("severity: info"),
        "{}",
        ended.stdout
    );
    let ended = Scene::new(&[]).inject_from(&resource_list("mood: wait"), &[]);
    assert_eq!(ended.code, 64);
    assert!(ended.stdout.contains("severity: error"));
}

#[test]
fn the_policies_are_printed_as_yaml() {
    let ended = Scene::new(&[]).inject(&["--emit", "map"]);
    assert_eq!(ended.code, 0);
    assert_eq!(ended.stdout.matches("\nkind: ").count(), 4);
    let again = Scene::new(&[]).inject_from(&ended.stdout, &["-q"]);
    assert_eq!(again.stdout, ended.stdout);
}

#[test]
fn the_project_says_what_the_manifest_does_not() {
    let schema = "datasource db {\n  provider = \"postgresql\"\n  url = env(\"SHOP_URL\")\n}\n";
    let package = r#"{"scripts": {"db:up": "prisma migrate deploy"}}"#;
    let scene = Scene::new(&[("p/prisma/schema.prisma", schema), ("p/package.json", package)]);
    let manifest = SEED.replace("npx prisma migrate deploy --schema=./prisma/schema.prisma", "npm run db:up");
    let script = r#"args: ["npm run db:up"]"#;
    let ended = scene.inject_from(&manifest, &["--secret", "a/b"]);
    assert!(ended.stdout.contains(script) && ended.stdout.contains("- name: plimsoll\n"), "{}", ended.stdout);
    let ended = scene.inject_from(&manifest, &["--project", "p", "--secret", "a/b"]);
    assert!(ended.stdout.contains("SHOP_URL") && !ended.stdout.contains(script), "{}", ended.stdout);
}
