//! Every step of what a run and PostgreSQL say to each other.

use plimsoll_testkit::proxy::{Deed, Moment, Side};

use super::{Tale, at_every_step};
use crate::story;

/// One transaction, one in the script's own words, segments, and one statement outside of a transaction.
const POSTGRES: Tale = Tale {
    kind: story::POSTGRES,
    counted: "111",
    least: 4,
    migrations: &[
        (
            "1_init",
            "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n\
                 CREATE TABLE log (what TEXT NOT NULL);\nINSERT INTO log VALUES ('init');\n",
        ),
        ("2_data", "BEGIN;\nUPDATE counter SET n = n + 1;\nINSERT INTO log VALUES ('data');\nCOMMIT;\n"),
        (
            "3_segments",
            "UPDATE counter SET n = n + 10;\nINSERT INTO log VALUES ('before the index');\n\
                 CREATE INDEX CONCURRENTLY log_what ON log (what);\n\
                 UPDATE counter SET n = n + 100;\nINSERT INTO log VALUES ('behind the index');\n",
        ),
        ("4_drop", "DROP INDEX CONCURRENTLY log_what;"),
    ],
};

/// Every kind of statement that refuses a transaction and can be taken up, with settings that later ones need, and a value of an
/// enum that the server wants to be committed before it is used.
const OUTSIDE: Tale = Tale {
    kind: story::POSTGRES,
    counted: "111",
    least: 4,
    migrations: &[
        (
            "1_init",
            "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n\
             CREATE TABLE log (what TEXT NOT NULL);\nCREATE INDEX log_plain ON log (what);\n\
             CREATE TYPE mood AS ENUM ('calm');\nCREATE TABLE part (at INTEGER NOT NULL) PARTITION BY RANGE (at);\n\
             CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);\n",
        ),
        (
            "2_outside",
            "CREATE SCHEMA side;\nSET search_path = side, public;\nUPDATE counter SET n = n + 1;\n\
             ALTER TABLE part DETACH PARTITION part_1 CONCURRENTLY;\nCREATE TABLE beside (n INTEGER);\n\
             REINDEX INDEX CONCURRENTLY log_plain;\nUPDATE counter SET n = n + 10;\n\
             CREATE INDEX CONCURRENTLY IF NOT EXISTS log_once ON log (what);\nVACUUM log;\n\
             INSERT INTO log VALUES ('vacuumed');\nCREATE INDEX CONCURRENTLY ON log (lower(what));\n\
             UPDATE counter SET n = n + 100;\nDROP INDEX CONCURRENTLY log_plain;\n",
        ),
        (
            "3_value",
            "ALTER TYPE mood ADD VALUE 'cross';\nCREATE TABLE face (mood mood NOT NULL DEFAULT 'cross');\n\
             INSERT INTO face VALUES ('cross');\nINSERT INTO log VALUES ('cross');\n",
        ),
    ],
};

/// More than are on the way at once, with one among them that goes alone. Each is one message.
const TOGETHER: Tale = Tale {
    kind: story::POSTGRES,
    counted: "12",
    least: 1,
    migrations: &[
        ("01_init", "CREATE TABLE counter (n INTEGER NOT NULL);\nINSERT INTO counter VALUES (0);\n"),
        ("02_log", "CREATE TABLE log (what TEXT NOT NULL);\nUPDATE counter SET n = n + 1;\n"),
        ("03", COUNT),
        ("04", COUNT),
        ("05", COUNT),
        ("06", COUNT),
        ("07", COUNT),
        ("08", COUNT),
        ("09", COUNT),
        ("10", COUNT),
        ("11_alone", "SELECT 1;\nUPDATE counter SET n = n + 1;\nINSERT INTO log VALUES ('more');\n"),
        ("12", COUNT),
        ("13", COUNT),
    ],
};
const COUNT: &str = "UPDATE counter SET n = n + 1;\nINSERT INTO log VALUES ('more');\n";

#[test]
fn a_runner_killed_behind_anything_that_it_has_on_the_way_is_taken_up() {
    at_every_step(TOGETHER, Deed::KillRunner, Side::Runner, Moment::After);
}

#[test]
fn a_runner_killed_before_an_answer_to_anything_that_it_has_on_the_way_is_taken_up() {
    at_every_step(TOGETHER, Deed::KillRunner, Side::Server, Moment::Before);
}

#[test]
fn a_connection_cut_before_an_answer_to_anything_on_the_way_is_made_up_for() {
    at_every_step(TOGETHER, Deed::Cut, Side::Server, Moment::Before);
}

#[test]
fn a_cut_behind_which_the_server_goes_on_with_what_is_on_the_way_is_made_up_for() {
    at_every_step(TOGETHER, Deed::CutRunner, Side::Runner, Moment::After);
}

#[test]
fn a_runner_killed_before_anything_that_it_says_to_postgresql_is_taken_up() {
    at_every_step(POSTGRES, Deed::KillRunner, Side::Runner, Moment::Before);
}

#[test]
fn a_runner_killed_behind_anything_that_it_says_to_postgresql_is_taken_up() {
    at_every_step(POSTGRES, Deed::KillRunner, Side::Runner, Moment::After);
}

#[test]
fn a_runner_killed_before_anything_that_postgresql_answers_is_taken_up() {
    at_every_step(POSTGRES, Deed::KillRunner, Side::Server, Moment::Before);
}

#[test]
fn a_runner_killed_behind_anything_that_postgresql_answers_is_taken_up() {
    at_every_step(POSTGRES, Deed::KillRunner, Side::Server, Moment::After);
}

#[test]
fn a_connection_cut_before_anything_that_is_said_to_postgresql_is_made_up_for() {
    at_every_step(POSTGRES, Deed::Cut, Side::Runner, Moment::Before);
}

#[test]
fn a_connection_cut_behind_anything_that_is_said_to_postgresql_is_made_up_for() {
    at_every_step(POSTGRES, Deed::Cut, Side::Runner, Moment::After);
}

#[test]
fn a_connection_cut_before_anything_that_postgresql_answers_is_made_up_for() {
    at_every_step(POSTGRES, Deed::Cut, Side::Server, Moment::Before);
}

#[test]
fn a_connection_cut_behind_anything_that_postgresql_answers_is_made_up_for() {
    at_every_step(POSTGRES, Deed::Cut, Side::Server, Moment::After);
}

#[test]
fn a_cut_that_postgresql_does_not_notice_is_made_up_for() {
    at_every_step(POSTGRES, Deed::CutRunner, Side::Runner, Moment::After);
}

#[test]
fn every_statement_outside_of_a_transaction_is_taken_up_when_its_answer_was_not_heard() {
    at_every_step(OUTSIDE, Deed::KillRunner, Side::Server, Moment::Before);
}

#[test]
fn every_statement_outside_of_a_transaction_is_taken_up_while_its_session_goes_on() {
    at_every_step(OUTSIDE, Deed::CutRunner, Side::Runner, Moment::After);
}
