//! The example application of `examples/backend`, as `cargo xtask setup` has built it.

use crate::installed;
use crate::program::Program;
use crate::project::Project;

/// The application, to be started on a port, with the project's URL as its `DATABASE_URL`.
pub fn backend(project: &Project, port: u16) -> Program {
    let program = Program::new("node", "node".into(), project);
    program.hidden_arg(installed::file("backend/dist/index.js")).env("PORT", port.to_string())
}
