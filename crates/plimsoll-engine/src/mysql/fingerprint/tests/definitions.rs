//! Definitions, each with what has to be there before it.

use plimsoll_testkit::server::Flavour;

/// What is there before a statement, and the statement.
pub(super) type Case = (&'static str, &'static str);

const SHIP: &str = "CREATE TABLE port (id INT PRIMARY KEY); CREATE TABLE ship (id INT AUTO_INCREMENT PRIMARY KEY, \
    a INT DEFAULT 1, b VARCHAR(20) COMMENT 'b', c INT, KEY by_a (a), KEY by_c (c), \
    KEY by_b (b), CONSTRAINT of_port FOREIGN KEY (c) REFERENCES port (id)) COMMENT='s'; INSERT INTO ship (a) VALUES (7), (8)";
const LIKE_SHIP: &str = "CREATE TABLE ship (a INT); CREATE TABLE new_ship LIKE ship";
const PAIR: &str = "CREATE TABLE pair (a INT, b INT); INSERT INTO pair VALUES (1, 2)";
const YEARS: &str = "CREATE TABLE years (y INT) PARTITION BY RANGE (y) \
    (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))";
const HASHED: &str = "CREATE TABLE hashed (h INT) PARTITION BY HASH (h) PARTITIONS 4";
const OTHERS: &str = "CREATE TABLE ship (a INT); CREATE VIEW seen AS SELECT a FROM ship; \
    CREATE PROCEDURE sail() SELECT 1; CREATE FUNCTION tons() RETURNS INT DETERMINISTIC RETURN 1; \
    CREATE TRIGGER weighed BEFORE INSERT ON ship FOR EACH ROW SET NEW.a = 2; \
    CREATE EVENT tide ON SCHEDULE EVERY 1 DAY DO SELECT 1";
const MYISAM: &str = "CREATE TABLE old (a INT, b TEXT, KEY by_a (a)) ENGINE=MyISAM";
const SEQUENCE: &str = "CREATE SEQUENCE numbers START WITH 5";
const VERSIONED: &str = "CREATE TABLE kept (a INT) WITH SYSTEM VERSIONING";

