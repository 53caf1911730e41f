//! A loop over PostgreSQL's protocol: one message for each migration, with its transaction and its row in it. It is in `bin/floor.rs`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peer::{Kind, Migration, Peer, Role, Target, Tools};
use crate::stopwatch::beside_us;

/// How many messages are on the way at a time, and what somebody does who is not alone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wire {
    OneByOne,
    EightAhead,
    /// Eight on the way, sent by one of those who are started at once. The others only log in and read.
    NobodyWaits,
}

impl Peer for Wire {
    fn name(&self) -> &'static str {
        match self {
            Self::OneByOne => "loop, 1 message",
            Self::EightAhead => "loop, 8 on the way",
            Self::NobodyWaits => "loop, nobody waits",
        }
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn role(&self) -> Role {
        match self {
            Self::OneByOne | Self::EightAhead => Role::Floor,
            Self::NobodyWaits => Role::FloorAtOnce,
        }
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres]
    }

    /// There is no TLS in it: the row with TLS has `psql`.
    fn verifies(&self) -> bool {
        false
    }

    fn install(&self, _tools: &Tools) -> Result<(), String> {
        Ok(())
    }

    fn installed(&self, _tools: &Tools) -> Vec<PathBuf> {
        Vec::new()
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        migrations.iter().try_for_each(|migration| {
            let name = format!("{:05}_{}.sql", migration.number, migration.name);
            std::fs::write(project.join(name), &migration.sql)
        })
    }

    fn start(&self, _tools: &Tools) -> Command {
        program()
    }

    fn deploy(&self, _tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = program();
        command.arg(match self {
            Self::OneByOne => "1",
            Self::EightAhead => "8",
            Self::NobodyWaits => "unless-somebody-does",
        });
        command.arg(project);
        if let Target::Server { host, port, user, password, database, .. } = target {
            let url = format!("postgresql://{user}:{password}@{host}:{port}/{database}?sslmode=disable");
            command.env("DATABASE_URL", url);
        }
        command
    }
}

fn program() -> Command {
    Command::new(beside_us("plimsoll-bench-floor").unwrap_or_default())
}
