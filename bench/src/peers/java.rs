//! What is common to the peers in Java.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::programs;

/// Drivers, each the newest that runs on Java 17.
pub(super) const DRIVERS: &str = "\
    <dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId><version>42.7.14</version></dependency>
    <dependency><groupId>org.mariadb.jdbc</groupId><artifactId>mariadb-java-client</artifactId><version>3.5.8</version></dependency>
    <dependency><groupId>org.xerial</groupId><artifactId>sqlite-jdbc</artifactId><version>3.54.1.0</version></dependency>
";

/// A class, with every archive of these directories to load from.
pub(super) fn command(directories: &[PathBuf], class: &str) -> Command {
    let archives: Vec<String> =
        directories.iter().map(|directory| format!("{}/*", directory.display())).collect();
    let mut command = Command::new("java");
    command.args(["-cp", &archives.join(":"), class]);
    command
}

/// The runtime without what only a compiler needs.
pub(super) fn runtime() -> Vec<PathBuf> {
    let Some(java) = programs::find("java") else { return Vec::new() };
    let Some(home) = java.ancestors().nth(2).map(Path::to_owned) else { return vec![java] };
    let mut installed = programs::entries(&home.join("lib"), &["ct.sym", "src.zip"]);
    installed.extend([home.join("conf"), java]);
    installed
}
