//! What a pod does about migrations today, and what says that it has a database.

use serde_json::Value;

use crate::detect::{Role, Scripts, role};
use crate::gate::url_variable;
use crate::select::is_sidecar;
use crate::value::{list, name};

/// What a workload's pod does about migrations today.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    /// Each init container with its role.
    pub(crate) init: Vec<(String, Role)>,
    /// Each other container with its role.
    pub(crate) containers: Vec<(String, Role)>,
    /// The containers, sidecars apart, that have a URL, each with the variable that says it.
    pub(crate) with_url: Vec<(String, String)>,
}

impl Survey {
    /// Looks at the spec of a pod.
    pub(crate) fn of(pod: &Value, env: &str, scripts: &Scripts) -> Self {
        let roles = |pointer| {
            let containers = list(pod, pointer).iter();
            containers.map(|container| (name(container).to_owned(), role(container, scripts))).collect()
        };
        let applications = list(pod, "/containers").iter().filter(|container| !is_sidecar(container));
        let with_url = applications.filter_map(|container| {
            let variable = url_variable(list(container, "/env"), env)?;
            Some((name(container).to_owned(), variable.to_owned()))
        });
        Self {
            init: roles("/initContainers"),
            containers: roles("/containers"),
            with_url: with_url.collect(),
        }
    }

    /// The container that runs Plimsoll, if there is one.
    pub(crate) fn gate(&self) -> Option<&str> {
        let mut all = self.init.iter().chain(&self.containers);
        all.find(|(_, role)| *role == Role::Gate).map(|(name, _)| name.as_str())
    }

    /// Why this workload should be gated, if it has to do with Prisma.
    pub(crate) fn prisma(&self) -> Option<String> {
        let mut all = self.init.iter().chain(&self.containers);
        all.find_map(|(name, role)| match role {
            Role::Migrates(_) | Role::Starts(..) => {
                Some(format!("container `{name}` migrates with Prisma today"))
            }
            Role::Unclear(_) => Some(format!("container `{name}` speaks of `prisma migrate deploy`")),
            Role::Other(command) => Some(format!("container `{name}` runs `{command}`")),
            Role::Gate | Role::Nothing => None,
        })
    }

    /// Why this workload may need a gate, if it has the variable of the URL.
    pub(crate) fn variable(&self) -> Option<String> {
        let first = self.with_url.first();
        first.map(|(name, variable)| format!("container `{name}` has the variable `{variable}`"))
    }
}
