//! The Prisma config of Prisma 7: the numbered sections of its extras.

use crate::expected::{applied, deploying, nothing_to_apply, standing, up_to_date};
use crate::scenario::{CONFIG, SCHEMA_SEVEN, Scene, World};
use crate::scripts::THREE;

const SEVEN: World = World::Seven;
const FILE: &str = "prisma.config.ts";

async fn deployed() -> Scene {
    let mut scene = Scene::new(SEVEN).await;
    scene.with_three_applied();
    scene
}

/// What Prisma 7 says on standard error when it has found this config and this schema.
fn introduced(config: &str, schema: &str) -> String {
    format!("Loaded Prisma config from {config}.\n\nPrisma schema loaded from {schema}.\n")
}

/// 1.
#[tokio::test]
async fn without_a_config_there_is_no_url() {
    let mut scene = Scene::fresh(SEVEN).await;
    scene.project.remove(FILE);
    let said = scene.deploy().exits(78).prints("");
    said.says("Error: PLM104").says("Nothing says which database to use");
    insta::assert_snapshot!(scene.story());
}

/// 2.
#[tokio::test]
async fn a_config_without_a_datasource_has_no_url() {
    let mut scene = Scene::fresh(SEVEN).await;
    scene.project.write(FILE, "export default { schema: 'prisma/schema.prisma' }\n");
    let said = scene.deploy().exits(78).prints("");
    said.says("Error: PLM104").says("Nothing says which database to use");
    insta::assert_snapshot!(scene.story());
}

/// 3 and 4. Prisma 7 refuses such a schema. Prisma 6 takes it, and nothing says which of them it was written for.
#[tokio::test]
async fn a_url_left_in_the_schema_gives_way_to_the_config() {
    let mut scene = Scene::fresh(SEVEN).await;
    for line in ["url = env(\"DATABASE_URL\")", "directUrl = env(\"DATABASE_URL\")"] {
        scene.project.write(
            "prisma/schema.prisma",
            SCHEMA_SEVEN.replace("\"postgresql\"\n", &format!("\"postgresql\"\n  {line}\n")),
        );
        scene.remark(&format!("the schema still has {line}"));
        scene.deploy().exits(0).says("Prisma 7 refuses a schema with a URL.");
    }
    insta::assert_snapshot!(scene.story());
}

/// 4.
#[tokio::test]
async fn a_direct_url_in_the_config_of_prisma_7_means_nothing() {
    let mut scene = Scene::fresh(SEVEN).await;
    let both = "url: env('DATABASE_URL'), directUrl: 'postgresql://nobody@127.0.0.1:1/none'";
    scene.project.write(FILE, CONFIG.replace("url: env('DATABASE_URL')", both));
    let stdout = deploying(SEVEN, 3) + &applied(SEVEN, &THREE);
    let program = scene.program(&["deploy"]).env("PLIMSOLL_WAIT", "0");
    scene.hear(program).exits(0).prints(&stdout).quietly();
    insta::assert_snapshot!(scene.story());
}

/// 5. `engine` is a word of Prisma 6, and 7 passes over it: ours takes a config with it for one of Prisma 6.
#[tokio::test]
async fn keys_that_nobody_knows_are_passed_over() {
    let mut scene = deployed().await;
    scene.project.write(FILE, CONFIG.replace("schema:", "nonsense: { a: [1, () => 2] },\n  schema:"));
    scene.remark("the config has a key that nobody knows");
    scene.deploy().exits(0).prints(&nothing_to_apply(SEVEN, 3)).quietly();
    scene.project.write(FILE, CONFIG.replace("schema:", "engine: 'classic',\n  schema:"));
    scene.remark("the config has an engine, as those of Prisma 6");
    scene.deploy().exits(0).prints(&nothing_to_apply(World::Six, 3));
    scene.project.write(FILE, CONFIG.replace("schema:", "engine: 'js',\n  schema:"));
    scene.remark("the config has an engine whose adapter is code");
    scene.deploy().exits(0).prints(&nothing_to_apply(World::Six, 3));
    insta::assert_snapshot!(scene.story());
}

/// 6.
#[tokio::test]
async fn a_plain_object_in_a_javascript_file_is_a_config() {
    let mut scene = deployed().await;
    scene.project.remove(FILE);
    let config =
        "export default { schema: 'prisma/schema.prisma', datasource: { url: process.env.DATABASE_URL } }\n";
    scene.project.write("prisma.config.mjs", config);
    let said = scene.status().exits(0).prints(&up_to_date(SEVEN, 3));
    said.says_exactly(&introduced("prisma.config.mjs", "prisma/schema.prisma"));
    insta::assert_snapshot!(scene.story());
}

/// 7.
#[tokio::test]
async fn env_files_are_not_loaded_for_prisma_7() {
    let mut scene = deployed().await;
    let env = format!("DATABASE_URL={}\n", scene.postgres().url());
    scene.project.write(".env", env);
    let program = scene.program(&["status"]).without_env("DATABASE_URL");
    scene.hear(program).exits(78).prints("").says("Cannot resolve environment variable: DATABASE_URL");
    insta::assert_snapshot!(scene.story());
}

