//! Texts of a server that are not UTF-8.

use plimsoll_testkit::server::Version;

use crate::scene::{Kind, Scene, assert_says};

/// Roles are those of the whole server, and so are the locks on them.
#[tokio::test]
async fn whoever_blocks_from_a_database_in_another_encoding_ends_no_run() {
    let scene = Scene::new(Kind::Postgres(Version::V15)).await;
    let latin = scene.postgres().server().missing_database();
    let create = format!(
        "CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        latin.name()
    );
    scene.base.execute(&create).await;
    let role = format!("r{}", &latin.name()[latin.name().len() - 12..]);
    scene.base.execute(&format!("CREATE ROLE {role}")).await;
    let scene = scene.migration("1_role", &format!("ALTER ROLE {role} CONNECTION LIMIT 7;\n"));
    let blocker = latin.connect().await;
    let holds = format!("BEGIN; ALTER ROLE {role} CONNECTION LIMIT 3; SELECT 'Jürgen'");
    blocker.batch_execute(&holds).await.expect("nobody else has it");
    let number = blocker
        .query_one("SELECT pg_backend_pid() AS \"für\"", &[])
        .await
        .expect("it answers")
        .get::<_, i32>(0);
    let ended = scene.run(&["deploy", "--lock-timeout=2s", "--lock-wait=0"]).expect_code(75);
    assert_says(&ended.stderr, &[&format!("1_role waits for connection {number} ("), "PLM211"]);
    blocker.batch_execute("ROLLBACK").await.expect("it is ours");
    scene.deployed();
}
