//! What has to be in an image.

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::peer::{Peer, Tools};
use crate::results::{Cell, Measured};
use crate::stats::Summary;

/// The bytes of all files that a peer needs.
pub(super) fn weigh(peer: &dyn Peer, tools: &Tools) -> Cell {
    let mut seen = HashSet::new();
    let mut bytes = 0;
    for path in peer.installed(tools) {
        match weight(&path, &mut seen) {
            Ok(more) => bytes += more,
            Err(error) => return Cell::Failed(format!("{}: {error}", path.display())),
        }
    }
    let mut kibibytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX).into();
    kibibytes *= 1024.0;
    let Some(value) = Summary::of([kibibytes]) else { return Cell::Failed("nothing is installed".into()) };
    Cell::Measured(Measured { runs: 1, value, cpu: None, mebibytes: None, alone: None, note: String::new() })
}

/// A file that several names lead to counts once.
fn weight(path: &Path, seen: &mut HashSet<(u64, u64)>) -> io::Result<u64> {
    let metadata = std::fs::metadata(path)?;
    if !seen.insert((metadata.dev(), metadata.ino())) {
        return Ok(0);
    }
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut bytes = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?.path();
        // A link to nowhere is no file.
        if entry.exists() {
            bytes += weight(&entry, seen)?;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_weighs_what_is_in_it_and_a_file_with_two_names_counts_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a/b");
        std::fs::create_dir(directory.path().join("a")).unwrap();
        std::fs::write(&file, [0; 1000]).unwrap();
        std::fs::hard_link(&file, directory.path().join("c")).unwrap();
        std::os::unix::fs::symlink("nowhere", directory.path().join("d")).unwrap();
        assert_eq!(weight(directory.path(), &mut HashSet::new()).unwrap(), 1000);
    }
}
