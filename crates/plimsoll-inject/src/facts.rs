//! What `inject` and the admission policies have to agree upon: names, amounts and lists that stand nowhere else.
//!
//! The two make the same gate, one in Rust and one in CEL. Whatever either of them writes into a pod or looks for in one is
//! read from here; that they also do the same with it is what `e2e/tests/scenarios/policy` compares.

/// Variables that a schema may name beside its URL, and that a migration needs if they are there.
pub(crate) const BESIDE: [&str; 2] = ["DIRECT_URL", "DIRECT_DATABASE_URL"];

/// Where the roots of certificates are that the application trusts: its server's may be signed by none of the image's.
pub(crate) const TRUST: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// What the names of our variables begin with.
pub(crate) const PREFIX: &str = "PLIMSOLL_";
/// The variable that wins over every URL of the project.
pub(crate) const URL: &str = "PLIMSOLL_URL";
/// The variable that names a file with the URL.
pub(crate) const URL_FILE: &str = "PLIMSOLL_URL_FILE";
/// The variables that say who the gate is, with the field of the pod that they come from.
pub(crate) const IDENTITY: [(&str, &str); 2] =
    [("PLIMSOLL_POD", "metadata.name"), ("PLIMSOLL_NAMESPACE", "metadata.namespace")];
/// The variable that says which release a pod is, where its label does.
pub(crate) const RELEASE: &str = "PLIMSOLL_RELEASE";
/// The label that says which release a pod is.
pub(crate) const VERSION: &str = "app.kubernetes.io/version";

/// What `kubectl logs` takes if nobody names a container.
pub(crate) const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// The label of nodes by which a pod asks for an operating system.
pub(crate) const NODE_OS: &str = "kubernetes.io/os";

/// As whom the gate runs if nothing says so: the number that distroless images call `nonroot`.
pub(crate) const NOBODY: u64 = 65532;

/// CPU and memory for a container.
pub(crate) type Amount = (&'static str, &'static str);
/// What a gate asks for: the largest init container counts for the whole life of a pod, so that it is small.
pub(crate) const REQUESTS: Amount = ("10m", "32Mi");
/// The most that a gate gets.
///
/// A migration is read as a whole: one of 29.7 MB took 149 MB. A gate that is killed for its memory is started again, and
/// killed again; a limit that is not reached costs nobody anything.
pub(crate) const LIMITS: Amount = ("500m", "512Mi");
/// Both for a gate in a pod that is `Guaranteed`, and stays so.
pub(crate) const GUARANTEED: Amount = ("100m", "512Mi");

/// Sources of volumes that hold configuration and can be mounted read-only.
pub(crate) const CONFIGURATION: [&str; 6] =
    ["secret", "configMap", "projected", "downwardAPI", "csi", "image"];

/// The volume that the binary is on.
pub(crate) const VOLUME: &str = "plimsoll-bin";
/// Where that volume is mounted. Its root holds the binary.
pub(crate) const DIRECTORY: &str = "/plimsoll-bin";

/// Containers that may be the way to a database, by their usual names and images.
pub(crate) const PROXIES: [&str; 7] = [
    "istio-proxy",
    "linkerd-proxy",
    "cloud-sql-proxy",
    "cloudsql-proxy",
    "cloudsql",
    "alloydb-auth-proxy",
    "pgbouncer",
];

/// Names of containers and images that lead to databases, and to nothing else.
pub(crate) const DATABASE_PROXIES: [&str; 8] = [
    "cloud-sql-proxy",
    "cloudsql-proxy",
    "cloudsql",
    "gce-proxy",
    "alloydb-auth-proxy",
    "pgbouncer",
    "pgcat",
    "pgpool",
];

/// What the host of a URL begins with if it is the pod itself, or a socket in it.
pub(crate) const LOCAL: [&str; 6] = ["localhost", "127.", "[::1]", "/", "%2F", "%2f"];

/// Other containers that stand beside applications, by their usual names and images.
const COMPANIONS: [&str; 9] = [
    "envoy",
    "vault-agent",
    "fluent-bit",
    "fluentd",
    "filebeat",
    "otel-collector",
    "opentelemetry-collector",
    "promtail",
    "daprd",
];

/// Containers that stand beside applications, by their usual names and images.
pub(crate) fn sidecars() -> impl Iterator<Item = &'static str> {
    PROXIES.into_iter().chain(COMPANIONS)
}
