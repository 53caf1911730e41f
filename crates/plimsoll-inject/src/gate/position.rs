//! Where the gate stands among the init containers.

use plimsoll_core::{Code, Diagnostic};
use serde_json::Value;

use crate::settings::Position;
use crate::value::{name, names, text};
use crate::workload::Workload;

/// The index at which the gate is put in, and why there.
///
/// Native sidecars come first, as a proxy may be the way to the database; other init containers come later, as they may
/// need the schema.
pub(super) fn index(
    workload: &Workload,
    init: &[Value],
    position: &Position,
) -> Result<(usize, String), Diagnostic> {
    let find = |wanted: &str| {
        init.iter()
            .position(|container| name(container) == wanted)
            .ok_or_else(|| no_such(workload, wanted, init))
    };
    Ok(match position {
        Position::AfterSidecars => after_sidecars(init),
        Position::First => (0, "it is the first init container, as `--place` says".to_owned()),
        Position::Last => (init.len(), "it is the last init container, as `--place` says".to_owned()),
        Position::Before(wanted) => {
            (find(wanted)?, format!("it stands before `{wanted}`, as `--place` says"))
        }
        Position::After(wanted) => {
            (find(wanted)? + 1, format!("it stands after `{wanted}`, as `--place` says"))
        }
    })
}

fn after_sidecars(init: &[Value]) -> (usize, String) {
    let last = init.iter().rposition(|container| text(container, "/restartPolicy") == Some("Always"));
    let index = last.map_or(0, |last| last + 1);
    let before = match &init[index..] {
        [] => String::new(),
        later => format!(" and before {}", names(later)),
    };
    let why = match last {
        Some(last) => format!("it stands after the native sidecar `{}`{before}", name(&init[last])),
        None => format!("it is the first init container{before}"),
    };
    (index, why)
}

fn no_such(workload: &Workload, wanted: &str, init: &[Value]) -> Diagnostic {
    let trouble =
        workload.trouble(Code::InjectUnclear, &format!("it has no init container `{wanted}` for `--place`"));
    match init {
        [] => trouble.help("it has no init container at all: leave `--place` out"),
        _ => trouble.help(format!("it has {}", names(init))),
    }
}