/// Of both servers, and seen in the catalog.
const SEEN: [Case; 79] = [
    ("", "CREATE TABLE made (a INT)"),
    ("", "CREATE TABLE IF NOT EXISTS made (a INT) ROW_FORMAT=COMPRESSED"),
    ("", "CREATE TABLE made (a INT) PARTITION BY KEY (a) PARTITIONS 2"),
    (SHIP, "CREATE TABLE made LIKE ship"),
    (SHIP, "ALTER TABLE ship ADD COLUMN d INT"),
    (SHIP, "ALTER TABLE ship ADD COLUMN (d INT, e INT)"),
    (SHIP, "ALTER TABLE ship ADD d INT AFTER a"),
    (SHIP, "ALTER TABLE ship ADD g INT AS (a + 1) VIRTUAL"),
    (SHIP, "ALTER TABLE ship ADD g INT GENERATED ALWAYS AS (a + 1) STORED"),
    (SHIP, "ALTER TABLE ship DROP COLUMN b"),
    (SHIP, "ALTER TABLE ship MODIFY a INT DEFAULT 1 FIRST"),
    (SHIP, "ALTER TABLE ship MODIFY COLUMN a BIGINT NOT NULL"),
    (SHIP, "ALTER TABLE ship MODIFY b VARCHAR(20) COMMENT 'c'"),
    (SHIP, "ALTER TABLE ship MODIFY b VARCHAR(20) CHARACTER SET latin1 COMMENT 'b'"),
    (SHIP, "ALTER TABLE ship MODIFY b VARCHAR(20) COLLATE utf8mb4_bin COMMENT 'b'"),
    (SHIP, "ALTER TABLE ship CHANGE a z INT DEFAULT 1"),
    (SHIP, "ALTER TABLE ship CHANGE a A INT DEFAULT 1"),
    (SHIP, "ALTER TABLE ship RENAME COLUMN a TO z"),
    (SHIP, "ALTER TABLE ship RENAME COLUMN a TO b, RENAME COLUMN b TO a"),
    (SHIP, "ALTER TABLE ship ALTER COLUMN a SET DEFAULT 2"),
    (SHIP, "ALTER TABLE ship ALTER a DROP DEFAULT"),
    (SHIP, "ALTER TABLE ship ADD INDEX (a)"),
    (SHIP, "ALTER TABLE ship ADD UNIQUE KEY (a, id)"),
    (SHIP, "ALTER TABLE ship ADD FULLTEXT INDEX words (b)"),
    (SHIP, "ALTER TABLE ship DROP INDEX by_a"),
    (SHIP, "ALTER TABLE ship RENAME INDEX by_a TO by_z"),
    (SHIP, "ALTER TABLE ship DROP PRIMARY KEY, ADD PRIMARY KEY (id, a)"),
    (SHIP, "ALTER TABLE ship DROP INDEX by_a, ADD INDEX by_a (a, b)"),
    (SHIP, "CREATE INDEX by_ab ON ship (a, b)"),
    (SHIP, "CREATE INDEX start ON ship (b(3))"),
    (SHIP, "CREATE INDEX told ON ship (a) COMMENT 'told'"),
    (SHIP, "CREATE UNIQUE INDEX once ON ship (a) USING BTREE"),
    (SHIP, "DROP INDEX by_a ON ship"),
    (SHIP, "ALTER TABLE ship DROP FOREIGN KEY of_port"),
    (SHIP, "ALTER TABLE ship ADD CONSTRAINT second FOREIGN KEY (c) REFERENCES port (id) ON DELETE CASCADE"),
    (SHIP, "ALTER TABLE ship COMMENT 'ships'"),
    (SHIP, "ALTER TABLE ship CONVERT TO CHARACTER SET latin1"),
    (SHIP, "ALTER TABLE ship DEFAULT CHARACTER SET latin1"),
    (SHIP, "ALTER TABLE ship COLLATE utf8mb4_bin"),
    (SHIP, "ALTER TABLE ship ROW_FORMAT=COMPACT"),
    (SHIP, "ALTER TABLE ship KEY_BLOCK_SIZE=8"),
    (SHIP, "ALTER TABLE ship STATS_PERSISTENT=0"),
    (SHIP, "ALTER TABLE ship STATS_SAMPLE_PAGES=3"),
    (SHIP, "ALTER TABLE ship MAX_ROWS=1000, AVG_ROW_LENGTH=30"),
    (SHIP, "ALTER TABLE ship RENAME TO boat"),
    (SHIP, "ALTER TABLE ship ADD d INT, RENAME boat"),
    (SHIP, "RENAME TABLE ship TO boat"),
    (LIKE_SHIP, "RENAME TABLE ship TO old_ship, new_ship TO ship"),
    (SHIP, "DROP TABLE ship"),
    (SHIP, "DROP TABLE IF EXISTS nothing, ship, port"),
    (MYISAM, "ALTER TABLE old ENGINE=InnoDB"),
    (MYISAM, "ALTER TABLE old CHECKSUM=1, DELAY_KEY_WRITE=1, PACK_KEYS=1"),
    (YEARS, "ALTER TABLE years ADD PARTITION (PARTITION p2 VALUES LESS THAN (30))"),
    (YEARS, "ALTER TABLE years DROP PARTITION p0"),
    (YEARS, "ALTER TABLE years REORGANIZE PARTITION p0, p1 INTO (PARTITION p VALUES LESS THAN (20))"),
    (YEARS, "ALTER TABLE years REMOVE PARTITIONING"),
    (YEARS, "ALTER TABLE years PARTITION BY LIST (y) (PARTITION p0 VALUES IN (NULL, 1))"),
    (HASHED, "ALTER TABLE hashed COALESCE PARTITION 2"),
    (HASHED, "ALTER TABLE hashed ADD PARTITION PARTITIONS 2"),
    (OTHERS, "CREATE VIEW made AS SELECT 1"),
    (OTHERS, "CREATE OR REPLACE VIEW seen AS SELECT 2"),
    (OTHERS, "ALTER VIEW seen AS SELECT a, 1 FROM ship"),
    (OTHERS, "ALTER SQL SECURITY INVOKER VIEW seen AS SELECT a FROM ship"),
    (OTHERS, "DROP VIEW seen"),
    (OTHERS, "DROP TABLE ship; DROP VIEW seen"),
    (OTHERS, "CREATE PROCEDURE made(IN n INT) BEGIN SELECT n; END"),
    (OTHERS, "ALTER PROCEDURE sail COMMENT 'sails'"),
    (OTHERS, "ALTER FUNCTION tons SQL SECURITY INVOKER"),
    (OTHERS, "CREATE FUNCTION made() RETURNS INT DETERMINISTIC RETURN 2"),
    (OTHERS, "DROP PROCEDURE sail"),
    (OTHERS, "DROP FUNCTION tons"),
    (OTHERS, "CREATE TRIGGER made AFTER DELETE ON ship FOR EACH ROW SET @a = 1"),
    (OTHERS, "DROP TRIGGER weighed"),
    (OTHERS, "CREATE EVENT made ON SCHEDULE EVERY 1 HOUR DO SELECT 1"),
    (OTHERS, "ALTER EVENT tide ON SCHEDULE EVERY 2 DAY"),
    (OTHERS, "ALTER EVENT tide DISABLE"),
    (OTHERS, "ALTER EVENT tide RENAME TO flood"),
    (OTHERS, "DROP EVENT tide"),
    ("", "ALTER DATABASE CHARACTER SET latin1"),
];

