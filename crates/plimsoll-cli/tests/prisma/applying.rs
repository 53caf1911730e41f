//! `migrate deploy` and `migrate status` when they go well, in every world.

use crate::expected::{
    applied, deploying, deploying_to_new, head, nothing_to_apply, pending, standing, up_to_date,
};
use crate::rows;
use crate::scenario::{Scene, World};
use crate::scripts::{self, ADD_NAME, ADD_POST, INIT, THREE};
use plimsoll_testkit::history::HistoryRow;

/// The rows of the three migrations.
pub(crate) fn three_rows(world: World) -> Vec<HistoryRow> {
    vec![
        rows::applied(INIT, scripts::init(world)),
        rows::applied(ADD_NAME, scripts::add_name(world)),
        rows::applied(ADD_POST, scripts::add_post(world)),
    ]
}

/// 0.
pub(crate) async fn a_missing_database_is_created_by_deploy_alone(scene: &mut Scene) {
    scene.forget_database();
    scene.with_three();
    // Prisma names only the last part of a path.
    let name = if scene.world == World::Sqlite { "<sqlite>/test.db" } else { "<database>" };
    let missing = format!("Database `{name}` does not exist");
    scene.status().fails(78, "P1003").says(&missing).prints(&head(scene.world));
    scene.resolve("--applied", INIT).fails(78, "P1003").says(&missing).prints(&head(scene.world));
    let stdout = deploying_to_new(scene.world, 3) + &applied(scene.world, &THREE);
    scene.deploy().exits(0).prints(&stdout).quietly();
    scene.has_rows(&three_rows(scene.world)).await;
}

/// 1.
pub(crate) async fn a_fresh_database_gets_every_migration(scene: &mut Scene) {
    scene.with_three();
    scene.with_empty_database();
    scene.status().exits(1).prints(&pending(scene.world, 3, &THREE)).quietly();
    let stdout = deploying(scene.world, 3) + &applied(scene.world, &THREE);
    scene.deploy().exits(0).prints(&stdout).quietly();
    scene.has_rows(&three_rows(scene.world)).await;
}

/// 2.
pub(crate) async fn a_database_that_is_up_to_date_is_left_alone(scene: &mut Scene) {
    scene.with_three_applied();
    scene.deploy().exits(0).prints(&nothing_to_apply(scene.world, 3)).quietly();
    scene.status().exits(0).prints(&up_to_date(scene.world, 3)).quietly();
    scene.has_rows(&three_rows(scene.world)).await;
}

/// 8. Prisma says nothing; the warning on standard error is ours.
pub(crate) async fn an_edited_migration_is_not_applied_again(scene: &mut Scene) {
    scene.with_three_applied();
    scene.migration(ADD_NAME, &format!("-- edited\n{}", scripts::add_name(scene.world)));
    scene.remark(&format!("{ADD_NAME} is edited"));
    let warning = format!("warning: changed since they were applied, which has no effect: {ADD_NAME}\n");
    scene.deploy().exits(0).prints(&nothing_to_apply(scene.world, 3)).warns(&warning);
    scene.status().exits(0).prints(&up_to_date(scene.world, 3)).quietly();
    scene.has_rows(&three_rows(scene.world)).await;
}

/// 9. Prisma says nothing; the warning on standard error is ours.
pub(crate) async fn a_database_that_is_ahead_is_up_to_date(scene: &mut Scene) {
    scene.with_three_applied();
    scene.project.remove_migration(ADD_POST);
    scene.remark(&format!("{ADD_POST} is removed from the project"));
    let warning = format!("warning: the database is ahead of this project: it stands at {ADD_POST}\n");
    scene.deploy().exits(0).prints(&nothing_to_apply(scene.world, 2)).warns(&warning);
    scene.status().exits(0).prints(&up_to_date(scene.world, 2)).quietly();
}

/// 9b.
pub(crate) async fn diverged_histories_are_told_and_deployed(scene: &mut Scene) {
    const NEW: &str = "20240106000000_new";
    scene.with_three_applied();
    scene.project.remove_migration(ADD_POST);
    let script = scripts::quoted(scene.world, "CREATE TABLE \"New\" (\"id\" INTEGER NOT NULL);\n");
    scene.migration(NEW, &script);
    scene.remark(&format!("{ADD_POST} is removed from the project, {NEW} is new"));
    let diverged = format!(
        "Your local migration history and the migrations table from your database are different:\n\n\
         The last common migration is: {ADD_NAME}\n\n\
         The migration have not yet been applied:\n{NEW}\n\n\
         The migration from the database are not found locally in prisma/migrations:\n{ADD_POST}\n"
    );
    scene.status().exits(1).prints(&standing(scene.world, 3)).warns(&diverged);
    let stdout = deploying(scene.world, 3) + &applied(scene.world, &[NEW]);
    let warning = format!("warning: the database is ahead of this project: it stands at {ADD_POST}\n");
    scene.deploy().exits(0).prints(&stdout).warns(&warning);
    scene.status().exits(0).prints(&up_to_date(scene.world, 3)).quietly();
}

/// 13. The order is that of JavaScript's `localeCompare`.
pub(crate) async fn names_are_ordered_as_javascript_compares_them(scene: &mut Scene) {
    const ORDER: [&str; 10] =
        ["_under", ".hidden", "0001_x", "10_b", "9_a", "a_lower", "B_upper", "nested", "sp ace", "z-dash"];
    let script = |name: &str| match name {
        ".hidden" => "-- hidden\n",
        "nested" => "-- top\n",
        _ => scripts::NOTHING_SCRIPT,
    };
    for name in ORDER.iter().rev() {
        scene.migration(name, script(name));
    }
    scene.project.write("prisma/migrations/nested/inner/migration.sql", "-- not a migration\n");
    scene.project.write("prisma/migrations/stray.sql", "-- not a migration\n");
    scene.with_empty_database();
    let stdout = deploying(scene.world, 10) + &applied(scene.world, &ORDER);
    scene.deploy().exits(0).prints(&stdout).quietly();
    scene.has_rows(&ORDER.map(|name| rows::applied(name, script(name)))).await;
}

/// 18.
pub(crate) async fn scripts_without_statements_are_migrations(scene: &mut Scene) {
    const COMMENT: &str = "-- only a comment\n";
    let names = [INIT, ADD_NAME, ADD_POST, "20240104000000_empty", "20240105000000_comment"];
    scene.with_three().migration(names[3], "").migration(names[4], COMMENT);
    scene.with_empty_database();
    let stdout = deploying(scene.world, 5) + &applied(scene.world, &names);
    scene.deploy().exits(0).prints(&stdout).quietly();
    let mut expected = three_rows(scene.world);
    expected.extend([rows::applied(names[3], ""), rows::applied(names[4], COMMENT)]);
    scene.has_rows(&expected).await;
}

/// 19.
pub(crate) async fn other_line_ends_are_no_change(scene: &mut Scene) {
    scene.with_three_applied();
    let script = scripts::init(scene.world).replace('\n', "\r\n");
    scene.migration(INIT, &script);
    scene.remark(&format!("{INIT} now has the line ends of Windows"));
    scene.deploy().exits(0).prints(&nothing_to_apply(scene.world, 3)).quietly();
    scene.status().exits(0).prints(&up_to_date(scene.world, 3)).quietly();
}
