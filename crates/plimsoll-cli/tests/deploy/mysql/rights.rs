//! Users that may carry out a script and not look at all of it: what is known by then is not forgotten.

use plimsoll_testkit::server::Flavour;

use super::resume::with;
use crate::scene::{Scene, assert_says};

const INIT: &str = "CREATE TABLE held (n INT);\nINSERT INTO held VALUES (1);\nCREATE TABLE held_new (n INT);\n\
    INSERT INTO held_new VALUES (2);\nCREATE VIEW seen AS SELECT n FROM held;\n";

/// The catalog could not tell any more that the tables have changed places.
const SCRIPT: &str =
    "RENAME TABLE held TO passing, held_new TO held, passing TO held_new;\nDROP VIEW seen;\n";

/// The URL of a user with all that the script itself needs, and his name.
async fn limited(scene: &Scene) -> (String, String) {
    let database = scene.base.mysql();
    let name = format!("u{}", &database.name()[database.name().len() - 12..]);
    let needed = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, CREATE VIEW";
    let make = format!(
        "CREATE USER {name} IDENTIFIED BY 'sesame'; GRANT {needed} ON {}.* TO {name}",
        database.name()
    );
    database.execute(&make).await;
    (database.address().user(&name, Some("sesame")).url(), name)
}

#[tokio::test]
async fn a_definition_that_was_answered_is_not_doubted_when_the_next_one_may_not_be_looked_at() {
    for flavour in Flavour::ALL {
        let scene = with(flavour, INIT, SCRIPT).await;
        let (url, name) = limited(&scene).await;
        let deploy = || scene.command(&["deploy"]).env("DATABASE_URL", &url);
        assert_says(&deploy().run().expect_code(77).stderr, &["1142", "SHOW VIEW"]);
        let grant = format!("GRANT SHOW VIEW ON {}.* TO {name}", scene.base.mysql().name());
        scene.base.execute(&grant).await;
        if flavour.is_mysql() {
            // From 8.0.16 on a view of a superuser is dropped only by another one.
            scene.base.execute(&format!("GRANT SYSTEM_USER ON *.* TO {name}")).await;
        }
        deploy().run().expect_code(0);
        assert_eq!(scene.base.value("SELECT n FROM held").await, "2", "{flavour:?}");
        assert_eq!(scene.base.mysql().tables().await, ["_prisma_migrations", "held", "held_new"]);
    }
}
