//! Reading a file of a project, which may be anything that somebody has put there.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// The largest file that is read. It is held in memory, and a pod has little of that.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// The bytes of a regular file, or of one that a link leads to.
///
/// A pipe would be waited for, and a device read until memory is full: both are errors, and so is a file of more than 256 MiB.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened, since opening a pipe waits for somebody to write to it.
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        // The system's own words for it.
        return fs::read(path);
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > MOST_BYTES {
        return Err(too_large());
    }
    // In one piece. It may have grown since, and not every file system tells a size.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> io::Error {
    io::Error::other(format!("it has more than {} MiB", MOST_BYTES >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_size_that_can_be_held_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "text").unwrap();
        assert_eq!(read(&file).unwrap(), b"text");
        assert!(read(Path::new("/dev/zero")).unwrap_err().to_string().contains("not a regular file"));
        assert_eq!(read(directory.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(read(&directory.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        File::create(&file).unwrap().set_len(MOST_BYTES + 1).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("256 MiB"));
    }
}
