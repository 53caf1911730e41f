//! Prisma 6.19 on MariaDB: the numbered sections.

use plimsoll_core::checksum::Checksum;

use crate::applying::three_rows;
use crate::expected::{
    applied, applying, deploying, deploying_to_new, marked, nothing_to_apply, pending, up_to_date,
};
use crate::rows;
use crate::scenario::{Scene, World};
use crate::scripts::{AFTER, AFTER_SCRIPT, BAD, BAD_SCRIPT, INIT, THREE, quoted};

crate::tales! {
    World::Mysql;
    applying: a_missing_database_is_created_by_deploy_alone, a_fresh_database_gets_every_migration,
        a_database_that_is_up_to_date_is_left_alone, an_edited_migration_is_not_applied_again,
        a_database_that_is_ahead_is_up_to_date, diverged_histories_are_told_and_deployed,
        names_are_ordered_as_javascript_compares_them, scripts_without_statements_are_migrations,
        other_line_ends_are_no_change;
    resolving: a_failed_row_of_prisma_blocks_every_deploy, resolve_refuses_what_cannot_be,
        a_failed_row_can_be_rolled_back_and_corrected, a_failed_row_can_be_recorded_as_applied,
        a_database_that_is_not_empty_is_baselined;
    wrong: a_project_without_migrations_has_nothing_to_apply,
        a_migration_without_a_script_is_an_error_when_it_is_pending,
        every_pending_script_is_looked_at_before_one_is_run, the_lock_file_has_to_name_the_provider,
        the_url_has_to_be_there_and_of_the_right_kind, arguments_that_make_no_sense_change_nothing;
}

const WORLD: World = World::Mysql;

/// The scene after the first of three statements was done and the second failed.
async fn failed_half_way() -> Scene {
    let mut scene = Scene::new(WORLD).await;
    scene.with_three_applied().migration(BAD, &quoted(WORLD, BAD_SCRIPT));
    scene.migration(AFTER, &quoted(WORLD, AFTER_SCRIPT));
    scene.status().exits(1).prints(&pending(WORLD, 5, &[BAD, AFTER])).quietly();
    let stdout = deploying(WORLD, 5) + &applying(&[BAD]);
    let said = scene.deploy().fails(65, "P3018").prints(&stdout).says("A migration failed to apply");
    said.says("Nope' doesn't exist").says("1146").says("20240104000000_bad/migration.sql:2:");
    scene
}

/// 3 and 4. As with Prisma, what the first statement did stays, because the server has committed it; the failed row blocks
/// every later start. Ours also counts in the row how far it got.
#[tokio::test]
async fn a_failed_migration_stays_where_it_is_and_blocks() {
    let mut scene = failed_half_way().await;
    scene.has_tables(&["Ok", "Post", "User", "_prisma_migrations"]).await;
    let rows = scene.base.history().await;
    let bad = &rows[3];
    assert_eq!((&bad.finished_at, &bad.rolled_back_at), (&None, &None));
    assert_eq!(bad.checksum, Checksum::of(&quoted(WORLD, BAD_SCRIPT)).to_string());
    assert_eq!(bad.applied_steps_count, "1", "one statement is done");

    let blocked =
        "migrate found failed migrations in the target database, new migrations will not be applied.";
    let said = scene.deploy().fails(65, "P3009").prints(&deploying(WORLD, 5)).says(blocked);
    said.says("The `20240104000000_bad` migration started at <time> failed").says("Nope' doesn't exist");
    scene.status().exits(1).prints(&pending(WORLD, 5, &[AFTER])).quietly();
    assert_eq!(scene.base.history().await, rows, "whoever is blocked writes nothing");
    insta::assert_snapshot!(scene.story());
}

/// 7, begun by ours.
#[tokio::test]
async fn a_failure_of_ours_can_be_recorded_as_applied() {
    let mut scene = failed_half_way().await;
    scene.project.remove_migration(AFTER);
    scene.resolve("--applied", BAD).exits(0).prints(&marked(WORLD, BAD, "applied")).quietly();
    let rows = scene.base.history().await;
    assert!(rows[3].rolled_back_at.is_some() && rows.len() == 5);
    assert_eq!(rows[4], rows::recorded(BAD, &quoted(WORLD, BAD_SCRIPT)));
    scene.deploy().exits(0).prints(&nothing_to_apply(WORLD, 4)).quietly();
    scene.status().exits(0).prints(&up_to_date(WORLD, 4)).quietly();
    insta::assert_snapshot!(scene.story());
}

/// 6, begun by ours.
#[tokio::test]
async fn a_failure_of_ours_can_be_rolled_back_by_hand_and_corrected() {
    const FIXED: &str = "ALTER TABLE `User` ADD COLUMN `x` TEXT;\n";
    let mut scene = failed_half_way().await;
    scene.project.remove_migration(AFTER);
    scene.execute("DROP TABLE `Ok`").await;
    scene.resolve("--rolled-back", BAD).exits(0).prints(&marked(WORLD, BAD, "rolled back")).quietly();
    scene.migration(BAD, FIXED);
    scene.remark(&format!("{BAD} is corrected"));
    let stdout = deploying(WORLD, 4) + &applied(WORLD, &[BAD]);
    scene.deploy().exits(0).prints(&stdout).quietly();
    assert_eq!(scene.base.history().await.last(), Some(&rows::applied(BAD, FIXED)));
    scene.status().exits(0).prints(&up_to_date(WORLD, 4)).quietly();
    insta::assert_snapshot!(scene.story());
}

