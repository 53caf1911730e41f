//! The same tale on every backend. What is told here is true whatever the database is.

use plimsoll_testkit::server::{Flavour, Version};

use crate::scene::{Base, Kind, Scene, assert_says, say_applied_at_once};

const INIT: &str = "CREATE TABLE ship (name TEXT NOT NULL);\nINSERT INTO ship VALUES ('Ark');\n";
const CARGO: &str = "CREATE TABLE cargo (goods TEXT);\nINSERT INTO cargo VALUES ('tea');\n";

/// The tale.
async fn tale(kind: Kind) {
    one_database_from_its_first_migration_on(kind).await;
    a_failed_attempt_leaves_nothing_and_needs_nobody(kind).await;
    a_failed_row_of_prisma_blocks_until_a_person_decides(kind).await;
    a_database_that_was_there_before_is_baselined(kind).await;
    what_several_say_at_once_is_recorded_once(kind).await;
    what_is_wrong_with_a_project_is_said_before_anything_is_done(kind).await;
    scripts_without_statements_are_migrations(kind).await;
    if let Some(script) = mixed(kind) {
        a_script_that_cannot_be_one_transaction_is_run_statement_by_statement(kind, script).await;
        a_script_that_failed_half_way_is_resumed_where_it_stopped(kind, script).await;
    }
    only_deploy_creates_a_database(kind).await;
    reading_commands_write_nothing(kind).await;
}

#[tokio::test]
async fn the_tale_on_postgresql_13() {
    tale(Kind::Postgres(Version::V13)).await;
}

#[tokio::test]
async fn the_tale_on_postgresql_15() {
    tale(Kind::Postgres(Version::V15)).await;
}

#[tokio::test]
async fn the_tale_on_postgresql_18() {
    tale(Kind::Postgres(Version::V18)).await;
}

#[tokio::test]
async fn the_tale_on_mysql() {
    tale(Kind::Mysql(Flavour::Mysql)).await;
}

#[tokio::test]
async fn the_tale_on_an_older_mysql() {
    tale(Kind::Mysql(Flavour::OldMysql)).await;
}

#[tokio::test]
async fn the_tale_on_mariadb() {
    tale(Kind::Mysql(Flavour::Mariadb)).await;
}

#[tokio::test]
async fn the_tale_on_sqlite() {
    tale(Kind::Sqlite).await;
}

