//! The programs that a node, a registry and a name server are made of, from Debian.

use std::path::Path;

use crate::process::Outcome;
use crate::setup::apt;

/// What has to be there, and which package of Debian's brings it.
const TOOLS: [(&str, &str); 11] = [
    ("etcd", "etcd-server"),
    ("runc", "runc"),
    // Debian's place for the plugins; they are not meant to be started by people.
    ("/usr/lib/cni/bridge", "containernetworking-plugins"),
    ("ip", "iproute2"),
    ("umount", "mount"),
    ("openssl", "openssl"),
    ("docker-registry", "docker-registry"),
    ("dnsmasq", "dnsmasq-base"),
    ("buildah", "buildah"),
    ("busybox", "busybox-static"),
    ("musl-gcc", "musl-tools"),
];

/// Where programs are, for root too: `PATH` may lack the last ones.
const ALWAYS: &str = "/usr/sbin:/sbin:/usr/bin:/bin";

/// Installs what is missing, all at once.
pub(super) fn install() -> Outcome {
    let missing: Vec<_> = TOOLS.iter().filter(|(program, _)| !is_there(program)).collect();
    let Some((first, _)) = missing.first() else { return Ok(()) };
    let packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    apt::install(first, &packages)
}

fn is_there(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut places = path.split(':').chain(ALWAYS.split(':'));
    places.any(|place| Path::new(place).join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_its_name_or_its_path() {
        assert!(is_there("sh") && is_there("/bin/sh"));
        assert!(!is_there("no-such-program") && !is_there("/no/such/program"));
    }
}
