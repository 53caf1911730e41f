//! Arguments and variables: which one counts, and which are wrong.

use plimsoll_core::Provider;
use plimsoll_testkit::command::plimsoll;
use plimsoll_testkit::database::SqliteDatabase;
use plimsoll_testkit::project::Project;

use crate::scene::{Kind, Scene, assert_says};

const INIT: &str = "CREATE TABLE ship (name TEXT);\nINSERT INTO ship VALUES ('Ark');";

#[test]
fn wrong_arguments_exit_with_64() {
    let project = Project::new(Provider::Sqlite).env_url("file:./x.db").migration("1_init", INIT);
    for arguments in [
        vec![],
        vec!["launch"],
        vec!["migrate"],
        vec!["migrate", "dev"],
        vec!["deploy", "--no-such-flag"],
        vec!["deploy", "now"],
        vec!["deploy", "--wait=soon"],
        vec!["deploy", "--if-ahead=maybe"],
        vec!["status", "--lock-wait=1s"],
        vec!["deploy", "--output=xml"],
        vec!["resolve"],
        vec!["resolve", "--applied", "1_init", "--rolled-back", "1_init"],
    ] {
        let ended = plimsoll(&project).args(&arguments).run().expect_code(64);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(!ended.stderr.is_empty() && !ended.stderr.contains('\u{1b}'), "{arguments:?}");
    }
    assert!(!project.join("prisma/x.db").exists());
}

#[test]
fn a_wrong_variable_is_a_wrong_argument() {
    let project = Project::new(Provider::Sqlite).env_url("file:./x.db");
    for (name, value) in
        [("PLIMSOLL_WAIT", "soon"), ("PLIMSOLL_OUTPUT", "xml"), ("PLIMSOLL_IF_AHEAD", "maybe")]
    {
        let ended = plimsoll(&project).arg("deploy").env(name, value).run().expect_code(64);
        assert_says(&ended.stderr, &[value]);
    }
}

/// Whoever mixes up two flags may have put a URL anywhere.
#[test]
fn a_url_in_the_wrong_place_does_not_show_its_password() {
    let project = Project::new(Provider::Postgresql);
    let url = "postgresql://u:sesame-4711@h:port/d";
    for arguments in [
        vec!["deploy", "--wait", url],
        vec!["deploy", url],
        vec!["deploy", "--schema", url],
        vec!["deploy", "--url", url],
        vec![url],
    ] {
        let ended = plimsoll(&project).args(&arguments).run();
        assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("sesame"), "{arguments:?}\n{ended}");
        assert!(ended.code() != Some(0));
    }
    let shown = plimsoll(&project).args(["deploy", "--help"]).env("PLIMSOLL_URL", url).run().expect_code(0);
    assert!(!shown.stdout.contains("sesame"));
}

#[test]
fn help_and_version_are_answers() {
    let project = Project::empty();
    for arguments in [
        vec!["--help"],
        vec!["help"],
        vec!["help", "migrate", "deploy"],
        vec!["--version"],
        vec!["completions", "bash"],
    ] {
        let ended = plimsoll(&project).args(&arguments).run().expect_code(0);
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty(), "{ended}");
        assert!(!ended.stdout.contains('\u{1b}'), "{ended}");
    }
}

/// A flag wins over its variable, and that over the project.
#[test]
fn the_nearest_word_about_the_url_counts() {
    let [flag, variable, own] = [(); 3].map(|()| SqliteDatabase::new());
    let project = Project::new(Provider::Sqlite).env_url(own.url()).migration("1_init", INIT);
    let deploy = || plimsoll(&project).arg("deploy").env("PLIMSOLL_URL", variable.url());
    deploy().args(["--url", &flag.url()]).run().expect_code(0);
    assert!(flag.path().exists() && !variable.path().exists() && !own.path().exists());
    deploy().run().expect_code(0);
    assert!(variable.path().exists() && !own.path().exists());
    plimsoll(&project).arg("deploy").run().expect_code(0);
    assert!(own.path().exists());
}

#[tokio::test]
async fn every_flag_has_its_variable() {
    let scene = Scene::new(Kind::Sqlite).await.migration("1_init", INIT).migration("2_more", "SELECT 1;");
    scene.deployed();
    scene.project.remove_migration("2_more");
    let with = |name: &str, value: &str| scene.command(&["deploy"]).env(name, value).run();
    assert_says(&with("PLIMSOLL_IF_AHEAD", "refuse").expect_code(65).stderr, &["PLM205"]);
    assert_eq!(with("PLIMSOLL_IF_AHEAD", "ok").expect_code(0).stderr, "");
    let overruled = scene.command(&["deploy", "--if-ahead=ok"]).env("PLIMSOLL_IF_AHEAD", "refuse");
    assert_eq!(overruled.run().expect_code(0).stderr, "");
    assert!(with("PLIMSOLL_OUTPUT", "json").expect_code(0).stdout.starts_with('{'));
    assert_says(
        &with("PLIMSOLL_SCHEMA", "elsewhere.prisma").expect_code(78).stderr,
        &["PLM101", "elsewhere.prisma"],
    );
    assert_says(&with("PLIMSOLL_CONFIG", "elsewhere.ts").expect_code(78).stderr, &["elsewhere.ts"]);
    scene.project.write("other/9_other/migration.sql", "INSERT INTO ship VALUES ('Beagle');");
    with("PLIMSOLL_MIGRATIONS", "other").expect_code(0);
    assert_eq!(scene.applied().await, ["1_init", "2_more", "9_other"]);

    let other = scene.sqlite().connect();
    other.execute_batch("BEGIN EXCLUSIVE").expect("nobody else has it");
    with("PLIMSOLL_LOCK_WAIT", "0").expect_code(75);
    let nobody_listens = Project::new(Provider::Postgresql).env_url("postgresql://u@127.0.0.1:9/d");
    let nobody_listens = nobody_listens.migration("1_init", INIT);
    plimsoll(&nobody_listens).arg("deploy").env("PLIMSOLL_WAIT", "0").run().expect_code(69);
}
