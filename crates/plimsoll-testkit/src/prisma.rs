//! The real Prisma 6.19.3, the other runner that takes turns with Plimsoll on one database.
//!
//! It is the published command line with its WebAssembly engine; `testbed/prisma/prisma.config.ts` says what is mended.
//! What is not: it creates no missing database, and on SQLite `status` and `resolve` want a history table to be there.

use crate::installed;
use crate::program::Program;
use crate::project::Project;
use crate::transcript::Transcript;

/// `prisma migrate deploy` on a database.
pub fn deploy(project: &Project, url: &str) -> Transcript {
    migrate(project, url, &["deploy"]).run()
}

/// `prisma migrate status` on a database.
pub fn status(project: &Project, url: &str) -> Transcript {
    migrate(project, url, &["status"]).run()
}

/// `prisma migrate resolve` on a database, such as with `["--applied", "20240101000000_init"]`.
pub fn resolve(project: &Project, url: &str, arguments: &[&str]) -> Transcript {
    let arguments: Vec<_> = ["resolve"].iter().chain(arguments).copied().collect();
    migrate(project, url, &arguments).run()
}

/// `prisma migrate` on a database, to be run or spawned.
pub fn migrate(project: &Project, url: &str, arguments: &[&str]) -> Program {
    let home = installed::file("prisma");
    let start = installed::file("prisma/node_modules/prisma/build/index.js");
    let mut program = Program::new("prisma", "node".into(), project)
        .hidden_arg(&start)
        .arg("migrate")
        .args(arguments)
        .hidden_arg("--config")
        .hidden_arg(home.join("prisma.config.ts"))
        .hidden_arg("--schema")
        .hidden_arg(project.schema())
        .env("DATABASE_URL", url);
    for engine in ["PRISMA_QUERY_ENGINE_LIBRARY", "PRISMA_SCHEMA_ENGINE_BINARY"] {
        // It would download an engine if this named no file; it never runs it.
        program = program.env(engine, "/bin/true");
    }
    program.env("CHECKPOINT_DISABLE", "1").env("PRISMA_HIDE_UPDATE_MESSAGE", "1")
}
