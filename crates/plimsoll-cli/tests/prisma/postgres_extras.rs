//! The lettered sections about failures and databases with something in them: A to J, R and S.

use plimsoll_core::checksum::Checksum;

use crate::applying::three_rows;
use crate::expected::{
    applied, applying, datasource, deploying, failed, head, nothing_to_apply, pending, standing, up_to_date,
};
use crate::rows;
use crate::scenario::{Scene, World};
use crate::scripts::{self, ADD_POST, BAD, BAD_SCRIPT, INIT, THREE};

const SIX: World = World::Six;

/// A project with the three migrations and a fourth, whose script fails in its own way.
async fn with_fourth(name: &str, script: &str) -> Scene {
    let mut scene = Scene::new(SIX).await;
    scene.with_three().migration(name, script);
    scene
}

fn four(name: &str) -> [&str; 4] {
    [THREE[0], THREE[1], THREE[2], name]
}

/// A. Prisma says that it has failed; ours has rolled it back, so that it is pending.
#[tokio::test]
async fn a_migration_that_failed_is_pending() {
    let mut scene = with_fourth(BAD, BAD_SCRIPT).await;
    let stdout = deploying(SIX, 4) + &applying(&four(BAD));
    scene.deploy().fails(65, "P3018").prints(&stdout);
    scene.status().exits(1).prints(&pending(SIX, 4, &[BAD])).quietly();
    let mut expected = three_rows(SIX);
    expected.push(rows::rolled_back(BAD, BAD_SCRIPT));
    scene.has_rows(&expected).await;
    insta::assert_snapshot!(scene.story());
}

/// B.
#[tokio::test]
async fn every_failed_row_is_named() {
    const OTHER: &str = "20240103000000_add_post2";
    let mut scene = Scene::new(SIX).await;
    scene.with_three_applied().migration(BAD, BAD_SCRIPT);
    scene.failed_in_prisma(BAD, BAD_SCRIPT).await;
    let insert = "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, logs) \
                  VALUES ('manual', 'x', '20240103000000_add_post2', '2026-01-02 03:04:05.678901+00', 'some log')";
    scene.execute(insert).await;
    scene.remark(&format!("a failed row for {OTHER}, made by hand"));
    scene.status().exits(1).prints(&standing(SIX, 4)).warns(&failed(&[OTHER, BAD]));
    let said = scene.deploy().fails(65, "P3009").prints(&deploying(SIX, 4));
    assert!(said.everything().contains("2026-01-02 03:04:05.678901 UTC"));
    said.says("The `20240103000000_add_post2` migration started at <time> failed")
        .says("The `20240104000000_bad` migration started at <time> failed");
    insta::assert_snapshot!(scene.story());
}

/// C. Prisma calls it a violated invariant; the code for it is P3011.
#[tokio::test]
async fn nothing_can_be_rolled_back_without_a_history() {
    let mut scene = Scene::new(SIX).await;
    scene.with_three();
    scene.resolve("--rolled-back", INIT).fails(65, "P3011").prints(&head(SIX));
    scene.has_tables(&[]).await;
    insta::assert_snapshot!(scene.story());
}

/// D. The warning about the database being ahead is ours.
#[tokio::test]
async fn a_project_without_migrations_is_behind_its_database() {
    let mut scene = Scene::new(SIX).await;
    scene.with_three_applied();
    for name in THREE {
        scene.project.remove_migration(name);
    }
    scene.remark("all migrations are removed from the project");
    scene.status().exits(0).prints(&up_to_date(SIX, 0)).quietly();
    let warning =
        format!("warning: the database is ahead of this project: it stands at {}\n", THREE.join(", "));
    scene.deploy().exits(0).prints(&nothing_to_apply(SIX, 0)).warns(&warning);
    insta::assert_snapshot!(scene.story());
}

const TWO_SCHEMAS: &str = "CREATE SCHEMA IF NOT EXISTS \"base\";\nCREATE SCHEMA IF NOT EXISTS \"extra\";\n\
    CREATE TABLE \"base\".\"User\" (\"id\" INTEGER NOT NULL);\nCREATE TABLE \"extra\".\"X\" (\"id\" INTEGER NOT NULL);\n";

async fn with_two_schemas() -> Scene {
    let mut scene = Scene::new(SIX).await;
    let schema = scene.project.read("prisma/schema.prisma");
    let url = "url      = env(\"DATABASE_URL\")\n";
    scene.project.write(
        "prisma/schema.prisma",
        schema.replace(url, &format!("{url}  schemas  = [\"base\", \"extra\"]\n")),
    );
    scene.migration(INIT, TWO_SCHEMAS);
    scene
}

/// What Prisma prints, with the two schemas in the datasource line.
fn in_two_schemas(stdout: &str) -> String {
    stdout.replace(datasource(SIX), &datasource(SIX).replace("schema \"public\"", "schemas \"base, extra\""))
}

