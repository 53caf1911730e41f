//! What is remembered of the texts that a server shows.

use plimsoll_core::history::{Attempt, Progress, UnderWay};
use plimsoll_core::script::mysql::{Definition, Object, ObjectKind, Objects, Server, Verb};
use proptest::prelude::*;

use super::super::super::verdict::{self, Verdict};
use super::super::{ABSENT, Facts, Partitions, fitting, hash, key, stable};

#[test]
fn the_next_number_of_a_table_is_not_part_of_it() {
    let with = "CREATE TABLE `t` (\n  `a` int COMMENT 'b\\n) ENGINE= AUTO_INCREMENT=7 '\n) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COMMENT=' AUTO_INCREMENT=9 '";
    let without = with.replace(" AUTO_INCREMENT=3", "");
    assert_eq!(stable(with, Partitions::LeftOut), without);
    assert_eq!(stable(&without, Partitions::Count), without);
    assert_eq!(stable("CREATE VIEW v AS SELECT 1", Partitions::LeftOut), "CREATE VIEW v AS SELECT 1");
}

/// Tables with these names, of which the first ones are gone.
fn tables(names: impl Iterator<Item = String>, gone: usize) -> (Vec<Object>, Facts) {
    let object = |name| Object { kind: ObjectKind::Table, database: None, name };
    let objects: Vec<_> = names.map(object).collect();
    let fact = |n: usize| if n < gone { ABSENT.to_owned() } else { hash(&[n.to_string()]) };
    let facts = objects.iter().enumerate().map(|(n, object)| (key(object), fact(n))).collect();
    (objects, facts)
}

proptest! {
    #[test]
    fn facts_fit_into_a_row_however_many_there_are(
        name in "\\PC{0,20}[a-zä\"\\\\\u{1}]{0,40}",
        count in 1_usize..2_000,
    ) {
        let (_, facts) = tables((0..count).map(|n| format!("{name}{n}")), 0);
        let mut progress = Progress::new(Attempt::Running, &"p".repeat(1_000));
        progress.under_way = Some(UnderWay { before: fitting(facts.clone()) });
        let log = progress.running_log();
        prop_assert!(log.len() < 65_536, "{}", log.len());
        prop_assert_eq!(super::super::super::sql::logs(&log), log);
        prop_assert!(count > 100 || fitting(facts.clone()) == facts);
    }
}

#[test]
fn of_very_many_tables_it_is_known_whether_all_of_them_were_dropped_or_none() {
    let verdict = |gone_before, gone_now| {
        let names = || (0..1_000).map(|n| format!("a_table_with_quite_a_long_name_of_its_own_{n}"));
        let (objects, before) = tables(names(), gone_before);
        let (_, now) = tables(names(), gone_now);
        let definition =
            Definition { verb: Verb::Drop, objects: Objects::Named(objects), caveats: Vec::new() };
        let server = Server::parse("10.11.19-MariaDB", "");
        verdict::of(server, "app", &definition, &fitting(before), &fitting(now))
    };
    assert_eq!(verdict(0, 0), Verdict::NotYet);
    assert_eq!(verdict(0, 1_000), Verdict::Done);
    assert_eq!(verdict(999, 1_000), Verdict::Done);
    assert!(matches!(verdict(0, 500), Verdict::Unclear(_)));
}