/// 0. The database is created as Prisma creates it, and so is the history.
#[tokio::test]
async fn what_is_created_is_as_prisma_creates_it() {
    let mut scene = Scene::new(WORLD).await;
    scene.forget_database();
    scene.with_three();
    scene.deploy().exits(0).prints(&(deploying_to_new(WORLD, 3) + &applied(WORLD, &THREE)));
    let collation =
        "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()";
    assert_eq!(scene.base.value(collation).await, "utf8mb4_unicode_ci");
    let columns = "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY, COLUMN_DEFAULT \
                   FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() \
                   AND TABLE_NAME = '_prisma_migrations' ORDER BY ORDINAL_POSITION";
    let columns: Vec<String> = scene.base.query(columns).await.into_iter().map(line).collect();
    let expected = [
        "id varchar(36) NO PRI -",
        "checksum varchar(64) NO  -",
        "finished_at datetime(3) YES  NULL",
        "migration_name varchar(255) NO  -",
        "logs text YES  NULL",
        "rolled_back_at datetime(3) YES  NULL",
        "started_at datetime(3) NO  current_timestamp(3)",
        "applied_steps_count int(10) unsigned NO  0",
    ];
    assert_eq!(columns, expected);
    let table = "SELECT ENGINE, TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() \
                 AND TABLE_NAME = '_prisma_migrations'";
    let tables: Vec<String> = scene.base.query(table).await.into_iter().map(line).collect();
    assert_eq!(tables, ["InnoDB utf8mb4_unicode_ci"]);
}

fn line(row: Vec<Option<String>>) -> String {
    row.into_iter().map(|value| value.unwrap_or_else(|| "-".into())).collect::<Vec<_>>().join(" ")
}

/// 14. Ours waits for a server that is not there; here it was told not to.
#[tokio::test]
async fn a_server_that_cannot_be_reached_is_named() {
    let mut scene = Scene::new(WORLD).await;
    scene.with_three();
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let url = scene.base.mysql().address().port(port).url();
    for arguments in
        [&["deploy", "--wait=0"][..], &["status", "--wait=0"], &["resolve", "--wait=0", "--applied", INIT]]
    {
        let program = scene.program(arguments).env("DATABASE_URL", &url);
        let said = scene.hear(program).exits(69).says("P1001");
        said.says("Can't reach database server at `127.0.0.1:<port>`");
    }
    insta::assert_snapshot!(scene.story());
}

/// 15.
#[tokio::test]
async fn a_wrong_password_is_refused() {
    let mut scene = Scene::new(WORLD).await;
    scene.with_three();
    let url = scene.base.mysql().address().password("wrong-word").url();
    for command in ["deploy", "status"] {
        let program = scene.program(&[command]).env("DATABASE_URL", &url);
        let said =
            scene.hear(program).fails(77, "P1000").says("Authentication failed against database server");
        assert!(said.says("`root`").everything().find("wrong-word").is_none());
    }
    insta::assert_snapshot!(scene.story());
}

/// 22. Prisma asks for the lock, waits for ten seconds, and applies without it; ours applies only with it.
#[tokio::test]
async fn a_lock_held_by_somebody_else_is_waited_for() {
    let mut scene = Scene::new(WORLD).await;
    scene.with_three();
    let database = scene.base.mysql();
    let holder = database.hold("prisma_migrate").await;
    scene.remark("somebody else holds the lock");
    let impatient = scene.program(&["deploy", "--lock-wait", "300ms"]);
    scene.hear(impatient).fails(75, "P1002");
    scene.has_tables(&[]).await;
    let patient = scene.program(&["deploy"]).spawn();
    patient.wait_for_stderr("waiting");
    holder.release().await;
    scene.remark("somebody else is gone while this one waits");
    scene.tell(patient.wait()).exits(0).prints(&(deploying(WORLD, 3) + &applied(WORLD, &THREE)));
    scene.has_rows(&three_rows(WORLD)).await;
    insta::assert_snapshot!(scene.story());
}

/// 22. Without work the lock is not needed.
#[tokio::test]
async fn a_held_lock_is_no_reason_to_wait_without_work() {
    let mut scene = Scene::new(WORLD).await;
    scene.with_three_applied();
    let database = scene.base.mysql();
    let holder = database.hold("prisma_migrate").await;
    scene.remark("somebody else holds the lock");
    scene.deploy().exits(0).prints(&nothing_to_apply(WORLD, 3)).quietly();
    scene.status().exits(0).prints(&up_to_date(WORLD, 3)).quietly();
    holder.release().await;
    scene.has_rows(&three_rows(WORLD)).await;
    insta::assert_snapshot!(scene.story());
}
