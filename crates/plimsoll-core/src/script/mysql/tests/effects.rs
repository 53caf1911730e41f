//! What statements do.

use super::*;

/// A word for what the last statement of a script does.
pub(super) fn told(text: &str, server: Server) -> String {
    let statements = split(text, &server).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"));
    tell(&statements.last().expect("there is one").effect)
}

fn tell(effect: &Effect) -> String {
    match effect {
        Effect::Data(_) => "data".to_owned(),
        Effect::Definition(definition) => {
            let verb = format!("{:?}", definition.verb).to_lowercase();
            let objects = match &definition.objects {
                Objects::Named(objects) => objects.iter().map(tell_object).collect::<Vec<_>>().join(", "),
                Objects::Unknown => "?".to_owned(),
            };
            let caveats = definition.caveats.iter().map(|caveat| format!("{caveat:?}"));
            [format!("{verb} {objects}")].into_iter().chain(caveats).collect::<Vec<_>>().join(" ")
        }
        Effect::Setting => "setting".to_owned(),
        Effect::Carried => "carried".to_owned(),
        Effect::CarriedAlone => "carried alone".to_owned(),
        Effect::Control(control) => format!("{control:?}"),
        Effect::Repeatable => "repeatable".to_owned(),
        Effect::Opaque(opaque) => {
            let objects = opaque.objects.iter().map(tell_object);
            [format!("opaque: {}", opaque.what)].into_iter().chain(objects).collect::<Vec<_>>().join(" ")
        }
    }
}

fn tell_object(object: &Object) -> String {
    let kind = format!("{:?}", object.kind).to_lowercase();
    let database = object.database.as_ref().map(|database| format!("{database}.")).unwrap_or_default();
    format!("{kind} {database}{}", object.name)
}

pub(super) fn assert_all(server: Server, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(told(text, server), *expected, "{text}");
    }
}

#[test]
fn rows_are_data() {
    for text in [
        "SELECT 1",
        "(SELECT 1) UNION (SELECT 2)",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "TABLE t",
        "VALUES ROW(1)",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SET a = 1",
        "REPLACE INTO t SELECT * FROM u",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "LOAD DATA INFILE '/x' INTO TABLE t",
        "SHOW TABLES",
        "DESCRIBE t",
        "EXPLAIN SELECT 1",
        "DO SLEEP(1)",
        "/*!40101 INSERT INTO t VALUES (1) */",
        "SELECT GET_LOCK('x', 1)",
        "SELECT 'into @a'",
        "PREPARE p FROM 'UPDATE t SET a = 1'; EXECUTE p",
    ] {
        assert_eq!(told(text, mysql()), "data", "{text}");
    }
}

#[test]
fn data_names_its_tables_in_lower_case() {
    let found = split("INSERT INTO `My``Table` SELECT * FROM db.Other AS o", &mysql()).unwrap();
    let Effect::Data(data) = &found[0].effect else { panic!("{found:?}") };
    for name in ["my`table", "db", "other"] {
        assert!(data.names.contains(name), "{name}: {data:?}");
    }
}

