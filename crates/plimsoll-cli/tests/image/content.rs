//! What is in the images, and what they say about themselves.

use plimsoll_testkit::project::Project;

use crate::container::{Image, json};

/// As large may everything be that is not the binary, whose size is checked when it is built.
const MOST_BYTES_BESIDE: u64 = 1024 * 1024;

#[test]
fn the_program_starts_where_there_is_nothing_else() {
    let version = Image::plain().run(&Project::empty(), &["--version"]).run().expect_code(0);
    assert_eq!(version.stdout, format!("plimsoll {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_image_says_who_runs_what() {
    let image = Image::plain();
    assert_eq!(image.config["config"]["User"], "65532:65532");
    assert_eq!(image.config["config"]["Entrypoint"], serde_json::json!(["/plimsoll"]));
    assert_eq!(image.config["config"]["Cmd"], serde_json::Value::Null);
}

#[test]
fn labels_and_annotations_say_the_same() {
    let image = Image::plain();
    let labels = &image.config["config"]["Labels"];
    for name in ["version", "revision", "created", "source"] {
        let name = format!("org.opencontainers.image.{name}");
        assert_eq!(labels[&name], image.annotations[&name], "{name}");
        assert!(labels[&name].is_string(), "{name}: {labels}");
    }
    assert_eq!(labels["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(labels["org.opencontainers.image.created"], image.config["created"]);
    for name in ["title", "description", "licenses"] {
        assert!(labels[format!("org.opencontainers.image.{name}")].is_string(), "{name}: {labels}");
    }
}

#[test]
fn everything_in_the_image_is_small_and_known() {
    let image = Image::plain();
    let files = [
        "etc/ssl/certs/ca-certificates.crt",
        "plimsoll",
        "usr/share/doc/plimsoll/LICENSE-APACHE",
        "usr/share/doc/plimsoll/LICENSE-MIT",
        "usr/share/plimsoll/sbom.cdx.json",
    ];
    assert_eq!(files_below(&image, ""), files);
    let others: u64 = files.iter().filter(|file| **file != "plimsoll").map(|file| size(&image, file)).sum();
    assert!(others <= MOST_BYTES_BESIDE, "{others} bytes beside the binary");
}

#[test]
fn the_binary_knows_no_way_to_have_a_bug_on_purpose_and_no_path_of_the_machine_that_built_it() {
    let binary = std::fs::read(Image::plain().file("plimsoll")).expect("the binary is in the image");
    let holds = |text: &str| binary.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(!holds("PLIMSOLL_TEST_BUG"), "a debug build is no release");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    assert!(!holds(root) && holds("crates/plimsoll-cli/src/"), "{root} is in it");
}

#[test]
fn the_bill_of_materials_names_what_is_linked_and_no_machine() {
    let image = Image::plain();
    let list = json(&image.file("usr/share/plimsoll/sbom.cdx.json"));
    assert_eq!(list["bomFormat"], "CycloneDX");
    let components = list["components"].as_array().expect("there are components");
    let has = |name: &str| components.iter().any(|component| component["name"] == name);
    assert!(has("libsqlite3-sys") && has("sqlite") && has("tokio-postgres") && has("rustls"));
    assert!(!has("insta") && !has("proptest"), "what only tests need is in it");
    let places = list.to_string();
    let places: Vec<_> = places.split("file:///").skip(1).filter(|it| !it.starts_with("crates/")).collect();
    assert!(places.is_empty(), "{places:?}");
}

#[test]
fn the_image_with_a_shell_is_the_same_with_a_shell() {
    let (plain, debug) = (Image::plain(), Image::debug());
    let read = |image: &Image| std::fs::read(image.file("plimsoll")).expect("the binary is in the image");
    assert_eq!(read(&plain), read(&debug));
    assert!(!plain.file("bin").exists());
    assert_eq!(debug.config["config"]["Entrypoint"], plain.config["config"]["Entrypoint"]);
    let script = "id -u; /plimsoll --version; ls -d /app";
    // An emulated shell cannot start other programs: nothing tells the kernel how.
    if debug.config["architecture"] == architecture_here() {
        let said = debug.execute(&Project::empty(), "/bin/sh", &["-c", script]).run().expect_code(0);
        assert_eq!(said.stdout, format!("1000650000\nplimsoll {}\n/app\n", env!("CARGO_PKG_VERSION")));
    } else {
        let said = debug.execute(&Project::empty(), "/bin/busybox", &["id", "-u"]).run().expect_code(0);
        assert_eq!(said.stdout, "1000650000\n");
    }
}

fn architecture_here() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// The paths of all files, sorted.
fn files_below(image: &Image, directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(image.file(directory)).expect("the image has been unpacked");
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let path = format!("{directory}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files.extend(files_below(image, &format!("{path}/")));
        } else {
            files.push(path);
        }
    }
    files.sort_unstable();
    files
}

fn size(image: &Image, file: &str) -> u64 {
    image.file(file).metadata().expect("it has just been listed").len()
}
