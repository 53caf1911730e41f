//! What is compared: a program that brings a database to the migrations of a project.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One migration, before it is written as a peer wants it.
#[derive(Debug, Clone)]
pub(crate) struct Migration {
    /// From 1 on, without gaps.
    pub(crate) number: u32,
    /// What comes behind the number: `[a-z0-9_]+`.
    pub(crate) name: String,
    /// Statements that every peer can send as they are.
    pub(crate) sql: String,
}

/// The kinds of databases that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Postgres,
    Mysql,
    Mariadb,
    Sqlite,
}

/// A database that a peer is to migrate.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// One of a server, on TCP.
    Server {
        kind: Kind,
        host: String,
        port: u16,
        user: String,
        password: String,
        database: String,
        /// The certificate authority, if the connection has to be encrypted: it is verified then.
        authority: Option<PathBuf>,
    },
    /// A file of SQLite, which may not exist yet.
    File(PathBuf),
}

/// Where the programs are installed: a directory under `target/`, which may be lost at any time.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) directory: PathBuf,
}

/// What a peer is in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Plimsoll.
    Ours,
    /// What a user would pick instead.
    Rival,
    /// Nobody's runner, but the least that any has to do; it can tell that nothing is to be done.
    Floor,
    /// The same, which can only start from an empty database.
    FloorOnce,
    /// The least that many have to do who are started at once.
    FloorAtOnce,
}

/// A program that brings a database to the migrations of a project.
pub(crate) trait Peer {
    /// As its users write it: `golang-migrate`.
    fn name(&self) -> &'static str;

    /// The version that is installed, which is pinned.
    fn version(&self) -> &'static str;

    /// What it is compared as.
    fn role(&self) -> Role {
        Role::Rival
    }

    fn kinds(&self) -> &'static [Kind];

    /// Whether it can verify the certificate of a server. If not, it gets no target with an authority.
    fn verifies(&self) -> bool {
        true
    }

    /// Installs it by its package client, unless it is there. The error says what to do.
    fn install(&self, tools: &Tools) -> Result<(), String>;

    /// Every file or directory that has to be in an image for it to run, without the base system.
    fn installed(&self, tools: &Tools) -> Vec<PathBuf>;

    /// Writes a history in its format into an empty directory.
    fn write(&self, project: &Path, migrations: &[Migration], kind: Kind) -> io::Result<()>;

    /// Its quickest start: `--version`.
    fn start(&self, tools: &Tools) -> Command;

    /// What a user types to deploy: applies what is missing, or finds that nothing is.
    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command;

    /// The same, told to wait a minute for a server that is not up yet; nothing if it cannot be told, and does not by itself.
    fn waiting(&self, _tools: &Tools, _project: &Path, _target: &Target) -> Option<Command> {
        None
    }
}
