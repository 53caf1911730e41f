//! How paths and names are shown to people, and how paths are put together without touching the disk.

use std::path::{Component, Path, PathBuf};

/// The path as people would name it: relative to `cwd` when it is below it, else as it is.
pub(crate) fn shown(cwd: &Path, path: &Path) -> String {
    let path = normalize(path);
    let shown = path.strip_prefix(normalize(cwd)).unwrap_or(&path);
    if shown.as_os_str().is_empty() { ".".to_owned() } else { shown.display().to_string() }
}

/// `base/path` without `.` and `..` components, or `path` itself if it is absolute.
///
/// Symbolic links are not looked at: this is what Node's `path.resolve` does, and Prisma with it.
pub(crate) fn absolute(base: &Path, path: &Path) -> PathBuf {
    normalize(&base.join(path))
}

/// Takes `.` out of a path, and each `..` together with the component before it.
pub(crate) fn normalize(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match result.components().next_back() {
                Some(Component::Normal(_)) => {
                    result.pop();
                }
                Some(Component::RootDir) => {}
                _ => result.push(".."),
            },
            other => result.push(other),
        }
    }
    result
}

/// The directory that a file is in.
pub(crate) fn directory_of(path: &Path) -> PathBuf {
    path.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The name of a variable, unless somebody put a value where the name belongs.
pub(crate) fn shown_variable(name: &str) -> &str {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if plain && !name.is_empty() { name } else { "***" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_the_working_directory_is_shown_relative_to_it() {
        let cwd = Path::new("/app");
        assert_eq!(shown(cwd, Path::new("/app/./prisma/x/../schema.prisma")), "prisma/schema.prisma");
        assert_eq!(shown(cwd, Path::new("/application/a")), "/application/a");
        assert_eq!(shown(cwd, Path::new("/app")), ".");
    }

    #[test]
    fn a_parent_above_the_root_is_the_root() {
        assert_eq!(normalize(Path::new("/../../a/./b/..")), Path::new("/a"));
        assert_eq!(normalize(Path::new("../a/../../b")), Path::new("../../b"));
        assert_eq!(absolute(Path::new("/app/sub"), Path::new("../db")), Path::new("/app/db"));
        assert_eq!(absolute(Path::new("/app"), Path::new("/db")), Path::new("/db"));
    }

    #[test]
    fn a_url_in_the_place_of_a_name_is_not_shown() {
        assert_eq!(shown_variable("DATABASE_URL"), "DATABASE_URL");
        assert_eq!(shown_variable("postgresql://a:b@c/d"), "***");
    }
}
