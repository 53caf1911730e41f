//! Nothing that is true only on the machine of whoever wrote it. The words are put together here so that this file
//! does not hold them.

use super::tree::{Finding, Source, Tree};

/// Directories of one machine.
const PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/fa", "rm")];

/// Hosts that packages come from: which one is the business of each machine's configuration.
const HOSTS: [&str; 9] = [
    concat!("regis", "try.npmjs"),
    concat!("regis", "try.yarnpkg"),
    concat!("npm.pkg.", "github"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("proxy.", "golang.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("deb.", "debian.org"),
    concat!("repo.", "maven"),
];

/// Checks every line of every file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().flat_map(check_file).collect()
}

fn check_file(file: &Source) -> Vec<Finding> {
    let mut findings =
        file.lines_that(|line| PATHS.iter().any(|path| begins(line, path)), "a path of one machine");
    findings.extend(
        file.lines_that(|line| HOSTS.iter().any(|host| line.contains(host)), "the host of a registry"),
    );
    findings
}

/// Whether an absolute path in this line begins so; the middle of a longer one is somebody's own directory.
fn begins(line: &str, path: &str) -> bool {
    let is_middle =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '}' | '>' | '*' | '/');
    line.match_indices(path).any(|(at, _)| !line[..at].ends_with(is_middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_and_host_is_found() {
        for word in PATHS.iter().chain(&HOSTS) {
            let found = check(&Tree::of(&[("a.md", &format!("see\n`{word}x`\n"))]));
            assert_eq!(found.len(), 1, "{word}");
            assert!(found[0].to_string().starts_with("a.md:2:"));
        }
    }

    #[test]
    fn the_middle_of_a_path_is_nobodys_directory() {
        assert!(check(&Tree::of(&[("a.md", &format!("target{}x", PATHS[0]))])).is_empty());
    }
}
