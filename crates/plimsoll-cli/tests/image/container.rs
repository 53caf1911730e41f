//! A container of the image, as a runtime makes it, but without one: mounts, and a root directory of its own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_testkit::program::Program;
use plimsoll_testkit::project::Project;
use serde_json::Value;
use tempfile::TempDir;

/// The user of every container here, which no file knows. `OpenShift` chooses such numbers.
pub(crate) const USER: &str = "1000650000:0";

/// Mounts what a pod would mount, takes away the right to write, and becomes the program.
const START: &str = r#"
set -e
root=$1 project=$2 data=$3 user=$4
shift 4
mount --bind "$root" "$root"
mount --bind "$project" "$root/app"
mount --bind "$data" "$root/data"
mount --options remount,bind,ro "$root/app"
mount --options remount,bind,ro "$root"
exec chroot --userspec="$user" --groups= "$root" "$@"
"#;

/// An image, unpacked for one test.
pub(crate) struct Image {
    place: TempDir,
    /// What a runtime is told: user, entry point, labels.
    pub(crate) config: Value,
    /// What a registry is told.
    pub(crate) annotations: Value,
}

impl Image {
    /// The image without a shell.
    pub(crate) fn plain() -> Self {
        Self::unpack("plimsoll.tar")
    }

    /// The one with a shell.
    pub(crate) fn debug() -> Self {
        Self::unpack("plimsoll-debug.tar")
    }

    fn unpack(name: &str) -> Self {
        let images = std::env::var_os("PLIMSOLL_IMAGES").expect("run `cargo xtask image --check`");
        let place = TempDir::with_prefix("plimsoll-image-").expect("there is a place for temporary files");
        let (blobs, root) = (place.path().join("archive"), place.path().join("root"));
        untar(&Path::new(&images).join(name), &blobs);
        let index = json(&blobs.join("index.json"));
        let manifest = json(&blob(&blobs, &index["manifests"][0]));
        for layer in manifest["layers"].as_array().expect("a manifest has layers") {
            untar(&blob(&blobs, layer), &root);
        }
        // A runtime makes the places that it mounts to.
        for directory in ["app", "data"] {
            std::fs::create_dir(root.join(directory)).expect("the image has no such directory");
        }
        open_to_all(place.path());
        let config = json(&blob(&blobs, &manifest["config"]));
        Self { place, config, annotations: manifest["annotations"].clone() }
    }

    /// A file of the image, or the place of one that is to be mounted into it.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.place.path().join("root").join(path)
    }

    /// The entry point on a project, which is mounted to `/app`, with a directory to write to at `/data`.
    pub(crate) fn run(&self, project: &Project, arguments: &[&str]) -> Program {
        let entry = self.config["config"]["Entrypoint"][0].as_str().expect("the image has an entry point");
        self.execute(project, entry, arguments)
    }

    /// Any program of the image.
    pub(crate) fn execute(&self, project: &Project, program: &str, arguments: &[&str]) -> Program {
        let data = self.place.path().join("data");
        std::fs::create_dir_all(&data).expect("the place is ours");
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o777)).expect("it is ours");
        open_to_all(project.path());
        let mounts = [self.file(""), project.path().to_owned(), data];
        Program::new("plimsoll", "unshare".into(), project)
            .args(["--mount", "sh", "-c", START, "sh"])
            .args(mounts)
            .arg(USER)
            .args(self.emulator())
            .arg(program)
            .args(arguments)
    }

    /// What runs programs for another processor, which is static itself.
    fn emulator(&self) -> Option<&'static str> {
        let there = self.config["architecture"].as_str().expect("the image says for which processor it is");
        let name = if there == "arm64" { "aarch64" } else { "x86_64" };
        if name == std::env::consts::ARCH {
            return None;
        }
        let emulator = format!("/usr/bin/qemu-{name}-static");
        std::fs::copy(&emulator, self.file("emulator")).unwrap_or_else(|error| panic!("{emulator}: {error}"));
        Some("/emulator")
    }
}

/// Temporary directories are their owner's alone, and the user of a container is somebody else.
fn open_to_all(directory: &Path) {
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory, mode).expect("the directory is ours");
}

fn untar(archive: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the place is ours");
    let status = Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(to).status();
    assert!(status.is_ok_and(|status| status.success()), "{} cannot be unpacked", archive.display());
}

fn blob(archive: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().expect("a descriptor has a digest");
    archive.join("blobs").join(digest.replace(':', "/"))
}

/// A JSON file.
pub(crate) fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
