//! The manifest of the kubectl plugin, against what krew and its index ask of one: the rules are those of its
//! `validate-krew-manifest`, which cannot be run without a release to download.

use std::path::Path;

use plimsoll_e2e::project_file;
use serde_json::Value;

use crate::objects::objects;

/// The tag of a release of this version.
const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));
const TEMPLATE: &str = "deploy/krew/plimsoll.yaml";
/// What krew's index takes for the text of a license, in any case.
const LICENSES: [&str; 8] = [
    "license",
    "license.txt",
    "license.md",
    "licenses",
    "licenses.txt",
    "licenses.md",
    "copying",
    "copying.txt",
];
/// The systems that krew itself is made for.
const PLATFORMS: [(&str, &str); 11] = [
    ("windows", "386"),
    ("windows", "amd64"),
    ("windows", "arm64"),
    ("linux", "386"),
    ("linux", "amd64"),
    ("linux", "arm"),
    ("linux", "arm64"),
    ("linux", "ppc64le"),
    ("darwin", "386"),
    ("darwin", "amd64"),
    ("darwin", "arm64"),
];

/// The manifest as a release makes it: what stands in double braces is a tag, or the two lines of an archive.
fn manifest() -> Value {
    let template = std::fs::read_to_string(project_file(TEMPLATE)).unwrap();
    let lines: Vec<String> = template.lines().map(fill).collect();
    objects(&lines.join("\n")).remove(0)
}

fn fill(line: &str) -> String {
    match line.split_once("{{ addURIAndSha ") {
        Some((indent, archive)) => {
            let address =
                archive.split('"').nth(1).unwrap().replacen("%s", "owner", 1).replacen("%s", "name", 1);
            format!("{indent}uri: {}\n    sha256: {}", tagged(&address), "0".repeat(64))
        }
        None => tagged(line),
    }
}

fn tagged(text: &str) -> String {
    text.replace("{{ .TagName }}", TAG)
}

fn platforms(manifest: &Value) -> &[Value] {
    manifest["spec"]["platforms"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn files(platform: &Value) -> impl Iterator<Item = (&str, &str)> {
    let files = platform["files"].as_array().into_iter().flatten();
    files.map(|file| (file["from"].as_str().unwrap(), file["to"].as_str().unwrap()))
}

#[test]
fn krew_gets_a_plugin_with_the_name_of_its_file() {
    let manifest = manifest();
    assert_eq!(manifest["apiVersion"], "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!(manifest["kind"], "Plugin");
    assert_eq!(manifest["metadata"]["name"].as_str(), Path::new(TEMPLATE).file_stem().unwrap().to_str());
    assert_eq!(manifest["spec"]["version"], TAG);
}

#[test]
fn krew_shows_a_tagline_of_a_few_words_on_one_line() {
    let manifest = manifest();
    let tagline = manifest["spec"]["shortDescription"].as_str().unwrap();
    assert!(!tagline.is_empty() && !tagline.contains(['\r', '\n']), "{tagline}");
    assert!(tagline.len() <= 50 && !tagline.ends_with('.'), "{tagline}");
    assert!(!manifest["spec"]["description"].as_str().unwrap().is_empty());
}

#[test]
fn krew_knows_every_platform_and_none_twice() {
    let manifest = manifest();
    let mut chosen: Vec<(&str, &str)> = Vec::new();
    for platform in platforms(&manifest) {
        let labels = platform["selector"]["matchLabels"].as_object().unwrap();
        assert_eq!(labels.len(), 2, "`os` and `arch`: {labels:?}");
        chosen.push((labels["os"].as_str().unwrap(), labels["arch"].as_str().unwrap()));
    }
    assert!(!chosen.is_empty());
    assert!(chosen.iter().all(|platform| PLATFORMS.contains(platform)), "{chosen:?}");
    let all = chosen.len();
    chosen.sort_unstable();
    chosen.dedup();
    assert_eq!(chosen.len(), all);
}

#[test]
fn krew_gets_the_binary_and_a_license_under_a_name_that_it_knows() {
    let manifest = manifest();
    for platform in platforms(&manifest) {
        let installed: Vec<&str> =
            files(platform).map(|(from, to)| if to == "." { from } else { to }).collect();
        assert!(installed.contains(&platform["bin"].as_str().unwrap()), "{installed:?}");
        let is_license = |name: &&str| LICENSES.contains(&name.to_lowercase().as_str());
        assert!(installed.iter().any(is_license), "{installed:?}");
        let texts: Vec<&str> =
            files(platform).map(|(from, _)| from).filter(|from| *from != "plimsoll").collect();
        assert_eq!(texts, ["LICENSE-APACHE", "LICENSE-MIT"]);
        assert!(texts.iter().all(|text| project_file(text).is_file()));
    }
}

#[test]
fn krew_gets_every_archive_from_the_release_with_this_tag() {
    let manifest = manifest();
    let address =
        |name: &str| format!("https://github.com/owner/name/releases/download/{TAG}/plimsoll-{name}.tar.gz");
    for platform in platforms(&manifest) {
        let labels = &platform["selector"]["matchLabels"];
        let name = format!("{}-{}", labels["os"].as_str().unwrap(), labels["arch"].as_str().unwrap());
        assert_eq!(platform["uri"], address(&name));
    }
}
