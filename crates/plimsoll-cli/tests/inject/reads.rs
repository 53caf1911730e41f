//! What is read, and what of several troubles decides.

use crate::scene::{OTHER, SEED, Scene};

#[test]
fn what_is_hidden_below_a_directory_is_read_only_if_it_is_named() {
    let files =
        [("k/a.yaml", OTHER), ("k/.b.yaml", SEED), ("k/.git/c.yaml", SEED), ("k/..data/d.yaml", SEED)];
    let scene = Scene::new(&files);
    assert_eq!(scene.inject(&["-q", "k"]).stdout, OTHER);
    for path in ["k/.b.yaml", "k/.git"] {
        let ended = scene.inject(&["-q", path]);
        assert!(ended.stdout.contains("[\"plimsoll\", \"deploy\"]"), "{path}: {}", ended.stderr);
    }
}

/// A value that no option has (64), and a record that somebody has broken (78).
#[test]
fn the_first_of_several_troubles_decides_how_it_ends() {
    let annotated = |annotation: &str| {
        SEED.replacen("metadata:", &format!("metadata:\n  annotations: {{{annotation}}}"), 1)
    };
    let (value, record) = (annotated("plimsoll.dev/mode: wiat"), annotated("plimsoll.dev/gate: broken"));
    let scene = Scene::new(&[("value.yaml", &value), ("record.yaml", &record)]);
    for (order, code) in [(["value.yaml", "record.yaml"], 64), (["record.yaml", "value.yaml"], 78)] {
        let ended = scene.inject(&order);
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{order:?}");
        assert!(ended.stderr.contains("wiat") && ended.stderr.contains("PLM436"), "{}", ended.stderr);
    }
}
