//! `exec`: what the command finds when it starts, and when it does not start at all.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use plimsoll_core::Provider;
use plimsoll_testkit::program::{Program, Signal};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::Version;
use plimsoll_testkit::wait::until;

use crate::scene::{Kind, Scene, assert_says, until_true};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";
const KINDS: [Kind; 2] = [Kind::Postgres(Version::V15), Kind::Sqlite];

#[tokio::test]
async fn the_command_takes_the_place_of_the_program() {
    for kind in KINDS {
        let scene = Scene::new(kind).await.migration("1_init", INIT);
        let words = ["exec", "--", "sh", "-c", "echo \"$$ $0 $1\"; exit 7", "a b", "--wait"];
        let running = scene.command(&words).spawn();
        let pid = running.pid();
        let ended = running.wait().expect_code(7);
        assert_eq!(ended.stdout, format!("{pid} a b --wait\n"));
        assert_says(&ended.stderr, &["applied 1_init", "1 migration applied in"]);
        assert_eq!(scene.applied().await, ["1_init"]);
        let again = scene.run(&["exec", "--", "true"]).expect_code(0);
        assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", "up to date\n"));
    }
}

#[tokio::test]
async fn the_environment_is_passed_on_but_for_what_is_unset() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    let command = |flags: &[&str]| {
        let command = scene.command(&["exec"]).args(flags).args(["--", "env"]);
        command.env("OWNER", "o").env("SECRET", "s").env("APP", "a").env("EMPTY", "")
    };
    let names = |text: &str| -> Vec<String> {
        let mut names: Vec<_> =
            text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.to_owned()).collect();
        names.sort();
        names
    };
    let all = ["APP", "DATABASE_URL", "EMPTY", "HOME", "OWNER", "PATH", "SECRET"];
    assert_eq!(names(&command(&[]).run().expect_code(0).stdout), all);
    let flags = ["--unset", "OWNER", "--unset=SECRET", "--unset=DATABASE_URL"];
    assert_eq!(names(&command(&flags).run().expect_code(0).stdout), ["APP", "EMPTY", "HOME", "PATH"]);
    let variable = command(&[]).env("PLIMSOLL_UNSET", "OWNER,PLIMSOLL_UNSET").run().expect_code(0);
    assert_eq!(names(&variable.stdout), ["APP", "DATABASE_URL", "EMPTY", "HOME", "PATH", "SECRET"]);
}

/// Signals, descriptors and the mask are what they would be without a runner in front: no connection is left behind.
#[tokio::test]
async fn the_command_starts_as_if_nothing_had_been_before_it() {
    // The last digits are the signals up to 28; the high ones are the C library's own.
    let look = "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status | grep -oE '^Sig...|.{7}$'; ls /proc/self/fd";
    let project = Project::empty();
    let expected = Program::new("sh", PathBuf::from("/bin/sh"), &project).args(["-c", look]).run();
    for kind in KINDS {
        let scene = Scene::new(kind).await.migration("1_init", INIT);
        for _ in 0..2 {
            let ended = scene.run(&["exec", "--", "sh", "-c", look]).expect_code(0);
            assert_eq!(ended.stdout, expected.stdout);
        }
    }
    assert!(expected.stdout.starts_with("SigBlk\n0000000\nSigIgn\n0000000\n"), "{expected}");
}

#[tokio::test]
async fn a_migration_that_fails_keeps_the_command_from_starting() {
    for kind in KINDS {
        let scene = Scene::new(kind).await.migration("1_init", INIT).migration("2_bad", "SELECT nope;");
        let ended = scene.run(&["exec", "--", "touch", "started"]).expect_code(65);
        assert_says(&ended.stderr, &["P3018", "applied before this, and committed: 1_init"]);
        assert!(ended.stdout.is_empty() && !scene.project.join("started").exists());
    }
}

