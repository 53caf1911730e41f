//! The workloads that `--target` names.

use plimsoll_core::{Code, Diagnostic};

use crate::value::join;
use crate::workload::Workload;

/// Why a workload is left alone if others were named.
pub(crate) const NOT_NAMED: &str = "`--target` does not name it";

/// Checks that every target names a workload.
pub(crate) fn check_targets<'w>(
    targets: &[String],
    workloads: impl Iterator<Item = &'w Workload> + Clone,
) -> Result<(), Diagnostic> {
    let lost = targets.iter().find(|target| !workloads.clone().any(|workload| is_named(workload, target)));
    lost.map_or(Ok(()), |target| Err(no_such_target(target, workloads)))
}

/// `NAME` or `KIND/NAME`, the kind in any case.
pub(crate) fn is_named(workload: &Workload, target: &str) -> bool {
    match target.split_once('/') {
        Some((kind, name)) => workload.kind.eq_ignore_ascii_case(kind) && workload.name == name,
        None => workload.name == target,
    }
}

/// Kinds and names, as a person reads a list.
pub(crate) fn titles<'w>(workloads: impl Iterator<Item = &'w Workload>) -> String {
    let titles: Vec<String> = workloads.map(Workload::title).collect();
    join(titles.iter().map(String::as_str))
}

fn no_such_target<'w>(target: &str, workloads: impl Iterator<Item = &'w Workload>) -> Diagnostic {
    let trouble =
        Diagnostic::new(Code::InjectNothing, format!("`--target {target}` names no workload of the input"));
    match titles(workloads) {
        none if none.is_empty() => trouble.help("the input has no workload at all"),
        titles => trouble.help(format!("it has {titles}")),
    }
}
