//! Exit codes, and that an error writes nothing.

use crate::scene::{SEED, Scene, bare};

const LOG: &str = include_str!("../../../../docs/schema/log.v1.json");
const TERMINATION: &str = include_str!("../../../../docs/schema/termination.v1.json");

/// A line of JSON that is as its schema says.
fn described(line: &str, schema: &str) -> serde_json::Value {
    let schema = serde_json::from_str(schema).unwrap();
    let value = serde_json::from_str(line).unwrap();
    jsonschema::validator_for(&schema).unwrap().validate(&value).unwrap();
    value
}

#[test]
fn a_check_exits_with_1_if_anything_would_change() {
    let scene = Scene::new(&[("a.yaml", SEED)]);
    let ended = scene.inject(&["--check", "--quiet", "a.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (1, "", ""));
    let ended = scene.inject(&["--check", "a.yaml"]);
    assert!(ended.stderr.ends_with("\nwould change: a.yaml\n"), "{}", ended.stderr);
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
fn a_file_that_cannot_be_written_leaves_the_others_as_they_were() {
    let scene = Scene::new(&[("a.yaml", SEED)]);
    // It can be read, and no file can be put into its place.
    let ended = scene.inject_from(SEED, &["-i", "a.yaml", "/dev/stdin"]);
    assert_eq!(ended.code, 78);
    assert!(ended.stderr.contains("cannot write `/dev/stdin`"), "{}", ended.stderr);
    assert!(ended.stderr.contains("nothing has been written"), "{}", ended.stderr);
    assert_eq!(scene.read("a.yaml"), SEED);
    assert_eq!(scene.names(), ["a.yaml"]);
}

#[test]
fn standard_input_is_refused_in_place_before_anything_is_written() {
    let scene = Scene::new(&[("a.yaml", SEED)]);
    for arguments in [vec!["-i", "a.yaml", "-"], vec!["-i"], vec!["-i", "-f", "-", "a.yaml"]] {
        let ended = scene.inject_from(SEED, &arguments);
        assert_eq!(ended.code, 64, "{}", ended.stderr);
        assert!(ended.stderr.contains("standard input cannot be written in place"), "{}", ended.stderr);
        assert_eq!(scene.read("a.yaml"), SEED);
    }
    assert_eq!(scene.inject_from(SEED, &["-", "-"]).code, 64);
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
        vec!["--wait", "banana"],
        vec!["--if-ahead", "sometimes"],
        vec!["--schema", ""],
        vec!["--plimsoll-image", "a b"],
        vec!["--secret", "A B/c d"],
        vec!["--env", "a=b", "--secret", "a/b"],
        vec!["--progress-deadline", "0"],
        vec!["--emit", "map", "--target", "a"],
        vec!["--emit", "map", "--project", "."],
    ] {
        assert_eq!(scene.inject_from(SEED, &arguments).code, 64, "{arguments:?}");
    }
}

#[test]
fn a_run_that_is_to_be_quiet_says_nothing_but_errors() {
    let scene = Scene::new(&[("a.yaml", SEED)]);
    for quiet in [&["--quiet"][..], &[]] {
        let ended = scene.inject_with(&[("PLIMSOLL_QUIET", "1")], &[&["-i", "a.yaml"], quiet].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        let ended = scene.inject_with(&[("PLIMSOLL_QUIET", "1")], &[&["none.yaml"], quiet].concat());
        assert!(ended.stderr.contains("cannot read `none.yaml`"), "{}", ended.stderr);
    }
}

#[test]
fn every_line_of_a_run_is_json_if_that_is_asked_for() {
    let broken = SEED.replace("schema.prisma\"]", "schema.prisma || true\"]");
    let scene = Scene::new(&[("a.yaml", SEED), ("b.yaml", &broken), ("c.yaml", &broken)]);
    let events = |arguments: &[&str]| {
        let ended = scene.inject_with(&[("PLIMSOLL_LOG_FORMAT", "json")], arguments);
        let lines = ended.stderr.lines().map(|line| described(line, LOG));
        lines.map(|line| line["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(events(&["--check", "a.yaml"]), ["workload", "would_change"]);
    assert_eq!(events(&["-i", "a.yaml"]), ["workload", "written"]);
    assert_eq!(events(&["b.yaml", "c.yaml"]), ["error", "error"]);
}

#[test]
fn the_end_of_a_run_is_left_in_the_termination_message() {
    let scene = Scene::new(&[("a.yaml", SEED), ("log", "")]);
    let message = |arguments: &[&str]| {
        scene.inject(&[arguments, &["--termination-log", "log"]].concat());
        let text = scene.read("log");
        described(text.lines().nth(1).unwrap(), TERMINATION);
        text
    };
    let good = message(&["a.yaml"]);
    assert!(good.starts_with("1 gated, ") && good.contains(r#""command":"inject","exit_code":0"#), "{good}");
    let bad = message(&["none.yaml"]);
    assert!(bad.contains("cannot read `none.yaml`") && bad.contains(r#""exit_code":78"#), "{bad}");
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
