//! Projects as people lay them out.

use std::fs;
use std::path::PathBuf;

use crate::support::{Layout, SEVEN, SIX, URL};
use plimsoll_core::{Provider, Secret};
use plimsoll_project::Generation;

fn names(project: &plimsoll_project::Project) -> Vec<&str> {
    project.migrations.list().iter().map(plimsoll_core::Migration::name).collect()
}

#[test]
fn the_ordinary_project_of_prisma_6() {
    let layout = Layout::new()
        .file("prisma/schema.prisma", SIX)
        .file("prisma/migrations/20240102000000_b/migration.sql", "\u{feff}SELECT 2;\r\n")
        .file("prisma/migrations/20240101000000_a/migration.sql", b"SELECT '\xff';")
        .file("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n")
        .variable("DATABASE_URL", URL);
    let project = layout.read();
    assert_eq!(project.schema, "prisma/schema.prisma");
    assert_eq!(project.generation, Generation::Six);
    assert_eq!((project.config, project.dotenv.len(), project.notes.len()), (None, 0, 0));
    assert_eq!(project.datasource.name, "db");
    assert_eq!(project.datasource.provider, Provider::Postgresql);
    assert_eq!(project.datasource.url.expose(), URL);
    assert_eq!(project.datasource.url_place.unwrap().to_string(), "prisma/schema.prisma:3:14");
    assert_eq!(project.datasource.base, layout.path().join("prisma"));
    assert_eq!(project.migrations_directory, layout.path().join("prisma/migrations"));
    let list = project.migrations.list();
    assert_eq!(list[0].path(), "prisma/migrations/20240101000000_a/migration.sql");
    assert_eq!(list[0].script().unwrap().text(), "SELECT '\u{fffd}';");
    assert_eq!(list[1].script().unwrap().text(), "\u{feff}SELECT 2;\r\n");
    assert_eq!(project.migrations.lock().unwrap().provider(), "postgresql");
}

#[test]
fn the_ordinary_project_of_prisma_7() {
    let config = "import 'dotenv/config'\nimport { defineConfig, env } from 'prisma/config'\n\
        export default defineConfig({ schema: 'prisma/schema.prisma', \
        migrations: { path: 'db/migrations' }, datasource: { url: env('DATABASE_URL') } })";
    let layout = Layout::new()
        .file("prisma/schema.prisma", SEVEN)
        .file("prisma.config.ts", config)
        .file(".env", format!("DATABASE_URL={URL}"))
        .file("db/migrations/1/migration.sql", "");
    let project = layout.read();
    assert_eq!(project.generation, Generation::Seven);
    assert_eq!(project.config.as_deref(), Some("prisma.config.ts"));
    assert_eq!(project.dotenv, [".env"]);
    assert_eq!(project.datasource.url.expose(), URL);
    assert_eq!(project.datasource.url_place.as_ref().unwrap().line(), 3);
    assert_eq!(project.datasource.base, layout.path());
    assert_eq!(names(&project), ["1"]);
    assert!(!format!("{project:?}").contains("hunter2"));
}

#[test]
fn schema_prisma_beside_comes_before_the_one_in_prisma() {
    let layout = Layout::new()
        .file("schema.prisma", SIX)
        .file("prisma/schema.prisma", SIX)
        .variable("DATABASE_URL", URL);
    let project = layout.read();
    assert_eq!(project.schema, "schema.prisma");
    assert_eq!(project.migrations_directory, layout.path().join("migrations"));
}

#[test]
fn a_schema_may_be_a_folder_of_files_and_links() {
    let layout = Layout::new()
        .file("folder/models/user.prisma", "model User { id Int }")
        .file("folder/notes.txt", "datasource x {}")
        .file("elsewhere/main.prisma", SIX)
        .link("folder/sub", "../elsewhere")
        .link("folder/again", "..")
        .variable("DATABASE_URL", URL);
    let mut request = layout.request();
    request.schema = Some(PathBuf::from("folder/"));
    let project = layout.read_as(&request);
    assert_eq!(project.schema, "folder");
    assert_eq!(project.datasource.base.file_name().unwrap(), "elsewhere");
    assert_eq!(project.migrations_directory, project.datasource.base.join("migrations"));
}

#[test]
fn prisma_7_has_the_migrations_at_the_root_of_the_folder() {
    let layout = Layout::new()
        .file("prisma/schema/deep/main.prisma", SEVEN)
        .file("prisma/schema/migrations/1/migration.sql", "")
        .file(
            "prisma.config.ts",
            "export default { schema: './prisma/schema', datasource: { url: 'postgresql://h' } }",
        );
    let project = layout.read();
    assert_eq!(project.schema, "prisma/schema");
    assert_eq!(names(&project), ["1"]);
}

