//! `examples/sqlite`: a service on a file, which may be started only when the file has its tables.

use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::program::{Program, Running, Signal};
use plimsoll_testkit::project::Project;

use crate::http::{free_port, get};
use crate::project::copy;

fn project() -> Project {
    let project = copy("sqlite", &["prisma", "logbook.py"]);
    let url = format!("file:{}", project.join("logbook.db").display());
    project.env_url(url)
}

fn logbook(project: &Project, port: u16) -> Running {
    let program = Program::new("python3", "python3".into(), project).arg("logbook.py");
    let running = program.env("PORT", port.to_string()).spawn();
    running.wait_for_stdout("listening");
    running
}

#[test]
fn the_logbook_shows_what_its_migrations_have_written() {
    let project = project();
    plimsoll(&project).args(["deploy", "--schema=prisma/schema.prisma"]).run().expect_code(0);
    let port = free_port();
    let mut logbook = logbook(&project, port);
    assert_eq!(get(port, "/healthz"), (200, serde_json::json!([[1]])));
    let (status, log) = get(port, "/");
    assert_eq!((status, log[0][0].as_str(), log[0][2].as_u64()), (200, Some("Weighed anchor."), Some(4)));
    logbook.signal(Signal::TERM);
    logbook.wait().expect_code(0);
}

#[test]
fn the_logbook_makes_no_database_itself() {
    let project = project();
    let port = free_port();
    let logbook = logbook(&project, port);
    assert_eq!(get(port, "/healthz").0, 503);
    drop(logbook);
    assert!(!project.join("logbook.db").exists());
}
