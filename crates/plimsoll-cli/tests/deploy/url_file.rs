//! `--url-file`: a connection URL in a mounted Secret, and its rotation.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::Database;
use plimsoll_testkit::program::{Program, Signal};
use plimsoll_testkit::project::Project;
use plimsoll_testkit::server::{Options, PostgresServer, Stop, Version};

use crate::scene::{Kind, Scene, assert_says, until_true};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";
const REFUSED: &str = "waiting for up to 60 s: Authentication failed";

/// A volume as the kubelet makes it: the file is a link into `..data`, which is a link that is swapped.
struct Volume {
    directory: PathBuf,
    versions: usize,
}

impl Volume {
    fn of(project: &Project, url: &str) -> Self {
        let directory = project.join("secret");
        std::fs::create_dir(&directory).expect("the project is ours");
        symlink("..data/url", directory.join("url")).expect("the directory is ours");
        let mut volume = Self { directory, versions: 0 };
        volume.rotate(url);
        volume
    }

    fn rotate(&mut self, url: &str) {
        self.versions += 1;
        let version = format!("..{}", self.versions);
        std::fs::create_dir(self.directory.join(&version)).expect("the directory is ours");
        std::fs::write(self.directory.join(&version).join("url"), url).expect("the directory is ours");
        let swap = self.directory.join("..data_tmp");
        symlink(&version, &swap).expect("the directory is ours");
        std::fs::rename(&swap, self.directory.join("..data")).expect("the directory is ours");
    }
}

/// A role whose password changes, on a server of its own.
struct Rotation<'a> {
    database: Database<'a>,
    project: Project,
    volume: Volume,
}

impl<'a> Rotation<'a> {
    async fn new(server: &'a PostgresServer) -> Self {
        let database = server.database().await;
        let create = "CREATE ROLE owner LOGIN PASSWORD 'sesame-old'; GRANT ALL ON SCHEMA public TO owner";
        database.execute(create).await;
        let project = Project::new(Provider::Postgresql).migration("1_init", INIT);
        let volume = Volume::of(&project, &url(&database, "sesame-old"));
        Self { database, project, volume }
    }

    fn rotate_file(&mut self, password: &str) {
        self.volume.rotate(&url(&self.database, password));
    }

    async fn rotate_role(&self, password: &str) {
        self.database.execute(&format!("ALTER ROLE owner PASSWORD '{password}'")).await;
    }

    fn deploy(&self) -> Program {
        let file = self.volume.directory.join("url");
        plimsoll(&self.project).arg("deploy").env("PLIMSOLL_URL_FILE", file)
    }
}

/// With the line break that a file usually ends with.
fn url(database: &Database<'_>, password: &str) -> String {
    let superuser = database.url();
    let (_, server) = superuser.rsplit_once('@').expect("a URL with a user");
    format!("postgresql://owner:{password}@{server}\n")
}

#[tokio::test]
async fn a_password_that_is_rotated_while_it_is_refused_is_picked_up() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let mut rotation = Rotation::new(&server).await;
    rotation.rotate_role("sesame-new").await;
    let running = rotation.deploy().spawn();
    running.wait_for_stderr(REFUSED);
    rotation.rotate_file("sesame-new");
    let ended = running.wait().expect_code(0);
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("sesame"), "{ended}");
    // The other way round: the file was faster than the server.
    rotation.rotate_file("sesame-newer");
    let running = rotation.deploy().spawn();
    running.wait_for_stderr(REFUSED);
    rotation.rotate_role("sesame-newer").await;
    running.wait().expect_code(0);
    assert_eq!(rotation.database.history().await.len(), 1);
}

