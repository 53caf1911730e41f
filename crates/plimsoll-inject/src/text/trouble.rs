//! The diagnostics of this module.

use plimsoll_core::{Code, Diagnostic};

/// A text whose syntax is wrong. Templates are recognised, because they need another answer.
pub(super) fn unreadable(text: &str, why: &str) -> Diagnostic {
    if text.contains("{{") && text.contains("}}") {
        return Diagnostic::new(
            Code::ManifestTemplate,
            format!("the text holds `{{{{ … }}}}` and is not YAML yet: {why}"),
        )
        .help("render it first: `helm template RELEASE CHART | plimsoll inject -`");
    }
    wrong(why)
}

/// A text whose syntax is right, and which says something that Kubernetes does not take.
pub(super) fn wrong(why: &str) -> Diagnostic {
    Diagnostic::new(Code::ManifestUnreadable, why)
        .help("correct the text there; `kubectl create --dry-run=client -f FILE` reads it the same way")
}

/// A text that would take more memory or stack than any manifest needs.
pub(super) fn too_much(what: &str) -> Diagnostic {
    Diagnostic::new(Code::ManifestTooLarge, what)
        .help("give Plimsoll the manifests alone, without what surrounds them")
}

/// A wanted change that cannot be made in this text.
pub(super) fn uneditable(why: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::ManifestUneditable, why)
        .help("nothing was written; rewrite that part in plain block style, without anchors and tags, and start again")
}