async fn one_database_from_its_first_migration_on(kind: Kind) {
    let scene = Scene::new(kind).await.migration("2_init", INIT).migration("4_cargo", CARGO);
    assert_says(&scene.run(&["status"]).expect_code(1).stdout, &["pending 2_init", "0 of 2"]);
    assert_says(&scene.deployed().stdout, &["2 migrations applied"]);
    assert_eq!(scene.applied().await, ["2_init", "4_cargo"]);
    rows_are_as_prisma_writes_them(&scene).await;

    let before = scene.base.everything().await;
    assert_eq!(scene.deployed().stdout, "up to date\n");
    assert_eq!(scene.base.everything().await, before, "a run without work writes nothing");
    scene.run(&["status"]).expect_code(0);

    scene.project.set_migration("5_later", "INSERT INTO ship VALUES ('Beagle');");
    assert_says(&scene.deployed().stdout, &["1 migration applied"]);
    scene.project.set_migration("3_between", "INSERT INTO ship VALUES ('Cutty Sark');");
    scene.deployed();
    assert_eq!(scene.applied().await, ["2_init", "4_cargo", "5_later", "3_between"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "3", "each was applied once");

    an_edited_migration_is_told_and_left_alone(&scene).await;
    a_database_that_is_ahead_is_a_matter_of_policy(&scene).await;
}

async fn rows_are_as_prisma_writes_them(scene: &Scene) {
    for row in scene.base.history().await {
        assert_eq!(row.id, "<id>");
        assert_eq!(row.checksum.len(), 64);
        assert_eq!((row.started_at.as_deref(), row.finished_at.as_deref()), (Some("<time>"), Some("<time>")));
        assert_eq!((row.logs, row.rolled_back_at, row.applied_steps_count.as_str()), (None, None, "1"));
    }
}

async fn an_edited_migration_is_told_and_left_alone(scene: &Scene) {
    scene.project.set_migration("2_init", &INIT.replace('\n', "\r\n"));
    assert_eq!(scene.deployed().stderr, "", "other line ends are no change");
    scene.project.set_migration("2_init", &INIT.replace("Ark", "Argo"));
    assert_says(&scene.deployed().stderr, &["changed since they were applied", "2_init"]);
    assert_says(&scene.run(&["status"]).expect_code(0).stdout, &["edited 2_init"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship WHERE name = 'Argo'").await, "0");
    scene.project.set_migration("2_init", INIT);
}

async fn a_database_that_is_ahead_is_a_matter_of_policy(scene: &Scene) {
    scene.project.remove_migration("5_later");
    assert_says(&scene.deployed().stderr, &["ahead of this project", "5_later"]);
    assert_eq!(scene.run(&["deploy", "--if-ahead=ok"]).expect_code(0).stderr, "");
    scene.project.set_migration("6_of_the_old_release", "INSERT INTO ship VALUES ('Dunkirk');");
    let refused = scene.run(&["deploy", "--if-ahead=refuse"]).expect_code(65);
    assert_says(&refused.stderr, &["PLM205", "5_later"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "3");
    scene.deployed();
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "4");
}

async fn a_failed_attempt_leaves_nothing_and_needs_nobody(kind: Kind) {
    let broken = "INSERT INTO ship VALUES ('doomed');\nINSERT INTO wreck VALUES (1);\n";
    let scene = Scene::new(kind).await.migration("1_init", INIT).migration("2_broken", broken);
    scene.project.set_migration("3_after", CARGO);
    let failed = scene.run(&["deploy"]).expect_code(65);
    assert_says(&failed.stderr, &["P3018", "wreck", "2_broken/migration.sql:2:", "committed: 1_init"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1", "the attempt was rolled back");
    assert_eq!(scene.applied().await, ["1_init"], "nothing comes after what failed");

    let attempt = only_failed_row(&scene).await;
    scene.run(&["deploy"]).expect_code(65);
    let again = only_failed_row(&scene).await;
    assert_eq!(attempt[0], again[0], "one row for one script, however often it fails");
    assert_ne!(attempt[1], again[1], "it tells of the last attempt");

    scene.project.set_migration("2_broken", "INSERT INTO ship VALUES ('mended');");
    assert_says(&scene.deployed().stdout, &["2 migrations applied"]);
    assert_eq!(scene.applied().await, ["1_init", "2_broken", "3_after"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "2");
    scene.run(&["status"]).expect_code(0);
}

/// Id and end of the one attempt that was rolled back; its logs say why.
async fn only_failed_row(scene: &Scene) -> Vec<Option<String>> {
    let rows = scene.base.query("SELECT id, rolled_back_at, logs, applied_steps_count FROM _prisma_migrations WHERE finished_at IS NULL").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0][1].is_some(), "the attempt does not count");
    assert_says(rows[0][2].as_deref().unwrap_or_default(), &["wreck", "2_broken"]);
    assert_eq!(rows[0][3].as_deref(), Some("0"));
    rows[0].clone()
}

/// The row that Prisma leaves when a migration fails, or when it is killed.
async fn failed_row(scene: &Scene, name: &str) {
    let row = format!(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs, started_at) \
         VALUES ('{name}', 'x', '{name}', 'Database error:\nERROR: the hold is full', CURRENT_TIMESTAMP)"
    );
    scene.base.execute(&row).await;
}

async fn a_failed_row_of_prisma_blocks_until_a_person_decides(kind: Kind) {
    let scene = Scene::new(kind).await.migration("1_init", INIT);
    scene.deployed();
    scene.project.set_migration("2_cargo", CARGO);
    failed_row(&scene, "2_cargo").await;
    let blocked = scene.run(&["deploy"]).expect_code(65);
    assert_says(
        &blocked.stderr,
        &["P3009", "`2_cargo` migration started at", "the hold is full", "resolve --rolled-back 2_cargo"],
    );
    assert_says(&scene.run(&["status"]).expect_code(1).stdout, &["failed 2_cargo"]);
    assert_says(&scene.run(&["plan"]).expect_code(65).stderr, &["P3009"]);

    scene.run(&["resolve", "--rolled-back", "2_cargo"]).expect_code(0);
    scene.deployed();
    assert_eq!(scene.base.value("SELECT count(*) FROM cargo").await, "1");

    scene.project.set_migration("3_by_hand", "INSERT INTO cargo VALUES ('not me');");
    failed_row(&scene, "3_by_hand").await;
    scene.run(&["resolve", "--applied", "3_by_hand"]).expect_code(0);
    assert_eq!(scene.deployed().stdout, "up to date\n");
    assert_eq!(scene.base.value("SELECT count(*) FROM cargo").await, "1", "it was not run");
    assert_says(&scene.run(&["resolve", "--applied", "3_by_hand"]).expect_code(65).stderr, &["P3008"]);
    assert_says(&scene.run(&["resolve", "--rolled-back", "1_init"]).expect_code(65).stderr, &["P3012"]);
    assert_says(&scene.run(&["resolve", "--rolled-back", "9_no"]).expect_code(65).stderr, &["P3011"]);
    assert_says(&scene.run(&["resolve", "--applied", "9_no"]).expect_code(78).stderr, &["P3017"]);
}

async fn what_several_say_at_once_is_recorded_once(kind: Kind) {
    let scene = Scene::new(kind).await.migration("1_init", INIT).migration("2_cargo", CARGO);
    scene.base.execute(INIT).await;
    say_applied_at_once(&["1_init", "2_cargo"], |arguments| scene.command(arguments));
    let mut applied = scene.applied().await;
    applied.sort();
    assert_eq!(applied, ["1_init", "2_cargo"]);
}

async fn a_database_that_was_there_before_is_baselined(kind: Kind) {
    let scene = Scene::new(kind).await.migration("1_init", INIT).migration("2_cargo", CARGO);
    scene.base.execute(INIT).await;
    let before = scene.base.everything().await;
    let refused = scene.run(&["deploy"]).expect_code(65);
    assert_says(&refused.stderr, &["P3005", "`ship`", "resolve --applied"]);
    assert_eq!(scene.base.everything().await, before, "what is refused writes nothing");

    scene.run(&["resolve", "--applied", "1_init"]).expect_code(0);
    let rows = scene.base.history().await;
    assert_eq!((rows[0].logs.as_deref(), rows[0].applied_steps_count.as_str()), (Some(""), "0"));
    assert_says(&scene.deployed().stdout, &["1 migration applied"]);
    assert_eq!(scene.applied().await, ["1_init", "2_cargo"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");
}

async fn what_is_wrong_with_a_project_is_said_before_anything_is_done(kind: Kind) {
    let scene = Scene::new(kind).await.migration("1_init", INIT).migration("2_lost", "");
    scene.project.remove("prisma/migrations/2_lost/migration.sql");
    let before = scene.base.everything().await;
    assert_says(&scene.run(&["deploy"]).expect_code(78).stderr, &["P3015", "2_lost", "nothing was applied"]);
    let other = if matches!(kind, Kind::Mysql(_)) { "sqlite" } else { "mysql" };
    scene.project.write("prisma/migrations/migration_lock.toml", format!("provider = \"{other}\"\n"));
    for command in ["deploy", "status", "plan"] {
        let refused = scene.run(&[command]).expect_code(78);
        assert_says(&refused.stderr, &["P3019", &format!("`{other}`")]);
    }
    assert_eq!(scene.base.everything().await, before);
}

async fn scripts_without_statements_are_migrations(kind: Kind) {
    let scene = Scene::new(kind).await.migration("1_empty", "").migration("2_comment", "-- nothing yet");
    scene.project.set_migration("3_block", "/* nothing\n yet */");
    scene.project.set_migration("4_semicolons", ";;\n;");
    scene.deployed();
    assert_eq!(scene.applied().await.len(), 4);
    rows_are_as_prisma_writes_them(&scene).await;
}

/// Rows, a statement that no transaction can hold, and rows again. On SQLite every statement can be in a transaction.
fn mixed(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Postgres(_) => Some(
            "INSERT INTO ship VALUES ('one');\nCREATE INDEX CONCURRENTLY ship_name ON ship (name);\n\
             INSERT INTO ship VALUES ('two');\n",
        ),
        Kind::Mysql(_) => Some(
            "INSERT INTO ship VALUES ('one');\nCREATE INDEX ship_name ON ship (name(10));\n\
             INSERT INTO ship VALUES ('two');\n",
        ),
        Kind::Sqlite => None,
    }
}

/// Whether the index of [`mixed`] is there.
async fn has_index(scene: &Scene) -> bool {
    let catalog = match scene.base {
        Base::Mysql(_) => {
            "SELECT count(*) FROM information_schema.statistics WHERE table_schema = database() AND index_name = 'ship_name'"
        }
        _ => "SELECT count(*) FROM pg_indexes WHERE indexname = 'ship_name'",
    };
    scene.base.value(catalog).await == "1"
}

async fn a_script_that_cannot_be_one_transaction_is_run_statement_by_statement(kind: Kind, script: &str) {
    let scene = Scene::new(kind).await.migration("1_init", INIT).migration("2_mixed", script);
    assert_says(&scene.deployed().stdout, &["2 migrations applied"]);
    rows_are_as_prisma_writes_them(&scene).await;
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "3");
    assert!(has_index(&scene).await);
    assert_eq!(scene.deployed().stdout, "up to date\n");
}

async fn a_script_that_failed_half_way_is_resumed_where_it_stopped(kind: Kind, script: &str) {
    let broken = script.replace("ship VALUES ('two')", "wreck VALUES (2)");
    let scene = Scene::new(kind).await.migration("1_init", INIT).migration("2_mixed", &broken);
    let failed = scene.run(&["deploy"]).expect_code(65);
    assert_says(&failed.stderr, &["P3018", "wreck", "2_mixed/migration.sql:3:"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "2", "what is committed stays");
    assert!(has_index(&scene).await);

    let before = scene.base.everything().await;
    let blocked = scene.run(&["deploy"]).expect_code(65);
    assert_says(
        &blocked.stderr,
        &["P3009", "wreck", "resolve --resume 2_mixed", "resolve --rolled-back 2_mixed"],
    );
    assert_says(&scene.run(&["status"]).expect_code(1).stdout, &["failed 2_mixed"]);
    assert_eq!(scene.base.everything().await, before, "whoever is blocked writes nothing");

    let other = script.replace("'one'", "'another one'");
    scene.project.set_migration("2_mixed", &other);
    scene.run(&["resolve", "--resume", "2_mixed"]).expect_code(65);
    assert_eq!(scene.base.everything().await, before, "what was done was done with another text");

    scene.project.set_migration("2_mixed", script);
    scene.run(&["resolve", "--resume", "2_mixed"]).expect_code(0);
    assert_says(&scene.deployed().stdout, &["1 migration applied"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "3", "nothing is done twice");
    assert_eq!(scene.applied().await, ["1_init", "2_mixed"]);
    rows_are_as_prisma_writes_them(&scene).await;
    scene.run(&["status"]).expect_code(0);
}

async fn only_deploy_creates_a_database(kind: Kind) {
    let scene = Scene::on(kind, kind.missing()).migration("1_init", INIT);
    assert_says(&scene.run(&["status"]).expect_code(78).stderr, &["P1003"]);
    assert_says(
        &scene.run(&["plan"]).expect_code(0).stdout,
        &["the database does not exist", "apply 1_init"],
    );
    assert_says(&scene.run(&["wait", "--wait=300ms"]).expect_code(78).stderr, &["P1003"]);
    assert_says(&scene.run(&["resolve", "--applied", "1_init"]).expect_code(78).stderr, &["P1003"]);
    assert!(!scene.base.exists().await, "only `deploy` may create it");
    assert_says(&scene.deployed().stderr, &["created the database"]);
    assert_eq!(scene.base.value("SELECT count(*) FROM ship").await, "1");
}

async fn reading_commands_write_nothing(kind: Kind) {
    let scene = Scene::new(kind).await.migration("1_init", INIT);
    nothing_is_written_by_reading(&scene, 1, 75).await;
    scene.deployed();
    nothing_is_written_by_reading(&scene, 0, 0).await;
    scene.project.set_migration("2_cargo", CARGO);
    nothing_is_written_by_reading(&scene, 1, 75).await;
}

async fn nothing_is_written_by_reading(scene: &Scene, status: i32, wait: i32) {
    let before = scene.base.everything().await;
    scene.run(&["status"]).expect_code(status);
    scene.run(&["migrate", "status"]).expect_code(status);
    scene.run(&["plan"]).expect_code(0);
    scene.run(&["wait", "--wait=0"]).expect_code(wait);
    assert_eq!(scene.base.everything().await, before);
}
