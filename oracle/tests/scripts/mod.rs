//! Scripts for both sides.

mod hard;

pub(crate) use hard::HARD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A script that PostgreSQL can parse.
pub(crate) fn script() -> impl Strategy<Value = String> {
    let parts = vec((statement(), blank()), 0..6);
    (blank(), parts, any::<prop::sample::Index>()).prop_map(|(start, parts, last)| {
        let mut text = start;
        let open = last.index(3) == 0;
        let count = parts.len();
        for (n, (statement, blank)) in parts.into_iter().enumerate() {
            text.push_str(&statement);
            text.push_str(if open && n + 1 == count { "" } else { ";" });
            text.push_str(&blank);
        }
        text
    })
}

/// Pieces in any order. Few of it is SQL, but what is was not thought of by anybody.
pub(crate) fn soup() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "'",
        "''",
        "E'",
        "e'",
        "U&'",
        "\"",
        "$$",
        "$a$",
        "$",
        "a$",
        "\\",
        "\\'",
        ";",
        ";",
        "(",
        ")",
        "/*",
        "*/",
        "--",
        "\n",
        "\r",
        " ",
        "SELECT 1",
        "SELECT ",
        "1",
        "a",
        "é",
        ".",
        ",",
        "AS",
        " BEGIN ",
        " ATOMIC ",
        " END ",
        "CASE WHEN ",
        " THEN ",
        "CREATE FUNCTION f() RETURNS int ",
        "CREATE PROCEDURE p() ",
        " FROM t",
        "+",
        "-",
        "*",
        "/",
        "BEGIN ATOMIC SELECT 1;",
    ];
    vec(select(PIECES), 0..12).prop_map(|pieces| pieces.concat())
}

fn statement() -> BoxedStrategy<String> {
    prop_oneof![
        4 => query(),
        2 => routine(),
        1 => (expression(), blank()).prop_map(|(value, blank)| format!("INSERT INTO t{blank}VALUES ({value})")),
        1 => dollar_quoted().prop_map(|body| format!("DO {body}")),
        1 => vec(query(), 1..4).prop_map(|actions| {
            format!("CREATE RULE r AS ON INSERT TO t DO ALSO ({})", actions.join(";"))
        }),
        1 => select(&["", "BEGIN", "COMMIT", "END", "CREATE TABLE begin (atomic int, a int)", "VACUUM t"][..])
            .prop_map(str::to_owned),
    ]
    .boxed()
}

fn query() -> BoxedStrategy<String> {
    let label = select(&["", "", " AS end", " end", " begin", " AS case", " atomic"][..]);
    (vec((expression(), blank()), 1..4), label)
        .prop_map(|(values, label)| {
            let values: Vec<_> =
                values.into_iter().map(|(value, blank)| format!("{blank}({value})")).collect();
            format!("SELECT {}{label}", values.join(","))
        })
        .boxed()
}

fn routine() -> BoxedStrategy<String> {
    const HEADS: &[&str] = &[
        "CREATE FUNCTION f() RETURNS int",
        "create or replace function begin.atomic(begin atomic) returns table (begin atomic) language sql",
        "CREATE OR REPLACE PROCEDURE p(\"end\" int)",
        "CREATE PROCEDURE p()",
    ];
    let body = prop_oneof![
        dollar_quoted().prop_map(|body| format!("LANGUAGE plpgsql AS {body}")),
        expression().prop_map(|value| format!("RETURN {value}")),
        vec((query(), blank()), 0..4).prop_map(|statements| {
            let end = |(query, blank): (String, String)| {
                [
                    query,
                    blank,
                    ";
"
                    .to_owned(),
                ]
                .concat()
            };
            let statements: Vec<_> = statements.into_iter().map(end).collect();
            format!("BEGIN ATOMIC {} END", statements.concat())
        }),
    ];
    (select(HEADS), blank(), body).prop_map(|(head, blank, body)| format!("{head}{blank}{body}")).boxed()
}

fn expression() -> BoxedStrategy<String> {
    const PLAIN: &[&str] = &[
        "1",
        "$1",
        "a$b$",
        "größe",
        "t.begin",
        "t.end",
        "t.case",
        "begin",
        "atomic",
        "\"a;\"\"'b\"",
        "U&\"d\\0061;\"",
        "U&'\\0061;'''",
        "B'01'",
        "X'1f'",
        "1 - -1",
        "1e5",
        "ARRAY[1, 2]",
        "'a'::text",
        "a->>'b;'",
        "表",
    ];
    let leaf =
        prop_oneof![select(PLAIN).prop_map(str::to_owned), plain_string(), escape_string(), dollar_quoted()];
    let deeper = |inner: BoxedStrategy<String>| {
        prop_oneof![
            (inner.clone(), blank(), inner.clone())
                .prop_map(|(a, blank, b)| format!("({a}{blank}||{blank}{b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!(
                "CASE WHEN {a} IS NULL THEN {b} ELSE CASE 1 WHEN 2 THEN 3 END END"
            )),
            inner.prop_map(|a| format!("f({a}, (SELECT 1))")),
        ]
    };
    leaf.prop_recursive(3, 12, 2, deeper).boxed()
}

fn plain_string() -> impl Strategy<Value = String> {
    "[a;\\\\\"$/*é \n-]{0,8}".prop_map(|content| format!("'{content}'' '"))
}

fn escape_string() -> impl Strategy<Value = String> {
    let piece = select(&["a", ";", "\\'", "''", "\\\\", "\\n", "\"", "$$", "--", "/*", "é", "\n"][..]);
    let part = vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    let between = select(&["\n", " \n\t", "\r", " -- ' ; \\\n", "\n-- '\n"][..]);
    (vec((part, between), 1..4), select(&["E", "e"][..])).prop_map(|(parts, prefix)| {
        let mut text = prefix.to_owned();
        for (n, (part, between)) in parts.iter().enumerate() {
            text.push_str(if n == 0 { "" } else { between });
            text.extend(["'", part, "'"]);
        }
        text
    })
}

fn dollar_quoted() -> impl Strategy<Value = String> {
    const BODIES: &[&str] =
        &["", ";", " BEGIN PERFORM 1; END ", "'", "$", "$1", "\\", "/*", "--", "$z$;$z$", " $$", "E'\\'"];
    let body = vec(select(BODIES), 0..4).prop_map(|pieces| pieces.concat());
    (select(&["", "a", "_1", "é", "BEGIN"][..]), body).prop_map(|(tag, body)| {
        let quote = format!("${tag}$");
        // The end must not come too early, not even out of the body's last dollar and the quote's first.
        let body = body.replace("$$", "$ $");
        let body = if tag.is_empty() { body.replace('$', "") } else { body };
        format!("{quote}{body} {quote}")
    })
}

fn blank() -> impl Strategy<Value = String> {
    const BLANKS: &[&str] =
        &[" ", "\n", "\r\n", "\t\x0c", "/* ; ' */", "/* /* ; */ $$ */", "-- ; '\n", "-- $a$ \"\r", " /**/ "];
    vec(select(BLANKS), 1..3).prop_map(|pieces| format!(" {} ", pieces.concat()))
}