/// Whoever counts failed logins must not lock the role.
#[tokio::test]
async fn a_password_that_stays_wrong_is_not_tried_again_and_again() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let rotation = Rotation::new(&server).await;
    rotation.rotate_role("sesame-new").await;
    let ended = rotation.deploy().arg("--wait=2s").run().expect_code(77);
    assert_says(&ended.stderr, &["P1000", "--wait"]);
    assert!(ended.elapsed >= Duration::from_secs(2) && !ended.stderr.contains("sesame"), "{ended}");
    let failed = server.log().matches("password authentication failed for user \"owner\"").count();
    // One try is two connections where TLS is preferred and refused with the login.
    assert!((1..=2).contains(&failed), "{failed} logins:\n{}", server.log());
    rotation.deploy().arg("--wait=0").run().expect_code(77);
}

#[tokio::test]
async fn a_password_that_is_rotated_while_the_server_is_down_is_picked_up() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let mut rotation = Rotation::new(&server).await;
    rotation.rotate_role("sesame-new").await;
    server.stop(Stop::Fast);
    let running = rotation.deploy().spawn();
    running.wait_for_stderr("Can't reach database server");
    rotation.rotate_file("sesame-new");
    server.start_again();
    let ended = running.wait().expect_code(0);
    assert!(!server.log().contains("password authentication failed"), "{ended}");
}

#[tokio::test]
async fn a_connection_that_is_lost_is_made_again_with_the_new_password() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let mut rotation = Rotation::new(&server).await;
    rotation.project.set_migration("2_gate", "SELECT pg_advisory_xact_lock(4711);");
    let gate = rotation.database.connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    let running = rotation.deploy().spawn();
    let waits =
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'owner' AND wait_event = 'advisory'";
    until_true(&rotation.database, waits).await;
    rotation.rotate_role("sesame-new").await;
    rotation.rotate_file("sesame-new");
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'owner'; \
               SELECT pg_advisory_unlock(4711)";
    gate.batch_execute(end).await.expect("a superuser may");
    assert_says(&running.wait().expect_code(0).stderr, &["connecting again"]);
    assert_eq!(rotation.database.history().await.len(), 2);
}

/// Half of the migrations here and all of them there, and an application on whichever comes last: that must not be.
#[tokio::test]
async fn a_run_does_not_go_on_in_another_database() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let mut rotation = Rotation::new(&server).await;
    let other = server.database().await;
    rotation.project.set_migration("2_gate", "SELECT pg_advisory_xact_lock(4711);");
    let gate = rotation.database.connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(4711)").await.expect("nobody else has it");
    let file = rotation.volume.directory.join("url");
    let run = plimsoll(&rotation.project).args(["exec", "--", "touch", "started"]);
    let running = run.env("PLIMSOLL_URL_FILE", file).spawn();
    let waits =
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'owner' AND wait_event = 'advisory'";
    until_true(&rotation.database, waits).await;
    other.execute("GRANT ALL ON SCHEMA public TO owner").await;
    rotation.volume.rotate(&url(&other, "sesame-old"));
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'owner'";
    gate.batch_execute(end).await.expect("a superuser may");
    let ended = running.wait().expect_code(75);
    assert_says(&ended.stderr, &["PLM215", "nothing was done there", "committed: 1_init"]);
    assert!(!rotation.project.join("started").exists() && !ended.stderr.contains("sesame"), "{ended}");
    let names = async |database: &Database<'_>| -> Vec<String> {
        database.history().await.into_iter().map(|row| row.migration_name).collect()
    };
    assert_eq!((names(&rotation.database).await, names(&other).await), (vec!["1_init".to_owned()], vec![]));
}

