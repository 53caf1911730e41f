//! What holds for every text.

use proptest::prelude::*;

use super::*;

fn servers() -> impl Strategy<Value = Server> {
    const MODES: [&str; 4] = ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"];
    const VERSIONS: [&str; 2] = ["8.0.15", "10.11.19-MariaDB"];
    (proptest::sample::select(&VERSIONS), proptest::sample::select(&MODES))
        .prop_map(|(version, mode)| Server::parse(version, mode))
}

/// What decides where a statement ends.
const PIECES: &[&str] = &[
    ";",
    "'",
    "\"",
    "`",
    "\\",
    "\n",
    " ",
    "-- ",
    "#",
    "/*",
    "*/",
    "/*!",
    "/*!50001 ",
    "/*M!100100 ",
    "/*!99999 ",
    "DELIMITER //\n",
    "DELIMITER ;\n",
    "//",
    "CREATE PROCEDURE p() ",
    "CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW ",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO ",
    "BEGIN ",
    "END ",
    "END IF",
    "IF a THEN ",
    "ELSE ",
    "CASE ",
    "WHEN ",
    "LOOP ",
    "REPEAT ",
    "UNTIL ",
    "WHILE a DO ",
    "DECLARE EXIT HANDLER FOR NOT FOUND ",
    "NOT ATOMIC ",
    "x: ",
    "SELECT ",
    "SET sql_mode = ",
    "'ANSI_QUOTES'",
    "@a",
    "@@sql_mode",
    "=",
    ":=",
    ",",
    "(",
    ")",
    "1",
    "ä",
    "\u{feff}",
    "\0",
    "\r",
    "PREPARE p FROM 'SELECT 1'",
    "EXECUTE p",
    "CREATE TEMPORARY TABLE t (a INT)",
    "INSERT INTO t VALUES (1)",
    "ALTER TABLE ",
    "DROP TABLE a, b",
    "RENAME TABLE a TO b",
    "USE d",
    ".",
    "INTO ",
    "CREATE OR REPLACE DEFINER = ",
];

/// Texts made of what decides where a statement ends.
fn scripts() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn statements_stand_in_order_and_are_what_the_text_holds(text in scripts(), server in servers()) {
        let Ok(statements) = split(&text, &server) else { return Ok(()) };
        let mut end = 0;
        for statement in &statements {
            prop_assert!(end <= statement.span.start && statement.span.start < statement.span.end);
            prop_assert_eq!(&text[statement.span.clone()], statement.text);
            prop_assert_eq!(statement.text.trim(), statement.text);
            end = statement.span.end;
        }
    }

    #[test]
    fn what_was_cut_and_is_put_together_is_cut_the_same_way(text in scripts(), server in servers()) {
        // What the client ends may be no whole statement to the server.
        let text = text.replace("DELIMITER", "'a;b'");
        let Ok(statements) = split(&text, &server) else { return Ok(()) };
        let texts: Vec<_> = statements.iter().map(|statement| statement.text).collect();
        // The mark of an editor is one at the start of a text only.
        let together = format!(";{}", texts.join("\n;\n"));
        let again: Vec<_> = split(&together, &server).unwrap().into_iter().map(|statement| statement.text.to_owned()).collect();
        prop_assert_eq!(again, texts);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*", server in servers()) {
        let _ = split(&text, &server);
    }

    #[test]
    fn a_resume_runs_nothing_again_that_changes_the_database(text in scripts(), server in servers(), from in 0..8_usize) {
        let Ok(statements) = split(&text, &server) else { return Ok(()) };
        for statement in carried_over(&statements, from).unwrap_or_default() {
            let harmless = matches!(statement.effect, Effect::Setting | Effect::Carried | Effect::CarriedAlone | Effect::Control(_));
            prop_assert!(harmless, "{:?}", statement);
        }
    }
}
