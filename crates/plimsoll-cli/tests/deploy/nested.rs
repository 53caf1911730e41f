//! Scripts that go deeper than anybody writes: they are read, or refused, and the process does not run out of its stack.

use crate::scene::{Kind, Scene};
use plimsoll_testkit::server::{Flavour, Version};

/// Enough for eight megabytes of stack, at 280 bytes for each level; nothing that calls itself takes less.
const DEEP: usize = 30_000;

/// One for each way to cut a script into statements: MariaDB's is MySQL's.
const KINDS: [Kind; 3] = [Kind::Postgres(Version::V15), Kind::Mysql(Flavour::Mysql), Kind::Sqlite];

/// What may be inside of itself, and what ends it; behind each a statement that is to be applied with it, or not at all.
const PARTS: [(&str, &str, &str); 6] = [
    ("", "/* ", " */"),
    ("SELECT ", "(", ")"),
    ("", "BEGIN; ", "COMMIT; "),
    ("SELECT ", "CASE WHEN 1 = 1 THEN ", " END"),
    ("CREATE PROCEDURE p() ", "BEGIN ", " END;"),
    ("", "$a$", ""),
];

#[tokio::test]
async fn a_script_that_is_nested_deeply_does_not_end_the_process() {
    for kind in KINDS {
        for (before, open, close) in PARTS {
            let script = format!(
                "{before}{}1{};\nCREATE TABLE ship (n INT);\n",
                open.repeat(DEEP),
                close.repeat(DEEP)
            );
            let scene = Scene::new(kind).await.migration("1_deep", &script);
            let run = scene.run(&["deploy"]);
            let applied = scene.applied().await;
            match run.code() {
                Some(0) => assert_eq!(applied, ["1_deep"], "{kind:?} {open}"),
                Some(65) => assert!(applied.is_empty(), "{kind:?} {open}"),
                _ => panic!("{kind:?} {open}: {:?} {:?}\n{:.2000}", run.code(), run.signal(), run.stderr),
            }
        }
    }
}