/// While the database that is missing is being created, the file comes to name another one that is missing.
#[tokio::test]
async fn a_run_that_created_a_database_stays_with_it() {
    let server = PostgresServer::start(Version::V15, &Options::default());
    let mut rotation = Rotation::new(&server).await;
    rotation.database.execute("ALTER ROLE owner CREATEDB").await;
    let (first, second) = (server.missing_database(), server.missing_database());
    rotation.volume.rotate(&url(&first, "sesame-old"));
    // Whoever is connected to the template keeps the server from copying it, which it waits for.
    let template = rotation.database.url().replace(rotation.database.name(), "template1");
    let busy =
        Project::new(Provider::Postgresql).env_url(template).migration("1_busy", "SELECT pg_sleep(60)");
    let mut busy = plimsoll(&busy).arg("deploy").spawn();
    let sleeps = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    until_true(&rotation.database, sleeps).await;
    let running = rotation.deploy().spawn();
    let creates = "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%' AND state = 'active' AND usename = 'owner'";
    until_true(&rotation.database, creates).await;
    rotation.volume.rotate(&url(&second, "sesame-old"));
    busy.kill();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'template1'";
    rotation.database.execute(end).await;
    assert_says(&running.wait().expect_code(75).stderr, &["PLM215"]);
    let made =
        "SELECT string_agg(datname, ',') FROM pg_database WHERE datname = ANY (ARRAY['FIRST','SECOND'])";
    let made = made.replace("FIRST", first.name()).replace("SECOND", second.name());
    assert_eq!(rotation.database.value(&made).await, first.name());
}

#[tokio::test]
async fn a_file_works_for_sqlite_and_wins_over_the_project() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT);
    let other = Kind::Sqlite.missing();
    scene.project.write("url", format!("{}\r\n", other.url()));
    scene.run(&["deploy", "--url-file", "url"]).expect_code(0);
    assert_eq!((scene.base.history().await.len(), other.history().await.len()), (0, 1));
}

#[test]
fn a_file_that_cannot_be_used_is_named_and_its_content_is_not_shown() {
    let project = Project::new(Provider::Postgresql).migration("1_init", INIT);
    project.write("empty", "\n");
    project.write("wrong", "postgresql://u:sesame-4711@h:sesame-port/d");
    project.write("other", "mysql://u:sesame-4711@h/d");
    for (file, code, words) in [
        ("nowhere", 69, ["PLM110", "nowhere"]),
        ("empty", 69, ["PLM110", "empty:1:1"]),
        ("wrong", 78, ["P1013", "wrong:1:1"]),
        ("other", 78, ["P1012", "other:1:1"]),
    ] {
        let ended =
            plimsoll(&project).args(["deploy", "--wait=0", "--url-file", file]).run().expect_code(code);
        assert_says(&ended.stderr, &words);
        assert!(!ended.stderr.contains("sesame"), "{ended}");
    }
    let both =
        plimsoll(&project).args(["deploy", "--url-file=empty", "--url=postgresql://u:sesame-4711@h/d"]);
    assert!(!both.run().expect_code(64).stderr.contains("sesame"));
}

/// A sidecar that fetches the credentials may be later than the gate.
#[tokio::test]
async fn a_file_that_comes_late_is_waited_for() {
    for kind in [Kind::Postgres(Version::V15), Kind::Sqlite] {
        let scene = Scene::new(kind).await.migration("1_init", INIT);
        let running = scene.command(&["deploy", "--url-file", "url"]).spawn();
        running.wait_for_stderr("waiting for up to 60 s: cannot read the file of `--url-file`");
        scene.project.write("url", "");
        scene.project.write("url", scene.base.url());
        running.wait().expect_code(0);
        assert_eq!(scene.applied().await, ["1_init"]);
        scene.project.write("url", "\n");
        let mut running = scene.command(&["exec", "--url-file", "url", "--", "touch", "started"]).spawn();
        running.wait_for_stderr("is empty");
        running.signal(Signal::TERM);
        running.wait().expect_code(143);
        assert!(!scene.project.join("started").exists());
    }
}

#[tokio::test]
async fn a_file_that_is_emptied_while_the_server_is_waited_for_is_no_wrong_configuration() {
    let project = Project::new(Provider::Postgresql).migration("1_init", INIT);
    project.write("url", "postgresql://u@127.0.0.1:9/d");
    let running = plimsoll(&project).args(["deploy", "--wait=3s", "--url-file", "url"]).spawn();
    running.wait_for_stderr("waiting for up to 3 s");
    project.write("url", "");
    assert_says(&running.wait().expect_code(69).stderr, &["PLM110"]);
}
