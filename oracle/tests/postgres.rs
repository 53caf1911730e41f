//! Scripts that are made of everything that hides a semicolon, split by Plimsoll and by PostgreSQL's parser.

mod scripts;

use plimsoll_core::script::postgres::statement_spans;
use plimsoll_oracle::{ours, theirs};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn statements_are_where_postgresql_sees_them(text in scripts::script()) {
        let theirs = theirs(&text);
        prop_assert!(theirs.is_some(), "the generator has to make SQL:\n{text}");
        prop_assert_eq!(ours(&text), theirs);
    }

    #[test]
    fn whatever_postgresql_can_parse_is_split_as_it_does(text in scripts::soup()) {
        let theirs = theirs(&text);
        if theirs.is_some() {
            prop_assert_eq!(ours(&text), theirs);
        }
    }
}

#[test]
fn the_hard_cases_are_split_as_postgresql_does() {
    for text in scripts::HARD {
        assert!(theirs(text).is_some(), "not SQL: {text}");
        assert_eq!(ours(text), theirs(text), "{text}");
    }
}

#[test]
fn the_scanners_way_to_split_is_no_oracle_for_bodies() {
    let text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END";
    assert_eq!(theirs(text).map(|spans| spans.len()), Some(1));
    assert_eq!(pg_query::split_with_scanner(text).map(|parts| parts.len()), Ok(3));
}

#[test]
fn a_byte_order_mark_is_no_sql_and_hides_no_statement_from_us() {
    assert_eq!(theirs("\u{feff}SELECT 1"), None);
    assert_eq!(statement_spans("\u{feff}SELECT 1").first(), Some(&(3..11)));
}
