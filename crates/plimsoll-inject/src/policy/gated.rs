//! What counts as a gate in a pod that has been there before us.
//!
//! `inject` leaves a pod alone in which anything runs Plimsoll. A policy that guards has to know more: that the application
//! really waits for it. What it cannot be sure of is refused with a sentence (`problem`), and not taken for a gate.

use super::cel::{keeps_running, text, words};
use crate::settings::Settings;

/// The commands that end, or go on, only once the migrations are done.
const VERBS: &str = "(deploy|wait|exec|migrate[ \\t\\n]+deploy)";

/// Whether a pod is gated: an init container whose end is waited for is a gate, or each of its applications is one itself
/// (`plimsoll exec`).
pub(super) fn gated(settings: &Settings) -> String {
    let gate = is_gate("c", settings);
    format!(
        "variables.init.exists(c, {gate} && !{}) || \
         (variables.applications.size() > 0 && variables.applications.all(c, {gate}))",
        keeps_running("c")
    )
}

/// Whether a container runs Plimsoll so that it fails if the migrations do.
pub(super) fn is_gate(container: &str, settings: &Settings) -> String {
    let words = words(container);
    // A long script costs far more to match than to search, and an expression may cost only so much.
    let named =
        ["plimsoll", settings.binary.as_str()].map(|name| format!("{words}.contains({})", text(name)));
    format!(
        "(({}) && ({words}.matches({}) || {words}.matches({})))",
        named.join(" || "),
        text(&direct(settings)),
        text(&by_shell())
    )
}

/// Whether a container speaks of running Plimsoll, in whatever way.
pub(super) fn mentions(container: &str) -> String {
    speaks_of(container, "plimsoll", "plimsoll[\\s\"']+(deploy|wait|exec|migrate[\\s\"']+deploy)")
}

/// Whether a container speaks of Prisma's migrate, in whatever way: all that `detect` finds, and more.
pub(super) fn migrates(container: &str) -> String {
    speaks_of(container, "prisma", "migrate[\\s\"'\\\\]+deploy")
}

fn speaks_of(container: &str, name: &str, command: &str) -> String {
    let words = words(container);
    format!("({words}.contains({}) && {words}.matches({}))", text(name), text(command))
}

/// The command itself: behind variables, `exec` and an init process, as `detect` knows it.
fn direct(settings: &Settings) -> String {
    let before = "^((exec|env|cross-env|[A-Za-z_][A-Za-z0-9_]*=[^\\n]*)\\n)*(([^\\n]*/)?(tini|dumb-init)\\n(-[^\\n]*\\n)*)?";
    let program = format!("(([^\\n]*/)?plimsoll|{})", literal(&settings.binary));
    format!("{before}{program}\\n(deploy|wait|exec|migrate\\ndeploy)(\\n|$)")
}

/// `sh -c 'plimsoll deploy && node x'`: nothing but plain commands, each only if the one before it succeeded.
fn by_shell() -> String {
    let shell = "^([^\\n]*/)?(sh|bash|ash|dash)\\n(-[a-z]+\\n)?-[a-z]*c\\n";
    let word = "[A-Za-z0-9_./=:@,%+-]+";
    let before = "\\s*(set -[a-z]+\\s*(;|&&|\\n)\\s*)?(exec\\s+)?";
    format!(
        "{shell}{before}([A-Za-z0-9_./-]*/)?plimsoll[ \\t]+{VERBS}([ \\t]+{word})*\\s*(&&\\s*{word}([ \\t]+{word})*\\s*)*$"
    )
}

/// A text in a regular expression.
fn literal(text: &str) -> String {
    let escape = |c: char| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() };
    text.chars().map(escape).collect()
}
