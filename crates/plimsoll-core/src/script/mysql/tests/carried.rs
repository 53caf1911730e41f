//! What a new session has to be told before it carries on.

use super::*;

/// The statements that are run again before the one with this index, or what is lost.
fn again(text: &str, from: usize) -> Result<Vec<String>, String> {
    let statements = split(text, &mysql()).unwrap();
    match carried_over(&statements, from) {
        Ok(again) => Ok(again.into_iter().map(|statement| statement.text.to_owned()).collect()),
        Err(lost) => Err(format!("{}; {}; {}", lost.what, &text[lost.left_by], &text[lost.needed_by])),
    }
}

fn assert_again(text: &str, from: usize, expected: &[&str]) {
    assert_eq!(again(text, from), Ok(expected.iter().map(|text| (*text).to_owned()).collect()), "{text}");
}

fn assert_lost(text: &str, from: usize, what: &str) {
    let lost = again(text, from).expect_err(text);
    assert!(lost.starts_with(what), "{text}: {lost}");
}

#[test]
fn settings_are_run_again_in_order() {
    let text = "SET NAMES utf8mb4; CREATE TABLE t (a INT); USE d; SET foreign_key_checks = 0; DROP TABLE t; SELECT 1";
    assert_again(text, 0, &[]);
    assert_again(text, 2, &["SET NAMES utf8mb4"]);
    assert_again(text, 5, &["SET NAMES utf8mb4", "USE d", "SET foreign_key_checks = 0"]);
    assert_again(text, 6, &[]);
}

#[test]
fn autocommit_is_a_setting_too() {
    assert_again("SET autocommit = 0; INSERT INTO t VALUES (1); COMMIT", 2, &["SET autocommit = 0"]);
}

#[test]
fn a_variable_with_its_value_in_the_text_is_set_again() {
    let text = "SET @a = 1; SET @b = @a; INSERT INTO t VALUES (1); INSERT INTO t VALUES (@b)";
    assert_again(text, 3, &["SET @a = 1", "SET @b = @a"]);
}

#[test]
fn a_variable_that_nobody_reads_any_more_is_not_set_again() {
    assert_again("SET @a = (SELECT 1); INSERT INTO t VALUES (@a); SELECT 2", 2, &[]);
    assert_again("SET @a = UUID(); DROP TABLE t; SET @a = 2; SELECT @a", 2, &[]);
}

#[test]
fn a_variable_that_depends_on_rows_is_lost_once_anything_has_changed() {
    let text = "SET @a = (SELECT MAX(a) FROM t); SELECT 1; UPDATE t SET a = 2; INSERT INTO u VALUES (@a)";
    assert_again(text, 2, &["SET @a = (SELECT MAX(a) FROM t)"]);
    assert_lost(
        text,
        3,
        "the user variable `@a`; SET @a = (SELECT MAX(a) FROM t); INSERT INTO u VALUES (@a)",
    );
}

#[test]
fn time_and_chance_do_not_come_back() {
    for value in ["UUID()", "NOW()", "CURRENT_TIMESTAMP", "RAND()", "utc_date", "@@timestamp"] {
        assert_lost(
            &format!("SET @a = {value}; INSERT INTO t VALUES (@a); INSERT INTO u VALUES (@a)"),
            2,
            "the user variable",
        );
    }
}

#[test]
fn what_a_query_stored_in_a_variable_is_read_again_or_lost() {
    let text = "SELECT MAX(a) INTO @a FROM t; INSERT INTO u VALUES (@a); INSERT INTO v VALUES (@a)";
    assert_again(text, 1, &["SELECT MAX(a) INTO @a FROM t"]);
    assert_lost(text, 2, "the user variable `@a`");
}

#[test]
fn a_counter_that_rows_have_moved_is_lost() {
    let text = "SET @n = 0; UPDATE t SET a = (@n := @n + 1); INSERT INTO u VALUES (@n)";
    assert_again(text, 1, &["SET @n = 0"]);
    assert_lost(text, 2, "the user variable `@n`; UPDATE");
}

#[test]
fn the_pattern_of_conditional_changes_carries_on_at_each_of_its_statements() {
    let text = "SET @s = (SELECT IF(COUNT(*) = 0, 'ALTER TABLE t ADD b INT', 'SELECT 1') FROM information_schema.COLUMNS);
        PREPARE p FROM @s; EXECUTE p; DEALLOCATE PREPARE p; SELECT 2";
    let statements = texts(text, mysql());
    assert_again(text, 1, &statements[..1]);
    assert_again(text, 2, &statements[..2]);
    // By then it may say something else, but nobody reads it: what takes it away needs it to be there.
    assert_again(text, 3, &statements[..2]);
    assert_again(text, 4, &[]);
}

#[test]
fn a_prepared_statement_with_its_text_is_prepared_again() {
    let text = "PREPARE p FROM 'INSERT INTO t VALUES (?)'; SET @a = 1; EXECUTE p USING @a; EXECUTE p USING @a; DEALLOCATE PREPARE p; SELECT 1";
    assert_again(text, 3, &["PREPARE p FROM 'INSERT INTO t VALUES (?)'", "SET @a = 1"]);
    assert_again(text, 5, &[]);
}

