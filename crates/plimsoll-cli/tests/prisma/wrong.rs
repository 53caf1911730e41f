//! Projects that are wrong, in every world.

use crate::applying::three_rows;
use crate::expected::{applied, deploying, head, nothing_to_apply, pending, standing};
use crate::scenario::{Scene, World};
use crate::scripts::{INIT, THREE};

const NOFILE: &str = "20240101000000_nofile";

/// 11. Prisma creates the history table even when there is nothing to apply; ours creates nothing without need.
pub(crate) async fn a_project_without_migrations_has_nothing_to_apply(scene: &mut Scene) {
    scene.with_empty_database();
    let not_managed = "The current database is not managed by Prisma Migrate.\n        \n\
                       Read more about how to baseline an existing production database:\n\
                       https://pris.ly/d/migrate-baseline\n";
    std::fs::remove_dir_all(scene.project.migrations()).expect("the directory is ours");
    scene.remark("there is no migrations directory");
    scene.status().exits(1).prints(&standing(scene.world, 0)).warns(not_managed);
    scene.deploy().exits(0).prints(&nothing_to_apply(scene.world, 0)).quietly();
    scene.has_tables(&[]).await;
    std::fs::create_dir(scene.project.migrations()).expect("the directory is ours");
    scene.remark("there is an empty migrations directory");
    scene.deploy().exits(0).prints(&nothing_to_apply(scene.world, 0)).quietly();
}

/// 11. The path in our message is the one to look at; Prisma only says `migration.sql`.
pub(crate) async fn a_migration_without_a_script_is_an_error_when_it_is_pending(scene: &mut Scene) {
    scene.with_empty_database();
    std::fs::create_dir(scene.project.migrations().join(NOFILE)).expect("the directory is ours");
    scene.remark(&format!("{NOFILE} has no migration.sql"));
    let said = scene.deploy().fails(78, "P3015").prints(&deploying(scene.world, 1));
    said.says("Could not find the migration file at")
        .says("Please delete the directory or restore the migration file.")
        .says("prisma/migrations/20240101000000_nofile/migration.sql");
    scene.has_rows(&[]).await;
    scene.status().exits(1).prints(&pending(scene.world, 1, &[NOFILE])).quietly();
    let said = scene.resolve("--applied", NOFILE).fails(78, "P3017").prints(&head(scene.world));
    said.says("The migration 20240101000000_nofile could not be found.");
}

/// 11, at another place: Prisma applies those before it first.
pub(crate) async fn every_pending_script_is_looked_at_before_one_is_run(scene: &mut Scene) {
    scene.with_three();
    scene.with_empty_database();
    std::fs::create_dir(scene.project.migrations().join("20240109000000_nofile"))
        .expect("the directory is ours");
    scene.deploy().fails(78, "P3015").prints(&deploying(scene.world, 4)).says("nothing was applied");
    scene.has_tables(&[]).await;
}

/// 12.
pub(crate) async fn the_lock_file_has_to_name_the_provider(scene: &mut Scene) {
    const LOCK: &str = "prisma/migrations/migration_lock.toml";
    scene.with_three();
    scene.with_empty_database();
    let provider = scene.world.kind().provider().lock_name();
    let mismatch = |lock: &str| {
        format!(
            "The datasource provider `{provider}` specified in your schema does not match the one specified in the \
             migration_lock.toml, `{lock}`. Please remove your current migration directory and start a new \
             migration history with prisma migrate dev. Read more: https://pris.ly/d/migrate-provider-switch"
        )
    };
    scene.project.write(LOCK, "provider = \"sqlserver\"\n");
    scene.remark("the lock file names sqlserver");
    let stdout = deploying(scene.world, 3);
    scene.deploy().fails(78, "P3019").prints(&stdout).says(&mismatch("sqlserver"));
    scene.status().fails(78, "P3019").prints(&head(scene.world)).says(&mismatch("sqlserver"));
    let said = scene.resolve("--applied", INIT).fails(78, "P3019");
    said.prints(&head(scene.world)).says(&mismatch("sqlserver"));
    scene.project.write(LOCK, "# nothing\n");
    scene.remark("the lock file names no provider");
    scene.deploy().fails(78, "P3019").prints(&stdout).says(&mismatch("<PROVIDER NOT FOUND>"));
    scene.has_tables(&[]).await;
    scene.project.remove(LOCK);
    scene.remark("there is no lock file");
    let stdout = stdout + &applied(scene.world, &THREE);
    scene.deploy().exits(0).prints(&stdout).quietly();
    scene.has_rows(&three_rows(scene.world)).await;
}

/// 16.
pub(crate) async fn the_url_has_to_be_there_and_of_the_right_kind(scene: &mut Scene) {
    scene.with_three();
    let missing = match scene.world {
        World::Seven => "PrismaConfigEnvError: Cannot resolve environment variable: DATABASE_URL.",
        World::Six | World::Mysql | World::Sqlite => "Error: P1012",
    };
    let unset = scene.program(&["deploy"]).without_env("DATABASE_URL");
    scene.remark("DATABASE_URL is not set");
    scene.hear(unset).exits(78).says(missing).says("DATABASE_URL");
    let empty = scene.program(&["deploy"]).env("DATABASE_URL", "");
    scene.remark("DATABASE_URL is empty");
    scene.hear(empty).exits(78).says(missing).says("DATABASE_URL");
    let other = if scene.world == World::Mysql { "postgresql" } else { "mysql" };
    let wrong = scene.program(&["deploy"]).env("DATABASE_URL", format!("{other}://u:secret-word@h/x"));
    scene.remark("DATABASE_URL is that of another database");
    let said = scene.hear(wrong).exits(78).says("the URL must start with the protocol");
    assert!(!said.everything().contains("secret-word"));
}

/// 17. The help is our own.
pub(crate) async fn arguments_that_make_no_sense_change_nothing(scene: &mut Scene) {
    scene.with_three();
    let said = scene.run(&["deploy", "--schema=./nope.prisma"]).exits(78).prints("");
    said.says("Could not load `--schema` from provided path `nope.prisma`: file or directory not found");
    scene.run(&["deploy", "--bogus"]).exits(64).prints("").says("unexpected argument '--bogus'");
    scene.run(&["nonsense"]).exits(64).prints("").says("unrecognized subcommand 'nonsense'");
    for command in ["deploy", "status", "resolve"] {
        let help = scene.program(&[command, "--help"]).run().expect_code(0);
        assert!(help.stdout.contains(&format!("plimsoll migrate {command}")) && help.stderr.is_empty());
        assert!(help.stdout.contains("--schema") && help.stdout.contains("--config"));
    }
    std::fs::remove_dir_all(scene.project.join("prisma")).expect("the directory is ours");
    scene.remark("there is no schema");
    scene.deploy().exits(78).prints("").says("schema.prisma");
}