#[tokio::test]
async fn a_command_that_cannot_be_started_is_refused_before_anything_is_migrated() {
    let scene = Scene::on(Kind::Sqlite, Kind::Sqlite.missing()).migration("1_init", INIT);
    scene.project.write("plain", "no program");
    write_script(&scene.project, "orphan", "#!/no/such/interpreter -x\n");
    for (command, code, words) in [
        ("no-such-command", 127, ["PLM304", "`no-such-command` cannot be found: No such file"]),
        ("/no/such/command", 127, ["PLM304", "`/no/such/command`"]),
        ("./plain", 126, ["PLM305", "`./plain`"]),
        ("/", 126, ["PLM305", "`/`"]),
        ("./orphan", 127, ["PLM304", "`./orphan` needs `/no/such/interpreter`"]),
    ] {
        let ended = scene.run(&["exec", "--", command]).expect_code(code);
        assert_says(&ended.stderr, &words);
        assert!(!scene.sqlite().path().exists(), "{command}");
    }
    for wrong in [
        vec!["exec"],
        vec!["exec", "--"],
        vec!["exec", "true"],
        vec!["exec", "--output=json", "--", "true"],
        vec!["exec", "--unset", "A=b", "--", "true"],
    ] {
        scene.run(&wrong).expect_code(64);
    }
    assert!(!scene.sqlite().path().exists());
}

/// What an interpreter needs in its turn shows only when it is started.
#[tokio::test]
async fn a_file_that_is_no_program_ends_as_the_shell_would_end() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    write_script(&scene.project, "orphan", "#!/no/such/interpreter\n");
    let orphan = scene.project.join("orphan");
    write_script(&scene.project, "script", &format!("#!{}\n", orphan.display()));
    let ended = scene.run(&["exec", "--", "./script"]).expect_code(127);
    assert_says(&ended.stderr, &["1 migration applied", "PLM304", "./script"]);
}

fn write_script(project: &Project, name: &str, text: &str) {
    project.write(name, text);
    let file = File::open(project.join(name)).expect("it has been written");
    file.set_permissions(std::fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// `plimsoll exec` as process 1 of a namespace of its own.
fn in_a_container(project: &Project, words: &[&str]) -> Program {
    let unshare = Program::new("unshare", PathBuf::from("unshare"), project);
    unshare
        .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(env!("CARGO_BIN_EXE_plimsoll"))
        .args(words)
}

fn children(pid: &str) -> String {
    let path = format!("/proc/{pid}/task/{pid}/children");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")).trim().to_owned()
}

fn send(signal: &str, pid: &str) {
    let sent = Command::new("/bin/sh").args(["-c", "kill -\"$0\" \"$1\"", signal, pid]).status();
    assert!(sent.expect("/bin/sh exists").success());
}

#[tokio::test]
async fn the_command_gets_the_signals_of_the_first_process() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    let script = "trap 'exit 9' TERM; echo $$ is up; while :; do sleep 0.01; done";
    let running = in_a_container(&scene.project, &["exec", "--", "sh", "-c", script]).spawn();
    running.wait_for_stdout("1 is up");
    send("TERM", &children(&running.pid().to_string()));
    running.wait().expect_code(9);
}

#[tokio::test]
async fn before_the_command_the_first_process_can_be_ended_and_leaves_no_zombies() {
    let project =
        Project::new(Provider::Postgresql).env_url("postgresql://u@127.0.0.1:9/d").migration("1_init", INIT);
    let running = in_a_container(&project, &["exec", "--", "touch", "started"]).spawn();
    running.wait_for_stderr("waiting for up to");
    let first = children(&running.pid().to_string());
    // A shell that joins the container and leaves a child behind, as one of `kubectl exec` may.
    let orphan = "(echo; exec sleep 0.05) & read _ < /dev/null; exit 0";
    let joined = Command::new("nsenter").args(["--pid", "--target", &first, "sh", "-c", orphan]).status();
    assert!(joined.expect("nsenter is part of util-linux").success());
    until("the orphan has ended and been asked for", || children(&first).is_empty());
    send("TERM", &first);
    running.wait().expect_code(143);
    assert!(!project.join("started").exists());
}

fn zombies(parent: &str) -> usize {
    let stat = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    children(parent).split(' ').filter(|pid| stat(pid).contains(") Z ")).count()
}

/// They end while the first process is stopped, so that it gets one signal for all of them.
#[tokio::test]
async fn orphans_that_end_at_the_same_time_leave_no_zombies() {
    let project =
        Project::new(Provider::Postgresql).env_url("postgresql://u@127.0.0.1:9/d").migration("1_init", INIT);
    let running = in_a_container(&project, &["exec", "--", "true"]).spawn();
    running.wait_for_stderr("waiting for up to");
    let first = children(&running.pid().to_string());
    let orphans = "for one in 1 2 3; do (until [ -e \"$0\" ]; do sleep 0.01; done) & done";
    let go = project.join("go");
    let join = ["--pid", "--target", &first, "sh", "-c", orphans];
    let joined = Command::new("nsenter").args(join).arg(&go).status();
    assert!(joined.expect("nsenter is part of util-linux").success());
    send("STOP", &first);
    project.write("go", "");
    until("all of them have ended", || zombies(&first) == 3);
    send("CONT", &first);
    until("each has been asked for", || children(&first).is_empty());
    send("TERM", &first);
    running.wait().expect_code(143);
}

#[tokio::test]
async fn a_signal_keeps_the_command_from_starting() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_init", INIT);
    let holder = scene.postgres().connect().await;
    holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("nobody else has it");
    let mut running = scene.command(&["exec", "--", "touch", "started"]).spawn();
    running.wait_for_stderr("waiting for another runner");
    running.signal(Signal::TERM);
    assert_says(&running.wait().expect_code(143).stderr, &["PLM301"]);
    holder.batch_execute("SELECT pg_advisory_unlock(72707369)").await.expect("it is ours");
    assert!(!scene.project.join("started").exists());
}

