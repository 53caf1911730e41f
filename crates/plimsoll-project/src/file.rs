//! Reading a file of a project, which may be anything that somebody has put there.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, openat};

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

/// The bytes of a regular file below a directory that is open; nothing if anything about it is not as it is every day, which is for
/// [`read`] to look at and to tell of.
///
/// A project has many of them: the system finds its way to the directory once and not twice for each, and is asked for no more than it
/// has said that there is.
pub(crate) fn read_below(directory: impl AsFd, path: &str) -> Option<Vec<u8>> {
    // A pipe is not waited for.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut file = File::from(openat(directory, path, flags, Mode::empty()).ok()?);
    let metadata = file.metadata().ok().filter(|it| it.is_file() && it.len() <= MOST_BYTES)?;
    let length = usize::try_from(metadata.len()).ok()?;
    // There is room for one byte more: that it does not come is the end of the file.
    let mut bytes = vec![0; length + 1];
    let read = file.read(&mut bytes).ok()?;
    bytes.truncate(length);
    (read == length).then_some(bytes)
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

    #[test]
    fn only_what_is_as_every_day_is_read_the_short_way() {
        let directory = tempfile::tempdir().unwrap();
        let below = File::open(directory.path()).unwrap();
        let read = |name: &str| read_below(&below, name);
        fs::write(directory.path().join("text"), "text").unwrap();
        fs::write(directory.path().join("empty"), "").unwrap();
        std::os::unix::fs::symlink("text", directory.path().join("link")).unwrap();
        assert_eq!(read("text").as_deref(), Some(&b"text"[..]));
        assert_eq!(read("empty").as_deref(), Some(&b""[..]));
        assert_eq!(read("link").as_deref(), Some(&b"text"[..]));
        // It has more than its size says.
        for other in ["/dev/zero", "/proc/self/status", ".", "none", "text/none"] {
            assert_eq!(read(other), None, "{other}");
        }
        File::create(directory.path().join("long")).unwrap().set_len(MOST_BYTES + 1).unwrap();
        assert_eq!(read("long"), None);
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        assert_eq!(read_below(File::open(directory.path()).unwrap(), "pipe"), None);
    }
}
