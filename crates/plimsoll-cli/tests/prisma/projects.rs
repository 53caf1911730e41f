//! The lettered sections about files: K to P.

use std::os::unix::fs::symlink;

use plimsoll_testkit::program::Program;

use crate::applying::three_rows;
use crate::expected::{applied, applying, deploying, pending, up_to_date};
use crate::rows;
use crate::scenario::{SCHEMA_SIX, Scene, World};
use crate::scripts::{self, ADD_NAME, ADD_POST, INIT, THREE};

const SIX: World = World::Six;

/// K.
#[tokio::test]
async fn invalid_utf8_is_read_and_hashed_as_prisma_does() {
    let mut scene = Scene::fresh(SIX).await;
    let mut bytes = scripts::add_post(SIX).as_bytes().to_vec();
    bytes.extend(b"-- caf\xe9\n");
    scene.project.write("prisma/migrations/20240103000000_add_post/migration.sql", &bytes);
    let stdout = deploying(SIX, 3) + &applied(SIX, &THREE);
    scene.deploy().exits(0).prints(&stdout).quietly();
    let mut expected = three_rows(SIX);
    expected[2] = rows::applied(ADD_POST, &String::from_utf8_lossy(&bytes));
    scene.has_rows(&expected).await;
    insta::assert_snapshot!(scene.story());
}

/// K. The byte order mark is sent and hashed as a part of the script.
#[tokio::test]
async fn a_byte_order_mark_is_part_of_the_script() {
    const NAME: &str = "20240106000000_bom";
    const RECORDED: &str = "5378e1509266637b0ec5b315989ef6ab6e8abae49ad1ee3d0535c4dac436a27c";
    let script = "\u{feff}CREATE TABLE \"Bom\" (\"id\" INTEGER);\n";
    let mut scene = Scene::new(SIX).await;
    scene.with_three_applied().migration(NAME, script);
    let stdout = deploying(SIX, 4) + &applying(&[NAME]);
    scene.deploy().fails(65, "P3018").prints(&stdout).says("42601: syntax error at or near");
    let mut expected = three_rows(SIX);
    expected.push(rows::rolled_back(NAME, script));
    scene.has_rows(&expected).await;
    assert_eq!(expected[3].checksum, RECORDED);
    insta::assert_snapshot!(scene.story());
}

/// L. Prisma passes over a directory that is a symbolic link.
#[tokio::test]
async fn a_migration_behind_a_symbolic_link_is_a_migration() {
    let mut scene = Scene::fresh(SIX).await;
    let migrations = scene.project.migrations();
    let elsewhere = scene.project.join("elsewhere");
    std::fs::rename(migrations.join(ADD_POST), &elsewhere).unwrap();
    symlink(&elsewhere, migrations.join(ADD_POST)).unwrap();
    std::fs::rename(migrations.join(ADD_NAME).join("migration.sql"), elsewhere.join("name.sql")).unwrap();
    symlink(elsewhere.join("name.sql"), migrations.join(ADD_NAME).join("migration.sql")).unwrap();
    scene.remark("one directory and one migration.sql are symbolic links");
    let stdout = deploying(SIX, 3) + &applied(SIX, &THREE);
    scene.deploy().exits(0).prints(&stdout).quietly();
    scene.has_rows(&three_rows(SIX)).await;
    insta::assert_snapshot!(scene.story());
}

/// M. Prisma sees nothing but the hidden directory (P3015).
#[tokio::test]
async fn a_volume_of_a_configmap_is_a_migrations_directory() {
    let mut scene = Scene::fresh(SIX).await;
    let migrations = scene.project.migrations();
    let mounted = migrations.join("..2024_01");
    std::fs::create_dir(&mounted).unwrap();
    for name in THREE.into_iter().chain(["migration_lock.toml"]) {
        std::fs::rename(migrations.join(name), mounted.join(name)).unwrap();
        symlink(format!("..data/{name}"), migrations.join(name)).unwrap();
    }
    symlink("..2024_01", migrations.join("..data")).unwrap();
    scene.remark("the migrations directory is the volume of a ConfigMap");
    let stdout = deploying(SIX, 3) + &applied(SIX, &THREE);
    scene.deploy().exits(0).prints(&stdout).quietly();
    scene.has_rows(&three_rows(SIX)).await;
    insta::assert_snapshot!(scene.story());
}

