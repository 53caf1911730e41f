//! What the real servers show of definitions.

mod definitions;
mod emptied;
mod partitions;
mod tellers;
mod texts;

use std::path::Path;

use definitions::Case;
use plimsoll_core::script::mysql::{Definition, Effect, Objects, split};
use plimsoll_core::url::DatabaseUrl;
use plimsoll_core::{Provider, Secret};
use plimsoll_testkit::database::MysqlDatabase;
use plimsoll_testkit::server::{self, Flavour, Login};

use super::super::verdict::{self, Verdict};
use super::super::{Mysql, MysqlSession};
use super::{Facts, of};
use crate::backend::{Backend as _, Session as _};

/// A database with what a case needs, and a session of ours in it.
struct Scene {
    database: MysqlDatabase<'static>,
    session: MysqlSession,
    definition: Definition,
    statement: String,
}

impl Scene {
    /// The last statement of a case is the definition; those before it belong to what is there.
    async fn new(flavour: Flavour, case: Case) -> Self {
        Self::of(server::mysql(flavour).database().await, Login::Root, case).await
    }

    /// The same in a database that is there, for whoever logs in so.
    async fn of(database: MysqlDatabase<'static>, login: Login, (before, script): Case) -> Self {
        let session = session(&database, login).await;
        let statements = split(script, &session.server()).expect("it is SQL");
        let (last, first) = statements.split_last().expect("there is a statement");
        let Effect::Definition(definition) = last.effect.clone() else { panic!("{script}: {last:?}") };
        for earlier in [before].into_iter().chain(first.iter().map(|first| first.text)) {
            if !earlier.is_empty() {
                database.execute(earlier).await;
            }
        }
        let statement = last.text.to_owned();
        Self { database, session, definition, statement }
    }

    /// What is known of the objects of the definition, and of the whole database.
    async fn facts(&mut self) -> [Facts; 2] {
        let whole = Definition { objects: Objects::Unknown, ..self.definition.clone() };
        let named = of(&mut self.session, &self.definition).await.expect("we may look");
        [named, of(&mut self.session, &whole).await.expect("we may look")]
    }

    async fn run(&self) {
        self.database.execute(&self.statement).await;
    }

    /// What a running application and the server's housekeeping do.
    async fn live(&self) {
        for table in self.tables().await {
            self.database
                .execute(&format!("INSERT IGNORE INTO {table} () VALUES (); ANALYZE TABLE {table}"))
                .await;
        }
    }

    async fn tables(&self) -> Vec<String> {
        let query = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() \
                     AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1";
        self.database.query(query).await.into_iter().flatten().flatten().collect()
    }

    /// Everything there is, rows and next numbers included.
    async fn everything(&self) -> Vec<String> {
        let mut found = vec![self.database.schema_dump()];
        for table in self.tables().await {
            let sum = self.database.query(&format!("CHECKSUM TABLE {table}")).await;
            let shown = self.database.query(&format!("SHOW CREATE TABLE {table}")).await;
            found.extend(sum.into_iter().chain(shown).flatten().flatten());
        }
        found
    }

    fn verdict(&self, before: &Facts, now: &Facts) -> Verdict {
        verdict::of(self.session.server(), &self.session.database, &self.definition, before, now)
    }
}

/// A session of ours that has read the history.
async fn session(database: &MysqlDatabase<'_>, login: Login) -> MysqlSession {
    let url = Secret::new(database.address().login(login).url());
    let url = DatabaseUrl::parse(Provider::Mysql, &url, Path::new("/"));
    let Ok(DatabaseUrl::Mysql(url)) = url else { panic!("{url:?}") };
    let backend = Mysql::new(*url, "test", Vec::new()).expect("it is a database for everybody");
    let mut session = backend.connect(None).await.expect("the server runs");
    session.read().await.expect("there is no history");
    session
}

/// Every case that is not as the test says, so that one run tells about all of them.
async fn check<T: Future<Output = Result<(), String>>>(
    flavour: Flavour,
    cases: Vec<Case>,
    test: impl Fn(Scene) -> T,
) {
    let mut wrong = Vec::new();
    for case in cases {
        if let Err(why) = test(Scene::new(flavour, case).await).await {
            wrong.push(format!("{}: {why}", case.1));
        }
    }
    assert!(wrong.is_empty(), "{flavour:?}:\n{}", wrong.join("\n"));
}

fn that(is: &str, holds: &Verdict, expected: &Verdict) -> Result<(), String> {
    if holds == expected { Ok(()) } else { Err(format!("{is}, it would be {holds:?}")) }
}

async fn is_settled(mut scene: Scene) -> Result<(), String> {
    let before = scene.facts().await;
    scene.live().await;
    let again = scene.facts().await;
    if before != again {
        return Err(format!("the facts move by themselves: {before:?} {again:?}"));
    }
    that("without it", &scene.verdict(&before[0], &again[0]), &Verdict::NotYet)?;
    scene.run().await;
    let [named, whole] = scene.facts().await;
    if whole == before[1] {
        return Err("the whole database looks the same".to_owned());
    }
    that("behind it", &scene.verdict(&before[0], &named), &Verdict::Done)
}

#[tokio::test]
async fn definitions_are_settled_by_what_mysql_shows() {
    for flavour in [Flavour::Mysql, Flavour::OldMysql] {
        check(flavour, definitions::seen(flavour), is_settled).await;
    }
}

