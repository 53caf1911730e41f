//! What nobody's runner can be much faster than: the same statements, with as little around them as there can be.

mod clients;
mod wire;

use std::io;
use std::path::Path;

use crate::peer::{Migration, Peer};

/// The one file with everything in it, for a client.
const EVERYTHING: &str = "everything.sql";

/// All floors.
pub(crate) fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(clients::Psql),
        Box::new(wire::Wire::OneByOne),
        Box::new(wire::Wire::EightAhead),
        Box::new(wire::Wire::NobodyWaits),
        Box::new(clients::Mysql),
        Box::new(clients::Sqlite),
    ]
}

fn write_everything(project: &Path, migrations: &[Migration]) -> io::Result<()> {
    let text: String = migrations.iter().map(|migration| migration.sql.as_str()).collect();
    std::fs::write(project.join(EVERYTHING), text)
}
