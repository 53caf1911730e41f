//! Exit codes, and that an error writes nothing.

use crate::scene::{SEED, Scene, bare};

#[test]
fn a_check_exits_with_1_if_anything_would_change() {
    let scene = Scene::new(&[("a.yaml", SEED)]);
    let ended = scene.inject(&["--check", "--quiet", "a.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (1, "", "would change: a.yaml\n"));
    scene.inject(&["-i", "a.yaml"]);
    assert_eq!(scene.inject(&["--check", "a.yaml"]).code, 0);
}

#[test]
fn an_error_writes_nothing_and_names_the_place() {
    let broken = SEED.replace("schema.prisma\"]", "schema.prisma || true\"]");
    let scene = Scene::new(&[("a.yaml", SEED), ("b.yaml", &broken)]);
    let ended = scene.inject(&["-i", "a.yaml", "b.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (78, ""));
    insta::assert_snapshot!(ended.stderr);
    assert_eq!(scene.read("a.yaml"), SEED);
}

#[test]
fn a_workload_without_evidence_is_an_error_that_names_the_flags() {
    let ended = Scene::new(&[]).inject_from(&bare(), &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (78, ""));
    assert!(
        ended.stderr.contains("`--target NAME`") && ended.stderr.contains("`--secret NAME/KEY`"),
        "{}",
        ended.stderr
    );
}

#[test]
fn wrong_arguments_exit_with_64() {
    let scene = Scene::new(&[]);
    for arguments in [
        vec!["--check", "--diff"],
        vec!["--in-place", "-"],
        vec!["--emit", "nothing"],
        vec!["--mode", "wiat"],
        vec!["--emit", "map", "--target", "a"],
    ] {
        assert_eq!(scene.inject_from(SEED, &arguments).code, 64, "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_read_is_told_all_at_once() {
    let scene = Scene::new(&[("a.yaml", "a: [")]);
    let ended = scene.inject(&["a.yaml", "none.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (78, ""));
    assert!(
        ended.stderr.contains("a.yaml:") && ended.stderr.contains("cannot read `none.yaml`"),
        "{}",
        ended.stderr
    );
}
