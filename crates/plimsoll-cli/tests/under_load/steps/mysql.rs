//! Every step of what a run and MySQL or MariaDB say to each other.

use plimsoll_testkit::proxy::{Deed, Moment, Side};

use super::{Tale, at_every_step};
use crate::story;

/// Ten statements, of which some commit by themselves, then one transaction, then one definition.
const TEN: &[(&str, &str)] = &[
    (
        "1_ten",
        "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n\
                 CREATE TABLE log (what VARCHAR(20) NOT NULL);\nINSERT INTO log VALUES ('init');\n\
                 ALTER TABLE log ADD COLUMN place INTEGER NOT NULL DEFAULT 7;\nUPDATE counter SET n = n + 1;\n\
                 CREATE INDEX log_what ON log (what);\nINSERT INTO log (what) VALUES ('more');\n\
                 UPDATE counter SET n = n + 10;\nCREATE VIEW seen AS SELECT what FROM log;\n",
    ),
    ("2_data", "UPDATE counter SET n = n + 100;\nINSERT INTO log (what) VALUES ('data');\n"),
    ("3_drop", "DROP INDEX log_what ON log;\n"),
];

/// Definitions of every kind of object, several in one statement, a setting, and a transaction in the script's own words.
const DEFINITIONS: &[(&str, &str)] = &[
    (
        "1_init",
        "CREATE TABLE counter (n INTEGER NOT NULL);\nCREATE TABLE log (what VARCHAR(20) NOT NULL);\n\
         CREATE TABLE old_a (n INTEGER);\nCREATE TABLE old_b (n INTEGER);\nINSERT INTO counter VALUES (0);\n",
    ),
    (
        "2_definitions",
        "SET SESSION group_concat_max_len = 2048;\nRENAME TABLE old_a TO new_a, old_b TO new_b;\n\
         INSERT INTO log VALUES ('renamed');\n\
         CREATE TRIGGER log_counted AFTER INSERT ON log FOR EACH ROW UPDATE counter SET n = n + 1;\n\
         INSERT INTO log VALUES ('counted');\n\
         CREATE PROCEDURE ten() BEGIN UPDATE counter SET n = n + 5; UPDATE counter SET n = n + 5; END;\n\
         START TRANSACTION;\nUPDATE counter SET n = n + 10;\nINSERT INTO log VALUES ('together');\nCOMMIT;\n\
         DROP TRIGGER log_counted;\nCREATE TABLE twin LIKE new_a;\nINSERT INTO twin SELECT n FROM counter;\n\
         ALTER TABLE twin ADD COLUMN m INTEGER, ADD INDEX (m);\nUPDATE counter SET n = n + 100;\n\
         ALTER TABLE twin RENAME TO twins;\nDROP TABLE new_a, new_b;\nINSERT INTO log VALUES ('dropped');\n\
         CREATE OR REPLACE VIEW seen AS SELECT what FROM log;\nALTER TABLE log ALTER COLUMN what SET DEFAULT 'x';\n",
    ),
];

/// Scripts of definitions alone, behind one that makes them possible: a look leaves the session neutral, and rows are written with one statement.
const ALONE: &[(&str, &str)] = &[
    (
        "1_init",
        "CREATE TABLE counter (n INTEGER NOT NULL);\nCREATE TABLE log (what VARCHAR(20) NOT NULL);\nINSERT INTO counter VALUES (7);\n",
    ),
    (
        "2_add",
        "ALTER TABLE log ADD COLUMN place TIMESTAMP NULL DEFAULT '2020-01-01 00:00:00';\nCREATE INDEX log_what ON log (what);\n",
    ),
    ("3_make", "CREATE TABLE made (n INTEGER);\nRENAME TABLE made TO kept;\nDROP INDEX log_what ON log;\n"),
];

const MYSQL: Tale = Tale { kind: story::MYSQL, migrations: TEN, counted: "111", least: 4 };
/// Between two messages there is one gap: MySQL is struck at both of its ends, MariaDB at one.
const MARIADB: Tale = Tale { kind: story::MARIADB, migrations: TEN, counted: "111", least: 4 };