/// E.
#[tokio::test]
async fn the_history_of_many_schemas_is_in_public() {
    let mut scene = with_two_schemas().await;
    let stdout = in_two_schemas(&(deploying(SIX, 1) + &applied(SIX, &[INIT])));
    scene.deploy().exits(0).prints(&stdout).quietly();
    scene.has_tables(&["_prisma_migrations", "base.User", "extra.X"]).await;
    insta::assert_snapshot!(scene.story());
}

/// E2 and E3.
#[tokio::test]
async fn a_table_in_any_of_many_schemas_or_in_public_is_in_the_way() {
    for statements in ["CREATE SCHEMA extra; CREATE TABLE extra.old ()", "CREATE TABLE public.old ()"] {
        let mut scene = with_two_schemas().await;
        scene.execute(statements).await;
        scene.deploy().fails(65, "P3005").prints(&in_two_schemas(&deploying(SIX, 1)));
        insta::assert_snapshot!(scene.story());
    }
}

/// A link that is broken in two can neither be clicked nor searched for.
#[tokio::test]
async fn a_link_is_in_one_piece() {
    let mut scene = Scene::new(SIX).await;
    scene.with_three();
    scene.execute("CREATE TABLE legacy (id INTEGER)").await;
    let said = scene.deploy().fails(65, "P3005");
    assert!(said.everything().contains("https://pris.ly/d/migrate-baseline"), "{}", said.everything());
}

/// E4 and F.
#[tokio::test]
async fn other_schemas_views_and_tables_of_extensions_are_not_in_the_way() {
    let mut scene = Scene::new(SIX).await;
    scene.with_three();
    let statements = "CREATE SCHEMA other; CREATE TABLE other.old (); CREATE VIEW v AS SELECT 1 AS one; \
                      CREATE TABLE part (id integer) PARTITION BY RANGE (id); CREATE TABLE spatial_ref_sys ()";
    scene.execute(statements).await;
    let stdout = deploying(SIX, 3) + &applied(SIX, &THREE);
    scene.deploy().exits(0).prints(&stdout).quietly();
    let tables = ["Post", "User", "_prisma_migrations", "other.old", "part", "spatial_ref_sys", "v"];
    scene.has_tables(&tables).await;
    insta::assert_snapshot!(scene.story());
}

/// G. With Prisma what came before `COMMIT` stays. Ours makes one transaction of the whole where that is the same.
#[tokio::test]
async fn transactions_of_a_script_are_made_one() {
    const NAME: &str = "20240104000000_tx";
    let script = "BEGIN;\nCREATE TABLE \"InTx\" (\"id\" INTEGER);\nCOMMIT;\nALTER TABLE \"Nope\" ADD COLUMN \"x\" INTEGER;\n";
    let mut scene = with_fourth(NAME, script).await;
    let stdout = deploying(SIX, 4) + &applying(&four(NAME));
    scene.deploy().fails(65, "P3018").prints(&stdout).says("42P01");
    scene.has_tables(&["Post", "User", "_prisma_migrations"]).await;
    let mut expected = three_rows(SIX);
    expected.push(rows::rolled_back(NAME, script));
    scene.has_rows(&expected).await;
    insta::assert_snapshot!(scene.story());
}

/// G, where it is not the same: what the script has committed stays, and a person has to look at it.
#[tokio::test]
async fn what_a_script_committed_by_itself_stays() {
    const NAME: &str = "20240104000000_tx";
    let script = "BEGIN;\nSET LOCAL lock_timeout = '1s';\nCREATE TABLE \"InTx\" (\"id\" INTEGER);\nCOMMIT;\nALTER TABLE \"Nope\" ADD COLUMN \"x\" INTEGER;\n";
    let mut scene = with_fourth(NAME, script).await;
    let stdout = deploying(SIX, 4) + &applying(&four(NAME));
    scene.deploy().fails(65, "P3018").prints(&stdout).says("42P01");
    scene.has_tables(&["InTx", "Post", "User", "_prisma_migrations"]).await;
    let mut expected = three_rows(SIX);
    // Its own transaction is four statements of the script.
    expected.push(plimsoll_testkit::history::HistoryRow {
        applied_steps_count: "4".to_owned(),
        ..rows::failed(NAME, script)
    });
    scene.has_rows(&expected).await;
    scene.deploy().fails(65, "P3009").prints(&deploying(SIX, 4));
    insta::assert_snapshot!(scene.story());
}

/// G, as most such scripts are: then the whole is one transaction with its row.
#[tokio::test]
async fn a_script_wrapped_in_begin_and_commit_is_one_transaction() {
    let script = "BEGIN;\nCREATE TABLE \"InTx\" (\"id\" INTEGER);\nALTER TABLE \"Nope\" ADD COLUMN \"x\" INTEGER;\nCOMMIT;\n";
    let mut scene = with_fourth("20240104000000_tx", script).await;
    let stdout = deploying(SIX, 4) + &applying(&four("20240104000000_tx"));
    scene.deploy().fails(65, "P3018").prints(&stdout);
    scene.has_tables(&["Post", "User", "_prisma_migrations"]).await;
    let fixed = "BEGIN;\nCREATE TABLE \"InTx\" (\"id\" INTEGER);\nCOMMIT;\n";
    scene.migration("20240104000000_tx", fixed);
    scene.remark("20240104000000_tx is corrected");
    let stdout = deploying(SIX, 4) + &applied(SIX, &["20240104000000_tx"]);
    scene.deploy().exits(0).prints(&stdout).quietly();
    insta::assert_snapshot!(scene.story());
}

