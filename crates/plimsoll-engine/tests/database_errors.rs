//! The tables of errors hold every one that the servers themselves list: what a new version brings has to be sorted.

use std::collections::BTreeSet;

use plimsoll_engine::classes::{Known, Server};
use plimsoll_engine::{Kind, mysql, postgres, sqlite};
use plimsoll_testkit::lists;
use plimsoll_testkit::server::{Flavour, Version};

/// The errors of MySQL and MariaDB that are the script's: a number, who has it, and its name.
const SCRIPT_ERRORS: &str = include_str!("../src/mysql/script_errors.tsv");

fn codes(rows: &[Known]) -> Vec<&str> {
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

/// What the run loop does again, where a wrong line would apply something twice. It is written down a second time on purpose: whoever
/// moves a code has to mean it.
///
/// [`Kind::Again`] promises that a transaction was rolled back, and it is sent again. After [`Kind::Lost`] the history is asked whether
/// it was committed: what a server says in the middle of a commit belongs there.
const ON_POSTGRESQL: [(Kind, &[&str]); 3] = [
    (Kind::Again, &["40001", "40P01", "55006", "55P03"]),
    (
        Kind::Lost,
        &[
            "08***", "08000", "08001", "08003", "08004", "08006", "08007", "08P01", "25P03", "25P04",
            "40003", "57P01", "57P02", "57P03", "57P04", "57P05",
        ],
    ),
    (Kind::Busy, &[]),
];

const ON_MYSQL: [(Kind, &[&str]); 3] = [
    (
        Kind::Again,
        &[
            "1020", "1205", "1213", "1412", "1614", "1689", "3058", "3101", "3132", "3133", "3572", "3781",
            "3782", "3797", "3798",
        ],
    ),
    (
        Kind::Lost,
        &[
            "1040", "1042", "1043", "1053", "1077", "1078", "1079", "1080", "1152", "1154", "1155", "1156",
            "1157", "1158", "1159", "1160", "1161", "1180", "1184", "1203", "1927", "3032", "3100", "3168",
            "3169", "4031", "4081", "4082",
        ],
    ),
    (Kind::Busy, &[]),
];

const ON_SQLITE: [(Kind, &[&str]); 3] = [
    (Kind::Again, &[]),
    (Kind::Lost, &[]),
    (Kind::Busy, &["15", "261", "262", "5", "517", "518", "6", "773"]),
];

#[test]
fn nothing_is_done_again_but_what_was_rolled_back_or_can_be_looked_up() {
    let tables = [(postgres::ERRORS, ON_POSTGRESQL), (mysql::ERRORS, ON_MYSQL), (sqlite::ERRORS, ON_SQLITE)];
    for (table, meant) in tables {
        for (kind, meant) in meant {
            let found = table.iter().filter(|row| row.session.kind() == kind).map(|row| row.code);
            assert_eq!(found.collect::<BTreeSet<_>>(), meant.iter().copied().collect(), "{kind:?}");
        }
    }
}

#[test]
fn a_server_that_refuses_a_connection_has_done_nothing_that_could_be_done_again() {
    for row in postgres::ERRORS.iter().chain(mysql::ERRORS) {
        let kind = row.connecting.kind();
        assert!(matches!(kind, Kind::NotYet | Kind::Missing | Kind::Never), "{}: {kind:?}", row.code);
    }
}
