//! Where statements begin and end, and what is refused. Most of it is tried against the servers themselves, in the tests
//! of the engine; here is what they do not run.

use super::*;
use crate::{Code, Migration, Script};

#[test]
fn nothing_but_comments_is_no_statement() {
    let empty = [
        "",
        " \r\n\t",
        "-- This is an empty migration.",
        "--",
        "# x",
        "/* x */",
        ";;;",
        "; -- x\n;",
        "/*! */",
        "/*!99999 DROP TABLE t; */",
        "\u{feff}",
        "\u{feff}-- x\n",
        "DELIMITER //\n//\nDELIMITER ;\n",
        "/*!80000 ; x */",
    ];
    for text in empty {
        assert_eq!(texts(text, mariadb()), [""; 0], "{text}");
    }
}

#[test]
fn spans_are_those_of_the_file() {
    let text = "\u{feff}-- ä\nSELECT 'ü';\nDELIMITER //\n SELECT 2 -- x\n//";
    let found = split(text, &mysql()).unwrap();
    let spans: Vec<_> = found.iter().map(|statement| statement.span.clone()).collect();
    assert_eq!(spans, [9..20, 36..44]);
    assert!(found.iter().all(|statement| text[statement.span.clone()] == *statement.text));
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_first_word() {
    assert_eq!(texts("\u{feff}SELECT 1; SELECT 2", mysql()), ["SELECT 1", "SELECT 2"]);
}

#[test]
fn a_carriage_return_ends_no_comment_as_it_ends_none_on_the_server() {
    assert_eq!(texts("SELECT 1; -- x\rSELECT 2", mysql()), ["SELECT 1"]);
}

#[test]
fn empty_statements_are_left_out() {
    assert_eq!(texts("; SELECT 1;; /* x */ ; SELECT 2;", mysql()), ["SELECT 1", "SELECT 2"]);
}

#[test]
fn code_in_a_version_comment_depends_on_the_server() {
    let text = "/*!50700 SELECT 1 */; /*!80016 SELECT 2 */; /*M!100600 SELECT 3 */; /*!100600 SELECT 4 */;";
    assert_eq!(texts(text, mysql()), ["/*!50700 SELECT 1 */", "/*!100600 SELECT 4 */"]);
    assert_eq!(texts(text, mariadb()), ["/*M!100600 SELECT 3 */", "/*!100600 SELECT 4 */"]);
    let newer = Server::parse("8.4.0", "");
    assert_eq!(texts("/*!080500 SELECT 1 */; /*!080400 SELECT 2 */", newer), ["/*!080400 SELECT 2 */"]);
}

#[test]
fn a_message_of_several_statements_is_cut_although_its_delimiter_is_another_one() {
    let text = "DELIMITER //\nSELECT 1; SELECT 2//\nSELECT 3//";
    assert_eq!(texts(text, mysql()), ["SELECT 1", "SELECT 2", "SELECT 3"]);
}

#[test]
fn a_delimiter_line_ends_what_stands_before_it() {
    assert_eq!(texts("DELIMITER //\nSELECT 1\nDELIMITER ;\nSELECT 2;", mysql()), ["SELECT 1", "SELECT 2"]);
}

#[test]
fn the_word_delimiter_may_stand_inside_of_a_statement() {
    assert_eq!(texts("SELECT 1 AS\ndelimiter ; SELECT 2", mysql()), ["SELECT 1 AS\ndelimiter", "SELECT 2"]);
}

#[test]
fn a_body_that_does_not_end_holds_the_rest() {
    let text = "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2;";
    assert_eq!(texts(text, mysql()), [text]);
}

#[test]
fn a_body_may_stand_right_behind_the_type_that_is_returned() {
    for kind in [
        "CHAR",
        "CHARACTER",
        "CHAR CHAR SET utf8mb4",
        "CHAR CHARACTER SET utf8mb4",
        "CHAR(2) BINARY",
        "SET('a')",
    ] {
        let function =
            format!("CREATE FUNCTION f() RETURNS {kind}\nBEGIN\n DECLARE a CHAR;\n RETURN a;\nEND");
        let text = format!("{function};\nSELECT 1");
        assert_eq!(texts(&text, mysql()), [function.as_str(), "SELECT 1"]);
    }
}

#[test]
fn begin_opens_a_block_on_mariadb_only_with_not_atomic() {
    assert_eq!(texts("BEGIN; SELECT 1; END", mariadb()), ["BEGIN", "SELECT 1", "END"]);
    assert_eq!(texts("BEGIN NOT ATOMIC SELECT 1; END; SELECT 2", mariadb()).len(), 2);
}

/// What is refused, which part of it is pointed at, and with which code.
const REFUSED: [(&str, &str, Code); 16] = [
    ("SELECT 1\\G", "\\G", Code::NeedsClient),
    ("SELECT 1 \\G\nSELECT 2", "\\G", Code::NeedsClient),
    ("SELECT 1;\n\\. other.sql\nSELECT 2;", "\\. other.sql", Code::NeedsClient),
    ("source other.sql\nSELECT 2;", "source other.sql", Code::NeedsClient),
    ("SELECT 1; SYSTEM ls;", "SYSTEM ls;", Code::NeedsClient),
    ("DELIMITER\nSELECT 1", "DELIMITER", Code::NeedsClient),
    ("SELECT 1; \\ü", "\\ü", Code::NeedsClient),
    ("LOAD DATA LOCAL INFILE 'x' INTO TABLE t", "LOAD DATA LOCAL INFILE 'x' INTO TABLE t", Code::NeedsClient),
    (
        "LOAD DATA CONCURRENT LOCAL INFILE 'x' INTO TABLE t",
        "LOAD DATA CONCURRENT LOCAL INFILE 'x' INTO TABLE t",
        Code::NeedsClient,
    ),
    ("SELECT 'a; SELECT 2", "'a; SELECT 2", Code::ScriptUnreadable),
    ("SELECT \"a\\\"; SELECT 2", "\"a\\\"; SELECT 2", Code::ScriptUnreadable),
    ("SELECT `a; SELECT 2", "`a; SELECT 2", Code::ScriptUnreadable),
    ("SELECT 1; /* x", "/* x", Code::ScriptUnreadable),
    ("/*!50001 SELECT 1", "/*!50001 SELECT 1", Code::ScriptUnreadable),
    ("/*!99999 /* x */ SELECT 1", "/*!99999 /* x */ SELECT 1", Code::ScriptUnreadable),
    ("/*!50001 SELECT 1; SELECT 2 */", ";", Code::ScriptUnreadable),
];

#[test]
fn what_needs_a_client_or_cannot_be_read_is_refused_with_its_place() {
    for (text, place, code) in REFUSED {
        let migration = Migration::new("m", "m.sql", Script::new(text));
        let refusal = split(text, &mysql()).map(|found| found.len()).expect_err(text);
        let diagnostic = refusal.diagnostic(&migration);
        let found = diagnostic.place.unwrap().span();
        assert_eq!((&text[found], diagnostic.code), (place, code), "{text}");
        assert!(!diagnostic.help.is_empty(), "{text}");
    }
}