#[test]
fn a_definition_names_its_objects() {
    assert_all(
        mysql(),
        &[
            ("CREATE TABLE t (a INT)", "create table t"),
            ("CREATE TABLE IF NOT EXISTS `d`.`T` (a INT)", "create table d.T"),
            ("CREATE TABLE t LIKE u", "create table t"),
            ("CREATE TABLE t AS SELECT 1", "create table t Rows"),
            ("CREATE TABLE t (a INT) SELECT 1 AS a", "create table t Rows"),
            (
                "CREATE TABLE t (a INT) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (1))",
                "create table t",
            ),
            ("ALTER TABLE t ADD COLUMN a INT", "alter table t"),
            ("ALTER TABLE d.t ADD INDEX i (a), RENAME COLUMN a TO b", "alter table d.t"),
            ("ALTER TABLE t RENAME INDEX i TO j, RENAME KEY k TO l", "alter table t"),
            ("ALTER TABLE t RENAME TO u", "alter table t, table u"),
            ("ALTER TABLE t ADD a INT, RENAME AS d.u", "alter table t, table d.u"),
            ("ALTER TABLE t RENAME u", "alter table t, table u"),
            ("CREATE INDEX i ON t (a)", "alter table t"),
            ("CREATE UNIQUE INDEX `i` USING BTREE ON `d`.`t`(`a` DESC)", "alter table d.t"),
            ("CREATE FULLTEXT INDEX i ON t (a)", "alter table t"),
            ("DROP INDEX i ON t", "alter table t"),
            ("DROP TABLE t", "drop table t"),
            ("DROP TABLES IF EXISTS t, d.u CASCADE", "drop table t, table d.u Several"),
            ("TRUNCATE t", "empty table t"),
            ("TRUNCATE TABLE `d`.t", "empty table d.t"),
            ("RENAME TABLE t TO u", "rename table t, table u"),
            ("RENAME TABLE a TO b, c TO d", "rename table a, table b, table c, table d Several"),
            (
                "RENAME TABLE a TO x, b TO a, x TO b",
                "rename table a, table x, table b, table a, table x, table b Several Swaps",
            ),
            // On a server with `lower_case_table_names`.
            (
                "RENAME TABLE a TO X, b TO A, x TO B",
                "rename table a, table X, table b, table A, table x, table B Several Swaps",
            ),
            (
                "RENAME TABLE d.a TO d.x, b TO a",
                "rename table d.a, table d.x, table b, table a Several Swaps",
            ),
        ],
    );
}

#[test]
fn a_definition_names_what_is_no_table() {
    assert_all(
        mysql(),
        &[
            ("CREATE VIEW v AS SELECT 1", "create view v"),
            (
                "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`a`@`b` SQL SECURITY DEFINER VIEW d.v AS SELECT 1",
                "create view d.v",
            ),
            ("ALTER DEFINER=CURRENT_USER() VIEW v AS SELECT 2", "alter view v"),
            ("DROP VIEW v, w", "drop view v, view w Several"),
            ("CREATE PROCEDURE p() SELECT 1", "create procedure p"),
            ("CREATE DEFINER = a@b FUNCTION d.f() RETURNS INT RETURN 1", "create function d.f"),
            ("ALTER PROCEDURE p COMMENT 'x'", "alter procedure p"),
            ("DROP FUNCTION IF EXISTS f", "drop function f"),
            ("CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET @a = 1", "create trigger r"),
            ("DROP TRIGGER d.r", "drop trigger d.r"),
            ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1", "create event e"),
            ("ALTER EVENT e RENAME TO f", "alter event e, event f"),
            ("CREATE DATABASE IF NOT EXISTS d", "create database d"),
            ("ALTER DATABASE d CHARACTER SET utf8mb4", "alter database d"),
            ("ALTER DATABASE CHARACTER SET utf8mb4", "alter ?"),
            ("DROP SCHEMA d", "drop database d Several"),
            ("USE d; CREATE TABLE t (a INT)", "create table d.t"),
            ("USE d; DROP TABLE t, e.u", "drop table d.t, table e.u Several"),
            ("/*!50001 CREATE VIEW `v` AS SELECT 1 */", "create view v"),
            (
                "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS SELECT 1 */",
                "create view v",
            ),
            ("PREPARE p FROM 'DROP TABLE t'; EXECUTE p", "drop table t"),
        ],
    );
}

#[test]
fn a_definition_of_mariadb_names_its_objects() {
    assert_all(
        mariadb(),
        &[
            ("CREATE OR REPLACE TABLE t (a INT)", "create table t Replaces"),
            ("CREATE OR REPLACE TABLE t AS SELECT 1", "create table t Rows Replaces"),
            ("CREATE SEQUENCE s", "create sequence s"),
            ("DROP INDEX IF EXISTS i ON t", "alter table t"),
            ("ALTER TABLE IF EXISTS t DROP COLUMN IF EXISTS a", "alter table t"),
            ("RENAME TABLE IF EXISTS t WAIT 5 TO u", "rename table t, table u"),
            ("ALTER ONLINE TABLE t FORCE", "alter table t"),
            ("SET STATEMENT max_statement_time = 1 FOR DROP TABLE t", "drop table t"),
        ],
    );
}

