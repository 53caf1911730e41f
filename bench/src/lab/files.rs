//! The files that a peer consists of.

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Advice, fadvise};

use crate::peer::{Peer, Tools};

/// Visits every file that a peer consists of; once, however many names lead to it.
pub(super) fn each(
    peer: &dyn Peer,
    tools: &Tools,
    mut visit: impl FnMut(&Path, &Metadata) -> io::Result<()>,
) -> Result<(), String> {
    let mut seen = HashSet::new();
    peer.installed(tools).iter().try_for_each(|path| {
        below(path, &mut seen, &mut visit).map_err(|error| format!("{}: {error}", path.display()))
    })
}

fn below(
    path: &Path,
    seen: &mut HashSet<(u64, u64)>,
    visit: &mut dyn FnMut(&Path, &Metadata) -> io::Result<()>,
) -> io::Result<()> {
    let metadata = std::fs::metadata(path)?;
    if !seen.insert((metadata.dev(), metadata.ino())) {
        return Ok(());
    }
    if !metadata.is_dir() {
        return visit(path, &metadata);
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?.path();
        // A link to nowhere is no file.
        if entry.exists() {
            below(&entry, seen, visit)?;
        }
    }
    Ok(())
}

/// Has the kernel forget the files of a peer, and with them how they came to be there: it keeps what has just been written in larger
/// pieces than what it has read, and a process that is started from such a file is up to 3 MiB larger.
pub(super) fn forget(peer: &dyn Peer, tools: &Tools) -> Result<(), String> {
    each(peer, tools, |path, metadata| {
        if !metadata.is_file() {
            return Ok(());
        }
        let file = File::open(path)?;
        file.sync_all()?;
        Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_what_is_in_it_and_a_file_with_two_names_counts_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a/b");
        std::fs::create_dir(directory.path().join("a")).unwrap();
        std::fs::write(&file, [0; 1000]).unwrap();
        std::fs::hard_link(&file, directory.path().join("c")).unwrap();
        std::os::unix::fs::symlink("nowhere", directory.path().join("d")).unwrap();
        let mut sizes = Vec::new();
        let visit = &mut |_: &Path, metadata: &Metadata| {
            sizes.push(metadata.len());
            Ok(())
        };
        below(directory.path(), &mut HashSet::new(), visit).unwrap();
        assert_eq!(sizes, [1000]);
    }
}
