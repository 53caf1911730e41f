//! The tables of errors hold every one that the servers themselves list: what a new version brings has to be sorted.

use std::collections::BTreeSet;

use plimsoll_engine::classes::{Row, Server};
use plimsoll_engine::{mysql, postgres, sqlite};
use plimsoll_testkit::lists;
use plimsoll_testkit::server::{Flavour, Version};

/// The errors of MySQL and MariaDB that are the script's: a number, who has it, and its name.
const SCRIPT_ERRORS: &str = include_str!("../src/mysql/script_errors.tsv");

fn codes(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.code).collect()
}

#[test]
fn every_error_of_postgresql_is_in_the_table() {
    let known = codes(postgres::ERRORS);
    for version in Version::EACH {
        let list = lists::postgres(version);
        assert!(list.len() > 200, "{version:?}: {}", list.len());
        for (code, name) in list {
            assert!(known.contains(&code.as_str()), "sort {code} {name} of {version:?}");
        }
    }
}

#[test]
fn no_error_of_postgresql_is_made_up() {
    let listed: BTreeSet<String> =
        Version::EACH.into_iter().flat_map(|version| lists::postgres(version).into_keys()).collect();
    for code in codes(postgres::ERRORS).into_iter().filter(|code| !code.ends_with("***")) {
        assert!(listed.contains(code), "{code}");
    }
}

#[test]
fn every_error_of_sqlite_is_in_the_table_under_its_name() {
    let list = lists::sqlite();
    assert!(list.len() > 90, "{}", list.len());
    let known = sqlite::ERRORS.iter().map(|row| (row.code.to_owned(), row.name.to_owned())).collect();
    assert_eq!(list, known);
}

#[test]
fn no_code_is_in_a_table_twice() {
    for rows in [postgres::ERRORS, sqlite::ERRORS, mysql::ERRORS] {
        let mut seen = BTreeSet::new();
        for row in rows {
            assert!(seen.insert(row.code), "{}", row.code);
        }
    }
}

/// Every number of a server that is sorted: by a line of the table, or as the script's.
fn sorted(server: Server) -> Vec<(&'static str, &'static str)> {
    let word = if server == Server::Mysql { "mysql" } else { "mariadb" };
    let table = mysql::ERRORS.iter().filter(|row| [server, Server::Any].contains(&row.server));
    let scripts = SCRIPT_ERRORS.lines().filter_map(|line| {
        let (number, rest) = line.split_once('\t')?;
        let (whose, name) = rest.split_once('\t')?;
        ["both", word].contains(&whose).then_some((number, name))
    });
    table.map(|row| (row.code, row.name)).chain(scripts).collect()
}

#[test]
fn every_error_of_mysql_and_mariadb_is_sorted_once() {
    for flavour in Flavour::EACH {
        let server = if flavour.is_mysql() { Server::Mysql } else { Server::Mariadb };
        let sorted = sorted(server);
        let list = lists::mysql(flavour);
        assert!(list.len() > 1200, "{flavour:?}: {}", list.len());
        for (number, name) in list {
            let found: Vec<_> = sorted.iter().filter(|(known, _)| *known == number).collect();
            assert_eq!(found.len(), 1, "sort {number} {name} of {flavour:?}: {found:?}");
        }
    }
}

#[test]
fn the_numbers_of_mysql_and_mariadb_have_the_names_of_their_lists() {
    let names = Flavour::EACH.map(lists::mysql);
    for row in mysql::ERRORS.iter().filter(|row| row.code.parse().is_ok_and(|number: u16| number >= 1000)) {
        let has = |list: &lists::List| list.get(row.code).is_some_and(|name| name == row.name);
        assert!(names.iter().any(has), "{} {}", row.code, row.name);
    }
}
