//! What the kernel needs beside a program to start it: the interpreter of a script, the loader of a dynamic program. If that
//! is missing the kernel says of the program itself that it is not there.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// How much of a file the kernel looks at.
const HEAD: usize = 256;

/// `e_machine` of this program: of others the kernel may know an emulator, which looks elsewhere.
const MACHINE: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

/// The program header that names the loader.
const PT_INTERP: u32 = 3;

/// The interpreter or loader that a program names; nothing if it needs none, or that cannot be known.
pub(crate) fn of(program: &Path) -> Option<PathBuf> {
    let file = File::open(program).ok()?;
    let mut head = [0; HEAD];
    let length = file.read_at(&mut head, 0).ok()?;
    let head = &head[..length];
    match head.strip_prefix(b"#!") {
        Some(line) => of_script(line),
        None => loader(&file, head),
    }
}

fn of_script(line: &[u8]) -> Option<PathBuf> {
    let line = line.split(|byte| *byte == b'\n').next()?.trim_ascii_start();
    let name = line.split(|byte| matches!(byte, b' ' | b'\t' | 0)).next()?;
    path(name)
}

/// Of a 64-bit little-endian program for this processor.
fn loader(file: &File, head: &[u8]) -> Option<PathBuf> {
    if !head.starts_with(b"\x7fELF\x02\x01") || u16::from_le_bytes(bytes(head, 18)?) != MACHINE {
        return None;
    }
    let (start, size, count) = (
        u64::from_le_bytes(bytes(head, 32)?),
        u16::from_le_bytes(bytes(head, 54)?),
        u16::from_le_bytes(bytes(head, 56)?),
    );
    (0..u64::from(count)).find_map(|number| {
        let mut header = [0; 56];
        file.read_exact_at(&mut header, start.checked_add(number * u64::from(size))?).ok()?;
        if u32::from_le_bytes(bytes(&header, 0)?) != PT_INTERP {
            return None;
        }
        let mut name = [0; HEAD];
        let length = usize::try_from(u64::from_le_bytes(bytes(&header, 32)?)).ok()?;
        let name = name.get_mut(..length)?;
        file.read_exact_at(name, u64::from_le_bytes(bytes(&header, 8)?)).ok()?;
        path(name.split(|byte| *byte == 0).next()?)
    })
}

fn bytes<const N: usize>(from: &[u8], at: usize) -> Option<[u8; N]> {
    from.get(at..at + N)?.try_into().ok()
}

fn path(name: &[u8]) -> Option<PathBuf> {
    (!name.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &[u8]) -> Option<PathBuf> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        of(file.path())
    }

    #[test]
    fn the_first_word_of_a_script_is_its_interpreter() {
        assert_eq!(of_text(b"#!/bin/sh\n"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(of_text(b"#! \t/usr/bin/env node\nx"), Some(PathBuf::from("/usr/bin/env")));
        // A line break of another system is part of the name to the kernel too.
        assert_eq!(of_text(b"#!/bin/sh\r\n"), Some(PathBuf::from("/bin/sh\r")));
        for text in [&b""[..], b"#!", b"#!\n/bin/sh", b"echo", b"\x7fELF", b"\x7fELF\x02\x01"] {
            assert_eq!(of_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_dynamic_program_names_its_loader() {
        let loader = of(Path::new("/bin/sh")).unwrap();
        assert!(loader.is_absolute() && loader.exists(), "{}", loader.display());
    }
}