/// N.
#[tokio::test]
async fn the_direct_url_is_the_one_for_migrations() {
    let mut scene = Scene::fresh(SIX).await;
    let schema = SCHEMA_SIX.replace(
        "env(\"DATABASE_URL\")",
        "\"postgresql://nobody:secret-word@127.0.0.1:1/none\"\n  directUrl = env(\"DIRECT_URL\")",
    );
    scene.project.write("prisma/schema.prisma", schema);
    scene.remark("url leads nowhere, directUrl is that of the database");
    let url = scene.postgres().url();
    let deploy = scene.program(&["deploy"]).env("DIRECT_URL", url);
    let stdout = deploying(SIX, 3) + &applied(SIX, &THREE);
    scene.hear(deploy).exits(0).prints(&stdout).quietly();
    scene.remark("DIRECT_URL is not set");
    let said = scene.deploy().fails(78, "P1012").says("Environment variable not found: DIRECT_URL");
    assert!(!said.says("prisma/schema.prisma:8").everything().contains("secret-word"));
    insta::assert_snapshot!(scene.story());
}

/// `status` without `DATABASE_URL` in the environment.
fn without_url(scene: &Scene) -> Program {
    scene.program(&["status"]).without_env("DATABASE_URL").env("PLIMSOLL_WAIT", "0")
}

/// O.
#[tokio::test]
async fn env_files_are_read_as_prisma_6_does() {
    let mut scene = Scene::fresh(SIX).await;
    let nowhere = "DATABASE_URL=\"postgresql://u:secret-word@127.0.0.1:1/o\"\n";
    let here = format!("DATABASE_URL=\"{}\"\n", scene.postgres().url());
    scene.project.write("package.json", "{}\n");

    scene.project.write("prisma/.env", &here);
    scene.remark("prisma/.env has the URL");
    let program = without_url(&scene);
    let said = scene.hear(program).exits(1).prints(&pending(SIX, 3, &THREE));
    said.warns("Environment variables loaded from prisma/.env\n");

    scene.project.write(".env", &here);
    scene.remark(".env has the same");
    let program = without_url(&scene);
    let said = scene.hear(program).exits(78).prints("").says(".env and prisma/.env").says("DATABASE_URL");
    said.says("PLM107");

    scene.project.write(".env", nowhere);
    scene.remark(".env has another one, which wins");
    let program = without_url(&scene);
    let said = scene.hear(program).fails(69, "P1001");
    said.says("Environment variables loaded from .env Environment variables loaded from prisma/.env");

    scene.project.remove("prisma/.env");
    scene.remark("only .env is left");
    let program = without_url(&scene);
    scene.hear(program).fails(69, "P1001").says("Environment variables loaded from .env");

    scene.remark("DATABASE_URL is set, and wins");
    let said = scene.status().exits(1).prints(&pending(SIX, 3, &THREE));
    said.warns("Environment variables loaded from .env\n");
    assert!(!scene.story().contains("secret-word"));
    insta::assert_snapshot!(scene.story());
}

/// P. The first line of standard error is ours; Prisma's says the same in its own words.
#[tokio::test]
async fn a_schema_is_found_where_prisma_finds_it() {
    let mut scene = Scene::fresh(SIX).await;
    std::fs::rename(scene.project.join("prisma"), scene.project.join("db")).unwrap();
    scene.project.write("package.json", "{ \"prisma\": { \"schema\": \"db/schema.prisma\" } }\n");
    scene.remark("package.json names db/schema.prisma");
    let stdout = deploying(SIX, 3) + &applied(SIX, &THREE);
    let said = scene.deploy().exits(0).prints(&stdout.replace("prisma/schema.prisma", "db/schema.prisma"));
    said.says("The configuration property `package.json#prisma` is deprecated");

    scene.project.remove("package.json");
    std::fs::rename(scene.project.join("db"), scene.project.join("folder")).unwrap();
    let main = scene.project.join("folder/main.prisma");
    std::fs::rename(scene.project.join("folder/schema.prisma"), main).unwrap();
    scene.project.write("folder/models/user.prisma", "model User {\n  id Int @id\n}\n");
    scene.remark("the schema is a folder");
    let stdout = up_to_date(SIX, 3);
    let folder = stdout.replace("prisma/schema.prisma", "folder");
    scene.run(&["status", "--schema=folder"]).exits(0).prints(&folder).quietly();
    scene.run(&["status", "--schema", "folder/"]).exits(0).prints(&folder).quietly();
    let file = stdout.replace("prisma/schema.prisma", "folder/main.prisma");
    scene.run(&["status", "--schema=folder/main.prisma"]).exits(0).prints(&file).quietly();
    assert_eq!(scene.postgres().history().await[0], rows::applied(INIT, scripts::init(SIX)));
    insta::assert_snapshot!(scene.story());
}
