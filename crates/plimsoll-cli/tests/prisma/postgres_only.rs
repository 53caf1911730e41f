//! What only a server can do, with Prisma 6 and 7.

use plimsoll_testkit::server::{self, Role, Version};

use crate::applying::three_rows;
use crate::expected::{applied, deploying, head, pending, up_to_date};
use crate::rows;
use crate::scenario::{Scene, World};
use crate::scripts::{INIT, THREE};

/// The first lines, with another datasource.
fn head_at(world: World, database: &str, schema: &str, address: &str) -> String {
    let first = if world == World::Seven { "" } else { "Prisma schema loaded from prisma/schema.prisma\n" };
    format!(
        "{first}Datasource \"db\": PostgreSQL database \"{database}\", schema \"{schema}\" at \"{address}\"\n"
    )
}

/// 14. Ours also waits for it, for up to `--wait`.
pub(crate) async fn an_unreachable_database_is_named(scene: &mut Scene) {
    scene.with_three();
    let head = head_at(scene.world, "x", "public", "127.0.0.1:1");
    for arguments in [&["deploy"][..], &["status"], &["resolve", "--applied", INIT]] {
        let program = scene.program(arguments).env("PLIMSOLL_WAIT", "0");
        let program = program.env("DATABASE_URL", "postgresql://u:secret-word@127.0.0.1:1/x");
        let said = scene.hear(program).fails(69, "P1001");
        let said = said.says("Can't reach database server at `127.0.0.1:1`");
        let said = said.says("Please make sure your database server is running at `127.0.0.1:1`.");
        let gap = if arguments == ["deploy"] { "\n" } else { "" };
        assert!(!said.prints(&format!("{head}{gap}")).everything().contains("secret-word"));
    }
}

/// 15.
pub(crate) async fn wrong_credentials_are_refused_at_once(scene: &mut Scene) {
    scene.with_three();
    let url = scene.postgres().address().password("wrong-word").url();
    for command in ["deploy", "status"] {
        let program = scene.program(&[command]).env("DATABASE_URL", &url);
        let said = scene.hear(program).fails(77, "P1000").says(
            "Authentication failed against database server, the provided database credentials for `postgres` are \
             not valid.",
        );
        let said =
            said.says("Please make sure to provide valid database credentials for the database server");
        let gap = if command == "deploy" { "\n" } else { "" };
        let said = said.prints(&format!("{}{gap}", head(scene.world)));
        assert!(!said.everything().contains("wrong-word"));
    }
}

/// 20. With Prisma even `status` creates the schema.
pub(crate) async fn a_schema_of_the_url_is_created_by_deploy_alone(scene: &mut Scene) {
    scene.with_three();
    let url = scene.postgres().address().parameter("schema", "custom").url();
    let ours = head(scene.world);
    let theirs = head_at(scene.world, "<database>", "custom", "127.0.0.1:<port>");
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'custom'";

    let status = scene.program(&["status"]).env("DATABASE_URL", &url);
    scene.hear(status).exits(1).prints(&pending(scene.world, 3, &THREE).replace(&ours, &theirs)).quietly();
    assert_eq!(scene.postgres().value(schemas).await, "0");

    let deploy = scene.program(&["deploy"]).env("DATABASE_URL", &url);
    let stdout = deploying(scene.world, 3) + &applied(scene.world, &THREE);
    scene.hear(deploy).exits(0).prints(&stdout.replace(&ours, &theirs)).quietly();
    scene.has_tables(&["custom.Post", "custom.User", "custom._prisma_migrations"]).await;
    assert_eq!(scene.postgres().history_of("custom").await, three_rows(scene.world));
}

/// 21. Prisma fails at the second one, and leaves a failed row; ours runs its statements one after the other.
pub(crate) async fn an_index_is_built_concurrently_alone_or_beside_others(scene: &mut Scene) {
    const ALONE: &str = "20240104000000_cic";
    const BESIDE: &str = "20240105000000_cic2";
    const INDEX: &str = "CREATE INDEX CONCURRENTLY \"i1\" ON \"User\"(\"name\");\n";
    const MIXED: &str = "CREATE INDEX CONCURRENTLY \"i2\" ON \"User\"(\"email\");\nSELECT 1;\n";
    scene.with_three().migration(ALONE, INDEX).migration(BESIDE, MIXED);
    let names = [THREE[0], THREE[1], THREE[2], ALONE, BESIDE];
    let stdout = deploying(scene.world, 5) + &applied(scene.world, &names);
    scene.deploy().exits(0).prints(&stdout).quietly();
    let mut expected = three_rows(scene.world);
    expected.extend([rows::applied(ALONE, INDEX), rows::applied(BESIDE, MIXED)]);
    scene.has_rows(&expected).await;
    let valid =
        "SELECT count(*) FROM pg_index WHERE indexrelid IN ('i1'::regclass, 'i2'::regclass) AND indisvalid";
    assert_eq!(scene.postgres().value(valid).await, "2");
}

/// 22.
pub(crate) async fn a_lock_held_by_somebody_else_is_waited_for(scene: &mut Scene) {
    scene.with_three();
    let holder = scene.postgres().connect().await;
    holder.batch_execute("SELECT pg_advisory_lock(72707369)").await.expect("the server is up");
    scene.remark("somebody else holds the lock");
    let impatient = scene.program(&["deploy", "--lock-wait", "300ms"]);
    scene.hear(impatient).fails(75, "P1002").prints(&deploying(scene.world, 3));
    scene.has_tables(&[]).await;
    let disabled = scene.program(&["deploy", "--lock-wait", "300ms"]);
    let disabled = disabled.env("PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK", "1");
    scene.remark("PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK is 1, which is not honoured");
    scene.hear(disabled).fails(75, "P1002");

    let patient = scene.program(&["deploy"]).spawn();
    patient.wait_for_stderr("waiting for another");
    holder.batch_execute("SELECT pg_advisory_unlock(72707369)").await.expect("the server is up");
    scene.remark("the lock is freed while this one waits");
    let stdout = deploying(scene.world, 3) + &applied(scene.world, &THREE);
    scene.tell(patient.wait()).exits(0).prints(&stdout);
    scene.status().exits(0).prints(&up_to_date(scene.world, 3)).quietly();
}

/// 23.
pub(crate) async fn rights_that_are_missing_are_named(scene: &mut Scene) {
    scene.with_three();
    let plain = scene.url_for(Role::Plain);
    let deploy = scene.program(&["deploy"]).env("DATABASE_URL", &plain);
    let said = scene.hear(deploy).fails(77, "P1010").prints(&deploying(scene.world, 3));
    said.says("permission denied for schema public");
    scene.has_tables(&[]).await;

    let missing = server::postgres(Version::V15).missing_database();
    let url = missing.address().role(Role::Plain).url();
    let deploy = scene.program(&["deploy"]).env("DATABASE_URL", &url);
    let said = scene.hear(deploy).fails(77, "P1010").prints(&format!("{}\n", head(scene.world)));
    said.says("permission denied to create database");
}