#[test]
fn what_nobody_can_tell_afterwards_is_opaque() {
    assert_all(
        mysql(),
        &[
            ("TRUNCATE", "opaque: TRUNCATE TABLE"),
            ("ALTER TABLE t TRUNCATE PARTITION p", "opaque: ALTER TABLE … TRUNCATE PARTITION table t"),
            (
                "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u",
                "opaque: ALTER TABLE … EXCHANGE PARTITION table t",
            ),
            ("ALTER TABLE t IMPORT TABLESPACE", "opaque: ALTER TABLE … IMPORT TABLESPACE table t"),
            ("CREATE USER u", "opaque: CREATE USER"),
            ("DROP ROLE r", "opaque: DROP ROLE"),
            ("RENAME USER a TO b", "opaque: RENAME USER"),
            ("REVOKE SELECT ON d.* FROM u", "opaque: REVOKE"),
            ("CALL p(1)", "opaque: CALL"),
            ("SELECT 1 INTO OUTFILE '/x'", "opaque: SELECT … INTO a file"),
            ("CREATE FUNCTION f RETURNS STRING SONAME 'x.so'", "opaque: CREATE FUNCTION … SONAME"),
            ("INSTALL PLUGIN p SONAME 'x.so'", "opaque: INSTALL"),
            ("EXECUTE p", "opaque: EXECUTE"),
            ("SET @s = 'x'; PREPARE p FROM @s; EXECUTE p", "opaque: EXECUTE"),
            ("START SLAVE", "opaque: START SLAVE"),
            ("WHATEVER IT IS", "opaque: WHATEVER"),
        ],
    );
    assert_all(
        mariadb(),
        &[
            ("BEGIN NOT ATOMIC SELECT 1; END", "opaque: a compound statement"),
            ("IF 1 THEN SELECT 1; END IF", "opaque: a compound statement"),
            ("EXECUTE IMMEDIATE 'SELECT 1'", "opaque: EXECUTE IMMEDIATE"),
        ],
    );
}

#[test]
fn what_is_the_same_twice_is_repeatable() {
    for text in [
        "ANALYZE TABLE t",
        "ANALYZE NO_WRITE_TO_BINLOG TABLE t",
        "OPTIMIZE TABLE t",
        "FLUSH PRIVILEGES",
        "GRANT SELECT ON d.* TO u",
        "SET GLOBAL max_connections = 5",
        "SET @@GLOBAL.max_connections = 5",
        "SET PERSIST max_connections = 5",
        "SET PASSWORD FOR u = 'x'",
        "SET DEFAULT ROLE r TO u",
        "CREATE USER IF NOT EXISTS u",
        "DROP USER IF EXISTS u",
        "ALTER USER u PASSWORD EXPIRE",
    ] {
        assert_eq!(told(text, mysql()), "repeatable", "{text}");
    }
    assert_eq!(told("ANALYZE UPDATE t SET a = 1", mariadb()), "data");
}

#[test]
fn what_a_session_is_told_is_a_setting_or_is_carried() {
    let settings = [
        "SET NAMES utf8mb4",
        "SET CHARACTER SET utf8mb4",
        "SET foreign_key_checks = 0",
        "SET SESSION sql_mode = ''",
        "SET @@sql_mode = ''",
        "SET @@SESSION.time_zone = '+00:00'",
        "SET @OLD = @@sql_mode, sql_mode = ''",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET ROLE r",
        "USE d",
    ];
    let carried = [
        "SET @a = 1",
        "SET @a := (SELECT 1), @b = 2",
        "SELECT COUNT(*) INTO @a FROM t",
        "PREPARE p FROM @a",
        "DEALLOCATE PREPARE p",
        "DROP PREPARE p",
        "CREATE TEMPORARY TABLE t (a INT)",
        "DROP TEMPORARY TABLE t",
        "CREATE TEMPORARY TABLE t (a INT); DROP TEMPORARY TABLE IF EXISTS T",
        "LOCK TABLES t WRITE",
        "UNLOCK TABLES",
        "HANDLER t OPEN",
        "GET DIAGNOSTICS @a = ROW_COUNT",
    ];
    for (expected, texts) in [("setting", &settings[..]), ("carried", &carried[..])] {
        for text in texts {
            assert_eq!(told(text, mysql()), expected, "{text}");
        }
    }
}