/// The same of MySQL only.
const SEEN_MYSQL: [Case; 6] = [
    (SHIP, "ALTER TABLE ship ALTER INDEX by_a INVISIBLE"),
    (SHIP, "ALTER TABLE ship ADD INDEX falling (a DESC)"),
    (SHIP, "CREATE INDEX by_half ON ship ((a / 2))"),
    (SHIP, "ALTER TABLE ship ADD d INT DEFAULT (a + 1)"),
    (SHIP, "ALTER TABLE ship COMPRESSION='zlib'"),
    ("CREATE TABLE shape (g POINT)", "ALTER TABLE shape MODIFY g POINT SRID 4326"),
];

/// The same of MariaDB only.
const SEEN_MARIADB: [Case; 24] = [
    ("", "CREATE OR REPLACE TABLE made (a INT)"),
    (SHIP, "CREATE TABLE made AS SELECT * FROM ship"),
    (SHIP, "ALTER TABLE ship ADD CONSTRAINT light CHECK (a < 100)"),
    (SHIP, "ALTER TABLE ship ADD COLUMN IF NOT EXISTS d INT DEFAULT (a + 1)"),
    (SHIP, "ALTER TABLE ship DROP COLUMN IF EXISTS b"),
    (SHIP, "ALTER TABLE ship ADD d INT INVISIBLE"),
    (SHIP, "ALTER TABLE ship ALTER INDEX by_a IGNORED"),
    (SHIP, "ALTER TABLE ship ADD d TEXT COMPRESSED"),
    (SHIP, "ALTER TABLE ship PAGE_COMPRESSED=1"),
    (SHIP, "ALTER TABLE ship ADD SYSTEM VERSIONING"),
    (SHIP, "ALTER TABLE IF EXISTS ship WAIT 5 ADD d INT"),
    (SHIP, "RENAME TABLE IF EXISTS nothing TO other, ship TO boat"),
    (SHIP, "CREATE INDEX IF NOT EXISTS made ON ship (a)"),
    (SHIP, "DROP INDEX IF EXISTS by_a ON ship"),
    (VERSIONED, "ALTER TABLE kept DROP SYSTEM VERSIONING"),
    (VERSIONED, "ALTER TABLE kept PARTITION BY SYSTEM_TIME INTERVAL 1 DAY AUTO PARTITIONS 3"),
    (YEARS, "ALTER TABLE years CONVERT PARTITION p0 TO TABLE past"),
    (PAIR, "ALTER TABLE pair DROP COLUMN a, ADD COLUMN d INT, ALGORITHM=INSTANT"),
    ("", "CREATE SEQUENCE made"),
    (SEQUENCE, "ALTER SEQUENCE numbers INCREMENT BY 5"),
    (SEQUENCE, "ALTER SEQUENCE numbers MAXVALUE 1000 CYCLE"),
    (SEQUENCE, "DROP SEQUENCE numbers"),
    (OTHERS, "CREATE OR REPLACE PROCEDURE sail() SELECT 2"),
    (OTHERS, "ALTER DATABASE COMMENT 'all of it'"),
];

