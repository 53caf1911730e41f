//! Scripts that nobody has thought of: statements and bodies put together at random, with what looks like an end of them in
//! strings, names and comments.

use fastrand::Rng;

use crate::script::Script;

/// How many scripts a run sends to each server.
const SCRIPTS: u64 = 200;

/// What may stand between two tokens.
const BLANKS: [&str; 10] = [
    " ",
    "\n",
    "\t",
    " /* ; */ ",
    " -- end; \n",
    " # '; \n",
    "\r\n",
    " /**/ ",
    " /*!99999 ; end; */ ",
    " --\t`\n",
];

/// Expressions.
const VALUES: [&str; 15] = [
    "1",
    "'a;b'",
    "\"c;d\"",
    "'it''s; '",
    "'it\\'s; '",
    "\"\"\";\"",
    "@a",
    "IF(1, 2, 3)",
    "REPEAT('x;', 2)",
    "CASE 1 WHEN 1 THEN 2 END",
    "CASE WHEN 1 THEN CASE 2 WHEN 3 THEN 'end' ELSE 4 END ELSE 5 END",
    "(SELECT end FROM (SELECT 1 AS end) AS `begin`)",
    "(SELECT 1 AS `case`)",
    "/*!40101 1 + */ 2",
    "_utf8mb4'x;'",
];

/// The same scripts each time, so that a difference can be looked into.
pub(crate) fn scripts() -> impl Iterator<Item = Script> {
    (0..SCRIPTS).map(|seed| Script { name: format!("generated from {seed}"), mode: "", text: Text::of(seed) })
}

struct Text {
    random: Rng,
    labels: usize,
}

impl Text {
    fn of(seed: u64) -> String {
        let mut text = Self { random: Rng::with_seed(seed), labels: 0 };
        let statements = text.random.usize(1..6);
        (0..statements).map(|n| text.statement(n) + text.blank() + ";" + text.blank()).collect()
    }

    fn blank(&mut self) -> &'static str {
        BLANKS[self.random.usize(..BLANKS.len())]
    }

    /// These words with blanks between them.
    fn words(&mut self, words: &[&str]) -> String {
        words.iter().map(|word| (*word).to_owned() + self.blank()).collect()
    }

    fn value(&mut self) -> &'static str {
        VALUES[self.random.usize(..VALUES.len())]
    }

    fn statement(&mut self, n: usize) -> String {
        let name = format!("p{n}");
        match self.random.u8(..4) {
            0 => self.query(),
            1 => {
                let body = self.body(4);
                self.words(&["CREATE", "PROCEDURE", &name, "()", "COMMENT", "'begin; end'", &body])
            }
            2 => {
                let body = self.block(3, "RETURN 1;");
                self.words(&[
                    "CREATE",
                    "FUNCTION",
                    &name,
                    "(",
                    "a",
                    "INT",
                    ")",
                    "RETURNS INT",
                    "NO SQL",
                    &body,
                ])
            }
            _ => {
                let body = self.body(3);
                self.words(&["CREATE", "EVENT", &name, "ON SCHEDULE EVERY 1 DAY", "DISABLE", "DO", &body])
            }
        }
    }

    fn query(&mut self) -> String {
        let value = self.value();
        self.words(&["SELECT", value, ",", value])
    }

    /// One statement of a body.
    fn body(&mut self, depth: usize) -> String {
        let value = self.value();
        if depth == 0 {
            return self.words(&["SET", "@a", "=", value]);
        }
        let (one, two) = (self.list(depth - 1), self.list(depth - 1));
        self.labels += 1;
        let label = format!("l{}", self.labels);
        match self.random.u8(..9) {
            0 => self.block(depth, ""),
            1 => self.words(&["IF", value, "THEN", &one, "ELSEIF", value, "THEN", &two, "END", "IF"]),
            2 => self.words(&["IF", value, "THEN", &one, "ELSE", &two, "END", "IF"]),
            3 => self.words(&["CASE", value, "WHEN", value, "THEN", &one, "ELSE", &two, "END", "CASE"]),
            4 => self.words(&["CASE", "WHEN", value, "THEN", &one, "WHEN 2 THEN", &two, "END CASE"]),
            5 => self.words(&["WHILE", value, "DO", &one, "END", "WHILE"]),
            6 => self.words(&["REPEAT", &one, "UNTIL", value, "END", "REPEAT"]),
            7 => self.words(&[&label, ":", "LOOP", &one, "LEAVE", &label, ";", "END", "LOOP", &label]),
            _ => self.words(&["SET", "@a", "=", value]),
        }
    }

    fn list(&mut self, depth: usize) -> String {
        let statements = self.random.usize(1..3);
        (0..statements).map(|_| self.body(depth) + ";" + self.blank()).collect()
    }

    /// A block with declarations, which ends with these statements.
    fn block(&mut self, depth: usize, last: &str) -> String {
        let handler = self.body(depth.saturating_sub(1));
        let statements = self.list(depth.saturating_sub(1));
        let caught =
            ["NOT FOUND", "SQLEXCEPTION, SQLWARNING", "SQLSTATE '02000'", "SQLSTATE VALUE '23000', 1051"];
        let condition = caught[self.random.usize(..caught.len())];
        match self.random.u8(..3) {
            0 => self.words(&["BEGIN", &statements, last, "END"]),
            1 => self.words(&[
                "BEGIN",
                "DECLARE",
                "end INT DEFAULT CASE 1 WHEN 1 THEN 2 END;",
                &statements,
                last,
                "END",
            ]),
            _ => self.words(&[
                "BEGIN",
                "DECLARE CONTINUE HANDLER FOR",
                condition,
                &handler,
                ";",
                &statements,
                last,
                "END",
            ]),
        }
    }
}
