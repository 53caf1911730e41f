//! Whether several containers would have the gate go to the same database, as `source` finds it out.

use super::cel::{or, text};
use super::target::{Variable, is_url, references};
use crate::facts::PREFIX;
use crate::settings::Settings;

/// The references of the first container's URL, step by step, and the containers whose URL is another one than its.
///
/// The first container's references will do for all: where another one's entries refer to something else, the entries differ
/// already. What refers further than this is refused, so that no reference is left to differ in.
pub(super) fn source(settings: &Settings) -> Vec<Variable> {
    let url = format!("({} || e.name.startsWith({}))", is_url("e", settings), text(PREFIX));
    let upto = |steps: usize| {
        let refs = (0..steps).map(|step| format!(" || '$(' + e.name + ')' in variables.urlRefs{step}"));
        format!("{url}{}", refs.collect::<String>())
    };
    let of_first = |steps| references(&format!("variables.env.filter(e, {})", upto(steps)));
    let entries =
        |container: &str| format!("({}).filter(e, {})", or(&format!("{container}.env"), "[]"), upto(3));
    let same = |field: &str| {
        let of = |container: &str| or(&format!("{container}.{field}"), "[]");
        format!("({}) == ({})", of("c"), of("variables.target"))
    };
    let env = text(&settings.env);
    vec![
        ("urlRefs0", of_first(0)),
        ("urlRefs1", of_first(1)),
        ("urlRefs2", of_first(2)),
        (
            "shown",
            format!(
                "variables.env.exists(e, e.name == {env}) && \
                 variables.urlRefs2.all(r, variables.env.exists(e, '$(' + e.name + ')' == r))"
            ),
        ),
        (
            "isFile",
            format!(
                "({}).exists(e, has(e.value) && e.value.startsWith('file:'))",
                entries("variables.target")
            ),
        ),
        (
            "elsewhere",
            format!(
                "variables.possible.filter(c, !(({}) == ({}) && (variables.shown || {}) && (!variables.isFile || {})))",
                entries("c"),
                entries("variables.target"),
                same("envFrom"),
                same("volumeMounts")
            ),
        ),
    ]
}