#[test]
fn package_json_names_the_schema_in_prisma_6() {
    let layout = Layout::new()
        .file("package.json", r#"{ "prisma": { "schema": "db/s.prisma" } }"#)
        .file("db/s.prisma", SIX)
        .file("app/prisma/schema.prisma", SIX)
        .variable("DATABASE_URL", URL);
    let mut request = layout.request();
    request.cwd = layout.path().join("app");
    let project = layout.read_as(&request);
    assert_eq!(project.schema, layout.path().join("db/s.prisma").display().to_string());
    assert!(project.notes[0].contains("`package.json#prisma` is deprecated"));
}

#[test]
fn package_json_comes_last_with_a_config_of_prisma_7() {
    let layout = Layout::new()
        .file("package.json", r#"{ "prisma": { "schema": "db/s.prisma" } }"#)
        .file("db/s.prisma", SEVEN)
        .file("prisma.config.ts", "export default { datasource: { url: 'postgresql://h' } }");
    assert_eq!(layout.read().schema, "db/s.prisma");
    let layout = layout.file("prisma/schema.prisma", SEVEN);
    assert_eq!(layout.read().schema, "prisma/schema.prisma");
}

#[test]
fn a_mounted_config_map_is_read_as_what_it_was_made_from() {
    // A volume with one key per file: links to `..data`, which is a link to the real directory.
    let layout = Layout::new()
        .file("prisma/..2024_01_01_10_00.1/schema.prisma", SIX)
        .link("prisma/..data", "..2024_01_01_10_00.1")
        .link("prisma/schema.prisma", "..data/schema.prisma")
        .file("mig/..2024_01_01_10_00.1/1_a/migration.sql", "a")
        .file("mig/..2024_01_01_10_00.1/2_b/migration.sql", "b")
        .file("mig/..2024_01_01_10_00.1/migration_lock.toml", "provider = \"postgresql\"")
        .link("mig/..data", "..2024_01_01_10_00.1")
        .link("mig/1_a", "..data/1_a")
        .link("mig/2_b", "..data/2_b")
        .link("mig/gone", "..data/gone")
        .link("mig/migration_lock.toml", "..data/migration_lock.toml")
        .link("prisma/migrations", "../mig")
        .variable("DATABASE_URL", URL);
    let project = layout.read();
    assert_eq!(names(&project), ["1_a", "2_b"]);
    assert_eq!(project.migrations.list()[0].path(), "prisma/migrations/1_a/migration.sql");
    assert!(project.migrations.lock().is_some());
}

#[test]
fn a_schema_folder_in_a_config_map_is_read_once() {
    let layout = Layout::new()
        .file("prisma/..2024/main.prisma", SIX)
        .link("prisma/..data", "..2024")
        .link("prisma/main.prisma", "..data/main.prisma")
        .variable("DATABASE_URL", URL);
    let mut request = layout.request();
    request.schema = Some(PathBuf::from("prisma"));
    assert_eq!(layout.read_as(&request).datasource.base, layout.path().join("prisma"));
}

#[test]
fn every_directory_is_a_migration_and_no_file_is() {
    let layout = Layout::new()
        .file("prisma/schema.prisma", SIX)
        .file("prisma/migrations/.hidden/migration.sql", "")
        .file("prisma/migrations/node_modules/x", "")
        .file("prisma/migrations/README.md", "")
        .link("prisma/migrations/linked", "../../other")
        .file("other/migration.sql", "x")
        .variable("DATABASE_URL", URL);
    let project = layout.read();
    assert_eq!(names(&project), [".hidden", "linked", "node_modules"]);
    let why = project.migrations.find("node_modules").unwrap().script().unwrap_err();
    assert!(why.contains("prisma/migrations/node_modules/migration.sql: No such file"), "{why}");
}

#[test]
fn a_missing_migrations_directory_holds_none() {
    let layout = Layout::new().file("prisma/schema.prisma", SIX).variable("DATABASE_URL", URL);
    let project = layout.read();
    assert!(project.migrations.list().is_empty() && project.migrations.lock().is_none());
}

#[test]
fn flags_win_over_everything_and_nothing_else_is_needed() {
    let config = "export default { schema: f(), migrations: { path: g() }, datasource: { url: h() }, \
        tables: { external: i() } }";
    let layout = Layout::new()
        .file("prisma.config.ts", config)
        .file("s.prisma", SEVEN)
        .file("m/1/migration.sql", "")
        .file(".env", format!("DATABASE_URL={URL}"));
    let mut request = layout.request();
    request.schema = Some(PathBuf::from("./s.prisma"));
    request.migrations = Some(layout.path().join("m"));
    request.url = Some(Secret::new("postgresql://flag"));
    let project = layout.read_as(&request);
    assert_eq!(project.datasource.url.expose(), "postgresql://flag");
    assert!(project.datasource.url_place.is_none());
    assert_eq!(names(&project), ["1"]);
    insta::assert_snapshot!(project.notes.join("\n"), @"`tables.external` of prisma.config.ts cannot be read without running it: it is a call that Plimsoll does not make (`i` is not declared in this file). It is taken for empty.");
}

#[test]
fn a_url_flag_makes_the_variable_of_the_schema_unnecessary() {
    let layout =
        Layout::new().file("prisma/schema.prisma", SIX).file(".env", "A=1").file("prisma/.env", "A=1");
    let mut request = layout.request();
    request.url = Some(Secret::new("postgresql://flag"));
    let project = layout.read_as(&request);
    assert_eq!(project.generation, Generation::Six);
    assert!(project.dotenv.is_empty());
}

#[test]
fn the_direct_url_is_the_one_for_migrations() {
    let schema = "datasource db {\n provider = \"postgresql\"\n url = env(\"POOLED\")\n directUrl = env(\"DIRECT\")\n}";
    let layout = Layout::new().file("prisma/schema.prisma", schema).variable("DIRECT", URL);
    assert_eq!(layout.read().datasource.url.expose(), URL);
}

#[test]
fn the_config_s_url_wins_over_the_schema_s() {
    let layout = Layout::new()
        .file("prisma/schema.prisma", SIX)
        .file("prisma.config.ts", "export default { datasource: { url: 'postgresql://config' } }")
        .variable("DATABASE_URL", URL);
    let project = layout.read();
    assert_eq!(project.datasource.url.expose(), "postgresql://config");
    assert_eq!(project.generation, Generation::Six);
    insta::assert_snapshot!(project.notes.join("\n"), @"Both prisma.config.ts and the schema have a URL: the one of the config is used. Prisma 7 refuses a schema with a URL.");
}

#[test]
fn a_classic_config_of_prisma_6_is_six() {
    let config =
        "export default { engine: 'classic', datasource: { url: 'a', directUrl: process.env.DIRECT } }";
    let layout = Layout::new()
        .file("db/schema.prisma", SEVEN)
        .file("prisma.config.ts", config.replace("engine", "schema: 'db/schema.prisma', engine"))
        .variable("DIRECT", URL);
    let project = layout.read();
    assert_eq!(project.generation, Generation::Six);
    assert_eq!(project.datasource.url.expose(), URL);
    assert_eq!(project.datasource.base, layout.path().join("db"));
    assert!(project.notes.is_empty());
}

#[test]
fn env_files_are_loaded_in_order_and_never_override() {
    let layout = Layout::new()
        .file("package.json", "{}")
        .file("prisma/schema.prisma", SIX)
        .file(".env", "HOST=root\nPROCESS=file\nDATABASE_URL=\"postgresql://${HOST}/${PROCESS}\"")
        .file("prisma/.env", "DATABASE_URL=postgresql://schema/x")
        .variable("PROCESS", "p");
    let project = layout.read();
    assert_eq!(project.dotenv, [".env", "prisma/.env"]);
    assert_eq!(project.datasource.url.expose(), "postgresql://root/p");
    let layout = layout.variable("DATABASE_URL", URL);
    assert_eq!(layout.read().datasource.url.expose(), URL);
}

#[test]
fn the_env_file_of_the_schema_is_the_first_of_three() {
    let layout = Layout::new()
        .file("db/schema.prisma", SIX)
        .file("db/.env", "DATABASE_URL=beside")
        .file("prisma/.env", "DATABASE_URL=prisma")
        .file(".env", "DATABASE_URL=cwd");
    let mut request = layout.request();
    request.schema = Some(PathBuf::from("db/schema.prisma"));
    for expected in ["beside", "prisma", "cwd"] {
        assert_eq!(layout.read_as(&request).datasource.url.expose(), expected);
        let place = if expected == "beside" { "db" } else { expected };
        fs::remove_file(layout.path().join(place).join(".env")).unwrap_or_default();
    }
}

#[test]
fn a_directory_named_env_is_not_loaded() {
    let layout = Layout::new()
        .file("prisma/schema.prisma", SIX)
        .file(".env/bin/python", "")
        .variable("DATABASE_URL", URL);
    assert!(layout.read().dotenv.is_empty());
}

#[test]
fn no_env_file_is_loaded_with_a_config() {
    let layout = Layout::new()
        .file("prisma/schema.prisma", SIX)
        .file("prisma.config.ts", "export default {}")
        .file(".env", format!("DATABASE_URL={URL}"));
    assert!(layout.refused().contains("Environment variable not found: DATABASE_URL."));
}