#[tokio::test]
async fn definitions_are_settled_by_what_mariadb_shows() {
    check(Flavour::Mariadb, definitions::seen(Flavour::Mariadb), is_settled).await;
}

async fn is_the_same_twice(mut scene: Scene) -> Result<(), String> {
    let [before, _] = scene.facts().await;
    scene.run().await;
    let (once, [now, _]) = (scene.everything().await, scene.facts().await);
    that("behind it", &scene.verdict(&before, &now), &Verdict::NotYet)?;
    scene.run().await;
    if scene.everything().await == once { Ok(()) } else { Err("twice is not once".to_owned()) }
}

#[tokio::test]
async fn what_mysql_does_not_show_is_the_same_twice() {
    for flavour in [Flavour::Mysql, Flavour::OldMysql] {
        check(flavour, definitions::unseen(flavour), is_the_same_twice).await;
    }
}

#[tokio::test]
async fn what_mariadb_does_not_show_is_the_same_twice() {
    check(Flavour::Mariadb, definitions::unseen(Flavour::Mariadb), is_the_same_twice).await;
}

/// Whoever carries on looks before the script's settings are said again, and may find other ones of the server.
#[tokio::test]
async fn objects_look_the_same_whatever_the_session_has_set() {
    const TABLE: &str = "CREATE TABLE ship (built TIMESTAMP NULL DEFAULT '2020-01-01 00:00:00', name VARCHAR(20) DEFAULT 'é\\\\'); \
                         CREATE VIEW seen AS SELECT name FROM ship";
    for flavour in Flavour::EACH {
        let mut scene = Scene::new(flavour, (TABLE, "DROP TABLE seen, ship")).await;
        let before = scene.facts().await;
        for setting in [
            "time_zone = '+05:30'",
            "sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
            "sql_quote_show_create = 0",
            "sql_select_limit = 0",
            "NAMES latin1",
            "@x = 1; USE mysql",
        ] {
            scene.session.execute(&format!("SET {setting}")).await.expect("both servers know it");
            assert_eq!(scene.facts().await, before, "{flavour:?} {setting}");
        }
        let zone = scene.session.rows("SELECT @@SESSION.time_zone").await;
        assert!(zone.is_ok_and(|rows| rows.is_empty()), "the script's limit is in force again");
        scene.session.execute("SET sql_select_limit = DEFAULT").await.expect("both servers know it");
        let zone = scene.session.rows("SELECT @@SESSION.time_zone, DATABASE()").await.expect("we may look");
        assert_eq!(zone, [["+05:30", "mysql"].map(|text| Some(text.to_owned()))], "and so are the others");
    }
}

/// Where nothing is sent that could change them, the settings are read once, and stay neutral until something else is sent.
#[tokio::test]
async fn what_a_look_has_set_is_set_back_with_whatever_is_sent_next() {
    const ASKED: &str = "SELECT @@SESSION.time_zone, @@SESSION.sql_mode, @@SESSION.sql_quote_show_create, \
                         @@SESSION.character_set_client, @@SESSION.collation_connection, @@SESSION.sql_big_selects LIMIT 1";
    // Strict modes would not take the second column; they show it as it is.
    const TABLE: &str = "SET sql_mode = ''; CREATE TABLE ship (built TIMESTAMP NULL DEFAULT '2020-01-01 00:00:00', \
                         never DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00')";
    for flavour in Flavour::EACH {
        let mut scene = Scene::new(flavour, (TABLE, "DROP TABLE ship, missing")).await;
        let before = of(&mut scene.session, &scene.definition).await.expect("we may look");
        for setting in [
            "sql_mode = DEFAULT",
            "sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'",
            "time_zone = '+05:30'",
            "sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
            "sql_quote_show_create = 0",
            "sql_select_limit = 0",
            "sql_big_selects = 0",
            "NAMES latin1",
        ] {
            let session = &mut scene.session;
            session.execute(&format!("SET {setting}")).await.expect("both servers know it");
            let own = session.rows(ASKED).await.expect("we may look");
            session.know_settings().await.expect("we may look");
            for _round in 0..2 {
                let now = of(session, &scene.definition).await.expect("we may look");
                assert_eq!(now, before, "{flavour:?} {setting}");
            }
            // A statement of the script asks by itself: it is sent as it is.
            let made = format!("CREATE TABLE made ENGINE = InnoDB AS {ASKED}");
            session.send(&made).await.expect("it is in its own settings");
            assert_eq!(session.rows(ASKED).await.expect("we may look"), own, "{flavour:?} {setting}");
            let made = session.rows("SELECT * FROM made LIMIT 1").await.expect("we may look");
            assert_eq!(made, own, "{flavour:?} {setting}");
            assert_eq!(of(session, &scene.definition).await.expect("we may look"), before, "{setting}");
            session.forget_settings().await.expect("the session is there");
            session.execute("DROP TABLE made").await.expect("it was made");
        }
    }
}

async fn is_left_to_a_person(mut scene: Scene) -> Result<(), String> {
    let [before, _] = scene.facts().await;
    scene.run().await;
    let [now, _] = scene.facts().await;
    match scene.verdict(&before, &now) {
        Verdict::Unclear(_) => Ok(()),
        holds => Err(format!("it would be {holds:?}")),
    }
}

#[tokio::test]
async fn what_would_do_harm_twice_and_is_not_seen_is_left_to_a_person() {
    for flavour in Flavour::EACH {
        check(flavour, definitions::doubted(flavour), is_left_to_a_person).await;
    }
}
