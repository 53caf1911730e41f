//! The servers' own lists of errors, as they are installed beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use crate::installed;
use crate::server::{Flavour, Version};

/// Codes and what the list calls them.
pub type List = BTreeMap<String, String>;

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The errors of `errcodes.txt`, without what it calls warnings and successes.
pub fn postgres(version: Version) -> List {
    let path = format!("postgres/{}/share/postgresql/errcodes.txt", version.major());
    let line = Regex::new(r"(?m)^([0-9A-Z]{5})\s+E\s+ERRCODE_(\S+)").expect("it is one");
    let text = read(&installed::file(&path));
    line.captures_iter(&text).map(|found| (found[1].to_owned(), found[2].to_lowercase())).collect()
}

/// What a MySQL or MariaDB server may send to a client. Numbers from 10000 on are those of its log.
pub fn mysql(flavour: Flavour) -> List {
    let path = match flavour {
        Flavour::Mysql => installed::file("mysql/8.0.31/share/messages_to_clients.txt"),
        Flavour::OldMysql => installed::file("mysql/8.0.15/share/errmsg-utf8.txt"),
        Flavour::Mariadb => installed::file("mariadb/mariadb-server/usr/share/mysql/errmsg-utf8.txt"),
    };
    let start = Regex::new(r"^(?:start-error-number|skip-to-error-number)\s+(\d+)").expect("it is one");
    let name = Regex::new(r"^(?:OBSOLETE_)?([A-Z][A-Z0-9_]+)(?:\s|$)").expect("it is one");
    let (mut list, mut next) = (List::new(), 0);
    for line in read(&path).lines() {
        if let Some(found) = start.captures(line) {
            next = found[1].parse().expect("it is a number");
        } else if let Some(found) = name.captures(line) {
            list.insert(next.to_string(), found[1].to_owned());
            next += 1;
        }
        if next >= 10_000 {
            break;
        }
    }
    list
}

/// What `sqlite3.h` defines, of the library that is compiled into the program: result codes and extended ones.
pub fn sqlite() -> List {
    let text = read(&sqlite_header());
    let plain = Regex::new(r"(?m)^#define (SQLITE_[A-Z]+)\s+([0-9]+)\s+/\*").expect("it is one");
    let extended = Regex::new(r"(?m)^#define (SQLITE_[A-Z0-9_]+)\s+\((SQLITE_[A-Z]+)\s*\|\s*\((\d+)<<8\)\)")
        .expect("it is one");
    let (begin, end) = ("#define SQLITE_OK ", "/* end-of-error-codes */");
    let begin = text.find(begin).expect("the codes begin so");
    let end = text.find(end).expect("and end so");
    let codes: BTreeMap<&str, i32> = plain
        .captures_iter(&text[begin..end])
        .map(|found| (found.get(1).expect("it matched").as_str(), found[2].parse().expect("it is a number")))
        .filter(|(name, _)| !["SQLITE_OK", "SQLITE_ROW", "SQLITE_DONE"].contains(name))
        .collect();
    let mut list: List = codes.iter().map(|(name, code)| (code.to_string(), (*name).to_owned())).collect();
    for found in extended.captures_iter(&text) {
        // Those of success are no errors.
        let Some(code) = codes.get(&found[2]) else { continue };
        let part: i32 = found[3].parse().expect("it is a number");
        list.insert((code | (part << 8)).to_string(), found[1].to_owned());
    }
    list
}

/// Cargo knows where the sources of the library are.
fn sqlite_header() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let told = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--offline", "--locked"])
        .output()
        .expect("cargo runs");
    let told = String::from_utf8_lossy(&told.stdout);
    let manifest = Regex::new(r#""([^"]*libsqlite3-sys-[^"/]*)/Cargo\.toml""#).expect("it is one");
    let found = manifest.captures(&told).expect("the engine depends on libsqlite3-sys");
    Path::new(&found[1]).join("sqlite3/sqlite3.h")
}
