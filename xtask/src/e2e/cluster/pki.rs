//! Who is who: an authority, certificates by it, and the clients' configurations.

use std::process::Command;

use super::network::local;
use super::node::Node;
use crate::process::Outcome;

const CURVE: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
/// A cluster lives for minutes; one that is kept, for days.
const LIFE: [&str; 3] = ["-nodes", "-days", "30"];

/// Writes everything below `pki`, and a configuration beside it for each client.
pub(super) fn write(node: &Node) -> Outcome {
    let host = node.network.host();
    openssl(node, req().args(["-subj", "/CN=ca", "-keyout", "pki/ca.key", "-out", "pki/ca.crt"]))?;
    // The key that signs the tokens of service accounts.
    openssl(
        node,
        Command::new("openssl").args([
            "ecparam",
            "-genkey",
            "-noout",
            "-name",
            "prime256v1",
            "-out",
            "pki/sa.key",
        ]),
    )?;
    openssl(
        node,
        Command::new("openssl").args(["ec", "-in", "pki/sa.key", "-pubout", "-out", "pki/sa.pub"]),
    )?;
    let api = format!("IP:127.0.0.1,IP:10.96.0.1,IP:{host},DNS:localhost,DNS:kubernetes.default.svc");
    issue(node, "apiserver", "/CN=kube-apiserver", &api)?;
    client(node, "admin", "/O=system:masters/CN=admin", "DNS:admin")?;
    client(node, "manager", "/CN=system:kube-controller-manager", "DNS:manager")?;
    client(node, "scheduler", "/CN=system:kube-scheduler", "DNS:scheduler")?;
    client(node, "kubelet", "/O=system:nodes/CN=system:node:lab", &format!("DNS:lab,IP:127.0.0.1,IP:{host}"))
}

fn client(node: &Node, name: &str, subject: &str, names: &str) -> Outcome {
    issue(node, name, subject, names)?;
    let path = node.directory.join(format!("{name}.conf"));
    std::fs::write(&path, configuration(node, name)).map_err(|error| format!("{}: {error}", path.display()))
}

fn configuration(node: &Node, name: &str) -> String {
    let pki = node.directory.join("pki");
    let pki = pki.display();
    let server = local("https", node.ports.api);
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: it\n\
         contexts: [{{name: it, context: {{cluster: it, user: it}}}}]\n\
         clusters: [{{name: it, cluster: {{server: '{server}', certificate-authority: '{pki}/ca.crt'}}}}]\n\
         users: [{{name: it, user: {{client-certificate: '{pki}/{name}.crt', client-key: '{pki}/{name}.key'}}}}]\n"
    )
}

fn issue(node: &Node, name: &str, subject: &str, names: &str) -> Outcome {
    let mut command = req();
    command.args(["-CA", "pki/ca.crt", "-CAkey", "pki/ca.key", "-subj", subject]);
    command.args(["-keyout", &format!("pki/{name}.key"), "-out", &format!("pki/{name}.crt")]);
    command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    command.args(["-addext", "extendedKeyUsage=serverAuth,clientAuth"]);
    openssl(node, command.arg("-addext").arg(format!("subjectAltName={names}")))
}

fn req() -> Command {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509"]).args(CURVE).args(LIFE);
    command
}

fn openssl(node: &Node, command: &mut Command) -> Outcome {
    let output =
        command.current_dir(&node.directory).output().map_err(|error| format!("`openssl`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}: {}", crate::shown(command), String::from_utf8_lossy(&output.stderr)))
}
