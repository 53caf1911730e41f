//! The password of the connection, said back by whoever was told it.

use plimsoll_testkit::server::{Flavour, Version};

use crate::scene::{Kind, Scene};

/// Statements that fail with the password in the words of the error, though it stands in no script.
fn says_back(kind: Kind, password: &str) -> String {
    // Not even the beginning by which our tests know one stands in the script, which is shown.
    let (first, second) = password.split_at(2);
    if matches!(kind, Kind::Postgres(_)) {
        format!("DO $$ BEGIN RAISE EXCEPTION 'told: %', '{first}' || '{second}'; END $$;")
    } else {
        format!(
            "SET @w = CONCAT('told: ', '{first}', '{second}'); SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = @w;"
        )
    }
}

#[tokio::test]
async fn the_history_does_not_keep_the_password_of_the_connection() {
    let kinds = [Kind::Postgres(Version::V15), Kind::Mysql(Flavour::Mysql), Kind::Mysql(Flavour::Mariadb)];
    for kind in kinds {
        let stays = match kind {
            Kind::Postgres(_) => "VACUUM ship;\nINSERT INTO ship VALUES ('Ark');\nVACUUM ship;\n",
            _ => "CREATE TABLE port (name VARCHAR(9));\n",
        };
        for before in ["", stays] {
            let scene = Scene::new(kind).await.migration("1_init", "CREATE TABLE ship (name VARCHAR(9));");
            let url = scene.base.url();
            let password =
                url.split_once('@').and_then(|(login, _)| login.rsplit_once(':')).expect("it has one").1;
            let script = format!("{before}{}", says_back(kind, password));
            let scene = scene.migration("2_wrong", &script);
            let ended = scene.run(&["deploy"]).expect_code(65);
            let status = scene.run(&["status", "--output", "json"]);
            let logs = scene.base.history().await.pop().and_then(|row| row.logs).unwrap_or_default();
            assert!(logs.contains("told: ****") && ended.stderr.contains("told: ****"), "{logs}\n{ended}");
            for text in [&logs, &ended.stderr, &status.stdout] {
                assert!(!text.contains(password), "{kind:?} `{before}`: {text}");
            }
        }
    }
}