#[test]
fn a_variable_from_a_function_that_may_change_rows_is_data() {
    for text in [
        "SET @id = f()",
        "SET @a = 1, @id = 1 + app.concat('x')",
        "SET @id = `count`(1)",
        "SELECT next_id('ship') INTO @id",
        "SELECT CONCAT(f(), 'x') INTO @id FROM t",
    ] {
        assert_eq!(told(text, mysql()), "data", "{text}");
    }
    for text in [
        "SET @id = (SELECT MAX(id) FROM t WHERE a IN (1, 2))",
        "SET @id = UUID(), @now = NOW(6)",
        "SELECT COUNT(*), GROUP_CONCAT(a) INTO @a, @b FROM (SELECT a FROM t) AS x",
        "SET @sql = IF((SELECT COUNT(*) FROM t) > 0, 'SELECT 1', CONCAT('SELECT ', 2))",
    ] {
        assert_eq!(told(text, mysql()), "carried", "{text}");
    }
}

#[test]
fn a_temporary_table_that_is_changed_without_the_word_temporary_commits_what_is_open() {
    for statement in [
        "ALTER TABLE t ADD b INT",
        "CREATE INDEX i ON t (a)",
        "DROP INDEX i ON t",
        "TRUNCATE t",
        "DROP TABLE T",
        "DROP TABLES IF EXISTS t",
    ] {
        let text = format!("CREATE TEMPORARY TABLE t (a INT); {statement}");
        assert_eq!(told(&text, mysql()), "carried alone", "{text}");
    }
}

#[test]
fn a_lasting_table_is_made_beside_a_temporary_one_of_its_name() {
    assert_eq!(told("CREATE TEMPORARY TABLE t (a INT); CREATE TABLE t (a INT)", mysql()), "create table t");
}

#[test]
fn a_table_that_took_the_place_of_a_temporary_one_is_no_temporary_one() {
    let text = "CREATE TEMPORARY TABLE t (a INT); DROP TEMPORARY TABLE t; DROP TABLE t";
    assert_eq!(told(text, mysql()), "drop table t");
}

#[test]
fn a_temporary_table_among_others_does_not_hide_them() {
    let text = "CREATE TEMPORARY TABLE t (a INT); DROP TABLE t, u";
    assert_eq!(told(text, mysql()), "drop table u Several");
}

#[test]
fn transactions_are_controlled() {
    assert_all(
        mysql(),
        &[
            ("BEGIN", "Begin"),
            ("BEGIN WORK", "Begin"),
            ("START TRANSACTION READ ONLY", "Begin"),
            ("COMMIT", "Commit"),
            ("COMMIT WORK", "Commit"),
            ("COMMIT AND CHAIN", "Other"),
            ("ROLLBACK", "Rollback"),
            ("ROLLBACK TO SAVEPOINT a", "Savepoint"),
            ("SAVEPOINT a", "Savepoint"),
            ("RELEASE SAVEPOINT a", "Savepoint"),
            ("SET autocommit = 0", "AutocommitOff"),
            ("SET @@autocommit = OFF", "AutocommitOff"),
            ("SET SESSION autocommit = ON", "AutocommitOn"),
            ("SET autocommit = @old", "Other"),
            ("SET autocommit = 0, foreign_key_checks = 0", "AutocommitAmongOthers"),
            ("SET @a = f(), foreign_key_checks = 0", "CallAmongSettings"),
            ("SET SESSION sql_mode = app.modes()", "CallAmongSettings"),
            ("SET @old = @@autocommit, @@autocommit = 0", "AutocommitAmongOthers"),
            ("SET NAMES utf8mb4, autocommit = 1", "AutocommitAmongOthers"),
            ("SET TRANSACTION READ ONLY", "Next"),
            ("XA START 'x'", "Xa"),
        ],
    );
}

#[test]
fn the_effect_of_a_text_that_is_prepared_can_be_asked_for() {
    assert!(matches!(effect_of("ALTER TABLE t ADD a INT", &mysql(), None), Ok(Effect::Definition(_))));
    assert!(matches!(effect_of("SELECT 1;", &mysql(), None), Ok(Effect::Data(_))));
    assert_eq!(effect_of("SELECT 1; SELECT 2", &mysql(), None), Err(None));
    assert_eq!(effect_of("-- nothing", &mysql(), None), Err(None));
}
