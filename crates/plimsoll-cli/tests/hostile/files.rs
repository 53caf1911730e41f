//! A project whose files are none, and one whose texts go deeper than anybody writes.

use std::process::Command;
use std::time::Duration;

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::project::Project;
use plimsoll_testkit::transcript::Transcript;

fn project() -> Project {
    Project::new(Provider::Sqlite).env_url("file:./dev.db")
}

fn deployed(project: &Project) -> Transcript {
    plimsoll(project).arg("deploy").within(Duration::from_secs(20)).run()
}

/// Makes a link at a path of the project.
fn link(project: &Project, to: &str, at: &str) {
    let path = project.join(at);
    std::fs::create_dir_all(path.parent().expect("it is below the project")).expect("the project is ours");
    std::os::unix::fs::symlink(to, path).expect("nothing is there yet");
}

#[test]
fn a_script_that_is_a_pipe_or_a_device_is_refused_before_anything_is_done() {
    for device in ["/dev/zero", "/dev/tty", "/proc/self/fd"] {
        let project = project().migration("1_init", "CREATE TABLE a (id int);");
        link(&project, device, "prisma/migrations/2_device/migration.sql");
        let run = deployed(&project);
        assert!(matches!(run.code(), Some(65 | 78)), "{device}: {run}");
        assert!(run.stderr.contains("2_device"), "{device}: {run}");
        assert!(!run.stdout.contains("applied in"), "{device}: {run}");
    }
    let project = project();
    std::fs::create_dir_all(project.join("prisma/migrations/1_pipe")).unwrap();
    let pipe = project.join("prisma/migrations/1_pipe/migration.sql");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let run = deployed(&project);
    assert!(run.stderr.contains("not a regular file"), "{run}");
}

#[test]
fn a_schema_a_config_or_an_env_file_that_is_a_device_does_not_keep_a_run() {
    for file in [
        "prisma/schema.prisma",
        "prisma.config.ts",
        ".env",
        "package.json",
        "prisma/migrations/migration_lock.toml",
    ] {
        let project = project().migration("1_init", "CREATE TABLE a (id int);");
        if project.join(file).exists() {
            project.remove(file);
        }
        link(&project, "/dev/zero", file);
        let run = deployed(&project);
        assert!(matches!(run.code(), Some(0 | 65 | 78)), "{file}: {run}");
    }
}

#[test]
fn a_config_or_a_package_that_is_nested_deeply_does_not_end_the_process() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let cases = [
        ("prisma.config.ts", format!("export default {}", deep("(", ")"))),
        ("prisma.config.ts", format!("export default {}", deep("[", "]"))),
        ("prisma.config.ts", format!("export default {{ a: {} }}", deep("{a:", "}"))),
        ("prisma.config.ts", format!("export default {}1", "!".repeat(100_000))),
        ("package.json", deep("[", "]")),
        ("prisma/schema.prisma", deep("model a { ", "}")),
    ];
    for (file, text) in cases {
        let run = deployed(&project().file(file, &text));
        assert!(matches!(run.code(), Some(0 | 65 | 78)), "{file}: {run:?}");
    }
}

#[test]
fn an_env_file_whose_variables_stand_for_each_other_deeply_does_not_end_the_process() {
    let chain = (0..100_000).map(|n| format!("A{n}=${{A{}}}", n + 1)).collect::<Vec<_>>().join("\n");
    let inside = format!("DATABASE_URL={}file:./dev.db{}\n", "${A:-".repeat(100_000), "}".repeat(100_000));
    for text in [format!("DATABASE_URL=${{A0}}\n{chain}"), inside] {
        let run = deployed(&Project::new(Provider::Sqlite).file(".env", &text));
        assert!(matches!(run.code(), Some(0 | 78)), "{:?} {:?}", run.code(), run.signal());
    }
}

#[test]
fn a_manifest_that_is_nested_deeply_does_not_end_the_process() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let blocks = (0..2_000).map(|depth| format!("{}a:", " ".repeat(depth))).collect::<Vec<_>>().join("\n");
    for text in [deep("[", "]"), deep("{a: ", "}"), deep("- ", ""), blocks] {
        let project = Project::empty().file("pod.yaml", &text);
        let run = plimsoll(&project).args(["inject", "--target=Pod/app", "pod.yaml"]);
        let run = run.within(Duration::from_secs(20)).run().expect_code(78);
        assert!(run.stderr.contains("PLM421") && run.stderr.contains("pod.yaml"), "{run}");
    }
}

#[test]
fn escape_codes_in_a_name_or_a_script_do_not_reach_the_terminal() {
    let name = "1_\u{1b}[2J\u{202e}x";
    let project = project().migration(name, "SELECT '\u{1b}]0;owned\u{7}';\nboom \u{1b}[8m;");
    let run = deployed(&project).expect_code(65);
    let status = plimsoll(&project).arg("status").run();
    let resolved = plimsoll(&project).args(["migrate", "deploy"]).run();
    for text in [&run.stdout, &run.stderr, &status.stdout, &status.stderr, &resolved.stdout, &resolved.stderr]
    {
        let obeyed = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(obeyed, None, "{text:?}");
    }
    assert!(run.stderr.contains("1_?[2J???x"), "{run}");
}
