//! Images: built by buildah, pushed to the cluster's registry, pulled by its node.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use plimsoll_core::Provider;
use plimsoll_testkit::project::Project;
use tempfile::TempDir;

use crate::answer::Answer;
use crate::cluster::{cluster, workspace};

/// Nothing here was made by anybody else, whose signature could be asked for.
const POLICY: &str = r#"{"default": [{"type": "insecureAcceptAnything"}]}"#;

/// What a release's image stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// An image with Plimsoll's binary in it, the usual way.
    WithPlimsoll,
    /// One without: the binary comes into the pod by other ways.
    WithoutPlimsoll,
}

/// A release of the application: an image with the migrations that it was built for.
///
/// Release 2 has the migrations of release 1 and one more, which creates the table `release_2`; without that table the
/// application does not start.
#[derive(Clone)]
pub struct Release {
    number: u32,
    base: Base,
    provider: Provider,
    last_script: String,
    baked_url: String,
}

impl Release {
    /// A release with as many migrations as its number.
    pub fn number(number: u32) -> Self {
        let last_script = creation(number);
        let (base, provider) = (Base::WithPlimsoll, Provider::Postgresql);
        Self { number, base, provider, last_script, baked_url: String::new() }
    }

    /// The same with statements before those of its last migration.
    #[must_use]
    pub fn first(mut self, statements: &str) -> Self {
        self.last_script = format!("{statements}\n{}", self.last_script);
        self
    }

    /// The same on another base.
    #[must_use]
    pub fn base(mut self, base: Base) -> Self {
        self.base = base;
        self
    }

    /// The same with migrations for another kind of database. The application itself knows only PostgreSQL.
    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = provider;
        self
    }

    /// The same with `DATABASE_URL` in the image, for a manifest that gives it to the init container alone.
    #[must_use]
    pub fn baked_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.baked_url);
        self
    }

    /// The name of a release's last migration.
    pub fn migration(number: u32) -> String {
        format!("202601{number:02}090000_release_{number}")
    }

    /// Builds the image and pushes it under a name, which may lack its registry, as on any other cluster.
    pub(crate) fn push(&self, name: &str) {
        prepare();
        let context = Context::new();
        self.lay_out(context.path());
        let base = match self.base {
            Base::WithPlimsoll => "plimsoll.test/gated:1",
            Base::WithoutPlimsoll => "plimsoll.test/base:1",
        };
        let arguments = [
            format!("BASE={base}"),
            format!("RELEASE={}", self.number),
            format!("NEEDS=release_{}", self.number),
            format!("BAKED_URL={}", self.baked_url),
        ];
        build("release", name, context.path(), &arguments);
        push(name);
    }

    fn lay_out(&self, context: &Path) {
        let project = Project::new(self.provider);
        for earlier in 1..self.number {
            project.set_migration(&Self::migration(earlier), &creation(earlier));
        }
        project.set_migration(&Self::migration(self.number), &self.last_script);
        let app = context.join("app");
        copy(project.path(), &app);
        // The project was made for this user alone; in the image anybody may read it.
        run(Command::new("chmod").args(["--recursive", "a+rX"]).arg(app));
    }
}

/// Builds the image of `examples/backend` with this machine's Node, `DATABASE_URL` in it, and pushes it under a name.
pub fn push_example(name: &str, url: &str) {
    prepare();
    let mut build = Command::new(workspace().join("e2e/images/backend/build"));
    let archive = run(build.arg(name).env("DATABASE_URL", url));
    let archive = format!("oci-archive:{}", archive.trim());
    let id = run(buildah().args(["pull", "--quiet", "--signature-policy"]).arg(policy()).arg(archive));
    run(buildah().args(["tag", id.trim(), name]));
    push(name);
}

fn creation(number: u32) -> String {
    format!(
        "CREATE TABLE release_{number} (id serial PRIMARY KEY, name text);\nINSERT INTO release_{number} (name) VALUES ('first');\n"
    )
}