#[test]
fn a_temporary_table_is_made_again_only_while_it_is_empty() {
    let text = "CREATE TEMPORARY TABLE x (a INT); CREATE TABLE t (a INT); INSERT INTO x VALUES (1); INSERT INTO t SELECT * FROM x; DROP TEMPORARY TABLE x; SELECT 1";
    assert_again(text, 2, &["CREATE TEMPORARY TABLE x (a INT)"]);
    assert_lost(text, 3, "the temporary table `x`; INSERT INTO x VALUES (1); INSERT INTO t");
    assert_again(text, 4, &["CREATE TEMPORARY TABLE x (a INT)"]);
    assert_again(text, 5, &[]);
    assert_again("CREATE TEMPORARY TABLE x (a INT); DELETE FROM t; DROP TEMPORARY TABLE IF EXISTS x", 2, &[]);
}

#[test]
fn what_would_drop_a_lasting_table_without_the_temporary_one_gets_the_temporary_one() {
    for drop in ["DROP TABLE x", "DROP TABLE IF EXISTS x", "DROP TABLES IF EXISTS x"] {
        let text = format!("CREATE TEMPORARY TABLE x (a INT); DELETE FROM t; {drop}; SELECT 1");
        assert_again(&text, 2, &["CREATE TEMPORARY TABLE x (a INT)"]);
        assert_again(&text, 3, &[]);
    }
}

#[test]
fn a_function_that_may_change_rows_is_not_called_again_for_its_value() {
    assert_lost("SET @id = f(); SELECT 1; INSERT INTO t VALUES (@id)", 1, "the user variable `@id`");
}

#[test]
fn a_temporary_table_that_was_filled_from_others_is_lost_once_they_have_changed() {
    let text = "CREATE TEMPORARY TABLE x AS SELECT * FROM t; DELETE FROM t; INSERT INTO t SELECT * FROM x";
    assert_again(text, 1, &["CREATE TEMPORARY TABLE x AS SELECT * FROM t"]);
    assert_lost(text, 2, "the temporary table `x`");
}

#[test]
fn tables_are_locked_again_while_they_are_meant_to_be() {
    let text =
        "LOCK TABLES t WRITE; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); UNLOCK TABLES; SELECT 1";
    assert_again(text, 2, &["LOCK TABLES t WRITE"]);
    assert_again(text, 4, &[]);
}

#[test]
fn the_last_insert_id_is_lost_with_its_session() {
    let text =
        "INSERT INTO t VALUES (NULL); INSERT INTO u VALUES (LAST_INSERT_ID()); SELECT LAST_INSERT_ID(5)";
    assert_again(text, 0, &[]);
    assert_lost(text, 1, "what `LAST_INSERT_ID()` says");
    assert_again(text, 2, &[]);
    assert_lost(
        "INSERT INTO t VALUES (NULL); SET @a = LAST_INSERT_ID(); SELECT @a",
        1,
        "what `LAST_INSERT_ID()` says",
    );
    assert_lost(
        "INSERT INTO t VALUES (NULL); SET @a = LAST_INSERT_ID(); SELECT 1; INSERT INTO u VALUES (@a)",
        2,
        "what `LAST",
    );
}

#[test]
fn the_outcome_of_the_last_statement_is_lost_with_its_session() {
    assert_lost("UPDATE t SET a = 1; SELECT ROW_COUNT()", 1, "the outcome of the statement before");
    assert_again("UPDATE t SET a = 1; SELECT 2; SELECT ROW_COUNT()", 1, &[]);
}

#[test]
fn a_routine_may_have_set_any_variable() {
    assert_lost("CALL p(); INSERT INTO t VALUES (@a)", 1, "the user variable `@a`; CALL p()");
    assert_lost("SET @a = 1; CALL p(@a); INSERT INTO t VALUES (@a)", 2, "the user variable `@a`; CALL p(@a)");
}

#[test]
fn a_body_that_is_stored_reads_nothing_now() {
    assert_again("SET @a = UUID(); DROP TABLE t; CREATE PROCEDURE p() SELECT @a", 2, &[]);
}

#[test]
fn the_head_and_the_tail_of_a_dump_belong_together() {
    let text = "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI' */; CREATE TABLE t (a INT); DROP TABLE t; /*!40101 SET SQL_MODE=@OLD_SQL_MODE */";
    assert_again(text, 2, &["/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI' */"]);
    assert_again(text, 3, &["/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI' */"]);
}

#[test]
fn a_variable_that_a_file_was_read_into_is_lost_whatever_it_was_before() {
    let text = "SET @a = 1; LOAD DATA INFILE 'f' INTO TABLE t (@a, b); INSERT INTO t VALUES (@a)";
    assert_lost(text, 2, "the user variable `@a`; LOAD DATA");
}

#[test]
fn a_handler_that_was_closed_is_not_missed() {
    assert_again("HANDLER t OPEN; HANDLER t CLOSE; DELETE FROM u; HANDLER t READ FIRST", 3, &[]);
}

#[test]
fn where_a_handler_stands_does_not_come_back() {
    let text = "HANDLER t OPEN; HANDLER t READ FIRST; DELETE FROM u; HANDLER t READ NEXT; HANDLER t CLOSE";
    for from in 1..5 {
        assert_lost(text, from, "the open handler `t`");
    }
}

#[test]
fn a_prepared_statement_that_names_variables_may_have_set_any_of_them() {
    let text = "SET @n = 1; PREPARE p FROM 'SELECT COUNT(*) INTO @n FROM t'; EXECUTE p; DELETE FROM t; INSERT INTO t VALUES (@n)";
    assert_lost(text, 4, "the user variable `@n`; EXECUTE p");
}