#[test]
fn a_runner_killed_before_anything_that_it_says_to_mysql_is_taken_up() {
    at_every_step(MYSQL, Deed::KillRunner, Side::Runner, Moment::Before);
}

#[test]
fn a_runner_killed_behind_anything_that_it_says_to_mysql_is_taken_up() {
    at_every_step(MYSQL, Deed::KillRunner, Side::Runner, Moment::After);
}

#[test]
fn a_runner_killed_before_anything_that_mysql_answers_is_taken_up() {
    at_every_step(MYSQL, Deed::KillRunner, Side::Server, Moment::Before);
}

#[test]
fn a_runner_killed_behind_anything_that_mysql_answers_is_taken_up() {
    at_every_step(MYSQL, Deed::KillRunner, Side::Server, Moment::After);
}

#[test]
fn a_connection_cut_before_anything_that_is_said_to_mysql_is_made_up_for() {
    at_every_step(MYSQL, Deed::Cut, Side::Runner, Moment::Before);
}

#[test]
fn a_connection_cut_behind_anything_that_is_said_to_mysql_is_made_up_for() {
    at_every_step(MYSQL, Deed::Cut, Side::Runner, Moment::After);
}

#[test]
fn a_connection_cut_before_anything_that_mysql_answers_is_made_up_for() {
    at_every_step(MYSQL, Deed::Cut, Side::Server, Moment::Before);
}

#[test]
fn a_connection_cut_behind_anything_that_mysql_answers_is_made_up_for() {
    at_every_step(MYSQL, Deed::Cut, Side::Server, Moment::After);
}

#[test]
fn a_cut_that_mysql_does_not_notice_is_made_up_for() {
    at_every_step(MYSQL, Deed::CutRunner, Side::Runner, Moment::After);
}

#[test]
fn a_runner_killed_behind_anything_that_it_says_to_mariadb_is_taken_up() {
    at_every_step(MARIADB, Deed::KillRunner, Side::Runner, Moment::After);
}

#[test]
fn a_runner_killed_before_anything_that_mariadb_answers_is_taken_up() {
    at_every_step(MARIADB, Deed::KillRunner, Side::Server, Moment::Before);
}

#[test]
fn a_connection_cut_behind_anything_that_is_said_to_mariadb_is_made_up_for() {
    at_every_step(MARIADB, Deed::Cut, Side::Runner, Moment::After);
}

#[test]
fn a_connection_cut_before_anything_that_mariadb_answers_is_made_up_for() {
    at_every_step(MARIADB, Deed::Cut, Side::Server, Moment::Before);
}

#[test]
fn a_cut_that_mariadb_does_not_notice_is_made_up_for() {
    at_every_step(MARIADB, Deed::CutRunner, Side::Runner, Moment::After);
}

#[test]
fn every_definition_is_taken_up_on_mysql_when_its_answer_was_not_heard() {
    let tale = Tale { migrations: DEFINITIONS, counted: "112", ..MYSQL };
    at_every_step(tale, Deed::KillRunner, Side::Server, Moment::Before);
}

#[test]
fn every_definition_is_taken_up_on_mariadb_when_its_answer_was_not_heard() {
    let tale = Tale { migrations: DEFINITIONS, counted: "112", ..MARIADB };
    at_every_step(tale, Deed::KillRunner, Side::Server, Moment::Before);
}

fn definitions_alone_are_taken_up(server: Tale) {
    let tale = Tale { migrations: ALONE, counted: "7", ..server };
    at_every_step(tale, Deed::KillRunner, Side::Runner, Moment::After);
    at_every_step(tale, Deed::KillRunner, Side::Server, Moment::Before);
    at_every_step(tale, Deed::CutRunner, Side::Runner, Moment::After);
}

#[test]
fn definitions_alone_are_taken_up_on_mysql_before_and_behind_every_message() {
    definitions_alone_are_taken_up(MYSQL);
}

#[test]
fn definitions_alone_are_taken_up_on_mariadb_before_and_behind_every_message() {
    definitions_alone_are_taken_up(MARIADB);
}