/// The image that every pod needs, the bases, and Plimsoll's own, once.
fn prepare() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        let context = Context::new();
        let (path, cluster) = (context.path(), cluster());
        std::fs::write(policy(), POLICY).expect("the directory of the cluster is ours");
        copy(&cluster.pause(), &path.join("pause"));
        build("pause", "plimsoll.test/pause:1", path, &[]);
        base(&path.join("base"));
        copy(&cluster.plimsoll(), &path.join("plimsoll"));
        build("gated", "plimsoll.test/gated:1", path, &[]);
        let archive = format!("oci-archive:{}", cluster.plimsoll_image().display());
        let id = run(buildah().args(["pull", "--quiet", "--signature-policy"]).arg(policy()).arg(archive));
        run(buildah().args(["tag", id.trim(), "plimsoll.test/plimsoll:1"]));
        push("plimsoll.test/pause:1");
        push("plimsoll.test/plimsoll:1");
    });
}

/// `busybox` is a shell and everything else under the names by which it is called.
fn base(root: &Path) {
    std::fs::create_dir_all(root.join("bin")).expect("the directory is ours");
    std::fs::create_dir_all(root.join("usr/local/bin")).expect("the directory is ours");
    copy(cluster().application(), &root.join("usr/local/bin/backend"));
    run(Command::new("cp").args(["--dereference", "/bin/busybox"]).arg(root.join("bin/busybox")));
    for name in ["sh", "cat", "cp", "env", "id", "ls", "touch", "true", "wget"] {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(name)).expect("the directory is new");
    }
    build("base", "plimsoll.test/base:1", root, &[]);
}

fn build(what: &str, name: &str, context: &Path, arguments: &[String]) {
    let file = workspace().join(format!("e2e/images/{what}.containerfile"));
    let mut command = buildah();
    command.args(["build", "--quiet", "--pull-never", "--format", "oci"]).arg("--file").arg(file);
    command.arg("--signature-policy").arg(policy()).args(["--tag", name]);
    for argument in arguments {
        command.arg("--build-arg").arg(argument);
    }
    run(command.arg(context));
}

fn push(name: &str) {
    let to = format!("docker://{}/{}", cluster().registry(), path_in_registry(name));
    let mut command = buildah();
    command.args(["push", "--quiet", "--tls-verify=false", "--signature-policy"]).arg(policy());
    run(command.args([name, &to]));
}

/// What a node asks a registry for when it is asked for an image of this name: a name without a registry means Docker's,
/// and one without a path there its library.
fn path_in_registry(name: &str) -> String {
    match name.split_once('/') {
        Some((registry, path)) if registry.contains(['.', ':']) => path.to_owned(),
        Some(_) => name.to_owned(),
        None => format!("library/{name}"),
    }
}

fn buildah() -> Command {
    let storage = cluster().storage();
    let mut command = Command::new("buildah");
    command.arg("--root").arg(storage.join("storage")).arg("--runroot").arg(storage.join("run"));
    command.args(["--storage-driver", "overlay"]);
    command
}

fn policy() -> std::path::PathBuf {
    cluster().storage().with_file_name("policy.json")
}

fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").arg("--recursive").arg(from).arg(to));
}

fn run(command: &mut Command) -> String {
    let answer = Answer::to(command, "");
    answer.expect(&format!("{command:?}"))
}

/// A directory that goes into an image.
struct Context(TempDir);

impl Context {
    fn new() -> Self {
        Self(TempDir::with_prefix("plimsoll-image-").expect("there is a place for temporary files"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_a_node_completes_them() {
        assert_eq!(path_in_registry("my-backend-image:latest"), "library/my-backend-image:latest");
        assert_eq!(path_in_registry("somebody/backend:1"), "somebody/backend:1");
        assert_eq!(path_in_registry("registry.test/ns/backend:1"), "ns/backend:1");
    }

    #[test]
    fn a_release_has_as_many_migrations_as_its_number_and_its_own_comes_last() {
        let context = Context::new();
        Release::number(3).first("SELECT 1;").lay_out(context.path());
        let migrations = context.path().join("app/prisma/migrations");
        for number in 1..=3 {
            let script = migrations.join(Release::migration(number)).join("migration.sql");
            let text = std::fs::read_to_string(script).unwrap();
            assert!(text.contains(&format!("CREATE TABLE release_{number} ")));
            assert_eq!(text.starts_with("SELECT 1;"), number == 3);
        }
    }
}
