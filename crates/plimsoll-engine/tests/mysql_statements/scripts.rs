//! Scripts that a server runs without an error, so that it sees all of their statements.
//!
//! The fuzz targets begin with them too, so that nothing but text may stand here.

/// A name, the `sql_mode` that its session begins with, and the text.
pub(crate) type Case = (&'static str, &'static str, &'static str);

/// What both servers take in one message.
pub(crate) const MESSAGES: &[Case] = &[
    ("two", "", "SELECT 1; SELECT 2"),
    ("blanks", "", "\r\n \t SELECT 1\r\n;\r\n\x0b\x0cSELECT 2 \r\n"),
    ("line comments", "", "# a; b\nSELECT 1; -- c; d\nSELECT 2 --\t; x\n+ 1; --\nSELECT 3 # '\n"),
    ("no comment", "", "SELECT 1--1; SELECT 5 --5; SELECT 6 - -6"),
    ("a dash before a control character", "", "SELECT 1 --\x01; x\n; SELECT 2"),
    ("block comments", "", "/* a; b */ SELECT /* ; ' */ 1 /* ` */; SELECT /**/ 2 /* /* */"),
    ("a comment of its own at the end", "", "SELECT 1; /* nothing; more */"),
    ("hints", "", "SELECT /*+ MAX_EXECUTION_TIME(1000) */ 1; SELECT /*+ x; y */ 2"),
    ("strings", "", r#"SELECT 'a;b', "c;d", 'it''s;', "say ""x;""", 'it\'s;', "\";", '\\'; SELECT ';'"#),
    ("strings of several lines", "", "SELECT 'a\n;\nb'; SELECT '-- x\n', '/* x', '# x'"),
    ("strings side by side", "", "SELECT 'a' 'b;' \"c;\"; SELECT 2"),
    ("introducers", "", "SELECT _utf8mb4'a;b', N'c;d', x'3B', X'3b', b'101', _binary'\\';', n'e;'; SELECT 2"),
    ("names", "", "SELECT 1 AS `a;b`, 2 AS `c``;d`, 3 AS `e\\`; SELECT 4 AS `\";`, 5 AS `';`"),
    (
        "variables",
        "",
        "SET @a = 1, @`b;c` = 2, @'d;e' = 3, @\"f;g\" = 4; SELECT @a, @`b;c`, @'d;e', @\"f;g\"",
    ),
    ("system variables", "", "SET @@SESSION.sql_mode = @@GLOBAL.sql_mode; SELECT @@`sql_mode`; SELECT 1"),
    ("letters of the world", "", "SELECT 'grün;ß'; SELECT 1 AS größe; SELECT '日本;語'; SELECT 2 AS `日;本`"),
    (
        "numbers and names",
        "",
        "CREATE TABLE 2fa (1a INT, e1 INT); SELECT 1e5, .5, 0x3b, 0b1, 1., 1a FROM 2fa; DROP TABLE 2fa",
    ),
    (
        "code in comments",
        "",
        "/*! SELECT 1 */; /*!40101 SELECT 2 */; SELECT /*!50001 3 */; SELECT 4 /*!99999 , x; */",
    ),
    (
        "strings in code in comments",
        "",
        "/*!40101 SELECT '*/;', \"*/\", `*/` FROM (SELECT 1 AS `*/`) t */; SELECT 2",
    ),
    ("comments in code in comments", "", "SELECT /*!40101 1 /* one; */ + 1 */; SELECT 2"),
    ("comments in what is skipped", "", "SELECT 1 /*!99999 /* one; */ two; */; SELECT 2"),
    ("code in the middle", "", "SELECT 1 /*!40101 + 1 */ + 1; SELECT 2"),
    ("comments before the first", "", "-- AlterTable\n/* ; */\n# ;\nSELECT 1"),
    (
        "case",
        "",
        "SELECT CASE WHEN 1 THEN 2 ELSE 3 END; SELECT CASE 1 WHEN 1 THEN CASE 2 WHEN 2 THEN 3 END END; SELECT 4",
    ),
    (
        "functions with words of blocks",
        "",
        "SELECT IF(1, 2, 3), REPEAT('x;', 2), REPLACE('a', 'b', 'c'); SELECT 4",
    ),
    (
        "transactions",
        "",
        "BEGIN; SELECT 1; COMMIT; START TRANSACTION; SELECT 2; ROLLBACK; BEGIN WORK; COMMIT WORK",
    ),
    (
        "savepoints",
        "",
        "START TRANSACTION; SAVEPOINT a; ROLLBACK TO a; RELEASE SAVEPOINT a; COMMIT; SELECT 1",
    ),
    ("xa", "", "XA BEGIN 'x;'; XA END 'x;'; XA ROLLBACK 'x;'; SELECT 1"),
    (
        "names that are words of blocks",
        "",
        "CREATE TABLE t (`begin` INT, end INT, start INT, `case` INT); SELECT t.end, end FROM t; DROP TABLE t; SELECT 1",
    ),
    ("prisma", "", PRISMA),
    ("mysqldump", "", DUMP),
    (
        "modes that change",
        "",
        "SET sql_mode = 'ANSI_QUOTES'; SELECT 1 AS \"a;\\\"; SET sql_mode = ''; SELECT \"\\\";\"; SELECT 2",
    ),
    (
        "modes that are kept",
        "",
        "SET @old = @@sql_mode, sql_mode = 'ANSI_QUOTES'; SELECT 1 AS \"\\\"; SET sql_mode = @old; SELECT \"\\\";\"; SELECT 2",
    ),
    (
        "modes that are added",
        "",
        "SET sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES'); SELECT '\\'; SELECT 2; SET sql_mode = REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', ''); SELECT '\\';'; SELECT 3",
    ),
    (
        "modes as names",
        "",
        "SET sql_mode = ANSI_QUOTES; SELECT 1 AS \"\\\"; SET sql_mode = DEFAULT; SELECT \"\\\";\"; SELECT 2",
    ),
    ("modes as numbers", "", "SET sql_mode = 4; SELECT 1 AS \"\\\"; SELECT 2"),
    (
        "plain backslashes",
        "NO_BACKSLASH_ESCAPES",
        "SELECT '\\'; SELECT \"a\\\"; SELECT @'x\\'; SELECT '\\\\'",
    ),
    (
        "names in double quotes",
        "ANSI_QUOTES",
        "SELECT 1 AS \"a;b\", 2 AS \"c\"\";d\", 3 AS \"e\\\"; SELECT 'x\\';'",
    ),
    ("both", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "SELECT 1 AS \"a;\\\"; SELECT 'x\\'; SELECT 2"),
];

/// What only MySQL takes so, or logs so: MariaDB logs what is executed as well.
pub(crate) const OF_MYSQL: &[Case] = &[
    (
        "prepared",
        "",
        "SET @s = 'SELECT 1; '; SET @s = 'SELECT 1'; PREPARE p FROM @s; EXECUTE p; DEALLOCATE PREPARE p; SELECT 2",
    ),
    ("the pattern of conditional changes", "", CONDITIONAL),
    ("comments of the other", "", "SELECT 1 /*M! + 1; */; SELECT 2 /*M!100100 ; */"),
    ("versions", "", "SELECT 1 /*!80000 + 1 */ /*!80015 + 2 */ /*!80099 ; */; SELECT 2"),
];

/// What is code up to the version of a server of the tests, and a comment from the next one on.
pub(crate) const OF_8_0_31: &[Case] =
    &[("8.0.31 and the next", "", "SELECT 1 /*!80031 + 2 */ /*!80032 + ; */; SELECT 2")];

/// The same.
pub(crate) const OF_8_0_15: &[Case] =
    &[("8.0.15 and the next", "", "SELECT 1 /*!80015 + 2 */ /*!80016 + ; */; SELECT 2")];

/// What only MariaDB takes so.
pub(crate) const OF_MARIADB: &[Case] = &[
    (
        "comments of the other",
        "",
        "SELECT 1 /*!50700 ; */ /*!80000 ; */ /*!99999 ; */; SELECT 2 /*!50699 + 1 */",
    ),
    (
        "comments of its own",
        "",
        "SELECT 1 /*M! + 1 */; SELECT 2 /*M!100100 + 1 */ /*!100100 + 2 */ /*M!999999 ; */",
    ),
    ("the line of the sandbox", "", "/*M!999999\\- enable the sandbox mode */ \nSELECT 1; SELECT 2"),
    ("null", "", "SELECT \\N; SELECT 2"),
];

/// What only the client program takes: it knows `DELIMITER`.
pub(crate) const CLIENT: &[Case] = &[
    ("two, by the client", "", "SELECT 1;\nSELECT 2;\n"),
    ("no end", "", "SELECT 1;\nSELECT 2"),
    (
        "a trigger",
        "",
        "CREATE TABLE t (a INT);\nDELIMITER //\nCREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW\nBEGIN\n  SET NEW.a = 1;\n  SET NEW.a = '//';\nEND//\nDELIMITER ;\nSELECT 1;\n",
    ),
    (
        "several",
        "",
        "DELIMITER $$\nCREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\nEND$$\n\n-- a comment $$\nCREATE PROCEDURE q() SELECT 1$$\nDELIMITER ;\nDROP PROCEDURE p;\nDROP PROCEDURE q;\n",
    ),
    (
        "small letters and carriage returns",
        "",
        "delimiter ;;\r\nCREATE PROCEDURE p()\r\nBEGIN\r\n  SELECT 1;\r\nEND;;\r\nDelimiter ;\r\nSELECT 1;\r\n",
    ),
    ("quotes around it", "", "DELIMITER '//'\nSELECT 1//\nDELIMITER ';'\nSELECT 2;\n"),
    ("one that is a word", "", "DELIMITER go\nSELECT 1 go\nSELECT 'go' go\nDELIMITER ;\nSELECT 2;\n"),
    ("one that is a bar", "", "DELIMITER |\nSELECT 1|\nSELECT '|'|\nDELIMITER ;\nSELECT 2;\n"),
    ("twice", "", "DELIMITER //\nDELIMITER $$\nSELECT 1$$\nDELIMITER ;\nDELIMITER ;\nSELECT 2;\n"),
    (
        "comments",
        "",
        "-- a\nDELIMITER //\n/* // */ SELECT /* // */ 1 -- //\n//\n# //\nDELIMITER ;\nSELECT 2;\n",
    ),
    ("a dump with routines", "", ROUTINES),
    ("a dump by the client", "", DUMP),
];

const CONDITIONAL: &str = "CREATE TABLE t (a INT);
SET @found = (SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't' AND COLUMN_NAME = 'b');
SET @sql = IF(@found = 0, 'ALTER TABLE t ADD COLUMN b INT', 'SELECT ''it is there;''');
PREPARE change_it FROM @sql;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;
DROP TABLE t;
";

const PRISMA: &str = "-- CreateTable
CREATE TABLE `User` (
    `id` INTEGER NOT NULL AUTO_INCREMENT,
    `email` VARCHAR(191) NOT NULL,
    `role` ENUM('USER;', 'ADMIN') NOT NULL DEFAULT 'USER;',
    `bio` TEXT NULL,
    `data` JSON NULL,
    `createdAt` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),

    UNIQUE INDEX `User_email_key`(`email`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- CreateTable
CREATE TABLE `Post` (
    `id` INTEGER NOT NULL AUTO_INCREMENT,
    `title` VARCHAR(191) NOT NULL,
    `authorId` INTEGER NOT NULL,

    FULLTEXT INDEX `Post_title_idx`(`title`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- AddForeignKey
ALTER TABLE `Post` ADD CONSTRAINT `Post_authorId_fkey` FOREIGN KEY (`authorId`) REFERENCES `User`(`id`) ON DELETE RESTRICT ON UPDATE CASCADE;

/*
  Warnings:

  - You are about to drop the column `bio` on the `User` table; all the data in the column will be lost.

*/
-- DropForeignKey
ALTER TABLE `Post` DROP FOREIGN KEY `Post_authorId_fkey`;

-- AlterTable
ALTER TABLE `User` DROP COLUMN `bio`,
    ADD COLUMN `name` VARCHAR(191) NULL DEFAULT 'it''s';

-- CreateIndex
CREATE INDEX `User_name_idx` ON `User`(`name`);

-- RenameIndex
ALTER TABLE `User` RENAME INDEX `User_email_key` TO `User_mail_key`;

-- DropTable
DROP TABLE `Post`;
";

const DUMP: &str = "-- MySQL dump 10.13
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;

--
-- Table structure for table `items`
--

DROP TABLE IF EXISTS `items`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `items` (
  `id` int NOT NULL,
  `name` varchar(50) DEFAULT NULL COMMENT 'what; it is',
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
/*!40101 SET character_set_client = @saved_cs_client */;

LOCK TABLES `items` WRITE;
/*!40000 ALTER TABLE `items` DISABLE KEYS */;
INSERT INTO `items` VALUES (1,'a;b'),(2,'it\\'s; \\\\'),(3,'\\0\\n;'),(4,NULL);
/*!40000 ALTER TABLE `items` ENABLE KEYS */;
UNLOCK TABLES;
/*!50001 CREATE VIEW `v` AS SELECT 1 AS `id` */;
/*!50001 DROP VIEW IF EXISTS `v`*/;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 SQL SECURITY DEFINER */
/*!50001 VIEW `v` AS select `items`.`id` AS `id` from `items` */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
-- Dump completed
";

const ROUTINES: &str = "CREATE TABLE items (id INT, name VARCHAR(10));
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'STRICT_TRANS_TABLES' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=CURRENT_USER*/ /*!50003 TRIGGER `t` BEFORE INSERT ON `items` FOR EACH ROW BEGIN
  IF NEW.name IS NULL THEN
    SET NEW.name = 'x;;';
  END IF;
END */;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50106 SET @save_time_zone= @@TIME_ZONE */ ;
DELIMITER ;;
/*!50106 CREATE*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE DO BEGIN
  DELETE FROM items;
  SELECT 1;
END */ ;;
DELIMITER ;
/*!50003 DROP PROCEDURE IF EXISTS `p` */;
DELIMITER ;;
CREATE PROCEDURE `p`(IN n INT, OUT m INT)
BEGIN
  SELECT n INTO m;
END ;;
DELIMITER ;
";

/// Bodies without a `DELIMITER`, in one message with what follows.
pub(crate) const BODIES: &[Case] = &[
    ("a simple body", "", "CREATE PROCEDURE p() SELECT 1; DROP PROCEDURE p"),
    ("a block", "", "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END; DROP PROCEDURE p"),
    ("an empty block", "", "CREATE PROCEDURE p() BEGIN END; DROP PROCEDURE p"),
    (
        "blocks in blocks",
        "",
        "CREATE PROCEDURE p() BEGIN BEGIN SELECT 1; END; BEGIN END; END; SELECT 1; DROP PROCEDURE p",
    ),
    (
        "a definer",
        "",
        "CREATE DEFINER=CURRENT_USER() PROCEDURE p() BEGIN SELECT 1; END; CREATE DEFINER=`root`@`localhost` FUNCTION f() RETURNS INT DETERMINISTIC BEGIN RETURN 1; END; CREATE DEFINER = 'a'@'b' PROCEDURE q() BEGIN END; SELECT 1",
    ),
    (
        "a function",
        "",
        "CREATE FUNCTION f(a INT, b VARCHAR(10)) RETURNS CHAR(10) CHARACTER SET utf8mb4 DETERMINISTIC RETURN IF(a > 1, REPEAT(b, 2), 'x;'); DROP FUNCTION f",
    ),
    (
        "a function that returns a set",
        "",
        "CREATE FUNCTION f() RETURNS SET('a;', 'b') NO SQL BEGIN RETURN 'b'; END; DROP FUNCTION f",
    ),
    (
        "types that a body follows at once",
        "",
        "CREATE FUNCTION f() RETURNS CHAR BEGIN DECLARE a CHAR; RETURN a; END; DROP FUNCTION f; \
         CREATE FUNCTION f() RETURNS CHAR CHARACTER SET utf8mb4 BEGIN RETURN 'a;'; END; DROP FUNCTION f; CREATE FUNCTION f() RETURNS CHAR RETURN 'a;'; DROP FUNCTION f",
    ),
    (
        "characteristics",
        "",
        "CREATE PROCEDURE p() LANGUAGE SQL NOT DETERMINISTIC READS SQL DATA SQL SECURITY INVOKER COMMENT 'begin; end' BEGIN SELECT 1; END; DROP PROCEDURE p",
    ),
    (
        "a choice",
        "",
        "CREATE PROCEDURE p(a INT) IF a = 1 THEN SELECT 1; ELSEIF a = 2 THEN SELECT 2; ELSE SELECT 3; END IF; SELECT 1; DROP PROCEDURE p",
    ),
    (
        "choices in choices",
        "",
        "CREATE PROCEDURE p(a INT) BEGIN IF a THEN IF IF(a, 1, 0) THEN SELECT 1; END IF; ELSE BEGIN END; END IF; SELECT 2; END; DROP PROCEDURE p",
    ),
    (
        "the statement case",
        "",
        "CREATE PROCEDURE p(a INT) BEGIN CASE a WHEN 1 THEN SELECT 1; WHEN 2 THEN BEGIN END; ELSE SELECT 3; SELECT 4; END CASE; CASE WHEN a THEN SELECT 5; END CASE; END; DROP PROCEDURE p",
    ),
    (
        "the expression case",
        "",
        "CREATE PROCEDURE p(a INT) BEGIN SET a = CASE a WHEN 1 THEN CASE WHEN a THEN 1 ELSE 2 END ELSE 3 END; SELECT CASE a WHEN 1 THEN 2 END, 3; END; DROP PROCEDURE p",
    ),
    (
        "a case of a case",
        "",
        "CREATE PROCEDURE p(a INT) CASE CASE a WHEN 1 THEN 2 END WHEN 1 THEN SELECT 1; END CASE; SELECT 1; DROP PROCEDURE p",
    ),
    (
        "loops",
        "",
        "CREATE PROCEDURE p() BEGIN DECLARE n INT DEFAULT 0; one: LOOP SET n = n + 1; IF n > 3 THEN LEAVE one; END IF; ITERATE one; END LOOP one; WHILE n < 9 DO SET n = n + 1; END WHILE; REPEAT SET n = n + 1; UNTIL n > 12 END REPEAT; END; DROP PROCEDURE p",
    ),
    (
        "labels",
        "",
        "CREATE PROCEDURE p() main: BEGIN `two words`: BEGIN LEAVE main; END `two words`; three:LOOP LEAVE three; END LOOP; END main; DROP PROCEDURE p",
    ),
    (
        "a loop as the body",
        "",
        "CREATE PROCEDURE p() WHILE FALSE DO SELECT 1; SELECT 2; END WHILE; CREATE PROCEDURE q() r: REPEAT SELECT 1; UNTIL CASE 1 WHEN 1 THEN TRUE END END REPEAT r; SELECT 2",
    ),
    (
        "handlers",
        "",
        "CREATE PROCEDURE p() BEGIN DECLARE done INT DEFAULT FALSE; DECLARE x CONDITION FOR SQLSTATE '42000'; DECLARE c CURSOR FOR SELECT 1; DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = TRUE; DECLARE EXIT HANDLER FOR SQLEXCEPTION, x, 1051, SQLSTATE VALUE '23000' BEGIN ROLLBACK; SELECT 1; END; OPEN c; FETCH c INTO done; CLOSE c; END; DROP PROCEDURE p",
    ),
    (
        "a handler that chooses",
        "",
        "CREATE PROCEDURE p() BEGIN DECLARE CONTINUE HANDLER FOR SQLWARNING IF 1 THEN SELECT 1; END IF; SELECT 2; END; DROP PROCEDURE p",
    ),
    (
        "columns called end",
        "",
        "CREATE TABLE t (start INT, end INT); CREATE PROCEDURE p() BEGIN SELECT end FROM t WHERE t.end > start AND end < 5; SELECT CASE WHEN start < end THEN end ELSE end END FROM t; UPDATE t SET end = end + 1; END; SELECT end FROM t; DROP TABLE t",
    ),
    (
        "triggers",
        "",
        "CREATE TABLE t (a INT); CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1; CREATE TRIGGER s BEFORE INSERT ON t FOR EACH ROW FOLLOWS r BEGIN SET NEW.a = 2; SET NEW.a = 3; END; CREATE TRIGGER u AFTER UPDATE ON t FOR EACH ROW IF NEW.a THEN SET @a = 1; END IF; DROP TABLE t",
    ),
    (
        "events",
        "",
        "CREATE EVENT e ON SCHEDULE EVERY 1 HOUR DISABLE COMMENT 'do; it' DO BEGIN SELECT 1; SELECT 2; END; ALTER EVENT e DO SELECT 3; ALTER EVENT e DO BEGIN SELECT 1; END; CREATE EVENT g ON SCHEDULE AT CURRENT_TIMESTAMP + INTERVAL 1 DAY DISABLE DO SELECT 1; DROP EVENT e; DROP EVENT g",
    ),
    (
        "transactions in a body",
        "",
        "CREATE PROCEDURE p() BEGIN START TRANSACTION; INSERT INTO mysql.db SELECT * FROM mysql.db WHERE FALSE; COMMIT; END; DROP PROCEDURE p",
    ),
    (
        "a body in a comment",
        "",
        "/*!50003 CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END */; DROP PROCEDURE p",
    ),
    (
        "a body in two comments",
        "",
        "/*!50003 CREATE*/ /*!50020 DEFINER=CURRENT_USER*/ /*!50003 PROCEDURE p() BEGIN SELECT 1; END */; DROP PROCEDURE p",
    ),
    (
        "prepared in a body",
        "",
        "CREATE PROCEDURE p() BEGIN SET @s = 'SELECT 1; '; PREPARE x FROM @s; EXECUTE x; DEALLOCATE PREPARE x; END; DROP PROCEDURE p",
    ),
    (
        "comments in a body",
        "",
        "CREATE PROCEDURE p() BEGIN -- end;\n SELECT 1; /* end; */ # end;\n END -- done\n; DROP PROCEDURE p",
    ),
];

/// What only MariaDB runs.
pub(crate) const COMPOUND: &[Case] = &[
    ("a block outside of a routine", "", "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END; SELECT 3"),
    (
        "declarations outside of a routine",
        "",
        "BEGIN NOT ATOMIC DECLARE n INT DEFAULT 1; IF n THEN SELECT 1; END IF; END; SELECT 3",
    ),
    ("a choice outside of a routine", "", "IF 1 THEN SELECT 1; ELSE SELECT 2; END IF; SELECT 3"),
    ("a loop outside of a routine", "", "WHILE FALSE DO SELECT 1; SELECT 2; END WHILE; SELECT 3"),
    ("a case outside of a routine", "", "CASE 1 WHEN 1 THEN SELECT 1; ELSE SELECT 2; END CASE; SELECT 3"),
    ("counted loops", "", "FOR n IN 1..3 DO SET @n = n; SET @m = 1; END FOR; SELECT 3"),
    ("a statement with settings", "", "SET STATEMENT max_statement_time = 100 FOR SELECT 1; SELECT 2"),
    (
        "or replace",
        "",
        "CREATE OR REPLACE PROCEDURE p() BEGIN SELECT 1; END; CREATE PROCEDURE IF NOT EXISTS p() BEGIN SELECT 1; END; DROP PROCEDURE IF EXISTS p",
    ),
];