/// The script swallows the cancellation and is committed: a signal that stopped nothing is not lost between two programs.
#[tokio::test]
async fn a_signal_that_comes_too_late_for_the_migrations_is_in_time_for_the_command() {
    let deaf = "DO $$ BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END $$;";
    let scene = Scene::new(Kind::Postgres(Version::V15)).await.migration("1_deaf", deaf);
    let mut running = scene.command(&["exec", "--", "touch", "started"]).spawn();
    let asleep = "SELECT count(*) > 0 FROM pg_stat_activity \
                  WHERE datname = current_database() AND wait_event = 'PgSleep'";
    until_true(scene.postgres(), asleep).await;
    running.signal(Signal::TERM);
    assert_says(&running.wait().expect_code(143).stderr, &["PLM301", "the migrations are applied"]);
    assert_eq!(scene.applied().await, ["1_deaf"]);
    assert!(!scene.project.join("started").exists());
    scene.run(&["exec", "--", "touch", "started"]).expect_code(0);
    assert!(scene.project.join("started").exists());
}

/// The command has so many arguments that to start it takes a while: the signal comes when the last look has been taken.
#[tokio::test]
async fn a_signal_that_comes_behind_the_last_look_is_not_lost() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    scene.deployed();
    let ballast = "x".repeat(100_000);
    let command = ["exec", "--", "sh", "-c", "exec sleep 60"].into_iter().chain([ballast.as_str(); 15]);
    let words: Vec<_> = command.collect();
    for _ in 0..20 {
        let mut running = scene.command(&words).spawn();
        running.wait_for_stderr("up to date");
        running.signal(Signal::TERM);
        let ended = running.wait();
        assert!(ended.elapsed < Duration::from_secs(10), "the command was started, and slept");
    }
}

/// A forgotten `COPY prisma/migrations`: the application would start on a database without tables.
#[tokio::test]
async fn a_project_without_migrations_opens_no_gate() {
    for kind in KINDS {
        let scene = Scene::on(kind, kind.missing());
        for directory in ["there is an empty one", "there is none"] {
            for words in [vec!["exec", "--", "touch", "started"], vec!["deploy"], vec!["wait"]] {
                let ended = scene.run(&words).expect_code(78);
                assert_says(&ended.stderr, &["PLM109", "`prisma/migrations`", "--allow-empty"]);
                assert!(!format!("{ended}").contains("up to date"), "{directory}: {ended}");
            }
            // It may be said that there are none; a database is not made for that.
            scene.run(&["exec", "--allow-empty", "--", "touch", "started"]).expect_code(78);
            assert!(!scene.project.join("started").exists());
            std::fs::remove_dir_all(scene.project.migrations()).unwrap_or_default();
        }
        let scene = Scene::new(kind).await;
        let allowed = scene.command(&["exec", "--", "touch", "started"]).env("PLIMSOLL_ALLOW_EMPTY", "1");
        assert_says(&allowed.run().expect_code(0).stderr, &["no migration found in `prisma/migrations`"]);
        assert!(scene.project.join("started").exists());
        scene.run(&["deploy", "--allow-empty"]).expect_code(0);
        // Prisma's own commands do as Prisma does.
        let prisma = scene.run(&["migrate", "deploy"]).expect_code(0);
        assert_says(&prisma.stdout, &["No migration found in prisma/migrations", "No pending migrations"]);
    }
}
