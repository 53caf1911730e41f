//! Failed migrations and `migrate resolve`, in every world.

use crate::applying::three_rows;
use crate::expected::{
    applied, applying, deploying, failed, head, marked, nothing_to_apply, pending, standing, up_to_date,
};
use crate::rows;
use crate::scenario::{Scene, World};
use crate::scripts::{self, AFTER, AFTER_SCRIPT, BAD, BAD_SCRIPT, FIXED_SCRIPT, INIT, quoted};

/// 3 and 4. Prisma leaves a row that blocks every later start (P3009), and on SQLite also the table `Ok`. Ours leaves
/// nothing but a row that is already rolled back, and the next start tries again.
pub(crate) async fn a_failed_migration_leaves_nothing_and_is_tried_again(scene: &mut Scene) {
    scene.with_three_applied().migration(BAD, BAD_SCRIPT).migration(AFTER, AFTER_SCRIPT);
    scene.status().exits(1).prints(&pending(scene.world, 5, &[BAD, AFTER])).quietly();
    let stdout = deploying(scene.world, 5) + &applying(&[BAD]);
    let said = if scene.world == World::Sqlite {
        "no such table: Nope"
    } else {
        "42P01: relation \"Nope\" does not exist"
    };
    scene.deploy().fails(65, "P3018").prints(&stdout).says("A migration failed to apply").says(said);
    let mut expected = three_rows(scene.world);
    expected.push(rows::rolled_back(BAD, BAD_SCRIPT));
    scene.has_rows(&expected).await;
    scene.has_tables(&["Post", "User", "_prisma_migrations"]).await;

    scene.deploy().fails(65, "P3018").prints(&stdout);
    scene.has_rows(&expected).await;
    scene.status().exits(1).prints(&pending(scene.world, 5, &[BAD, AFTER])).quietly();

    scene.migration(BAD, FIXED_SCRIPT);
    scene.remark(&format!("{BAD} is corrected"));
    let stdout = deploying(scene.world, 5) + &applied(scene.world, &[BAD, AFTER]);
    scene.deploy().exits(0).prints(&stdout).quietly();
    expected.extend([rows::applied(BAD, FIXED_SCRIPT), rows::applied(AFTER, AFTER_SCRIPT)]);
    scene.has_rows(&expected).await;
}

/// 4. A row that the real Prisma has left blocks as it does there. What is pending hides in `status` what has failed.
pub(crate) async fn a_failed_row_of_prisma_blocks_every_deploy(scene: &mut Scene) {
    let bad = &quoted(scene.world, BAD_SCRIPT);
    let after = &quoted(scene.world, AFTER_SCRIPT);
    scene.with_three_applied().migration(BAD, bad).migration(AFTER, after);
    scene.failed_in_prisma(BAD, bad).await;
    let blocked = "migrate found failed migrations in the target database, new migrations will not be applied. \
                   Read more about how to resolve migration issues in a production database: \
                   https://pris.ly/d/migrate-resolve The `20240104000000_bad` migration started at <time> failed";
    scene.deploy().fails(65, "P3009").prints(&deploying(scene.world, 5)).says(blocked);
    scene.status().exits(1).prints(&pending(scene.world, 5, &[AFTER])).quietly();
    scene.project.remove_migration(AFTER);
    scene.remark(&format!("{AFTER} is removed"));
    scene.status().exits(1).prints(&standing(scene.world, 4)).warns(&failed(&[BAD]));
}

/// 5.
pub(crate) async fn resolve_refuses_what_cannot_be(scene: &mut Scene) {
    const NEVER: &str = "20990101000000_never";
    let bad = &quoted(scene.world, BAD_SCRIPT);
    scene.with_three_applied().migration(BAD, bad);
    scene.failed_in_prisma(BAD, bad).await;
    let head = head(scene.world);
    let said = scene.run(&["resolve"]).exits(64).prints(&head);
    said.says("--applied or --rolled-back must be part of the command like:");
    let said = scene.run(&["resolve", "--applied", INIT, "--rolled-back", INIT]).exits(64).prints(&head);
    said.says("Pass either --applied or --rolled-back, not both.");
    let said = scene.resolve("--applied", INIT).fails(65, "P3008").prints(&head);
    said.says("The migration `20240101000000_init` is already recorded as applied in the database.");
    let said = scene.resolve("--rolled-back", INIT).fails(65, "P3012").prints(&head);
    said.says("Migration `20240101000000_init` cannot be rolled back because it is not in a failed state.");
    let said = scene.resolve("--rolled-back", NEVER).fails(65, "P3011").prints(&head);
    said.says(
        "Migration `20990101000000_never` cannot be rolled back because it was never applied to the database. \
         Hint: did you pass in the whole migration name? (example: \"20201207184859_initial_migration\")",
    );
    let said = scene.resolve("--applied", NEVER).fails(78, "P3017").prints(&head);
    said.says(
        "The migration 20990101000000_never could not be found. Please make sure that the migration exists, and \
         that you included the whole name of the directory. (example: \"20201207184859_initial_migration\")",
    );
}

