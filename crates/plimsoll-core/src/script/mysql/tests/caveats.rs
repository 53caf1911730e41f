//! What keeps a look at the catalog from settling whether a definition took effect.

use super::effects::{assert_all, told};
use super::*;

#[test]
fn what_is_made_again_under_its_name_may_look_as_before() {
    for change in [
        "DROP COLUMN a, ADD COLUMN a INT",
        "DROP `a`, ADD (A INT, b INT CHECK (b IN (1, 2))), DROP COLUMN b",
        "DROP a, CHANGE b a INT, ADD b INT",
        "CHANGE a b INT FIRST, CHANGE COLUMN b a INT",
        "RENAME COLUMN a TO b, RENAME COLUMN b TO a, MODIFY b INT AFTER c",
        "DROP `index`, ADD `index` INT",
        "ADD period INT, DROP period",
    ] {
        assert_eq!(told(&format!("ALTER TABLE t {change}"), mysql()), "alter table t Remade", "{change}");
    }
    for change in [
        "DROP COLUMN a, ADD COLUMN b INT",
        "DROP INDEX a, ADD INDEX a (b)",
        "DROP PRIMARY KEY, ADD PRIMARY KEY (a)",
        "DROP FOREIGN KEY a, ADD CONSTRAINT a FOREIGN KEY (b) REFERENCES u (c)",
        "DROP a, CHANGE b a INT",
        "CHANGE a b INT, CHANGE b a INT",
        "CHANGE a A INT FIRST",
        "MODIFY a INT FIRST",
        "ADD a INT, ADD b INT AFTER a",
    ] {
        assert_eq!(told(&format!("ALTER TABLE t {change}"), mysql()), "alter table t", "{change}");
    }
    assert_all(
        mariadb(),
        &[
            ("ALTER SEQUENCE s RESTART WITH 5", "alter sequence s Remade"),
            ("ALTER SEQUENCE s INCREMENT 5", "alter sequence s"),
            ("CREATE OR REPLACE SEQUENCE s", "create sequence s Replaces"),
            ("ALTER TABLE t DROP COLUMN IF EXISTS a, ADD COLUMN IF NOT EXISTS a INT", "alter table t Remade"),
        ],
    );
}

#[test]
fn a_change_of_partitions_says_so() {
    for change in
        ["DROP PARTITION p", "PARTITION BY HASH (a)", "REMOVE PARTITIONING", "ADD PARTITION PARTITIONS 2"]
    {
        assert_eq!(told(&format!("ALTER TABLE t {change}"), mysql()), "alter table t Partitions", "{change}");
    }
    assert_eq!(told("ALTER TABLE t ADD `partition` INT COMMENT 'partition'", mysql()), "alter table t");
}

#[test]
fn an_event_whose_time_may_be_over_passes() {
    assert_all(
        mysql(),
        &[
            ("CREATE EVENT e ON SCHEDULE AT NOW() DO SELECT 1", "create event e Passes"),
            ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY ENDS NOW() DO SELECT 1", "create event e Passes"),
            ("CREATE EVENT e ON SCHEDULE AT NOW() ON COMPLETION PRESERVE DO SELECT 1", "create event e"),
        ],
    );
}
