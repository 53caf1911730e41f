//! What the code of statements that are done may have kept in a session that is gone: settings, temporary tables.
//!
//! The words of such a statement do not show it (`DO`, `CALL`, `SELECT f()`), and the server does not tell afterwards. So the
//! code is read: that of the script, and that of the functions whose names stand in it, as far as they lead to others. It is
//! better to ask once too often than to go on without the tenant that a script has set for its rows.

use plimsoll_core::script::postgres::{Code, Lost, Ran, ran};

use super::{PostgresSession, quote_text};
use crate::error::Result;

/// What changes its session in code: `set_config`, a temporary table, or a `SET` that begins a statement. Those that end with
/// their transaction are left out where that can be seen.
const KEEPS: &str = concat!(
    r"\mset_config\M(?!\s*\([^;)]*,\s*true\s*\))",
    r"|\mpg_temp\M",
    r"|\mcreate\s+((local|global)\s+)?temp(orary)?\M(?![^;]*\mon\s+commit\s+drop\M)",
    r"|\minto\s+temp(orary)?\M",
    r"|(^|;|\mbegin|\mthen|\melse|\mloop|\$)\s*set\s+(?!local\M|constraints\M|transaction\M)",
    r"|'\s*set\s+(session\s+)?[\w.]+\s*(=|\mto\M)"
);

/// The first of the statements that are done whose code may have left something in its session.
pub(super) async fn kept(session: &PostgresSession, script: &str, done: usize) -> Result<Option<Lost>> {
    let ran = ran(script, done);
    if ran.is_empty() {
        return Ok(None);
    }
    let rows = session.rows(&question(&ran)).await?;
    let found = rows.first().and_then(|row| Some((row.get(0)?.parse::<usize>().ok()?, row.get(1))));
    let lost = |(at, function): (usize, Option<&str>)| {
        let what = match function {
            Some(name) => format!("a setting or temporary table that the function `{name}` makes"),
            None => "a setting or temporary table that its code makes".to_owned(),
        };
        Some(Lost { span: ran.get(at)?.span.clone(), what })
    };
    Ok(found.and_then(lost))
}

/// The type of names and sources, as the catalog has them: what follows it is behind a `CAST`.
const TEXT: &str = r#"pg_catalog.text) COLLATE pg_catalog."C""#;

/// The number of the first statement, and the function that it leads to. Functions of the server and of extensions keep
/// nothing.
fn question(ran: &[Ran<'_>]) -> String {
    let roots = ran.iter().enumerate().map(|(at, statement)| {
        let is_code = statement.code == Code::Block;
        let source = quote_text(&statement.text);
        format!("({at}, CAST(NULL AS {TEXT}, CAST({source} AS {TEXT}, {is_code})")
    });
    let roots = roots.collect::<Vec<_>>().join(", ");
    format!(
        "WITH RECURSIVE own AS (SELECT CAST(p.proname AS {TEXT} AS name, CAST(p.prosrc AS {TEXT} AS source FROM pg_catalog.pg_proc p \
         JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
         WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
         WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e')), \
         reached(at, name, source, is_code) AS (VALUES {roots} UNION SELECT r.at, o.name, o.source, true \
         FROM reached r JOIN own o ON r.source ~* ({begin} || \
         pg_catalog.regexp_replace(o.name, '[^[:alnum:]_]', {escape}, 'g') || {end})) \
         SELECT r.at, r.name FROM reached r WHERE r.is_code AND {} ~* {} ORDER BY r.at, r.name NULLS FIRST LIMIT 1",
        without_remarks("r.source"),
        quote_text(KEEPS),
        begin = quote_text(r"(^|\W)"),
        end = quote_text(r"(\W|$)"),
        escape = quote_text(r"\\\&")
    )
}

fn without_remarks(source: &str) -> String {
    let lines = format!("pg_catalog.regexp_replace({source}, {}, ' ', 'g')", quote_text("--[^\n]*"));
    format!("pg_catalog.regexp_replace({lines}, {}, ' ', 'g')", quote_text(r"/\*.*?\*/"))
}