/// H. Prisma reports success and loses everything that came after `BEGIN`.
#[tokio::test]
async fn a_transaction_left_open_is_an_error() {
    let script = "BEGIN;\nCREATE TABLE \"Open\" (\"id\" INTEGER);\n";
    let mut scene = with_fourth("20240104000000_open", script).await;
    scene.migration("20240105000000_next", "CREATE TABLE \"Next\" (\"id\" INTEGER);\n");
    // It is seen before anything is sent.
    scene.deploy().fails(65, "PLM202").prints(&deploying(SIX, 5));
    scene.has_rows(&[]).await;
    insta::assert_snapshot!(scene.story());
}

/// I.
#[tokio::test]
async fn a_syntax_error_is_shown_in_its_line() {
    const NAME: &str = "20240104000000_syntax";
    let script = "-- line 1\n-- line 2\nCREATE TABLE \"Ok\" (\n  \"id\" INTEGER NOT NULL\n);\n\nCREATE TABEL \"Bad\" (\n  \"id\" INTEGER NOT NULL\n);\n";
    let mut scene = with_fourth(NAME, script).await;
    let stdout = deploying(SIX, 4) + &applying(&four(NAME));
    let said = scene.deploy().fails(65, "P3018").prints(&stdout);
    said.says("42601: syntax error at or near \"TABEL\"").says("20240104000000_syntax/migration.sql:7:8");
    let mut expected = three_rows(SIX);
    expected.push(rows::rolled_back(NAME, script));
    scene.has_rows(&expected).await;
    insta::assert_snapshot!(scene.story());
}

/// J.
#[tokio::test]
async fn detail_and_hint_of_the_database_are_shown() {
    let script =
        "INSERT INTO \"User\" (\"email\") VALUES ('a');\nINSERT INTO \"User\" (\"email\") VALUES ('a');\n";
    let mut scene = with_fourth("20240104000000_dup", script).await;
    let stdout = deploying(SIX, 4) + &applying(&four("20240104000000_dup"));
    let said = scene.deploy().fails(65, "P3018").prints(&stdout);
    said.says("23505: duplicate key value violates unique constraint \"User_email_key\"")
        .says("DETAIL: Key (email)=(a) already exists.");
    let mut other = with_fourth("20240104000001_hint", "SELECT nosuchfunction(1);\n").await;
    let stdout = deploying(SIX, 4) + &applying(&four("20240104000001_hint"));
    let said = other.deploy().fails(65, "P3018").prints(&stdout);
    said.says("42883: function nosuchfunction(integer) does not exist")
        .says("HINT: No function matches the given name and argument types. You might need to add explicit type casts.");
    insta::assert_snapshot!(scene.story() + &other.story());
}

/// R. Prisma's `status` says that it is up to date.
#[tokio::test]
async fn what_was_only_rolled_back_is_pending() {
    let mut scene = Scene::new(SIX).await;
    scene.with_three_applied();
    let update =
        format!("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '{ADD_POST}'");
    scene.execute(&update).await;
    scene.remark(&format!("the row of {ADD_POST} is marked as rolled back by hand"));
    scene.status().exits(1).prints(&pending(SIX, 3, &[ADD_POST])).quietly();
    let stdout = deploying(SIX, 3) + &applying(&[ADD_POST]);
    let said = scene.deploy().fails(65, "P3018").prints(&stdout);
    said.says("42P07: relation \"Post\" already exists");
    insta::assert_snapshot!(scene.story());
}

/// S. A checksum decides nothing. One in the format of old Prismas is no change, any other one is worth a warning.
#[tokio::test]
async fn a_checksum_never_keeps_a_deploy_from_succeeding() {
    let mut scene = Scene::new(SIX).await;
    scene.with_three_applied();
    let unpadded: String = Checksum::of(scripts::init(SIX))
        .to_string()
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair.strip_prefix(b"0").unwrap_or(pair)).into_owned())
        .collect();
    assert!(unpadded.len() < 64);
    let update =
        format!("UPDATE _prisma_migrations SET checksum = '{unpadded}' WHERE migration_name = '{INIT}'");
    scene.execute(&update).await;
    scene.remark("the first checksum is stored as old Prismas did");
    scene.deploy().exits(0).prints(&nothing_to_apply(SIX, 3)).quietly();
    let update = format!("UPDATE _prisma_migrations SET checksum = 'x' WHERE migration_name = '{INIT}'");
    scene.execute(&update).await;
    scene.remark("the first checksum is nonsense");
    let warning = format!("warning: changed since they were applied, which has no effect: {INIT}\n");
    scene.deploy().exits(0).prints(&nothing_to_apply(SIX, 3)).warns(&warning);
    scene.status().exits(0).prints(&up_to_date(SIX, 3)).quietly();
    insta::assert_snapshot!(scene.story());
}