/// 6. Prisma's `status` takes a migration that was only rolled back for applied; ours says what `deploy` will do.
pub(crate) async fn a_failed_row_can_be_rolled_back_and_corrected(scene: &mut Scene) {
    let bad = &quoted(scene.world, BAD_SCRIPT);
    let fixed = &quoted(scene.world, FIXED_SCRIPT);
    scene.with_three_applied().migration(BAD, bad);
    scene.failed_in_prisma(BAD, bad).await;
    let rolled_back = marked(scene.world, BAD, "rolled back");
    scene.resolve("--rolled-back", BAD).exits(0).prints(&rolled_back).quietly();
    let mut expected = three_rows(scene.world);
    expected.push(rows::rolled_back(BAD, bad));
    scene.has_rows(&expected).await;
    scene.resolve("--rolled-back", BAD).exits(0).prints(&rolled_back).quietly();
    scene.status().exits(1).prints(&pending(scene.world, 4, &[BAD])).quietly();

    scene.migration(BAD, fixed);
    scene.remark(&format!("{BAD} is corrected"));
    let stdout = deploying(scene.world, 4) + &applied(scene.world, &[BAD]);
    scene.deploy().exits(0).prints(&stdout).quietly();
    expected.push(rows::applied(BAD, fixed));
    scene.has_rows(&expected).await;
    scene.resolve("--rolled-back", BAD).exits(0).prints(&rolled_back).quietly();
    scene.resolve("--applied", BAD).fails(65, "P3008");
    scene.status().exits(0).prints(&up_to_date(scene.world, 4)).quietly();
    scene.has_rows(&expected).await;
}

/// 7.
pub(crate) async fn a_failed_row_can_be_recorded_as_applied(scene: &mut Scene) {
    let bad = &quoted(scene.world, BAD_SCRIPT);
    scene.with_three_applied().migration(BAD, bad);
    scene.failed_in_prisma(BAD, bad).await;
    scene.resolve("--applied", BAD).exits(0).prints(&marked(scene.world, BAD, "applied")).quietly();
    let mut expected = three_rows(scene.world);
    expected.extend([rows::rolled_back(BAD, bad), rows::recorded(BAD, bad)]);
    scene.has_rows(&expected).await;
    scene.deploy().exits(0).prints(&nothing_to_apply(scene.world, 4)).quietly();
    scene.status().exits(0).prints(&up_to_date(scene.world, 4)).quietly();
}

/// 7, begun by ours.
pub(crate) async fn a_failure_of_ours_can_be_recorded_as_applied(scene: &mut Scene) {
    scene.with_three().migration(BAD, BAD_SCRIPT);
    scene.with_empty_database();
    let names = [INIT, scripts::ADD_NAME, scripts::ADD_POST, BAD];
    let stdout = deploying(scene.world, 4) + &applying(&names);
    scene.deploy().fails(65, "P3018").prints(&stdout).says("applied before this, and committed:");
    scene.resolve("--applied", BAD).exits(0).prints(&marked(scene.world, BAD, "applied")).quietly();
    let mut expected = three_rows(scene.world);
    expected.extend([rows::rolled_back(BAD, BAD_SCRIPT), rows::recorded(BAD, BAD_SCRIPT)]);
    scene.has_rows(&expected).await;
    scene.deploy().exits(0).prints(&nothing_to_apply(scene.world, 4)).quietly();
}

/// 10.
pub(crate) async fn a_database_that_is_not_empty_is_baselined(scene: &mut Scene) {
    scene.with_three();
    scene.execute("CREATE TABLE legacy (id INTEGER)").await;
    scene.status().exits(1).prints(&pending(scene.world, 3, &scripts::THREE)).quietly();
    let not_empty = "The database schema is not empty. Read more about how to baseline an existing production \
                     database: https://pris.ly/d/migrate-baseline";
    scene.deploy().fails(65, "P3005").prints(&deploying(scene.world, 3)).says(not_empty);
    scene.has_tables(&["legacy"]).await;
    scene.resolve("--applied", INIT).exits(0).prints(&marked(scene.world, INIT, "applied")).quietly();
    scene.has_rows(&[rows::recorded(INIT, scripts::init(scene.world))]).await;
    let left = [scripts::ADD_NAME, scripts::ADD_POST];
    scene.status().exits(1).prints(&pending(scene.world, 3, &left)).quietly();
    scene.has_tables(&["_prisma_migrations", "legacy"]).await;
}
