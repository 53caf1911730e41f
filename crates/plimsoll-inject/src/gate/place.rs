//! Where a container stands in a pod.

use serde_json::Value;

use crate::value::{escape, list, named};
use crate::workload::Workload;

/// One of the two lists that a migration can stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Containers {
    Init,
    Main,
}

impl Containers {
    /// The list's key in a pod's spec.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Main => "containers",
        }
    }

    /// The containers of a pod's spec.
    pub(super) fn of(self, pod: &Value) -> &[Value] {
        list(pod, &format!("/{}", self.key()))
    }
}

/// One container, by its name: an index would be another container's as soon as one is put before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) list: Containers,
    pub(super) name: String,
}

impl Place {
    /// The container that stands here.
    pub(super) fn container<'p>(&self, pod: &'p Value) -> Option<&'p Value> {
        named(self.list.of(pod), &self.name)
    }

    /// The place as an editor of the workload calls it.
    pub(super) fn at(&self, workload: &Workload) -> String {
        format!("{}/{}/{}", workload.pod(), self.list.key(), escape(&self.name))
    }
}
