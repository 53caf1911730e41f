//! The policies that inject without any webhook. That an API server takes them and does what they say is tried end to end.

use plimsoll_inject::policy::policies;

use crate::support::{Flags, given, text};

fn refused(flags: Flags<'_>) -> String {
    policies(&given(flags)).unwrap_err().message
}

#[test]
fn the_policies_with_everything_set() {
    let flags = [
        ("plimsoll-image", "example.org/p:1"),
        ("secret", "owner/url"),
        ("schema", "a\"b"),
        ("mount", "data"),
        ("copy-env", "X"),
    ];
    insta::assert_snapshot!(text(&policies(&given(&flags)).unwrap()));
}

#[test]
fn the_policies_with_nothing_set() {
    insta::assert_snapshot!(text(&policies(&given(&[])).unwrap()));
}

#[test]
fn what_a_policy_cannot_do_is_refused_by_name() {
    assert!(refused(&[("target", "a")]).starts_with("`--target` has no meaning for a policy"));
    assert!(refused(&[("grace", "5")]).starts_with("`--grace` has no meaning"));
    assert!(
        refused(&[("progress-deadline", "5")])
            .starts_with("`--progress-deadline` has no meaning for a policy")
    );
    assert!(refused(&[("place", "after=x")]).starts_with("`--place` has no meaning"));
    assert!(
        refused(&[("delivery", "copy"), ("plimsoll-image", "a")])
            .starts_with("`--delivery copy` has no meaning")
    );
}