/// What neither server shows in its catalog, and may therefore be run twice.
const UNSEEN: [Case; 17] = [
    (SHIP, "ALTER TABLE ship FORCE"),
    (SHIP, "ALTER TABLE ship ENGINE=InnoDB"),
    (SHIP, "ALTER TABLE ship AUTO_INCREMENT=500"),
    (SHIP, "ALTER TABLE ship DROP PRIMARY KEY, ADD PRIMARY KEY (id)"),
    (SHIP, "ALTER TABLE ship DROP INDEX by_b, ADD INDEX by_b (b), ALGORITHM=COPY"),
    (SHIP, "ALTER TABLE ship MODIFY a INT DEFAULT 1"),
    (SHIP, "ALTER TABLE ship CHANGE a a INT DEFAULT 1"),
    (SHIP, "CREATE TABLE IF NOT EXISTS ship (other INT)"),
    (SHIP, "CREATE TABLE IF NOT EXISTS port SELECT 5 AS id"),
    (MYISAM, "ALTER TABLE old ORDER BY a"),
    (MYISAM, "ALTER TABLE old DISABLE KEYS"),
    (MYISAM, "ALTER TABLE old ENABLE KEYS"),
    (YEARS, "ALTER TABLE years REBUILD PARTITION p0"),
    (YEARS, "ALTER TABLE years ANALYZE PARTITION ALL"),
    (OTHERS, "CREATE OR REPLACE VIEW seen AS SELECT a FROM ship"),
    (OTHERS, "DROP TABLE IF EXISTS nothing"),
    (OTHERS, "DROP TRIGGER IF EXISTS nothing"),
];

/// The same of MySQL before 8.0.16, which reads `CHECK` and forgets it.
const UNSEEN_MYSQL: [Case; 1] = [(SHIP, "ALTER TABLE ship ADD CONSTRAINT light CHECK (a < 100)")];

/// The same of MariaDB.
const UNSEEN_MARIADB: [Case; 3] = [
    (OTHERS, "CREATE OR REPLACE TRIGGER weighed BEFORE INSERT ON ship FOR EACH ROW SET NEW.a = 2"),
    (OTHERS, "CREATE OR REPLACE FUNCTION tons() RETURNS INT DETERMINISTIC RETURN 1"),
    (SHIP, "ALTER TABLE ship ADD COLUMN IF NOT EXISTS a INT"),
];

/// What both servers may show as it was although it happened, so that nobody can tell.
const DOUBTED: [Case; 7] = [
    (LIKE_SHIP, "RENAME TABLE ship TO passing, new_ship TO ship, passing TO new_ship"),
    (PAIR, "ALTER TABLE pair DROP COLUMN b, ADD COLUMN b INT"),
    (PAIR, "ALTER TABLE pair DROP B, ADD (`b` INT), COMMENT ''"),
    (PAIR, "ALTER TABLE pair DROP a, ADD `a` INT FIRST"),
    (PAIR, "ALTER TABLE pair CHANGE a b INT, CHANGE b a INT FIRST"),
    (PAIR, "ALTER TABLE pair DROP a, CHANGE b a INT, ADD b INT"),
    ("", "CREATE EVENT once ON SCHEDULE AT '2001-01-01 00:00:00' DO SELECT 1"),
];

/// The same of MariaDB.
const DOUBTED_MARIADB: [Case; 3] = [
    ("CREATE TABLE port (id INT)", "CREATE OR REPLACE TABLE port (id INT)"),
    (SEQUENCE, "CREATE OR REPLACE SEQUENCE numbers START WITH 5"),
    (SEQUENCE, "ALTER SEQUENCE numbers RESTART"),
];

fn of(both: &[Case], flavour: Flavour, mysql: &[Case], mariadb: &[Case]) -> Vec<Case> {
    let one = if flavour.is_mysql() { mysql } else { mariadb };
    [both, one].concat()
}

/// What changes the catalog so that it is seen.
pub(super) fn seen(flavour: Flavour) -> Vec<Case> {
    let since_8_0_16: &[Case] = if flavour == Flavour::Mysql { &UNSEEN_MYSQL } else { &[] };
    [of(&SEEN, flavour, &SEEN_MYSQL, &SEEN_MARIADB), since_8_0_16.to_vec()].concat()
}

/// What is not seen, and is the same twice.
pub(super) fn unseen(flavour: Flavour) -> Vec<Case> {
    let mysql: &[Case] = if flavour == Flavour::OldMysql { &UNSEEN_MYSQL } else { &[] };
    of(&UNSEEN, flavour, mysql, &UNSEEN_MARIADB)
}

/// What happens unseen, and would do harm if it happened twice.
pub(super) fn doubted(flavour: Flavour) -> Vec<Case> {
    of(&DOUBTED, flavour, &[], &DOUBTED_MARIADB)
}