/// 8.
#[tokio::test]
async fn a_config_is_found_where_prisma_finds_it() {
    let mut scene = deployed().await;
    scene.project.write(FILE, "export default { datasource: { url: 'postgresql://127.0.0.1:1/none' } }\n");
    scene.project.write("prisma7.config.ts", CONFIG);
    let said = scene.status().exits(0).prints(&up_to_date(SEVEN, 3));
    said.says_exactly(&introduced("prisma7.config.ts", "prisma/schema.prisma"));

    scene.project.remove(FILE);
    scene.project.remove("prisma7.config.ts");
    let up = CONFIG.replace(": 'prisma/", ": '../prisma/");
    scene.project.write(".config/prisma.ts", up);
    let said = scene.status().exits(0).prints(&up_to_date(SEVEN, 3));
    said.says_exactly(&introduced(".config/prisma.ts", "prisma/schema.prisma"));

    scene.project.write("sub/my.config.ts", CONFIG);
    let said = scene.run(&["status", "--config", "sub/my.config.ts"]).exits(78).prints("");
    said.says("sub/prisma/schema.prisma").says("file or directory not found");
    std::fs::rename(scene.project.join("prisma"), scene.project.join("sub/prisma")).unwrap();
    let said = scene.run(&["status", "--config=sub/my.config.ts"]).exits(0).prints(&up_to_date(SEVEN, 3));
    said.says_exactly(&introduced("sub/my.config.ts", "sub/prisma/schema.prisma"));

    let said = scene.run(&["status", "--config", "nope.ts"]).exits(78).prints("");
    said.says("nope.ts").says("not found");
    insta::assert_snapshot!(scene.story());
}

/// 9.
#[tokio::test]
async fn a_folder_of_schemas_has_its_migrations_inside() {
    let mut scene = deployed().await;
    let config =
        "export default { schema: 'prisma/schema', datasource: { url: process.env.DATABASE_URL } }\n";
    scene.project.write(FILE, config);
    scene.project.write("prisma/schema/main.prisma", SCHEMA_SEVEN);
    scene.remark("the schema is the folder prisma/schema");
    let said =
        scene.status().exits(0).prints(&format!("{}\nDatabase schema is up to date!\n", standing(SEVEN, 0)));
    said.says_exactly(&introduced(FILE, "prisma/schema"));
    let inside = scene.project.join("prisma/schema/migrations");
    std::fs::rename(scene.project.migrations(), inside).unwrap();
    scene.remark("the migrations are inside of it");
    let said = scene.status().exits(0).prints(&up_to_date(SEVEN, 3));
    said.says_exactly(&introduced(FILE, "prisma/schema"));
    insta::assert_snapshot!(scene.story());
}

/// 10.
#[tokio::test]
async fn a_config_that_does_not_parse_is_an_error_with_its_place() {
    let mut scene = deployed().await;
    scene.project.write(FILE, "export default {\n  schema: 'prisma/schema.prisma',,\n}\n");
    scene.status().exits(78).prints("").says("prisma.config.ts:2:");
    insta::assert_snapshot!(scene.story());
}

/// 11.
#[tokio::test]
async fn the_import_of_dotenv_needs_no_package() {
    let mut scene = deployed().await;
    scene.project.write(FILE, format!("import 'dotenv/config'\n{CONFIG}"));
    scene.status().exits(0).prints(&up_to_date(SEVEN, 3)).quietly();
    insta::assert_snapshot!(scene.story());
}

/// 12. Prisma 7 passes over it. Which Prisma a project is for is only known once its schema has been found: ours reads
/// it and says so.
#[tokio::test]
async fn the_package_file_is_read_with_a_warning() {
    let mut scene = deployed().await;
    std::fs::rename(scene.project.join("prisma"), scene.project.join("db")).unwrap();
    scene.project.write("package.json", "{ \"prisma\": { \"schema\": \"db/schema.prisma\" } }\n");
    scene.project.write(FILE, "export default { datasource: { url: process.env.DATABASE_URL } }\n");
    let said = scene.status().exits(0).prints(&up_to_date(SEVEN, 3));
    said.says("Prisma 7 does not read it");
    insta::assert_snapshot!(scene.story());
}

/// 12, without the file.
#[tokio::test]
async fn the_places_without_a_schema_are_named() {
    let mut scene = deployed().await;
    std::fs::rename(scene.project.join("prisma"), scene.project.join("db")).unwrap();
    scene.project.write(FILE, "export default { datasource: { url: process.env.DATABASE_URL } }\n");
    let said = scene.status().exits(78).prints("").says("Error: PLM101");
    said.says("schema.prisma: file not found").says("prisma/schema.prisma: file not found");
    insta::assert_snapshot!(scene.story());
}

/// 13.
#[tokio::test]
async fn urls_of_a_proxy_are_refused() {
    let mut scene = Scene::fresh(SEVEN).await;
    let urls = [
        "prisma://accelerate.prisma-data.net/?api_key=secret-word",
        "prisma+postgres://accelerate.prisma-data.net/?api_key=secret-word",
    ];
    for url in urls {
        for command in ["deploy", "status"] {
            let program = scene.program(&[command]).env("DATABASE_URL", url);
            let said = scene.hear(program).exits(78);
            assert!(!said.everything().contains("secret-word"));
        }
    }
    insta::assert_snapshot!(scene.story());
}

/// 14.
#[tokio::test]
async fn an_external_table_does_not_make_a_database_non_empty() {
    let mut scene = Scene::fresh(SEVEN).await;
    let external =
        "experimental: { externalTables: true },\n  tables: { external: ['public.legacy'] },\n  schema:";
    scene.project.write(FILE, CONFIG.replace("schema:", external));
    scene.execute("CREATE TABLE legacy (id integer)").await;
    let stdout = deploying(SEVEN, 3) + &applied(SEVEN, &THREE);
    scene.deploy().exits(0).prints(&stdout).quietly();
    insta::assert_snapshot!(scene.story());
}
