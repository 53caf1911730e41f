//! Prisma 6.19 on SQLite: the numbered sections.

use crate::applying::three_rows;
use crate::expected::{applied, deploying, head, nothing_to_apply, up_to_date};
use crate::scenario::{Scene, World};
use crate::scripts::{INIT, THREE};

crate::tales! {
    World::Sqlite;
    applying: a_missing_database_is_created_by_deploy_alone, a_fresh_database_gets_every_migration,
        a_database_that_is_up_to_date_is_left_alone, an_edited_migration_is_not_applied_again,
        a_database_that_is_ahead_is_up_to_date, diverged_histories_are_told_and_deployed,
        names_are_ordered_as_javascript_compares_them, scripts_without_statements_are_migrations,
        other_line_ends_are_no_change;
    resolving: a_failed_migration_leaves_nothing_and_is_tried_again, a_failed_row_of_prisma_blocks_every_deploy,
        resolve_refuses_what_cannot_be, a_failed_row_can_be_rolled_back_and_corrected,
        a_failed_row_can_be_recorded_as_applied, a_failure_of_ours_can_be_recorded_as_applied,
        a_database_that_is_not_empty_is_baselined;
    wrong: a_project_without_migrations_has_nothing_to_apply,
        a_migration_without_a_script_is_an_error_when_it_is_pending,
        every_pending_script_is_looked_at_before_one_is_run, the_lock_file_has_to_name_the_provider,
        the_url_has_to_be_there_and_of_the_right_kind, arguments_that_make_no_sense_change_nothing;
}

/// 1. On a file that does not exist, `status` fails as Prisma's does, and creates nothing.
#[tokio::test]
async fn status_does_not_create_the_file() {
    let mut scene = Scene::new(World::Sqlite).await;
    scene.with_three();
    scene
        .status()
        .fails(78, "P1003")
        .prints(&head(World::Sqlite))
        .says("Database `<sqlite>/test.db` does not exist");
    let database = scene.base.sqlite();
    assert!(!database.path().exists());
    insta::assert_snapshot!(scene.story());
}

/// 0, with the URL of most projects.
#[tokio::test]
async fn a_relative_path_is_relative_to_the_schema() {
    let mut scene = Scene::new(World::Sqlite).await;
    scene.with_three();
    let relative = |scene: &Scene| scene.program(&["deploy"]).env("DATABASE_URL", "file:./dev.db");
    let datasource = "Datasource \"db\": SQLite database \"dev.db\" at \"file:./dev.db\"\n";
    let head = format!("Prisma schema loaded from prisma/schema.prisma\n{datasource}");
    let created = "SQLite database dev.db created at file:./dev.db\n";
    let program = relative(&scene);
    let stdout = format!(
        "{head}\n{created}\n3 migrations found in prisma/migrations\n\n{}",
        applied(World::Sqlite, &THREE)
    );
    scene.hear(program).exits(0).prints(&stdout).quietly();
    assert!(scene.project.join("prisma/dev.db").is_file());
    let program = relative(&scene);
    let stdout =
        format!("{head}\n3 migrations found in prisma/migrations\n\n\nNo pending migrations to apply.\n");
    scene.hear(program).exits(0).prints(&stdout).quietly();
    insta::assert_snapshot!(scene.story());
}

/// 14 and 15.
#[tokio::test]
async fn a_file_that_cannot_be_is_named() {
    let mut scene = Scene::new(World::Sqlite).await;
    scene.with_three();
    for path in ["file:/proc/nonexistent/dev.db", "file:/proc/dev.db"] {
        let head = format!(
            "Prisma schema loaded from prisma/schema.prisma\nDatasource \"db\": SQLite database \"dev.db\" at \"{path}\"\n"
        );
        for arguments in [&["deploy"][..], &["status"], &["resolve", "--applied", INIT]] {
            let program = scene.program(arguments).env("DATABASE_URL", path);
            let said = scene.hear(program);
            if arguments == ["deploy"] {
                said.fails(78, "PLM208").prints(&format!("{head}\n"));
            } else {
                said.fails(78, "P1003").prints(&head).says("dev.db` does not exist");
            }
        }
    }
    insta::assert_snapshot!(scene.story());
}

/// 22. Prisma gives up after five seconds; ours waits for as long as it was told to.
#[tokio::test]
async fn a_database_locked_by_somebody_else_is_waited_for() {
    let mut scene = Scene::new(World::Sqlite).await;
    scene.with_three_applied();
    scene.migration("20240106000000_new", "CREATE TABLE \"New\" (\"id\" INTEGER NOT NULL);\n");
    let database = scene.base.sqlite();
    let holder = database.connect();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    scene.remark("somebody else writes");
    let impatient = scene.program(&["deploy", "--lock-wait", "300ms"]);
    let said = scene.hear(impatient).fails(75, "P1002");
    assert!(said.everything().matches("Applying migration").count() <= 1, "{}", said.everything());
    holder.execute_batch("ROLLBACK; BEGIN IMMEDIATE").unwrap();
    let patient = scene.program(&["deploy"]).spawn();
    patient.wait_for_stderr("waiting");
    holder.execute_batch("ROLLBACK").unwrap();
    scene.remark("somebody else is done while this one waits");
    let stdout = deploying(World::Sqlite, 4) + &applied(World::Sqlite, &["20240106000000_new"]);
    scene.tell(patient.wait()).exits(0).prints(&stdout);
    insta::assert_snapshot!(scene.story());
}

/// 22. Without work the lock is not needed, and reading goes on while somebody else writes.
#[tokio::test]
async fn a_locked_database_that_is_up_to_date_is_no_reason_to_wait() {
    let mut scene = Scene::new(World::Sqlite).await;
    scene.with_three_applied();
    let database = scene.base.sqlite();
    let holder = database.connect();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    scene.remark("somebody else writes");
    scene.deploy().exits(0).prints(&nothing_to_apply(World::Sqlite, 3)).quietly();
    scene.status().exits(0).prints(&up_to_date(World::Sqlite, 3)).quietly();
    holder.execute_batch("ROLLBACK").unwrap();
    scene.has_rows(&three_rows(World::Sqlite)).await;
    insta::assert_snapshot!(scene.story());
}
